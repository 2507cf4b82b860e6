"""``validate`` on sub-grids and areas, on one layer of a file that holds several, and on files that do not fit together."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from click.testing import CliRunner, Result
from coverages import read_layer, write_layer
from shapely import Polygon, box

from gis_server.cli import main
from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.finding_look import GAP, LOOKS, OVERLAP
from gis_server.core.geometry import transform

K1 = "230881001001"
SQUARES = [box(0, 0, 500, 500), box(500, 0, 1000, 500), box(0, 500, 500, 1000), box(500, 500, 1000, 1000)]
CODES = [f"{K1}{n:03d}" for n in range(1, 5)]
LOCAL = ("--crs", "local")


def run(command: str, *arguments: object) -> Result:
    return CliRunner().invoke(main, [command, *map(str, arguments)])


def kinds(result: Result) -> list[str]:
    return [one["kind"] for one in json.loads(result.stdout)["findings"]]


def one_sentence(result: Result, *words: str) -> None:
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    for word in words:
        assert word in result.stderr


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A GeoPackage with grids, areas and something else."""
    path = tmp_path / "city.gpkg"
    write_layer(path, SQUARES, layer="grid_2024", grid_code=CODES)
    write_layer(path, [*SQUARES[:3], box(500, 500, 1000, 980)], layer="grid_draft", grid_code=CODES)
    write_layer(path, [box(0, 0, 1000, 1000)], layer="area", area_code=[K1])
    return path


def test_sub_grids_lie_inside_the_grids_of_within(tmp_path: Path) -> None:
    grids = write_layer(tmp_path / "g.gpkg", SQUARES, grid_code=CODES)
    parts = [box(0, 0, 200, 500), box(200, 0, 505, 500)]
    columns = {
        "sub_grid_code": ["A", "B"],
        "grid_code": [CODES[0]] * 2,
        "resident_households": np.array([9, 40]),
    }
    file = write_layer(tmp_path / "s.gpkg", parts, **columns)
    given = ("--layer", "sub_grid", "--within", grids, *LOCAL, "--profile", "heilongjiang")
    result = run("validate", file, *given, "--format", "json")
    assert result.exit_code == 1
    assert sorted(kinds(result)) == ["sub_grid_outside", "sub_grid_size"]
    assert json.loads(result.stdout)["input"]["layer"] == "sub_grid"
    text = run("validate", file, *given).stdout
    assert "子网格不要求铺满网格" in text
    assert "覆盖率" not in text
    page = run("validate", file, *given, "--format", "html").stdout
    assert "子网格不要求铺满网格" in page


def test_areas_are_a_tree_of_their_own(tmp_path: Path) -> None:
    shapes = [box(0, 0, 1000, 1000), box(0, 0, 1000, 1000), box(0, 0, 600, 1000), box(610, 0, 1000, 1000)]
    columns = {
        "area_code": ["230881", "230881001", K1, "230881001002"],
        "parent_code": ["", "230881", "230881001", "230881001"],
    }
    file = write_layer(tmp_path / "a.gpkg", shapes, **columns)
    result = run("validate", file, "--layer", "area", *LOCAL, "--format", "json")
    assert (result.exit_code, kinds(result)) == (1, ["bay"])
    refused = run("validate", file, "--layer", "area", "--within", file, *LOCAL)
    one_sentence(refused, "--within")


def test_one_layer_of_a_file_with_several(city: Path) -> None:
    within = ("--within", f"{city}:area", *LOCAL)
    assert run("validate", f"{city}:grid_2024", *within).exit_code == 0
    draft = run("validate", f"{city}:grid_draft", *within, "--format", "json")
    assert (draft.exit_code, kinds(draft)) == (1, ["gap"])
    assert json.loads(draft.stdout)["input"]["file"] == "city.gpkg"
    # the areas are found by the layer's name, the grids not: which of two is meant has to be said
    one_sentence(
        run("validate", city, "--within", city, *LOCAL), "grid_2024", "grid_draft", "city.gpkg:grid_2024"
    )
    one_sentence(run("validate", f"{city}:roads", *within), "grid_2024", "grid_draft", "area")
    one_sentence(run("validate", f"{city.parent}/nowhere.gpkg:grid", *within), "nowhere.gpkg")


def test_repair_takes_one_layer_too(city: Path, tmp_path: Path) -> None:
    out = tmp_path / "mended.gpkg"
    done = run(
        "repair", f"{city}:grid_draft", "--within", f"{city}:area", *LOCAL, "--max-gap-width", 30, "-o", out
    )
    assert done.exit_code == 0, done.stderr
    shapes, columns, _ = read_layer(out)
    assert shapely.area(shapes).sum() == pytest.approx(1_000_000)
    assert list(columns["grid_code"]) == CODES


def test_route_takes_one_layer_too(tmp_path: Path) -> None:
    moved = transform(
        shapely.transform(np.array(SQUARES, dtype=object), lambda xy: xy + np.array([500_000, 5_280_000])),
        "EPSG:4553",
        "EPSG:4490",
    )
    city = tmp_path / "city.gpkg"
    write_layer(city, moved, "EPSG:4490", layer="new", grid_code=CODES)
    write_layer(city, moved, "EPSG:4490", layer="old", grid_code=[f"{code}9" for code in CODES])
    middle = shapely.centroid(moved[0])
    points = tmp_path / "p.csv"
    points.write_text(f"lon,lat\n{middle.x},{middle.y}\n")
    out = tmp_path / "o.csv"
    done = run("route", points, "--grids", f"{city}:new", "--datum", "cgcs2000", "-o", out)
    assert done.exit_code == 0, done.stderr
    assert CODES[0] in out.read_text()
    assert f"{CODES[0]}9" not in out.read_text()


def test_the_datum_is_that_of_the_addresses_alone(tmp_path: Path) -> None:
    """Areas in metres of CGCS2000 contradict a GCJ-02 that was meant for the addresses."""
    moved = shapely.transform(np.array(SQUARES, dtype=object), lambda xy: xy + np.array([500_000, 5_280_000]))
    grids = write_layer(tmp_path / "g.gpkg", moved, "EPSG:4553", grid_code=CODES)
    areas = write_layer(tmp_path / "a.gpkg", [shapely.union_all(moved)], "EPSG:4553", area_code=[K1])
    middle = transform(np.array([shapely.centroid(moved[0])], dtype=object), "EPSG:4553", "EPSG:4490")[0]
    houses = tmp_path / "h.csv"
    lon, lat = from_cgcs2000(np.array([middle.x]), np.array([middle.y]), Datum.GCJ02)
    houses.write_text(f"address_code,lon,lat\nA,{lon[0]},{lat[0]}\n")
    given = ("--within", areas, "--addresses", houses, "--datum", "gcj02")
    assert run("validate", grids, *given).exit_code == 0
    degrees = write_layer(
        tmp_path / "d.gpkg", transform(moved, "EPSG:4553", "EPSG:4490"), "EPSG:4490", grid_code=CODES
    )
    lonlat = write_layer(
        tmp_path / "l.gpkg",
        transform(np.array([shapely.union_all(moved)]), "EPSG:4553", "EPSG:4490"),
        "EPSG:4490",
        area_code=[K1],
    )
    assert (
        run("validate", degrees, "--within", lonlat, "--addresses", houses, "--datum", "gcj02").exit_code == 0
    )


def test_files_of_two_places_are_refused(tmp_path: Path) -> None:
    moved = shapely.transform(np.array(SQUARES, dtype=object), lambda xy: xy + np.array([500_000, 5_280_000]))
    grids = write_layer(tmp_path / "g.gpkg", moved, "EPSG:4553", grid_code=CODES)
    areas = write_layer(tmp_path / "a.gpkg", [box(119, 32, 119.1, 32.1)], "EPSG:4490", area_code=[K1])
    one_sentence(
        run("validate", grids, "--within", areas), "g.gpkg", "a.gpkg", "EPSG:4553", "EPSG:4490", "坐标系"
    )


def test_the_text_says_where(tmp_path: Path) -> None:
    holes = [box(100, 100, 110, 110), box(300, 300, 310, 310)]
    cell = Polygon(SQUARES[0].exterior.coords, [hole.exterior.coords for hole in holes])
    file = write_layer(tmp_path / "g.gpkg", [cell, *SQUARES[1:]], grid_code=CODES)
    lines = [line for line in run("validate", file, *LOCAL).stdout.splitlines() if "缝隙没有网格" in line]
    assert [line.rpartition(" @ ")[2] for line in lines] == ["105.00,105.00", "305.00,305.00"]


def test_ground_without_any_grid_beside_it_has_its_own_sentence(tmp_path: Path) -> None:
    areas = write_layer(
        tmp_path / "a.gpkg", [box(0, 0, 1000, 1000), box(1500, 0, 2000, 500)], area_code=[K1, "230881001002"]
    )
    file = write_layer(tmp_path / "g.gpkg", SQUARES, grid_code=CODES)
    told = run("validate", file, "--within", areas, *LOCAL).stdout
    assert "230881001002 内有 250,000 平方米没有网格，旁边也没有任何网格" in told


def test_a_vertex_that_is_no_number_is_one_finding(tmp_path: Path) -> None:
    broken = shapely.polygons(np.array([(500, 500), (np.nan, 500), (1000, 1000), (500, 1000), (500, 500)]))
    areas = write_layer(tmp_path / "a.gpkg", [box(0, 0, 1000, 1000)], area_code=[K1])
    file = write_layer(tmp_path / "g.gpkg", [*SQUARES[:3], broken], grid_code=CODES)
    result = run("validate", file, "--within", areas, *LOCAL, "--format", "json")
    (finding,) = json.loads(result.stdout)["findings"]
    assert (finding["kind"], finding["fids"]) == ("invalid_geometry", [3])
    # the ground that was lost with the vertex is part of it
    assert finding["area_m2"] == pytest.approx(125_000)
    assert finding["geometry"]["coordinates"] == [500, 500]


def test_the_report_draws_findings_as_the_map_and_the_styles_do(city: Path) -> None:
    page = run(
        "validate", f"{city}:grid_draft", "--within", f"{city}:area", *LOCAL, "--format", "html"
    ).stdout
    for look in LOOKS:
        assert f".{look.key}{{" in page
        assert f"stroke:{look.colour}" in page
    assert 'class="gap"' in page
    # the legend names what occurs, and nothing else
    legend = page.partition('class="legend"')[2].partition("</div>")[0]
    assert str(GAP.title) in legend
    assert str(OVERLAP.title) not in legend
