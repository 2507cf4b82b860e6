"""``gis-server route``: plain files without a database, and by the published grids."""

import csv
import json
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio.raw
import pytest
import shapely
from city import COMMUNITIES, grids, inside, sub_grids
from click.testing import CliRunner, Result
from shapely.geometry import shape
from sqlalchemy import text

from gis_server.cli import main
from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.geometry import transform
from gis_server.files import read as files
from gis_server.journeys.context import Context

G = [f"{community}00{n}" for community in COMMUNITIES for n in (1, 2)]


def route(*arguments: object, **environ: str) -> Result:
    return CliRunner().invoke(main, ["route", *map(str, arguments)], env=environ, catch_exceptions=False)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_csv(path: Path, lines: str, encoding: str = "utf-8") -> Path:
    path.write_text(lines, encoding=encoding)
    return path


@pytest.fixture
def grid_file(tmp_path: Path) -> Path:
    path = tmp_path / "网格.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(grids())}))
    return path


def test_points_keep_their_columns_and_order(tmp_path: Path, grid_file: Path) -> None:
    rows = [f"{n:06d},地点{n},{inside(n)['lon']},{inside(n)['lat']}" for n in (7, 0, 3)]
    points = write_csv(
        tmp_path / "点.csv", "\n".join(["编号,名称,经度,纬度", *rows, "000009,远方,126.9,47.005"]), "gb18030"
    )
    out = tmp_path / "out.csv"
    result = route(points, "--grids", grid_file, "--datum", "cgcs2000", "-o", out)
    assert result.exit_code == 0, result.output
    assert list(read(out)[0]) == [
        "编号",
        "名称",
        "经度",
        "纬度",
        "grid_code",
        "sub_grid_code",
        "match",
        "distance_m",
        "candidates",
    ]
    found = [(row["编号"], row["grid_code"], row["match"]) for row in read(out)]
    assert found == [
        ("000007", G[7], "inside"),
        ("000000", G[0], "inside"),
        ("000003", G[3], "inside"),
        ("000009", "", "outside"),
    ]
    first = out.read_bytes()
    route(points, "--grids", grid_file, "--datum", "cgcs2000", "-o", out)
    assert out.read_bytes() == first


def test_the_local_plane_is_metres(tmp_path: Path) -> None:
    """Scenario S18 as files."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        for code, ring in (
            ("G2", [[500, 0], [1000, 0], [1000, 500], [500, 500], [500, 0]]),
            ("G1", [[0, 0], [500, 0], [500, 500], [0, 500], [0, 0]]),
        )
    ]
    cells = tmp_path / "grids.geojson"
    cells.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    points = write_csv(
        tmp_path / "p.csv", "x,y,accuracy_m\n500,250,\n250,250,\n1200,500,\n1030,250,\n505,250,10\n"
    )
    out = tmp_path / "out.csv"
    result = route(points, "--grids", cells, "--crs", "local", "--code", "code", "-o", out)
    assert result.exit_code == 0, result.output
    assert [(r["grid_code"], r["match"], r["distance_m"]) for r in read(out)] == [
        ("G1", "inside", "0.0"),
        ("G1", "inside", "250.0"),
        ("", "outside", "200.0"),
        ("G2", "near", "30.0"),
        ("G2", "border", "5.0"),
    ]
    assert read(out)[4]["candidates"] == "G2:0.8895;G1:0.1105"


def test_the_datum_is_asked_for_and_applied(tmp_path: Path, grid_file: Path) -> None:
    true = inside(3)
    lon, lat = from_cgcs2000(np.array([true["lon"]]), np.array([true["lat"]]), Datum.BD09)
    points = write_csv(tmp_path / "p.csv", f"lng,lat\n{lon[0]},{lat[0]}\n")
    out = tmp_path / "out.csv"
    refused = route(points, "--grids", grid_file, "-o", out)
    assert refused.exit_code == 2
    assert not out.exists()
    assert route(points, "--grids", grid_file, "--datum", "bd09", "-o", out).exit_code == 0
    assert read(out)[0]["grid_code"] == G[3]


def test_rows_that_are_no_place_are_kept_and_told(tmp_path: Path, grid_file: Path) -> None:
    lines = [
        "name,lon,lat,accuracy_m",
        "good,127.0025,47.0025,5",
        "empty,,,",
        "swapped,47.0025,127.0025,5",
        "vague,127.0025,47.0025,wide",
        "good too,127.0075,47.0025,",
    ]
    points = write_csv(tmp_path / "p.csv", "\n".join(lines))
    out = tmp_path / "out.csv"
    result = route(points, "--grids", grid_file, "--datum", "wgs84", "-o", out)
    assert result.exit_code == 0, result.output
    assert [(row["name"], row["grid_code"]) for row in read(out)] == [
        ("good", G[0]),
        ("empty", ""),
        ("swapped", ""),
        ("vague", ""),
        ("good too", G[1]),
    ]
    for number, reason in ((3, "没有点位"), (4, "写反"), (5, "accuracy_m")):
        assert any(f"第 {number} 行" in line and reason in line for line in result.stderr.splitlines())


def test_sheets_and_geojson_keep_long_codes(tmp_path: Path, grid_file: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["设备编码", "经度", "纬度"])
    book.active.append(["23088100001310000001", "127.0025", "47.0025"])
    book.save(tmp_path / "p.xlsx")
    for name in ("out.xlsx", "out.geojson", "out.csv"):
        out = tmp_path / name
        result = route(tmp_path / "p.xlsx", "--grids", grid_file, "--datum", "wgs84", "-o", out)
        assert result.exit_code == 0, result.output
    sheet = list(openpyxl.load_workbook(tmp_path / "out.xlsx").active.values)
    assert sheet[1][0] == "23088100001310000001"
    assert sheet[1][3] == G[0]
    collection = json.loads((tmp_path / "out.geojson").read_text())
    assert collection["features"][0]["properties"]["设备编码"] == "23088100001310000001"
    assert collection["features"][0]["geometry"] == {"type": "Point", "coordinates": [127.0025, 47.0025]}
    again = tmp_path / "again.csv"
    assert route(tmp_path / "out.csv", "--grids", grid_file, "--datum", "wgs84", "-o", again).exit_code == 0
    assert (read(again)[0]["grid_code_1"], read(again)[0]["grid_code"]) == (G[0], G[0])


def test_a_big_file_agrees_with_single_points(tmp_path: Path, grid_file: Path) -> None:
    random = np.random.default_rng(5)
    lon, lat = 126.99 + random.random(3000) * 0.06, 46.99 + random.random(3000) * 0.03
    lines = "\n".join(f"{x},{y}" for x, y in zip(lon.tolist(), lat.tolist(), strict=True))
    points = write_csv(tmp_path / "p.csv", "lon,lat\n" + lines)
    out = tmp_path / "out.csv"
    assert route(points, "--grids", grid_file, "--datum", "wgs84", "-o", out).exit_code == 0
    for row, x, y in zip(read(out), lon, lat, strict=True):
        column, line = int((x - 127) // 0.005), (y - 47) / 0.01
        expected = G[column] if 0 <= column < 8 and 0 <= line < 1 else ""
        if row["match"] != "near":
            assert row["grid_code"] == expected


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--datum", "wgs84", "-o", "out.pdf"], "out.pdf"),
        (["--datum", "wgs84", "-o", "nowhere/out.csv"], "nowhere"),
        (["--datum", "wgs84", "--lon", "lon", "-o", "out.csv"], "--lat"),
        (["--datum", "wgs84", "--lon", "x", "--lat", "lat", "-o", "out.csv"], "“x”"),
        (["--datum", "wgs84", "--code", "nr", "-o", "out.csv"], "nr"),
        (["--datum", "wgs84", "--accuracy", "acc", "-o", "out.csv"], "acc"),
        (["--datum", "wgs84", "--at", "2026-01-01T00:00:00Z", "-o", "out.csv"], "--at"),
        (["--datum", "wgs84", "--at", "yesterday", "-o", "out.csv"], "at"),
        (["--crs", "local", "--grids-crs", "EPSG:4490", "-o", "out.csv"], "local"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_nothing_written(
    tmp_path: Path, grid_file: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], told: str
) -> None:
    points = write_csv(tmp_path / "p.csv", "lon,lat\n127.0025,47.0025\n")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    result = route(points, "--grids", grid_file, *arguments)
    assert result.exit_code == 2
    assert told in result.stderr
    assert "Traceback" not in result.output
    assert sorted(tmp_path.iterdir()) == before


def test_by_the_published_grids_with_sub_grids_and_date(tmp_path: Path, city_ctx: Context) -> None:
    points = write_csv(tmp_path / "p.csv", "lon,lat\n127.0025,47.0025\n127.0025,47.0075\n")
    out = tmp_path / "out.csv"
    url = city_ctx.engine.url.render_as_string(hide_password=False)
    where = {"GIS_DATABASE_URL": url, "GIS_VAR": str(tmp_path)}
    result = route(points, "--datum", "wgs84", "-o", out, **where)
    assert result.exit_code == 0, result.output
    assert [row["sub_grid_code"] for row in read(out)] == [f"{G[0]}01", f"{G[0]}02"]
    too_early = route(points, "--datum", "wgs84", "--at", "2001-01-01T00:00:00Z", "-o", out, **where)
    assert too_early.exit_code == 2
    with city_ctx.engine.connect() as conn:
        assert conn.execute(text("SELECT count(*) FROM incident")).scalar_one() == 0


def test_accounts_from_the_command_line(tmp_path: Path, city_ctx: Context) -> None:
    where = {
        "GIS_DATABASE_URL": city_ctx.engine.url.render_as_string(hide_password=False),
        "GIS_VAR": str(tmp_path),
    }

    def user(*arguments: str, given: str | None = None) -> Result:
        return CliRunner().invoke(main, ["user", *arguments], env=where, input=given, catch_exceptions=False)

    made = user(
        "add", "newcomer", "--name", "新来的", "--role", "operator", "--area", "230881001", "--generate"
    )
    assert made.exit_code == 0, made.output
    assert len(made.stdout.strip()) >= 16
    typed = user("add", "typed", "--name", "输入的", "--role", "analyst", given="a long enough one\n")
    assert (typed.exit_code, typed.stdout) == (0, "")
    assert (
        user("add", "typed", "--name", "x", "--role", "analyst", given="a long enough one\n").exit_code == 2
    )
    assert user("add", "silent", "--name", "x", "--role", "analyst", given="").exit_code == 2
    assert "--password" not in user("add", "--help").output
    listed = [line.split("\t") for line in user("list").stdout.splitlines()]
    assert ["newcomer", "operator", "internal", "230881001"] in [line[:4] for line in listed]
    assert user("token", "newcomer").stdout.count(".") >= 1
    assert user("password", "newcomer", "--generate").exit_code == 0
    assert user("disable", "newcomer").exit_code == 0
    assert user("disable", "nobody").exit_code == 2
    assert user("token", "newcomer").exit_code == 2


def known_points(folder: Path, written: Datum) -> Path:
    """Two points in each grid, written in a datum, with the code of their grid in a column."""
    places = [
        (inside(n)["lon"] + step, inside(n)["lat"] + step, G[n]) for n in range(8) for step in (0, 0.0003)
    ]
    lon, lat = from_cgcs2000([p[0] for p in places], [p[1] for p in places], written)
    lines = [
        f"{n},{x},{y},{code}" for n, (x, y, (_, _, code)) in enumerate(zip(lon, lat, places, strict=True))
    ]
    return write_csv(folder / "known.csv", "\n".join(["编号,经度,纬度,所属网格", *lines]))


def test_known_grids_tell_that_the_stated_datum_is_wrong(tmp_path: Path, grid_file: Path) -> None:
    points, out = known_points(tmp_path, Datum.BD09), tmp_path / "out.csv"
    wrong = route(points, "--grids", grid_file, "--datum", "wgs84", "-o", out)
    assert wrong.exit_code == 0
    assert "这些点应是 bd09" in wrong.stderr
    right = route(points, "--grids", grid_file, "--datum", "bd09", "-o", out)
    assert "bd09" not in right.stderr
    assert [row["grid_code"] for row in read(out)] == [row["所属网格"] for row in read(out)]
    again = tmp_path / "again.csv"
    assert "应是" not in route(out, "--grids", grid_file, "--datum", "wgs84", "-o", again).stderr


def test_known_grids_tell_which_datum_to_state(tmp_path: Path, grid_file: Path) -> None:
    out = tmp_path / "out.csv"
    refused = route(known_points(tmp_path, Datum.GCJ02), "--grids", grid_file, "-o", out)
    assert refused.exit_code == 2
    assert "应是 gcj02" in refused.stderr
    assert not out.exists()


@pytest.mark.parametrize("suffix", [".gpkg", ".shp", ".shp.zip", ".geojson", ".fgb", ".xlsx", ".csv"])
def test_every_form_is_written_whole_and_read_again(tmp_path: Path, grid_file: Path, suffix: str) -> None:
    lines = [f"00{n},一个很长的名字{n},{inside(n)['lon']},{inside(n)['lat']},20" for n in (5, 1, 2)]
    points = write_csv(
        tmp_path / "点.csv", "\n".join(["编号,地点的名称与描述,lon,lat,accuracy_m", *lines, "009,无,,,"])
    )
    out = tmp_path / f"结果{suffix}"
    for _ in range(2):  # the second replaces the first
        result = route(points, "--grids", grid_file, "--datum", "cgcs2000", "-o", out)
        assert result.exit_code == 0, result.output
    assert not list(tmp_path.glob(".gis-server-*"))
    found = files.read(out, datum=Datum.CGCS2000)
    assert found.source.features == 4
    names = list(found.columns)
    assert names[0] == "编号"
    assert found.columns["编号"].tolist() == ["005", "001", "002", "009"]
    assert [str(code) for code in found.columns["grid_code"][:3]] == [G[5], G[1], G[2]]
    assert (
        names.index("grid_code")
        < names.index("match")
        < names.index("distance_m")
        < names.index("candidates")
    )
    if suffix not in (".csv", ".xlsx"):
        assert shapely.get_x(found.geometry).tolist()[:3] == pytest.approx(
            [inside(n)["lon"] for n in (5, 1, 2)]
        )
        assert found.geometry[3] is None or found.geometry[3].is_empty


def test_points_of_a_geopackage_keep_their_types(tmp_path: Path, grid_file: Path) -> None:
    shapes = shapely.points([[inside(n)["lon"], inside(n)["lat"]] for n in (3, 4)])
    pyogrio.raw.write(
        tmp_path / "p.gpkg",
        shapely.to_wkb(transform(shapes, "EPSG:4490", "EPSG:4551")),
        [np.array([7, 8]), np.array([1.5, np.nan]), np.array(["0007", None], object)],
        fields=["count", "height", "code"],
        geometry_type="Point",
        crs="EPSG:4551",
    )
    out = tmp_path / "out.gpkg"
    result = route(tmp_path / "p.gpkg", "--grids", grid_file, "-o", out)
    assert result.exit_code == 0, result.output
    found = files.read(out, datum=Datum.CGCS2000)
    assert found.columns["count"].dtype.kind == "i"
    assert found.columns["height"].tolist()[0] == 1.5
    assert found.columns["code"].tolist() == ["0007", None]
    assert found.columns["grid_code"].tolist() == [G[3], G[4]]
    route(tmp_path / "p.gpkg", "--grids", grid_file, "-o", tmp_path / "out.csv")
    assert [(r["count"], r["height"], r["code"]) for r in read(tmp_path / "out.csv")] == [
        ("7", "1.5", "0007"),
        ("8", "", ""),
    ]


def test_no_row_is_lost_not_even_a_broken_one(tmp_path: Path, grid_file: Path) -> None:
    lines = [
        "id,lon,lat",
        "1,127.0025,47.0025",
        "2,127.0025,47.0025,much",
        "3,nan,47.0025",
        "4,1e308,47.0025",
        "5,127.0025,inf",
        "6,abc,47.0025",
        "7,120.0,38.9",
        "8,127.0025",
        "9,127.0025,47.0025",
    ]
    out = tmp_path / "out.csv"
    result = route(
        write_csv(tmp_path / "p.csv", "\n".join(lines)), "--grids", grid_file, "--datum", "wgs84", "-o", out
    )
    assert result.exit_code == 0, result.output
    assert [row["id"] for row in read(out)] == list("123456789")
    assert [row["grid_code"] for row in read(out)] == [G[0], *[""] * 7, G[0]]
    assert [row["match"] for row in read(out)] == ["inside", *[""] * 5, "outside", "", "inside"]
    for line in (3, 4, 5, 6, 7, 9):
        assert result.stderr.count(f"第 {line} 行") == 1
    unusable = write_csv(tmp_path / "q.csv", "lon,lat\nnan,1\nabc,47\n")
    nothing = tmp_path / "nothing.csv"
    assert route(unusable, "--grids", grid_file, "--datum", "wgs84", "-o", nothing).exit_code == 2
    assert not nothing.exists()


def test_grids_without_a_code_are_told_and_left_out(tmp_path: Path) -> None:
    features = list(grids())
    features[0]["properties"]["grid_code"] = None
    path = tmp_path / "grids.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    points, out = (
        write_csv(tmp_path / "p.csv", "lon,lat\n127.0025,47.0025\n127.0075,47.0025\n"),
        tmp_path / "out.csv",
    )
    result = route(points, "--grids", path, "--datum", "wgs84", "-o", out)
    assert result.exit_code == 0, result.output
    assert "第 1 行没有编码" in result.stderr
    assert [row["match"] for row in read(out)] == ["outside", "inside"]


def test_sub_grids_beside_the_grids_are_used(tmp_path: Path) -> None:
    path = tmp_path / "city.gpkg"
    for layer, features in (("grid", list(grids())), ("sub_grid", list(sub_grids()))):
        columns = [[f["properties"][n] for f in features] for n in ("grid_code",)]
        names = ["grid_code"]
        if layer == "sub_grid":
            columns.append([f["properties"]["sub_grid_code"] for f in features])
            names.append("sub_grid_code")
        pyogrio.raw.write(
            path,
            shapely.to_wkb([shape(f["geometry"]) for f in features]),
            [np.array(column, object) for column in columns],
            fields=names,
            layer=layer,
            append=path.exists(),
            geometry_type="Polygon",
            crs="EPSG:4490",
        )
    points, out = (
        write_csv(tmp_path / "p.csv", "lon,lat\n127.0025,47.0025\n127.0025,47.0075\n"),
        tmp_path / "out.csv",
    )
    result = route(points, "--grids", path, "--datum", "wgs84", "-o", out)
    assert result.exit_code == 0, result.output
    assert [row["sub_grid_code"] for row in read(out)] == [f"{G[0]}01", f"{G[0]}02"]
