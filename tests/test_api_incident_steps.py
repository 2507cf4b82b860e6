"""Moving incidents over HTTP: the loop to 归档销号, who may, clocks, and two people at once."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from city import COMMUNITIES, PASSWORD, TOWNS, inside
from client import Client, token_client
from flask import Flask
from sqlalchemy import text

from gis_server.core.access import CONSOLE, Role
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.context import Context
from gis_server.views import create_app


def a_report(**changes: object) -> dict[str, object]:
    return {**inside(0), "description": "工地夜间施工", "source": "patrol", **changes}


@pytest.fixture
def operator(app: Flask, city_ctx: Context) -> Client:
    return token_client(app, city_ctx, "operator")


def client_of(app: Flask, ctx: Context, login: str, role: Role, area: str | None = None) -> Client:
    new = NewAccount(login, login, role) if area is None else NewAccount(login, login, role, area)
    add_account(ctx, CONSOLE, new, PASSWORD, datetime.now(UTC))
    return token_client(app, ctx, login)


def take(client: Client, incident: dict[str, Any], step: str, status: int = 200, **fields: object) -> Any:
    body = {"step": step, "expected_state": incident["state"], **fields}
    answer = client.post(f"/api/incidents/{incident['id']}/steps", body)
    assert answer.status_code == status, answer.json
    return answer.json


def steps(opened: dict[str, Any]) -> list[str]:
    return [legal["step"] for legal in opened["next_steps"]]


def test_an_incident_goes_from_report_to_archived(app: Flask, operator: Client, city_ctx: Context) -> None:
    worker = token_client(app, city_ctx, "worker")
    community = client_of(app, city_ctx, "k1", Role.OPERATOR, COMMUNITIES[0])
    west = token_client(app, city_ctx, "west")
    unit = client_of(app, city_ctx, "市住建局", Role.HANDLING_UNIT)
    other = client_of(app, city_ctx, "市公安局", Role.HANDLING_UNIT)

    found = worker.post("/api/incidents", a_report(item="建筑施工噪声")).json
    assert unit.get("/api/incidents").json["incidents"] == []
    found = take(worker, found, "report")
    assert (found["state"], found["current_level"]) == ("reported", "community")
    assert steps(community.get(f"/api/incidents/{found['id']}").json)[:2] == ["accept", "escalate"]
    found = take(community, found, "escalate")
    refused = take(community, found, "accept", 403)
    assert refused["clause"] == "heilongjiang 8.4.2"
    found = take(west, found, "accept")
    dispatch = west.get(f"/api/incidents/{found['id']}").json["next_steps"][0]
    assert dispatch["step"] == "dispatch"
    assert dispatch["title"] == {"zh": "分流交办", "en": "dispatch"}
    assert [(f["name"], f["required"], f["value"]) for f in dispatch["fields"]][:2] == [
        ("lead_unit", True, "市住建局"),
        ("responsible_unit", False, "市生态环境局"),
    ]
    found = take(west, found, "dispatch")
    assert found["lead_unit"] == "市住建局"
    assert found["clock"]["most"] == 3
    assert found["clock"]["clause"] == "heilongjiang 8.2.2, 表1"
    assert [day["number"] for day in found["clock"]["days"] if day["number"]] == [1, 2, 3]
    assert datetime.fromisoformat(found["due_at"]) == datetime.fromisoformat(found["clock"]["due_at"])
    assert [i["id"] for i in unit.get("/api/incidents").json["incidents"]] == [found["id"]]
    assert other.get(f"/api/incidents/{found['id']}").status_code == 403
    take(other, found, "take_up", 403, person_in_charge="乙")
    assert take(unit, found, "take_up", 422)["field"] == "person_in_charge"
    found = take(unit, found, "take_up", person_in_charge="甲")
    found = take(unit, found, "complete", result="已停工整改")
    assert found["due_at"] is None
    found = take(west, found, "feed_back")
    found = take(west, found, "rate", rating=5)
    found = take(west, found, "score", scores={"acceptance": 90, "handling": 90, "result": 90})
    found = take(west, found, "archive")
    assert (found["state"], found["next_steps"]) == ("archived", [])

    opened = operator.get(f"/api/incidents/{found['id']}").json
    assert [row["step"] for row in opened["history"]] == [
        "discover", "record", "report", "escalate", "accept", "dispatch",
        "take_up", "complete", "feed_back", "rate", "score", "archive",
    ]  # fmt: skip
    assert opened["history"][0]["place"] == pytest.approx({k: opened[k] for k in ("lon", "lat")})
    assert [row["level"] for row in opened["history"]][3:6] == ["community", "township", "township"]
    rate = opened["history"][9]
    assert (rate["entered_for"], rate["filled"]) == ("incident_party", {"rating": 5})
    assert opened["history"][7]["trace"]["ended"]["standing"] == "in_time"
    figures = operator.get("/api/wall/city").json["figures"]
    assert (figures["open"], figures["done_today"]) == (0, 1)


def test_a_step_is_told_to_the_walls_without_text_or_person(operator: Client, city_ctx: Context) -> None:
    found = operator.post("/api/incidents", a_report()).json
    take(operator, found, "resolve_on_site", result="当场劝停，联系人张三")
    with city_ctx.engine.connect() as conn:
        told = (
            conn.execute(text("SELECT payload FROM event WHERE kind = 'incident' ORDER BY id"))
            .scalars()
            .all()
        )
    assert [payload["state"] for payload in told] == ["recorded", "resolved_on_site"]
    assert "张三" not in str(told)


def test_of_two_at_once_one_wins_and_the_other_hears_the_new_state(
    app: Flask, operator: Client, city_ctx: Context
) -> None:
    found = take(operator, operator.post("/api/incidents", a_report()).json, "report")
    clients = [token_client(app, city_ctx, "operator") for _ in range(6)]
    answers: list[Any] = []
    barrier = threading.Barrier(len(clients))

    def send(client: Client) -> None:
        barrier.wait()
        body = {"step": "escalate", "expected_state": "reported", "expected_level": "community"}
        answers.append(client.post(f"/api/incidents/{found['id']}/steps", body))

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 5]
    for answer in answers:
        if answer.status_code == 409:
            assert answer.mimetype == "application/problem+json"
            assert answer.json["state"] == "reported"
            assert answer.json["detail"]
    opened = operator.get(f"/api/incidents/{found['id']}").json
    assert opened["current_level"] == "township"
    assert [row["step"] for row in opened["history"]].count("escalate") == 1


def test_an_old_state_is_answered_with_the_present_one_and_nothing_is_written(operator: Client) -> None:
    found = operator.post("/api/incidents", a_report()).json
    take(operator, found, "report")
    late = take(operator, found, "resolve_on_site", 409, result="已处理")
    assert late["state"] == "reported"
    assert len(operator.get(f"/api/incidents/{found['id']}").json["history"]) == 3


def test_each_moves_in_its_own_territory_and_a_department_never_dispatches(
    app: Flask, operator: Client, city_ctx: Context
) -> None:
    found = operator.post("/api/incidents", a_report()).json
    take(token_client(app, city_ctx, "east"), found, "report", 403)
    for login in ("analyst", "display"):
        take(token_client(app, city_ctx, login), found, "report", 403)
    found = take(operator, found, "report")
    found = take(operator, found, "escalate")
    found = take(operator, found, "accept")
    found = take(operator, found, "dispatch", lead_unit="市住建局")
    unit = client_of(app, city_ctx, "市住建局", Role.HANDLING_UNIT, TOWNS[0])
    assert steps(unit.get(f"/api/incidents/{found['id']}").json) == ["take_up", "return"]
    take(unit, found, "tell_progress", 403, note="在办")
    with city_ctx.engine.connect() as conn:
        denied = conn.execute(text("SELECT actor FROM audit WHERE outcome = 'denied'")).scalars().all()
    assert sorted(denied) == ["analyst", "display", "east", "市住建局"]
    assert unit.post("/api/incidents", a_report()).status_code == 403
    # what was dispatched to it whole, of everything else no more than the hall
    assert unit.get(f"/api/incidents/{found['id']}").json["description"] == "工地夜间施工"
    assert "夜间施工" not in unit.get("/api/layers/incident/features").get_data(as_text=True)


BAD: list[tuple[object, str | None]] = [
    ([], None),
    ({}, "step"),
    ({"step": "report"}, "expected_state"),
    ({"step": "fly", "expected_state": "recorded"}, "step"),
    ({"step": "report", "expected_state": "lost"}, "expected_state"),
    ({"step": "report", "expected_state": "recorded", "expected_level": "moon"}, "expected_level"),
    ({"step": "report", "expected_state": "recorded", "when": "now"}, "when"),
    ({"step": "report", "expected_state": "recorded", "note": "长" * 4001}, "note"),
    ({"step": "report", "expected_state": "recorded", "note": 5}, "note"),
    ({"step": "report", "expected_state": "recorded", "place": [47.0, 127.0, 1]}, "place"),
    ({"step": "report", "expected_state": "recorded", "place": [47.0, 127.0]}, "lon"),
    ({"step": "report", "expected_state": "recorded", "rating": 5}, "rating"),
    ({"step": "resolve_on_site", "expected_state": "recorded"}, "result"),
    ({"step": "resolve_on_site", "expected_state": "recorded", "result": "  "}, "result"),
]  # fmt: skip


def test_a_bad_request_names_the_field(operator: Client, subtests: pytest.Subtests) -> None:
    found = operator.post("/api/incidents", a_report()).json
    for body, field in BAD:
        with subtests.test(body=str(body)[:80]):
            answer = operator.post(f"/api/incidents/{found['id']}/steps", body)
            assert (answer.status_code, answer.json.get("field")) == (422, field)
    assert len(operator.get(f"/api/incidents/{found['id']}").json["history"]) == 2
    assert operator.post("/api/incidents/999999/steps", BAD[-2][0]).status_code == 404


def test_zhenjiang_has_its_clock_from_the_report_on_and_overdue_follows(city_ctx: Context) -> None:
    ctx = replace(city_ctx, settings=replace(city_ctx.settings, profile="zhenjiang"))
    app = create_app(ctx.settings, ctx)
    operator = token_client(app, ctx, "operator")
    now = datetime.now(UTC)
    for hours in (1, 30):
        when = (now - timedelta(hours=hours)).isoformat()
        body = operator.post("/api/incidents", a_report(discovered_at=when)).json
        assert datetime.fromisoformat(body["due_at"]) == datetime.fromisoformat(when) + timedelta(hours=24)
        assert body["is_overdue"] is (hours == 30)
    urgent = operator.post("/api/incidents", a_report(urgent=True)).json
    assert urgent["due_at"] is None
    assert operator.get(f"/api/incidents/{urgent['id']}").json["clock"]["at_once"] is True
    late = operator.get("/api/incidents", overdue="yes").json["incidents"]
    assert [incident["id"] for incident in late] == [body["id"]]
    assert operator.get("/api/incidents", overdue="maybe").json["field"] == "overdue"
    assert operator.get("/api/wall/city").json["figures"]["overdue"] == 1
    opened = take(operator, body, "report")
    assert opened["history"][-1]["trace"]["ended"]["standing"] == "late"
    assert (opened["current_level"], opened["is_overdue"]) == ("township", False)
    assert operator.get("/api/wall/city").json["figures"]["overdue"] == 0
    app.extensions["gis_server"].broadcaster.stop()


def test_an_imported_incident_under_way_can_be_finished(operator: Client, city_ctx: Context) -> None:
    found = operator.post("/api/incidents", a_report()).json
    with city_ctx.engine.begin() as conn:  # as an import leaves it: a state, and no course
        conn.execute(
            text("UPDATE incident SET state = 'accepted', clock_starts_at = NULL WHERE id = :id"), found
        )
    opened = operator.get(f"/api/incidents/{found['id']}").json
    assert opened["clock"] is None
    assert "dispatch" in steps(opened)
    assert take(operator, opened, "dispatch", lead_unit="市住建局")["current_level"] == "county"


def test_the_text_of_a_protected_item_is_for_the_protected_tier_and_reading_it_is_noted(
    city_ctx: Context,
) -> None:
    ctx = replace(city_ctx, settings=replace(city_ctx.settings, profile="taizhou"))
    app = create_app(ctx.settings, ctx)
    operator, admin = token_client(app, ctx, "operator"), token_client(app, ctx, "admin")
    found = operator.post("/api/incidents", a_report(item="重点人员", description="某人近况")).json
    found = take(operator, found, "resolve_on_site", result="已走访某人")
    listed = operator.get("/api/incidents").json["incidents"]
    assert [incident["description"] for incident in (found, *listed)] == [None, None]
    assert found["history"][-1]["note"] is None
    assert found["state"] == "resolved_on_site"
    with ctx.engine.connect() as conn:
        query = text("SELECT actor, detail FROM audit WHERE act = 'protected_read'")
        assert conn.execute(query).all() == []
    opened = admin.get(f"/api/incidents/{found['id']}").json
    assert (opened["description"], opened["history"][-1]["note"]) == ("某人近况", "已走访某人")
    with ctx.engine.connect() as conn:
        assert conn.execute(query).all() == [("admin", {"numbers": [found["number"]]})]
    app.extensions["gis_server"].broadcaster.stop()
