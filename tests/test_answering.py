"""Who answers for a grid, and the record of a routing: scenario S17, vacancies, stand-ins, two managers, no grid."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from rosters import Row, made_roster

from gis_server.core.answering import DEPARTMENT, TERRITORY, Rung, UnitReason, answer_rules, answering
from gis_server.core.boundaries import AreaRows, Boundaries, GridRows, SubGridRows
from gis_server.core.datum import Datum
from gis_server.core.decision import Asked, Decision, Ground, asked_of, decide, route
from gis_server.core.explanation import sentences
from gis_server.core.roster import LeaderLevel, Post, Roster, StaffedGrid, WorkerKind
from gis_server.core.vocabulary import AdminLevel, GridKind
from gis_server.journeys.profiles import one_profile

AT = datetime(2026, 3, 1, tzinfo=UTC)
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
COUNTY, TOWN, K1 = "230881", "230881001", "230881001001"
PATH = (COUNTY, TOWN, K1)
G1, G2, G3, G4, HOSPITAL = (f"{K1}00{n}" for n in range(1, 6))
METRE = 1e-5  # degrees: the frame of the scenarios is laid down at 127°E 47°N; inside and outside do not depend on the scale


def worker(kind: WorkerKind, code: str = G1, **more: object) -> Row:
    return {"post": Post.GRID_WORKER, "worker_kind": kind, "code": code, **more}


def leader(code: str = G1, **more: object) -> Row:
    return {"post": Post.GRID_LEADER, "code": code, **more}


def answer(profile: str, rows: list[Row], *, exclusive: bool = False, at: datetime = AT) -> object:
    kind = GridKind.EXCLUSIVE_GRID if exclusive else GridKind.COMPREHENSIVE_GRID
    grid = StaffedGrid(0, G1, kind, None, PATH, "市卫生健康局" if exclusive else None)
    return answering(answer_rules(one_profile(profile)), grid, PATH, made_roster(rows, BEGAN), at)


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(127 + west * METRE, 47 + south * METRE, 127 + east * METRE, 47 + north * METRE)


def s06() -> Boundaries:
    """K1 with G1–G4 and the hospital carved out of G4."""
    hospital = box(600, 600, 800, 800)
    shapes = [
        box(0, 0, 500, 500),
        box(500, 0, 1000, 500),
        box(0, 500, 500, 1000),
        box(500, 500, 1000, 1000) - hospital,
        hospital,
    ]
    codes = [G1, G2, G3, G4, HOSPITAL]
    wide = np.array([box(-1000, -1000, 2000, 2000), box(-1000, -1000, 2000, 2000), box(0, 0, 1000, 1000)])
    areas = AreaRows(
        PATH,
        ["试验市", "甲镇", "第一社区"],
        ["county", "township", "community"],
        [PATH[:1], PATH[:2], PATH],
        wide,
    )
    kinds = ["resident_grid"] * 4 + ["exclusive_grid"]
    grids = GridRows(
        [11, 12, 13, 14, 15],
        codes,
        [f"{n}号网格" for n in range(1, 5)] + ["第一医院"],
        [K1] * 5,
        kinds,
        ["urban_community"] * 5,
        [None] * 4 + ["市卫生健康局"],
        np.array(shapes, dtype=object),
    )
    return Boundaries({"area": 1, "grid": 2}, areas, grids, SubGridRows([], [], np.empty(0, dtype=object)))


FULL_ROSTER = [worker(WorkerKind.FULL_TIME, code, name=f"专职{code[-1]}") for code in (G1, G2, G3, G4)] + [
    worker(WorkerKind.EXCLUSIVE, HOSPITAL, name="医院专属", unit="第一医院"),
    worker(WorkerKind.FULL_TIME, HOSPITAL, name="专职5"),
]


def decided(
    x: float,
    y: float,
    *,
    profile: str = "heilongjiang",
    roster: Roster | None = None,
    accuracy_m: float | None = None,
) -> Decision:
    boundaries = s06()
    people = made_roster(FULL_ROSTER, BEGAN) if roster is None else roster
    ground = Ground(profile, answer_rules(one_profile(profile)), boundaries, people)
    asked = Asked(127 + x * METRE, 47 + y * METRE, Datum.CGCS2000, accuracy_m, AT)
    return decide(asked, route(asked, boundaries), ground)


@pytest.mark.parametrize(
    ("place", "code", "grid_id", "name"),
    [
        ((250, 250), G1, 11, "专职1"),
        ((550, 550), G4, 14, "专职4"),
        ((700, 700), HOSPITAL, 15, "医院专属"),
    ],
)
def test_s17_point_in_grid_routing(place: tuple[float, float], code: str, grid_id: int, name: str) -> None:
    """(250,250), (550,550), (700,700) go to G1, G4 and the exclusive hospital grid, each to its worker."""
    found = decided(*place)
    record = json.loads(found.record)
    assert record["route"]["grid_code"] == code
    assert record["route"]["grid_id"] == grid_id
    chosen = found.answer.chosen
    assert chosen is not None
    people = made_roster(FULL_ROSTER, BEGAN).people
    assert people[chosen.person_id].name == name
    assert record["staff"]["chosen"]["person_id"] == chosen.person_id


def test_the_line_behind_a_vacancy() -> None:
    line = [
        worker(WorkerKind.FULL_TIME),
        worker(WorkerKind.PART_TIME),
        leader(leader_level=LeaderLevel.LEVEL_3),
        leader(K1),
        leader(TOWN, leader_level=LeaderLevel.LEVEL_2),
        leader(COUNTY, leader_level=LeaderLevel.LEVEL_1),
    ]
    rungs = [
        Rung.FULL_TIME_WORKER,
        Rung.PART_TIME_WORKER,
        Rung.GRID_LEADER,
        Rung.COMMUNITY,
        Rung.TOWNSHIP,
        Rung.COUNTY,
    ]
    for gone in range(len(line) + 1):
        found = answer("heilongjiang", line[gone:])
        assert found.rung is (rungs[gone] if gone < len(rungs) else None)
        assert found.vacant == tuple(rungs[:gone])
    assert found.chosen is None
    assert (found.unit.code, found.unit.reason) == (K1, UnitReason.NOBODY)


def test_an_exclusive_grid_without_the_hosts_own_worker_has_its_full_time_worker() -> None:
    found = answer("heilongjiang", [worker(WorkerKind.FULL_TIME)], exclusive=True)
    assert (found.rung, found.vacant) == (Rung.FULL_TIME_WORKER, ())
    found = answer("heihe", [worker(WorkerKind.FULL_TIME), worker(WorkerKind.EXCLUSIVE)], exclusive=True)
    assert (found.rung, found.chosen.person_id) == (Rung.EXCLUSIVE_WORKER, 2)
    assert answer("heihe", [leader()], exclusive=True).vacant == (
        Rung.FULL_TIME_WORKER,
        Rung.PART_TIME_WORKER,
    )


def test_a_professional_worker_does_not_answer_for_the_whole_grid() -> None:
    """He has the items of his own department (heilongjiang 7.3.6)."""
    found = answer("heilongjiang", [worker(WorkerKind.PROFESSIONAL, unit="市住建局"), leader()])
    assert found.rung is Rung.GRID_LEADER


def test_of_two_workers_the_one_longest_in_post_answers() -> None:
    rows = [
        worker(WorkerKind.FULL_TIME, name="后来", valid_from=BEGAN + timedelta(days=3)),
        worker(WorkerKind.FULL_TIME, name="先来"),
    ]
    assert answer("heihe", rows).chosen.person_id == 2


def test_who_stands_in_answers_while_he_does() -> None:
    rows = [
        worker(WorkerKind.FULL_TIME, name="本人"),
        worker(
            WorkerKind.FULL_TIME,
            name="代班",
            stands_in_for="本人",
            valid_from=AT,
            valid_to=AT + timedelta(days=5),
        ),
    ]
    whose = {
        day: answer("heihe", rows, at=AT + timedelta(days=day)).chosen.person_id for day in (-1, 0, 4, 5)
    }
    assert whose == {-1: 1, 0: 2, 4: 2, 5: 1}


def test_zhenjiang_names_both_managers_of_an_exclusive_grid() -> None:
    rows = [
        worker(WorkerKind.EXCLUSIVE, name="专属"),
        worker(WorkerKind.PROFESSIONAL, name="卫健", unit="市卫生健康局"),
        leader(name="网格长"),
    ]
    found = answer("zhenjiang", rows, exclusive=True)
    assert found.chosen.person_id == 1
    assert [(m.mode, m.unit, m.code, m.posting.person_id) for m in found.managers] == [
        (DEPARTMENT, "市卫生健康局", None, 2),
        (TERRITORY, None, TOWN, 3),
    ]
    assert found.unit.level is AdminLevel.TOWNSHIP  # no institution at community level there
    assert answer("zhenjiang", rows).managers == ()
    assert answer("heihe", rows, exclusive=True).managers == ()


@pytest.mark.parametrize("profile", ["heilongjiang", "taizhou", "gansu", "heihe", "zhenjiang"])
def test_s18_a_point_outside_every_grid_joins_the_townships_queue(profile: str) -> None:
    """(1200,500) goes to the township queue "no grid" and is not lost."""
    found = decided(1200, 500, profile=profile)
    assert found.answer.unit.reason is UnitReason.NO_GRID
    assert (found.answer.unit.level, found.answer.unit.code) == (AdminLevel.TOWNSHIP, TOWN)
    assert found.answer.chosen is None
    assert found.responsible["units"][0]["name"] == "甲镇"


@pytest.mark.parametrize(
    ("place", "accuracy", "rule"),
    [
        ((250, 250), None, "inside"),
        ((490, 250), 30.0, "border"),
        ((500, 250), None, "lower_code"),
        ((500, 250), 30.0, "lower_code"),
        ((-20, 250), None, "near"),
        ((1200, 500), None, "outside"),
    ],
)
def test_the_record_names_the_rule(place: tuple[float, float], accuracy: float | None, rule: str) -> None:
    found = decided(*place, accuracy_m=accuracy)
    record = json.loads(found.record)
    assert record["route"]["rule"] == rule
    if rule == "lower_code":
        assert record["route"]["shared_by"] == [G1, G2]
        assert record["route"]["grid_code"] == G1
    assert record["generations"] == {"area": 1, "grid": 2}
    told = [str(sentence) for sentence in sentences(record, {}, None, UTC)]
    assert all("{" not in sentence for sentence in told)


def test_the_record_is_canonical_and_holds_no_name() -> None:
    found = decided(250, 250)
    record = json.loads(found.record)
    assert list(record) == sorted(record)
    assert "专职1" not in found.record
    assert asked_of(record).at == AT
    assert decided(250, 250).record == found.record


def test_people_are_named_in_sentences_for_those_who_may_know_them() -> None:
    found = decided(700, 700)
    record = json.loads(found.record)
    people = made_roster(FULL_ROSTER, BEGAN).people
    named = "".join(str(one) for one in sentences(record, {HOSPITAL: "第一医院"}, people, UTC))
    assert "由专属网格员医院专属负责" in named
    assert "网格“第一医院”" in named
    assert "坐标 127.007，47.007（CGCS2000），按 2026-03-01 00:00 生效" in named
    assert "医院专属" not in "".join(str(one) for one in sentences(record, {}, None, UTC))


_POSTS = st.one_of(
    st.sampled_from(list(WorkerKind)).map(lambda kind: {"post": Post.GRID_WORKER, "worker_kind": kind}),
    st.sampled_from([post for post in Post if post is not Post.GRID_WORKER]).map(lambda post: {"post": post}),
)
_DAYS = st.integers(-50, 50).map(lambda days: AT + timedelta(days=days))


@given(
    st.lists(st.tuples(_POSTS, st.sampled_from([G1, G2, *PATH]), _DAYS, st.none() | _DAYS), max_size=12),
    st.booleans(),
    st.sampled_from(["heilongjiang", "taizhou", "gansu", "heihe", "zhenjiang"]),
)
def test_somebody_or_a_unit_always_answers_and_never_out_of_post(
    given_posts: list[tuple[Row, str, datetime, datetime | None]], exclusive: bool, profile: str
) -> None:
    rows = [
        {**post, "code": code, "valid_from": began, "valid_to": ends, "name": f"某{n % 5}"}
        for n, (post, code, began, ends) in enumerate(given_posts)
        if ends is None or ends > began
    ]
    found = answer(profile, rows, exclusive=exclusive)
    roster = made_roster(rows, BEGAN)
    assert found.unit.code in PATH
    assert len(set(found.vacant)) == len(found.vacant)
    if found.chosen is None:
        assert found.unit.reason is UnitReason.NOBODY
        assert len(found.vacant) == 6
    else:
        assert found.chosen.holds_at(AT)
        assert found.chosen.code in (G1, *PATH)
        assert found.rung not in found.vacant
        assert found.chosen in roster.postings
