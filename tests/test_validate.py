"""``gis-server validate`` on plain files: the contract's document, exit codes, and the sample city as received."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
import shapely
from click.testing import CliRunner, Result
from coverages import write_layer
from shapely import box

from gis_server.cli import main
from gis_server.core.geometry import transform

SAMPLE = Path(__file__).parent.parent / "sample_shapefiles"
K1 = "230881001001"
SQUARES = [box(0, 0, 500, 500), box(500, 0, 1000, 500), box(0, 500, 500, 1000), box(500, 500, 1000, 1000)]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["validate", *map(str, arguments)])


@pytest.fixture
def area(tmp_path: Path) -> Path:
    return write_layer(tmp_path / "k1.gpkg", [box(0, 0, 1000, 1000)], area_code=[K1])


def grids(tmp_path: Path, shapes, name="grids.gpkg", crs=None) -> Path:
    return write_layer(
        tmp_path / name, shapes, crs, grid_code=[f"{K1}{i:03d}" for i in range(1, len(shapes) + 1)]
    )


def test_the_contracts_document(tmp_path, area):
    short = [*SQUARES[:3], box(500, 500, 1000, 980)]
    result = run(
        grids(tmp_path, short),
        "--within",
        area,
        "--crs",
        "local",
        "--profile",
        "zhenjiang",
        "--format",
        "json",
    )
    assert result.exit_code == 1
    assert result.stderr == ""
    document = json.loads(result.stdout)
    assert document["schema"] == "gis-server/validation/1"
    assert document["profile"] == "zhenjiang"
    assert document["input"]["file"] == "grids.gpkg"
    assert document["input"]["features"] == 4
    assert document["tolerance_m2"] == 1.0
    assert document["summary"] == {
        "coverage_pct": 99.0,
        "within_area_m2": 1_000_000.0,
        "gap_area_m2": 10_000.0,
        "overlap_area_m2": 0.0,
        "outside_area_m2": 0.0,
        "errors": 1,
        "warnings": 0,
        "by_kind": {"gap": 1},
    }
    (finding,) = document["findings"]
    assert {k: v for k, v in finding.items() if k not in ("message", "geometry")} == {
        "kind": "gap",
        "rule": "V1",
        "severity": "error",
        "clause": "zhenjiang 10(1)",
        "fids": [3],
        "codes": [f"{K1}004"],
        "area_m2": 10_000.0,
        "width_m": 20.0,
    }
    assert set(finding["message"]) == {"zh", "en"}
    assert shapely.from_geojson(json.dumps(finding["geometry"])).equals(box(500, 980, 1000, 1000))


def test_exit_codes_and_text(tmp_path, area):
    clean = run(grids(tmp_path, SQUARES), "--within", area, "--crs", "local")
    assert clean.exit_code == 0
    assert "100%" in clean.stdout
    missing = run(tmp_path / "nowhere.shp")
    assert missing.exit_code == 2
    assert missing.stderr.count("\n") == 1
    assert "nowhere.shp" in missing.stderr
    unknown = run(grids(tmp_path, SQUARES), "--crs", "local", "--profile", "nowhere")
    assert unknown.exit_code == 2
    assert "nowhere" in unknown.stderr


def test_no_crs_is_refused_with_one_sentence_and_nothing_is_write_layer(tmp_path):
    out = tmp_path / "report.json"
    shapes = [shapely.transform(s, lambda xy: xy + np.array([500_000, 4_000_000])) for s in SQUARES]
    result = run(grids(tmp_path, shapes), "-o", out, "--format", "json")
    assert result.exit_code == 2
    assert "EPSG:" in result.stderr
    assert not out.exists()


def test_tolerance_is_the_users(tmp_path, area):
    thin = [*SQUARES[:3], box(500, 500, 1000, 999.999)]
    file = grids(tmp_path, thin)
    assert run(file, "--within", area, "--crs", "local").exit_code == 0
    assert run(file, "--within", area, "--crs", "local", "--tolerance-m2", 0.4).exit_code == 1


def test_parents_in_another_reference_system_and_lonlat_out(tmp_path):
    shapes = [shapely.transform(s, lambda xy: xy + np.array([500_000, 5_200_000])) for s in SQUARES[:3]]
    file = grids(tmp_path, shapes, crs="EPSG:4553")
    square = np.array([box(500_000, 5_200_000, 501_000, 5_201_000)], dtype=object)
    county = transform(square, "EPSG:4553", "EPSG:4490")
    within = write_layer(tmp_path / "k.gpkg", county, "EPSG:4490", area_code=[K1])
    out = tmp_path / "out.geojson"
    result = run(file, "--within", within, "--format", "geojson", "-o", out)
    assert result.exit_code == 1
    content = json.loads(out.read_text())
    (feature,) = content["features"]
    assert feature["properties"]["kind"] == "missing_cell"
    assert feature["properties"]["area_m2"] == pytest.approx(250_000, rel=1e-6)
    shape = shapely.from_geojson(json.dumps(feature["geometry"]))
    assert 131.9 < shape.centroid.x < 132.1
    assert shape.exterior.is_ccw


def test_addresses_count_and_weigh(tmp_path, area):
    file = grids(tmp_path, [*SQUARES[:3], box(500, 500, 1000, 980)])
    points = [shapely.Point(10, 10), shapely.Point(700, 990), shapely.Point(1200, 500)]
    houses = write_layer(
        tmp_path / "a.gpkg", points, address_code=["A1", "A2", "A3"], actual_population=[1, 2, 3]
    )
    document = json.loads(
        run(file, "--within", area, "--crs", "local", "--addresses", houses, "--format", "json").stdout
    )
    by_kind = {f["kind"]: f for f in document["findings"]}
    assert by_kind["gap"]["weight"] == {"addresses": 1, "people": 2, "open_incidents": 0}
    assert by_kind["address_unassigned"]["codes"] == ["A3"]


def test_the_clean_sample_is_certified():
    result = run(SAMPLE / "clean/grids.shp", "--within", SAMPLE / "clean/areas.shp", "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 0
    assert document["findings"] == []
    assert document["certificate"]["exact"]


def test_every_defect_of_the_sample_as_received_is_found_and_nothing_else():
    result = run(
        SAMPLE / "as_received/grids.shp",
        "--within",
        SAMPLE / "clean/areas.shp",
        "--profile",
        "heilongjiang",
        "--format",
        "json",
    )
    assert result.exit_code == 1
    # the sizes of the sample follow no one document
    found = [f for f in json.loads(result.stdout)["findings"] if f["kind"] != "size"]
    with (SAMPLE / "as_received/defects.csv").open(encoding="utf-8-sig") as file:
        known = [row for row in csv.DictReader(file) if row["layer"] == "grid"]
    assert len(known) >= 20
    for defect in known:
        rows = {int(fid) for fid in defect["fids"].split()}
        (match,) = [f for f in found if f["kind"] == defect["kind"] and set(f["fids"]) == rows]
        if float(defect["area_m2"]) > 0:
            assert match["area_m2"] == pytest.approx(float(defect["area_m2"]), rel=0.01)
            assert match["width_m"] == pytest.approx(float(defect["width_m"]), rel=0.02, abs=2e-4)
        assert match["rule"] in (defect["rule"], "V9")
        found.remove(match)
    # ground of another parent's grid is outside one's own, a second finding by S05
    (outside,) = found
    assert outside["kind"] == "outside"


def test_the_report_for_people_is_one_file_that_asks_nobody(tmp_path, area):
    out = tmp_path / "report.html"
    short = [*SQUARES[:3], box(500, 500, 1000, 980)]
    result = run(grids(tmp_path, short), "--within", area, "--crs", "local", "--format", "html", "-o", out)
    assert result.exit_code == 1
    page = out.read_text(encoding="utf-8")
    assert "10,000" in page
    assert page.count("<article") == 1
    assert page.count('<svg class="close"') == 1
    assert page.count('<svg class="overview"') == 1
    assert 'lang="en"' in page
    # nothing from outside, no script: it opens from a stick in a closed network
    assert not re.findall(r"https?://|<script|<link|src=|@import", page)


def test_the_report_escapes_what_files_bring(tmp_path):
    evil = ["<script>alert(1)</script>"] * 2
    file = write_layer(tmp_path / "g.gpkg", [SQUARES[0], SQUARES[0]], grid_code=evil)
    page = run(file, "--crs", "local", "--format", "html").stdout
    assert "<script" not in page
    assert "&lt;script" in page
