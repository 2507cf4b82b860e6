"""What a jurisdiction demands of its roster (requirements 3.2 D and V14), parameter by parameter.

Every finding has the clause and the force of the parameter it breaks. A count that a document simply states ("one full-time worker
a grid") is as good as a must (S30), and so is the most that it permits; a reading that its words do not give, and any other
statement, is a warning; a default of the product's own is a hint.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import Any

from gis_server.core.coverage.findings import Finding, Kind, Severity
from gis_server.core.coverage.rules import BRIEF, RULE_OF
from gis_server.core.message import Message, msg
from gis_server.core.parameter import Force, Origin, Parameter
from gis_server.core.profile import Profile
from gis_server.core.profile_groups import Staffing
from gis_server.core.roster import LeaderLevel, Post, Posting, Roster, StaffedGrid, WorkerKind, persons
from gis_server.core.vocabulary import HostSupply, LeaderPost, StaffingModel

Posts = Sequence[Posting]
Broken = tuple[Parameter[Any], Severity, Message]
Rule = Callable[[Staffing, StaffedGrid, Posts], Iterator[Broken]]


def roster_findings(
    profile: Profile, grids: Sequence[StaffedGrid], roster: Roster, at: datetime
) -> tuple[Finding, ...]:
    """What each grid's postings at ``at`` lack, or have too much of (V14); in the order of ``grids``."""
    return tuple(
        _finding(broken, fids=(grid.fid,), code=grid.code)
        for grid in grids
        for rule in _RULES
        for broken in rule(profile.staffing, grid, roster.of(grid.code, at))
    )


def liaison_findings(
    profile: Profile, communities: Sequence[str], roster: Roster, at: datetime
) -> tuple[Finding, ...]:
    """Communities that no level-1 leader is linked to, where the profile has such leaders (heilongjiang 7.2.2).

    They concern the roster as a whole: no single grid is to blame.
    """
    staffing = profile.staffing
    least = staffing.liaison_min_communities
    if staffing.leader_levels.value < len(LeaderLevel) or not least.value:
        return ()
    return tuple(
        _finding((least, _severity(least), msg("社区(村) {code} 没有一级网格长包联。", code=code)), (), code)
        for code in communities
        if not any(posting.leader_level is LeaderLevel.LEVEL_1 for posting in roster.of(code, at))
    )


def stray_findings(codes: Collection[str], roster: Roster, at: datetime) -> tuple[Finding, ...]:
    """Postings at ``at`` for a grid or area that is not among ``codes``: it has been merged or renumbered since.

    Nobody answers by them; they are told so that the next roster puts them right.
    """
    stray = sorted({posting.code for posting in roster.at(at)}.difference(codes))
    return tuple(
        Finding(
            kind=Kind.ROSTER,
            rule=RULE_OF[Kind.ROSTER],
            severity=Severity.WARNING,
            clause=BRIEF,
            fids=(),
            codes=(code,),
            area_m2=0.0,
            width_m=0.0,
            message=msg("花名册上的编码 {code} 已不是网格或区划，其人员没有负责的地方。", code=code),
        )
        for code in stray
    )


def full_time_kinds(staffing: Staffing, grid: StaffedGrid) -> tuple[WorkerKind, ...]:
    """Kinds of workers that count as a grid's full-time staff: the host's own too where the profile lets a host supply it."""
    supply = staffing.exclusive_worker_from_host.value
    if grid.is_exclusive and supply is not HostSupply.NOT_STATED:
        return WorkerKind.EXCLUSIVE, WorkerKind.FULL_TIME
    return (WorkerKind.FULL_TIME,)


def _finding(broken: Broken, fids: tuple[int, ...], code: str) -> Finding:
    parameter, severity, message = broken
    return Finding(
        kind=Kind.ROSTER,
        rule=RULE_OF[Kind.ROSTER],
        severity=severity,
        clause=parameter.clause or BRIEF,
        fids=fids,
        codes=(code,),
        area_m2=0.0,
        width_m=0.0,
        message=message,
    )


def _severity(parameter: Parameter[Any], *, is_count: bool = False, is_most: bool = False) -> Severity:
    """How bad it is to break ``parameter``; ``is_most`` for going beyond what it permits."""
    if parameter.origin is Origin.OPERATOR:
        return Severity.WARNING
    if parameter.origin is Origin.DEFAULT:
        return Severity.OPTION
    if parameter.force is Force.MUST or (parameter.force is Force.MAY and is_most):
        return Severity.ERROR
    if parameter.force is Force.STATEMENT and is_count and not parameter.inferred:
        return Severity.ERROR
    return Severity.OPTION if parameter.force is Force.MAY else Severity.WARNING


def _bounded(
    least: Parameter[Any], most: Parameter[Any] | None, grid: StaffedGrid, number: int, of: Message
) -> Iterator[Broken]:
    said = {"code": grid.code, "n": number, "post": of}
    if number < least.value:
        sentence = (
            msg("网格 {code} 有 {n} 名{post}，应不少于 {least} 名。", **said, least=least.value)
            if number
            else msg("网格 {code} 没有{post}，应不少于 {least} 名。", **said, least=least.value)
        )
        yield least, _severity(least, is_count=True), sentence
    if most is not None and most.value is not None and number > most.value:
        severity = _severity(most, is_count=True, is_most=True)
        yield (
            most,
            severity,
            msg("网格 {code} 有 {n} 名{post}，应不多于 {most} 名。", **said, most=most.value),
        )


def _workers(staffing: Staffing, grid: StaffedGrid, held: Posts) -> Iterator[Broken]:
    """Full-time workers by the grid's kind and settlement class; in the country part-time ones may do instead."""
    kinds = full_time_kinds(staffing, grid)
    full_time = persons(p for p in held if p.is_worker(*kinds))
    if grid.is_exclusive:
        least = staffing.full_time_min_exclusive
    else:
        least = staffing.full_time_min_rural if grid.is_rural else staffing.full_time_min_urban
    yield from _bounded(least, staffing.full_time_max, grid, full_time, WorkerKind.FULL_TIME.message)
    if grid.is_rural and not grid.is_exclusive:
        either = persons(p for p in held if p.is_worker(*kinds, WorkerKind.PART_TIME))
        yield from _bounded(staffing.full_or_part_time_min_rural, None, grid, either, msg("专职或兼职网格员"))
    part_time = persons(p for p in held if p.is_worker(WorkerKind.PART_TIME))
    yield from _bounded(staffing.part_time_min, None, grid, part_time, WorkerKind.PART_TIME.message)
    professional = persons(p for p in held if p.is_worker(WorkerKind.PROFESSIONAL))
    yield from _bounded(staffing.professional_min, None, grid, professional, WorkerKind.PROFESSIONAL.message)


def _host_supply(staffing: Staffing, grid: StaffedGrid, held: Posts) -> Iterator[Broken]:
    supply = staffing.exclusive_worker_from_host
    if not grid.is_exclusive or supply.value is not HostSupply.REQUIRED:
        return
    if not any(p.is_worker(WorkerKind.EXCLUSIVE) for p in held):
        sentence = msg("专属网格 {code} 没有所在单位配备的专属网格员。", code=grid.code)
        yield supply, _severity(supply), sentence


def _leaders(staffing: Staffing, grid: StaffedGrid, held: Posts) -> Iterator[Broken]:
    leaders = [p for p in held if p.post is Post.GRID_LEADER]
    least, most = staffing.leader_min_per_grid, staffing.leader_max_per_grid
    yield from _bounded(least, most, grid, persons(leaders), Post.GRID_LEADER.message)
    eligible = staffing.leader_eligible
    if not eligible.value:
        return
    full_time = {p.person_id for p in held if p.is_worker(WorkerKind.FULL_TIME)}
    for leader in leaders:
        if LeaderPost.FULL_TIME_GRID_WORKER in eligible.value and leader.person_id in full_time:
            continue
        if leader.community_post is None:
            sentence = msg(
                "网格 {code} 的网格长没有填写身份；网格长应由{eligible}担任。",
                code=grid.code,
                eligible=_listed(eligible.value),
            )
            yield eligible, min(_severity(eligible), Severity.WARNING, key=_RANK.index), sentence
        elif not _is_among(leader.community_post, eligible.value):
            sentence = msg(
                "网格 {code} 的网格长是{held}；网格长应由{eligible}担任。",
                code=grid.code,
                held=leader.community_post.message,
                eligible=_listed(eligible.value),
            )
            yield eligible, _severity(eligible), sentence


_RANK = (Severity.OPTION, Severity.WARNING, Severity.ERROR)
"""Mildest first."""


def _listed(terms: frozenset[LeaderPost]) -> tuple[Message, ...]:
    return tuple(term.message for term in LeaderPost if term in terms)


def _is_among(held: LeaderPost, eligible: frozenset[LeaderPost]) -> bool:
    # the secretary and the director are members of the committee; who is not said to be the chief is an ordinary member
    if held in eligible:
        return True
    if held is LeaderPost.COMMITTEE_MEMBER:
        return LeaderPost.NON_CHIEF_COMMITTEE_MEMBER in eligible
    members = (
        LeaderPost.COMMUNITY_SECRETARY,
        LeaderPost.COMMUNITY_DIRECTOR,
        LeaderPost.NON_CHIEF_COMMITTEE_MEMBER,
    )
    return held in members and LeaderPost.COMMITTEE_MEMBER in eligible


def _instructors(staffing: Staffing, grid: StaffedGrid, held: Posts) -> Iterator[Broken]:
    """The instructor that 3+X+Y counts among its three, and where instructors come from."""
    instructors = [p for p in held if p.post is Post.GRID_INSTRUCTOR]
    model, source = staffing.staffing_model, staffing.instructor_source
    if model.value is StaffingModel.STAFFING_3_X_Y and not instructors:
        sentence = msg("网格 {code} 没有网格指导员，“3+X+Y”的三人之一空缺。", code=grid.code)
        yield model, _severity(model, is_count=True), sentence
    for posting in instructors:
        if source.value is not None and posting.source not in (None, source.value):
            sentence = msg(
                "网格 {code} 的网格指导员是{held}，应由{wanted}担任。",
                code=grid.code,
                held=posting.source.message,
                wanted=source.value.message,
            )
            yield source, _severity(source), sentence


def _fitness(staffing: Staffing, grid: StaffedGrid, held: Posts) -> Iterator[Broken]:
    """Certificates before duty, and the declaration that nothing forbids the choice."""
    certificate, barred = staffing.certificate_before_duty, staffing.disqualification_count
    for posting in held:
        if not posting.is_worker(WorkerKind.FULL_TIME):
            continue
        if certificate.value and posting.certified is False:
            sentence = msg("网格 {code} 的专职网格员没有持证，不得上岗。", code=grid.code)
            yield certificate, _severity(certificate), sentence
        if barred.value and posting.declared_on is None:
            sentence = msg(
                "网格 {code} 的专职网格员没有 {n} 种不得选聘情形的审查日期。",
                code=grid.code,
                n=barred.value,
            )
            yield barred, _severity(barred), sentence


_RULES: tuple[Rule, ...] = (_workers, _host_supply, _leaders, _instructors, _fitness)
