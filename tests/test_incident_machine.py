"""The machine of requirements 4.1 row by row for the five profiles, S21–S24, and what must hold on every walk."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_server.core.access import Actor, Role, Territory
from gis_server.core.deadline import Standing
from gis_server.core.errors import Conflict, GisError, NotAllowed, StateChanged, UnusableInput
from gis_server.core.incident import SETTLED, IncidentReport, IncidentState, Source
from gis_server.core.incident_course import Course, Record, Rules
from gis_server.core.incident_machine import (
    BY_STEP,
    SYSTEM,
    TRANSITIONS,
    Mover,
    Party,
    StepField,
    StepKind,
    mover_of,
)
from gis_server.core.incident_moves import legal_steps, move, opening, replay, running_clock
from gis_server.core.vocabulary import AdminLevel
from gis_server.files.calendar import working_calendar
from gis_server.files.profile import profile_keys, read_items, read_profile

ZONE = ZoneInfo("Asia/Shanghai")
F, S, K = StepField, IncidentState, StepKind

WORKER = Mover(Party.GRID_WORKER, "W1")
COMMUNITY = Mover(Party.INSTITUTION, "社区", AdminLevel.COMMUNITY)
TOWN = Mover(Party.INSTITUTION, "乡镇", AdminLevel.TOWNSHIP)
COUNTY = Mover(Party.INSTITUTION, "指挥中心", AdminLevel.COUNTY)
PREFECTURE = Mover(Party.INSTITUTION, "市中心", AdminLevel.PREFECTURE)
LEAD = Mover(Party.HANDLING_UNIT, "住建局", unit="市住建局")
OTHER = Mover(Party.HANDLING_UNIT, "环境局", unit="市生态环境局")

FILL: dict[StepField, object] = {
    F.NOTE: "说明",
    F.REASON: "不属于本部门职责",
    F.RESULT: "已处置",
    F.LEAD_UNIT: "市住建局",
    F.PERSON_IN_CHARGE: "经办人甲",
    F.PLACE: (127.0, 47.0),
    F.RATING: 5,
    F.SCORES: {"acceptance": 90, "handling": 80, "result": 100},
}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def rules_of(key: str) -> Rules:
    return Rules(read_profile(key), read_items(key), working_calendar(ZONE))


def begun(
    rules: Rules, when: str = "2024-05-31 09:00", *, item: str | None = None, urgent: bool = False
) -> tuple[Course, tuple[Record, ...]]:
    report = IncidentReport(
        lon=127.0,
        lat=47.0,
        description="井盖缺失",
        source=Source.PATROL,
        item=item,
        is_urgent=urgent,
        discovered_at=at(when),
    )
    return opening(report, WORKER, at(when), rules)


def course(rules: Rules, state: IncidentState, level: AdminLevel | None = None, **more: object) -> Course:
    given: dict[str, object] = {"discovered_at": at("2024-05-31 09:00"), **more}
    given.setdefault("clock_starts_at", given["discovered_at"])
    return Course(state=state, current_level=level, **given)  # type: ignore[arg-type]


def filled_for(step: StepKind, state: IncidentState | None) -> dict[StepField, object]:
    return {key: FILL[key] for key in BY_STEP[step, state].asks}


def step_on(rules: Rules, found: Course, step: StepKind, mover: Mover, when: str, **filled: object) -> Course:
    fields = filled_for(step, found.state) | {F(key): value for key, value in filled.items()}
    return move(found, step, mover, rules, filled=fields, now=at(when))[0]


def steps(rules: Rules, found: Course, mover: Mover) -> list[str]:
    return [f"{legal.transition.row} {legal.step.value}" for legal in legal_steps(found, mover, rules)]


# ---- row by row -----------------------------------------------------------------------------------------------------

ROWS = [row.row for row in TRANSITIONS]


def test_the_table_has_every_row_once_and_no_step_twice_from_a_state() -> None:
    wanted = {*(f"T{n}" for n in range(1, 23)), "T5a", "T16a", "supervision", "effect_tracking"}
    assert sorted(ROWS) == sorted(wanted)
    assert len(BY_STEP) == sum(len(row.sources) for row in TRANSITIONS)


# profile → rows that it does not use
SKIPPED = {
    "heilongjiang": {"T5a", "T15", "T16", "T16a"},
    "taizhou": {"T15", "T16", "T16a", "T20", "T21", "T3"},
    "gansu": {"T15", "T16", "T16a", "T20", "T21"},
    "heihe": {"T5a", "T20", "T21"},
    "zhenjiang": {"T3", "T5a", "T17", "T20", "T21"},
}


def reached(rules: Rules) -> tuple[set[str], dict[Course, set[Course]]]:
    """Rows made and courses seen when everybody does everything that is legal, from an unlisted discovery on."""
    first = course(rules, S.DISCOVERED, item="不在清单内的事")
    rows, edges, waiting = set[str](), dict[Course, set[Course]](), [first]
    while waiting:
        found = waiting.pop()
        if found in edges:
            continue
        edges[found] = set()
        for mover in (WORKER, COMMUNITY, TOWN, COUNTY, PREFECTURE, LEAD):
            for legal in legal_steps(found, mover, rules):
                filled = filled_for(legal.step, found.state)
                if legal.transition.row == "T2":
                    filled[F.ITEM] = next(iter(rules.items.items), "其他")
                after, records = move(found, legal.step, mover, rules, filled=filled, now=found.discovered_at)
                rows |= {record.row for record in records}
                # first contact and units are no part of the question here
                edges[found].add(after)
                waiting.append(after)
    return rows, edges


@pytest.mark.parametrize("key", profile_keys())
def test_each_profile_uses_its_rows_and_every_reachable_state_reaches_archived(key: str) -> None:
    rows, edges = reached(rules_of(key))
    assert set(ROWS) - rows - {"T1"} == SKIPPED[key] - {"T1"}
    ends = {found for found in edges if found.state in (S.ARCHIVED, S.REFUSED)}
    while more := {found for found, nexts in edges.items() if nexts & ends} - ends:
        ends |= more
    assert {found.state for found in set(edges) - ends} == set()


MAIN_PATH = {
    # profile → (step, who, state after)
    "heilongjiang": [
        ("report", WORKER, "reported"),
        ("escalate", COMMUNITY, "reported"),
        ("accept", TOWN, "accepted"),
        ("dispatch", TOWN, "dispatched"),
        ("take_up", LEAD, "taken_up"),
        ("complete", LEAD, "completed"),
        ("feed_back", TOWN, "fed_back"),
        ("rate", TOWN, "fed_back"),
        ("score", TOWN, "fed_back"),
        ("disclose", TOWN, "fed_back"),
        ("archive", TOWN, "archived"),
    ],
    "taizhou": [
        ("report", WORKER, "reported"),
        ("escalate", COMMUNITY, "reported"),
        ("accept", TOWN, "accepted"),
        ("dispatch", TOWN, "dispatched"),
        ("take_up", LEAD, "taken_up"),
        ("complete", LEAD, "completed"),
        ("feed_back", TOWN, "fed_back"),
        ("archive", WORKER, "archived"),
    ],
    "gansu": [
        ("report", WORKER, "reported"),
        ("accept", COMMUNITY, "accepted"),
        ("tell_progress", COMMUNITY, "accepted"),
        ("complete", COMMUNITY, "completed"),
        ("feed_back", COMMUNITY, "fed_back"),
        ("archive", WORKER, "archived"),
    ],
    "heihe": [
        ("report", WORKER, "reported"),
        ("accept", TOWN, "accepted"),
        ("coordinate", TOWN, "coordinating"),
        ("dispatch", TOWN, "dispatched"),
        ("take_up", LEAD, "taken_up"),
        ("complete", LEAD, "completed"),
        ("verify", TOWN, "verifying"),
        ("send_back", TOWN, "dispatched"),
        ("take_up", LEAD, "taken_up"),
        ("complete", LEAD, "completed"),
        ("verify", TOWN, "verifying"),
        ("feed_back", WORKER, "fed_back"),
        ("archive", WORKER, "archived"),
    ],
    "zhenjiang": [
        ("report", WORKER, "reported"),
        ("escalate", TOWN, "reported"),
        ("accept", COUNTY, "accepted"),
        ("dispatch", COUNTY, "dispatched"),
        ("return", LEAD, "returned"),
        ("coordinate", COUNTY, "coordinating"),
        ("dispatch", COUNTY, "dispatched"),
        ("take_up", LEAD, "taken_up"),
        ("complete", LEAD, "verifying"),
        ("feed_back", WORKER, "fed_back"),
        ("archive", WORKER, "archived"),
    ],
}


@pytest.mark.parametrize("key", profile_keys())
def test_the_main_path_of_each_profile(key: str) -> None:
    rules = rules_of(key)
    first, history = begun(rules)
    assert (first.state, [record.row for record in history]) == (S.RECORDED, ["T1", "T2"])
    found, rows = first, list[Record]()
    for step, mover, state in MAIN_PATH[key]:
        now = at("2024-06-03 10:00") + timedelta(hours=len(rows))
        filled = filled_for(K(step), found.state)
        found, records = move(found, K(step), mover, rules, filled=filled, now=now)
        assert found.state == state, step
        rows += records
    assert replay(first, rows, rules) == found
    assert [record.from_state for record in rows[1:]] == [record.to_state for record in rows[:-1]]


REFUSED = [
    # profile, state, level, step, who, kind of refusal, clause
    ("zhenjiang", S.ACCEPTED, AdminLevel.TOWNSHIP, K.DISPATCH, LEAD, NotAllowed, "zhenjiang 15"),
    ("zhenjiang", S.COMPLETED, AdminLevel.TOWNSHIP, K.FEED_BACK, TOWN, Conflict, "zhenjiang 35"),
    ("zhenjiang", S.REPORTED, AdminLevel.COUNTY, K.ACCEPT, TOWN, NotAllowed, "zhenjiang 27(2)"),
    ("zhenjiang", S.REPORTED, AdminLevel.PREFECTURE, K.ESCALATE, PREFECTURE, Conflict, "zhenjiang 33(1)"),
    ("zhenjiang", S.DISPATCHED, AdminLevel.COUNTY, K.TAKE_UP, WORKER, NotAllowed, "zhenjiang 34(1)"),
    ("heilongjiang", S.ACCEPTED, AdminLevel.COMMUNITY, K.DISPATCH, COMMUNITY, Conflict, "heilongjiang 8.4.2"),
    ("heilongjiang", S.ACCEPTED, AdminLevel.COUNTY, K.COMPLETE, COUNTY, Conflict, None),
    ("heilongjiang", S.RETURNED, AdminLevel.COUNTY, K.COORDINATE, TOWN, NotAllowed, "heilongjiang 8.1.3"),
    ("heilongjiang", S.FED_BACK, AdminLevel.TOWNSHIP, K.ARCHIVE, COMMUNITY, NotAllowed, "heilongjiang 8.4.2"),
    ("heilongjiang", S.FED_BACK, AdminLevel.TOWNSHIP, K.ARCHIVE, WORKER, NotAllowed, "heilongjiang 8.4.2"),
    ("heilongjiang", S.COMPLETED, AdminLevel.TOWNSHIP, K.VERIFY, TOWN, Conflict, None),
    ("heilongjiang", S.RECORDED, None, K.REPORT_SPECIAL, WORKER, Conflict, None),
    ("heihe", S.RECORDED, None, K.ACCEPT, TOWN, StateChanged, None),
    ("heihe", S.FED_BACK, AdminLevel.TOWNSHIP, K.SCORE, TOWN, Conflict, None),
    ("gansu", S.RECORDED, None, K.REPORT, LEAD, NotAllowed, "gansu 二(一)1(1)"),
    ("gansu", S.ARCHIVED, None, K.REPORT, WORKER, StateChanged, "gansu 二(一)1(1)"),
    ("taizhou", S.FED_BACK, AdminLevel.TOWNSHIP, K.DISCLOSE, TOWN, Conflict, None),
]  # fmt: skip


@pytest.mark.parametrize(("key", "state", "level", "step", "mover", "kind", "clause"), REFUSED)
def test_refusals_name_the_clause(
    key: str,
    state: IncidentState,
    level: AdminLevel | None,
    step: StepKind,
    mover: Mover,
    kind: type[GisError],
    clause: str | None,
) -> None:
    rules = rules_of(key)
    found = course(rules, state, level, lead_unit="市住建局")
    with pytest.raises(kind) as refused:
        move(found, step, mover, rules, filled=FILL, now=at("2024-06-01 09:00"))
    assert refused.value.clause == clause
    if clause is not None and kind is not StateChanged:
        assert clause in str(refused.value) or kind is Conflict
    if isinstance(refused.value, StateChanged):
        assert refused.value.state == state


@pytest.mark.parametrize(
    "transition", [row for row in TRANSITIONS if row.asks], ids=lambda row: f"{row.row}-{row.step}"
)
def test_what_a_step_asks_for_is_named_when_missing(transition: object) -> None:
    for key in profile_keys():
        rules = rules_of(key)
        for state in transition.sources:  # type: ignore[attr-defined]
            found = course(rules, state, AdminLevel.TOWNSHIP, item="不在清单内的事")
            for mover in (WORKER, TOWN, COUNTY, LEAD):
                step = transition.step  # type: ignore[attr-defined]
                if step not in [legal.step for legal in legal_steps(found, mover, rules)]:
                    continue
                with pytest.raises(UnusableInput) as missing:
                    move(found, step, mover, rules, filled={}, now=at("2024-06-01 09:00"))
                assert missing.value.field == transition.asks[0].value  # type: ignore[attr-defined]


def test_a_field_the_step_does_not_take_is_refused() -> None:
    rules = rules_of("heihe")
    found, _ = begun(rules)
    with pytest.raises(UnusableInput) as wrong:
        move(found, K.REPORT, WORKER, rules, filled={F.RATING: 5}, now=at("2024-06-01 09:00"))
    assert wrong.value.field == "rating"


def test_an_institution_may_enter_for_others_and_the_row_says_so() -> None:
    rules = rules_of("heilongjiang")
    found, _ = begun(rules)
    _, (row,) = move(found, K.REPORT, TOWN, rules, filled={}, now=at("2024-06-01 09:00"))
    assert (row.entered_for, row.mover.name, row.level) == (Party.GRID_WORKER, "乡镇", AdminLevel.TOWNSHIP)
    _, (row,) = move(found, K.REPORT, WORKER, rules, filled={}, now=at("2024-06-01 09:00"))
    assert (row.entered_for, row.level) == (None, None)


def test_only_the_units_concerned_act_and_the_lead_unit_completes_a_joint_matter() -> None:
    rules = rules_of("zhenjiang")
    joint = course(
        rules, S.TAKEN_UP, AdminLevel.TOWNSHIP, lead_unit="市住建局", responsible_unit="市生态环境局"
    )
    stranger = Mover(Party.HANDLING_UNIT, "公安局", unit="市公安局")
    for mover, sentence in ((OTHER, "牵头单位市住建局"), (stranger, "不归贵单位")):
        with pytest.raises(NotAllowed, match=sentence):
            step_on(rules, joint, K.COMPLETE, mover, "2024-06-01 09:00")
    assert step_on(rules, joint, K.COMPLETE, LEAD, "2024-06-01 09:00").state == S.VERIFYING


def test_zhenjiang_dispatches_to_the_same_level_only() -> None:
    rules = rules_of("zhenjiang")
    found = course(rules, S.ACCEPTED, AdminLevel.TOWNSHIP)
    with pytest.raises(Conflict) as refused:
        step_on(rules, found, K.DISPATCH, TOWN, "2024-06-01 09:00", unit_level=AdminLevel.COUNTY)
    assert refused.value.clause == "zhenjiang 28"
    same = step_on(rules, found, K.DISPATCH, TOWN, "2024-06-01 09:00", unit_level=AdminLevel.TOWNSHIP)
    assert same.state == S.DISPATCHED


def test_the_special_channel_skips_the_community() -> None:
    for key in ("gansu", "taizhou"):
        rules = rules_of(key)
        found, _ = begun(rules)
        assert step_on(rules, found, K.REPORT, WORKER, "2024-06-01 09:00").current_level == "community"
        special = step_on(rules, found, K.REPORT_SPECIAL, WORKER, "2024-06-01 09:00")
        assert special.current_level == "township"


def test_an_account_is_the_mover_that_its_role_and_territory_make_it() -> None:
    zhenjiang, gansu = read_profile("zhenjiang"), read_profile("gansu")

    def level(path: tuple[str, ...], profile: object = gansu) -> str | None:
        actor = Actor(1, "a", Role.OPERATOR, Territory(path))
        return mover_of(actor, profile).level  # type: ignore[arg-type]

    assert [level(("c", "t", "k")[:n]) for n in range(4)] == ["county", "county", "township", "community"]
    assert level((), zhenjiang) == "prefecture"
    unit = mover_of(Actor(1, "市住建局", Role.HANDLING_UNIT), gansu)
    assert (unit.party, unit.unit, unit.level) == (Party.HANDLING_UNIT, "市住建局", None)
    assert mover_of(Actor(1, "w", Role.GRID_WORKER), gansu).party is Party.GRID_WORKER


# ---- scenarios ------------------------------------------------------------------------------------------------------


def test_s21_zhenjiang_clocks_run_on_the_incident() -> None:
    rules = rules_of("zhenjiang")
    found, rows = begun(rules, "2022-03-01 09:00")
    assert found.due_at == at("2022-03-02 09:00")
    assert rows[-1].clock is not None
    for when, standing in (("2022-03-02 09:00", Standing.IN_TIME), ("2022-03-02 09:01", Standing.LATE)):
        reported, (row,) = move(found, K.REPORT, WORKER, rules, filled={}, now=at(when))
        assert reported.current_level == "township"
        assert row.ended is not None
        assert row.ended.standing is standing

    urgent, _ = begun(rules, "2022-03-01 09:00", urgent=True)
    assert urgent.due_at is None  # never failed by itself (K6)
    _, (row,) = move(urgent, K.REPORT, WORKER, rules, filled={}, now=at("2022-03-01 09:10"))
    assert row.ended is not None
    assert row.ended.deadline.limit.at_once
    assert (row.ended.delay, row.ended.standing) == (timedelta(minutes=10), Standing.IN_TIME)

    received = step_on(rules, found, K.REPORT, WORKER, "2022-03-02 10:00")
    assert received.due_at == at("2022-03-03 10:00")
    taken = course(rules, S.TAKEN_UP, AdminLevel.TOWNSHIP, lead_unit="市住建局")
    verifying, made = move(
        taken, K.COMPLETE, LEAD, rules, filled={F.RESULT: "已修好"}, now=at("2022-03-10 15:00")
    )
    assert verifying.due_at == at("2022-03-11 15:00")
    assert [(r.row, r.mover) for r in made] == [("T14", LEAD), ("T15", SYSTEM)]


def test_s22_heihe_first_contact_stays_to_the_end() -> None:
    rules = rules_of("heihe")
    told = course(rules, S.DISCOVERED)
    for step in (K.RESOLVE_ON_SITE, K.ARCHIVE):
        with pytest.raises(StateChanged) as refused:
            move(told, step, WORKER, rules, filled={}, now=at("2023-07-02 08:00"))
        assert refused.value.clause == "heihe 21(1)"
        assert "登记" in str(refused.value)
    recorded = step_on(rules, told, K.RECORD, WORKER, "2023-07-02 08:00")
    mended = step_on(rules, recorded, K.RESOLVE_ON_SITE, WORKER, "2023-07-02 08:30", result="已补漏")
    assert (mended.state, mended.first_contact) == (S.RESOLVED_ON_SITE, "W1")
    assert step_on(rules, mended, K.ARCHIVE, WORKER, "2023-07-02 09:00").first_contact == "W1"

    clock = running_clock(recorded, rules)
    assert clock is not None
    assert clock.limit.at_once
    handed = step_on(rules, recorded, K.REPORT, WORKER, "2023-07-02 08:05")
    for step, mover in ((K.ACCEPT, TOWN), (K.DISPATCH, TOWN), (K.TAKE_UP, LEAD), (K.COMPLETE, LEAD)):
        handed = step_on(rules, handed, step, mover, "2023-07-02 12:00")
    asked = step_on(rules, handed, K.VERIFY, TOWN, "2023-07-03 08:00")
    assert asked.due_at == at("2023-07-04 08:00")
    assert asked.first_contact == "W1"


def test_s23_table_1_names_units_and_limit_and_a_wrong_unit_returns_to_the_command_centre() -> None:
    rules = rules_of("heilongjiang")
    found, _ = begun(rules, "2024-05-31 08:00", item="建筑施工噪声")
    assert found.item_key == "construction_noise"
    found = step_on(rules, found, K.REPORT, WORKER, "2024-05-31 08:10")
    found = step_on(rules, found, K.ESCALATE, COMMUNITY, "2024-05-31 08:20")
    found = step_on(rules, found, K.ACCEPT, TOWN, "2024-05-31 08:30")
    found, (row,) = move(found, K.DISPATCH, TOWN, rules, filled={}, now=at("2024-05-31 10:30"))
    assert (found.lead_unit, found.responsible_unit) == ("市住建局", "市生态环境局")
    assert row.clock is not None
    assert [day.date.day for day in row.clock.skipped] == [1, 2]
    assert found.due_at is not None
    assert found.due_at < at("2024-06-06 00:00") <= found.due_at + timedelta(seconds=1)
    taken = step_on(rules, found, K.TAKE_UP, LEAD, "2024-06-03 09:00")
    assert taken.due_at == found.due_at
    _, (late,) = move(taken, K.COMPLETE, LEAD, rules, filled={F.RESULT: "已停工"}, now=at("2024-06-06 00:00"))
    assert late.ended is not None
    assert late.ended.standing is Standing.LATE

    returned = step_on(rules, found, K.RETURN, LEAD, "2024-06-03 09:00")
    assert (returned.state, returned.current_level, returned.due_at) == (S.RETURNED, "county", None)
    with pytest.raises(NotAllowed):
        step_on(rules, returned, K.COORDINATE, TOWN, "2024-06-03 10:00")
    assert step_on(rules, returned, K.COORDINATE, COUNTY, "2024-06-03 10:00").state == S.COORDINATING

    rental = course(rules, S.ACCEPTED, AdminLevel.TOWNSHIP, item_key="group_rental_management")
    dispatched, (row,) = move(rental, K.DISPATCH, TOWN, rules, filled={}, now=at("2024-05-31 10:30"))
    assert (dispatched.due_at, row.clock, dispatched.lead_unit) == (None, None, "市公安局")


def test_s24_unlisted_items_and_direct_dispatch() -> None:
    unlisted = "清单外的事"
    heilongjiang = rules_of("heilongjiang")
    with pytest.raises(Conflict) as refused:
        step_on(
            heilongjiang,
            course(heilongjiang, S.DISCOVERED, item=unlisted),
            K.RECORD,
            WORKER,
            "2024-06-01 09:00",
        )
    assert refused.value.clause == "heilongjiang 8.5.1"
    heihe = rules_of("heihe")
    told = course(heihe, S.DISCOVERED, item=unlisted)
    assert "T3 refuse" in steps(heihe, told, WORKER)
    assert step_on(heihe, told, K.REFUSE, WORKER, "2024-06-01 09:00").state == S.REFUSED
    zhenjiang = rules_of("zhenjiang")
    accepted = course(zhenjiang, S.ACCEPTED, AdminLevel.TOWNSHIP)
    assert steps(zhenjiang, accepted, LEAD) == []
    with pytest.raises(NotAllowed, match="zhenjiang 15"):
        step_on(zhenjiang, accepted, K.DISPATCH, LEAD, "2024-06-01 09:00")


# ---- what always holds ----------------------------------------------------------------------------------------------

MOVERS = (WORKER, COMMUNITY, TOWN, COUNTY, PREFECTURE, LEAD, OTHER)


@settings(max_examples=120, deadline=None)
@given(data=st.data(), key=st.sampled_from(profile_keys()), urgent=st.booleans())
def test_random_walks_never_leave_the_machine_and_replay_to_the_same(
    data: st.DataObject, key: str, urgent: bool
) -> None:
    rules = rules_of(key)
    first, _ = begun(rules, urgent=urgent, item=data.draw(st.sampled_from([None, "建筑施工噪声", "别的"])))
    found, rows, now = first, list[Record](), at("2024-06-01 09:00")
    for _ in range(data.draw(st.integers(0, 25))):
        mover = data.draw(st.sampled_from(MOVERS))
        step = data.draw(st.sampled_from(list(K)))
        now += timedelta(minutes=data.draw(st.integers(0, 3000)))
        legal = {one.step for one in legal_steps(found, mover, rules)}
        transition = BY_STEP.get((step, found.state))
        fields = {} if transition is None else filled_for(step, found.state)
        if step not in legal:
            with pytest.raises(GisError):
                move(found, step, mover, rules, filled=fields, now=now)
            continue
        try:
            after, made = move(found, step, mover, rules, filled=fields, now=now)
        except Conflict:  # legal, but what was filled in is not: an item outside the list
            continue
        assert transition is not None
        assert made[0].to_state == (transition.to or found.state)
        assert after.state == made[-1].to_state
        assert after.due_at is None or after.due_at >= after.clock_starts_at
        assert (after.completed_at is not None) == (after.state in SETTLED)
        assert after.state not in (S.ARCHIVED, S.REFUSED) or legal_steps(after, mover, rules) == ()
        rows += made
        found = after
    assert replay(first, rows, rules) == found
