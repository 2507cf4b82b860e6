"""What somebody asks of the list of incidents: filters that combine, an order, a page; as a link carries them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta, tzinfo

from gis_server.core.errors import UnusableInput
from gis_server.core.incident import IncidentState, parse_time
from gis_server.core.message import Message, msg
from gis_server.core.vocabulary import Term

MOST_LISTED = 500
MOST_NAMED = 200
"""Numbers of incidents that one question may name."""

MOST_SEARCHED = 60
"""Characters of a text to look for."""


NO_GRID = "none"
"""Asked for as a grid: what lies in no grid, the queue that each town and county sorts by hand (S18)."""


class Order(Term):
    """How a list is ordered."""

    NEWEST = "newest", "最新在前", "newest first"
    DUE = "due", "时限最近在前", "soonest due first"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentQuery:
    """Filters; what is empty or None does not filter, and all that is given must hold.

    ``is_open`` asks for the open list or for what has left it. ``grid`` is a code, or NO_GRID. ``unit`` leads or handles, ``area`` is the code of an area,
    ``text`` stands in the number, the item, the grid's name or (where the reader may read it) the description.
    ``since`` and ``until`` bound the discovery: ``until`` is the first instant that is too late. ``bounds`` are west, south,
    east, north in degrees.
    """

    states: tuple[IncidentState, ...] = ()
    is_open: bool | None = None
    unit: str | None = None
    grid: str | None = None
    area: str | None = None
    overdue: bool = False
    due_soon: bool = False
    urgent: bool = False
    supervised: bool = False
    text: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    bounds: tuple[float, float, float, float] | None = None
    numbers: tuple[str, ...] = ()
    order: Order = Order.NEWEST

    def without(self, *names: str) -> "IncidentQuery":
        """The same question without these filters."""
        kept = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in names}
        return IncidentQuery(**kept)


FILTERS = (
    "state",
    "open",
    "unit",
    "grid",
    "area",
    "overdue",
    "due_soon",
    "urgent",
    "supervised",
    "q",
    "from",
    "until",
    "bbox",
    "number",
    "order",
)
"""The parameters of a link, in the order in which the documentation lists them."""


def _wrong(name: str, expected: Message) -> UnusableInput:
    return UnusableInput(
        msg("参数 {name} 不可用，应为{expected}。", name=name, expected=expected),
        field=name,
        expected=expected,
    )


def parse_query(given: Mapping[str, str | None], zone: tzinfo) -> IncidentQuery:
    """Read the parameters of a link (None or absent where not given); UnusableInput names the one that is wrong.

    Days without a time are days of ``zone``, the last one included.
    """
    order = given.get("order")
    if order is not None and order not in set(Order):
        raise _wrong("order", msg("{known} 之一", known="、".join(Order)))
    return IncidentQuery(
        states=_states(given.get("state")),
        is_open=None if given.get("open") is None else _flag(given, "open"),
        unit=_short(given, "unit"),
        grid=_short(given, "grid"),
        area=_short(given, "area"),
        overdue=_flag(given, "overdue"),
        due_soon=_flag(given, "due_soon"),
        urgent=_flag(given, "urgent"),
        supervised=_flag(given, "supervised"),
        text=_short(given, "q"),
        since=_moment(given, "from", zone, is_end=False),
        until=_moment(given, "until", zone, is_end=True),
        bounds=_bounds(given.get("bbox")),
        numbers=_numbers(given.get("number")),
        order=Order.NEWEST if order is None else Order(order),
    )


def _states(given: str | None) -> tuple[IncidentState, ...]:
    try:
        return tuple(IncidentState(state) for state in given.split(",")) if given else ()
    except ValueError:
        known = "、".join(IncidentState)
        raise UnusableInput(
            msg("state 应为 {known} 之一，或以逗号隔开的几个。", known=known),
            field="state",
            expected=msg("{known} 之一", known=known),
        ) from None


def _flag(given: Mapping[str, str | None], name: str) -> bool:
    value = given.get(name)
    if value not in (None, "yes", "no"):
        raise UnusableInput(
            msg("参数 {name} 应为 yes 或 no。", name=name), field=name, expected=msg("yes 或 no")
        )
    return value == "yes"


def _short(given: Mapping[str, str | None], name: str) -> str | None:
    value = given.get(name)
    if value is not None and (len(value) > MOST_SEARCHED or "\x00" in value):
        raise _wrong(name, msg("1 到 {most} 个字的文字", most=MOST_SEARCHED))
    return value


def _moment(given: Mapping[str, str | None], name: str, zone: tzinfo, *, is_end: bool) -> datetime | None:
    value = given.get(name)
    if value is None:
        return None
    try:
        day = date.fromisoformat(value) if len(value) == 10 else None
        if day is not None and 1900 <= day.year < 9999:
            return datetime.combine(day + timedelta(days=is_end), time(), zone)
    except ValueError:
        pass
    if len(value) > 10:
        return parse_time(value, name)
    raise _wrong(name, msg("日期，例如 2024-05-31，或带时区的 RFC 3339 时间"))


def _bounds(given: str | None) -> tuple[float, float, float, float] | None:
    if given is None:
        return None
    try:
        west, south, east, north = (float(part) for part in given.split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # NaN fails too
        raise UnusableInput(
            msg("bbox 应为“西,南,东,北”四个度数。"), field="bbox", expected=msg("西,南,东,北（度）")
        )
    return west, south, east, north


def _numbers(given: str | None) -> tuple[str, ...]:
    numbers = tuple(given.split(",")) if given else ()
    if len(numbers) > MOST_NAMED or any(not 0 < len(number) <= MOST_SEARCHED for number in numbers):
        raise _wrong("number", msg("最多 {most} 个以逗号隔开的事件编号", most=MOST_NAMED))
    return numbers


@dataclass(frozen=True, slots=True)
class Counts:
    """How many incidents each filter would leave, with all the other filters as they are.

    ``rated`` and ``rating`` are how many of the total the party has rated, and their mean. ``flags`` by the filter's name; ``states``, ``units`` and ``grids`` by value, most first (``grids`` with their names).
    """

    total: int
    flags: Mapping[str, int]
    states: Mapping[str, int]
    units: Mapping[str, int]
    grids: Mapping[str, tuple[str | None, int]]
    rated: int = 0
    rating: float | None = None
