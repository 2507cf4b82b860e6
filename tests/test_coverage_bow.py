"""A straight line of one reference system bows in another: that is no sliver, but nothing may hide behind it."""

import numpy as np
import pytest
import shapely
from shapely import box
from ways import laid, objects

from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Report
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.geometry import STORAGE_CRS
from gis_server.journeys.check import BEND, plane_of

SIDE = 1000.0
"""A community of 3 × 3 grids of this side: its own sides are 3 km long, without a vertex where the grids meet."""


def in_degrees(cells: list[shapely.Polygon], parent: shapely.Polygon) -> Report:
    laid_cells, laid_parent = laid(cells), laid([parent])
    plane = plane_of(laid_cells, STORAGE_CRS, bend=BEND)
    codes = objects([str(i) for i in range(len(cells))])
    return check(Cells(laid_cells, codes), Parents(laid_parent, objects(["P"])), plane=plane)


def nine() -> list[shapely.Polygon]:
    return [box(SIDE * i, SIDE * j, SIDE * (i + 1), SIDE * (j + 1)) for j in range(3) for i in range(3)]


def test_a_long_side_without_the_vertices_of_its_grids_is_no_sliver() -> None:
    square = box(0, 0, 3 * SIDE, 3 * SIDE)
    # in degrees the side and the row of grids are up to 12 cm apart
    assert shapely.hausdorff_distance(laid([square])[0], shapely.union_all(laid(nine()))) > 1e-7
    assert in_degrees(nine(), square).findings == ()


def test_vertices_of_both_sides_in_turns_are_no_sliver() -> None:
    ring = [(x, 0.0) for x in (0, 450, 1700, 2300, 3000)] + [(3000.0, 3000.0), (0.0, 3000.0)]
    assert in_degrees(nine(), shapely.Polygon(ring)).findings == ()


def densified(step: float) -> shapely.Polygon:
    return shapely.segmentize(box(0, 0, 3 * SIDE, 3 * SIDE), step)


@pytest.mark.parametrize("width", [0.03, 0.1])
def test_a_strip_along_many_short_edges_is_told(width: float) -> None:
    """Taken as one edge of 3 km, 3 cm would be the bow of it."""
    parent = densified(50.0)
    narrow = shapely.box(0, 0, 3 * SIDE, 3 * SIDE - width)
    cells = [shapely.segmentize(shapely.intersection(cell, narrow), 50.0) for cell in nine()]
    report = in_degrees(cells, parent)
    assert report.summary.gap_area_m2 == pytest.approx(3 * SIDE * width, rel=0.02)
    assert {f.kind.value for f in report.findings} == {"gap"}


def test_a_strip_as_wide_at_its_ends_as_in_the_middle_is_told() -> None:
    """Thinner than the bow of an edge of its length, but no bow: those end in tips."""
    cells = nine()
    width = 0.4 * BEND * SIDE**2
    cells[8] = box(2 * SIDE, 2 * SIDE, 3 * SIDE, 3 * SIDE - width)
    corners = [(x, y) for x in (0, 1, 2, 3) for y in (0, 1, 2, 3)]
    parent = shapely.snap(
        box(0, 0, 3 * SIDE, 3 * SIDE), shapely.multipoints(SIDE * np.array(corners, dtype=float)), 1e-9
    )
    (strip,) = in_degrees(cells, parent).findings
    assert strip.area_m2 == pytest.approx(width * SIDE, rel=0.02)
