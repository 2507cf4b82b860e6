"""Repair: what is mended stays mended, untouched cells keep their bits, no row is lost, the rest is a person's."""

import numpy as np
import pytest
import shapely
from coverages import Nested, hexagons
from defects import moved_vertex, neighbour_over, replaced, ring

from gis_server.core.coverage.check import check
from gis_server.core.coverage.facts import Addresses
from gis_server.core.coverage.findings import Kind
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.coverage.repair import Act, Limits, Merits, Policy, RepairPlan, apply, plan_repair

INNER, CORNER = 42, 0
WIDE = Limits(6.0, 6.0)
SIZES = (5.0, 0.05, 1e-6)


@pytest.fixture(scope="module")
def nested() -> Nested:
    return hexagons(20, 20, block=5)


def given(nested: Nested, cells, parent_of=None, **more) -> tuple[Cells, Parents]:
    codes = np.array([f"P{i:03d}" for i in range(len(nested.parents))], dtype=object)
    parent_of = nested.parent_of if parent_of is None else parent_of
    own = np.array([f"{codes[p]}-{i}" for i, p in enumerate(parent_of)], dtype=object)
    return Cells(cells, more.pop("codes", own), codes[parent_of], **more), Parents(nested.parents, codes)


def assert_mended(cells: Cells, parents: Parents | None, most_touched: int, limits=WIDE, **how) -> RepairPlan:
    plan = plan_repair(cells, parents, limits=limits, **how)
    after = apply(cells, plan.moves)
    report = check(after, parents, tolerance_m2=0)
    assert report.findings == ()
    if parents is not None:
        assert report.certificate.exact
    assert plan.left == ()
    touched = [i for i, (a, b) in enumerate(zip(cells.geometry, after.geometry, strict=True)) if a is not b]
    assert len(touched) <= most_touched
    assert len(after.geometry) == len(cells.geometry)
    assert plan_repair(after, parents, limits=limits, **how).moves == ()
    return plan


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("direction", [-1, 1])
@pytest.mark.parametrize("row", [INNER, CORNER, 44])
@pytest.mark.parametrize("at", [4, 12, 20, 28, 36, 44])
def test_gaps_overlaps_bays_and_ground_outside(nested, size, direction, row, at):
    cells = replaced(nested, row, moved_vertex(nested.cells[row], at, direction * size)[0])
    assert_mended(*given(nested, cells), 2)


@pytest.mark.parametrize("size", SIZES)
def test_a_shifted_cell_is_brought_back_to_its_neighbours(nested, size):
    shifted = shapely.transform(nested.cells[INNER], lambda xy: xy + np.array([size, size / 3]))
    plan = assert_mended(*given(nested, replaced(nested, INNER, shifted)), 7)
    if size < 0.1:  # the cell that agrees with nobody gives way, and nobody else changes
        assert {row for move in plan.moves for row in move.rows} == {INNER}


@pytest.mark.parametrize("row", [INNER, CORNER, 44])
def test_a_shrunk_cell(nested, row):
    shrunk = shapely.buffer(nested.cells[row], -2, join_style="mitre")
    assert_mended(*given(nested, replaced(nested, row, shrunk)), 7)


def test_an_inlet_from_the_border(nested):
    start = ring(nested.cells[CORNER])[12]
    inward = np.asarray(nested.cells[CORNER].centroid.coords[0]) - start
    inward /= np.hypot(*inward)
    across = np.array([-inward[1], inward[0]]) * 2.5
    corners = [(-5, -1), (60, -1), (60, 1), (-5, 1)]
    channel = shapely.Polygon([start + inward * along + across * side for along, side in corners])
    cells = replaced(nested, CORNER, nested.cells[CORNER].difference(channel))
    plan = assert_mended(*given(nested, cells), 1)
    assert [m.finding.kind for m in plan.moves] == [Kind.BAY]
    assert apply(*given(nested, cells)[:1], plan.moves).geometry[CORNER].area == pytest.approx(
        nested.cells[CORNER].area
    )


def test_the_parents_border_is_law(nested):
    for row in (CORNER, 44):
        for at in range(4, 48, 8):
            other = neighbour_over(nested, row, at)
            if other is None or nested.parent_of[other] != nested.parent_of[row]:
                cells, parents = given(
                    nested, replaced(nested, row, moved_vertex(nested.cells[row], at, 5.0)[0])
                )
                plan = plan_repair(cells, parents, limits=Limits(0.1, 0.1))
                (move,) = plan.moves
                assert move.act is Act.WITHDRAW
                assert apply(cells, plan.moves).geometry[row].equals_exact(nested.cells[row])


def test_vertices_without_a_counterpart_are_inserted(nested):
    xy = ring(nested.cells[INNER])
    for at in range(8, 40):
        middle = (xy[at - 1] + xy[at]) / 2 + (0, 4e-4)
        cells = replaced(nested, INNER, shapely.Polygon(np.insert(xy, at, middle, axis=0)))
        plan = assert_mended(*given(nested, cells), 2)
        assert [m.act for m in plan.moves] == [Act.ALIGN]


def test_what_exceeds_the_limits_is_left(nested):
    cells, parents = given(nested, replaced(nested, INNER, moved_vertex(nested.cells[INNER], 12, -5.0)[0]))
    plan = plan_repair(cells, parents, limits=Limits(0.5, 0.5))
    assert plan.moves == ()
    assert [f.kind for f in plan.left] == [Kind.GAP]
    assert apply(cells, plan.moves) is cells


def test_limits_are_widths_not_areas(nested):
    """A strip of 0.2 m is mended however long it is; a hole of the same area is not."""
    thin = [shapely.box(0, 0, 500, 99.8), shapely.box(0, 100, 500, 200)]
    hole = [shapely.box(0, 0, 500, 100) - shapely.box(100, 40, 110, 50), shapely.box(0, 100, 500, 200)]
    ground = Parents(np.array([shapely.box(0, 0, 500, 200)], dtype=object))
    for shapes, mended in ((thin, True), (hole, False)):
        plan = plan_repair(Cells(np.array(shapes, dtype=object)), ground, limits=Limits(1.0, 1.0))
        assert bool(plan.moves) == mended
        assert bool(plan.left) != mended


@pytest.mark.parametrize("inner", [0.0, -30.0])
def test_duplicates_and_contained_cells_are_a_persons_decision(nested, inner):
    extra = nested.cells[INNER] if inner == 0 else shapely.buffer(nested.cells[INNER], inner)
    cells, parents = given(
        nested, np.append(nested.cells, extra), np.append(nested.parent_of, nested.parent_of[INNER])
    )
    plan = plan_repair(cells, parents, limits=WIDE)
    assert plan.moves == ()
    assert [f.kind for f in plan.left] == [Kind.CONTAINED if inner else Kind.DUPLICATE_GEOMETRY]


def test_a_missing_cell_and_an_empty_row_are_a_persons_decision(nested):
    shapes = nested.cells.copy()
    shapes[INNER] = None
    cells, parents = given(nested, shapes)
    plan = plan_repair(cells, parents, limits=Limits(1000, 1000))
    assert plan.moves == ()
    assert {f.kind for f in plan.left} == {Kind.MISSING_CELL, Kind.EMPTY_GEOMETRY}


def test_an_exclusive_grid_is_cut_out(nested):
    hospital = shapely.buffer(nested.cells[INNER], -30)
    exclusive = np.zeros(401, dtype=bool)
    exclusive[400] = True
    cells, parents = given(
        nested,
        np.append(nested.cells, hospital),
        np.append(nested.parent_of, nested.parent_of[INNER]),
        exclusive=exclusive,
    )
    # the hospital is more than half of what it stands on
    plan = plan_repair(cells, parents, limits=WIDE)
    if plan.moves:
        (move,) = plan.moves
        assert move.act is Act.CARVE
    smaller = shapely.buffer(nested.cells[INNER], -50)
    cells.geometry[400] = smaller
    plan = assert_mended(cells, parents, 1)
    assert [m.act for m in plan.moves] == [Act.CARVE]
    assert apply(cells, plan.moves).geometry[400] is smaller


def test_an_exclusive_grid_keeps_its_border(nested):
    exclusive = np.zeros(400, dtype=bool)
    exclusive[INNER] = True
    cells = replaced(nested, INNER, shapely.buffer(nested.cells[INNER], 2, join_style="mitre"))
    given_cells, parents = given(nested, cells, exclusive=exclusive)
    after = apply(given_cells, plan_repair(given_cells, parents, limits=WIDE).moves)
    assert after.geometry[INNER].area == pytest.approx(cells[INNER].area, rel=1e-9)


def test_priority_and_filing_decide_where_they_are_known(nested):
    cells, _ = moved_vertex(nested.cells[INNER], 12, 5.0)
    other = neighbour_over(nested, INNER, 12)
    data, parents = given(nested, replaced(nested, INNER, cells))
    for merits in (
        lambda winner: Merits(priority=np.where(np.arange(400) == winner, 2.0, 1.0)),
        lambda winner: Merits(
            filed=np.array(["2024-05-01" if i == winner else "2025-01-01" for i in range(400)], object)
        ),
    ):
        for winner, loser in ((INNER, other), (other, INNER)):
            (move,) = plan_repair(data, parents, limits=WIDE, merits=merits(winner)).moves
            assert [(c.source, c.target) for c in move.changes] == [(loser, winner)]
    only_length = (Policy.LONGEST_EDGE,)
    (move,) = plan_repair(data, parents, limits=WIDE, policies=only_length, merits=merits(INNER)).moves
    assert len(move.changes) == 1


def test_a_broken_ring_is_mended(nested):
    xy = ring(nested.cells[INNER])
    xy[[12, 13]] = xy[[13, 12]]
    plan = assert_mended(*given(nested, replaced(nested, INNER, shapely.Polygon(xy))), 2)
    assert Act.MEND in {m.act for m in plan.moves}


def test_a_parent_code_is_corrected_only_without_a_doubt(nested):
    wrong = nested.parent_of.copy()
    wrong[INNER] += 1
    right = np.array([f"P{p:03d}-{i}" for i, p in enumerate(nested.parent_of)], dtype=object)
    cells, parents = given(nested, nested.cells, wrong, codes=right)
    plan = assert_mended(cells, parents, 0)
    (move,) = plan.moves
    assert move.act is Act.REPARENT
    assert apply(cells, plan.moves).parent_codes[INNER] == f"P{nested.parent_of[INNER]:03d}"
    assert cells.parent_codes[INNER] == f"P{wrong[INNER]:03d}"
    cells, parents = given(
        nested, nested.cells, wrong
    )  # its own code says the same: the polygon may be wrong
    plan = plan_repair(cells, parents)
    assert plan.moves == ()
    assert [f.kind for f in plan.left] == [Kind.WRONG_PARENT]


def test_moves_are_applied_and_undone_one_by_one(nested):
    shapes = nested.cells.copy()
    rows = (42, 110, 250)
    for row in rows:
        shapes[row] = moved_vertex(shapes[row], 12, -5.0)[0]
    cells, parents = given(nested, shapes)
    plan = plan_repair(cells, parents, limits=WIDE)
    assert len(plan.moves) == 3
    for i, move in enumerate(plan.moves):
        assert shapely.area(move.polygon) == pytest.approx(move.area_m2)
        alone = check(apply(cells, [move]), parents)
        assert alone.summary.by_kind == {"gap": 2}
        without = check(apply(cells, [m for m in plan.moves if m is not move]), parents)
        assert without.summary.by_kind == {"gap": 1}
        again = apply(cells, reversed(plan.moves[i:]))
        assert len(again.geometry) == 400
    assert apply(cells, []) is cells
    one = apply(cells, plan.moves).geometry
    other = apply(cells, tuple(reversed(plan.moves))).geometry
    assert shapely.equals_exact(one, other).all()


def test_a_long_gap_is_divided_along_its_middle():
    boxes = [shapely.box(100 * i, y, 100 * i + 100, y + 100) for y in (0, 101) for i in range(3)]
    above = Parents(np.array([shapely.box(0, 0, 300, 201)], dtype=object))
    cells = Cells(np.array(boxes, dtype=object))
    plan = plan_repair(cells, above, limits=Limits(2.0, 2.0))
    (move,) = plan.moves
    assert move.act is Act.DIVIDE
    assert len(move.changes) == 6
    after = apply(cells, plan.moves)
    report = check(after, above, tolerance_m2=0)
    assert report.findings == ()
    assert report.certificate.exact
    assert shapely.area(after.geometry).max() <= 10_075
    assert sum(c.area_m2 for c in move.changes) == pytest.approx(300)


def test_a_wavy_strip_is_divided_evenly(nested):
    """0.2 m wide and a side long: half to each."""
    cells = nested.cells.copy()
    xy = ring(cells[INNER])
    other = neighbour_over(nested, INNER, 12)
    along = np.arange(9, 16)
    centre = xy.mean(axis=0)
    inward = centre - xy[along]
    xy[along] += 0.2 * inward / np.hypot(*inward.T)[:, None]
    cells[INNER] = shapely.Polygon(xy)
    plan = assert_mended(*given(nested, cells), 2)
    (move,) = plan.moves
    assert move.act is Act.DIVIDE
    shares = {c.target: c.area_m2 for c in move.changes}
    assert set(shares) == {INNER, other}
    assert min(shares.values()) > 0.3 * sum(shares.values())


def test_without_parents_holes_and_overlaps_are_mended(nested):
    shapes = nested.cells.copy()
    shapes[INNER] = moved_vertex(shapes[INNER], 12, -5.0)[0]
    shapes[210] = moved_vertex(shapes[210], 12, 0.5)[0]
    assert_mended(Cells(shapes), None, 4)


def test_rings_keep_their_direction_and_first_vertex(nested):
    shapes = shapely.orient_polygons(nested.cells, exterior_cw=True)
    shapes[INNER] = shapely.orient_polygons(moved_vertex(nested.cells[INNER], 12, -5.0)[0], exterior_cw=True)
    cells, parents = given(nested, shapes)
    after = apply(cells, plan_repair(cells, parents, limits=WIDE).moves)
    for before, now in zip(shapes, after.geometry, strict=True):
        if before is not now:
            assert not shapely.is_ccw(now.exterior)
            assert now.exterior.coords[0] == before.exterior.coords[0]


def test_a_move_tells_who_lives_on_its_ground(nested):
    spoilt = moved_vertex(nested.cells[INNER], 12, -5.0)[0]
    cells, parents = given(nested, replaced(nested, INNER, spoilt))
    (lost,) = shapely.get_parts(nested.cells[INNER] - spoilt)
    spot = shapely.get_coordinates(shapely.point_on_surface(lost))
    elsewhere = shapely.get_coordinates(nested.cells[300].centroid)
    addresses = Addresses(np.concatenate([spot, elsewhere]), np.array(["a", "b"], object), np.array([12, 7]))
    (move,) = plan_repair(cells, parents, limits=WIDE, addresses=addresses).moves
    assert (move.addresses, move.households) == (1, 12)


def test_many_repairs_at_once():
    big = hexagons(60, 60)
    rng = np.random.default_rng(5)
    shapes = big.cells.copy()
    rows = [60 * j + i for j in range(4, 58, 6) for i in range(4, 58, 6)]
    for row in rows:
        size = float(rng.choice(SIZES)) * rng.choice([-1, 1])
        shapes[row] = moved_vertex(shapes[row], int(rng.choice([4, 12, 20, 28, 36, 44])), size)[0]
    assert_mended(*given(big, shapes), 2 * len(rows))


def test_everything_a_little_off(nested):
    """Every cell shifted at random by centimetres: nothing fits, and everything is made to."""
    rng = np.random.default_rng(1)
    shapes = np.array(
        [shapely.transform(c, lambda xy: xy + rng.normal(0, 0.01, 2)) for c in nested.cells[:100]], object
    )
    small = Nested(shapes, nested.parent_of[:100], nested.parents[:4])
    cells, parents = given(small, shapes)
    plan = plan_repair(cells, parents)
    report = check(apply(cells, plan.moves), parents, tolerance_m2=0.01)
    assert report.summary.errors == 0
    assert report.summary.coverage_pct == pytest.approx(100, abs=1e-6)
