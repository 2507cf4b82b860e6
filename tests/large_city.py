"""A made city of as many grids and incidents as a measurement wants, put into the store without the checks of an import."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlalchemy import text

from gis_server.core.features import FeatureTable, Source
from gis_server.core.generation import Generation
from gis_server.core.stream import GENERATION
from gis_server.journeys.context import Context
from gis_server.store import events, layers

COUNTY = "230882"
COMMUNITY = f"{COUNTY}001001"
Columns = dict[str, list[str | None] | list[str]]
STEP, WEST, SOUTH = 0.002, 127.0, 47.0
KINDS = ("resident_grid", "resident_grid", "resident_grid", "exclusive_grid")


def code_of(number: int) -> str:
    """The key of a grid."""
    return f"{COMMUNITY}{number:05d}"


def lattice(across: int, step: float = STEP, west: float = WEST, south: float = SOUTH) -> NDArray[np.object_]:
    """``across`` × ``across`` squares in degrees, from the south-west on, row by row."""
    x, y = (part.ravel() for part in np.meshgrid(np.arange(across), np.arange(across)))
    boxes: NDArray[np.object_] = shapely.box(
        west + x * step, south + y * step, west + (x + 1) * step, south + (y + 1) * step
    )
    return boxes


def publish_areas(ctx: Context, cells: NDArray[np.object_], now: datetime) -> None:
    """Put one county, one town and one community around these cells in force."""
    whole = shapely.MultiPolygon([shapely.box(*shapely.total_bounds(cells))])
    names = [COUNTY, f"{COUNTY}001", COMMUNITY]
    areas: Columns = {
        "area_code": names,
        "area_name": ["大县", "大镇", "大社区"],
        "admin_level": ["county", "township", "community"],
        "parent_code": [None, *names[:-1]],
    }
    paths = [names[: n + 1] for n in range(3)]
    _publish(ctx, "area", np.array([whole] * 3, dtype=object), areas, now, paths)


def publish_grids(
    ctx: Context,
    cells: NDArray[np.object_],
    now: datetime,
    name: str = "网格",
    kinds: Sequence[str] = KINDS,
) -> Generation:
    """Put these grids in force, named ``name`` and their number, of these kinds in turn; their generation."""
    count = len(cells)
    grids: Columns = {
        "grid_code": [code_of(n) for n in range(count)],
        "grid_name": [f"{name}{n}" for n in range(count)],
        "community_code": [COMMUNITY] * count,
        "grid_kind": [kinds[n % len(kinds)] for n in range(count)],
        "settlement_class": ["urban_community" if n % 3 == 0 else "rural" for n in range(count)],
    }
    shapes = np.array([shapely.MultiPolygon([one]) for one in cells], dtype=object)
    return _publish(ctx, "grid", shapes, grids, now)


def _publish(
    ctx: Context,
    layer: str,
    geometry: NDArray[np.object_],
    columns: Columns,
    now: datetime,
    paths: list[list[str]] | None = None,
) -> Generation:
    count = len(geometry)
    table = FeatureTable(
        layer=layer,
        geometry=geometry,
        columns={name: np.array(values, dtype=object) for name, values in columns.items()},
        rows=np.arange(count, dtype=np.int64),
        source=Source("made", None, count, "EPSG:4490", None, None, "0" * 64),
    )
    of = ctx.catalogue[layer]
    with ctx.engine.begin() as conn:
        staged = layers.stage(conn, of, table, layers.Staging(paths=paths), by="made", now=now)
        published = layers.publish(conn, of, staged.id, by="made", now=now)
        events.emit(conn, GENERATION, tier=of.tier, payload={"layer": layer, "generation": published.id})
    return published


def add_incidents(ctx: Context, count: int, cells: NDArray[np.object_], now: datetime) -> None:
    """``count`` open incidents, each at the middle of one grid after the other; every tenth is urgent."""
    middles = shapely.centroid(cells)
    at = np.random.default_rng(1).permutation(len(cells))[np.arange(count) % len(cells)]
    rows = [
        {
            "number": f"B{n:09d}",
            "urgent": n % 10 == 0,
            "lon": float(middles[cell].x),
            "lat": float(middles[cell].y),
            "grid": code_of(int(cell)),
            "now": now,
            "path": [COUNTY, f"{COUNTY}001", COMMUNITY],
        }
        for n, cell in enumerate(at)
    ]
    with ctx.engine.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO incident (number, description, source, state, is_urgent, discovered_at, datum, geom, match, grid_code, area_path) "
                "VALUES (:number, '—', 'patrol', 'accepted', :urgent, :now, 'cgcs2000', "
                "ST_SetSRID(ST_MakePoint(:lon, :lat), 4490), 'inside', :grid, :path)"
            ),
            rows,
        )
