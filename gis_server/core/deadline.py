"""Legal clocks: hours that run through nights and holidays, working days with made-up days, calendar days.

The rules are K1–K7 of requirements 4.2. None of them is written in a document; each is the product's reading:

- K1 hours are elapsed hours; nights and holidays count.
- K2 working days come from a calendar that is given in; the day of the event is day 0.
- K3 days without 工作 are calendar days; the day of the event is day 0.
- K4 of a range ("1-3 working days") only the upper value makes anything late.
- K5 the worker's hours start at the discovery, the stricter reading.
- K6 "at once" is 0 hours: the delay is shown and never counts as late.
- K7 a first-contact worker stays on the incident until it is archived (see ``core.incident``; it has no clock).

A deadline's ``due_at`` is the last instant that is in time, whatever the clock: late is ``at > due_at``, here and in SQL.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum

from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.core.parameter import Parameter
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import VerificationNeed

_DAY = timedelta(days=1)
_INSTANT = timedelta(microseconds=1)
"""The finest step that datetimes and the database keep."""

LONGEST_DAYS = 3_660
"""A limit beyond ten years is a slip of the pen."""


class DayKind(StrEnum):
    """What a day is for the working-day clock."""

    WORKING = "working"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"  # off by the State Council's notice
    MADE_UP = "made_up"  # a weekend day worked in exchange (调休)


@dataclass(frozen=True, slots=True)
class Day:
    """One day after day 0 of a clock; ``number`` is its place among the counted days, None if it does not count."""

    date: date
    kind: DayKind
    holiday: str | None = None
    number: int | None = None


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Which days are worked, in which time zone.

    ``years`` are those whose notice by the State Council is known; of any other year Monday to Friday is assumed and
    every deadline that passes through it is provisional. ``holidays`` and ``made_up`` map days to the holiday's
    name. The last week of December belongs to the notice of the next year as well (2018-12-29 was made up by the
    notice for 2019), so it is settled only when that year is known too.
    """

    zone: tzinfo
    years: frozenset[int]
    holidays: Mapping[date, str]
    made_up: Mapping[date, str]

    def look_up(self, day: date) -> Day:
        """What ``day`` is; weekend days within a holiday are holidays."""
        if day in self.made_up:
            return Day(day, DayKind.MADE_UP, self.made_up[day])
        if day in self.holidays:
            return Day(day, DayKind.HOLIDAY, self.holidays[day])
        return Day(day, DayKind.WEEKEND if day.weekday() >= 5 else DayKind.WORKING)

    def works(self, day: date) -> bool:
        """Whether ``day`` is a working day."""
        return self.look_up(day).kind in (DayKind.WORKING, DayKind.MADE_UP)

    def settled(self, day: date) -> bool:
        """Whether nothing that is still to be announced can change ``day``."""
        return day.year in self.years and ((day.month, day.day) < (12, 25) or day.year + 1 in self.years)

    def day_of(self, at: datetime) -> date:
        """The date of an instant in the calendar's zone."""
        return aware(at).astimezone(self.zone).date()

    def end_of(self, day: date) -> datetime:
        """The last instant of ``day``."""
        return datetime.combine(day + _DAY, time(), self.zone) - _INSTANT


class Clock(StrEnum):
    """How a limit is counted."""

    HOURS = "hours"
    WORKING_DAYS = "working_days"
    CALENDAR_DAYS = "calendar_days"


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit with its ground: ``most`` of the clock's unit, shown from ``least`` where it is a range (K4).

    ``clause`` is where the number stands, None where nobody gave one; ``inferred`` says that the number, or the moment
    from which it runs, is a reading.
    """

    clock: Clock
    most: float
    clause: str | None = None
    least: float | None = None
    inferred: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.most <= LONGEST_DAYS * (24 if self.clock is Clock.HOURS else 1):
            raise UnusableInput(msg("时限 {value} 超出可用范围。", value=self.most), field="time_limit")
        if self.clock is not Clock.HOURS and self.most != int(self.most):
            raise UnusableInput(
                msg("以日计的时限应为整数，现为 {value}。", value=self.most), field="time_limit"
            )
        if self.least is not None and not 0 <= self.least <= self.most:
            raise UnusableInput(
                msg("时限下限 {least} 应在 0 与 {most} 之间。", least=self.least, most=self.most),
                field="time_limit",
            )

    @property
    def rules(self) -> tuple[str, ...]:
        """The rules K1–K6 by which it is counted."""
        counted = {Clock.HOURS: "K1", Clock.WORKING_DAYS: "K2", Clock.CALENDAR_DAYS: "K3"}[self.clock]
        ranged = () if self.least in (None, self.most) else ("K4",)
        return (counted, *ranged, *(("K6",) if self.at_once else ()))

    @property
    def at_once(self) -> bool:
        """Whether it is 立即: a delay is shown, nothing is late (K6)."""
        return self.clock is Clock.HOURS and self.most == 0


class Standing(StrEnum):
    """How something stands against its deadline."""

    RUNNING = "running"  # not done, in time
    DUE_SOON = "due_soon"  # not done, the warning has come
    OVERDUE = "overdue"  # not done, too late
    AT_ONCE = "at_once"  # not done, wanted at once: the delay counts up
    IN_TIME = "in_time"  # done in time (or done, where at once was asked)
    LATE = "late"  # done too late


@dataclass(frozen=True, slots=True)
class Deadline:
    """A clock that has been started.

    ``due_at`` is the last instant in time. ``trace`` holds every day from day 1 to the day it is due (empty for hours).
    ``provisional`` is True while a day of the trace may still be changed by a notice that is not known.
    """

    limit: Limit
    starts_at: datetime
    due_at: datetime
    trace: tuple[Day, ...] = ()
    provisional: bool = False

    @property
    def skipped(self) -> tuple[Day, ...]:
        """The days that did not count, with the reason."""
        return tuple(day for day in self.trace if day.number is None)

    @property
    def made_up(self) -> tuple[Day, ...]:
        """The weekend days that counted because they were worked."""
        return tuple(day for day in self.trace if day.kind is DayKind.MADE_UP)

    def delay(self, at: datetime) -> timedelta:
        """How long after the last instant in time ``at`` is; zero before it."""
        return max(aware(at) - self.due_at, timedelta())

    def is_late(self, at: datetime) -> bool:
        """Whether something done at ``at`` is too late; never for what is wanted at once (K6)."""
        return not self.limit.at_once and aware(at) > self.due_at

    def warns_at(self, share: float = 0.25) -> datetime:
        """When to warn: when only ``share`` of the whole time is left (a quarter by default; our number)."""
        return self.due_at - (self.due_at - self.starts_at) * share

    def standing(self, now: datetime, done_at: datetime | None = None) -> Standing:
        """How it stands at ``now``, done at ``done_at`` or not yet."""
        if done_at is not None:
            return Standing.LATE if self.is_late(done_at) else Standing.IN_TIME
        if self.limit.at_once:
            return Standing.AT_ONCE
        if self.is_late(now):
            return Standing.OVERDUE
        return Standing.DUE_SOON if aware(now) >= self.warns_at() else Standing.RUNNING


def start(limit: Limit, at: datetime, calendar: WorkingCalendar) -> Deadline:
    """Start the clock of ``limit`` at the instant ``at`` (with a zone; UnusableInput without).

    Starting it again with a newer calendar settles what was provisional.
    """
    begin = aware(at)
    if limit.clock is Clock.HOURS:
        # added in UTC, so that an hour is an hour in any zone
        return Deadline(
            limit, begin, (begin.astimezone(UTC) + timedelta(hours=limit.most)).astimezone(calendar.zone)
        )
    working = limit.clock is Clock.WORKING_DAYS
    day, counted, trace = calendar.day_of(begin), 0, []
    while counted < limit.most:
        day += _DAY
        found = calendar.look_up(day)
        if not working or calendar.works(day):
            counted += 1
            found = Day(day, found.kind, found.holiday, counted)
        trace.append(found)
    return Deadline(
        limit,
        begin,
        calendar.end_of(day),
        tuple(trace),
        provisional=working and not all(calendar.settled(found.date) for found in trace),
    )


def aware(at: datetime) -> datetime:
    """``at`` itself if it has a zone; UnusableInput otherwise, since a bare time is no instant."""
    if at.utcoffset() is None:
        raise UnusableInput(msg("时间 {at} 没有时区，请写明，例如 +08:00。", at=at.isoformat()), field="at")
    return at


# ---- the clocks of a profile ----------------------------------------------------------------------------------------


def recording_limit(profile: Profile) -> Limit | None:
    """T2, from the discovery to the record: the same day where the profile says so."""
    same_day = profile.display.same_day_reporting
    return Limit(Clock.CALENDAR_DAYS, 0, same_day.clause) if same_day.value else None


def reporting_limit(profile: Profile, *, urgent: bool) -> Limit | None:
    """T5, from the discovery (K5) to the report of what the worker cannot handle; None for "promptly"."""
    loop = profile.incident_loop
    if urgent:
        return _hours(loop.worker_report_urgent_hours)
    return _hours(loop.worker_report_hours, inferred=True)


def escalation_limit(profile: Profile, *, urgent: bool) -> Limit | None:
    """T6, from an institution's receipt (a reading) to its report to the level above; None for "promptly"."""
    loop = profile.incident_loop
    if urgent:
        return _hours(loop.institution_escalate_urgent_hours)
    return _hours(loop.institution_escalate_hours, inferred=True)


def handling_limit(profile: Profile) -> Limit | None:
    """T14, from the dispatch to the completion, for items that the catalogue gives no limit of their own."""
    loop = profile.incident_loop
    most, least = loop.department_limit_max_working_days, loop.department_limit_min_working_days
    if most.value is None:
        return None
    return Limit(Clock.WORKING_DAYS, most.value, most.clause, least.value, inferred=True)


def verification_limit(profile: Profile) -> Limit | None:
    """T16, from the profile's ``verification_clock_start`` to the verification; None without verification."""
    loop = profile.incident_loop
    if loop.verification_required.value is VerificationNeed.NOT_STATED:
        return None
    return _hours(loop.verification_hours, inferred=loop.verification_clock_start.inferred)


def filing_limit(profile: Profile) -> Limit | None:
    """B8, from the adjustment to the filing."""
    days = profile.change.filing_days
    return None if days.value is None else Limit(Clock.CALENDAR_DAYS, days.value, days.clause, inferred=True)


def _hours(hours: Parameter[float | None] | Parameter[float], *, inferred: bool = False) -> Limit | None:
    return None if hours.value is None else Limit(Clock.HOURS, hours.value, hours.clause, inferred=inferred)
