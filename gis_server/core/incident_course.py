"""The values of an incident's course: what the machine knows of it, and the rows of history it leaves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from gis_server.core.deadline import Deadline, Standing, WorkingCalendar
from gis_server.core.incident import Incident, IncidentState
from gis_server.core.incident_machine import Mover, Party, StepField, StepKind, Transition
from gis_server.core.item import ItemCatalogue
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import AdminLevel

Filled = Mapping[StepField, object]
"""What was given with a step: texts; ``place`` (lon, lat); ``rating`` a whole number; ``scores`` by aspect."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a deployment decides by: its profile, its items, its calendar."""

    profile: Profile
    items: ItemCatalogue
    calendar: WorkingCalendar


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What the machine knows of an incident.

    ``item`` is the text as given, ``item_key`` the catalogue's item it names. ``current_level`` is where it lies (None for a
    grid, and for what was imported under way). ``clock_starts_at`` is when the running clock began, ``due_at`` when it ends:
    None without a number and for what is wanted at once (K6). ``completed_at`` is when the matter was settled (the last
    time, if it was taken up again). ``supervised_at`` is when it came on the list of supervised
    incidents (督查事件清单); ``rating`` and ``scores`` (by aspect) are the latest given.
    """

    state: IncidentState
    discovered_at: datetime
    clock_starts_at: datetime
    is_urgent: bool = False
    item: str | None = None
    item_key: str | None = None
    current_level: AdminLevel | None = None
    lead_unit: str | None = None
    responsible_unit: str | None = None
    person_in_charge: str | None = None
    first_contact: str | None = None
    due_at: datetime | None = None
    completed_at: datetime | None = None
    supervised_at: datetime | None = None
    rating: int | None = None
    scores: tuple[tuple[str, int], ...] = ()

    @property
    def is_joint(self) -> bool:
        """Whether several units handle it."""
        return None not in (self.lead_unit, self.responsible_unit) and self.lead_unit != self.responsible_unit


@dataclass(frozen=True, slots=True)
class Ended:
    """How a clock stood when a step ended it; ``delay`` is counted from the last instant in time, or from 立即."""

    standing: Standing
    delay: timedelta
    deadline: Deadline


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of history. ``entered_for`` names the party whose step somebody else's account entered.

    ``clock`` is the clock that began with it, ``ended`` how the one before stood. ``clause`` is its ground in the document.
    """

    step: StepKind
    row: str
    from_state: IncidentState | None
    to_state: IncidentState
    at: datetime
    mover: Mover
    level: AdminLevel | None = None
    entered_for: Party | None = None
    filled: Filled = field(default_factory=lambda: MappingProxyType({}))
    clause: str | None = None
    clock: Deadline | None = None
    ended: Ended | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One transition as somebody wants to make it."""

    transition: Transition
    mover: Mover
    at: datetime
    filled: Filled = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class LegalStep:
    """A step that this mover may make now; ``suggested`` is what the catalogue or the incident already knows of its fields."""

    transition: Transition
    to: IncidentState
    clause: str | None
    suggested: Filled

    @property
    def step(self) -> StepKind:
        """What it is called."""
        return self.transition.step


def course_of(incident: Incident) -> Course:
    """The course of an incident as it is kept."""
    return Course(
        state=incident.state,
        discovered_at=incident.discovered_at,
        clock_starts_at=incident.clock_starts_at or incident.recorded_at,
        is_urgent=incident.is_urgent,
        item=incident.item,
        item_key=incident.item_key,
        current_level=None if incident.current_level is None else AdminLevel(incident.current_level),
        lead_unit=incident.lead_unit,
        responsible_unit=incident.responsible_unit,
        person_in_charge=incident.person_in_charge,
        first_contact=incident.first_contact,
        due_at=incident.due_at,
        completed_at=incident.completed_at,
        supervised_at=incident.supervised_at,
        rating=incident.rating,
        scores=tuple(sorted((incident.scores or {}).items())),
    )


def clock_json(clock: Deadline) -> dict[str, object]:
    """A clock with each day it counted or skipped, as history keeps it and programs read it."""
    limit = clock.limit
    return {
        "clock": limit.clock,
        "least": limit.least,
        "most": limit.most,
        "at_once": limit.at_once,
        "clause": limit.clause,
        "inferred": limit.inferred,
        "rules": list(limit.rules),
        "starts_at": clock.starts_at.isoformat(),
        "due_at": clock.due_at.isoformat(),
        "provisional": clock.provisional,
        "days": [
            {"date": day.date.isoformat(), "kind": day.kind, "holiday": day.holiday, "number": day.number}
            for day in clock.trace
        ],
    }


def trace_json(record: Record) -> dict[str, object] | None:
    """The clocks of one row of history: the one that began, and how the one before stood."""
    ended = record.ended
    found: dict[str, object] = {}
    if record.clock is not None:
        found["clock"] = clock_json(record.clock)
    if ended is not None:
        found["ended"] = {
            "standing": ended.standing,
            "delay_s": ended.delay.total_seconds(),
            "at_once": ended.deadline.limit.at_once,
            "due_at": ended.deadline.due_at.isoformat(),
        }
    return found or None
