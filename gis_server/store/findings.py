"""What the check found on a generation, and which warnings somebody accepted."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import shapely
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Connection,
    Row,
    Select,
    any_,
    delete,
    func,
    insert,
    literal,
    select,
)

from gis_server.core.acceptance import Acceptance, KeptFinding
from gis_server.core.access import Actor
from gis_server.core.coverage.findings import Finding, Kind, Severity, Weight
from gis_server.store.copying import Constant, Values, copy_rows
from gis_server.store.messages import message_from, message_json
from gis_server.store.schema import acceptance, finding


def add(conn: Connection, generation_id: int, findings: Sequence[Finding]) -> None:
    """Keep findings with their generation; geometries are in EPSG:4490."""
    if not findings:
        return
    columns: dict[str, Values] = {
        "generation_id": Constant(generation_id),
        "kind": [f.kind.value for f in findings],
        "rule": [f.rule for f in findings],
        "severity": [f.severity.value for f in findings],
        "clause": [f.clause for f in findings],
        "fids": [list(map(int, f.fids)) for f in findings],
        "codes": [list(f.codes) for f in findings],
        "area_m2": [float(f.area_m2) for f in findings],
        "width_m": [float(f.width_m) for f in findings],
        "message": [message_json(f.message) for f in findings],
        "weight": [None if f.weight is None else _weight_json(f.weight) for f in findings],
        "geom": [_ewkb(f.geometry) for f in findings],
    }
    copy_rows(conn, finding.name, columns, len(findings))


def of_generation(conn: Connection, generation_id: int) -> tuple[KeptFinding, ...]:
    """The findings of a generation, worst first as the check gave them; geometries in EPSG:4490."""
    columns = [column for column in finding.c if column.name != "geom"]
    accepted = (acceptance.c.who, acceptance.c.account_id, acceptance.c.at, acceptance.c.reason)
    query: Select[Any] = (
        select(*columns, func.ST_AsBinary(finding.c.geom).label("wkb"), *accepted)
        .outerjoin(acceptance, acceptance.c.finding_id == finding.c.id)
        .where(finding.c.generation_id == generation_id)
        .order_by(finding.c.id)
    )
    return tuple(_kept(row) for row in conn.execute(query))


def remove(conn: Connection, kept: Sequence[KeptFinding]) -> None:
    """Remove findings of a staged generation that hold no longer; what somebody accepted stays on record."""
    ids = [one.id for one in kept if one.acceptance is None]
    if ids:
        # as one value: a statement takes no more than 65,535 of them
        conn.execute(delete(finding).where(finding.c.id == any_(literal(ids, ARRAY(BigInteger)))))


def _kept(row: Row[Any]) -> KeptFinding:
    found = Finding(
        kind=Kind(row.kind),
        rule=row.rule,
        severity=Severity(row.severity),
        clause=row.clause,
        fids=tuple(row.fids),
        codes=tuple(row.codes),
        area_m2=row.area_m2,
        width_m=row.width_m,
        message=message_from(row.message),
        geometry=None if row.wkb is None else shapely.from_wkb(bytes(row.wkb)),
        weight=None if row.weight is None else Weight(**row.weight),
    )
    accepted = None if row.who is None else Acceptance(row.who, row.account_id, row.at, row.reason)
    return KeptFinding(row.id, found, accepted)


def accept(
    conn: Connection, findings: Sequence[KeptFinding], actor: Actor, reason: str, now: datetime
) -> None:
    """Keep that ``actor`` accepts these findings, none of which was accepted before, for one reason."""
    if not findings:
        return
    taken = {"who": actor.name, "account_id": actor.account_id, "at": now, "reason": reason}
    conn.execute(insert(acceptance), [{"finding_id": kept.id, **taken} for kept in findings])


def _weight_json(weight: Weight) -> dict[str, int]:
    return {
        "addresses": weight.addresses,
        "people": weight.people,
        "open_incidents": weight.open_incidents,
    }


def _ewkb(geometry: shapely.Geometry | None) -> str | None:
    if geometry is None:
        return None
    return str(shapely.to_wkb(shapely.set_srid(geometry, 4490), hex=True, include_srid=True))
