"""Writing the sample city: files as they should be, and files as offices really send them.

Everything written depends on its arguments only: no clock, no machine name.
"""

import csv
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import numpy as np
import openpyxl
import shapely
from numpy.typing import NDArray

from gis_server.files.gdal import pyogrio

Columns = Mapping[str, NDArray[np.generic]]

WRITTEN = "2026-11-01"
"""The day that formats with a date of writing get."""

_LOOKED_AT = 100
"""Values by which a column of times is known; the first may be missing."""
_NAME_BYTES = 10
_LANGUAGE_DRIVER = 29  # offset in the DBF header
_FIRST_DESCRIPTOR, _DESCRIPTOR = 32, 32


def _write(path: Path, geometry: NDArray[np.object_], columns: Columns, crs: str, **options: object) -> None:
    """Write text (or None), numbers and aware datetimes as they are."""
    data: list[NDArray[np.generic]] = []
    offsets: dict[str, NDArray[np.int64]] = {}
    for name, column in columns.items():
        if any(isinstance(value, datetime) for value in column[:_LOOKED_AT]):
            times = column.tolist()
            offsets[name] = np.array([_offset(time) for time in times])
            flat = [None if time is None else time.replace(tzinfo=None) for time in times]
            data.append(np.array(flat, "datetime64[ms]"))
        else:
            data.append(column)
    kinds = sorted({shape.geom_type for shape in geometry if shape is not None})
    # a GeoPackage holds one type only: single parts go with their multi type
    promote = len(kinds) == 2 and options["driver"] == "GPKG"
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(geometry),
        field_data=data,
        fields=list(columns),
        gdal_tz_offsets=offsets,
        geometry_type=kinds[0] if len(kinds) == 1 or promote else "Unknown",
        promote_to_multi=promote,
        crs=crs,
        **options,
    )


def _offset(time: datetime | None) -> int:
    """GDAL counts offsets in quarters of an hour, from 100 for UTC; 0 is unknown."""
    offset = None if time is None else time.utcoffset()
    return 0 if offset is None else 100 + offset // timedelta(minutes=15)


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
    _write(
        path,
        geometry,
        short,
        crs,
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
    _write(
        path,
        geometry,
        numbered,
        crs,
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
            _write(
                path,
                geometry,
                columns,
                crs,
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
