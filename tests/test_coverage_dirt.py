"""Whatever people bring ends in findings, never in a traceback."""

import numpy as np
import pytest
import shapely
from shapely import box

from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Kind, Severity
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.tree import check_tree
from gis_server.journeys.check import plane_of


def objects(*values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


WEST, EAST = box(0, 0, 50, 100), box(50, 0, 100, 100)
ABOVE = Parents(objects(box(0, 0, 100, 100)))


def kinds(*cells, above=ABOVE, **options):
    return [f.kind for f in check(Cells(objects(*cells)), above, **options).findings]


def test_z_and_m_are_dropped():
    tall = shapely.force_3d(EAST, 7.0)
    assert kinds(WEST, tall) == []


@pytest.mark.filterwarnings("ignore:invalid value")
def test_nan_and_infinite_coordinates():
    xy = shapely.get_coordinates(EAST)
    for bad in (np.nan, np.inf):
        spoilt = np.insert(xy, 2, [bad, 50.0], axis=0)
        assert kinds(WEST, shapely.Polygon(spoilt)) == [Kind.INVALID_GEOMETRY]


def test_lines_points_and_collections():
    assert kinds(WEST, EAST, shapely.Point(1, 1)) == [Kind.INVALID_GEOMETRY]
    assert kinds(WEST, EAST, shapely.LineString([(0, 0), (9, 9)])) == [Kind.INVALID_GEOMETRY]
    mixed = shapely.GeometryCollection([EAST, shapely.Point(3, 3)])
    assert kinds(WEST, mixed) == [Kind.INVALID_GEOMETRY]  # the polygon in it takes part


def test_nothing_but_dirt():
    report = check(Cells(objects(None, shapely.Polygon(), shapely.Point())), ABOVE)
    assert [f.kind for f in report.findings[:1]] == [
        Kind.MISSING_CELL
    ] or report.summary.gap_area_m2 == 10_000
    assert report.summary.coverage_pct == 0
    assert check(Cells(objects(None)), None).summary.within_area_m2 == 0
    assert check(Cells(objects()), None).findings == ()


def test_parents_that_are_dirt():
    report = check(Cells(objects(WEST, EAST)), Parents(objects(None, box(0, 0, 100, 100))))
    assert report.findings == ()
    report = check(Cells(objects(WEST, EAST)), Parents(objects(None)))
    assert {f.kind for f in report.findings} == {Kind.OUTSIDE}


def test_invalid_rings_of_every_sort():
    bow = shapely.Polygon([(50, 0), (100, 100), (100, 0), (50, 100)])
    spike = shapely.Polygon([(50, 0), (100, 0), (100, 100), (75, 100), (75, 150), (75, 100), (50, 100)])
    hole_outside = shapely.Polygon(shapely.get_coordinates(EAST), [[(200, 0), (210, 0), (210, 10)]])
    nested = shapely.MultiPolygon([EAST, box(60, 10, 70, 20)])
    for shape in (bow, spike, hole_outside, nested):
        found = check(Cells(objects(WEST, shape)), ABOVE).findings
        assert Kind.INVALID_GEOMETRY in {f.kind for f in found}
        assert all(isinstance(str(f.message), str) for f in found)


def test_ring_of_a_hundred_thousand_vertices():
    angle = np.linspace(0, 2 * np.pi, 100_000, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 1000
    inner = shapely.Polygon(ring)
    outer = shapely.Polygon(shapely.get_coordinates(box(-2000, -2000, 2000, 2000)), [ring[::-1]])
    above = Parents(objects(box(-2000, -2000, 2000, 2000)))
    assert kinds(inner, outer, above=above) == []
    smaller = shapely.Polygon(ring * 0.999)
    (gap,) = check(Cells(objects(smaller, outer)), above).findings
    assert gap.kind is Kind.GAP
    assert gap.width_m == pytest.approx(1.0, rel=0.01)


def test_thousands_of_holes():
    side = 40
    xs = [(10 * i, 10 * j) for i in range(side) for j in range(side)]
    cells = [box(x + 2, y + 2, x + 8, y + 8) for x, y in xs]
    hub = shapely.Polygon(
        shapely.get_coordinates(box(0, 0, 10 * side, 10 * side)),
        [shapely.get_coordinates(c)[::-1] for c in cells],
    )
    above = Parents(objects(box(0, 0, 10 * side, 10 * side)))
    report = check(Cells(objects(hub, *cells)), above)
    assert report.findings == ()
    assert report.certificate.exact
    lost = check(Cells(objects(hub, *cells[1:])), above)
    assert [f.area_m2 for f in lost.findings] == [pytest.approx(36)]
    bare = check(Cells(objects(hub)), above)
    assert bare.summary.gap_area_m2 == pytest.approx(36 * side * side)
    assert len(bare.findings) == side * side


def test_degrees_are_measured_in_metres():
    lon, lat, step = 132.5, 47.6, 0.01
    grids = [box(lon + i * step, lat, lon + (i + 1) * step, lat + step) for i in range(3)]
    grids[1] = box(lon + step, lat, lon + 2 * step, lat + step * 0.99)
    cells = objects(*grids)
    above = Parents(objects(box(lon, lat, lon + 3 * step, lat + step)))
    (gap,) = check(Cells(cells), above, plane=plane_of(cells, "EPSG:4490")).findings
    assert gap.width_m == pytest.approx(11.1, rel=0.01)
    assert gap.area_m2 == pytest.approx(11.1 * 751.7, rel=0.01)


def test_straight_in_one_system_bowed_in_another_is_no_defect():
    """A T-junction on a long edge, taken from metres to degrees: the vertex leaves the line by millimetres."""

    def to_degrees(xy):
        x, y = project_back(xy)
        return np.stack([x, y], axis=1)

    from gis_server.core.geometry import project  # noqa: PLC0415

    def project_back(xy):
        return project(xy[:, 0], xy[:, 1], "EPSG:4549", "EPSG:4490")

    metres = [box(500_000, 5_270_000, 501_000, 5_271_000)]
    metres += [box(501_000, 5_270_000, 502_000, 5_270_437), box(501_000, 5_270_437, 502_000, 5_271_000)]
    turn = shapely.affinity.rotate
    metres = [turn(m, 20, origin=(500_000, 5_270_000)) for m in metres]
    cells = np.array([shapely.transform(m, to_degrees) for m in metres], dtype=object)
    strict = check(Cells(cells), plane=plane_of(cells, "EPSG:4490"))
    assert {f.kind for f in strict.findings} <= {Kind.NEAR_MISS}
    lenient = check(Cells(cells), plane=plane_of(cells, "EPSG:4490", bend=3e-8))
    assert lenient.findings == ()


def test_another_metric_system_changes_nothing_but_coordinates():
    plane = Plane(to_metres=lambda xy: xy * 0.3048)
    feet = objects(box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000), box(1900, 0, 3000, 1000))
    (overlap,) = check(Cells(feet), plane=plane).findings
    assert overlap.area_m2 == pytest.approx(100 * 1000 * 0.3048**2)
    assert overlap.width_m == pytest.approx(100 * 0.3048)


def test_areas_level_by_level():
    county, north, south = box(0, 0, 100, 100), box(0, 50, 100, 100), box(0, 0, 100, 50)
    shapes = objects(
        county, north, box(0, 0, 60, 50), box(60, 0, 100, 50), box(0, 50, 50, 100), box(50, 50, 100, 90)
    )
    codes = objects("county", "north", "c1", "c2", "n1", "n2")
    above = objects(None, "county", "county", "county", "north", "north")
    report = check_tree(Cells(shapes, codes, above))
    (gap,) = report.findings
    assert gap.area_m2 == pytest.approx(500)
    assert gap.severity is Severity.ERROR
    assert "n2" in gap.codes
    assert not report.certificate.exact
    del south


def test_circular_parent_codes_do_not_hang():
    report = check_tree(Cells(objects(WEST, EAST), objects("a", "b"), objects("b", "a")))
    assert report.summary.within_area_m2 == pytest.approx(10_000)
