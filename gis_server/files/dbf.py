"""dBASE tables beside shapefiles, read from their bytes.

GDAL believes the code page that the .cpg file or the header names and turns GBK into mojibake without a word; it also
turns wide numbers into doubles. Here the bytes decide the encoding, and whole numbers stay the digits that are written.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gis_server.core.errors import UnknownEncoding, UnusableInput
from gis_server.core.message import msg
from gis_server.files.encoding import UTF8, decide, decode_cut, parse_encoding
from gis_server.files.loaded import text_column

NAME_BYTES = 10
_DELETED = 0x2A


@dataclass(frozen=True, slots=True)
class _DbfField:
    name: bytes
    kind: str
    offset: int
    width: int
    decimals: int


@dataclass(frozen=True, slots=True)
class DbfTable:
    """All rows, deleted ones included; ``deleted`` marks those."""

    columns: dict[str, NDArray[np.generic]]
    deleted: NDArray[np.bool_]
    encoding: str | None  # None where everything is ASCII


def read_dbf(path: Path, encoding: str | None) -> DbfTable:
    """Read a .dbf file: text and whole numbers as text, numbers with decimals as float64 (NaN where empty).

    ``encoding`` overrides the decision by bytes. Raises UnusableInput for a broken table, UnknownEncoding where
    the text is neither UTF-8 nor GB18030, or not what ``encoding`` says.
    """
    data = path.read_bytes()
    fields, table, records = _structure(data, path.name)
    texts = {f: _cells(table, f) for f in fields}
    if encoding is not None:
        chosen: str | None = parse_encoding(encoding)
    else:
        chosen = _decide(fields, texts, path.name)
    columns: dict[str, NDArray[np.generic]] = {}
    for number, field in enumerate(fields, 1):
        name = _name(field, chosen or UTF8, number)
        while name in columns:  # two long names may be cut to the same ten bytes
            name += "_"
        columns[name] = _column(field, texts[field], chosen or UTF8, path.name)
    deleted = table[:, 0] == _DELETED if records else np.zeros(0, bool)
    return DbfTable(columns, deleted, chosen)


def with_values(data: bytes, column: int, values: Mapping[int, str | None], encoding: str) -> bytes | None:
    """The bytes of a table with some values of one column (by number) set anew, by row; None where they do not fit.

    Everything else stays to the last byte: names that were cut, numbers as they were written, the code page.
    """
    fields, table, _ = _structure(data, "")
    field = fields[column]
    if field.kind != "C":
        return None
    start = struct.unpack_from("<H", data, 8)[0]
    width = table.shape[1]
    changed = bytearray(data)
    for row, value in values.items():
        cell = (value or "").encode(encoding)
        if len(cell) > field.width:
            return None
        at = start + row * width + field.offset
        changed[at : at + field.width] = cell.ljust(field.width)
    return bytes(changed)


def _structure(data: bytes, file: str) -> tuple[list[_DbfField], NDArray[np.uint8], int]:
    broken = UnusableInput(msg("{file} 已损坏，读不出属性表；请从来源重新导出。", file=file))
    if len(data) < 33:
        raise broken
    records, header_size, record_size = struct.unpack_from("<IHH", data, 4)
    fields: list[_DbfField] = []
    position, offset = 32, 1
    while position + 32 <= min(header_size, len(data)) and data[position] != 0x0D:
        name, kind, width, decimals = struct.unpack_from("<11sc4xBB", data, position)
        kind = kind.decode("latin-1")
        if kind == "C":  # wide text fields keep the high byte of their width where numbers keep decimals
            width, decimals = width + 256 * decimals, 0
        fields.append(_DbfField(name.split(b"\0")[0][:NAME_BYTES], kind, offset, width, decimals))
        position, offset = position + 32, offset + width
    if offset > record_size or header_size > len(data) or not record_size:
        raise broken
    present = (len(data) - header_size) // record_size
    if present < records:
        raise UnusableInput(
            msg(
                "{file} 不完整：应有 {records} 行，只有 {present} 行；请重新复制或导出。",
                file=file,
                records=records,
                present=present,
            )
        )
    body = np.frombuffer(data, np.uint8, records * record_size, header_size)
    return fields, body.reshape(records, record_size), records


def _cells(table: NDArray[np.uint8], field: _DbfField) -> list[bytes]:
    if not len(table) or not field.width:
        return [b""] * len(table)
    raw = np.ascontiguousarray(table[:, field.offset : field.offset + field.width])
    return [cell.strip() for cell in raw.view(f"S{field.width}").ravel().tolist()]


def _decide(fields: list[_DbfField], texts: dict[_DbfField, list[bytes]], file: str) -> str | None:
    whole: list[bytes] = []
    cut: list[bytes] = []
    for field in fields:
        (cut if len(field.name) == NAME_BYTES else whole).append(field.name)
        if field.kind == "C":
            cells = texts[field]
            if max(map(len, cells), default=0) < field.width - 3:
                whole.append(b"\n".join(cells))
            else:
                for cell in cells:
                    (cut if len(cell) >= field.width - 3 else whole).append(cell)
    if all(c.isascii() for c in whole) and all(c.isascii() for c in cut):
        return None
    return decide(whole, cut, where=file)


def _name(field: _DbfField, encoding: str, number: int) -> str:
    try:
        name = decode_cut(field.name, encoding).strip()
    except UnicodeDecodeError:
        name = ""
    return name or f"列{number}"


def _column(field: _DbfField, cells: list[bytes], encoding: str, file: str) -> NDArray[np.generic]:
    if field.kind in "NF" and (field.decimals or field.kind == "F"):
        try:
            return np.array([c or b"nan" for c in cells], "S").astype(np.float64)
        except ValueError:
            pass  # asterisks or letters: as text, so that the row is named
    if field.kind == "L":
        return text_column([None if c in (b"", b"?") else c.decode("latin-1") for c in cells])
    if field.kind == "C":
        return text_column(_texts(field, cells, encoding, file))
    # whole numbers and dates keep their digits; dBASE fills a number that did not fit with asterisks
    shown = [c.decode("ascii", "replace") for c in cells]
    empty = "00000000" if field.kind == "D" else ""
    return text_column([None if not c or c == empty or set(c) == {"*"} else c for c in shown])


def _texts(field: _DbfField, cells: list[bytes], encoding: str, file: str) -> list[str | None]:
    try:
        joined = b"\n".join(cells)
        if joined.count(b"\n") == len(cells) - 1:
            return [c or None for c in joined.decode(encoding).split("\n")]
    except UnicodeDecodeError:
        pass  # a cell cut inside a character: one by one below
    texts: list[str | None] = []
    for row, cell in enumerate(cells, 1):
        try:
            cut = len(cell) >= field.width - 3
            texts.append((decode_cut(cell, encoding) if cut else cell.decode(encoding)) or None)
        except UnicodeDecodeError:
            raise UnknownEncoding(
                msg(
                    "{file} 第 {row} 行的文字不是 {encoding}；请核对 --encoding。",
                    file=file,
                    row=row,
                    encoding=encoding,
                ),
                field="encoding",
            ) from None
    return texts
