"""Writing a file back as it was read, with other geometry: every row, every column, the same reference system."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.errors import UnusableInput
from gis_server.core.features import RawTable
from gis_server.core.geometry import LOCAL_CRS
from gis_server.core.message import msg
from gis_server.files.dbf import with_values
from gis_server.files.encoding import GB18030, UTF8
from gis_server.files.gdal import pyogrio
from gis_server.files.vector import sidecars

_DRIVERS = {
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".shp": "ESRI Shapefile",
}


def write_same(
    path: Path,
    raw: RawTable,
    geometry: NDArray[np.object_],
    changes: Mapping[str, NDArray[np.object_]],
    source: Path,
) -> None:
    """Write ``raw``, read from ``source``, with new ``geometry`` and the columns in ``changes``; whole or not at all.

    A shapefile that comes from a shapefile keeps its table to the last byte but for those columns, so that names cut
    in mid-character and the code page survive. GeoJSON keeps the coordinates, in the reference system of the input.
    """
    check_writable(path)
    with TemporaryDirectory(prefix=".gis-server-", dir=path.parent) as folder:
        unfinished = Path(folder) / path.name
        table = _same_table(path, raw, changes, source)
        if table is None:
            _write_columns(unfinished, raw, geometry, {**raw.columns, **changes})
        else:
            _write_columns(unfinished, raw, geometry, {"row": raw.rows})
            _put_table(unfinished, source, table)
        for part in Path(folder).iterdir():
            part.replace(path.parent / part.name)


def _write_columns(
    path: Path, raw: RawTable, geometry: NDArray[np.object_], columns: Mapping[str, NDArray[np.generic]]
) -> None:
    driver = _DRIVERS[path.suffix.lower()]
    options = {}
    if driver == "FlatGeobuf":
        options["SPATIAL_INDEX"] = "NO"  # the index would put the rows into another order
    if driver == "ESRI Shapefile":
        # ten bytes of a name hold five characters of GB18030, three of UTF-8
        options["encoding"] = UTF8 if all(name.isascii() for name in columns) else GB18030
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", UserWarning
        )  # a plane has no CRS, and people know when they say "local"
        warnings.simplefilter(
            "ignore", RuntimeWarning
        )  # GDAL tells of names cut at ten bytes in bytes cut as well
        pyogrio.raw.write(
            path,
            geometry=shapely.to_wkb(_of_one_type(geometry)),
            field_data=list(columns.values()),
            field_mask=[_missing(column) for column in columns.values()],
            fields=list(columns),
            driver=driver,
            geometry_type="MultiPolygon",
            crs=None if raw.source.crs == LOCAL_CRS else raw.source.crs,
            **options,
        )


def _same_table(
    path: Path, raw: RawTable, changes: Mapping[str, NDArray[np.object_]], source: Path
) -> bytes | None:
    """The bytes of the source's .dbf with the changes; None where there is none or it cannot hold them."""
    if path.suffix.lower() != ".shp" or source.suffix.lower() != ".shp":
        return None
    data = sidecars(source)[".dbf"].read_bytes()
    if int.from_bytes(data[4:8], "little") != len(raw.rows):
        return None  # rows marked as deleted are not written
    names = list(raw.columns)
    for name, column in changes.items():
        before = raw.columns[name].tolist()
        rows = {i: v for i, (v, old) in enumerate(zip(column.tolist(), before, strict=True)) if v != old}
        patched = with_values(data, names.index(name), rows, raw.source.encoding or UTF8)
        if patched is None:
            return None
        data = patched
    return data


def _put_table(path: Path, source: Path, table: bytes) -> None:
    """Put the table beside a new .shp, with the .cpg and .prj that the source had."""
    path.with_suffix(".dbf").write_bytes(table)
    beside = sidecars(source)
    path.with_suffix(".cpg").unlink(missing_ok=True)
    for suffix in (".cpg", ".prj"):
        if suffix in beside:
            path.with_suffix(suffix).write_bytes(beside[suffix].read_bytes())


def check_writable(path: Path) -> None:
    """Raise UnusableInput where the suffix names no format that can be written, or the folder does not exist."""
    if path.suffix.lower() not in _DRIVERS:
        raise UnusableInput(
            msg("不能写为 {file}；支持 {known}。", file=path.name, known=tuple(_DRIVERS)), field="output"
        )
    if not path.parent.is_dir():
        raise UnusableInput(msg("文件夹 {folder} 不存在。", folder=str(path.parent)), field="output")


def _missing(column: NDArray[np.generic]) -> NDArray[np.bool_] | None:
    """Where an array that knows no None has no value."""
    if column.dtype.kind == "f":
        return np.asarray(np.isnan(column))
    return np.asarray(np.isnat(column)) if column.dtype.kind == "M" else None


def _of_one_type(geometry: NDArray[np.object_]) -> NDArray[np.object_]:
    single = np.flatnonzero(shapely.get_type_id(geometry) == 3)
    out = np.array(geometry, dtype=object)
    out[single] = shapely.multipolygons(out[single], indices=np.arange(len(single)))
    return out
