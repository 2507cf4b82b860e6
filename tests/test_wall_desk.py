"""The walls as the desk steers them: which there are, what stands on one, who calls, and a grid that a wall is sent to."""

from datetime import UTC, datetime

from city import COMMUNITIES, COUNTY, SECRET, TOWNS, inside
from client import Client, token_client
from flask import Flask
from sqlalchemy import select, text

from gis_server.core.access import CONSOLE
from gis_server.core.stream import SCENE
from gis_server.journeys import walls
from gis_server.journeys.context import Context
from gis_server.store import events
from gis_server.store.schema import event

GRID = f"{COMMUNITIES[2]}001"
URGENT = {"description": SECRET, "source": "public", "urgent": True, "item": "建筑施工噪声"}


def calling(client: Client) -> list[str]:
    answer = client.get("/api/alarms")
    assert answer.status_code == 200, answer.json
    return [one["number"] for one in answer.json["alarms"]]


def test_an_operator_steers_the_walls_of_his_territory(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    assert [one["id"] for one in operator.get("/api/walls").json["walls"]] == ["city", *TOWNS]
    walls.make_link(city_ctx, CONSOLE, COMMUNITIES[0], label="社区屏", now=datetime.now(UTC))
    listed = {one["id"]: one["has_screen"] for one in operator.get("/api/walls").json["walls"]}
    assert listed == {"city": False, TOWNS[0]: False, TOWNS[1]: False, COMMUNITIES[0]: True}
    west = token_client(app, city_ctx, "west")
    assert [one["id"] for one in west.get("/api/walls").json["walls"]] == [TOWNS[0], COMMUNITIES[0]]
    assert west.get("/api/wall/city/desk").status_code == 403
    assert west.get(f"/api/wall/{TOWNS[1]}/desk").status_code == 403
    for login in ("analyst", "display", "worker"):
        other = token_client(app, city_ctx, login)
        for path in ("/api/walls", "/api/alarms", "/api/wall/city/desk"):
            assert other.get(path).status_code == 403, (login, path)
    assert Client(app).get("/api/alarms").status_code == 401


def test_what_stands_on_a_wall_is_told_without_its_map(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    operator.post("/api/incidents", {**URGENT, **inside(0)})
    answer = operator.get("/api/wall/city/desk")
    told = answer.json
    assert told["tour"]["scenes"][0]["key"] == "overview"
    started, asked = (datetime.fromisoformat(t) for t in (told["tour"]["start"], told["generated_at"]))
    assert started <= asked
    assert [town["code"] for town in told["towns"]] == list(TOWNS)
    assert [alarm["grid_name"] for alarm in told["alarms"]] == ["1号网格"]
    assert told["sent_scene"] is None
    # what the hall may not know has no place here either
    assert SECRET not in answer.text
    assert "建筑施工噪声" not in answer.text
    town = operator.get(f"/api/wall/{TOWNS[1]}/desk").json
    assert (town["alarms"], [one["code"] for one in town["towns"]]) == ([], [TOWNS[1]])


def test_those_who_call_are_listed_until_somebody_answers(app: Flask, city_ctx: Context) -> None:
    operator, west, east = (token_client(app, city_ctx, name) for name in ("operator", "west", "east"))
    first = operator.post("/api/incidents", {**URGENT, **inside(0)}).json
    second = operator.post("/api/incidents", {**URGENT, **inside(7)}).json
    operator.post("/api/incidents", {**URGENT, "urgent": False, **inside(0)})
    assert calling(operator) == [second["number"], first["number"]]
    assert calling(west) == [first["number"]]
    assert calling(east) == [second["number"]]
    (alarm,) = west.get("/api/alarms").json["alarms"]
    assert (alarm["id"], alarm["item"], alarm["grid_name"]) == (first["id"], "建筑施工噪声", "1号网格")
    assert east.post(f"/api/incidents/{first['id']}/acknowledgement").status_code == 403
    assert operator.post(f"/api/incidents/{first['id']}/acknowledgement").status_code == 204
    assert calling(operator) == [second["number"]]
    step = {"step": "resolve_on_site", "expected_state": "recorded", "result": "已劝停"}
    assert operator.post(f"/api/incidents/{second['id']}/steps", step).status_code == 200
    assert calling(operator) == []


def test_a_scene_is_sent_with_the_grid_that_its_map_goes_to(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    path = "/api/wall/city/scene"
    assert operator.post(path, {"scene": "now", "seconds": 60, "grid": GRID}).status_code == 204
    with city_ctx.engine.begin() as conn:
        events.sequence(conn)
    sent = operator.get("/api/wall/city").json["sent_scene"]
    assert sent["scene"] == "now"
    west, south, east, north = sent["focus"].pop("bounds")
    assert west < east
    assert south < north
    # code and name: nothing but what stands on the public notice
    assert sent["focus"] == {"grid_code": GRID, "grid_name": "5号网格"}
    with city_ctx.engine.connect() as conn:
        payload = conn.scalar(select(event.c.payload).where(event.c.kind == SCENE))
    assert set(payload) == {"wall_id", "scene", "seconds", "town", "focus"}
    assert operator.get(f"/api/wall/{TOWNS[0]}").json["sent_scene"] is None


def test_a_scene_that_was_sent_stands_through_a_storm_of_events(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    assert operator.post("/api/wall/city/scene", {"scene": "now", "seconds": 600}).status_code == 204
    storm = "INSERT INTO event (kind, tier, area_path, payload) SELECT 'x', 'hall', '{}', '{}' FROM generate_series(1, 6000)"
    with city_ctx.engine.begin() as conn:
        conn.execute(text(storm))
    with city_ctx.engine.begin() as conn:
        events.sequence(conn)
    assert operator.get("/api/wall/city").json["sent_scene"]["scene"] == "now"


def test_a_town_that_the_wall_does_not_show_is_refused(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    for town in ("<b>x</b>", COUNTY, COMMUNITIES[0], TOWNS[1]):
        refused = operator.post(f"/api/wall/{TOWNS[0]}/scene", {"scene": "towns", "town": town})
        assert (refused.status_code, refused.json["field"]) == (422, "town")
    sent = operator.post(f"/api/wall/{TOWNS[0]}/scene", {"scene": "towns", "town": TOWNS[0]})
    assert sent.status_code == 204
    with city_ctx.engine.begin() as conn:
        events.sequence(conn)
    assert operator.get(f"/api/wall/{TOWNS[0]}").json["sent_scene"]["town"] == TOWNS[0]


def test_a_grid_that_the_wall_does_not_show_is_refused(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    for wall, grid in ((TOWNS[0], GRID), ("city", "1"), ("city", ""), ("city", 7)):
        refused = operator.post(f"/api/wall/{wall}/scene", {"scene": "now", "seconds": 60, "grid": grid})
        assert (refused.status_code, refused.json["field"]) == (422, "grid")
    assert operator.post(f"/api/wall/{TOWNS[1]}/scene", {"scene": "now", "grid": GRID}).status_code == 204
    west = token_client(app, city_ctx, "west")
    assert west.post(f"/api/wall/{TOWNS[1]}/scene", {"scene": "now", "grid": GRID}).status_code == 403
