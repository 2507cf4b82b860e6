"""Who sees what in tiles and extents: the hall, towns, the protected tier, and screens bound to their wall."""

import gzip
from datetime import UTC, datetime

import mapbox_vector_tile as reader
import pytest
from city import COMMUNITIES, SECRET, TOWNS
from client import Client, signed_in, token_client
from flask import Flask
from test_security import screen
from test_tiles import PLACE, ZOOM, X, Y, entry, publish_squares

from gis_server.core.access import CONSOLE
from gis_server.core.tile import WHOLE_ROWS
from gis_server.journeys import walls
from gis_server.journeys.context import Context
from gis_server.store import audit

PROTECTED = (
    SECRET,
    "23088100001310000002",
    "resident_households",
    "actual_population",
    "managing_department",
)
SENSITIVE = "23088100001310000002"


def around() -> list[str]:
    """The tiles of the city and of all that is around it."""
    places = [PLACE]
    for zoom in range(ZOOM + 3):
        shift = zoom - ZOOM
        columns = range(X >> -shift, (X >> -shift) + 1) if shift <= 0 else range(X << shift, (X + 1) << shift)
        rows = range(Y >> -shift, (Y >> -shift) + 1) if shift <= 0 else range(Y << shift, (Y + 1) << shift)
        places += [f"{zoom}/{x}/{y}" for x in columns for y in rows]
    return places


def keys(client: Client, layer: str, key: str, place: str = PLACE) -> set[str]:
    answer = client.get(f"/tiles/{layer}/{place}.mvt")
    if answer.status_code == 204:
        return set()
    assert answer.status_code == 200
    features = reader.decode(answer.data)[layer]["features"]
    return {one["properties"].get(key) for one in features}


def test_no_byte_of_a_tile_shows_the_hall_what_is_above_its_tier(app: Flask, city_ctx: Context) -> None:
    client, _ = screen(app, city_ctx)
    seen = 0
    for layer in city_ctx.catalogue.layers:
        for path in (f"/api/layers/{layer}/extents", *(f"/tiles/{layer}/{place}.mvt" for place in around())):
            for headers in ({}, {"Accept-Encoding": "gzip"}):
                answer = client.raw("GET", path, headers=headers)
                if answer.status_code not in (200, 204):
                    assert answer.status_code == 404
                    break
                body = answer.data
                if answer.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                seen += bool(body)
                for word in PROTECTED:
                    assert word.encode() not in body, (path, word)
                if layer == "camera":  # neither codes nor names are the hall's
                    assert b"camera_code" not in body
                    assert b"camera_name" not in body
    assert seen > 50


def test_the_protected_tier_sees_it_and_leaves_a_row(app: Flask, city_ctx: Context) -> None:
    admin = token_client(app, city_ctx, "admin")
    assert SENSITIVE in keys(admin, "camera", "camera_code")
    assert SENSITIVE in admin.get("/api/layers/camera/extents").json["keys"]
    assert SENSITIVE not in keys(token_client(app, city_ctx, "operator"), "camera", "camera_code")
    with city_ctx.engine.connect() as conn:
        rows = [row for row in audit.latest(conn) if row.act == "protected_read"]
    assert [(row.actor, row.subject) for row in rows] == [("admin", "camera")] * 2
    # who keeps the tile already, and asks whether it is still so, is no less noted
    tag = admin.get(f"/tiles/camera/{PLACE}.mvt").headers["ETag"]
    assert admin.raw("GET", f"/tiles/camera/{PLACE}.mvt", headers={"If-None-Match": tag}).status_code == 304
    with city_ctx.engine.connect() as conn:
        assert len([row for row in audit.latest(conn) if row.act == "protected_read"]) == 4


def test_fields_above_the_tier_are_refused_in_extents(app: Flask, city_ctx: Context) -> None:
    client, _ = screen(app, city_ctx)
    refused = client.get("/api/layers/grid/extents", fields="resident_households")
    assert refused.status_code == 422
    assert "resident_households" not in refused.json["expected"]
    assert client.get("/api/layers/camera/extents").json["keys"] == [None, None]


def test_a_town_sees_its_own_ground(app: Flask, city_ctx: Context) -> None:
    west, east = token_client(app, city_ctx, "west"), token_client(app, city_ctx, "east")
    for layer, key, of_all in (("grid", "grid_code", 8), ("sub_grid", "sub_grid_code", 16)):
        own = keys(west, layer, key)
        assert own
        assert all(code.startswith(TOWNS[0]) for code in own)
        assert len(own | keys(east, layer, key)) == of_all
        assert set(west.get(f"/api/layers/{layer}/extents").json["keys"]) == own
    assert keys(west, "area", "area_code") == {TOWNS[0], *COMMUNITIES[:2]}
    assert keys(west, "camera", "camera_code") == {"23088100001310000001"}
    assert entry(west, "grid")["count"] == 4
    assert entry(west, "camera")["count"] == 1
    box = west.get("/api/catalogue").json["bounds"]
    assert box[2] == pytest.approx(127.02)


def test_a_link_to_a_wall_sees_the_ground_of_its_wall(app: Flask, city_ctx: Context) -> None:
    town, _ = screen(app, city_ctx, TOWNS[1])
    community, _ = screen(app, city_ctx, COMMUNITIES[0])
    city, _ = screen(app, city_ctx)
    assert {code[:9] for code in keys(town, "grid", "grid_code")} == {TOWNS[1]}
    assert {code[:12] for code in keys(community, "grid", "grid_code")} == {COMMUNITIES[0]}
    assert len(keys(city, "grid", "grid_code")) == 8
    # what one screen has been given is not given to the next
    assert len(keys(community, "grid", "grid_code")) == 2


def test_a_revoked_link_gets_no_tile(app: Flask, city_ctx: Context) -> None:
    client, link = screen(app, city_ctx)
    tag = client.get(f"/tiles/grid/{PLACE}.mvt").headers["ETag"]
    walls.revoke_link(city_ctx, CONSOLE, link, datetime.now(UTC))
    assert client.get(f"/tiles/grid/{PLACE}.mvt").status_code == 401
    known = client.raw("GET", f"/tiles/grid/{PLACE}.mvt", headers={"If-None-Match": tag})
    assert known.status_code == 401
    assert client.get("/api/layers/grid/extents").status_code == 401


def test_nobody_signed_in_gets_a_tile(app: Flask) -> None:
    client = Client(app)
    for path in (f"/tiles/grid/{PLACE}.mvt", f"/tiles/nothing/{PLACE}.mvt", "/api/layers/grid/extents"):
        assert client.get(path).status_code == 401


def test_the_address_of_another_reader_opens_nothing_more(app: Flask, city_ctx: Context) -> None:
    publish_squares(city_ctx, WHOLE_ROWS + 1)
    operator = signed_in(app, "operator")
    url = entry(operator, "grid")["tiles"]["url"].format(z=ZOOM, x=X, y=Y)
    east = token_client(app, city_ctx, "east")
    # all squares belong to a community of the western town
    answer = east.get(url)
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Cache-Control"] == "private, no-cache"
