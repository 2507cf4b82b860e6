"""Route a file of points: by a file of grids, without a database, or by the published boundaries of a date."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import shapely

from gis_server.core.access import Act, Actor
from gis_server.core.catalogue import Catalogue, Layer
from gis_server.core.columns import match_columns
from gis_server.core.datum import Datum, to_cgcs2000
from gis_server.core.datum_guess import DatumGuess, guess_datum
from gis_server.core.errors import DatumRequired, UnusableInput
from gis_server.core.features import Column, RawTable
from gis_server.core.geometry import LOCAL_CRS, STORAGE_CRS, mend, metric_or_utm, middle, project, transform
from gis_server.core.message import Message, msg
from gis_server.core.routing import Floats, Geometries, GridIndex, Match
from gis_server.core.values import parse_column
from gis_server.files.read import read
from gis_server.files.rows import check_suffix, write_rows
from gis_server.journeys.boundaries import boundaries_at
from gis_server.journeys.context import Context

ACCURACY_COLUMN = "accuracy_m"
ADDED = ("grid_code", "sub_grid_code", "match", "distance_m", "candidates")

Progress = Callable[[int, int], None]
_BLOCK = 100_000


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
    """What became of n points: how many came to which kind of answer, and the rows that are no place.

    ``warning`` tells that the points seem to be in another datum than stated; ``notes`` what could not be used or kept.
    """

    by_match: dict[Match, int]
    problems: tuple[Message, ...]
    warning: Message | None = None
    notes: tuple[Message, ...] = ()


def route_by_grid_file(
    catalogue: Catalogue, points: Path, grids: Path, out: Path, *, how: How, progress: Progress
) -> RoutedFile:
    """Route by a file of grids; on a local plane (``crs`` "local") both files are metres.

    Sub-grids are taken from a layer of that name in the same file, where there is one.
    """
    check_suffix(out)
    local = how.crs is not None and how.crs.strip().lower() == LOCAL_CRS
    cells = _read_cells(catalogue["grid"], grids, how, local=local)
    index, notes = _index(
        catalogue, cells, _read_sub_grids(catalogue["sub_grid"], grids, cells, how), how.code
    )
    raw = _read_points(catalogue, points, how, index)
    if (cells.source.crs == LOCAL_CRS) != (raw.source.crs == LOCAL_CRS):
        raise UnusableInput(msg("点与网格要么都用平面坐标（--crs local），要么都有地理坐标系。"), field="crs")
    return _route(catalogue, raw, index, out, how=how, progress=progress, notes=notes)


def route_by_store(
    ctx: Context, actor: Actor, points: Path, out: Path, *, how: How, at: datetime, progress: Progress
) -> RoutedFile:
    """Route by the grids and sub-grids in force at ``at``."""
    actor.require(Act.ROUTE)
    check_suffix(out)
    with ctx.engine.connect() as conn:
        index = boundaries_at(conn, at).index
    raw = _read_points(ctx.catalogue, points, how, index)
    if raw.source.crs == LOCAL_CRS:
        raise UnusableInput(msg("平面坐标（--crs local）只能与 --grids 一起用。"), field="crs")
    return _route(ctx.catalogue, raw, index, out, how=how, progress=progress)


# --- grids ---


def _read_cells(layer: Layer, path: Path, how: How, *, local: bool) -> RawTable:
    given = how.grids_crs or (LOCAL_CRS if local else None)
    return read(path, crs=given, encoding=how.encoding, names=(layer.name, layer.title.zh, layer.title.en))


def _read_sub_grids(layer: Layer, path: Path, cells: RawTable, how: How) -> RawTable | None:
    """The sub-grids beside the grids in a file that can hold both; None where there are none."""
    if cells.source.layer is None or path.suffix.lower() not in (".gpkg", ".zip"):
        return None
    names = (layer.name, layer.title.zh, layer.title.en)
    try:
        found = read(path, crs=cells.source.crs, encoding=how.encoding, names=names)
    except UnusableInput:
        return None
    return None if found.source.layer == cells.source.layer else found


def _index(
    catalogue: Catalogue, cells: RawTable, sub_grids: RawTable | None, given: str | None
) -> tuple[GridIndex, tuple[Message, ...]]:
    """The grids that have a code and a shape, and what is to be said of the others."""
    layer = catalogue["grid"]
    key_only = replace(layer, fields={layer.key: layer.fields[layer.key]})
    matched = match_columns(
        key_only,
        list(cells.columns),
        {} if given is None else {layer.key: given},
        cut_at=cells.cut_names_at,
        encoding=cells.source.encoding,
    )
    codes = _texts(layer, layer.key, cells.columns[matched.by_field[layer.key]])
    shapes, polygonal = _polygons(cells)
    coded = np.array([code is not None for code in codes], dtype=bool)
    there = coded & polygonal
    if not there.any():
        raise UnusableInput(
            msg("{file} 里没有一个带编码的面，不能作为网格使用。", file=cells.source.file), field="grids"
        )
    notes = [
        msg(
            "{file} 第 {n} 行没有编码或不是面，未作为网格使用。",
            file=cells.source.file,
            n=int(row) + cells.first_row,
        )
        for row in cells.rows[~there]
    ]
    local = cells.source.crs == LOCAL_CRS
    centre = middle(shapes[there])
    sub_codes, sub_parents, sub_shapes = _sub_grids(catalogue["sub_grid"], sub_grids)
    index = GridIndex(
        [code for code, use in zip(codes, there, strict=True) if code is not None and use],
        shapes[there],
        None if local or centre is None else metric_or_utm(*centre),
        sub_codes=sub_codes,
        sub_parents=sub_parents,
        sub_geometries=sub_shapes,
    )
    return index, tuple(notes)


def _polygons(raw: RawTable) -> tuple[Geometries, np.ndarray]:
    """Valid shapes in CGCS2000 degrees (metres on a local plane), and which of them are polygons."""
    shapes, _ = mend(raw.geometry)
    if raw.source.crs != LOCAL_CRS:
        shapes = transform(shapes, raw.source.crs, STORAGE_CRS)
    polygonal = np.isin(shapely.get_type_id(shapes), (3, 6)) & ~shapely.is_empty(shapes)
    polygonal &= np.isfinite(shapely.bounds(shapes)).all(axis=1)
    return shapes, polygonal


def _sub_grids(layer: Layer, raw: RawTable | None) -> tuple[list[str], list[str], Geometries | None]:
    if raw is None:
        return [], [], None
    columns = _optional(layer, raw, ("sub_grid_code", "grid_code"))
    if len(columns) < 2:
        return [], [], None
    shapes, polygonal = _polygons(raw)
    rows = [
        (code, parent, row)
        for row, (code, parent) in enumerate(zip(columns["sub_grid_code"], columns["grid_code"], strict=True))
        if code is not None and parent is not None and polygonal[row]
    ]
    kept = np.array([row for _, _, row in rows], dtype=np.int64)
    return [code for code, _, _ in rows], [parent for _, parent, _ in rows], shapes[kept]


def _optional(layer: Layer, raw: RawTable, names: Sequence[str]) -> dict[str, list[str | None]]:
    """Those of the layer's fields that the file has a column of, as text."""
    wanted = replace(layer, fields={name: replace(layer.fields[name], required=False) for name in names})
    matched = match_columns(
        wanted, list(raw.columns), {}, cut_at=raw.cut_names_at, encoding=raw.source.encoding
    )
    return {name: _texts(layer, name, raw.columns[column]) for name, column in matched.by_field.items()}


def _texts(layer: Layer, name: str, column: Column) -> list[str | None]:
    texts: list[str | None] = parse_column(layer.fields[name], column).values.tolist()
    return texts


# --- points ---


def _read_points(catalogue: Catalogue, points: Path, how: How, index: GridIndex) -> RawTable:
    if (how.lon is None) != (how.lat is None):
        raise UnusableInput(msg("--lon 与 --lat 要一起给出。"), field="lon" if how.lon is None else "lat")
    xy = None if how.lon is None or how.lat is None else (how.lon, how.lat)
    try:
        return read(points, crs=how.crs, encoding=how.encoding, datum=how.datum, xy=xy)
    except DatumRequired as error:
        as_written = read(points, crs=how.crs, encoding=how.encoding, datum=Datum.WGS84, xy=xy)
        guess = _guess(catalogue, as_written, index)
        if guess is None or guess.best is None:
            raise
        raise DatumRequired(
            msg(
                "{problem}按已知网格的 {n} 个点核对，应是 {best}（{share}% 落在所记网格内）。",
                problem=error.message,
                n=guess.points,
                best=guess.best.value,
                share=round(guess.shares[guess.best] * 100),
            ),
            field="datum",
        ) from None


def _guess(catalogue: Catalogue, raw: RawTable, index: GridIndex) -> DatumGuess | None:
    """Which datum the points are in, by a column that names their grids; None where there is no such column."""
    if raw.source.crs == LOCAL_CRS or set(ADDED) <= set(
        raw.columns
    ):  # routed before: our own answers prove nothing
        return None
    known = _optional(catalogue["address"], raw, ("grid_code",))
    if not known:
        return None
    return guess_datum(*_as_written(raw), known["grid_code"], index)


def _as_written(raw: RawTable) -> tuple[Floats, Floats]:
    """Longitude and latitude (metres on a local plane) before any datum is taken off; NaN where there is no point."""
    shapes: Geometries = np.array(raw.geometry, dtype=object)
    kinds = shapely.get_type_id(shapes)
    single = (kinds == shapely.GeometryType.MULTIPOINT) & (shapely.get_num_geometries(shapes) == 1)
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    shapes[np.isin(raw.rows, [problem.row for problem in raw.problems if problem.rejected])] = None
    shapes[shapely.get_type_id(shapes) != shapely.GeometryType.POINT] = None
    x: Floats = shapely.get_x(shapes)
    y: Floats = shapely.get_y(shapes)
    if raw.source.crs == LOCAL_CRS:
        return x, y
    lon, lat = project(x, y, raw.source.crs, STORAGE_CRS)
    return np.where(np.isnan(x), np.nan, lon), np.where(np.isnan(y), np.nan, lat)


def _route(
    catalogue: Catalogue,
    raw: RawTable,
    index: GridIndex,
    out: Path,
    *,
    how: How,
    progress: Progress,
    notes: tuple[Message, ...] = (),
) -> RoutedFile:
    x, y = _as_written(raw)
    guess = _guess(catalogue, raw, index)
    if raw.source.datum is not None:
        x, y = to_cgcs2000(x, y, raw.source.datum)
    accuracy = _accuracy(raw, how.accuracy)
    answers = _Answers()
    for start in range(0, len(x), _BLOCK):
        part = slice(start, start + _BLOCK)
        answers.add(index, x[part], y[part], accuracy[part], start)
        progress(min(start + _BLOCK, len(x)), len(x))
    if len(answers.reasons) == len(x):
        first = next((p.message for p in raw.problems), None) or next(iter(answers.reasons.values()), None)
        raise UnusableInput(
            msg("{file} 中没有一个可用的点。{problem}", file=raw.source.file, problem=first or ""),
            field="points",
        )
    lost = write_rows(out, _columns(raw, answers), x, y, None if raw.source.crs == LOCAL_CRS else STORAGE_CRS)
    told = {problem.row for problem in raw.problems}
    unusable = [
        msg("第 {n} 行：{reason}", n=int(raw.rows[row]) + raw.first_row, reason=reason)
        for row, reason in answers.reasons.items()
        if int(raw.rows[row]) not in told
    ]
    by_match = {match: answers.matches.count(match) for match in Match}
    problems = (*(problem.message for problem in raw.problems), *unusable)
    return RoutedFile(by_match, problems, _warning(raw, guess), (*notes, *raw.notes, *lost))


class _Answers:
    """The columns of the answer, block by block."""

    def __init__(self) -> None:
        self.grid_codes: list[str | None] = []
        self.sub_grid_codes: list[str | None] = []
        self.matches: list[Match | None] = []
        self.distances: list[Floats] = []
        self.candidates: dict[int, str] = {}
        self.reasons: dict[int, Message] = {}

    def add(self, index: GridIndex, x: Floats, y: Floats, accuracy_m: Floats, start: int) -> None:
        found = index.route_all(x, y, accuracy_m)
        self.grid_codes += found.grid_codes()
        self.sub_grid_codes += found.sub_grid_codes()
        self.matches += found.matches()
        self.distances.append(found.distance_m)
        codes = index.cover.codes
        texts = [
            f"{codes[rank]}:{share:.4f}"
            for rank, share in zip(
                found.candidates.ranks.tolist(), found.candidates.shares.tolist(), strict=True
            )
        ]
        for point, named in zip(found.candidates.points.tolist(), texts, strict=True):
            before = self.candidates.get(start + point)
            self.candidates[start + point] = named if before is None else f"{before};{named}"
        self.reasons |= {
            start + point: msg("没有点位。") if np.isnan(x[point]) or np.isnan(y[point]) else reason
            for point, reason in found.problems.items()
        }


def _columns(raw: RawTable, answers: _Answers) -> dict[str, Column]:
    taken = {name: f"{name}_1" for name in ADDED if name in raw.columns}  # a file that was routed before
    columns = {taken.get(name, name): column for name, column in raw.columns.items()}
    columns["grid_code"] = _objects(answers.grid_codes)
    columns["sub_grid_code"] = _objects(answers.sub_grid_codes)
    columns["match"] = _objects([None if match is None else match.value for match in answers.matches])
    columns["distance_m"] = np.concatenate(answers.distances)
    columns["candidates"] = _objects([answers.candidates.get(point) for point in range(len(answers.matches))])
    return columns


def _objects(values: Sequence[object]) -> Geometries:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _accuracy(raw: RawTable, given: str | None) -> Floats:
    """The 95 % radius of each row in metres, NaN where none is stated."""
    name = given or ACCURACY_COLUMN
    if name not in raw.columns:
        if given is not None:
            raise UnusableInput(
                msg(
                    "{file} 里没有列“{column}”；现有列：{known}。",
                    file=raw.source.file,
                    column=name,
                    known=tuple(raw.columns),
                ),
                field="accuracy",
            )
        return np.full(len(raw.rows), np.nan)
    column = raw.columns[name]
    if column.dtype.kind in "iuf":
        return column.astype(np.float64)
    return np.array([_radius(value) for value in column.tolist()], np.float64)


def _radius(value: object) -> float:
    if value is None or value == "":
        return float("nan")
    try:
        radius = float(str(value))
    except ValueError:
        return -1.0  # refused with its row, like any other radius that cannot be
    return -1.0 if np.isnan(radius) else radius


def _warning(raw: RawTable, guess: DatumGuess | None) -> Message | None:
    stated = raw.source.datum
    if guess is None or guess.best is None or stated is None or not guess.contradicts(stated):
        return None
    as_stated = guess.shares[Datum.WGS84 if stated.is_true else stated]
    return msg(
        "注意：按已知网格的 {n} 个点核对，按 {stated} 只有 {low}% 落在所记网格内，按 {best} 有 {high}%；"
        "这些点应是 {best}，请核对 --datum。",
        n=guess.points,
        stated=stated.value,
        low=round(as_stated * 100),
        best=guess.best.value,
        high=round(guess.shares[guess.best] * 100),
    )
