"""Checking again after an edit says what a full check says, at a cost that does not grow with the layer."""

import time

import numpy as np
import pytest
import shapely
from coverages import Nested, hexagons
from defects import moved_vertex

from gis_server.core.coverage.check import check
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.coverage.recheck import Standing


@pytest.fixture(scope="module")
def nested() -> Nested:
    return hexagons(30, 30)


def standing(nested: Nested) -> Standing:
    return Standing(Cells(nested.cells), nested.parent_of, Parents(nested.parents))


def full(edited: Standing, nested: Nested) -> list[tuple]:
    codes = np.array([f"P{i}" for i in range(len(nested.parents))], dtype=object)
    report = check(Cells(edited.geometry, None, codes[nested.parent_of]), Parents(nested.parents, codes))
    return told(f for f in report.findings if f.area_m2 > 0)


def told(findings) -> list[tuple]:
    return sorted((f.kind.value, f.fids, round(f.area_m2, 6)) for f in findings)


def test_random_edits_agree_with_a_full_check(nested):
    edited = standing(nested)
    rng = np.random.default_rng(11)
    for _ in range(40):
        row = int(rng.integers(len(nested.cells)))
        shape, _ = moved_vertex(
            edited.geometry[row], int(rng.integers(48)), float(rng.choice([-5, -0.05, 0.05, 5]))
        )
        if shapely.is_valid(shape):
            edited.edit({row: shape})
    assert told(edited.findings) == full(edited, nested)


def test_an_edit_undone_leaves_nothing(nested):
    edited = standing(nested)
    shape, _ = moved_vertex(nested.cells[77], 12, -5.0)
    first = edited.edit({77: shape})
    assert [f.kind.value for f in first.new] == ["gap"]
    assert first.open_parents == {int(nested.parent_of[77])}
    second = edited.edit({77: nested.cells[77]})
    assert second.gone == first.new
    assert second.new == ()
    assert second.exact
    assert edited.findings == []


def test_moving_a_shared_border_stays_exact(nested):
    """Both neighbours take the new vertex: the edit is proven without any geometry."""
    edited = standing(nested)
    row, at = 77, 12
    shape, _ = moved_vertex(nested.cells[row], at, -3.0)
    old, new = (shapely.get_coordinates(c)[at] for c in (nested.cells[row], shape))
    changes = {row: shape}
    for other in shapely.STRtree(nested.cells).query(shapely.Point(old), predicate="intersects").tolist():
        if other != row:
            xy = shapely.get_coordinates(nested.cells[other])
            xy[(xy == old).all(axis=1)] = new
            changes[other] = shapely.Polygon(xy)
    after = edited.edit(changes)
    assert after.exact
    assert after.new == ()


def test_the_cost_is_that_of_the_edit():
    def cost(side: int) -> float:
        nested = hexagons(side, side)
        edited = standing(nested)
        times = []
        for row in range(50, 50 + 20):
            shape, _ = moved_vertex(nested.cells[row], 12, -5.0)
            start = time.process_time()
            edited.edit({row: shape})
            edited.edit({row: nested.cells[row]})
            times.append((time.process_time() - start) / 2)
        return float(np.median(times))

    small, large = cost(20), cost(120)
    assert large < 3 * small + 0.005
    assert large < 0.05
