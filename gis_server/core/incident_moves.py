"""Running the machine of ``core.incident_machine``: what is legal now, what a step makes of an incident, and its clock.

Pure: ``move`` takes the incident's course and gives the next one with the rows of history that say how it came about.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from gis_server.core.deadline import (
    Deadline,
    Limit,
    escalation_limit,
    handling_limit,
    recording_limit,
    reporting_limit,
    start,
    verification_limit,
)
from gis_server.core.errors import GisError
from gis_server.core.incident import DONE, SETTLED, IncidentReport, IncidentState
from gis_server.core.incident_course import Attempt, Course, Ended, Filled, LegalStep, Record, Rules
from gis_server.core.incident_guards import (
    check_fields,
    clause_of,
    entered_for,
    no_such_step,
    refusal,
    suggested,
    with_suggested,
)
from gis_server.core.incident_machine import (
    BY_STEP,
    SYSTEM,
    TRANSITIONS,
    Mover,
    Party,
    StepField,
    StepKind,
    Transition,
    level_above,
)
from gis_server.core.item import find_item
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import AdminLevel, FirstEscalation, VerificationNeed, VerificationStart


def opening(
    report: IncidentReport, mover: Mover, now: datetime, rules: Rules
) -> tuple[Course, tuple[Record, ...]]:
    """T1 and T2 at once, which is what a report does: the course it begins, and its two rows.

    An item that the catalogue does not know is kept as it was said: what somebody reports is never thrown away. It is
    held against the catalogue when the item is chosen (T2, T7).
    """
    named = find_item(rules.items, report.item)
    discovered_at = report.discovered_at or now
    found = Course(
        state=IncidentState.DISCOVERED,
        discovered_at=discovered_at,
        clock_starts_at=discovered_at,
        is_urgent=report.is_urgent,
        item=report.item,
        item_key=None if named is None else named.key,
    )
    discovery = Attempt(transition=BY_STEP[StepKind.DISCOVER, None], mover=mover, at=now)
    recording = Attempt(transition=BY_STEP[StepKind.RECORD, found.state], mover=mover, at=now)
    after = _applied(found, recording, rules)
    return after, (_record(None, found, discovery, rules), _record(found, after, recording, rules))


def move(
    course: Course, step: StepKind, mover: Mover, rules: Rules, *, filled: Filled, now: datetime
) -> tuple[Course, tuple[Record, ...]]:
    """Make one step: the next course, and its rows of history (a step that the system follows up has two).

    Raises Conflict (StateChanged) where the profile (the state) forbids it and NotAllowed where the mover may not,
    each naming the clause; UnusableInput for a field that is missing or that the step does not take.
    """
    transition = BY_STEP.get((step, course.state))
    if transition is None:
        raise no_such_step(course, step, rules.profile)
    if (error := refusal(course, transition, mover, rules)) is not None:
        raise error
    attempt = Attempt(
        transition=transition,
        mover=mover,
        at=now,
        filled=MappingProxyType(with_suggested(course, transition, filled, rules)),
    )
    check_fields(course, attempt, rules)
    after = _applied(course, attempt, rules)
    records = [_record(course, after, attempt, rules)]
    for following in _following(after, rules.profile):
        before, by_itself = after, Attempt(transition=following, mover=SYSTEM, at=now)
        after = _applied(before, by_itself, rules)
        records.append(_record(before, after, by_itself, rules))
    return after, tuple(records)


def replay(course: Course, records: Iterable[Record], rules: Rules) -> Course:
    """The course that the rows of a history lead to from ``course``, without asking again who might."""
    for record in records:
        made = Attempt(
            transition=BY_STEP[record.step, record.from_state],
            mover=record.mover,
            at=record.at,
            filled=record.filled,
        )
        course = _applied(course, made, rules)
    return course


def legal_steps(course: Course, mover: Mover, rules: Rules) -> tuple[LegalStep, ...]:
    """The steps that this mover may make now, the main path first."""
    return tuple(
        LegalStep(
            transition,
            transition.to or course.state,
            clause_of(transition, rules.profile),
            _offered(course, transition, rules),
        )
        for transition in TRANSITIONS
        if course.state in transition.sources and refusal(course, transition, mover, rules) is None
    )


def refused_steps(course: Course, mover: Mover, rules: Rules) -> tuple[tuple[Transition, GisError], ...]:
    """The steps that the table has from here and this mover may not make now, each with the reason and its clause."""
    found = (
        (transition, refusal(course, transition, mover, rules))
        for transition in TRANSITIONS
        if course.state in transition.sources
    )
    return tuple((transition, reason) for transition, reason in found if reason is not None)


def _offered(course: Course, transition: Transition, rules: Rules) -> Filled:
    """What a form begins with: the units that are known, and each aspect to be scored, still empty."""
    if StepField.SCORES not in transition.asks:
        return suggested(course, transition, rules)
    aspects = rules.profile.incident_loop.unit_scoring_subscores.value
    return {StepField.SCORES: {aspect.value: None for aspect in aspects}}


def running_clock(course: Course, rules: Rules) -> Deadline | None:
    """The clock that runs in the present state; None where the document gives no number."""
    limit = _limit(course, rules)
    return None if limit is None else start(limit, course.clock_starts_at, rules.calendar)


# ---- clocks ---------------------------------------------------------------------------------------------------------


def _limit(course: Course, rules: Rules) -> Limit | None:
    profile = rules.profile
    match course.state:
        case IncidentState.DISCOVERED:
            return recording_limit(profile)
        case IncidentState.RECORDED:
            return reporting_limit(profile, urgent=course.is_urgent)
        case IncidentState.REPORTED:
            return escalation_limit(profile, urgent=course.is_urgent)
        case IncidentState.DISPATCHED | IncidentState.TAKEN_UP:
            # an item of the catalogue has its own limit or, where its row is blank, none until the operator sets one
            item = rules.items.items.get(course.item_key or "")
            return handling_limit(profile) if item is None else item.time_limit
        case IncidentState.VERIFYING:
            return verification_limit(profile)
    return None


def _due(clock: Deadline | None) -> datetime | None:
    return None if clock is None or clock.limit.at_once else clock.due_at


def _clock_start(course: Course, to: IncidentState, at: datetime, profile: Profile) -> datetime:
    from_feedback = (
        profile.incident_loop.verification_clock_start.value is VerificationStart.DEPARTMENT_FEEDBACK
    )
    if to is IncidentState.TAKEN_UP or (to is IncidentState.VERIFYING and from_feedback):
        return course.clock_starts_at  # of the dispatch; of the department's feedback
    if to in (IncidentState.DISCOVERED, IncidentState.RECORDED):
        return course.discovered_at  # K5
    return at


# ---- applying -------------------------------------------------------------------------------------------------------


def _applied(course: Course, attempt: Attempt, rules: Rules) -> Course:
    """The course after a transition that has been found legal."""
    transition, filled, mover = attempt.transition, attempt.filled, attempt.mover
    if transition.step in (StepKind.ACCEPT, StepKind.SUPERVISE) and course.supervised_at is None:
        course = replace(course, supervised_at=attempt.at)  # T7: receipt enters it in the list
    if transition.to is None:
        return _judged(course, filled)
    after = replace(
        course,
        state=transition.to,
        clock_starts_at=_clock_start(course, transition.to, attempt.at, rules.profile),
        current_level=_level_after(course, transition, mover, rules.profile),
        completed_at=_completed(course, transition.to, attempt.at),
    )
    if (text := filled.get(StepField.ITEM)) is not None:
        named = find_item(rules.items, str(text))
        after = replace(
            after,
            item=str(text) if named is None else named.title.zh,
            item_key=None if named is None else named.key,
        )
    units = {
        name: str(filled[key])
        for key, name in (
            (StepField.LEAD_UNIT, "lead_unit"),
            (StepField.RESPONSIBLE_UNIT, "responsible_unit"),
        )
        if key in filled
    }
    if StepField.LEAD_UNIT in filled:
        after = replace(after, **{"responsible_unit": None, **units})  # type: ignore[arg-type]
    if transition.to is IncidentState.DISPATCHED:
        after = replace(after, person_in_charge=None)
    if StepField.PERSON_IN_CHARGE in filled:
        after = replace(after, person_in_charge=str(filled[StepField.PERSON_IN_CHARGE]))
    if (
        course.first_contact is None
        and rules.profile.incident_loop.first_contact_responsibility.value
        and transition.step in (StepKind.RECORD, StepKind.RESOLVE_ON_SITE, StepKind.REPORT)
    ):
        after = replace(after, first_contact=mover.name)  # K7: nothing takes it away again
    return replace(after, due_at=_due(running_clock(after, rules)))


def _completed(course: Course, to: IncidentState, at: datetime) -> datetime | None:
    if to in DONE and to is not course.state:
        return at
    return course.completed_at if to in SETTLED else None


def _judged(course: Course, filled: Filled) -> Course:
    """With what the party (T19) or a township or community (T20) says of the result; the latest word stands."""
    rating, scores = filled.get(StepField.RATING), filled.get(StepField.SCORES)
    if isinstance(rating, int):
        course = replace(course, rating=rating)
    if isinstance(scores, Mapping):
        course = replace(course, scores=tuple(sorted(scores.items())))
    return course


FIRST_LEVEL = {
    FirstEscalation.COMMUNITY: AdminLevel.COMMUNITY,
    FirstEscalation.TOWNSHIP: AdminLevel.TOWNSHIP,
    # who reads the platform no document says; the township is the first that dispatches [inferred]
    FirstEscalation.PLATFORM: AdminLevel.TOWNSHIP,
}


def _level_after(course: Course, transition: Transition, mover: Mover, profile: Profile) -> AdminLevel | None:
    match transition.step:
        case StepKind.REPORT:
            return FIRST_LEVEL[profile.incident_loop.first_escalation_level.value]
        case StepKind.REPORT_SPECIAL:
            return AdminLevel.TOWNSHIP
        case StepKind.ESCALATE:
            level = course.current_level or mover.level
            return None if level is None else level_above(level, profile)
        case StepKind.RETURN:
            goes_to = profile.incident_loop.wrong_department_goes_to.value.level
            return goes_to if isinstance(goes_to, AdminLevel) else course.current_level
    if course.current_level is None and mover.party is Party.INSTITUTION and transition.levels:
        return mover.level
    return course.current_level


def _following(course: Course, profile: Profile) -> tuple[Transition, ...]:
    """What the system does of itself: T15 where verification is always due, T22 where nothing is filed."""
    loop = profile.incident_loop
    if (
        course.state is IncidentState.COMPLETED
        and loop.verification_required.value is VerificationNeed.ALWAYS
    ):
        return (BY_STEP[StepKind.VERIFY, course.state],)
    if (
        course.state in (IncidentState.FED_BACK, IncidentState.RESOLVED_ON_SITE)
        and not loop.archive_step.value
    ):
        return (BY_STEP[StepKind.ARCHIVE, course.state],)
    return ()


def _record(before: Course | None, after: Course, attempt: Attempt, rules: Rules) -> Record:
    transition, mover = attempt.transition, attempt.mover
    return Record(
        step=transition.step,
        row=transition.row,
        from_state=None if before is None else before.state,
        to_state=after.state,
        at=attempt.at,
        mover=mover,
        level=_level_of_row(after, mover),
        entered_for=entered_for(transition, mover, rules.profile),
        filled=attempt.filled,
        clause=clause_of(transition, rules.profile),
        clock=None if transition.to is None else running_clock(after, rules),
        ended=None if before is None or transition.to is None else _ended(before, after, attempt.at, rules),
    )


def _level_of_row(after: Course, mover: Mover) -> AdminLevel | None:
    if mover.party in (Party.GRID_WORKER, Party.INCIDENT_PARTY):
        return None  # in the grid itself
    return mover.level or after.current_level


def _ended(before: Course, after: Course, at: datetime, rules: Rules) -> Ended | None:
    if after.state is IncidentState.TAKEN_UP:
        return None  # the clock of the dispatch runs on
    clock = running_clock(before, rules)
    return None if clock is None else Ended(clock.standing(at, at), clock.delay(at), clock)
