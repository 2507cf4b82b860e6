"""From patches of ground to findings: one defect, one finding, with its kind, neighbours and sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gis_server.core.coverage import sentences
from gis_server.core.coverage.borders import Beside, beside, mouths, strips
from gis_server.core.coverage.case import Case
from gis_server.core.coverage.edges import Floats, Geometries, Indices
from gis_server.core.coverage.findings import Finding, Kind
from gis_server.core.coverage.near_misses import Small, near_misses
from gis_server.core.coverage.patches import Patches, Ruled
from gis_server.core.coverage.residual import group_factor, resolution, strip_width
from gis_server.core.message import Message

NOWHERE: Geometries = np.empty(0, dtype=object)
"""No places."""
MOUTH_SHARE = 0.8
STRIP_SHARE = 0.1
"""A gap on the parent's border is a bay, unless it is a strip along the border where a grid stops short: its mouth is
nearly as long as the rest of its outline, and its width at most this share of the mouth."""
CELL_SHARE = 0.25
"""A gap is a missing cell when its area is this share of a neighbour's or more, and its shape as compact as a cell's."""
COMPACT = 0.35

_GAPS = (Kind.GAP, Kind.BAY, Kind.MISSING_CELL)


def judge(case: Case, ruled: Ruled, broken_at: Geometries = NOWHERE) -> Iterator[Finding]:
    """All findings about ground.

    Ground between the same cells is one defect where it follows one border: a border drawn twice leaves a row of
    patches that meet in the points where the lines cross, and a planner draws it once more, as a whole. So the gaps of
    such a row are one finding, and the overlaps another. A patch that touches none of its row is a finding of its own,
    and so is one that hangs on a place where a ring is broken (``broken_at``, points).
    """
    yield from _misplaced(case, ruled)
    gaps, overlaps, outside = ruled.gaps, ruled.overlaps, ruled.outside
    around = beside(case, np.concatenate([gaps.polygon, outside.polygon]))
    count = (len(gaps.area), len(overlaps.area), len(outside.area))
    strip = _strips(ruled, around, broken_at)
    neighbours = around.lists(count[0])
    big = (gaps.area > case.tolerance_m2) & (not case.inside_only)
    claimed = overlaps.area > case.tolerance_m2
    abroad = outside.area > case.tolerance_m2
    yield from _gaps(case, gaps, neighbours, strip[: count[0]], np.flatnonzero(big))
    yield from _overlaps(case, ruled, strip[count[0] : count[0] + count[1]], np.flatnonzero(claimed))
    yield from _outside(case, ruled, strip[count[0] + count[1] :], np.flatnonzero(abroad))
    large = np.concatenate([gaps.polygon[big], overlaps.polygon[claimed], outside.polygon[abroad]])
    small: list[Small] = []
    if not case.inside_only:
        small += [Small(tuple(neighbours[i]), gaps, i) for i in np.flatnonzero(~big).tolist()]
    pairs = zip(overlaps.first.tolist(), overlaps.second.tolist(), strict=True)
    small += [Small(pair, overlaps, i) for i, pair in enumerate(pairs) if not claimed[i]]
    small += [Small((c,), outside, i) for i, c in enumerate(outside.first.tolist()) if not abroad[i]]
    yield from near_misses(case, small, large)


def _strips(ruled: Ruled, around: Beside, broken_at: Geometries) -> Indices:
    """The strip of each gap, overlap and patch outside, in this order; ``around`` is of the gaps and those outside."""
    own, gaps = around.key(), len(ruled.gaps.area)
    pair = group_factor(ruled.overlaps.first) + group_factor(ruled.overlaps.second)
    border = np.concatenate([own[:gaps], pair, own[gaps:]])
    if len(broken_at):
        reach = 4 * resolution(shapely.total_bounds(broken_at))
        border[shapely.STRtree(ruled.polygons()).query(broken_at, predicate="dwithin", distance=reach)[1]] = 0
    return strips(*ruled.corners, border)


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


@dataclass(frozen=True, slots=True)
class _Defects:
    """Patches put together: of each defect the ``leading`` (largest) patch, area (m²), mean width (m) and ground."""

    leading: list[int]
    area: list[float]
    width: list[float]
    geometry: list[shapely.Geometry]


def _together(patches: Patches, chosen: Indices, key: Indices) -> _Defects:
    """The ``chosen`` patches, those with the same ``key`` (one of each of them) as one defect."""
    order = np.lexsort((-patches.area[chosen], key))
    chosen, key = chosen[order], key[order]
    first = np.flatnonzero(np.concatenate([np.ones(min(len(key), 1), dtype=bool), key[1:] != key[:-1]]))
    if len(first) == 0:
        return _Defects([], [], [], [])
    size = np.diff(np.append(first, len(key)))
    leading = chosen[first]
    area = np.add.reduceat(patches.area[chosen], first)
    width = np.add.reduceat((patches.area * patches.width)[chosen], first) / area
    geometry = patches.polygon[leading]
    several = np.flatnonzero(size > 1)
    member = np.repeat(size > 1, size)
    geometry[several] = shapely.multipolygons(
        patches.polygon[chosen[member]], indices=np.repeat(np.arange(len(several)), size[several])
    )
    return _Defects(leading.tolist(), area.tolist(), width.tolist(), list(geometry))


def _gaps(
    case: Case, gaps: Patches, around: Sequence[list[int]], strip: Indices, chosen: Indices
) -> Iterator[Finding]:
    kind = _kinds_of_gaps(case, gaps, around, chosen)
    # a missing cell is one thing; in a strip, gaps of one parent and one kind belong together
    own = np.where(kind == _GAPS.index(Kind.MISSING_CELL), len(strip) + chosen, 0)
    key = ((strip[chosen] + own) * (gaps.first.max(initial=0) + 2) + gaps.first[chosen] + 1) * len(
        _GAPS
    ) + kind
    defects = _together(gaps, chosen, key)
    kind_of = dict(zip(chosen.tolist(), kind.tolist(), strict=True))
    for i, area, width, geometry in zip(
        defects.leading, defects.area, defects.width, defects.geometry, strict=True
    ):
        kind_word = _GAPS[kind_of[i]]
        names = [case.name(c) for c in around[i]]
        message = sentences.gap(kind_word, case.parent_name(int(gaps.first[i])), names, area, width)
        yield case.finding(kind_word, around[i], message, geometry=geometry, area=area, width=width)


def _kinds_of_gaps(case: Case, gaps: Patches, around: Sequence[list[int]], chosen: Indices) -> Indices:
    """The place in ``_GAPS`` of the kind of each chosen gap."""
    reach = 4 * resolution(shapely.total_bounds(gaps.polygon)) if len(chosen) else 0.0
    mouth, outline = mouths(case, gaps.polygon[chosen], gaps.first[chosen], reach)
    area, width = gaps.area[chosen], gaps.width[chosen]
    strip = (mouth >= MOUTH_SHARE * (outline - mouth)) & (area <= STRIP_SHARE * mouth**2)
    typical = _typical_size(case, [around[i] for i in chosen.tolist()])
    whole = (area >= CELL_SHARE * typical) & (width >= COMPACT * np.sqrt(area))
    kinds = (Kind.MISSING_CELL, Kind.BAY)
    return np.select([whole, (mouth > 0) & ~strip], [_GAPS.index(k) for k in kinds], _GAPS.index(Kind.GAP))


def _typical_size(case: Case, around: Sequence[list[int]]) -> Floats:
    """The median area (m²) of the cells around each patch; infinite where there are none."""
    cell = np.array([c for cells in around for c in cells], dtype=np.int64)
    count = np.array([len(cells) for cells in around], dtype=np.int64)
    typical = np.full(len(around), np.inf)
    if len(cell) == 0:
        return typical
    distinct, index = np.unique(cell, return_inverse=True)
    size = case.plane.area(case.polygons[distinct])[index]
    patch = np.repeat(np.arange(len(around)), count)
    size = size[np.lexsort((size, patch))]
    known = np.flatnonzero(count)
    first = (np.cumsum(count) - count)[known]
    middle = (size[first + (count[known] - 1) // 2] + size[first + count[known] // 2]) / 2
    typical[known] = middle
    return typical


def _overlaps(case: Case, ruled: Ruled, strip: Indices, chosen: Indices) -> Iterator[Finding]:
    patches = ruled.overlaps
    if len(chosen) == 0:
        return
    cells = len(case.polygons)
    pair, index = np.unique(patches.first * cells + patches.second, return_inverse=True)
    shared = np.bincount(index, weights=patches.area)[index]
    involved = np.unique(np.concatenate([patches.first[chosen], patches.second[chosen]]))
    size = np.zeros(cells)
    size[involved] = case.plane.area(case.polygons[involved])
    one, other = patches.first[chosen], patches.second[chosen]
    swap = size[one] > size[other]
    inner, outer = np.where(swap, other, one), np.where(swap, one, other)
    # without a tolerance, two sums of the same area still differ by their rounding
    slack = np.clip(case.tolerance_m2, 1e-9 * size[inner], 0.01 * size[inner])
    whole = size[inner] - shared[chosen] <= slack
    same = size[outer] - shared[chosen] <= slack
    _, first = np.unique(index[chosen[whole]], return_index=True)
    for i in np.flatnonzero(whole)[first].tolist():
        yield _whole(case, int(inner[i]), int(outer[i]), float(size[inner[i]]), same=bool(same[i]))
    chosen = chosen[~whole]
    defects = _together(patches, chosen, strip[chosen] * len(pair) + index[chosen])
    for i, area, width, geometry in zip(
        defects.leading, defects.area, defects.width, defects.geometry, strict=True
    ):
        pair_of = (int(patches.first[i]), int(patches.second[i]))
        kind, rule, message = _overlap(case, ruled, pair_of, area, width)
        yield case.finding(kind, pair_of, message, geometry=geometry, area=area, width=width, rule=rule)


def _overlap(
    case: Case, ruled: Ruled, pair: tuple[int, int], area: float, width: float
) -> tuple[Kind, str | None, Message]:
    """(kind, rule, sentence) of an overlap of two cells."""
    one, other = pair
    if ruled.parent_of[one] != ruled.parent_of[other]:
        theirs = case.parent_name(int(ruled.parent_of[other]))
        message = sentences.other_parent_overlap(case.name(one), case.name(other), theirs, area)
        return Kind.OTHER_PARENT_OVERLAP, None, message
    message = sentences.overlap(case.name(one), case.name(other), area, width)
    return Kind.OVERLAP, "V9" if _exclusive(case, one) != _exclusive(case, other) else None, message


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


def _outside(case: Case, ruled: Ruled, strip: Indices, chosen: Indices) -> Iterator[Finding]:
    patches = ruled.outside
    cell_of, parent_of = patches.first.tolist(), ruled.parent_of
    defects = _together(patches, chosen, strip[chosen] * len(case.polygons) + patches.first[chosen])
    for i, area, width, geometry in zip(
        defects.leading, defects.area, defects.width, defects.geometry, strict=True
    ):
        cell = cell_of[i]
        parent = case.parent_name(int(parent_of[cell]))
        message = sentences.outside(case.name(cell), parent, area, width)
        yield case.finding(Kind.OUTSIDE, [cell], message, geometry=geometry, area=area, width=width)
