"""Reports by the file: which column means what, what is wrong with which row, and by what a row is known again."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from gis_server.core.catalogue import Field, FieldType, Layer
from gis_server.core.columns import match_columns
from gis_server.core.datum import Datum
from gis_server.core.errors import DatumRequired, UnusableInput
from gis_server.core.incident import IncidentReport, Source, parse_report
from gis_server.core.message import Message, Words, msg
from gis_server.core.values import parse_column

MOST_ROWS = 10_000
"""Rows of one file: a day of a prefecture's hotline (our number)."""

_FROM_LAYER = ("number", "item", "description", "source", "is_urgent", "discovered_at", "accuracy_m")
_LON = ("lng", "long", "longitude", "经度", "东经", "jd", "x", "x坐标")
_LAT = ("latitude", "纬度", "北纬", "wd", "y", "y坐标")
_DATUM = ("坐标基准", "坐标系", "zbx", "crs")

FAULT_COLUMNS = (
    Words("原行号", "Row in the file"),
    Words("有问题的项", "Field to correct"),
    Words("原因", "Reason"),
    Words("应为", "Expected"),
)
"""What is added to the rows that are given back; read again, these columns are left out."""


TITLES: Mapping[str, Words] = {
    "number": Words("编号", "Number"),
    "lon": Words("经度", "Longitude"),
    "lat": Words("纬度", "Latitude"),
    "datum": Words("坐标基准", "Datum"),
    "accuracy_m": Words("定位精度", "Accuracy"),
    "item": Words("事项", "Item"),
    "description": Words("事件描述", "Description"),
    "source": Words("来源", "Source"),
    "is_urgent": Words("是否紧急", "Urgent"),
    "discovered_at": Words("发现时间", "Discovered at"),
}
"""What the fields are called for people."""


@dataclass(frozen=True, slots=True)
class Cells:
    """A list as it was read: column names, the number of each row as a spreadsheet counts, and its cells as text.

    ``ruined`` tells of cells that were no text, by place in ``rows`` and column.
    """

    names: tuple[str, ...]
    numbers: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    ruined: Mapping[int, Message] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Defaults:
    """What holds for every row that says nothing else; ``mapping`` is field → column."""

    datum: Datum | None = None
    source: Source | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row: ``index`` is its place in ``Cells.rows``."""

    index: int
    row: int
    field: str | None
    message: Message
    expected: Message | None

    def said(self, *, english: bool) -> str:
        """The field as people call it."""
        title = TITLES.get(self.field or "")
        if title is None:
            return self.field or ""
        return title.en if english else title.zh


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken, as it was sent, and what is wrong with it."""

    row: int
    cells: tuple[str, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file: new incidents and rows known before, each as row and incident number; and the rest."""

    names: tuple[str, ...]
    added: tuple[tuple[int, str], ...]
    known: tuple[tuple[int, str], ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class RowReport:
    """A row that is a report; ``key`` is what it is known by, ``sha256`` what it says."""

    index: int
    row: int
    key: str
    sha256: str
    report: IncidentReport


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of a file: those that are reports, and what is wrong with the others."""

    reports: tuple[RowReport, ...]
    faults: tuple[Fault, ...]


def read_reports(cells: Cells, layer: Layer, defaults: Defaults, *, scope: str | None, now: datetime) -> Read:
    """Judge every row by itself; ``layer`` is the incident layer, whose names of columns and choices apply.

    ``scope`` is the code of the sender's area, in which the numbers of rows are told apart. Raises UnusableInput for a
    file that lacks a column or has too many rows, DatumRequired where neither the file nor ``defaults`` states a datum.
    """
    if len(cells.rows) > MOST_ROWS:
        raise UnusableInput(
            msg("文件超过一次最多 {most} 行的上限，请分几次提交。", most=MOST_ROWS),
            field="file",
            expected=msg("不超过 {most} 行", most=MOST_ROWS),
        )
    cells = without_fault_columns(cells)
    fields = _fields(layer, defaults)
    matched = match_columns(
        replace(layer, fields=fields), cells.names, defaults.mapping, cut_at=None, encoding=None
    ).by_field
    if "datum" not in matched and defaults.datum is None:
        raise DatumRequired(
            msg("请说明坐标基准：文件里没有“坐标基准”一列，也没有另行指定。"),
            field="datum",
            expected=msg("{known} 之一", known=tuple(Datum)),
        )
    faults = _misshapen(cells)
    broken = {fault.index for fault in faults}
    values: dict[str, list[object]] = {}
    for name, column in matched.items():
        place = cells.names.index(column)
        texts = np.array([row[place] if place < len(row) else "" for row in cells.rows] or [""], object)
        parsed = parse_column(fields[name], texts[: len(cells.rows)])
        values[name] = parsed.values.tolist()
        faults += [
            Fault(index, cells.numbers[index], name, problem, _expected(fields[name]))
            for index, problem in parsed.bad
            if index not in broken
        ]
    bad = {fault.index for fault in faults}
    reports: list[RowReport] = []
    for index, number in enumerate(cells.numbers):
        if index in bad:
            continue
        said = {name: column[index] for name, column in values.items()}
        try:
            reports.append(_report(index, number, said, defaults, scope=scope, now=now))
        except UnusableInput as error:
            faults.append(Fault(index, number, error.field, error.message, error.expected))
    return Read(tuple(reports), tuple(sorted(faults, key=lambda fault: fault.index)))


def _fields(layer: Layer, defaults: Defaults) -> dict[str, Field]:
    fields = {name: replace(layer.fields[name], required=False) for name in _FROM_LAYER}
    tier = layer.tier
    fields["lon"] = Field("lon", FieldType.NUMBER, TITLES["lon"], tier, aliases=_LON)
    fields["lat"] = Field("lat", FieldType.NUMBER, TITLES["lat"], tier, aliases=_LAT)
    fields["datum"] = Field(
        "datum",
        FieldType.TEXT,
        TITLES["datum"],
        tier,
        aliases=_DATUM,
        choices={datum.value: Words(datum.value, datum.value.upper()) for datum in Datum},
    )
    needed = {"lon", "lat", "description"} | (set() if defaults.source else {"source"})
    return {name: replace(one, required=name in needed) for name, one in fields.items()}


def _misshapen(cells: Cells) -> list[Fault]:
    width = len(cells.names)
    faults = [
        Fault(index, cells.numbers[index], None, message, msg("文本"))
        for index, message in cells.ruined.items()
    ]
    for index, row in enumerate(cells.rows):
        if any(row[width:]):
            problem = msg("有 {width} 列，表头只有 {known} 列，可能缺了引号", width=len(row), known=width)
            faults.append(Fault(index, cells.numbers[index], None, problem, msg("{known} 列", known=width)))
    return faults


def _report(
    index: int,
    number: int,
    said: Mapping[str, object],
    defaults: Defaults,
    *,
    scope: str | None,
    now: datetime,
) -> RowReport:
    at = said.get("discovered_at")
    content = {
        "lon": said.get("lon"),
        "lat": said.get("lat"),
        "datum": said.get("datum") or (defaults.datum and defaults.datum.value),
        "accuracy_m": said.get("accuracy_m"),
        "item": said.get("item"),
        "description": said.get("description"),
        "source": said.get("source") or (defaults.source and defaults.source.value),
        "urgent": bool(said.get("is_urgent")),
        "discovered_at": at.isoformat() if isinstance(at, datetime) else None,
    }
    if content["datum"] is None:
        raise UnusableInput(
            msg("缺少 {name}。", name="datum"),
            field="datum",
            expected=msg("{known} 之一", known=tuple(Datum)),
        )
    given = said.get("number")
    text = json.dumps([given, content], ensure_ascii=False, sort_keys=True)
    sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    # a sender's own number tells two rows that say the same apart, and one that says something else from its first edition
    key = f"row:{sha256}" if given is None else f"number:{scope or ''}:{given}"
    return RowReport(index, number, key, sha256, parse_report(content, now))


def _expected(of: Field) -> Message:
    if of.choices:
        return msg("{known} 之一", known=tuple(of.choices.values()))
    return _EXPECTED[of.type]


_EXPECTED = {
    FieldType.TEXT: msg("文本"),
    FieldType.INTEGER: msg("整数"),
    FieldType.NUMBER: msg("有限的数"),
    FieldType.BOOLEAN: msg("是或否"),
    FieldType.DATE: msg("日期，例如 2026-03-01"),
    FieldType.TIMESTAMP: msg("时间，例如 2026-03-01 08:30"),
}


def without_fault_columns(cells: Cells) -> Cells:
    """The list as its sender made it, if it was given back once to be corrected."""
    added = {word for heading in FAULT_COLUMNS for word in (heading.zh, heading.en)}
    kept = [place for place, name in enumerate(cells.names) if name not in added]
    width = len(cells.names)
    if len(kept) == width:
        return cells
    # cells beyond the header came back below columns without a name: they are beyond it still
    named = len(kept)
    while named and cells.names[kept[named - 1]] == f"列{kept[named - 1] + 1}":
        named -= 1
    rows = tuple(
        (*(row[place] if place < len(row) else "" for place in kept), *row[width:]) for row in cells.rows
    )
    return replace(cells, names=tuple(cells.names[place] for place in kept[:named]), rows=rows)


def rejected_rows(cells: Cells, faults: Sequence[Fault]) -> tuple[Rejected, ...]:
    """The rows that have faults, in the order of the file."""
    found: dict[int, list[Fault]] = {}
    for fault in sorted(faults, key=lambda fault: fault.index):
        found.setdefault(fault.index, []).append(fault)
    return tuple(
        Rejected(cells.numbers[index], cells.rows[index], tuple(those)) for index, those in found.items()
    )
