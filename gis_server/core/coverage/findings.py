"""What can be wrong with a set of grids: kinds, severities, and the value that one defect becomes.

The kinds and the field names are public (``validate --format json``, the findings API, table ``finding``).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from shapely.geometry.base import BaseGeometry

from gis_server.core.message import Message


class Kind(StrEnum):
    """One word per sort of defect; one defect is one finding."""

    GAP = "gap"  # ground of the parent that no grid covers
    BAY = "bay"  # a gap that enters from the parent's border
    MISSING_CELL = "missing_cell"  # a gap of the size and shape of a grid
    OVERLAP = "overlap"  # ground that two grids claim
    CONTAINED = "contained"  # a grid that lies wholly on another
    DUPLICATE_GEOMETRY = "duplicate_geometry"  # the same polygon twice
    OUTSIDE = "outside"  # a part of a grid beyond its parent
    OTHER_PARENT_OVERLAP = "other_parent_overlap"  # on ground of another parent's grid
    WRONG_PARENT = "wrong_parent"  # the parent's id contradicts the place
    NEAR_MISS = "near_miss"  # edges that should be one, apart by less than the tolerance
    INVALID_GEOMETRY = "invalid_geometry"
    EMPTY_GEOMETRY = "empty_geometry"
    MULTIPART = "multipart"
    DUPLICATE_CODE = "duplicate_code"
    BAD_CODE = "bad_code"
    CODE_GAP = "code_gap"
    CODE_PREFIX = "code_prefix"
    SIZE = "size"
    SUB_GRID_SIZE = "sub_grid_size"
    SUB_GRID_OUTSIDE = "sub_grid_outside"
    EXCLUSIVE_HOST = "exclusive_host"
    ADDRESS_UNASSIGNED = "address_unassigned"
    ROSTER = "roster"
    DEPARTMENT_LAYER = "department_layer"


class Severity(StrEnum):
    """Force of the broken clause: must → error, should → warning (a written reason overrides), may → option."""

    ERROR = "error"
    WARNING = "warning"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class Weight:
    """Who is concerned: what lies inside a finding's polygon."""

    addresses: int = 0
    people: int = 0
    open_incidents: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """One defect.

    ``fids`` are 0-based row numbers in the input, ``codes`` the codes of those rows where known (for a gap, the
    grids around it). ``area_m2`` and ``width_m`` are planar (square) metres; the width is that of the rectangle
    with the same area and perimeter. ``geometry`` is in the CRS of the check, None where the defect has no place.
    """

    kind: Kind
    rule: str
    severity: Severity
    clause: str
    fids: tuple[int, ...]
    codes: tuple[str, ...]
    area_m2: float
    width_m: float
    message: Message
    geometry: BaseGeometry | None = None
    weight: Weight | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The totals of a check, areas in planar square metres.

    ``coverage_pct`` is the share of the parents' ground (without parents: of the filled union) that some grid
    covers. The areas are all of the ground concerned, whether below the tolerance or not; ground counts once.
    """

    coverage_pct: float
    within_area_m2: float
    gap_area_m2: float
    overlap_area_m2: float
    outside_area_m2: float
    errors: int
    warnings: int
    by_kind: dict[str, int]


@dataclass(frozen=True, slots=True)
class Certificate:
    """Proof that the cells tile their parents exactly, without a tolerance.

    ``exact`` holds when for every parent the sum of the cells' edge hashes equals the parent's own. ``digest`` is
    the sum of all cells (32 hexadecimal digits) under ``salt``: the same cells in any order give the same digest.
    """

    exact: bool
    cells: int
    parents: int
    edges: int
    open_parents: tuple[int, ...]
    salt: int
    digest: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a check found, worst first."""

    findings: tuple[Finding, ...]
    summary: Summary
    tolerance_m2: float
    profile: str = "default"
    certificate: Certificate | None = None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid publishing."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)


def count_by_kind(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings of each kind, in the order of Kind."""
    counts = Counter(f.kind for f in findings)
    return {kind.value: counts[kind] for kind in Kind if counts[kind]}
