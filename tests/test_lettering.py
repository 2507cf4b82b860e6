"""Letters on a map: none lies on another, and a name inside a polygon is whole inside it."""

from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_server.core.lettering import Board, Placed, Wording
from gis_server.core.sheet import SCALES, Format, Orientation, Paper, round_scale, scale_bar

FRAME = (0.0, 0.0, 200.0, 150.0)


def wording(width: float, height: float = 3.0) -> Wording:
    return Wording(("x",), width, height, height, 6.0)


def tiling(seed: int, number: int) -> list[shapely.Polygon]:
    """Cells around random points, which cover the frame."""
    points = np.random.default_rng(seed).uniform((0, 0), FRAME[2:], (number, 2))
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.MultiPoint(points), extend_to=shapely.box(*FRAME))
    )
    return [cell for cell in shapely.intersection(cells, shapely.box(*FRAME)) if not cell.is_empty]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.floats(2, 15))
def test_no_label_lies_on_another(seed: int, number: int, width: float) -> None:
    board = Board(FRAME)
    for cell in tiling(seed, number):
        label = board.inside(cell, [wording(width * 1.5), wording(width)])
        if label is not None:
            assert cell.buffer(1e-9).contains(label.outline)
        else:
            board.beside(cell, wording(width))
        board.around(cell, [wording(width * 2)])
        board.along(cell.exterior, wording(width))
    labels = board.placed
    assert all(not one.outline.intersects(other.outline) for one, other in combinations(labels, 2))
    leaders = [shapely.LineString(label.leader) for label in labels if label.leader]
    for line in leaders:
        assert not any(line.crosses(label.outline) for label in labels)
    assert all(shapely.box(*FRAME).buffer(1e-9).contains(label.outline) for label in labels)


def test_a_turned_name_is_never_upside_down() -> None:
    board = Board(FRAME)
    westward = shapely.LineString([(150, 100), (20, 40)])
    label = board.along(westward, wording(20))
    assert isinstance(label, Placed)
    assert abs(label.angle) <= np.pi / 2


@pytest.mark.parametrize("paper", Paper)
def test_letters_grow_with_the_paper(paper: Paper) -> None:
    form = Format(paper, Orientation.LANDSCAPE)
    assert form.growth >= 1
    assert form.width > form.height
    assert (form.quarter is None) == (paper in (Paper.A4, Paper.A3))


@given(st.floats(10, 30_000), st.floats(10, 30_000))
def test_the_scale_is_the_largest_round_one_that_fits(width: float, height: float) -> None:
    scale = round_scale((width, height), (250, 160))
    assert scale in SCALES
    assert width * 1000 / scale <= 250 * (1 + 1e-6)
    assert height * 1000 / scale <= 160 * (1 + 1e-6)
    larger = [one for one in SCALES if one < scale]
    if larger:
        assert width * 1000 / larger[-1] > 250 or height * 1000 / larger[-1] > 160


@pytest.mark.parametrize("scale", SCALES)
def test_a_scale_bar_is_round_and_fits(scale: int) -> None:
    metres, parts = scale_bar(scale, 50)
    assert 20 <= metres * 1000 / scale <= 50 * (1 + 1e-9)
    assert float(f"{metres:.0f}"[0]) in (1, 2, 5)
    assert parts in (4, 5)
