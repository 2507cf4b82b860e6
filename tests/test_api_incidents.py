"""Reporting, routing and reading incidents over HTTP."""

import json
import math
import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from city import COMMUNITIES, COUNTY, PUBLISHED, SOUTH, STEP, TOWNS, WEST, inside
from client import Client, token_client
from flask import Flask
from sqlalchemy import text

from gis_server.core.access import CONSOLE
from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.errors import Unavailable
from gis_server.core.incident import parse_report
from gis_server.i18n import translator
from gis_server.journeys.context import Context
from gis_server.journeys.incidents import report
from gis_server.journeys.opening import context
from gis_server.settings import Settings

CHINA = ZoneInfo("Asia/Shanghai")
G1 = f"{COMMUNITIES[0]}001"
G2 = f"{COMMUNITIES[0]}002"


def a_report(**changes: object) -> dict[str, object]:
    given: dict[str, object] = {**inside(0), "description": "井盖缺失", "source": "patrol"}
    given.update(changes)
    return {key: value for key, value in given.items() if value is not ...}


def count(ctx: Context, table: str) -> int:
    with ctx.engine.connect() as conn:
        return int(conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.fixture
def operator(app: Flask, city_ctx: Context) -> Client:
    return token_client(app, city_ctx, "operator")


def test_a_report_is_routed_recorded_and_announced(operator: Client, city_ctx: Context) -> None:
    answer = operator.post("/api/incidents", a_report(urgent=True, item="建筑施工噪声", accuracy_m=8))
    assert answer.status_code == 201
    body = answer.json
    assert body["match"] == "inside"
    assert body["grid"] == {"grid_code": G1, "grid_name": "1号网格"}
    assert body["sub_grid"] == {"sub_grid_code": f"{G1}01"}
    assert body["state"] == "recorded"
    assert body["is_urgent"] is True
    assert body["candidates"] == []
    assert body["due_at"] is None
    assert body["area_path"] == [COUNTY, TOWNS[0], COMMUNITIES[0]]
    assert [area["name"] for area in body["responsible"]["areas"]] == ["试验市", "西镇", "第1社区"]
    assert answer.headers["Location"] == f"/api/incidents/{body['id']}"

    kept = operator.get(f"/api/incidents/{body['id']}").json
    assert {key: kept[key] for key in body} == body
    assert [(s["from_state"], s["to_state"], s["actor"]) for s in kept["history"]] == [
        (None, "discovered", "operator"),
        ("discovered", "recorded", "operator"),
    ]
    with city_ctx.engine.connect() as conn:
        event = conn.execute(
            text("SELECT kind, tier, area_path, payload FROM event WHERE kind = 'incident'")
        ).one()
    assert event.tier == "hall"
    assert event.area_path == body["area_path"]
    assert "井盖" not in json.dumps(event.payload, ensure_ascii=False)
    assert event.payload["number"] == body["number"]


def test_the_number_carries_the_local_day(operator: Client) -> None:
    body = operator.post("/api/incidents", a_report()).json
    assert body["number"].startswith(datetime.now(UTC).astimezone(CHINA).strftime("%Y%m%d-"))


def test_a_position_in_gcj02_goes_to_the_grid_it_is_truly_in(operator: Client) -> None:
    true = inside(3)
    lon, lat = from_cgcs2000(np.array([true["lon"]]), np.array([true["lat"]]), Datum.GCJ02)
    shifted = a_report(lon=float(lon[0]), lat=float(lat[0]), datum="gcj02")
    body = operator.post("/api/incidents", shifted).json
    assert body["grid_code"] == f"{COMMUNITIES[1]}002"
    assert math.isclose(body["lon"], true["lon"], abs_tol=1e-8)
    assert body["given"] == {"lon": shifted["lon"], "lat": shifted["lat"], "datum": "gcj02"}
    undeclared = operator.post("/api/incidents", a_report(lon=shifted["lon"], lat=shifted["lat"])).json
    assert undeclared["grid_code"] != body["grid_code"]


def test_a_report_on_the_common_border_goes_to_the_lower_code(operator: Client) -> None:
    on_border = {"lon": WEST + STEP, "lat": inside(0)["lat"]}
    assert {operator.get("/api/route", **on_border).json["grid_code"] for _ in range(5)} == {G1}
    body = operator.post("/api/incidents", a_report(**on_border, accuracy_m=20)).json
    assert body["match"] == "border"
    assert {c["grid_code"]: round(c["share"], 1) for c in body["candidates"]} == {G1: 0.5, G2: 0.5}


def test_a_point_outside_every_grid_is_kept_and_not_lost(operator: Client) -> None:
    outside = operator.post("/api/incidents", a_report(lon=WEST - 0.01))
    assert outside.status_code == 201
    assert (outside.json["match"], outside.json["grid"]) == ("outside", None)
    assert outside.json["area_path"] == [COUNTY]  # in no area at all: the county's queue
    near = operator.post("/api/incidents", a_report(lon=WEST - 0.0003)).json
    assert (near["match"], near["grid_code"]) == ("near", G1)
    assert near["distance_m"] == pytest.approx(22.8, abs=0.5)


def test_the_same_report_sent_again_is_answered_again_and_kept_once(
    operator: Client, city_ctx: Context
) -> None:
    key = {"Idempotency-Key": "phone-1-0001"}
    first = operator.post("/api/incidents", a_report(), **key)
    again = operator.post("/api/incidents", a_report(), **key)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json == first.json
    other = operator.post("/api/incidents", a_report(description="另一件事"), **key)
    assert other.status_code == 409
    assert other.json["field"] == "Idempotency-Key"
    assert first.json["number"] in other.json["detail"]
    assert count(city_ctx, "incident") == 1


def test_two_reporters_may_choose_the_same_key(app: Flask, operator: Client, city_ctx: Context) -> None:
    key = {"Idempotency-Key": "1"}
    assert operator.post("/api/incidents", a_report(), **key).status_code == 201
    assert token_client(app, city_ctx, "west").post("/api/incidents", a_report(), **key).status_code == 201
    assert count(city_ctx, "incident") == 2


def test_the_same_report_twice_at_once_is_kept_once(app: Flask, city_ctx: Context) -> None:
    clients = [token_client(app, city_ctx, "operator") for _ in range(8)]
    statuses: list[int] = []
    barrier = threading.Barrier(len(clients))

    def send(client: Client) -> None:
        barrier.wait()
        answer = client.post("/api/incidents", a_report(), **{"Idempotency-Key": "once"})
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=send, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 7 + [201]
    assert count(city_ctx, "incident") == 1
    assert count(city_ctx, "incident_event") == 2


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"lon": ...}, "lon"),
    ({"lat": ...}, "lat"),
    ({"lon": "127.0"}, "lon"),
    ({"lon": True}, "lon"),
    ({"lon": None}, "lon"),
    ({"lon": [127.0]}, "lon"),
    ({"lon": 1e308}, "lon"),
    ({"lat": 91}, "lat"),
    ({"lon": 47.005, "lat": 127.005}, "lon"),
    ({"lon": 150.0, "lat": 20.0}, "lon"),
    ({"lon": 0.0, "lat": 0.0}, "lon"),
    ({"datum": "beijing54"}, "datum"),
    ({"datum": 4490}, "datum"),
    ({"accuracy_m": -1}, "accuracy_m"),
    ({"accuracy_m": 1e9}, "accuracy_m"),
    ({"accuracy_m": "5"}, "accuracy_m"),
    ({"description": ...}, "description"),
    ({"description": "   "}, "description"),
    ({"description": "长" * 4001}, "description"),
    ({"description": "a\x00b"}, "description"),
    ({"description": 5}, "description"),
    ({"source": ...}, "source"),
    ({"source": "rumour"}, "source"),
    ({"source": ["patrol"]}, "source"),
    ({"item": 5}, "item"),
    ({"item": "长" * 201}, "item"),
    ({"urgent": "yes"}, "urgent"),
    ({"urgent": 1}, "urgent"),
    ({"discovered_at": "yesterday"}, "discovered_at"),
    ({"discovered_at": "2024-05-31T09:00:00"}, "discovered_at"),
    ({"discovered_at": 1717117200}, "discovered_at"),
    ({"discovered_at": "2990-01-01T00:00:00+08:00"}, "discovered_at"),
    ({"discovered_at": "2001-01-01T00:00:00+08:00"}, "discovered_at"),
    ({"grid_code": "230881001001001"}, "grid_code"),
]


def test_every_bad_field_is_named_with_what_was_expected(
    operator: Client, city_ctx: Context, subtests: pytest.Subtests
) -> None:
    for changes, field in BAD_FIELDS:
        with subtests.test(**changes):
            answer = operator.post("/api/incidents", a_report(**changes))
            assert answer.status_code == 422
            assert answer.mimetype == "application/problem+json"
            assert answer.json["field"] == field
            assert answer.json["expected"]
            assert answer.json["status"] == 422
            assert answer.json["detail"]
    assert count(city_ctx, "incident") == 0
    with city_ctx.engine.connect() as conn:
        assert not conn.execute(text("SELECT FROM event WHERE kind = 'incident'")).all()


def test_what_is_not_json_is_a_bad_request(operator: Client, subtests: pytest.Subtests) -> None:
    for body in (
        b"",
        b"{",
        b'{"lon": NaN}',
        b"\xff\xfe",
        b'{"lon": 1e999, "lat": 1}',
        b'"\\ud800"',
        b"[" * 5000,
        b'{"lon": 1%s}' % (b"0" * 400),
    ):
        with subtests.test(body=body[:20]):
            answer = operator.raw("POST", "/api/incidents", data=body, content_type="application/json")
            assert answer.status_code == 400
            assert answer.mimetype == "application/problem+json"
            assert (answer.json["field"], bool(answer.json["expected"])) == ("body", True)


def test_json_that_is_no_object_and_forms_are_refused(operator: Client) -> None:
    for body in ("[]", "3", "null", '"text"'):
        answer = operator.raw("POST", "/api/incidents", data=body, content_type="application/json")
        assert answer.status_code == 422
    answer = operator.raw("POST", "/api/incidents", data={"lon": "127"})
    assert (answer.status_code, answer.json["field"]) == (422, "Content-Type")


def test_ten_megabytes_are_too_large(operator: Client) -> None:
    answer = operator.post("/api/incidents", a_report(description="长" * 4_000_000))
    assert answer.status_code == 413
    assert answer.json["detail"]
    assert (answer.json["field"], bool(answer.json["expected"])) == ("description", True)


def test_problems_speak_the_readers_language(operator: Client) -> None:
    chinese = operator.post("/api/incidents", a_report(source="rumour"))
    english = operator.post("/api/incidents", a_report(source="rumour"), **{"Accept-Language": "en"})
    assert "不可用" in chinese.json["detail"]
    assert english.json["title"] == translator("en")(chinese.json["title"])
    assert english.json["detail"] == translator("en")("{name} 不可用，应为{expected}。").format(
        name="source", expected=english.json["expected"]
    )


def test_a_late_report_is_routed_by_the_boundaries_of_its_day(operator: Client) -> None:
    early = (PUBLISHED - timedelta(minutes=1)).isoformat()
    answer = operator.post("/api/incidents", a_report(discovered_at=early))
    assert (answer.status_code, answer.json["field"]) == (422, "discovered_at")
    in_force = (PUBLISHED + timedelta(minutes=1)).isoformat()
    body = operator.post("/api/incidents", a_report(discovered_at=in_force)).json
    assert datetime.fromisoformat(body["discovered_at"]) == PUBLISHED + timedelta(minutes=1)


def test_without_published_grids_a_report_is_told_to_wait(database_url: str, settings: Settings) -> None:

    ctx = context(settings, database_url)
    now = datetime.now(UTC)
    with pytest.raises(Unavailable):
        report(ctx, CONSOLE, parse_report(a_report(), now), now)
    assert count(ctx, "incident") == 0
    ctx.engine.dispose()


def test_routing_answers_like_a_report_and_records_nothing(operator: Client, city_ctx: Context) -> None:
    routed = operator.get("/api/route", **inside(5, 1), accuracy_m=5).json
    reported = operator.post("/api/incidents", a_report(**inside(5, 1), accuracy_m=5)).json
    assert routed.pop("stable_within_m") == pytest.approx(routed["distance_m"], abs=0.001)
    assert {key: reported[key] for key in routed} == routed
    assert count(city_ctx, "incident") == 1


BAD_QUERIES: list[tuple[dict[str, object], str]] = [
    ({}, "lon"),
    ({"lon": 127}, "lat"),
    ({"lon": "x", "lat": 47}, "lon"),
    ({"lon": "nan", "lat": 47}, "lon"),
    ({"lon": "inf", "lat": 47}, "lon"),
    ({"lon": 47, "lat": 127}, "lon"),
    ({"lon": 127, "lat": 47, "at": "now"}, "at"),
    ({"lon": 127, "lat": 47, "datum": "x"}, "datum"),
    ({"lon": 127, "lat": 47, "accuracy_m": "-1"}, "accuracy_m"),
    ({"lon": 127, "lat": 47, "acuracy": "1"}, "acuracy"),
]


def test_bad_queries_are_named(operator: Client, subtests: pytest.Subtests) -> None:
    for query, field in BAD_QUERIES:
        with subtests.test(**query):
            answer = operator.get("/api/route", **query)
            assert (answer.status_code, answer.json["field"]) == (422, field)


def test_the_list_pages_by_key_and_filters(operator: Client) -> None:
    ids = [operator.post("/api/incidents", a_report(**inside(n % 3))).json["id"] for n in range(7)]
    seen: list[int] = []
    before: dict[str, object] = {}
    while True:
        page = operator.get("/api/incidents", limit=3, **before).json
        seen += [incident["id"] for incident in page["incidents"]]
        if page["next"] is None:
            break
        before = {"before": page["next"]}
    assert seen == ids[::-1]
    in_g1 = operator.get("/api/incidents", grid=G1, state="recorded,reported").json["incidents"]
    assert [incident["id"] for incident in in_g1] == [ids[6], ids[3], ids[0]]
    assert operator.get("/api/incidents", state="archived").json["incidents"] == []
    for query in ({"limit": 0}, {"limit": 501}, {"limit": "x"}, {"state": "lost"}, {"before": "a"}):
        answer = operator.get("/api/incidents", **query)
        assert (answer.status_code, answer.json["field"]) == (422, next(iter(query)))


def test_each_town_sees_and_reports_its_own(app: Flask, operator: Client, city_ctx: Context) -> None:
    west, east = (token_client(app, city_ctx, town) for town in ("west", "east"))
    mine = west.post("/api/incidents", a_report())
    assert mine.status_code == 201
    refused = east.post("/api/incidents", a_report())
    assert refused.status_code == 403
    assert refused.mimetype == "application/problem+json"
    assert [i["id"] for i in west.get("/api/incidents").json["incidents"]] == [mine.json["id"]]
    assert east.get("/api/incidents").json["incidents"] == []
    assert east.get(f"/api/incidents/{mine.json['id']}").status_code == 403
    # across the border, within the accuracy: both may
    on_the_line = a_report(lon=WEST + 4 * STEP - 0.0001, accuracy_m=30)
    assert east.post("/api/incidents", on_the_line).status_code == 201
    # nobody's land is everybody's to report, and the county's to read
    nowhere = east.post("/api/incidents", a_report(lat=SOUTH - 0.01))
    assert nowhere.status_code == 201
    assert nowhere.json["id"] in [i["id"] for i in operator.get("/api/incidents").json["incidents"]]


def test_an_unknown_incident_is_not_found(operator: Client) -> None:
    assert operator.get("/api/incidents/999999").status_code == 404
    assert operator.get("/api/incidents/abc").status_code == 404
    assert operator.get("/api/incidents/99999999999999999999").status_code == 404
