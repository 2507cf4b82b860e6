"""Cells redrawn after ground has changed hands: vertices that the net needed and the result does not are left out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import shapely

from gis_server.core.coverage.edges import Flags, Floats, Geometries, Indices
from gis_server.core.coverage.repair.border import Edge, Point, Tangled, polygon_of, rings_of
from gis_server.core.coverage.repair.survey import Survey, woven_rings
from gis_server.core.coverage.repair.weave import Weave

Place = tuple[int, Point]
"""A node, by group."""


@dataclass(frozen=True, slots=True)
class Fabric:
    """What all moves of a plan have in common: the sound polygons before, the net, and what hangs on each node.

    ``inside`` gives the threads that a node cuts, ``corner`` the cells (−1: a parent) whose edges begin or end there,
    ``run`` the threads along a piece (its ends in order), ``off`` the threads that a node cuts without lying on them
    exactly, ``extra`` the nodes where nothing meets but a vertex and an edge that lacks it, ``spare`` the vertices of
    one cell beside an edge of the parent, which has none there: they can go; ``spiked`` the cells that, woven, run
    out to a vertex and the same way back. ``knitted`` remembers the last set of moves that was carried out.
    """

    polygons: Geometries
    survey: Survey
    twins: Mapping[int, tuple[int, ...]]
    inside: dict[Place, list[int]] = field(default_factory=dict)
    corner: dict[Place, set[int]] = field(default_factory=dict)
    run: dict[tuple[int, Edge], set[int]] = field(default_factory=dict)
    off: dict[Place, set[int]] = field(default_factory=dict)
    extra: set[Place] = field(default_factory=set)
    spare: set[Place] = field(default_factory=set)
    spiked: set[int] = field(default_factory=set)
    knitted: dict[tuple[int, ...], tuple[dict[int, shapely.Geometry], set[int]]] = field(default_factory=dict)

    def made_for(self, cell: int, polygon: shapely.Geometry | None) -> bool:
        """Whether this is the polygon that the net was woven from (or what was mended to be it)."""
        mine = self.polygons[cell]
        return polygon is mine or (
            polygon is not None and (not polygon.is_valid or bool(shapely.equals_exact(polygon, mine)))
        )

    def owner(self, thread: int) -> int:
        """The cell of a thread; negative for a parent."""
        return int(self.survey.net.threads.owner[thread])

    def group(self, cell: int) -> int:
        """The group of a cell."""
        return int(self.survey.group_of[cell])

    def to_align(self) -> list[int]:
        """Cells that change when vertices are brought together, though no ground changes hands."""
        wanted = set(_moved_cells(self))
        for place in self.extra:
            wanted.update(o for t in self.off.get(place, ()) if (o := self.owner(t)) >= 0)
        for place in self.spare:
            wanted.update(self.corner[place])
        wanted.update(self.spiked)
        return sorted(wanted)


def fabric(polygons: Geometries, surveyed: Survey, twins: Mapping[int, tuple[int, ...]]) -> Fabric:
    """Read the net."""
    net = surveyed.net
    made = Fabric(polygons, surveyed, twins)
    if len(net.pieces) == 0:
        return made
    places: list[Point] = [(x, y) for x, y in net.nodes.tolist()]
    group = net.threads.group[net.thread]
    ways = _read_ways(made, net, places, group)
    begins = _changes(net.thread)
    _read_ends(made, net, places, begins)
    cut, node = net.thread[~begins], net.pieces[~begins, 0]
    for g, n, t in zip(group[~begins].tolist(), node.tolist(), cut.tolist(), strict=True):
        made.inside.setdefault((g, places[n]), []).append(t)
    if len(cut):
        lines = shapely.linestrings(np.stack([net.threads.begin[cut], net.threads.end[cut]], axis=1))
        off = ~shapely.intersects(lines, shapely.points(net.nodes[node]))
        of_cut = net.threads.group[cut]
        for g, n, t in zip(of_cut[off].tolist(), node[off].tolist(), cut[off].tolist(), strict=True):
            made.off.setdefault((g, places[n]), set()).add(t)
        _read_extra(
            made,
            {(g, places[n]) for g, n in zip(of_cut.tolist(), node.tolist(), strict=True) if ways[n] == 2},
        )
    made.spiked.update(_spiked(net))
    return made


def _changes(*keys: Indices) -> Flags:
    """Where a run of equal keys begins."""
    fresh = np.zeros(len(keys[0]), dtype=bool)
    fresh[:1] = True
    for key in keys:
        fresh[1:] |= key[1:] != key[:-1]
    return fresh


def _read_ways(made: Fabric, net: Weave, places: list[Point], group: Indices) -> list[int]:
    """Fill ``run``; how many ways lead from each node."""
    begin, end = net.pieces.T
    one, other = net.nodes[begin], net.nodes[end]
    ordered = (one[:, 0] < other[:, 0]) | ((one[:, 0] == other[:, 0]) & (one[:, 1] <= other[:, 1]))
    lesser, greater = np.where(ordered, begin, end), np.where(ordered, end, begin)
    order = np.lexsort((greater, lesser))
    first = np.flatnonzero(_changes(lesser[order], greater[order]))
    pair, threads = order[first], net.thread[order].tolist()
    bounds = [*first.tolist(), len(order)]
    table = zip(group[pair].tolist(), lesser[pair].tolist(), greater[pair].tolist(), strict=True)
    for i, (g, u, v) in enumerate(table):
        made.run[g, (places[u], places[v])] = set(threads[bounds[i] : bounds[i + 1]])
    both = np.concatenate([lesser[pair], greater[pair]])
    return [int(n) for n in np.bincount(both, minlength=len(places))]


def _read_ends(made: Fabric, net: Weave, places: list[Point], begins: Flags) -> None:
    """Fill ``corner``: each thread begins with its first piece and ends with its last."""
    ends = np.append(begins[1:], True)
    for side, which in ((0, begins), (1, ends)):
        thread = net.thread[which]
        owner = np.maximum(net.threads.owner[thread], -1)
        table = (net.threads.group[thread].tolist(), net.pieces[which, side].tolist(), owner.tolist())
        for g, n, o in zip(*table, strict=True):
            made.corner.setdefault((g, places[n]), set()).add(o)


def _read_extra(made: Fabric, twofold: set[Place]) -> None:
    """Fill ``extra`` and ``spare``; ``twofold`` are the cutting nodes from which two ways lead."""
    for place in twofold:
        if place not in made.corner:
            continue
        if all(made.owner(t) >= 0 for t in made.inside[place]):
            made.extra.add(place)
        elif len(made.corner[place]) == 1 and -1 not in made.corner[place] and place in made.off:
            made.spare.add(place)


def _spiked(net: Weave) -> Iterable[int]:
    """Cells that bear a piece in both directions: a vertex just out of reach of the one it stands for."""
    owner = net.threads.owner[net.thread]
    mine = owner >= 0
    owner, pieces = owner[mine], net.pieces[mine]
    key = np.column_stack([owner, np.sort(pieces, axis=1), pieces[:, 0] < pieces[:, 1]])
    ways = np.unique(key, axis=0)
    twice = (ways[1:, :3] == ways[:-1, :3]).all(axis=1)
    return [int(cell) for cell in ways[1:][twice, 0]]


def _moved_cells(of: Fabric) -> list[int]:
    """Cells that have a vertex which weaving moved."""
    moved = list(of.survey.net.moved)
    if not moved:
        return []
    points = np.array([point for _, point in moved])
    at, cell = shapely.STRtree(of.polygons).query(shapely.points(points), predicate="dwithin", distance=0.0)
    found = []
    corners: dict[int, set[Point]] = {}
    for i, c in zip(at.tolist(), cell.tolist(), strict=True):
        if int(of.survey.group_of[c]) != moved[i][0]:
            continue
        if c not in corners:
            corners[c] = {point for ring in rings_of(of.polygons[c]) for point in ring}
        if moved[i][1] in corners[c]:
            found.append(c)
    return found


def knit(
    of: Fabric, borders: Mapping[int, list[Floats]], cells: Iterable[int]
) -> tuple[dict[int, shapely.Geometry], set[int]]:
    """(new polygons by cell, cells that cannot be drawn) with ``borders`` added to the woven ``cells``.

    A neighbour that would only get a vertex, and cannot be drawn with it, stays as it is.
    """
    rings: dict[int, list[list[Point]]] = {}
    bad: set[int] = set()

    def draw(cell: int) -> None:
        border = woven_rings(of.polygons[cell], of.survey.net, of.group(cell))
        for x0, y0, x1, y1 in (row for part in borders.get(cell, ()) for row in part.tolist()):
            border.add((x0, y0), (x1, y1))
        order = {p: i for i, p in enumerate(p for ring in rings_of(of.polygons[cell]) for p in ring)}
        try:
            rings[cell] = border.rings(order)
        except Tangled:
            bad.add(cell)

    asked = set(borders) | set(cells)
    fresh = set(asked)
    kept: set[Place] = set()
    while fresh:
        for cell in sorted(fresh):
            draw(cell)
        kept = _kept(of, rings)
        fresh = {
            owner
            for place in kept
            for t in of.off.get(place, ())
            if (owner := of.owner(t)) >= 0 and owner not in rings and owner not in bad
        }
    drawn: dict[int, shapely.Geometry] = {}
    for cell, found in rings.items():
        g = of.group(cell)
        slim = [[p for p in ring if (g, p) not in of.inside or (g, p) in kept] for ring in found]
        try:
            polygon = polygon_of(slim)
        except Tangled:
            polygon = None
        if polygon is None or not polygon.is_valid:
            bad.add(cell)
            continue
        was = of.polygons[cell]
        if not shapely.equals_exact(polygon, shapely.orient_polygons(was)):
            drawn[cell] = polygon if _runs_left(was) else shapely.orient_polygons(polygon, exterior_cw=True)
    return drawn, bad & asked


def _runs_left(polygon: shapely.Geometry) -> bool:
    """Whether the shell is stored anticlockwise."""
    return bool(shapely.is_ccw(shapely.get_exterior_ring(shapely.get_geometry(polygon, 0))))


def _kept(of: Fabric, rings: Mapping[int, list[list[Point]]]) -> set[Place]:
    """Nodes inside an edge that have to be vertices: some ring turns there, or a cell left as it is has them."""
    seen: set[Place] = set()
    kept: set[Place] = set()
    for cell, found in rings.items():
        g = of.group(cell)
        for ring in found:
            for i, point in enumerate(ring):
                place = (g, point)
                if place not in of.inside:
                    continue
                seen.add(place)
                if place not in kept and not _straight(of, g, ring[i - 1], point, ring[(i + 1) % len(ring)]):
                    kept.add(place)
    for place in seen - kept:
        others = of.corner.get(place, set()) - set(rings)
        if others or place in of.extra:  # a parent's vertex counts as one of the others
            kept.add(place)
    return kept


def _straight(of: Fabric, g: int, before: Point, here: Point, after: Point) -> bool:
    one = of.run.get((g, (before, here) if before <= here else (here, before)), set())
    other = of.run.get((g, (here, after) if here <= after else (after, here)), set())
    return bool(one & other)
