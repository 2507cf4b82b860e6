"""Borders that should be one and nearly are: ground below the tolerance, and vertices a rounding apart."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from gis_server.core.coverage import sentences
from gis_server.core.coverage.case import Case
from gis_server.core.coverage.cover import Ground
from gis_server.core.coverage.edges import Geometries, among, place_keys
from gis_server.core.coverage.findings import Finding, Kind, Severity
from gis_server.core.coverage.junctions import LooseEnds
from gis_server.core.coverage.patches import Patches
from gis_server.core.coverage.residual import resolution

HAIRS_TOLD = 20
"""Beyond so many borders that differ by rounding only, one finding tells them all."""


@dataclass(frozen=True, slots=True)
class Small:
    """A patch below the tolerance: the cells about it, and its place ``at`` among its like."""

    cells: tuple[int, ...]
    patches: Patches
    at: int


def near_misses(case: Case, small: Sequence[Small], large: Geometries) -> Iterator[Finding]:
    """Small patches gathered by the cells they lie between; what hangs on a ``large`` patch belongs to that finding."""
    small = _told_once(small)
    polygons = np.array([s.patches.polygon[s.at] for s in small], dtype=object)
    attached = np.zeros(len(small), dtype=bool)
    if len(large) and len(small):
        reach = 4 * resolution(shapely.total_bounds(polygons))
        attached[Ground(large).near_shapes(polygons, reach)[0]] = True
    borders: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for position, patch in enumerate(small):
        if not attached[position]:
            borders[tuple(sorted(patch.cells))].append(position)
    for pair, positions in borders.items():
        area = sum(float(small[p].patches.area[small[p].at]) for p in positions)
        width = max(float(small[p].patches.width[small[p].at]) for p in positions)
        shapes = polygons[positions]
        geometry = shapes[0] if len(shapes) == 1 else shapely.multipolygons(shapes)
        message = sentences.near_miss([case.name(c) for c in pair], width, area)
        yield case.finding(Kind.NEAR_MISS, pair, message, geometry=geometry, area=area, width=width)


def _told_once(small: Sequence[Small]) -> Sequence[Small]:
    """Without the small patches outside a parent where a pair of cells tells the same ground already."""
    pairs = [s for s in small if len(s.cells) == 2]
    single = [i for i, s in enumerate(small) if len(s.cells) == 1]
    if not pairs or not single:
        return small
    tree = shapely.STRtree(np.array([s.patches.polygon[s.at] for s in pairs], dtype=object))
    alone = np.array([small[i].patches.polygon[small[i].at] for i in single], dtype=object)
    one, at = tree.query(alone, predicate="intersects")
    told = {
        single[i]
        for i, j in zip(one.tolist(), at.tolist(), strict=True)
        if small[single[i]].cells[0] in pairs[j].cells
    }
    return [s for i, s in enumerate(small) if i not in told]


def hairs(case: Case, loose: LooseEnds, patches: Geometries) -> Iterator[Finding]:
    """Borders whose vertices do not correspond, though nothing measurable lies between: told, but no warning.

    What touches one of the ``patches`` belongs to that finding.
    """
    if len(loose.begin) == 0:
        return
    begin, end = loose.begin, loose.end
    reach = 4 * resolution(np.concatenate([begin, end]))
    if len(patches):
        corners = place_keys(shapely.get_coordinates(patches))
        apart = ~among(place_keys(begin), corners) & ~among(place_keys(end), corners)
        begin, end = begin[apart], end[apart]
    if len(patches) and len(begin):
        free = np.ones(len(begin), dtype=bool)
        free[Ground(patches).near_shapes(shapely.linestrings(np.stack([begin, end], axis=1)), reach)[0]] = (
            False
        )
        begin, end = begin[free], end[free]
    middle = (begin + end) / 2
    point, cell = case.ground.near(middle, reach)
    about: dict[int, list[int]] = defaultdict(list)
    for p, c in zip(point.tolist(), cell.tolist(), strict=True):
        if case.active[c]:
            about[p].append(c)
    borders: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for p, around in about.items():
        borders[tuple(sorted(around))].append(p)
    together = list(borders.items())
    if len(together) > HAIRS_TOLD:
        everybody = tuple(sorted({c for cells, _ in together for c in cells}))
        together = [(everybody, [p for _, where in together for p in where])]
    for cells, where in together:
        message = sentences.hair([case.name(c) for c in cells])
        finding = case.finding(Kind.NEAR_MISS, cells, message, geometry=shapely.multipoints(middle[where]))
        yield replace(finding, severity=Severity.OPTION)
