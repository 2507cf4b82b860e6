"""Open incidents around a place, and what was decided about pairs of incidents."""

import math
from datetime import datetime
from typing import Any

from geoalchemy2 import Geography
from sqlalchemy import Connection, case, cast, func, insert, or_, select

from gis_server.core.duplicate import Nearby, Verdict, VerdictRequest
from gis_server.core.incident import CLOSED, IncidentState
from gis_server.store.schema import SRID, incident, incident_link

_DEGREE_M = 110_000.0
"""Below the length of a degree of latitude everywhere: a box of so many metres is never too small."""


def nearby(
    conn: Connection, lon: float, lat: float, *, within_m: float, since: datetime, until: datetime
) -> list[Nearby]:
    """Open incidents discovered in the span, at most ``within_m`` from a point (CGCS2000 degrees), nearest first."""
    high = within_m / _DEGREE_M
    wide = high / max(math.cos(math.radians(abs(lat) + high)), 0.01)
    box = func.ST_MakeEnvelope(lon - wide, lat - high, lon + wide, lat + high, SRID)
    place = cast(func.ST_SetSRID(func.ST_MakePoint(lon, lat), SRID), Geography(srid=SRID))
    distance = func.ST_Distance(cast(incident.c.geom, Geography(srid=SRID)), place)
    query = (
        select(
            incident.c.id,
            incident.c.number,
            incident.c.state,
            incident.c.item,
            incident.c.item_key,
            incident.c.is_urgent,
            incident.c.discovered_at,
            incident.c.area_path,
            incident.c.grid_code,
            incident.c.reported_by,
            incident.c.lead_unit,
            incident.c.responsible_unit,
            distance.label("distance_m"),
        )
        .where(
            incident.c.geom.op("&&")(box),
            incident.c.state.not_in(list(CLOSED)),
            incident.c.discovered_at.between(since, until),
            distance <= within_m,
        )
        # within a metre the newest first: it is the likeliest to be the same
        .order_by(func.round(distance), incident.c.discovered_at.desc(), incident.c.id.desc())
    )
    return [_nearby(row) for row in conn.execute(query)]


def _nearby(row: Any) -> Nearby:
    return Nearby(
        id=row.id,
        number=row.number,
        state=IncidentState(row.state),
        item=row.item,
        item_key=row.item_key,
        is_urgent=row.is_urgent,
        discovered_at=row.discovered_at,
        area_path=tuple(row.area_path),
        grid_code=row.grid_code,
        reported_by=row.reported_by,
        units=tuple(unit for unit in (row.lead_unit, row.responsible_unit) if unit),
        distance_m=round(row.distance_m, 1),
    )


def verdicts(conn: Connection, incident_id: int) -> list[Verdict]:
    """What holds between an incident and others, by the newest decision of each pair, oldest pair first."""
    link = incident_link
    other = case((link.c.incident_id == incident_id, link.c.other_id), else_=link.c.incident_id)
    newest = (
        select(func.max(link.c.id))
        .where(or_(link.c.incident_id == incident_id, link.c.other_id == incident_id))
        .group_by(other)
    )
    columns = (link.c.is_duplicate, link.c.at, link.c.actor, link.c.note)
    rows = conn.execute(
        select(other.label("pair_id"), incident.c.number, *columns)
        .join(incident, incident.c.id == other)
        .where(link.c.id.in_(newest))
        .order_by(link.c.id)
    )
    return [Verdict(row.pair_id, row.number, row.is_duplicate, row.at, row.actor, row.note) for row in rows]


def add_verdict(
    conn: Connection,
    incident_id: int,
    asked: VerdictRequest,
    *,
    actor: str,
    account_id: int | None,
    now: datetime,
) -> None:
    """Append a decision about two incidents; both stay as they are."""
    conn.execute(
        insert(incident_link).values(
            incident_id=incident_id,
            other_id=asked.other_id,
            is_duplicate=asked.is_duplicate,
            at=now,
            actor=actor,
            account_id=account_id,
            note=asked.note,
        )
    )
