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

from gis_server.core.access import CONSOLE, Actor, Role
from gis_server.core.coverage.findings import Kind
from gis_server.core.coverage.repair import Limits
from gis_server.core.coverage.repair.merits import Preferences
from gis_server.core.datum import Datum
from gis_server.core.errors import Conflict, GisError, NotAllowed, NotFound, UnusableInput
from gis_server.core.features import FeatureTable
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.mending import ToldMove
from gis_server.core.proof import proof_of
from gis_server.journeys import layers as journey
from gis_server.journeys import staging
from gis_server.journeys.context import Context
from gis_server.journeys.findings import accept_kind, findings
from gis_server.journeys.mending import Choice, Mended, mend, proposals, steps, undo
from gis_server.journeys.mending_case import IN_FORCE, Wishes
from gis_server.settings import PROJECT_FOLDER
from gis_server.store import audit, features

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


def table(ctx: Context, generation: Generation, layer: str = "grid") -> FeatureTable:
    with ctx.engine.connect() as conn:
        return features.read(conn, ctx.catalogue[layer], generation)


def mend_one(ctx: Context, who: Actor, generation: int, finding: int) -> Mended:
    return mend(ctx, who, generation, Choice(finding_id=finding), NOW)


def mend_kind(ctx: Context, who: Actor, generation: int, kind: Kind) -> Mended:
    return mend(ctx, who, generation, Choice(kind=kind), NOW)


def proposed(ctx: Context, generation: int, wishes: Wishes | None = None) -> dict[int, list[ToldMove]]:
    found: dict[int, list[ToldMove]] = {}
    for one in proposals(ctx, CONSOLE, generation, NOW, wishes)[1]:
        if one.finding_id is not None:
            found.setdefault(one.finding_id, []).append(one.move)
    return found


def strips() -> list[dict[str, object]]:
    """The third grid half a metre short in the north, and over the border of the fourth in the east."""
    grids = [dict(grid) for grid in city.grids()]
    ring = [
        [x + 4e-6 if x == 127.015 else x, y - 6e-6 if y == 47.01 else y]
        for x, y in grids[2]["geometry"]["coordinates"][0]  # type: ignore[index]
    ]
    grids[2]["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    return grids


def with_strips(ctx: Context, folder: Path) -> Generation:
    path = folder / "grids.geojson"
    path.write_bytes(body_of(*strips()))
    staged = journey.import_layer(ctx, CONSOLE, "grid", path, datum=Datum.CGCS2000, now=NOW).generation
    assert staged is not None
    return staged


def bits(table_: FeatureTable) -> list[bytes]:
    return [bytes(w) for w in shapely.to_wkb(table_.geometry)]


def test_each_proposal_belongs_to_a_finding(received: tuple[Context, Generation]) -> None:
    ctx, generation = received
    kept = {one.id: one.finding for one in findings(ctx, CONSOLE, generation.id)[1]}
    moves = proposed(ctx, generation.id)
    assert {kept[number].kind for number in moves} == MENDABLE
    for number, those in moves.items():
        assert {move.kind for move in those} == {kept[number].kind.value}
        for move in those:
            assert sum(change.area_m2 for change in move.changes) == pytest.approx(move.area_m2)
            assert (move.ground is None) == (move.changes == ())
            assert {c.source for c in move.changes} | {c.target for c in move.changes} <= {
                None,
                *table(ctx, generation).columns["grid_code"],
            }
    assert len({move.key for those in moves.values() for move in those}) == sum(map(len, moves.values()))


def test_one_finding_is_mended_in_a_new_generation(received: tuple[Context, Generation]) -> None:
    ctx, old = received
    moves = proposed(ctx, old.id)
    kept = {one.id: one.finding for one in findings(ctx, CONSOLE, old.id)[1]}
    number = next(n for n in moves if kept[n].kind is Kind.OVERLAP)
    before = table(ctx, old)
    accept_kind(ctx, CONSOLE, old.id, Kind.SIZE, reason=REASON, now=NOW)

    done = mend_one(ctx, actor(Role.PLANNER), old.id, number)
    new = done.generation
    assert [move.kind for move in done.moves] == ["overlap"]
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
    assert changed.sum() == 1
    (loser,) = {c.source for c in done.moves[0].changes}
    assert before.columns["grid_code"][changed].tolist() == [loser]
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
        mended = mend_kind(ctx, CONSOLE, generation.id, kind).generation
        assert mended.errors <= generation.errors
        generation = mended
        with pytest.raises(Conflict, match="须由人决定"):
            mend_kind(ctx, CONSOLE, generation.id, kind)
    assert generation.errors == errors - 6
    assert proposed(ctx, generation.id) == {}
    assert len([note for note in generation.notes if "修补" in str(note)]) == len(MENDABLE)


def test_everything_at_once_is_the_same_as_kind_by_kind(received: tuple[Context, Generation]) -> None:
    ctx, generation = received
    done = mend(ctx, CONSOLE, generation.id, Choice(), NOW).generation
    assert done.errors == generation.errors - 6
    assert proposed(ctx, done.id) == {}


def test_steps_are_undone_one_by_one_to_the_last_bit(received: tuple[Context, Generation]) -> None:
    ctx, first = received
    original, codes = bits(table(ctx, first)), table(ctx, first).columns["community_code"].tolist()
    planner, other = actor(Role.PLANNER), CONSOLE
    generation = mend(ctx, planner, first.id, Choice(), NOW).generation
    made = steps(ctx, CONSOLE, generation.id)
    assert len(made) > 4
    assert {step.who for step in made} == {"planner"}
    assert all(step.undone is None and step.generation_id == generation.id for step in made)
    mended = bits(table(ctx, generation))
    for step in reversed(made):
        before = bits(table(ctx, generation))
        generation = undo(ctx, other, generation.id, step.id, NOW).generation
        assert generation.state is GenerationState.STAGED
        now = bits(table(ctx, generation))
        rows = {change.row for change in step.rows}
        assert all(now[i] == before[i] for i in range(len(now)) if i not in rows)
        assert all(now[i] != mended[i] or now[i] == original[i] for i in rows)
    assert bits(table(ctx, generation)) == original
    assert table(ctx, generation).columns["community_code"].tolist() == codes
    assert generation.errors == first.errors
    undone = steps(ctx, CONSOLE, generation.id)
    assert [step.id for step in undone] == [step.id for step in made]
    assert {step.undone.who for step in undone if step.undone} == {CONSOLE.name}
    # and done again
    again = mend(ctx, planner, generation.id, Choice(), NOW).generation
    assert bits(table(ctx, again)) == mended
    assert len(steps(ctx, CONSOLE, again.id)) == 2 * len(made)


def test_what_is_built_upon_is_not_undone(city_ctx: Context, tmp_path: Path) -> None:
    """Two moves at one grid in two steps: the first stays until the second is undone."""
    staged = with_strips(city_ctx, tmp_path)
    original = bits(table(city_ctx, staged))
    first = mend_kind(city_ctx, CONSOLE, staged.id, Kind.GAP).generation
    (gap,) = steps(city_ctx, CONSOLE, first.id)
    old_border_first = Wishes(prefer=Preferences(filed=IN_FORCE))
    choice = Choice(kind=Kind.OVERLAP)
    second = mend(city_ctx, CONSOLE, first.id, choice, NOW, wishes=old_border_first).generation
    overlap = steps(city_ctx, CONSOLE, second.id)[1]
    assert {c.row for c in gap.rows} & {c.row for c in overlap.rows}
    before = journey.generations(city_ctx, CONSOLE, "grid")
    with pytest.raises(Conflict, match="后来的修补建立在它之上"):
        undo(city_ctx, CONSOLE, second.id, gap.id, NOW)
    assert journey.generations(city_ctx, CONSOLE, "grid") == before
    third = undo(city_ctx, CONSOLE, second.id, overlap.id, NOW).generation
    with pytest.raises(Conflict, match="已由"):
        undo(city_ctx, CONSOLE, third.id, overlap.id, NOW)
    with pytest.raises(NotFound, match="没有编号"):
        undo(city_ctx, CONSOLE, third.id, 10**9, NOW)
    fourth = undo(city_ctx, CONSOLE, third.id, gap.id, NOW).generation
    assert bits(table(city_ctx, fourth)) == original
    with city_ctx.engine.connect() as conn:
        acts = [
            (row.act, row.actor)
            for row in audit.latest(conn, 20)
            if row.act in ("mend_generation", "undo_mending")
        ]
    assert [act for act, _ in acts] == ["undo_mending", "undo_mending", "mend_generation", "mend_generation"]


def test_what_is_published_is_not_undone(city_ctx: Context, tmp_path: Path) -> None:
    staged = with_strips(city_ctx, tmp_path)
    done = mend(city_ctx, CONSOLE, staged.id, Choice(), NOW).generation
    kept = steps(city_ctx, CONSOLE, done.id)
    assert journey.publish(city_ctx, CONSOLE, done.id, NOW).state is GenerationState.PUBLISHED
    with pytest.raises(Conflict, match="已发布"):
        undo(city_ctx, CONSOLE, done.id, kept[0].id, NOW)
    assert steps(city_ctx, CONSOLE, done.id) == kept


def test_moves_are_weighed_and_findings_are_weighed_again(received: tuple[Context, Generation]) -> None:
    """What mending leaves is weighed by the addresses, people and open incidents as it was at the import."""
    ctx, old = received
    before = {
        (f.kind, f.codes, f.area_m2): f.weight for f in (k.finding for k in findings(ctx, CONSOLE, old.id)[1])
    }
    mended = mend_kind(ctx, CONSOLE, old.id, Kind.OVERLAP).generation
    kept = [k.finding for k in findings(ctx, CONSOLE, mended.id)[1]]
    assert kept
    assert any(f.weight is not None and f.weight.addresses for f in kept)
    same = [f for f in kept if (f.kind, f.codes, f.area_m2) in before]
    assert len(same) >= len(kept) - 2
    assert all(f.weight == before[f.kind, f.codes, f.area_m2] for f in same)
    with ctx.engine.connect() as conn:
        weights = staging.concerned(conn, ctx.catalogue, NOW)
    for finding in kept:
        if finding.weight is not None and shapely.get_dimensions(finding.geometry) == 2:
            inside = shapely.intersects_xy(finding.geometry, weights.places)
            assert finding.weight.addresses == int(inside.sum())
    told = [move for those in proposed(ctx, mended.id).values() for move in those if move.changes]
    for move in told:
        inside = shapely.intersects_xy(move.ground, weights.places)
        assert move.addresses == int(inside.sum())


def test_wishes_change_what_is_proposed(city_ctx: Context, tmp_path: Path) -> None:
    staged = with_strips(city_ctx, tmp_path)
    assert {m.kind for those in proposed(city_ctx, staged.id).values() for m in those} == {"gap", "overlap"}
    strict = Wishes(Limits(0.01, 1.0))
    assert {m.kind for those in proposed(city_ctx, staged.id, strict).values() for m in those} == {"overlap"}
    (move,) = [m for those in proposed(city_ctx, staged.id).values() for m in those if m.kind == "overlap"]
    (change,) = move.changes
    keeper = Wishes(prefer=Preferences(filed=IN_FORCE))
    (other,) = [
        m for those in proposed(city_ctx, staged.id, keeper).values() for m in those if m.kind == "overlap"
    ]
    # the grid that was widened gives way to the one that is as it is in force
    assert other.changes[0].source == strips()[2]["properties"]["grid_code"]  # type: ignore[index]
    assert "备案" in str(other.message)
    assert change.area_m2 == pytest.approx(other.changes[0].area_m2)
    for bad in ("grade", "grid_name"):
        with pytest.raises(UnusableInput, match="resident_households"):
            proposed(city_ctx, staged.id, Wishes(prefer=Preferences(priority=bad)))


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
    done = mend_kind(city_ctx, CONSOLE, staged.id, Kind.BAY)
    assert str(proof_of(done.generation)).startswith("逐位精确：8 个网格，")
    assert journey.publish(city_ctx, CONSOLE, done.generation.id, NOW).state is GenerationState.PUBLISHED


def test_what_is_not_mended(received: tuple[Context, Generation]) -> None:
    ctx, generation = received
    published = next(
        g for g in journey.generations(ctx, CONSOLE, "grid") if g.state is GenerationState.PUBLISHED
    )
    (addresses,) = journey.generations(ctx, CONSOLE, "address")
    kept = findings(ctx, CONSOLE, generation.id)[1]
    duplicate = next(one for one in kept if one.finding.kind is Kind.DUPLICATE_GEOMETRY)
    west = actor(Role.PLANNER, "239901", TOWNS[0])
    refusals: list[tuple[type[GisError], str, Callable[[], object]]] = [
        (Conflict, "须由人决定", lambda: mend_one(ctx, CONSOLE, generation.id, duplicate.id)),
        (Conflict, "须由人决定", lambda: mend_one(ctx, CONSOLE, generation.id, 10**9)),
        (Conflict, "须由人决定", lambda: mend_kind(ctx, CONSOLE, generation.id, Kind.SIZE)),
        (Conflict, "已是已发布", lambda: mend_kind(ctx, CONSOLE, published.id, Kind.GAP)),
        (Conflict, "只有区划、网格", lambda: proposals(ctx, CONSOLE, addresses.id, NOW)),
        (NotFound, "没有第", lambda: proposals(ctx, CONSOLE, 10**9, NOW)),
        (NotAllowed, "岗位", lambda: proposals(ctx, actor(Role.OPERATOR), generation.id, NOW)),
        (NotAllowed, "辖区为全域", lambda: mend_kind(ctx, west, generation.id, Kind.GAP)),
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
    for body, field in (
        ({"kind": 7}, "kind"),
        ({"kind": "hole"}, "kind"),
        ({"kind": "gap", "x": 1}, "x"),
        ({"max_gap_width_m": -1}, "max_gap_width_m"),
        ({"exclusive": "no"}, "exclusive"),
        ({"priority": "grade"}, "grade"),
    ):
        refused = planner.post(f"{base}/findings/mend", body)
        assert (refused.status_code, refused.json["field"]) == (422, field)
    assert planner.post(f"{base}/findings/mend", {"kind": "gap"}).status_code == 409
    (change,) = move["changes"]
    assert {change["from"], change["to"]} == {"230881001001001", "230881001001002"}
    assert move["geometry"]["type"] == "Polygon"
    assert planner.get(f"{base}/mending?max_overlap_width_m=0.01").json["moves"] == []
    assert planner.get(f"{base}/mending?max_overlap_width_m=x").status_code == 422
    offered = planner.get(f"{base}/mending").json["preferable"]
    assert {"resident_households", "actual_population"} == {one["name"] for one in offered["priority"]}
    assert [one["name"] for one in offered["prefer_filed"]] == ["in_force"]
    assert planner.get(f"{base}/mending/steps").json["steps"] == []
    assert planner.post(f"{base}/findings/{found['id']}/mend", {"move": "nothing"}).status_code == 409
    done = planner.post(f"{base}/findings/{found['id']}/mend", {"move": move["key"]})
    assert done.status_code == 201
    assert done.json["generation"]["errors"] == 0
    assert done.json["generation"]["certificate"]["exact"] is True
    assert [one["message"] for one in done.json["moves"]] == [move["message"]]
    assert done.json["generation"]["notes"][-1] == move["message"]
    assert planner.post(f"{base}/findings/mend", {"kind": "overlap"}).status_code == 409
    new = f"/api/generations/{done.json['generation']['id']}"
    (step,) = planner.get(f"{new}/mending/steps").json["steps"]
    assert (step["who"], step["undone"]) == ("planner", None)
    assert [one["key"] for one in step["moves"]] == [move["key"]]
    operator = token_client(app, city_ctx, "operator")
    assert operator.get(f"{base}/mending").status_code == 403
    assert operator.get(f"{new}/mending/steps").status_code == 403
    assert operator.post(f"{new}/mending/{step['id']}/undo").status_code == 403
    back = planner.post(f"{new}/mending/{step['id']}/undo")
    assert back.status_code == 201
    assert back.json["generation"]["errors"] == 1
    (step,) = planner.get(f"/api/generations/{back.json['generation']['id']}/mending/steps").json["steps"]
    assert step["undone"]["who"] == "planner"
    assert planner.post(f"{new}/mending/{step['id']}/undo").status_code == 409


def test_staged_areas_are_mended_from_the_top(city_ctx: Context, tmp_path: Path) -> None:
    """A town over the border of the next: its communities follow, all of that is one step, and one undo."""
    areas = [dict(area) for area in city.areas()]
    for number in (1, 4):  # the town in the west and its community at the border
        ring = [[x + 4e-6 if x == 127.02 else x, y] for x, y in areas[number]["geometry"]["coordinates"][0]]  # type: ignore[index]
        areas[number]["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    path = tmp_path / "areas.geojson"
    path.write_bytes(body_of(*areas))
    staged = journey.import_layer(city_ctx, CONSOLE, "area", path, datum=Datum.CGCS2000, now=NOW).generation
    assert staged is not None
    assert staged.errors >= 1
    layer, offered = proposals(city_ctx, CONSOLE, staged.id, NOW)
    assert layer.name == "area"
    town = next(one for one in offered if one.finding_id is not None)
    before = table(city_ctx, staged, "area")
    done = mend(city_ctx, actor(Role.PLANNER), staged.id, Choice(finding_id=town.finding_id), NOW).generation
    assert done.errors == 0
    assert str(proof_of(done)).startswith("逐位精确：7 个区划")
    after = table(city_ctx, done, "area")
    changed = {
        after.columns["area_code"][i]
        for i in np.flatnonzero(~shapely.equals_exact(before.geometry, after.geometry))
    }
    assert changed & set(TOWNS)
    assert changed & set(city.COMMUNITIES)
    assert after.geometry[0].equals(before.geometry[0])  # it only got the vertices of its towns
    (step,) = steps(city_ctx, CONSOLE, done.id)
    assert {after.columns["area_code"][change.row] for change in step.rows} == changed
    back = undo(city_ctx, CONSOLE, done.id, step.id, NOW).generation
    assert bits(table(city_ctx, back, "area")) == bits(before)
    with city_ctx.engine.connect() as conn:
        paths = features.read(conn, city_ctx.catalogue["area"], back).columns["parent_code"].tolist()
    assert paths == before.columns["parent_code"].tolist()
