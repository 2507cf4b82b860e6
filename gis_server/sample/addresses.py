"""Standard addresses: where the households of each face live, in rows, each strictly inside its face.

An address is a stairwell of a building in town and a house in the country; ``per_household`` makes it a flat.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import Polygon

from gis_server.sample.blocks import Faces
from gis_server.sample.chance import rounded, stream
from gis_server.sample.names import COUNTY, COUNTY_CODE, community_names
from gis_server.sample.settled import Settled
from gis_server.sample.tables import Table, texts

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]

HOUSEHOLDS_PER_STAIRWELL = 4.8
_SET_BACKS = (9.0, 5.0, 2.0, 0.6)  # metres from the edge of a face to its houses, the first that leaves room


@dataclass(frozen=True, slots=True)
class Addresses:
    """The address table, and of every row its face and the direction (radians) of the row of houses it stands in."""

    table: Table
    face: Ints
    turn: Floats


def _ground(faces: Faces, chosen: Ints, bed: Polygon) -> NDArray[np.object_]:
    """The part of each chosen face on which houses stand."""
    whole = faces.polygons[chosen]
    wet = shapely.intersects(bed, whole)
    dry = whole.copy()
    dry[wet] = shapely.difference(whole[wet], bed)
    ground = np.full(len(chosen), None, dtype=object)
    missing = np.ones(len(chosen), dtype=bool)
    for source in (dry, whole):
        for set_back in _SET_BACKS:
            inner = shapely.buffer(source[missing], -set_back, quad_segs=2)
            ground[missing] = np.where(shapely.area(inner) > 12.0, inner, None)
            missing = np.array([g is None for g in ground])
    return np.where(missing, whole, ground)


def _spots(
    random: np.random.Generator, ground: NDArray[np.object_], angle: Floats, wanted: Ints
) -> tuple[Floats, Floats, Ints]:
    """``wanted`` places inside each shape on a lattice turned by its ``angle``; x, y and the shape of each."""
    found_x, found_y, found_of = [], [], []
    todo = np.arange(len(ground))
    shapely.prepare(ground)
    centre = shapely.centroid(ground)
    cx, cy = shapely.get_x(centre), shapely.get_y(centre)
    reach = shapely.minimum_bounding_radius(ground) * 2
    step = np.clip(np.sqrt(shapely.area(ground) / np.maximum(wanted, 1)) * 0.8, 2.0, 26.0)
    need = wanted.copy()
    for _ in range(7):
        if not len(todo):
            break
        side = np.minimum(np.ceil(2 * reach[todo] / step[todo]).astype(np.intp) | 1, 61)
        cells = side * side
        of = np.repeat(todo, cells)
        k = np.arange(cells.sum()) - np.repeat(np.cumsum(cells) - cells, cells)
        width = np.repeat(side, cells)
        u = (k % width - width // 2) * step[of]
        v = (k // width - width // 2) * step[of]
        cos, sin = np.cos(angle[of]), np.sin(angle[of])
        x, y = rounded(cx[of] + u * cos - v * sin), rounded(cy[of] + u * sin + v * cos)
        inside = shapely.contains_xy(ground[of], x, y)
        x, y, of = x[inside], y[inside], of[inside]
        order = np.lexsort((random.random(len(of)), of))
        x, y, of = x[order], y[order], of[order]
        place = np.arange(len(of)) - np.searchsorted(of, of)
        take = place < need[of]
        got = np.bincount(of[take], minlength=len(ground))
        enough = got[todo] >= need[todo]
        final = take & np.isin(of, todo[enough])
        found_x.append(x[final])
        found_y.append(y[final])
        found_of.append(of[final])
        todo = todo[~enough]
        step[todo] *= 0.6
    if len(todo):  # scraps too thin for rows: everybody at one door
        of = np.repeat(todo, need[todo])
        door = shapely.point_on_surface(ground[of])
        found_x.append(shapely.get_x(door))
        found_y.append(shapely.get_y(door))
        found_of.append(of)
    x, y, of = np.concatenate(found_x), np.concatenate(found_y), np.concatenate(found_of)
    order = np.lexsort((x, y, of))
    return x[order], y[order], of[order]


def _angles(shapes: NDArray[np.object_]) -> Floats:
    """The direction of each shape's longer side."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shapes)).reshape(-1, 5, 2)
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 1]
    longer = np.where((np.hypot(*first.T) >= np.hypot(*second.T))[:, None], first, second)
    angles: Floats = np.arctan2(longer[:, 1], longer[:, 0])
    return angles


def _split(random: np.random.Generator, households: NDArray[np.int64], doors: Ints) -> NDArray[np.int64]:
    """The households of every door: at least one each, the rest by chance."""
    of = np.repeat(np.arange(len(doors)), doors)
    extra = np.repeat(np.arange(len(doors)), households - doors)
    first = np.cumsum(doors) - doors
    pick = first[extra] + np.floor(random.random(len(extra)) * doors[extra]).astype(np.intp)
    return 1 + np.bincount(pick, minlength=len(of)).astype(np.int64)


def _street_numbers(faces: Faces, roads: Table, blocks: Ints) -> tuple[list[str], Ints]:
    """The nearest street of each block, and the number of the block on it."""
    named = np.isin(roads["road_class"], ("arterial", "local"))
    lines, names = roads.geometry[named], roads["road_name"][named]
    first = np.unique(faces.block, return_index=True)
    face = first[1][np.searchsorted(first[0], blocks)]
    points = shapely.points(faces.x[face], faces.y[face])
    nearest = shapely.STRtree(lines).nearest(points)
    along = shapely.line_locate_point(lines[nearest], points)
    return [str(names[i]) for i in nearest], (2 * (along // 9).astype(np.intp) + blocks % 2 + 1)


def _wording(on: Settled, face: Ints) -> list[str]:
    """County, town, street and number, quarter, building and stairwell; in the country village, hamlet and house."""
    faces, division, boundaries = on.faces, on.division, on.boundaries
    random = stream(on.seed, "quarters")
    blocks = np.unique(faces.block[face][faces.block[face] >= 0])
    fresh = community_names(random)
    quarter = {int(b): next(fresh) for b in blocks}
    street, number = _street_numbers(faces, on.roads, blocks) if len(blocks) else ([], blocks)
    where = {int(b): f"{s}{n}号" for b, s, n in zip(blocks, street, number, strict=True)}
    serial: dict[tuple[int, int], int] = {}
    words = []
    for f in face.tolist():
        town = f"{COUNTY}{boundaries.town_names[division.town[f]]}"
        block = int(faces.block[f])
        key = (block, -1) if block >= 0 else (-1, int(division.grid[f]))
        k = serial[key] = serial.get(key, 0) + 1
        if block >= 0:
            words.append(f"{town}{where[block]}{quarter[block]}小区{(k + 2) // 3}幢{(k + 2) % 3 + 1}单元")
        else:
            village = boundaries.community_names[division.community[f]]
            words.append(f"{town}{village}{boundaries.hamlet_names[key[1]]}{k}号")
    return words


def make_addresses(on: Settled, per_household: bool) -> Addresses:
    """Addresses whose households add up to those of every face, sub-grid and grid."""
    faces, division = on.faces, on.division
    random = stream(on.seed, "addresses")
    chosen = np.flatnonzero(division.households > 0)
    households = division.households[chosen]
    rural = faces.seat[chosen] < 0
    doors = np.where(rural, households, np.maximum(1, np.rint(households / HOUSEHOLDS_PER_STAIRWELL)))
    doors = doors.astype(np.intp)
    ground = _ground(faces, chosen, on.bed)
    angle = _angles(ground)
    x, y, of = _spots(random, ground, angle, doors)
    share = _split(random, households, doors)
    face, turn = chosen[of], angle[of]
    words = _wording(on, face)
    if per_household:
        flat = np.arange(share.sum()) - np.repeat(np.cumsum(share) - share, share)
        door = np.repeat(np.arange(len(share)), share)
        x, y, face, turn = x[door], y[door], face[door], turn[door]
        share = np.ones(len(door), dtype=np.int64)
        words = [
            f"{words[d]}{f // 2 + 1}0{f % 2 + 1}室" if faces.seat[i] >= 0 else words[d]
            for d, f, i in zip(door.tolist(), flat.tolist(), face.tolist(), strict=True)
        ]
    people = share + random.poisson(1.4 * share)
    table = Table(
        shapely.points(x, y),
        {
            "address_code": texts([f"{COUNTY_CODE}01{k:010d}" for k in range(1, len(x) + 1)]),
            "standard_address": texts(words),
            "grid_code": on.boundaries.grid_codes[division.grid[face]],
            "resident_households": share,
            "actual_population": people.astype(np.int64),
        },
    )
    return Addresses(table, face, turn)
