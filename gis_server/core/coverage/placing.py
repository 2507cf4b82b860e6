"""Addresses checked against grids that are in force already (V11): the other side of a check of grids."""

import numpy as np
import shapely

from gis_server.core.coverage.case import Case
from gis_server.core.coverage.cover import Ground
from gis_server.core.coverage.edges import Indices
from gis_server.core.coverage.facts import Addresses, misplaced_address, placed
from gis_server.core.coverage.findings import Finding
from gis_server.core.coverage.intake import take_in
from gis_server.core.coverage.layer import Cells, Plane
from gis_server.core.coverage.rules import Rules


def check_placing(
    addresses: Addresses, grids: Cells, *, rules: Rules, rows: Indices | None = None
) -> tuple[Finding, ...]:
    """A finding for each address that lies in no grid, or inside several; ``rows`` are its row numbers in the input.

    Places and grids are in one reference system; so are the findings' points.
    """
    polygons = take_in(grids.geometry).polygons
    active = np.asarray(~shapely.is_missing(polygons))
    case = Case(grids, None, polygons, Ground(polygons), active, rules, rules.tolerance_m2, Plane())
    where = placed(case, addresses.places)
    points = shapely.points(addresses.places)
    found = []
    for at in map(int, np.flatnonzero((where.cell < 0) | (where.inside > 1))):
        row = at if rows is None else int(rows[at])
        inside = int(where.inside[at])
        found.append(misplaced_address(rules, addresses.codes[at], row, points[at], inside, fids=(row,)))
    return tuple(found)
