"""What the phone takes along: a frame with nobody's name in it, every file it needs, and a version that follows them."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from city import PEOPLE, inside
from client import Client, signed_in, token_client
from flask import Flask

from gis_server.journeys.context import Context
from gis_server.settings import PROJECT_FOLDER
from gis_server.views.security import HEADERS

WEB = PROJECT_FOLDER / "web"


def listed(client: Client) -> tuple[str, list[str]]:
    """Version and files of the worker as it is served now."""
    body = client.get("/report/worker.js").text
    version = re.search(r'"version":"(\w+)"', body)
    files = re.search(r'"files":\[([^\]]*)\]', body)
    assert version is not None
    assert files is not None
    return version[1], re.findall(r'"([^"]+)"', files[1])


def test_the_worker_may_serve_the_page_and_keeps_the_policy(app: Flask) -> None:
    answer = Client(app).get("/report/worker.js")
    assert (answer.status_code, answer.mimetype) == (200, "text/javascript")
    assert answer.headers["Service-Worker-Allowed"] == "/report"
    assert answer.headers["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-cache"
    again = Client(app).raw("GET", "/report/worker.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_every_file_that_the_page_needs_is_taken_along(app: Flask) -> None:
    client = Client(app)
    _, files = listed(client)
    assert len(files) == len(set(files))
    for file in files:
        assert client.get(file).status_code == 200, file
    for language in ("zh", "en"):
        shell = client.page(f"/report/shell/{language}").text
        assert set(re.findall(r'(?:href|src)="(/static/[^"#]+)', shell)) <= set(files)
    for file in files:
        if not file.endswith(".js") or "/vendor/" in file:
            continue
        name = file.removeprefix("/static/web/")
        for path in re.findall(r'(?:from|import\() ?"(\.[^"]+)"', client.get(file).text):
            module = (WEB / name).parent / path
            if module.is_file():  # types are named by files that are not there
                assert f"/static/web/{module.resolve().relative_to(WEB)}" in files, (file, path)


def test_the_frame_names_nobody(app: Flask, city_ctx: Context) -> None:
    visitor, worker = Client(app), signed_in(app, "worker")
    for language, words in (("zh", "上报事件"), ("en", "Report an incident")):
        shell = visitor.page(f"/report/shell/{language}")
        assert words in shell.text
        assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in shell.text
        # whoever asks gets the same: it lies on a phone that several people share
        same = worker.page(f"/report/shell/{language}", **{"Accept-Language": "en"})
        assert same.text == shell.text
        assert "csrf_token" not in shell.text
        assert not [person for person in PEOPLE.values() if person.name in shell.text]
    assert visitor.page("/report/shell/fr").status_code == 404


def test_a_changed_file_is_a_new_version(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(app)
    before, files = listed(client)
    assert listed(client) == (before, files)
    assets = app.extensions["assets"]
    found = assets.get

    def changed(name: str) -> object:
        asset = found(name)
        return replace(asset, digest="another") if name == "pages/report.js" else asset

    monkeypatch.setattr(type(assets), "get", lambda _self, name: changed(name))
    after, same_files = listed(client)
    assert after != before
    assert same_files == files


def test_the_phone_knows_whose_it_is_until_somebody_signs_out(app: Flask, city_ctx: Context) -> None:
    worker = signed_in(app, "worker")
    tag = worker.get("/api/session").json["account"]
    assert re.fullmatch(r"[0-9a-f]{24}", tag)
    page = worker.page("/report")
    cookie = next(c for c in page.headers.getlist("Set-Cookie") if c.startswith("gis_account="))
    assert cookie.startswith(f"gis_account={tag};")
    assert "Path=/report" in cookie
    assert "SameSite=Lax" in cookie
    assert "HttpOnly" not in cookie
    other = signed_in(app, "operator").get("/api/session").json["account"]
    assert other not in (tag, None)
    assert signed_in(app, "worker").get("/api/session").json["account"] == tag
    assert token_client(app, city_ctx, "worker").get("/api/session").json["account"] == tag
    assert Client(app).get("/api/session").json["account"] is None
    gone = worker.http.post("/sign-out", data={"csrf_token": worker.csrf()})
    (cleared,) = (c for c in gone.headers.getlist("Set-Cookie") if c.startswith("gis_account="))
    assert "Max-Age=0" in cleared


def test_a_report_of_yesterday_arrives_as_it_was_made(app: Flask, city_ctx: Context) -> None:
    """The words of a phone that was away for a day: place, accuracy, datum and time as they were taken."""
    worker = token_client(app, city_ctx, "worker")
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    body = {
        **inside(0),
        "datum": "wgs84",
        "accuracy_m": 12.5,
        "description": "井盖缺失",
        "source": "patrol",
        "urgent": False,
        "discovered_at": yesterday,
    }
    key = {"Idempotency-Key": "0" * 32}
    first = worker.post("/api/incidents", body, **key)
    assert first.status_code == 201
    assert (first.json["accuracy_m"], first.json["discovered_at"]) == (12.5, yesterday)
    assert first.json["given"] == {**inside(0), "datum": "wgs84"}
    assert worker.post("/api/incidents", body, **key).json["number"] == first.json["number"]
    # the time belongs to what is said: another one under the same key is another report
    other = body | {"discovered_at": datetime.now(UTC).isoformat()}
    assert worker.post("/api/incidents", other, **key).status_code == 409
