"""One check: the cells, what they are measured by, and the words for what is found."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import shapely

from gis_server.core.coverage import sentences
from gis_server.core.coverage.cover import Ground
from gis_server.core.coverage.edges import Flags, Geometries
from gis_server.core.coverage.findings import Finding, Kind, Severity
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.rules import RULE_OF, Rules
from gis_server.core.message import Message


@dataclass(frozen=True, slots=True)
class Case:
    """Everything the judgement of one layer rests on."""

    cells: Cells
    parents: Parents | None
    polygons: Geometries  # mended
    ground: Ground
    active: Flags
    rules: Rules
    tolerance_m2: float
    plane: Plane
    inside_only: bool = False  # sub-grids: inside their grid, without filling it
    sound: bool = True  # every row brought a valid polygon of its own
    told: dict[tuple[Kind, str | None], tuple[Kind, str, Severity, str]] = field(default_factory=dict)
    """What a kind of finding (under another rule than its own) is called here: worked out once, for there may be thousands."""

    def name(self, index: int) -> sentences.Name:
        """The cell as people call it."""
        return sentences.name(self.cells.code(index), self.cells.row(index))

    def parent_name(self, index: int) -> str | None:
        """The parent's code."""
        return None if self.parents is None else self.parents.code(index)

    def finding(
        self,
        kind: Kind,
        cells: Iterable[int],
        message: Message,
        *,
        geometry: shapely.Geometry | None = None,
        area: float = 0.0,
        width: float = 0.0,
        rule: str | None = None,
    ) -> Finding:
        """A finding of this layer, with the rule, clause and severity of its kind."""
        given = (kind, rule)
        said = self.told.get(given)
        if said is None:
            said = self.told[given] = self._told_as(kind, rule)
        numbers, codes = self.cells.rows, self.cells.codes
        involved = [int(c) for c in cells]
        return Finding(
            *said,
            fids=tuple(involved if numbers is None else [int(numbers[c]) for c in involved]),
            codes=() if codes is None else tuple([code for c in involved if (code := codes[c])]),
            area_m2=float(area),
            width_m=float(width),
            message=message,
            geometry=geometry,
        )

    def _told_as(self, kind: Kind, rule: str | None) -> tuple[Kind, str, Severity, str]:
        """Kind, rule, severity and clause."""
        if self.inside_only:
            kind = Kind.SUB_GRID_OUTSIDE if kind is Kind.OUTSIDE else kind
            rule = "V8" if RULE_OF[kind] in ("V2", "V3", "V4") else rule
        return kind, rule or RULE_OF[kind], self.rules.severity(kind), self.rules.clause(kind, rule)
