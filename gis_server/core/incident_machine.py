"""The main machine of an incident (requirements 4.1) as data: its transitions, who makes them, what each one asks for.

``core.incident_moves`` runs it. A state that a profile does not use is skipped, never renamed. The table holds no rule of
its own: numbers and actors come from the profile's parameters, and each transition carries the clauses it was read from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gis_server.core.access import Actor, Role
from gis_server.core.incident import OPEN, IncidentState
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import AdminLevel, Term


class StepKind(Term):
    """What is done to an incident; the verb of a button."""

    DISCOVER = "discover", "发现", "discover"
    RECORD = "record", "登记", "record"
    REFUSE = "refuse", "拒绝清单外事项", "refuse as not listed"
    RESOLVE_ON_SITE = "resolve_on_site", "就地解决", "resolve on the spot"
    REPORT = "report", "上报", "report"
    REPORT_SPECIAL = "report_special", "专门渠道上报", "report by the special channel"
    ACCEPT = "accept", "受理", "accept"
    ESCALATE = "escalate", "报上一级", "escalate"
    DISPATCH = "dispatch", "分流交办", "dispatch"
    COORDINATE = "coordinate", "协调办理", "coordinate"
    TAKE_UP = "take_up", "报到承接", "take up"
    RETURN = "return", "退回", "return"
    COMPLETE = "complete", "办结", "complete"
    VERIFY = "verify", "要求现场核实", "ask for on-site verification"
    FEED_BACK = "feed_back", "反馈当事人", "tell the party"
    SEND_BACK = "send_back", "核实未办结，退回重办", "send back: found not done"
    ARCHIVE = "archive", "归档销号", "file and strike off"
    TELL_PROGRESS = "tell_progress", "反馈进度", "tell the progress"
    RATE = "rate", "满意度评价", "satisfaction rating"
    SCORE = "score", "部门打分", "score the unit"
    DISCLOSE = "disclose", "信息公示", "disclose the result"
    SUPERVISE = "supervise", "督办", "supervise"
    TRACK = "track", "跟踪问效", "track the effect"


class Party(Term):
    """Who makes a transition."""

    GRID_WORKER = "grid_worker", "网格员", "grid worker"
    INSTITUTION = "institution", "网格化机构", "grid institution"
    HANDLING_UNIT = "handling_unit", "承办部门(单位)", "handling unit"
    INCIDENT_PARTY = "incident_party", "当事人", "party"
    SYSTEM = "system", "系统", "system"


class StepField(Term):
    """What a step asks for, or takes."""

    NOTE = "note", "情况说明", "account"
    REASON = "reason", "理由", "reason"
    RESULT = "result", "办理结果", "result"
    ITEM = "item", "事项", "item"
    LEAD_UNIT = "lead_unit", "牵头单位", "lead unit"
    RESPONSIBLE_UNIT = "responsible_unit", "责任单位", "responsible unit"
    UNIT_LEVEL = "unit_level", "承办部门层级", "level of the unit"
    PERSON_IN_CHARGE = "person_in_charge", "经办人", "person in charge"
    PLACE = "place", "核实地点", "place of verification"
    RATING = "rating", "满意度(1 至 5)", "satisfaction (1 to 5)"
    SCORES = "scores", "打分(0 至 100)", "scores (0 to 100)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One row of requirements 4.1; ``to`` is None where the state stays (an event during it).

    ``levels`` are those of institutions that may make it (empty: any), ``clauses`` the places it was read from;
    ``asks`` must be given, ``takes`` may be.
    """

    row: str
    step: StepKind
    sources: frozenset[IncidentState | None]
    to: IncidentState | None
    parties: frozenset[Party]
    levels: frozenset[AdminLevel] = frozenset()
    asks: tuple[StepField, ...] = ()
    takes: tuple[StepField, ...] = ()
    clauses: tuple[str, ...] = ()

    def clause(self, profile: Profile) -> str | None:
        """The clause of the profile's own document; None where it is silent."""
        return next((clause for clause in self.clauses if clause.startswith(f"{profile.key} ")), None)


def _row(
    row: str,
    step: StepKind,
    sources: IncidentState | frozenset[IncidentState] | None,
    to: IncidentState | None,
    *parties: Party,
    **more: object,
) -> Transition:
    given = sources if isinstance(sources, frozenset) else frozenset({sources})
    return Transition(row=row, step=step, sources=given, to=to, parties=frozenset(parties), **more)  # type: ignore[arg-type]


_DISPATCHING = frozenset({AdminLevel.TOWNSHIP, AdminLevel.COUNTY, AdminLevel.PREFECTURE})
_NEAR = frozenset({AdminLevel.COMMUNITY, AdminLevel.TOWNSHIP})
_SUPERVISING = frozenset({AdminLevel.TOWNSHIP, AdminLevel.COUNTY, AdminLevel.PREFECTURE})
F, P, K, S = StepField, Party, StepKind, IncidentState

TRANSITIONS: tuple[Transition, ...] = (
    _row(
        "T1",
        K.DISCOVER,
        None,
        S.DISCOVERED,
        P.GRID_WORKER,
        P.INSTITUTION,
        P.INCIDENT_PARTY,
        clauses=("gansu 三(一)1", "heilongjiang 8.4.1", "zhenjiang 32", "heihe 21(1)"),
    ),
    _row(
        "T2",
        K.RECORD,
        S.DISCOVERED,
        S.RECORDED,
        P.GRID_WORKER,
        takes=(F.ITEM, F.NOTE),
        clauses=("zhenjiang 31", "gansu 三(二)1", "heilongjiang 8.5.1"),
    ),
    _row(
        "T3",
        K.REFUSE,
        S.DISCOVERED,
        S.REFUSED,
        P.GRID_WORKER,
        asks=(F.REASON,),
        clauses=("heihe 16(2)", "heilongjiang 8.5.1", "gansu 二(二)4"),
    ),
    _row(
        "T5",
        K.REPORT,
        S.RECORDED,
        S.REPORTED,
        P.GRID_WORKER,
        takes=(F.NOTE,),
        clauses=("heilongjiang 8.4.1", "gansu 二(一)1(1)", "heihe 21(1)", "zhenjiang 32"),
    ),
    _row(
        "T4",
        K.RESOLVE_ON_SITE,
        S.RECORDED,
        S.RESOLVED_ON_SITE,
        P.GRID_WORKER,
        asks=(F.RESULT,),
        clauses=("heilongjiang 8.4.1", "heihe 21(1)", "gansu 二(一)1(1)", "zhenjiang 32", "taizhou 附录A"),
    ),
    _row(
        "T5a",
        K.REPORT_SPECIAL,
        S.RECORDED,
        S.REPORTED,
        P.GRID_WORKER,
        asks=(F.NOTE,),
        clauses=("gansu 二(一)1(2)", "taizhou 5.4(2)"),
    ),
    _row(
        "T7",
        K.ACCEPT,
        S.REPORTED,
        S.ACCEPTED,
        P.INSTITUTION,
        takes=(F.ITEM, F.NOTE),
        clauses=("zhenjiang 27(2)", "heilongjiang 8.4.2", "gansu 三(一)3"),
    ),
    _row(
        "T6",
        K.ESCALATE,
        S.REPORTED,
        S.REPORTED,
        P.INSTITUTION,
        takes=(F.NOTE,),
        clauses=("zhenjiang 33(1)", "heilongjiang 8.4.3", "gansu 三(一)3"),
    ),
    _row(
        "T9",
        K.DISPATCH,
        S.ACCEPTED,
        S.DISPATCHED,
        P.INSTITUTION,
        levels=_DISPATCHING,
        asks=(F.LEAD_UNIT,),
        takes=(F.RESPONSIBLE_UNIT, F.UNIT_LEVEL, F.NOTE),
        clauses=("gansu 三(一)", "heilongjiang 8.4.2", "zhenjiang 33"),
    ),
    _row(
        "T12",
        K.COORDINATE,
        frozenset({S.ACCEPTED, S.RETURNED}),
        S.COORDINATING,
        P.INSTITUTION,
        levels=_DISPATCHING,
        asks=(F.LEAD_UNIT,),
        takes=(F.RESPONSIBLE_UNIT, F.NOTE),
        clauses=("heihe 19(2)", "zhenjiang 33(2)", "heilongjiang 8.1.3"),
    ),
    _row(
        "T8",
        K.COMPLETE,
        S.ACCEPTED,
        S.COMPLETED,
        P.INSTITUTION,
        levels=_NEAR,
        asks=(F.RESULT,),
        clauses=("gansu 三(一)4", "heihe 21(1)", "zhenjiang 33(1)"),
    ),
    _row(
        "T13",
        K.DISPATCH,
        S.COORDINATING,
        S.DISPATCHED,
        P.INSTITUTION,
        levels=_DISPATCHING,
        asks=(F.LEAD_UNIT, F.NOTE),
        takes=(F.RESPONSIBLE_UNIT, F.UNIT_LEVEL),
    ),
    _row(
        "T10",
        K.TAKE_UP,
        S.DISPATCHED,
        S.TAKEN_UP,
        P.HANDLING_UNIT,
        asks=(F.PERSON_IN_CHARGE,),
        takes=(F.NOTE,),
        clauses=("gansu 三(一)", "zhenjiang 34(1)", "heilongjiang 8.1.3"),
    ),
    _row(
        "T11",
        K.RETURN,
        S.DISPATCHED,
        S.RETURNED,
        P.HANDLING_UNIT,
        asks=(F.REASON,),
        clauses=("heilongjiang 8.4.4",),
    ),
    _row(
        "T14",
        K.COMPLETE,
        S.TAKEN_UP,
        S.COMPLETED,
        P.HANDLING_UNIT,
        asks=(F.RESULT,),
        clauses=("heilongjiang 8.4.4", "heihe 21(2)", "zhenjiang 34"),
    ),
    _row(
        "T17",
        K.FEED_BACK,
        S.COMPLETED,
        S.FED_BACK,
        P.INSTITUTION,
        takes=(F.NOTE,),
        clauses=("heilongjiang 8.4.2", "gansu 三(一)5"),
    ),
    _row(
        "T15",
        K.VERIFY,
        S.COMPLETED,
        S.VERIFYING,
        P.SYSTEM,
        P.INSTITUTION,
        takes=(F.NOTE,),
        clauses=("zhenjiang 35", "heihe 21(3)"),
    ),
    _row(
        "T16",
        K.FEED_BACK,
        S.VERIFYING,
        S.FED_BACK,
        P.GRID_WORKER,
        asks=(F.PLACE,),
        takes=(F.NOTE,),
        clauses=("zhenjiang 35", "heihe 21(3)"),
    ),
    _row("T16a", K.SEND_BACK, S.VERIFYING, S.DISPATCHED, P.INSTITUTION, asks=(F.REASON,)),
    _row(
        "T22",
        K.ARCHIVE,
        frozenset({S.RESOLVED_ON_SITE, S.FED_BACK}),
        S.ARCHIVED,
        P.GRID_WORKER,
        P.INSTITUTION,
        takes=(F.NOTE,),
        clauses=("heilongjiang 8.4.2", "gansu 三(一)", "heihe 21(1)"),
    ),
    _row(
        "T19",
        K.RATE,
        S.FED_BACK,
        None,
        P.INCIDENT_PARTY,
        asks=(F.RATING,),
        takes=(F.NOTE,),
        clauses=("heilongjiang 8.1.7, 9.2.2", "heihe 26(2)"),
    ),
    _row(
        "T20",
        K.SCORE,
        S.FED_BACK,
        None,
        P.INSTITUTION,
        levels=_NEAR,
        asks=(F.SCORES,),
        takes=(F.NOTE,),
        clauses=("heilongjiang 8.1.7, 8.4.2, 9.2.3",),
    ),
    _row(
        "T21",
        K.DISCLOSE,
        S.FED_BACK,
        None,
        P.INSTITUTION,
        levels=_DISPATCHING,
        asks=(F.NOTE,),
        clauses=("heilongjiang 8.4.2",),
    ),
    _row(
        "T18",
        K.TELL_PROGRESS,
        frozenset(OPEN),
        None,
        P.INSTITUTION,
        asks=(F.NOTE,),
        clauses=("gansu 三(一)5",),
    ),
    _row(
        "supervision",
        K.SUPERVISE,
        frozenset(OPEN),
        None,
        P.INSTITUTION,
        levels=_SUPERVISING,
        asks=(F.NOTE,),
        clauses=("heilongjiang 8.1.3", "zhenjiang 27(2)"),
    ),
    _row(
        "effect_tracking",
        K.TRACK,
        frozenset(OPEN),
        None,
        P.INSTITUTION,
        levels=_SUPERVISING,
        asks=(F.NOTE,),
        clauses=("heilongjiang 8.4.2",),
    ),
)
"""T1–T22 with T5a and T16a, the main path first: the first legal one is what the desk offers before all others; then
what the line under the table allows at every state."""

BY_STEP: Mapping[tuple[StepKind, IncidentState | None], Transition] = MappingProxyType(
    {(row.step, source): row for row in TRANSITIONS for source in row.sources}
)
"""The transition of a step from a state; there is never more than one."""


@dataclass(frozen=True, slots=True)
class Mover:
    """Who asks for a step, in the machine's terms.

    ``level`` is an institution's, ``unit`` a handling unit's key or name. An institution's account may also enter what a grid
    worker, a handling unit or the party did (not everybody has an account); the row then says for whom.
    """

    party: Party
    name: str
    level: AdminLevel | None = None
    unit: str | None = None
    account_id: int | None = None


SYSTEM = Mover(Party.SYSTEM, "system")

ENTERED_FOR = frozenset({Party.GRID_WORKER, Party.HANDLING_UNIT, Party.INCIDENT_PARTY})
"""Whose steps an institution's account may enter for them."""

_LEVELS = (AdminLevel.COUNTY, AdminLevel.TOWNSHIP, AdminLevel.COMMUNITY)
_PARTY_OF = {Role.GRID_WORKER: Party.GRID_WORKER, Role.HANDLING_UNIT: Party.HANDLING_UNIT}


def mover_of(actor: Actor, profile: Profile) -> Mover:
    """The mover that an account is: its level is that of its territory, the whole deployment being the highest there is."""
    party = _PARTY_OF.get(actor.role, Party.INSTITUTION)
    if party is Party.HANDLING_UNIT:
        return Mover(party, actor.name, unit=actor.name, account_id=actor.account_id)
    if party is Party.GRID_WORKER:
        return Mover(party, actor.name, account_id=actor.account_id)
    depth = len(actor.territory.path)
    level = _LEVELS[min(depth, 3) - 1] if depth else highest_level(profile)
    return Mover(party, actor.name, level, account_id=actor.account_id)


def highest_level(profile: Profile) -> AdminLevel:
    """The highest level with an institution: prefecture or county."""
    return min(profile.identity.institution_levels.value, key=lambda level: level.rank)


def level_above(level: AdminLevel, profile: Profile) -> AdminLevel | None:
    """The next level up that has an institution; None at the top."""
    above = [known for known in profile.identity.institution_levels.value if known.rank < level.rank]
    return max(above, key=lambda known: known.rank) if above else None
