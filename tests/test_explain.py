"""Why an incident went where it went: S17 and S19 through the database, replays, names by tier."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from city import COMMUNITIES, LAYERS, feature, inside
from client import Client, token_client
from flask import Flask
from made import geojson
from rosters import put_roster
from shapely import box
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gis_server.core.access import CONSOLE, Actor, Role, Tier
from gis_server.core.incident import parse_report
from gis_server.core.roster import Post, WorkerKind
from gis_server.journeys import explain, incidents, layers
from gis_server.journeys.context import Context

NOW = datetime.now(UTC)
G1 = f"{COMMUNITIES[0]}001"
FULL_TIME = {"post": Post.GRID_WORKER, "worker_kind": WorkerKind.FULL_TIME}
TEAM = [
    FULL_TIME | {"name": "韩霁川", "phone": "10400000001", "code": G1},
    {"post": Post.GRID_LEADER, "name": "沐长", "phone": "10400000002", "code": G1},
]


def given(**changes: object) -> dict[str, object]:
    return {**inside(0), "description": "井盖缺失", "source": "patrol"} | changes


def a_report(ctx: Context, actor: Actor = CONSOLE, now: datetime | None = None, **changes: object) -> int:
    moment = now or datetime.now(UTC)
    return incidents.report(ctx, actor, parse_report(given(**changes), moment), moment).incident.id


def record_of(ctx: Context, incident_id: int) -> str:
    with ctx.engine.connect() as conn:
        return str(conn.scalar(text("SELECT decision FROM incident WHERE id = :id"), {"id": incident_id}))


def replayed(ctx: Context, incident_id: int) -> str:
    return explain.replay(ctx, incidents.one(ctx, CONSOLE, incident_id).incident)


@pytest.fixture
def operator(app: Flask, city_ctx: Context) -> Client:
    return token_client(app, city_ctx, "operator")


def test_a_report_names_who_answers(operator: Client, city_ctx: Context) -> None:
    put_roster(city_ctx, TEAM, NOW - timedelta(days=5))
    body = operator.post("/api/incidents", given()).json
    (answering,) = body["responsible"]["people"]
    assert (answering["name"], answering["phone"]) == ("韩霁川", "10400000001")
    assert (answering["as"], answering["rung"]) == ("answers", "full_time_worker")
    assert answering["title"] == {"zh": "专职网格员", "en": "full-time grid worker"}
    (unit,) = body["responsible"]["units"]
    assert (unit["code"], unit["name"], unit["reason"]) == (COMMUNITIES[0], "第1社区", "its_grid")
    assert "person_id" not in answering
    kept = operator.get(f"/api/incidents/{body['id']}").json
    assert kept["responsible"] == body["responsible"]
    routed = operator.get("/api/route", **inside(0)).json
    assert routed["responsible"] == body["responsible"]


def test_an_explanation_for_the_desk(operator: Client, city_ctx: Context) -> None:
    put_roster(city_ctx, TEAM[1:], NOW - timedelta(days=5))
    incident_id = operator.post("/api/incidents", given(accuracy_m=8)).json["id"]
    answer = operator.get(f"/api/incidents/{incident_id}/explanation", replay="yes")
    assert answer.status_code == 200
    told = answer.json
    assert told["replayed"] is True
    assert told["is_same_grid_now"] is True
    assert told["now"] == {"grid_code": G1, "grid_name": "1号网格"}
    assert told["decision"]["staff"]["vacant"] == ["full_time_worker", "part_time_worker"]
    said = "".join(told["sentences"])
    assert "空缺的岗位：专职网格员、兼职网格员。" in said
    assert "由网格长沐长负责。" in said
    assert "网格“1号网格”" in said
    english = operator.raw(
        "GET", f"/api/incidents/{incident_id}/explanation", headers={"Accept-Language": "en"}
    ).json
    assert english["replayed"] is None
    bad = operator.get(f"/api/incidents/{incident_id}/explanation", replay="1")
    assert (bad.status_code, bad.json["field"]) == (422, "replay")
    assert operator.get("/api/incidents/999999/explanation").status_code == 404


def test_another_town_is_told_nothing(app: Flask, operator: Client, city_ctx: Context) -> None:
    incident_id = operator.post("/api/incidents", given()).json["id"]
    east = token_client(app, city_ctx, "east")
    assert east.get(f"/api/incidents/{incident_id}/explanation").status_code == 403


def test_names_stay_inside(app: Flask, operator: Client, city_ctx: Context) -> None:
    """No name or phone reaches the hall's stream, a wall, the audit trail or the record itself."""
    put_roster(city_ctx, TEAM, NOW - timedelta(days=5))
    incident_id = operator.post("/api/incidents", given()).json["id"]
    unit = Actor(None, "市住建局", Role.HANDLING_UNIT, tier=Tier.HALL)
    with city_ctx.engine.begin() as conn:
        conn.execute(
            text("UPDATE incident SET lead_unit = :unit WHERE id = :id"),
            {"unit": unit.name, "id": incident_id},
        )
    seen = incidents.one(city_ctx, unit, incident_id).incident.responsible
    told = explain.explain(city_ctx, unit, incident_id, datetime.now(UTC))
    with city_ctx.engine.connect() as conn:
        kept = [
            conn.execute(text(query)).scalar_one()
            for query in (
                "SELECT string_agg(payload::text, '') FROM event",
                "SELECT coalesce(string_agg(detail::text, ''), '-') FROM audit",
                "SELECT string_agg(decision || responsible::text, '') FROM incident",
            )
        ]
    display = token_client(app, city_ctx, "display")
    answers = [display.get(path) for path in ("/api/wall/city", "/api/layers/incident/features")]
    assert [answer.status_code for answer in answers] == [200, 200]
    for text_seen in (str(seen), str(told), *kept, *(answer.data.decode() for answer in answers)):
        assert "韩霁川" not in text_seen
        assert "1040000" not in text_seen


def test_a_replay_is_the_same_to_the_byte_after_boundaries_and_roster_have_changed(
    city_ctx: Context, tmp_path: Path
) -> None:
    put_roster(city_ctx, TEAM, NOW - timedelta(days=5))
    places = [
        given(),
        given(**inside(3), accuracy_m=300),
        given(lon=127.005, accuracy_m=12.5),
        given(lon=126.9997),
        given(lon=126.99),
        given(datum="gcj02", **inside(2)),
    ]
    made = [a_report(city_ctx, **place) for place in places]
    before = {incident_id: record_of(city_ctx, incident_id) for incident_id in made}
    put_roster(city_ctx, [*TEAM[1:], FULL_TIME | {"name": "新人", "code": G1}], datetime.now(UTC))
    moved = [
        feature(one["properties"] | {"grid_name": f"改{n}"}, n, n + 1, 0, 2)  # type: ignore[operator]
        for n, one in enumerate(LAYERS["grid"]())
    ]
    # the first two grids change places
    codes = [one["properties"]["grid_code"] for one in moved]  # type: ignore[index]
    moved[0]["properties"]["grid_code"], moved[1]["properties"]["grid_code"] = codes[1], codes[0]  # type: ignore[index]
    path = tmp_path / "moved.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": moved}))
    result = layers.import_layer(
        city_ctx,
        CONSOLE,
        "grid",
        path,
        publish=True,
        accept_warnings="试验换号",
        now=datetime.now(UTC),
    )
    assert result.held_back is None, (result.held_back, result.report)
    fresh = a_report(city_ctx)
    assert json.loads(record_of(city_ctx, fresh))["route"]["grid_code"] == codes[1]
    for incident_id, record in before.items():
        assert replayed(city_ctx, incident_id) == record
    told = explain.explain(city_ctx, CONSOLE, made[0], datetime.now(UTC), again=True)
    assert told.replayed is True
    assert told.now_grid_code == codes[1]


def test_zhenjiang_names_both_managers_of_an_exclusive_grid(city_ctx: Context, tmp_path: Path) -> None:
    """Dual management (zhenjiang 9(2)): the functional department and the territory, each with its person."""
    there = replace(city_ctx, settings=replace(city_ctx.settings, profile="zhenjiang"))
    grids = list(LAYERS["grid"]())
    grids[0]["properties"] |= {  # type: ignore[operator]
        "grid_kind": "exclusive_grid",
        "host_units": "第一医院",
        "managing_department": "市卫生健康局",
    }
    path = tmp_path / "exclusive.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": grids}))
    layers.import_layer(
        there, CONSOLE, "grid", path, publish=True, accept_warnings="试验数据", now=datetime.now(UTC)
    )
    exclusive = {"post": Post.GRID_WORKER, "worker_kind": WorkerKind.EXCLUSIVE}
    sent = {"post": Post.GRID_INSTRUCTOR, "unit": "市卫生健康局"}
    team = [
        exclusive | {"name": "院内人", "code": G1},
        sent | {"name": "局里人", "code": G1},
        TEAM[1],
    ]
    put_roster(there, team, datetime.now(UTC))
    incident_id = a_report(there)
    told = incidents.one(there, CONSOLE, incident_id).incident.responsible
    people, units = told["people"], told["units"]
    assert isinstance(people, list)
    assert isinstance(units, list)
    assert [(one["as"], one["name"]) for one in people] == [
        ("answers", "院内人"),
        ("department", "局里人"),
        ("territory", "沐长"),
    ]
    assert [(one["as"], one["name"]) for one in units] == [
        ("answers", "西镇"),
        ("department", "市卫生健康局"),
        ("territory", "西镇"),
    ]
    said = "".join(map(str, explain.explain(there, CONSOLE, incident_id, datetime.now(UTC)).sentences))
    assert "双重管理的职能部门：市卫生健康局。市卫生健康局由网格指导员局里人管理。" in said
    assert "双重管理的属地：西镇。西镇由网格长沐长管理。" in said
    assert "依据：zhenjiang 9(2)（推断）" in said
    assert replayed(city_ctx, incident_id) == record_of(
        city_ctx, incident_id
    )  # whatever profile is in use now


def test_the_record_is_append_only(city_ctx: Context) -> None:
    incident_id = a_report(city_ctx)
    with pytest.raises(IntegrityError, match="append-only"), city_ctx.engine.begin() as conn:
        conn.execute(text("UPDATE incident SET decision = '{}' WHERE id = :id"), {"id": incident_id})


K1 = "230881001001"
DAY = timedelta(days=1)


def in_k1(ctx: Context, folder: Path, name: str, strips: list[tuple[int, int, str]], now: datetime) -> None:
    """Grids of K1 as strips of a fifth of its width: west, east, the last three digits."""
    shapes = [box(132.5 + w * 0.002, 47.64, 132.5 + e * 0.002, 47.65) for w, e, _ in strips]
    rows = [
        {
            "grid_code": K1 + code,
            "grid_name": f"{code}号",
            "community_code": K1,
            "grid_kind": "exclusive_grid" if east == 5 else "resident_grid",
            "host_units": "第一医院" if east == 5 else None,
            "resident_households": 200,
        }
        for _, east, code in strips
    ]
    path = geojson(folder / f"{name}.geojson", shapes, rows)
    result = layers.import_layer(
        ctx, CONSOLE, "grid", path, publish=True, accept_warnings="试验数据", now=now
    )
    assert result.held_back is None, (result.held_back, result.report)


def test_s19_routing_follows_the_date(ctx: Context, tmp_path: Path) -> None:
    """An incident of 2024-02-20 in old grid 004 keeps it; opened after 2024-03-01 the display adds "now …003"."""
    january, march = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
    codes = [K1[:6], K1[:9], K1]
    levels = ["county", "township", "community"]
    whole = box(132.5, 47.64, 132.51, 47.65)
    rows = [
        {
            "area_code": code,
            "area_name": f"区划{code}",
            "admin_level": level,
            "parent_code": codes[n - 1] if n else None,
        }
        for n, (code, level) in enumerate(zip(codes, levels, strict=True))
    ]
    path = geojson(tmp_path / "area.geojson", [whole] * 3, rows)
    assert layers.import_layer(ctx, CONSOLE, "area", path, publish=True, now=january).held_back is None
    in_k1(ctx, tmp_path, "old", [(n, n + 1, f"00{n + 1}") for n in range(5)], january)
    in_k1(ctx, tmp_path, "new", [(0, 1, "001"), (1, 3, "002"), (3, 4, "003"), (4, 5, "004")], march)

    place = {"lon": 132.507, "lat": 47.645}
    old = a_report(ctx, now=march + 3 * DAY, discovered_at="2024-02-20T09:00:00+08:00", **place)
    told = explain.explain(ctx, CONSOLE, old, march + 4 * DAY)
    assert incidents.one(ctx, CONSOLE, old).incident.grid_code == f"{K1}004"
    assert told.now_grid_code == f"{K1}003"
    assert str(told.sentences[-1]) == f"该点现在属于网格 {K1}003。"
    new = a_report(ctx, now=march + 3 * DAY, **place)
    assert incidents.one(ctx, CONSOLE, new).incident.grid_code == f"{K1}003"
    assert "现在" not in "".join(map(str, explain.explain(ctx, CONSOLE, new, march + 4 * DAY).sentences))
