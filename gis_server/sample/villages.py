"""The country: hamlets, the land that belongs to each, their lanes, and the roads between them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, MultiPoint, Polygon

from gis_server.sample.chance import rounded, stream, waves
from gis_server.sample.streets import turned
from gis_server.sample.terrain import Terrain


@dataclass(frozen=True, slots=True)
class Country:
    """Hamlets and the lines that divide the land between them."""

    hamlets: NDArray[np.float64]  # (n, 2) middles
    shapes: tuple[Polygon, ...]  # the built-up rectangle of each
    borders: list[LineString]  # between the lands of neighbouring hamlets
    lanes: list[LineString]  # streets of the hamlets and the two tracks through each one's land
    roads: list[LineString]  # from hamlet to hamlet and to the towns


def _places(random: np.random.Generator, terrain: Terrain, hamlets: int) -> NDArray[np.float64]:
    """Hamlet sites: a loose hexagonal scatter clear of towns, river, railway and the county's border."""
    urban = shapely.union_all([s.outline for s in terrain.seats])
    land = shapely.difference(terrain.county, shapely.buffer(urban, 420.0))
    land = shapely.buffer(land, -430.0)
    barriers = shapely.union_all([terrain.river, terrain.railway])
    free = shapely.difference(land, shapely.buffer(barriers, 330.0))
    shapely.prepare(free)
    west, south, east, north = shapely.bounds(terrain.county)
    best = np.empty((0, 2))
    spacing = float(np.sqrt(free.area * 1.155 / hamlets))
    for _ in range(14):
        rows = np.arange(south, north + spacing, spacing * 0.866)
        columns = np.arange(west, east + spacing, spacing)
        x, y = np.meshgrid(columns, rows)
        x = x + (np.arange(len(rows))[:, None] % 2) * spacing / 2
        jitter = random.uniform(-0.27, 0.27, (2, *x.shape)) * spacing
        px, py = (x + jitter[0]).ravel(), (y + jitter[1]).ravel()
        inside = shapely.contains_xy(free, px, py)
        best = np.column_stack([px[inside], py[inside]])
        if abs(len(best) - hamlets) <= 0.02 * hamlets:
            break
        spacing *= float(np.clip(np.sqrt(max(len(best), 1) / hamlets), 0.8, 1.25))
    if not len(best):
        best = shapely.get_coordinates(shapely.point_on_surface(free))
    return rounded(best[:hamlets])


def _wandering(
    random: np.random.Generator, start: NDArray[np.float64], end: NDArray[np.float64], share: float
) -> LineString:
    """A line from one place to another that wanders sideways by up to ``share`` of its length, ends fixed."""
    way = end - start
    length = float(np.hypot(*way))
    points = max(2, int(length / 65))
    t = np.linspace(0, 1, points + 1)
    bend = waves(random, t, share * length, 0.8) * np.sin(np.pi * t)
    side = np.array([-way[1], way[0]]) / max(length, 1e-9)
    return LineString(rounded(start + t[:, None] * way + bend[:, None] * side))


def _borders(random: np.random.Generator, terrain: Terrain, hamlets: NDArray[np.float64]) -> list[LineString]:
    """Wandering lines half-way between neighbouring hamlets."""
    if len(hamlets) < 2:
        return []
    cells = shapely.voronoi_polygons(MultiPoint(hamlets), extend_to=terrain.county, only_edges=True)
    straight = shapely.get_parts(shapely.intersection(cells, shapely.buffer(terrain.county, 400.0)))
    ends = shapely.get_coordinates(straight).reshape(-1, 2, 2) if len(straight) else np.empty((0, 2, 2))
    return [_wandering(random, rounded(a), rounded(b), 0.035) for a, b in ends]


def _streets(
    random: np.random.Generator, middle: NDArray[np.float64], territory: Polygon, households: float
) -> tuple[Polygon, list[LineString]]:
    """A hamlet's outline, and its lanes with the two tracks that run on to the edge of its land."""
    angle = random.uniform(-0.25, 0.35) + (np.pi / 2 if random.random() < 0.25 else 0.0)
    half = 105.0 + 1.9 * households * random.uniform(0.9, 1.15)
    deep = random.uniform(85.0, 125.0)
    about = (float(middle[0]), float(middle[1]))

    def line(*points: tuple[float, float]) -> LineString:
        u, v = np.array(points).T
        return LineString(rounded(turned(u, v, angle, about)))

    skew = random.uniform(-25, 25)
    outline = Polygon(
        rounded(
            turned(
                np.array([-half, half, half - skew, -half - skew]),
                np.array([-deep, -deep, deep, deep]),
                angle,
                about,
            )
        )
    )
    lines = [LineString(outline.exterior)]
    count = max(2, round(half / 55))
    for k in range(1, count):
        u = -half + 2 * half * (k / count) + random.uniform(-8, 8)
        if abs(u) > 22:
            lines.append(line((u, -deep), (u - skew, deep)))
    # the two tracks wander on across the fields
    run = np.linspace(0, 2600.0, 40)
    for track in range(4):
        bend = waves(random, run, 22.0, 1500.0) * np.clip((run - 320.0) / 600.0, 0, 1)
        us, vs = [(run, bend), (-run, bend), (bend, run), (bend, -run)][track]
        if track >= 2:
            us = us - skew * np.clip(vs / deep, -1, 1) / 2
        path = LineString(turned(us, vs, angle, about))
        inside = shapely.get_parts(shapely.intersection(path, territory))
        lines.extend(part for part in inside if shapely.distance(part, shapely.Point(about)) < 1.0)
    return outline, [part for part in lines if part.length > 1.0]


def _road_network(
    random: np.random.Generator, terrain: Terrain, hamlets: NDArray[np.float64]
) -> list[LineString]:
    """The shortest roads that join all hamlets and towns (a spanning tree of the nearest pairs)."""
    nodes = np.vstack([hamlets, [seat.centre for seat in terrain.seats]])
    if len(nodes) < 3:
        return [_wandering(random, a, b, 0.02) for a, b in pairwise(nodes)]
    edges = shapely.get_parts(shapely.delaunay_triangles(MultiPoint(nodes), only_edges=True))
    ends = shapely.get_coordinates(edges).reshape(-1, 2, 2)
    index = {tuple(place): i for i, place in enumerate(nodes.tolist())}
    pairs = [(index[tuple(a)], index[tuple(b)]) for a, b in ends.tolist()]
    group = list(range(len(nodes)))

    def root(i: int) -> int:
        while group[i] != i:
            group[i] = group[group[i]]
            i = group[i]
        return i

    chosen = []
    lengths = np.hypot(*(ends[:, 0] - ends[:, 1]).T)
    for k in np.argsort(lengths, kind="stable"):
        a, b = (root(i) for i in pairs[k])
        # a few roads more than the tree needs, as in any county
        if a != b or random.random() < 0.12:
            group[a] = b
            chosen.append(pairs[k])
    return [_wandering(random, nodes[a], nodes[b], 0.03) for a, b in chosen]


def make_country(seed: int, terrain: Terrain, households: NDArray[np.int64]) -> Country:
    """Lay out one hamlet for each entry of ``households`` (its number of households), as far as there is room."""
    random = stream(seed, "villages")
    hamlets = _places(random, terrain, len(households))
    borders = _borders(random, terrain, hamlets)
    urban = shapely.union_all([s.outline for s in terrain.seats])
    country = shapely.difference(terrain.county, urban)
    shapely.prepare(country)
    edge = shapely.boundary(country)
    clipped = shapely.intersection(np.array(borders, dtype=object), country)
    borders = [part for part in shapely.get_parts(shapely.get_parts(clipped)) if part.length > 1.0]
    network = shapely.unary_union([*borders, edge, terrain.river, terrain.railway])
    lands = shapely.get_parts(shapely.polygonize([network]))
    tree = shapely.STRtree(lands)
    at, land = tree.query(shapely.points(hamlets), predicate="within")
    territory = dict(zip(at.tolist(), land.tolist(), strict=True))
    shapes, lanes = [], []
    for i, middle in enumerate(hamlets):
        outline, lines = _streets(random, middle, lands[territory[i]], float(households[i]))
        shapes.append(outline)
        lanes.extend(lines)
    roads = _road_network(random, terrain, hamlets)
    outside = shapely.intersection(np.array(roads, dtype=object), country)
    parts = shapely.get_parts(shapely.get_parts(outside))
    return Country(hamlets, tuple(shapes), borders, lanes, [p for p in parts if p.length > 5.0])
