"""Repair: what is mended stays mended, untouched cells keep their bits, no row is lost, the rest is a person's."""

import json
from pathlib import Path

import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from coverages import Nested, hexagons, read_layer
from defects import moved_vertex, neighbour_over, replaced, ring

from gis_server.cli import main
from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Kind, Severity
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.coverage.mend import Act, Limits, Plan, plan, untouched

INNER, CORNER = 42, 0
WIDE = Limits(6.0, 6.0)
SAMPLE = Path(__file__).parent.parent / "sample_shapefiles"


@pytest.fixture(scope="module")
def nested() -> Nested:
    return hexagons(20, 20, block=5)


def planned(nested: Nested, cells, parent_of=None, limits=WIDE, **more) -> tuple[Plan, Parents]:
    codes = np.array([f"P{i:03d}" for i in range(len(nested.parents))], dtype=object)
    parent_of = nested.parent_of if parent_of is None else parent_of
    parents = Parents(nested.parents, codes)
    own = np.array([f"{codes[p]}-{i}" for i, p in enumerate(parent_of)], dtype=object)
    return plan(
        Cells(cells, more.pop("codes", own), codes[parent_of], **more), parents, limits=limits
    ), parents


def assert_mended(moves: Plan, parents: Parents, before, changed: int) -> None:
    after = moves.apply()
    report = check(after, parents, tolerance_m2=0)
    assert report.findings == ()
    assert report.certificate.exact
    assert len(after.geometry) == len(before)
    assert untouched(before, after.geometry) >= len(before) - changed
    again = plan(after, parents, limits=WIDE)
    assert again.moves == ()


@pytest.mark.parametrize("size", [5.0, 0.05, 1e-6])
@pytest.mark.parametrize("direction", [-1, 1])
@pytest.mark.parametrize("row", [INNER, CORNER, 44])
def test_gaps_overlaps_bays_and_parts_outside(nested, size, direction, row):
    cells = replaced(nested, row, moved_vertex(nested.cells[row], 12, direction * size)[0])
    moves, parents = planned(nested, cells)
    assert len(moves.moves) >= 1
    assert moves.left == ()
    assert_mended(moves, parents, cells, 2)


@pytest.mark.parametrize("size", [5.0, 0.05, 1e-6])
def test_a_shifted_cell(nested, size):
    shifted = shapely.transform(nested.cells[INNER], lambda xy: xy + np.array([size, 0.0]))
    cells = replaced(nested, INNER, shifted)
    moves, parents = planned(nested, cells)
    assert_mended(moves, parents, cells, 7)


def test_the_parents_border_is_law(nested):
    for row in (CORNER, 44):
        for at in range(4, 48, 8):
            other = neighbour_over(nested, row, at)
            if other is None or nested.parent_of[other] != nested.parent_of[row]:
                cells = replaced(nested, row, moved_vertex(nested.cells[row], at, 5.0)[0])
                moves, _ = planned(nested, cells)
                (move,) = moves.moves
                assert move.act is Act.WITHDRAW
                assert moves.apply().geometry[row].equals(nested.cells[row])


def test_what_exceeds_the_limits_is_left(nested):
    cells = replaced(nested, INNER, moved_vertex(nested.cells[INNER], 12, -5.0)[0])
    moves, _ = planned(nested, cells, limits=Limits(0.5, 0.5))
    assert moves.moves == ()
    assert [f.kind for f in moves.left] == [Kind.GAP]
    assert all(a is b for a, b in zip(moves.apply().geometry, cells, strict=True))


def test_duplicates_and_contained_cells_are_a_persons_decision(nested):
    for extra in (nested.cells[INNER], shapely.buffer(nested.cells[INNER], -30)):
        cells = np.append(nested.cells, extra)
        moves, _ = planned(nested, cells, np.append(nested.parent_of, nested.parent_of[INNER]))
        assert moves.moves == ()
        assert len(moves.left) == 1
        assert all(a is b for a, b in zip(moves.apply().geometry, cells, strict=True))


def test_an_exclusive_grid_is_cut_out(nested):
    hospital = shapely.buffer(nested.cells[INNER], -30)
    cells = np.append(nested.cells, hospital)
    exclusive = np.zeros(401, dtype=bool)
    exclusive[400] = True
    moves, parents = planned(
        nested, cells, np.append(nested.parent_of, nested.parent_of[INNER]), exclusive=exclusive
    )
    (move,) = moves.moves
    assert move.act is Act.CARVE
    assert_mended(moves, parents, cells, 1)
    assert moves.apply().geometry[400] is hospital


def test_broken_ring_and_wrong_parent_code(nested):
    xy = ring(nested.cells[INNER])
    xy[[12, 13]] = xy[[13, 12]]
    moves, parents = planned(nested, replaced(nested, INNER, shapely.Polygon(xy)))
    assert Act.MEND in {m.act for m in moves.moves}
    assert check(moves.apply(), parents, tolerance_m2=0).findings == ()

    codes = np.array([f"P{p:03d}-{i}" for i, p in enumerate(nested.parent_of)], dtype=object)
    wrong = nested.parent_of.copy()
    wrong[INNER] = 3
    moves, parents = planned(nested, nested.cells, wrong, codes=codes)
    (move,) = moves.moves
    assert move.act is Act.REPARENT
    assert check(moves.apply(), parents).findings == ()
    codes[INNER] = "P003-42"  # code and parent agree: the polygon may be the mistake
    moves, _ = planned(nested, nested.cells, wrong, codes=codes)
    assert moves.moves == ()


def test_moves_are_applied_and_undone_one_by_one(nested):
    cells = nested.cells.copy()
    for row in (42, 110, 250):
        cells[row] = moved_vertex(cells[row], 12, -5.0)[0]
    moves, parents = planned(nested, cells)
    assert len(moves.moves) == 3
    for i in range(3):
        after = check(moves.apply([i]), parents)
        assert after.summary.by_kind == {"gap": 2}
    assert moves.apply([]).geometry.tolist() == cells.tolist()


def test_a_long_gap_is_divided_between_its_neighbours(nested):
    shrunk = shapely.buffer(nested.cells[INNER], -1.0, join_style="mitre")
    cells = replaced(nested, INNER, shrunk)
    moves, parents = planned(nested, cells)
    assert_mended(moves, parents, cells, 7)
    # a street of a gap: three cells on either side, none with half of its border
    boxes = [shapely.box(100 * i, y, 100 * i + 100, y + 100) for y in (0, 101) for i in range(3)]
    above = Parents(np.array([shapely.box(0, 0, 300, 201)], dtype=object))
    street = plan(Cells(np.array(boxes, dtype=object)), above, limits=Limits(2.0, 2.0))
    (move,) = street.moves
    assert move.act is Act.DIVIDE
    after = street.apply()
    report = check(after, above, tolerance_m2=0)
    assert report.summary.errors == 0
    assert report.summary.coverage_pct == 100.0
    assert shapely.area(after.geometry).max() < 10_100 + 60


def test_many_repairs_at_once():
    big = hexagons(60, 60)
    rng = np.random.default_rng(5)
    cells = big.cells.copy()
    rows = [60 * j + i for j in range(4, 58, 6) for i in range(4, 58, 6)]
    for row in rows:
        cells[row] = moved_vertex(
            cells[row], int(rng.integers(48)), float(rng.choice([5, 0.05])) * rng.choice([-1, 1])
        )[0]
    moves, parents = planned(big, cells)
    after = moves.apply()
    report = check(after, parents, tolerance_m2=0)
    # a new vertex on a parent's border may be off the line by a rounding: told, no warning
    assert {f.severity for f in report.findings} <= {Severity.OPTION}
    assert untouched(cells, after.geometry) >= len(cells) - 4 * len(rows)


def test_the_sample_as_received_from_the_command_line(tmp_path):
    out = tmp_path / "mended.gpkg"
    result = CliRunner().invoke(
        main,
        [
            "repair",
            str(SAMPLE / "as_received/grids.shp"),
            "--within",
            str(SAMPLE / "clean/areas.shp"),
            "-o",
            str(out),
            "--max-gap-width",
            "20",
            "--max-overlap-width",
            "12",
            "--format",
            "json",
        ],
    )
    assert result.exit_code == 1  # a missing grid, two equal rows, an empty one: a person's
    document = json.loads(result.stdout)
    assert {m["act"] for m in document["moves"]} >= {"fill", "yield", "withdraw", "mend", "reparent"}
    assert {f["kind"] for f in document["left"]} == {
        "bay",
        "missing_cell",
        "contained",
        "duplicate_geometry",
        "empty_geometry",
        "duplicate_code",
    }
    _, before, crs = read_layer(SAMPLE / "as_received/grids.shp", encoding="GB18030")
    shapes, after, crs_after = read_layer(out)
    assert len(shapes) == document["input"]["features"] == 202
    assert crs_after == crs
    assert document["untouched"] >= 190
    codes = [list(column) for column in before.values() if all(str(v).startswith("2399") for v in column)]
    assert codes
    assert all(column in [list(c) for c in after.values()] for column in codes[:1])


def test_nothing_to_mend_is_exit_0(tmp_path):
    out = tmp_path / "same.gpkg"
    result = CliRunner().invoke(
        main,
        [
            "repair",
            str(SAMPLE / "clean/grids.shp"),
            "--within",
            str(SAMPLE / "clean/areas.shp"),
            "-o",
            str(out),
        ],
    )
    assert result.exit_code == 0
    assert len(read_layer(out)[0]) == 200
