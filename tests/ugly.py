"""The files that people really bring: a builder for each, and what is to be said of it or got out of it.

``UGLY`` are files that must be refused, with a fragment of the sentence; ``USABLE`` are files that look bad and must
be read right. Every builder writes into the folder given and returns the path to import.
"""

import json
import os
import struct
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import openpyxl
import pyogrio.raw
import shapely

from gis_server.core.errors import DatumRequired, GisError, UnknownCrs, UnknownEncoding, UnusableInput

GRID_HEADS = ("网格编码", "网格名称", "所属社区", "网格类型")
GRID_ROWS = (
    ("230881001001001", "同江镇第一网格", "230881001001", "居民网格"),
    ("230881001001002", "同江镇第二网格", "230881001001", "农村网格"),
    ("230881001001003", "同江镇第三网格", "230881001001", "专属网格"),
)
ADDRESS_HEADS = ("地址编码", "标准地址", "经度", "纬度")
ADDRESS_ROWS = (
    ("000000000000001", "幸福路1号", "119.4123456", "32.2012345"),
    ("000000000000002", "幸福路2号，后院", "119.4133456", "32.2022345"),
    ("99999999999999999999", "“老街”3号", "119.4143456", "32.2032345"),
)
GK_120 = "EPSG:4549"


@dataclass(frozen=True)
class UglyFile:
    """A file that must be refused."""

    name: str
    layer: str
    make: Callable[[Path], Path]
    error: type[GisError]
    fragment: str
    options: Mapping[str, str] = field(default_factory=dict)  # crs, encoding, datum as given by the person


@dataclass(frozen=True)
class UsableFile:
    """A file that must be read: ``rows`` fitted, and the values of one field of the layer."""

    name: str
    layer: str
    make: Callable[[Path], Path]
    values: Sequence[str]
    options: Mapping[str, str] = field(default_factory=dict)
    of: str = "grid_name"


def squares(count: int = 3, x: float = 443_000.0, y: float = 3_565_000.0) -> np.ndarray:
    """Squares of 100 m in a row, in metres of EPSG:4549 by default."""
    return np.array([shapely.box(x + 100 * i, y, x + 100 * i + 100, y + 100) for i in range(count)], object)


def degree_squares(count: int = 3) -> np.ndarray:
    return np.array(
        [shapely.box(119.4 + 0.001 * i, 32.2, 119.4 + 0.001 * (i + 1), 32.201) for i in range(count)],
        object,
    )


def dbf(
    heads: Sequence[bytes],
    rows: Sequence[Sequence[bytes]],
    *,
    ldid: int = 0,
    kinds: str | None = None,
    width: int = 60,
) -> bytes:
    """A dBASE table of text (or of ``kinds``, one letter a field), names cut at ten bytes as the format does."""
    kinds = kinds or "C" * len(heads)
    head = struct.pack(
        "<4BIHH17xB2x", 3, 126, 1, 1, len(rows), 33 + 32 * len(heads), 1 + width * len(heads), ldid
    )
    for name, kind in zip(heads, kinds, strict=True):
        head += struct.pack("<11sc4xBB14x", name[:10], kind.encode(), width, 0)
    body = b"".join(
        b" "
        + b"".join(
            c[:width].rjust(width) if k == "N" else c[:width].ljust(width)
            for k, c in zip(kinds, row, strict=True)
        )
        for row in rows
    )
    return head + b"\r" + body + b"\x1a"


def shapefile(
    folder: Path,
    name: str = "grid",
    *,
    encoding: str = "GB18030",
    geometry: np.ndarray | None = None,
    crs: str | None = GK_120,
    heads: Sequence[str] = GRID_HEADS,
    rows: Sequence[Sequence[str]] = GRID_ROWS,
    cpg: str | None = None,
    ldid: int = 0,
) -> Path:
    """A shapefile whose table is written byte by byte, because no honest writer would write it."""
    geometry = squares(len(rows)) if geometry is None else geometry
    known = next(g for g in geometry if g is not None)
    path = folder / f"{name}.shp"
    _write(
        path,
        geometry=shapely.to_wkb(geometry),
        field_data=[np.arange(len(geometry))],
        fields=["n"],
        geometry_type=f"{known.geom_type} Z" if known.has_z else known.geom_type,
        crs=crs,
        driver="ESRI Shapefile",
    )
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if cpg is not None:
        path.with_suffix(".cpg").write_text(cpg)
    path.with_suffix(".dbf").write_bytes(
        dbf([h.encode(encoding) for h in heads], [[c.encode(encoding) for c in r] for r in rows], ldid=ldid)
    )
    return path


def _write(path: Path, **kwargs: object) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a missing CRS is what some of these files are about
        pyogrio.raw.write(path, **kwargs)


def csv(
    folder: Path,
    *,
    heads: Sequence[str] = ADDRESS_HEADS,
    rows: Sequence[Sequence[str]] = ADDRESS_ROWS,
    encoding: str = "utf-8",
    separator: str = ",",
    name: str = "address.csv",
) -> Path:
    path = folder / name
    lines = [separator.join(f'"{c}"' if separator in c else c for c in row) for row in (heads, *rows)]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def xlsx(folder: Path, rows: Sequence[Sequence[object]], *, merge: Sequence[str] = ()) -> Path:
    path = folder / "address.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "地址"
    for row in rows:
        sheet.append(list(row))
    for area in merge:
        sheet.merge_cells(area)
    book.save(path)
    return path


def geojson(folder: Path, features: Sequence[object], *, encoding: str = "utf-8", **members: object) -> Path:
    path = folder / "grid.geojson"
    content = {"type": "FeatureCollection", **members, "features": features}
    path.write_bytes(json.dumps(content, ensure_ascii=False).encode(encoding))
    return path


def grid_features(geometry: np.ndarray | None = None) -> list[dict[str, object]]:
    geometry = degree_squares() if geometry is None else geometry
    return [
        {
            "type": "Feature",
            "properties": dict(zip(GRID_HEADS, row, strict=True)),
            "geometry": json.loads(shapely.to_geojson(shape)) if shape is not None else None,
        }
        for row, shape in zip(GRID_ROWS, geometry, strict=True)
    ]


def geopackage(folder: Path, layers: Sequence[str] = ("grid",), *, crs: str | None = GK_120) -> Path:
    path = folder / "grid.gpkg"
    for layer in layers:
        _write(
            path,
            layer=layer,
            geometry=shapely.to_wkb(squares()),
            field_data=[np.array(column, object) for column in zip(*GRID_ROWS, strict=True)],
            fields=list(GRID_HEADS),
            geometry_type="Polygon",
            crs=crs,
            driver="GPKG",
            append=path.exists(),
        )
    return path


def archive(folder: Path, members: Mapping[str, bytes], *, gbk: bool = False, name: str = "grid.zip") -> Path:
    """A zip file; ``gbk`` writes the names as Windows in China does, without the UTF-8 flag."""
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for member, content in members.items():
            info = zipfile.ZipInfo(member, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            if gbk:
                info = _GbkInfo(member, (2026, 1, 1, 0, 0, 0))
            packed.writestr(info, content)
    return path


class _GbkInfo(zipfile.ZipInfo):
    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802  (zipfile's own hook)
        return self.filename.encode("gbk"), self.flag_bits


def parts(path: Path, inside: str = "") -> dict[str, bytes]:
    """The files of a shapefile as members of an archive."""
    return {f"{inside}{p.name}": p.read_bytes() for p in sorted(path.parent.glob(f"{path.stem}.*"))}


def _apart(folder: Path) -> Path:
    aside = folder / "aside"
    aside.mkdir(exist_ok=True)
    return aside


def _without(suffix: str, **kwargs: object) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = shapefile(folder, **kwargs)  # type: ignore[arg-type]
        path.with_suffix(suffix).unlink()
        return path

    return make


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
    inner = archive(_apart(folder), {"grid.csv": b"a,b"}, name="inner.zip")
    return archive(folder, {"inner.zip": inner.read_bytes()})


def _two_in_one(folder: Path) -> Path:
    aside = _apart(folder)
    one, other = shapefile(aside, "东区"), shapefile(aside, "西区")
    return archive(folder, {**parts(one), **parts(other)})


def _chinese_archive(folder: Path) -> Path:
    path = shapefile(_apart(folder), "网格图层")
    return archive(folder, {"__MACOSX/._x.shp": b"x", **parts(path, "数据/最终版/")}, gbk=True)


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
    UglyFile("no dbf", "grid", _without(".dbf"), UnusableInput, "缺少同名的 .dbf"),
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
    UglyFile("no prj, Gauss-Krueger", "grid", _without(".prj"), UnknownCrs, "EPSG:4534–4554"),
    UglyFile(
        "no prj, degrees",
        "grid",
        _without(".prj", geometry=degree_squares(), crs="EPSG:4490"),
        UnknownCrs,
        "EPSG:4490",
    ),
    UglyFile(
        "no prj, zone prefix",
        "grid",
        _without(".prj", geometry=squares(x=40_443_000.0)),
        UnknownCrs,
        "EPSG:4528",
    ),
    UglyFile(
        "no prj, Web Mercator",
        "grid",
        _without(".prj", geometry=squares(x=12_900_000.0, y=4_000_000.0)),
        UnknownCrs,
        "EPSG:3857",
    ),
    UglyFile(
        "no prj, nowhere",
        "grid",
        _without(".prj", geometry=squares(x=1e9, y=-1e9)),
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

GRID_NAMES = tuple(row[1] for row in GRID_ROWS)
ADDRESS_CODES = tuple(row[0] for row in ADDRESS_ROWS)
ADDRESS_NAMES = tuple(row[1] for row in ADDRESS_ROWS)
WGS = {"datum": "wgs84"}


def _upper_case(folder: Path) -> Path:
    path = shapefile(folder)
    for part in list(folder.glob("grid.*")):
        part.rename(folder / f"GRID{part.suffix.upper()}")
    return folder / path.name.upper().replace("GRID", "GRID")


def _rubbish_index(folder: Path) -> Path:
    path = shapefile(folder)
    path.with_suffix(".shx").write_bytes(b"rubbish")
    return path


def _title_above(folder: Path) -> Path:
    rows = [
        ("同江镇地址表",),
        (),
        ("地址编码", "标准地址", "经度(度)", "纬度(度)"),
        *ADDRESS_ROWS[:1],
        (),
        *ADDRESS_ROWS[1:],
    ]
    return xlsx(folder, rows, merge=("A1:D1",))


def _numbers_in_sheet(folder: Path) -> Path:
    return xlsx(
        folder,
        [ADDRESS_HEADS, [230881001001004, "幸福路1号", 119.4, 32.2], [5.0, "幸福路2号", "119.41", 32.2]],
    )


def _merged_cells(folder: Path) -> Path:
    rows = [
        ("地址编码", "标准地址", "经度", "纬度", "所属网格"),
        ("1", "甲", "119.40", "32.2", "230881001001001"),
        ("2", "乙", "119.41", "32.2", None),
        ("3", "丙", "119.42", "32.2", "230881001001002"),
    ]
    return xlsx(folder, rows, merge=("E2:E3",))


USABLE: list[UsableFile] = [
    UsableFile("GBK without cpg", "grid", shapefile, GRID_NAMES),
    UsableFile("GBK, LDID 0x57", "grid", lambda f: shapefile(f, ldid=0x57), GRID_NAMES),
    UsableFile("GBK, cpg ANSI 936", "grid", lambda f: shapefile(f, cpg="ANSI 936"), GRID_NAMES),
    UsableFile("GBK under a cpg of UTF-8", "grid", lambda f: shapefile(f, cpg="UTF-8"), GRID_NAMES),
    UsableFile(
        "UTF-8 under a cpg of GBK", "grid", lambda f: shapefile(f, encoding="utf-8", cpg="GBK"), GRID_NAMES
    ),
    UsableFile(
        "UTF-8 names cut in a character", "grid", lambda f: shapefile(f, encoding="utf-8"), GRID_NAMES
    ),
    UsableFile("encoding stated", "grid", shapefile, GRID_NAMES, {"encoding": "gbk"}),
    UsableFile("no shx", "grid", _without(".shx"), GRID_NAMES),
    UsableFile("broken shx", "grid", _rubbish_index, GRID_NAMES),
    UsableFile("no prj, CRS stated", "grid", _without(".prj"), GRID_NAMES, {"crs": GK_120}),
    UsableFile("upper-case suffixes", "grid", _upper_case, GRID_NAMES),
    UsableFile("Chinese names in a zip", "grid", _chinese_archive, GRID_NAMES),
    UsableFile("one of two layers", "grid", lambda f: geopackage(f, ("grid", "other")), GRID_NAMES),
    UsableFile(
        "GeoJSON with BOM", "grid", lambda f: geojson(f, grid_features(), encoding="utf-8-sig"), GRID_NAMES
    ),
    UsableFile("GeoJSON in GBK", "grid", lambda f: geojson(f, grid_features(), encoding="gbk"), GRID_NAMES),
    UsableFile(
        "GeoJSON with a CRS member",
        "grid",
        lambda f: geojson(
            f,
            grid_features(squares()),
            crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}},
        ),
        GRID_NAMES,
    ),
    UsableFile(
        "list with BOM", "address", lambda f: csv(f, encoding="utf-8-sig"), ADDRESS_CODES, WGS, "address_code"
    ),
    UsableFile(
        "list in GBK", "address", lambda f: csv(f, encoding="gbk"), ADDRESS_NAMES, WGS, "standard_address"
    ),
    UsableFile(
        "list in UTF-16",
        "address",
        lambda f: csv(f, encoding="utf-16"),
        ADDRESS_NAMES,
        WGS,
        "standard_address",
    ),
    UsableFile(
        "list with semicolons",
        "address",
        lambda f: csv(f, separator=";"),
        ADDRESS_NAMES,
        WGS,
        "standard_address",
    ),
    UsableFile(
        "list with tabs", "address", lambda f: csv(f, separator="\t"), ADDRESS_CODES, WGS, "address_code"
    ),
    UsableFile("sheet with a title", "address", _title_above, ADDRESS_CODES, WGS, "address_code"),
    UsableFile(
        "sheet with numbers", "address", _numbers_in_sheet, ("230881001001004", "5"), WGS, "address_code"
    ),
    UsableFile(
        "sheet with merged cells",
        "address",
        _merged_cells,
        ("230881001001001", "230881001001001", "230881001001002"),
        WGS,
        "grid_code",
    ),
]
