"""The files that people really bring and that must be refused: a builder for each, and a fragment of what is said of it.

Every builder writes into the folder given and returns the path to import.
"""

import os
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyogrio.raw
import shapely
from written_files import (
    ADDRESS_HEADS,
    ADDRESS_ROWS,
    GRID_HEADS,
    apart,
    archive,
    csv,
    dbf,
    degree_squares,
    geojson,
    geopackage,
    grid_features,
    parts,
    shapefile,
    squares,
    without,
    xlsx,
)

from gis_server.core.errors import DatumRequired, GisError, UnknownCrs, UnknownEncoding, UnusableInput


@dataclass(frozen=True)
class UglyFile:
    """A file that must be refused."""

    name: str
    layer: str
    make: Callable[[Path], Path]
    error: type[GisError]
    fragment: str
    options: Mapping[str, str] = field(default_factory=dict)  # crs, encoding, datum as given by the person


def _prj(text: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = shapefile(folder)
        path.with_suffix(".prj").write_text(text)
        return path

    return make


def _table(content: Callable[[bytes], bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = shapefile(folder)
        table = path.with_suffix(".dbf")
        table.write_bytes(content(table.read_bytes()))
        return path

    return make


def _bytes(name: str, content: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content)
        return path

    return make


def _mixed_bytes(folder: Path) -> Path:
    path = shapefile(folder)
    rows = [
        [b"1", "同江".encode("gbk"), b"1", b"x"],
        [b"2", b"\xff\xfe\xff", b"1", b"x"],
        [b"3", b"a", b"1", b"x"],
    ]
    path.with_suffix(".dbf").write_bytes(dbf([h.encode("gbk") for h in GRID_HEADS], rows))
    return path


def _utf8_with_a_flaw(folder: Path) -> Path:
    path = shapefile(folder, encoding="utf-8")
    table = path.with_suffix(".dbf")
    table.write_bytes(table.read_bytes().replace("第二".encode(), b"\xb5\xda\xb6\xfe\xb5\xda"))
    return path


def _escaping(folder: Path) -> Path:
    return archive(folder, {"../../evil.shp": b"x"})


def _link(folder: Path) -> Path:
    path = folder / "grid.zip"
    with zipfile.ZipFile(path, "w") as packed:
        info = zipfile.ZipInfo("grid.shp")
        info.external_attr = 0o120777 << 16
        packed.writestr(info, "/etc/passwd")
    return path


def _bomb(folder: Path) -> Path:
    return archive(folder, {"grid.csv": b"0" * (60 * 2**20)})


def _encrypted(folder: Path) -> Path:
    path = archive(folder, {"grid.csv": b"a,b"})
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + at] |= 1
    path.write_bytes(bytes(data))
    return path


def _damaged(folder: Path) -> Path:
    path = archive(folder, {"grid.csv": bytes(range(256)) * 50})
    data = bytearray(path.read_bytes())
    data[60:90] = b"\xff" * 30
    path.write_bytes(bytes(data))
    return path


def _nested(folder: Path) -> Path:
    inner = archive(apart(folder), {"grid.csv": b"a,b"}, name="inner.zip")
    return archive(folder, {"inner.zip": inner.read_bytes()})


def _two_in_one(folder: Path) -> Path:
    aside = apart(folder)
    one, other = shapefile(aside, "东区"), shapefile(aside, "西区")
    return archive(folder, {**parts(one), **parts(other)})


def _no_layers(folder: Path) -> Path:
    path = folder / "grid.gpkg"
    notes = [np.array(["a", "b"], object)]
    pyogrio.raw.write(path, None, notes, ["note"], geometry_type=None, driver="GPKG", layer="notes")
    return path


def _command_json(folder: Path) -> Path:
    path = folder / "grid.geojson"
    path.write_text(
        '{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read /etc/passwd"}'
    )
    return path


def _points_shapefile(folder: Path) -> Path:
    return shapefile(
        folder,
        "address",
        geometry=shapely.points([[119.41, 32.2], [119.42, 32.2], [119.43, 32.2]]),
        crs="EPSG:4326",
        heads=ADDRESS_HEADS[:2],
        rows=[row[:2] for row in ADDRESS_ROWS],
    )


def _shifted_survey(folder: Path) -> Path:
    return shapefile(
        folder,
        "address",
        geometry=shapely.points([[443000.0, 3565000.0]] * 3),
        heads=ADDRESS_HEADS[:2],
        rows=[row[:2] for row in ADDRESS_ROWS],
    )


def _points_as_grids(folder: Path) -> Path:
    return shapefile(folder, geometry=shapely.points([[443000.0 + i, 3565000.0] for i in range(3)]))


def _quote_never_closed(folder: Path) -> Path:
    path = csv(folder)
    path.write_bytes(path.read_bytes() + b'\r\n"' + b"x" * 200_000)
    return path


def _locked_prefix(folder: Path) -> Path:
    path = shapefile(folder)
    os.truncate(path, 150)
    return path


UGLY: list[UglyFile] = [
    # what it is
    UglyFile("no such file", "grid", lambda f: f / "nowhere.shp", UnusableInput, "找不到文件"),
    UglyFile("unknown kind", "grid", _bytes("grid.dwg", b"AC1032"), UnusableInput, "不支持 grid.dwg"),
    UglyFile("empty file", "grid", _bytes("grid.shp", b""), UnusableInput, "是空文件"),
    UglyFile(
        "shp that is none", "grid", _bytes("grid.shp", b"<OGRVRTDataSource/>"), UnusableInput, "内容与后缀"
    ),
    UglyFile("gpkg that is none", "grid", _bytes("grid.gpkg", b"PK\x03\x04 no"), UnusableInput, "内容与后缀"),
    UglyFile("fgb that is none", "grid", _bytes("grid.fgb", b"{}"), UnusableInput, "内容与后缀"),
    UglyFile(
        "broken fgb", "grid", _bytes("grid.fgb", b"fgb\x03fgb\x00" + b"\xff" * 50), UnusableInput, "打不开"
    ),
    UglyFile(
        "broken gpkg",
        "grid",
        _bytes("grid.gpkg", b"SQLite format 3\0" + b"\xff" * 500),
        UnusableInput,
        "打不开",
    ),
    UglyFile("gpkg without layers", "grid", _no_layers, UnusableInput, "没有带图形的图层"),
    UglyFile("truncated shp", "grid", _locked_prefix, UnusableInput, "grid.shp"),
    UglyFile("wrong geometry", "grid", _points_as_grids, UnusableInput, "里是点，而图层“网格”需要面"),
    UglyFile("no features", "grid", lambda f: geojson(f, []), UnusableInput, "没有任何要素"),
    UglyFile(
        "no shapes",
        "grid",
        lambda f: geojson(f, grid_features(np.array([None] * 3))),
        UnusableInput,
        "没有一行可以使用",
    ),
    # parts
    UglyFile("no dbf", "grid", without(".dbf"), UnusableInput, "缺少同名的 .dbf"),
    UglyFile("dbf cut short", "grid", _table(lambda b: b[:-200]), UnusableInput, "不完整"),
    UglyFile(
        "dbf of another file", "grid", _table(lambda b: dbf([b"a"], [[b"1"]])), UnusableInput, "不是一套"
    ),
    UglyFile("dbf of rubbish", "grid", _table(lambda b: b"\xff" * 20), UnusableInput, "已损坏"),
    UglyFile(
        "required column missing",
        "grid",
        lambda f: shapefile(f, heads=("网格编码", "网格名称", "备注", "网格类型")),
        UnusableInput,
        "缺少图层“网格”必需的列：所属社区",
    ),
    # reference system
    UglyFile("no prj, Gauss-Krueger", "grid", without(".prj"), UnknownCrs, "EPSG:4534–4554"),
    UglyFile(
        "no prj, degrees",
        "grid",
        without(".prj", geometry=degree_squares(), crs="EPSG:4490"),
        UnknownCrs,
        "EPSG:4490",
    ),
    UglyFile(
        "no prj, zone prefix",
        "grid",
        without(".prj", geometry=squares(x=40_443_000.0)),
        UnknownCrs,
        "EPSG:4528",
    ),
    UglyFile(
        "no prj, Web Mercator",
        "grid",
        without(".prj", geometry=squares(x=12_900_000.0, y=4_000_000.0)),
        UnknownCrs,
        "EPSG:3857",
    ),
    UglyFile(
        "no prj, nowhere",
        "grid",
        without(".prj", geometry=squares(x=1e9, y=-1e9)),
        UnknownCrs,
        "没有坐标系说明",
    ),
    UglyFile("prj of rubbish", "grid", _prj("乱码"), UnknownCrs, "读不懂"),
    UglyFile(
        "degrees called metres",
        "grid",
        lambda f: shapefile(f, geometry=degree_squares()),
        UnknownCrs,
        "坐标却是经纬度",
    ),
    UglyFile(
        "metres called degrees", "grid", lambda f: shapefile(f, crs="EPSG:4490"), UnknownCrs, "坐标却是米"
    ),
    UglyFile(
        "zone prefix missing from the CRS",
        "grid",
        lambda f: shapefile(f, geometry=squares(x=40_443_000.0)),
        UnknownCrs,
        "EPSG:4528",
    ),
    UglyFile("Beijing 1954", "grid", lambda f: shapefile(f, crs="EPSG:2437"), UnknownCrs, "北京54或西安80"),
    UglyFile("Xi'an 1980", "grid", lambda f: shapefile(f, crs="EPSG:2384"), UnknownCrs, "北京54或西安80"),
    UglyFile(
        "swapped axes",
        "grid",
        lambda f: shapefile(f, geometry=shapely.transform(squares(), lambda c: c[:, ::-1])),
        UnknownCrs,
        "颠倒",
    ),
    UglyFile("unknown code", "grid", shapefile, UnknownCrs, "不认识坐标系", {"crs": "EPSG:99999999"}),
    UglyFile("local plane", "grid", shapefile, UnknownCrs, "没有地理位置", {"crs": "local"}),
    # text
    UglyFile("neither UTF-8 nor GB18030", "grid", _mixed_bytes, UnknownEncoding, "无法判断编码"),
    UglyFile("UTF-8 with a flaw", "grid", _utf8_with_a_flaw, UnknownEncoding, "大部分是 UTF-8"),
    UglyFile(
        "another encoding than stated", "grid", shapefile, UnknownEncoding, "UTF-8", {"encoding": "utf-8"}
    ),
    UglyFile(
        "no such encoding", "grid", shapefile, UnknownEncoding, "不认识文字编码", {"encoding": "klingon"}
    ),
    # archives
    UglyFile("not a zip", "grid", _bytes("grid.zip", b"Rar!\x1a\x07"), UnusableInput, "不是完好的 ZIP"),
    UglyFile("path traversal", "grid", _escaping, UnusableInput, "指向压缩包之外"),
    UglyFile("link in zip", "grid", _link, UnusableInput, "指向压缩包之外"),
    UglyFile("zip bomb", "grid", _bomb, UnusableInput, "大得不合常理"),
    UglyFile("zip with password", "grid", _encrypted, UnusableInput, "有密码"),
    UglyFile("damaged zip", "grid", _damaged, UnusableInput, "不是完好的 ZIP"),
    UglyFile(
        "endless name in zip",
        "grid",
        lambda f: archive(f, {"网" * 90 + ".csv": b"a,b"}),
        UnusableInput,
        "太长",
    ),
    UglyFile("zip in zip", "grid", _nested, UnusableInput, "先解压一层"),
    UglyFile(
        "zip without data", "grid", lambda f: archive(f, {"读我.txt": b"x"}), UnusableInput, "没有可以读取的"
    ),
    UglyFile("two data sets in zip", "grid", _two_in_one, UnusableInput, "东区、西区"),
    UglyFile("two layers in gpkg", "grid", lambda f: geopackage(f, ("东", "西")), UnusableInput, "东、西"),
    UglyFile("gpkg without CRS", "grid", lambda f: geopackage(f, crs=None), UnknownCrs, "没有坐标系说明"),
    # GeoJSON
    UglyFile("json of something else", "grid", _bytes("grid.json", b"[1, 2]"), UnusableInput, "不是 GeoJSON"),
    UglyFile("json that runs a command", "grid", _command_json, UnusableInput, "grid.geojson"),
    UglyFile(
        "json cut short",
        "grid",
        _bytes("grid.json", b'{"type": "FeatureCollection", "fea'),
        UnusableInput,
        "打不开",
    ),
    UglyFile(
        "code as a long number in json",
        "address",
        _bytes(
            "a.geojson",
            b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"code":12345678901234567890,'
            b'"address":"x"},"geometry":{"type":"Point","coordinates":[119.4,32.2]}}]}',
        ),
        UnusableInput,
        "12345678901234567890",
        {"datum": "wgs84"},
    ),
    UglyFile(
        "metres in GeoJSON", "grid", lambda f: geojson(f, grid_features(squares())), UnknownCrs, "坐标却是米"
    ),
    # points and lists
    UglyFile("points without datum", "address", _points_shapefile, DatumRequired, "GCJ-02"),
    UglyFile("list without datum", "address", csv, DatumRequired, "--datum"),
    UglyFile("datum against CRS", "address", _shifted_survey, UnusableInput, "矛盾", {"datum": "gcj02"}),
    UglyFile(
        "list without coordinates",
        "address",
        lambda f: csv(f, heads=("地址编码", "标准地址", "甲", "乙")),
        UnusableInput,
        "找不到坐标列",
        {"datum": "wgs84"},
    ),
    UglyFile(
        "list with swapped columns",
        "address",
        lambda f: csv(f, heads=("地址编码", "标准地址", "纬度", "经度")),
        UnknownCrs,
        "颠倒",
        {"datum": "wgs84"},
    ),
    UglyFile(
        "list in metres without CRS",
        "address",
        lambda f: csv(f, rows=[(*row[:2], "443000", "3565000") for row in ADDRESS_ROWS]),
        UnknownCrs,
        "EPSG:4534–4554",
        {"datum": "cgcs2000"},
    ),
    UglyFile(
        "list never closes a quote", "address", _quote_never_closed, UnusableInput, "引号", {"datum": "wgs84"}
    ),
    UglyFile(
        "sheet with a ruined code",
        "address",
        lambda f: xlsx(f, [ADDRESS_HEADS, [12345678901234567890, "幸福路1号", 119.4, 32.2]]),
        UnusableInput,
        "第 2 行 A 列",
        {"datum": "wgs84"},
    ),
    UglyFile("sheet that is none", "address", _bytes("a.xlsx", b"\xd0\xcf\x11\xe0"), UnusableInput, "a.xlsx"),
    UglyFile(
        "zip called a sheet",
        "address",
        lambda f: archive(f, {"a": b"b"}, name="a.xlsx"),
        UnusableInput,
        "Excel",
    ),
    UglyFile("empty sheet", "address", lambda f: xlsx(f, []), UnusableInput, "没有数据"),
]
