"""The committed sample city in the database: published whole, up to date, and only once."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from gis_server.core.access import CONSOLE
from gis_server.core.generation import GenerationState
from gis_server.journeys import layers
from gis_server.journeys.context import Context
from gis_server.journeys.sample import load_sample
from gis_server.sample.city import LAYERS

SIZES = {
    "area": 28, "grid": 200, "sub_grid": 897, "address": 14822, "camera": 500, "road": 782, "water": 24,
    "building": 11274,
}  # fmt: skip


def test_every_layer_is_published_without_an_error(sample_ctx: Context) -> None:
    for layer, size in SIZES.items():
        (generation,) = layers.generations(sample_ctx, CONSOLE, layer)
        assert generation.state is GenerationState.PUBLISHED
        assert generation.feature_count == size
        assert (generation.errors, generation.problems) == (0, 0), layer


def test_past_incidents_end_just_now_and_lie_in_their_grids(sample_ctx: Context) -> None:
    with sample_ctx.engine.connect() as conn:
        count, first, last, open_ones = conn.execute(
            text(
                "SELECT count(*), min(discovered_at), max(discovered_at), count(*) FILTER (WHERE state <> 'archived') "
                "FROM incident"
            )
        ).one()
        astray = conn.execute(
            text(
                "SELECT count(*) FROM incident i WHERE NOT EXISTS (SELECT FROM grid g "
                "WHERE g.id = i.grid_id AND ST_Contains(g.geom, i.geom))"
            )
        ).scalar_one()
    now = datetime.now(UTC)
    assert (count, open_ones, astray) == (2000, 60, 0)
    assert now - timedelta(days=2) < last <= now
    assert 88 <= (last - first).days <= 90


def test_a_second_load_changes_nothing(sample_ctx: Context) -> None:
    def state() -> list[tuple[int, int]]:
        with sample_ctx.engine.connect() as conn:
            rows = [
                conn.execute(text(f"SELECT count(*), max(id) FROM {t}")).one()
                for t in ("generation", "incident")
            ]
        return [(row[0], row[1]) for row in rows]

    before = state()
    steps: list[int] = []
    load_sample(sample_ctx, CONSOLE, datetime.now(UTC), lambda done, _: steps.append(done))
    assert state() == before
    assert steps == list(range(len(LAYERS) + 1))


@pytest.mark.parametrize("layer", ["grid", "sub_grid"])
def test_grids_come_back_as_geojson(sample_ctx: Context, layer: str) -> None:
    answer = json.loads(layers.features(sample_ctx, CONSOLE, layer, at=datetime.now(UTC)))
    assert len(answer["features"]) == SIZES[layer]
