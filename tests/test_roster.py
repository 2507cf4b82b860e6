"""The roster imported, listed and checked: journeys, HTTP and the command line."""

import io
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from city import COMMUNITIES, COUNTY, TOWNS
from client import Client, token_client
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from werkzeug.test import TestResponse

from gis_server.core.access import CONSOLE, Actor, Role, Territory, Tier
from gis_server.core.coverage.findings import Severity
from gis_server.core.errors import Conflict, NotAllowed, UnusableInput
from gis_server.core.roster_file import COLUMNS
from gis_server.files.cells import write_cells
from gis_server.journeys import roster as journey
from gis_server.journeys.context import Context
from gis_server.journeys.ground import ground_at
from gis_server.store.engine import make_engine

HEAD = ["工号", "姓名", "电话", "岗位", "网格或区划编码", "所属单位", "身份", "持证"]
GRIDS = [f"{community}00{n}" for community in COMMUNITIES for n in (1, 2)]
Rows = Sequence[Sequence[str]]


def team(grid: str, number: int) -> list[list[str]]:
    return [
        [f"Z{number}", f"专职{number}", f"1040000{number:04}", "专职网格员", grid, "", "", "是"],
        ["P1", "专业一", "10400009999", "专业网格员", grid, "市住建局", "", ""],
        [f"C{grid[:12]}", f"书记{grid[6:12]}", "", "三级网格长", grid, "", "社区书记", ""],
    ]


def whole() -> list[list[str]]:
    rows = [row for number, grid in enumerate(GRIDS) for row in team(grid, number)]
    rows += [[f"Y{code}", f"县领导{code[-3:]}", "", "一级网格长", code, "", "", ""] for code in COMMUNITIES]
    return rows


def written(folder: Path, rows: Rows, name: str = "roster.xlsx") -> Path:
    path = folder / name
    path.write_bytes(write_cells(path.suffix, HEAD, rows))
    return path


def put(ctx: Context, folder: Path, rows: Rows, **more: Any) -> journey.RosterImport:
    now = more.pop("now", datetime.now(UTC))
    return journey.import_roster(ctx, CONSOLE, written(folder, rows), more.pop("on", None), now)


def upload(client: Client, content: bytes, name: str = "花名册.xlsx", **form: str) -> TestResponse:
    data: dict[str, Any] = {"file": (io.BytesIO(content), name), **form}
    return client.raw("POST", "/api/roster/imports", data=data)


def count(ctx: Context, table: str) -> int:
    with ctx.engine.connect() as conn:
        return int(conn.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_whole_roster_goes_in_force(city_ctx: Context, tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path, whole(), f"roster{suffix}")
    result = journey.import_roster(city_ctx, CONSOLE, path, None, datetime.now(UTC))
    assert result.problems == ()
    assert result.findings == ()
    assert (result.postings, result.people) == (28, 8 + 1 + 4 + 4)
    view = journey.listing(city_ctx, CONSOLE, at=datetime.now(UTC))
    assert view.counts == {"error": 0, "warning": 0, "option": 0, "none": 8}
    assert [place.grid.code for place in view.grids] == GRIDS


def test_the_next_roster_replaces_it_whole_and_the_past_is_kept(city_ctx: Context, tmp_path: Path) -> None:
    first = put(city_ctx, tmp_path, whole())
    between = datetime.now(UTC)
    people = count(city_ctx, "person")
    second = put(city_ctx, tmp_path, whole()[3:])
    assert second.generation_id != first.generation_id
    assert count(city_ctx, "person") == people  # known people are the same people
    then = journey.listing(city_ctx, CONSOLE, at=between)
    now = journey.listing(city_ctx, CONSOLE, at=datetime.now(UTC))
    assert (then.generation_id, now.generation_id) == (first.generation_id, second.generation_id)
    assert then.counts["error"] == 0
    vacant = now.grids[0]
    assert (vacant.grid.code, vacant.severity) == (GRIDS[0], Severity.ERROR)
    assert [f.clause for f in vacant.findings if f.severity is Severity.ERROR] == [
        "heilongjiang 3.3, 7.3.1",
        "heilongjiang 7.3.1",
    ]
    assert vacant.answer.rung == "community"


def test_a_row_that_cannot_be_used_replaces_nothing(city_ctx: Context, tmp_path: Path) -> None:
    kept = put(city_ctx, tmp_path, whole())
    rows = whole()
    rows[4][4], rows[7][3] = "999", "网格员"
    before = {table: count(city_ctx, table) for table in ("generation", "person", "posting", "audit")}
    result = put(city_ctx, tmp_path, rows)
    assert result.generation_id is None
    assert [problem.row for problem in result.problems] == [6, 9]
    assert {table: count(city_ctx, table) for table in before} == before
    assert journey.listing(city_ctx, CONSOLE, at=datetime.now(UTC)).generation_id == kept.generation_id


def test_a_failure_halfway_leaves_the_roster_before(
    city_ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = put(city_ctx, tmp_path, whole())
    with city_ctx.engine.begin() as conn:
        # the database itself refuses: the last statement of an import is its audit row
        conn.execute(
            text("ALTER TABLE audit ADD CONSTRAINT no_import CHECK (act <> 'import_roster') NOT VALID")
        )
    with pytest.raises(Exception, match="no_import"):
        put(city_ctx, tmp_path, whole()[3:])
    assert journey.listing(city_ctx, CONSOLE, at=datetime.now(UTC)).generation_id == kept.generation_id
    assert count(city_ctx, "posting") == kept.postings


def test_a_planned_roster_waits_for_its_day(city_ctx: Context, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    first = put(city_ctx, tmp_path, whole())
    planned = put(city_ctx, tmp_path, whole()[3:], on=now + timedelta(days=7))
    at = {
        days: journey.listing(city_ctx, CONSOLE, at=now + timedelta(days=days)).generation_id
        for days in (1, 8)
    }
    assert at == {1: first.generation_id, 8: planned.generation_id}
    with pytest.raises(Conflict, match="已有自"):
        put(city_ctx, tmp_path, whole())
    with pytest.raises(UnusableInput, match="尚无生效的网格") as refused:
        put(city_ctx, tmp_path, whole(), on=now - timedelta(days=400))
    assert refused.value.field == "on"


def test_of_two_imports_at_once_each_is_whole(city_ctx: Context, tmp_path: Path) -> None:
    path = written(tmp_path, whole())
    results: list[object] = []

    def run(seconds: int) -> None:
        now = datetime.now(UTC) + timedelta(seconds=seconds)
        try:
            results.append(journey.import_roster(city_ctx, CONSOLE, path, None, now))
        except Conflict as error:
            results.append(error)

    threads = [threading.Thread(target=run, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [result for result in results if isinstance(result, journey.RosterImport)]
    assert done
    assert len(results) == 4
    assert count(city_ctx, "posting") == 28 * len(done)


def test_who_may(city_ctx: Context, tmp_path: Path) -> None:
    path = written(tmp_path, whole())
    now = datetime.now(UTC)
    for role in (Role.ANALYST, Role.GRID_WORKER, Role.HANDLING_UNIT, Role.DISPLAY):
        with pytest.raises(NotAllowed):
            journey.listing(city_ctx, Actor(None, "x", role), at=now)
    for role in (Role.OPERATOR, Role.ANALYST):
        with pytest.raises(NotAllowed):
            journey.import_roster(city_ctx, Actor(None, "x", role), path, None, now)
    township = Actor(None, "x", Role.PLANNER, Territory((COUNTY, TOWNS[0])))
    with pytest.raises(NotAllowed, match="全域"):
        journey.import_roster(city_ctx, township, path, None, now)
    put(city_ctx, tmp_path, whole())
    seen = journey.listing(city_ctx, township, at=datetime.now(UTC))
    assert {place.grid.path[1] for place in seen.grids} == {TOWNS[0]}
    assert {one.code[:9] for one in seen.areas} == {TOWNS[0]}
    with pytest.raises(UnusableInput):
        journey.listing(city_ctx, township, at=datetime.now(UTC), area=TOWNS[1])
    assert {f.codes[0][:9] for f in journey.check(city_ctx, township, now - timedelta(days=1))} == {TOWNS[0]}


def test_phones_are_for_the_protected_tier_and_leave_an_audit_row(
    app: Flask, city_ctx: Context, tmp_path: Path
) -> None:
    put(city_ctx, tmp_path, whole())
    planner, admin = (token_client(app, city_ctx, login) for login in ("planner", "admin"))
    reads = "SELECT count(*) FROM audit WHERE act = 'protected_read' AND subject = 'roster'"
    seen = planner.get("/api/roster")
    assert seen.status_code == 200
    assert seen.json["grids"][0]["people"][0]["name"] == "专职0"
    assert "10400000000" not in seen.data.decode()
    assert "Z0" not in seen.data.decode()
    with city_ctx.engine.connect() as conn:
        assert conn.scalar(text(reads)) == 0
    protected = admin.get("/api/roster").json
    assert protected["grids"][0]["people"][0]["phone"] == "10400000000"
    with city_ctx.engine.connect() as conn:
        assert conn.scalar(text(reads)) == 1


def test_the_api_imports_and_tells_every_row(app: Flask, city_ctx: Context) -> None:
    planner = token_client(app, city_ctx, "planner")
    rows = whole()
    good = upload(planner, write_cells(".xlsx", HEAD, rows))
    assert good.status_code == 201
    assert good.json["postings"] == 28
    rows[2][3] = "保安"
    bad = upload(planner, write_cells(".csv", HEAD, rows), "花名册.csv")
    assert bad.status_code == 422
    assert bad.mimetype == "application/problem+json"
    assert [problem["row"] for problem in bad.json["problems"]] == [4]
    assert "保安" in bad.json["problems"][0]["message"]
    assert upload(planner, b"PK\x03\x04nothing").status_code == 422
    assert upload(planner, b"", "x.pdf").json["field"] == "file"
    assert upload(planner, write_cells(".csv", HEAD, whole()), "x.csv", on="soon").json["field"] == "on"
    assert token_client(app, city_ctx, "operator").raw("POST", "/api/roster/imports").status_code == 403
    listed = planner.get("/api/roster", severity="error").json
    assert (listed["total"], listed["grids"]) == (0, [])
    assert planner.get("/api/roster", severity="bad").json["field"] == "severity"
    assert planner.get("/api/roster", area="1").json["field"] == "area"
    assert planner.get("/api/roster", limit=0).json["field"] == "limit"


def test_the_template_is_a_list_that_can_be_filled_in(app: Flask, city_ctx: Context, tmp_path: Path) -> None:
    answer = token_client(app, city_ctx, "planner").get("/api/roster/template")
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert [cell.value for cell in sheet[1]] == [column.title.zh for column in COLUMNS.values()]


def test_people_of_a_grid_that_is_no_more_are_told(city_ctx: Context, tmp_path: Path) -> None:
    put(city_ctx, tmp_path, whole())
    with city_ctx.engine.begin() as conn:  # renumbered without regard to what a check says of it
        conn.execute(text("DROP TRIGGER grid_is_never_rewritten ON grid"))
        conn.execute(
            text("UPDATE grid SET grid_code = :new WHERE grid_code = :old"),
            {"old": GRIDS[1], "new": f"{COMMUNITIES[0]}003"},
        )
    fresh = replace(
        city_ctx, engine=make_engine(str(city_ctx.settings.database_url))
    )  # nothing in memory yet
    try:
        findings = journey.check(fresh, CONSOLE, datetime.now(UTC))
        stray = [f for f in findings if f.codes == (GRIDS[1],)]
        assert [(f.severity, f.clause) for f in stray] == [(Severity.WARNING, "product brief")]
        assert journey.listing(fresh, CONSOLE, at=datetime.now(UTC)).findings == tuple(stray)
        township = Actor(None, "x", Role.PLANNER, Territory((COUNTY, TOWNS[0])))
        assert stray[0] not in journey.check(fresh, township, datetime.now(UTC))
    finally:
        fresh.engine.dispose()


def test_without_a_roster_everything_is_vacant(city_ctx: Context) -> None:
    view = journey.listing(
        city_ctx, Actor(None, "x", Role.OPERATOR, tier=Tier.INTERNAL), at=datetime.now(UTC)
    )
    assert view.generation_id is None
    assert view.counts["error"] == 8
    with city_ctx.engine.connect() as conn:
        assert ground_at(city_ctx, conn, datetime.now(UTC)).roster.postings == ()


def test_a_failing_statement_tells_the_log_no_name(city_ctx: Context) -> None:
    insert = text("INSERT INTO person (name, phone) VALUES (:name, :phone) RETURNING no_such_column")
    with pytest.raises(ProgrammingError) as failed, city_ctx.engine.begin() as conn:
        conn.execute(insert, {"name": "韩霁川", "phone": "10400000001"})
    assert "韩霁川" not in str(failed.value)
    assert "1040000" not in str(failed.value)
