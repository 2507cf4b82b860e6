"""Lists with coordinates: CSV and XLSX, every cell as text so that codes stay what was written."""

import csv
import datetime as dt
import io
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import shapely
from numpy.typing import NDArray
from openpyxl.utils.exceptions import InvalidFileException

from gis_server.core.errors import UnusableInput
from gis_server.core.features import RowProblem
from gis_server.core.geometry import Geometries
from gis_server.core.message import Message, msg
from gis_server.core.values import EXACT_DIGITS, plain, ruined_number
from gis_server.files.archive import check_archive, open_archive
from gis_server.files.encoding import UTF8, decode_text
from gis_server.files.loaded import Loaded, Progress, text_column
from gis_server.files.vector import choose

_LON = (
    "lon",
    "lng",
    "long",
    "longitude",
    "经度",
    "东经",
    "jd",
    "lon_x",
    "x",
    "x坐标",
    "东坐标",
    "横坐标",
    "经度x",
)
_LAT = ("lat", "latitude", "纬度", "北纬", "wd", "lat_y", "y", "y坐标", "北坐标", "纵坐标", "纬度y")
_WKT = ("wkt", "geometry", "geom", "the_geom", "wkt_geom")
_AFTER_NAME = re.compile(r"\s*[（(].*$|_(wgs84|cgcs2000|gcj02|bd09)$")
_DELIMITERS = ",\t;|，"
_HEADER_WITHIN = 20
_PROGRESS_EVERY = 5_000
_BLOCK = 500
_MERGES_UP_TO = 8 * 2**20  # bytes: larger sheets come from machines, and are streamed

Row = Sequence[str]


def read_csv(path: Path, encoding: str | None, *, xy: tuple[str, str] | None) -> Loaded:
    """Read a CSV (comma, semicolon, tab or bar; UTF-8, GB18030 or UTF-16 with BOM) with lon/lat, x/y or WKT columns."""
    text, chosen = decode_text(path.read_bytes(), encoding, where=path.name)
    if "\0" in text:
        raise UnusableInput(msg("{file} 不是文本文件。", file=path.name))
    loaded = _from_rows(csv_rows(text, path.name), path.name, xy)
    loaded.encoding = chosen
    return loaded


def csv_rows(text: str, file: str) -> Iterator[Row]:
    """The rows of a text whose separator is the one that its first lines agree on."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text))
    try:
        yield from lines
    except csv.Error:
        raise UnusableInput(
            msg("{file} 第 {line} 行的引号或单元格不合规则，无法拆分成列。", file=file, line=lines.line_num)
        ) from None


def _delimiter(text: str) -> str:
    """The separator that splits the first lines into the most columns, evenly."""
    head = text[:20_000].split("\n")[:_HEADER_WITHIN]
    head = head[:-1] if len(head) > 1 else head  # the last one may be cut

    def score(delimiter: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(head, delimiter=delimiter) if row]
        return (min(widths, default=0), max(widths, default=0))

    return max(_DELIMITERS, key=score)


def read_xlsx(
    path: Path, names: Sequence[str], *, xy: tuple[str, str] | None, progress: Progress | None
) -> Loaded:
    """Read the sheet of an .xlsx that has data (with several, one called by ``names``).

    Numbers of more than 15 digits were ruined by the spreadsheet: UnusableInput names the cell. Merged cells repeat
    their value downwards and rightwards.
    """
    with open_archive(path) as archive:
        check_archive(archive, path.name)
    streamed = path.stat().st_size > _MERGES_UP_TO
    try:
        book = openpyxl.load_workbook(path, read_only=streamed, data_only=True)
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile):
        raise UnusableInput(msg("{file} 不是完好的 Excel 工作簿（.xlsx）。", file=path.name)) from None
    try:
        filled = [s.title for s in book.worksheets if (s.max_row or 2) > 1]
        if not filled:
            raise UnusableInput(msg("{file} 里没有数据。", file=path.name))
        title = choose(filled, names, path.name)
        sheet = book[title]
        rows = list(_sheet_rows(sheet, path.name, progress))
        if not streamed:
            fill_merged(rows, sheet)
    finally:
        book.close()
    loaded = _from_rows(rows, path.name, xy)
    loaded.layer = title
    loaded.encoding = UTF8
    return loaded


def _sheet_rows(sheet: Any, file: str, progress: Progress | None) -> Iterator[list[str]]:
    total = sheet.max_row or 0
    for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        if progress is not None and number % _PROGRESS_EVERY == 0:
            progress(number, max(total, number))
        yield [cell_text(value, sheet, file, number, column) for column, value in enumerate(cells, 1)]


def cell_text(value: object, sheet: Any, file: str, row: int, column: int) -> str:
    """A cell as text; UnusableInput names the cell of a long code that was ruined as a number."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "" if value in _ERRORS else value
    if isinstance(value, int | float):  # True and False among them, as 1 and 0
        if not math.isfinite(value):
            return ""
        if abs(value) >= 10**EXACT_DIGITS:
            letter = openpyxl.utils.get_column_letter(column)
            raise UnusableInput(
                msg(
                    "{file} 工作表“{sheet}”第 {row} 行 {column} 列：{problem}。",
                    file=file,
                    sheet=sheet.title,
                    row=row,
                    column=letter,
                    problem=ruined_number(f"{value:.0f}"),
                )
            )
        return str(int(value)) if value == int(value) else repr(value)
    if isinstance(value, dt.datetime):
        midnight = value.time() == dt.time()
        return value.date().isoformat() if midnight else value.isoformat(sep=" ", timespec="seconds")
    return str(value)


_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!"})


def fill_merged(rows: list[list[str]], sheet: Any) -> None:
    """Repeat the value of merged cells downwards and rightwards, in place."""
    for area in sheet.merged_cells.ranges:
        value = rows[area.min_row - 1][area.min_col - 1]
        # a title merged across the whole table is no value of every column
        if area.min_row == area.max_row and area.max_col - area.min_col + 1 >= len(rows[area.min_row - 1]):
            continue
        for row in rows[area.min_row - 1 : area.max_row]:
            for column in range(area.min_col - 1, min(area.max_col, len(row))):
                row[column] = value


def _from_rows(rows: Iterable[Row], file: str, xy: tuple[str, str] | None) -> Loaded:
    """Find the header, take the columns out, and build the geometry."""
    rest = iter(rows)
    head = list(islice(rest, _HEADER_WITHIN))
    header_at = find_header(head, file)
    names = column_names(head[header_at])
    problems: list[RowProblem] = []
    cells: list[list[str | None]] = [[] for _ in names]
    numbers: list[int] = []
    body = enumerate(chain(head[header_at + 1 :], rest))
    # in small blocks, because a million lists alive at once cost more in garbage collection than in parsing
    while block := list(islice(body, _BLOCK)):
        kept = list(_whole_rows(block, len(names), header_at + 2, problems))
        numbers += [number for number, _ in kept]
        for column, values in zip(cells, zip(*(row for _, row in kept), strict=True), strict=False):
            column += [value or None for value in values]
    table = _Table(
        columns={name: text_column(column) for name, column in zip(names, cells, strict=True)},
        rows=np.array(numbers, np.int64),
        first_row=header_at + 2,
        problems=problems,
    )
    uneven = [problem.row for problem in problems]
    shape_columns = _shape_columns(names, xy, file)
    geometry = table.geometry(shape_columns)
    geometry[np.isin(table.rows, uneven)] = None  # whose cells may stand in the wrong columns
    return Loaded(
        geometry=geometry,
        columns=table.columns,
        rows=table.rows,
        features=len(numbers),
        crs=None,
        first_row=table.first_row,
        is_list=True,
        coordinate_columns=shape_columns,
        problems=problems,
    )


def _whole_rows(
    block: Iterable[tuple[int, Row]], width: int, first_row: int, problems: list[RowProblem]
) -> Iterator[tuple[int, Row]]:
    """Rows that are not blank, cut or filled to ``width`` cells; longer ones are a problem each."""
    for number, row in block:
        if not any(row) or not "".join(row).strip():
            continue
        if any(row[width:]):
            problem = msg(
                "第 {n} 行：有 {width} 列，表头只有 {known} 列，可能缺了引号。",
                n=number + first_row,
                width=len(row),
                known=width,
            )
            problems.append(RowProblem(number, None, problem, rejected=True))
        yield number, row if len(row) == width else [*row[:width], *[""] * (width - len(row))]


def find_header(head: Sequence[Row], file: str) -> int:
    """The row of column names: the first of the widest among the first rows, past titles and blank lines."""
    filled = [sum(bool(c.strip()) for c in row) for row in head]
    if not filled or max(filled) == 0:
        raise UnusableInput(msg("{file} 里没有数据。", file=file))
    # data rows may fill fewer cells than the header or, where a name is missing, one more
    return next(
        i for i, count in enumerate(filled) if count >= max(2, max(filled) - 1) or count == max(filled)
    )


def column_names(header: Row) -> list[str]:
    """The names of a header, each once; a column without one is called by its number."""
    names: list[str] = []
    cells = list(header)
    while cells and not cells[-1].strip():
        cells.pop()
    for number, cell in enumerate(cells, 1):
        name = cell.strip() or f"列{number}"
        while name in names:
            name += "_"
        names.append(name)
    return names


def _shape_columns(available: Sequence[str], xy: tuple[str, str] | None, file: str) -> tuple[str, ...]:
    """The two coordinate columns, or the one of WKT."""
    if xy is not None:
        for stated in xy:
            if stated not in available:
                raise UnusableInput(
                    msg(
                        "{file} 里没有列“{column}”；现有列：{known}。",
                        file=file,
                        column=stated,
                        known=tuple(available),
                    )
                )
        return xy
    x, y, wkt = (_find(available, known) for known in (_LON, _LAT, _WKT))
    if x is not None and y is not None:
        return (x, y)
    if wkt is not None:
        return (wkt,)
    raise UnusableInput(
        msg(
            "{file} 里找不到坐标列（经度和纬度，或 x 和 y，或 WKT）；现有列：{known}；请改列名，例如 lon 和 lat。",
            file=file,
            known=tuple(available),
        )
    )


def _find(columns: Sequence[str], known: Sequence[str]) -> str | None:
    """The first column called by one of ``known``, a unit in brackets or a datum at the end aside."""
    by_word: dict[str, str] = {}
    for column in columns:
        by_word.setdefault(_AFTER_NAME.sub("", plain(column)), column)
    return next((by_word[word] for word in known if word in by_word), None)


@dataclass(slots=True)
class _Table:
    """Columns of text whose cells become geometry; what does not is a problem of its row."""

    columns: dict[str, NDArray[np.object_]]
    rows: NDArray[np.int64]
    first_row: int
    problems: list[RowProblem]

    def reject(self, index: int, problem: Message) -> None:
        row = int(self.rows[index])
        message = msg("第 {n} 行：{problem}。", n=row + self.first_row, problem=problem)
        self.problems.append(RowProblem(row, None, message, rejected=True))

    def geometry(self, names: tuple[str, ...]) -> Geometries:
        """Points of two columns, which stay; or the shapes of a WKT column, which goes."""
        return self._points(*names) if len(names) == 2 else self._shapes(self.columns.pop(names[0]))

    def _points(self, x_name: str, y_name: str) -> Geometries:
        x, y = self._numbers(x_name), self._numbers(y_name)
        points: Geometries = np.full(len(self.rows), None, object)
        there = np.isfinite(x) & np.isfinite(y)
        points[there] = shapely.points(x[there], y[there])
        return points

    def _numbers(self, name: str) -> NDArray[np.float64]:
        texts = self.columns[name].tolist()
        try:
            return np.array([t or "nan" for t in texts], object).astype(np.float64)
        except ValueError:
            pass  # at least one is no number: one by one, to name it
        values = np.full(len(texts), np.nan)
        for i, text in enumerate(texts):
            try:
                values[i] = float(plain(text)) if text else np.nan
            except ValueError:
                self.reject(i, msg("{column}“{value}”不是数", column=name, value=text[:40]))
        return values

    def _shapes(self, wkt: NDArray[np.object_]) -> Geometries:
        shapes: Geometries = shapely.force_2d(shapely.from_wkt(wkt, on_invalid="ignore"))
        for i in np.flatnonzero(shapely.is_missing(shapes)):
            if wkt[i] is not None:
                self.reject(int(i), msg("WKT 图形读不懂"))
        return shapes
