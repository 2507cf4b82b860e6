"""What the watch over running clocks has to tell: the warning before a breach, the breach, and who hears of it next.

The documents set limits and name who supervises (督办); when to warn and how soon the level above hears of it they do not
say. Those two numbers are the deployment's (``WatchRule``) and are shown as not from the document.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from gis_server.core.deadline import Clock, Deadline, Limit, Standing, WorkingCalendar, start
from gis_server.core.incident import IncidentState
from gis_server.core.incident_course import Course, Rules, clock_json
from gis_server.core.incident_machine import Party, level_above
from gis_server.core.incident_moves import FIRST_LEVEL, running_clock
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import AdminLevel, LoopActor, Term


class AlertKind(Term):
    """What the watch tells of a clock."""

    WARNING = "warning", "临期提醒", "due soon"
    OVERDUE = "overdue", "超期", "overdue"
    ESCALATION = "escalation", "超期督办", "overdue: the level above is told"
    RECOMPUTED = "recomputed", "时限重算", "deadline counted again"


@dataclass(frozen=True, slots=True)
class WatchRule:
    """The deployment's own numbers: warn when ``warn_share`` of the time is left, go a level up every ``escalate_every``."""

    warn_share: float
    escalate_every: timedelta


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told: an institution by its level, a unit or a worker by name where it is known."""

    party: Party
    level: AdminLevel | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """One row of what was told of a clock, which ``clock_starts_at`` and ``due_at`` name.

    ``round`` counts escalations from 1. ``clause`` is where the document has this addressee supervise; None where it is silent.
    ``trace`` is the clock with each day, and the moment at which this was to be told; ``old_due_at`` what a recount changed.
    """

    kind: AlertKind
    at: datetime
    clock_starts_at: datetime
    due_at: datetime
    round: int = 0
    told: Told | None = None
    clause: str | None = None
    trace: Mapping[str, object] | None = None
    old_due_at: datetime | None = None


WATCHED = (
    IncidentState.DISCOVERED,
    IncidentState.RECORDED,
    IncidentState.REPORTED,
    IncidentState.DISPATCHED,
    IncidentState.TAKEN_UP,
    IncidentState.VERIFYING,
)
"""The states in which a clock may run."""


def standing_of(
    clock_starts_at: datetime | None, due_at: datetime | None, now: datetime, warn_share: float
) -> Standing | None:
    """How an open incident's clock stands; None where none runs."""
    if due_at is None:
        return None
    if now > due_at:
        return Standing.OVERDUE
    if clock_starts_at is not None and now >= due_at - (due_at - clock_starts_at) * warn_share:
        return Standing.DUE_SOON
    return Standing.RUNNING


def alerts_due(course: Course, rules: Rules, watch: WatchRule, now: datetime) -> tuple[Alert, ...]:
    """All that is to have been told of the running clock by ``now``; told before or not, the watch's table knows.

    A warning that comes after the breach is none. After a standstill every level that should have heard is told.
    """
    standing = standing_of(course.clock_starts_at, course.due_at, now, watch.warn_share)
    if standing not in (Standing.DUE_SOON, Standing.OVERDUE):
        return ()
    if standing is Standing.DUE_SOON:
        return (_alert(AlertKind.WARNING, _holder(course, rules.profile), course, rules, now),)
    levels, due_at = ladder(course.state, course.current_level, rules.profile), course.due_at
    assert due_at is not None  # noqa: S101  (something without an end is not overdue)
    found = []
    for round_, level in enumerate(levels):
        if now > due_at + round_ * watch.escalate_every:
            kind = AlertKind.OVERDUE if round_ == 0 else AlertKind.ESCALATION
            told = Told(Party.INSTITUTION, level)
            found.append(replace(_alert(kind, told, course, rules, now), round=round_))
    return tuple(found)


def ladder(state: IncidentState, level: AdminLevel | None, profile: Profile) -> tuple[AdminLevel, ...]:
    """The institutions that hear of a breach, one after the other up to the highest.

    First the one that supervises whoever is late: for a worker the first above the grid, for a unit the one that
    dispatched, for an institution the one above it (itself at the top).
    """
    at = level or FIRST_LEVEL[profile.incident_loop.first_escalation_level.value]
    first = (level_above(at, profile) or at) if state is IncidentState.REPORTED else at
    found = [first]
    while (above := level_above(found[-1], profile)) is not None:
        found.append(above)
    return tuple(found)


def _alert(kind: AlertKind, told: Told, course: Course, rules: Rules, now: datetime) -> Alert:
    clock = running_clock(course, rules)
    assert course.due_at is not None  # noqa: S101  (see alerts_due)
    return Alert(
        kind,
        now,
        course.clock_starts_at,
        course.due_at,
        told=told,
        clause=None if told.level is None else supervision_clause(told.level, rules.profile),
        trace=None if clock is None else {"clock": clock_json(clock)},
    )


def _holder(course: Course, profile: Profile) -> Told:
    """Whose time is running."""
    match course.state:
        case IncidentState.REPORTED:
            return Told(Party.INSTITUTION, course.current_level)
        case IncidentState.DISPATCHED | IncidentState.TAKEN_UP:
            return Told(Party.HANDLING_UNIT, name=course.lead_unit)
        case IncidentState.VERIFYING if profile.incident_loop.feedback_actor.value is LoopActor.INSTITUTION:
            return Told(Party.INSTITUTION, course.current_level)
    return Told(Party.GRID_WORKER, name=course.first_contact)


_SUPERVISION: Mapping[tuple[str, AdminLevel], str] = MappingProxyType(
    {
        ("heilongjiang", AdminLevel.TOWNSHIP): "heilongjiang 8.4.2",
        ("heilongjiang", AdminLevel.COUNTY): "heilongjiang 8.4.5",
        ("gansu", AdminLevel.TOWNSHIP): "gansu 四",
        ("gansu", AdminLevel.COUNTY): "gansu 四",
        ("heihe", AdminLevel.TOWNSHIP): "heihe 5(2)",
        ("zhenjiang", AdminLevel.TOWNSHIP): "zhenjiang 27(2)",
    }
)
"""Where a document says that an institution of this level urges, tracks or counts what is late."""


def supervision_clause(level: AdminLevel, profile: Profile) -> str | None:
    """The clause by which an institution of ``level`` supervises; None where the document is silent."""
    return _SUPERVISION.get((profile.key, level))


# ---- provisional deadlines ------------------------------------------------------------------------------------------


def kept_clock(trace: Mapping[str, object]) -> tuple[Limit, datetime] | None:
    """Limit and start of a clock as history keeps it (``clock_json``); None for a row without one."""
    kept = trace.get("clock")
    if not isinstance(kept, Mapping):
        return None
    limit = Limit(
        Clock(kept["clock"]), kept["most"], kept["clause"], kept["least"], inferred=bool(kept["inferred"])
    )
    return limit, datetime.fromisoformat(str(kept["starts_at"]))


def recount(
    trace: Mapping[str, object], due_at: datetime, calendar: WorkingCalendar, now: datetime
) -> tuple[Deadline, Alert] | None:
    """A provisional clock counted again by what the calendar has learned; None if that says nothing new.

    The limit is the one that was in force when the clock began, whatever the catalogue says today. A deadline that stays
    where it was but is settled now is news too.
    """
    found = kept_clock(trace)
    if found is None:
        return None
    limit, began = found
    clock = start(limit, began, calendar)
    if clock.due_at == due_at and clock.provisional:
        return None
    told = {"clock": clock_json(clock), "before": trace["clock"]}
    return clock, Alert(
        AlertKind.RECOMPUTED, now, began, clock.due_at, clause=limit.clause, trace=told, old_due_at=due_at
    )
