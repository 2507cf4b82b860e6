"""Incidents (事件): what a report must say, the states of an incident, and how it starts.

The states are those of the standards' main machine (requirements 4.1); a state that a profile does not use is skipped, never
renamed.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import overload

from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.incident_place import FoundPlace
from gis_server.core.message import Message, msg
from gis_server.core.routing import Candidate, Match, check_accuracy, check_position
from gis_server.core.vocabulary import Term


class IncidentState(Term):
    """Where an incident stands between discovery and 归档销号."""

    DISCOVERED = "discovered", "已发现", "discovered"
    RECORDED = "recorded", "已登记", "recorded"
    REFUSED = "refused", "已拒绝", "refused"
    RESOLVED_ON_SITE = "resolved_on_site", "就地解决", "resolved on the spot"
    REPORTED = "reported", "已上报", "reported"
    ACCEPTED = "accepted", "已受理", "accepted"
    DISPATCHED = "dispatched", "已交办", "dispatched"
    TAKEN_UP = "taken_up", "已承接", "taken up"
    RETURNED = "returned", "已退回", "returned"
    COORDINATING = "coordinating", "协调办理", "being coordinated"
    COMPLETED = "completed", "已办结", "completed"
    VERIFYING = "verifying", "现场核实", "being verified"
    FED_BACK = "fed_back", "已反馈", "fed back"
    ARCHIVED = "archived", "归档销号", "archived"


CLOSED = frozenset({IncidentState.REFUSED, IncidentState.ARCHIVED})
"""States in which an incident has left the open list (T3, T22)."""

UNANSWERED = frozenset({IncidentState.DISCOVERED, IncidentState.RECORDED, IncidentState.REPORTED})
"""Until somebody has taken receipt of it, an urgent incident calls the hall."""

DONE = frozenset({IncidentState.RESOLVED_ON_SITE, IncidentState.COMPLETED})
"""States that say the matter itself is settled; what follows is verification and filing (T4, T8, T14)."""

SETTLED = DONE | {IncidentState.VERIFYING, IncidentState.FED_BACK, IncidentState.ARCHIVED}
"""States of a matter that has been settled and not been taken up again."""

OPEN = frozenset(IncidentState) - CLOSED
"""States of the open list."""


class Source(StrEnum):
    """How an incident came to notice (T1)."""

    REGULAR_CHECK = "regular_check"
    PATROL = "patrol"
    HOME_VISIT = "home_visit"
    PUBLIC = "public"
    HANDED_DOWN = "handed_down"
    ASSIGNED = "assigned"


MOST_DESCRIPTION = 4_000
MOST_ITEM = 200
CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead of the server a phone's clock may be."""


@dataclass(frozen=True, slots=True)
class IncidentReport:
    """A report as somebody gave it.

    ``lon`` and ``lat`` in degrees of ``datum``; ``accuracy_m`` is the 95 % radius of the position. ``discovered_at`` is None when
    not stated: then it is the time of recording. ``found`` is the address or camera that the position was taken from.
    """

    lon: float
    lat: float
    description: str
    source: Source
    datum: Datum = Datum.WGS84
    accuracy_m: float | None = None
    item: str | None = None
    is_urgent: bool = False
    discovered_at: datetime | None = None
    found: FoundPlace | None = None


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident as it is kept.

    ``lon`` and ``lat`` are CGCS2000 degrees; ``given`` is the position as it came, in ``datum`` (None for rows that were
    imported without one). ``area_path`` are the codes of its areas from the county down, ``responsible`` the names behind
    them. ``grid_code`` is the code at ``discovered_at``. What its course needs (``item_key`` and
    after) is None until a step sets it; ``is_withheld`` says that the text was left out for this reader (requirements 8.4).
    ``found`` is the address or camera by which the place was found, None where coordinates were given.
    """

    id: int
    number: str
    state: IncidentState
    item: str | None
    description: str
    source: str
    is_urgent: bool
    discovered_at: datetime
    recorded_at: datetime
    reported_by: int | None
    lon: float
    lat: float
    given: tuple[float, float] | None
    datum: str
    accuracy_m: float | None
    match: Match
    distance_m: float | None
    candidates: tuple[Candidate, ...]
    grid_id: int | None
    grid_generation_id: int | None
    grid_code: str | None
    grid_name: str | None
    sub_grid_code: str | None
    area_path: tuple[str, ...]
    responsible: Mapping[str, object]
    due_at: datetime | None
    item_key: str | None = None
    current_level: str | None = None
    lead_unit: str | None = None
    responsible_unit: str | None = None
    person_in_charge: str | None = None
    first_contact: str | None = None
    clock_starts_at: datetime | None = None
    is_withheld: bool = False
    supervised_at: datetime | None = None
    rating: int | None = None
    scores: Mapping[str, int] | None = None
    found: FoundPlace | None = None
    completed_at: datetime | None = None

    @property
    def township_code(self) -> str | None:
        """Code of its township; None outside every area."""
        return self.area_path[1] if len(self.area_path) > 1 else None

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is open and its time is over."""
        return self.state not in CLOSED and self.due_at is not None and self.due_at < now

    def tells_the_same(self, report: IncidentReport) -> bool:
        """Whether ``report`` is the report this incident was made from, sent once more."""
        return (
            self.given == (report.lon, report.lat)
            and self.datum == report.datum
            and self.accuracy_m == report.accuracy_m
            and self.item == report.item
            and self.description == report.description
            and self.source == report.source
            and self.is_urgent == report.is_urgent
            and (report.discovered_at is None or report.discovered_at == self.discovered_at)
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One row of an incident's history, as it is kept; rows of imported incidents say no more than the states.

    ``level`` is that of the institution, ``entered_for`` whose step somebody else's account entered, ``place`` where it was made (lon,
    lat). ``filled`` is what was given with it, ``trace`` the clock that began (``clock``) and how the one before ended (``ended``).
    """

    at: datetime
    actor: str
    from_state: str | None
    to_state: str
    note: str | None
    step: str | None = None
    level: str | None = None
    entered_for: str | None = None
    clause: str | None = None
    place: tuple[float, float] | None = None
    filled: Mapping[str, object] | None = None
    trace: Mapping[str, object] | None = None


_FIELDS = (
    "lon",
    "lat",
    "datum",
    "accuracy_m",
    "item",
    "description",
    "source",
    "urgent",
    "discovered_at",
)


def _wrong(name: str, expected: Message) -> UnusableInput:
    return UnusableInput(
        msg("{name} 不可用，应为{expected}。", name=name, expected=expected), field=name, expected=expected
    )


@overload
def parse_number(value: object, name: str) -> float: ...


@overload
def parse_number(value: object, name: str, *, required: bool) -> float | None: ...


def parse_number(value: object, name: str, *, required: bool = True) -> float | None:
    """A finite number of JSON or a query string; UnusableInput names the field otherwise."""
    if value is None:
        if required:
            raise UnusableInput(msg("缺少 {name}。", name=name), field=name, expected=msg("数"))
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise _wrong(name, msg("有限的数"))


def parse_datum(value: object) -> Datum:
    """A datum by its word; without one WGS 84, which is what phones and browsers give."""
    if value is None:
        return Datum.WGS84
    try:
        return Datum(value)  # type: ignore[arg-type]
    except ValueError:
        raise _wrong("datum", msg("{known} 之一", known=tuple(Datum))) from None


def parse_time(value: object, name: str) -> datetime | None:
    """An RFC 3339 time with offset, or None if there is none."""
    if value is None:
        return None
    expected = msg("带时区的 RFC 3339 时间，例如 2024-05-31T09:00:00+08:00")
    if not isinstance(value, str):
        raise _wrong(name, expected)
    try:
        # a "+" of the offset arrives as a blank when a program forgets to quote its query string
        moment = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
        is_known = moment.tzinfo is not None and moment.astimezone(UTC).year >= 1900
    except (ValueError, OverflowError):  # the last hours of the year 9999 are in the next one somewhere
        raise _wrong(name, expected) from None
    if not is_known:
        raise _wrong(name, expected)
    return moment


def _parse_text(value: object, name: str, most: int, *, required: bool) -> str | None:
    if value is None and not required:
        return None
    expected = msg("1 到 {most} 个字的文字", most=most)
    if not isinstance(value, str):
        raise _wrong(name, expected)
    text = value.strip()
    if len(text) > most or "\x00" in text or (required and not text):
        raise _wrong(name, expected)
    return text or None


def parse_report(content: object, now: datetime) -> IncidentReport:
    """Check a report as it came as JSON; UnusableInput names the first field that is missing, unknown or wrong.

    ``now`` is the server's time: nothing can have been discovered later.
    """
    if not isinstance(content, Mapping):
        raise UnusableInput(msg("报告应为一个 JSON 对象。"), expected=msg("JSON 对象"))
    for key in content:
        if key not in _FIELDS:
            raise UnusableInput(
                msg("没有名为 {name} 的项；可用的项：{known}。", name=str(key)[:80], known=tuple(_FIELDS)),
                field=str(key)[:80],
                expected=msg("{known} 之一", known=tuple(_FIELDS)),
            )
    lon = parse_number(content.get("lon"), "lon")
    lat = parse_number(content.get("lat"), "lat")
    check_position(lon, lat)
    accuracy = parse_number(content.get("accuracy_m"), "accuracy_m", required=False)
    check_accuracy(accuracy)
    source = content.get("source")
    try:
        known_source = Source(source)  # type: ignore[arg-type]
    except ValueError:
        raise _wrong("source", msg("{known} 之一", known=tuple(Source))) from None
    urgent = content.get("urgent", False)
    if not isinstance(urgent, bool):
        raise _wrong("urgent", msg("true 或 false"))
    discovered_at = parse_time(content.get("discovered_at"), "discovered_at")
    if discovered_at is not None and discovered_at > now + CLOCK_SKEW:
        raise _wrong("discovered_at", msg("不晚于现在的时间"))
    description = _parse_text(content.get("description"), "description", MOST_DESCRIPTION, required=True)
    assert description is not None  # noqa: S101  (required)
    return IncidentReport(
        lon=lon,
        lat=lat,
        description=description,
        source=known_source,
        datum=parse_datum(content.get("datum")),
        accuracy_m=accuracy,
        item=_parse_text(content.get("item"), "item", MOST_ITEM, required=False),
        is_urgent=urgent,
        discovered_at=discovered_at,
    )


def incident_number(day: str, serial: int) -> str:
    """The number people quote: the local day of recording (``20240531``) and a serial that never repeats."""
    return f"{day}-{serial:06d}"
