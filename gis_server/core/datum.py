"""Geodetic datums of Chinese point data: WGS 84, CGCS2000, GCJ-02 and BD-09, vectorised.

WGS 84 and CGCS2000 differ by centimetres at most and are treated as one. GCJ-02 is WGS 84 plus a smooth shift of some
140–630 m, defined inside China only; BD-09 is GCJ-02 turned into a second frame, 1.0–1.4 km from the truth. Both
have published forward formulae and no closed inverse: the inverse here is a fixed-point iteration, whose step
shrinks by about 10⁻³ each time, so that three steps leave less than a micrometre.

All arrays are degrees, any shape, longitude first. NaN stays NaN.
"""

from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

Degrees = NDArray[np.float64]

_SEMI_MAJOR_M = 6_378_245.0  # Krassovsky 1940, the ellipsoid that the GCJ-02 formula is written on
_ECCENTRICITY_SQUARED = 0.006_693_421_622_965_943
_BD_TURN = np.pi * 3000.0 / 180.0
_BD_LON, _BD_LAT = 0.0065, 0.006
_ITERATIONS = 4

CHINA_LON = (72.004, 137.8347)
CHINA_LAT = (0.8293, 55.8271)
"""The box inside which GCJ-02 is defined (inclusive); outside it the shift is nought."""


class Datum(StrEnum):
    """The frame in which longitude and latitude of a point were taken."""

    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"

    @property
    def is_true(self) -> bool:
        """Whether coordinates are real positions (WGS 84 and CGCS2000 are one at this accuracy)."""
        return self in (Datum.WGS84, Datum.CGCS2000)


def in_gcj02_area(lon: ArrayLike, lat: ArrayLike) -> NDArray[np.bool_]:
    """Whether GCJ-02 shifts a true position there; NaN is not inside."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    inside: NDArray[np.bool_] = (
        (lon >= CHINA_LON[0]) & (lon <= CHINA_LON[1]) & (lat >= CHINA_LAT[0]) & (lat <= CHINA_LAT[1])
    )
    return inside


def _gcj02_shift(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """The GCJ-02 shift in degrees at a true position, without regard to the border."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = 20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north = north + (wave + 20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north = north + (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east = east + (wave + 20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east = east + (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0

    phi = np.radians(lat)
    w = 1.0 - _ECCENTRICITY_SQUARED * np.sin(phi) ** 2
    meridian_m = _SEMI_MAJOR_M * (1.0 - _ECCENTRICITY_SQUARED) / (w * np.sqrt(w))
    parallel_m = _SEMI_MAJOR_M / np.sqrt(w) * np.cos(phi)
    return np.degrees(east / parallel_m), np.degrees(north / meridian_m)


def wgs84_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """True position → GCJ-02; outside the area of GCJ-02 nothing is shifted."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    east, north = _gcj02_shift(lon, lat)
    inside = in_gcj02_area(lon, lat)
    return np.where(inside, lon + east, lon), np.where(inside, lat + north, lat)


def gcj02_to_wgs84(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """GCJ-02 → true position, by fixed point.

    A position whose pre-image would lie outside the area is taken as unshifted. Within some 700 m of the area's
    edge, which is sea and foreign land throughout, the forward map is not one-to-one, and neither is this.
    """
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    true_lon, true_lat = lon, lat
    for _ in range(_ITERATIONS):
        east, north = _gcj02_shift(true_lon, true_lat)
        true_lon, true_lat = lon - east, lat - north
    inside = in_gcj02_area(true_lon, true_lat)
    return np.where(inside, true_lon, lon), np.where(inside, true_lat, lat)


def gcj02_to_bd09(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """GCJ-02 → BD-09."""
    x, y = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    radius = np.hypot(x, y) + 0.00002 * np.sin(y * _BD_TURN)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BD_TURN)
    return radius * np.cos(angle) + _BD_LON, radius * np.sin(angle) + _BD_LAT


def bd09_to_gcj02(lon: ArrayLike, lat: ArrayLike) -> tuple[Degrees, Degrees]:
    """BD-09 → GCJ-02, by fixed point (the published closed inverse is half a metre off)."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    x, y = lon - _BD_LON, lat - _BD_LAT
    for _ in range(_ITERATIONS):
        again_lon, again_lat = gcj02_to_bd09(x, y)
        x, y = x + (lon - again_lon), y + (lat - again_lat)
    return x, y


def to_cgcs2000(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> tuple[Degrees, Degrees]:
    """Longitude and latitude in ``datum`` → CGCS2000 (equal to WGS 84 at this accuracy), in degrees."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    if datum is Datum.BD09:
        lon, lat = bd09_to_gcj02(lon, lat)
    if datum in (Datum.BD09, Datum.GCJ02):
        lon, lat = gcj02_to_wgs84(lon, lat)
    return lon, lat


def from_cgcs2000(lon: ArrayLike, lat: ArrayLike, datum: Datum) -> tuple[Degrees, Degrees]:
    """CGCS2000 → longitude and latitude in ``datum``, in degrees."""
    lon, lat = np.asarray(lon, np.float64), np.asarray(lat, np.float64)
    if datum in (Datum.BD09, Datum.GCJ02):
        lon, lat = wgs84_to_gcj02(lon, lat)
    if datum is Datum.BD09:
        lon, lat = gcj02_to_bd09(lon, lat)
    return lon, lat
