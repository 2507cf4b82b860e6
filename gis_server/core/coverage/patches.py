"""Faces of the residual read as patches of ground: uncovered, doubly claimed, or claimed from outside the parent."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from gis_server.core.coverage.bow import beyond_bow
from gis_server.core.coverage.case import Case
from gis_server.core.coverage.cover import Ground, Over, inner_points, locate
from gis_server.core.coverage.edges import (
    Flags,
    Floats,
    Geometries,
    Indices,
    Rings,
    among,
    place_keys,
    ranges,
    ring_layout,
    unlike,
)
from gis_server.core.coverage.layer import Plane
from gis_server.core.coverage.nearness import edges_near, edges_of
from gis_server.core.coverage.residual import chains, distinct, group_factor, resolution, strip_width
from gis_server.core.coverage.subdivide import subdivide
from gis_server.core.coverage.tracing import faces_of, joined

NOBODY = -1
HAIR_SHARE = 0.01
"""A patch is freed of its hairs when they make up this share of its outline."""
HAIRS_SOUGHT = 5_000
"""Among more patches than these no hairs are sought."""


@dataclass(frozen=True, slots=True)
class Patches:
    """Connected pieces of ground of one nature; ``first``/``second`` are cells, or the parent for a gap.

    ``area`` (m²) and ``width`` (m) are planar; ``polygon`` is in the data's coordinates.
    """

    polygon: Geometries
    area: Floats
    width: Floats
    first: Indices
    second: Indices


def no_patches() -> Patches:
    """None at all."""
    none = np.empty(0, dtype=np.int64)
    return Patches(np.empty(0, dtype=object), np.empty(0), np.empty(0), none, none)


@dataclass(frozen=True)  # without slots, so that ``corners`` are kept
class Ruled:
    """What the faces say: gaps by parent, overlaps by pair, ground outside by cell; the totals count ground once.

    ``parent_of`` is the parent by place where the stated one is contradicted (``misplaced``, by cell).
    """

    gaps: Patches
    overlaps: Patches
    outside: Patches
    parent_of: Indices
    misplaced: Indices
    gap_m2: float = 0.0
    overlap_m2: float = 0.0
    outside_m2: float = 0.0
    ground_m2: float = 0.0

    def polygons(self) -> Geometries:
        """All patches of any nature and size."""
        return np.concatenate([self.gaps.polygon, self.overlaps.polygon, self.outside.polygon])

    @cached_property
    def corners(self) -> tuple[Floats, Indices]:
        """The vertices (n, 2) of ``polygons()``, and the polygon of each."""
        polygons = self.polygons()
        count = shapely.get_num_coordinates(polygons)
        return shapely.get_coordinates(polygons), np.repeat(np.arange(len(polygons)), count)


@dataclass(frozen=True, slots=True)
class Faces:
    """Polygons that no unmatched edge crosses, with their areas in m²; ``cut`` marks pieces of such."""

    polygon: Geometries
    area: Floats
    cut: Flags


def residual_faces(
    cells: Rings, edges: Indices, parents: Rings | None, parent_edges: Indices, plane: Plane
) -> Faces:
    """The faces enclosed by the unmatched edges; what is narrower than the data can say is left out.

    The border of exactly equal point sets encloses nothing: an extra vertex that lies on its edge is no defect.
    """
    lines = [chains(cells, distinct(cells, edges))]
    if parents is not None:
        lines.append(chains(parents, distinct(parents, parent_edges)))
    found = faces_of(shapely.union_all(np.concatenate(lines)))
    if len(found) == 0:
        return Faces(found, np.empty(0), np.empty(0, dtype=bool))
    finest = resolution(shapely.total_bounds(found))
    thick = strip_width(shapely.area(found), shapely.length(found)) > finest
    found = found[thick]
    flat = plane.project(found)
    area, real = shapely.area(flat), np.ones(len(flat), dtype=bool)
    if plane.bend:
        begin, end = _edges(cells, edges, parents, parent_edges)
        real = beyond_bow(found, flat, begin, end, plane)
    return Faces(found[real], area[real], np.zeros(int(real.sum()), dtype=bool))


def _edges(
    cells: Rings, edges: Indices, parents: Rings | None, parent_edges: Indices
) -> tuple[Floats, Floats]:
    """(begin, end) of the unmatched edges of both."""
    if parents is None:
        return cells.xy[edges], cells.xy[edges + 1]
    begin = np.concatenate([cells.xy[edges], parents.xy[parent_edges]])
    return begin, np.concatenate([cells.xy[edges + 1], parents.xy[parent_edges + 1]])


def rule(
    case: Case,
    faces_found: Faces,
    parents: Ground | None,
    parent_of: Indices,
    *,
    rings: Rings,
    unmatched: Indices,
) -> Ruled:
    """Ask every face who covers it and whose ground it is; ``parent_of`` is the stated parent of each cell."""
    if len(faces_found.polygon) == 0:
        nothing = no_patches()
        return Ruled(nothing, nothing, nothing, parent_of, np.empty(0, dtype=np.int64))
    faces_found, over = _uniform(case, faces_found, parents, parent_of, (rings, unmatched))
    found, area = faces_found.polygon, faces_found.area
    cover = over[0]
    face, cell = cover.point, cover.polygon
    face, cell = face[case.active[cell]], cell[case.active[cell]]
    covers = np.bincount(face, minlength=len(found))
    owned = np.ones(len(found), dtype=bool)
    misplaced = np.empty(0, dtype=np.int64)
    outside = np.zeros(len(face), dtype=bool)
    gap_face, gap_parent = np.flatnonzero(covers == 0), np.full(int((covers == 0).sum()), NOBODY)
    if parents is not None:
        lies_in = over[1]
        held, holder = lies_in.point, lies_in.polygon
        owned = np.bincount(held, minlength=len(found)) > 0
        ground = held * len(parents.polygons) + holder
        outside = _abroad(face, cell, parent_of, ground, len(parents.polygons))
        beyond: Floats = np.bincount(
            cell[outside], weights=area[face[outside]], minlength=len(parent_of)
        ).astype(np.float64)
        misplaced, parent_of = _misplaced(case, beyond, parents, parent_of)
        outside = _abroad(face, cell, parent_of, ground, len(parents.polygons))
        of_gap = covers[held] == 0
        gap_face, gap_parent = held[of_gap], holder[of_gap]
    pair_face, one, other = _pairs(face, cell, covers)
    beyond_face, beyond_cell = face[outside], cell[outside]
    return Ruled(
        gaps=_joined(faces_found, gap_face, gap_parent, np.full(len(gap_face), NOBODY), case.plane),
        overlaps=_joined(faces_found, pair_face, one, other, case.plane),
        outside=_joined(faces_found, beyond_face, beyond_cell, np.full(len(beyond_cell), NOBODY), case.plane),
        parent_of=parent_of,
        misplaced=misplaced,
        gap_m2=float(area[(covers == 0) & owned].sum()),
        overlap_m2=float(area[covers > 1].sum()),
        outside_m2=float(area[np.unique(beyond_face)].sum()),
        ground_m2=float(area[covers > 0].sum()),
    )


def _uniform(
    case: Case,
    found: Faces,
    parents: Ground | None,
    parent_of: Indices,
    residual: tuple[Rings, Indices],
) -> tuple[Faces, tuple[Over, ...]]:
    """The faces, those that several cells may share under another cut by the borders between these.

    With what lies over a point of each: the cells and, where there are any, the parents. ``residual`` are the cells' rings
    and their unmatched edges.
    """
    grounds = [case.ground] if parents is None else [case.ground, parents]
    over = inner_points(found.polygon, grounds).over
    cells = over[0]
    covers = np.bincount(cells.point[case.active[cells.polygon]], minlength=len(found.polygon))
    mixed = covers > 1
    if parents is not None:
        # beyond its parent, a cell's border with a sister that is there too has cancelled
        of_cell = case.active[cells.polygon]
        face, cell = cells.point[of_cell], cells.polygon[of_cell]
        ground = over[1].point * len(parents.polygons) + over[1].polygon
        mixed[face[_abroad(face, cell, parent_of, ground, len(parents.polygons))]] = True
    polygons, source = subdivide(found.polygon, mixed, *residual, case)
    if len(polygons) == len(found.polygon):
        return found, over
    cut = np.bincount(source)[source] > 1
    whole, new = np.flatnonzero(~cut), np.flatnonzero(cut)
    order = np.concatenate([whole, new])
    polygons, source = polygons[order], source[order]
    cut = np.arange(len(order)) >= len(whole)
    area = found.area[source].copy()
    area[cut] = case.plane.area(polygons[cut])
    pieces = inner_points(polygons[cut], grounds).over
    over = tuple(
        one.renumbered(source[~cut]).followed_by(other) for one, other in zip(over, pieces, strict=True)
    )
    return Faces(polygons, area, cut), over


def _abroad(face: Indices, cell: Indices, parent_of: Indices, ground: Indices, parents: int) -> Flags:
    """Which (face, cell) pairs lie on ground that is not the cell's parent's; ``ground`` holds face · parents + parent."""
    stated = parent_of[cell]
    return np.asarray((stated < 0) | ~among(face * parents + stated, ground))


def _misplaced(case: Case, beyond: Floats, parents: Ground, parent_of: Indices) -> tuple[Indices, Indices]:
    """(cells that lie mostly in another parent than they say, parents by place); ``beyond`` is m² outside, by cell."""
    suspects = np.flatnonzero(beyond > 0)
    if len(suspects) == 0:
        return suspects, parent_of
    suspects = suspects[beyond[suspects] > 0.5 * case.plane.area(case.polygons[suspects])]
    wanted = np.zeros(len(parent_of), dtype=bool)
    wanted[suspects] = True
    place = locate(parents, case.polygons, wanted)
    elsewhere = suspects[(place[suspects] >= 0) & (place[suspects] != parent_of[suspects])]
    by_place = parent_of.copy()
    by_place[elsewhere] = place[elsewhere]
    return elsewhere, by_place


def _pairs(face: Indices, cell: Indices, covers: Indices) -> tuple[Indices, Indices, Indices]:
    """(face, lower cell, higher cell) of every two cells over one face."""
    many = covers[face] > 1
    order = np.lexsort((cell[many], face[many]))
    face, cell = face[many][order], cell[many][order]
    found: list[tuple[Indices, Indices, Indices]] = []
    deepest = int(covers.max(initial=0))
    for step in range(1, deepest):
        together = face[:-step] == face[step:]
        found.append((face[:-step][together], cell[:-step][together], cell[step:][together]))
    if not found:
        none = np.empty(0, dtype=np.int64)
        return none, none, none
    one, two, three = (np.concatenate(column) for column in zip(*found, strict=True))
    return one, two, three


def _joined(found: Faces, face: Indices, first: Indices, second: Indices, plane: Plane) -> Patches:
    """Faces of one nature that touch along an edge become one patch."""
    if len(face) == 0:
        return no_patches()
    order = np.lexsort((second, first))
    face, first, second = face[order], first[order], second[order]
    new = np.concatenate([[True], (first[1:] != first[:-1]) | (second[1:] != second[:-1])])
    starts = np.flatnonzero(new)
    sizes = np.diff(np.concatenate([starts, [len(face)]]))
    polygons = found.polygon[face]
    # most faces of one nature lie apart: only those that share an edge have to be joined
    group = np.repeat(np.arange(len(sizes)), sizes)
    together = (sizes > 1) & _share_an_edge(polygons, group, len(sizes))
    alone = ~together[group]
    drawn, of_group = _united(polygons[~alone], group[~alone], found.cut[face[~alone]])
    polygon, at = _without_hairs(
        np.concatenate([polygons[alone], drawn]), np.concatenate([np.flatnonzero(alone), starts[of_group]])
    )
    flat = plane.project(polygon)
    area = shapely.area(flat)
    return Patches(polygon, area, strip_width(area, shapely.length(flat)), first[at], second[at])


def _united(polygons: Geometries, group: Indices, cut: Flags) -> tuple[Geometries, Indices]:
    """(parts, group of each) of the union of each group; ``cut`` marks pieces of faces."""
    whole = joined(polygons, group, cut)
    parts, source = [whole.polygon], [whole.group]
    for number in whole.left:
        pieces = shapely.get_parts(shapely.union_all(polygons[group == number]))
        parts.append(pieces[shapely.get_type_id(pieces) == 3])
        source.append(np.full(len(parts[-1]), number))
    return np.concatenate(parts), np.concatenate(source)


def _share_an_edge(polygons: Geometries, group: Indices, groups: int) -> Flags:
    """Which groups have an edge that two of their polygons bear."""
    xy = shapely.get_coordinates(polygons)
    start, owner, _ = ring_layout(polygons)
    begin = ranges(start[:-1], start[1:] - 1)
    of_edge = np.repeat(group[owner], np.diff(start) - 1)
    # the same for both directions of an edge, another for each group
    place = place_keys(xy)
    key = place[begin] + place[begin + 1] + group_factor(np.arange(groups))[of_edge]
    order = np.argsort(key)
    key = key[order]
    found = np.zeros(groups, dtype=bool)
    found[of_edge[order[1:][key[1:] == key[:-1]]]] = True
    return found


def _without_hairs(polygon: Geometries, at: Indices) -> tuple[Geometries, Indices]:
    """The patches without the hairs that edges a rounding apart leave on them; ``at`` goes with each piece."""
    # layers digitised apart have no edges that nearly coincide by the thousand
    if not 0 < len(polygon) <= HAIRS_SOUGHT:
        return polygon, at
    grid = 2 * resolution(shapely.total_bounds(polygon))
    suspects = _pinched(polygon, 2 * grid)
    smooth = shapely.set_precision(polygon[suspects], grid)
    shorter = shapely.length(smooth) < (1 - HAIR_SHARE) * shapely.length(polygon[suspects])
    if not shorter.any():
        return polygon, at
    hairy = np.zeros(len(polygon), dtype=bool)
    hairy[suspects[shorter]] = True
    smooth = smooth[shorter]
    parts, owner = shapely.get_parts(smooth, return_index=True)
    parts, owner = parts[shapely.area(parts) > 0], owner[shapely.area(parts) > 0]
    kept = np.concatenate([polygon[~hairy], shapely.set_precision(parts, 0)])
    return kept, np.concatenate([at[~hairy], at[hairy][owner]])


def _pinched(polygon: Geometries, reach: float) -> Indices:
    """The polygons with a vertex within ``reach`` of an edge that it is no end of."""
    a, b, owner = edges_of(polygon)
    vertex, edge = edges_near(a, a, b, reach)
    own = (owner[vertex] == owner[edge]) & unlike(a[vertex], a[edge]) & unlike(a[vertex], b[edge])
    return np.unique(owner[edge[own]])
