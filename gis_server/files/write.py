"""Tables of a layer as files: GeoPackage, zipped shapefile, GeoJSON, FlatGeobuf, CSV and GeoParquet.

A file appears whole or not at all: it is written beside its place under another name and then moved there.
"""

import csv
import datetime as dt
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.catalogue import Field, FieldType, Geometry, Layer
from gis_server.core.errors import UnusableInput
from gis_server.core.features import FeatureTable
from gis_server.core.geometry import STORAGE_CRS
from gis_server.core.message import Message, msg
from gis_server.files.dbf import NAME_BYTES
from gis_server.files.gdal import pyogrio

_DBF_TEXT_BYTES = 254
_UTC_OFFSET = 100  # GDAL's flag for UTC; each quarter of an hour is one more


def write(path: Path, layer: Layer, table: FeatureTable) -> tuple[Message, ...]:
    """Write the fields that ``table`` has, in catalogue order, in the format that the suffix of ``path`` names.

    Coordinates are EPSG:4490, in GeoJSON longitude/latitude of WGS 84 as RFC 7946 has it (the same numbers). Returns
    what the format could not keep. An existing file is replaced. Raises UnusableInput for an unknown suffix and for a
    folder that does not exist.
    """
    suffix = next((s for s in _WRITERS if path.name.lower().endswith(s)), None)
    if suffix is None:
        raise UnusableInput(
            msg("不能导出为 {file}；支持 {known}。", file=path.name, known=tuple(_WRITERS)),
            field="output",
        )
    if not path.parent.is_dir():
        raise UnusableInput(msg("文件夹 {folder} 不存在。", folder=str(path.parent)), field="output")
    with TemporaryDirectory(prefix=".gis-server-", dir=path.parent) as folder:
        unfinished = Path(folder) / f"{layer.name}{suffix}"
        notes = _WRITERS[suffix](unfinished, layer, table)
        unfinished.replace(path)
    return notes


def _fields(layer: Layer, table: FeatureTable) -> list[Field]:
    return [field for name, field in layer.fields.items() if name in table.columns]


@dataclass(frozen=True, slots=True)
class _Typed:
    """A column as GDAL wants it: values, and which of them are missing (None where the values say it)."""

    values: NDArray[np.generic]
    missing: NDArray[np.bool_] | None


def _typed(kind: FieldType, column: NDArray[np.object_]) -> _Typed:
    values = column.tolist()
    missing = np.array([v is None for v in values], bool)
    if kind is FieldType.INTEGER:
        return _Typed(np.array([0 if v is None else v for v in values], np.int64), missing)
    if kind is FieldType.NUMBER:
        return _Typed(np.array([np.nan if v is None else v for v in values], np.float64), None)
    if kind is FieldType.BOOLEAN:
        return _Typed(np.array([bool(v) for v in values], bool), missing)
    if kind is FieldType.DATE:
        return _Typed(np.array(values, "datetime64[D]"), None)
    if kind is FieldType.TIMESTAMP:
        utc = [None if v is None else v.astimezone(dt.UTC).replace(tzinfo=None) for v in values]
        return _Typed(np.array(utc, "datetime64[ms]"), None)
    return _Typed(column, None)


def _write_with_gdal(
    path: Path,
    layer: Layer,
    table: FeatureTable,
    *,
    driver: str,
    crs: str = STORAGE_CRS,
    options: Mapping[str, str] | None = None,
) -> None:
    fields = _fields(layer, table)
    typed = [_typed(field.type, table.columns[field.name]) for field in fields]
    pyogrio.raw.write(
        path,
        geometry=shapely.to_wkb(table.geometry),
        field_data=[column.values for column in typed],
        field_mask=[column.missing for column in typed],
        fields=[field.name for field in fields],
        gdal_tz_offsets={
            field.name: np.full(len(table.geometry), _UTC_OFFSET)
            for field in fields
            if field.type is FieldType.TIMESTAMP
        },
        layer=layer.name,
        driver=driver,
        geometry_type=layer.geometry.value,
        crs=crs,
        layer_options=dict(options or {}),
    )


def _geopackage(path: Path, layer: Layer, table: FeatureTable) -> tuple[Message, ...]:
    options = {"IDENTIFIER": layer.title.zh, "DESCRIPTION": layer.title.en}
    _write_with_gdal(path, layer, table, driver="GPKG", options=options)
    return ()


def _flatgeobuf(path: Path, layer: Layer, table: FeatureTable) -> tuple[Message, ...]:
    _write_with_gdal(path, layer, table, driver="FlatGeobuf")
    return ()


def _geojson(path: Path, layer: Layer, table: FeatureTable) -> tuple[Message, ...]:
    # nine decimals of a degree are a tenth of a millimetre
    _write_with_gdal(
        path, layer, table, driver="GeoJSON", crs="EPSG:4326", options={"COORDINATE_PRECISION": "9"}
    )
    return ()


def _shapefile(path: Path, layer: Layer, table: FeatureTable) -> tuple[Message, ...]:
    fields = _fields(layer, table)
    short = short_names(fields)
    columns: list[NDArray[np.generic]] = []
    missing: list[NDArray[np.bool_] | None] = []
    notes: list[Message] = []
    for field in fields:
        column = table.columns[field.name]
        if field.type in (FieldType.TEXT, FieldType.TIMESTAMP, FieldType.BOOLEAN):  # dBASE has no time of day
            texts, cut = _texts_that_fit(column)
            if cut:
                notes.append(
                    msg("列“{field}”有 {count} 个值超过 254 字节，已截短。", field=field.title.zh, count=cut)
                )
            columns.append(texts)
            missing.append(None)
        else:
            typed = _typed(field.type, column)
            columns.append(typed.values)
            missing.append(typed.missing)
    folder = path.parent / "parts"
    folder.mkdir()
    pyogrio.raw.write(
        folder / f"{layer.name}.shp",
        geometry=shapely.to_wkb(table.geometry),
        field_data=columns,
        field_mask=missing,
        fields=[short[field.name] for field in fields],
        driver="ESRI Shapefile",
        geometry_type=_SHAPE_TYPES[layer.geometry],
        crs=STORAGE_CRS,
        encoding="UTF-8",
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in sorted(folder.iterdir()):
            archive.write(part, part.name)
        archive.writestr("fields.txt", _explain(fields, short, notes))
    return tuple(notes)


def short_names(fields: Sequence[Field]) -> dict[str, str]:
    """An ASCII name of at most ten bytes for each field, unlike all others and readable again by our own import.

    The name cut at ten bytes, where it begins no other field's name; else an alias that is short enough; else the
    beginning with a number.
    """
    short: dict[str, str] = {}
    for field in fields:
        cut = field.name[:NAME_BYTES]
        others = [f for f in fields if f is not field]
        candidates = [] if any(f.name.startswith(cut) for f in others) else [cut]
        candidates += [a for a in field.aliases if a.isascii() and len(a) <= NAME_BYTES]
        candidates += [f"{field.name[: NAME_BYTES - 3]}_{n}" for n in range(1, 100)]
        taken = {name.upper() for name in short.values()}
        short[field.name] = next(name for name in candidates if name.upper() not in taken)
    return short


def _texts_that_fit(column: NDArray[np.object_]) -> tuple[NDArray[np.object_], int]:
    """Text of at most 254 bytes of UTF-8, cut between characters, and how many values were cut."""
    texts = np.empty(len(column), object)
    cut = 0
    for i, value in enumerate(column.tolist()):
        text = _as_text(value)
        encoded = text.encode() if text is not None else b""
        if len(encoded) > _DBF_TEXT_BYTES:
            text = encoded[:_DBF_TEXT_BYTES].decode("utf-8", "ignore")
            cut += 1
        texts[i] = text
    return texts, cut


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _explain(fields: Sequence[Field], short: Mapping[str, str], notes: Sequence[Message]) -> str:
    """The note beside a shapefile: what the cut names mean."""
    lines = [f"{short[f.name]}\t{f.name}\t{f.title.zh}\t{f.title.en}" for f in fields]
    return "\r\n".join([*lines, "", *(str(note) for note in notes)])


def _csv(path: Path, layer: Layer, table: FeatureTable) -> tuple[Message, ...]:
    """UTF-8 with a byte-order mark, without which spreadsheets show Chinese as mojibake."""
    fields = _fields(layer, table)
    columns = [[_as_text(v) or "" for v in table.columns[f.name].tolist()] for f in fields]
    if layer.geometry is Geometry.POINT:
        place = ["lon", "lat"]
        shapes = [[repr(v) for v in get(table.geometry).tolist()] for get in (shapely.get_x, shapely.get_y)]
    else:
        place = ["wkt"]
        shapes = [shapely.to_wkt(table.geometry, rounding_precision=-1).tolist()]
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file)
        lines.writerow([*(f.name for f in fields), *place])
        lines.writerows(zip(*columns, *shapes, strict=True))
    return ()


def _parquet(path: Path, layer: Layer, table: FeatureTable) -> tuple[Message, ...]:
    import geopandas  # noqa: PLC0415  (with pandas and pyarrow behind it, for this one format)

    data: dict[str, NDArray[np.generic]] = {}
    for field in _fields(layer, table):
        typed = _typed(field.type, table.columns[field.name])
        if field.type in (FieldType.INTEGER, FieldType.BOOLEAN, FieldType.DATE):
            data[field.name] = table.columns[field.name]  # as objects, so that a missing value stays missing
        else:
            data[field.name] = typed.values
    frame = geopandas.GeoDataFrame(data, geometry=table.geometry, crs=STORAGE_CRS)
    for field in _fields(layer, table):
        if field.type is FieldType.TIMESTAMP:
            frame[field.name] = frame[field.name].dt.tz_localize("UTC")
    frame.to_parquet(path, index=False)
    return ()


_SHAPE_TYPES = {
    Geometry.POINT: "Point",
    Geometry.MULTI_LINE_STRING: "LineString",
    Geometry.MULTI_POLYGON: "Polygon",
}

_WRITERS: Mapping[str, Callable[[Path, Layer, FeatureTable], tuple[Message, ...]]] = {
    ".gpkg": _geopackage,
    ".shp.zip": _shapefile,
    ".geojson": _geojson,
    ".fgb": _flatgeobuf,
    ".csv": _csv,
    ".parquet": _parquet,
}

EXPORTS = tuple(_WRITERS)
"""Suffixes that can be written."""
