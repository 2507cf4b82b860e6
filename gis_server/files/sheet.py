"""Plain tables as spreadsheets: .csv with a byte-order mark, .xlsx. Text stays text, whatever it begins with."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

Cell = str | int | float | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet program would take for the beginning of a formula."""

_WIDEST = 60


def write_sheet(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a table by the suffix of ``path``; lines and columns in the order given."""
    if path.suffix == ".xlsx":
        _xlsx(path, heads, rows)
    else:
        _csv(path, heads, rows)


def _csv(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    # without the mark spreadsheets show Chinese as mojibake
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(heads)
        lines.writerows([_harmless(cell) for cell in row] for row in rows)


def _harmless(cell: Cell) -> Cell:
    """A text that a spreadsheet would run as a formula gets the apostrophe that makes it text."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _xlsx(path: Path, heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for at, head in enumerate(heads, 1):
        sheet.column_dimensions[get_column_letter(at)].width = min(max(12, 2 * len(head) + 4), _WIDEST)
    sheet.freeze_panes = "A2"
    bold = Font(bold=True)
    titles = [WriteOnlyCell(sheet, _printable(head)) for head in heads]
    for title in titles:
        title.font = bold
    sheet.append(titles)
    for row in rows:
        sheet.append([_typed(sheet, cell) for cell in row])
    book.save(path)


def _typed(sheet: object, cell: Cell) -> object:
    if not isinstance(cell, str):
        return cell
    made = WriteOnlyCell(sheet, _printable(cell))
    made.data_type = "s"  # or openpyxl would write "=…" as a formula
    return made


def _printable(text: str) -> str:
    """Without the control characters that XML cannot carry."""
    return "".join(c for c in text if c in "\n\t" or ord(c) >= 32)
