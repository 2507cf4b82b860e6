"""What each jurisdiction demands of its roster: requirements 3.2 D, V14 and scenario S30."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest

from gis_server.core.coverage.findings import Finding, Severity
from gis_server.core.roster import LeaderLevel, Post, Posting, Roster, StaffedGrid, WorkerKind
from gis_server.core.roster_rules import liaison_findings, roster_findings
from gis_server.core.vocabulary import GridKind, InstructorSource, LeaderPost, SettlementClass
from gis_server.journeys.profiles import one_profile

PROFILES = ("heilongjiang", "taizhou", "gansu", "heihe", "zhenjiang")
AT = datetime(2026, 3, 1, tzinfo=UTC)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
CODE = "230881001001001"
PATH = ("230881", "230881001", "230881001001")

RURAL = StaffedGrid(0, CODE, GridKind.COMPREHENSIVE_GRID, SettlementClass.RURAL, PATH)
URBAN = StaffedGrid(0, CODE, GridKind.COMPREHENSIVE_GRID, SettlementClass.URBAN_COMMUNITY, PATH)
EXCLUSIVE = StaffedGrid(0, CODE, GridKind.EXCLUSIVE_GRID, SettlementClass.URBAN_COMMUNITY, PATH)

Row = dict[str, Any]


def worker(kind: WorkerKind, **more: Any) -> Row:
    return {"post": Post.GRID_WORKER, "worker_kind": kind, **more}


def leader(community_post: LeaderPost | None = None, **more: Any) -> Row:
    return {"post": Post.GRID_LEADER, "community_post": community_post, **more}


def instructor(source: InstructorSource) -> Row:
    return {"post": Post.GRID_INSTRUCTOR, "source": source}


FULL_TIME = worker(WorkerKind.FULL_TIME, certified=True, declared_on=date(2026, 1, 1))
PART_TIME = worker(WorkerKind.PART_TIME)
WHOLE_TEAM = (
    FULL_TIME,
    PART_TIME,
    worker(WorkerKind.PROFESSIONAL, unit="市住建局"),
    instructor(InstructorSource.TOWNSHIP_CADRE),
)


def roster(rows: Sequence[Row]) -> Roster:
    return Roster(
        [
            Posting(**{"id": n, "person_id": n, "code": CODE, "valid_from": BEGAN} | row)
            for n, row in enumerate(rows, 1)
        ]
    )


def findings(profile: str, grid: StaffedGrid, rows: Sequence[Row], at: datetime = AT) -> tuple[Finding, ...]:
    return roster_findings(one_profile(profile), [grid], roster(rows), at)


def errors(profile: str, grid: StaffedGrid, rows: Sequence[Row]) -> list[Finding]:
    return [found for found in findings(profile, grid, rows) if found.severity is Severity.ERROR]


@pytest.mark.parametrize("profile", PROFILES)
def test_s30_one_part_time_worker_only_in_a_rural_grid(profile: str) -> None:
    """zhenjiang accepts, the other four reject (one full-time)."""
    clauses = [found.clause for found in errors(profile, RURAL, [PART_TIME])]
    one_full_time = {
        "heilongjiang": "heilongjiang 3.3, 7.3.1",
        "taizhou": "taizhou 6.2.3",
        "gansu": "gansu 一(二)",
        "heihe": "heihe 11(4)",
    }
    if profile == "zhenjiang":
        assert clauses == []
    else:
        assert one_full_time[profile] in clauses


@pytest.mark.parametrize("profile", ["taizhou", "heilongjiang", "zhenjiang"])
def test_s30_a_community_secretary_as_leader(profile: str) -> None:
    """taizhou and heilongjiang accept, zhenjiang rejects."""
    team = (*WHOLE_TEAM, leader(LeaderPost.COMMUNITY_SECRETARY))
    rejected = errors(profile, RURAL, team)
    if profile == "zhenjiang":
        assert [found.clause for found in rejected] == ["zhenjiang 18(2)"]
        assert "社区(村)书记" in str(rejected[0].message)
    else:
        assert rejected == []


@pytest.mark.parametrize("profile", PROFILES)
def test_s30_three_leaders_on_one_grid(profile: str) -> None:
    """taizhou rejects (at most 2); no other document has a most."""
    three = [leader(LeaderPost.COMMUNITY_DIRECTOR) for _ in range(3)]
    most = [f for f in errors(profile, RURAL, (*WHOLE_TEAM, *three)) if "应不多于" in str(f.message)]
    assert [found.clause for found in most] == (["taizhou 6.2.1"] if profile == "taizhou" else [])
    two = [leader(LeaderPost.COMMUNITY_DIRECTOR) for _ in range(2)]
    assert not [f for f in errors(profile, RURAL, (*WHOLE_TEAM, *two)) if "应不多于" in str(f.message)]


def test_a_finding_says_rule_place_and_clause() -> None:
    (found,) = errors("gansu", URBAN, [])
    assert (found.kind, found.rule, found.codes, found.fids) == ("roster", "V14", (CODE,), (0,))
    assert found.clause == "gansu 一(二)"
    assert str(found.message) == f"网格 {CODE} 没有专职网格员，应不少于 1 名。"


@pytest.mark.parametrize(
    ("profile", "grid", "rejected"),
    [
        ("heilongjiang", EXCLUSIVE, True),
        ("taizhou", EXCLUSIVE, True),
        ("gansu", EXCLUSIVE, True),
        ("heihe", EXCLUSIVE, True),
        ("zhenjiang", EXCLUSIVE, False),
        ("zhenjiang", URBAN, True),
        ("zhenjiang", RURAL, True),
    ],
)
def test_nobody_at_all(profile: str, grid: StaffedGrid, rejected: bool) -> None:
    """An exclusive grid of zhenjiang is staffed as needed (16(2)); every other grid needs somebody."""
    assert bool(errors(profile, grid, [])) is rejected


@pytest.mark.parametrize(("profile", "counts"), [("heihe", True), ("gansu", True), ("heilongjiang", False)])
def test_the_hosts_own_worker_is_an_exclusive_grids_full_time_worker_where_the_host_supplies_it(
    profile: str, counts: bool
) -> None:
    clause = one_profile(profile).staffing.full_time_min_exclusive.clause
    found = errors(profile, EXCLUSIVE, [worker(WorkerKind.EXCLUSIVE, unit="第一医院")])
    assert (clause not in [one.clause for one in found]) is counts


def test_a_host_that_must_supply_is_told_so() -> None:
    found = findings("gansu", EXCLUSIVE, [FULL_TIME])
    assert [(one.clause, one.severity) for one in found if "所在单位" in str(one.message)] == [
        ("gansu 一(二)3", Severity.WARNING)
    ]


@pytest.mark.parametrize("profile", ["heilongjiang", "taizhou", "gansu"])
def test_two_full_time_workers_are_too_many_where_the_document_says_one(profile: str) -> None:
    found = errors(profile, URBAN, (*WHOLE_TEAM, FULL_TIME, leader(LeaderPost.COMMUNITY_SECRETARY)))
    assert [str(one.message) for one in found] == [f"网格 {CODE} 有 2 名专职网格员，应不多于 1 名。"]


def test_who_stands_in_does_not_count_beside_the_one_stood_in_for() -> None:
    team = (*WHOLE_TEAM, FULL_TIME | {"stands_in_for": 1}, leader(LeaderPost.COMMUNITY_SECRETARY))
    assert errors("heilongjiang", URBAN, team) == []


def test_a_post_that_has_ended_is_vacant() -> None:
    ended = FULL_TIME | {"valid_to": datetime(2026, 2, 1, tzinfo=UTC)}
    assert errors("gansu", URBAN, [ended])
    assert not [
        one
        for one in findings("gansu", URBAN, [ended], datetime(2026, 1, 31, tzinfo=UTC))
        if one.severity is Severity.ERROR
    ]


@pytest.mark.parametrize(
    ("profile", "held", "severity"),
    [
        ("zhenjiang", LeaderPost.NON_CHIEF_COMMITTEE_MEMBER, None),
        ("zhenjiang", LeaderPost.FULL_TIME_GRID_WORKER, None),
        ("zhenjiang", LeaderPost.COMMUNITY_DIRECTOR, Severity.ERROR),
        ("zhenjiang", None, Severity.WARNING),
        ("heihe", LeaderPost.COMMUNITY_SECRETARY, None),
        ("heihe", LeaderPost.STATION_HEAD, Severity.ERROR),
        ("taizhou", LeaderPost.STATION_HEAD, Severity.WARNING),
        ("heilongjiang", LeaderPost.STATION_HEAD, None),
        ("gansu", LeaderPost.STATION_HEAD, None),
    ],
)
def test_who_may_lead(profile: str, held: LeaderPost | None, severity: Severity | None) -> None:
    clause = one_profile(profile).staffing.leader_eligible.clause
    found = [
        one
        for one in findings(profile, URBAN, (*WHOLE_TEAM, leader(held)))
        if one.clause == clause and clause is not None and "担任" in str(one.message)
    ]
    assert [one.severity for one in found] == ([] if severity is None else [severity])


def test_a_full_time_worker_of_the_grid_may_lead_it_in_zhenjiang() -> None:
    team = (FULL_TIME | {"person_id": 9}, leader(None, person_id=9))
    assert findings("zhenjiang", URBAN, team) == ()


def test_three_x_y_wants_an_instructor_from_the_township() -> None:
    team = (FULL_TIME, PART_TIME, leader(LeaderPost.COMMUNITY_SECRETARY))
    assert [one.clause for one in errors("taizhou", URBAN, team)] == ["taizhou 6.1"]
    of_department = (*team, instructor(InstructorSource.DEPARTMENT_CADRE))
    assert [(f.clause, f.severity) for f in findings("taizhou", URBAN, of_department)] == [
        ("taizhou 6.2.2", Severity.WARNING)
    ]
    of_township = (*team, instructor(InstructorSource.TOWNSHIP_CADRE))
    assert findings("taizhou", URBAN, of_township) == ()


def test_a_worker_without_certificate_is_not_on_duty() -> None:
    uncertified = worker(WorkerKind.FULL_TIME, certified=False)
    assert "heihe 27(2)" in [one.clause for one in errors("heihe", URBAN, [uncertified])]
    assert "没有持证" not in "".join(str(one.message) for one in findings("zhenjiang", URBAN, [uncertified]))


def test_the_five_disqualifications_of_gansu_are_looked_into() -> None:
    found = errors("gansu", URBAN, [worker(WorkerKind.FULL_TIME)])
    assert [one.clause for one in found] == ["gansu 一(三)"]
    assert errors("gansu", URBAN, [FULL_TIME]) == []


def test_a_default_of_the_products_own_is_only_a_hint() -> None:
    """No clause of gansu says that a grid has a leader."""
    found = findings("gansu", URBAN, [FULL_TIME])
    assert [(one.severity, one.clause) for one in found] == [(Severity.OPTION, "product brief")]


def test_every_community_has_a_level_1_leader_in_heilongjiang_only() -> None:
    linked = roster([leader(None, leader_level=LeaderLevel.LEVEL_1, code=PATH[-1])])
    communities = [PATH[-1], "230881001002"]
    found = liaison_findings(one_profile("heilongjiang"), communities, linked, AT)
    assert [(one.codes, one.clause) for one in found] == [(("230881001002",), "heilongjiang 7.2.2, 7.2.3")]
    assert liaison_findings(one_profile("heihe"), communities, linked, AT) == ()
