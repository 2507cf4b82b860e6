"""Health, metrics, the API's description, layers over HTTP, and a real server under load."""

import io
import json
import posixpath
import re
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import city
import pytest
from city import COMMUNITIES, inside
from client import Client, signed_in, token_client
from flask import Flask
from sqlalchemy import text

from gis_server.core.errors import GisError, Unavailable
from gis_server.journeys.context import Context
from gis_server.journeys.opening import context
from gis_server.settings import Settings
from gis_server.store.engine import make_engine
from gis_server.views import create_app
from gis_server.views.operations import OPERATIONS
from gis_server.views.problems import status_of


def geojson(*features: dict[str, object]) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def upload(client: Client, layer: str, name: str, content: bytes, **options: str) -> dict[str, object]:
    """Send a file and wait for the end of its import; the job's last answer."""
    data = {"file": (io.BytesIO(content), name), **options}
    started = client.raw("POST", f"/api/layers/{layer}/imports", data=data)
    assert started.status_code == 202, started.text
    end = time.monotonic() + 30
    while time.monotonic() < end:
        job = client.get(started.json["job"]).json
        if job["state"] in ("staged", "published", "failed", "interrupted"):
            return job
        time.sleep(0.05)
    raise TimeoutError


def test_a_server_that_can_work_says_so(app: Flask) -> None:
    client = Client(app)
    assert client.get("/healthz").json == {"status": "ok"}
    ready = client.get("/readyz")
    assert (ready.status_code, set(ready.json["checks"].values())) == (200, {"ok"})


def test_without_grids_without_schema_and_without_database_it_is_alive_but_not_ready(
    database_url: str, empty_database_url: str, tmp_path: Path
) -> None:
    unready = {
        database_url: {"generation"},
        empty_database_url: {"migrations", "generation"},
        "postgresql:///nowhere?host=/nonexistent": {"database", "migrations", "generation"},
    }
    for url, failing in unready.items():
        settings = Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(tmp_path)})
        client = Client(create_app(settings, context(settings, url)))
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert {name for name, said in ready.json["checks"].items() if said != "ok"} == failing


def test_a_database_that_is_gone_is_a_problem_or_a_page_and_not_a_bug(tmp_path: Path) -> None:
    url = "postgresql:///nowhere?host=/nonexistent"
    settings = Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(tmp_path)})
    app = create_app(settings, context(settings, url))
    client = Client(app)
    with client.http.session_transaction() as session:
        session["_user_id"] = "account:1:0"
        session["since"] = time.time()
    answer = client.get("/api/incidents")
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert answer.headers["Retry-After"]
    page = client.page("/incidents")
    assert (page.status_code, page.mimetype) == (503, "text/html")


def test_a_page_names_every_module_that_its_script_is_made_of(app: Flask) -> None:
    page = signed_in(app, "operator").page("/wall/city").text
    named = re.findall(r'<link rel="modulepreload" href="/static/web/([^"]+)">', page)
    assert named[0] == "pages/wall.js"
    assert len(set(named)) == len(named)
    for name in named:
        answer = Client(app).get(f"/static/web/{name}")
        assert answer.status_code == 200, name
        for path in re.findall(r"""^(?:import|export)\b[^;]*?["'](\.{1,2}/[^"']+)["'];""", answer.text, re.M):
            assert posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) in named


def test_metrics_count_by_route(app: Flask) -> None:
    client = Client(app)
    client.get("/healthz")
    client.get("/a/scanner/guesses")
    text = client.get("/metrics").text
    assert re.search(r'gis_http_request_seconds_count\{method="GET",route="/healthz"\} [1-9]', text)
    assert "scanner" not in text
    assert "gis_open_streams 0.0" in text


def test_the_description_names_every_route_of_the_api_and_no_other(app: Flask) -> None:
    served = set()
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/api/", "/tiles/", "/base/")):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            served |= {(method.lower(), path) for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}}
    assert served == {(operation.method, operation.path) for operation in OPERATIONS}
    assert len({operation.name for operation in OPERATIONS}) == len(OPERATIONS)


def test_the_description_stands_by_itself_and_shows_what_the_reader_may_see(
    app: Flask, city_ctx: Context
) -> None:
    document = token_client(app, city_ctx, "operator").get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    for reference in re.findall(r'"#/components/(\w+)/(\w+)"', json.dumps(document)):
        assert reference[1] in document["components"][reference[0]]
    assert "resident_households" in document["components"]["schemas"]["layer_grid"]["properties"]
    assert "resident_households" not in Client(app).get("/openapi.json").text
    for operation in OPERATIONS:
        described = document["paths"][operation.path][operation.method]
        in_path = {p["name"] for p in described["parameters"] if p["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", operation.path))


def test_answers_keep_to_their_description(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    schemas = operator.get("/openapi.json").json["components"]["schemas"]
    report = {**inside(0), "description": "x", "source": "patrol", "accuracy_m": 300}
    incident = operator.post("/api/incidents", report).json
    problem = operator.post("/api/incidents", {}).json
    place = operator.get("/api/route", **inside(0)).json
    for name, answer in (("incident", incident), ("problem", problem), ("place", place)):
        properties = schemas[name]["properties"]
        assert set(answer) <= set(properties), name
        assert set(schemas[name].get("required", properties)) <= set(answer), name


def test_every_kind_of_error_has_a_status() -> None:
    def kinds(kind: type[GisError]) -> list[type[GisError]]:
        return [kind, *(found for child in kind.__subclasses__() for found in kinds(child))]

    for kind in kinds(GisError)[1:]:
        status, title = status_of(kind.__new__(kind))
        assert 400 <= status < 600
        assert title.template


def test_the_catalogue_speaks_the_readers_language_and_keeps_to_his_tier(
    app: Flask, city_ctx: Context
) -> None:
    operator, display = (token_client(app, city_ctx, login) for login in ("operator", "display"))
    layers = {layer["name"]: layer for layer in operator.get("/api/catalogue").json["layers"]}
    assert layers["grid"]["title"] == "网格"
    assert layers["grid"]["url"] == "/api/layers/grid/features"
    english = operator.raw("GET", "/api/catalogue", headers={"Accept-Language": "en-GB"}).json["layers"]
    assert {layer["name"]: layer["title"] for layer in english}["grid"] == "Grids"
    seen = {layer["name"]: layer for layer in display.get("/api/catalogue").json["layers"]}
    assert "resident_households" not in {field["name"] for field in seen["grid"]["fields"]}
    assert "resident_households" not in seen["grid"]["popup"]
    assert set(seen) <= set(layers)


def test_the_language_can_be_chosen(app: Flask) -> None:
    client = Client(app)
    assert client.get("/api/session").json["language"] == "zh"
    answer = client.raw("GET", "/language/en", headers={"Referer": "http://localhost/sign-in?next=/report"})
    assert answer.headers["Location"] == "/sign-in?next=/report"
    assert client.get("/api/session").json["language"] == "en"
    assert '<html lang="en"' in client.page("/sign-in").text
    for elsewhere in ("http://evil.example/x", "http://localhost//evil.example/", ""):
        answer = client.raw("GET", "/language/zh", headers={"Referer": elsewhere})
        assert answer.headers["Location"] == "/"


def test_features_are_geojson_by_place_and_date_and_not_sent_twice(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    path = "/api/layers/grid/features"
    answer = operator.get(path)
    assert answer.mimetype == "application/geo+json"
    assert len(answer.json["features"]) == 8
    assert answer.json["generation"]["id"]
    again = operator.raw("GET", path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert len(operator.get(path, bbox="127.001,47.001,127.002,47.002").json["features"]) == 1
    assert operator.get(path, at="2001-01-01T00:00:00Z").json["features"] == []
    for query in (
        {"bbox": "1,2,3"},
        {"bbox": "nan,0,1,1"},
        {"bbox": "2,2,1,1"},
        {"at": "now"},
        {"limit": "3"},
        {"generation": "x"},
    ):
        refused = operator.get(path, **query)
        assert (refused.status_code, refused.json["field"]) == (422, next(iter(query)))
    assert operator.get("/api/layers/nothing/features").status_code == 404


def test_an_upload_is_checked_staged_published_and_routed_by(app: Flask, city_ctx: Context) -> None:
    approver = token_client(app, city_ctx, "approver")
    renamed = [dict(grid) for grid in city.grids()]
    for grid in renamed:
        grid["properties"] = {**grid["properties"], "grid_name": "新" + str(grid["properties"]["grid_name"])}
    job = upload(approver, "grid", "新网格.geojson", geojson(*renamed))
    assert (job["state"], job["message"], job["problems"]) == ("staged", None, [])
    generation = job["generation"]
    listed = approver.get("/api/layers/grid/generations").json["generations"]
    assert (listed[0]["id"], listed[0]["state"]) == (generation, "staged")
    assert approver.get(f"/api/generations/{generation}/findings").json["findings"] == []
    operator = token_client(app, city_ctx, "operator")
    assert operator.get("/api/route", **inside(0)).json["grid_name"] == "1号网格"
    before = datetime.now(UTC).isoformat()
    published = approver.post(f"/api/generations/{generation}/publish", {})
    assert published.json["generation"]["state"] == "published"
    assert operator.get("/api/route", **inside(0)).json["grid_name"] == "新1号网格"
    assert operator.get("/api/route", **inside(0), at=before).json["grid_name"] == "1号网格"
    assert approver.post(f"/api/generations/{generation}/publish", {}).status_code == 409
    assert approver.post(f"/api/generations/{generation}/discard", {}).status_code == 409
    with city_ctx.engine.connect() as conn:
        kinds = conn.execute(
            text("SELECT payload->>'layer' FROM event WHERE kind = 'generation' ORDER BY id")
        )
        assert list(kinds.scalars())[-1] == "grid"


def test_an_upload_with_a_hole_is_refused_with_its_findings(app: Flask, city_ctx: Context) -> None:
    approver = token_client(app, city_ctx, "approver")
    holey = [grid for grid in city.grids() if grid["properties"]["grid_code"] != f"{COMMUNITIES[1]}001"]
    job = upload(approver, "grid", "grids.geojson", geojson(*holey))
    assert job["state"] == "staged"
    refused = approver.post(f"/api/generations/{job['generation']}/publish", {})
    assert refused.status_code == 409
    assert refused.json["findings"][0]["severity"] == "error"
    assert set(refused.json["findings"][0]["message"]) == {"zh", "en"}
    found = approver.get(f"/api/generations/{job['generation']}/findings").json
    assert found["summary"]["errors"] >= 1
    assert found["findings"][0]["geometry"]["coordinates"]
    assert (
        token_client(app, city_ctx, "planner")
        .post(f"/api/generations/{job['generation']}/publish", {})
        .status_code
        == 403
    )
    assert approver.post(f"/api/generations/{job['generation']}/discard", {}).status_code == 200


def test_bad_uploads_are_refused_and_leave_nothing(app: Flask, city_ctx: Context) -> None:
    approver = token_client(app, city_ctx, "approver")
    broken = upload(approver, "grid", "grids.geojson", b"{ not json")
    assert broken["state"] == "failed"
    assert broken["message"]
    for form, field in (
        ({}, "file"),
        ({"file": (io.BytesIO(b"x"), "a.exe")}, "file"),
        ({"file": (io.BytesIO(b"x"), "a.geojson"), "encodng": "GBK"}, "encodng"),
        ({"file": (io.BytesIO(b"x"), "a.geojson"), "datum": "beijing54"}, "datum"),
    ):
        answer = approver.raw("POST", "/api/layers/grid/imports", data=form)
        assert (answer.status_code, answer.json["field"]) == (422, field)
    nowhere = approver.raw(
        "POST", "/api/layers/nothing/imports", data={"file": (io.BytesIO(b"x"), "a.geojson")}
    )
    assert nowhere.status_code == 404
    assert len(approver.get("/api/layers/grid/generations").json["generations"]) == 1
    assert not list((city_ctx.settings.var / "uploads").glob("*"))
    for job in ("00000000-0000-0000-0000-000000000000", "not-a-uuid"):
        assert approver.get(f"/api/imports/{job}").status_code == 404


@pytest.mark.parametrize("method", ["PUT", "PATCH", "TRACE"])
def test_methods_that_are_not_there_are_refused(app: Flask, city_ctx: Context, method: str) -> None:
    answer = token_client(app, city_ctx, "operator").raw(method, "/api/incidents")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.mimetype == "application/problem+json"


def test_a_pool_that_is_used_up_is_a_database_that_is_busy(database_url: str) -> None:
    engine = make_engine(database_url, pool_size=1)
    engine.pool._timeout = 0.1
    taken = [engine.connect()]
    with pytest.raises(Unavailable):
        engine.connect()
    taken.pop().close()
    engine.connect().close()
    for connection in taken:
        connection.close()
    engine.dispose()


def test_an_upload_beyond_the_limit_is_too_large(city_ctx: Context) -> None:
    settings = replace(city_ctx.settings, max_upload_mb=1)
    app = create_app(settings, replace(city_ctx, settings=settings))
    approver = token_client(app, city_ctx, "approver")
    answer = approver.raw(
        "POST", "/api/layers/grid/imports", data={"file": (io.BytesIO(b"x" * 2**21), "a.geojson")}
    )
    assert (answer.status_code, answer.mimetype) == (413, "application/problem+json")


def test_pages_lead_each_town_to_its_own_wall(app: Flask) -> None:
    assert 'href="/wall/230881001"' in signed_in(app, "west").page("/").text
    assert 'href="/wall/city"' in signed_in(app, "operator").page("/").text
    assert signed_in(app, "west").get("/api/session").json["wall_id"] == "230881001"
