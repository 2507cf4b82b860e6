import datetime as dt
import re
import sqlite3
import subprocess
import tempfile
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely
import ugly
import usable
import written_files
from pyproj import Geod

from gis_server.core.catalogue import Catalogue
from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.errors import DatumRequired, UnusableInput
from gis_server.core.features import FeatureTable, fit
from gis_server.files import catalogue as catalogue_files
from gis_server.files.read import read
from gis_server.files.shape_index import shape_index

LAYERS = Path(__file__).parent.parent / "layers"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return catalogue_files.load(LAYERS)


def bring(catalogue: Catalogue, layer: str, path: Path, options: dict[str, str]) -> FeatureTable:
    datum = Datum(options["datum"]) if "datum" in options else None
    raw = read(path, crs=options.get("crs"), encoding=options.get("encoding"), datum=datum, names=(layer,))
    return fit(catalogue[layer], raw)


def listing(folder: Path) -> dict[str, tuple[int, int]]:
    return {str(p.relative_to(folder)): (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*")}


@pytest.mark.parametrize("case", ugly.UGLY, ids=lambda case: case.name)
def test_bad_file_gets_its_sentence(case: ugly.UglyFile, tmp_path: Path, catalogue: Catalogue) -> None:
    path = case.make(tmp_path)
    before = listing(tmp_path)
    with pytest.raises(case.error) as refused:
        bring(catalogue, case.layer, path, dict(case.options))
    assert type(refused.value) is case.error
    sentence = str(refused.value)
    assert case.fragment in sentence
    assert sentence.endswith("。")
    assert "！" not in sentence
    assert str(tmp_path) not in sentence or case.name == "no such file"
    assert listing(tmp_path) == before


@pytest.mark.parametrize("case", usable.USABLE, ids=lambda case: case.name)
def test_ugly_file_is_read_right(case: usable.UsableFile, tmp_path: Path, catalogue: Catalogue) -> None:
    path = case.make(tmp_path)
    before = listing(tmp_path)
    table = bring(catalogue, case.layer, path, dict(case.options))
    assert table.columns[case.of].tolist() == list(case.values)
    assert [p for p in table.problems if p.rejected] == []
    assert shapely.bounds(table.geometry).min(axis=0) == pytest.approx([119.4, 32.2, 119.4, 32.2], abs=0.02)
    assert listing(tmp_path) == before


# ---- shapefiles


def test_source_tells_what_was_decided(tmp_path: Path) -> None:
    path = written_files.shapefile(tmp_path)
    raw = read(path)
    assert (raw.source.file, raw.source.features, raw.source.crs) == ("grid.shp", 3, "EPSG:4549")
    assert (raw.source.encoding, raw.source.datum, raw.cut_names_at) == ("GB18030", Datum.CGCS2000, 10)
    assert len(raw.source.sha256) == 64
    assert list(raw.columns) == ["网格编码", "网格名称", "所属社区", "网格类型"]
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace("第一".encode("gbk"), "第九".encode("gbk")))
    assert read(path).source.sha256 != raw.source.sha256


def test_wide_numbers_keep_every_digit(tmp_path: Path, catalogue: Catalogue) -> None:
    path = written_files.shapefile(tmp_path)
    rows = [
        [b"12345678901234567890", b"a", b"1", b"kind"],
        [b"230881001001004", b"b", b"*" * 60, b""],
        [b"", b"c", b"5", b""],
    ]
    heads = ["网格编码".encode("gbk"), b"name", b"number", b"x"]
    path.with_suffix(".dbf").write_bytes(written_files.dbf(heads, rows, kinds="NCNC"))
    raw = read(path)
    assert raw.columns["网格编码"].tolist() == ["12345678901234567890", "230881001001004", None]
    assert raw.columns["number"].tolist() == ["1", None, "5"]


def test_text_cut_inside_a_character_loses_only_that(tmp_path: Path) -> None:
    for encoding in ("utf-8", "gbk"):
        path = written_files.shapefile(tmp_path)
        rows = [[b"1", ("a" + "同江" * 40).encode(encoding), b"1", b"x"]] * 3  # the field has 60 bytes
        path.with_suffix(".dbf").write_bytes(written_files.dbf([b"a", b"b", b"c", b"d"], rows))
        text = read(path).columns["b"][0]
        assert text == ("a" + "同江" * 40)[: len(text)]
        assert len(text) == (30 if encoding == "gbk" else 20)


def test_gbk_that_is_utf8_by_chance(tmp_path: Path) -> None:
    path = written_files.shapefile(tmp_path, heads=("a", "b", "c", "d"), rows=[("1", "联通", "1", "x")] * 3)
    assert read(path).columns["b"][0] == "联通"


def test_deleted_rows_are_left_out_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = written_files.shapefile(tmp_path)
    table = bytearray(path.with_suffix(".dbf").read_bytes())
    header = int.from_bytes(table[8:10], "little")
    table[header] = 0x2A
    path.with_suffix(".dbf").write_bytes(bytes(table))
    raw = read(path)
    assert raw.rows.tolist() == [1, 2]
    assert raw.columns["网格名称"].tolist() == list(usable.GRID_NAMES[1:])


def test_null_shapes_stay_in_their_rows(tmp_path: Path) -> None:
    squares = written_files.squares()
    squares[1] = None
    raw = read(written_files.shapefile(tmp_path, geometry=squares))
    assert [g is None for g in raw.geometry] == [False, True, False]


def test_height_and_measure_are_dropped_and_told(tmp_path: Path) -> None:
    solid = shapely.force_3d(written_files.squares(), 12.5)
    raw = read(written_files.shapefile(tmp_path, geometry=solid))
    assert not shapely.has_z(raw.geometry).any()
    assert [str(n) for n in raw.notes] == ["高程（Z）或量测值（M）没有保留。"]


@pytest.mark.parametrize(
    "shapes", [written_files.squares(), shapely.points([[443000.0 + i, 3565000.0] for i in range(3)])]
)
def test_rebuilt_index_is_the_one_that_gdal_writes(shapes: np.ndarray, tmp_path: Path) -> None:
    path = written_files.shapefile(tmp_path, geometry=shapes)
    assert shape_index(path) == path.with_suffix(".shx").read_bytes()
    path.with_suffix(".shx").unlink()
    assert any(".shx" in str(note) for note in read(path).notes)


def test_two_columns_cut_to_one_name_are_both_kept(tmp_path: Path) -> None:
    path = written_files.shapefile(tmp_path, heads=("population_a", "population_b", "c", "d"))
    assert list(read(path).columns) == ["population", "population_", "c", "d"]


def test_prj_with_a_byte_order_mark(tmp_path: Path) -> None:
    path = written_files.shapefile(tmp_path)
    prj = path.with_suffix(".prj")
    prj.write_text("\ufeff" + prj.read_text() + "\r\n", encoding="utf-8")
    assert read(path).source.crs == "EPSG:4549"


def test_local_plane(tmp_path: Path) -> None:
    path = written_files.shapefile(tmp_path, geometry=written_files.squares(x=0.0, y=0.0), crs=None)
    raw = read(path, crs="local")
    assert (raw.source.crs, raw.source.datum) == ("local", None)


# ---- other formats


def test_curves_become_lines(tmp_path: Path) -> None:
    path = tmp_path / "curve.gpkg"
    source = tmp_path / "curve.csv"
    source.write_text('code;WKT\n1;"CURVEPOLYGON(CIRCULARSTRING(0 0,40 0,40 40,0 40,0 0))"\n')
    run = [
        "ogr2ogr",
        "-f",
        "GPKG",
        str(path),
        str(source),
        "-a_srs",
        "EPSG:4549",
        "-oo",
        "GEOM_POSSIBLE_NAMES=WKT",
    ]
    subprocess.run([*run, "-nlt", "CURVEPOLYGON"], check=True)
    (shape,) = read(path, crs="local").geometry
    assert shape.geom_type == "Polygon"
    assert shape.area > 1600


def test_geopackage_in_wal_mode_is_not_written_beside(tmp_path: Path) -> None:
    path = written_files.geopackage(tmp_path)
    with sqlite3.connect(path) as database:
        database.execute("pragma journal_mode=wal")
    before = listing(tmp_path)
    assert len(read(path).rows) == 3
    assert listing(tmp_path) == before


def test_mixed_geometry_rejects_the_rows_that_do_not_fit(tmp_path: Path, catalogue: Catalogue) -> None:
    shapes = written_files.degree_squares()
    shapes[1] = shapely.Point(119.4, 32.2)
    table = bring(
        catalogue,
        "grid",
        written_files.geojson(tmp_path, written_files.grid_features(shapes)),
        {"datum": "wgs84"},
    )
    assert table.rows.tolist() == [0, 2]
    assert [str(p.message) for p in table.problems] == ["第 2 行：图形是点，应为面。"]


def test_nan_in_geojson_rejects_its_row(tmp_path: Path, catalogue: Catalogue) -> None:
    path = written_files.geojson(tmp_path, written_files.grid_features())
    path.write_text(path.read_text().replace("[119.4, ", "[NaN, ", 1))
    table = bring(catalogue, "grid", path, {})
    assert len(table.rows) == 2
    assert table.problems[0].rejected


def test_flatgeobuf(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame(
        {"名称": ["甲"]}, geometry=[shapely.box(119.4, 32.2, 119.5, 32.3)], crs=4490
    )
    frame.to_file(tmp_path / "a.fgb")
    raw = read(tmp_path / "a.fgb")
    assert (raw.columns["名称"].tolist(), raw.source.crs) == (["甲"], "EPSG:4490")


def test_archive_is_gone_afterwards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    path = written_files.archive(
        tmp_path, written_files.parts(written_files.shapefile(tmp_path), "数据/"), gbk=True
    )
    assert read(path).source.layer == "数据/grid.shp"
    assert list(scratch.iterdir()) == []


def test_the_last_of_two_members_of_one_name_counts(tmp_path: Path) -> None:
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as packed, warnings.catch_warnings(action="ignore"):
        packed.writestr("a.csv", "lon,lat\n119,32\n")
        packed.writestr("a.csv", "lon,lat\n120,33\n")
    assert read(path, datum=Datum.WGS84, names=("a",)).geometry[0] == shapely.Point(120, 33)


def test_data_set_of_an_archive_is_chosen_by_name(tmp_path: Path) -> None:
    one = written_files.parts(written_files.shapefile(tmp_path, "网格"), "a/")
    other = written_files.parts(written_files.shapefile(tmp_path, "小区"), "b/")
    path = written_files.archive(tmp_path, {**one, **other})
    assert read(path, names=("grid", "网格")).source.layer == "a/网格.shp"


# ---- lists


def test_rows_of_a_list_are_counted_as_in_the_sheet(tmp_path: Path, catalogue: Catalogue) -> None:
    rows = [
        ("1", "甲", "119.41", "32.20"),
        ("2", "乙", "东经", "32.20"),
        ("", "", "", ""),
        ("3", "丙", "119.42", "32.20", "多余"),
        ("4", "丁"),
        ("5", "戊", "０", "0"),
        ("6", "己", "119.43", "32.20"),
    ]
    table = bring(catalogue, "address", written_files.csv(tmp_path, rows=rows), {"datum": "wgs84"})
    assert table.rows.tolist() == [0, 6]
    assert table.source.features == 6
    assert [(p.row, str(p.message)) for p in table.problems] == [
        (1, "第 3 行：经度“东经”不是数。"),
        (3, "第 5 行：有 5 列，表头只有 4 列，可能缺了引号。"),
        (4, "第 6 行：没有图形。"),
        (5, "第 7 行：坐标（0，0）不在中国范围内。"),
    ]


@pytest.mark.parametrize(
    "heads", [("jd", "wd"), ("X坐标", "Y坐标"), ("lng_gcj02", "lat_gcj02"), ("东经（度）", "北纬（度）")]
)
def test_coordinate_columns_by_their_usual_names(heads: tuple[str, str], tmp_path: Path) -> None:
    raw = read(written_files.csv(tmp_path, heads=("地址编码", "标准地址", *heads)), datum=Datum.GCJ02)
    assert shapely.get_x(raw.geometry).tolist() == [119.4123456, 119.4133456, 119.4143456]
    assert (raw.source.crs, raw.first_row) == ("EPSG:4490", 2)


def test_coordinate_columns_as_stated(tmp_path: Path) -> None:
    path = written_files.csv(tmp_path, heads=("a", "b", "甲", "乙"))
    assert read(path, datum=Datum.WGS84, xy=("甲", "乙")).source.crs == "EPSG:4326"
    with pytest.raises(UnusableInput, match="没有列“丙”"):
        read(path, datum=Datum.WGS84, xy=("丙", "乙"))


def test_list_in_gauss_krueger_needs_no_datum(tmp_path: Path) -> None:
    rows = [(*row[:2], "443000.5", "3565000.25") for row in written_files.ADDRESS_ROWS]
    raw = read(
        written_files.csv(tmp_path, heads=("地址编码", "标准地址", "x", "y"), rows=rows), crs="EPSG:4549"
    )
    assert raw.source.datum is Datum.CGCS2000
    assert raw.geometry[0] == shapely.Point(443000.5, 3565000.25)


def test_coordinates_are_not_reported_as_unused(tmp_path: Path, catalogue: Catalogue) -> None:
    path = written_files.csv(
        tmp_path, heads=(*written_files.ADDRESS_HEADS, "备注"), rows=[("1", "甲", "119.4", "32.2", "x")]
    )
    assert bring(catalogue, "address", path, {"datum": "wgs84"}).unused == ("备注",)
    assert list(read(path, datum=Datum.WGS84).columns) == [*written_files.ADDRESS_HEADS, "备注"]


def test_list_of_shapes_as_wkt(tmp_path: Path) -> None:
    rows = [("1", "POLYGON ((119 32, 120 32, 120 33, 119 32))"), ("2", "POLYGON ((119"), ("3", "")]
    raw = read(written_files.csv(tmp_path, heads=("code", "WKT"), rows=rows))
    assert [g is None for g in raw.geometry] == [False, True, True]
    assert [str(p.message) for p in raw.problems] == ["第 3 行：WKT 图形读不懂。"]
    assert list(raw.columns) == ["code"]


def test_dates_and_booleans_of_a_sheet(tmp_path: Path) -> None:
    cells = [dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 1, 8, 30), True, 1.5, "#N/A", 119.4, 32.2]
    path = written_files.xlsx(tmp_path, [("a", "b", "c", "d", "e", "lon", "lat"), cells])
    columns = read(path, datum=Datum.WGS84).columns
    assert [columns[n][0] for n in "abcde"] == ["2026-03-01", "2026-03-01 08:30:00", "1", "1.5", None]


# ---- datum


def test_points_need_a_datum_and_are_told_how_far_off_they_could_be(tmp_path: Path) -> None:
    with pytest.raises(DatumRequired) as refused:
        read(written_files.csv(tmp_path))
    lon, lat = from_cgcs2000(119.4133456, 32.2022345, Datum.GCJ02)
    off = Geod(ellps="WGS84").inv(119.4133456, 32.2022345, float(lon), float(lat))[2]
    told = int(re.search(r"会偏 (\d+) 米，BD-09", str(refused.value)).group(1))  # type: ignore[union-attr]
    assert told == pytest.approx(off, abs=10)


def test_areas_in_degrees_need_no_datum_but_may_have_one(tmp_path: Path, catalogue: Catalogue) -> None:
    path = written_files.geojson(tmp_path, written_files.grid_features())
    plain = bring(catalogue, "grid", path, {})
    shifted = bring(catalogue, "grid", path, {"datum": "gcj02"})
    assert plain.source.datum is Datum.CGCS2000
    assert 0.004 < shapely.distance(plain.geometry[0].centroid, shifted.geometry[0].centroid) < 0.007


def test_projected_points_of_a_shifted_datum_only_if_both_are_stated(tmp_path: Path) -> None:
    path = written_files.shapefile(tmp_path, geometry=shapely.points([[443000.0, 3565000.0]] * 3))
    assert read(path).source.datum is Datum.CGCS2000
    assert read(path, datum=Datum.GCJ02, crs="EPSG:4549").source.datum is Datum.GCJ02
    with pytest.raises(UnusableInput, match="矛盾"):
        read(path, datum=Datum.GCJ02)


def test_web_mercator_points_need_a_datum_and_cannot_be_bd09(tmp_path: Path) -> None:
    path = written_files.shapefile(
        tmp_path, geometry=shapely.points([[13_291_547.0, 3_789_592.0]] * 3), crs="EPSG:3857"
    )
    with pytest.raises(DatumRequired):
        read(path)
    assert read(path, datum=Datum.GCJ02).source.datum is Datum.GCJ02
    with pytest.raises(UnusableInput, match="百度墨卡托"):
        read(path, datum=Datum.BD09)


def test_progress_ends_at_the_number_of_features(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    read(written_files.shapefile(tmp_path), progress=lambda done, total: steps.append((done, total)))
    assert steps[-1] == (3, 3)


def test_a_city_of_addresses_is_read_in_memory_that_is_small(tmp_path: Path, catalogue: Catalogue) -> None:
    count = 30_000
    rows = [(f"{i:015d}", f"幸福路{i}号", f"{119.4 + i / 1e6:.6f}", "32.2") for i in range(count)]
    path = written_files.csv(tmp_path, rows=rows)
    tracemalloc.start()
    table = bring(catalogue, "address", path, {"datum": "gcj02"})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table.rows) == count
    assert peak < count * 3_000  # bytes an address: 250,000 of them stay below 750 MB
