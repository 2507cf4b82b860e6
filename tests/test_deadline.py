"""Legal clocks: S21, S22, S23, the filing of S12, real working days, and what must always hold."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis_server.core.deadline import (
    Clock,
    Day,
    DayKind,
    Deadline,
    Limit,
    Standing,
    WorkingCalendar,
    escalation_limit,
    filing_limit,
    handling_limit,
    recording_limit,
    reporting_limit,
    start,
    verification_limit,
)
from gis_server.core.errors import UnusableInput
from gis_server.files.calendar import working_calendar
from gis_server.files.profile import read_profile

ZONE = ZoneInfo("Asia/Shanghai")
CALENDAR = working_calendar(ZONE)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def running(limit: Limit | None, begin: str) -> Deadline:
    assert limit is not None
    return start(limit, at(begin), CALENDAR)


# ---- S21, Zhenjiang -------------------------------------------------------------------------------------------------


def test_s21_zhenjiang_clocks() -> None:
    zhenjiang = read_profile("zhenjiang")

    report = running(reporting_limit(zhenjiang, urgent=False), "2022-03-01 09:00")
    assert report.due_at == at("2022-03-02 09:00")
    assert not report.is_late(at("2022-03-02 09:00"))
    assert report.is_late(at("2022-03-02 09:01"))
    assert report.limit.clause == "zhenjiang 32"
    assert report.limit.inferred  # the text does not say when the 24 hours start

    urgent = running(reporting_limit(zhenjiang, urgent=True), "2022-03-01 09:00")
    assert urgent.limit.at_once
    assert urgent.delay(at("2022-03-01 09:10")) == timedelta(minutes=10)
    assert not urgent.is_late(at("2022-03-01 09:10"))
    assert urgent.standing(at("2022-03-01 09:10")) is Standing.AT_ONCE
    assert urgent.standing(at("2022-03-03 09:00"), at("2022-03-01 09:10")) is Standing.IN_TIME

    escalation = running(escalation_limit(zhenjiang, urgent=False), "2022-03-02 10:00")
    assert escalation.due_at == at("2022-03-03 10:00")
    assert escalation.limit.clause == "zhenjiang 33(1)"

    verification = running(verification_limit(zhenjiang), "2022-03-10 15:00")
    assert verification.due_at == at("2022-03-11 15:00")
    assert verification.limit.clause == "zhenjiang 35"
    assert not verification.limit.inferred


def test_hours_run_through_nights_and_holidays() -> None:
    # eve of the Spring Festival holiday of 2024
    report = running(reporting_limit(read_profile("zhenjiang"), urgent=False), "2024-02-09 18:00")
    assert report.due_at == at("2024-02-10 18:00")
    assert report.trace == ()
    assert report.limit.rules == ("K1",)


# ---- S22, Heihe -----------------------------------------------------------------------------------------------------


def test_s22_heihe_reports_at_once_and_verifies_in_a_day() -> None:
    heihe = read_profile("heihe")
    report = running(reporting_limit(heihe, urgent=False), "2023-07-02 21:00")
    assert report.limit.at_once
    assert report.limit.rules == ("K1", "K6")
    assert report.standing(at("2023-07-03 09:00"), at("2023-07-02 23:00")) is Standing.IN_TIME

    verification = running(verification_limit(heihe), "2023-07-03 08:00")
    assert verification.due_at == at("2023-07-04 08:00")
    assert verification.limit.inferred  # the document does not say when it starts


# ---- S23, Heilongjiang ----------------------------------------------------------------------------------------------


def test_s23_three_working_days_from_a_friday() -> None:
    deadline = running(handling_limit(read_profile("heilongjiang")), "2024-05-31 10:30")
    assert CALENDAR.day_of(deadline.due_at) == date(2024, 6, 5)
    assert not deadline.is_late(at("2024-06-05 23:59:59.999999"))
    assert deadline.is_late(at("2024-06-06 00:00"))
    assert not deadline.provisional
    assert [day.date.day for day in deadline.skipped] == [1, 2]
    assert [(day.date.day, day.number) for day in deadline.trace if day.number] == [(3, 1), (4, 2), (5, 3)]


def test_a_range_is_shown_and_only_its_upper_value_counts() -> None:
    limit = handling_limit(read_profile("heilongjiang"))
    assert limit is not None
    assert (limit.least, limit.most, limit.clause) == (1, 3, "heilongjiang 8.2.2, 表1")
    assert limit.rules == ("K2", "K4")


def test_profiles_without_a_number_have_no_clock() -> None:
    heilongjiang, taizhou = read_profile("heilongjiang"), read_profile("taizhou")
    assert reporting_limit(heilongjiang, urgent=False) is None  # "promptly"
    assert escalation_limit(taizhou, urgent=False) is None
    assert handling_limit(taizhou) is None
    assert verification_limit(heilongjiang) is None
    assert filing_limit(taizhou) is None
    assert recording_limit(taizhou) is None


# ---- calendar days --------------------------------------------------------------------------------------------------


def test_s12_filing_is_due_at_the_end_of_the_seventh_day() -> None:
    filing = running(filing_limit(read_profile("heilongjiang")), "2024-03-01 15:00")
    assert not filing.is_late(at("2024-03-08 23:59"))
    assert filing.is_late(at("2024-03-09 00:00"))
    assert filing.limit.rules == ("K3",)
    assert not filing.provisional


def test_gansu_records_the_same_day() -> None:
    record = running(recording_limit(read_profile("gansu")), "2023-03-01 23:30")
    assert record.due_at == at("2023-03-01 23:59:59.999999")
    assert record.is_late(at("2023-03-02 00:00"))
    assert record.limit.clause == "gansu 三(二)1"


# ---- working days of real years --------------------------------------------------------------------------------------


def days(*spans: tuple[str, str]) -> Iterable[date]:
    for first, last in spans:
        day = date.fromisoformat(first)
        while day <= date.fromisoformat(last):
            yield day
            day += timedelta(days=1)


# the notice for 2026, read by hand
OFF_2026 = set(
    days(
        ("2026-01-01", "2026-01-03"),
        ("2026-02-15", "2026-02-23"),
        ("2026-04-04", "2026-04-06"),
        ("2026-05-01", "2026-05-05"),
        ("2026-06-19", "2026-06-21"),
        ("2026-09-25", "2026-09-27"),
        ("2026-10-01", "2026-10-07"),
    )
)
MADE_UP_2026 = {date(2026, m, d) for m, d in ((1, 4), (2, 14), (2, 28), (5, 9), (9, 20), (10, 10))}


def test_every_day_of_2026_is_what_the_notice_says() -> None:
    for day in days(("2026-01-01", "2026-12-31")):
        expected = day in MADE_UP_2026 or (day.weekday() < 5 and day not in OFF_2026)
        assert CALENDAR.works(day) is expected, day
    assert {d for d in CALENDAR.made_up if d.year == 2026} == MADE_UP_2026


def test_monday_to_friday_is_wrong_for_15_percent_of_2026() -> None:
    naive = WorkingCalendar(ZONE, CALENDAR.years, {}, {})
    limit = Limit(Clock.WORKING_DAYS, 3)
    begins = [datetime(d.year, d.month, d.day, 10, tzinfo=ZONE) for d in days(("2026-01-01", "2026-12-24"))]
    wrong = [b for b in begins if start(limit, b, CALENDAR).due_at != start(limit, b, naive).due_at]
    assert len(wrong) == 54
    assert round(100 * len(wrong) / 365) == 15


@pytest.mark.parametrize(
    ("begin", "number", "due", "skipped", "made_up"),
    [
        # the Saturday before the Spring Festival is worked, then nine days off
        ("2026-02-13", 3, "2026-02-25", 9, ["2026-02-14"]),
        ("2026-02-27", 1, "2026-02-28", 0, ["2026-02-28"]),
        ("2026-09-30", 3, "2026-10-10", 7, ["2026-10-10"]),
        ("2026-04-30", 3, "2026-05-08", 5, []),
        # dispatched on a day off: day 0 is that day
        ("2026-10-03", 1, "2026-10-08", 4, []),
        ("2026-01-01", 1, "2026-01-04", 2, ["2026-01-04"]),
    ],
)
def test_holidays_and_made_up_days(
    begin: str, number: int, due: str, skipped: int, made_up: list[str]
) -> None:
    deadline = running(Limit(Clock.WORKING_DAYS, number), f"{begin} 09:00")
    assert CALENDAR.day_of(deadline.due_at) == date.fromisoformat(due)
    assert len(deadline.skipped) == skipped
    assert [day.date.isoformat() for day in deadline.made_up] == made_up


def test_the_trace_names_each_skipped_and_made_up_day() -> None:
    deadline = running(Limit(Clock.WORKING_DAYS, 2), "2026-09-30 09:00")
    assert deadline.trace[0] == Day(date(2026, 10, 1), DayKind.HOLIDAY, "国庆节")
    assert [day.kind for day in deadline.trace].count(DayKind.HOLIDAY) == 7
    assert deadline.trace[-1] == Day(date(2026, 10, 9), DayKind.WORKING, None, 2)
    longer = running(Limit(Clock.WORKING_DAYS, 3), "2026-09-30 09:00")
    assert longer.trace[-1] == Day(date(2026, 10, 10), DayKind.MADE_UP, "国庆节", 3)


# ---- years whose notice is not known ---------------------------------------------------------------------------------


def test_an_unknown_year_is_counted_and_marked() -> None:
    last = max(CALENDAR.years)
    deadline = running(Limit(Clock.WORKING_DAYS, 3), f"{last + 1}-06-01 09:00")
    assert deadline.provisional
    assert len(deadline.trace) - len(deadline.skipped) == 3
    assert not running(Limit(Clock.HOURS, 24), f"{last + 1}-06-01 09:00").provisional
    assert not running(Limit(Clock.CALENDAR_DAYS, 7), f"{last + 1}-06-01 09:00").provisional


def test_a_deadline_that_reaches_into_an_unknown_year_is_marked() -> None:
    last = max(CALENDAR.years)
    assert not running(Limit(Clock.WORKING_DAYS, 3), f"{last}-12-14 09:00").provisional
    # the last week of December may still be changed by the next year's notice, as on 2018-12-29
    assert running(Limit(Clock.WORKING_DAYS, 1), f"{last}-12-27 09:00").provisional
    assert running(Limit(Clock.WORKING_DAYS, 5), f"{last}-12-30 09:00").provisional


def test_counting_again_with_the_notice_settles_it() -> None:
    before = WorkingCalendar(
        ZONE,
        frozenset({2024, 2025}),
        {d: n for d, n in CALENDAR.holidays.items() if d.year < 2026},
        {d: n for d, n in CALENDAR.made_up.items() if d.year < 2026},
    )
    first = start(Limit(Clock.WORKING_DAYS, 3), at("2026-02-13 09:00"), before)
    assert first.provisional
    assert before.day_of(first.due_at) == date(2026, 2, 18)
    second = start(first.limit, first.starts_at, CALENDAR)
    assert not second.provisional
    assert CALENDAR.day_of(second.due_at) == date(2026, 2, 25)


def test_no_notice_ever_changed_december_before_its_last_week() -> None:
    december = [d for d in (*CALENDAR.holidays, *CALENDAR.made_up) if d.month == 12]
    assert min(d.day for d in december) >= 25


# ---- standing ----------------------------------------------------------------------------------------------------


def test_a_warning_comes_before_the_breach() -> None:
    deadline = running(Limit(Clock.HOURS, 24), "2024-03-01 09:00")
    assert deadline.standing(at("2024-03-01 10:00")) is Standing.RUNNING
    assert deadline.warns_at() == at("2024-03-02 03:00")
    assert deadline.standing(at("2024-03-02 03:00")) is Standing.DUE_SOON
    assert deadline.standing(at("2024-03-02 09:00")) is Standing.DUE_SOON
    assert deadline.standing(at("2024-03-02 09:00:01")) is Standing.OVERDUE
    assert deadline.standing(at("2024-03-05 09:00"), at("2024-03-02 08:00")) is Standing.IN_TIME
    assert deadline.standing(at("2024-03-05 09:00"), at("2024-03-02 10:00")) is Standing.LATE


@pytest.mark.parametrize(
    ("clock", "most", "least"),
    [
        (Clock.HOURS, -1, None),
        (Clock.HOURS, float("nan"), None),
        (Clock.HOURS, float("inf"), None),
        (Clock.WORKING_DAYS, 1.5, None),
        (Clock.WORKING_DAYS, 10_000, None),
        (Clock.WORKING_DAYS, 3, 4),
        (Clock.CALENDAR_DAYS, 3, -1),
    ],
)
def test_an_impossible_limit_is_refused(clock: Clock, most: float, least: float | None) -> None:
    with pytest.raises(UnusableInput):
        Limit(clock, most, None, least)


def test_a_time_without_a_zone_is_no_instant() -> None:
    with pytest.raises(UnusableInput, match="没有时区"):
        start(Limit(Clock.HOURS, 24), datetime(2024, 3, 1, 9), CALENDAR)


# ---- what always holds --------------------------------------------------------------------------------------------

instants = st.datetimes(datetime(2004, 1, 1), datetime(2030, 1, 1)).map(
    lambda naive: naive.replace(tzinfo=ZONE)
)
limits = st.one_of(
    st.integers(0, 40).map(lambda n: Limit(Clock.WORKING_DAYS, n)),
    st.integers(0, 60).map(lambda n: Limit(Clock.CALENDAR_DAYS, n)),
    st.floats(0, 500).map(lambda n: Limit(Clock.HOURS, n)),
)


@given(limits, instants)
def test_the_trace_adds_up(limit: Limit, begin: datetime) -> None:
    deadline = start(limit, begin, CALENDAR)
    if limit.clock is Clock.HOURS:
        assert deadline.trace == ()
        return
    assert [day.number for day in deadline.trace if day.number] == list(range(1, int(limit.most) + 1))
    first = CALENDAR.day_of(begin)
    assert [day.date for day in deadline.trace] == [
        first + timedelta(days=n) for n in range(1, len(deadline.trace) + 1)
    ]
    assert CALENDAR.day_of(deadline.due_at) == first + timedelta(days=len(deadline.trace))
    if limit.clock is Clock.WORKING_DAYS:
        assert all((day.number is not None) is CALENDAR.works(day.date) for day in deadline.trace)
        assert set(deadline.made_up) <= {day for day in deadline.trace if day.number}
    if deadline.trace and limit.most:
        assert deadline.trace[-1].number == limit.most


@given(limits, instants, st.integers(0, 400))
def test_a_later_start_is_never_due_earlier(limit: Limit, begin: datetime, hours: int) -> None:
    later = (begin.astimezone(UTC) + timedelta(hours=hours)).astimezone(ZONE)
    assert start(limit, begin, CALENDAR).due_at <= start(limit, later, CALENDAR).due_at


@given(st.sampled_from((Clock.WORKING_DAYS, Clock.CALENDAR_DAYS)), st.integers(0, 40), instants)
def test_a_longer_limit_is_due_later(clock: Clock, number: int, begin: datetime) -> None:
    shorter, longer = (start(Limit(clock, n), begin, CALENDAR) for n in (number, number + 1))
    assert shorter.due_at < longer.due_at
    assert longer.trace[: len(shorter.trace)] == shorter.trace


@given(limits, instants)
def test_the_last_instant_is_in_time_and_the_next_is_not(limit: Limit, begin: datetime) -> None:
    deadline = start(limit, begin, CALENDAR)
    after = deadline.due_at + timedelta(microseconds=1)
    assert not deadline.is_late(deadline.due_at)
    assert deadline.is_late(after) is not limit.at_once
    assert deadline.due_at >= begin
    if limit.clock is not Clock.HOURS:
        local = after.astimezone(ZONE)
        assert (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)


@given(st.floats(0, 500), instants)
def test_hours_are_elapsed_hours_in_any_zone(hours: float, begin: datetime) -> None:
    elsewhere = WorkingCalendar(ZoneInfo("Europe/Berlin"), frozenset(), {}, {})
    due = start(Limit(Clock.HOURS, hours), begin, elsewhere).due_at
    assert due.astimezone(UTC) - begin.astimezone(UTC) == timedelta(hours=hours)
    assert due == start(Limit(Clock.HOURS, hours), begin.astimezone(UTC), CALENDAR).due_at


@given(st.integers(0, 40), instants)
def test_the_zone_decides_which_day_it_is(number: int, begin: datetime) -> None:
    limit = Limit(Clock.WORKING_DAYS, number)
    assert start(limit, begin, CALENDAR).due_at == start(limit, begin.astimezone(UTC), CALENDAR).due_at
    # the zone has had no summer time in these years: a day is always 24 hours
    assert begin.utcoffset() == timedelta(hours=8)
