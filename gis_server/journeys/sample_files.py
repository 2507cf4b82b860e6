"""The sample city as files: clean, and as offices send them."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.catalogue import Catalogue
from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.errors import UnusableInput
from gis_server.core.geometry import STORAGE_CRS, transform
from gis_server.core.message import msg
from gis_server.core.roster_file import COLUMNS
from gis_server.files import sample as writing
from gis_server.files.catalogue import load
from gis_server.sample.city import LAYERS, City, make_city
from gis_server.sample.dirt import Defect, Dirty, make_dirty
from gis_server.sample.tables import Table, texts
from gis_server.settings import PROJECT_FOLDER

FOLDER = PROJECT_FOLDER / "sample_shapefiles"
"""The committed city."""

CLEAN, AS_RECEIVED = "clean", "as_received"

SHAPEFILES = {"area": "areas.shp", "grid": "grids.shp", "sub_grid": "sub_grids.shp"}
"""Boundary layers of the clean city are shapefiles."""

ADDRESSES = "addresses.gpkg"
ROSTER = "roster.xlsx"
BUILDINGS = "buildings.gpkg"
PACKAGE = "city.gpkg"
"""Addresses and buildings have a GeoPackage each, for they are many; all other layers share one."""

ALONE = {"address": ADDRESSES, "building": BUILDINGS}

Progress = Callable[[int, int], None]


def sample_file(folder: Path, layer: str) -> Path:
    """The file of ``folder/clean`` that holds a layer."""
    return folder / CLEAN / {**SHAPEFILES, **ALONE}.get(layer, PACKAGE)


def make_sample(
    out: Path,
    *,
    seed: int,
    towns: int,
    communities_per_town: int,
    per_household: bool = False,
    progress: Progress | None = None,
) -> City:
    """Make a city and write it to ``out``, clean and as received, or nothing at all.

    Raises UnusableInput where ``out`` holds such a city already.
    """
    for part in (CLEAN, AS_RECEIVED):
        if (out / part).exists():
            raise UnusableInput(
                msg("{folder} 已经存在；请换一个目录，或先删除它。", folder=str(out / part)), field="out"
            )
    say = progress or (lambda _done, _total: None)
    steps = 13
    city = make_city(
        seed,
        towns,
        communities_per_town,
        per_household=per_household,
        progress=lambda done, _: say(done, steps),
    )
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".sample-") as temporary:
        clean, as_received = Path(temporary) / CLEAN, Path(temporary) / AS_RECEIVED
        clean.mkdir()
        as_received.mkdir()
        _write_clean(clean, city)
        say(11, steps)
        _write_as_received(as_received, make_dirty(city), city.crs)
        say(12, steps)
        clean.rename(out / CLEAN)
        as_received.rename(out / AS_RECEIVED)
    say(steps, steps)
    return city


def _write_clean(folder: Path, city: City) -> None:
    """UTF-8 and longitude/latitude (CGCS2000) throughout."""
    package = {}
    for layer in LAYERS:
        table = city[layer]
        lon_lat = transform(table.geometry, city.crs, STORAGE_CRS)
        if layer in SHAPEFILES:
            writing.write_shapefile(folder / SHAPEFILES[layer], lon_lat, table.columns, STORAGE_CRS)
        elif layer in ALONE:
            writing.write_geopackage(folder / ALONE[layer], {layer: (lon_lat, table.columns)}, STORAGE_CRS)
        else:
            package[layer] = (lon_lat, table.columns)
    writing.write_geopackage(folder / PACKAGE, package, STORAGE_CRS)
    write_roster(folder / ROSTER, city)


def write_roster(path: Path, city: City) -> None:
    """The city's roster as people keep it: a workbook with the columns of the template."""
    columns = {column.title.zh: [row.get(field) for row in city.roster] for field, column in COLUMNS.items()}
    writing.write_xlsx(path, "花名册", columns)


def _in_chinese(catalogue: Catalogue, layer: str, table: Table) -> dict[str, NDArray[np.generic]]:
    """The columns under their Chinese titles, with choices in Chinese too."""
    columns: dict[str, NDArray[np.generic]] = {}
    for name, column in table.columns.items():
        field = catalogue[layer].fields[name]
        title = field.title.zh
        if field.choices:
            columns[title] = texts([None if key is None else field.choices[str(key)].zh for key in column])
        else:
            columns[title] = column
    return columns


def _write_as_received(folder: Path, dirty: Dirty, crs: str) -> None:
    catalogue = load(PROJECT_FOLDER / "layers")
    chinese = {layer: _in_chinese(catalogue, layer, table) for layer, table in dirty.tables.items()}
    for layer, driver in (("grid", 0), ("sub_grid", 0x57)):
        path = folder / SHAPEFILES[layer]
        geometry = dirty.tables[layer].geometry
        writing.write_gbk_shapefile(path, geometry, chinese[layer], crs, language_driver=driver)
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "areas.shp"
        geometry = dirty.tables["area"].geometry
        writing.write_gbk_shapefile(path, geometry, chinese["area"], crs, language_driver=0)
        parts = {f"行政区划{part.suffix}": part for part in sorted(path.parent.iterdir())}
        writing.write_gbk_zip(folder / "areas.zip", "区划数据", parts)

    address = chinese["address"]
    del address[catalogue["address"].fields["grid_code"].title.zh]
    lon, lat = _lon_lat(dirty.tables["address"].geometry, crs)
    shifted = from_cgcs2000(lon, lat, Datum.GCJ02)
    places = dict(zip(("经度", "纬度"), (_seven_places(v) for v in shifted), strict=True))
    rows = {name: column.tolist() for name, column in address.items()}
    writing.write_csv(folder / "addresses.csv", {**rows, **places}, "gbk")

    lon, lat = _lon_lat(dirty.tables["camera"].geometry, crs)
    places = {"经度": _seven_places(lon), "纬度": _seven_places(lat)}
    rows = {name: column.tolist() for name, column in chinese["camera"].items()}
    writing.write_xlsx(folder / "cameras.xlsx", "监控点位", {**rows, **places})

    writing.write_csv(folder / "defects.csv", _defect_columns(dirty.defects, crs), "utf-8")


def _lon_lat(points: NDArray[np.object_], crs: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    degrees = transform(points, crs, STORAGE_CRS)
    return shapely.get_x(degrees), shapely.get_y(degrees)


def _seven_places(degrees: NDArray[np.float64]) -> list[str]:
    return [f"{value:.7f}" for value in degrees]


def _defect_columns(defects: tuple[Defect, ...], crs: str) -> Mapping[str, list[object]]:
    lon, lat = _lon_lat(np.array([d.place for d in defects], dtype=object), crs)
    return {
        "id": [f"D{k:02d}" for k in range(1, len(defects) + 1)],
        "layer": [d.layer for d in defects],
        "kind": [d.kind for d in defects],
        "rule": [d.rule for d in defects],
        "fids": [" ".join(map(str, d.fids)) for d in defects],
        "codes": [" ".join(d.codes) for d in defects],
        "area_m2": [f"{d.area_m2:.4f}" for d in defects],
        "width_m": [f"{d.width_m:.4f}" for d in defects],
        "lon": [f"{value:.8f}" for value in lon],
        "lat": [f"{value:.8f}" for value in lat],
        "note": [d.note for d in defects],
    }
