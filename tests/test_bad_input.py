"""What people and programs get wrong: each a clear problem document, nothing lost, nothing doubled."""

import io
import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from city import PUBLISHED, inside
from client import Client, token_client
from flask import Flask
from pictures import jpeg
from sqlalchemy import text

from gis_server.journeys.context import Context

HERE = inside(0)


def a_report(**changes: object) -> dict[str, object]:
    return {**HERE, "description": "井盖缺失", "source": "patrol", **changes}


@pytest.fixture
def operator(app: Flask, city_ctx: Context) -> Client:
    return token_client(app, city_ctx, "operator")


def count(ctx: Context, table: str = "incident") -> int:
    with ctx.engine.connect() as conn:
        return int(conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def refused(answer: Any, status: int, field: str) -> dict[str, Any]:
    """A problem document that names the field and what was expected, in both languages."""
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    body = answer.json
    assert {"type", "title", "status", "detail", "field", "expected"} <= set(body)
    assert (body["field"], body["status"]) == (field, status)
    assert body["detail"]
    assert body["expected"]
    return dict(body)


@pytest.mark.parametrize(
    ("lon", "lat"), [(122.5, 35.0), (0.0, 0.0), (180.0, -90.0), (135.0, 53.9), (73.5, 39.0)]
)
def test_a_point_in_the_sea_or_anywhere_else_is_refused(
    operator: Client, city_ctx: Context, lon: float, lat: float
) -> None:
    problem = refused(operator.post("/api/incidents", a_report(lon=lon, lat=lat)), 422, "lon")
    assert "公里" in problem["detail"]
    assert count(city_ctx) == 0


def test_swapped_axes_are_told_with_the_swap(operator: Client, city_ctx: Context) -> None:
    problem = refused(operator.post("/api/incidents", a_report(lon=HERE["lat"], lat=HERE["lon"])), 422, "lon")
    assert problem["suggestion"] == HERE
    assert str(HERE["lon"]) in problem["expected"]
    again = operator.post("/api/incidents", a_report(**problem["suggestion"]))
    assert again.status_code == 201
    asked = operator.get("/api/route", lon=HERE["lat"], lat=HERE["lon"])
    assert refused(asked, 422, "lon")["suggestion"] == HERE
    assert count(city_ctx) == 1


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999", "0x7f", "127,0"])
def test_what_is_no_number_of_json_is_no_json(operator: Client, city_ctx: Context, value: str) -> None:
    body = json.dumps(a_report()).replace(f'"lon": {HERE["lon"]}', f'"lon": {value}')
    answer = operator.raw("POST", "/api/incidents", data=body, content_type="application/json")
    refused(answer, 400, "body")
    english = operator.raw(
        "POST",
        "/api/incidents",
        data=body,
        content_type="application/json",
        headers={"Accept-Language": "en"},
    )
    assert english.json["detail"].isascii()
    assert count(city_ctx) == 0


@pytest.mark.parametrize("field", ["lon", "lat", "accuracy_m"])
@pytest.mark.parametrize("value", [1e308, -1e308, "127", [127], {"a": 1}, True])
def test_a_number_beyond_reason_or_of_another_kind_is_named(
    operator: Client, city_ctx: Context, field: str, value: object
) -> None:
    refused(operator.post("/api/incidents", a_report(**{field: value})), 422, field)
    assert count(city_ctx) == 0


@pytest.mark.parametrize("field", ["item", "description", "source", "datum"])
def test_a_code_as_a_number_is_named(operator: Client, city_ctx: Context, field: str) -> None:
    refused(operator.post("/api/incidents", a_report(**{field: 230881001001001})), 422, field)
    assert count(city_ctx) == 0


def test_a_time_before_the_first_grids_says_from_when_on(operator: Client, city_ctx: Context) -> None:
    early = (PUBLISHED - timedelta(seconds=1)).isoformat()
    problem = refused(operator.post("/api/incidents", a_report(discovered_at=early)), 422, "discovered_at")
    assert PUBLISHED.isoformat()[:16] in problem["expected"]
    for moment in ("1800-01-01T00:00:00Z", "9999-12-31T23:59:59+00:00", "2026-13-01T00:00:00Z", "", 0):
        refused(operator.post("/api/incidents", a_report(discovered_at=moment)), 422, "discovered_at")
    assert count(city_ctx) == 0


def test_ten_megabytes_of_words_are_refused_by_name(operator: Client, city_ctx: Context) -> None:
    refused(operator.post("/api/incidents", a_report(description="长" * 4_000_000)), 413, "description")
    refused(operator.post("/api/incidents", a_report(description="长" * 4_001)), 422, "description")
    # without a length beforehand
    body = json.dumps(a_report(description="x" * 10_000_000)).encode()
    answer = operator.raw(
        "POST",
        "/api/incidents",
        input_stream=io.BytesIO(body),
        content_type="application/json",
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    refused(answer, 413, "description")
    assert count(city_ctx) == 0
    longest = operator.post("/api/incidents", a_report(description="长" * 4_000))
    assert (longest.status_code, longest.json["description"]) == (201, "长" * 4_000)


def test_too_much_of_photos_and_rows_is_refused_by_name(operator: Client, city_ctx: Context) -> None:
    number = operator.post("/api/incidents", a_report()).json["id"]
    huge = {"photo": (io.BytesIO(jpeg() + b"\0" * (80 * 2**20)), "a.jpg")}
    refused(operator.raw("POST", f"/api/incidents/{number}/photos", data=huge), 413, "photo")
    rows = {"file": (io.BytesIO(b"x" * (21 * 2**20)), "a.csv")}
    refused(operator.raw("POST", "/api/incidents/bulk", data=rows), 413, "file")
    assert count(city_ctx, "photo") == 0


def test_a_replay_at_any_time_and_at_once_doubles_nothing(app: Flask, city_ctx: Context) -> None:
    """A phone that was not answered: report and photo again and again, from several connections."""
    key = {"Idempotency-Key": "f" * 32}
    report = a_report(discovered_at=(datetime.now(UTC) - timedelta(hours=2)).isoformat(), accuracy_m=9)
    photo = jpeg()
    numbers: list[str] = []
    barrier = threading.Barrier(6)

    def replay() -> None:
        client = token_client(app, city_ctx, "operator")
        barrier.wait()
        for _ in range(2):
            answer = client.post("/api/incidents", report, **key)
            assert answer.status_code in (200, 201), answer.text
            numbers.append(answer.json["number"])
            data = {"photo": (io.BytesIO(photo), "a.jpg")}
            sent = client.raw("POST", f"/api/incidents/{answer.json['id']}/photos", data=data)
            assert sent.status_code in (200, 201), sent.text

    threads = [threading.Thread(target=replay) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) == 12
    assert len(set(numbers)) == 1
    assert (count(city_ctx), count(city_ctx, "photo")) == (1, 1)
    assert count(city_ctx, "event WHERE kind = 'incident'") == 1


def test_a_key_that_is_none_is_named(operator: Client, city_ctx: Context) -> None:
    for key in ("", "x" * 201):
        answer = operator.post("/api/incidents", a_report(), **{"Idempotency-Key": key})
        refused(answer, 422, "Idempotency-Key")
    assert count(city_ctx) == 0


def test_nothing_of_what_was_refused_is_announced(operator: Client, city_ctx: Context) -> None:
    for changes in ({"lon": 1e308}, {"source": "rumour"}, {"description": ""}, {"lon": 122.5, "lat": 35.0}):
        assert operator.post("/api/incidents", a_report(**changes)).status_code == 422
    assert count(city_ctx, "event WHERE kind = 'incident'") == 0
    assert count(city_ctx, "incident_event") == 0
