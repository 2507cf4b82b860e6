"""Every kind of defect, from metres down to a micrometre, is found, named and measured; sound data yield nothing."""

import numpy as np
import pytest
import shapely
from coverages import Nested, hexagons
from defects import moved_vertex, neighbour_over, replaced, ring

from gis_server.core.coverage.certificate import certify, certify_hierarchy
from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Kind, Report, Severity
from gis_server.core.coverage.layer import Cells, Parents

INNER, CORNER = 42, 0
SIZES = (5.0, 0.05, 1e-6)


@pytest.fixture(scope="module")
def nested() -> Nested:
    return hexagons(20, 20, block=5)


def codes_of(count: int, letter: str = "C") -> np.ndarray:
    return np.array([f"{letter}{i:05d}" for i in range(count)], dtype=object)


def run(nested: Nested, cells=None, parent_of=None, **options) -> Report:
    cells = nested.cells if cells is None else cells
    parent_of = nested.parent_of if parent_of is None else parent_of
    parent_codes = codes_of(len(nested.parents), "P")
    return check(
        Cells(cells, codes_of(len(cells)), parent_codes[parent_of]),
        Parents(nested.parents, parent_codes),
        **options,
    )


def test_sound_cells_have_a_certificate_and_no_finding(nested):
    report = run(nested)
    assert report.findings == ()
    assert report.certificate.exact
    assert report.certificate.edges == 400 * 48
    assert report.summary.coverage_pct == 100.0


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("at", [4, 12, 20, 28, 36, 44])
@pytest.mark.parametrize("direction", [-1, 1])
def test_gap_and_overlap_of_any_size(nested, size, at, direction):
    cell, area = moved_vertex(nested.cells[INNER], at, direction * size)
    other = neighbour_over(nested, INNER, at)
    (finding,) = run(nested, replaced(nested, INNER, cell), tolerance_m2=0).findings
    assert finding.kind is (Kind.OVERLAP if direction > 0 else Kind.GAP)
    assert set(finding.fids) == {INNER, other}
    assert finding.area_m2 == pytest.approx(area, rel=0.01)
    assert 0 < finding.width_m < 1.01 * size


@pytest.mark.parametrize("size", SIZES[1:])
@pytest.mark.parametrize("direction", [-1, 1])
def test_below_the_tolerance_it_is_a_near_miss_and_stays_in_the_totals(nested, size, direction):
    cell, area = moved_vertex(nested.cells[INNER], 12, direction * size)
    report = run(nested, replaced(nested, INNER, cell))
    (finding,) = report.findings
    assert finding.kind is Kind.NEAR_MISS
    assert finding.severity is Severity.WARNING
    assert finding.area_m2 == pytest.approx(area, rel=0.01)
    assert report.summary.gap_area_m2 + report.summary.overlap_area_m2 == pytest.approx(area, rel=0.01)


@pytest.mark.parametrize("size", SIZES)
def test_outside_the_outer_border(nested, size):
    cell, area = moved_vertex(nested.cells[CORNER], 12, size)
    (finding,) = run(nested, replaced(nested, CORNER, cell), tolerance_m2=0).findings
    assert finding.kind is Kind.OUTSIDE
    assert finding.fids == (CORNER,)
    assert finding.area_m2 == pytest.approx(area, rel=0.01)


@pytest.mark.parametrize("size", SIZES)
def test_on_another_parents_ground(nested, size):
    row, at, other = border_vertex(nested)
    cell, area = moved_vertex(nested.cells[row], at, size)
    found = run(nested, replaced(nested, row, cell), tolerance_m2=0).findings
    assert [f.kind for f in found] == [Kind.OUTSIDE, Kind.OTHER_PARENT_OVERLAP]
    assert set(found[1].fids) == {row, other}
    assert all(f.area_m2 == pytest.approx(area, rel=0.01) for f in found)


def border_vertex(nested: Nested) -> tuple[int, int, int]:
    row = 44
    for at in range(4, 48, 8):
        other = neighbour_over(nested, row, at)
        if other is not None and nested.parent_of[other] != nested.parent_of[row]:
            return row, at, other
    raise AssertionError


@pytest.mark.parametrize("width", SIZES)
def test_inlet_from_the_border(nested, width):
    start = ring(nested.cells[CORNER])[12]
    inward = np.asarray(nested.cells[CORNER].centroid.coords[0]) - start
    inward /= np.hypot(*inward)
    across = np.array([-inward[1], inward[0]]) * width / 2
    channel = shapely.Polygon(
        [
            start - inward * 5 - across,
            start + inward * 60 - across,
            start + inward * 60 + across,
            start - inward * 5 + across,
        ]
    )
    cut = nested.cells[CORNER].difference(channel)
    area = nested.cells[CORNER].area - cut.area
    report = run(nested, replaced(nested, CORNER, cut), tolerance_m2=0)
    (finding,) = report.findings
    assert finding.kind is Kind.BAY
    assert finding.area_m2 == pytest.approx(area, rel=0.01, abs=1e-8)


def test_missing_cell(nested):
    report = run(nested, np.delete(nested.cells, INNER), np.delete(nested.parent_of, INNER))
    (finding,) = report.findings
    assert finding.kind is Kind.MISSING_CELL
    assert len(finding.fids) == 6
    assert finding.area_m2 == pytest.approx(nested.cells[INNER].area)


@pytest.mark.parametrize("turned", [False, True])
def test_duplicate_row(nested, turned):
    twin = nested.cells[INNER]
    if turned:
        twin = shapely.Polygon(np.roll(ring(twin), 5, axis=0)[::-1])
    report = run(nested, np.append(nested.cells, twin), np.append(nested.parent_of, nested.parent_of[INNER]))
    (finding,) = report.findings
    assert finding.kind is Kind.DUPLICATE_GEOMETRY
    assert finding.fids == (INNER, 400)
    assert report.summary.overlap_area_m2 == pytest.approx(twin.area)


def test_two_neighbouring_duplicates_are_two_findings(nested):
    rows = [INNER, INNER + 1]
    report = run(
        nested,
        np.append(nested.cells, nested.cells[rows]),
        np.append(nested.parent_of, nested.parent_of[rows]),
    )
    assert {f.fids for f in report.findings} == {(42, 400), (43, 401)}


def test_contained_cell(nested):
    inner = shapely.buffer(nested.cells[INNER], -30)
    (finding,) = run(
        nested, np.append(nested.cells, inner), np.append(nested.parent_of, nested.parent_of[INNER])
    ).findings
    assert finding.kind is Kind.CONTAINED
    assert finding.fids == (400, INNER)
    assert finding.area_m2 == pytest.approx(inner.area)


@pytest.mark.parametrize("row", [INNER, 44])
def test_parent_id_that_contradicts_the_place(nested, row):
    parent_of = nested.parent_of.copy()
    parent_of[row] += 1
    (finding,) = run(nested, parent_of=parent_of).findings
    assert finding.kind is Kind.WRONG_PARENT
    assert finding.fids == (row,)


def test_parent_code_that_nobody_has(nested):
    codes = codes_of(len(nested.parents), "P")
    stated = codes[nested.parent_of]
    stated[INNER] = "P99999"
    report = check(Cells(nested.cells, parent_codes=stated), Parents(nested.parents, codes))
    (finding,) = report.findings
    assert finding.kind is Kind.WRONG_PARENT
    assert "P99999" in str(finding.message)


def test_parents_are_found_by_place_without_codes(nested):
    report = check(Cells(nested.cells), Parents(nested.parents))
    assert report.findings == ()
    assert report.certificate.exact


def test_vertex_without_a_counterpart(nested):
    xy = ring(nested.cells[INNER])
    exact, rounded = [], []
    for at in range(8, 40):
        middle = (xy[at - 1] + xy[at]) / 2
        report = run(nested, replaced(nested, INNER, shapely.Polygon(np.insert(xy, at, middle, axis=0))))
        on_line = shapely.intersects(shapely.LineString(xy[at - 1 : at + 1]), shapely.Point(middle))
        (exact if on_line else rounded).append(report)
    assert exact
    assert rounded
    # on the line to the last bit: the same point sets, and proven so
    assert all(r.findings == () and r.certificate.exact for r in exact)
    # off by a rounding: told without a warning, and not certified
    assert all([f.kind for f in r.findings] == [Kind.NEAR_MISS] for r in rounded)
    assert all(r.findings[0].severity is Severity.OPTION and not r.certificate.exact for r in rounded)


def test_missing_vertex_leaves_a_triangle(nested):
    xy = ring(nested.cells[INNER])
    triangle = shapely.Polygon(xy[11:14])
    (finding,) = run(
        nested, replaced(nested, INNER, shapely.Polygon(np.delete(xy, 12, axis=0))), tolerance_m2=0
    ).findings
    assert finding.kind in (Kind.GAP, Kind.OVERLAP)
    assert finding.area_m2 == pytest.approx(triangle.area, rel=0.01)


def test_broken_ring_is_one_defect(nested):
    xy = ring(nested.cells[INNER])
    xy[[12, 13]] = xy[[13, 12]]
    (finding,) = run(nested, replaced(nested, INNER, shapely.Polygon(xy))).findings
    assert finding.kind is Kind.INVALID_GEOMETRY
    assert finding.geometry.geom_type == "Point"
    assert finding.area_m2 > 0


def test_several_parts(nested):
    rows = [INNER, INNER + 2]
    both = shapely.MultiPolygon(list(nested.cells[rows]))
    report = run(
        nested,
        np.append(np.delete(nested.cells, rows), both),
        np.append(np.delete(nested.parent_of, rows), nested.parent_of[INNER]),
    )
    (finding,) = report.findings
    assert finding.kind is Kind.MULTIPART
    assert finding.severity is Severity.WARNING
    assert report.certificate.exact


def test_empty_and_missing_geometry(nested):
    more = np.empty(402, dtype=object)
    more[:400] = nested.cells
    more[400] = shapely.Polygon()
    report = run(nested, more, np.append(nested.parent_of, [0, 0]))
    assert [(f.kind, f.fids) for f in report.findings] == [
        (Kind.EMPTY_GEOMETRY, (400,)),
        (Kind.EMPTY_GEOMETRY, (401,)),
    ]


def test_many_defects_at_once_are_all_told_apart(nested):
    big = hexagons(60, 60)
    rng = np.random.default_rng(7)
    # far enough apart that no two share a neighbour
    rows = [60 * j + i for j in range(4, 58, 6) for i in range(4, 58, 6)]
    cells = big.cells.copy()
    expected = {}
    for row in rows:
        size = float(rng.choice(SIZES)) * rng.choice([-1, 1])
        cells[row], area = moved_vertex(cells[row], int(rng.choice([4, 12, 20, 28, 36, 44])), size)
        expected[row] = area
    found = run(big, cells, tolerance_m2=0).findings
    told = {}
    for finding in found:
        (row,) = set(finding.fids) & set(rows)
        told[row] = max(told.get(row, 0.0), finding.area_m2)
    assert set(told) == set(expected)
    assert all(told[row] == pytest.approx(expected[row], rel=0.01) for row in rows)


def test_certificate_sees_every_bit(nested):
    proof = certify(nested.cells, nested.parent_of, nested.parents)
    assert proof.exact
    xy = ring(nested.cells[INNER])
    xy[12, 0] = np.nextafter(xy[12, 0], np.inf)
    spoilt = certify(replaced(nested, INNER, shapely.Polygon(xy)), nested.parent_of, nested.parents)
    assert not spoilt.exact
    assert spoilt.open_parents == (int(nested.parent_of[INNER]),)
    assert spoilt.digest != proof.digest
    assert certify(nested.cells, nested.parent_of, nested.parents, salt=5).digest != proof.digest


def test_certificate_of_a_ragged_hierarchy(nested):
    # the county holds towns T0–T14 and, without a town between, the cells of parent 15
    county = shapely.coverage_union_all(nested.parents)
    towns = [f"T{i}" for i in range(15)]
    areas = [county, *nested.parents[:15], *nested.cells]
    codes = ["county", *towns, *(f"C{i}" for i in range(400))]
    above = [None, *["county"] * 15, *("county" if p == 15 else f"T{p}" for p in nested.parent_of)]
    proof, tiles = certify_hierarchy(np.array(areas, dtype=object), codes, above)
    assert proof.exact
    assert set(tiles) == {"county", *towns}
    above[20] = "T3"
    proof, tiles = certify_hierarchy(np.array(areas, dtype=object), codes, above)
    assert not proof.exact
    assert tiles["county"]
    assert not tiles["T3"]
