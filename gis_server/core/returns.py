"""Returned cases (退单) counted on the borders of grids: where a border does not tell people whose a matter is.

A case is counted on the shared border between the grid that returned it and the one that took it. Where nobody took it yet, that is
the border of its grid nearest to its place, if one is within reach. A segment is a stretch of shared border between two
junctions.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gis_server.core.boundaries import Boundaries
from gis_server.core.geometry import STORAGE_CRS, to_metric, transform
from gis_server.core.moved import GridName
from gis_server.core.routing import REACH_M, Geometries

TOUCH_M = 0.3
"""Borders this near are shared (our number): neighbours digitised apart differ by centimetres."""


@dataclass(frozen=True, slots=True)
class ReturnedCase:
    """A case that was returned: its place (CGCS2000 degrees), its grid then, and the grid that took it afterwards, if any did."""

    number: str
    lon: float
    lat: float
    accuracy_m: float | None
    grid_code: str | None
    taken_by: str | None


@dataclass(frozen=True, slots=True)
class ReturnSegment:
    """A stretch of shared border (longitude, latitude) with the cases returned over it; the lower code comes first."""

    grids: tuple[GridName, GridName]
    line: shapely.Geometry
    numbers: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many."""
        return len(self.numbers)


@dataclass(frozen=True, slots=True)
class Returns:
    """Segments, most cases first; ``elsewhere`` are the cases near no border, ``total`` all."""

    segments: tuple[ReturnSegment, ...]
    elsewhere: int
    total: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    pair: tuple[int, int]  # rows of the two grids, the lower code first
    line: shapely.Geometry  # metres


def count_returns(cases: Sequence[ReturnedCase], boundaries: Boundaries) -> Returns:
    """Count cases on the borders of ``boundaries``; what is no grid there any more is counted elsewhere."""
    codes = list(boundaries.grids.codes)
    row_of = {code: row for row, code in enumerate(codes)}
    known = [case for case in cases if case.grid_code in row_of]
    if not known:
        return Returns((), len(cases), len(cases))
    points = shapely.points([case.lon for case in known], [case.lat for case in known])
    shapes, crs = to_metric(np.concatenate([boundaries.grids.geometries, points]), STORAGE_CRS)
    ground, places = shapes[: len(codes)], shapes[len(codes) :]
    givers = sorted({row_of[str(case.grid_code)] for case in known})
    borders = _borders(codes, ground, givers)
    numbers: dict[int, list[str]] = defaultdict(list)
    stretches: list[_Stretch] = []
    position: dict[int, int] = {}
    for case, place in zip(known, places.tolist(), strict=True):
        nearest = _nearest(case, place, borders.get(row_of[str(case.grid_code)], []), row_of)
        if nearest is None:
            continue
        at = position.setdefault(id(nearest), len(stretches))
        if at == len(stretches):
            stretches.append(nearest)
        numbers[at].append(case.number)
    lines = transform(np.array([one.line for one in stretches], dtype=object), crs, STORAGE_CRS)
    names = dict(zip(codes, boundaries.grids.names, strict=True))
    segments = [
        ReturnSegment(
            (_named(codes[one.pair[0]], names), _named(codes[one.pair[1]], names)), line, tuple(numbers[at])
        )
        for at, (one, line) in enumerate(zip(stretches, lines.tolist(), strict=True))
    ]
    segments.sort(
        key=lambda segment: (-segment.count, segment.grids[0].code or "", segment.grids[1].code or "")
    )
    counted = sum(segment.count for segment in segments)
    return Returns(tuple(segments), len(cases) - counted, len(cases))


def _borders(codes: Sequence[str], ground: Geometries, givers: Sequence[int]) -> dict[int, list[_Stretch]]:
    """The stretches of border of each grid that returned something, one object for both of its sides."""
    tree = shapely.STRtree(ground)
    found: dict[int, list[_Stretch]] = defaultdict(list)
    made: dict[tuple[int, int], list[_Stretch]] = {}
    which, others = tree.query(ground[givers], predicate="dwithin", distance=TOUCH_M)
    for giver, other in zip(np.asarray(givers)[which].tolist(), others.tolist(), strict=True):
        if giver == other:
            continue
        pair = (giver, other) if codes[giver] < codes[other] else (other, giver)
        if pair not in made:
            shared = shapely.intersection(
                shapely.boundary(ground[pair[0]]), shapely.buffer(ground[pair[1]], TOUCH_M)
            )
            parts = shapely.get_parts(shapely.line_merge(shared))
            # where grids only meet at a corner, what is left is no longer than the tolerance around it
            long = shapely.length(parts) > 4 * TOUCH_M
            made[pair] = [_Stretch(pair, line) for line in parts[long].tolist()]
        found[giver] += made[pair]
    return found


def _nearest(
    case: ReturnedCase, place: shapely.Point, stretches: Sequence[_Stretch], row_of: dict[str, int]
) -> _Stretch | None:
    taker = row_of.get(case.taken_by or "")
    if taker is not None:
        stretches = [one for one in stretches if taker in one.pair]
    if not stretches:
        return None
    distances = shapely.distance(np.array([one.line for one in stretches], dtype=object), place)
    nearest = int(np.argmin(distances))
    reach = max(REACH_M, case.accuracy_m or 0.0)
    return stretches[nearest] if taker is not None or distances[nearest] <= reach else None


def _named(code: str, names: dict[str, str]) -> GridName:
    return GridName(code, names.get(code))
