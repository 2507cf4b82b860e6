"""Many points to route, as one JSON object brings them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import parse_datum, parse_time
from gis_server.core.message import Message, msg
from gis_server.core.routing import Floats

MOST_POINTS = 10_000
"""Points of one call; of more, ``gis-server route`` makes a file."""

_NAMES = ("points", "datum", "at")
_POINT = ("lon", "lat", "accuracy_m")


@dataclass(frozen=True, slots=True)
class RouteRequest:
    """n points in degrees of ``datum``, NaN in ``accuracy_m`` where none is stated, and the time whose boundaries count."""

    lon: Floats
    lat: Floats
    accuracy_m: Floats
    datum: Datum
    at: datetime | None


def parse_route_request(content: object) -> RouteRequest:
    """Check ``{points: [{lon, lat, accuracy_m?}], datum?, at?}``.

    UnusableInput names the first field, as ``points[3].lon``, that is missing, unknown or no number. A number that is no
    place is not refused here: it becomes a problem of its point.
    """
    if not isinstance(content, Mapping):
        raise UnusableInput(msg("请求应为一个 JSON 对象。"), expected=msg("JSON 对象"))
    _known(content, _NAMES, "")
    points = content.get("points")
    if not isinstance(points, list) or not 1 <= len(points) <= MOST_POINTS:
        raise _wrong("points", msg("1 到 {most} 个点", most=MOST_POINTS))
    columns = np.full((len(points), 3), np.nan)
    for number, point in enumerate(points):
        name = f"points[{number}]"
        if not isinstance(point, Mapping):
            raise _wrong(name, msg("JSON 对象"))
        _known(point, _POINT, f"{name}.")
        for place, part in enumerate(_POINT):
            value = point.get(part)
            if isinstance(value, int | float) and not isinstance(value, bool):
                columns[number, place] = value
            elif value is not None or part != "accuracy_m":
                raise _wrong(f"{name}.{part}", msg("数"))
    lon, lat, accuracy = columns.T
    return RouteRequest(
        lon, lat, accuracy, parse_datum(content.get("datum")), parse_time(content.get("at"), "at")
    )


def _known(given: Mapping[object, object], names: tuple[str, ...], before: str) -> None:
    for name in given:
        if name not in names:
            known = tuple(names)
            raise UnusableInput(
                msg("没有名为 {name} 的项；可用的项：{known}。", name=f"{before}{name}"[:80], known=known),
                field=f"{before}{name}"[:80],
                expected=msg("{known} 之一", known=known),
            )


def _wrong(name: str, expected: Message) -> UnusableInput:
    return UnusableInput(
        msg("{name} 不可用，应为{expected}。", name=name, expected=expected), field=name, expected=expected
    )
