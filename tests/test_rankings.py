"""Rankings of grids and workers (S29): places, periods, who wants them, and who may see them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from city import COMMUNITIES, TOWNS, inside
from client import Client, token_client
from flask import Flask
from sqlalchemy import func, select, text

from gis_server.core.access import CONSOLE
from gis_server.core.errors import NotFound
from gis_server.core.ranking import Place, closed, first, placed, ranked_periods, running
from gis_server.core.scene import for_periods
from gis_server.core.vocabulary import Period, RankingUnit
from gis_server.core.wall import area_wall, city_wall
from gis_server.files.profile import read_profile
from gis_server.files.tour import default_tour
from gis_server.journeys import rankings, walls
from gis_server.journeys.context import Context
from gis_server.store import incidents
from gis_server.views import create_app

GRIDS = tuple(f"{community}00{n}" for community in COMMUNITIES[:2] for n in (1, 2))
OCTOBER = datetime(2023, 10, 1, 0, 0, 30, tzinfo=UTC)
"""In China the first of October has come when it is still September in UTC, but not the other way round."""


def complete(app: Flask, ctx: Context, completed: dict[str, list[datetime]]) -> None:
    """Incidents of these grids, completed at these times, each answered for by a worker of its grid's own."""
    report = {**inside(0), "description": "x", "source": "patrol"}
    assert token_client(app, ctx, "operator").post("/api/incidents", report).status_code == 201
    url = str(ctx.settings.database_url).replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(url) as conn:
        for grid, times in completed.items():
            person = conn.execute(
                "INSERT INTO person (name, phone) VALUES (%s, '1') RETURNING id", (f"网格员{grid[-4:]}",)
            ).fetchone()
            assert person is not None
            people = f'{{"people": [{{"person_id": {person[0]}, "post": "grid_worker", "as": "answers"}}]}}'
            for n, at in enumerate(times):
                made = conn.execute(
                    "INSERT INTO incident (number, description, source, state, discovered_at, completed_at, datum,"
                    " geom, match, grid_code, area_path, responsible)"
                    " SELECT %s, 'x', source, 'archived', %s, %s, datum, geom, match, %s, area_path, %s FROM incident"
                    " WHERE responsible IS DISTINCT FROM %s ORDER BY id LIMIT 1 RETURNING id",
                    (f"R{grid}{n}", at - timedelta(hours=5), at, grid, people, people),
                ).fetchone()
                assert made is not None
                for state, later in (("completed", 0), ("archived", 1)):
                    conn.execute(
                        "INSERT INTO incident_event (incident_id, at, actor, from_state, to_state)"
                        " VALUES (%s, %s, 'x', 'taken_up', %s)",
                        (made[0], at + timedelta(hours=later), state),
                    )


@pytest.fixture
def september(app: Flask, city_ctx: Context) -> Context:
    """Four grids with 8, 3, 5 and 5 incidents completed in September 2023, and one each in August and October."""
    month = [datetime(2023, 9, day, 3, tzinfo=UTC) for day in range(20, 30)]
    outside = [datetime(2023, 8, 31, 15, 59, tzinfo=UTC), datetime(2023, 9, 30, 16, 1, tzinfo=UTC)]
    complete(
        app,
        city_ctx,
        {grid: month[:n] + outside for grid, n in zip(GRIDS, (8, 3, 5, 5), strict=True)},
    )
    return replace(city_ctx, settings=replace(city_ctx.settings, profile="gansu"))


def test_s29_the_grids_of_a_closed_month_share_places(september: Context) -> None:
    found = rankings.of_wall(september, city_wall(), Period.MONTH, OCTOBER)
    assert found is not None
    assert (found.stretch.since, found.stretch.until) == (date(2023, 9, 1), date(2023, 10, 1))
    assert found.stretch.is_closed
    places = {place.code: (place.place, place.completed) for place in found.places}
    assert [places[grid] for grid in GRIDS] == [(1, 8), (4, 3), (2, 5), (2, 5)]
    # of a wall of one township only its own
    other = area_wall(TOWNS[1], "东镇", ("230881", TOWNS[1]))
    empty = rankings.of_wall(september, other, Period.MONTH, OCTOBER)
    assert empty is not None
    assert empty.places == []
    assert empty.stretch.is_closed is False


def test_what_was_taken_up_again_is_not_completed(september: Context) -> None:
    with september.engine.begin() as conn:
        conn.execute(
            text(
                "UPDATE incident SET state = 'dispatched', completed_at = NULL"
                " WHERE number IN (:one, :other) RETURNING id"
            ),
            {"one": f"R{GRIDS[0]}0", "other": f"R{GRIDS[0]}1"},
        )
    found = rankings.of_wall(september, city_wall(), Period.MONTH, OCTOBER)
    assert found is not None
    assert {place.code: place.completed for place in found.places}[GRIDS[0]] == 6
    _, workers = rankings.of_workers(september, CONSOLE, Period.MONTH, OCTOBER)
    assert workers[0].completed == 6
    with september.engine.connect() as conn:
        since = datetime(2023, 8, 1, tzinfo=UTC)
        assert incidents.figures(conn, (), since=since, now=OCTOBER).done_today == 27


def test_what_was_settled_is_found_by_its_index(september: Context) -> None:
    asked = str(
        select(func.count())
        .where(incidents.settled((), OCTOBER))
        .compile(september.engine, compile_kwargs={"literal_binds": True})
    )
    with september.engine.begin() as conn:
        conn.execute(text("SET LOCAL enable_seqscan = off"))
        plan = conn.execute(text(f"EXPLAIN {asked}")).scalars().all()
    assert any("ix_incident_completed_at" in line for line in plan)


def test_s29_week_and_year_rankings_exist_too(september: Context) -> None:
    week = rankings.of_wall(september, city_wall(), Period.WEEK, OCTOBER)
    assert week is not None
    assert (week.stretch.since, week.stretch.until) == (date(2023, 9, 18), date(2023, 9, 25))
    assert [(place.place, place.completed) for place in week.places] == [(1, 5), (1, 5), (1, 5), (4, 3)]
    year = rankings.of_wall(september, city_wall(), Period.YEAR, datetime(2024, 1, 2, tzinfo=UTC))
    assert year is not None
    assert year.stretch.since == date(2023, 1, 1)
    assert [place.completed for place in year.places] == [10, 7, 7, 5]
    # while the first year runs there is none that is closed
    running_year = rankings.of_wall(september, city_wall(), Period.YEAR, OCTOBER)
    assert running_year is not None
    assert not running_year.stretch.is_closed


def test_s29_the_ranking_of_workers_is_a_list_of_its_own_and_not_for_the_hall(september: Context) -> None:
    _, places = rankings.of_workers(september, CONSOLE, Period.MONTH, OCTOBER)
    assert [(place.place, place.completed) for place in places] == [(1, 8), (2, 5), (2, 5), (4, 3)]
    names = [place.name for place in places]
    assert len(set(names)) == 4
    app = create_app(september.settings, september)
    try:
        operator = token_client(app, september, "operator")
        assert operator.get("/api/worker-ranking", period="month").status_code == 200
        page = operator.page("/roster")
        assert 'id="worker-ranking"' in page.text
        assert not any(name in page.text for name in names)
        # who may not read the roster reads no ranking of it either
        for login in ("worker", "analyst"):
            other = token_client(app, september, login)
            assert other.page("/roster").status_code == 403
            assert other.get("/api/worker-ranking").status_code == 403
        link = walls.make_link(september, CONSOLE, "city", label="大厅", now=datetime.now(UTC))
        screen = Client(app)
        screen.page(f"/wall/city?key={link.token}")
        assert screen.get("/api/worker-ranking").status_code == 403
        answer = screen.get("/api/wall/city/ranking", period="year")
        assert answer.status_code == 200
        assert not any(name in answer.text for name in names)
        assert set(answer.json["ranking"]) == {"period", "since", "until", "is_closed", "places"}
        for wrong in ({"period": "day"}, {"period": "x"}, {"most": "0"}, {"most": "many"}):
            assert screen.get("/api/wall/city/ranking", **wrong).status_code == 422
    finally:
        app.extensions["gis_server"].broadcaster.stop()


def test_s29_under_heihe_there_is_no_ranking_unless_it_is_chosen(september: Context, tmp_path: Path) -> None:
    heihe = replace(september, settings=replace(september.settings, profile="heihe"))
    assert rankings.of_wall(heihe, city_wall(), Period.MONTH, OCTOBER) is None
    with pytest.raises(NotFound):
        rankings.of_workers(heihe, CONSOLE, Period.MONTH, OCTOBER)
    app = create_app(heihe.settings, heihe)
    try:
        operator = token_client(app, heihe, "operator")
        scenes = operator.get("/api/wall/city").json["tour"]["scenes"]
        assert "ranking" not in {scene["key"] for scene in scenes}
        offered = operator.get("/api/wall/city/tour").json["choices"]
        assert "completed" not in {one["value"] for kind in ("panel", "colour") for one in offered[kind]}
        assert operator.get("/api/wall/city/ranking").json == {"ranking": None}
        assert "worker-ranking" not in operator.page("/roster").text
    finally:
        app.extensions["gis_server"].broadcaster.stop()
    chosen = tmp_path / "local.toml"
    chosen.write_text(
        'profile = "heihe"\n[appraisal]\nranking_periods = { value = ["month"], basis = "市政法委 2023 年第 5 次会议" }\n',
        encoding="utf-8",
    )
    local = replace(heihe, settings=replace(heihe.settings, profile_overrides=chosen))
    found = rankings.of_wall(local, city_wall(), Period.MONTH, OCTOBER)
    assert found is not None
    assert [place.place for place in found.places] == [1, 2, 2, 4]
    assert rankings.of_wall(local, city_wall(), Period.WEEK, OCTOBER) is None


@pytest.mark.parametrize(
    ("profile", "grids", "workers"),
    [
        ("gansu", (Period.WEEK, Period.MONTH, Period.YEAR), (Period.WEEK, Period.MONTH, Period.YEAR)),
        ("heihe", (), ()),
        ("zhenjiang", (), ()),
        ("taizhou", (), ()),
        ("heilongjiang", (Period.MONTH,), ()),
    ],
)
def test_which_rankings_a_document_has(
    profile: str, grids: tuple[Period, ...], workers: tuple[Period, ...]
) -> None:
    found = read_profile(profile)
    assert ranked_periods(found, RankingUnit.GRID) == grids
    assert ranked_periods(found, RankingUnit.WORKER) == workers


def test_equal_numbers_share_a_place_and_the_next_counts_all_before_it() -> None:
    found = placed({"b": 5, "a": 8, "d": 3, "c": 5, "e": 0})
    assert found == [Place(1, "a", 8), Place(2, "b", 5), Place(2, "c", 5), Place(4, "d", 3)]
    assert placed({}) == []
    assert [place.code for place in first(found, 2)] == ["a", "b", "c"]
    assert first(found, 9) == found


def test_periods_close_when_their_last_day_is_over() -> None:
    new_year = date(2024, 1, 1)
    assert closed(Period.WEEK, new_year).since == date(2023, 12, 25)
    assert closed(Period.MONTH, new_year).until == new_year
    assert closed(Period.YEAR, new_year).since == date(2023, 1, 1)
    assert running(Period.MONTH, date(2024, 2, 29)).until == date(2024, 3, 1)
    assert running(Period.YEAR, new_year).until == date(2025, 1, 1)


def test_a_tour_keeps_the_rankings_that_are_wanted() -> None:
    tour = default_tour()
    every = for_periods(tour, (Period.WEEK, Period.MONTH, Period.YEAR))
    assert every == tour
    by_month = for_periods(tour, (Period.MONTH,))
    (ranking,) = [scene for scene in by_month.scenes if scene.key == "ranking"]
    assert "completed" in ranking.left
    assert not {"ranking_week", "ranking_year"} & {*ranking.left, *ranking.right}
    none = for_periods(tour, ())
    assert [scene.key for scene in none.scenes] == [
        scene.key for scene in tour.scenes if scene.key != "ranking"
    ]
    only = replace(tour, scenes=tuple(scene for scene in tour.scenes if scene.key == "ranking"))
    (bare,) = for_periods(only, ()).scenes
    assert (bare.colour, bare.left, bare.right) == ("plain", (), ())
