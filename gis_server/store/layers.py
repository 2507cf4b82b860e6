"""Generations of layers: staged whole, published by one flip, asked for by date.

A generation's rows are never changed. Publishing writes two timestamps: the end of the former generation and the
beginning of the new one are the same instant, so at every moment exactly one is in force.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, exists, func, insert, literal, or_, select, update

from gis_server.core.catalogue import Layer, LayerKind
from gis_server.core.coverage.certificate import as_dict
from gis_server.core.coverage.findings import Certificate, Finding, Report, Severity
from gis_server.core.errors import Conflict, NotFound
from gis_server.core.features import FeatureTable, RowProblem
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.message import Message, msg
from gis_server.store import addresses
from gis_server.store import findings as found
from gis_server.store.copying import Constant, Values, copy_rows
from gis_server.store.messages import message_from, message_json, problem_from, problem_json
from gis_server.store.partitions import drop_partition, fill_partition
from gis_server.store.schema import (
    LAYER_TABLES,
    PARTITIONED,
    acceptance,
    address,
    feature,
    finding,
    generation,
)

MOST_PROBLEMS = 1_000
"""Row problems kept with a generation; of more, the first are kept and all are counted."""

# with the layer's name hashed in, the lock of "somebody publishes this layer"
_PUBLISH_LOCK = 74_490


@dataclass(frozen=True, slots=True)
class Staging:
    """What is kept with a generation beside its rows.

    ``parent_generation`` is the one whose polygons the check took as parents; publishing asks that it still holds.
    ``checked_with`` are the generations of other layers that had a say in the check, None for a layer without one;
    ``findings`` those of a layer whose check makes no report (addresses).
    """

    report: Report | None = None
    findings: Sequence[Finding] = ()
    parent_generation: int | None = None
    checked_with: Mapping[str, int | None] = field(default_factory=dict)
    paths: Sequence[Sequence[str]] | None = None  # of areas: codes from the county down to the row itself


def table_of(layer: Layer) -> str:
    """The table that holds the layer's rows."""
    return layer.table if layer.table is not None else feature.name


def stage(
    conn: Connection, layer: Layer, table: FeatureTable, staging: Staging, *, by: str, now: datetime
) -> Generation:
    """Keep a table as a staged generation with its findings, in the caller's transaction."""
    count = len(table.geometry)
    source = {**asdict(table.source), "unused": list(table.unused)}
    rejected = sum(problem.rejected for problem in table.problems)
    kept = {
        "problems": len(table.problems),
        "rejected": rejected,
        "notes": [message_json(note) for note in table.notes],
        "parent_generation": staging.parent_generation,
        "checked_with": dict(staging.checked_with),
    }
    if staging.report is not None:
        kept |= {
            "summary": asdict(staging.report.summary),
            "tolerance_m2": staging.report.tolerance_m2,
            "profile": staging.report.profile,
        }
        if staging.report.certificate is not None:
            kept["certificate"] = dict(as_dict(staging.report.certificate))
    generation_id = conn.execute(
        insert(generation)
        .values(
            layer=layer.name,
            state=GenerationState.STAGED.value,
            feature_count=count,
            source=source,
            problems=[problem_json(problem) for problem in table.problems[:MOST_PROBLEMS]],
            report=kept,
            created_at=now,
            created_by=by,
        )
        .returning(generation.c.id)
    ).scalar_one()
    columns = _columns(layer, table, generation_id)
    if staging.paths is not None:
        columns["path"] = staging.paths
    name = table_of(layer)
    if name == address.name:
        # gathered while the server reads and indexes the rows
        with ThreadPoolExecutor(1, "address-index") as beside:
            index = beside.submit(addresses.gather, table)
            fill_partition(conn, name, generation_id, columns, count)
            addresses.keep_index(conn, generation_id, index.result())
    elif name in PARTITIONED:
        fill_partition(conn, name, generation_id, columns, count)
    else:
        copy_rows(conn, name, columns, count)
    found.add(conn, generation_id, staging.findings if staging.report is None else staging.report.findings)
    return one(conn, generation_id)


def looked_again(conn: Connection, generation_id: int, checked_with: Mapping[str, int | None]) -> Generation:
    """Keep with a staged generation that its check was made anew with these generations of other layers."""
    kept = conn.scalar(select(generation.c.report).where(generation.c.id == generation_id).with_for_update())
    conn.execute(
        update(generation)
        .where(generation.c.id == generation_id)
        .values(report={**(kept or {}), "checked_with": dict(checked_with)})
    )
    return one(conn, generation_id)


def _columns(layer: Layer, table: FeatureTable, generation_id: int) -> dict[str, Values]:
    columns: dict[str, Values] = {"generation_id": Constant(generation_id)}
    if layer.table is None:
        names = list(table.columns)
        cells = zip(*(table.columns[name].tolist() for name in names), strict=True)
        columns["layer"] = Constant(layer.name)
        columns["key"] = [str(key) for key in table.columns[layer.key].tolist()]
        columns["properties"] = [dict(zip(names, row, strict=True)) for row in cells]
    else:
        columns |= table.columns
    columns["geom"] = table.geometry
    return columns


def publish(conn: Connection, layer: Layer, generation_id: int, *, by: str, now: datetime) -> Generation:
    """Put a staged generation in force from ``now`` on, and close the one before, in the caller's transaction.

    Raises Conflict if it is not staged, if a later one is in force already, or if a boundary layer holds a code
    twice. Whether findings forbid it is the journey's question.
    """
    conn.execute(select(func.pg_advisory_xact_lock(_PUBLISH_LOCK, func.hashtext(literal(layer.name)))))
    staged = one(conn, generation_id)
    if staged.state is not GenerationState.STAGED:
        raise Conflict(
            msg("第 {id} 代已是{state}，不能再发布。", id=generation_id, state=STATE_NAMES[staged.state])
        )
    later = conn.scalar(
        select(func.max(generation.c.valid_from)).where(
            generation.c.layer == layer.name,
            generation.c.state == GenerationState.PUBLISHED.value,
            generation.c.valid_from >= now,
        )
    )
    if later is not None:
        raise Conflict(msg("图层已有自 {time} 起生效的数据，不能再发布更早生效的。", time=later.isoformat()))
    if layer.kind is LayerKind.BOUNDARY:
        _refuse_double_codes(conn, layer, generation_id)
    conn.execute(
        update(generation)
        .where(
            generation.c.layer == layer.name,
            generation.c.state == GenerationState.PUBLISHED.value,
            generation.c.valid_to.is_(None),
        )
        .values(valid_to=now)
    )
    conn.execute(
        update(generation)
        .where(generation.c.id == generation_id)
        .values(state=GenerationState.PUBLISHED.value, valid_from=now, published_at=now, published_by=by)
    )
    return one(conn, generation_id)


def _refuse_double_codes(conn: Connection, layer: Layer, generation_id: int) -> None:
    table = LAYER_TABLES.get(table_of(layer), feature)
    code = table.c[layer.key] if layer.table is not None else table.c.key
    double = conn.scalar(
        select(code)
        .where(table.c.generation_id == generation_id)
        .group_by(code)
        .having(func.count() > 1)
        .limit(1)
    )
    if double is not None:
        raise Conflict(msg("编码 {code} 出现不止一次，请先改正再发布。", code=double))


STATE_NAMES: Mapping[GenerationState, Message] = {
    GenerationState.STAGED: msg("暂存"),
    GenerationState.PUBLISHED: msg("已发布"),
    GenerationState.DISCARDED: msg("已弃用"),
}


def discard(conn: Connection, layer: Layer, generation_id: int) -> Generation:
    """Remove the rows and findings of a staged generation; that it was there stays on record.

    A warning that somebody accepted stays too: he put his name to it.
    """
    state = conn.scalar(select(generation.c.state).where(generation.c.id == generation_id).with_for_update())
    if state != GenerationState.STAGED.value:
        shown = msg("不存在") if state is None else STATE_NAMES[GenerationState(state)]
        raise Conflict(msg("第 {id} 代{state}，不能弃用。", id=generation_id, state=shown))
    name = table_of(layer)
    if name == address.name:
        addresses.drop_index(conn, generation_id)
    if name in PARTITIONED:
        drop_partition(conn, name, generation_id)
    else:
        table = LAYER_TABLES[name]
        conn.execute(delete(table).where(table.c.generation_id == generation_id))
    conn.execute(
        delete(finding).where(
            finding.c.generation_id == generation_id,
            ~exists().where(acceptance.c.finding_id == finding.c.id),
        )
    )
    conn.execute(
        update(generation)
        .where(generation.c.id == generation_id)
        .values(state=GenerationState.DISCARDED.value)
    )
    return one(conn, generation_id)


def _select() -> Select[Any]:
    def counted(severity: Severity) -> Select[Any]:
        return select(func.count()).where(
            finding.c.generation_id == generation.c.id, finding.c.severity == severity.value
        )

    columns = [column for column in generation.c if column.name != "problems"]
    accepted = exists().where(acceptance.c.finding_id == finding.c.id)
    return select(
        *columns,
        counted(Severity.ERROR).scalar_subquery().label("errors"),
        counted(Severity.WARNING).scalar_subquery().label("warnings"),
        counted(Severity.WARNING).where(~accepted).scalar_subquery().label("open_warnings"),
    )


def _certificate(content: Mapping[str, Any]) -> Certificate:
    return Certificate(
        exact=content["exact"],
        cells=content["cells"],
        parents=content["parents"],
        edges=content["edges"],
        open_parents=tuple(content["open_parents"]),
        salt=int(content["salt"], 16),
        digest=content["digest"],
    )


def _generation(row: Row[Any]) -> Generation:
    return Generation(
        id=row.id,
        layer=row.layer,
        state=GenerationState(row.state),
        feature_count=row.feature_count,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        created_at=row.created_at,
        created_by=row.created_by,
        published_at=row.published_at,
        published_by=row.published_by,
        source=row.source,
        summary=row.report.get("summary", {}),
        tolerance_m2=row.report.get("tolerance_m2"),
        certificate=_certificate(row.report["certificate"]) if "certificate" in row.report else None,
        notes=tuple(message_from(note) for note in row.report.get("notes", ())),
        parent_generation=row.report.get("parent_generation"),
        checked_with=row.report.get("checked_with", {}),
        problems=row.report.get("problems", 0),
        rejected=row.report.get("rejected", 0),
        errors=row.errors,
        warnings=row.warnings,
        open_warnings=row.open_warnings,
    )


def one(conn: Connection, generation_id: int) -> Generation:
    """The generation with this id, or NotFound."""
    row = conn.execute(_select().where(generation.c.id == generation_id)).one_or_none()
    if row is None:
        raise NotFound(msg("没有第 {id} 代数据。", id=generation_id))
    return _generation(row)


def held(conn: Connection, generation_id: int) -> Generation:
    """The generation with this id, kept from being published or discarded until the transaction ends."""
    conn.execute(select(generation.c.id).where(generation.c.id == generation_id).with_for_update())
    return one(conn, generation_id)


def generations(conn: Connection, layer: str, limit: int = 200) -> list[Generation]:
    """The generations of a layer, newest first."""
    query = _select().where(generation.c.layer == layer).order_by(generation.c.id.desc()).limit(limit)
    return [_generation(row) for row in conn.execute(query)]


def in_force(conn: Connection, layer: str, at: datetime) -> Generation | None:
    """The generation of a layer that is in force at ``at``; None if there is none."""
    row = conn.execute(
        _select().where(
            generation.c.layer == layer,
            generation.c.state == GenerationState.PUBLISHED.value,
            generation.c.valid_from <= at,
            or_(generation.c.valid_to.is_(None), generation.c.valid_to > at),
        )
    ).one_or_none()
    return None if row is None else _generation(row)


def problems(conn: Connection, generation_id: int) -> tuple[RowProblem, ...]:
    """The row problems kept with a generation (the first ``MOST_PROBLEMS`` of them)."""
    kept = conn.scalar(select(generation.c.problems).where(generation.c.id == generation_id))
    return tuple(problem_from(problem) for problem in kept or ())
