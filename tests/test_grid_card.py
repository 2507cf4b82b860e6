"""The card of a grid: its facts, people, cameras and last 30 days, each by tier and territory."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import city
import pytest
import shapely
from city import COMMUNITIES, COUNTY, PUBLISHED, SECRET, SOUTH, STEP, TOWNS, WEST, inside, point
from client import Client, signed_in, token_client
from flask import Flask
from rosters import put_roster
from sqlalchemy import text

from gis_server.core.access import CONSOLE, Role
from gis_server.core.datum import Datum
from gis_server.core.roster import Post, WorkerKind
from gis_server.journeys import layers, places
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.context import Context
from gis_server.store import audit

G1, G2 = f"{COMMUNITIES[0]}001", f"{COMMUNITIES[0]}002"
EAST = f"{COMMUNITIES[3]}002"
REPORT = {"description": "井盖缺失", "source": "public", "item": "建筑施工噪声"}
PEOPLE = [
    {"name": "甲", "phone": "13800000001", "post": Post.GRID_WORKER, "code": G1}
    | {"worker_kind": WorkerKind.FULL_TIME},
    {"name": "乙", "phone": "13800000002", "post": Post.GRID_LEADER, "code": G1},
    {"name": "丙", "phone": "13800000003", "post": Post.GRID_WORKER, "code": G1}
    | {"worker_kind": WorkerKind.PART_TIME, "unit": "物业公司"},
]


def publish(ctx: Context, folder: Path, layer: str, rows: list[dict[str, object]]) -> None:
    path = folder / f"{layer}.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": rows}))
    done = layers.import_layer(
        ctx, CONSOLE, layer, path, datum=Datum.CGCS2000, publish=True, now=PUBLISHED + timedelta(hours=1)
    )
    assert done.held_back is None, (done.held_back, done.problems)


@pytest.fixture
def staffed(city_ctx: Context) -> Context:
    put_roster(city_ctx, PEOPLE, PUBLISHED + timedelta(days=1))
    return city_ctx


def card(client: Client, code: str = G1) -> Any:
    answer = client.get(f"/api/grids/{code}/card")
    assert answer.status_code == 200, answer.json
    return answer.json


def test_the_operator_sees_the_grid_and_who_works_in_it(staffed: Context, app: Flask) -> None:
    told = card(token_client(app, staffed, "operator"))
    assert told["grid"]["grid_name"] == "1号网格"
    assert told["grid"]["grid_kind"] == "resident_grid"
    assert told["grid"]["resident_households"] == 200
    assert [area["code"] for area in told["areas"]] == [COUNTY, TOWNS[0], COMMUNITIES[0]]
    assert [area["level"] for area in told["areas"]] == ["county", "township", "community"]
    west, south, east, north = told["bounds"]
    assert west < told["lon"] < east
    assert south < told["lat"] < north
    people = {one["name"]: one for one in told["roster"]["people"]}
    assert set(people) == {"甲", "乙", "丙"}
    assert told["answers"]["person"]["name"] == "甲"
    # the phone of duty is a service contact; those of the others stay in the personnel file (requirements 8.2)
    assert {name: one["phone"] for name, one in people.items()} == {
        "甲": "13800000001",
        "乙": None,
        "丙": None,
    }


def test_a_vacancy_is_told_with_who_answers_instead(staffed: Context, app: Flask) -> None:
    told = card(token_client(app, staffed, "operator"), G2)
    assert told["roster"]["people"] == []
    assert told["answers"]["person"] is None
    assert told["answers"]["unit"]["code"] == COMMUNITIES[0]
    assert "专职网格员" in told["answers"]["vacant"]
    assert told["roster"]["findings"][0]["clause"]


def test_the_protected_tier_sees_every_phone_and_leaves_an_audit_row(staffed: Context, app: Flask) -> None:
    admin = token_client(app, staffed, "admin")
    told = card(admin)
    assert all(one["phone"] for one in told["roster"]["people"])
    card(admin, f"{COMMUNITIES[1]}001")
    with staffed.engine.connect() as conn:
        rows = [row for row in audit.latest(conn) if row.act == "protected_read"]
    assert [row.subject for row in rows] == [f"grid:{COMMUNITIES[1]}001", f"grid:{G1}"]
    assert rows[1].detail == {"people": 3, "cameras": []}
    # the second camera of the made city stands at a sensitive site
    assert rows[0].detail["cameras"] == ["23088100001310000002"]


def test_cameras_of_sensitive_sites_are_for_the_protected_tier(staffed: Context, app: Flask) -> None:
    code = f"{COMMUNITIES[1]}001"
    assert card(token_client(app, staffed, "operator"), code)["cameras"] == []
    (seen,) = card(token_client(app, staffed, "admin"), code)["cameras"]
    assert (seen["camera_site_class"], seen["camera_name"]) == ("sensitive_site", SECRET)
    (own,) = card(token_client(app, staffed, "operator"))["cameras"]
    assert own["camera_code"] == "23088100001310000001"
    assert own["retention"] is None  # heilongjiang asks for no months (C20)


def test_a_camera_on_a_common_border_is_in_exactly_one_grid(
    city_ctx: Context, app: Flask, tmp_path: Path
) -> None:
    camera = {"camera_code": "C1", "camera_name": "界上", "camera_site_class": "ordinary_site"}
    publish(city_ctx, tmp_path, "camera", [point(camera, WEST + STEP, SOUTH + 0.002)])
    operator = token_client(app, city_ctx, "operator")
    holders = [code for code in (G1, G2) if card(operator, code)["cameras"]]
    assert holders == [G1]


def test_territory_role_and_tier_are_asked(staffed: Context, app: Flask) -> None:
    west = token_client(app, staffed, "west")
    assert card(west)["grid"]["grid_code"] == G1
    assert west.get(f"/api/grids/{EAST}/card").status_code == 403
    assert token_client(app, staffed, "display").get(f"/api/grids/{G1}/card").status_code == 403
    assert Client(app).get(f"/api/grids/{G1}/card").status_code == 401
    assert west.get("/api/grids/1/card").status_code == 404
    assert west.get("/api/grids/1/card", x=1).status_code == 422
    # an analyst may not read the roster, and is told who answers, as everywhere
    told = card(token_client(app, staffed, "analyst"))
    assert told["roster"] is None
    assert told["answers"]["person"]["name"] == "甲"


def test_a_department_sees_the_grid_as_the_hall_does(staffed: Context, app: Flask) -> None:
    add_account(
        staffed,
        CONSOLE,
        NewAccount("unit", "市住建局", Role.HANDLING_UNIT),
        "correct horse battery",
        PUBLISHED,
    )
    operator = token_client(app, staffed, "operator")
    assert operator.post("/api/incidents", {**REPORT, **inside(0)}).status_code == 201
    unit = signed_in(app, "unit").get(f"/api/grids/{G1}/card")
    told = unit.json
    assert told["roster"] is None
    assert told["answers"] is None
    assert "resident_households" not in told["grid"]
    assert told["month"]["opened"] == 0  # of another's work it is told nothing here
    (camera,) = told["cameras"]
    assert set(camera) == {"lon", "lat", "camera_site_class", "status", "retention"}
    for name in ("甲", "乙", "13800000001", "井盖"):
        assert name not in unit.text


def test_a_worker_sees_his_own_grids(staffed: Context, app: Flask) -> None:
    add_account(
        staffed, CONSOLE, NewAccount("jia", "甲", Role.GRID_WORKER), "correct horse battery", PUBLISHED
    )
    worker = signed_in(app, "jia")
    assert card(worker)["answers"]["person"]["name"] == "甲"
    assert worker.get(f"/api/grids/{G2}/card").status_code == 403
    assert [one["grid_code"] for one in worker.get("/api/grids", q="网格").json["grids"]] == [G1]


def step(client: Client, incident: Any, name: str, **fields: object) -> Any:
    answer = client.post(
        f"/api/incidents/{incident['id']}/steps",
        {"step": name, "expected_state": incident["state"], **fields},
    )
    assert answer.status_code == 200, answer.json
    return answer.json


def test_the_month_counts_what_came_what_was_settled_and_what_was_late(city_ctx: Context, app: Flask) -> None:
    operator = token_client(app, city_ctx, "operator")
    made = [operator.post("/api/incidents", {**REPORT, **inside(0)}).json for _ in range(4)]
    operator.post("/api/incidents", {**REPORT, **inside(1)})
    for incident in made[:2]:
        step(operator, incident, "resolve_on_site", result="已劝停")
    with city_ctx.engine.begin() as conn:
        conn.execute(
            text(
                "INSERT INTO incident_alert (incident_id, kind, clock_starts_at, due_at) "
                "VALUES (:id, 'overdue', now() - interval '2 hours', now() - interval '1 hour')"
            ),
            {"id": made[0]["id"]},
        )
        conn.execute(
            text("UPDATE incident SET due_at = now() - interval '1 hour' WHERE id = :id"),
            {"id": made[2]["id"]},
        )
        conn.execute(
            text("UPDATE incident SET item = NULL, discovered_at = :then WHERE id = :id"),
            {"id": made[3]["id"], "then": datetime.now(UTC) - timedelta(days=3)},
        )
    month = card(operator)["month"]
    assert (month["opened"], month["closed"], month["on_time_pct"]) == (4, 2, 50.0)
    assert month["overdue_now"] == 1
    assert len(month["days"]) == month["length"] == 30
    assert [day["opened"] for day in month["days"]][-4:] == [1, 0, 0, 3]
    assert month["items"] == [{"item": "建筑施工噪声", "count": 3}, {"item": None, "count": 1}]
    with city_ctx.engine.connect() as conn:
        counted = conn.scalar(
            text(
                "SELECT count(*) FROM incident WHERE grid_code = :c AND state NOT IN ('archived', 'refused')"
            ),
            {"c": G1},
        )
    assert month["open_now"] == counted


def test_days_are_those_of_the_deployments_zone(city_ctx: Context, app: Flask) -> None:
    operator = token_client(app, city_ctx, "operator")
    zone = city_ctx.settings.timezone
    midnight = datetime.now(UTC).astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for moment in (midnight, midnight - timedelta(seconds=1)):
        body = {**REPORT, **inside(0), "discovered_at": moment.isoformat()}
        assert operator.post("/api/incidents", body).status_code == 201
    assert [day["opened"] for day in card(operator)["month"]["days"]][-2:] == [1, 1]


def test_grids_are_found_by_name_or_code(city_ctx: Context, app: Flask) -> None:
    operator = token_client(app, city_ctx, "operator")
    (found,) = operator.get("/api/grids", q="3号").json["grids"]
    assert (found["grid_code"], found["grid_name"]) == (f"{COMMUNITIES[1]}001", "3号网格")
    assert found["areas"][-1] == "第2社区"
    by_code = operator.get("/api/grids", q=COMMUNITIES[0]).json["grids"]
    assert [one["grid_code"] for one in by_code] == [G1, G2]
    assert len(operator.get("/api/grids", q="网格").json["grids"]) == 8
    assert len(token_client(app, city_ctx, "west").get("/api/grids", q="网格").json["grids"]) == 4
    assert operator.get("/api/grids").status_code == 422


def test_a_managed_grid_names_both_managers(city_ctx: Context, tmp_path: Path) -> None:
    """zhenjiang 9(2): an exclusive grid answers to a department and to the territory."""
    rows = list(city.grids())
    rows[1]["properties"] |= {
        "grid_kind": "exclusive_grid",
        "host_units": "市医院",
        "managing_department": "市卫健委",
    }  # type: ignore[operator]
    publish(city_ctx, tmp_path, "grid", rows)
    ctx = replace(city_ctx, settings=replace(city_ctx.settings, profile="zhenjiang"))
    put_roster(
        ctx,
        [
            {"name": "丁", "phone": "1", "post": Post.GRID_WORKER, "code": G2, "unit": "市卫健委"}
            | {"worker_kind": WorkerKind.PROFESSIONAL}
        ],
        PUBLISHED + timedelta(days=2),
    )
    found = places.grid_card(ctx, CONSOLE, G2, datetime.now(UTC))
    assert found.answer is not None
    assert [manager.mode for manager in found.answer.managers] == ["department", "territory"]
    sent = found.answer.managers[0].posting
    assert sent is not None
    assert found.people[sent.person_id].name == "丁"


def test_the_point_of_a_grid_lies_in_it(city_ctx: Context, app: Flask) -> None:
    told = card(token_client(app, city_ctx, "operator"))
    assert shapely.box(*told["bounds"]).contains(shapely.Point(told["lon"], told["lat"]))
