"""Areas in force, by code."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, or_, select

from gis_server.core.area import Area
from gis_server.store.schema import area, generation


def _in_force(at: datetime) -> Select[Any]:
    return (
        select(area.c.area_code, area.c.area_name, area.c.admin_level, area.c.path)
        .join(generation, generation.c.id == area.c.generation_id)
        .where(
            generation.c.state == "published",
            generation.c.valid_from <= at,
            or_(generation.c.valid_to.is_(None), generation.c.valid_to > at),
        )
    )


def _area(row: Any) -> Area | None:
    return None if row is None else Area(row.area_code, row.area_name, row.admin_level, tuple(row.path))


def by_code(conn: Connection, code: str, at: datetime) -> Area | None:
    """The area with this code at ``at``; None if there is none."""
    return _area(conn.execute(_in_force(at).where(area.c.area_code == code)).first())


def first_of_level(conn: Connection, level: str, at: datetime) -> Area | None:
    """The area of a level (county, township, community) with the lowest code; None if there is none."""
    query = _in_force(at).where(area.c.admin_level == level).order_by(area.c.area_code.collate("C")).limit(1)
    return _area(conn.execute(query).first())


def of_level(conn: Connection, level: str, at: datetime) -> list[Area]:
    """All areas of a level, by code."""
    query = _in_force(at).where(area.c.admin_level == level).order_by(area.c.area_code.collate("C"))
    return [found for row in conn.execute(query) if (found := _area(row)) is not None]


def bounds(conn: Connection, code: str | None, at: datetime) -> tuple[float, float, float, float] | None:
    """West, south, east, north of an area, or of all areas (None); None if there is nothing."""
    box = func.ST_Extent(area.c.geom)
    query = _in_force(at).with_only_columns(
        func.ST_XMin(box), func.ST_YMin(box), func.ST_XMax(box), func.ST_YMax(box)
    )
    if code is not None:
        query = query.where(area.c.area_code == code)
    west, south, east, north = conn.execute(query).one()
    return None if west is None else (west, south, east, north)
