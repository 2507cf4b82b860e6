"""Mend grids in a file: plan, apply, check again, write."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.catalogue import Catalogue
from gis_server.core.coverage.check import check
from gis_server.core.coverage.document import Input
from gis_server.core.coverage.findings import Report
from gis_server.core.coverage.layer import Cells
from gis_server.core.coverage.repair import Limits, RepairPlan, apply, plan_repair
from gis_server.core.geometry import LOCAL_CRS, STORAGE_CRS, parse_crs, transform
from gis_server.files.same import check_writable, write_same
from gis_server.journeys.check import How, read_grids

_METRES_A_DEGREE = 111_320.0


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was planned and done, and the check of what came out; ``untouched`` counts rows left to the last bit."""

    plan: RepairPlan
    after: Report
    source: Input
    cells: Cells
    untouched: int

    @property
    def needs_a_person(self) -> bool:
        """Whether an error stands that only a person can decide."""
        return bool(self.after.errors)

    def to_lonlat(self, geometries: NDArray[np.object_]) -> NDArray[np.object_]:
        """Geometries of moves and findings in longitude/latitude; as they are on a local plane."""
        crs = self.source.crs
        return geometries if crs == LOCAL_CRS else transform(geometries, crs, STORAGE_CRS)


def repair_file(
    catalogue: Catalogue, grids: Path, within: Path | None, out: Path, *, limits: Limits, how: How
) -> Repaired:
    """Mend the grids of a file within ``limits`` and write them to ``out``: all rows, all columns, the same CRS.

    Raises UnusableInput, UnknownCrs or UnknownEncoding where a file cannot be used; nothing is written then.
    """
    check_writable(out)
    given = read_grids(catalogue, grids, within, how)
    source = given.raw.source
    degrees = source.crs != LOCAL_CRS and not parse_crs(source.crs).is_projected
    plan = plan_repair(
        given.cells,
        given.parents,
        limits=limits,
        rules=given.rules,
        plane=given.plane,
        unit_m=_METRES_A_DEGREE if degrees else 1.0,
    )
    mended = apply(given.cells, plan.moves)
    after = check(mended, given.parents, rules=given.rules, plane=given.plane)
    changes: dict[str, NDArray[np.object_]] = {}
    if given.parent_column is not None and any(m.parent_code is not None for m in plan.moves):
        column = given.raw.columns[given.parent_column].astype(object)
        for move in plan.moves:
            if move.parent_code is not None:
                row, code = move.parent_code
                column[row] = code
        changes[given.parent_column] = column
    write_same(out, given.raw, mended.geometry, changes, grids)
    same = sum(
        a is b or (a is not None and b is not None and bool(shapely.equals_exact(a, b)))
        for a, b in zip(given.cells.geometry, mended.geometry, strict=True)
    )
    read = Input(source.file, source.features, source.crs, source.encoding)
    return Repaired(plan, after, read, given.cells, same)
