"""Scenes of a wall: tours as data, what is counted, calls and their acknowledgement, and scenes sent to a wall."""

import threading
import time
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from city import TOWNS, inside
from client import token_client
from flask import Flask
from sqlalchemy import text

from gis_server.core.errors import CatalogueError
from gis_server.core.scene import parse_tour
from gis_server.core.stream import ACKNOWLEDGED
from gis_server.files.tour import default_tour
from gis_server.journeys.context import Context
from gis_server.journeys.together import Together
from gis_server.store import events, incidents, wall_figures

TOUR = default_tour().as_json()


def test_a_tour_survives_its_own_json() -> None:
    assert parse_tour(TOUR, "tour.toml") == default_tour()


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda tour: tour.update(scenes=[]), "scenes"),
        (lambda tour: tour.update(takeover_seconds=-1), "takeover_seconds"),
        (lambda tour: tour.update(volume=3), "volume"),
        (lambda tour: tour["scenes"].append(tour["scenes"][0]), "scenes"),
        (lambda tour: tour["scenes"][0].update(seconds=1), "seconds"),
        (lambda tour: tour["scenes"][0].update(key="Überblick"), "key"),
        (lambda tour: tour["scenes"][0].update(colour="rainbow"), "colour"),
        (lambda tour: tour["scenes"][0].update(left=["open", "open"]), "left"),
        (lambda tour: tour["scenes"][0].update(left=["open"], right=["open"]), "right"),
        (lambda tour: tour["scenes"][0].update(title={"zh": " ", "en": "x"}), "title"),
        (lambda tour: tour["scenes"][0].update(script="alert(1)"), "script"),
    ],
)
def test_a_wrong_tour_is_refused_by_its_key(change: Any, key: str) -> None:
    tour = deepcopy(TOUR)
    change(tour)
    with pytest.raises(CatalogueError) as refused:
        parse_tour(tour, "tour.toml")
    assert key in str(refused.value)


def test_the_manager_of_a_wall_makes_and_drops_its_tour(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    assert operator.get("/api/wall/city").json["tour"]["scenes"][0]["key"] == "overview"
    own = deepcopy(TOUR)
    own["scenes"] = own["scenes"][1:3]
    assert operator.raw("PUT", "/api/wall/city/tour", json=own).status_code == 200
    assert [s["key"] for s in operator.get("/api/wall/city").json["tour"]["scenes"]] == ["now", "towns"]
    assert len(operator.get(f"/api/wall/{TOWNS[0]}").json["tour"]["scenes"]) == len(TOUR["scenes"])
    own["scenes"][0]["seconds"] = "long"
    refused = operator.raw("PUT", "/api/wall/city/tour", json=own)
    assert refused.status_code == 422
    assert "seconds" in refused.json["detail"]
    assert operator.raw("DELETE", "/api/wall/city/tour").status_code == 200
    assert len(operator.get("/api/wall/city").json["tour"]["scenes"]) == len(TOUR["scenes"])
    choices = operator.get("/api/wall/city/tour").json["choices"]
    assert {"value": "open", "title": "未结事件"} in choices["panel"]


def test_a_town_may_not_change_the_citys_tour(app: Flask, city_ctx: Context) -> None:
    west = token_client(app, city_ctx, "west")
    assert west.raw("PUT", "/api/wall/city/tour", json=TOUR).status_code == 403
    assert west.raw("PUT", f"/api/wall/{TOWNS[0]}/tour", json=TOUR).status_code == 200
    assert west.raw("PUT", f"/api/wall/{TOWNS[1]}/tour", json=TOUR).status_code == 403


def test_a_wall_that_cannot_be_told_all_is_told_the_newest_and_the_longest_overdue(
    app: Flask, city_ctx: Context
) -> None:
    operator = token_client(app, city_ctx, "operator")
    report = {**inside(0), "description": "井盖", "source": "patrol"}
    oldest, late, calm, newer, newest = (
        operator.post("/api/incidents", report).json["number"] for _ in range(5)
    )
    now = datetime.now(UTC)
    with city_ctx.engine.begin() as conn:
        for days, number in enumerate((newest, newer, calm, late, oldest)):
            told = {"number": number, "at": now - timedelta(days=days), "due": now - timedelta(hours=days)}
            due = "NULL" if number == calm else ":due"
            conn.execute(
                text(f"UPDATE incident SET discovered_at = :at, due_at = {due} WHERE number = :number"), told
            )
    with city_ctx.engine.connect() as conn:
        shown, complete_since = incidents.on_wall(conn, (), now, 2, now)
        assert [one.number for one in shown] == [newest, newer, late, oldest]
        assert complete_since == now - timedelta(days=1)
        shown, complete_since = incidents.on_wall(conn, (), now, 6, now)
        assert ([one.number for one in shown], complete_since) == ([newest, newer, calm, late, oldest], None)
    assert operator.get("/api/wall/city").json["complete_since"] is None


def test_an_urgent_incident_calls_until_somebody_acknowledges_it(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    report = {**inside(0), "description": "煤气泄漏", "source": "patrol", "urgent": True}
    made = operator.post("/api/incidents", report).json
    calm = operator.post("/api/incidents", {**report, "urgent": False}).json
    (alarm,) = operator.get("/api/wall/city").json["alarms"]
    assert alarm["number"] == made["number"]
    assert alarm["ended_at"] is None
    assert set(alarm) == {
        "number",
        "lon",
        "lat",
        "grid_code",
        "grid_name",
        "township_code",
        "raised_at",
        "ended_at",
    }
    assert operator.get(f"/api/incidents/{made['id']}").json["is_calling"] is True
    assert operator.get(f"/api/incidents/{calm['id']}").json["is_calling"] is False
    assert (
        token_client(app, city_ctx, "analyst").get(f"/api/incidents/{made['id']}").json["is_calling"] is False
    )
    for _ in range(2):
        answer = operator.post(f"/api/incidents/{made['id']}/acknowledgement", {})
        assert answer.status_code == 204
    (alarm,) = operator.get("/api/wall/city").json["alarms"]
    assert alarm["ended_at"] is not None
    assert operator.get(f"/api/incidents/{made['id']}").json["is_calling"] is False
    with city_ctx.engine.begin() as conn:
        events.sequence(conn)
        told = [found for found in events.read_after(conn, 0, 100) if found.kind == ACKNOWLEDGED]
    assert [found.payload for found in told] == [{"number": made["number"]}]
    assert operator.post(f"/api/incidents/{calm['id']}/acknowledgement", {}).status_code == 409
    east = token_client(app, city_ctx, "east")
    assert east.post(f"/api/incidents/{made['id']}/acknowledgement", {}).status_code == 403


def test_midnight_ends_no_call(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    report = {**inside(0), "description": "煤气泄漏", "source": "patrol", "urgent": True}
    late, early, open_ = (operator.post("/api/incidents", report).json for _ in range(3))
    day = datetime.now(city_ctx.settings.timezone).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = {
        late["id"]: timedelta(minutes=30),
        early["id"]: timedelta(hours=2),
        open_["id"]: timedelta(days=3),
    }
    with city_ctx.engine.begin() as conn:
        for number, before in moments.items():
            conn.execute(
                text("UPDATE incident SET recorded_at = :at WHERE id = :id"),
                {"id": number, "at": day - before},
            )
    for answered in (late, early):
        operator.post(f"/api/incidents/{answered['id']}/acknowledgement", {})
    # one of the last hour may still have held the tour, and one that nobody answered still waits
    for address in ("/api/wall/city", "/api/wall/city/desk"):
        told = operator.get(address).json["alarms"]
        assert [(alarm["number"], alarm["ended_at"] is None) for alarm in told] == [
            (open_["number"], True),
            (late["number"], False),
        ]


def test_the_desk_sends_a_scene_to_a_wall(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    assert operator.post("/api/wall/city/scene", {"scene": "cameras", "seconds": 30}).status_code == 204
    unknown = operator.post("/api/wall/city/scene", {"scene": "volcano"})
    assert unknown.status_code == 422
    assert "overview" in unknown.json["detail"]
    for seconds in (0, 1e9, "x", True):
        assert (
            operator.post("/api/wall/city/scene", {"scene": "cameras", "seconds": seconds}).status_code == 422
        )


def test_what_the_panels_count(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    for n in (0, 0, 1):
        report = {**inside(n), "description": "x", "source": "patrol", "urgent": n == 1}
        assert operator.post("/api/incidents", report).status_code == 201
    found = operator.get("/api/wall/city/statistics").json
    assert found["hours"][0] == 3
    assert sum(found["hours"]) == 3
    assert len(found["hours"]) == 48
    assert found["days"][-1]["reported"] == 3
    assert len(found["days"]) == 14
    assert len(found["weeks"]) == 8
    # nothing is older than a day; what has a deadline has time left, and all of it was reported within the month
    assert found["ages"] == [3, 0, 0, 0]
    assert found["due"][0] == 0
    assert sum(found["due"]) <= 3
    assert (found["month"], found["month_before"]) == (3, 0)
    assert len(found["by_hour"]) == 24
    assert sum(found["by_hour"]) == 3
    assert [(town["week"], town["week_before"], town["reported"]) for town in found["towns"]] == [
        (3, 0, 3),
        (0, 0, 0),
    ]
    # of three cameras the sensitive one is not counted; each is in one town
    assert [(one["town"], one["site_class"], one["count"]) for one in found["cameras"]] == [
        (TOWNS[0], "important_site", 1),
        (TOWNS[1], "ordinary_site", 1),
    ]
    assert sum(found["states"].values()) == 3
    assert [(town["code"], town["open"], town["urgent"]) for town in found["towns"]] == [
        (TOWNS[0], 3, 1),
        (TOWNS[1], 0, 0),
    ]
    assert sum(grid["open"] for grid in found["grids"]) == 3
    assert sum(grid["reported"] for grid in found["grids"]) == 3
    again = operator.get("/api/wall/city/replay").json
    assert len(again["incidents"]) == 3
    assert set(again["incidents"][0]) == {"lon", "lat", "is_urgent", "begun_at", "ended_at"}
    other = operator.get(f"/api/wall/{TOWNS[1]}/statistics").json
    assert other["hours"][0] == 0
    assert [town["code"] for town in other["towns"]] == [TOWNS[1]]


def test_many_who_ask_at_once_share_answers_that_are_never_old() -> None:
    asked, begun = Together[float](), []

    def make() -> float:
        begun.append(time.monotonic())
        time.sleep(0.05)
        return begun[-1]

    late: list[float] = []

    def ask() -> None:
        came = time.monotonic()
        if asked.answer("wall", make) < came:
            late.append(came)

    threads = [threading.Thread(target=ask) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert late == []
    assert len(begun) <= 4


def test_a_failure_reaches_all_who_wait_and_the_next_ask_begins_anew() -> None:
    asked = Together[int]()
    with pytest.raises(ZeroDivisionError):
        asked.answer("wall", lambda: 1 // 0)
    assert asked.answer("wall", lambda: 7) == 7


def test_a_day_of_23_hours_keeps_what_happened_on_it(app: Flask, city_ctx: Context) -> None:
    zone = ZoneInfo("Europe/Berlin")
    made = token_client(app, city_ctx, "operator").post(
        "/api/incidents", {**inside(0), "description": "x", "source": "patrol"}
    )
    assert made.status_code == 201
    # summer time began on 29 March 2026, at two in the morning
    last = datetime(2026, 3, 29, 23, 45, tzinfo=zone)
    before = datetime(2026, 3, 28, 23, 45, tzinfo=zone)
    begun = datetime(2026, 4, 2, tzinfo=zone)
    with city_ctx.engine.begin() as conn:
        conn.execute(
            text(
                "UPDATE incident SET discovered_at = :discovered, completed_at = :completed, state = 'completed'"
            ),
            {"discovered": before.astimezone(UTC), "completed": last.astimezone(UTC)},
        )
        found = wall_figures.statistics(
            conn, (), None, today=begun.date(), day_start=begun, now=begun + timedelta(hours=9)
        )
    assert {day.day: (day.reported, day.done) for day in found.days if day.reported or day.done} == {
        before.date(): (1, 0),
        last.date(): (0, 1),
    }
