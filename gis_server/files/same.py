"""Writing a file back as it was read, with other geometry: every row, every column, the same reference system."""

from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas
import numpy as np
from numpy.typing import NDArray

from gis_server.core.errors import UnusableInput
from gis_server.core.features import RawTable
from gis_server.core.geometry import LOCAL_CRS
from gis_server.core.message import msg

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
    driver = _DRIVERS.get(path.suffix.lower())
    if driver is None:
        raise UnusableInput(
            msg("不能写为 {file}；支持 {known}。", file=path.name, known="、".join(_DRIVERS)), field="output"
        )
    if not path.parent.is_dir():
        raise UnusableInput(msg("文件夹 {folder} 不存在。", folder=str(path.parent)), field="output")
    columns = {**raw.columns, **changes}
    crs = None if raw.source.crs == LOCAL_CRS else raw.source.crs
    table = geopandas.GeoDataFrame(dict(columns), geometry=geopandas.GeoSeries(list(geometry), crs=crs))
    options = {"encoding": "UTF-8"} if driver == "ESRI Shapefile" else {}
    with TemporaryDirectory(prefix=".gis-server-", dir=path.parent) as folder:
        unfinished = Path(folder) / path.name
        table.to_file(unfinished, driver=driver, engine="pyogrio", **options)
        for part in Path(folder).iterdir():
            part.replace(path.parent / part.name)
