"""Writing a file back as it was read, with other geometry: every row, every column, the same reference system."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.errors import UnusableInput
from gis_server.core.features import RawTable
from gis_server.core.geometry import LOCAL_CRS
from gis_server.core.message import msg
from gis_server.files.gdal import pyogrio

_DRIVERS = {
    ".gpkg": "GPKG",
    ".geojson": "GeoJSON",
    ".json": "GeoJSON",
    ".fgb": "FlatGeobuf",
    ".shp": "ESRI Shapefile",
}


def write_same(
    path: Path, raw: RawTable, geometry: NDArray[np.object_], changes: dict[str, NDArray[np.object_]]
) -> None:
    """Write ``raw`` with new ``geometry`` and the columns in ``changes``; whole or not at all.

    GeoJSON keeps the coordinates as they are, in the reference system of the input.
    """
    check_writable(path)
    driver = _DRIVERS[path.suffix.lower()]
    columns = {**raw.columns, **changes}
    missing = [_missing(column) for column in columns.values()]
    with TemporaryDirectory(prefix=".gis-server-", dir=path.parent) as folder:
        pyogrio.raw.write(
            Path(folder) / path.name,
            geometry=shapely.to_wkb(_of_one_type(geometry)),
            field_data=list(columns.values()),
            field_mask=missing,
            fields=list(columns),
            driver=driver,
            geometry_type="MultiPolygon",
            crs=None if raw.source.crs == LOCAL_CRS else raw.source.crs,
            **({"encoding": "UTF-8"} if driver == "ESRI Shapefile" else {}),
        )
        for part in Path(folder).iterdir():
            part.replace(path.parent / part.name)


def check_writable(path: Path) -> None:
    """Raise UnusableInput where the suffix names no format that can be written, or the folder does not exist."""
    if path.suffix.lower() not in _DRIVERS:
        raise UnusableInput(
            msg("不能写为 {file}；支持 {known}。", file=path.name, known="、".join(_DRIVERS)), field="output"
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
