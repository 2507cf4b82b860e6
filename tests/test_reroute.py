"""History routed again: what would be decided otherwise, corrections beside the decisions, and runs that are cut off."""

import json
import os
import signal
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from city import COMMUNITIES, PUBLISHED, inside
from client import token_client
from flask import Flask
from kilometre import K1, box, publish_areas, publish_grids
from servers import CLEAN, PROGRAM
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from gis_server.core.access import CONSOLE, Role
from gis_server.core.errors import Conflict, NotAllowed, UnusableInput
from gis_server.core.incident import parse_report
from gis_server.core.rerouting import Reroute
from gis_server.journeys import incidents, reroute
from gis_server.journeys.context import Context
from gis_server.store import reroutes

JANUARY, MARCH = datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
STRIPS = [(f"00{n + 1}", box(200 * n, 0, 200 * n + 200, 1000)) for n in range(5)]
MERGED = [
    ("001", STRIPS[0][1]),
    ("002", box(200, 0, 600, 1000)),
    ("003", STRIPS[3][1]),
    ("004", STRIPS[4][1]),
]
G1, G2 = f"{COMMUNITIES[0]}001", f"{COMMUNITIES[0]}002"


def clock() -> datetime:
    return datetime.now(UTC)


def report(ctx: Context, place: dict[str, float], now: datetime) -> int:
    given = {**place, "datum": "cgcs2000", "description": "井盖缺失", "source": "patrol"}
    return incidents.report(ctx, CONSOLE, parse_report(given, now), now).incident.id


def misroute(ctx: Context, incident_id: int, code: str) -> None:
    with ctx.engine.begin() as conn:
        conn.execute(
            text("UPDATE incident SET grid_code = :code WHERE id = :id"), {"code": code, "id": incident_id}
        )


def over(ctx: Context, **options: object) -> Reroute:
    options = {"dry_run": False, "reason": "边界数据更正"} | options
    return reroute.run(ctx, reroute.start(ctx, CONSOLE, clock=clock, **options), clock)


def corrections(ctx: Context) -> list[tuple[int, str | None, str | None]]:
    with ctx.engine.connect() as conn:
        rows = conn.execute(
            text("SELECT incident_id, from_grid_code, to_grid_code FROM correction ORDER BY id")
        )
        return [tuple(row) for row in rows]


def test_a_right_decision_stays_and_a_wrong_one_is_corrected_beside_it(city_ctx: Context) -> None:
    now = PUBLISHED + timedelta(days=1)
    right, wrong = report(city_ctx, inside(0), now), report(city_ctx, inside(0), now)
    misroute(city_ctx, wrong, G2)
    tried = over(city_ctx, dry_run=True, reason=None)
    assert (tried.tally.done, dict(tried.tally.pairs)) == (2, {(G2, G1): 1})
    assert corrections(city_ctx) == []
    done = over(city_ctx)
    assert (done.tally.changed, done.total) == (1, 2)
    assert corrections(city_ctx) == [(wrong, G2, G1)]
    assert incidents.one(city_ctx, CONSOLE, wrong).incident.grid_code == G2  # the decision of the day stays
    # what is corrected already is not corrected again
    assert over(city_ctx, reason="再次核对").tally.changed == 0
    assert right not in [row[0] for row in corrections(city_ctx)]
    with pytest.raises(IntegrityError, match="append-only"), city_ctx.engine.begin() as conn:
        conn.execute(text("UPDATE correction SET to_grid_code = 'x'"))


def test_each_incident_is_routed_by_the_boundaries_of_its_own_day(ctx: Context, tmp_path: Path) -> None:
    from kilometre import at  # noqa: PLC0415

    publish_areas(ctx, tmp_path, JANUARY)
    publish_grids(ctx, tmp_path, STRIPS, JANUARY)
    publish_grids(ctx, tmp_path, MERGED, MARCH)
    for moment in (MARCH - timedelta(days=5), MARCH + timedelta(days=5)):
        for n in range(5):
            report(ctx, at(200 * n + 100, 500), moment)
    assert over(ctx).tally.changed == 0
    with ctx.engine.connect() as conn:
        newest = conn.execute(text("SELECT max(id) FROM generation WHERE layer = 'grid'")).scalar_one()
    compared = over(ctx, dry_run=True, reason=None, generation_id=newest)
    assert dict(compared.tally.pairs) == {
        (f"{K1}003", f"{K1}002"): 1,
        (f"{K1}004", f"{K1}003"): 1,
        (f"{K1}005", f"{K1}004"): 1,
    }
    since = over(ctx, dry_run=True, reason=None, since=MARCH, generation_id=newest)
    assert (since.tally.done, since.tally.changed) == (5, 0)


def test_what_is_refused(city_ctx: Context) -> None:
    with pytest.raises(UnusableInput) as caught:
        over(city_ctx, reason=None)
    assert caught.value.field == "reason"
    with pytest.raises(UnusableInput) as caught:
        over(city_ctx, generation_id=2)
    assert caught.value.field == "dry_run"
    with pytest.raises(UnusableInput) as caught:
        over(city_ctx, dry_run=True, generation_id=1)  # areas
    assert caught.value.field == "generation_id"
    planner = next(actor for actor in [CONSOLE.__class__(1, "p", Role.PLANNER)])
    with pytest.raises(NotAllowed):
        reroute.start(city_ctx, planner, dry_run=False, reason="边界数据更正", clock=clock)
    begun = reroute.start(city_ctx, CONSOLE, dry_run=True, clock=clock)
    with reroutes.only_one(city_ctx.engine) as is_free:
        assert is_free
        with pytest.raises(Conflict):
            reroute.run(city_ctx, begun, clock)


def test_a_run_cut_off_between_pages_goes_on_and_counts_once(
    city_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = PUBLISHED + timedelta(days=1)
    made = [report(city_ctx, inside(0), now + timedelta(minutes=n % 3)) for n in range(10)]
    for incident_id in made[::2]:
        misroute(city_ctx, incident_id, G2)
    monkeypatch.setattr(reroute, "PAGE", 3)

    class Killed(BaseException):
        pass

    def die(done: int, _total: int) -> None:
        if done >= 6:
            raise Killed

    begun = reroute.start(city_ctx, CONSOLE, dry_run=False, reason="边界数据更正", clock=clock)
    with pytest.raises(Killed):
        reroute.run(city_ctx, begun, clock, die)
    again = reroute.start(city_ctx, CONSOLE, dry_run=False, reason="边界数据更正", clock=clock)
    assert (again.id, again.tally.done) == (begun.id, 6)
    done = reroute.run(city_ctx, again, clock)
    assert (done.tally.done, done.tally.changed) == (10, 5)
    assert sorted(row[0] for row in corrections(city_ctx)) == sorted(made[::2])


def test_the_command_survives_kill_9(city_ctx: Context, city_url: str, tmp_path: Path) -> None:
    """Killed at any moment, the same command goes on; every wrong decision is corrected exactly once."""
    now = PUBLISHED + timedelta(days=1)
    first = report(city_ctx, inside(0), now)
    misroute(city_ctx, first, G2)
    columns = "number, description, source, state, discovered_at, recorded_at, datum, geom, match, grid_code, area_path"
    with city_ctx.engine.begin() as conn:
        conn.execute(
            text(
                f"INSERT INTO incident ({columns}) SELECT 'm' || n, description, source, state,"
                " discovered_at + n * interval '1 second', recorded_at, datum, geom, match, grid_code, area_path"
                " FROM incident, generate_series(1, 60000) n"
            )
        )
    environ = CLEAN | {"GIS_DATABASE_URL": city_url, "GIS_VAR": str(tmp_path / "var")}
    command = [*PROGRAM, "reroute", "--reason", "边界数据更正", "--format", "json"]
    process = subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with city_ctx.engine.connect() as conn:
            done = conn.execute(text("SELECT coalesce(max(done), 0) FROM reroute")).scalar_one()
        if done:
            break
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    finished = subprocess.run(command, env=environ, capture_output=True, timeout=120, check=True)
    told = json.loads(finished.stdout)
    assert (told["incidents"], told["changed"]) == (60_001, 60_001)
    assert told["pairs"] == [{"from": G2, "to": G1, "count": 60_001}]
    with city_ctx.engine.connect() as conn:
        kept = conn.execute(text("SELECT count(*), count(DISTINCT incident_id) FROM correction")).one()
    assert tuple(kept) == (60_001, 60_001)


def test_over_http(app: Flask, city_ctx: Context) -> None:
    incident_id = report(city_ctx, inside(0), PUBLISHED + timedelta(days=1))
    misroute(city_ctx, incident_id, G2)
    planner, approver = token_client(app, city_ctx, "planner"), token_client(app, city_ctx, "approver")
    begun = planner.post("/api/reroutes", {})
    assert begun.status_code == 202
    for _ in range(100):
        found = planner.get(begun.json["reroute"]).json
        if found["state"] == "finished":
            break
        time.sleep(0.1)
    assert (found["state"], found["done"], found["total"], found["changed"]) == ("finished", 1, 1, 1)
    assert found["pairs"] == [{"from": G2, "to": G1, "count": 1}]
    assert planner.post("/api/reroutes", {"dry_run": False, "reason": "边界数据更正"}).status_code == 403
    short = approver.post("/api/reroutes", {"dry_run": False})
    assert (short.status_code, short.json["field"]) == (422, "reason")
    for wrong in ({"dry_run": 1}, {"since": "x"}, {"generation_id": "1"}, {"reason": 5}, {"more": 1}):
        answer = planner.post("/api/reroutes", wrong)
        assert (answer.status_code, answer.json["field"]) == (422, next(iter(wrong)))
    assert planner.get("/api/reroutes/999").status_code == 404
    assert token_client(app, city_ctx, "operator").post("/api/reroutes", {}).status_code == 403
