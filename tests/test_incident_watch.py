"""The watch over running clocks: each word once, to whom, by which clause; and deadlines counted again."""

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from threading import Thread
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from city import inside
from servers import running
from sqlalchemy import text

from gis_server.core.access import CONSOLE
from gis_server.core.deadline import Clock, Limit, WorkingCalendar, start
from gis_server.core.incident import IncidentState, parse_report
from gis_server.core.incident_course import Course, Rules, clock_json
from gis_server.core.incident_machine import Party, StepField, StepKind
from gis_server.core.incident_request import StepRequest
from gis_server.core.incident_watch import AlertKind, WatchRule, alerts_due, ladder, recount
from gis_server.core.vocabulary import AdminLevel
from gis_server.files.calendar import working_calendar
from gis_server.files.profile import profile_keys, read_items, read_profile
from gis_server.journeys import incident_watch, incidents
from gis_server.journeys.context import Context
from gis_server.store import incident_watch as kept

ZONE = ZoneInfo("Asia/Shanghai")
WATCH = WatchRule(0.25, timedelta(hours=24))
L = AdminLevel


def rules_of(key: str) -> Rules:
    return Rules(read_profile(key), read_items(key), working_calendar(ZONE))


def clocked(state: IncidentState, level: AdminLevel | None = None, **more: object) -> Course:
    began = datetime(2024, 6, 3, 9, tzinfo=ZONE)
    given: dict[str, object] = {"due_at": began + timedelta(hours=24), **more}
    return Course(
        state=state,
        discovered_at=began,
        clock_starts_at=began,
        current_level=level,
        **given,  # type: ignore[arg-type]
    )


# ---- whom it tells ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", profile_keys())
def test_a_breach_climbs_from_whoever_supervises_to_the_highest_institution(key: str) -> None:
    profile = read_profile(key)
    levels = sorted(profile.identity.institution_levels.value, key=lambda level: -level.rank)
    for state in (IncidentState.RECORDED, IncidentState.DISPATCHED, IncidentState.REPORTED):
        for level in (None, *levels):
            found = ladder(state, level, profile)
            assert [one.rank for one in found] == sorted({one.rank for one in found}, reverse=True)
            assert found[-1] == levels[-1]
    top = levels[-1]
    assert ladder(IncidentState.REPORTED, top, profile) == (top,)


def test_each_word_comes_at_its_time_and_names_the_clause() -> None:
    rules, course = rules_of("zhenjiang"), clocked(IncidentState.RECORDED)
    due = course.due_at
    assert due is not None
    for hours, kinds in (
        (-7, []),
        (-6, ["warning"]),
        (0, ["warning"]),
        (0.01, ["overdue"]),
        (24, ["overdue"]),
        (24.1, ["overdue", "escalation"]),
        (200, ["overdue", "escalation", "escalation"]),
    ):
        found = alerts_due(course, rules, WATCH, due + timedelta(hours=hours))
        assert [alert.kind for alert in found] == kinds, hours
    assert [(a.told.level, a.clause) for a in found if a.told] == [
        (L.TOWNSHIP, "zhenjiang 27(2)"),
        (L.COUNTY, None),
        (L.PREFECTURE, None),
    ]
    (warning,) = alerts_due(course, rules, WATCH, due)
    assert warning.told is not None
    assert (warning.told.party, warning.clause) == (Party.GRID_WORKER, None)
    assert warning.trace is not None
    dispatched = clocked(IncidentState.TAKEN_UP, L.TOWNSHIP, lead_unit="市住建局")
    (warning,) = alerts_due(dispatched, rules_of("heilongjiang"), WATCH, due)
    assert warning.told is not None
    assert (warning.told.party, warning.told.name) == (Party.HANDLING_UNIT, "市住建局")


def test_what_is_wanted_at_once_never_fails_by_itself() -> None:
    course = clocked(IncidentState.RECORDED, due_at=None)
    late = course.discovered_at + timedelta(days=30)
    assert alerts_due(course, rules_of("heihe"), WATCH, late) == ()


# ---- exactly once ----------------------------------------------------------------------------------------------------


def dispatched(ctx: Context, when: datetime, column: int = 0) -> int:
    """An incident that was dispatched to a unit at ``when``; its id."""
    report = {
        **inside(column),
        "description": "工地夜间施工",
        "source": "patrol",
        "item": "建筑施工噪声",
        "discovered_at": when.isoformat(),
    }
    found = incidents.report(ctx, CONSOLE, parse_report(report, when), when).incident
    for step in (StepKind.REPORT, StepKind.ACCEPT, StepKind.DISPATCH):
        asked = StepRequest(step, found.state, {})
        if step is StepKind.ACCEPT:  # the community has no right to dispatch
            up = StepRequest(StepKind.ESCALATE, found.state, {})
            found = incidents.move(ctx, CONSOLE, found.id, up, when).incident
        found = incidents.move(ctx, CONSOLE, found.id, asked, when).incident
    return found.id


def rows(ctx: Context) -> list[tuple[object, ...]]:
    query = "SELECT incident_id, kind, round, told_level FROM incident_alert ORDER BY incident_id, round, id"
    with ctx.engine.connect() as conn:
        return [tuple(row) for row in conn.execute(text(query))]


def overdue_events(ctx: Context) -> Counter[str]:
    query = "SELECT payload FROM event WHERE kind = 'incident' AND (payload->>'is_overdue')::boolean"
    with ctx.engine.connect() as conn:
        return Counter(row.payload["number"] for row in conn.execute(text(query)))


def test_a_clock_is_warned_of_found_overdue_and_escalated_once(city_ctx: Context) -> None:
    began = datetime.now(UTC) - timedelta(days=8)
    number = dispatched(city_ctx, began)
    with city_ctx.engine.connect() as conn:
        due = conn.execute(text("SELECT due_at FROM incident")).scalar_one()
    assert incident_watch.watch(city_ctx, began + timedelta(minutes=1)).told == {}  # type: ignore[union-attr]
    warn = due - (due - began) / 4
    found = incident_watch.watch(city_ctx, began + timedelta(minutes=1))
    assert found is not None
    assert found.next_at is not None
    assert abs(found.next_at - warn) < timedelta(seconds=1)
    for when, kind in (
        (warn + timedelta(seconds=1), "warning"),
        (due + timedelta(seconds=1), "overdue"),
        (due + timedelta(hours=25), "escalation"),
    ):
        for _ in range(3):
            found = incident_watch.watch(city_ctx, when)
            assert found is not None
            assert set(found.told) in ({AlertKind(kind)}, set())
    assert rows(city_ctx) == [
        (number, "warning", 0, None),
        (number, "overdue", 0, "township"),
        (number, "escalation", 1, "county"),
    ]
    # nothing is left to tell once the highest knows
    found = incident_watch.watch(city_ctx, due + timedelta(days=60))
    assert found is not None
    assert (found.told, found.next_at) == ({}, None)
    assert list(overdue_events(city_ctx).values()) == [2]
    with city_ctx.engine.connect() as conn:
        trace = conn.execute(text("SELECT trace FROM incident_alert LIMIT 1")).scalar_one()
    assert trace["clock"]["clause"] == "heilongjiang 8.2.2, 表1"


def test_many_watches_at_once_tell_each_word_once(city_ctx: Context) -> None:
    began = datetime.now(UTC) - timedelta(days=8)
    for column in range(6):
        dispatched(city_ctx, began, column)
    late = began + timedelta(days=7)
    # as if no lock held them apart
    threads = [
        Thread(
            target=incident_watch._tell, args=(city_ctx, incidents.rules(city_ctx), _rungs(city_ctx), late)
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    incident_watch.watch(city_ctx, late)
    assert Counter((row[0], row[2]) for row in rows(city_ctx)).most_common(1)[0][1] == 1
    assert len(rows(city_ctx)) == 6 * 2
    assert set(overdue_events(city_ctx).values()) == {1}


def _rungs(ctx: Context) -> kept.Rungs:
    return incident_watch._rungs(incidents.rules(ctx))


def test_one_process_watches_at_a_time(city_ctx: Context) -> None:
    with kept.alone(city_ctx.engine) as first, kept.alone(city_ctx.engine) as second:
        assert (first, second) == (True, False)
        assert incident_watch.watch(city_ctx, datetime.now(UTC)) is None
    assert incident_watch.watch(city_ctx, datetime.now(UTC)) is not None


def test_a_step_ends_the_clock_and_with_it_the_words(city_ctx: Context) -> None:
    began = datetime.now(UTC) - timedelta(days=8)
    number = dispatched(city_ctx, began)
    taken = StepRequest(StepKind.RETURN, IncidentState.DISPATCHED, {StepField.REASON: "不属于本部门职责"})
    incidents.move(city_ctx, CONSOLE, number, taken, began + timedelta(hours=1))
    assert incident_watch.watch(city_ctx, began + timedelta(days=7)).told == {}  # type: ignore[union-attr]


# ---- deadlines counted again -------------------------------------------------------------------------------------------


def without_year(calendar: WorkingCalendar, year: int) -> WorkingCalendar:
    """What the calendar knew before the notice for ``year`` came."""
    return replace(
        calendar,
        years=calendar.years - {year},
        holidays=MappingProxyType({d: n for d, n in calendar.holidays.items() if d.year != year}),
        made_up=MappingProxyType({d: n for d, n in calendar.made_up.items() if d.year != year}),
    )


def test_a_provisional_deadline_is_counted_again_when_the_year_is_known(
    city_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = working_calendar(ZONE)
    began = datetime.now(UTC) - timedelta(days=9)
    decided = incidents.rules(city_ctx)
    ignorant = without_year(known, began.year)
    monkeypatch.setattr(incidents, "rules", lambda _: replace(decided, calendar=ignorant))
    dispatched(city_ctx, began)
    monkeypatch.undo()
    with city_ctx.engine.connect() as conn:
        before = conn.execute(text("SELECT due_at, number FROM incident")).one()
    now = datetime.now(UTC)
    changed = incident_watch.recompute_deadlines(city_ctx, CONSOLE, now)
    assert changed == 1
    assert incident_watch.recompute_deadlines(city_ctx, CONSOLE, now) == 0
    with city_ctx.engine.connect() as conn:
        after = conn.execute(text("SELECT due_at FROM incident")).scalar_one()
        audit = conn.execute(text("SELECT subject, detail FROM audit WHERE act = 'recompute_deadline'")).one()
        row = conn.execute(text("SELECT kind, old_due_at, due_at, trace FROM incident_alert")).one()
    assert (row.kind, row.old_due_at, row.due_at) == ("recomputed", before.due_at, after)
    assert audit.subject == before.number
    assert datetime.fromisoformat(audit.detail["old_due_at"]) == before.due_at
    assert datetime.fromisoformat(audit.detail["new_due_at"]) == after
    assert audit.detail["trace"]["before"]["provisional"] is True
    assert audit.detail["trace"]["clock"]["provisional"] is False


def test_a_recount_keeps_the_limit_and_moves_the_deadline_past_the_holiday() -> None:
    known = working_calendar(ZONE)
    limit = Limit(Clock.WORKING_DAYS, 3, "heilongjiang 8.2.2, 表1", 1, inferred=True)
    began, now = datetime(2026, 9, 30, 10, tzinfo=ZONE), datetime(2026, 11, 22, tzinfo=ZONE)
    guessed = start(limit, began, without_year(known, 2026))
    assert guessed.due_at.date() == date(2026, 10, 5)  # Monday to Friday assumed
    trace = {"clock": clock_json(guessed)}
    assert recount(trace, guessed.due_at, without_year(known, 2026), now) is None
    news = recount(trace, guessed.due_at, known, now)
    assert news is not None
    clock, alert = news
    assert (clock.limit, clock.provisional) == (limit, False)
    assert clock.due_at.date() == date(2026, 10, 10)  # off to the 7th, the 10th is made up
    assert [day.date.day for day in clock.made_up] == [10]
    assert (alert.old_due_at, alert.due_at) == (guessed.due_at, clock.due_at)


# ---- the server that watches -------------------------------------------------------------------------------------------


def test_a_server_killed_at_any_moment_tells_each_word_once(city_url: str, city_ctx: Context) -> None:
    """kill -9 in mid-work, again and again, then two servers at once: not one word is lost or said twice."""
    began = datetime.now(UTC) - timedelta(days=8)
    first = dispatched(city_ctx, began)
    count = 800
    with city_ctx.engine.begin() as conn:  # copies, for they cost less than reports
        columns = [
            name
            for (name,) in conn.execute(
                text("SELECT column_name FROM information_schema.columns WHERE table_name = 'incident'")
            )
            if name not in ("id", "number", "idempotency_key")
        ]
        listed = ", ".join(columns)
        conn.execute(
            text(
                f"INSERT INTO incident (number, {listed}) SELECT 'copy-' || n, {listed} "
                "FROM incident, generate_series(2, :count) n WHERE id = :id"
            ),
            {"count": count, "id": first},
        )
    environ = {
        "GIS_DATABASE_URL": city_ctx.settings.database_url or "",
        "GIS_VAR": str(city_ctx.settings.var),
    }
    kills = 0
    while kills < 4:
        with running("serve", ready=False, **environ) as server:
            before = len(rows(city_ctx))
            end = time.monotonic() + 60
            while len(rows(city_ctx)) == before and time.monotonic() < end:
                time.sleep(0.02)
            server.kill()
            kills += 1
            if len(rows(city_ctx)) >= 2 * count:
                break
    with (
        running("serve", ready=False, **environ | {"GIS_VAR": environ["GIS_VAR"] + "2"}),
        running("serve", ready=False, **environ),
    ):
        end = time.monotonic() + 90
        while len(rows(city_ctx)) < 2 * count and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(1)
    told = Counter((row[0], row[1], row[2]) for row in rows(city_ctx))
    assert set(told.values()) == {1}
    assert len(told) == 2 * count  # the breach and, days later, the county
    assert set(overdue_events(city_ctx).values()) == {1}
    assert len(overdue_events(city_ctx)) == count
