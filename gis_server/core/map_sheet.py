"""What stands on a printed grid division map (网格划分图), and where: ground in metres, frame in millimetres.

The map is true to scale in the Gauss–Krüger zone of the place; its upward direction is that zone's grid north.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS, Proj
from shapely.geometry.base import BaseGeometry

from gis_server.core.catalogue import Layer
from gis_server.core.geometry import STORAGE_CRS, parse_crs, project, transform
from gis_server.core.sheet import Box, lattice_step, round_scale

Geometries = NDArray[np.object_]
Bounds = tuple[float, float, float, float]
"""West, south, east, north."""

_FREE = 0.04
"""Share of the frame that stays free on every side of what the map is about, so that the neighbours show."""

_FINEST_MM = 0.03
"""Bends finer than this cannot be printed."""


@dataclass(frozen=True, slots=True)
class GridOnMap:
    """A grid: its whole code, the last three digits by which the map calls it, its kind and the name of its community."""

    code: str
    name: str
    kind: str | None
    community: str
    geometry: BaseGeometry

    @property
    def number(self) -> str:
        """How the map calls it: the sequence at the end of its code."""
        return self.code[-3:]


@dataclass(frozen=True, slots=True)
class AreaOnMap:
    """An area of a level (county, township, community)."""

    code: str
    name: str
    level: str
    geometry: BaseGeometry


@dataclass(frozen=True, slots=True)
class Theme:
    """A layer that gives orientation: n geometries, the class of each by its style, and a label where it has one."""

    layer: Layer
    geometries: Geometries
    classes: Sequence[str | None]
    labels: Sequence[str | None]


@dataclass(frozen=True, slots=True)
class MapContent:
    """All that a map may show, in one metric CRS: first to last as it is drawn.

    ``focus`` is what the map is about. ``grids`` are drawn and lettered, ``beside`` only hinted at, ``neighbours`` are the areas
    around. ``chosen`` is the code of the one grid that the map is about, if it is about one.
    """

    crs: str
    focus: BaseGeometry
    themes: Sequence[Theme]
    areas: Sequence[AreaOnMap]
    neighbours: Sequence[AreaOnMap]
    grids: Sequence[GridOnMap]
    beside: Sequence[GridOnMap] = ()
    sub_grids: Sequence[tuple[str, BaseGeometry]] = ()
    chosen: str | None = None


@dataclass(frozen=True)
class MapFrame:
    """A map's place on paper: ``scale`` is the denominator, ``west`` and ``north`` the ground at the box's upper left corner."""

    crs: str
    box: Box
    scale: int
    west: float
    north: float

    @property
    def mm_per_m(self) -> float:
        """Millimetres on paper of one metre on the ground."""
        return 1000 / self.scale

    @property
    def ground(self) -> Bounds:
        """The ground inside the frame, in metres of the CRS."""
        width, height = self.box.width / self.mm_per_m, self.box.height / self.mm_per_m
        return (self.west, self.north - height, self.west + width, self.north)

    def x(self, east: float) -> float:
        """Millimetres from the sheet's left edge."""
        return self.box.x + (east - self.west) * self.mm_per_m

    def y(self, north: float) -> float:
        """Millimetres from the sheet's upper edge."""
        return self.box.y + (self.north - north) * self.mm_per_m

    def on_paper(self, geometries: Geometries) -> Geometries:
        """Ground to paper, cut at the frame, without bends too fine to print; what lies outside becomes empty."""
        scale = self.mm_per_m
        origin = np.array([self.box.x - self.west * scale, self.box.y + self.north * scale])
        moved = shapely.transform(
            np.asarray(geometries, object), lambda xy: xy * np.array([scale, -scale]) + origin
        )
        simple = shapely.simplify(moved, _FINEST_MM)
        broken = ~shapely.is_valid(simple)
        simple[broken] = shapely.make_valid(simple[broken], method="structure", keep_collapsed=False)
        box = shapely.box(self.box.x, self.box.y, self.box.right, self.box.bottom)
        crossing = ~shapely.contains(box, simple)
        simple[crossing] = shapely.intersection(simple[crossing], box)
        return np.asarray(simple)

    @cached_property
    def degrees(self) -> Bounds:
        """The frame's ground in longitude and latitude, a little more rather than less."""
        west, south, east, north = self.ground
        edge = shapely.segmentize(shapely.box(west, south, east, north), (east - west) / 8)
        corners = shapely.get_coordinates(edge)
        lon, lat = project(corners[:, 0], corners[:, 1], self.crs, STORAGE_CRS)
        return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())

    @cached_property
    def step(self) -> float:
        """Metres between the coordinate lines."""
        return lattice_step(self.scale, max(self.box.width, self.box.height) / 4)

    def lines(self) -> tuple[list[float], list[float]]:
        """The eastings and the northings at which coordinate lines lie, west to east and north to south."""
        west, south, east, north = self.ground
        eastings = np.arange(np.ceil(west / self.step), np.floor(east / self.step) + 1) * self.step
        northings = np.arange(np.floor(north / self.step), np.ceil(south / self.step) - 1, -1) * self.step
        return eastings.tolist(), northings.tolist()

    def square(self, geometry: BaseGeometry) -> str:
        """The square between the coordinate lines in which a shape's inner point lies: letter of the column, number of the row."""
        point = shapely.point_on_surface(geometry)
        eastings, northings = self.lines()
        column = sum(east <= point.x for east in eastings)
        row = sum(north >= point.y for north in northings)
        return f"{letter(column)}{row + 1}"

    @cached_property
    def convergence(self) -> float:
        """By how many degrees grid north lies east of true north in the middle of the map; negative: west."""
        west, south, east, north = self.ground
        lon, lat = project(
            np.array([(west + east) / 2]), np.array([(south + north) / 2]), self.crs, STORAGE_CRS
        )
        factors = Proj(CRS.from_user_input(self.crs)).get_factors(float(lon[0]), float(lat[0]))
        return float(factors.meridian_convergence)


def letter(column: int) -> str:
    """A, B … Z, AA, AB …"""
    return letter(column // 26 - 1) + chr(65 + column % 26) if column >= 26 else chr(65 + column)


def frame_for(box: Box, crs: str, bounds: Bounds) -> MapFrame:
    """The frame in ``box`` at the largest round scale that shows ``bounds`` (metres) whole, in its middle."""
    west, south, east, north = bounds
    room = (box.width * (1 - 2 * _FREE), box.height * (1 - 2 * _FREE))
    scale = round_scale((max(east - west, 1.0), max(north - south, 1.0)), room)
    width, height = box.width * scale / 1000, box.height * scale / 1000
    return MapFrame(crs, box, scale, (west + east - width) / 2, (south + north + height) / 2)


def to_ground(geometries: Geometries, crs: str) -> Geometries:
    """Longitude/latitude to metres of ``crs``."""
    return transform(geometries, STORAGE_CRS, crs)


def central_meridian(crs: str) -> float | None:
    """The meridian on which a transverse Mercator CRS stands, in degrees; None for other projections."""
    operation = parse_crs(crs).coordinate_operation
    parameters = [] if operation is None else operation.params
    return next(
        (float(p.value) for p in parameters if "natural origin" in p.name and "ongitude" in p.name), None
    )


LEAST_CROWDED = 4
"""Fewer grids than this that are too small for their numbers get no map of their own."""

LEAST_GAIN = 1.6
"""How many times larger the scale of an enlargement must be to be worth a sheet."""

_TOGETHER_MM = 12.0


MOST_ENLARGED = 24
"""Enlargements of one map at most; what is left then is found by its square."""


def crowded(
    frame: MapFrame, too_small: Sequence[GridOnMap], reach: float
) -> list[tuple[Bounds, list[GridOnMap]]]:
    """Where many grids too small for their numbers lie together: bounds in metres, and the grids, most first.

    Grids within ``reach`` × 12 mm on paper of one another belong together; a part that could not be drawn much larger is parted
    until it can.
    """
    if len(too_small) < LEAST_CROWDED:
        return []
    shapes = np.array([grid.geometry for grid in too_small], object)
    near = reach * _TOGETHER_MM / frame.mm_per_m
    parts = shapely.get_parts(shapely.union_all(shapely.buffer(shapely.envelope(shapes), near / 2)))
    tree = shapely.STRtree(shapes)
    found: list[tuple[Bounds, list[GridOnMap]]] = []
    for part in parts:
        members = [too_small[i] for i in sorted(tree.query(part, predicate="intersects").tolist())]
        found += _large_enough(frame, members)
    return sorted(found, key=lambda one: -len(one[1]))[:MOST_ENLARGED]


def _large_enough(frame: MapFrame, members: list[GridOnMap]) -> list[tuple[Bounds, list[GridOnMap]]]:
    """The grids in as few parts as can each be drawn much larger; parts of too few grids are left out."""
    if len(members) < LEAST_CROWDED:
        return []
    west, south, east, north = (
        float(side) for side in shapely.total_bounds(np.array([grid.geometry for grid in members], object))
    )
    if frame_for(frame.box, frame.crs, (west, south, east, north)).scale * LEAST_GAIN <= frame.scale:
        return [((west, south, east, north), members)]
    # across the side that fills the frame the more
    by_x = (east - west) * frame.box.height > (north - south) * frame.box.width
    ordered = sorted(members, key=lambda grid: grid.geometry.centroid.x if by_x else grid.geometry.centroid.y)
    half = len(ordered) // 2
    return _large_enough(frame, ordered[:half]) + _large_enough(frame, ordered[half:])
