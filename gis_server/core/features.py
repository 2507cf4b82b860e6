"""Tables of features: as a file has them (RawTable), and fitted to a layer of the catalogue (FeatureTable)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.catalogue import Field, Geometry, Layer, LayerKind
from gis_server.core.columns import match_columns
from gis_server.core.datum import Datum, to_cgcs2000
from gis_server.core.errors import UnknownCrs, UnusableInput
from gis_server.core.geometry import (
    LOCAL_CRS,
    STORAGE_CRS,
    Geometries,
    map_coordinates,
    mend,
    transform,
)
from gis_server.core.message import Message, msg
from gis_server.core.values import parse_column

Column = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table came from: kept with the generation for audit."""

    file: str  # name without folders
    layer: str | None  # layer, sheet or archive member inside the file
    features: int  # rows in the file, rejected ones included
    crs: str  # "EPSG:n", WKT or "local"
    encoding: str | None  # of the text, as decided by the reader
    datum: Datum | None  # of points
    sha256: str  # of the file as given, hex


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row of the file; the message names the row as a person counts it."""

    row: int  # 0-based row number in the file
    field: str | None  # field of the layer
    message: Message
    rejected: bool  # the row is left out; else it was mended, or a value was left empty


class Duplicates(StrEnum):
    """What to do with a second row of the same key."""

    KEEP = "keep"  # the coverage check reports them
    REJECT = "reject"  # the first stays


@dataclass(frozen=True, slots=True)
class RawTable:
    """Features as the file has them."""

    geometry: NDArray[np.object_]  # shapely or None, two-dimensional, in ``source.crs``
    columns: Mapping[str, Column]  # by source name; text columns are object arrays of str or None
    rows: NDArray[np.int64]  # 0-based row numbers in the file
    source: Source
    first_row: int = 1  # the number that a person sees beside row 0 (2 under a header line)
    cut_names_at: int | None = None  # bytes at which the format cuts column names (10 in dBASE)
    coordinate_columns: tuple[str, ...] = ()  # columns of a list that the geometry was made of
    problems: tuple[RowProblem, ...] = ()  # rows that the reader could not use
    notes: tuple[Message, ...] = ()  # about the file as a whole: Z dropped, names mended


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features of one layer of the catalogue, ready to be checked and staged."""

    layer: str
    geometry: NDArray[np.object_]  # shapely, EPSG:4490 longitude/latitude, of the layer's type
    columns: dict[str, NDArray[np.object_]]  # by field: str, int, float, bool, date, aware datetime, or None
    rows: NDArray[np.int64]  # 0-based row numbers in the file
    source: Source
    problems: tuple[RowProblem, ...] = ()
    notes: tuple[Message, ...] = ()
    unused: tuple[str, ...] = ()  # source columns that mean nothing to the layer
    first_row: int = 1  # as in RawTable


def fit(
    layer: Layer,
    raw: RawTable,
    mapping: Mapping[str, str] | None = None,
    *,
    duplicates: Duplicates | None = None,
) -> FeatureTable:
    """Fit a raw table to a layer: columns found, values read, geometry mended and brought to EPSG:4490.

    ``mapping`` is field → source column and goes before the aliases. A row without a usable geometry, key or required
    value is left out and listed in ``problems``; an unreadable optional value is left empty and listed. Second rows
    of a key are left out, except in a boundary layer, where the check of the coverage reports both.

    Raises UnusableInput when a required column is missing altogether, when every row is of another geometry type
    than the layer, or when no row is left; UnknownCrs where the CRS has no safe path to CGCS2000.
    """
    if not len(raw.rows):
        raise UnusableInput(msg("{file} 里没有任何要素。", file=raw.source.file))
    matched = match_columns(
        layer,
        tuple(raw.columns),
        mapping or {},
        cut_at=raw.cut_names_at,
        encoding=raw.source.encoding,
    )
    log = _Log(raw)
    geometry = _placed(_shaped(layer, raw, log), raw, log)
    columns: dict[str, NDArray[np.object_]] = {}
    for name, field in layer.fields.items():
        if name in matched.by_field:
            columns[name] = _read_values(field, raw.columns[matched.by_field[name]], log)
        else:
            columns[name] = np.full(len(raw.rows), None, object)
    if duplicates is None:
        duplicates = Duplicates.KEEP if layer.kind is LayerKind.BOUNDARY else Duplicates.REJECT
    if duplicates is Duplicates.REJECT:
        _reject_duplicates(layer.fields[layer.key], columns[layer.key], log)

    problems = (*raw.problems, *log.problems)
    keep = ~log.rejected
    if not keep.any():
        first = next(p for p in problems if p.rejected)
        raise UnusableInput(
            msg("{file} 里没有一行可以使用。{problem}", file=raw.source.file, problem=first.message),
            field=first.field,
        )
    return FeatureTable(
        layer=layer.name,
        geometry=geometry[keep],
        columns={name: values[keep] for name, values in columns.items()},
        rows=raw.rows[keep],
        source=raw.source,
        problems=tuple(sorted(problems, key=lambda p: p.row)),
        notes=raw.notes,
        unused=tuple(c for c in matched.unused if c not in raw.coordinate_columns),
        first_row=raw.first_row,
    )


class _Log:
    """Problems by position in the table, and which positions are left out."""

    def __init__(self, raw: RawTable) -> None:
        self.raw = raw
        self.problems: list[RowProblem] = []
        unread = [p.row for p in raw.problems if p.rejected]
        self.rejected = np.isin(raw.rows, unread)

    def number(self, index: int) -> int:
        """The row number that a person sees."""
        return int(self.raw.rows[index]) + self.raw.first_row

    def say(self, index: int, field: Field | None, problem: Message, *, reject: bool) -> None:
        row = self.number(index)
        if field is None:
            message = msg("第 {n} 行：{problem}。", n=row, problem=problem)
        else:
            message = msg("第 {n} 行：{field}：{problem}。", n=row, field=field.title, problem=problem)
        self.problems.append(
            RowProblem(int(self.raw.rows[index]), field.name if field else None, message, reject)
        )
        self.rejected[index] |= reject


def _read_values(field: Field, column: Column, log: _Log) -> NDArray[np.object_]:
    parsed = parse_column(field, column)
    for index, problem in parsed.bad:
        log.say(index, field, problem, reject=field.required)
    if field.required:
        told = {index for index, _ in parsed.bad}
        empty = [i for i, value in enumerate(parsed.values.tolist()) if value is None and i not in told]
        for i in empty:
            log.say(i, field, msg("必填，但没有值"), reject=True)
    return parsed.values


def _reject_duplicates(key: Field, values: NDArray[np.object_], log: _Log) -> None:
    listed = values.tolist()
    if len(set(listed)) == len(listed):
        return
    first: dict[object, int] = {}
    for index, value in enumerate(listed):
        if value is None or log.rejected[index]:
            continue
        earlier = first.setdefault(value, index)
        if earlier != index:
            problem = msg("{value} 与第 {first} 行重复", value=value, first=log.number(earlier))
            log.say(index, key, problem, reject=True)


def _shaped(layer: Layer, raw: RawTable, log: _Log) -> Geometries:
    """Geometry of the layer's type, valid, still in the source CRS; None where there is none."""
    shapes: Geometries = np.array(raw.geometry, object)
    coordinates, owners = shapely.get_coordinates(shapes, return_index=True)
    for index in np.unique(owners[~np.isfinite(coordinates).all(axis=1)]):
        log.say(int(index), None, msg("坐标不是数"), reject=True)
        shapes[index] = None
    for index in np.flatnonzero(shapely.is_missing(shapes) | shapely.is_empty(shapes)):
        if not log.rejected[index]:
            log.say(int(index), None, msg("没有图形"), reject=True)
        shapes[index] = None

    if layer.geometry is Geometry.MULTI_POLYGON:
        shapes, reasons = mend(shapes)
        for index, reason in reasons:
            gone = bool(shapely.is_empty(shapes[index]))
            why = _explain(reason)
            if gone:
                log.say(index, None, msg("图形无效（{reason}），没有面积", reason=why), reject=True)
                shapes[index] = None
            else:
                log.say(index, None, msg("图形无效（{reason}），已修复", reason=why), reject=False)
    shapes, foreign = _ADAPT[layer.geometry](shapes)
    if len(foreign) and len(foreign) == (~shapely.is_missing(shapes)).sum():
        raise UnusableInput(
            msg(
                "{file} 里是{found}，而图层“{layer}”需要{wanted}。",
                file=raw.source.file,
                found=_TYPE_NAMES[int(shapely.get_type_id(shapes[foreign[0]]))],
                layer=layer.title,
                wanted=_LAYER_TYPE_NAMES[layer.geometry],
            )
        )
    for index in foreign:
        found = _TYPE_NAMES[int(shapely.get_type_id(shapes[index]))]
        wanted = _LAYER_TYPE_NAMES[layer.geometry]
        log.say(int(index), None, msg("图形是{found}，应为{wanted}", found=found, wanted=wanted), reject=True)
        shapes[index] = None
    return shapes


def _placed(shapes: Geometries, raw: RawTable, log: _Log) -> Geometries:
    """Geometry in EPSG:4490; what falls out of the map or, alone of its table, out of China is rejected."""
    source = raw.source
    if source.crs == LOCAL_CRS:
        raise UnknownCrs(msg("平面坐标（--crs local）没有地理位置，不能作为图层入库。"))
    placed = transform(shapes, source.crs, STORAGE_CRS)
    if source.datum is not None and not source.datum.is_true:
        datum = source.datum
        placed = map_coordinates(placed, lambda lon, lat: to_cgcs2000(lon, lat, datum))
    bounds = shapely.bounds(placed)
    there = ~shapely.is_missing(placed)
    on_earth = (bounds[:, 0] >= -180) & (bounds[:, 1] >= -90) & (bounds[:, 2] <= 180) & (bounds[:, 3] <= 90)
    in_china = (bounds[:, 0] >= 73) & (bounds[:, 1] >= 3) & (bounds[:, 2] <= 136) & (bounds[:, 3] <= 54)
    # data of another country are no mistake; a few rows that left China are: swapped axes, 0/0, a lost digit
    stray = there & ~(in_china if 2 * in_china.sum() >= there.sum() else on_earth)
    for index in np.flatnonzero(stray):
        x, y = (f"{v:.10g}" for v in shapely.get_coordinates(shapes[index])[0])
        log.say(int(index), None, msg("坐标（{x}，{y}）不在中国范围内", x=x, y=y), reject=True)
        placed[index] = None
    return placed


def _as_points(shapes: Geometries) -> tuple[Geometries, NDArray[np.intp]]:
    single = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT) & (
        shapely.get_num_geometries(shapes) == 1
    )
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    kinds = shapely.get_type_id(shapes)
    return shapes, np.flatnonzero((kinds != shapely.GeometryType.POINT) & (kinds >= 0))


def _as_multi_lines(shapes: Geometries) -> tuple[Geometries, NDArray[np.intp]]:
    kinds = shapely.get_type_id(shapes)
    single = kinds == shapely.GeometryType.LINESTRING
    shapes[single] = shapely.multilinestrings(shapes[single], indices=np.arange(single.sum()))
    foreign = (kinds >= 0) & ~single & (kinds != shapely.GeometryType.MULTILINESTRING)
    return shapes, np.flatnonzero(foreign)


def _as_multi_polygons(shapes: Geometries) -> tuple[Geometries, NDArray[np.intp]]:
    kinds = shapely.get_type_id(shapes)
    for index in np.flatnonzero(kinds == shapely.GeometryType.GEOMETRYCOLLECTION):
        parts = shapely.get_parts(shapely.get_parts(shapes[index]))
        if len(parts) and (shapely.get_type_id(parts) == shapely.GeometryType.POLYGON).all():
            shapes[index] = shapely.multipolygons(parts)
    kinds = shapely.get_type_id(shapes)
    single = kinds == shapely.GeometryType.POLYGON
    shapes[single] = shapely.multipolygons(shapes[single], indices=np.arange(single.sum()))
    foreign = (kinds >= 0) & ~single & (kinds != shapely.GeometryType.MULTIPOLYGON)
    return shapes, np.flatnonzero(foreign)


_ADAPT = {
    Geometry.POINT: _as_points,
    Geometry.MULTI_LINE_STRING: _as_multi_lines,
    Geometry.MULTI_POLYGON: _as_multi_polygons,
}
_LAYER_TYPE_NAMES = {
    Geometry.POINT: msg("点"),
    Geometry.MULTI_LINE_STRING: msg("线"),
    Geometry.MULTI_POLYGON: msg("面"),
}
_TYPE_NAMES = {
    0: msg("点"),
    1: msg("线"),
    2: msg("线"),
    3: msg("面"),
    4: msg("多点"),
    5: msg("线"),
    6: msg("面"),
    7: msg("混合图形"),
}
_REASONS = {
    "Self-intersection": msg("自相交"),
    "Ring Self-intersection": msg("边界自相接"),
    "Hole lies outside shell": msg("孔在外环之外"),
    "Holes are nested": msg("孔相互嵌套"),
    "Nested shells": msg("外环相互嵌套"),
    "Interior is disconnected": msg("内部不连通"),
    "Duplicate Rings": msg("重复的环"),
    "Too few points in geometry component": msg("环的点太少"),
    "Invalid Coordinate": msg("坐标无效"),
    "Ring is not closed": msg("环未闭合"),
}


def _explain(reason: str) -> Message:
    """GEOS's ``reason[x y]`` as a phrase."""
    word, _, place = reason.partition("[")
    named = _REASONS.get(word.strip(), word.strip())
    return msg("{reason}，在 {place}", reason=named, place=place.rstrip("]") or "?")
