"""The way of an incident as a jurisdiction walks it: the machine of ``incident_machine`` with what the profile leaves of it.

Nothing here is drawn by hand: states and steps are the machine's own, parties and clocks the profile's.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gis_server.core.deadline import (
    Limit,
    escalation_limit,
    handling_limit,
    recording_limit,
    reporting_limit,
    verification_limit,
)
from gis_server.core.incident import IncidentState
from gis_server.core.incident_guards import clause_of, has_step, parties_of
from gis_server.core.incident_machine import TRANSITIONS, Party, StepKind, Transition
from gis_server.core.message import Message
from gis_server.core.parameter import Origin, Parameter
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import VerificationNeed

MAIN_PATH = (
    IncidentState.DISCOVERED,
    IncidentState.RECORDED,
    IncidentState.REPORTED,
    IncidentState.ACCEPTED,
    IncidentState.DISPATCHED,
    IncidentState.TAKEN_UP,
    IncidentState.COMPLETED,
    IncidentState.VERIFYING,
    IncidentState.FED_BACK,
    IncidentState.ARCHIVED,
)
"""The main path of requirements 4.1; a state that a profile does not use is left out of it."""


@dataclass(frozen=True, slots=True)
class FlowStep:
    """One step under a profile: who makes it, by which clause, within which time.

    ``limit`` is None where the document gives no number; ``urgent`` is the clock of an urgent incident where it is another.
    """

    transition: Transition
    parties: tuple[Party, ...]
    clause: str | None
    limit: Limit | None = None
    urgent: Limit | None = None
    target: Message | None = None

    @property
    def step(self) -> StepKind:
        """What is done."""
        return self.transition.step


@dataclass(frozen=True, slots=True)
class Workflow:
    """The states a profile uses, and its steps by (from, to); ``to`` is None for what may be done in a state."""

    states: frozenset[IncidentState]
    steps: tuple[FlowStep, ...]

    @property
    def main_path(self) -> tuple[IncidentState, ...]:
        """The states of the main path, first to last."""
        return tuple(state for state in MAIN_PATH if state in self.states)

    def between(self, source: IncidentState, to: IncidentState) -> tuple[FlowStep, ...]:
        """The steps that lead from one state to another."""
        return tuple(s for s in self.steps if source in s.transition.sources and s.transition.to is to)

    def within(self) -> tuple[FlowStep, ...]:
        """What is done without leaving the state."""
        return tuple(step for step in self.steps if step.transition.to is None)


def workflow(profile: Profile) -> Workflow:
    """The way of an incident under ``profile``."""
    top_only = len(profile.identity.institution_levels.value) < 2
    used = [
        row
        for row in TRANSITIONS
        if has_step(row, profile) and not (row.step is StepKind.ESCALATE and top_only)
    ]
    states: set[IncidentState] = set()
    while True:
        reached = {
            row.to
            for row in used
            if row.to is not None and (None in row.sources or states.intersection(row.sources))
        }
        if reached <= states:
            break
        states |= reached
    return Workflow(
        frozenset(states),
        tuple(
            _flow_step(row, profile)
            for row in used
            if None in row.sources or states.intersection(row.sources)
        ),
    )


def _flow_step(row: Transition, profile: Profile) -> FlowStep:
    limit, urgent = _limits(profile).get(row.row, (None, None))
    by = parties_of(row, profile)
    by_itself = (
        row.row == "T15" and profile.incident_loop.verification_required.value is VerificationNeed.ALWAYS
    )
    if by_itself or (row.row == "T22" and not profile.incident_loop.archive_step.value):
        by = frozenset({Party.SYSTEM})
    parties = tuple(party for party in Party if party in by and (party is not Party.SYSTEM or len(by) == 1))
    return FlowStep(row, parties, clause_of(row, profile), limit, urgent, _target(row, profile))


def _limits(profile: Profile) -> Mapping[str, tuple[Limit | None, Limit | None]]:
    """The clock that a step ends, by row, and that of urgent incidents where somebody has set it."""
    loop = profile.incident_loop

    def said(parameter: Parameter[float]) -> bool:
        return parameter.origin is not Origin.DEFAULT

    return {
        "T2": (recording_limit(profile), None),
        "T5": (
            reporting_limit(profile, urgent=False),
            reporting_limit(profile, urgent=True) if said(loop.worker_report_urgent_hours) else None,
        ),
        "T6": (
            escalation_limit(profile, urgent=False),
            escalation_limit(profile, urgent=True) if said(loop.institution_escalate_urgent_hours) else None,
        ),
        "T14": (handling_limit(profile), None),
        "T16": (verification_limit(profile), None),
    }


def _target(row: Transition, profile: Profile) -> Message | None:
    """To whom a step leads, where the profile says so."""
    loop = profile.incident_loop
    return loop.first_escalation_level.value.message if row.row == "T5" else None
