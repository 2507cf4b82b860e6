"""What mending a coverage means: moves of ground, each with its finding, that can be previewed, applied and undone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.coverage.edges import Floats
from gis_server.core.coverage.findings import Finding, Report
from gis_server.core.coverage.layer import Texts
from gis_server.core.coverage.repair.knit import Fabric
from gis_server.core.message import Message


class Policy(StrEnum):
    """Who keeps ground that two cells claim, and who gets ground that nobody has. The first that decides, decides.

    The parent's border is law before all of them, level by level from the top.
    """

    EXCLUSIVE = "exclusive"  # an exclusive grid keeps its ground
    PRIORITY = "priority"  # the higher number in the priority column
    FILED = "filed"  # the border filed earlier
    LONGEST_EDGE = "longest_edge"  # the cell with the longest shared edge


class Act(StrEnum):
    """What a move does."""

    FILL = "fill"  # a gap becomes part of a neighbour
    DIVIDE = "divide"  # a gap is shared out among its neighbours
    YIELD = "yield"  # an overlap stays with one of the cells
    CARVE = "carve"  # an exclusive grid is cut out of the one it lies on
    WITHDRAW = "withdraw"  # a part outside the parent goes
    JOIN = "join"  # a small detached part goes to the neighbour around it
    ALIGN = "align"  # vertices that should be one are brought together
    MEND = "mend"  # an invalid ring is rebuilt
    REPARENT = "reparent"  # the parent's code is put right


DEFAULT_POLICIES = (Policy.EXCLUSIVE, Policy.PRIORITY, Policy.FILED, Policy.LONGEST_EDGE)


@dataclass(frozen=True, slots=True)
class Limits:
    """How far mending may go, in metres of width; what is wider is left to a person.

    A gap of ``divide_from`` or more that is long and thin is divided between its neighbours along its middle, a
    narrower one goes to one of them. Vertices and edges within ``align`` of each other are one.
    """

    max_gap_width: float = 1.0
    max_overlap_width: float = 1.0
    divide_from: float = 0.1
    align: float = 1e-3


@dataclass(frozen=True, slots=True)
class Merits:
    """What the policies go by, one entry a row: a number (higher keeps its border), a filing date as ISO text."""

    priority: NDArray[np.float64] | None = None
    filed: Texts | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """Ground that changes hands: cell indices (None: nobody) and planar m²."""

    source: int | None
    target: int | None
    area_m2: float


@dataclass(frozen=True, slots=True)
class Move:
    """One step of mending.

    ``polygon`` is the ground concerned, in the data's coordinates (None where only vertices are aligned or a code is
    corrected), ``width_m`` its width; ``addresses`` and ``households`` on it, where addresses were given. ``confidence`` is 0–1. The rest says how it is done: ``borders`` are directed edges (n, 4) added to
    the border of a cell, ``aligned`` the cells whose vertices are brought together, ``parent_code`` a corrected code.
    """

    act: Act
    finding: Finding
    changes: tuple[Change, ...]
    confidence: float
    message: Message
    polygon: shapely.Geometry | None = None
    width_m: float = 0.0
    borders: Mapping[int, Floats] = field(default_factory=lambda: MappingProxyType({}))
    aligned: tuple[int, ...] = ()
    replaced: Mapping[int, shapely.Geometry] = field(default_factory=lambda: MappingProxyType({}))
    parent_code: tuple[int, str] | None = None
    addresses: int | None = None
    households: int | None = None
    fabric: Fabric | None = field(default=None, repr=False, compare=False)

    @property
    def rows(self) -> tuple[int, ...]:
        """The cells that it redraws or corrects."""
        recoded = () if self.parent_code is None else (self.parent_code[0],)
        return tuple(sorted({*self.borders, *self.aligned, *self.replaced, *recoded}))

    @property
    def area_m2(self) -> float:
        """All ground that changes hands."""
        return sum(change.area_m2 for change in self.changes)


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """Every move that mends something, what is left to a person, and the check that all this rests on."""

    moves: tuple[Move, ...]
    left: tuple[Finding, ...]
    before: Report
