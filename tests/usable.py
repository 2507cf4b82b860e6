"""The files that people really bring, that look bad and must be read right: a builder for each, and what is got out of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from written_files import (
    ADDRESS_HEADS,
    ADDRESS_ROWS,
    GK_120,
    GRID_ROWS,
    apart,
    archive,
    csv,
    geojson,
    geopackage,
    grid_features,
    parts,
    shapefile,
    squares,
    without,
    xlsx,
)


@dataclass(frozen=True)
class UsableFile:
    """A file that must be read: ``rows`` fitted, and the values of one field of the layer."""

    name: str
    layer: str
    make: Callable[[Path], Path]
    values: Sequence[str]
    options: Mapping[str, str] = field(default_factory=dict)
    of: str = "grid_name"


def _chinese_archive(folder: Path) -> Path:
    path = shapefile(apart(folder), "网格图层")
    return archive(folder, {"__MACOSX/._x.shp": b"x", **parts(path, "数据/最终版/")}, gbk=True)


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
    UsableFile("no shx", "grid", without(".shx"), GRID_NAMES),
    UsableFile("broken shx", "grid", _rubbish_index, GRID_NAMES),
    UsableFile("no prj, CRS stated", "grid", without(".prj"), GRID_NAMES, {"crs": GK_120}),
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
