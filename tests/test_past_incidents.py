"""Incidents of the past: taken over from a file, each routed by the boundaries of its day."""

import json
from pathlib import Path

import pytest
from county import HOUR, put
from made import (
    COMMUNITIES,
    COUNTY,
    NOON,
    TOWN_A,
    geojson,
    grid_rows,
    incidents,
    place,
)
from sqlalchemy import text

from gis_server.core.errors import Unavailable, UnusableInput
from gis_server.journeys.context import Context
from gis_server.store import past_incidents


def test_past_incidents_are_routed_by_the_boundaries_of_their_day(county: Context, tmp_path: Path) -> None:
    shapes, rows = grid_rows()
    for row in rows:
        row["grid_name"] = "改名"
    swapped = [shapes[1], shapes[0], *shapes[2:]]
    put(county, "grid", geojson(tmp_path / "g.geojson", swapped, rows), NOON + 24 * HOUR)
    days = ["2026-02-01T08:00:00+08:00", (NOON + HOUR).isoformat(), (NOON + 25 * HOUR).isoformat()]
    path = incidents(tmp_path, days, [place(0.25, 0.5)] * 3)
    result = put(county, "incident", path, NOON + 48 * HOUR)
    assert (result.generation, result.added, result.problems) == (None, 3, ())
    with county.engine.connect() as conn:
        got = conn.execute(
            text(
                "SELECT i.number, i.grid_code, i.sub_grid_code, i.match, i.area_path, i.grid_generation_id,"
                " i.recorded_at = i.discovered_at AS same, e.to_state, e.actor FROM incident i"
                " JOIN incident_event e ON e.incident_id = i.id ORDER BY i.number"
            )
        ).all()
    first, second = f"{COMMUNITIES[0]}001", f"{COMMUNITIES[0]}002"
    assert [row.grid_code for row in got] == [first, first, second]
    assert [row.sub_grid_code for row in got] == [f"{first}01", f"{first}01", None]
    assert {row.match for row in got} == {"inside"}
    assert all(row.area_path == [COUNTY, TOWN_A, COMMUNITIES[0]] for row in got)
    assert all(row.same and row.to_state == "archived" and row.actor == "console" for row in got)
    assert len({row.grid_generation_id for row in got}) == 2


def test_a_past_incident_tells_when_it_was_settled(county: Context, tmp_path: Path) -> None:
    began, ended, later = (NOON + hours * HOUR for hours in (1, 3, 30))
    rows = json.loads(incidents(tmp_path, [began.isoformat()] * 5, [place(0.5, 0.5)] * 5).read_text())
    times = [ended, ended, None, began - HOUR, later]
    for row, end, state in zip(
        rows["features"],
        times,
        ("archived", "dispatched", "archived", "completed", "completed"),
        strict=True,
    ):
        row["properties"] |= {"办结时间": None if end is None else end.isoformat(), "state": state}
    path = tmp_path / "settled.geojson"
    path.write_text(json.dumps(rows), encoding="utf-8")
    result = put(county, "incident", path, NOON + 24 * HOUR)
    assert result.added == 3
    assert [(problem.row, problem.field) for problem in result.problems] == [
        (3, "completed_at"),
        (4, "completed_at"),
    ]
    with county.engine.connect() as conn:
        kept = conn.execute(text("SELECT completed_at FROM incident ORDER BY number")).scalars().all()
        told = conn.execute(
            text(
                "SELECT i.number, e.at, e.from_state, e.to_state FROM incident_event e"
                " JOIN incident i ON i.id = e.incident_id ORDER BY i.number, e.id"
            )
        ).all()
    # what is under way was taken up again, whatever its list says
    assert kept == [ended, None, None]
    assert told == [
        ("LS00001", began, None, "recorded"),
        ("LS00001", ended, "recorded", "completed"),
        ("LS00001", ended, "completed", "archived"),
        ("LS00002", began, None, "dispatched"),
        ("LS00003", began, None, "archived"),
    ]


def test_incidents_that_are_known_to_come_or_far_away_are_row_problems(
    county: Context, tmp_path: Path
) -> None:
    put(county, "incident", incidents(tmp_path, ["2026-02-01T08:00:00+08:00"], [place(0.5, 0.5)]))
    days = ["2026-02-01T08:00:00+08:00"] * 3 + ["2030-01-01T00:00:00+08:00"]
    path = incidents(tmp_path, days, [place(0.5, 0.5), place(1.5, 0.5), place(90, 0.5), place(0.5, 0.5)])
    result = put(county, "incident", path, NOON)
    assert result.added == 1
    said = [str(problem.message) for problem in result.problems]
    assert [problem.row for problem in result.problems] == [0, 2, 3]
    assert "已经有了" in said[0]
    assert "不在本地范围内" in said[1]
    assert "晚于现在" in said[2]
    with pytest.raises(UnusableInput, match="没有一行可以使用"):
        put(county, "incident", path, NOON)


def test_incidents_without_grids_have_nowhere_to_go(ctx: Context, tmp_path: Path) -> None:
    path = incidents(tmp_path, ["2026-02-01T08:00:00+08:00"], [place(0.5, 0.5)])
    with pytest.raises(Unavailable, match="请先导入并发布网格图层"):
        put(ctx, "incident", path)


def test_more_incidents_come_at_once_than_a_statement_takes_values(county: Context, tmp_path: Path) -> None:
    put(
        county,
        "incident",
        incidents(tmp_path, [(NOON + HOUR).isoformat()], [place(0.5, 0.5)]),
        NOON + 2 * HOUR,
    )
    numbers = [f"X{n}" for n in range(70_000)]
    with county.engine.connect() as conn:
        assert past_incidents.known_numbers(conn, [*numbers, "LS00001"]) == {"LS00001"}
