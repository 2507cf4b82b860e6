"""Imports that a browser starts: kept, worked on in a thread, asked for by id."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pyogrio.raw
import pytest
import shapely
from county import state_of
from made import (
    grid_rows,
    grids,
)

from gis_server.core.access import CONSOLE, Actor, Role
from gis_server.core.errors import NotAllowed, NotFound, Unavailable, UnusableInput
from gis_server.core.generation import GenerationState
from gis_server.core.import_job import ENDED, ImportJob, JobState
from gis_server.journeys import imports, upload_jobs
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context
from gis_server.journeys.imports import Upload
from gis_server.store import jobs
from gis_server.store.engine import make_engine

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


def test_an_upload_that_no_database_can_note_is_not_kept(county: Context) -> None:
    away = make_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(Unavailable):
        upload_jobs.keep(
            replace(county, engine=away), PLANNER, [], layer="grid", shown="grid.geojson", clock=clock
        )
    assert not (county.settings.var / "uploads").exists()
