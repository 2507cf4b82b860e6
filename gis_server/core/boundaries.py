"""All boundaries that hold at one moment: areas, grids and sub-grids, and what a point is told by them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from gis_server.core.geometry import metric_or_utm, middle
from gis_server.core.message import Message, msg
from gis_server.core.roster import StaffedGrid
from gis_server.core.routing import NOWHERE, Cover, Floats, Geometries, GridIndex, Match, Routed
from gis_server.core.vocabulary import GridKind, SettlementClass

LEVELS = ("community", "township", "county")
"""Admin levels, deepest first."""


@dataclass(frozen=True, slots=True)
class AreaRows:
    """n areas: codes, names, levels, paths (codes county … self), polygons in EPSG:4490."""

    codes: Sequence[str]
    names: Sequence[str]
    levels: Sequence[str]
    paths: Sequence[tuple[str, ...]]
    geometries: Geometries


@dataclass(frozen=True, slots=True)
class GridRows:
    """n grids: row ids, codes, names, codes of their communities, polygons in EPSG:4490.

    ``kinds`` and ``settlement_classes`` are the words of the vocabulary, or whatever else the file had; the managing
    departments are those of exclusive grids.
    """

    ids: Sequence[int]
    codes: Sequence[str]
    names: Sequence[str]
    community_codes: Sequence[str]
    kinds: Sequence[str | None]
    settlement_classes: Sequence[str | None]
    managing_departments: Sequence[str | None]
    geometries: Geometries


@dataclass(frozen=True, slots=True)
class SubGridRows:
    """n sub-grids: codes, codes of their grids, polygons in EPSG:4490."""

    codes: Sequence[str]
    grid_codes: Sequence[str]
    geometries: Geometries


@dataclass(frozen=True, slots=True)
class Place:
    """A routed point with the row ids and names behind its codes.

    ``path_candidates`` are the paths of every grid that may hold the point: whoever answers for one of them may act.
    ``shared_by`` are the codes of all grids on whose common border it lies, the lowest first; empty elsewhere. ``staffed`` is
    what the roster's rules ask of its grid.
    """

    routed: Routed
    lon: float
    lat: float
    grid_id: int | None
    grid_name: str | None
    area_path: tuple[str, ...]
    area_names: tuple[str, ...]
    path_candidates: tuple[tuple[str, ...], ...]
    shared_by: tuple[str, ...] = ()
    staffed: StaffedGrid | None = None

    @property
    def responsible(self) -> dict[str, object]:
        """Who answers for the place, as far as the boundaries tell: the grid's name and its areas, county first."""
        areas = [
            {"code": code, "name": name} for code, name in zip(self.area_path, self.area_names, strict=True)
        ]
        return {"grid_name": self.grid_name, "areas": areas}


class Boundaries:
    """The index of one set of generations. Immutable; safe to share between threads."""

    def __init__(
        self, generations: Mapping[str, int], areas: AreaRows, grids: GridRows, sub_grids: SubGridRows
    ) -> None:
        self.generations = dict(generations)
        self._grids = grids
        self._paths = dict(zip(areas.codes, areas.paths, strict=True))
        self._names = dict(zip(areas.codes, areas.names, strict=True))
        levels = np.asarray(areas.levels, dtype=object)
        self._covers: list[Cover] = []
        for level in LEVELS:
            rows: list[int] = np.flatnonzero(levels == level).tolist()
            self._covers.append(Cover([areas.codes[row] for row in rows], areas.geometries[rows]))
        centre = middle(grids.geometries)
        self.index = GridIndex(
            grids.codes,
            grids.geometries,
            None if centre is None else metric_or_utm(*centre),
            sub_codes=sub_grids.codes,
            sub_geometries=sub_grids.geometries,
            sub_parents=sub_grids.grid_codes,
        )
        self._row_of = {code: row for row, code in enumerate(grids.codes)}

    def path_of(self, area_code: str) -> tuple[str, ...]:
        """The codes of an area and those above it, county first; empty for one that is not there."""
        return self._paths.get(area_code, ())

    def row_of(self, grid_code: str) -> int | None:
        """The row of a grid by its code; None for one that is not there."""
        return self._row_of.get(grid_code)

    def route(self, lon: float, lat: float, accuracy_m: float | None = None) -> Place:
        """Where a point (CGCS2000 degrees) belongs; outside every grid the deepest area that covers it is named."""
        return self._place(self.index.route(lon, lat, accuracy_m), lon, lat)

    def route_all(self, lon: Floats, lat: Floats, accuracy_m: Floats | None = None) -> list[Place | Message]:
        """``route`` for n points at once, in their order; NaN in ``accuracy_m`` is none stated.

        What cannot be a place has the reason in its place, and does not stop the others.
        """
        found = self.index.route_all(lon, lat, accuracy_m)
        return [
            routed if isinstance(routed, Message) else self._place(routed, x, y)
            for routed, x, y in zip(found, lon.tolist(), lat.tolist(), strict=True)
        ]

    def _place(self, routed: Routed, lon: float, lat: float) -> Place:
        if routed.row is None:
            inside = self._area_path(lon, lat)
            # in no area at all it is in nobody's territory, and waits with the county it is nearest to
            path = inside or self._nearest_county(lon, lat)
            return Place(
                routed, lon, lat, None, None, path, self._names_of(path), (inside,) if inside else ()
            )
        row = routed.row
        path = self._paths.get(self._grids.community_codes[row], ())
        candidates = [path]
        for candidate in routed.candidates:
            community = self._grids.community_codes[self._row_of[candidate.grid_code]]
            candidates.append(self._paths.get(community, ()))
        return Place(
            routed=routed,
            lon=lon,
            lat=lat,
            grid_id=self._grids.ids[row],
            grid_name=self._grids.names[row],
            area_path=path,
            area_names=self._names_of(path),
            path_candidates=tuple(dict.fromkeys(path for path in candidates if path)),
            shared_by=self._shared_by(routed, lon, lat),
            staffed=self.staffed(row),
        )

    def _shared_by(self, routed: Routed, lon: float, lat: float) -> tuple[str, ...]:
        if (
            routed.match is Match.NEAR or routed.distance_m != 0.0
        ):  # rounded to millimetres: the covers decide
            return ()
        ranks = self.index.cover.tree.query(shapely.Point(lon, lat), predicate="intersects")
        codes = sorted({self.index.cover.codes[rank] for rank in ranks.tolist()})
        return tuple(codes) if len(codes) > 1 else ()

    def staffed(self, row: int) -> StaffedGrid:
        """What the roster's rules ask of the grid in ``row`` of the rows given."""
        grids = self._grids
        kind, settlement = grids.kinds[row], grids.settlement_classes[row]
        return StaffedGrid(
            fid=row,
            code=grids.codes[row],
            kind=GridKind(kind) if kind in set(GridKind) else None,
            settlement_class=SettlementClass(settlement) if settlement in set(SettlementClass) else None,
            path=self._paths.get(grids.community_codes[row], ()),
            managing_department=grids.managing_departments[row],
        )

    @property
    def grids(self) -> GridRows:
        """The grids as they were given."""
        return self._grids

    @property
    def areas(self) -> Mapping[str, tuple[str, ...]]:
        """The path of every area (codes from the county to itself) by its code."""
        return self._paths

    def name_of(self, code: str) -> str:
        """The name of an area; its code if it has none."""
        return self._names.get(code, code)

    def _area_path(self, lon: float, lat: float) -> tuple[str, ...]:
        for cover in self._covers:
            rank = cover.find(lon, lat)
            if rank != NOWHERE:
                return self._paths[cover.codes[rank]]
        return ()

    def _nearest_county(self, lon: float, lat: float) -> tuple[str, ...]:
        counties = self._covers[-1]
        if not counties.codes:
            return ()
        point = shapely.Point(lon, lat)
        # of equally near ones the lowest code, which comes first
        nearest = int(np.argmin(shapely.distance(counties.geometries, point)))
        return self._paths[counties.codes[nearest]]

    def _names_of(self, path: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(self._names.get(code, code) for code in path)


FAR_M = 20_000.0
"""A point farther than this from every grid is no place of this deployment (our number)."""


def too_far(place: Place) -> Message | None:
    """Why a point cannot be a place of this deployment; None if it can."""
    if place.path_candidates or place.routed.distance_m is None or place.routed.distance_m <= FAR_M:
        return None
    return msg(
        "该点（经度 {lon}，纬度 {lat}）距最近的网格 {km} 公里，不在本地范围内，请检查坐标与坐标系。",
        lon=round(place.lon, 6),
        lat=round(place.lat, 6),
        km=round(place.routed.distance_m / 1000),
    )
