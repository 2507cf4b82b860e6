"""``gis-server repair`` on plain files: nothing lost, nothing written by halves, exit codes, the sample as received."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from click.testing import CliRunner, Result
from coverages import read_layer, write_layer
from test_validate import K1, SQUARES, grids

from gis_server.cli import main

SAMPLE = Path(__file__).parent.parent / "sample_shapefiles"
WITHIN = SAMPLE / "clean/areas.shp"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["repair", *map(str, arguments)])


def validated(path: Path, *arguments: object) -> dict:
    result = CliRunner().invoke(main, ["validate", str(path), *map(str, arguments), "--format", "json"])
    return json.loads(result.stdout)


@pytest.fixture
def area(tmp_path: Path) -> Path:
    return write_layer(tmp_path / "k1.gpkg", [shapely.box(0, 0, 1000, 1000)], area_code=[K1])


def test_the_sample_as_received(tmp_path):
    out = tmp_path / "mended.gpkg"
    wide = ("--within", WITHIN, "--max-gap-width", 20, "--max-overlap-width", 12)
    result = run(SAMPLE / "as_received/grids.shp", "-o", out, *wide, "--format", "json")
    assert result.exit_code == 1  # a missing grid, two equal rows, an empty one: a person's
    document = json.loads(result.stdout)
    assert document["schema"] == "gis-server/repair/1"
    assert {m["act"] for m in document["moves"]} >= {
        "fill",
        "divide",
        "yield",
        "withdraw",
        "mend",
        "reparent",
    }
    assert all(set(m["message"]) == {"zh", "en"} for m in document["moves"])
    with (SAMPLE / "as_received/defects.csv").open(encoding="utf-8") as file:
        defects = {d["id"]: d for d in csv.DictReader(file) if d["layer"] == "grid"}
    mended = {fid for m in document["moves"] for fid in m["rows"]}
    for name in ("D05", "D12", "D13", "D14", "D15", "D16", "D17", "D18", "D20", "D21"):
        assert {int(f) for f in defects[name]["fids"].split()} & mended, name
    decisions = {"bay", "missing_cell", "contained", "duplicate_geometry", "empty_geometry", "duplicate_code"}
    assert {f["kind"] for f in document["left"] if f["severity"] == "error"} == decisions

    before_shapes, before, crs = read_layer(SAMPLE / "as_received/grids.shp", encoding="GB18030")
    shapes, after, crs_after = read_layer(out)
    assert crs_after == crs
    assert len(shapes) == document["input"]["features"] == 202
    touched = {r for m in document["moves"] for r in m["rows"]}
    assert document["untouched"] >= 202 - len(touched)
    for row, (one, other) in enumerate(zip(before_shapes, shapes, strict=True)):
        if row not in touched and one is not None:
            assert shapely.equals_exact(shapely.multipolygons(shapely.get_parts(one)), other), row
    for one, other in zip(before.values(), after.values(), strict=True):
        same = np.array([str(a) == str(b) for a, b in zip(one, other, strict=True)])
        assert same.sum() >= 201  # but for the corrected parent code


def test_repair_of_a_repaired_file_changes_nothing(tmp_path):
    wide = ("--within", WITHIN, "--max-gap-width", 20, "--max-overlap-width", 12)
    first, second = tmp_path / "one.gpkg", tmp_path / "two.gpkg"
    run(SAMPLE / "as_received/grids.shp", "-o", first, *wide)
    result = run(first, "-o", second, *wide, "--format", "json")
    document = json.loads(result.stdout)
    assert document["moves"] == []
    assert document["untouched"] == 202
    assert shapely.equals_exact(read_layer(first)[0][:199], read_layer(second)[0][:199]).all()


def test_a_shapefile_keeps_its_table_to_the_last_byte(tmp_path):
    out = tmp_path / "mended.shp"
    result = run(SAMPLE / "clean/grids.shp", "--within", WITHIN, "-o", out)
    assert result.exit_code == 0
    assert out.with_suffix(".dbf").read_bytes() == (SAMPLE / "clean/grids.dbf").read_bytes()
    assert validated(out, "--within", WITHIN)["certificate"]["exact"]


def test_a_received_shapefile_can_be_read_again(tmp_path):
    out = tmp_path / "网格.shp"
    wide = ("--within", WITHIN, "--max-gap-width", 20, "--max-overlap-width", 12)
    assert run(SAMPLE / "as_received/grids.shp", "-o", out, *wide).exit_code == 1
    document = validated(out, "--within", WITHIN)
    assert document["input"]["features"] == 202
    assert "wrong_parent" not in document["summary"]["by_kind"]
    assert "overlap" not in document["summary"]["by_kind"]
    again = tmp_path / "again.shp"
    assert json.loads(run(out, "-o", again, *wide, "--format", "json").stdout)["moves"] == []


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".geojson", ".fgb"])
def test_every_format_and_exit_0(tmp_path, area, suffix):
    shapes = [shapely.box(0, 0, 500.5, 500), *SQUARES[1:3], shapely.box(500, 500, 1000, 999.8)]
    out = tmp_path / f"out{suffix}"
    result = run(grids(tmp_path, shapes), "--within", area, "--crs", "local", "-o", out)
    assert result.exit_code == 0, result.output
    mended = validated(out, "--within", area, "--crs", "local")
    assert mended["findings"] == []
    assert mended["certificate"]["exact"]
    codes = [str(v) for v in next(iter(read_layer(out)[1].values()))]
    assert codes == [f"{K1}{i:03d}" for i in range(1, 5)]


def test_what_is_wider_than_the_limit_needs_a_person(tmp_path, area):
    short = grids(tmp_path, [*SQUARES[:3], shapely.box(500, 500, 1000, 980)])
    out = tmp_path / "out.gpkg"
    assert run(short, "--within", area, "--crs", "local", "-o", out).exit_code == 1
    result = run(
        short, "--within", area, "--crs", "local", "-o", out, "--max-gap-width", 20, "--format", "json"
    )
    assert result.exit_code == 0
    (move,) = json.loads(result.stdout)["moves"]
    assert move["area_m2"] == 10_000
    assert move["width_m"] == 20
    assert move["changes"] == [{"from": None, "to": 3, "area_m2": 10_000.0}]


def test_ground_outside_is_given_back_whatever_its_width(tmp_path, area):
    wide = [SQUARES[0], shapely.box(500, 0, 1010, 500), *SQUARES[2:]]
    out = tmp_path / "out.gpkg"
    result = run(grids(tmp_path, wide), "--within", area, "--crs", "local", "-o", out)
    assert result.exit_code == 0
    assert shapely.area(read_layer(out)[0]).tolist() == [250_000] * 4


@pytest.mark.parametrize(
    "arguments", [("nowhere.shp",), ("grids.gpkg", "--within", "nowhere.gpkg"), ("grids.gpkg",)]
)
def test_unusable_input_writes_nothing(tmp_path, arguments):
    shapes = [shapely.transform(s, lambda xy: xy + np.array([500_000, 4_000_000])) for s in SQUARES]
    grids(tmp_path, shapes)
    before = sorted(p.name for p in tmp_path.iterdir())
    places = [tmp_path / a if "." in a else a for a in arguments]
    result = run(*places, "-o", tmp_path / "out.gpkg")
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == before


def test_an_unknown_suffix_or_folder_is_refused_before_the_work(tmp_path):
    for out in ("out.txt", "no/such/folder/out.gpkg"):
        result = run(SAMPLE / "clean/grids.shp", "-o", tmp_path / out)
        assert result.exit_code == 2
        assert list(tmp_path.iterdir()) == []
