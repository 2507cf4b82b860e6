"""The grids of one generation, asked where points belong."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

import numpy as np
import shapely
from pyproj import Geod

from gis_server.core.geometry import STORAGE_CRS, project
from gis_server.core.message import Message
from gis_server.core.routing.cover import NOWHERE, Cover
from gis_server.core.routing.edges import Floats, Geometries, Kinds, Rows
from gis_server.core.routing.position import check_accuracy, check_position, unusable
from gis_server.core.routing.share import R95, R999, normal_shares

REACH_M = 50.0
"""How far outside every grid a point may lie, in metres, and still be given to the nearest one (our number)."""

SMALLEST_SHARE = 0.001
"""A grid less likely than this is not named as a candidate."""

_EARTH = Geod(ellps="GRS80")
_BEND_DEGREES = 0.001
_TIE_M = 1e-6  # at a common corner two grids are equally near, but not always to the last bit
_TOGETHER = 5_000  # positions whose shares are worked out at once: some 30 MB


class Match(StrEnum):
    """How a point came to its grid."""

    INSIDE = "inside"  # and no other grid lies within the accuracy
    BORDER = "border"  # inside (or on the line), another grid lies within the accuracy
    NEAR = "near"  # outside every grid, the nearest is within reach
    OUTSIDE = "outside"  # no grid within reach


_MATCHES = tuple(Match)
_INSIDE, _BORDER, _NEAR, _OUTSIDE = range(4)
_NONE = -1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A grid that may hold the true place, with the probability that it does (0–1)."""

    grid_code: str
    share: float


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a point belongs.

    ``row`` is the grid's row in the arrays the index was built from (None outside). ``distance_m`` is the distance to
    the grid's own border for ``inside`` and ``border``, and to the nearest grid for ``near`` and ``outside``; None if
    there is no grid at all. ``candidates`` is filled when the stated accuracy leaves more than one possibility,
    likeliest first. ``stable_within_m``: any place nearer than this to the point has the same ``grid_code`` (among
    grids that do not overlap).
    """

    match: Match
    row: int | None
    grid_code: str | None
    sub_grid_code: str | None
    distance_m: float | None
    candidates: tuple[Candidate, ...] = ()
    stable_within_m: float | None = None


@dataclass(slots=True)
class Candidates:
    """Columns of all candidates of many points: by point, and for one point the likeliest first."""

    points: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    ranks: Rows = field(default_factory=lambda: np.empty(0, np.int64))
    shares: Floats = field(default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True)
class Routes:
    """Where each of n points belongs, as columns; ``routes[i]`` is the answer to point i.

    ``ranks`` are places in the order of the codes, NOWHERE for none; so are ``sub_ranks``; a distance of NaN is none. A point in
    ``problems`` is no place: it has a reason instead of an answer.
    """

    index: "GridIndex"
    kinds: Kinds  # places in Match, -1 where there is no answer
    ranks: Rows
    sub_ranks: Rows
    distance_m: Floats
    stable_within_m: Floats
    candidates: Candidates = field(default_factory=Candidates)
    problems: dict[int, Message] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.ranks)

    def __iter__(self) -> Iterator[Routed | Message]:
        return (self[point] for point in range(len(self)))

    def __getitem__(self, point: int) -> Routed | Message:
        if (problem := self.problems.get(point)) is not None:
            return problem
        rank, sub_rank = int(self.ranks[point]), int(self.sub_ranks[point])
        distance, stable = float(self.distance_m[point]), float(self.stable_within_m[point])
        return Routed(
            match=_MATCHES[self.kinds[point]],
            row=None if rank == NOWHERE else int(self.index.cover.order[rank]),
            grid_code=None if rank == NOWHERE else self.index.cover.codes[rank],
            sub_grid_code=None if sub_rank == NOWHERE else self.index.sub_codes[sub_rank],
            distance_m=None if np.isnan(distance) else distance,
            candidates=self.candidates_of(point),
            stable_within_m=None if np.isnan(stable) else stable,
        )

    def candidates_of(self, point: int) -> tuple[Candidate, ...]:
        """The candidates of one point, likeliest first; none where the answer is certain."""
        named = self.candidates
        first, last = np.searchsorted(named.points, [point, point + 1]).tolist()
        codes = self.index.cover.codes
        return tuple(
            Candidate(codes[rank], share)
            for rank, share in zip(
                named.ranks[first:last].tolist(), named.shares[first:last].tolist(), strict=True
            )
        )

    def matches(self) -> list[Match | None]:
        """How each point came to its grid; None where it is no place."""
        names = [*_MATCHES, None]  # _NONE is the last
        return [names[kind] for kind in self.kinds.tolist()]

    def grid_codes(self) -> list[str | None]:
        """The grid of each point."""
        codes = [*self.index.cover.codes, None]  # NOWHERE is the last
        return [codes[rank] for rank in self.ranks.tolist()]

    def sub_grid_codes(self) -> list[str | None]:
        """The sub-grid of each point."""
        codes = [*self.index.sub_codes, None]
        return [codes[rank] for rank in self.sub_ranks.tolist()]


class GridIndex:
    """The grids of one generation, ready for routing.

    ``codes`` and ``geometries`` are the grids (valid polygons in EPSG:4490 longitude and latitude); ``crs`` is the metric CRS
    for distances (``core.geometry.metric_crs``), or None if the coordinates are already metres on a plane.
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
        # an edge that is straight in degrees bends on the plane, by a third of a millimetre at this length
        straight = (
            self.cover.geometries if crs is None else shapely.segmentize(self.cover.geometries, _BEND_DEGREES)
        )
        self._plane = shapely.transform(straight, self._to_plane)
        no_geometries: Geometries = np.empty(0, dtype=object)
        self._sub = Cover(sub_codes, no_geometries if sub_geometries is None else sub_geometries)
        # rows of one code are one grid: a file may bring its parts one by one
        first_of: dict[str, int] = {}
        self._grid_of: Rows = np.array(
            [first_of.setdefault(code, rank) for rank, code in enumerate(self.cover.codes)], dtype=np.int64
        )
        # a sub-grid whose grid is not there is never an answer
        self._sub_parents: Rows = np.array(
            [first_of.get(str(sub_parents[row]), NOWHERE) for row in self._sub.order], dtype=np.int64
        )

    @property
    def sub_codes(self) -> list[str]:
        """Codes of the sub-grids in their order."""
        return self._sub.codes

    @cached_property
    def _plane_tree(self) -> shapely.STRtree:
        return shapely.STRtree(self._plane)

    def _to_plane(self, coordinates: Floats) -> Floats:
        if self._crs is None or len(coordinates) == 0:
            return coordinates
        return np.column_stack(project(coordinates[:, 0], coordinates[:, 1], STORAGE_CRS, self._crs))

    def bounds(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of all grids in their own coordinates; None without grids."""
        if self.size == 0:
            return None
        west, south, east, north = shapely.total_bounds(self.cover.geometries).tolist()
        return west, south, east, north

    def find(self, lon: float, lat: float) -> str | None:
        """The code of the grid that covers the point, without distance, candidates and checks: within microseconds."""
        rank = self.cover.find(lon, lat)
        return None if rank == NOWHERE else self.cover.codes[rank]

    def route(
        self, lon: float, lat: float, accuracy_m: float | None = None, reach_m: float = REACH_M
    ) -> Routed:
        """Route one point; raises UnusableInput for coordinates that cannot be a place."""
        check_position(lon, lat, degrees=self._crs is not None)
        check_accuracy(accuracy_m)
        if (quick := self._route_inside(lon, lat, accuracy_m or 0.0)) is not None:
            return quick
        accuracy = None if accuracy_m is None else np.array([accuracy_m])
        found = self.route_all(np.array([lon]), np.array([lat]), accuracy, reach_m)[0]
        assert isinstance(found, Routed)  # noqa: S101  (checked above)
        return found

    def _route_inside(self, lon: float, lat: float, accuracy_m: float) -> Routed | None:
        """The answer of ``route_all`` to most points, with less ado: inside, no other grid within the accuracy."""
        rank = self.cover.find(lon, lat)
        if rank == NOWHERE:
            return None
        grid = self._grid_of[rank]
        point = shapely.Point(self._to_plane(np.array([[lon, lat]]))[0])
        if accuracy_m > 0.0:
            within = self._plane_tree.query(point, predicate="dwithin", distance=accuracy_m)
            if (self._grid_of[within] != grid).any():
                return None
        sub_rank = self._sub.find(lon, lat)
        if sub_rank != NOWHERE and self._sub_parents[sub_rank] != grid:
            return None
        distance = shapely.distance(shapely.boundary(self._plane[rank]), point)
        return Routed(
            match=Match.INSIDE,
            row=int(self.cover.order[rank]),
            grid_code=self.cover.codes[rank],
            sub_grid_code=None if sub_rank == NOWHERE else self.sub_codes[sub_rank],
            distance_m=float(np.round(distance, 3)),
            stable_within_m=float(np.floor(distance * 1000.0) / 1000.0),
        )

    def route_all(
        self,
        lon: Floats,
        lat: Floats,
        accuracy_m: Floats | None = None,
        reach_m: float = REACH_M,
    ) -> Routes:
        """Route n points, in their order; NaN in ``accuracy_m`` is none stated. What is no place is a problem of its row."""
        n = len(lon)
        accuracy = np.full(n, np.nan) if accuracy_m is None else accuracy_m
        problems = unusable(lon, lat, accuracy, degrees=self._crs is not None)
        found = Routes(
            self,
            np.full(n, _OUTSIDE, dtype=np.int8),
            self.cover.find_all(lon, lat),
            np.full(n, NOWHERE, dtype=np.int64),
            np.full(n, np.nan),
            np.full(n, np.nan),
            problems=problems,
        )
        bad = np.array(sorted(problems), dtype=np.int64)
        found.kinds[bad], found.ranks[bad] = _NONE, NOWHERE
        if self.size == 0:
            return found
        places = self._to_plane(np.column_stack([lon, lat]))
        self._measure_beyond(found, lon, lat, places)
        in_grid = np.flatnonzero(found.ranks != NOWHERE)
        self._measure_inside(found, in_grid, places)
        outside = (found.ranks == NOWHERE) & np.isfinite(places).all(axis=1)
        outside[bad] = False
        self._measure_outside(found, np.flatnonzero(outside), places, reach_m)
        np.round(found.distance_m, 3, out=found.distance_m)
        # rounded down, because it is a promise
        np.floor(found.stable_within_m * 1000.0, out=found.stable_within_m)
        np.divide(found.stable_within_m, 1000.0, out=found.stable_within_m)
        uncertain = found.ranks != NOWHERE
        uncertain &= accuracy > 0.0
        self._name_candidates(found, np.flatnonzero(uncertain), places, accuracy)
        self._find_sub_grids(found, in_grid, lon, lat)
        return found

    def _measure_inside(self, found: Routes, points: Rows, places: Floats) -> None:
        ranks, place = np.unique(found.ranks[points], return_inverse=True)
        borders = shapely.boundary(self._plane[ranks])
        found.distance_m[points] = shapely.distance(borders[place], shapely.points(places[points]))
        found.stable_within_m[points] = found.distance_m[points]
        found.kinds[points] = _INSIDE

    def _measure_beyond(self, found: Routes, lon: Floats, lat: Floats, places: Floats) -> None:
        """Points on the far side of the Earth, which the projection does not reach: about how far they are."""
        beyond = np.flatnonzero(~np.isfinite(places).all(axis=1))
        beyond = beyond[found.kinds[beyond] == _OUTSIDE]
        if len(beyond) == 0:
            return
        west, south, east, north = shapely.total_bounds(self.cover.geometries).tolist()
        x, y = lon[beyond], lat[beyond]
        _, _, distance = _EARTH.inv(x, y, np.clip(x, west, east), np.clip(y, south, north))
        found.distance_m[beyond] = distance
        found.stable_within_m[beyond] = distance / 2

    def _measure_outside(self, found: Routes, points: Rows, places: Floats, reach_m: float) -> None:
        if len(points) == 0:
            return
        shapes = shapely.points(places[points])
        _, distance = self._plane_tree.query_nearest(shapes, return_distance=True, all_matches=False)
        found.distance_m[points] = distance
        found.stable_within_m[points] = distance - reach_m
        near = np.flatnonzero(np.round(distance, 3) <= reach_m)
        if len(near) == 0:
            return
        # every grid that may become the nearest before the point leaves the reach of its own
        radius = np.maximum(2.0 * reach_m - distance[near], distance[near] + _TIE_M)
        which, ranks = self._plane_tree.query(shapes[near], predicate="dwithin", distance=radius)
        apart = shapely.distance(self._plane[ranks], shapes[near[which]])
        nearest = np.full(len(near), self.size, dtype=np.int64)
        tied = apart <= distance[near[which]] + _TIE_M
        np.minimum.at(nearest, which[tied], ranks[tied])
        second = np.full(len(near), np.inf)
        other = ranks != nearest[which]
        np.minimum.at(second, which[other], apart[other])
        rows = points[near]
        found.ranks[rows] = nearest
        found.kinds[rows] = _NEAR
        margin = np.minimum(reach_m - distance[near], (second - distance[near]) / 2.0)
        found.stable_within_m[rows] = np.maximum(margin, 0.0)

    def _name_candidates(self, found: Routes, points: Rows, places: Floats, accuracy: Floats) -> None:
        if len(points) == 0:
            return
        shapes = shapely.points(places[points])
        which, ranks = self._plane_tree.query(shapes, predicate="dwithin", distance=accuracy[points])
        is_near = found.kinds[points] == _NEAR
        named = np.zeros(len(points), dtype=bool)
        own = self._grid_of[ranks] == self._grid_of[found.ranks[points[which]]]
        named[which[~own | is_near[which]]] = True
        named = np.flatnonzero(named)
        found.kinds[points[named[~is_near[named]]]] = _BORDER
        if len(named) == 0:
            return
        # neighbours together, so that a grid's border is taken apart once for many points
        named = named[np.argsort(found.ranks[points[named]], kind="stable")]
        parts = [
            self._share_out(found, points[some], shapes[some], places, accuracy)
            for some in np.split(named, range(_TOGETHER, len(named), _TOGETHER))
        ]
        which, ranks, shares = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = np.lexsort([ranks, -shares, which])
        all_of = found.candidates
        all_of.points, all_of.ranks, all_of.shares = which[order], ranks[order], shares[order]

    def _share_out(
        self, found: Routes, points: Rows, shapes: Geometries, places: Floats, accuracy: Floats
    ) -> tuple[Rows, Rows, Floats]:
        """Points, ranks and shares of every grid that may hold one of the points."""
        sigma = accuracy[points] / R95
        which, ranks = self._plane_tree.query(shapes, predicate="dwithin", distance=sigma * R999)
        x, y = places[points[which]].T
        parts = normal_shares(self._plane, ranks, x, y, sigma[which])
        key = which * self.size + self._grid_of[ranks]
        pairs, place = np.unique(key, return_inverse=True)
        which, ranks = np.divmod(pairs, self.size)
        shares = np.round(np.bincount(place, weights=parts, minlength=len(pairs)), 4)
        keep = (shares >= SMALLEST_SHARE) | (ranks == self._grid_of[found.ranks[points[which]]])
        return points[which[keep]], ranks[keep], shares[keep]

    def _find_sub_grids(self, found: Routes, points: Rows, lon: Floats, lat: Floats) -> None:
        if not self._sub.codes:
            return
        x, y, parents = lon[points], lat[points], found.ranks[points]
        parents = self._grid_of[parents]
        ranks = self._sub.find_all(x, y)
        # on a border, or where they overlap, the lowest code may be a sub-grid of another grid
        foreign = np.flatnonzero((ranks != NOWHERE) & (self._sub_parents[ranks] != parents))
        ranks[foreign] = NOWHERE
        which, covering = self._sub.tree.query(shapely.points(x[foreign], y[foreign]), predicate="intersects")
        own = self._sub_parents[covering] == parents[foreign[which]]
        which, covering = foreign[which[own]], covering[own]
        order = np.argsort(-covering, kind="stable")
        ranks[which[order]] = covering[order]
        found.sub_ranks[points] = ranks
