"""Layers in the store: generations by date, what a reader sees, what cannot be half done."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import shapely
from made import (
    COMMUNITIES,
    COUNTY,
    NOON,
    TOWN_A,
    TOWN_B,
    areas,
    cameras,
    geojson,
    grid_rows,
    grids,
    incidents,
    place,
    square,
    sub_grids,
)
from sqlalchemy import Engine, text

from gis_server.core.access import CONSOLE, VISITOR, Actor, Role, Territory, Tier
from gis_server.core.area_tree import area_paths
from gis_server.core.datum import Datum
from gis_server.core.errors import Conflict, NotAllowed, NotFound, PublishRefused, SignInRequired
from gis_server.core.generation import GenerationState
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context
from gis_server.journeys.findings import findings
from gis_server.store import features, layers

HOUR = timedelta(hours=1)


def actor(role: Role, *path: str, tier: Tier = Tier.INTERNAL) -> Actor:
    return Actor(None, role.value, role, Territory(path), tier)


def put(ctx: Context, layer: str, path: Path, now: datetime = NOON, *, publish: bool = True) -> Any:
    result = journey.import_layer(
        ctx, CONSOLE, layer, path, datum=Datum.CGCS2000, crs="EPSG:4490", publish=publish, now=now
    )
    assert result.held_back is None, result.held_back
    return result.generation


def county(ctx: Context, folder: Path, now: datetime = NOON) -> None:
    for layer, make in (("area", areas), ("grid", grids), ("sub_grid", sub_grids), ("camera", cameras)):
        put(ctx, layer, make(folder), now)


def keys(ctx: Context, who: Actor, layer: str, at: datetime = NOON, **rest: Any) -> list[str]:
    seen = json.loads(journey.features(ctx, who, layer, at=at, **rest))
    return [feature["id"] for feature in seen["features"]]


def test_a_past_date_shows_the_areas_grids_and_sub_grids_of_that_day(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    later = NOON + 24 * HOUR
    shapes, rows = grid_rows()
    merged = [shapely.union_all(shapes[:2]), *shapes[2:]]
    rows[1] |= {"grid_name": "合并后的网格", "grid_code": rows[0]["grid_code"]}
    put(ctx, "grid", geojson(tmp_path / "merged.geojson", merged, rows[1:]), later)
    put(
        ctx,
        "sub_grid",
        geojson(
            tmp_path / "sub.geojson",
            [square(0, 0, 1, 2)],
            [
                {
                    "sub_grid_code": "S9",
                    "sub_grid_name": "新",
                    "grid_code": rows[0]["grid_code"],
                    "subdivision_kind": "micro_grid",
                }
            ],
        ),
        later,
    )
    renamed = json.loads(areas(tmp_path).read_text())
    renamed["features"][0]["properties"]["area_name"] = "新县名"
    path = tmp_path / "areas.geojson"
    path.write_text(json.dumps(renamed))
    put(ctx, "area", path, later)

    def names(at: datetime) -> list[str]:
        seen = json.loads(journey.features(ctx, CONSOLE, "area", at=at))
        return [feature["properties"]["area_name"] for feature in seen["features"]]

    for before in (NOON, NOON + HOUR, later - timedelta(microseconds=1)):
        assert len(keys(ctx, CONSOLE, "grid", before)) == 6
        assert len(keys(ctx, CONSOLE, "sub_grid", before)) == 2
        assert names(before)[0] == f"区划{COUNTY}"
    for after in (later, later + HOUR):
        assert len(keys(ctx, CONSOLE, "grid", after)) == 5
        assert keys(ctx, CONSOLE, "sub_grid", after) == ["S9"]
        assert names(after)[0] == "新县名"
    assert keys(ctx, CONSOLE, "grid", NOON - HOUR) == []


def test_geojson_carries_its_generation_and_plain_coordinates(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    seen = json.loads(journey.features(ctx, CONSOLE, "grid", at=NOON))
    assert seen["type"] == "FeatureCollection"
    assert datetime.fromisoformat(seen["generation"]["valid_from"]) == NOON
    first = seen["features"][0]
    assert "crs" not in first["geometry"]
    assert shapely.from_geojson(json.dumps(first["geometry"])).equals(shapely.multipolygons([square(0, 0)]))
    assert first["properties"]["resident_households"] == 200


def test_a_box_narrows_the_answer(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    west, south, east, north = square(2.2, 0.2, 0.5, 0.5).bounds
    assert keys(ctx, CONSOLE, "grid", bbox=(west, south, east, north)) == [f"{COMMUNITIES[2]}001"]


def test_fields_above_the_reader_s_tier_never_leave(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    hall = actor(Role.DISPLAY, tier=Tier.HALL)
    raw = journey.features(ctx, hall, "grid", at=NOON).decode()
    assert "resident_households" not in raw
    assert "grid_name" in raw
    with pytest.raises(NotFound, match="没有名为 address 的图层"):
        journey.features(ctx, hall, "address", at=NOON)


def test_cameras_at_sensitive_sites_are_for_the_protected_tier(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    assert len(keys(ctx, actor(Role.OPERATOR), "camera")) == 2
    assert len(keys(ctx, actor(Role.OPERATOR, tier=Tier.PROTECTED), "camera")) == 3
    seen = journey.features(ctx, actor(Role.OPERATOR), "camera", at=NOON).decode()
    assert "sensitive" not in seen


def test_the_hall_sees_where_cameras_stand_and_not_which(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    seen = json.loads(journey.features(ctx, actor(Role.DISPLAY, tier=Tier.HALL), "camera", at=NOON))
    assert len(seen["features"]) == 2
    assert {tuple(sorted(f["properties"])) for f in seen["features"]} == {("camera_site_class", "status")}
    assert {f["id"] for f in seen["features"]} == {None}


def test_territory_is_its_own_areas_and_what_lies_in_them(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    put_incidents(ctx, tmp_path)
    township = actor(Role.PLANNER, COUNTY, TOWN_A)
    community = actor(Role.OPERATOR, COUNTY, TOWN_A, COMMUNITIES[1])
    assert keys(ctx, township, "area") == [TOWN_A, *COMMUNITIES[:2]]
    assert keys(ctx, community, "area") == [COMMUNITIES[1]]
    assert {key[:12] for key in keys(ctx, township, "grid")} == set(COMMUNITIES[:2])
    assert {key[:12] for key in keys(ctx, community, "grid")} == {COMMUNITIES[1]}
    assert len(keys(ctx, township, "sub_grid")) == 2
    assert keys(ctx, community, "sub_grid") == []
    assert keys(ctx, township, "camera") == ["23088100001310000001"]
    assert keys(ctx, actor(Role.OPERATOR, COUNTY, TOWN_B), "camera") == ["23088100001310000003"]
    assert keys(ctx, township, "incident", NOON) == ["LS00001"]
    assert keys(ctx, actor(Role.OPERATOR, COUNTY, TOWN_B), "incident") == ["LS00002"]
    assert len(keys(ctx, actor(Role.OPERATOR, COUNTY), "grid")) == 6
    assert keys(ctx, actor(Role.OPERATOR, "999999"), "grid") == []
    assert keys(ctx, actor(Role.OPERATOR, "999999"), "camera") == []


def put_incidents(ctx: Context, folder: Path) -> None:
    path = incidents(folder, ["2026-02-01T08:00:00+08:00"] * 2, [place(0.5, 0.5), place(3, 0.5)])
    journey.import_layer(ctx, CONSOLE, "incident", path, datum=Datum.CGCS2000, crs="EPSG:4490", now=NOON)


def test_who_may_do_what(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    with pytest.raises(SignInRequired):
        journey.features(ctx, VISITOR, "grid", at=NOON)
    with pytest.raises(NotAllowed):
        findings(ctx, actor(Role.OPERATOR), 1)
    staged = put(ctx, "grid", grids(tmp_path), NOON + HOUR, publish=False)
    with pytest.raises(NotAllowed):
        journey.publish(ctx, actor(Role.PLANNER), staged.id, NOON + HOUR)
    with pytest.raises(NotAllowed, match="辖区为全域"):
        journey.publish(ctx, actor(Role.APPROVER, COUNTY, TOWN_A), staged.id, NOON + HOUR)
    with pytest.raises(NotAllowed, match="辖区为全域"):
        journey.import_layer(
            ctx,
            actor(Role.PLANNER, COUNTY, TOWN_A),
            "grid",
            grids(tmp_path),
            datum=Datum.CGCS2000,
            crs="EPSG:4490",
            now=NOON,
        )
    assert (
        journey.publish(ctx, actor(Role.APPROVER, COUNTY), staged.id, NOON + HOUR).published_by == "approver"
    )


def test_staged_rows_are_for_those_who_may_import(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    staged = put(ctx, "grid", grids(tmp_path), NOON + HOUR, publish=False)
    assert len(keys(ctx, actor(Role.PLANNER), "grid", generation_id=staged.id)) == 6
    with pytest.raises(NotFound):
        keys(ctx, actor(Role.OPERATOR), "grid", generation_id=staged.id)
    assert staged.id in [g.id for g in journey.generations(ctx, actor(Role.PLANNER), "grid")]
    assert staged.id not in [g.id for g in journey.generations(ctx, actor(Role.OPERATOR), "grid")]


def test_publishing_closes_the_one_before_at_the_same_instant(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    put(ctx, "grid", grids(tmp_path), NOON + HOUR)
    new, old = journey.generations(ctx, CONSOLE, "grid")
    assert (old.valid_from, old.valid_to) == (NOON, NOON + HOUR)
    assert (new.valid_from, new.valid_to) == (NOON + HOUR, None)


def test_a_generation_is_published_once_and_not_before_another(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    first = journey.generations(ctx, CONSOLE, "grid")[0]
    with pytest.raises(Conflict, match="已发布"):
        journey.publish(ctx, CONSOLE, first.id, NOON + HOUR)
    staged = put(ctx, "grid", grids(tmp_path), NOON + HOUR, publish=False)
    with pytest.raises(Conflict, match="起生效"):
        journey.publish(ctx, CONSOLE, staged.id, NOON)
    with pytest.raises(NotFound):
        journey.publish(ctx, CONSOLE, 10**9, NOON + HOUR)


def test_publishing_is_refused_while_an_error_stands(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    shapes, rows = grid_rows()
    path = geojson(tmp_path / "gap.geojson", shapes[1:], rows[1:])
    result = journey.import_layer(
        ctx, CONSOLE, "grid", path, datum=Datum.CGCS2000, crs="EPSG:4490", publish=True, now=NOON + HOUR
    )
    assert result.generation is not None
    assert result.generation.state is GenerationState.STAGED
    assert "错误" in str(result.held_back)
    with pytest.raises(PublishRefused) as refused:
        journey.publish(ctx, CONSOLE, result.generation.id, NOON + HOUR)
    assert refused.value.findings
    generation, stored = findings(ctx, CONSOLE, result.generation.id)
    kept = [one.finding for one in stored]
    assert generation.errors == len([f for f in kept if f.severity == "error"]) > 0
    assert result.report is not None
    assert [f.kind for f in kept] == [f.kind for f in result.report.findings]
    assert [str(f.message) for f in kept] == [str(f.message) for f in result.report.findings]
    assert len(keys(ctx, CONSOLE, "grid", NOON + HOUR)) == 6


def test_parents_that_changed_since_the_check_ask_for_another_one(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    staged = put(ctx, "grid", grids(tmp_path), NOON + HOUR, publish=False)
    put(ctx, "area", areas(tmp_path), NOON + 2 * HOUR)
    with pytest.raises(Conflict, match="重新导入"):
        journey.publish(ctx, CONSOLE, staged.id, NOON + 3 * HOUR)


@pytest.mark.parametrize("layer", ["grid", "camera", "road"])
def test_discarding_removes_rows_and_findings(ctx: Context, tmp_path: Path, layer: str) -> None:
    county(ctx, tmp_path)
    path = {
        "grid": lambda: geojson(tmp_path / "gap.geojson", *(part[1:] for part in grid_rows())),
        "camera": lambda: cameras(tmp_path),
        "road": lambda: geojson(
            tmp_path / "road.geojson", [shapely.LineString([place(0, 1), place(3, 1)])], [{"road_code": "R1"}]
        ),
    }[layer]()
    before = counts(ctx.engine)
    staged = journey.import_layer(
        ctx, CONSOLE, layer, path, datum=Datum.CGCS2000, crs="EPSG:4490", now=NOON + HOUR
    ).generation
    assert staged is not None
    discarded = journey.discard(ctx, CONSOLE, staged.id, NOON + HOUR)
    assert discarded.state is GenerationState.DISCARDED
    after = counts(ctx.engine)
    assert {name for name in after if after[name] != before.get(name)} == {"generation", "audit"}
    with pytest.raises(Conflict):
        journey.discard(ctx, CONSOLE, staged.id, NOON)


def counts(engine: Engine) -> dict[str, int]:
    with engine.connect() as conn:
        names = conn.scalars(
            text(
                "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
            )
        ).all()
        return {name: conn.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one() for name in names}


def test_a_published_generation_of_a_partitioned_table_is_kept(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    for statement in ("UPDATE camera SET camera_name = 'x'", "DELETE FROM camera", "TRUNCATE camera"):
        with pytest.raises(Exception, match="append-only"), ctx.engine.begin() as conn:
            conn.execute(text(statement))


def test_a_partition_has_the_indexes_of_its_table(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    with ctx.engine.connect() as conn:
        made = conn.scalars(
            text("SELECT indexdef FROM pg_indexes WHERE tablename ~ '^camera_g[0-9]+$' ORDER BY 1")
        ).all()
    assert len(made) == 3
    assert any("gist (geom)" in definition for definition in made)


def test_publishing_tells_the_stream_and_the_audit(ctx: Context, tmp_path: Path) -> None:
    county(ctx, tmp_path)
    with ctx.engine.connect() as conn:
        told = conn.execute(text("SELECT kind, tier, payload FROM event ORDER BY id")).all()
        acts = conn.execute(text("SELECT act, outcome FROM audit ORDER BY id")).all()
    assert [row.payload["layer"] for row in told] == ["area", "grid", "sub_grid", "camera"]
    assert {row.kind for row in told} == {"generation"}
    assert [row.tier for row in told] == ["public", "public", "public", "hall"]
    assert [row.act for row in acts] == ["import_layer", "publish_layer"] * 4


def test_what_was_read_is_what_was_staged(ctx: Context, tmp_path: Path) -> None:
    names = ["制表\t符", "换\n行", "反\\斜", "引\"号'", "\\N", "空 格", "🚏"]
    rows = [
        {"road_code": f"R{n}", "road_name": name, "road_class": "arterial"} for n, name in enumerate(names)
    ]
    lines = [shapely.LineString([place(n / 3, 0.1), place(n / 3, 0.123456789)]) for n in range(len(rows))]
    generation = put(ctx, "road", geojson(tmp_path / "road.geojson", lines, rows))
    cam = [
        {"camera_code": f"C{n}", "camera_name": name, "camera_site_class": "一般部位"}
        for n, name in enumerate(names)
    ]
    put(ctx, "camera", geojson(tmp_path / "cam.geojson", [place(n / 7, 1 / 3) for n in range(len(cam))], cam))
    with ctx.engine.connect() as conn:
        road = features.read(conn, ctx.catalogue["road"], generation)
        camera = features.read(conn, ctx.catalogue["camera"], layers.in_force(conn, "camera", NOON))
    assert road.columns["road_name"].tolist() == names
    assert camera.columns["camera_name"].tolist() == names
    assert shapely.equals_identical(road.geometry, shapely.multilinestrings([[line] for line in lines])).all()
    assert [point.x for point in camera.geometry] == [place(n / 7, 1 / 3).x for n in range(len(cam))]


def test_paths_of_areas_end_at_an_unknown_parent_and_at_a_circle() -> None:
    codes = ["C", "T", "K", "lost", "a", "b"]
    parents = [None, "C", "T", "nowhere", "b", "a"]
    assert area_paths(codes, parents) == [
        ("C",),
        ("C", "T"),
        ("C", "T", "K"),
        ("lost",),
        ("b", "a"),
        ("a", "b"),
    ]


def test_areas_without_parent_codes_find_them_on_the_map(ctx: Context, tmp_path: Path) -> None:
    content = json.loads(areas(tmp_path).read_text())
    for feature in content["features"]:
        del feature["properties"]["parent_code"]
    path = tmp_path / "area.geojson"
    path.write_text(json.dumps(content))
    result = journey.import_layer(
        ctx, CONSOLE, "area", path, datum=Datum.CGCS2000, crs="EPSG:4490", publish=True, now=NOON
    )
    assert "5 个区划没有上级代码" in str(result.notes[0])
    with ctx.engine.connect() as conn:
        paths = conn.scalars(text("SELECT path FROM area ORDER BY id")).all()
    assert paths[-1] == [COUNTY, TOWN_B, COMMUNITIES[2]]
