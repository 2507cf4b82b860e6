"""Polygons from edges, all at once: the faces that noded lines enclose, and the union of polygons that share edges.

Each line is walked once in each direction with the face on the left, and where it ends, the walk goes on along the
next line clockwise. What comes round anticlockwise is the shell of a face, the rest are holes.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from functools import cmp_to_key
from struct import unpack_from

import numpy as np
import shapely

from gis_server.core.coverage.cover import Ground
from gis_server.core.coverage.edges import (
    Flags,
    Floats,
    Geometries,
    Hashes,
    Indices,
    among,
    flatten,
    place_keys,
    ranges,
    unlike,
)
from gis_server.core.coverage.nearness import edges_near
from gis_server.core.coverage.residual import group_factor, resolution, without_partner

_LINE = 1
_HEADER = 9  # bytes of WKB before the first vertex or part: byte order, type, count
_TIE = 1e-8
"""Directions nearer than this (in full turns) are compared exactly."""


def faces_of(noded: shapely.Geometry) -> Geometries:
    """The polygons enclosed by lines that meet nowhere but in their ends.

    As ``shapely.polygonize``, in a third of its time; a line with the same face on both sides encloses nothing.
    """
    xy, lengths = shapely.get_coordinates(noded), _line_lengths(noded)
    last = np.cumsum(lengths) - 1
    first = last - lengths + 1
    while len(first):
        walls = _Walls(xy, first, last)
        walk = _round_faces(walls)
        real = walk.label[0::2] != walk.label[1::2]
        if real.all():
            return _polygons(walls, _untouching(walk))
        first, last = first[real], last[real]
    return np.empty(0, dtype=object)


def _line_lengths(lines: shapely.Geometry) -> Indices:
    """How many vertices each line of a collection has, read from its WKB: no object for each line."""
    if shapely.get_type_id(lines) == _LINE:
        count = int(shapely.get_num_coordinates(lines))
        return np.array([count] if count else [], dtype=np.int64)
    wkb = shapely.to_wkb(lines, byte_order=1)
    at, lengths = _HEADER, []
    for _ in range(shapely.get_num_geometries(lines)):
        (count,) = unpack_from("<I", wkb, at + _HEADER - 4)
        lengths.append(count)
        at += _HEADER + 16 * count
    return np.array(lengths, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Joined:
    """Polygons with the ``group`` of each; ``left`` are the groups whose polygons do not meet in whole edges."""

    polygon: Geometries
    group: Indices
    left: Indices


def joined(polygons: Geometries, group: Indices, loose: Flags) -> Joined:
    """The polygons of one group that share edges made one: as ``shapely.union_all`` group by group, but all at once.

    Those of one group must not overlap. A ``loose`` polygon may have vertices within the edges of its neighbours: such
    groups are left, as are those whose polygons overlap after all.
    """
    if len(polygons) == 0:
        return Joined(polygons, group, group)
    rings = flatten(polygons)
    edges, keys = rings.keyed(np.arange(len(rings.owner)), group_factor(group[rings.owner]))
    edges = edges[without_partner(keys)]
    of_edge = group[rings.owner_of_edges(edges)]
    backward = rings.sign_of_edges(edges) < 0
    outline = _Outline(rings.xy[edges + backward], rings.xy[edges + ~backward], of_edge)
    turns = _turns(outline)
    left = np.unique(np.concatenate([_split(outline, np.unique(group[loose])), _tangled(outline, turns)]))
    if len(left):
        tidy = ~among(of_edge, left)
        outline = _Outline(outline.begin[tidy], outline.end[tidy], of_edge[tidy])
        turns = _turns(outline)
    walk = _round_unions(outline, turns)
    made = _untouching(walk)
    union_of = outline.group[walk.step[walk.start[:-1]]]
    drawn, face = _assembled(outline.begin[made.step], made.start, made.face, union_of)
    return Joined(drawn, union_of[face], left)


@dataclass(frozen=True, slots=True)
class _Outline:
    """Edges from ``begin`` to ``end`` (n, 2) with the ground of their ``group`` on the left."""

    begin: Floats
    end: Floats
    group: Indices


def _split(outline: _Outline, suspects: Indices) -> Indices:
    """Those of the ``suspects`` (groups) with a vertex within an edge."""
    chosen = np.flatnonzero(among(outline.group, suspects))
    if len(chosen) == 0:
        return chosen
    begin, end, group = outline.begin[chosen], outline.end[chosen], outline.group[chosen]
    vertex, edge = edges_near(begin, begin, end, resolution(begin))
    at = begin[vertex]
    within = unlike(at, begin[edge]) & unlike(at, end[edge]) & (group[vertex] == group[edge])
    return np.asarray(group[edge[within]])


@dataclass(frozen=True, slots=True)
class _Walls:
    """Lines by their ``first`` and ``last`` vertices in ``xy``; line i read forward is step 2i, backward 2i + 1."""

    xy: Floats
    first: Indices
    last: Indices


@dataclass(frozen=True, slots=True)
class _Walk:
    """Rounds of steps: round r is ``step[start[r]:start[r + 1]]`` and goes round the face ``face[r]``.

    ``node`` is where each step begins, ``turn`` its rank by node and direction, ``onward`` the step that follows it,
    ``label`` its face.
    """

    step: Indices
    start: Indices
    face: Indices
    label: Indices
    node: Indices
    turn: Indices
    onward: Indices


def _round_faces(walls: _Walls) -> _Walk:
    """All lines walked in both directions."""
    xy, first, last = walls.xy, walls.first, walls.last
    begin = _alternating(xy[first], xy[last])
    node = _numbered(begin)
    order = _by_direction(node, _alternating(xy[first + 1], xy[last - 1]) - begin)
    turn = np.empty(len(order), dtype=np.int64)
    turn[order] = np.arange(len(order))
    onward = np.empty(len(order), dtype=np.int64)
    onward[order ^ 1] = np.roll(order, 1)
    begins = np.flatnonzero(_changes(node[order]))
    onward[order[begins] ^ 1] = order[np.append(begins[1:], len(order)) - 1]
    step, start = _rounds(onward, range(len(order)))
    face = np.arange(len(start) - 1)
    label = np.empty(len(order), dtype=np.int64)
    label[step] = np.repeat(face, np.diff(start))
    return _Walk(step, start, face, label, node, turn, onward)


_Turns = tuple[Indices, Indices, Indices]
"""What ``_turns`` tells."""


def _turns(outline: _Outline) -> _Turns:
    """(order, the one before each, node) of arrivals (0 … n − 1) and departures (n … 2n − 1) round each place."""
    begin, end = outline.begin, outline.end
    node = _numbered(np.concatenate([end, begin]), np.tile(outline.group, 2))
    order = _by_direction(node, np.concatenate([begin - end, end - begin]))
    before = np.roll(order, 1)
    begins = np.flatnonzero(_changes(node[order]))
    before[begins] = order[np.append(begins[1:], len(order))[: len(begins)] - 1]
    return order, before, node


def _tangled(outline: _Outline, turns: _Turns) -> Indices:
    """Groups in whose places arrivals and departures do not take turns."""
    count = len(outline.group)
    order, before, _ = turns
    return outline.group[order[(order < count) & (before < count)]]


def _round_unions(outline: _Outline, turns: _Turns) -> _Walk:
    """Outlines walked with the ground on the left: what arrives goes on with the departure next clockwise."""
    count = len(outline.group)
    order, before, node = turns
    arriving = order < count
    onward = np.empty(count, dtype=np.int64)
    onward[order[arriving]] = before[arriving] - count
    turn = np.empty(2 * count, dtype=np.int64)
    turn[order] = np.arange(2 * count)
    step, start = _rounds(onward, range(count))
    face = np.arange(len(start) - 1)
    label = np.empty(count, dtype=np.int64)
    label[step] = np.repeat(face, np.diff(start))
    return _Walk(step, start, face, label, node[count:], turn[count:], onward)


def _untouching(walk: _Walk) -> _Walk:
    """Rounds that come to a place twice taken apart there, so that every ring touches itself nowhere."""
    key = walk.label * (int(walk.node.max(initial=0)) + 1) + walk.node
    order = np.argsort(key)
    new = _changes(key[order])
    again = order[~(new & np.append(new[1:], True))]
    if len(again) == 0:
        return walk
    # of the steps of one round that leave one place, each arrival goes on along the next one anticlockwise
    again = again[np.lexsort((walk.turn[again], key[again]))]
    onward = walk.onward.copy()
    arrival = np.empty(len(onward), dtype=np.int64)
    arrival[onward] = np.arange(len(onward))
    begins = np.flatnonzero(_changes(key[again]))
    following = np.roll(again, -1)
    following[np.append(begins[1:], len(again)) - 1] = again[begins]
    onward[arrival[again]] = following
    step, start = _rounds(onward, range(len(onward)))
    return _Walk(step, start, walk.label[step[start[:-1]]], walk.label, walk.node, walk.turn, onward)


def _polygons(walls: _Walls, walk: _Walk) -> Geometries:
    """The rounds as polygons; those round the outside of something become holes where they lie in another face."""
    line, backward = walk.step >> 1, (walk.step & 1).astype(bool)
    edges = (walls.last - walls.first)[line]
    # of each line all vertices but the one it ends with
    begin = np.where(backward, walls.last[line], walls.first[line])
    stop = np.concatenate([[0], np.cumsum(edges)])
    at = np.arange(stop[-1]) - np.repeat(stop[:-1], edges)
    index = np.repeat(begin, edges) + at * np.repeat(np.where(backward, -1, 1), edges)
    polygons, _ = _assembled(
        walls.xy[index], stop[walk.start], walk.face, np.zeros(len(walk.start), dtype=np.int64)
    )
    return polygons


def _assembled(xy: Floats, start: Indices, face: Indices, group: Indices) -> tuple[Geometries, Indices]:
    """(polygons, faces) from rings: ring r is ``xy[start[r]:start[r + 1]]``, not closed, with the ``face[r]`` on its left.

    A face all of whose rings run clockwise is the outside of something: it makes holes in the polygon it lies in,
    one of the same group; ``group`` is that of each face.
    """
    area = _areas(xy, start)
    total = np.bincount(face, weights=area)
    order = np.lexsort((-area, face))
    first, inside = _changes(face[order]), total[face[order]] > 0
    shells, holes = order[first & inside], order[~first & inside]
    polygon = np.full(len(total), -1, dtype=np.int64)
    polygon[face[shells]] = np.arange(len(shells))
    drawn = _from_rings(xy, start, np.concatenate([shells, holes]), polygon[face])
    outer = order[first & ~inside]
    over = Ground(drawn).over(xy[start[outer]])
    at, around = over.point, over.polygon
    own = group[face[outer[at]]] == group[face[shells[around]]]
    at, around = at[own], around[own]
    if len(at):
        smallest_last = np.argsort(-shapely.area(drawn[around]), kind="stable")
        polygon[face[outer[at[smallest_last]]]] = around[smallest_last]
        nested = order[~inside]
        nested = nested[polygon[face[nested]] >= 0]
        drawn = _from_rings(xy, start, np.concatenate([shells, holes, nested]), polygon[face])
    return drawn, face[shells]


def _from_rings(xy: Floats, start: Indices, rings: Indices, polygon: Indices) -> Geometries:
    """Polygons from the ``rings``, of each polygon first the shell."""
    rings = rings[np.argsort(polygon[rings], kind="stable")]
    length = np.diff(start)[rings]
    drawn = shapely.linearrings(
        xy[ranges(start[rings], start[rings + 1])], indices=np.repeat(np.arange(len(rings)), length)
    )
    return np.asarray(shapely.polygons(drawn, indices=polygon[rings]))


def _areas(xy: Floats, start: Indices) -> Floats:
    """Signed areas of rings, measured from the first vertex of each."""
    local = xy - np.repeat(xy[start[:-1]], np.diff(start), axis=0)
    x, y = local[:, 0], local[:, 1]
    # from and to a ring's first vertex, which is the origin, nothing is added
    cross = np.append(x[:-1] * y[1:] - x[1:] * y[:-1], 0.0)
    cross[start[1:] - 1] = 0.0
    return np.asarray(np.add.reduceat(cross, start[:-1]) / 2)


def _alternating(one: Floats, other: Floats) -> Floats:
    return np.stack([one, other], axis=1).reshape(-1, 2)


def _changes(values: Indices | Hashes) -> Flags:
    """Where a sorted array has a value for the first time."""
    return np.concatenate([np.ones(min(len(values), 1), dtype=bool), values[1:] != values[:-1]])


def _numbered(places: Floats, group: Indices | None = None) -> Indices:
    """The same number for the same place, in the same group."""
    key = place_keys(places)
    if group is not None:
        key += group_factor(group)
    order = np.argsort(key)
    number = np.empty(len(key), dtype=np.int64)
    number[order] = np.cumsum(_changes(key[order])) - 1
    return number


def _by_direction(node: Indices, along: Floats) -> Indices:
    """The order of directions ``along`` by node, anticlockwise."""
    key = node + (np.arctan2(along[:, 1], along[:, 0]) + np.pi) / 7
    order = np.argsort(key)
    close = np.append(key[order][1:] - key[order][:-1] < _TIE, False)
    for i in np.flatnonzero(close & ~np.append(False, close[:-1])).tolist():
        stop = i + int(np.argmin(close[i:])) + 1

        def compare(one: int, other: int) -> int:
            (ax, ay), (bx, by) = (map(Fraction, along[s].tolist()) for s in (one, other))
            across = bx * ay - by * ax
            return 1 if across > 0 else -1 if across < 0 else 0

        order[i:stop] = sorted(order[i:stop].tolist(), key=cmp_to_key(compare))
    return order


def _rounds(onward: Indices, steps: Iterable[int]) -> tuple[Indices, Indices]:
    """(steps in the order in which they are walked, where each round begins, and the end)."""
    following = onward.tolist()
    seen = bytearray(len(following))
    walked: list[int] = []
    start = [0]
    for step in steps:
        if seen[step]:
            continue
        at = step
        while not seen[at]:
            seen[at] = 1
            walked.append(at)
            at = following[at]
        start.append(len(walked))
    return np.array(walked, dtype=np.int64), np.array(start, dtype=np.int64)
