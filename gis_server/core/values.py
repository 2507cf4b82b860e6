"""Cell values as files bring them → values of a layer's field types.

Every function takes a whole column and returns an object array of the same length (None where there is nothing),
with the cells that could not be read by position.
"""

import datetime as dt
import math
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gis_server.core.catalogue import Field, FieldType
from gis_server.core.message import Message, msg

CHINA_STANDARD_TIME = dt.timezone(dt.timedelta(hours=8))
"""The zone of times that a file gives without an offset; China has had no other since 1991."""

EXACT_DIGITS = 15
"""Decimal digits that survive a double: a longer code that was stored as one has lost its tail."""

_INTEGER_RANGE = range(-(2**31), 2**31)
_TRUE = frozenset({"1", "true", "t", "yes", "y", "是", "有", "对", "√"})
_FALSE = frozenset({"0", "false", "f", "no", "n", "否", "无", "错", "×"})
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_COMPACT_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")

Parse = Callable[[str], object]


class _BadValue(Exception):
    def __init__(self, message: Message) -> None:
        self.message = message


@dataclass(frozen=True, slots=True)
class Parsed:
    """One column in the layer's type, and what was wrong by position."""

    values: NDArray[np.object_]
    bad: list[tuple[int, Message]]


def plain(text: str) -> str:
    """Full-width characters as half-width, case and outer blanks taken away: for comparing words."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def parse_column(field: Field, column: NDArray[np.generic]) -> Parsed:
    """Read a source column as ``field``; unreadable cells become None and are listed.

    Accepts text (object arrays of str or None) and the numeric and boolean arrays of a typed file.
    """
    if column.dtype.kind in "iu" and field.type in (FieldType.INTEGER, FieldType.NUMBER):
        return _numbers(field.type, column)
    texts, bad = _as_texts(column)
    if field.type is FieldType.TEXT and not field.choices:
        return Parsed(_object_array(texts), bad)
    parse = _parser(field)
    outcome: dict[str | None, object] = {None: None}
    faults: dict[str, Message] = {}
    for text in set(texts):
        if text is None:
            continue
        try:
            outcome[text] = parse(text)
        except _BadValue as problem:
            outcome[text] = None
            faults[text] = problem.message
    if faults:
        bad += [(i, faults[text]) for i, text in enumerate(texts) if text in faults]
    values = _object_array([outcome[text] for text in texts])
    return Parsed(values, sorted(bad, key=lambda item: item[0]))


def _object_array(values: Sequence[object]) -> NDArray[np.object_]:
    array = np.empty(len(values), object)
    array[:] = values
    return array


def _numbers(kind: FieldType, column: NDArray[np.generic]) -> Parsed:
    if kind is FieldType.NUMBER:
        return Parsed(column.astype(np.float64).astype(object), [])
    values = column.astype(object)
    bad = [
        (int(i), msg("{value} 超出整数范围", value=values[i]))
        for i in np.flatnonzero((column > _INTEGER_RANGE[-1]) | (column < _INTEGER_RANGE[0]))  # type: ignore[operator]
    ]
    for i, _ in bad:
        values[i] = None
    return Parsed(values, bad)


def _as_texts(column: NDArray[np.generic]) -> tuple[list[str | None], list[tuple[int, Message]]]:
    """A column of any type as trimmed text, None for blank; numbers as they would be written without a point."""
    kind = column.dtype.kind
    if kind in "iu":
        return [str(v) for v in column.tolist()], []
    if kind == "f":
        return _floats_as_texts(column)
    if kind == "b":
        return ["1" if v else "0" for v in column.tolist()], []
    # this line sees every cell of every text column: 250,000 addresses have over a million
    texts = [(v.strip() or None) if v.__class__ is str else _trim(v) for v in column.tolist()]
    if any(odd in "".join(filter(None, texts)) for odd in "\0\ufeff"):
        texts = [_trim(v) for v in texts]
    return texts, []


def _trim(value: object) -> str | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    text = value if isinstance(value, str) else str(value)
    return text.replace("\0", "").replace("\ufeff", "").strip() or None  # PostgreSQL text cannot hold NUL


def _floats_as_texts(column: NDArray[np.generic]) -> tuple[list[str | None], list[tuple[int, Message]]]:
    texts: list[str | None] = []
    bad: list[tuple[int, Message]] = []
    for i, value in enumerate(column.astype(np.float64).tolist()):
        if math.isnan(value):
            texts.append(None)
        elif value == int(value) if math.isfinite(value) else False:
            if abs(value) >= 10**EXACT_DIGITS:
                texts.append(None)
                bad.append((i, ruined_number(f"{value:.0f}")))
            else:
                texts.append(str(int(value)))
        else:
            texts.append(repr(value))
    return texts, bad


def ruined_number(shown: str) -> Message:
    """What to say of a long code that was kept as a floating-point number."""
    return msg("编码 {value} 按数值保存，超过 15 位的尾数已经丢失；请在来源处改存为文本", value=shown)


def _parser(field: Field) -> Parse:
    return _choice(field) if field.type is FieldType.TEXT else _PARSERS[field.type]


def _choice(field: Field) -> Parse:
    known: dict[str, str] = {}
    for key, words in field.choices.items():
        for word in (key, words.zh, words.en):
            known.setdefault(plain(word), key)
    for code, key in field.codes.items():
        known.setdefault(plain(code), key)

    def parse(text: str) -> str:
        try:
            return known[plain(text)]
        except KeyError:
            raise _BadValue(
                msg(
                    "“{value}”不是可用的值；可用：{known}",
                    value=text[:40],
                    known=tuple(field.choices.values()),
                )
            ) from None

    return parse


def _number_text(text: str) -> str:
    text = unicodedata.normalize("NFKC", text).strip()
    return text.replace(",", "") if _THOUSANDS.fullmatch(text) else text


def _number(text: str) -> float:
    try:
        value = float(_number_text(text).replace("_", "?"))  # Python's own digit separator is no one's number
    except ValueError:
        raise _BadValue(msg("“{value}”不是数", value=text[:40])) from None
    if not math.isfinite(value):
        raise _BadValue(msg("“{value}”不是数", value=text[:40]))
    return value


def _integer(text: str) -> int:
    try:
        value = _number(text)
    except _BadValue:
        raise _BadValue(msg("“{value}”不是整数", value=text[:40])) from None
    if value != int(value):
        raise _BadValue(msg("“{value}”不是整数", value=text[:40]))
    if int(value) not in _INTEGER_RANGE:
        raise _BadValue(msg("{value} 超出整数范围", value=text[:40]))
    return int(value)


def _boolean(text: str) -> bool:
    word = plain(text)
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise _BadValue(msg("“{value}”不是“是”或“否”", value=text[:40]))


def _date(text: str) -> dt.date:
    shown = unicodedata.normalize("NFKC", text).strip()
    found = _DATE.match(shown) or _COMPACT_DATE.fullmatch(shown)
    try:
        if found is None:
            raise ValueError
        year, month, day = (int(part) for part in found.groups())
        return dt.date(year, month, day)
    except ValueError:
        raise _BadValue(msg("“{value}”不是日期（例如 2026-03-01）", value=text[:40])) from None


def _timestamp(text: str) -> dt.datetime:
    shown = unicodedata.normalize("NFKC", text).strip()
    found = _DATE.match(shown)
    try:
        if found is not None:
            year, month, day = (int(part) for part in found.groups())
            rest = shown[found.end() :].lstrip(" T") or "00:00"
            rest = re.sub(r"^(\d):", r"0\1:", rest.replace("时", ":").replace("分", ":").replace("秒", ""))
            shown = f"{year:04}-{month:02}-{day:02}T{rest.rstrip(':')}"
        moment = dt.datetime.fromisoformat(shown)
    except ValueError:
        raise _BadValue(msg("“{value}”不是时间（例如 2026-03-01 08:30）", value=text[:40])) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=CHINA_STANDARD_TIME)


_PARSERS: Mapping[FieldType, Parse] = {
    FieldType.INTEGER: _integer,
    FieldType.NUMBER: _number,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.TIMESTAMP: _timestamp,
}
