"""What can be a place and what cannot: coordinates and the accuracy stated with them."""

import math

import numpy as np

from gis_server.core.errors import SwappedAxes, UnusableInput
from gis_server.core.message import Message, msg
from gis_server.core.routing.edges import Bools, Floats

MAX_ACCURACY_M = 5_000.0
"""Above this a position says nothing about the grid; such a report needs an address instead (our number)."""

MAX_PLANE_M = 1e9
"""Above this a coordinate on a plane is no place on this Earth."""


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
        if not math.isfinite(value) or (not degrees and abs(value) > MAX_PLANE_M):
            raise UnusableInput(
                msg("{name} 应为有限的数，现为 {value}。", name=name, value=value),
                field=name,
                expected=msg("有限的数（度）") if degrees else msg("有限的数（米）"),
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
        raise SwappedAxes(
            msg("经度 {lon} 与纬度 {lat} 似乎写反了：请把经度写在 lon，纬度写在 lat。", lon=lon, lat=lat),
            lon=lat,
            lat=lon,
            expected=msg("经度（73 到 135 度），例如 lon={lon}、lat={lat}", lon=lat, lat=lon),
        )


def unusable(lon: Floats, lat: Floats, accuracy_m: Floats, *, degrees: bool = True) -> dict[int, Message]:
    """Which of n points cannot be routed, and why: what the two checks above say of each one.

    An accuracy of NaN is none stated.
    """
    bad = ~np.isfinite(lon) | ~np.isfinite(lat)
    bad |= ~(np.isnan(accuracy_m) | ((accuracy_m >= 0.0) & (accuracy_m <= MAX_ACCURACY_M)))
    if degrees:
        bad |= (
            (np.abs(lon) > 180.0)
            | (np.abs(lat) > 90.0)
            | (~_all_in_china(lon, lat) & _all_in_china(lat, lon))
        )
    else:
        bad |= (np.abs(lon) > MAX_PLANE_M) | (np.abs(lat) > MAX_PLANE_M)
    reasons: dict[int, Message] = {}
    for row in np.flatnonzero(bad).tolist():
        accuracy = float(accuracy_m[row])
        try:
            check_position(float(lon[row]), float(lat[row]), degrees=degrees)
            check_accuracy(None if math.isnan(accuracy) else accuracy)
        except UnusableInput as error:
            reasons[row] = error.message
    return reasons


def _in_china(lon: float, lat: float) -> bool:
    return 73.0 <= lon <= 135.5 and 3.0 <= lat <= 54.0


def _all_in_china(lon: Floats, lat: Floats) -> Bools:
    return (lon >= 73.0) & (lon <= 135.5) & (lat >= 3.0) & (lat <= 54.0)


def _looks_swapped(lon: float, lat: float) -> bool:
    return not _in_china(lon, lat) and _in_china(lat, lon)
