"""From a point to exactly one grid and sub-grid, or to a named "none".

The rule (acceptance scenario S18): a grid *covers* its interior and its border; of several grids that cover a point
the one with the lowest code has it. Sorted by code, that is ``min`` in Python and ``ORDER BY code COLLATE "C" LIMIT 1`` in
SQL, so every door gives the same answer every time.

Accuracy is the radius within which the true place lies with 95 % confidence, as the W3C Geolocation API defines it
and phones report it. The error is taken as an isotropic normal distribution, so a candidate's share is the
probability that the true place lies in that grid.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.errors import UnusableInput
from gis_server.core.geometry import STORAGE_CRS, project
from gis_server.core.message import msg

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Geometries = NDArray[np.object_]

REACH_M = 50.0
"""How far outside every grid a point may lie, in metres, and still be given to the nearest one (our number)."""

MAX_ACCURACY_M = 5_000.0
"""Above this a position says nothing about the grid; such a report needs an address instead (our number)."""

R95 = math.sqrt(-2.0 * math.log(0.05))
"""Radius that holds 95 % of an isotropic normal distribution, in standard deviations."""

NOWHERE = -1
"""Row number of no grid."""


class Match(StrEnum):
    """How a point came to its grid."""

    INSIDE = "inside"  # and no other grid lies within the accuracy
    BORDER = "border"  # inside (or on the line), another grid lies within the accuracy
    NEAR = "near"  # outside every grid, the nearest is within reach
    OUTSIDE = "outside"  # no grid within reach


@dataclass(frozen=True, slots=True)
class Candidate:
    """A grid that may hold the true place, with the probability that it does (0–1)."""

    grid_code: str
    share: float


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a point belongs.

    ``row`` is the grid's row in the arrays the index was built from (None outside). ``distance_m`` is the distance to
    the grid's own border for ``inside`` and ``border`` (the answer is stable for smaller errors), and to the nearest
    grid for ``near`` and ``outside``; None if there is no grid at all. ``candidates`` is filled when the stated
    accuracy leaves more than one possibility, likeliest first.
    """

    match: Match
    row: int | None
    grid_code: str | None
    sub_grid_code: str | None
    distance_m: float | None
    candidates: tuple[Candidate, ...] = ()


class Cover:
    """Polygons with codes, asked which of them covers a point; the lowest code has a shared border.

    ``geometries``: n polygons, none of them None; ``codes``: n texts. Coordinates are taken as planar: degrees of EPSG:4490 and
    metres serve alike, since the test is exact in either.
    """

    def __init__(self, codes: Sequence[str], geometries: Geometries) -> None:
        texts = np.asarray(codes, dtype=object)
        # code points in order, as COLLATE "C" sorts them in UTF-8
        self.order: Rows = np.array(
            sorted(range(len(texts)), key=lambda row: str(texts[row])), dtype=np.int64
        )
        self.codes: list[str] = [str(texts[row]) for row in self.order]
        self.geometries: Geometries = np.asarray(geometries, dtype=object)[self.order]
        shapely.prepare(self.geometries)
        self.tree = shapely.STRtree(self.geometries)

    def find(self, lon: float, lat: float) -> int:
        """Rank (place in code order) of the one polygon that has the point, or NOWHERE."""
        boxes: list[int] = sorted(self.tree.query(shapely.Point(lon, lat)).tolist())
        for rank in boxes:
            if shapely.intersects_xy(self.geometries[rank], lon, lat):
                return rank
        return NOWHERE

    def find_all(self, lon: Floats, lat: Floats) -> Rows:
        """``find`` for n points at once: n ranks."""
        ranks = np.full(len(lon), NOWHERE, dtype=np.int64)
        points, found = self.tree.query(shapely.points(lon, lat), predicate="intersects")
        # written from the highest rank down, so that the lowest stands at the end
        order = np.argsort(-found, kind="stable")
        ranks[points[order]] = found[order]
        return ranks


class GridIndex:
    """The grids of one generation, ready for routing.

    ``codes`` and ``geometries`` are the grids (polygons in EPSG:4490 longitude and latitude); ``crs`` is the metric CRS for
    distances (``core.geometry.metric_crs``), or None if the coordinates are already metres on a plane.
    ``sub_codes``, ``sub_geometries`` and ``sub_parents`` are the sub-grids and the code of the grid each belongs to.
    """

    def __init__(
        self,
        codes: Sequence[str],
        geometries: Geometries,
        crs: str | None,
        *,
        sub_codes: Sequence[str] = (),
        sub_geometries: Geometries | None = None,
        sub_parents: Sequence[str] = (),
    ) -> None:
        self.cover = Cover(codes, geometries)
        self.size = len(self.cover.codes)
        self._crs = crs
        self._plane = shapely.transform(self.cover.geometries, self._to_plane)
        self._borders = shapely.boundary(self._plane)
        shapely.prepare(self._borders)
        self._plane_tree = shapely.STRtree(self._plane)
        no_geometries: Geometries = np.empty(0, dtype=object)
        self._sub = Cover(sub_codes, no_geometries if sub_geometries is None else sub_geometries)
        self._sub_parents: list[str] = [str(sub_parents[row]) for row in self._sub.order]

    def _to_plane(self, coordinates: Floats) -> Floats:
        if self._crs is None or len(coordinates) == 0:
            return coordinates
        return np.column_stack(project(coordinates[:, 0], coordinates[:, 1], STORAGE_CRS, self._crs))

    def _point_on_plane(self, lon: float, lat: float) -> Any:
        return shapely.Point(self._to_plane(np.array([[lon, lat]]))[0])

    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of all grids in their own coordinates; None without grids."""
        if self.size == 0:
            return None
        west, south, east, north = shapely.total_bounds(self.cover.geometries).tolist()
        return west, south, east, north

    def route(
        self, lon: float, lat: float, accuracy_m: float | None = None, reach_m: float = REACH_M
    ) -> Routed:
        """Route one point; raises UnusableInput for coordinates that cannot be a place."""
        check_position(lon, lat, degrees=self._crs is not None)
        check_accuracy(accuracy_m)
        if self.size == 0:
            return Routed(Match.OUTSIDE, None, None, None, None)
        rank = self.cover.find(lon, lat)
        return self._decide(rank, lon, lat, accuracy_m, reach_m)

    def route_all(
        self, lon: Floats, lat: Floats, accuracy_m: Floats | None = None, reach_m: float = REACH_M
    ) -> list[Routed]:
        """Route n points, in their order; the same answers as ``route``, with one search of the index."""
        for x, y in zip(lon.tolist(), lat.tolist(), strict=True):
            check_position(x, y, degrees=self._crs is not None)
        if self.size == 0:
            return [Routed(Match.OUTSIDE, None, None, None, None)] * len(lon)
        ranks = self.cover.find_all(lon, lat)
        accuracies = (
            [None] * len(lon)
            if accuracy_m is None
            else [None if math.isnan(a) else a for a in accuracy_m.tolist()]
        )
        for accuracy in accuracies:
            check_accuracy(accuracy)
        return [
            self._decide(rank, x, y, accuracy, reach_m)
            for rank, x, y, accuracy in zip(
                ranks.tolist(), lon.tolist(), lat.tolist(), accuracies, strict=True
            )
        ]

    def _decide(self, rank: int, lon: float, lat: float, accuracy_m: float | None, reach_m: float) -> Routed:
        point = self._point_on_plane(lon, lat)
        if rank == NOWHERE:
            return self._decide_outside(point, accuracy_m, reach_m)
        code = self.cover.codes[rank]
        candidates: tuple[Candidate, ...] = ()
        if accuracy_m is not None:
            candidates = self._candidates(point, accuracy_m)
        others = any(candidate.grid_code != code for candidate in candidates)
        return Routed(
            match=Match.BORDER if others else Match.INSIDE,
            row=int(self.cover.order[rank]),
            grid_code=code,
            sub_grid_code=self._sub_grid(code, lon, lat),
            distance_m=round(float(shapely.distance(self._borders[rank], point)), 3),
            candidates=candidates if others else (),
        )

    def _decide_outside(self, point: Any, accuracy_m: float | None, reach_m: float) -> Routed:
        nearest, distances = self._plane_tree.query_nearest(point, return_distance=True, all_matches=True)
        distance = round(float(distances[0]), 3)
        if distance > reach_m:
            return Routed(Match.OUTSIDE, None, None, None, distance)
        # at a common corner both are equally near, but not always to the last bit
        within = self._plane_tree.query(point, predicate="dwithin", distance=float(distances[0]) + 1e-6)
        rank = int(min(*within.tolist(), *nearest.tolist()))
        return Routed(
            match=Match.NEAR,
            row=int(self.cover.order[rank]),
            grid_code=self.cover.codes[rank],
            sub_grid_code=None,
            distance_m=distance,
            candidates=() if accuracy_m is None else self._candidates(point, accuracy_m),
        )

    def _candidates(self, point: Any, accuracy_m: float) -> tuple[Candidate, ...]:
        within = self._plane_tree.query(point, predicate="dwithin", distance=accuracy_m)
        if within.size == 0:
            return ()
        sigma = accuracy_m / R95
        shares = [
            (round(normal_share(self._plane[rank], point.x, point.y, sigma), 4), rank)
            for rank in within.tolist()
        ]
        shares.sort(key=lambda pair: (-pair[0], pair[1]))
        return tuple(Candidate(self.cover.codes[rank], share) for share, rank in shares)

    def _sub_grid(self, grid_code: str, lon: float, lat: float) -> str | None:
        if not self._sub.codes:
            return None
        boxes: list[int] = sorted(self._sub.tree.query(shapely.Point(lon, lat)).tolist())
        for rank in boxes:
            if self._sub_parents[rank] == grid_code and shapely.intersects_xy(
                self._sub.geometries[rank], lon, lat
            ):
                return self._sub.codes[rank]
        return None


def check_accuracy(accuracy_m: float | None) -> None:
    """Raise UnusableInput unless the accuracy is a radius in metres that can mean something."""
    if accuracy_m is None or 0.0 <= accuracy_m <= MAX_ACCURACY_M:  # NaN fails both
        return
    raise UnusableInput(
        msg(
            "定位精度 accuracy_m 应为 0 到 {most} 米之间的数，现为 {value}。",
            most=int(MAX_ACCURACY_M),
            value=accuracy_m,
        ),
        field="accuracy_m",
        expected=msg("0 到 {most} 之间的数（米）", most=int(MAX_ACCURACY_M)),
    )


def check_position(lon: float, lat: float, *, degrees: bool = True) -> None:
    """Raise UnusableInput for what cannot be a place: NaN, infinities, out of range, axes swapped."""
    for name, value, most in (("lon", lon, 180.0), ("lat", lat, 90.0)):
        if not math.isfinite(value):
            raise UnusableInput(
                msg("{name} 应为有限的数，现为 {value}。", name=name, value=value),
                field=name,
                expected=msg("有限的数（度）"),
            )
        if degrees and abs(value) > most and not _looks_swapped(lon, lat):
            raise UnusableInput(
                msg(
                    "{name} 应在 -{most} 与 {most} 之间，现为 {value}。",
                    name=name,
                    most=int(most),
                    value=value,
                ),
                field=name,
                expected=msg("-{most} 到 {most} 之间的度数", most=int(most)),
            )
    if degrees and _looks_swapped(lon, lat):
        raise UnusableInput(
            msg("经度 {lon} 与纬度 {lat} 似乎写反了：请把经度写在 lon，纬度写在 lat。", lon=lon, lat=lat),
            field="lon",
            expected=msg("经度（73 到 135 度）"),
        )


def _in_china(lon: float, lat: float) -> bool:
    return 73.0 <= lon <= 135.5 and 3.0 <= lat <= 54.0


def _looks_swapped(lon: float, lat: float) -> bool:
    return not _in_china(lon, lat) and _in_china(lat, lon)


# 24 Gauss–Legendre nodes keep the share within 1e-4 for every edge from 1/100 to 1,000 standard deviations
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)


def normal_share(polygon: Any, x: float, y: float, sigma: float) -> float:
    """Probability that a point drawn from an isotropic normal distribution around (x, y) lies in ``polygon``.

    Coordinates and ``sigma`` (standard deviation of each axis) in metres. ``sigma`` 0 puts the whole weight on (x, y).
    In polar form the mass of a ring is ∮(1 − exp(−r²/2σ²)) dθ / 2π over its edges.
    """
    if sigma <= 0.0:
        return 1.0 if shapely.intersects_xy(polygon, x, y) else 0.0
    total = 0.0
    for part in shapely.get_parts(polygon):
        rings = shapely.get_rings(part)
        masses = [abs(_ring_mass(shapely.get_coordinates(ring), x, y, sigma)) for ring in rings]
        total += masses[0] - sum(masses[1:])
    return min(max(total, 0.0), 1.0)


def _ring_mass(ring: Floats, x: float, y: float, sigma: float) -> float:
    relative = (ring - (x, y)) / sigma
    start, end = relative[:-1], relative[1:]
    along = end - start
    length = np.hypot(along[:, 0], along[:, 1])
    start, along, length = start[length > 0], along[length > 0], length[length > 0]
    unit = along / length[:, None]
    # the edge's line has signed distance d from the point; s runs along the edge, from the foot of that distance
    d = start[:, 0] * unit[:, 1] - start[:, 1] * unit[:, 0]
    s0 = (start * unit).sum(axis=1)
    # s = sinh(u) is fine near the foot, where the integrand bends, and coarse far away, where it is flat
    u0, u1 = np.arcsinh(s0), np.arcsinh(s0 + length)
    half = (u1 - u0) / 2
    u = (u0 + u1)[:, None] / 2 + half[:, None] * _NODES
    r2 = np.maximum(d[:, None] ** 2 + np.sinh(u) ** 2, 1e-300)
    integrand = -np.expm1(-r2 / 2) / r2 * np.cosh(u)
    return float((d * half * (integrand @ _WEIGHTS)).sum() / (2 * np.pi))
