"""Faces and unions made from edges at once are those that shapely makes one by one."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gis_server.core.coverage.tracing import faces_of, joined

place = st.tuples(st.integers(0, 12), st.integers(0, 12))


def drawn(polygons) -> list[bytes]:
    return sorted(shapely.to_wkb(shapely.normalize(np.asarray(polygons, dtype=object))).tolist())


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(place, min_size=2, max_size=7), min_size=1, max_size=25))
def test_faces_are_those_of_polygonize(paths):
    """Crossing, touching and nested rings, dangling ends and bridges between rings."""
    lines = [shapely.LineString([*path, path[0]] if len(path) > 3 else path) for path in paths]
    noded = shapely.union_all(lines)
    expected = shapely.get_parts(shapely.polygonize([noded]))
    found = faces_of(noded)
    assert shapely.is_valid(found).all()
    assert drawn(found) == drawn(expected)


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 8), st.data())
def test_joined_polygons_are_their_unions(side, data):
    boxes = np.array(
        [shapely.box(x, y, x + 1, y + 1) for x in range(side) for y in range(side)], dtype=object
    )
    group = np.array(data.draw(st.lists(st.integers(0, 2), min_size=side**2, max_size=side**2)))
    # a diamond inside a box: a hole, and ground that touches it in whole edges
    inner = shapely.Polygon([(0.5, 0.2), (0.8, 0.5), (0.5, 0.8), (0.2, 0.5)])
    boxes[0] = boxes[0].difference(inner)
    boxes, group = np.append(boxes, inner), np.append(group, data.draw(st.integers(0, 2)))
    order = np.argsort(group, kind="stable")
    made = joined(boxes[order], group[order], np.zeros(len(boxes), dtype=bool))
    found, of_group = made.polygon, made.group
    assert len(made.left) == 0
    assert shapely.is_valid(found).all()
    for number in np.unique(group):
        expected = shapely.get_parts(shapely.union_all(boxes[group == number]))
        assert drawn(found[of_group == number]) == drawn(expected)


def test_directions_a_rounding_apart_are_told_apart():
    far = np.array([500_000.0, 1e-6])
    ends = far + np.array([(1000.0, 0.0), (1000.0, 4.656612873077393e-10), (1000.0, -1.0)])
    lines = [shapely.LineString([far, end]) for end in ends]
    lines += [shapely.LineString(ends[:2]), shapely.LineString([ends[0], ends[2]])]
    noded = shapely.multilinestrings(lines)
    assert drawn(faces_of(noded)) == drawn(shapely.get_parts(shapely.polygonize([noded])))


def test_groups_that_do_not_meet_in_whole_edges_are_left():
    beside = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)]
    over = [shapely.box(0, 0, 2, 2), shapely.box(0, 0, 2, 1)]
    half = [shapely.box(0, 0, 2, 1), shapely.box(0, 1, 1, 2), shapely.box(1, 1, 2, 2)]
    shapes = np.array([*beside, *over, *half], dtype=object)
    group = np.array([4, 4, 5, 5, 6, 6, 6])
    found = joined(shapes, group, group == 6)
    assert found.left.tolist() == [5, 6]
    assert found.group.tolist() == [4]
    assert found.polygon[0].equals(shapely.box(0, 0, 2, 1))


def test_nothing_encloses_nothing():
    assert len(faces_of(shapely.MultiLineString())) == 0
    assert len(faces_of(shapely.LineString([(0, 0), (1, 1)]))) == 0
