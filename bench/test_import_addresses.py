"""250,000 addresses: the whole command, checks included, against ``ogr2ogr`` to the same PostGIS in the same run."""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import pyogrio.raw
import pytest
import shapely
from sqlalchemy import make_url

from gis_server.core.access import CONSOLE
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context
from gis_server.store import features
from gis_server.store import layers as generations

COUNT = 250_000
RUNS = 5
MOST_RATIO = 2.0
MOST_MB = 1024

FIELDS = {
    "DZBM": "address_code",
    "BZDZ": "standard_address",
    "WGBM": "grid_code",
    "HS": "resident_households",
    "RK": "actual_population",
}


@pytest.fixture(scope="module", params=["gpkg", "shp"])
def file(request: pytest.FixtureRequest, city: Context, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The addresses of the sample city, each several times with another code and a step aside."""
    layer = city.catalogue["address"]
    with city.engine.connect() as conn:
        generation = generations.generations(conn, "address")[-1]
        table = features.read(conn, layer, generation)
    times = -(-COUNT // len(table.rows))
    rng = np.random.default_rng(1)
    rows = np.tile(np.arange(len(table.rows)), times)[:COUNT]
    xy = shapely.get_coordinates(table.geometry)[rows] + rng.normal(0, 3e-5, (COUNT, 2))
    columns = [table.columns[name][rows] for name in FIELDS.values()]
    columns[0] = np.array([f"{number:022d}" for number in range(COUNT)], object)
    columns[3:] = [np.array([0 if v is None else v for v in column], np.int32) for column in columns[3:]]
    path = tmp_path_factory.mktemp("addresses") / f"address.{request.param}"
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapely.points(xy)),
        columns,
        fields=list(FIELDS),
        geometry_type="Point",
        crs="EPSG:4490",
        driver={"gpkg": "GPKG", "shp": "ESRI Shapefile"}[request.param],
        encoding={"gpkg": None, "shp": "GB18030"}[request.param],
    )
    return path


def timed(*command: str, **environ: str) -> tuple[float, float]:
    """Seconds and peak resident megabytes of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    assert process.returncode == 0, said
    return took, usage.ru_maxrss / 1024


def ogr_address(url: str) -> str:
    """The same database as GDAL names it."""
    parsed = make_url(url)
    return f"PG:dbname={parsed.database} user={parsed.username} host={parsed.query['host']}"


def test_addresses_load_within_twice_the_time_of_ogr2ogr(
    city: Context, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = city.settings.database_url
    assert url is not None
    program = str(Path(sys.executable).with_name("gis-server"))
    environ = {"GIS_DATABASE_URL": url, "GIS_VAR": str(city.settings.var)}
    ours, theirs, peaks = [], [], []
    for _ in range(RUNS):
        took, peak = timed(program, "import", "address", str(file), "--datum", "cgcs2000", **environ)
        ours.append(took)
        peaks.append(peak)
        took, _ = timed(
            "ogr2ogr",
            "-f",
            "PostgreSQL",
            ogr_address(url),
            str(file),
            *("-nln", "bench_address", "-overwrite", "-lco", "GEOMETRY_NAME=geom"),
            PG_USE_COPY="YES",
        )
        theirs.append(took)
    # of neighbours in time, so that a load that comes and goes weighs on both
    ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
    with capsys.disabled():
        print(
            f"\n{COUNT} addresses from {file.suffix}: import {median(ours):.2f} s, ogr2ogr {median(theirs):.2f} s,"
            f" ratio {ratio:.2f} (at most {MOST_RATIO}), peak {max(peaks):.0f} MB (at most {MOST_MB})"
        )
    listed = journey.generations(city, CONSOLE, "address")
    assert listed[0].feature_count == COUNT
    assert listed[0].rejected == 0
    assert max(peaks) <= MOST_MB
    assert ratio <= MOST_RATIO
