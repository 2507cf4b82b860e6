import datetime as dt
import zipfile
from pathlib import Path

import geopandas
import numpy as np
import pytest
import shapely

from gis_server.core.catalogue import Catalogue, FieldType, Geometry, Layer
from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.features import FeatureTable, Source, fit
from gis_server.core.values import CHINA_STANDARD_TIME
from gis_server.files import catalogue as catalogue_files
from gis_server.files.read import read
from gis_server.files.write import EXPORTS, short_names, write

CATALOGUE = catalogue_files.load(Path(__file__).parent.parent / "layers")
READABLE = [suffix for suffix in EXPORTS if suffix != ".parquet"]


def value(kind: FieldType, row: int, choices: list[str]) -> object:
    if kind is FieldType.TEXT:
        return choices[row % len(choices)] if choices else f"{row}同江“镇”, 幸福路; {10**19 + row}号"
    return {
        FieldType.INTEGER: 300 + row,
        FieldType.NUMBER: 0.1 + row,
        FieldType.BOOLEAN: bool(row % 2),
        FieldType.DATE: dt.date(2026, 3, 1 + row),
        FieldType.TIMESTAMP: dt.datetime(2026, 3, 1, 8, 30, row, tzinfo=CHINA_STANDARD_TIME),
    }[kind]


def made_up(layer: Layer, rows: int = 4) -> FeatureTable:
    """Rows of every field type; the last row has nothing but what is required."""
    columns = {}
    for name, field in layer.fields.items():
        column = np.empty(rows, object)
        for row in range(rows):
            bare = row == rows - 1 and not field.required
            column[row] = None if bare else value(field.type, row, list(field.choices))
        columns[name] = column
    codes = ["230881001001001", "00000000001310000001", "99999999999999999999", "000000000000004"]
    columns[layer.key][:] = codes[:rows]
    lon = 119.4123456 + 0.001 * np.arange(rows)
    squares = [shapely.box(x, 32.2, x + 0.001, 32.201) for x in lon]
    shapes = {
        Geometry.POINT: list(shapely.points(lon, np.full(rows, 32.2012345))),
        Geometry.MULTI_LINE_STRING: [shapely.MultiLineString([s.exterior]) for s in squares],
        Geometry.MULTI_POLYGON: [shapely.MultiPolygon([s]) for s in squares],
    }[layer.geometry]
    geometry = np.empty(rows, object)
    geometry[:] = shapes
    source = Source("x", None, rows, "EPSG:4490", None, Datum.CGCS2000, "")
    return FeatureTable(layer.name, geometry, columns, np.arange(rows), source)


@pytest.mark.parametrize("suffix", READABLE)
@pytest.mark.parametrize("layer", CATALOGUE.layers.values(), ids=lambda layer: layer.name)
def test_reopening_an_export_gives_the_same_values(layer: Layer, suffix: str, tmp_path: Path) -> None:
    table = made_up(layer)
    path = tmp_path / f"{layer.name}{suffix}"
    write(path, layer, table)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    again = fit(layer, read(path, datum=Datum.CGCS2000, names=(layer.name,)))
    assert again.problems == ()
    assert again.source.encoding == "UTF-8"
    order = np.argsort([table.columns[layer.key].tolist().index(k) for k in again.columns[layer.key]])
    for name, column in table.columns.items():
        assert again.columns[name][order].tolist() == column.tolist(), name
    assert shapely.equals_exact(again.geometry[order], table.geometry, tolerance=1e-9, normalize=True).all()


def test_parquet_keeps_the_values(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    layer = CATALOGUE["grid"]
    table = made_up(layer)
    write(tmp_path / "grid.parquet", layer, table)
    frame = geopandas.read_parquet(tmp_path / "grid.parquet")
    assert frame.crs.to_epsg() == 4490
    assert frame["grid_code"].tolist() == table.columns["grid_code"].tolist()
    assert frame["resident_households"].dropna().tolist() == [300, 301, 302]


def test_timestamps_survive_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    layer = CATALOGUE["incident"]
    table = made_up(layer)
    write(tmp_path / "incident.parquet", layer, table)
    frame = geopandas.read_parquet(tmp_path / "incident.parquet")
    named = next(f.name for f in layer.fields.values() if f.type is FieldType.TIMESTAMP)
    assert frame[named][0].to_pydatetime() == table.columns[named][0]


def test_only_the_fields_of_the_table_are_written(tmp_path: Path) -> None:
    layer = CATALOGUE["grid"]
    table = made_up(layer)
    for name in ("resident_households", "managing_department"):
        del table.columns[name]
    write(tmp_path / "grid.gpkg", layer, table)
    assert "resident_households" not in read(tmp_path / "grid.gpkg").columns


def test_long_text_in_a_shapefile_is_cut_between_characters_and_told(tmp_path: Path) -> None:
    layer = CATALOGUE["grid"]
    table = made_up(layer)
    table.columns["grid_name"][0] = "a" + "网" * 100
    notes = write(tmp_path / "grid.shp.zip", layer, table)
    assert [str(n) for n in notes] == ["列“网格名称”有 1 个值超过 254 字节，已截短。"]
    again = fit(layer, read(tmp_path / "grid.shp.zip"))
    assert again.columns["grid_name"][0] == "a" + "网" * 84
    with zipfile.ZipFile(tmp_path / "grid.shp.zip") as archive:
        assert "resident_h\tresident_households\t常住户数" in archive.read("fields.txt").decode()


@pytest.mark.parametrize("layer", CATALOGUE.layers.values(), ids=lambda layer: layer.name)
def test_short_names_are_unique_ascii_and_short(layer: Layer) -> None:
    names = list(short_names(list(layer.fields.values())).values())
    assert len({n.upper() for n in names}) == len(names)
    assert all(n.isascii() and len(n) <= 10 for n in names)


def test_a_failed_export_leaves_the_old_file(tmp_path: Path) -> None:
    layer = CATALOGUE["grid"]
    path = tmp_path / "grid.gpkg"
    write(path, layer, made_up(layer))
    before = path.read_bytes()
    broken = made_up(layer)
    broken.columns["resident_households"][0] = "not a number"
    with pytest.raises(ValueError, match="invalid literal"):
        write(path, layer, broken)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["grid.gpkg"]


def test_refusals_name_the_formats_and_the_folder(tmp_path: Path) -> None:
    layer = CATALOGUE["grid"]
    with pytest.raises(UnusableInput, match=r"支持 \.gpkg、\.shp\.zip"):
        write(tmp_path / "grid.dwg", layer, made_up(layer))
    with pytest.raises(UnusableInput, match="不存在"):
        write(tmp_path / "nowhere" / "grid.gpkg", layer, made_up(layer))


def test_catalogue_covers_every_geometry_type() -> None:
    assert isinstance(CATALOGUE, Catalogue)
    assert {layer.geometry for layer in CATALOGUE.layers.values()} == set(Geometry)
