"""What is known of a grid, and what lies near a point: values for the desk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import shapely

from gis_server.core.boundaries import Boundaries
from gis_server.core.geometry import STORAGE_CRS, metric_or_utm, transform

MONTH_DAYS = 30
"""Days of a grid's figures, today included."""

REACH_M = 500.0
"""How far from a point cameras and grids are looked for where nobody says otherwise (our number)."""

LEAST_REACH_M, MOST_REACH_M = 10.0, 5_000.0

_METRES_A_DEGREE = 110_500.0
"""Less than a degree of latitude has anywhere."""


@dataclass(frozen=True, slots=True)
class DayOfGrid:
    """What came and what was settled in a grid on one local day."""

    day: date
    opened: int
    closed: int


@dataclass(frozen=True, slots=True)
class MonthOfGrid:
    """A grid's last 30 days: what was discovered, what was settled, and how it stands now.

    ``timed`` of what was settled had a clock that ran here, ``late`` after that had run out. ``items`` are titles (None: of no item) with their counts, most first.
    """

    days: Sequence[DayOfGrid]
    late: int
    timed: int
    open_now: int
    overdue_now: int
    items: Sequence[tuple[str | None, int]]

    @property
    def opened(self) -> int:
        """How many were discovered."""
        return sum(day.opened for day in self.days)

    @property
    def closed(self) -> int:
        """How many were settled."""
        return sum(day.closed for day in self.days)

    @property
    def on_time_pct(self) -> float | None:
        """Which share of those with a clock was settled in time, in percent; None where none had one."""
        return round(100.0 * (self.timed - self.late) / self.timed, 1) if self.timed else None


@dataclass(frozen=True, slots=True)
class NearCamera:
    """A camera by its distance; ``properties`` are the fields that the reader may see.

    ``bearing`` is the direction from the camera to the point, in degrees from north; None where both are one place.
    """

    lon: float
    lat: float
    distance_m: float
    bearing: float | None
    properties: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class NearGrid:
    """A grid (its row) by the distance of a point from it: 0 inside."""

    row: int
    distance_m: float
    is_own: bool


def box_around(lon: float, lat: float, reach_m: float) -> tuple[float, float, float, float]:
    """West, south, east, north of a box that holds everything within ``reach_m`` of a point."""
    high = reach_m / _METRES_A_DEGREE
    # a degree of longitude is shortest at the edge that is nearer to a pole
    wide = high / max(np.cos(np.radians(min(abs(lat) + high, 89.0))), 0.01)
    return max(lon - wide, -180.0), max(lat - high, -90.0), min(lon + wide, 180.0), min(lat + high, 90.0)


def grids_near(
    boundaries: Boundaries, lon: float, lat: float, own: int | None, reach_m: float
) -> list[NearGrid]:
    """The grid in row ``own``, its neighbours, and every grid within reach, nearest first; equally near ones by code.

    Distances are metres on the plane of the place, exact to the millimetre they are rounded to for grids nearby.
    """
    cover, rows = boundaries.index.cover, boundaries.grids
    ranks = set(cover.tree.query(shapely.box(*box_around(lon, lat, reach_m))).tolist())
    beside: set[int] = set()
    if own is not None:  # it touches itself, so it is among them
        beside = {int(cover.order[rank]) for rank in cover.tree.query(rows.geometries[own], "intersects")}
    candidates = sorted({int(cover.order[rank]) for rank in ranks} | beside)
    if not candidates:
        return []
    plane = metric_or_utm(lon, lat)
    shapes = transform(rows.geometries[np.array(candidates)], STORAGE_CRS, plane)
    (point,) = transform(np.array([shapely.Point(lon, lat)], dtype=object), STORAGE_CRS, plane)
    metres = np.round(shapely.distance(shapes, point), 3)
    found = [
        NearGrid(row, float(distance), row == own)
        for row, distance in zip(candidates, metres.tolist(), strict=True)
        if distance <= reach_m or row in beside
    ]
    # the grid that a point on a common border was given to comes before the one that shares the border
    return sorted(found, key=lambda near: (near.distance_m, not near.is_own, rows.codes[near.row]))
