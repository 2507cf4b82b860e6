"""Writing the sample city: files as they should be, and files as offices really send them.

Everything written depends on its arguments only: no clock, no machine name.
"""

import csv
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from pathlib import Path

import geopandas
import numpy as np
import openpyxl
import pyogrio
from numpy.typing import NDArray

Columns = Mapping[str, NDArray[np.generic]]

WRITTEN = "2026-11-01"
"""The day that formats with a date of writing get."""

_NAME_BYTES = 10
_LANGUAGE_DRIVER = 29  # offset in the DBF header
_FIRST_DESCRIPTOR, _DESCRIPTOR = 32, 32


def _frame(geometry: NDArray[np.object_], columns: Columns, crs: str) -> geopandas.GeoDataFrame:
    return geopandas.GeoDataFrame(dict(columns), geometry=geometry, crs=crs)


@contextmanager
def _dated() -> Iterator[None]:
    """Let GDAL write ``WRITTEN`` instead of the present time."""
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": f"{WRITTEN}T00:00:00.000Z"})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def write_shapefile(path: Path, geometry: NDArray[np.object_], columns: Columns, crs: str) -> None:
    """A shapefile in UTF-8 with its .cpg; names are cut at ten bytes, as the format wants."""
    short = {name[:_NAME_BYTES]: column for name, column in columns.items()}
    pyogrio.write_dataframe(
        _frame(geometry, short, crs),
        path,
        driver="ESRI Shapefile",
        encoding="UTF-8",
        layer_options={"RESIZE": "YES", "DBF_DATE_LAST_UPDATE": WRITTEN},
    )


def write_gbk_shapefile(
    path: Path, geometry: NDArray[np.object_], columns: Columns, crs: str, *, language_driver: int
) -> None:
    """A shapefile as older programs write it: GBK text and no .cpg.

    Chinese column names are cut at ten bytes, in the middle of a character if it comes to that. ``language_driver``
    is the byte of the DBF header that should tell the encoding: 0 says nothing, 0x57 says "ANSI".
    """
    numbered = {f"F{k}": column for k, column in enumerate(columns.values())}
    pyogrio.write_dataframe(
        _frame(geometry, numbered, crs),
        path,
        driver="ESRI Shapefile",
        encoding="GB18030",
        layer_options={"RESIZE": "YES", "DBF_DATE_LAST_UPDATE": WRITTEN},
    )
    path.with_suffix(".cpg").unlink(missing_ok=True)
    table = path.with_suffix(".dbf")
    content = bytearray(table.read_bytes())
    content[_LANGUAGE_DRIVER] = language_driver
    for k, name in enumerate(columns):
        start = _FIRST_DESCRIPTOR + k * _DESCRIPTOR
        content[start : start + _NAME_BYTES] = name.encode("gbk")[:_NAME_BYTES].ljust(_NAME_BYTES, b"\0")
    table.write_bytes(content)


def write_geopackage(path: Path, layers: Mapping[str, tuple[NDArray[np.object_], Columns]], crs: str) -> None:
    """A GeoPackage with the given layers (geometries and columns)."""
    with _dated():
        for k, (name, (geometry, columns)) in enumerate(layers.items()):
            pyogrio.write_dataframe(
                _frame(geometry, columns, crs),
                path,
                layer=name,
                driver="GPKG",
                append=k > 0,
                layer_options={"SPATIAL_INDEX": "NO"},
            )


def write_csv(path: Path, columns: Mapping[str, Sequence[object]], encoding: str) -> None:
    """A CSV with a header line, CRLF line ends, and empty cells for None."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def write_xlsx(path: Path, sheet: str, columns: Mapping[str, Sequence[object]]) -> None:
    """A workbook with one sheet. Text stays text, long digit strings too."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    page.append(list(columns))
    for row in zip(*columns.values(), strict=True):
        page.append(list(row))
    book.properties.creator = "gis-server sample"
    book.properties.created = datetime.fromisoformat(WRITTEN)
    buffer = BytesIO()
    book.save(buffer)
    # openpyxl stamps its own time of writing on the properties and on the archive's members
    stamp = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
    with zipfile.ZipFile(buffer) as written:
        members = [
            (name, stamp.sub(rb"\g<1>" + f"{WRITTEN}T00:00:00Z".encode(), written.read(name)))
            for name in written.namelist()
        ]
    _write_zip(path, members, "utf-8")


def write_gbk_zip(path: Path, folder: str, members: Mapping[str, Path]) -> None:
    """An archive as Chinese Windows makes it: a folder and file names in GBK, without the mark that says so."""
    _write_zip(path, [(f"{folder}/{name}", file.read_bytes()) for name, file in members.items()], "gbk")


def _write_zip(path: Path, members: Sequence[tuple[str, bytes]], encoding: str) -> None:
    """Write an archive whose names are plain bytes in ``encoding``; zipfile itself can only mark them as UTF-8."""
    names: dict[bytes, bytes] = {}
    buffer = BytesIO()
    day = datetime.fromisoformat(WRITTEN)
    with zipfile.ZipFile(buffer, "w") as archive:
        for k, (name, content) in enumerate(members):
            raw = name.encode(encoding)
            # a stand-in of the same length, replaced in both of the archive's directories below
            stand_in = f"{k:04d}".rjust(len(raw), "\x02") if not name.isascii() else name
            names[stand_in.encode()] = raw
            info = zipfile.ZipInfo(stand_in, day.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    content = buffer.getvalue()
    for stand_in_bytes, raw in names.items():
        content = content.replace(stand_in_bytes, raw)
    path.write_bytes(content)
