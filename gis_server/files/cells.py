"""Lists whose rows speak for themselves: every cell as text, and the rows given back with what to correct."""

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils.exceptions import InvalidFileException

from gis_server.core.bulk_intake import MOST_ROWS, Cells
from gis_server.core.errors import UnusableInput
from gis_server.core.message import Message, msg
from gis_server.files.archive import check_archive, open_archive
from gis_server.files.encoding import decode_text
from gis_server.files.tabular import cell_text, column_names, csv_rows, fill_merged, find_header

SUFFIXES = (".csv", ".xlsx")

_HEADER_WITHIN = 20
_MOST_CELLS = 200


def read_cells(path: Path, encoding: str | None = None, *, most: int = MOST_ROWS) -> Cells:
    """Read a CSV or the first filled sheet of an .xlsx; UnusableInput for what is neither, or holds no row.

    Of a list with many more than ``most`` rows only so many are read that the refusal can tell.
    """
    within = 2 * (most + _HEADER_WITHIN + 1)  # blank lines count for nothing, but not for ever
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UnusableInput(
            msg("不支持 {file} 这种文件；请用 {known}。", file=path.name, known=SUFFIXES),
            field="file",
            expected=msg("{known} 之一", known=SUFFIXES),
        )
    if not path.is_file():
        raise UnusableInput(msg("找不到文件 {file}。", file=str(path)), field="file")
    if path.stat().st_size == 0:
        raise UnusableInput(msg("{file} 是空文件。", file=path.name), field="file")
    ruined: dict[int, Message] = {}
    if suffix == ".csv":
        rows = _csv(path, encoding, within)
    else:
        rows, ruined = _xlsx(path, within)
    return _cells(rows, ruined, path.name)


def _csv(path: Path, encoding: str | None, within: int) -> list[list[str]]:
    text, _ = decode_text(path.read_bytes(), encoding, where=path.name)
    if "\0" in text:
        raise UnusableInput(msg("{file} 不是文本文件。", file=path.name), field="file")
    rows: list[list[str]] = []
    for row in csv_rows(text, path.name):
        rows.append(list(row[:_MOST_CELLS]))
        if len(rows) > within:
            break
    return rows


def _xlsx(path: Path, within: int) -> tuple[list[list[str]], dict[int, Message]]:
    with open_archive(path) as archive:
        check_archive(archive, path.name)
    try:
        book = openpyxl.load_workbook(path, data_only=True)
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile):
        raise UnusableInput(
            msg("{file} 不是完好的 Excel 工作簿（.xlsx）。", file=path.name), field="file"
        ) from None
    try:
        sheet = next((one for one in book.worksheets if (one.max_row or 0) > 1), None)
        if sheet is None:
            raise UnusableInput(msg("{file} 里没有数据。", file=path.name), field="file")
        ruined: dict[int, Message] = {}
        rows = list(_sheet(sheet, path.name, ruined, within))
        fill_merged(rows, sheet)
    finally:
        book.close()
    return rows, ruined


def _sheet(sheet: Any, file: str, ruined: dict[int, Message], within: int) -> Iterator[list[str]]:
    last = min(sheet.max_row, within)
    wide = min(sheet.max_column, _MOST_CELLS)
    for number, cells in enumerate(sheet.iter_rows(max_row=last, max_col=wide, values_only=True), 1):
        row = []
        for column, value in enumerate(cells, 1):
            try:
                row.append(cell_text(value, sheet, file, number, column))
            except UnusableInput as error:  # a code of 20 digits kept as a number: this row cannot be used
                ruined[number] = error.message
                row.append(str(value))
        yield row


def _cells(rows: Sequence[Sequence[str]], ruined: dict[int, Message], file: str) -> Cells:
    header_at = find_header(rows[:_HEADER_WITHIN], file)
    names = column_names(rows[header_at])
    filled = [
        (number, tuple(row))
        for number, row in enumerate(rows[header_at + 1 :], header_at + 2)
        if "".join(row).strip()
    ]
    if not filled:
        raise UnusableInput(msg("{file} 里没有数据。", file=file), field="file")
    return Cells(
        names=tuple(names),
        numbers=tuple(number for number, _ in filled),
        rows=tuple(row for _, row in filled),
        ruined={index: ruined[number] for index, (number, _) in enumerate(filled) if number in ruined},
    )


def write_cells(suffix: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """The list as a file of this kind, every cell as text: a code stays a code, and nothing becomes a formula."""
    return _as_xlsx(names, rows) if suffix == ".xlsx" else _as_csv(names, rows)


def _as_csv(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO(newline="")
    lines = csv.writer(out)
    lines.writerow(names)
    lines.writerows(rows)
    # with a byte-order mark, without which spreadsheets show Chinese as mojibake
    return out.getvalue().encode("utf-8-sig", "surrogatepass")


def _as_xlsx(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("rows")
    for row in (names, *rows):
        sheet.append([_text_cell(sheet, value) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _text_cell(sheet: Any, value: str) -> Any:
    cell = WriteOnlyCell(sheet, value)
    cell.data_type = "s"
    return cell
