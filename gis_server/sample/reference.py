"""Reference layers under the grids: roads, railway, river and ponds."""

import numpy as np
import shapely
from shapely import LineString, Point, Polygon

from gis_server.sample.chance import rounded, stream
from gis_server.sample.names import COUNTY_CODE, street_names, village_names
from gis_server.sample.tables import Table, texts
from gis_server.sample.terrain import Terrain, built_up
from gis_server.sample.villages import Country


def _on_grain(lines: list[LineString]) -> list[LineString]:
    return list(shapely.transform(np.array(lines, dtype=object), rounded)) if lines else []


def make_roads(
    seed: int, terrain: Terrain, country: Country, main_roads: list[LineString], streets: list[LineString]
) -> Table:
    """Named arterials and streets of the towns, the roads between the hamlets, and the railway."""
    shapely.prepare(terrain.county)
    railway = shapely.get_parts(shapely.intersection(terrain.railway, terrain.county))
    inside = shapely.intersection(np.array(country.roads, dtype=object), terrain.county)
    rural = [part for part in shapely.get_parts(shapely.get_parts(inside)) if part.length > 5.0]
    lines: list[LineString] = []
    names: list[str] = []
    classes: list[str] = []
    fresh = {i: street_names(stream(seed, f"street names/{i}")) for i in range(-1, len(terrain.seats))}
    for kind, members, endings in (
        ("arterial", main_roads, ("大街", "路")),
        ("local", streets, ("街", "巷", "路")),
        ("rural", rural, ("公路",)),
        ("railway", list(railway), ("铁路",)),
    ):
        if not members:
            continue
        middle = shapely.line_interpolate_point(np.array(members, dtype=object), 0.5, normalized=True)
        seats = built_up(terrain, shapely.get_x(middle), shapely.get_y(middle))
        railway_name = f"{next(fresh[-1])}铁路"
        for k, (line, seat) in enumerate(zip(_on_grain(members), seats, strict=True)):
            name = railway_name if kind == "railway" else next(fresh[int(seat)]) + endings[k % len(endings)]
            lines.append(line)
            names.append(name)
            classes.append(kind)
    column = np.empty(len(lines), dtype=object)
    column[:] = lines
    return Table(
        column,
        {
            "road_code": texts([f"{COUNTY_CODE}D{k:05d}" for k in range(1, len(lines) + 1)]),
            "road_name": texts(names),
            "road_class": texts(classes),
        },
    )


def make_water(seed: int, terrain: Terrain, country: Country, bed: Polygon) -> Table:
    """The river and, here and there in the fields, a pond."""
    random = stream(seed, "water")
    names = village_names(random)
    shapes = [shapely.transform(bed, rounded)]
    titles, kinds = [f"{next(names)}河"], ["river"]
    keep_off = shapely.union_all([bed, *(s.outline for s in terrain.seats)])
    shapely.prepare(keep_off)
    for middle in country.hamlets:
        if random.random() > 0.4:
            continue
        angle, away = random.uniform(0, 2 * np.pi), random.uniform(420, 640)
        spot = Point(middle[0] + away * np.cos(angle), middle[1] + away * np.sin(angle))
        radius = random.uniform(45, 130)
        room = shapely.buffer(spot, radius + 40)
        if shapely.intersects(keep_off, room) or not shapely.contains(terrain.county, room):
            continue
        turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
        edge = radius * (1 + 0.22 * np.sin(2 * turn + angle) + 0.12 * np.sin(3 * turn))
        shapes.append(
            Polygon(rounded(np.column_stack([spot.x + edge * np.cos(turn), spot.y + edge * np.sin(turn)])))
        )
        titles.append(f"{next(names)}泡子")
        kinds.append("pond")
    column = np.empty(len(shapes), dtype=object)
    column[:] = shapes
    return Table(
        column,
        {
            "water_code": texts([f"{COUNTY_CODE}W{k:04d}" for k in range(1, len(shapes) + 1)]),
            "water_name": texts(titles),
            "water_class": texts(kinds),
        },
    )
