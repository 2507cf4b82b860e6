"""A base map of vector tiles, made of the sample city as planners' files are: layers by the names of OpenMapTiles, and one of its own."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import write

from gis_server.core.catalogue import Geometry
from gis_server.core.tile import Tile
from gis_server.core.tile_cut import vector_tile

CLEAN = Path(__file__).parents[1] / "sample_shapefiles" / "clean"
ROADS = {"arterial": "primary", "local": "minor", "rural": "tertiary", "railway": "rail"}
UNKNOWN = "供热管线"
"""A layer that no scheme knows."""

Bodies = dict[tuple[int, int, int], bytes]


def pmtiles(path: Path, bodies: Bodies, kind: TileType, *, packed: bool = False, **about: str) -> Path:
    """A file with these tiles, written by the format's own package."""
    with write(str(path)) as writer:
        for place in sorted(bodies, key=lambda place: zxy_to_tileid(*place)):
            body = bodies[place]
            writer.write_tile(zxy_to_tileid(*place), gzip.compress(body) if packed else body)
        writer.finalize(
            {
                "tile_type": kind,
                "tile_compression": Compression.GZIP if packed else Compression.NONE,
                "min_zoom": min(z for z, _, _ in bodies),
                "max_zoom": max(z for z, _, _ in bodies),
                "min_lon_e7": -1800000000,
                "min_lat_e7": -850000000,
                "max_lon_e7": 1800000000,
                "max_lat_e7": 850000000,
                "center_zoom": 2,
                "center_lon_e7": 0,
                "center_lat_e7": 0,
            },
            about,
        )
    return path


def city_map(path: Path, levels: Sequence[int]) -> Path:
    """The sample city's roads, water, buildings and places as a PMTiles file of these levels."""
    held = list(layers())
    west, south, east, north = shapely.total_bounds(held[0][2])
    bodies: Bodies = {}
    for z in levels:
        columns = range(int((west + 180) / 360 * 2**z), int((east + 180) / 360 * 2**z) + 1)
        for x in columns:
            for y in range(_row(north, z), _row(south, z) + 1):
                tile = Tile(z, x, y)
                shown = [one for one in held if one[0] != "building" or z >= 13]
                body = b"".join(
                    vector_tile(name, kind, geometry, values, tile) for name, kind, geometry, values in shown
                )
                if body:
                    bodies[z, x, y] = body
    return pmtiles(path, bodies, TileType.MVT, packed=True, attribution="<b>© 云澜市测绘院</b>")


def _row(latitude: float, z: int) -> int:
    return int((0.5 - np.arcsinh(np.tan(np.radians(latitude))) / (2 * np.pi)) * 2**z)


Layer = tuple[str, Geometry, Any, Mapping[str, Sequence[object]]]


def layers() -> list[Layer]:
    """Name, kind, shapes (degrees) and values of what the map shows."""
    water = geopandas.read_file(CLEAN / "city.gpkg", layer="water")
    road = geopandas.read_file(CLEAN / "city.gpkg", layer="road")
    building = geopandas.read_file(CLEAN / "buildings.gpkg")
    areas = geopandas.read_file(CLEAN / "areas.shp")
    names = [str(name) for name in road["road_name"]]
    classes = [ROADS[kind] for kind in road["road_class"]]
    rural = road[road["road_class"] == "rural"].geometry.to_numpy()
    communities = areas[areas["admin_leve"] == "community"]
    line, area, point = Geometry.MULTI_LINE_STRING, Geometry.MULTI_POLYGON, Geometry.POINT
    return [
        ("water", area, water.geometry.to_numpy(), {"class": list(water["water_class"])}),
        (
            "water_name",
            point,
            shapely.point_on_surface(water.geometry.to_numpy()),
            {"name": list(water["water_name"])},
        ),
        ("transportation", line, road.geometry.to_numpy(), {"class": classes}),
        (
            "transportation_name",
            line,
            road.geometry.to_numpy(),
            {"name": [None] * len(names), "name:zh": names, "class": classes},
        ),
        ("building", area, building.geometry.to_numpy(), {}),
        (
            "place",
            point,
            shapely.point_on_surface(communities.geometry.to_numpy()),
            {
                "name": [f"Hamlet {n}" for n in range(len(communities))],
                "name:zh": [f"{str(name).removesuffix('社区')}里" for name in communities["area_name"]],
                "class": ["village"] * len(communities),
            },
        ),
        (UNKNOWN, line, _moved(rural), {}),
        ("规划片区", area, shapely.buffer(shapely.centroid(communities.geometry.to_numpy()), 0.003), {}),
    ]


def _moved(geometry: Any) -> Any:
    return shapely.transform(geometry, lambda xy: xy + np.array([0.004, 0.002]))
