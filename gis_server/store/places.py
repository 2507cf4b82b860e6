"""What the desk asks of one place: a grid's row and its month, the cameras around a point, who calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Double,
    Numeric,
    Select,
    and_,
    cast,
    desc,
    exists,
    func,
    literal,
    select,
)

from gis_server.core.catalogue import Layer
from gis_server.core.generation import Generation
from gis_server.core.incident import CLOSED, UNANSWERED
from gis_server.core.incident_query import IncidentQuery
from gis_server.core.places import MONTH_DAYS, DayOfGrid, MonthOfGrid, NearCamera, box_around
from gis_server.store.features import DECIMALS
from gis_server.store.incident_listing import Present, Reader, holds
from gis_server.store.incidents import within
from gis_server.store.schema import (
    SRID,
    acknowledgement,
    grid,
    incident,
    incident_alert,
)
from gis_server.store.sight import Sight, rows_of, text_value, value, visible

MOST_ITEMS = 6
_is_open = incident.c.state.not_in(list(CLOSED))


@dataclass(frozen=True, slots=True)
class GridRow:
    """One grid of a generation as it is kept; ``bounds`` are west, south, east, north, lon and lat a point inside it.

    ``geometry`` is GeoJSON text.
    """

    grid_code: str
    grid_name: str
    community_code: str
    grid_kind: str
    settlement_class: str | None
    resident_households: int | None
    actual_population: int | None
    host_units: str | None
    managing_department: str | None
    bounds: tuple[float, float, float, float]
    lon: float
    lat: float
    geometry: str


def grid_row(conn: Connection, generation_id: int, code: str) -> GridRow | None:
    """The grid with this code in a generation; None if there is none."""
    inside = func.ST_PointOnSurface(grid.c.geom)
    row = conn.execute(
        select(
            *(grid.c[name] for name in _GRID_COLUMNS),
            func.ST_XMin(grid.c.geom),
            func.ST_YMin(grid.c.geom),
            func.ST_XMax(grid.c.geom),
            func.ST_YMax(grid.c.geom),
            func.ST_X(inside),
            func.ST_Y(inside),
            func.ST_AsGeoJSON(grid.c.geom, DECIMALS, 0),
        ).where(grid.c.generation_id == generation_id, grid.c.grid_code == code)
    ).first()
    if row is None:
        return None
    *columns, west, south, east, north, lon, lat, geometry = row
    named: dict[str, Any] = dict(zip(_GRID_COLUMNS, columns, strict=True))
    return GridRow(**named, bounds=(west, south, east, north), lon=lon, lat=lat, geometry=geometry)


_GRID_COLUMNS = (
    "grid_code",
    "grid_name",
    "community_code",
    "grid_kind",
    "settlement_class",
    "resident_households",
    "actual_population",
    "host_units",
    "managing_department",
)


def cameras_near(
    conn: Connection,
    layer: Layer,
    generation: Generation | None,
    sight: Sight,
    place: tuple[float, float],
    *,
    reach_m: float,
    limit: int,
) -> list[NearCamera]:
    """The cameras that ``sight`` may see within ``reach_m`` of a place (lon, lat), nearest first, equally near ones by code.

    The box of the reach is looked up in the index of the geometries; within it distances are those on the ellipsoid.
    """
    table = rows_of(layer)
    here = func.ST_SetSRID(func.ST_MakePoint(*place), SRID)
    there, point = func.geography(table.c.geom), func.geography(here)
    metres = func.round(cast(func.ST_Distance(there, point), Numeric), 3).label("metres")
    fields = layer.visible_fields(sight.tier)
    found = (
        select(
            func.ST_X(table.c.geom),
            func.ST_Y(table.c.geom),
            cast(metres, Double),
            func.degrees(func.ST_Azimuth(there, point)),
            *(value(layer, table, field).label(field.name) for field in fields),
        )
        .where(visible(layer, generation, sight, box_around(*place, reach_m)), metres <= reach_m)
        .order_by(metres, text_value(layer, table, layer.key).collate("C"))
        .limit(limit)
    )
    return [
        NearCamera(lon, lat, distance, bearing, {f.name: v for f, v in zip(fields, values, strict=True)})
        for lon, lat, distance, bearing, *values in conn.execute(found)
    ]


def month_of_grid(
    conn: Connection,
    code: str,
    reader: Reader,
    present: Present,
    *,
    today: date,
    zone: ZoneInfo,
    day_start: datetime,
) -> MonthOfGrid:
    """What ``reader`` may see of the last 30 days of a grid; ``today`` is the local day and ``day_start`` its beginning."""
    since = day_start - timedelta(days=MONTH_DAYS - 1)
    seen = holds(IncidentQuery(grid=code), reader, present)
    opened = _by_day(conn, _discovered(seen, since, present.now), zone)
    # those taken up again are none of them
    was_settled = and_(seen, incident.c.completed_at >= since, incident.c.completed_at <= present.now)
    closed = _by_day(conn, select(incident.c.completed_at.label("at")).where(was_settled), zone)
    was_late = exists().where(
        incident_alert.c.incident_id == incident.c.id,
        incident_alert.c.kind == "overdue",
        incident_alert.c.due_at < incident.c.completed_at,
    )
    late, timed = conn.execute(
        select(func.count().filter(was_late), func.count().filter(incident.c.clock_starts_at.is_not(None)))
        .select_from(incident)
        .where(was_settled)
    ).one()
    now = conn.execute(
        select(func.count(), func.count().filter(incident.c.due_at < present.now))
        .select_from(incident)
        .where(seen, _is_open)
    ).one()
    items = conn.execute(
        select(incident.c.item, func.count().label("number"))
        .where(seen, incident.c.discovered_at >= since, incident.c.discovered_at <= present.now)
        .group_by(incident.c.item)
        .order_by(desc("number"), incident.c.item.collate("C"))
        .limit(MOST_ITEMS)
    )
    days = [today - timedelta(days=ago) for ago in reversed(range(MONTH_DAYS))]
    return MonthOfGrid(
        days=[DayOfGrid(day, opened.get(day, 0), closed.get(day, 0)) for day in days],
        late=late,
        timed=timed,
        open_now=now[0],
        overdue_now=now[1],
        items=[(row[0], row[1]) for row in items],
    )


def _discovered(seen: ColumnElement[bool], since: datetime, now: datetime) -> Select[Any]:
    return select(incident.c.discovered_at.label("at")).where(
        seen, incident.c.discovered_at >= since, incident.c.discovered_at <= now
    )


def _by_day(conn: Connection, moments: Select[Any], zone: ZoneInfo) -> dict[date, int]:
    at = moments.subquery().c.at
    day = cast(func.timezone(literal(zone.key), at), Date).label("day")
    return {row[0]: row[1] for row in conn.execute(select(day, func.count()).group_by("day"))}


@dataclass(frozen=True, slots=True)
class Calling:
    """An urgent incident that nobody has answered yet."""

    id: int
    number: str
    item: str | None
    grid_code: str | None
    grid_name: str | None
    township_code: str | None
    raised_at: datetime


def calling(conn: Connection, path: Sequence[str], limit: int) -> list[Calling]:
    """The urgent incidents of a territory that still call, newest first."""
    query = (
        select(
            incident.c.id,
            incident.c.number,
            incident.c.item,
            incident.c.grid_code,
            grid.c.grid_name,
            incident.c.area_path[2],
            incident.c.recorded_at,
        )
        .select_from(
            incident.outerjoin(grid, grid.c.id == incident.c.grid_id).outerjoin(
                acknowledgement, acknowledgement.c.incident_id == incident.c.id
            )
        )
        .where(
            within(path),
            incident.c.is_urgent,
            # said twice, so that the index of what is open serves
            _is_open,
            incident.c.state.in_(list(UNANSWERED)),
            incident.c.clock_starts_at.is_not(None),
            acknowledgement.c.incident_id.is_(None),
        )
        .order_by(incident.c.recorded_at.desc(), incident.c.id.desc())
        .limit(limit)
    )
    return [Calling(*row) for row in conn.execute(query)]
