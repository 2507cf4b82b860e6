"""The roster of the sample city: made up, without errors, and answering for every past incident."""

import re
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from gis_server.core.access import CONSOLE
from gis_server.core.coverage.findings import Severity
from gis_server.core.roster import Post
from gis_server.journeys import explain, incidents
from gis_server.journeys import roster as journey
from gis_server.journeys.context import Context
from gis_server.journeys.sample import load_sample
from gis_server.journeys.sample_files import CLEAN, FOLDER, ROSTER, write_roster
from gis_server.sample.city import make_city


def test_the_committed_roster_is_the_city_s(tmp_path: Path) -> None:
    path = tmp_path / ROSTER
    write_roster(path, make_city())
    assert path.read_bytes() == (FOLDER / CLEAN / ROSTER).read_bytes()


def test_people_are_made_up() -> None:
    """Nobody's phone: a Chinese mobile number has 3 to 9 as its second digit."""
    rows = make_city(seed=3, towns=1, communities_per_town=4, grids_per_community=4).roster
    assert all(re.fullmatch(r"104\d{8}", row["phone"]) for row in rows)
    people = {(row["staff_no"], row["name"], row["phone"]) for row in rows}
    assert len({no for no, _, _ in people}) == len({name for _, name, _ in people}) == len(people)


def test_the_sample_has_vacancies_and_no_errors(sample_ctx: Context) -> None:
    now = datetime.now(UTC)
    findings = journey.check(sample_ctx, CONSOLE, now)
    assert {finding.severity for finding in findings} == {Severity.OPTION}
    view = journey.listing(sample_ctx, CONSOLE, at=now, limit=200)
    assert sum(view.counts.values()) == 200
    assert view.counts["option"] == len(findings) == 5
    assert all(place.answer.chosen is not None for place in view.grids)
    assert any(p.stands_in_for is not None for place in view.grids for p in place.postings)
    leaders = [p for place in view.grids[5:] for p in place.postings if p.post is Post.GRID_LEADER]
    assert len(leaders) == 195


def test_every_past_incident_has_somebody_and_replays_to_the_byte(sample_ctx: Context) -> None:
    with sample_ctx.engine.connect() as conn:
        alone = conn.scalar(
            text("SELECT count(*) FROM incident WHERE jsonb_array_length(responsible -> 'people') = 0")
        )
        some = conn.execute(text("SELECT id, decision FROM incident WHERE id % 100 = 0")).all()
    assert alone == 0
    for incident_id, decision in some:
        incident = incidents.one(sample_ctx, CONSOLE, incident_id).incident
        assert explain.replay(sample_ctx, incident) == decision


def test_a_second_load_leaves_the_roster(sample_ctx: Context) -> None:
    before = journey.listing(sample_ctx, CONSOLE, at=datetime.now(UTC)).generation_id
    load_sample(sample_ctx, CONSOLE, datetime.now(UTC))
    assert journey.listing(sample_ctx, CONSOLE, at=datetime.now(UTC)).generation_id == before
