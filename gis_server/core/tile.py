"""Tiles of the Web Mercator square: which ground one covers, and when a layer is worth cutting into them."""

import math
from dataclasses import dataclass

from gis_server.core.errors import NotFound
from gis_server.core.message import msg

WHOLE_ROWS = 1_500
"""Up to so many rows a layer is smaller and simpler whole than in tiles."""

MAX_ZOOM = 18
"""The deepest zoom that is cut."""

FULL_ZOOM = 16
"""From here on a tile holds every vertex within 0.1 m: deeper zooms may be drawn from these tiles."""

EXTENT = 4096
"""Units along a tile's side."""

BUFFER = 256
"""Units beyond a tile's edge that it holds too, so that strokes do not end at the edge."""

DRAWN_PX = 512
"""A map draws a tile so wide or up to twice as wide."""

RADIUS_M = 6_378_137.0
HALF_M = math.pi * RADIUS_M
"""Half the side of the Web Mercator square (EPSG:3857), in its metres."""

Box = tuple[float, float, float, float]
"""West, south, east, north."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: column ``x`` from the west, row ``y`` from the north, of the 2^z × 2^z of zoom ``z``."""

    z: int
    x: int
    y: int

    @property
    def side_m(self) -> float:
        """The side in Web Mercator metres."""
        return math.ldexp(2 * HALF_M, -self.z)

    @property
    def mercator(self) -> Box:
        """The tile itself, without buffer, in EPSG:3857."""
        side = self.side_m
        west, north = self.x * side - HALF_M, HALF_M - self.y * side
        return west, north - side, west + side, north

    def degrees(self, buffer: int = BUFFER) -> Box:
        """The ground in degrees, with a buffer of so many units on each side."""
        west, south, east, north = self.mercator
        more = self.side_m * buffer / EXTENT
        return (
            longitude(west - more),
            latitude(south - more),
            longitude(east + more),
            latitude(north + more),
        )


def tile(z: int, x: int, y: int) -> Tile:
    """The tile of these numbers; NotFound where there is none."""
    if not 0 <= z <= MAX_ZOOM or not 0 <= x < 2**z or not 0 <= y < 2**z:
        raise no_tile(z, x, y)
    return Tile(z, x, y)


def no_tile(z: int, x: int, y: int) -> NotFound:
    """What is said of a place where no tile is."""
    return NotFound(msg("没有 {z}/{x}/{y} 这块瓦片。", z=z, x=x, y=y))


def covering(box: Box, z: int) -> list[Tile]:
    """The tiles of a zoom on which a box of degrees lies, row by row."""
    west, south, east, north = box
    left, top = column_row(west, north, z)
    right, bottom = column_row(east, south, z)
    most = 2**z - 1

    def numbers(low: float, high: float) -> range:
        return range(max(0, math.floor(low)), min(most, math.floor(high)) + 1)

    return [Tile(z, x, y) for y in numbers(top, bottom) for x in numbers(left, right)]


def zoom_filling(box: Box, width: float, height: float) -> float:
    """The zoom, whole or not, at which tiles ``DRAWN_PX`` wide show a box of degrees as large as it fits into so many px."""
    west, south, east, north = box
    left, top = column_row(west, north, 0)
    right, bottom = column_row(east, south, 0)
    share = max((right - left) / width, (bottom - top) / height) * DRAWN_PX
    return -math.log2(share) if share > 0 else FULL_ZOOM


def column_row(lon: float, lat: float, z: int) -> tuple[float, float]:
    """Where a place lies among the columns and rows of a zoom."""
    inside = min(latitude(HALF_M), max(latitude(-HALF_M), lat))
    across = 2**z
    y = math.asinh(math.tan(math.radians(inside))) / (2 * math.pi)
    return (lon / 360 + 0.5) * across, (0.5 - y) * across


def longitude(x: float) -> float:
    """Degrees of a Web Mercator easting."""
    return math.degrees(x / RADIUS_M)


def latitude(y: float) -> float:
    """Degrees of a Web Mercator northing."""
    return math.degrees(2 * math.atan(math.exp(y / RADIUS_M)) - math.pi / 2)
