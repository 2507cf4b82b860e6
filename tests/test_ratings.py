"""The party's rating by a link of its own: unguessable, expiring, one rating, changeable until closed; and what it adds up to."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from city import inside
from client import Client, token_client
from flask import Flask
from sqlalchemy import text

from gis_server.core.access import CONSOLE
from gis_server.core.errors import Conflict, NotFound
from gis_server.core.rating import LINK_LIFE
from gis_server.journeys import incidents, ratings
from gis_server.journeys.context import Context

SECRET_WORDS = ("燃气泄漏在三单元", "张某某", "市住建局", "1号网格")


@pytest.fixture
def operator(app: Flask, city_ctx: Context) -> Client:
    return token_client(app, city_ctx, "operator")


def post(client: Client, path: str, body: object = None, status: int = 200) -> Any:
    answer = client.post(path, body)
    assert answer.status_code == status, answer.json
    return answer.json


def fed_back(client: Client) -> dict[str, Any]:
    body = {**inside(0), "item": "建筑施工噪声", "description": SECRET_WORDS[0], "source": "public"}
    found = post(client, "/api/incidents", body, 201)
    for step, fields in (
        ("report", {}),
        ("escalate", {}),
        ("accept", {}),
        ("dispatch", {"lead_unit": "市住建局"}),
        ("take_up", {"person_in_charge": "张某某"}),
        ("complete", {"result": "已停工"}),
        ("feed_back", {}),
    ):
        found = post(
            client,
            f"/api/incidents/{found['id']}/steps",
            {"step": step, "expected_state": found["state"], **fields},
        )
    return found


def link(client: Client, incident: dict[str, Any]) -> str:
    made = post(client, f"/api/incidents/{incident['id']}/rating-link", None, 201)
    return str(made["url"]).removeprefix("http://localhost")


def rate(party: Client, address: str, rating: str, note: str = "") -> Any:
    form = {"rating": rating, "note": note, "csrf_token": party.csrf()}
    return party.http.post(address, data=form)


def test_the_party_rates_and_changes_its_mind_until_the_incident_is_filed(
    app: Flask, operator: Client, city_ctx: Context
) -> None:
    incident = fed_back(operator)
    address, party = link(operator, incident), Client(app)
    page = party.http.get(address)
    assert page.status_code == 200
    assert incident["number"] in page.text
    assert not [word for word in SECRET_WORDS if word in page.text]
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    assert page.headers["Cache-Control"] == "private, no-store"
    assert rate(party, address, "2", "太慢").status_code == 303
    assert rate(party, address, "5").status_code == 303
    opened = operator.get(f"/api/incidents/{incident['id']}").json
    assert opened["rating"] == 5
    given = [row for row in opened["history"] if row["step"] == "rate"]
    assert [(row["filled"]["rating"], row["actor"], row["note"]) for row in given] == [
        (2, "当事人", "太慢"),
        (5, "当事人", None),
    ]
    assert {row["clause"] for row in given} == {"heilongjiang 8.1.7, 9.2.2"}
    assert re.search(r'value="5"[^>]*checked', party.http.get(address).text)
    archive = {"step": "archive", "expected_state": "fed_back"}
    post(operator, f"/api/incidents/{incident['id']}/steps", archive)
    late = rate(party, address, "1")
    assert late.status_code == 409
    assert "归档" in late.text
    here = {"Referer": f"http://localhost{address}"}  # what the browser says when the language is changed
    assert party.http.get("/language/en", headers=here).headers["Location"] == address
    assert operator.get(f"/api/incidents/{incident['id']}").json["rating"] == 5
    refused = operator.post(f"/api/incidents/{incident['id']}/rating-link")
    assert (refused.status_code, refused.json["clause"]) == (409, "heilongjiang 8.1.7, 9.2.2")


def test_the_page_speaks_english_and_says_when_it_is_too_early(app: Flask, operator: Client) -> None:
    body = {**inside(0), "description": "x", "source": "public"}
    incident = post(operator, "/api/incidents", body, 201)
    address, party = link(operator, incident), Client(app)
    page = party.http.get(address, headers={"Accept-Language": "en"})
    assert "still being handled" in page.text
    assert "<form method" not in page.text
    early = rate(party, address, "5")
    assert early.status_code == 409


@pytest.mark.parametrize("rating", ["0", "6", "5.0", "", "five", "５"])
def test_a_rating_that_is_none_is_refused_and_nothing_is_kept(
    app: Flask, operator: Client, rating: str
) -> None:
    incident = fed_back(operator)
    party = Client(app)
    assert rate(party, link(operator, incident), rating).status_code == 422
    assert operator.get(f"/api/incidents/{incident['id']}").json["rating"] is None


def test_a_note_that_is_too_long_is_refused(app: Flask, operator: Client) -> None:
    incident = fed_back(operator)
    assert rate(Client(app), link(operator, incident), "5", "长" * 501).status_code == 422
    assert operator.get(f"/api/incidents/{incident['id']}").json["rating"] is None


def test_a_link_is_single_purpose_and_kept_as_a_hash(app: Flask, operator: Client, city_ctx: Context) -> None:
    incident = fed_back(operator)
    first = link(operator, incident)
    second = link(operator, incident)
    party = Client(app)
    assert party.http.get(first).status_code == 404  # the newer one took its place
    assert party.http.get(second).status_code == 200
    for nothing in ("/rate/x", "/rate/" + "a" * 300, second + "x"):
        assert party.http.get(nothing).status_code == 404
        assert rate(party, nothing, "5").status_code == 404
    token = second.rsplit("/", 1)[1]
    assert len(token) >= 43
    with city_ctx.engine.connect() as conn:
        kept = conn.execute(text("SELECT token_hash FROM rating_link")).scalars().all()
        audit = conn.execute(text("SELECT detail::text || subject FROM audit")).scalars().all()
    assert token not in str(kept) + str(audit)
    # it opens nothing else
    answer = party.raw(
        "GET", f"/api/incidents/{incident['id']}", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 401


def test_a_link_ends_after_its_days(operator: Client, city_ctx: Context) -> None:
    incident = fed_back(operator)
    now = datetime.now(UTC)
    made = ratings.make_link(city_ctx, CONSOLE, incident["id"], now)
    assert made.expires_at == now + LINK_LIFE
    last = made.expires_at - timedelta(seconds=1)
    assert ratings.open_link(city_ctx, made.token, last).closed is None
    with pytest.raises(NotFound):
        ratings.open_link(city_ctx, made.token, made.expires_at)
    with pytest.raises(NotFound):
        ratings.rate(city_ctx, made.token, 5, None, made.expires_at)


def test_a_place_without_a_rating_has_no_link(operator: Client, city_ctx: Context) -> None:
    incident = fed_back(operator)
    decided = incidents.rules(city_ctx)
    loop = decided.profile.incident_loop
    silent = replace(
        decided,
        profile=replace(
            decided.profile,
            incident_loop=replace(loop, satisfaction_rating=replace(loop.satisfaction_rating, value=False)),
        ),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ratings, "rules", lambda _: silent)
        with pytest.raises(Conflict):
            ratings.make_link(city_ctx, CONSOLE, incident["id"], datetime.now(UTC))


def test_only_those_who_work_on_it_make_a_link(app: Flask, operator: Client, city_ctx: Context) -> None:
    incident = fed_back(operator)
    path = f"/api/incidents/{incident['id']}/rating-link"
    assert token_client(app, city_ctx, "analyst").post(path).status_code == 403
    assert token_client(app, city_ctx, "east").post(path).status_code == 403
    assert operator.post("/api/incidents/999999/rating-link").status_code == 404


def test_ratings_and_scores_add_up_by_unit(app: Flask, operator: Client) -> None:
    found = [fed_back(operator) for _ in range(3)]
    for incident, rating, score in zip(found, ("5", "2", None), (90, None, 70), strict=True):
        if rating is not None:
            assert rate(Client(app), link(operator, incident), rating).status_code == 303
        if score is not None:
            scores = {"acceptance": score, "handling": score, "result": 100}
            body = {"step": "score", "expected_state": "fed_back", "scores": scores}
            opened = post(operator, f"/api/incidents/{incident['id']}/steps", body)
            assert opened["scores"] == scores
    (unit,) = operator.get("/api/incidents/appraisal", unit="市住建局").json["units"]
    assert unit["unit"] == "市住建局"
    assert (unit["incidents"], unit["rated"], unit["rating"], unit["satisfied"]) == (3, 2, 3.5, 1)
    assert (unit["scored"], unit["scores"]) == (2, {"acceptance": 80, "handling": 80, "result": 100})
    assert operator.get("/api/incidents/appraisal", q="没有").json["units"] == []
    counts = operator.get("/api/incidents/counts", open="yes").json
    assert (counts["rated"], counts["rating"]) == (2, 3.5)
    assert operator.get("/api/incidents/counts", urgent="yes").json["rating"] is None
