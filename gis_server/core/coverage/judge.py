"""From patches of ground to findings: one defect, one finding, with its kind, neighbours and sentence."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

import numpy as np
import shapely

from gis_server.core.coverage import sentences
from gis_server.core.coverage.case import Case
from gis_server.core.coverage.cover import Ground
from gis_server.core.coverage.edges import Floats, Geometries, Indices
from gis_server.core.coverage.findings import Finding, Kind, Severity
from gis_server.core.coverage.junctions import LooseEnds, as_places
from gis_server.core.coverage.patches import Patches, Ruled
from gis_server.core.coverage.residual import resolution, strip_width

AROUND_SHARE = 0.02
"""A grid is named beside a gap when it borders at least this share of the gap's outline."""
MOUTH_SHARE = 0.8
STRIP_SHARE = 0.1
"""A gap on the parent's border is a bay, unless it is a strip along the border where a grid stops short: its mouth is
nearly as long as the rest of its outline, and its width at most this share of the mouth."""
CELL_SHARE = 0.25
"""A gap is a missing cell when its area is this share of a neighbour's or more, and its shape as compact as a cell's."""
COMPACT = 0.35
HAIRS_TOLD = 20
"""Beyond so many borders that differ by rounding only, one finding tells them all."""

Small = tuple[tuple[int, ...], Patches, int]
"""The cells about a patch below the tolerance, and where it stands."""


def judge(case: Case, ruled: Ruled) -> Iterator[Finding]:
    """All findings about ground."""
    yield from _misplaced(case, ruled)
    gap_around = _around(case, ruled.gaps.polygon)
    big = (ruled.gaps.area > case.tolerance_m2) & (not case.inside_only)
    claimed = ruled.overlaps.area > case.tolerance_m2
    abroad = ruled.outside.area > case.tolerance_m2
    yield from _gaps(case, ruled.gaps, gap_around, np.flatnonzero(big))
    yield from _overlaps(case, ruled, np.flatnonzero(claimed))
    yield from _outside(case, ruled, np.flatnonzero(abroad))
    large = np.concatenate(
        [ruled.gaps.polygon[big], ruled.overlaps.polygon[claimed], ruled.outside.polygon[abroad]]
    )
    small: list[Small] = []
    if not case.inside_only:
        small += [(tuple(gap_around[i]), ruled.gaps, i) for i in map(int, np.flatnonzero(~big))]
    for patches, chosen in ((ruled.overlaps, ~claimed), (ruled.outside, ~abroad)):
        for i in map(int, np.flatnonzero(chosen)):
            pair = {int(patches.first[i]), int(patches.second[i])} - {-1}
            small.append((tuple(pair), patches, i))
    yield from _near_misses(case, _told_once(small), large)


def _misplaced(case: Case, ruled: Ruled) -> Iterator[Finding]:
    area = case.plane.area(case.polygons[ruled.misplaced])
    for cell, square in zip(map(int, ruled.misplaced), area, strict=True):
        stated = None if case.cells.parent_codes is None else case.cells.parent_codes[cell]
        message = sentences.wrong_parent(
            case.name(cell), stated, case.parent_name(int(ruled.parent_of[cell]))
        )
        yield case.finding(
            Kind.WRONG_PARENT, [cell], message, geometry=case.polygons[cell], area=float(square)
        )


def _outline(polygons: Geometries) -> tuple[Floats, Floats, Indices]:
    """(midpoints, lengths, polygon) of the edges of ``polygons``."""
    xy, owner = shapely.get_coordinates(polygons, return_index=True)
    rings = shapely.get_rings(polygons)
    last = np.cumsum(shapely.get_num_coordinates(rings)) - 1
    inside = np.ones(len(xy), dtype=bool)
    inside[last] = False
    first = np.flatnonzero(inside)
    a, b = xy[first], xy[first + 1]
    return (a + b) / 2, np.hypot(*(b - a).T), owner[first]


def _around(case: Case, polygons: Geometries) -> list[list[int]]:
    """For each polygon the cells that border it, longest border first."""
    return [[row for row, _ in borders] for borders in borders_around(case, polygons)]


def borders_around(case: Case, polygons: Geometries) -> list[list[tuple[int, float]]]:
    """For each polygon the cells that border it with their shares of its outline, largest first."""
    around: list[list[tuple[int, float]]] = [[] for _ in polygons]
    if len(polygons) == 0:
        return around
    middle, length, owner = _outline(polygons)
    reach = 4 * resolution(shapely.total_bounds(polygons))
    edge, cell = case.ground.near(middle, reach)
    edge, cell = edge[case.active[cell]], cell[case.active[cell]]
    cells = len(case.polygons)
    key, index = np.unique(owner[edge] * cells + cell, return_inverse=True)
    shared = np.bincount(index, weights=length[edge], minlength=len(key))
    total = np.bincount(owner, weights=length, minlength=len(around))
    patch, cell = key // cells, key % cells
    share = shared / total[patch]
    for at in np.lexsort((cell, -shared, patch)):
        if share[at] >= AROUND_SHARE:
            around[patch[at]].append((int(cell[at]), float(share[at])))
    return around


def _gaps(case: Case, gaps: Patches, around: Sequence[list[int]], chosen: Indices) -> Iterator[Finding]:
    mouths = _mouths(case, gaps, chosen)
    beside = np.unique(np.array([c for i in chosen for c in around[i]], dtype=np.int64))
    size = dict(zip(beside.tolist(), case.plane.area(case.polygons[beside]).tolist(), strict=True))
    for i, (mouth, outline) in zip(map(int, chosen), mouths, strict=True):
        neighbours = around[i]
        area, width = float(gaps.area[i]), float(gaps.width[i])
        kind = Kind.GAP
        typical = median(size[c] for c in neighbours) if neighbours else np.inf
        if area >= CELL_SHARE * typical and width >= COMPACT * np.sqrt(area):
            kind = Kind.MISSING_CELL
        elif mouth > 0 and not _is_strip(mouth, outline, area):
            kind = Kind.BAY
        message = sentences.gap(
            kind,
            case.parent_name(int(gaps.first[i])),
            [case.name(c) for c in neighbours],
            area,
            width,
        )
        yield case.finding(kind, neighbours, message, geometry=gaps.polygon[i], area=area, width=width)


def _is_strip(mouth: float, outline: float, area: float) -> bool:
    return mouth >= MOUTH_SHARE * (outline - mouth) and area <= STRIP_SHARE * mouth**2


def _mouths(case: Case, gaps: Patches, chosen: Indices) -> list[tuple[float, float]]:
    """(length on the parent's border, length of the outline) of each chosen gap, in metres."""
    if len(chosen) == 0:
        return []
    middle, _, owner = _outline(gaps.polygon[chosen])
    _, length, _ = _outline(case.plane.project(gaps.polygon[chosen]))
    outline = np.bincount(owner, weights=length, minlength=len(chosen))
    mouth = np.zeros(len(chosen))
    if case.parents is not None:
        reach = 4 * resolution(shapely.total_bounds(gaps.polygon))
        parent = gaps.first[chosen][owner]
        points = shapely.points(middle)
        for p in np.unique(parent[parent >= 0]):
            border = shapely.boundary(case.parents.geometry[p])
            shapely.prepare(border)
            mine = np.flatnonzero(parent == p)
            on = mine[shapely.dwithin(border, points[mine], reach)]
            mouth += np.bincount(owner[on], weights=length[on], minlength=len(chosen))
    return list(zip(mouth.tolist(), outline.tolist(), strict=True))


def _overlaps(case: Case, ruled: Ruled, chosen: Indices) -> Iterator[Finding]:
    patches = ruled.overlaps
    if len(chosen) == 0:
        return
    shared: dict[tuple[int, int], float] = defaultdict(float)
    for one, other, area in zip(
        patches.first.tolist(), patches.second.tolist(), patches.area.tolist(), strict=True
    ):
        shared[one, other] += area
    involved = np.unique(np.concatenate([patches.first[chosen], patches.second[chosen]]))
    size = dict(zip(involved.tolist(), case.plane.area(case.polygons[involved]).tolist(), strict=True))
    whole: dict[tuple[int, int], float] = {}
    for i in map(int, chosen):
        one, other = int(patches.first[i]), int(patches.second[i])
        area, width = float(patches.area[i]), float(patches.width[i])
        inner, outer = (one, other) if size[one] <= size[other] else (other, one)
        slack = min(case.tolerance_m2, 0.01 * size[inner])
        if size[inner] - shared[one, other] <= slack:
            if (one, other) in whole:
                continue
            whole[one, other] = area
            yield _whole(case, inner, outer, size[inner], same=size[outer] - shared[one, other] <= slack)
        elif ruled.parent_of[one] != ruled.parent_of[other]:
            message = sentences.other_parent_overlap(
                case.name(one), case.name(other), case.parent_name(int(ruled.parent_of[other])), area
            )
            yield case.finding(
                Kind.OTHER_PARENT_OVERLAP,
                (one, other),
                message,
                geometry=patches.polygon[i],
                area=area,
                width=width,
            )
        else:
            message = sentences.overlap(case.name(one), case.name(other), area, width)
            yield case.finding(
                Kind.OVERLAP,
                (one, other),
                message,
                geometry=patches.polygon[i],
                area=area,
                width=width,
                rule="V9" if _exclusive(case, one) != _exclusive(case, other) else None,
            )


def _whole(case: Case, inner: int, outer: int, area: float, *, same: bool) -> Finding:
    polygon = case.polygons[inner]
    width = float(
        strip_width(np.array([area]), shapely.length(case.plane.project(case.polygons[[inner]])))[0]
    )
    if same:
        pair = sorted((inner, outer))
        message = sentences.duplicate([case.name(c) for c in pair], area)
        return case.finding(Kind.DUPLICATE_GEOMETRY, pair, message, geometry=polygon, area=area, width=width)
    carve = _exclusive(case, inner) and not _exclusive(case, outer)
    message = sentences.contained(case.name(inner), case.name(outer), area, carve)
    return case.finding(
        Kind.CONTAINED,
        (inner, outer),
        message,
        geometry=polygon,
        area=area,
        width=width,
        rule="V9" if carve else None,
    )


def _exclusive(case: Case, cell: int) -> bool:
    return case.cells.exclusive is not None and bool(case.cells.exclusive[cell])


def _outside(case: Case, ruled: Ruled, chosen: Indices) -> Iterator[Finding]:
    patches = ruled.outside
    for i in map(int, chosen):
        cell = int(patches.first[i])
        area, width = float(patches.area[i]), float(patches.width[i])
        message = sentences.outside(
            case.name(cell), case.parent_name(int(ruled.parent_of[cell])), area, width
        )
        yield case.finding(Kind.OUTSIDE, [cell], message, geometry=patches.polygon[i], area=area, width=width)


def _told_once(small: Sequence[Small]) -> list[Small]:
    """Without the small patches outside a parent where a pair of cells tells the same ground already."""
    pairs = [(set(cells), p.polygon[i]) for cells, p, i in small if len(cells) == 2]
    if not pairs:
        return list(small)
    tree = shapely.STRtree(np.array([polygon for _, polygon in pairs], dtype=object))
    kept = []
    for cells, patches, i in small:
        same = tree.query(patches.polygon[i], predicate="intersects") if len(cells) == 1 else ()
        if not any(cells[0] in pairs[at][0] for at in same):
            kept.append((cells, patches, i))
    return kept


def _near_misses(case: Case, small: Sequence[Small], large: Geometries) -> Iterator[Finding]:
    """Small patches gathered by the cells they lie between; what hangs on a large patch belongs to that finding."""
    polygons = np.array([patches.polygon[i] for _, patches, i in small], dtype=object)
    attached = np.zeros(len(small), dtype=bool)
    if len(large) and len(small):
        reach = 4 * resolution(shapely.total_bounds(polygons))
        attached[Ground(large).near_shapes(polygons, reach)[0]] = True
    borders: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for position, (cells, _, _) in enumerate(small):
        if not attached[position]:
            borders[tuple(sorted(cells))].append(position)
    for pair, positions in borders.items():
        area = sum(float(small[p][1].area[small[p][2]]) for p in positions)
        width = max(float(small[p][1].width[small[p][2]]) for p in positions)
        shapes = polygons[positions]
        geometry = shapes[0] if len(shapes) == 1 else shapely.multipolygons(shapes)
        message = sentences.near_miss([case.name(c) for c in pair], width, area)
        yield case.finding(Kind.NEAR_MISS, pair, message, geometry=geometry, area=area, width=width)


def hairs(case: Case, loose: LooseEnds, patches: Geometries) -> Iterator[Finding]:
    """Borders whose vertices do not correspond, though nothing measurable lies between: told, but no warning.

    What touches one of the ``patches`` belongs to that finding.
    """
    if len(loose.begin) == 0:
        return
    segments = shapely.linestrings(np.stack([loose.begin, loose.end], axis=1))
    reach = 4 * resolution(shapely.total_bounds(segments))
    free = np.ones(len(segments), dtype=bool)
    if len(patches):
        corners = as_places(shapely.get_coordinates(patches))
        free = ~np.isin(as_places(loose.begin), corners) & ~np.isin(as_places(loose.end), corners)
        apart = np.flatnonzero(free)
        free[apart[Ground(patches).near_shapes(segments[apart], reach)[0]]] = False
    middle = ((loose.begin + loose.end) / 2)[free]
    point, cell = case.ground.near(middle, reach)
    beside: dict[int, list[int]] = defaultdict(list)
    for p, c in zip(point.tolist(), cell.tolist(), strict=True):
        if case.active[c]:
            beside[p].append(c)
    borders: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for p, around in beside.items():
        borders[tuple(sorted(around))].append(p)
    together = list(borders.items())
    if len(together) > HAIRS_TOLD:
        everybody = tuple(sorted({c for cells, _ in together for c in cells}))
        together = [(everybody, [p for _, where in together for p in where])]
    for cells, where in together:
        message = sentences.hair([case.name(c) for c in cells])
        finding = case.finding(Kind.NEAR_MISS, cells, message, geometry=shapely.multipoints(middle[where]))
        yield replace(finding, severity=Severity.OPTION)
