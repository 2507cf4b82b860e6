"""Properties: any tiling is certified and clean; injected defects are measured; the writing of the data is no matter."""

import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Kind, Report
from gis_server.core.coverage.layer import Cells, Parents

slow = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
ORIGIN = np.array([500_000.0, 4_000_000.0])


@st.composite
def tilings(draw) -> np.ndarray:
    """A square kilometre cut by random straight lines: convex cells of very unlike sizes, vertices shared."""
    count = draw(st.integers(2, 7))
    coordinate = st.integers(0, 100).map(lambda k: 10 * k)
    lines = [shapely.LineString(shapely.get_coordinates(shapely.box(0, 0, 1000, 1000)))]
    for _ in range(count):
        a, b = draw(coordinate), draw(coordinate)
        lines.append(shapely.LineString([(a, 0), (b, 1000)] if draw(st.booleans()) else [(0, a), (1000, b)]))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.union_all(lines))))
    cells = np.array([shapely.transform(f, lambda xy: xy + ORIGIN) for f in faces], dtype=object)
    # rounding may cross two lines that nearly touch: that is no tiling
    assume(shapely.is_valid(cells).all() and shapely.coverage_is_valid(cells))
    return cells


def parent_of(cells: np.ndarray) -> Parents:
    return Parents(np.array([shapely.coverage_union_all(cells)], dtype=object))


def comparable(report: Report) -> list[tuple]:
    return sorted((f.kind, round(f.area_m2, 4), round(f.width_m, 4)) for f in report.findings)


@slow
@given(tilings())
def test_any_tiling_is_certified_and_clean(cells):
    report = check(Cells(cells), parent_of(cells))
    assert report.findings == ()
    assert report.certificate.exact
    assert check(Cells(cells)).findings == ()


@slow
@given(tilings(), st.data())
def test_a_hole_is_a_gap_of_its_area(cells, data):
    row = data.draw(st.integers(0, len(cells) - 1))
    radius = data.draw(st.sampled_from([5.0, 0.05, 1e-4]))
    centre = shapely.point_on_surface(cells[row])
    if shapely.distance(centre, cells[row].boundary) < 2 * radius:
        return
    spoilt = cells.copy()
    spoilt[row] = cells[row].difference(shapely.buffer(centre, radius, quad_segs=2))
    lost = cells[row].area - spoilt[row].area
    report = check(Cells(spoilt), parent_of(cells), tolerance_m2=0)
    (finding,) = report.findings
    assert finding.kind in (Kind.GAP, Kind.MISSING_CELL)
    assert finding.fids == (row,)
    assert finding.area_m2 == pytest.approx(lost, rel=0.01, abs=1e-8)


@slow
@given(tilings(), st.data())
def test_writing_does_not_matter(cells, data):
    """Order of rows, first vertex, direction of rings and a rigid shift change nothing but row numbers."""
    row = data.draw(st.integers(0, len(cells) - 1))
    spoilt = cells.copy()
    spoilt[row] = shapely.buffer(cells[row], data.draw(st.sampled_from([-2.0, 3.0])), join_style="mitre")
    if not isinstance(spoilt[row], shapely.Polygon) or spoilt[row].is_empty:
        return
    above = parent_of(cells)
    expected = comparable(check(Cells(spoilt), above))
    order = np.random.default_rng(data.draw(st.integers(0, 99))).permutation(len(cells))
    assert comparable(check(Cells(spoilt[order]), above)) == expected
    turned = []
    for cell in spoilt:
        xy = shapely.get_coordinates(cell)[:-1]
        turned.append(shapely.Polygon(np.roll(xy, data.draw(st.integers(0, 5)), axis=0)[::-1]))
    assert comparable(check(Cells(np.array(turned, dtype=object)), above)) == expected

    def shifted(array):
        return np.array(
            [shapely.transform(g, lambda xy: xy + np.array([4096.0, -8192.0])) for g in array], dtype=object
        )

    moved = check(Cells(shifted(spoilt)), Parents(shifted(above.geometry)))
    told = comparable(moved)
    assert [k for k, *_ in told] == [k for k, *_ in expected]
    assert [a for _, a, _ in told] == pytest.approx([a for _, a, _ in expected], rel=1e-4, abs=1e-3)


@slow
@given(tilings())
def test_totals_agree_with_an_overlay(cells):
    """Gap, overlap and outside areas against unions and differences of shapely."""
    rng = np.random.default_rng(len(cells))
    spoilt = np.array(
        [shapely.transform(c, lambda xy: xy + rng.uniform(-3, 3, 2)) for c in cells], dtype=object
    )
    above = parent_of(cells)
    summary = check(Cells(spoilt), above, tolerance_m2=0).summary
    union, ground = shapely.union_all(spoilt), above.geometry[0]
    assert summary.gap_area_m2 == pytest.approx(shapely.area(ground - union), rel=1e-6, abs=1e-4)
    assert summary.outside_area_m2 == pytest.approx(shapely.area(union - ground), rel=1e-6, abs=1e-4)
