"""Requirements 4.1 and 4.2 row by row for the five profiles: who makes a row, what its deadline is, by which clause."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from gis_server.core.deadline import Clock, Limit, Standing, start
from gis_server.core.errors import Conflict, UnusableInput
from gis_server.core.incident import OPEN, IncidentReport, IncidentState, Source
from gis_server.core.incident_course import Course, Rules
from gis_server.core.incident_guards import entered_for, refusal
from gis_server.core.incident_machine import (
    BY_STEP,
    TRANSITIONS,
    Mover,
    Party,
    StepField,
    StepKind,
    Transition,
)
from gis_server.core.incident_moves import legal_steps, move, opening, refused_steps, running_clock
from gis_server.core.vocabulary import AdminLevel
from gis_server.files.calendar import working_calendar
from gis_server.files.profile import profile_keys, read_items, read_profile

ZONE = ZoneInfo("Asia/Shanghai")
F, K, S, L = StepField, StepKind, IncidentState, AdminLevel
PROFILES = ("heilongjiang", "taizhou", "gansu", "heihe", "zhenjiang")

WORKER = Mover(Party.GRID_WORKER, "W1")
COMMUNITY = Mover(Party.INSTITUTION, "社区", L.COMMUNITY)
TOWN = Mover(Party.INSTITUTION, "乡镇", L.TOWNSHIP)
COUNTY = Mover(Party.INSTITUTION, "县", L.COUNTY)
PREFECTURE = Mover(Party.INSTITUTION, "市", L.PREFECTURE)
UNIT = Mover(Party.HANDLING_UNIT, "住建局", unit="市住建局")
PARTY = Mover(Party.INCIDENT_PARTY, "当事人")
EVERYBODY = {"W": WORKER, "k": COMMUNITY, "t": TOWN, "c": COUNTY, "p": PREFECTURE, "U": UNIT, "P": PARTY}

RULES = {key: Rules(read_profile(key), read_items(key), working_calendar(ZONE)) for key in profile_keys()}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def course(state: IncidentState, level: AdminLevel | None = None, **more: object) -> Course:
    given: dict[str, object] = {"discovered_at": at("2024-05-31 09:00"), "item": "不在清单内的事", **more}
    given.setdefault("clock_starts_at", given["discovered_at"])
    return Course(state=state, current_level=level, **given)  # type: ignore[arg-type]


def row(name: str) -> Transition:
    return next(one for one in TRANSITIONS if one.row == name)


def who(key: str, name: str, found: Course) -> str:
    """Those who may make a row themselves, as letters; an institution entering for somebody else is not counted."""
    rules, transition = RULES[key], row(name)
    return "".join(
        letter
        for letter, mover in EVERYBODY.items()
        if refusal(found, transition, mover, rules) is None
        and entered_for(transition, mover, rules.profile) is None
    )


def everywhere(letters: str) -> dict[str, str]:
    return dict.fromkeys(PROFILES, letters)


NOBODY = ""
AT_TOWN: dict[str, object] = {"level": L.TOWNSHIP, "lead_unit": "市住建局"}

WHO = [
    # row, state, where it lies, who may by profile
    ("T2", S.DISCOVERED, {}, everywhere("W")),
    ("T3", S.DISCOVERED, {}, {"heilongjiang": "W", "taizhou": NOBODY, "gansu": "W", "heihe": "W", "zhenjiang": NOBODY}),
    ("T4", S.RECORDED, {}, everywhere("W")),
    ("T5", S.RECORDED, {}, everywhere("W")),
    ("T5a", S.RECORDED, {}, {"heilongjiang": NOBODY, "taizhou": "W", "gansu": "W", "heihe": NOBODY, "zhenjiang": NOBODY}),
    ("T6", S.REPORTED, AT_TOWN, everywhere("tcp")),
    ("T6", S.REPORTED, {"level": L.COMMUNITY}, everywhere("ktcp")),
    ("T7", S.REPORTED, AT_TOWN, everywhere("tcp")),
    ("T7", S.REPORTED, {"level": L.COUNTY}, everywhere("cp")),
    ("T8", S.ACCEPTED, AT_TOWN, everywhere("tcp")),
    ("T8", S.ACCEPTED, {"level": L.COUNTY}, everywhere(NOBODY)),
    ("T9", S.ACCEPTED, AT_TOWN, everywhere("tcp")),
    ("T9", S.ACCEPTED, {"level": L.COUNTY}, everywhere("cp")),
    ("T9", S.ACCEPTED, {"level": L.COMMUNITY}, everywhere(NOBODY)),
    ("T10", S.DISPATCHED, AT_TOWN, everywhere("U")),
    ("T11", S.DISPATCHED, AT_TOWN, everywhere("U")),
    ("T12", S.ACCEPTED, AT_TOWN, everywhere("tcp")),
    ("T12", S.RETURNED, {"level": L.COUNTY}, everywhere("cp")),
    ("T12", S.ACCEPTED, {"level": L.PREFECTURE}, everywhere("p") | {"heihe": NOBODY}),
    ("T13", S.COORDINATING, AT_TOWN, everywhere("tcp")),
    ("T14", S.TAKEN_UP, AT_TOWN, everywhere("U")),
    (
        "T15",
        S.COMPLETED,
        AT_TOWN,
        {"heilongjiang": NOBODY, "taizhou": NOBODY, "gansu": NOBODY, "heihe": "tcp", "zhenjiang": "tcp"},
    ),
    ("T16", S.VERIFYING, AT_TOWN, {"heihe": "W", "zhenjiang": "W"}),
    ("T16a", S.VERIFYING, AT_TOWN, {"heihe": "tcp", "zhenjiang": "tcp"}),
    (
        "T17",
        S.COMPLETED,
        AT_TOWN,
        {"heilongjiang": "tcp", "taizhou": "tcp", "gansu": "tcp", "heihe": "Wtcp", "zhenjiang": NOBODY},
    ),
    ("T18", S.ACCEPTED, AT_TOWN, everywhere("tcp")),
    ("T19", S.FED_BACK, AT_TOWN, everywhere("P")),
    ("T20", S.FED_BACK, AT_TOWN, everywhere(NOBODY) | {"heilongjiang": "ktcp"}),
    ("T21", S.FED_BACK, AT_TOWN, everywhere(NOBODY) | {"heilongjiang": "tcp"}),
    (
        "T22",
        S.FED_BACK,
        AT_TOWN,
        {"heilongjiang": "tcp", "taizhou": "W", "gansu": "W", "heihe": "W", "zhenjiang": "W"},
    ),
    ("supervision", S.TAKEN_UP, AT_TOWN, everywhere("tcp")),
    ("effect_tracking", S.TAKEN_UP, AT_TOWN, everywhere("tcp")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "state", "lies", "wanted"), WHO, ids=[f"{one[0]}-{one[1]}-{n}" for n, one in enumerate(WHO)]
)
def test_who_makes_each_row(
    name: str, state: IncidentState, lies: dict[str, object], wanted: dict[str, str]
) -> None:
    found = {key: who(key, name, course(state, **lies)) for key in wanted}  # type: ignore[arg-type]
    assert found == wanted


def test_every_row_is_asked_about() -> None:
    assert {one[0] for one in WHO} | {"T1"} == {one.row for one in TRANSITIONS}


CLAUSES = {
    "T2": {"zhenjiang": "zhenjiang 31", "gansu": "gansu 三(二)1", "heilongjiang": "heilongjiang 8.5.1"},
    "T3": {"heihe": "heihe 16(2)", "heilongjiang": "heilongjiang 8.5.1", "gansu": "gansu 二(二)4"},
    "T4": {
        "heilongjiang": "heilongjiang 8.4.1",
        "heihe": "heihe 21(1)",
        "gansu": "gansu 二(一)1(1)",
        "zhenjiang": "zhenjiang 32",
        "taizhou": "taizhou 附录A",
    },
    "T5": {
        "heilongjiang": "heilongjiang 8.4.1",
        "gansu": "gansu 二(一)1(1)",
        "heihe": "heihe 21(1)",
        "zhenjiang": "zhenjiang 32",
    },
    "T5a": {"gansu": "gansu 二(一)1(2)", "taizhou": "taizhou 5.4(2)"},
    "T6": {"zhenjiang": "zhenjiang 33(1)", "gansu": "gansu 三(一)3"},
    "T7": {"zhenjiang": "zhenjiang 27(2)", "heilongjiang": "heilongjiang 8.4.2", "gansu": "gansu 三(一)3"},
    "T8": {"gansu": "gansu 三(一)4", "heihe": "heihe 21(1)", "zhenjiang": "zhenjiang 33(1)"},
    "T9": {"gansu": "gansu 三(一)", "heilongjiang": "heilongjiang 8.4.2", "zhenjiang": "zhenjiang 33"},
    "T10": {"gansu": "gansu 三(一)", "zhenjiang": "zhenjiang 34(1)", "heilongjiang": "heilongjiang 8.1.3"},
    "T11": {"heilongjiang": "heilongjiang 8.4.4"},
    "T12": {"heihe": "heihe 19(2)", "zhenjiang": "zhenjiang 33(2)", "heilongjiang": "heilongjiang 8.1.3"},
    "T14": {"heilongjiang": "heilongjiang 8.4.4", "heihe": "heihe 21(2)", "zhenjiang": "zhenjiang 34"},
    "T15": {"zhenjiang": "zhenjiang 35", "heihe": "heihe 21(3)"},
    "T16": {"zhenjiang": "zhenjiang 35", "heihe": "heihe 21(3)"},
    "T17": {"heilongjiang": "heilongjiang 8.4.2", "gansu": "gansu 三(一)5"},
    "T18": {"gansu": "gansu 三(一)5"},
    "T19": {"heilongjiang": "heilongjiang 8.1.7, 9.2.2", "heihe": "heihe 26(2)"},
    "T20": {"heilongjiang": "heilongjiang 8.1.7, 8.4.2, 9.2.3"},
    "T21": {"heilongjiang": "heilongjiang 8.4.2"},
    "T22": {"heilongjiang": "heilongjiang 8.4.2", "gansu": "gansu 三(一)", "heihe": "heihe 21(1)"},
    "supervision": {"heilongjiang": "heilongjiang 8.1.3", "zhenjiang": "zhenjiang 27(2)"},
    "effect_tracking": {"heilongjiang": "heilongjiang 8.4.2"},
}


def test_each_row_names_the_clause_of_its_own_document() -> None:
    for name, wanted in CLAUSES.items():
        for key, clause in wanted.items():
            assert row(name).clause(RULES[key].profile) == clause, (name, key)


def test_t1_and_t2_are_made_by_a_report_and_need_a_place() -> None:
    for source in Source:
        given = IncidentReport(lon=127.0, lat=47.0, description="x", source=source)
        for rules in RULES.values():
            found, made = opening(given, WORKER, at("2024-05-31 09:00"), rules)
            assert [one.row for one in made] == ["T1", "T2"]
            assert found.state is S.RECORDED


def test_t5_goes_to_the_first_level_of_the_profile() -> None:
    wanted = {
        "heilongjiang": L.COMMUNITY,
        "taizhou": L.COMMUNITY,
        "gansu": L.COMMUNITY,
        "heihe": L.TOWNSHIP,  # the platform; who reads it is a reading
        "zhenjiang": L.TOWNSHIP,
    }
    for key, level in wanted.items():
        found, _ = move(
            course(S.RECORDED), K.REPORT, WORKER, RULES[key], filled={}, now=at("2024-05-31 10:00")
        )
        assert found.current_level is level, key


def test_t7_enters_the_list_of_supervised_incidents_and_urging_does_too() -> None:
    for rules in RULES.values():
        received = course(S.REPORTED, L.TOWNSHIP)
        found, _ = move(received, K.ACCEPT, TOWN, rules, filled={}, now=at("2024-05-31 10:00"))
        assert found.supervised_at == at("2024-05-31 10:00")
        urged, (made,) = move(
            course(S.RECORDED),
            K.SUPERVISE,
            TOWN,
            rules,
            filled={F.NOTE: "请抓紧"},
            now=at("2024-06-01 10:00"),
        )
        assert (urged.state, urged.supervised_at) == (S.RECORDED, at("2024-06-01 10:00"))
        assert made.row == "supervision"
        again, _ = move(urged, K.SUPERVISE, TOWN, rules, filled={F.NOTE: "再催"}, now=at("2024-06-02 10:00"))
        assert again.supervised_at == at("2024-06-01 10:00")


def test_supervision_and_tracking_are_possible_at_every_open_state() -> None:
    for rules in RULES.values():
        for state in OPEN:
            steps = {one.step for one in legal_steps(course(state, L.TOWNSHIP), COUNTY, rules)}
            assert {K.SUPERVISE, K.TRACK} <= steps, state


def test_t21_refuses_personal_data() -> None:
    rules = RULES["heilongjiang"]
    found = course(S.FED_BACK, L.TOWNSHIP)
    for note in ("已联系13912345678", "身份证23088119900101123X"):
        with pytest.raises(UnusableInput) as refused:
            move(found, K.DISCLOSE, TOWN, rules, filled={F.NOTE: note}, now=at("2024-06-01 09:00"))
        assert refused.value.field == "note"
        assert note[-8:] not in str(refused.value)
    after, _ = move(
        found,
        K.DISCLOSE,
        TOWN,
        rules,
        filled={F.NOTE: "事件20240531-000123已办结"},
        now=at("2024-06-01 09:00"),
    )
    assert after.state is S.FED_BACK


def test_t12_is_held_at_the_levels_that_the_document_names() -> None:
    with pytest.raises(Conflict) as refused:
        move(
            course(S.ACCEPTED, L.PREFECTURE),
            K.COORDINATE,
            PREFECTURE,
            RULES["heihe"],
            filled={F.LEAD_UNIT: "市住建局"},
            now=at("2024-06-01 09:00"),
        )
    assert refused.value.clause == "heihe 19(2)"


def test_what_is_not_legal_is_told_with_its_reason() -> None:
    for key, rules in RULES.items():
        for state in OPEN:
            found = course(state, L.TOWNSHIP, lead_unit="市住建局")
            for mover in EVERYBODY.values():
                legal = {one.transition.row for one in legal_steps(found, mover, rules)}
                refused = {
                    transition.row: reason for transition, reason in refused_steps(found, mover, rules)
                }
                assert not legal & set(refused)
                assert legal | set(refused) == {one.row for one in TRANSITIONS if state in one.sources}
                for reason in refused.values():
                    assert str(reason)
                    assert reason.clause is None or reason.clause.startswith(f"{key} ")


# ---- deadlines by profile --------------------------------------------------------------------------------------------


def due(key: str, found: Course) -> tuple[str, float, str | None] | None:
    clock = running_clock(found, RULES[key])
    return None if clock is None else (clock.limit.clock, clock.limit.most, clock.limit.clause)


DEADLINES = [
    # row whose time runs, course, by profile
    ("T2", course(S.DISCOVERED), {"gansu": ("calendar_days", 0, "gansu 三(二)1")}),
    (
        "T5",
        course(S.RECORDED),
        {
            "gansu": ("hours", 0, None),
            "heihe": ("hours", 0, None),
            "zhenjiang": ("hours", 24, "zhenjiang 32"),
        },
    ),
    (
        "T5 urgent",
        course(S.RECORDED, is_urgent=True),
        dict.fromkeys(PROFILES, ("hours", 0, None)),
    ),
    ("T6", course(S.REPORTED, L.TOWNSHIP), {"zhenjiang": ("hours", 24, "zhenjiang 33(1)")}),
    ("T14", course(S.DISPATCHED, L.TOWNSHIP), {"heilongjiang": ("working_days", 3, None)}),
    (
        "T16",
        course(S.VERIFYING, L.TOWNSHIP),
        {"heihe": ("hours", 24, "heihe 21(3)"), "zhenjiang": ("hours", 24, "zhenjiang 35")},
    ),
]


@pytest.mark.parametrize(("name", "found", "wanted"), DEADLINES, ids=[one[0] for one in DEADLINES])
def test_the_deadline_of_each_row(
    name: str, found: Course, wanted: dict[str, tuple[str, float, str | None]]
) -> None:
    for key in PROFILES:
        seen, said = due(key, found), wanted.get(key)
        if said is None:
            assert seen is None, (key, seen)
            continue
        assert seen is not None, key
        assert seen[:2] == said[:2], key
        if said[2] is not None:
            assert seen[2] == said[2], key
        assert seen[2] is None or seen[2].startswith(f"{key} ")


def test_t16_runs_from_the_feedback_or_from_the_request() -> None:
    for key, began in (("zhenjiang", "2024-05-31 09:00"), ("heihe", "2024-06-01 12:00")):
        completed = course(S.COMPLETED, L.TOWNSHIP)
        found, _ = move(completed, K.VERIFY, TOWN, RULES[key], filled={}, now=at("2024-06-01 12:00"))
        assert found.due_at == at(began) + timedelta(hours=24), key


# ---- 4.2, rule by rule -----------------------------------------------------------------------------------------------

CALENDAR = working_calendar(ZONE)


def test_k1_hours_run_through_nights_and_holidays() -> None:
    clock = start(Limit(Clock.HOURS, 24), at("2024-10-01 22:00"), CALENDAR)
    assert clock.due_at == at("2024-10-02 22:00")
    assert clock.limit.rules == ("K1",)


def test_k2_working_days_count_from_the_day_after_the_dispatch() -> None:
    clock = start(Limit(Clock.WORKING_DAYS, 3), at("2024-09-30 10:00"), CALENDAR)
    assert clock.due_at.date() == date(2024, 10, 10)
    assert [day.date.day for day in clock.skipped] == [1, 2, 3, 4, 5, 6, 7]
    made_up = start(Limit(Clock.WORKING_DAYS, 1), at("2024-10-11 10:00"), CALENDAR)
    assert made_up.due_at.date() == date(2024, 10, 12)  # a Saturday that is worked
    assert [day.date.day for day in made_up.made_up] == [12]


def test_k3_plain_days_are_calendar_days() -> None:
    clock = start(Limit(Clock.CALENDAR_DAYS, 7), at("2024-03-01 10:00"), CALENDAR)
    assert clock.due_at.date() == date(2024, 3, 8)


def test_k4_only_the_upper_value_makes_late() -> None:
    clock = start(Limit(Clock.WORKING_DAYS, 3, least=1), at("2024-05-31 10:30"), CALENDAR)
    assert "K4" in clock.limit.rules
    assert not clock.is_late(at("2024-06-04 12:00"))
    assert not clock.is_late(at("2024-06-05 23:59"))
    assert clock.is_late(at("2024-06-06 00:00"))


def test_k5_the_workers_hours_begin_at_the_discovery() -> None:
    given = IncidentReport(
        lon=127.0, lat=47.0, description="x", source=Source.PATROL, discovered_at=at("2024-05-31 09:00")
    )
    found, _ = opening(given, WORKER, at("2024-05-31 20:00"), RULES["zhenjiang"])
    assert found.due_at == at("2024-06-01 09:00")


def test_k6_at_once_shows_the_delay_and_never_fails() -> None:
    for key in ("heihe", "gansu"):
        recorded = course(S.RECORDED)
        assert recorded.due_at is None
        _, (made,) = move(recorded, K.REPORT, WORKER, RULES[key], filled={}, now=at("2024-06-02 09:00"))
        assert made.ended is not None
        assert (made.ended.standing, made.ended.delay) == (Standing.IN_TIME, timedelta(days=2))


def test_k7_the_first_contact_stays_through_every_hand() -> None:
    rules = RULES["heihe"]
    found, now = course(S.RECORDED, item=None), at("2024-06-01 09:00")
    path = [
        (K.REPORT, WORKER, {}),
        (K.ACCEPT, TOWN, {}),
        (K.DISPATCH, TOWN, {F.LEAD_UNIT: "市住建局"}),
        (K.TAKE_UP, UNIT, {F.PERSON_IN_CHARGE: "甲"}),
        (K.COMPLETE, UNIT, {F.RESULT: "好了"}),
        (K.VERIFY, TOWN, {}),
        (K.FEED_BACK, Mover(Party.GRID_WORKER, "W2"), {F.PLACE: (127.0, 47.0)}),
        (K.ARCHIVE, Mover(Party.GRID_WORKER, "W2"), {}),
    ]
    for step, mover, filled in path:
        found, _ = move(found, step, mover, rules, filled=filled, now=now)
        assert found.first_contact == "W1", step
    assert found.state is S.ARCHIVED
    assert BY_STEP[K.ARCHIVE, S.FED_BACK].row == "T22"
