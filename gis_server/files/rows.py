"""Lists of points with columns added, written in the form that the suffix names."""

import csv
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import openpyxl
import pyogrio.raw
import shapely
from numpy.typing import NDArray

from gis_server.core.errors import UnusableInput
from gis_server.core.features import Column
from gis_server.core.message import Message, msg
from gis_server.files.dbf import NAME_BYTES
from gis_server.files.encoding import GB18030, UTF8

_DBF_TEXT_BYTES = 254
_XLSX_ROWS = 1_048_576

Columns = Mapping[str, Column]
Floats = NDArray[np.float64]


def check_suffix(path: Path) -> None:
    """Refuse an output that cannot be written, before any work is done."""
    if _suffix(path) is None:
        raise UnusableInput(
            msg("不能写成 {file}；支持 {known}。", file=path.name, known=tuple(_WRITERS)), field="output"
        )
    if not path.parent.is_dir():
        raise UnusableInput(msg("文件夹 {folder} 不存在。", folder=str(path.parent)), field="output")


def write_rows(path: Path, columns: Columns, x: Floats, y: Floats, crs: str | None) -> tuple[Message, ...]:
    """Write equally long columns, in order; a file appears whole or not at all, and replaces an older one.

    ``x``, ``y`` (NaN for none) in ``crs`` (None on a local plane) become the geometry of the formats that have one; a CSV or
    sheet has its coordinates in its columns. Returns what the format could not keep.
    """
    check_suffix(path)
    suffix = _suffix(path)
    assert suffix is not None  # noqa: S101  (checked)
    with TemporaryDirectory(prefix=".gis-server-", dir=path.parent) as folder:
        unfinished = Path(folder) / f"{path.name[: -len(suffix)]}{suffix}"
        notes = _WRITERS[suffix](unfinished, columns, x, y, crs)
        for part in sorted(Path(folder).iterdir(), key=lambda part: part.name == unfinished.name):
            part.replace(path if part == unfinished else path.with_name(part.name))
    return notes


def _suffix(path: Path) -> str | None:
    return next((suffix for suffix in _WRITERS if path.name.lower().endswith(suffix)), None)


def _values(column: Column) -> list[object]:
    """A column as Python values; a missing number of a file with geometry comes as NaN."""
    values: list[object] = column.tolist()
    if column.dtype.kind != "f":
        return values
    return [
        None if missing else value for value, missing in zip(values, np.isnan(column).tolist(), strict=True)
    ]


def _csv(path: Path, columns: Columns, x: Floats, y: Floats, crs: str | None) -> tuple[Message, ...]:  # noqa: ARG001
    # with a byte-order mark, without which spreadsheets show Chinese as mojibake
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(columns)
        lines.writerows(zip(*(_values(column) for column in columns.values()), strict=True))
    return ()


def _xlsx(path: Path, columns: Columns, x: Floats, y: Floats, crs: str | None) -> tuple[Message, ...]:  # noqa: ARG001
    if len(x) >= _XLSX_ROWS:
        raise UnusableInput(
            msg("{n} 行超过一张工作表的上限 {most} 行，请写成 .csv。", n=len(x), most=_XLSX_ROWS - 1),
            field="output",
        )
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("route")
    sheet.append(list(columns))
    # text stays text: a code of 15 or 20 digits is no number
    for row in zip(*(_values(column) for column in columns.values()), strict=True):
        sheet.append(row)
    book.save(path)
    return ()


def _with_gdal(
    driver: str, **options: str
) -> Callable[[Path, Columns, Floats, Floats, str | None], tuple[Message, ...]]:
    def write(path: Path, columns: Columns, x: Floats, y: Floats, crs: str | None) -> tuple[Message, ...]:
        geographic = (
            "EPSG:4326" if driver == "GeoJSON" else crs
        )  # RFC 7946 knows no other; the numbers are the same
        _write(
            path, columns, x, y, crs=None if crs is None else geographic, driver=driver, layer_options=options
        )
        return ()

    return write


def _write(path: Path, columns: Columns, x: Floats, y: Floats, **how: object) -> None:
    places = np.full(len(x), None, dtype=object)
    there = np.isfinite(x) & np.isfinite(y)
    places[there] = shapely.to_wkb(shapely.points(x[there], y[there]))
    pyogrio.raw.write(
        path,
        geometry=places,
        field_data=list(columns.values()),
        fields=list(columns),
        geometry_type="Point",
        **how,
    )


def _shapefile(path: Path, columns: Columns, x: Floats, y: Floats, crs: str | None) -> tuple[Message, ...]:
    """Names and texts of Chinese fit twice as well in GB18030; a .cpg beside the table tells of it."""
    notes: list[Message] = []
    short = _short_names(list(columns))
    cut_names = [name for name, cut in short.items() if name != cut]
    if cut_names:
        renamed = tuple(f"{name} → {short[name]}" for name in cut_names)
        notes.append(msg("shapefile 的列名最多 10 个字节，已缩短：{names}。", names=renamed))
    fitting: dict[str, Column] = {}
    for name, column in columns.items():
        values, cut = _texts_that_fit(column)
        if cut:
            notes.append(msg("列“{field}”有 {count} 个值超过 254 字节，已截短。", field=name, count=cut))
        fitting[short[name]] = values
    _write(path, fitting, x, y, crs=crs, driver="ESRI Shapefile", encoding=_encoding(fitting))
    return tuple(notes)


def _encoding(columns: Columns) -> str:
    """GB18030, or UTF-8 where nothing but ASCII is to be told."""
    texts = (value for column in columns.values() if column.dtype.kind == "O" for value in column.tolist())
    ascii_only = all(name.isascii() for name in columns) and all(v is None or str(v).isascii() for v in texts)
    return UTF8 if ascii_only else GB18030


def _short_names(names: list[str]) -> dict[str, str]:
    """A name of at most ten bytes for each column, unlike all others."""
    short: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        candidates = [_cut(name, NAME_BYTES), *(f"{_cut(name, NAME_BYTES - 3)}_{n}" for n in range(1, 100))]
        short[name] = next(cut for cut in candidates if cut.upper() not in taken)
        taken.add(short[name].upper())
    return short


def _cut(text: str, size: int) -> str:
    return text.encode(GB18030)[:size].decode(GB18030, "ignore")


def _texts_that_fit(column: Column) -> tuple[Column, int]:
    """Text of at most 254 bytes, cut between characters, and how many values were cut; other columns as they are."""
    if column.dtype.kind != "O":
        return column, 0
    texts = column.copy()
    long = [
        row
        for row, text in enumerate(column.tolist())
        if text is not None and len(str(text)) * 4 > _DBF_TEXT_BYTES
    ]
    cut = 0
    for row in long:
        shorter = _cut(str(column[row]), _DBF_TEXT_BYTES)
        cut += shorter != column[row]
        texts[row] = shorter
    return texts, cut


def _zipped_shapefile(
    path: Path, columns: Columns, x: Floats, y: Floats, crs: str | None
) -> tuple[Message, ...]:
    with TemporaryDirectory(prefix=".gis-server-", dir=path.parent.parent) as folder:
        notes = _shapefile(Path(folder) / f"{path.name.removesuffix('.shp.zip')}.shp", columns, x, y, crs)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in sorted(Path(folder).iterdir()):
                archive.write(part, part.name)
    return notes


_WRITERS: Mapping[str, Callable[[Path, Columns, Floats, Floats, str | None], tuple[Message, ...]]] = {
    ".csv": _csv,
    ".xlsx": _xlsx,
    ".gpkg": _with_gdal("GPKG"),
    ".shp": _shapefile,
    ".shp.zip": _zipped_shapefile,
    ".geojson": _with_gdal("GeoJSON", COORDINATE_PRECISION="9"),
    ".fgb": _with_gdal("FlatGeobuf", SPATIAL_INDEX="NO"),  # which would change the order
}
