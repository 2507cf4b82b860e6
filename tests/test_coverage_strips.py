"""One border drawn twice is one gap and one overlap, however often the two lines cross; nothing else is put together."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Polygon, box

from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Finding, Kind
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.coverage.nearness import boxes_meeting, distance, edges_near


def objects(*values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def findings(*cells, **options) -> list[Finding]:
    return list(check(Cells(objects(*cells)), Parents(objects(box(0, 0, 200, 100))), **options).findings)


def east(*border) -> Polygon:
    """The eastern half with this western border, northward."""
    return Polygon([*border, (200, 100), (200, 0)])


WEST = box(0, 0, 100, 100)
ZIGZAG = [(100, 0), (103, 10), (97, 30), (103, 50), (97, 70), (103, 90), (100, 100)]
"""Crosses the line x = 100 four times: three patches east of it (a gap), two west of it (an overlap)."""


def test_a_border_drawn_twice_is_one_gap_and_one_overlap():
    other = east(*ZIGZAG)
    found = {f.kind: f for f in findings(WEST, other)}
    assert set(found) == {Kind.GAP, Kind.OVERLAP}
    both = shapely.intersection(WEST, other)
    free = shapely.difference(box(0, 0, 200, 100), shapely.union(WEST, other))
    for kind, ground in ((Kind.OVERLAP, both), (Kind.GAP, free)):
        assert shapely.area(shapely.symmetric_difference(found[kind].geometry, ground)) < 1e-9
    assert found[Kind.OVERLAP].area_m2 == pytest.approx(both.area)
    assert found[Kind.GAP].area_m2 == pytest.approx(free.area)
    assert len(shapely.get_parts(found[Kind.GAP].geometry)) == 3
    assert set(found[Kind.GAP].fids) == {0, 1}
    # the mean of the patches, each counted by its area
    assert 1.2 < found[Kind.OVERLAP].width_m < 2.0


def test_two_places_of_one_border_are_two_findings():
    bitten = east((100, 0), (100, 20), (103, 25), (100, 30), (100, 60), (103, 65), (100, 70), (100, 100))
    found = findings(WEST, bitten)
    assert [f.kind for f in found] == [Kind.GAP, Kind.GAP]
    assert [f.area_m2 for f in found] == pytest.approx([15, 15])


def test_borders_with_different_neighbours_stay_apart():
    south, north = box(0, 0, 100, 50), box(0, 50, 100, 100)
    found = findings(south, north, east(*ZIGZAG))
    assert all(len(f.fids) == 2 or f.kind is Kind.GAP for f in found)
    overlaps = {f.fids for f in found if f.kind is Kind.OVERLAP}
    assert overlaps == {(0, 2), (1, 2)}
    total = sum(f.area_m2 for f in found if f.kind is Kind.OVERLAP)
    assert total == pytest.approx(shapely.intersection(WEST, east(*ZIGZAG)).area)


def test_small_patches_of_a_strip_stay_near_misses():
    border = [(100, 0), (100.02, 10), (99.98, 30), (100.02, 50), (99.98, 70), (100.02, 90), (100, 100)]
    (near,) = findings(WEST, east(*border))
    assert near.kind is Kind.NEAR_MISS
    split = findings(WEST, east(*border), tolerance_m2=0)
    assert {f.kind for f in split} == {Kind.GAP, Kind.OVERLAP}
    assert sum(f.area_m2 for f in split) == pytest.approx(near.area_m2)


def test_sisters_beyond_their_parent_are_told_each_by_itself():
    """Their common border cancels inside the parent; beyond it, it still parts the ground of one from the other's."""
    south, north = box(0, 0, 210, 50), box(0, 50, 210, 100)
    next_door = box(200, 0, 400, 100)
    codes = objects("P", "P", "Q")
    report = check(
        Cells(objects(south, north, box(210, 0, 400, 100)), None, codes),
        Parents(objects(box(0, 0, 200, 100), next_door), objects("P", "Q")),
    )
    told = {f.fids: f.area_m2 for f in report.findings}
    assert {f.kind for f in report.findings} == {Kind.OUTSIDE}
    assert told == {(0,): pytest.approx(500), (1,): pytest.approx(500)}
    assert report.summary.outside_area_m2 == pytest.approx(1000)


places = st.tuples(st.integers(-40, 40), st.integers(-40, 40))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(places, min_size=1, max_size=30),
    st.lists(st.tuples(places, places, st.sampled_from([1.0, 0.01, 37.0])), min_size=1, max_size=30),
    st.sampled_from([0.25, 3.0, 20.0]),
)
def test_edges_near_points_are_all_found(points, edges, reach):
    at = np.array(points, dtype=float)
    a = np.array([p for p, _, _ in edges], dtype=float)
    b = a + np.array([np.subtract(q, p) * scale for p, q, scale in edges])
    found = set(zip(*(i.tolist() for i in edges_near(at, a, b, reach)), strict=True))
    lines = shapely.linestrings(np.stack([a, b], axis=1))
    expected = {
        (i, j)
        for i, p in enumerate(shapely.points(at))
        for j, line in enumerate(lines)
        if shapely.distance(p, line) <= reach
    }
    assert found == expected
    if found:
        i, j = (np.array(c) for c in zip(*sorted(found), strict=True))
        assert distance(at[i], a[j], b[j]) == pytest.approx(shapely.distance(shapely.points(at[i]), lines[j]))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(places, st.integers(0, 300)), max_size=25),
    st.lists(st.tuples(places, st.integers(0, 300)), max_size=25),
)
def test_boxes_that_meet_are_all_found_once(some, others):
    def corners(boxes):
        low = np.array([p for p, _ in boxes], dtype=float).reshape(-1, 2)
        return low, low + np.array([[size / 7, size / 3] for _, size in boxes], dtype=float).reshape(-1, 2)

    one, other = corners(some), corners(others)
    pairs = list(zip(*(i.tolist() for i in boxes_meeting(one, other)), strict=True))
    expected = {
        (i, j)
        for i in range(len(some))
        for j in range(len(others))
        if (one[0][i] <= other[1][j]).all() and (one[1][i] >= other[0][j]).all()
    }
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected
