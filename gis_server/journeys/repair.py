"""Mend grids in a file: plan, apply, check again, write."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely

from gis_server.core.catalogue import Catalogue
from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Report, Severity
from gis_server.core.coverage.mend import Limits, Plan, plan, untouched
from gis_server.files.same import write_same
from gis_server.journeys.check import Checked, How, read_grids


@dataclass(frozen=True, slots=True)
class Repaired:
    """The plan, the report on what came out, and how many rows were left exactly as they were."""

    plan: Plan
    after: Report
    file: str
    rows: int
    untouched: int

    @property
    def needs_a_person(self) -> bool:
        """Whether an error stands that only a person can decide."""
        return any(f.severity is Severity.ERROR for f in self.after.findings)


def repair_file(
    catalogue: Catalogue, grids: Path, within: Path | None, out: Path, *, limits: Limits, how: How
) -> Repaired:
    """Mend the grids of a file within ``limits`` and write them to ``out`` with all their rows and columns."""
    given: Checked = read_grids(catalogue, grids, within, how)
    moves = plan(given.cells, given.parents, limits=limits, rules=given.rules, plane=given.plane)
    mended = moves.apply()
    after = check(mended, given.parents, rules=given.rules, plane=given.plane)
    changes = {}
    if given.parent_column is not None and mended.parent_codes is not None:
        changes[given.parent_column] = mended.parent_codes
    # a row that only the mending could use keeps what it brought
    geometry = np.where(shapely.is_missing(mended.geometry), given.cells.geometry, mended.geometry)
    write_same(out, given.raw, geometry, changes)
    same = untouched(given.cells.geometry, mended.geometry)
    return Repaired(moves, after, given.raw.source.file, len(given.raw.rows), same)
