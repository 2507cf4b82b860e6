"""The ground of the acceptance scenarios: a community of one square kilometre whose grids are given in metres."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import shapely
from made import geojson
from pyproj import Transformer

from gis_server.core.access import CONSOLE, Role
from gis_server.core.generation import Generation
from gis_server.journeys import layers
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.context import Context
from gis_server.store import layers as store

COUNTY, TOWN, K1 = "230881", "230881001", "230881001001"
_EAST, _NORTH = 460_000.0, 5_240_000.0
_DEGREES = Transformer.from_crs("EPSG:4553", "EPSG:4490", always_xy=True)


def at(x: float, y: float) -> dict[str, float]:
    """Longitude and latitude of a point given in metres from the community's south-western corner."""
    lon, lat = _DEGREES.transform(_EAST + x, _NORTH + y)
    return {"lon": lon, "lat": lat}


def ground(shape: shapely.Geometry) -> shapely.Geometry:
    """A shape in metres as longitude and latitude."""
    # a straight line in metres is bent in degrees: with a vertex every 50 m neighbours stay one line
    return shapely.transform(shapely.segmentize(shape, 50.0), _degrees)


def _degrees(xy: np.ndarray) -> np.ndarray:
    return np.column_stack(_DEGREES.transform(xy[:, 0] + _EAST, xy[:, 1] + _NORTH))


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(west, south, east, north)


G1, G2, G3, G4 = (
    box(0, 0, 500, 500),
    box(500, 0, 1000, 500),
    box(0, 500, 500, 1000),
    box(500, 500, 1000, 1000),
)
"""S01: four grids of 500 m that tile the community."""


def publish_areas(ctx: Context, folder: Path, now: datetime, town: shapely.Polygon | None = None) -> None:
    """County and township on ``town`` (by default the community itself), and the community K1, in force from ``now``.

    A township larger than its community does not pass the check, and is published all the same.
    """
    kilometre = box(0, 0, 1000, 1000)
    whole = town or kilometre
    rows = [
        {"area_code": code, "area_name": f"区划{code}", "admin_level": level, "parent_code": parent}
        for code, level, parent in (
            (COUNTY, "county", None),
            (TOWN, "township", COUNTY),
            (K1, "community", TOWN),
        )
    ]
    path = geojson(folder / "area.geojson", [ground(whole), ground(whole), ground(kilometre)], rows)
    _publish(ctx, "area", path, now)


def stage_grids(
    ctx: Context, folder: Path, cells: Sequence[tuple[str, shapely.Polygon]], now: datetime, **more: str
) -> Generation:
    """Grids of K1 by the last three digits of their codes, checked and staged."""
    rows = [
        {
            "grid_code": f"{K1}{code}",
            "grid_name": f"网格{code}",
            "community_code": K1,
            "grid_kind": more.get(code, "resident_grid"),
            "resident_households": 200,
            "host_units": "市医院" if more.get(code) == "exclusive_grid" else None,
        }
        for code, _ in cells
    ]
    name = "-".join(code for code, _ in cells)
    path = geojson(folder / f"grid{name}.geojson", [ground(shape) for _, shape in cells], rows)
    generation = layers.import_layer(ctx, CONSOLE, "grid", path, now=now).generation
    assert generation is not None
    return generation


def publish_grids(
    ctx: Context, folder: Path, cells: Sequence[tuple[str, shapely.Polygon]], now: datetime, **more: str
) -> Generation:
    generation = stage_grids(ctx, folder, cells, now, **more)
    assert not generation.errors, layers.problems(ctx, CONSOLE, generation.id)
    return _in_force(ctx, generation, now)


def people(ctx: Context, now: datetime, **accounts: tuple[Role, str | None]) -> None:
    """Accounts by login: their role and the code of their area."""
    for login, (role, area) in accounts.items():
        add_account(ctx, CONSOLE, NewAccount(login, login, role, area), None, now)


def _publish(ctx: Context, layer: str, path: Path, now: datetime) -> None:
    generation = layers.import_layer(ctx, CONSOLE, layer, path, now=now).generation
    assert generation is not None
    _in_force(ctx, generation, now)


def _in_force(ctx: Context, generation: Generation, now: datetime) -> Generation:
    with ctx.engine.begin() as conn:
        return store.publish(conn, ctx.catalogue[generation.layer], generation.id, by="test", now=now)
