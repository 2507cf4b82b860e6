"""Likely duplicates: named before a report is sent and at the desk; decided by people, merged by nobody."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from city import SOUTH, STEP, WEST, inside
from client import Client, token_client
from flask import Flask
from pyproj import Geod
from sqlalchemy import text

from gis_server.core.access import Tier
from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.journeys.context import Context
from gis_server.journeys.incidents import rules
from gis_server.views import create_app

EARTH = Geod(ellps="GRS80")
HERE = inside(1)


def away(metres: float, bearing: float = 77.0) -> dict[str, float]:
    lon, lat, _ = EARTH.fwd(HERE["lon"], HERE["lat"], bearing, metres)
    return {"lon": lon, "lat": lat}


def report(client: Client, **changes: object) -> dict[str, object]:
    given = {**HERE, "description": "路灯不亮", "source": "patrol", **changes}
    answer = client.post("/api/incidents", given)
    assert answer.status_code == 201, answer.text
    return dict(answer.json)


@pytest.fixture
def operator(app: Flask, city_ctx: Context) -> Client:
    return token_client(app, city_ctx, "operator")


def numbers(answer: object) -> list[str]:
    return [one["number"] for one in answer.json["incidents"]]  # type: ignore[attr-defined]


def test_what_is_near_in_place_and_time_is_named_nearest_first(operator: Client) -> None:
    far, near, beyond = (report(operator, **away(metres)) for metres in (49.5, 12.0, 50.5))
    found = operator.get("/api/incidents/nearby", **HERE)
    assert found.status_code == 200
    assert numbers(found) == [near["number"], far["number"]]
    assert beyond["number"] not in found.text
    assert [one["distance_m"] for one in found.json["incidents"]] == [12.0, 49.5]
    assert (found.json["count"], found.json["within_m"], found.json["hours"]) == (2, 50, 72)
    assert set(found.json["incidents"][0]) == {
        "number",
        "distance_m",
        "state",
        "item",
        "is_urgent",
        "discovered_at",
    }


@pytest.mark.parametrize("bearing", range(0, 360, 45))
def test_the_distance_is_the_same_in_every_direction(operator: Client, bearing: float) -> None:
    inner, outer = report(operator, **away(49.9, bearing)), report(operator, **away(50.1, bearing))
    found = numbers(operator.get("/api/incidents/nearby", **HERE))
    assert inner["number"] in found
    assert outer["number"] not in found


def test_old_closed_and_other_items_are_none(operator: Client, city_ctx: Context) -> None:
    now = datetime.now(UTC)
    old = report(operator, discovered_at=(now - timedelta(hours=73)).isoformat())
    recent = report(operator, discovered_at=(now - timedelta(hours=71)).isoformat(), item="建筑施工噪声")
    closed = report(operator)
    with city_ctx.engine.begin() as conn:
        conn.execute(text("UPDATE incident SET state = 'archived' WHERE id = :id"), {"id": closed["id"]})
    assert numbers(operator.get("/api/incidents/nearby", **HERE)) == [recent["number"]]
    assert numbers(operator.get("/api/incidents/nearby", **HERE, item="建筑施工噪声")) == [recent["number"]]
    assert numbers(operator.get("/api/incidents/nearby", **HERE, item="群租房管理")) == []
    then = (now - timedelta(hours=80)).isoformat()
    assert old["number"] in numbers(operator.get("/api/incidents/nearby", **HERE, at=then))


def test_one_item_of_the_catalogue_is_one_whatever_it_is_called(operator: Client, city_ctx: Context) -> None:
    key, item = next(iter(rules(city_ctx).items.items.items()))
    titled = report(operator, item=item.title.zh)
    assert numbers(operator.get("/api/incidents/nearby", **HERE, item=key)) == [titled["number"]]
    assert numbers(operator.get("/api/incidents/nearby", **HERE, item="别的事")) == []


def test_a_position_in_gcj02_is_compared_where_it_truly_is(operator: Client) -> None:
    kept = report(operator)
    lon, lat = from_cgcs2000(np.array([HERE["lon"]]), np.array([HERE["lat"]]), Datum.GCJ02)
    found = operator.get("/api/incidents/nearby", lon=lon[0], lat=lat[0], datum="gcj02")
    assert numbers(found) == [kept["number"]]
    assert found.json["incidents"][0]["distance_m"] < 0.1
    assert numbers(operator.get("/api/incidents/nearby", lon=lon[0], lat=lat[0])) == []


def test_across_the_border_there_is_a_number_of_them_and_no_more(app: Flask, city_ctx: Context) -> None:
    operator, east = token_client(app, city_ctx, "operator"), token_client(app, city_ctx, "east")
    at_the_border = {"lon": WEST + 4 * STEP - 0.0001, "lat": SOUTH + 0.002}
    in_west = report(operator, **at_the_border)
    report(operator, **(at_the_border | {"lon": WEST + 4 * STEP + 0.0001}))
    found = east.get("/api/incidents/nearby", **at_the_border)
    assert (found.json["count"], len(found.json["incidents"])) == (2, 1)
    assert in_west["number"] not in found.text


def test_who_may_not_report_is_told_nothing(app: Flask, city_ctx: Context) -> None:
    report(token_client(app, city_ctx, "operator"))
    assert token_client(app, city_ctx, "display").get("/api/incidents/nearby", **HERE).status_code == 403
    assert Client(app).get("/api/incidents/nearby", **HERE).status_code == 401


def test_bad_questions_are_named(operator: Client) -> None:
    for query, field in (
        ({}, "lon"),
        ({"lon": 127}, "lat"),
        ({"lon": "nan", "lat": 47}, "lon"),
        ({"lon": 1e308, "lat": 47}, "lon"),
        ({"lon": 47, "lat": 127}, "lon"),
        ({**HERE, "datum": "x"}, "datum"),
        ({**HERE, "at": "x"}, "at"),
        ({**HERE, "within": 1}, "within"),
    ):
        answer = operator.get("/api/incidents/nearby", **query)
        assert (answer.status_code, answer.json["field"]) == (422, field)


def test_the_item_of_a_protected_incident_is_not_told(city_ctx: Context) -> None:
    city_ctx = replace(city_ctx, settings=replace(city_ctx.settings, profile="taizhou"))
    app = create_app(city_ctx.settings, city_ctx)
    items = rules(city_ctx).items.items
    key = next(key for key, item in items.items() if item.protection.tier is Tier.PROTECTED)
    operator, admin = token_client(app, city_ctx, "operator"), token_client(app, city_ctx, "admin")
    report(operator, item=key)
    assert operator.get("/api/incidents/nearby", **HERE).json["incidents"][0]["item"] is None
    assert admin.get("/api/incidents/nearby", **HERE).json["incidents"][0]["item"] == key


def test_the_desk_decides_and_both_stay_as_they_are(operator: Client, city_ctx: Context) -> None:
    one, other, third = report(operator), report(operator, **away(10)), report(operator, **away(20))
    address = f"/api/incidents/{one['id']}/duplicates"
    assert numbers(operator.get(address)) == [other["number"], third["number"]]
    before = [operator.get(f"/api/incidents/{x['id']}").json for x in (one, other)]

    answer = operator.post(address, {"other": other["id"], "note": "同一盏灯"})
    assert answer.status_code == 200
    assert numbers(answer) == [third["number"]]
    (verdict,) = answer.json["decided"]
    assert (verdict["number"], verdict["is_duplicate"], verdict["note"], verdict["actor"]) == (
        other["number"],
        True,
        "同一盏灯",
        "operator",
    )
    assert [operator.get(f"/api/incidents/{x['id']}").json for x in (one, other)] == before
    # seen from the other side as well
    mirrored = operator.get(f"/api/incidents/{other['id']}/duplicates").json["decided"]
    assert [v["number"] for v in mirrored] == [one["number"]]

    operator.post(address, {"other": third["id"], "is_duplicate": False})
    assert operator.get(address).json["incidents"] == []
    # a mistake is taken back by a newer row
    back = operator.post(
        f"/api/incidents/{other['id']}/duplicates", {"other": one["id"], "is_duplicate": False}
    )
    assert [v["is_duplicate"] for v in back.json["decided"]] == [False]
    assert [v["is_duplicate"] for v in operator.get(address).json["decided"]] == [False, False]
    with city_ctx.engine.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM incident_link")) == 3
        assert conn.scalar(text("SELECT count(*) FROM incident")) == 3


def test_saying_it_again_and_at_once_adds_nothing(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    one, other = report(operator), report(operator)
    pairs = [(one["id"], other["id"]), (other["id"], one["id"])] * 3
    statuses: list[int] = []

    def say(pair: tuple[object, object]) -> None:
        client = token_client(app, city_ctx, "operator")
        statuses.append(client.post(f"/api/incidents/{pair[0]}/duplicates", {"other": pair[1]}).status_code)

    threads = [threading.Thread(target=say, args=(pair,)) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6
    with city_ctx.engine.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM incident_link")) == 1


def test_bad_decisions_are_named(app: Flask, city_ctx: Context) -> None:
    operator, east = token_client(app, city_ctx, "operator"), token_client(app, city_ctx, "east")
    one, other = report(operator), report(operator)
    address = f"/api/incidents/{one['id']}/duplicates"
    for body, field in (
        ({}, "other"),
        ({"other": "1"}, "other"),
        ({"other": True}, "other"),
        ({"other": 2**63}, "other"),
        ({"other": one["id"]}, "other"),
        ({"other": other["id"], "is_duplicate": 1}, "is_duplicate"),
        ({"other": other["id"], "note": 5}, "note"),
        ({"other": other["id"], "note": "长" * 201}, "note"),
        ({"other": other["id"], "merge": True}, "merge"),
    ):
        answer = operator.post(address, body)
        assert (answer.status_code, answer.json["field"], bool(answer.json["expected"])) == (422, field, True)
    assert operator.post(address, {"other": 999999}).status_code == 404
    assert operator.get("/api/incidents/999999/duplicates").status_code == 404
    assert east.get(address).status_code == 403
    in_east = report(operator, **inside(6))
    assert east.post(f"/api/incidents/{in_east['id']}/duplicates", {"other": one["id"]}).status_code == 403
    with city_ctx.engine.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM incident_link")) == 0
