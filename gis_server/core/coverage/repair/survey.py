"""The faces of the net: whose ground each is, and who stands on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import shapely

from gis_server.core.coverage.certificate import open_groups
from gis_server.core.coverage.cover import Ground, inner_points
from gis_server.core.coverage.edges import Flags, Floats, Geometries, Indices, Rings, flatten, ranges
from gis_server.core.coverage.layer import Plane
from gis_server.core.coverage.repair.border import (
    Border,
    Edge,
    Point,
    Tangled,
    edges_of,
    polygon_of,
    rings_of,
)
from gis_server.core.coverage.repair.weave import Weave, threads_of, weave
from gis_server.core.coverage.residual import strip_width, unmatched

ALONE = -1
"""The one group of cells that have no parents."""
_BENT_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class Face:
    """A piece of ground that no edge crosses: its group, whether it is the group's ground, and the cells over it.

    ``rings`` run with the face on their left. A ``crumb`` is a small detached part of its cell.
    """

    group: int
    inside: bool
    cells: tuple[int, ...]
    polygon: shapely.Polygon
    rings: list[list[Point]]
    crumb: bool = False

    @property
    def settled(self) -> bool:
        """Exactly one cell where one should be, none elsewhere."""
        return not self.crumb and len(self.cells) == (1 if self.inside else 0)


@dataclass(frozen=True, slots=True)
class Survey:
    """What the net shows: the faces that are not settled, and the woven cells beside every edge.

    ``polygons`` are the cells with their vertices brought together (the same objects where nothing moved);
    ``bearer`` gives the cells that have an edge (interior on the left), by group and edge.
    """

    polygons: Geometries
    net: Weave
    faces: list[Face]
    bearer: dict[tuple[int, Edge], list[int]]
    group_of: Indices


def survey(
    polygons: Geometries,
    rings: Rings,
    parent_of: Indices,
    parents: Geometries | None,
    active: Flags,
    *,
    crumbs: Sequence[tuple[int, shapely.Polygon]] = (),
    reach: float,
    plane: Plane,
) -> Survey:
    """Weave what has no partner, group by group, and ask every face who covers it.

    ``crumbs`` are detached parts (with their cells) that are to be faces as well.
    """
    parent_rings = None if parents is None else flatten(parents)
    taking_part = active if parents is None else active & (parent_of >= 0)
    group_of = np.where(taking_part, parent_of, ALONE)
    still_open = None if parent_rings is None else open_groups(rings, group_of, parent_rings)
    edges, parent_edges = unmatched(rings, group_of, parent_rings, still_open, taking_part)
    ground = None if parents is None else Ground(parents)
    loose = [
        Face(int(group_of[c]), True, (c,), part, rings_of(part), True) for c, part in crumbs if taking_part[c]
    ]
    if loose:
        edges = np.union1d(
            edges, _edges_at(loose, rings, _cells_near(loose, polygons, group_of), group_of, known=edges)
        )
    while True:
        net = weave(threads_of(rings, edges, group_of, parent_rings, parent_edges), reach)
        woven = _woven_cells(polygons, net, group_of, reach)
        faces = _faces(net, Ground(woven), ground, group_of, taking_part, plane=plane)
        faces = _with_crumbs(faces, loose)
        claimed = [f for f in faces if f.cells and not (f.settled or f.crumb)]
        near = _cells_near(claimed, woven, group_of)
        more = _edges_at(claimed, rings, near, group_of, known=edges, across=reach)
        above = np.empty(0, dtype=np.int64)
        if parent_rings is not None and parents is not None:
            groups = np.arange(len(parents))
            owners = groups[[f.group for f in claimed]]
            above = _edges_at(claimed, parent_rings, owners, groups, known=parent_edges)
        if len(more) == 0 and len(above) == 0:
            break
        edges, parent_edges = np.union1d(edges, more), np.union1d(parent_edges, above)
    return Survey(woven, net, [f for f in faces if not f.settled], _bearers(net), group_of)


def woven_rings(polygon: shapely.Geometry, net: Weave, group: int) -> Border:
    """The border of a cell of ``group`` as it runs through the net."""
    border = Border()
    for ring in rings_of(polygon):
        for begin, end in edges_of(ring):
            way = net.row_edges(group, begin, end)
            for a, b in pairwise(way):
                border.add(a, b)
    return border


def _woven_cells(polygons: Geometries, net: Weave, group_of: Indices, reach: float) -> Geometries:
    """The cells, those that weaving has visibly bent redrawn."""
    bent = bent_cells(polygons, net, group_of, _BENT_SHARE * reach)
    woven = polygons.copy()
    for cell in bent:
        try:
            redrawn = polygon_of(woven_rings(polygons[cell], net, int(group_of[cell])).rings({}))
        except Tangled:
            continue
        if redrawn is not None and redrawn.is_valid:
            woven[cell] = redrawn
    return woven


def bent_cells(polygons: Geometries, net: Weave, group_of: Indices, least: float) -> list[int]:
    """Cells with a vertex or an edge that weaving moved by more than ``least``."""
    threads = net.threads
    bent: set[int] = set()
    thread = net.thread
    nodes = net.nodes[net.pieces[:, 0]]
    last = net.nodes[net.pieces[:, 1]]
    for at in (nodes, last):
        away = _distance(at, threads.begin[thread], threads.end[thread])
        off = (away > least) & (threads.owner[thread] >= 0)
        bent.update(threads.owner[thread[off]].tolist())
    gone = [key for key, to in net.moved.items() if np.hypot(to[0] - key[1][0], to[1] - key[1][1]) > least]
    if gone:
        points = np.array([point for _, point in gone])
        at, cell = shapely.STRtree(polygons).query(shapely.points(points), predicate="dwithin", distance=0.0)
        bent.update(c for i, c in zip(at.tolist(), cell.tolist(), strict=True) if group_of[c] == gone[i][0])
    return sorted(bent)


def _distance(at: Floats, a: Floats, b: Floats) -> Floats:
    along = b - a
    square = np.maximum((along**2).sum(axis=1), 1e-300)
    t = np.clip(((at - a) * along).sum(axis=1) / square, 0.0, 1.0)
    return np.asarray(np.hypot(*(at - a - along * t[:, None]).T))


def _faces(
    net: Weave, cells: Ground, parents: Ground | None, group_of: Indices, taking_part: Flags, *, plane: Plane
) -> list[Face]:
    polygons, groups = _polygonized(net)
    if len(polygons) == 0:
        return []
    flat = plane.project(polygons)
    width = strip_width(shapely.area(flat), shapely.length(flat))
    real = width > plane.bend * (shapely.length(flat) / 2) ** 2
    polygons, groups = polygons[real], groups[real]
    if len(polygons) == 0:
        return []
    inner = inner_points(polygons, [cells] if parents is None else [cells, parents])
    over = inner.over[0]
    standing: list[list[int]] = [[] for _ in polygons]
    for face, cell in zip(over.point.tolist(), over.polygon.tolist(), strict=True):
        if taking_part[cell] and group_of[cell] == groups[face]:
            standing[face].append(cell)
    inside = np.ones(len(polygons), dtype=bool)
    if parents is not None:
        held = inner.over[1]
        inside[:] = False
        mine = groups[held.point] == held.polygon
        inside[held.point[mine]] = True
    found = []
    for i, polygon in enumerate(polygons):
        unsettled = len(standing[i]) != (1 if inside[i] else 0)
        found.append(
            Face(
                int(groups[i]),
                bool(inside[i]),
                tuple(sorted(standing[i])),
                polygon,
                rings_of(polygon) if unsettled else [],
            )
        )
    return found


def _with_crumbs(faces: list[Face], loose: list[Face]) -> list[Face]:
    """The faces, those that are crumbs marked."""
    if not loose or not faces:
        return faces
    tree = shapely.STRtree(np.array([f.polygon for f in loose], dtype=object))
    alone = [i for i, f in enumerate(faces) if f.inside and len(f.cells) == 1]
    inner = shapely.point_on_surface(np.array([faces[i].polygon for i in alone], dtype=object))
    marked = list(faces)
    for at, crumb in zip(*tree.query(inner, predicate="within").tolist(), strict=True):
        face, part = faces[alone[at]], loose[crumb]
        if (face.group, face.cells) == (part.group, part.cells):
            marked[alone[at]] = replace(face, crumb=True, rings=rings_of(face.polygon))
    return marked


def _polygonized(net: Weave) -> tuple[Geometries, Indices]:
    """The polygons that the pieces of each group enclose, and the groups."""
    if len(net.pieces) == 0:
        return np.empty(0, dtype=object), np.empty(0, dtype=np.int64)
    group = net.threads.group[net.thread]
    key = np.column_stack([group, np.sort(net.pieces, axis=1)])
    key = np.unique(key, axis=0)
    lines = shapely.linestrings(net.nodes[key[:, 1:]])
    groups, starts = np.unique(key[:, 0], return_index=True)
    found, owner = [], []
    for g, part in zip(groups.tolist(), np.split(lines, starts[1:]), strict=True):
        polygons = shapely.get_parts(shapely.polygonize(part))
        found.append(polygons)
        owner.append(np.full(len(polygons), g, dtype=np.int64))
    return np.concatenate(found), np.concatenate(owner)


def _cells_near(claimed: list[Face], polygons: Geometries, group_of: Indices) -> Indices:
    """The cells that touch one of the faces of their group."""
    shapes = np.array([f.polygon for f in claimed], dtype=object)
    groups = np.array([f.group for f in claimed], dtype=np.int64)
    face, cell = shapely.STRtree(polygons).query(shapes, predicate="intersects")
    return np.unique(cell[group_of[cell] == groups[face]])


def _edges_at(
    claimed: list[Face],
    rings: Rings,
    owners: Indices,
    group_of: Indices,
    *,
    known: Indices,
    across: float | None = None,
) -> Indices:
    """Edges of ``owners`` at ground in dispute that are not ``known``; with ``across`` (a reach) only those concerned.

    Cells' edges with a partner that cross such ground divide it between several holders, and those with one of its
    corners on them have to be cut there; a parent's edge beside it tells whether a border meets it at a vertex.
    """
    ring = np.flatnonzero(np.isin(rings.owner, owners))
    edges = ranges(rings.start[ring], rings.start[ring + 1] - 1)
    edges = edges[~np.isin(edges, known)]
    if len(edges) == 0 or not claimed:
        return np.empty(0, dtype=np.int64)
    shapes = np.array([f.polygon for f in claimed], dtype=object)
    groups = np.array([f.group for f in claimed], dtype=np.int64)
    lines = shapely.linestrings(np.stack([rings.xy[edges], rings.xy[edges + 1]], axis=1))
    tree = shapely.STRtree(lines)
    shapely.prepare(shapes)
    at, line = tree.query(shapes, predicate="intersects")
    of_line = group_of[rings.owner_of_edges(edges)]
    same = of_line[line] == groups[at]
    at, line = at[same], line[same]
    if across is None:
        return np.unique(edges[line])
    line = line[shapely.relate_pattern(shapes[at], lines[line], "T********")]
    corners, face = shapely.get_coordinates(shapes, return_index=True)
    corner, cut = tree.query(shapely.points(corners), predicate="dwithin", distance=across)
    inner = of_line[cut] == groups[face[corner]]
    for end in (rings.xy[edges[cut]], rings.xy[edges[cut] + 1]):
        inner &= np.hypot(*(corners[corner] - end).T) > across
    return np.unique(edges[np.concatenate([line, cut[inner]])])


def _bearers(net: Weave) -> dict[tuple[int, Edge], list[int]]:
    places: list[Point] = [(x, y) for x, y in net.nodes.tolist()]
    owner = net.threads.owner[net.thread]
    mine = owner >= 0
    group = net.threads.group[net.thread[mine]].tolist()
    begin, end = net.pieces[mine].T.tolist()
    found: dict[tuple[int, Edge], list[int]] = {}
    for g, u, v, cell in zip(group, begin, end, owner[mine].tolist(), strict=True):
        edge = (g, (places[u], places[v]))
        if edge in found:
            found[edge].append(cell)
        else:
            found[edge] = [cell]
    return found
