"""The acceptance scenarios of the boundary checks, mended: the certificate is green, or a person is named who decides."""

import numpy as np
import pytest
import shapely
from shapely import box
from test_coverage_scenarios import G1, G2, G3, G4, G4_SHORT, K1, K1_CODE, K2, K2_CODE, objects

from gis_server.core.coverage.findings import Kind
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.coverage.repair import Act, Limits, Merits, Nature, TreeRepair, repair_tree
from gis_server.core.coverage.rules import rules_of
from gis_server.files.profile import read_profile

WIDE = Limits(20.0, 20.0)


def mended(grids, profile, *, parents=((K1, K1_CODE),), parent_codes=None, codes=None, **more) -> TreeRepair:
    codes = codes or [f"{K1_CODE}{i:03d}" for i in range(1, len(grids) + 1)]
    cells = Cells(
        objects(grids),
        codes=objects(codes),
        parent_codes=objects(parent_codes or [K1_CODE] * len(grids)),
        exclusive=more.pop("exclusive", None),
    )
    above = Parents(objects([p for p, _ in parents]), objects([c for _, c in parents]))
    return repair_tree(cells, above, rules=rules_of(read_profile(profile)), **more)


def assert_green(done: TreeRepair) -> None:
    assert done.after.findings == ()
    assert done.after.certificate.exact
    assert done.after.summary.coverage_pct == 100.0
    summary = done.after.summary
    assert (summary.gap_area_m2, summary.overlap_area_m2, summary.outside_area_m2) == (0, 0, 0)


def test_s01_full_coverage_stays_as_it_is():
    grids = [G1, G2, G3, G4]
    done = mended(grids, "zhenjiang")
    assert done.moves == ()
    assert all(one is other for one, other in zip(grids, done.cells.geometry, strict=True))
    assert_green(done)


def test_s02_a_wide_gap_is_a_persons_decision_and_a_wider_limit_mends_it():
    done = mended([G1, G2, G3, G4_SHORT], "zhenjiang")
    assert done.moves == ()
    (left,) = done.levels[0].plan.left
    assert (left.kind, left.area_m2, left.codes) == (Kind.GAP, 10_000, (f"{K1_CODE}004",))
    assert done.after.errors == (left,)
    assert f"{K1_CODE}004" in str(left.message)
    done = mended([G1, G2, G3, G4_SHORT], "zhenjiang", limits=WIDE)
    ((_, move),) = done.moves
    assert [(c.source, c.target, c.area_m2) for c in move.changes] == [(None, 3, 10_000)]
    assert done.cells.geometry[3].equals(G4)
    assert_green(done)


@pytest.mark.parametrize("earlier", [0, 1])
def test_s03_an_overlap_goes_to_the_border_filed_first(earlier):
    grids = [box(0, 0, 520, 500), G2, G3, G4]
    done = mended(grids, "heihe")
    assert done.moves == ()
    assert [f.codes for f in done.levels[0].plan.left] == [(f"{K1_CODE}001", f"{K1_CODE}002")]
    filed = objects(["2024-05-01" if row == earlier else "2025-05-01" for row in range(4)])
    done = mended(grids, "heihe", limits=WIDE, merits=Merits(filed=filed))
    ((_, move),) = done.moves
    assert [(c.source, c.target, c.area_m2) for c in move.changes] == [(1 - earlier, earlier, 10_000)]
    assert_green(done)


@pytest.mark.parametrize(("top", "area"), [(999.999, 0.5), (999.996, 2.0)])
def test_s04_a_sliver_is_mended_below_and_above_the_tolerance(top, area):
    done = mended([G1, G2, G3, box(500, 500, 1000, top)], "zhenjiang")
    assert done.before.summary.gap_area_m2 == pytest.approx(area)
    assert len(done.moves) == 1
    assert shapely.area(done.cells.geometry[3]) == 250_000
    assert_green(done)


def test_s05_a_grid_beyond_its_community_withdraws():
    wide = box(500, 0, 1010, 500)
    done = mended([G1, wide, G3, G4], "heilongjiang")
    ((_, move),) = done.moves
    assert (move.act, move.area_m2) == (Act.WITHDRAW, 5_000)
    assert done.cells.geometry[1].equals(G2)
    assert_green(done)

    neighbour = {
        "parents": ((K1, K1_CODE), (K2, K2_CODE)),
        "parent_codes": [K1_CODE] * 4 + [K2_CODE],
        "codes": [f"{K1_CODE}{i:03d}" for i in range(1, 5)] + [f"{K2_CODE}001"],
    }
    done = mended([G1, wide, G3, G4, K2], "heilongjiang", **neighbour)
    assert done.before.summary.errors == 2
    assert done.cells.geometry[4] is K2
    assert_green(done)


def test_s06_an_exclusive_grid_is_carved_out():
    hospital = box(600, 600, 800, 800)
    flags = np.array([False] * 4 + [True])
    done = mended([G1, G2, G3, G4, hospital], "heilongjiang", exclusive=flags)
    ((_, move),) = done.moves
    assert move.act is Act.CARVE
    areas = shapely.area(done.cells.geometry)
    assert areas.tolist() == [250_000, 250_000, 250_000, 210_000, 40_000]
    assert shapely.get_num_interior_rings(done.cells.geometry[3]) == 1
    assert_green(done)


def test_s07_a_sub_grid_reaching_out_of_its_grid_withdraws():
    parts = [box(0, 0, 100, 500), box(100, 0, 200, 500), box(400, 0, 505, 500)]
    grid = f"{K1_CODE}001"
    done = mended(
        parts,
        "heilongjiang",
        parents=((G1, grid),),
        parent_codes=[grid] * 3,
        codes=[f"{grid}0{i}" for i in range(1, 4)],
        natures=np.full(3, Nature.SUB_GRID),
    )
    ((_, move),) = done.moves
    assert (move.act, move.area_m2) == (Act.WITHDRAW, 2_500)
    assert done.cells.geometry[2].equals(box(400, 0, 500, 500))
    assert done.after.findings == ()
