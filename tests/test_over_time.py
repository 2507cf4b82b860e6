"""Routes over time: S06, S18 and S19 through the database and HTTP, and what a plan would move."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import shapely
from client import Client, token_client
from flask import Flask
from kilometre import (
    COUNTY,
    G1,
    G2,
    G3,
    G4,
    K1,
    TOWN,
    at,
    box,
    people,
    publish_areas,
    publish_grids,
    stage_grids,
)
from rosters import put_roster

from gis_server.core.access import CONSOLE, Role
from gis_server.core.incident import parse_report
from gis_server.core.roster import Post, WorkerKind
from gis_server.journeys import explain, incidents
from gis_server.journeys.context import Context
from gis_server.views import create_app

JANUARY, MARCH = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
S01 = [("001", G1), ("002", G2), ("003", G3), ("004", G4)]
HOSPITAL = box(600, 600, 800, 800)
S06 = [*S01[:3], ("004", shapely.difference(G4, HOSPITAL)), ("005", HOSPITAL)]
# S11: five strips, of which the second and third become one
STRIPS = [(f"00{n + 1}", box(200 * n, 0, 200 * n + 200, 1000)) for n in range(5)]
MERGED = [
    ("001", STRIPS[0][1]),
    ("002", box(200, 0, 600, 1000)),
    ("003", STRIPS[3][1]),
    ("004", STRIPS[4][1]),
]


def report(ctx: Context, now: datetime, x: float, y: float, **more: object) -> incidents.Reported:
    given = {**at(x, y), "datum": "cgcs2000", "description": "井盖缺失", "source": "patrol", **more}
    return incidents.report(ctx, CONSOLE, parse_report(given, now), now)


@pytest.fixture
def app(ctx: Context) -> Flask:
    return create_app(ctx.settings, ctx)


def client_of(app: Flask, ctx: Context, login: str = "operator") -> Client:
    return token_client(app, ctx, login)


def test_s06_an_exclusive_grid_is_carved_out_and_coded(ctx: Context, tmp_path: Path) -> None:
    """The hospital (600,600)–(800,800) has 40,000 m² and …005, G4 210,000 m² with a hole; …001 for it is refused."""
    publish_areas(ctx, tmp_path, JANUARY)
    areas = {code: shapely.area(shape) for code, shape in S06}
    assert areas == {"001": 250_000, "002": 250_000, "003": 250_000, "004": 210_000, "005": 40_000}
    assert len(shapely.get_rings(S06[3][1])) == 2
    carved = stage_grids(ctx, tmp_path, S06, JANUARY, **{"005": "exclusive_grid"})
    assert carved.errors == 0
    assert carved.summary["within_area_m2"] == pytest.approx(1_000_000, rel=1e-3)
    assert carved.summary["overlap_area_m2"] == 0
    assert carved.summary["coverage_pct"] == 100.0
    again = [*S06[:4], ("001", HOSPITAL)]
    refused = stage_grids(ctx, tmp_path, again, JANUARY)
    assert refused.errors > 0
    assert refused.summary["by_kind"]["duplicate_code"] >= 1


def test_s17_point_in_grid_routing_through_http(ctx: Context, app: Flask, tmp_path: Path) -> None:
    """(250,250), (550,550), (700,700) go to G1, G4 and the hospital, each to its worker, and keep grid and code of that time."""
    publish_areas(ctx, tmp_path, JANUARY)
    grids = publish_grids(ctx, tmp_path, S06, JANUARY, **{"005": "exclusive_grid"})
    people(ctx, JANUARY, operator=(Role.OPERATOR, None))
    workers = [
        {
            "post": Post.GRID_WORKER,
            "worker_kind": WorkerKind.FULL_TIME,
            "code": f"{K1}{code}",
            "name": f"专职{code}",
        }
        for code, _ in S06
    ]
    of_the_host = {"worker_kind": WorkerKind.EXCLUSIVE, "name": "医院专属", "unit": "市医院"}
    put_roster(ctx, [*workers, {**workers[4], **of_the_host}], JANUARY)
    client = client_of(app, ctx)
    told = []
    for x, y in ((250, 250), (550, 550), (700, 700)):
        given = {**at(x, y), "datum": "cgcs2000", "description": "井盖缺失", "source": "patrol"}
        made = client.post("/api/incidents", given)
        assert made.status_code == 201
        kept = client.get(f"/api/incidents/{made.json['id']}").json
        first = kept["responsible"]["people"][0]
        told.append((kept["grid_code"], first["name"], first["as"]))
        record = explain.explain(ctx, CONSOLE, kept["id"], JANUARY).decision
        assert record is not None
        assert record["generations"]["grid"] == grids.id
        assert record["route"]["grid_code"] == kept["grid_code"]
    assert told == [
        (f"{K1}001", "专职001", "answers"),
        (f"{K1}004", "专职004", "answers"),
        (f"{K1}005", "医院专属", "answers"),
    ]


def test_s18_a_point_on_the_common_border_and_a_point_outside(
    ctx: Context, tmp_path: Path, app: Flask
) -> None:
    """(500,250) goes 100 times to the lower code of G1 and G2; (1200,500) to the township's queue, and is not lost."""
    publish_areas(ctx, tmp_path, JANUARY, town=box(0, 0, 2000, 1000))
    publish_grids(ctx, tmp_path, S01, JANUARY)
    people(ctx, JANUARY, operator=(Role.OPERATOR, None), west=(Role.OPERATOR, TOWN))
    desk, town = client_of(app, ctx), client_of(app, ctx, "west")
    border = {**at(500, 250), "datum": "cgcs2000", "description": "井盖缺失", "source": "patrol"}
    answers = [desk.post("/api/incidents", border) for _ in range(100)]
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.json["grid_code"] for answer in answers} == {f"{K1}001"}

    outside = desk.post("/api/incidents", border | at(1200, 500))
    assert outside.status_code == 201
    assert (outside.json["match"], outside.json["grid_code"]) == ("outside", None)
    assert outside.json["area_path"][-1] == TOWN
    queue = town.get("/api/incidents", grid="none").json["incidents"]
    assert [one["number"] for one in queue] == [outside.json["number"]]
    # with full coverage in force the queue is empty for points inside the community
    for x in range(50, 1000, 300):
        for y in range(50, 1000, 300):
            assert desk.post("/api/incidents", border | at(x, y)).json["grid_code"] is not None
    assert len(town.get("/api/incidents", grid="none").json["incidents"]) == 1


def test_a_point_just_outside_is_near_and_one_in_no_area_is_the_countys(
    ctx: Context, tmp_path: Path, app: Flask
) -> None:
    publish_areas(ctx, tmp_path, JANUARY)
    publish_grids(ctx, tmp_path, S01, JANUARY)
    desks = {"west": TOWN, "county": COUNTY, "operator": None}
    people(ctx, JANUARY, **{login: (Role.OPERATOR, area) for login, area in desks.items()})
    desk, town, county = (client_of(app, ctx, login) for login in ("operator", "west", "county"))
    given = {"datum": "cgcs2000", "description": "井盖缺失", "source": "patrol"}
    near = desk.post("/api/incidents", given | at(1030, 250)).json
    assert (near["match"], near["grid_code"], near["distance_m"]) == (
        "near",
        f"{K1}002",
        pytest.approx(30, abs=0.1),
    )
    far = desk.post("/api/incidents", given | at(1200, 500)).json
    assert (far["match"], far["area_path"]) == ("outside", [COUNTY])
    assert [one["number"] for one in county.get("/api/incidents", grid="none").json["incidents"]] == [
        far["number"]
    ]
    assert town.get("/api/incidents", grid="none").json["incidents"] == []
    counted = county.get("/api/incidents/counts").json["grids"]
    assert counted[0] == {"grid_code": "none", "grid_name": None, "count": 1}


def test_s19_routing_follows_the_date(ctx: Context, tmp_path: Path) -> None:
    """Of 2024-02-20 in old grid 004: after the merge of 2024-03-01 still the old 004, shown "now …003"; a new one goes to …003."""
    publish_areas(ctx, tmp_path, JANUARY)
    publish_grids(ctx, tmp_path, STRIPS, JANUARY)
    publish_grids(ctx, tmp_path, MERGED, MARCH)
    now = MARCH + 3 * DAY
    old = report(ctx, now, 700, 500, discovered_at="2024-02-20T09:00:00+08:00").incident
    assert old.grid_code == f"{K1}004"
    told = explain.explain(ctx, CONSOLE, old.id, now)
    assert told.now_grid_code == f"{K1}003"
    assert f"现在属于网格 {K1}003" in str(told.sentences[-1])
    assert report(ctx, now, 700, 500).incident.grid_code == f"{K1}003"


def test_what_a_plan_would_move(ctx: Context, tmp_path: Path, app: Flask) -> None:
    publish_areas(ctx, tmp_path, JANUARY)
    publish_grids(ctx, tmp_path, STRIPS, JANUARY)
    now = MARCH - 5 * DAY
    stay, second, third, fourth, fifth = (report(ctx, now, 200 * n + 100, 500).incident for n in range(5))
    report(ctx, now, 650, 400)
    people(
        ctx, JANUARY, **{role.value: (role, None) for role in (Role.PLANNER, Role.APPROVER, Role.OPERATOR)}
    )
    planner, approver = client_of(app, ctx, "planner"), client_of(app, ctx, "approver")
    staged = stage_grids(ctx, tmp_path, MERGED, MARCH)
    answer = planner.get(f"/api/generations/{staged.id}/moves")
    assert answer.mimetype == "application/geo+json"
    told = answer.json
    assert (told["open"], told["moved"]) == (6, 4)
    pairs = [(p["from"]["grid_code"][-3:], p["to"]["grid_code"][-3:], p["count"]) for p in told["pairs"]]
    assert pairs == [("004", "003", 2), ("003", "002", 1), ("005", "004", 1)]
    assert {f["properties"]["number"] for f in told["features"]}.isdisjoint({stay.number, second.number})
    moved = next(f for f in told["features"] if f["properties"]["number"] == fourth.number)
    assert moved["properties"]["from"] == {"grid_code": f"{K1}004", "grid_name": "网格004"}
    assert moved["geometry"]["coordinates"] == pytest.approx([fourth.lon, fourth.lat])
    published = approver.post(f"/api/generations/{staged.id}/publish")
    assert published.status_code == 200, published.json
    assert (published.json["moves"]["moved"], published.json["moves"]["pairs"]) == (4, told["pairs"])
    # what it moved can be asked for afterwards, too
    assert planner.get(f"/api/generations/{staged.id}/moves").json["pairs"] == told["pairs"]
    assert client_of(app, ctx, "operator").get(f"/api/generations/{staged.id}/moves").status_code == 403
    areas = planner.get("/api/generations/1/moves")
    assert (areas.status_code, areas.json["field"]) == (422, "generation_id")
    assert third.grid_code == f"{K1}003"
    assert fifth.grid_code == f"{K1}005"
