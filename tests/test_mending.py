"""Mending staged grids: proposed finding by finding, done in a new staged generation, everything told."""

from collections.abc import Callable
from pathlib import Path

import city
import numpy as np
import pytest
import shapely
from city import TOWNS
from client import token_client
from flask import Flask
from test_findings import REASON
from test_http import geojson as body_of
from test_http import upload
from test_layers import HOUR, actor

from gis_server.core.access import CONSOLE, Role
from gis_server.core.coverage.findings import Kind
from gis_server.core.datum import Datum
from gis_server.core.errors import Conflict, GisError, NotAllowed, NotFound
from gis_server.core.features import FeatureTable
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.proof import proof_of
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context
from gis_server.journeys.findings import accept_kind, findings
from gis_server.journeys.mending import mend_kind, mend_one, proposals
from gis_server.settings import PROJECT_FOLDER
from gis_server.store import features

AS_RECEIVED = PROJECT_FOLDER / "sample_shapefiles" / "as_received" / "grids.shp"
MENDABLE = {Kind.GAP, Kind.OVERLAP, Kind.OUTSIDE, Kind.WRONG_PARENT, Kind.NEAR_MISS}
NOW = city.PUBLISHED + 20 * 24 * HOUR


@pytest.fixture
def received(sample_ctx: Context) -> tuple[Context, Generation]:
    """The sample city with its grids as received, staged."""
    generation = journey.import_layer(
        sample_ctx, CONSOLE, "grid", AS_RECEIVED, crs="EPSG:4553", now=NOW
    ).generation
    assert generation is not None
    return sample_ctx, generation


def table(ctx: Context, generation: Generation) -> FeatureTable:
    with ctx.engine.connect() as conn:
        return features.read(conn, ctx.catalogue["grid"], generation)


def test_each_proposal_belongs_to_a_finding(received: tuple[Context, Generation]) -> None:
    ctx, generation = received
    kept = {one.id: one.finding for one in findings(ctx, CONSOLE, generation.id)[1]}
    proposed = proposals(ctx, CONSOLE, generation.id, NOW)
    assert {kept[number].kind for number in proposed} == MENDABLE
    for number, moves in proposed.items():
        assert {move.finding.kind for move in moves} == {kept[number].kind}
        assert {str(move.finding.message) for move in moves} == {str(kept[number].message)}


def test_one_finding_is_mended_in_a_new_generation(received: tuple[Context, Generation]) -> None:
    ctx, old = received
    proposed = proposals(ctx, CONSOLE, old.id, NOW)
    kept = {one.id: one.finding for one in findings(ctx, CONSOLE, old.id)[1]}
    number = next(n for n in proposed if kept[n].kind is Kind.OVERLAP)
    before = table(ctx, old)
    accept_kind(ctx, CONSOLE, old.id, Kind.SIZE, reason=REASON, now=NOW)

    done = mend_one(ctx, actor(Role.PLANNER), old.id, number, NOW)
    new = done.generation
    assert [move.finding.kind for move in done.moves] == [Kind.OVERLAP]
    assert (new.state, new.feature_count, new.created_by) == (GenerationState.STAGED, 201, "planner")
    assert new.errors == old.errors - 1
    assert new.rejected == old.rejected == 1
    assert new.source["sha256"] == old.source["sha256"]
    told = [str(note) for note in new.notes]
    assert told[-2:] == [f"由第 {old.id} 代修补 1 处而成：", str(done.moves[0].message)]
    (discarded,) = [g for g in journey.generations(ctx, CONSOLE, "grid") if g.id == old.id]
    assert discarded.state is GenerationState.DISCARDED
    # accepted warnings are asked about again
    assert new.open_warnings == new.warnings > 0

    after = table(ctx, new)
    changed = ~shapely.equals_exact(before.geometry, after.geometry, 0.0)
    assert set(np.flatnonzero(changed)) <= set(done.moves[0].rows)
    assert changed.sum() == 1
    for name, column in before.columns.items():
        assert column.tolist() == after.columns[name].tolist()
    left = [one.finding for one in findings(ctx, CONSOLE, new.id)[1]]
    assert not [one for one in left if one.codes == kept[number].codes and one.kind is Kind.OVERLAP]


def test_what_is_mended_kind_by_kind_leaves_what_a_person_decides(
    received: tuple[Context, Generation],
) -> None:
    ctx, generation = received
    errors = generation.errors
    for kind in sorted(MENDABLE):
        mended = mend_kind(ctx, CONSOLE, generation.id, kind, NOW).generation
        assert mended.errors <= generation.errors
        generation = mended
        with pytest.raises(Conflict, match="须由人决定"):
            mend_kind(ctx, CONSOLE, generation.id, kind, NOW)
    assert generation.errors == errors - 6
    assert proposals(ctx, CONSOLE, generation.id, NOW) == {}
    assert len([note for note in generation.notes if "修补" in str(note)]) == len(MENDABLE)


def test_mended_grids_are_exact_again_and_published(city_ctx: Context, tmp_path: Path) -> None:
    grids = [dict(grid) for grid in city.grids()]
    # half a metre of nobody's ground between the first grid and the second
    ring = [[x - 6e-6 if x == 127.005 else x, y] for x, y in grids[0]["geometry"]["coordinates"][0]]  # type: ignore[index]
    grids[0]["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    path = tmp_path / "grids.geojson"
    path.write_bytes(body_of(*grids))
    staged = journey.import_layer(city_ctx, CONSOLE, "grid", path, datum=Datum.CGCS2000, now=NOW).generation
    assert staged is not None
    assert staged.errors == 1
    done = mend_kind(city_ctx, CONSOLE, staged.id, Kind.BAY, NOW)
    assert str(proof_of(done.generation)).startswith("逐位精确：8 个网格，")
    assert journey.publish(city_ctx, CONSOLE, done.generation.id, NOW).state is GenerationState.PUBLISHED


def test_what_is_not_mended(received: tuple[Context, Generation]) -> None:
    ctx, generation = received
    published = next(
        g for g in journey.generations(ctx, CONSOLE, "grid") if g.state is GenerationState.PUBLISHED
    )
    (areas,) = journey.generations(ctx, CONSOLE, "area")
    kept = findings(ctx, CONSOLE, generation.id)[1]
    duplicate = next(one for one in kept if one.finding.kind is Kind.DUPLICATE_GEOMETRY)
    west = actor(Role.PLANNER, "239901", TOWNS[0])
    refusals: list[tuple[type[GisError], str, Callable[[], object]]] = [
        (Conflict, "须由人决定", lambda: mend_one(ctx, CONSOLE, generation.id, duplicate.id, NOW)),
        (Conflict, "须由人决定", lambda: mend_one(ctx, CONSOLE, generation.id, 10**9, NOW)),
        (Conflict, "须由人决定", lambda: mend_kind(ctx, CONSOLE, generation.id, Kind.SIZE, NOW)),
        (Conflict, "已是已发布", lambda: mend_kind(ctx, CONSOLE, published.id, Kind.GAP, NOW)),
        (Conflict, "只有网格", lambda: proposals(ctx, CONSOLE, areas.id, NOW)),
        (NotFound, "没有第", lambda: proposals(ctx, CONSOLE, 10**9, NOW)),
        (NotAllowed, "岗位", lambda: proposals(ctx, actor(Role.OPERATOR), generation.id, NOW)),
        (NotAllowed, "辖区为全域", lambda: mend_kind(ctx, west, generation.id, Kind.GAP, NOW)),
    ]
    before = journey.generations(ctx, CONSOLE, "grid")
    for error_class, words, act in refusals:
        with pytest.raises(error_class, match=words):
            act()
    assert journey.generations(ctx, CONSOLE, "grid") == before


def test_mending_over_http(app: Flask, city_ctx: Context) -> None:
    planner = token_client(app, city_ctx, "planner")
    grids = [dict(grid) for grid in city.grids()]
    ring = [[x + 4e-6 if x == 127.005 else x, y] for x, y in grids[0]["geometry"]["coordinates"][0]]  # type: ignore[index]
    grids[0]["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    generation = upload(planner, "grid", "grids.geojson", body_of(*grids))["generation"]
    base = f"/api/generations/{generation}"
    (found,) = planner.get(f"{base}/findings").json["findings"]
    (move,) = planner.get(f"{base}/mending").json["moves"]
    assert (move["finding"], move["kind"], move["act"]) == (found["id"], "overlap", "yield")
    assert 0 < move["confidence"] <= 1
    assert "230881001001001" in move["message"]
    for body, field in (({}, "kind"), ({"kind": "hole"}, "kind"), ({"kind": "gap", "x": 1}, "x")):
        refused = planner.post(f"{base}/findings/mend", body)
        assert (refused.status_code, refused.json["field"]) == (422, field)
    assert planner.post(f"{base}/findings/mend", {"kind": "gap"}).status_code == 409
    done = planner.post(f"{base}/findings/{found['id']}/mend")
    assert done.status_code == 201
    assert done.json["generation"]["errors"] == 0
    assert done.json["generation"]["certificate"]["exact"] is True
    assert [one["message"] for one in done.json["moves"]] == [move["message"]]
    assert done.json["generation"]["notes"][-1] == move["message"]
    assert planner.post(f"{base}/findings/mend", {"kind": "overlap"}).status_code == 409
    operator = token_client(app, city_ctx, "operator")
    assert operator.get(f"{base}/mending").status_code == 403
