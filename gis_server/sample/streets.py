"""Streets of a built-up area: wavy arterials, and local streets aligned to each superblock.

An arterial every 550–950 m makes superblocks; inside each, streets 110–230 m apart make the blocks. Cross streets
start afresh in every strip between two long ones, which gives the staggered junctions of real towns.
"""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon

from gis_server.sample.chance import stream, waves
from gis_server.sample.terrain import Seat, Terrain

ARTERIAL_SPACING = (550.0, 950.0)
STREET_SPACING = (110.0, 230.0)


def turned(
    x: NDArray[np.float64], y: NDArray[np.float64], angle: float, about: tuple[float, float]
) -> NDArray[np.float64]:
    """Points of a frame turned by ``angle`` about a place, as (n, 2) metres in the city's zone."""
    cos, sin = np.cos(angle), np.sin(angle)
    return np.column_stack([about[0] + x * cos - y * sin, about[1] + x * sin + y * cos])


def cuts(random: np.random.Generator, extent: float, spacing: tuple[float, float]) -> NDArray[np.float64]:
    """Random places that cut the length from -extent/2 to extent/2 into pieces of about ``spacing`` metres."""
    pieces = max(1, round(extent / random.uniform(*np.interp((0.35, 0.65), (0, 1), spacing))))
    step = extent / pieces
    slack = min(0.22, (spacing[1] - spacing[0]) / (4 * step))
    return step * (np.arange(1, pieces) - pieces / 2 + random.uniform(-slack, slack, pieces - 1))


def _pieces(lines: Iterable[object]) -> list[LineString]:
    """The line strings in the given geometries, longer than a metre."""
    parts = shapely.get_parts(np.array(list(lines), dtype=object))
    # an intersection may bring a multi-line inside a collection
    parts = shapely.get_parts(parts)
    keep = (shapely.get_type_id(parts) == 1) & (shapely.length(parts) > 1.0)
    return list(parts[keep])


def arterials(seed: int, number: int, seat: Seat) -> list[LineString]:
    """The main roads of a seat, clipped to its built-up area."""
    random = stream(seed, f"arterials/{number}")
    reach = seat.radius * 1.35
    run = np.arange(-reach, reach + 1, 42.0)
    lines = []
    for across in (False, True):
        for place in cuts(random, 2 * reach, ARTERIAL_SPACING):
            tilt = random.uniform(-0.05, 0.05)
            bend = place + waves(random, run, random.uniform(14, 42), 2300.0) + tilt * run
            x, y = (bend, run) if across else (run, bend)
            lines.append(LineString(turned(x, y, seat.turn, seat.centre)))
    return _pieces(shapely.intersection(np.array(lines, dtype=object), seat.outline))


def superblocks(terrain: Terrain, main_roads: list[LineString]) -> list[Polygon]:
    """What arterials, river, railway and the edges of the built-up areas enclose there."""
    town = shapely.union_all([s.outline for s in terrain.seats])
    barriers = _pieces(shapely.intersection(np.array([terrain.river, terrain.railway], dtype=object), town))
    edges = [s.outline.exterior for s in terrain.seats]
    network = shapely.unary_union(np.array([*main_roads, *barriers, *edges], dtype=object))
    return [face for face in shapely.get_parts(shapely.polygonize([network])) if face.area > 100.0]


def direction(polygon: Polygon) -> tuple[float, float, float, tuple[float, float]]:
    """Angle, length and width of a polygon's turned envelope, and its middle. Angle within ±90°."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(polygon))[:4]
    first, second = corners[1] - corners[0], corners[2] - corners[1]
    if np.hypot(*first) < np.hypot(*second):
        first, second = second, first
    angle = float(np.arctan2(first[1], first[0]))
    if angle > np.pi / 2:
        angle -= np.pi
    elif angle <= -np.pi / 2:
        angle += np.pi
    centre = corners.mean(axis=0)
    return angle, float(np.hypot(*first)), float(np.hypot(*second)), (float(centre[0]), float(centre[1]))


def local_streets(seed: int, number: int, block: Polygon) -> list[LineString]:
    """The streets inside one superblock, along and across its longer side."""
    random = stream(seed, f"streets/{number}")
    angle, length, width, centre = direction(block)
    if width < STREET_SPACING[0] * 1.2 and length < STREET_SPACING[1]:
        return []
    half, deep = length / 2 + 30, width / 2 + 30
    bow = random.uniform(-14, 14)
    rows = cuts(random, width, STREET_SPACING)

    def row_at(row: float, u: NDArray[np.float64]) -> NDArray[np.float64]:
        return row + bow * (1 - (u / half) ** 2)

    through = cuts(random, length, STREET_SPACING)
    strips = []
    for low, high in zip([-deep - 40, *rows], [*rows, deep + 40], strict=True):
        own = cuts(random, length, STREET_SPACING)
        strips.append((low, high, through if random.random() < 0.45 else own))
    lines = []
    for i, row in enumerate(rows):
        corners = np.concatenate([strips[i][2], strips[i + 1][2], np.linspace(-half, half, 9)])
        u = np.unique(np.round(corners, 3))
        lines.append(LineString(turned(u, row_at(row, u), angle, centre)))
    for low, high, crossings in strips:
        u = np.round(crossings, 3)
        below, above = turned(u, row_at(low, u), angle, centre), turned(u, row_at(high, u), angle, centre)
        lines.extend(LineString(pair) for pair in zip(below, above, strict=True))
    if not lines:
        return []
    return _pieces(shapely.intersection(np.array(lines, dtype=object), block))


def lanes(seed: int, number: int, block: Polygon, parts: int) -> list[LineString]:
    """Lanes that cut a block into about ``parts`` pieces of like size: across, and lengthwise when it is deep."""
    random = stream(seed, f"lanes/{number}")
    angle, length, width, centre = direction(block)
    rows = 1 if parts <= 3 and length > 1.4 * width else max(1, round(np.sqrt(parts * width / length)))
    lines = []
    deep = width / 2 + 5
    edges = np.concatenate([[-deep], (np.arange(1, rows) / rows - 0.5) * width, [deep]])
    for row in edges[1:-1]:
        lines.append(LineString(turned(np.array([-length, length]), np.array([row, row]), angle, centre)))
    columns = max(1, round(parts / rows))
    shift = random.uniform(-0.06, 0.06)
    for low, high in pairwise(edges):
        for k in range(1, columns):
            u = (k / columns - 0.5 + shift) * length
            lines.append(LineString(turned(np.array([u, u]), np.array([low, high]), angle, centre)))
    if not lines:
        return []
    return _pieces(shapely.intersection(np.array(lines, dtype=object), block))
