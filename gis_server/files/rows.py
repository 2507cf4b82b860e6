"""Lists of points with columns added, written in the form that the suffix names: .csv, .xlsx or .geojson."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import isnan
from pathlib import Path
from tempfile import TemporaryDirectory

import openpyxl

from gis_server.core.errors import UnusableInput
from gis_server.core.geometry import Geometries
from gis_server.core.message import msg

WRITABLE = (".csv", ".xlsx", ".geojson")

Columns = Mapping[str, Sequence[object]]


def check_suffix(path: Path) -> None:
    """Refuse an output that cannot be written, before any work is done."""
    if path.suffix.lower() not in WRITABLE:
        raise UnusableInput(
            msg("不能写成 {file}；支持 {known}。", file=path.name, known="、".join(WRITABLE)), field="output"
        )
    if not path.parent.is_dir():
        raise UnusableInput(msg("文件夹 {folder} 不存在。", folder=str(path.parent)), field="output")


def write_rows(path: Path, columns: Columns, places: Geometries) -> None:
    """Write equally long columns, in order; a file appears whole or not at all, and replaces an older one.

    ``places`` (points or None) become the geometry of GeoJSON; a CSV or sheet has its coordinates in its columns.
    """
    check_suffix(path)
    with TemporaryDirectory(prefix=".gis-server-", dir=path.parent) as folder:
        unfinished = Path(folder) / path.name
        _WRITERS[path.suffix.lower()](unfinished, columns, places)
        unfinished.replace(path)


def _rows(columns: Columns) -> Iterator[tuple[object, ...]]:
    return zip(*(_values(column) for column in columns.values()), strict=True)


def _values(column: Sequence[object]) -> list[object]:
    # a missing number of a file with geometry comes as NaN
    return [None if isinstance(value, float) and isnan(value) else value for value in column]


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def _csv(path: Path, columns: Columns, places: Geometries) -> None:  # noqa: ARG001
    # with a byte-order mark, without which spreadsheets show Chinese as mojibake
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(columns)
        lines.writerows([_text(value) for value in row] for row in _rows(columns))


def _xlsx(path: Path, columns: Columns, places: Geometries) -> None:  # noqa: ARG001
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("route")
    sheet.append(list(columns))
    for row in _rows(columns):
        # text stays text: a code of 15 or 20 digits is no number
        sheet.append([value if isinstance(value, int | float | None) else _text(value) for value in row])
    book.save(path)


def _geojson(path: Path, columns: Columns, places: Geometries) -> None:
    names = list(columns)
    with path.open("w", encoding="utf-8") as file:
        file.write('{"type": "FeatureCollection", "features": [')
        for number, (row, place) in enumerate(zip(_rows(columns), places, strict=True)):
            geometry = None if place is None else {"type": "Point", "coordinates": [place.x, place.y]}
            properties = {
                name: value if isinstance(value, int | float | None) else _text(value)
                for name, value in zip(names, row, strict=True)
            }
            feature = {"type": "Feature", "properties": properties, "geometry": geometry}
            file.write("\n" if number == 0 else ",\n")
            json.dump(feature, file, ensure_ascii=False)
        file.write("\n]}\n")


_WRITERS = {".csv": _csv, ".xlsx": _xlsx, ".geojson": _geojson}
