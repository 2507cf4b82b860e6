"""How an item comes into a catalogue and leaves it (requirements 4.3): a table of moves, and per profile who and what.

``take`` makes one move and answers with the new state, what is to be warned of and what is to be done next; a refusal
names its clause. The rules that are parameters come from the profile; what a document adds to them stands in the tables here.
"""

from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from gis_server.core.errors import Conflict, GisError, NotAllowed, UnusableInput
from gis_server.core.message import Message, msg
from gis_server.core.parameter import Force, Parameter
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import AdminLevel, Body, Duration, Organisation, Term


class ItemState(Term):
    """Where an item stands between proposal and exit."""

    PROPOSED = "proposed", "已提出", "proposed"
    APPROVED = "approved", "已批准", "approved"
    REFUSED = "refused", "禁入", "refused"
    IN_FORCE = "in_force", "已实施", "in force"
    EXIT_PROPOSED = "exit_proposed", "拟退出", "exit proposed"
    EXITED = "exited", "已退出", "exited"


class ItemTerm(Term):
    """For how long an item is meant to stay."""

    STANDING_ITEM = "standing_item", "常态化管理事项", "standing item"
    TEMPORARY_ITEM = "temporary_item", "临时管理事项", "temporary item"


class ItemAct(Term):
    """What may be done to an item."""

    PROPOSE = "propose", "提出准入", "propose"
    APPROVE = "approve", "批准准入", "approve"
    PROHIBIT = "prohibit", "按禁入清单拒绝", "refuse by the prohibited list"
    DEPLOY = "deploy", "部署实施", "deploy"
    EXPIRE = "expire", "到期退出", "expire"
    PROPOSE_EXIT = "propose_exit", "提出退出", "propose the exit"
    ENDORSE_EXIT = "endorse_exit", "上报退出", "pass the exit upward"
    EXIT = "exit", "批准退出", "exit"


class Attachment(Term):
    """Papers that go with an act."""

    INSTRUCTOR_LIST = "instructor_list", "网格业务指导员名单", "list of business instructors"
    APPRAISAL_METHOD = "appraisal_method", "指导员绩效考核办法", "appraisal method of the instructors"
    WRITTEN_APPLICATION = "written_application", "书面申请", "written application"


class DutyKind(Term):
    """What a move leaves to be done."""

    FILING = "filing", "备案", "filing"
    PUBLICATION = "publication", "向社会公布", "publication"


MOVES: Mapping[tuple[ItemState | None, ItemAct], ItemState] = {
    (None, ItemAct.PROPOSE): ItemState.PROPOSED,
    (ItemState.PROPOSED, ItemAct.APPROVE): ItemState.APPROVED,
    (ItemState.APPROVED, ItemAct.PROHIBIT): ItemState.REFUSED,
    (ItemState.APPROVED, ItemAct.DEPLOY): ItemState.IN_FORCE,
    (ItemState.IN_FORCE, ItemAct.EXPIRE): ItemState.EXITED,
    (ItemState.IN_FORCE, ItemAct.PROPOSE_EXIT): ItemState.EXIT_PROPOSED,
    (ItemState.EXIT_PROPOSED, ItemAct.ENDORSE_EXIT): ItemState.EXIT_PROPOSED,
    (ItemState.EXIT_PROPOSED, ItemAct.EXIT): ItemState.EXITED,
    (ItemState.EXITED, ItemAct.PROPOSE): ItemState.PROPOSED,
}
"""From which state which act leads where; whatever is not here is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """An item on its way through the catalogue."""

    item: str
    state: ItemState
    term: ItemTerm
    proposer: Body
    ground: str
    valid_to: date | None = None
    approved_on: date | None = None
    exit_path: tuple[Body, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Somebody's act on an item: who, when, with what. ``by`` is None for the system's own acts."""

    act: ItemAct
    on: date
    by: Body | None = None
    ground: str = ""
    term: ItemTerm = ItemTerm.STANDING_ITEM
    valid_to: date | None = None
    attachments: frozenset[Attachment] = frozenset()
    consents: frozenset[Body] = frozenset()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Warned:
    """A should that is not kept: it stands only with a written reason (``needs_reason`` until there is one)."""

    message: Message
    clause: str | None
    needs_reason: bool


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to be done after a move."""

    kind: DutyKind
    clause: str | None
    body: Body | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a move came to."""

    admission: Admission
    warnings: tuple[Warned, ...] = ()
    duties: tuple[Duty, ...] = ()


@dataclass(frozen=True, slots=True)
class _Papers:
    clause: str
    needed: frozenset[Attachment]


@dataclass(frozen=True, slots=True)
class _ExitRule:
    """How an exit is asked for: by whom, by way of whom, on what paper; ``heard_at`` is the level that "same level" means."""

    clause: str
    proposers: tuple[Body, ...]
    by_way_of: tuple[Body, ...] = ()
    papers: frozenset[Attachment] = frozenset()
    heard_at: AdminLevel | None = None
    filed: bool = False


_COMMUNITY, _TOWNSHIP = Body(None, AdminLevel.COMMUNITY), Body(None, AdminLevel.TOWNSHIP)
_DEPARTMENT = Body(Organisation.FUNCTIONAL_DEPARTMENT)

_PAPERS_OF_DEPARTMENTS = {
    "taizhou": _Papers(
        "taizhou 5.2.1.2", frozenset({Attachment.INSTRUCTOR_LIST, Attachment.APPRAISAL_METHOD})
    )
}
_CONSENT_TO_TEMPORARY = {"taizhou": (_TOWNSHIP, "taizhou 5.2.1.4")}
_DEPLOYED_BY = {"gansu": "gansu 二(二)1", "zhenjiang": "zhenjiang 12(2)"}
_INSTITUTIONS = frozenset(
    {Organisation.GRID_INSTITUTION, Organisation.GOVERNANCE_CENTER, Organisation.COMMAND_CENTER}
)
_EXIT: Mapping[str, _ExitRule] = {
    "heilongjiang": _ExitRule("heilongjiang 8.6.2", (_COMMUNITY,), by_way_of=(_TOWNSHIP,), filed=True),
    "taizhou": _ExitRule("taizhou 5.2.2", (_DEPARTMENT,)),
    "gansu": _ExitRule(
        "gansu 二(二)3",
        (_TOWNSHIP, _DEPARTMENT),
        papers=frozenset({Attachment.WRITTEN_APPLICATION}),
        heard_at=AdminLevel.COUNTY,
        filed=True,
    ),
    "zhenjiang": _ExitRule(
        "zhenjiang 13(2)",
        tuple(
            Body(organisation, level)
            for organisation in (Organisation.GRID_INSTITUTION, Organisation.FUNCTIONAL_DEPARTMENT)
            for level in (AdminLevel.PREFECTURE, AdminLevel.COUNTY)
        ),
    ),
}


def take(
    profile: Profile,
    item: str,
    before: Admission | None,
    deed: Deed,
    prohibited: frozenset[str] = frozenset(),
) -> Step:
    """Make one move of ``item``, which stands at ``before`` (None if it was never proposed).

    ``prohibited`` are the items of the prohibited list (禁入清单). Raises Conflict where the state, a missing paper or consent, or
    the prohibited list forbids it, NotAllowed where it is not this body's to do; the sentence names the clause.
    """
    state = before.state if before else None
    to = MOVES.get((state, deed.act))
    if to is None:
        now = state.message if state else msg("尚未提出")
        raise Conflict(
            msg("事项 {item} 现为“{state}”，不能{act}。", item=item, state=now, act=deed.act.message)
        )
    if before is None or deed.act is ItemAct.PROPOSE:
        return _propose(profile, item, deed)
    _heed_prohibitions(profile, item, deed.act, prohibited)
    return _GUARDS[deed.act](profile, replace(before, state=to), deed)


def _heed_prohibitions(profile: Profile, item: str, act: ItemAct, prohibited: frozenset[str]) -> None:
    rule = profile.items.prohibited_list
    listed = rule.value and item in prohibited
    if act is ItemAct.DEPLOY and listed:
        raise _refused(msg("事项 {item} 在禁入清单内", item=item), rule.clause)
    if act is ItemAct.PROHIBIT and not listed:
        raise _refused(msg("事项 {item} 不在禁入清单内", item=item), rule.clause)


def _propose(profile: Profile, item: str, deed: Deed) -> Step:
    proposer = profile.items.item_proposer
    by = _entitled(proposer.value, deed, None, proposer.clause)
    if not deed.ground.strip():
        raise _refused(msg("提出准入须写明法律依据或理由"), proposer.clause)
    papers = _PAPERS_OF_DEPARTMENTS.get(profile.key)
    if papers is not None and _DEPARTMENT.admits(by) and deed.term is ItemTerm.STANDING_ITEM:
        _require_papers(papers.needed, deed, papers.clause)
    if deed.term is ItemTerm.TEMPORARY_ITEM and deed.valid_to is None:
        raise _refused(msg("临时事项须写明截止日期"), profile.items.temporary_item_max.clause)
    if deed.valid_to is not None and deed.valid_to < deed.on:
        raise UnusableInput(
            msg("截止日期 {valid_to} 早于提出日期 {on}。", valid_to=deed.valid_to, on=deed.on),
            field="valid_to",
        )
    return Step(
        Admission(
            item=item,
            state=ItemState.PROPOSED,
            term=deed.term,
            proposer=by,
            ground=deed.ground.strip(),
            valid_to=deed.valid_to,
        )
    )


def _approve(profile: Profile, moved: Admission, deed: Deed) -> Step:
    approver = profile.items.item_approver
    level = _level(moved.proposer)
    bodies = approver.value
    if approver.otherwise is not None and level in (AdminLevel.TOWNSHIP, AdminLevel.COMMUNITY):
        bodies = approver.otherwise
    _entitled(bodies, deed, level, approver.clause)
    consent = _CONSENT_TO_TEMPORARY.get(profile.key)
    if consent is not None and moved.term is ItemTerm.TEMPORARY_ITEM:
        needed, clause = consent
        if needed not in deed.consents:
            raise _refused(msg("临时事项还须{body}同意", body=needed.message), clause)
    warnings = _too_long(profile.items.temporary_item_max, moved, deed)
    return Step(replace(moved, approved_on=deed.on), warnings)


def _too_long(longest: Parameter[Duration | None], moved: Admission, deed: Deed) -> tuple[Warned, ...]:
    """S24: the limit is counted from the day of admission (a reading), the same day of the month is within it."""
    if moved.term is not ItemTerm.TEMPORARY_ITEM or longest.value is None or moved.valid_to is None:
        return ()
    last = later(deed.on, longest.value)
    if moved.valid_to <= last:
        return ()
    problem = msg(
        "临时事项期限到 {valid_to}，超过 {longest}（至 {last}）",
        valid_to=moved.valid_to,
        longest=str(longest.value),
        last=last,
    )
    if longest.force is Force.MUST:
        raise _refused(problem, longest.clause)
    return (Warned(problem, longest.clause, needs_reason=not deed.reason.strip()),)


def _prohibit(profile: Profile, moved: Admission, deed: Deed) -> Step:  # noqa: ARG001  (the list is all it needs)
    return Step(moved)


def _deploy(profile: Profile, moved: Admission, deed: Deed) -> Step:
    clause = _DEPLOYED_BY.get(profile.key)
    if deed.by is None or deed.by.organisation not in _INSTITUTIONS:
        raise _not_allowed(msg("事项由网格化机构统一部署实施"), clause)
    duties = _filing(profile, moved)
    public = profile.items.catalogue_public
    if public.value:
        duties += (Duty(DutyKind.PUBLICATION, public.clause),)
    return Step(moved, duties=duties)


def _filing(profile: Profile, admission: Admission) -> tuple[Duty, ...]:
    filed = profile.items.item_filed_with
    if filed.value is None:
        return ()
    from_below = _level(admission.proposer) in (AdminLevel.TOWNSHIP, AdminLevel.COMMUNITY)
    if profile.key == "taizhou" and not from_below:  # 5.2.1.3 speaks of items of townships and communities
        return ()
    return (Duty(DutyKind.FILING, filed.clause, filed.value),)


def _expire(profile: Profile, moved: Admission, deed: Deed) -> Step:
    automatic = profile.items.item_auto_exit
    if not automatic.value:
        raise _refused(msg("事项不自动退出"), automatic.clause)
    if moved.valid_to is None or deed.on <= moved.valid_to:
        raise _refused(msg("事项 {item} 尚未到期", item=moved.item), automatic.clause)
    return Step(moved)


def _ask_exit(profile: Profile, moved: Admission, deed: Deed) -> Step:
    rule = _exit_rule(profile)
    path = moved.exit_path if deed.act is ItemAct.ENDORSE_EXIT else ()
    if deed.act is ItemAct.PROPOSE_EXIT:
        by = _entitled(rule.proposers, deed, None, rule.clause)
        _require_papers(rule.papers, deed, rule.clause)
    else:
        waiting = rule.by_way_of[len(path) - 1 :]
        if not waiting:
            raise _refused(msg("事项 {item} 的退出无须再上报", item=moved.item), rule.clause)
        by = _entitled(waiting[:1], deed, None, rule.clause)
    return Step(replace(moved, exit_path=(*path, by)))


def _exit(profile: Profile, moved: Admission, deed: Deed) -> Step:
    rule = _exit_rule(profile)
    approver = profile.items.item_exit_approver
    passed = moved.exit_path[1:]
    for needed in rule.by_way_of[len(passed) :]:
        raise _refused(msg("退出须先由{body}上报", body=needed.message), rule.clause)
    level = rule.heard_at or _level(moved.exit_path[0])
    by = _entitled(approver.value, deed, level, approver.clause or rule.clause)
    duties = (
        (Duty(DutyKind.FILING, rule.clause, profile.items.item_filed_with.value or by),) if rule.filed else ()
    )
    return Step(moved, duties=duties)


def _exit_rule(profile: Profile) -> _ExitRule:
    """The document's own rule, else exit is asked for by whoever may ask for admission."""
    proposer = profile.items.item_proposer
    return _EXIT.get(profile.key) or _ExitRule(proposer.clause or "", proposer.value)


def _entitled(bodies: tuple[Body, ...], deed: Deed, level: AdminLevel | None, clause: str | None) -> Body:
    if deed.by is not None and any(body.admits(deed.by, level) for body in bodies):
        return deed.by
    raise _not_allowed(
        msg("{act}应由{whose}进行", act=deed.act.message, whose=_listed([b.message for b in bodies])), clause
    )


def _require_papers(needed: frozenset[Attachment], deed: Deed, clause: str) -> None:
    missing = [paper.message for paper in Attachment if paper in needed - deed.attachments]
    if missing:
        raise _refused(msg("缺少{missing}", missing=_listed(missing)), clause)


def _listed(parts: Sequence[Message]) -> Message:
    *rest, last = parts
    return msg("{some}、{last}", some=_listed(rest), last=last) if rest else last


def _level(body: Body) -> AdminLevel | None:
    return body.level if isinstance(body.level, AdminLevel) else None


def _refused(problem: Message, clause: str | None) -> GisError:
    return Conflict(_with_clause(problem, clause))


def _not_allowed(problem: Message, clause: str | None) -> GisError:
    return NotAllowed(_with_clause(problem, clause))


def _with_clause(problem: Message, clause: str | None) -> Message:
    if clause:
        return msg("{problem}（{clause}）。", problem=problem, clause=clause)
    return msg("{problem}（文件未规定，为系统默认）。", problem=problem)


_GUARDS: Mapping[ItemAct, Callable[[Profile, Admission, Deed], Step]] = {
    ItemAct.APPROVE: _approve,
    ItemAct.PROHIBIT: _prohibit,
    ItemAct.DEPLOY: _deploy,
    ItemAct.EXPIRE: _expire,
    ItemAct.PROPOSE_EXIT: _ask_exit,
    ItemAct.ENDORSE_EXIT: _ask_exit,
    ItemAct.EXIT: _exit,
}


def later(day: date, span: Duration) -> date:
    """``day`` plus calendar years and months (the month's last day where it has no such day), then days."""
    months = day.month - 1 + span.months + 12 * span.years
    year, month = day.year + months // 12, months % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1])) + timedelta(days=span.days)
