"""Areas, grids and sub-grids as arrays, for routing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Column, Connection, Table, func, or_, select

from gis_server.core.boundaries import AreaRows, Boundaries, GridRows, SubGridRows
from gis_server.core.routing import Geometries
from gis_server.store.schema import area, generation, grid, sub_grid

LAYERS = ("area", "grid", "sub_grid")

ROSTER = "roster"
"""What the generations of the roster are filed under."""

IN_FORCE = (*LAYERS, ROSTER)
"""Everything that decides who answers for a place."""


def in_force(conn: Connection, at: datetime) -> dict[str, int]:
    """The generation ids of boundary layers and roster in force at ``at``, by layer; what has none is absent."""
    query = select(generation.c.layer, generation.c.id).where(
        generation.c.state == "published",
        generation.c.layer.in_(IN_FORCE),
        generation.c.valid_from <= at,
        or_(generation.c.valid_to.is_(None), generation.c.valid_to > at),
    )
    return {row.layer: row.id for row in conn.execute(query)}


def first_day(conn: Connection, layer: str) -> datetime | None:
    """From when on there is a generation of ``layer``; None if none was ever published."""
    query = select(func.min(generation.c.valid_from)).where(
        generation.c.state == "published", generation.c.layer == layer
    )
    found: datetime | None = conn.execute(query).scalar_one()
    return found


def load(conn: Connection, generations: dict[str, int]) -> Boundaries:
    """Read the rows of these generations (by layer) and index them."""
    areas = _rows(
        conn, area, generations, area.c.area_code, area.c.area_name, area.c.admin_level, area.c.path
    )
    grids = _rows(
        conn,
        grid,
        generations,
        grid.c.id,
        grid.c.grid_code,
        grid.c.grid_name,
        grid.c.community_code,
        grid.c.grid_kind,
        grid.c.settlement_class,
        grid.c.managing_department,
    )
    sub_grids = _rows(conn, sub_grid, generations, sub_grid.c.sub_grid_code, sub_grid.c.grid_code)
    return Boundaries(
        generations,
        AreaRows(
            [row.area_code for row in areas],
            [row.area_name for row in areas],
            [row.admin_level for row in areas],
            [tuple(row.path) for row in areas],
            _geometries(areas),
        ),
        GridRows(
            [row.id for row in grids],
            [row.grid_code for row in grids],
            [row.grid_name for row in grids],
            [row.community_code for row in grids],
            [row.grid_kind for row in grids],
            [row.settlement_class for row in grids],
            [row.managing_department for row in grids],
            _geometries(grids),
        ),
        SubGridRows(
            [row.sub_grid_code for row in sub_grids],
            [row.grid_code for row in sub_grids],
            _geometries(sub_grids),
        ),
    )


def _rows(
    conn: Connection, table: Table, generations: Mapping[str, int], *columns: Column[Any]
) -> Sequence[Any]:
    query = select(*columns, func.ST_AsBinary(table.c.geom).label("wkb"))
    query = query.where(table.c.generation_id == generations.get(table.name, 0)).order_by(table.c.id)
    return conn.execute(query).all()


def _geometries(rows: Sequence[Any]) -> Geometries:
    return np.asarray(shapely.from_wkb([bytes(row.wkb) for row in rows]), dtype=object)
