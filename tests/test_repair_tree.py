"""Mending a whole tree: county ⊃ town ⊃ community ⊃ grid ⊃ sub-grid, ragged; the border above is law, children follow."""

import numpy as np
import pytest
import shapely
from coverages import hexagons
from defects import ring
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Kind, Severity
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.repair import Act, Limits, Nature, TreeRepair, repair_tree
from gis_server.core.coverage.tree import check_tree

DEFAULT = Limits()
A_PERSONS = {
    Kind.CONTAINED,
    Kind.DUPLICATE_GEOMETRY,
    Kind.MISSING_CELL,
    Kind.EMPTY_GEOMETRY,
    Kind.WRONG_PARENT,
}


def texts(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def halves(cell: shapely.Polygon) -> list[shapely.Polygon]:
    """A cell cut in two from corner to corner: both have its vertices."""
    xy = ring(cell)
    return [shapely.Polygon(xy[:25]), shapely.Polygon(np.concatenate([xy[24:], xy[:1]]))]


def made() -> tuple[Cells, np.ndarray]:
    """A county of three towns and one ragged corner (four communities directly in it), 16 communities, 144 grids,
    and sub-grids in the first grids: all levels come out to the last bit."""
    nested = hexagons(12, 12, block=3)
    shapes, codes, above, natures = [], [], [], []

    def add(shape, code, parent, nature):
        shapes.append(shape)
        codes.append(code)
        above.append(parent)
        natures.append(nature)

    town_of = [(c // 4) // 2 * 2 + (c % 4) // 2 for c in range(16)]
    add(shapely.coverage_union_all(nested.parents), "23", None, Nature.AREA)
    for town in range(3):
        union = shapely.coverage_union_all(nested.parents[[c for c in range(16) if town_of[c] == town]])
        add(union, f"23-{town}", "23", Nature.AREA)
    for community in range(16):
        town = town_of[community]
        parent = "23" if town == 3 else f"23-{town}"
        add(nested.parents[community], f"23-{town}-{community:02d}", parent, Nature.AREA)
    for cell, community in enumerate(nested.parent_of):
        add(
            nested.cells[cell],
            f"23-{town_of[community]}-{community:02d}-{cell:03d}",
            f"23-{town_of[community]}-{community:02d}",
            Nature.GRID,
        )
    for cell in (0, 1, 26, 39, 40, 41):
        parent = codes[20 + cell]
        for i, part in enumerate(halves(nested.cells[cell])):
            add(part, f"{parent}-{i}", parent, Nature.SUB_GRID)
    return Cells(texts(shapes), texts(codes), texts(above)), np.array(natures)


CELLS, NATURES = made()
INDEX = {code: i for i, code in enumerate(CELLS.codes)}


def spoilt(changes: dict[int, shapely.Geometry]) -> Cells:
    geometry = CELLS.geometry.copy()
    for row, shape in changes.items():
        geometry[row] = shape
    return Cells(geometry, CELLS.codes, CELLS.parent_codes)


def moved(row: int, x: float, y: float = 0.0) -> shapely.Geometry:
    return shapely.transform(CELLS.geometry[row], lambda xy: xy + np.array([x, y]))


def same_ground(one: shapely.Geometry, other: shapely.Geometry) -> bool:
    """Whether two borders are one up to a rounding: vertices may have been sewn in."""
    return bool(shapely.hausdorff_distance(shapely.boundary(one), shapely.boundary(other)) < 1e-8)


def assert_whole(given_cells: Cells, done: TreeRepair) -> None:
    """All levels exact, nothing above tolerance left, nobody lost, and a second run does nothing."""
    proof = check_tree(done.cells, tolerance_m2=0)
    assert proof.findings == ()
    assert proof.certificate.exact
    for level in done.levels:
        assert level.after.errors == ()
        if level.parents is not None:
            assert level.after.certificate.exact
    assert len(done.cells.geometry) == len(given_cells.geometry)
    assert (done.cells.codes == given_cells.codes).all()
    assert (done.cells.parent_codes == given_cells.parent_codes).all()
    assert not shapely.is_empty(done.cells.geometry).any()
    again = repair_tree(done.cells, natures=NATURES)
    assert again.moves == ()
    assert again.cells is done.cells


def test_a_sound_tree_is_left_alone():
    done = repair_tree(CELLS, natures=NATURES)
    assert done.cells is CELLS
    assert done.moves == ()
    assert check_tree(CELLS, tolerance_m2=0).certificate.exact


def test_a_town_moved_takes_its_communities_grids_and_sub_grids_along():
    given_cells = spoilt({INDEX["23-0"]: moved(INDEX["23-0"], 0.6, 0.25)})
    assert check_tree(given_cells).summary.errors > 10
    done = repair_tree(given_cells, natures=NATURES)
    assert_whole(given_cells, done)
    (county,) = [level for level in done.levels if 0 in level.rows]
    assert county.moves == ()
    assert same_ground(done.cells.geometry[0], CELLS.geometry[0])
    # what lies nowhere near the moved border keeps its bits
    far = [i for i, code in enumerate(CELLS.codes) if code.startswith("23-3-15")]
    assert len(far) == 10
    assert all(done.cells.geometry[i] is given_cells.geometry[i] for i in far)


def test_children_follow_however_narrow_the_limits():
    """What the town got or lost, its communities and grids get or lose, whatever it is wide."""
    given_cells = spoilt(
        {INDEX["23-1"]: shapely.buffer(CELLS.geometry[INDEX["23-1"]], 4, join_style="mitre")}
    )
    done = repair_tree(given_cells, natures=NATURES, limits=Limits(5.0, 5.0))
    assert_whole(given_cells, done)
    # the town kept ground of its neighbours or gave it back: below, nobody was asked again
    town = INDEX["23-1"]
    exchanged = shapely.symmetric_difference(done.cells.geometry[town], CELLS.geometry[town]).area
    if exchanged:
        below = [move for level, move in done.moves if level.nature is not Nature.AREA]
        assert below


def test_wide_ground_granted_above_is_handed_down():
    """A town gets 3 m of no man's land within its limits; its communities fit their old border, and follow."""
    town = INDEX["23-0"]
    mine = [i for i, c in enumerate(CELLS.codes) if c.startswith("23-0")]
    cut = shapely.buffer(CELLS.geometry[0], -3, join_style="mitre")
    changes = {i: shapely.intersection(CELLS.geometry[i], cut) for i in mine}
    given_cells = spoilt(changes)
    done = repair_tree(given_cells, natures=NATURES, limits=Limits(4.0, 1.0))
    assert_whole(given_cells, done)
    narrow = repair_tree(given_cells, natures=NATURES, limits=Limits(1.0, 1.0))
    assert {move.act for _, move in narrow.moves} == {Act.ALIGN}  # the town's bay is a person's
    assert {f.kind for f in narrow.after.errors} <= {Kind.GAP, Kind.BAY}
    assert shapely.area(narrow.cells.geometry[town]) == pytest.approx(
        shapely.area(given_cells.geometry[town])
    )


def test_only_what_is_wanted_and_what_follows_from_it():
    town, grid = INDEX["23-0"], INDEX["23-2-12-108"]
    given_cells = spoilt({town: moved(town, 0.6, 0.25), grid: shapely.buffer(CELLS.geometry[grid], -0.3)})
    none = repair_tree(given_cells, natures=NATURES, wanted=lambda _: False)
    assert none.cells is given_cells
    assert none.moves == ()
    assert any(level.plan.moves for level in none.levels)
    upper = set(np.flatnonzero(CELLS.parent_codes == "23"))
    touched = {i for level in none.levels for m in level.plan.moves for i in level.rows[list(m.rows)]}
    assert {town, grid} <= touched
    towns_only = repair_tree(
        given_cells, natures=NATURES, wanted=lambda m: {INDEX[c] for c in m.finding.codes} <= upper
    )
    assert towns_only.cells.geometry[grid] is given_cells.geometry[grid]
    proof = check_tree(towns_only.cells)
    assert {f.kind for f in proof.findings if f.severity is Severity.ERROR} == {Kind.BAY}
    assert len(proof.errors) == 1


def test_a_wrong_parent_code_is_put_right_at_its_level():
    codes = CELLS.parent_codes.copy()
    row = INDEX["23-0-05"]
    codes[row] = "23-1"
    given_cells = Cells(CELLS.geometry, CELLS.codes, codes)
    done = repair_tree(given_cells, natures=NATURES)
    assert [move.act for _, move in done.moves] == [Act.REPARENT]
    assert (done.cells.parent_codes == CELLS.parent_codes).all()
    assert check_tree(done.cells, tolerance_m2=0).certificate.exact


def test_sub_grids_need_not_fill_their_grid_but_stay_inside():
    one, other = (INDEX[f"23-0-00-000-{i}"] for i in (0, 1))
    inner = shapely.buffer(CELLS.geometry[one], -10)
    given_cells = spoilt({one: inner, other: moved(other, 0.5)})
    done = repair_tree(given_cells, natures=NATURES)
    assert done.cells.geometry[one] is inner
    assert {move.act for _, move in done.moves} <= {Act.WITHDRAW, Act.YIELD, Act.ALIGN}
    grid = done.cells.geometry[INDEX["23-0-00-000"]]
    assert shapely.difference(done.cells.geometry[other], grid).area < 1e-6
    assert done.after.errors == ()


def test_what_exceeds_the_limits_is_left_at_its_level():
    town = INDEX["23-0"]
    given_cells = spoilt({town: moved(town, 8.0)})
    done = repair_tree(given_cells, natures=NATURES)
    assert done.after.errors
    towns = next(level for level in done.levels if town in level.rows)
    assert towns.plan.left


def test_the_top_may_lie_within_borders_that_stay():
    """Grids within communities of another file: the communities are law and are not sewn."""
    grids = np.flatnonzero(NATURES == Nature.GRID)
    above = np.array([i for i, c in enumerate(CELLS.codes) if c.count("-") == 2])
    row = int(grids[40])
    given_cells = spoilt({row: moved(row, 0.3, 0.1)})
    part = Cells(given_cells.geometry[grids], CELLS.codes[grids], CELLS.parent_codes[grids])
    parents = Parents(CELLS.geometry[above], CELLS.codes[above])
    done = repair_tree(part, parents)
    (level,) = done.levels
    assert level.parents is parents
    assert {f.severity for f in level.after.findings} <= {Severity.OPTION}


def test_a_tree_in_degrees():
    """The same in longitude and latitude, where a metre is 1e-5."""

    def small(xy):
        return (xy - (500_000, 4_000_000)) * (1.2e-5, 0.9e-5) + (131, 47)

    shapes = shapely.transform(CELLS.geometry, small)
    town = INDEX["23-2"]
    shapes[town] = shapely.transform(shapes[town], lambda xy: xy + np.array([4e-6, 2e-6]))
    plane = Plane(lambda xy: (xy - (131, 47)) / (1.2e-5, 0.9e-5))
    given_cells = Cells(shapes, CELLS.codes, CELLS.parent_codes)
    done = repair_tree(given_cells, natures=NATURES, plane=plane, unit_m=111_320)
    proof = check_tree(done.cells, tolerance_m2=0, plane=plane)
    assert proof.findings == ()
    assert proof.certificate.exact


@st.composite
def defects(draw):
    """A few rows of any level, each spoilt by less than the limits."""
    changes = {}
    for row in draw(st.lists(st.integers(1, len(CELLS.geometry) - 1), min_size=1, max_size=4, unique=True)):
        shape = CELLS.geometry[row]
        size = draw(st.sampled_from([0.4, 0.05, 1e-3, 1e-6]))
        kind = draw(st.integers(0, 3))
        if kind == 0:
            shape = moved(row, size, -size / 2)
        elif kind in (1, 2):
            shape = shapely.buffer(shape, size if kind == 1 else -size, join_style="mitre")
        else:
            xy = ring(shape)
            xy[draw(st.integers(0, len(xy) - 1))] += size
            shape = shapely.Polygon(xy)
        changes[row] = shape
    return changes


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(defects())
def test_any_defect_of_any_level_is_mended_from_the_top(changes):
    assume(all(isinstance(s, shapely.Polygon) and s.is_valid for s in changes.values()))
    given_cells = spoilt(changes)
    assume(not {f.kind for f in check_tree(given_cells).findings} & A_PERSONS)
    done = repair_tree(given_cells, natures=NATURES)
    assume(all(level.plan.left == () for level in done.levels))
    hosts = set(CELLS.parent_codes[NATURES == Nature.SUB_GRID])
    # sub-grids need not fill their grid: ground that a spoilt grid claimed is none that it was granted
    unfilled = [
        row
        for row in changes
        if NATURES[row] != Nature.AREA and (CELLS.codes[row] in hosts or NATURES[row] == Nature.SUB_GRID)
    ]
    for level in done.levels:
        if level.nature is Nature.SUB_GRID:
            inside = check(
                Cells(done.cells.geometry[level.rows], level.cells.codes, level.cells.parent_codes),
                level.parents,
                inside_only=True,
            )
            assert inside.errors == ()
        elif level.parents is not None:
            assert level.after.certificate.exact
            assert level.after.errors == ()
    assert same_ground(done.cells.geometry[0], CELLS.geometry[0])
    assert shapely.is_valid(done.cells.geometry).all()
    assert (done.cells.parent_codes == CELLS.parent_codes).all()
    again = repair_tree(done.cells, natures=NATURES)
    assert again.moves == ()
    if not unfilled:
        assert_whole(given_cells, done)


@pytest.mark.parametrize("order", [1, 2])
def test_the_order_of_rows_changes_nothing(order):
    changes = {INDEX["23-0"]: moved(INDEX["23-0"], 0.6, 0.25)}
    given_cells = spoilt(changes)
    turned = np.random.default_rng(order).permutation(len(CELLS.geometry))
    shuffled = Cells(given_cells.geometry[turned], CELLS.codes[turned], CELLS.parent_codes[turned])
    one, other = repair_tree(given_cells, natures=NATURES), repair_tree(shuffled, natures=NATURES[turned])
    assert check_tree(other.cells, tolerance_m2=0).certificate.exact
    assert shapely.area(one.cells.geometry)[turned] == pytest.approx(shapely.area(other.cells.geometry))
