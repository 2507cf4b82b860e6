"""What the screens in the hall can reach, what other sites can make a browser do, and what pages allow."""

import json
import re
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from city import COMMUNITIES, COUNTY, PASSWORD, PEOPLE, SECRET, TOWNS, inside
from client import Client, signed_in, token_client
from flask import Flask

from gis_server.core.access import CONSOLE
from gis_server.journeys import walls
from gis_server.journeys.context import Context
from gis_server.views import create_app
from gis_server.views.operations import OPERATIONS
from gis_server.views.security import HEADERS

NOW = datetime.now(UTC)


def screen(app: Flask, ctx: Context, wall_id: str = "city", **options: datetime) -> tuple[Client, int]:
    """A browser that opened a link to a wall, and the link's id."""
    link = walls.make_link(ctx, CONSOLE, wall_id, label="大厅主屏", now=NOW, **options)
    client = Client(app)
    answer = client.page(f"/wall/{wall_id}?key={link.token}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/wall/{wall_id}")
    return client, link.id


GRID = f"{COMMUNITIES[0]}001"
ITEM = "器官捐献"
"""What the secret incidents are about: an item of the catalogue."""


def fill_with_secrets(app: Flask, ctx: Context) -> list[str]:
    """Report incidents whose every text is secret; their ids."""
    operator = token_client(app, ctx, "operator")
    ids = []
    for column in range(3):
        report = {**inside(column), "description": SECRET, "item": ITEM, "source": "public"}
        ids.append(str(operator.post("/api/incidents", report).json["id"]))
    return ids


def every_get(app: Flask, ids: list[str]) -> list[str]:
    """Every address of the application that answers GET, with real values in its places."""
    values = {
        "layer": ["area", "grid", "sub_grid", "camera", "incident", "address", "road"],
        "incident_id": ids,
        "generation_id": [str(n) for n in range(1, 8)],
        "job_id": ["00000000-0000-0000-0000-000000000000"],
        "wall_id": ["city", COUNTY, *TOWNS, *COMMUNITIES],
        "link_id": ["1"],
        "reroute_id": ["1"],
        "photo_id": ["1"],
        "token": ["x"],
        "language": ["zh", "en"],
        "chosen": ["en"],
        "name": ["pages/wall.js"],
        "_rest": ["x"],
        "z": ["13"],
        "x": ["6986"],
        "y": ["2881"],
    }
    found = []
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule == "/api/events":
            continue
        paths = [rule.rule]
        for converter, name in re.findall(r"<(?:(\w+):)?(\w+)>", rule.rule):
            place = f"<{converter}:{name}>" if converter else f"<{name}>"
            # a place that nobody has named here yet is walked all the same
            known = values.get(name) or (
                ["1"] if converter in ("int", "id") else ["x", "city", TOWNS[0], GRID]
            )
            paths = [path.replace(place, value) for path in paths for value in known]
        found += paths
    return found


def test_no_address_shows_a_screen_anything_above_its_tier(app: Flask, city_ctx: Context) -> None:
    ids = fill_with_secrets(app, city_ctx)
    client, _ = screen(app, city_ctx)
    addresses = every_get(app, ids)
    assert len(addresses) > 60
    opened = 0
    for address in addresses:
        more = (
            ("?at=" + NOW.isoformat().replace("+", "%2B"), "?generation=1") if "features" in address else ()
        )
        for suffix in ("", *more):
            answer = client.get(address + suffix)
            opened += answer.status_code == 200
            body = answer.data.decode("utf-8", "replace")  # tiles and pictures are not text all through
            # what may be reported is public, as the documents are; of what somebody did report the hall sees nothing
            about = () if address.startswith("/report") else (ITEM,)
            for protected in (*about, SECRET, json.dumps(SECRET)[1:-1], "23088100001310000002", "argon2"):
                assert protected not in body, (address, protected)
            if answer.mimetype == "application/geo+json":
                assert "resident_households" not in body
    assert opened > 15


def test_the_same_addresses_show_the_operator_what_the_hall_may_not_see(
    app: Flask, city_ctx: Context
) -> None:
    """The walk above would find something, were it there."""
    ids = fill_with_secrets(app, city_ctx)
    operator = token_client(app, city_ctx, "operator")
    assert SECRET in operator.get(f"/api/incidents/{ids[0]}").get_data(as_text=True)
    assert "resident_households" in operator.get("/api/layers/grid/features").get_data(as_text=True)
    # the sensitive camera is for the protected tier alone
    assert SECRET not in operator.get("/api/layers/camera/features").get_data(as_text=True)
    admin = token_client(app, city_ctx, "admin")
    assert SECRET in admin.get("/api/layers/camera/features").get_data(as_text=True)


def test_nobody_signed_in_reaches_a_page_to_sign_in_and_nothing_else(app: Flask, city_ctx: Context) -> None:
    ids = fill_with_secrets(app, city_ctx)
    client = Client(app)
    open_to_all = (
        "/sign-in",
        "/static/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/openapi.json",
        "/docs",
        "/language/",
        "/api/session",
        # the report page without anybody's name in it
        "/report/shell/",
        "/report/worker.js",
    )
    for address in every_get(app, ids):
        answer = client.get(address)
        if not address.startswith(open_to_all):
            assert answer.status_code in (302, 401, 404, 501), address
        assert SECRET not in answer.data.decode("utf-8", "replace")


@pytest.mark.parametrize("login", [*PEOPLE, None])
def test_every_change_is_refused_to_those_whose_work_it_is_not(
    app: Flask, city_ctx: Context, login: str | None
) -> None:
    client = Client(app) if login is None else token_client(app, city_ctx, login)
    allowed = {
        "report_incident": {"admin", "approver", "planner", "analyst", "operator", "west", "worker"},
        "route_many": set(PEOPLE) - {"display"},
        "make_wall_link": {"admin", "operator"},
        "revoke_wall_link": {"admin", "operator", "west", "east"},
        "save_wall_tour": {"admin", "operator", "west", "east"},
        "drop_wall_tour": {"admin", "operator", "west", "east"},
        "send_wall_scene": {"admin", "operator", "west", "east"},
        "acknowledge_incident": {"admin", "operator", "west", "east"},
        "import_roster": {"admin", "approver", "planner"},
        "start_import": {"admin", "approver", "planner"},
        "publish": {"admin", "approver"},
        "discard": {"admin", "approver", "planner"},
        "accept_finding": {"admin", "approver", "planner"},
        "accept_findings": {"admin", "approver", "planner"},
        "mend_finding": {"admin", "approver", "planner"},
        "mend_findings": {"admin", "approver", "planner"},
        "undo_mending": {"admin", "approver", "planner"},
        "start_reroute": {"admin", "approver", "planner"},
        "move_incident": {"admin", "operator", "worker", "west", "east"},
        "make_rating_link": {"admin", "operator", "worker", "west", "east"},
        "decide_duplicate": {"admin", "operator", "worker", "west", "east"},
        "bulk_report": {"admin", "approver", "planner", "analyst", "operator", "west", "east", "worker"},
        "add_photos": {"admin", "approver", "planner", "analyst", "operator", "west", "east", "worker"},
    }
    bodies = {
        "report_incident": {**inside(0), "description": "x", "source": "patrol"},
        "route_many": {"points": [inside(0)]},
        "make_wall_link": {"wall_id": "city", "label": "x"},
        "send_wall_scene": {"scene": "overview"},
        "start_reroute": {"since": "no time"},
    }
    changes = [operation for operation in OPERATIONS if operation.method != "get"]
    assert {operation.name for operation in changes} == set(allowed)
    for operation in changes:
        path = re.sub(r"\{\w+_id\}", "999999", operation.path).replace("{layer}", "grid")
        answer = client.raw(operation.method.upper(), path, json=bodies.get(operation.name))
        refused = 401 if login is None else 403
        if login in allowed[operation.name]:
            assert answer.status_code in (200, 201, 404, 422), (operation.name, answer.text)
        else:
            assert answer.status_code == refused, (operation.name, answer.text)


def test_a_screen_sees_its_own_wall_only(app: Flask, city_ctx: Context) -> None:
    fill_with_secrets(app, city_ctx)
    client, _ = screen(app, city_ctx, TOWNS[1])
    state = client.get(f"/api/wall/{TOWNS[1]}").json
    assert state["wall"]["title"].startswith("东镇")
    assert state["figures"]["open"] == 0  # the incidents are in the other town
    assert client.get("/api/wall/city").status_code == 403
    assert client.get(f"/api/wall/{TOWNS[0]}").status_code == 403
    codes = {f["properties"]["grid_code"] for f in client.get("/api/layers/grid/features").json["features"]}
    assert codes == {f"{community}00{n}" for community in COMMUNITIES[2:] for n in (1, 2)}
    assert client.get("/api/layers/incident/features").json["features"] == []
    assert client.page("/").headers["Location"] == f"/wall/{TOWNS[1]}"


def test_the_wall_tells_where_and_how_incidents_stand(app: Flask, city_ctx: Context) -> None:
    fill_with_secrets(app, city_ctx)
    client, _ = screen(app, city_ctx)
    state = client.get("/api/wall/city").json
    assert state["figures"] == {"open": 3, "urgent": 0, "overdue": 0, "today": 3, "done_today": 0}
    assert state["bounds"] == [127.0, 47.0, 127.04, 47.01]
    assert {g["grid_code"]: g["open"] for g in state["grids"]} == {
        f"{COMMUNITIES[0]}001": 1,
        f"{COMMUNITIES[0]}002": 1,
        f"{COMMUNITIES[1]}001": 1,
    }
    first = state["incidents"]["features"][0]
    assert set(first["properties"]) == {
        "number",
        "state",
        "is_urgent",
        "grid_code",
        "grid_name",
        "township_code",
        "discovered_at",
        "due_at",
        "is_overdue",
    }
    assert "/api/layers/grid/features" in state["layers"]
    assert "/api/layers/incident/features" not in state["layers"]


def test_a_link_works_for_its_wall_until_it_expires_or_is_revoked(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    made = operator.post("/api/wall-links", {"wall_id": "city", "label": "大厅"})
    assert made.status_code == 201
    path = made.json["url"].removeprefix("http://localhost")
    assert Client(app).page(path).status_code == 302
    assert Client(app).get(path.replace("/city", f"/{TOWNS[0]}")).status_code == 401
    assert Client(app).get(path[:-3] + "xyz").status_code == 401
    token = path.split("key=")[1]
    listed = operator.get("/api/wall-links").json["links"]
    assert [link["label"] for link in listed] == ["大厅"]
    assert token not in json.dumps(listed)

    client, link_id = screen(app, city_ctx)
    assert client.get("/api/wall/city").status_code == 200
    assert operator.delete(f"/api/wall-links/{link_id}").status_code == 204
    assert client.get("/api/wall/city").status_code == 401
    assert client.page("/wall/city").status_code == 302  # to the sign-in

    short, _ = screen(app, city_ctx, expires_at=datetime.now(UTC) + timedelta(seconds=1))
    assert short.get("/api/wall/city").status_code == 200
    time.sleep(1.1)
    assert short.get("/api/wall/city").status_code == 401


def test_a_link_may_name_the_scene_and_the_part_of_the_wall_that_its_screen_shows(
    app: Flask, city_ctx: Context
) -> None:
    link = walls.make_link(city_ctx, CONSOLE, "city", label="左屏", now=NOW)
    answer = Client(app).page(f"/wall/city?screen=2of3&key={link.token}&scene=heat&_external=1&next=//evil")
    assert answer.headers["Location"] == "/wall/city?scene=heat&screen=2of3"


def test_bad_links_are_refused_by_field(app: Flask, city_ctx: Context) -> None:
    operator = token_client(app, city_ctx, "operator")
    for body, status, field in (
        ({"label": "x"}, 422, "wall_id"),
        ({"wall_id": "city"}, 422, "label"),
        ({"wall_id": "city", "label": " "}, 422, "label"),
        ({"wall_id": "city", "label": "x", "expires_at": "2001-01-01T00:00:00Z"}, 422, "expires_at"),
        ({"wall_id": "city", "label": "x", "expires_at": "soon"}, 422, "expires_at"),
        ({"wall_id": "city", "label": "x", "tier": "protected"}, 422, "tier"),
        ({"wall_id": "nowhere", "label": "x"}, 404, None),
        ([], 422, None),
    ):
        answer = operator.post("/api/wall-links", body)
        assert (answer.status_code, answer.json.get("field")) == (status, field)
    west = token_client(app, city_ctx, "west")
    assert west.post("/api/wall-links", {"wall_id": TOWNS[0], "label": "x"}).status_code == 201
    assert west.post("/api/wall-links", {"wall_id": TOWNS[1], "label": "x"}).status_code == 403
    assert west.post("/api/wall-links", {"wall_id": "city", "label": "x"}).status_code == 403
    city_link = operator.post("/api/wall-links", {"wall_id": "city", "label": "x"}).json["id"]
    assert west.delete(f"/api/wall-links/{city_link}").status_code == 404
    assert [link["wall_id"] for link in west.get("/api/wall-links").json["links"]] == [TOWNS[0]]


def test_a_change_without_the_sessions_token_is_refused(app: Flask) -> None:
    client = signed_in(app, "operator")
    report = {**inside(0), "description": "x", "source": "patrol"}
    for headers in ({}, {"X-CSRFToken": "forged"}, {"X-CSRFToken": Client(app).csrf()}):
        answer = client.http.post("/api/incidents", json=report, headers=headers)
        assert answer.status_code == 400
        assert answer.mimetype == "application/problem+json"
        assert client.http.delete("/api/wall-links/1", headers=headers).status_code == 400
        assert client.http.post("/sign-out", headers=headers).status_code == 400
    assert client.post("/api/incidents", report).status_code == 201
    form = {"login": "operator", "password": PASSWORD}
    assert app.test_client().post("/sign-in", data=form).status_code == 400


def test_nothing_changes_by_get(app: Flask) -> None:
    assert app.test_client().get("/sign-out").status_code == 405
    for operation in OPERATIONS:
        if operation.method != "get":
            continue
        assert operation.body is None


def test_every_answer_carries_the_protecting_headers(app: Flask, city_ctx: Context) -> None:
    client = signed_in(app, "operator")
    for address in (
        "/",
        "/sign-in",
        "/api/session",
        "/api/nothing",
        "/nothing",
        "/static/web/styles/tokens.css",
        "/healthz",
    ):
        answer = client.get(address)
        for name, value in HEADERS.items():
            assert answer.headers[name] == value, address
    policy = HEADERS["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


def test_with_https_cookies_and_transport_are_strict(city_ctx: Context) -> None:
    app = create_app(replace(city_ctx.settings, https=True), city_ctx)
    answer = app.test_client().get("/sign-in", base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"]


def test_pages_have_no_inline_script_style_or_foreign_address(app: Flask, city_ctx: Context) -> None:
    client = signed_in(app, "admin")
    pages = [
        "/",
        "/sign-in",
        "/wall/city",
        "/report",
        "/incidents",
        "/layers",
        "/walls",
        "/docs",
        "/plans",
        "/analysis",
        "/nothing",
    ]
    for page in pages:
        body = client.page(page).text
        assert "<html" in body, page
        assert not re.search(r"<script(?![^>]*\bsrc=)", body), page
        assert not re.search(r"<style|\sstyle=|\son\w+=", body), page
        foreign = re.findall(r"""(?:src|href|action)=["'](https?:|//)[^"']*""", body)
        assert not foreign, page


def test_errors_are_pages_for_people_and_problems_for_programs(app: Flask) -> None:
    client = signed_in(app, "worker")
    assert client.page("/nothing").mimetype == "text/html"
    assert client.page("/walls").status_code == 403
    assert "<html" in client.page("/walls").text
    assert client.get("/api/nothing").mimetype == "application/problem+json"
    assert client.page("/api/nothing").mimetype == "application/problem+json"
    assert client.get("/nothing").mimetype == "application/problem+json"
    visitor = Client(app)
    answer = visitor.page("/incidents?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=/incidents%3Fx%3D1")
    assert visitor.get("/incidents").status_code == 401


def test_a_bug_says_nothing_of_itself(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object, **__: object) -> None:
        raise ValueError(SECRET)

    client = signed_in(app, "operator")
    monkeypatch.setattr("gis_server.journeys.incident_listing.listing", stumble)
    answer = client.get("/api/incidents")
    assert answer.status_code == 500
    assert answer.mimetype == "application/problem+json"
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text


def test_documented_addresses_that_are_not_filled_say_so(app: Flask) -> None:
    client = signed_in(app, "operator")
    for path in ("/plans", "/plans/1", "/analysis", "/notices/230881001001001"):
        answer = client.page(path)
        assert (answer.status_code, answer.mimetype) == (501, "text/html")
        assert (
            client.raw("GET", path, headers={"Accept": "application/json"}).mimetype
            == "application/problem+json"
        )
    for path in ("/ogc", "/ogc/collections"):
        answer = client.get(path)
        assert (answer.status_code, answer.mimetype) == (501, "application/problem+json")


def test_only_the_browsers_own_files_are_served(app: Flask) -> None:
    client = Client(app)
    assert client.get("/static/web/styles/tokens.css").mimetype == "text/css"
    assert client.get("/static/web/pages/wall.js").mimetype == "text/javascript"
    for path in (
        "templates/base.html",
        "tests",
        "build.mjs",
        "styles/../../pyproject.toml",
        "styles/%2e%2e/%2e%2e/pyproject.toml",
        "styles/..%2f..%2fpyproject.toml",
        "styles//tokens.css",
        "styles/",
        "styles/%00",
        "/etc/passwd",
        "vendor/nothing.js",
    ):
        assert client.get(f"/static/web/{path}").status_code in (404, 308), path
    first = client.get("/static/web/pages/wall.js")
    again = client.raw("GET", "/static/web/pages/wall.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    packed = client.raw("GET", "/static/web/pages/wall.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(first.data)


def test_an_open_stream_of_a_revoked_screen_ends(
    app: Flask, city_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gis_server.views.api_events.HEARTBEAT_S", 0.2)
    monkeypatch.setattr("gis_server.views.api_events.RECHECK_S", 0.5)
    client, link_id = screen(app, city_ctx)
    stream = client.http.get("/api/events", buffered=False)
    assert stream.mimetype == "text/event-stream"
    ended = threading.Event()
    received: list[bytes] = []

    def read() -> None:
        received.extend(stream.response)
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    time.sleep(1.0)
    assert not ended.is_set()
    walls.revoke_link(city_ctx, CONSOLE, link_id, datetime.now(UTC))
    assert ended.wait(5)
    stream.close()
    text = b"".join(received).decode()
    assert text.count("event: heartbeat") >= 3
    beats = [json.loads(data)["position"] for data in re.findall(r"event: heartbeat\ndata: (.*)", text)]
    assert all(a <= b for a, b in pairwise(beats))


def test_the_stream_replays_what_a_screen_missed(app: Flask, city_ctx: Context) -> None:
    client, _ = screen(app, city_ctx)
    position = client.get("/api/wall/city").json["position"]
    fill_with_secrets(app, city_ctx)
    for headers, query in (({"Last-Event-ID": str(position)}, {}), ({}, {"after": str(position)})):
        stream = client.http.get("/api/events", headers=headers, query_string=query, buffered=False)
        received = b""
        for chunk in stream.response:
            received += chunk
            if received.count(b"event: incident") == 3:
                break
        stream.close()
        assert SECRET not in received.decode()
        ids = [int(number) for number in re.findall(rb"id: (\d+)\nevent: incident", received)]
        assert ids == sorted(ids)
        assert ids[0] > position
    for bad in ("-1", "x", "1" * 30):
        assert client.raw("GET", "/api/events", headers={"Last-Event-ID": bad}).status_code == 422
    assert Client(app).get("/api/events").status_code == 401
