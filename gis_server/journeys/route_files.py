"""Route a file of points: by a file of grids, without a database, or by the published boundaries of a date."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import shapely

from gis_server.core.access import Act, Actor
from gis_server.core.catalogue import Catalogue
from gis_server.core.columns import match_columns
from gis_server.core.datum import Datum, to_cgcs2000
from gis_server.core.errors import UnusableInput
from gis_server.core.features import RawTable
from gis_server.core.geometry import (
    LOCAL_CRS,
    STORAGE_CRS,
    Geometries,
    map_coordinates,
    mend,
    metric_or_utm,
    middle,
    transform,
)
from gis_server.core.message import Message, msg
from gis_server.core.routing import Floats, GridIndex, Routed, check_accuracy, check_position
from gis_server.files.read import read
from gis_server.files.rows import check_suffix, write_rows
from gis_server.journeys.boundaries import boundaries_at
from gis_server.journeys.context import Context

ACCURACY_COLUMN = "accuracy_m"
ADDED = ("grid_code", "sub_grid_code", "match", "distance_m", "candidates")

Progress = Callable[[int, int], None]
_BLOCK = 20_000


@dataclass(frozen=True, slots=True)
class How:
    """How the files are to be read; None where the file tells by itself.

    ``lon`` and ``lat`` name the coordinate columns of a list, ``accuracy`` the column with the 95 % radius in metres.
    """

    crs: str | None = None
    encoding: str | None = None
    datum: Datum | None = None
    lon: str | None = None
    lat: str | None = None
    accuracy: str | None = None
    code: str | None = None
    grids_crs: str | None = None


@dataclass(frozen=True, slots=True)
class RoutedFile:
    """What became of n points: how many came to which kind of answer, and the rows that are no place."""

    by_match: dict[str, int]
    problems: tuple[Message, ...]


def route_by_grid_file(
    catalogue: Catalogue, points: Path, grids: Path, out: Path, *, how: How, progress: Progress
) -> RoutedFile:
    """Route by a file of grids; on a local plane (``crs`` "local") both files are metres."""
    check_suffix(out)
    raw = _read_points(points, how)
    local = raw.source.crs == LOCAL_CRS
    given = how.grids_crs or (LOCAL_CRS if local else None)
    cells = read(grids, crs=given, encoding=how.encoding, datum=None)
    if (cells.source.crs == LOCAL_CRS) != local:
        raise UnusableInput(msg("点与网格要么都用平面坐标（--crs local），要么都有地理坐标系。"), field="crs")
    code = _code_column(catalogue, cells, how.code)
    shapes, _ = mend(cells.geometry)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    if not local:
        shapes = transform(shapes, cells.source.crs, STORAGE_CRS)
    codes = [str(value) for value in cells.columns[code][there].tolist()]
    centre = middle(shapes[there])
    index = GridIndex(codes, shapes[there], None if local or centre is None else metric_or_utm(*centre))
    return _route(raw, index, out, how, progress)


def route_by_store(
    ctx: Context, actor: Actor, points: Path, out: Path, *, how: How, at: datetime, progress: Progress
) -> RoutedFile:
    """Route by the grids and sub-grids in force at ``at``."""
    actor.require(Act.ROUTE)
    check_suffix(out)
    raw = _read_points(points, how)
    if raw.source.crs == LOCAL_CRS:
        raise UnusableInput(msg("平面坐标（--crs local）只能与 --grids 一起用。"), field="crs")
    with ctx.engine.connect() as conn:
        index = boundaries_at(conn, at).index
    return _route(raw, index, out, how, progress)


def _read_points(points: Path, how: How) -> RawTable:
    if (how.lon is None) != (how.lat is None):
        raise UnusableInput(msg("--lon 与 --lat 要一起给出。"), field="lon" if how.lon is None else "lat")
    xy = None if how.lon is None or how.lat is None else (how.lon, how.lat)
    return read(points, crs=how.crs, encoding=how.encoding, datum=how.datum, xy=xy)


def _code_column(catalogue: Catalogue, cells: RawTable, given: str | None) -> str:
    layer = catalogue["grid"]
    key_only = replace(layer, fields={layer.key: layer.fields[layer.key]})
    matched = match_columns(
        key_only,
        list(cells.columns),
        {} if given is None else {layer.key: given},
        cut_at=cells.cut_names_at,
        encoding=cells.source.encoding,
    )
    return matched.by_field[layer.key]


def _route(raw: RawTable, index: GridIndex, out: Path, how: How, progress: Progress) -> RoutedFile:
    places = _places(raw)
    accuracy = _accuracy(raw, how.accuracy)
    reasons = [
        _reason(place, None if np.isnan(radius) else float(radius), local=raw.source.crs == LOCAL_CRS)
        for place, radius in zip(places, accuracy, strict=True)
    ]
    usable = np.flatnonzero([reason is None for reason in reasons])
    if len(usable) == 0:
        raise UnusableInput(msg("{file} 中没有一个可用的点。", file=raw.source.file), field="points")
    lon, lat = shapely.get_x(places[usable]), shapely.get_y(places[usable])
    routed: list[Routed | None] = [None] * len(places)
    for start in range(0, len(usable), _BLOCK):
        part = slice(start, start + _BLOCK)
        answers = index.route_all(lon[part], lat[part], accuracy[usable[part]])
        for row, answer in zip(usable[part].tolist(), answers, strict=True):
            routed[row] = answer
        progress(min(start + _BLOCK, len(usable)), len(usable))
    write_rows(out, _columns(raw, routed), places)
    by_match: dict[str, int] = {}
    for found in routed:
        if found is not None:
            by_match[found.match] = by_match.get(found.match, 0) + 1
    unusable = [
        msg("第 {n} 行：{reason}", n=int(raw.rows[row]) + raw.first_row, reason=reason)
        for row, reason in enumerate(reasons)
        if reason is not None
    ]
    return RoutedFile(by_match, (*(problem.message for problem in raw.problems), *unusable))


def _places(raw: RawTable) -> Geometries:
    """True positions (CGCS2000 degrees, or metres on a local plane); None where a row has none."""
    shapes: Geometries = np.array(raw.geometry, dtype=object)
    kinds = shapely.get_type_id(shapes)
    single = (kinds == shapely.GeometryType.MULTIPOINT) & (shapely.get_num_geometries(shapes) == 1)
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    shapes[shapely.get_type_id(shapes) != shapely.GeometryType.POINT] = None
    if raw.source.crs == LOCAL_CRS:
        return shapes
    placed = transform(shapes, raw.source.crs, STORAGE_CRS)
    datum = raw.source.datum
    if datum is None or datum.is_true:
        return placed
    return map_coordinates(placed, lambda lon, lat: to_cgcs2000(lon, lat, datum))


def _reason(place: shapely.Point | None, accuracy_m: float | None, *, local: bool) -> Message | None:
    """Why a row cannot be routed; None if it can."""
    if place is None or place.is_empty:
        return msg("没有点位")
    try:
        check_position(place.x, place.y, degrees=not local)
        check_accuracy(accuracy_m)
    except UnusableInput as error:
        return error.message
    return None


def _accuracy(raw: RawTable, given: str | None) -> Floats:
    """The 95 % radius of each row in metres, NaN where none is stated."""
    name = given or ACCURACY_COLUMN
    if name not in raw.columns:
        if given is not None:
            known = "、".join(raw.columns)
            raise UnusableInput(
                msg(
                    "{file} 里没有列“{column}”；现有列：{known}。",
                    file=raw.source.file,
                    column=name,
                    known=known,
                ),
                field="accuracy",
            )
        return np.full(len(raw.rows), np.nan)
    return np.array([_radius(value) for value in raw.columns[name].tolist()], np.float64)


def _radius(value: object) -> float:
    try:
        return float("nan") if value is None or value == "" else float(str(value))
    except ValueError:
        return -1.0  # refused with its row, like any other radius that cannot be


def _columns(raw: RawTable, routed: list[Routed | None]) -> dict[str, list[object]]:
    taken = {name: f"{name}_1" for name in ADDED if name in raw.columns}  # a file that was routed before
    columns: dict[str, list[object]] = {
        taken.get(name, name): column.tolist() for name, column in raw.columns.items()
    }
    columns["grid_code"] = [r.grid_code if r else None for r in routed]
    columns["sub_grid_code"] = [r.sub_grid_code if r else None for r in routed]
    columns["match"] = [r.match.value if r else None for r in routed]
    columns["distance_m"] = [r.distance_m if r else None for r in routed]
    columns["candidates"] = [
        ";".join(f"{c.grid_code}:{c.share:.4f}" for c in r.candidates) or None if r else None for r in routed
    ]
    return columns
