"""Incidents that may be one and the same: near in place and time, and of no other item."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from gis_server.core.errors import UnusableInput
from gis_server.core.incident import MOST_ITEM, IncidentState
from gis_server.core.item import ItemCatalogue, find_item
from gis_server.core.message import Message, msg

MOST_NAMED = 5
"""Of the incidents around a place so many are named, the nearest first; all are counted (our number)."""


@dataclass(frozen=True, slots=True)
class Nearby:
    """An open incident around a place, with its distance in metres along the ellipsoid."""

    id: int
    number: str
    state: IncidentState
    item: str | None
    item_key: str | None
    is_urgent: bool
    discovered_at: datetime
    area_path: tuple[str, ...]
    grid_code: str | None
    reported_by: int | None
    units: tuple[str, ...]
    distance_m: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody decided of two incidents: one and the same, or not. The newest of a pair holds."""

    other_id: int
    other_number: str
    is_duplicate: bool
    at: datetime
    actor: str
    note: str | None


@dataclass(frozen=True, slots=True)
class VerdictRequest:
    """A decision as it is asked for."""

    other_id: int
    is_duplicate: bool
    note: str | None


def may_be_same_item(catalogue: ItemCatalogue, one: str | None, other: str | None) -> bool:
    """Whether two incidents' items (keys, titles or free text) do not speak against their being one.

    An item that nobody named says nothing; two names of one item of the catalogue are the same.
    """
    if not one or not other:
        return True
    first, second = find_item(catalogue, one), find_item(catalogue, other)
    if first is None and second is None:
        return one.strip().casefold() == other.strip().casefold()
    return first is second


def parse_verdict(content: object) -> VerdictRequest:
    """Check a decision as it came as JSON; UnusableInput names the field that is missing, unknown or wrong."""
    known = ("other", "is_duplicate", "note")
    if not isinstance(content, Mapping):
        raise UnusableInput(msg("请求应为一个 JSON 对象。"), expected=msg("JSON 对象"))
    for name in content:
        if name not in known:
            raise UnusableInput(
                msg("没有名为 {name} 的项；可用的项：{known}。", name=str(name)[:80], known=known),
                field=str(name)[:80],
                expected=msg("{known} 之一", known=known),
            )
    other, is_duplicate, note = content.get("other"), content.get("is_duplicate", True), content.get("note")
    if not isinstance(other, int) or isinstance(other, bool) or not 0 < other < 2**63:
        raise _wrong("other", msg("事件的编号"))
    if not isinstance(is_duplicate, bool):
        raise _wrong("is_duplicate", msg("true 或 false"))
    if note is not None and (not isinstance(note, str) or len(note) > MOST_ITEM or "\x00" in note):
        raise _wrong("note", msg("1 到 {most} 个字的文字", most=MOST_ITEM))
    return VerdictRequest(other, is_duplicate, (note or "").strip() or None)


def _wrong(name: str, expected: Message) -> UnusableInput:
    return UnusableInput(
        msg("{name} 不可用，应为{expected}。", name=name, expected=expected),
        field=name,
        expected=expected,
    )
