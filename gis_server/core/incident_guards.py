"""What forbids a step: the profile, the mover's part, level or unit, a missing field; each refusal names the clause."""

import re
from collections.abc import Mapping
from typing import Any

from gis_server.core.errors import Conflict, GisError, NotAllowed, StateChanged, UnusableInput
from gis_server.core.incident import IncidentState
from gis_server.core.incident_course import Attempt, Course, Filled, Rules
from gis_server.core.incident_machine import (
    ENTERED_FOR,
    TRANSITIONS,
    Mover,
    Party,
    StepField,
    StepKind,
    Transition,
    level_above,
)
from gis_server.core.item import find_item, may_refuse, require_listed
from gis_server.core.message import Message, msg
from gis_server.core.parameter import Parameter
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import AdminLevel, LoopActor, VerificationNeed


def _ground(clause: str | None) -> object:
    return clause or msg("文件未载，按通则")


def no_such_step(course: Course, step: StepKind, profile: Profile) -> StateChanged:
    """Why there is no such step from the present state."""
    recorded = profile.incident_loop.resolved_on_site_must_be_recorded
    if (
        course.state is IncidentState.DISCOVERED
        and step in (StepKind.RESOLVE_ON_SITE, StepKind.ARCHIVE)
        and recorded.value
    ):
        return StateChanged(
            msg("就地解决的事件也须先登记备案（{ground}）。", ground=_ground(recorded.clause)),
            state=course.state,
            clause=recorded.clause,
        )
    clause = next(
        (found for row in TRANSITIONS if row.step is step and (found := clause_of(row, profile)) is not None),
        None,
    )
    return StateChanged(
        msg(
            "事件现为“{state}”，不能进行“{step}”（{ground}）。",
            state=course.state.message,
            step=step.message,
            ground=_ground(clause),
        ),
        state=course.state,
        clause=clause,
    )


def _deciding(transition: Transition, profile: Profile) -> Parameter[Any] | None:
    """The parameter that decides whether a profile has this transition at all."""
    loop, more = profile.incident_loop, profile.appraisal
    found: Parameter[Any] | None = None
    match transition.row:
        case "T3":
            found = profile.items.worker_may_refuse_unlisted
        case "T5a":
            secret = more.secret_report_channel
            found = secret if secret.value else more.homicide_risk_channel
        case "T15" | "T17":
            found = loop.verification_required
        case "T19":
            found = loop.satisfaction_rating
        case "T20":
            found = loop.unit_scoring_subscores
        case "T21":
            found = loop.disclosure_step
        case "T22":
            found = loop.archive_step
    return found


def clause_of(transition: Transition, profile: Profile) -> str | None:
    """The ground of a transition in the profile's document: its own clause, or that of the parameter that decides it."""
    parameter = _deciding(transition, profile)
    return transition.clause(profile) or (None if parameter is None else parameter.clause)


def _unused(course: Course, transition: Transition, rules: Rules) -> Conflict | None:
    """Why the profile has no such transition here; None if it has."""
    profile = rules.profile
    parameter, clause = _deciding(transition, profile), clause_of(transition, profile)
    reason: Message | None = None
    match transition.row:
        case "T3":
            named = course.item_key or course.item
            if named is None or may_refuse(rules.items, profile, named) is None:
                reason = msg("只有清单以外、且本地标准允许拒绝的事项才能拒绝。")
        case "T6":
            if course.current_level is not None and level_above(course.current_level, profile) is None:
                reason = msg("事件已在最高一级机构，不能再向上报。")
        case "T15" | "T17":
            need = profile.incident_loop.verification_required
            if transition.row == "T17" and need.value is VerificationNeed.ALWAYS:
                reason, clause = (
                    msg("反馈之前须先现场核实（{ground}）。", ground=_ground(need.clause)),
                    need.clause,
                )
            elif transition.row == "T15" and need.value is VerificationNeed.NOT_STATED:
                reason = msg("本地标准没有“{step}”这一环节。", step=transition.step.message)
        case _:
            if parameter is not None and not parameter.value:
                reason = msg("本地标准没有“{step}”这一环节。", step=transition.step.message)
    return None if reason is None else Conflict(reason, clause=clause)


def has_step(transition: Transition, profile: Profile) -> bool:
    """Whether a profile has this transition at all, whatever the incident."""
    need = profile.incident_loop.verification_required.value
    match transition.row:
        case "T15" | "T16" | "T16a":
            return need is not VerificationNeed.NOT_STATED
        case "T17":
            return need is not VerificationNeed.ALWAYS
        case "T22":  # where nothing is filed, the system strikes off by itself
            return True
    parameter = _deciding(transition, profile)
    return parameter is None or bool(parameter.value)


def parties_of(transition: Transition, profile: Profile) -> frozenset[Party]:
    """Who makes a transition under a profile."""
    loop = profile.incident_loop
    match transition.row:
        case "T9" | "T13" if loop.department_may_dispatch_directly.value:
            return transition.parties | {Party.HANDLING_UNIT}
        case "T16":
            return frozenset({_PARTY_OF[loop.feedback_actor.value]})
        case "T17" if loop.feedback_actor.clause and loop.feedback_actor.value is LoopActor.GRID_WORKER:
            return transition.parties | {Party.GRID_WORKER}
        case "T22":
            # the township centre strikes off where the document says so, else whoever enters the handling record
            closer = Party.INSTITUTION if loop.archive_step.clause else _PARTY_OF[loop.record_closer.value]
            return frozenset({closer, Party.SYSTEM})
    return transition.parties


_PARTY_OF = {LoopActor.GRID_WORKER: Party.GRID_WORKER, LoopActor.INSTITUTION: Party.INSTITUTION}


def entered_for(transition: Transition, mover: Mover, profile: Profile) -> Party | None:
    """For whom an institution's account enters this step; None where the mover makes it himself (or may not)."""
    parties = parties_of(transition, profile)
    if mover.party in parties or mover.party is not Party.INSTITUTION:
        return None
    return next((party for party in ENTERED_FOR if party in parties), None)


_BY_INCIDENTS_LEVEL = frozenset({"T8", "T9", "T12", "T13"})
"""Where the levels are those at which the incident may lie; elsewhere they say from which level up somebody may act."""


_FROM_THE_LEVELS_UP = frozenset({"T20", "T21", "supervision", "effect_tracking"})
"""Where the levels say from which institution up somebody may act, wherever the incident lies."""


def refusal(course: Course, transition: Transition, mover: Mover, rules: Rules) -> GisError | None:
    """Why this mover cannot make this transition now, fields apart; None if he can."""
    unused = _unused(course, transition, rules) or _no_meeting(course, transition, mover, rules.profile)
    if unused is not None:
        return unused
    clause = clause_of(transition, rules.profile)
    parties = parties_of(transition, rules.profile)
    in_place_of = entered_for(transition, mover, rules.profile)
    if mover.party not in parties and in_place_of is None:
        if mover.party is Party.HANDLING_UNIT and transition.step is StepKind.DISPATCH:
            clause = rules.profile.incident_loop.department_may_dispatch_directly.clause or clause
        return NotAllowed(
            msg(
                "“{step}”由{parties}进行，{party}不能进行（{ground}）。",
                step=transition.step.message,
                parties=min(parties - {Party.SYSTEM} or parties).message,
                party=mover.party.message,
                ground=_ground(clause),
            ),
            clause=clause,
        )
    if mover.party is Party.INSTITUTION:
        return _level_refusal(course, transition, mover, in_place_of, rules.profile)
    if mover.party is Party.HANDLING_UNIT:
        return _unit_refusal(course, transition, mover, clause)
    return None


def _no_meeting(course: Course, transition: Transition, mover: Mover, profile: Profile) -> Conflict | None:
    """T12 where the document names the levels that hold joint meetings."""
    levels, at = profile.incident_loop.joint_meeting_levels, course.current_level or mover.level
    if transition.row != "T12" or not levels.value or at is None or at in levels.value:
        return None
    return Conflict(
        msg(
            "联席会议由{levels}召开，事件现在{level}，不能进行“{step}”（{ground}）。",
            levels=tuple(level.message for level in sorted(levels.value, key=lambda one: one.rank)),
            level=at.message,
            step=transition.step.message,
            ground=_ground(levels.clause),
        ),
        clause=levels.clause,
    )


def _level_refusal(
    course: Course, transition: Transition, mover: Mover, in_place_of: Party | None, profile: Profile
) -> GisError | None:
    level, clause = mover.level, clause_of(transition, profile)
    if level is None or (in_place_of is not None and in_place_of is not Party.HANDLING_UNIT):
        return None
    lowest: AdminLevel | None
    if transition.row in _FROM_THE_LEVELS_UP:
        lowest = max(transition.levels, key=lambda one: one.rank)
    elif transition.row == "T22":
        lowest = AdminLevel.TOWNSHIP if profile.incident_loop.archive_step.clause else None
    else:
        lowest = course.current_level
    if lowest is not None and level.rank > lowest.rank:
        return NotAllowed(
            msg(
                "“{step}”须由{lowest}以上的机构进行（{ground}）。",
                step=transition.step.message,
                lowest=lowest.message,
                ground=_ground(clause),
            ),
            clause=clause,
        )
    at = course.current_level or level
    if transition.row in _BY_INCIDENTS_LEVEL and at not in transition.levels:
        return Conflict(
            msg(
                "事件现在{level}，这一级不能进行“{step}”（{ground}）。",
                level=at.message,
                step=transition.step.message,
                ground=_ground(clause),
            ),
            clause=clause,
        )
    return None


def _unit_refusal(
    course: Course, transition: Transition, mover: Mover, clause: str | None
) -> NotAllowed | None:
    if course.lead_unit is None or mover.unit is None:
        return None
    if mover.unit not in (course.lead_unit, course.responsible_unit):
        return NotAllowed(
            msg(
                "本事件交由{unit}办理，不归贵单位（{ground}）。",
                unit=course.lead_unit,
                ground=_ground(clause),
            ),
            clause=clause,
        )
    if transition.row == "T14" and course.is_joint and mover.unit != course.lead_unit:
        return NotAllowed(
            msg(
                "多部门共同办理的事件，由牵头单位{unit}办结（{ground}）。",
                unit=course.lead_unit,
                ground=_ground(clause),
            ),
            clause=clause,
        )
    return None


# ---- fields ---------------------------------------------------------------------------------------------------------


def suggested(course: Course, transition: Transition, rules: Rules) -> Filled:
    """The units that the incident has already or that the catalogue names for its item."""
    if StepField.LEAD_UNIT not in transition.asks:
        return {}
    item = rules.items.items.get(course.item_key or "")
    found: dict[StepField, object] = {}
    if course.lead_unit is not None:
        found[StepField.LEAD_UNIT] = course.lead_unit
        if course.responsible_unit is not None:
            found[StepField.RESPONSIBLE_UNIT] = course.responsible_unit
    elif item is not None and item.lead_unit is not None:
        found[StepField.LEAD_UNIT] = item.lead_unit.words.zh
        if item.responsible_unit is not None:
            found[StepField.RESPONSIBLE_UNIT] = item.responsible_unit.words.zh
    return found


def with_suggested(
    course: Course, transition: Transition, filled: Filled, rules: Rules
) -> dict[StepField, object]:
    """What was given, with the units of the catalogue where no lead unit was named."""
    known = {} if StepField.LEAD_UNIT in filled else suggested(course, transition, rules)
    return {**known, **filled}


_PERSONAL = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|\d{17}[\dXx])(?!\d)")
"""A mobile phone's number, or an identity card's: what shows a person at a glance in a text for everybody."""


def check_fields(course: Course, attempt: Attempt, rules: Rules) -> None:
    """Raise UnusableInput or Conflict unless the fields of an attempt are there and agree with the profile."""
    transition, filled, mover = attempt.transition, attempt.filled, attempt.mover
    known = {*transition.asks, *transition.takes, StepField.PLACE}  # where it was done, anybody may say
    for key in filled:
        if key not in known:
            raise UnusableInput(
                msg("“{step}”没有 {name} 这一项。", step=transition.step.message, name=key.value),
                field=key.value,
                expected=msg("{known} 之一", known=tuple(sorted(known))),
            )
    for key in transition.asks:
        if key is StepField.LEAD_UNIT and not rules.profile.incident_loop.lead_unit_required_when_many.value:
            continue
        if key not in filled:
            raise UnusableInput(
                msg(
                    "“{step}”须填写{name}（{ground}）。",
                    step=transition.step.message,
                    name=key.message,
                    ground=_ground(clause_of(transition, rules.profile)),
                ),
                field=key.value,
                expected=key.message,
            )
    if transition.row in ("T2", "T7") and (item := filled.get(StepField.ITEM, course.item)) is not None:
        named = find_item(rules.items, str(item))
        if transition.row == "T2" or StepField.ITEM in filled:
            require_listed(rules.items, rules.profile, str(item) if named is None else named.key)
    level, same = filled.get(StepField.UNIT_LEVEL), rules.profile.incident_loop.same_level_dispatch_only
    if level is not None and same.value and level != (course.current_level or mover.level):
        raise Conflict(
            msg("只能向同级部门交办（{ground}）。", ground=_ground(same.clause)), clause=same.clause
        )
    told = str(filled.get(StepField.NOTE, ""))
    if transition.row == "T21" and (found := _PERSONAL.search(told)) is not None:
        raise UnusableInput(
            msg(
                "公示内容不得含个人信息，请去掉“{found}”（{ground}）。",
                found=f"{found[0][:3]}…",
                ground=_ground(clause_of(transition, rules.profile)),
            ),
            field="note",
            expected=msg("不含手机号和身份证号的文字"),
        )
    scores = filled.get(StepField.SCORES)
    aspects = set(rules.profile.incident_loop.unit_scoring_subscores.value)
    if isinstance(scores, Mapping) and set(scores) != aspects:
        names = tuple(sorted(aspects))
        raise UnusableInput(
            msg("打分应逐项给出：{names}。", names=names),
            field="scores",
            expected=msg("{known} 之一", known=names),
        )
