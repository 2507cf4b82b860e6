"""Letters on a map that never lie on one another: each label gets the best free place, or none.

All lengths are millimetres on paper, x to the right, y downwards. Labels are placed in the order given, so what matters most
comes first. Every place taken is kept in an index, and the next label goes where nothing is yet.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from numpy.typing import NDArray
from rtree.index import Index
from shapely.geometry.base import BaseGeometry

Floats = NDArray[np.float64]

MOST_PLACES = 60
"""Places tried inside one polygon for one wording."""

_RINGS = (1.0, 1.6, 2.4, 3.4, 4.6, 6.0)
"""Distances of a label beside its polygon, in heights of the label."""

_ROUND = 16
"""Directions tried at each of these distances."""

AIR = 0.35
"""Free space around every label, in heights of one line."""


@dataclass(frozen=True, slots=True)
class Wording:
    """One way to write a label: its lines, and the room they take; ``line`` is the height of one line."""

    lines: tuple[str, ...]
    width: float
    height: float
    line: float
    size: float


@dataclass(frozen=True, slots=True)
class Placed:
    """A label that found its place: the middle of its letters, turned by ``angle`` (radians, clockwise on paper).

    ``leader`` is the line from the label to its place, where the two lie apart.
    """

    wording: Wording
    x: float
    y: float
    angle: float = 0.0
    leader: tuple[tuple[float, float], tuple[float, float]] | None = None

    @property
    def outline(self) -> BaseGeometry:
        """The rectangle of its letters."""
        return _rectangle(self.x, self.y, self.wording.width, self.wording.height, self.angle)


@dataclass
class Board:
    """A map in the making: ``frame`` (x0, y0, x1, y1) is where letters may stand, ``taken`` what they must not cover."""

    frame: tuple[float, float, float, float]
    placed: list[Placed] = field(default_factory=list)
    _index: Index = field(default_factory=Index)
    _shapes: list[BaseGeometry] = field(default_factory=list)

    def take(self, shape: BaseGeometry) -> None:
        """Keep letters off a shape."""
        self._index.insert(len(self._shapes), shape.bounds)
        self._shapes.append(shape)

    def is_free(self, shape: BaseGeometry) -> bool:
        """Whether a shape lies inside the frame and on nothing that is taken."""
        x0, y0, x1, y1 = shape.bounds
        left, top, right, bottom = self.frame
        if x0 < left or y0 < top or x1 > right or y1 > bottom:
            return False
        return not any(self._shapes[i].intersects(shape) for i in self._index.intersection((x0, y0, x1, y1)))

    def _put(self, label: Placed) -> Placed:
        self.take(_padded(label))
        if label.leader is not None:
            self.take(shapely.LineString(label.leader))
        self.placed.append(label)
        return label

    def inside(self, polygon: BaseGeometry, wordings: Sequence[Wording]) -> Placed | None:
        """Write the first of ``wordings`` that fits whole inside a polygon; None if none does."""
        ground = _largest(polygon)
        if ground is None:
            return None
        places = _places_in(ground)
        shapely.prepare(ground)
        for wording in wordings:
            west, north, east, south = ground.bounds
            if wording.width > east - west or wording.height > south - north:
                continue
            half_w, half_h = wording.width / 2, wording.height / 2
            x, y = places[:, 0], places[:, 1]
            fits = shapely.contains(ground, shapely.box(x - half_w, y - half_h, x + half_w, y + half_h))
            for place in places[fits]:
                label = Placed(wording, float(place[0]), float(place[1]))
                if self.is_free(_padded(label)):
                    return self._put(label)
        return None

    def beside(self, polygon: BaseGeometry, wording: Wording) -> Placed | None:
        """Write a label near a polygon that is too small for it, with a line that leads to it."""
        ground = _largest(polygon)
        if ground is None:
            return None
        anchor = shapely.point_on_surface(ground)
        at = (float(anchor.x), float(anchor.y))
        reach = math.sqrt(ground.area) / 2
        for ring in _RINGS:
            away = reach + ring * wording.height
            for turn in range(_ROUND):
                angle = 2 * math.pi * (turn * 7 % _ROUND) / _ROUND
                x = at[0] + (away + wording.width / 2) * math.cos(angle)
                y = at[1] + away * math.sin(angle)
                edge = _towards(x, y, wording, at)
                label = Placed(wording, x, y, leader=(edge, at))
                line = shapely.LineString([edge, at])
                if not line.is_valid or not self.is_free(_padded(label)) or not self.is_free(line):
                    continue
                return self._put(label)
        return None

    def around(self, polygon: BaseGeometry, wordings: Sequence[Wording]) -> Placed | None:
        """Write a name over a polygon: its middle lies inside, its letters may reach beyond its border."""
        ground = _largest(polygon)
        if ground is None:
            return None
        for wording in wordings:
            for x, y in _places_in(ground):
                label = Placed(wording, float(x), float(y))
                if self.is_free(_padded(label)):
                    return self._put(label)
        return None

    def along(self, line: BaseGeometry, wording: Wording) -> Placed | None:
        """Write a name along the straightest free stretch of a line, never upside down."""
        best: Placed | None = None
        for label in _stretches(line, wording):
            if self.is_free(_padded(label)):
                best = label
                break
        return None if best is None else self._put(best)


def _padded(label: Placed) -> BaseGeometry:
    air = 2 * AIR * label.wording.line
    return _rectangle(label.x, label.y, label.wording.width + air, label.wording.height + air, label.angle)


def _rectangle(x: float, y: float, width: float, height: float, angle: float) -> BaseGeometry:
    if not angle:
        return shapely.box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
    cos, sin = math.cos(angle), math.sin(angle)
    corners = ((-width, -height), (width, -height), (width, height), (-width, height))
    return shapely.Polygon([(x + (u * cos - v * sin) / 2, y + (u * sin + v * cos) / 2) for u, v in corners])


def _towards(x: float, y: float, wording: Wording, at: tuple[float, float]) -> tuple[float, float]:
    """The point just outside a label where the line to ``at`` leaves its padding."""
    half_w = wording.width / 2 + 1.01 * AIR * wording.line
    half_h = wording.height / 2 + 1.01 * AIR * wording.line
    dx, dy = at[0] - x, at[1] - y
    share = min(half_w / abs(dx) if dx else math.inf, half_h / abs(dy) if dy else math.inf, 1.0)
    return x + dx * share, y + dy * share


def _largest(polygon: BaseGeometry) -> BaseGeometry | None:
    parts = [part for part in shapely.get_parts(polygon) if part.geom_type == "Polygon" and part.area > 0]
    return max(parts, key=lambda part: part.area) if parts else None


def _places_in(ground: BaseGeometry) -> Floats:
    """Points inside a polygon, the one farthest from its border first, then those around it."""
    west, north, east, south = ground.bounds
    circle = shapely.maximum_inscribed_circle(ground, tolerance=max(east - west, south - north) / 50)
    centre = shapely.get_coordinates(circle)[0]
    side = math.sqrt((east - west) * (south - north) / MOST_PLACES) or 1.0
    xs, ys = np.arange(west + side / 2, east, side), np.arange(north + side / 2, south, side)
    lattice = np.array(np.meshgrid(xs, ys)).reshape(2, -1).T
    inside = lattice[shapely.contains_xy(ground, lattice[:, 0], lattice[:, 1])] if len(lattice) else lattice
    order = np.argsort(np.hypot(*(inside - centre).T), kind="stable")
    return np.vstack([centre[None, :], inside[order]])


def _stretches(line: BaseGeometry, wording: Wording) -> Iterator[Placed]:
    """Places along a line where its course over the width of the name is nearly straight, straightest first."""
    found: list[tuple[float, Placed]] = []
    for part in shapely.get_parts(line):
        steps = int(part.length // wording.width)
        for step in range(min(steps, 40)):
            start = (part.length - steps * wording.width) / 2 + step * wording.width
            points = shapely.get_coordinates(
                shapely.line_interpolate_point(part, start + wording.width * np.linspace(0, 1, 5))
            )
            (x0, y0), (x1, y1) = points[0], points[-1]
            chord = math.hypot(x1 - x0, y1 - y0)
            if chord < 0.97 * wording.width:
                continue
            angle = math.atan2(y1 - y0, x1 - x0)
            if abs(angle) > math.pi / 2:
                angle -= math.copysign(math.pi, angle)
            middle = points[2]
            found.append((-chord, Placed(wording, float(middle[0]), float(middle[1]), angle)))
    return (label for _, label in sorted(found, key=lambda one: one[0]))
