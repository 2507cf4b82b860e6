"""Photos: decoded, stripped, kept with their incident, and seen by those who may."""

import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from city import SECRET, inside
from client import Client, token_client
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import GPS, bomb, gif, jpeg, png, webp
from PIL import Image
from sqlalchemy import text
from test_commands import run
from test_security import screen

from gis_server.core.access import CONSOLE, Role, Tier
from gis_server.core.errors import UnusableInput
from gis_server.files.photo import read_photo
from gis_server.journeys import accounts
from gis_server.journeys.accounts import NewAccount
from gis_server.journeys.context import Context
from gis_server.journeys.incidents import rules
from gis_server.journeys.opening import context
from gis_server.settings import Settings
from gis_server.views import create_app


def incident(client: Client, **changes: object) -> int:
    report = {**inside(0), "description": "井盖缺失", "source": "patrol", **changes}
    return int(client.post("/api/incidents", report).json["id"])


def send(client: Client, incident_id: int, *photos: bytes, **fields: str) -> object:
    data = {"photo": [(io.BytesIO(photo), f"{n}.jpg") for n, photo in enumerate(photos)], **fields}
    return client.raw("POST", f"/api/incidents/{incident_id}/photos", data=data)


@pytest.fixture
def operator(app: Flask, city_ctx: Context) -> Client:
    return token_client(app, city_ctx, "operator")


def rows(ctx: Context, query: str) -> list[tuple[object, ...]]:
    with ctx.engine.connect() as conn:
        return [tuple(row) for row in conn.execute(text(query))]


def test_a_photo_is_kept_upright_without_what_the_form_does_not_keep(operator: Client) -> None:
    number = incident(operator)
    photo = jpeg((3000, 1500), taken="2026:05:01 08:30:00", gps=GPS, orientation=6, maker=SECRET)
    answer = send(operator, number, photo)
    assert answer.status_code == 201, answer.text
    (kept,) = answer.json["photos"]
    assert (kept["width"], kept["height"]) == (1024, 2048)
    # the camera states no offset: the deployment's zone
    assert datetime.fromisoformat(kept["taken_at"]) == datetime(2026, 5, 1, 0, 30, tzinfo=UTC)
    assert kept["taken_place"] is None
    served = operator.get(kept["url"])
    assert served.mimetype == "image/jpeg"
    image = Image.open(io.BytesIO(served.data))
    assert (image.size, image.format) == ((1024, 2048), "JPEG")
    assert not image.getexif()
    assert not {"exif", "comment", "icc_profile", "xmp", "photoshop"} & set(image.info)
    assert b"a comment" not in served.data
    assert SECRET.encode() not in served.data
    # turned by a quarter: what was on the left is above, on the right
    assert image.getpixel((1000, 30))[0] > 200
    assert image.getpixel((20, 2000))[0] < 150
    small = Image.open(io.BytesIO(operator.get(kept["thumbnail"]).data))
    assert max(small.size) == 320


def test_the_place_is_kept_where_the_reporter_agrees(operator: Client) -> None:
    number = incident(operator)
    photo = jpeg(taken="2026:05:01 08:30:00", offset="+09:00", gps=GPS)
    (kept,) = send(operator, number, photo, keep_place="yes").json["photos"]
    assert kept["taken_place"] == {"lon": pytest.approx(127.51), "lat": pytest.approx(47.258333333)}
    assert datetime.fromisoformat(kept["taken_at"]) == datetime(2026, 4, 30, 23, 30, tzinfo=UTC)
    assert send(operator, number, jpeg(), keep_place="perhaps").json["field"] == "keep_place"
    assert send(operator, number, jpeg(), place="yes").json["field"] == "place"


@pytest.mark.parametrize("make", [png, lambda: png(transparent=True), webp])
def test_what_browsers_and_phones_give_is_read(operator: Client, make: Callable[[], bytes]) -> None:
    answer = send(operator, incident(operator), make())
    assert (answer.status_code, answer.json["photos"][0]["width"]) == (201, 300)
    image = Image.open(io.BytesIO(operator.get(answer.json["photos"][0]["url"]).data))
    assert (image.format, image.mode) == ("JPEG", "RGB")


def test_a_page_hidden_behind_a_picture_is_left_behind(operator: Client) -> None:
    script = b"<script>alert(1)</script>PK\x03\x04"
    (kept,) = send(operator, incident(operator), jpeg() + script).json["photos"]
    served = operator.get(kept["url"])
    assert b"script" not in served.data
    assert b"PK\x03\x04" not in served.data
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert served.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert served.headers["Cache-Control"] == "private, no-store"
    assert served.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert served.headers["Content-Disposition"].startswith("inline; filename=")


NO_PHOTOS = {
    "nothing": b"",
    "text": b"hello",
    "page": b"<html><script>alert(1)</script></html>",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
    "gif": gif(),
    "cut short": jpeg((2000, 2000))[:3000],
    "header only": b"\xff\xd8\xff\xe0\x00\x10JFIF",
    "bomb": bomb(),
    "wide bomb": bomb(60_001, 1_000),
    "pdf": b"%PDF-1.7\n%\xe2\xe3",
}


@pytest.mark.parametrize("name", NO_PHOTOS)
def test_what_is_no_photo_is_refused_and_leaves_nothing(
    operator: Client, city_ctx: Context, name: str
) -> None:
    number = incident(operator)
    answer = send(operator, number, jpeg(), NO_PHOTOS[name])
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")
    assert (answer.json["field"], bool(answer.json["expected"])) == ("photo", True)
    assert rows(city_ctx, "SELECT count(*) FROM photo") == [(0,)], "the good one beside it stays out too"


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_broken_bytes_are_a_refusal_and_never_a_bug(data: st.DataObject) -> None:
    photo = bytearray(data.draw(st.sampled_from([JPEG, PNG, WEBP])))
    chance = random.Random(data.draw(st.integers()))
    for _ in range(data.draw(st.integers(1, 30))):
        photo[chance.randrange(len(photo))] = chance.randrange(256)
    cut = data.draw(st.integers(0, len(photo)))
    try:
        kept = read_photo(bytes(photo[cut // 4 :]), zone=UTC, keep_place=True)
    except UnusableInput:
        return
    assert max(kept.width, kept.height) <= 2048


JPEG = jpeg((120, 80), taken="2026:05:01 08:30:00", gps=GPS, orientation=3)
PNG, WEBP = png((60, 40), transparent=True), webp()


@pytest.mark.parametrize(
    "gps",
    [
        {**GPS, 2: (99.0, 0.0, 0.0)},
        {**GPS, 2: ()},
        {1: "N"},
        {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)},
    ],
)
def test_a_place_that_is_none_is_not_kept(gps: dict[int, object]) -> None:
    assert read_photo(jpeg(gps=gps), zone=UTC, keep_place=True).taken_place is None


@pytest.mark.parametrize("taken", ["", "0000:00:00 00:00:00", "yesterday", "2026-05-01 08:00:00"])
def test_a_time_that_is_none_is_not_kept(taken: str) -> None:
    assert read_photo(jpeg(taken=taken), zone=UTC, keep_place=False).taken_at is None


def test_the_same_photo_sent_again_is_kept_once(operator: Client, city_ctx: Context) -> None:
    number, photo = incident(operator), jpeg()
    first, again = send(operator, number, photo), send(operator, number, photo, photo)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json == again.json
    assert rows(city_ctx, "SELECT count(*) FROM photo") == [(1,)]
    assert rows(city_ctx, "SELECT count(*) FROM audit WHERE act = 'add_photo'") == [(1,)]
    other = incident(operator, **inside(1))
    assert send(operator, other, photo).status_code == 201, "the same picture may show two incidents"


def test_only_so_many_and_so_large(operator: Client, city_ctx: Context) -> None:
    number = incident(operator)
    six = [jpeg(colour=(n, n, n)) for n in range(0, 180, 30)]
    assert send(operator, number, *six).status_code == 201
    seventh = send(operator, number, jpeg(colour=(255, 0, 0)))
    assert (seventh.status_code, seventh.json["field"]) == (409, "photo")
    assert send(operator, number, six[3]).status_code == 200, "what is there is no seventh"
    large = send(operator, incident(operator), jpeg() + b"\0" * (13 * 2**20))
    assert (large.status_code, large.json["field"]) == (422, "photo")
    huge = send(operator, incident(operator), jpeg() + b"\0" * (80 * 2**20))
    assert huge.status_code == 413
    assert send(operator, number).json["field"] == "photo"


def test_reporters_add_to_their_own_and_those_at_work_to_their_towns(app: Flask, city_ctx: Context) -> None:
    worker, operator, east = (token_client(app, city_ctx, name) for name in ("worker", "operator", "east"))
    analyst = token_client(app, city_ctx, "analyst")
    own, foreign = incident(worker), incident(operator)
    assert send(worker, own, jpeg()).status_code == 201
    assert send(worker, foreign, jpeg()).status_code == 201, "in the worker's own community"
    assert send(east, own, jpeg()).status_code == 403
    assert send(analyst, own, jpeg()).status_code == 403
    assert send(analyst, incident(analyst), jpeg()).status_code == 201
    assert send(worker, 999999, jpeg()).status_code == 404


def test_photos_are_seen_by_those_who_may_read_the_incident(app: Flask, city_ctx: Context) -> None:
    operator, worker = token_client(app, city_ctx, "operator"), token_client(app, city_ctx, "worker")
    number = incident(operator)
    url = send(operator, number, jpeg()).json["photos"][0]["url"]
    hall, _ = screen(app, city_ctx)
    display, east = token_client(app, city_ctx, "display"), token_client(app, city_ctx, "east")
    unit = NewAccount("unit", "别的单位", Role.HANDLING_UNIT)
    accounts.add_account(city_ctx, CONSOLE, unit, "correct horse battery", datetime.now(UTC))
    for address in (url, f"{url}?size=thumbnail", f"/api/incidents/{number}/photos"):
        assert operator.get(address).status_code == 200
        assert worker.get(address).status_code == 200, "in the worker's own community"
        for client in (hall, display, east, token_client(app, city_ctx, "unit")):
            assert client.get(address).status_code == 403, address
        assert Client(app).get(address).status_code == 401
    assert operator.get(f"{url}?size=huge").json["field"] == "size"
    assert operator.get(f"/api/incidents/{incident(operator)}/photos/1").status_code == 404
    assert operator.get(url + "999").status_code == 404


def test_photos_of_a_protected_item_are_for_the_protected_tier_and_leave_a_row(city_ctx: Context) -> None:
    city_ctx = replace(city_ctx, settings=replace(city_ctx.settings, profile="taizhou"))
    app = create_app(city_ctx.settings, city_ctx)
    operator, admin = token_client(app, city_ctx, "operator"), token_client(app, city_ctx, "admin")
    number = incident(operator, item=protected_item(city_ctx))
    (photo,) = send(operator, number, jpeg()).json["photos"]
    assert operator.get(photo["url"]).status_code == 403
    assert operator.get(photo["thumbnail"]).status_code == 403
    assert operator.get(f"/api/incidents/{number}/photos").json["photos"] == []
    assert admin.get(photo["url"]).status_code == 200
    read = "SELECT count(*) FROM audit WHERE act = 'protected_read' AND subject = 'photo' AND actor = 'admin'"
    assert rows(city_ctx, read) == [(1,)]


def protected_item(ctx: Context) -> str:
    items = rules(ctx).items.items
    return next(key for key, item in items.items() if item.protection.tier is Tier.PROTECTED)


def test_photos_are_only_added(city_ctx: Context, operator: Client) -> None:
    send(operator, incident(operator), jpeg())
    for statement in ("UPDATE photo SET width = 1", "DELETE FROM photo", "TRUNCATE photo"):
        with pytest.raises(Exception, match="append-only"), city_ctx.engine.begin() as conn:
            conn.execute(text(statement))


def test_a_backup_holds_the_photos_with_their_incidents(
    operator: Client, city_ctx: Context, empty_database_url: str, tmp_path: Path
) -> None:
    """What is brought back is the same to the last byte, and is still only added to."""
    send(operator, incident(operator), jpeg((1600, 1200)), png())
    file = tmp_path / "gis.backup"
    url = str(city_ctx.settings.database_url)
    assert run("db", "backup", str(file), GIS_DATABASE_URL=url).returncode == 0
    assert run("db", "restore", str(file), GIS_DATABASE_URL=empty_database_url).returncode == 0
    query = "SELECT incident_id, sha256, md5(image), md5(thumbnail), taken_at FROM photo ORDER BY id"
    settings = Settings.from_environment({"GIS_DATABASE_URL": empty_database_url, "GIS_VAR": str(tmp_path)})
    restored = context(settings, empty_database_url)
    try:
        assert rows(restored, query) == rows(city_ctx, query) != []
        with pytest.raises(Exception, match="append-only"), restored.engine.begin() as conn:
            conn.execute(text("DELETE FROM photo"))
    finally:
        restored.engine.dispose()
