"""What somebody wants of a wall on paper or file: the place, the panels, the sheet."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from gis_server.core.access import Tier
from gis_server.core.sheet import Orientation, Paper
from gis_server.core.vocabulary import WallPanel

PANELS: Mapping[str, WallPanel] = MappingProxyType(
    {
        "map": WallPanel.GRID_DIVISION_MAP,
        "members": WallPanel.GRID_MEMBER_CHART,
        "workflow": WallPanel.WORKFLOW_CHART,
        "contacts": WallPanel.SERVICE_CONTACT_PANEL,
    }
)
"""The four panels of taizhou 8.1.3 by the words of the command line and of addresses."""

ALL = "all"

TIERS = (Tier.PUBLIC, Tier.INTERNAL)
"""Whom a sheet may be made for."""


class FileKind(StrEnum):
    """What a wall may be written as."""

    PDF = "pdf"
    PNG = "png"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which place somebody asked for: exactly one of the codes."""

    town: str | None = None
    community: str | None = None
    grid: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """The place, the panels (None: those the profile hangs on a wall), the paper, whether one board of four.

    Without an orientation the map decides. ``tier`` is one of ``TIERS``.
    """

    asked: Asked
    kind: FileKind
    panels: tuple[WallPanel, ...] | None = None
    paper: Paper = Paper.A3
    orientation: Orientation | None = None
    board: bool = False
    tier: Tier = Tier.PUBLIC
