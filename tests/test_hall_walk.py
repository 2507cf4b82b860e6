"""Everything that a screen link can be answered with, searched for what the hall may not know (requirements 8.1, 8.4; S26).

The addresses come from the application's own map and the parameters from its own description, so that a route which is
added later is walked as well; what is searched for comes from the database.
"""

import html
import io
import json
import math
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import mapbox_vector_tile
import psycopg
import pytest
from city import PASSWORD
from client import Client
from flask import Flask
from werkzeug.test import TestResponse

from gis_server.core.access import CONSOLE, Role, Tier
from gis_server.core.catalogue import LayerKind
from gis_server.core.wall import layers_on_wall
from gis_server.journeys import accounts, walls
from gis_server.journeys.accounts import NewAccount
from gis_server.journeys.context import Context
from gis_server.views import create_app

WEB = Path(__file__).parents[1] / "web"
PACKAGE = WEB.parent / "gis_server"
PARTY = "当事人赫连雁回"
"""Whom an incident is about: in its text, its steps and nowhere else."""
PHONE = "19913572468"


@dataclass(frozen=True)
class Known:
    """What the sample holds: what must not be found, and what addresses and parameters can be made of."""

    protected: dict[str, set[str]]
    hidden_places: list[tuple[float, float]]
    shown_cameras: int
    codes: dict[str, list[str]]
    box: tuple[float, float, float, float]
    place: tuple[float, float]


@pytest.fixture
def hall(sample_ctx: Context) -> Iterator[tuple[Flask, Context]]:
    with application(sample_ctx) as app:
        yield app, sample_ctx


@contextmanager
def application(ctx: Context) -> Iterator[Flask]:
    app = create_app(ctx.settings, ctx)
    try:
        yield app
    finally:
        app.extensions["gis_server"].broadcaster.stop()


def fill(app: Flask, ctx: Context) -> Client:
    """An operator, and incidents of today about somebody, urgent and on their way; what they left in the database."""
    accounts.add_account(
        ctx, CONSOLE, NewAccount("operator", "值班员", Role.OPERATOR), PASSWORD, datetime.now(UTC)
    )
    operator = Client(app)
    assert operator.sign_in("operator").status_code == 303
    lon, lat = rows(ctx, "SELECT ST_X(geom), ST_Y(geom) FROM incident WHERE grid_code IS NOT NULL LIMIT 1")[0]
    for urgent in (True, False):
        report = {"lon": lon, "lat": lat, "datum": "cgcs2000", "source": "public", "urgent": urgent}
        made = operator.post("/api/incidents", report | {"description": f"{PARTY}，电话{PHONE}"})
        assert made.status_code == 201
    return operator


def rows(ctx: Context, query: str) -> list[Any]:
    url = str(ctx.settings.database_url).replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def known(ctx: Context) -> Known:
    """What of the database the hall must never see, by kind."""

    def column(query: str) -> set[str]:
        return {str(row[0]) for row in rows(ctx, query) if row[0] and len(str(row[0])) >= 2}

    public = " ".join(
        column(
            "SELECT area_name FROM area UNION SELECT grid_name FROM grid UNION SELECT sub_grid_name FROM sub_grid"
        )
        | column("SELECT properties::text FROM feature")
    )
    # a name that is also part of a place's public name, or a word of the product's own, says nothing of a person
    public += " ".join(
        path.read_text("utf-8")
        for folder, kinds in ((PACKAGE, ("toml", "po")), (WEB, ("html", "js")))
        for kind in kinds
        for path in folder.rglob(f"*.{kind}")
    )
    people = {name for name in column("SELECT name FROM person") if name not in public}
    cameras = rows(
        ctx,
        "SELECT ST_X(geom), ST_Y(geom) FROM camera JOIN generation g ON g.id = generation_id"
        " WHERE g.state = 'published' AND camera_site_class = 'sensitive_site' AND NOT EXISTS (SELECT FROM camera other"
        " WHERE other.camera_site_class <> 'sensitive_site' AND ST_DWithin(other.geom, camera.geom, 0.000003))",
    )
    shown = rows(ctx, "SELECT count(*) FROM camera WHERE camera_site_class <> 'sensitive_site'")[0][0]
    grid = rows(ctx, "SELECT grid_code FROM grid ORDER BY 1 LIMIT 1")[0][0]
    box = rows(
        ctx,
        "SELECT ST_XMin(b), ST_YMin(b), ST_XMax(b), ST_YMax(b) FROM (SELECT ST_Extent(geom) b FROM area) x",
    )[0]
    return Known(
        protected={
            "people": people,
            "phones": column("SELECT phone FROM person") | {PHONE},
            "staff numbers": {one for one in column("SELECT staff_no FROM person") if len(one) >= 5},
            "parties": {PARTY},
            "texts of incidents": column("SELECT description FROM incident"),
            "addresses": column("SELECT standard_address FROM address"),
            "cameras": column("SELECT camera_code FROM camera UNION SELECT camera_name FROM camera"),
            "secrets": column(
                "SELECT password_hash FROM account UNION SELECT token_hash FROM wall_link UNION SELECT token_hash FROM rating_link"
            ),
        },
        hidden_places=[(float(lon), float(lat)) for lon, lat in cameras],
        shown_cameras=shown,
        codes={
            "area": [
                row[0]
                for row in rows(ctx, "SELECT area_code FROM area ORDER BY length(area_code), 1 LIMIT 6")
            ],
            "grid": [grid],
            "incident": [
                str(row[0]) for row in rows(ctx, "SELECT id FROM incident ORDER BY id DESC LIMIT 3")
            ],
        },
        box=tuple(box),
        place=tuple(rows(ctx, "SELECT ST_X(geom), ST_Y(geom) FROM incident ORDER BY id DESC LIMIT 1")[0]),
    )


def in_path(name: str, converter: str, facts: Known, layers: Sequence[str]) -> list[str]:
    """Values for a place in an address; for one that nobody has named yet, all codes there are or small numbers."""
    named = {
        "layer": list(layers),
        "wall_id": ["city", *facts.codes["area"][:2]],
        "incident_id": facts.codes["incident"],
        "generation_id": [str(number) for number in range(1, 10)],
        "job_id": ["00000000-0000-0000-0000-000000000000"],
        "language": ["zh", "en"],
        "chosen": ["en"],
        "token": ["x"],
        "name": ["pages/wall.js"],
        "_rest": ["x"],
    }
    if name in named:
        return named[name]
    if converter in ("int", "id", "float"):
        return ["1", "2"]
    if converter == "uuid":
        return ["00000000-0000-0000-0000-000000000000"]
    return ["city", *facts.codes["area"][:3], *facts.codes["grid"], *facts.codes["incident"][:1]]


def tiles(facts: Known) -> Iterator[dict[str, int]]:
    """From the whole world to the street, always where something hidden is."""
    lon, lat = facts.hidden_places[0]
    for zoom in (0, 9, 12, 14, 16):
        down = (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
        yield {"z": zoom, "x": int((lon / 360 + 0.5) * 2**zoom), "y": int(down * 2**zoom)}


def paths(app: Flask, facts: Known, layers: Sequence[str]) -> Iterator[str]:
    """Every address that answers GET, with real values in its places."""
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        places = re.findall(r"<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>", rule.rule)
        if {"z", "x", "y"} <= {name for _, name in places}:
            for tile in tiles(facts):
                address = rule.rule
                for name in ("z", "x", "y"):
                    address = re.sub(rf"<(?:\w+:)?{name}>", str(tile[name]), address)
                yield from filled(address, facts, layers)
        else:
            yield from filled(rule.rule, facts, layers)
    for kind in ("core", "map", "pages", "styles", "ui", "worker"):
        yield from (f"/static/web/{kind}/{file.name}" for file in (WEB / kind).iterdir() if file.is_file())


def filled(address: str, facts: Known, layers: Sequence[str]) -> Iterator[str]:
    found = [address]
    for whole, converter, name in re.findall(r"(<(?:(\w+)(?:\([^)]*\))?:)?(\w+)>)", address):
        found = [
            one.replace(whole, value) for one in found for value in in_path(name, converter, facts, layers)
        ]
    yield from found


def queries(document: dict[str, Any], facts: Known) -> Iterator[tuple[re.Pattern[str], list[str]]]:
    """For every described address the queries that are asked of it: nothing, what it needs, and each parameter it knows."""
    for path, methods in document["paths"].items():
        described = [one for one in methods.get("get", {}).get("parameters", ()) if one["in"] == "query"]
        needed = {one["name"]: values(one, facts)[0] for one in described if one.get("required")}
        asked = [needed] + [
            needed | {one["name"]: value} for one in described for value in values(one, facts)
        ]
        yield (
            re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))),
            ["?" + urlencode(one) if one else "" for one in asked],
        )


def values(parameter: dict[str, Any], facts: Known) -> list[str]:
    schema, name = parameter["schema"], parameter["name"]
    lon, lat = facts.place
    own = {
        "lon": [str(lon)],
        "lat": [str(lat)],
        "bbox": [",".join(map(str, facts.box))],
        "number": ["1"],
        "grid": facts.codes["grid"],
        "area": facts.codes["area"][:2],
        "wall": ["city"],
        "q": ["社区"],
        "fields": ["grid_name", "resident_households", "camera_name", "person"],
        "limit": ["50"],
    }
    if name in own:
        return own[name]
    if "enum" in schema:
        return [str(value) for value in schema["enum"]]
    if schema.get("format") == "date-time":
        return [datetime.now(UTC).isoformat()]
    return {"integer": ["1", "50"], "number": ["100"], "boolean": ["true"]}.get(
        str(schema.get("type")), ["1", facts.codes["grid"][0]]
    )


def walk(client: Client, app: Flask, ctx: Context, facts: Known) -> Iterator[tuple[str, TestResponse]]:
    """Every answer that this client can get, with its address; the stream apart."""
    document = client.get("/openapi.json").json
    described = list(queries(document, facts))
    for path in dict.fromkeys(paths(app, facts, list(ctx.catalogue.layers))):
        if path == "/api/events":
            continue
        asked = next((some for pattern, some in described if pattern.fullmatch(path)), [""])
        for query in dict.fromkeys(asked):
            yield path + query, client.get(path + query)
        if not path.startswith(("/api/", "/static/", "/tiles/", "/base/")):
            yield path + " as a page", client.page(path)


def words_of(answer: TestResponse) -> str:
    """All that an answer says, however it is packed, escaped or encoded."""
    body = answer.data
    if body[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"\n".join(archive.read(name) for name in archive.namelist())
    said = body.decode("utf-8", "replace")
    if "\\u" in said:
        said += re.sub(r"\\u([0-9a-f]{4})", lambda found: chr(int(found[1], 16)), said)
    if "&" in said and answer.mimetype == "text/html":
        said += html.unescape(said)
    return said + "".join(f"{name}: {value}\n" for name, value in answer.headers.items())


def found_in(said: str, protected: dict[str, set[str]]) -> set[tuple[str, str]]:
    """One of each kind that stands in a text. Thousands share their beginnings, so those are looked for first."""
    found = set()
    for kind, some in protected.items():
        beginnings: dict[str, list[str]] = {}
        for one in some:
            beginnings.setdefault(one[:4], []).append(one)
        likely = (one for beginning, all_of in beginnings.items() if beginning in said for one in all_of)
        found |= {(kind, one) for one in islice((one for one in likely if one in said), 1)}
    return found


def screen(app: Flask, ctx: Context, wall_id: str) -> Client:
    link = walls.make_link(ctx, CONSOLE, wall_id, label="大厅主屏", now=datetime.now(UTC))
    client = Client(app)
    assert client.page(f"/wall/{wall_id}?key={link.token}").status_code == 302
    return client


def features_of(
    answer: TestResponse,
) -> Iterator[tuple[str | None, dict[str, Any], tuple[float, ...] | None]]:
    """Layer (of a tile), properties and place (of a point in GeoJSON) of each feature of an answer."""
    if answer.mimetype == "application/vnd.mapbox-vector-tile":
        for name, layer in mapbox_vector_tile.decode(answer.data).items():
            yield from ((name.removesuffix("_label"), one["properties"], None) for one in layer["features"])
    elif answer.mimetype == "application/geo+json":
        for one in answer.json["features"]:
            geometry = one["geometry"] or {}
            yield (
                None,
                one["properties"],
                tuple(geometry["coordinates"]) if geometry.get("type") == "Point" else None,
            )


def is_among(place: tuple[float, ...], places: Sequence[tuple[float, ...]]) -> bool:
    """Whether a place is one of these; answers are rounded to centimetres."""
    return any(abs(place[0] - lon) < 2e-6 and abs(place[1] - lat) < 2e-6 for lon, lat in places)


def test_s26_nothing_a_screen_link_can_be_answered_with_tells_more_than_the_hall_may_know(
    hall: tuple[Flask, Context],
) -> None:
    app, ctx = hall
    fill(app, ctx)
    client = screen(app, ctx, "city")
    facts = known(ctx)
    assert all(facts.protected.values()), {kind: len(some) for kind, some in facts.protected.items()}
    assert len(facts.protected["people"]) > 100
    allowed = {
        layer.name: {name for name, field in layer.fields.items() if field.tier <= Tier.HALL}
        for layer in ctx.catalogue.layers.values()
    }
    # of rows above the hall's tier nothing may come at all, in whatever form: also not without a name
    hidden_classes = {
        layer.name: (
            layer.row_tier.field,
            {kind for kind, tier in layer.row_tier.tiers.items() if tier > Tier.HALL},
        )
        for layer in ctx.catalogue.layers.values()
        if layer.row_tier is not None
    }
    assert "camera" in hidden_classes
    assert len(facts.hidden_places) > 20
    cameras = client.get("/api/layers/camera/features").json["features"]
    assert len(cameras) == facts.shown_cameras
    said: dict[str, str] = {}
    opened: set[str] = set()
    looked_into: set[str | None] = set()
    for address, answer in walk(client, app, ctx, facts):
        assert answer.status_code < 500 or answer.status_code in (501, 503), (address, answer.text[:300])
        said.setdefault(words_of(answer), address)
        if answer.status_code != 200:
            continue
        opened.add(address.split("?")[0])
        layer = (re.match(r"/(?:api/layers|tiles)/(\w+)", address) or [None, None])[1]
        for name, properties, place in features_of(answer):
            if (name or layer) in allowed:
                assert set(properties) <= allowed[name or layer or ""], address
            field, classes = hidden_classes.get(name or layer or "", ("", set()))
            assert properties.get(field) not in classes, address
            if place is not None:
                assert not is_among(place, facts.hidden_places), address
        if "/extents" in address:
            boxes = answer.json["boxes"]
            assert not any(is_among(box, facts.hidden_places) for box in boxes), address
            looked_into.add(layer)
        if address.startswith("/tiles/"):
            looked_into.add(layer)
    assert looked_into >= {"camera", "grid", "area"}
    for text, address in said.items():
        assert not found_in(text, facts.protected), address
    assert {"/wall/city", "/api/wall/city", "/api/wall/city/statistics", "/api/wall/city/replay"} <= opened
    assert {"/api/layers/grid/features", "/api/layers/camera/features", "/api/catalogue"} <= opened
    assert not any("/api/incidents" in one or "/api/roster" in one for one in opened), sorted(opened)
    assert len(said) > 150, len(said)


def test_a_link_to_a_communitys_wall_is_told_of_no_grid_and_no_incident_elsewhere(
    hall: tuple[Flask, Context],
) -> None:
    app, ctx = hall
    fill(app, ctx)
    facts = known(ctx)
    [(own,)] = rows(ctx, "SELECT area_path[3] FROM incident ORDER BY id DESC LIMIT 1")
    client = screen(app, ctx, own)
    elsewhere = f"IS DISTINCT FROM '{own}'"
    not_its_own = {
        "grids elsewhere": {
            row[0] for row in rows(ctx, f"SELECT grid_code FROM grid WHERE community_code {elsewhere}")
        },
        "incidents elsewhere": {
            row[0] for row in rows(ctx, f"SELECT number FROM incident WHERE area_path[3] {elsewhere}")
        },
    }
    # an address that names a grid may be repeated in the answer's sentence
    grid = rows(ctx, f"SELECT min(grid_code) FROM grid WHERE community_code = '{own}'")[0][0]
    facts = replace(facts, codes=facts.codes | {"grid": [grid], "area": [own]})
    assert all(not_its_own.values())
    opened = 0
    said: dict[str, str] = {}
    for address, answer in walk(client, app, ctx, facts):
        assert answer.status_code < 500 or answer.status_code in (501, 503), (address, answer.text[:300])
        opened += answer.status_code == 200
        said.setdefault(words_of(answer), address)
    for words, address in said.items():
        assert not found_in(words, not_its_own), address
    assert opened > 80, opened


def test_a_screen_link_changes_nothing(hall: tuple[Flask, Context]) -> None:
    """With its cookie and its page's token, at every address that takes anything but a question."""
    app, ctx = hall
    fill(app, ctx)
    client = screen(app, ctx, "city")
    facts = known(ctx)
    state = "SELECT (SELECT count(*) FROM audit WHERE outcome <> 'denied'), (SELECT max(id) FROM event)"
    before = rows(ctx, state)
    asked = 0
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}):
            for address in filled(rule.rule, facts, list(ctx.catalogue.layers)):
                if address in ("/sign-in", "/sign-out"):
                    continue
                answer = client.raw(method, address, json={}, headers={"X-CSRFToken": client.csrf()})
                asked += 1
                assert answer.status_code in (401, 403, 404), (method, address, answer.text)
                assert not found_in(words_of(answer), facts.protected), address
    assert asked > 30, asked
    assert rows(ctx, state) == before


def test_the_walk_finds_every_kind_of_secret_for_those_who_may_know_them(hall: tuple[Flask, Context]) -> None:
    """The search is not blind: the same walk by an administrator meets what the hall's did not."""
    app, ctx = hall
    fill(app, ctx)
    accounts.add_account(
        ctx,
        CONSOLE,
        NewAccount("admin", "管理员", Role.ADMIN, tier=Tier.PROTECTED),
        PASSWORD,
        datetime.now(UTC),
    )
    admin = Client(app)
    admin.sign_in("admin")
    facts = known(ctx)
    grid = facts.codes["grid"][0]
    sought = ("/api/roster", "/api/incidents", "/api/layers/camera/features", f"/api/grids/{grid}/card")
    answers = [admin.get(address) for address in sought]
    answers.append(admin.get("/api/addresses", q=min(facts.protected["addresses"])))
    assert [answer.status_code for answer in answers] == [200] * 5
    kinds = {kind for answer in answers for kind, _ in found_in(words_of(answer), facts.protected)}
    assert kinds >= set(facts.protected) - {"secrets", "staff numbers"}  # those nobody needs to be told
    places = [place for answer in answers for _, _, place in features_of(answer) if place is not None]
    assert all(is_among(hidden, places) for hidden in facts.hidden_places)


def test_the_stream_of_a_screen_link_tells_no_more_either(hall: tuple[Flask, Context]) -> None:
    app, ctx = hall
    client = screen(app, ctx, "city")
    position = client.get("/api/wall/city").json["position"]
    operator = fill(app, ctx)
    number = rows(ctx, "SELECT id FROM incident ORDER BY id DESC LIMIT 1")[0][0]
    assert operator.post(f"/api/incidents/{number - 1}/acknowledgement", {}).status_code == 204
    assert operator.post("/api/wall/city/scene", {"scene": "overview", "seconds": 30}).status_code == 204
    facts = known(ctx)
    stream = client.http.get(
        "/api/events", query_string={"after": str(position), "wall": "city"}, buffered=False
    )
    received = b""
    for chunk in stream.response:
        received += chunk
        if received.count(b"event: incident") >= 2 and b"event: scene" in received:
            break
    stream.close()
    assert not found_in(received.decode(), facts.protected)
    told = [json.loads(data) for data in re.findall(r"event: incident\ndata: (.*)", received.decode())]
    assert all("description" not in one and "item" not in one and "id" not in one for one in told)


def test_s26_under_zhenjiang_the_big_screen_draws_the_division_with_counts_per_grid(
    sample_ctx: Context,
) -> None:
    ctx = replace(sample_ctx, settings=replace(sample_ctx.settings, profile="zhenjiang"))
    with application(ctx) as app:
        fill(app, ctx)
        area = rows(ctx, "SELECT area_path[3] FROM incident ORDER BY id DESC LIMIT 1")[0][0]
        client = screen(app, ctx, area)
        page = client.page(f"/wall/{area}")
        state = client.get(f"/api/wall/{area}").json
        assert page.status_code == 200
        # the division map: the grids of this area and no others, each a polygon
        (grids,) = [url for url in state["layers"] if "/grid/" in url]
        division = client.get(grids).json["features"]
        codes = {one["properties"]["grid_code"] for one in division}
        expected = {
            row[0] for row in rows(ctx, f"SELECT grid_code FROM grid WHERE community_code = '{area}'")
        }
        assert codes == expected
        assert {one["geometry"]["type"] for one in division} <= {"Polygon", "MultiPolygon"}
        # with counts per grid
        counts = {one["grid_code"]: one["open"] for one in state["grids"]}
        open_now = rows(
            ctx,
            "SELECT grid_code, count(*) FROM incident WHERE state NOT IN ('archived', 'refused')"
            f" AND area_path[3] = '{area}' AND grid_code IS NOT NULL GROUP BY 1",
        )
        assert counts == dict(open_now)
        assert sum(counts.values()) >= 2
        # and no element of the page or its data source holds a key person, a party or a text
        facts = known(ctx)
        sources = [f"/api/wall/{area}{part}" for part in ("", "/statistics", "/replay", "/ranking")]
        sources += [quote(url, safe="/?=&") for url in state["layers"]]
        for address in (f"/wall/{area}", *sources, "/api/catalogue"):
            answer = client.page(address) if address.startswith("/wall/") else client.get(address)
            assert answer.status_code == 200, address
            assert not found_in(words_of(answer), facts.protected), address


def test_the_layers_of_a_wall_are_those_of_the_hall(sample_ctx: Context) -> None:
    shown = layers_on_wall(sample_ctx.catalogue)
    assert {"grid", "area", "camera"} <= set(shown)
    for name in shown:
        layer = sample_ctx.catalogue.layers[name]
        assert layer.tier <= Tier.HALL
        assert layer.kind is not LayerKind.RECORD
    assert "address" not in shown
