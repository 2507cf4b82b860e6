"""How a kind of finding is drawn: one visual language on the page, on paper and in other tools."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gis_server.core.coverage.findings import Kind
from gis_server.core.message import Message, msg


class Pattern(StrEnum):
    """What tells the looks apart without their colours."""

    HATCH = "hatch"
    CROSS = "cross"
    ARROW = "arrow"
    DOTS = "dots"
    LINE = "line"


@dataclass(frozen=True, slots=True)
class Look:
    """A look of several kinds: its key, its words, colour on a light ground (#rrggbb) and pattern."""

    key: str
    title: Message
    colour: str
    pattern: Pattern


GAP = Look("gap", msg("空隙与缺口"), "#b5179e", Pattern.HATCH)
OVERLAP = Look("overlap", msg("重叠"), "#c75b00", Pattern.CROSS)
OUTSIDE = Look("outside", msg("越界与所属不符"), "#c1121f", Pattern.ARROW)
NEAR_MISS = Look("near-miss", msg("边界未对齐"), "#5a3e00", Pattern.DOTS)
OTHER = Look("other-finding", msg("其他问题"), "#3f4c59", Pattern.LINE)

LOOKS = (GAP, OVERLAP, OUTSIDE, NEAR_MISS, OTHER)

_LOOK: Mapping[Kind, Look] = MappingProxyType(
    {
        Kind.GAP: GAP,
        Kind.BAY: GAP,
        Kind.MISSING_CELL: GAP,
        Kind.OVERLAP: OVERLAP,
        Kind.CONTAINED: OVERLAP,
        Kind.DUPLICATE_GEOMETRY: OVERLAP,
        Kind.OUTSIDE: OUTSIDE,
        Kind.OTHER_PARENT_OVERLAP: OUTSIDE,
        Kind.WRONG_PARENT: OUTSIDE,
        Kind.SUB_GRID_OUTSIDE: OUTSIDE,
        Kind.NEAR_MISS: NEAR_MISS,
    }
)


def look_of(kind: Kind) -> Look:
    """The look of a kind of finding."""
    return _LOOK.get(kind, OTHER)
