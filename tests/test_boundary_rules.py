"""The boundary checks V1 to V14 (requirements 5.3) that no scenario of section 9 spells out, in every way there is.

V7 is S08 and S09, V8 is S07 and below, V11 is S20, V12 is S16 (``test_whole_check``), V14 is there too.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely
from shapely import MultiPolygon, Polygon, box
from test_boundary_scenarios import G1, G2, G3, G4, PARTS, exactly, look, look_at_sub_grids
from ways import K1, K2, Case, Told, by_core, by_validate, stage

__all__ = ["look", "look_at_sub_grids"]  # fixtures

Look = Callable[[Case], tuple[list[Told], Any]]
LookAtParts = Callable[[list[Any], list[int]], list[Told]]

HOSPITAL = box(600, 600, 800, 800)
EXCLUSIVE = {
    "grid_kind": ["resident_grid"] * 4 + ["exclusive_grid"],
    "host_units": [None] * 4 + ["市医院"],
    "managing_department": [None] * 4 + ["市卫健局"],
}


def four(last: Any = G4, profile: str = "zhenjiang", **more: Any) -> Case:
    return Case([G1, G2, G3, last], profile, **more)


def test_v1_a_grid_is_missing(look: Look) -> None:
    (missing,), summary = look(Case([G1, G2, G3], "zhenjiang"))
    exactly(missing, "missing_cell", "V1", "error", "zhenjiang 10(1)")
    assert missing.area_m2 == pytest.approx(250_000, rel=1e-4)
    assert f"{summary.coverage_pct:.2f}" == "75.00"


def test_v1_an_inlet_from_the_border(look: Look) -> None:
    (bay,), _ = look(Case([G1, G2.difference(box(900, 240, 1000, 242)), G3, G4], "zhenjiang"))
    exactly(bay, "bay", "V1", "error", "zhenjiang 10(1)")
    assert bay.area_m2 == pytest.approx(200, rel=1e-3)


def test_v1_a_strip_of_20_cm_over_80_m_is_16_square_metres(look: Look) -> None:
    bitten = Polygon(
        [(0, 0), (500, 0), (500, 200), (499.8, 200), (499.8, 280), (500, 280), (500, 500), (0, 500)]
    )
    # the neighbour has the vertices too: then the strip is the same in degrees
    beside = Polygon([(500, 0), (1000, 0), (1000, 500), (500, 500), (500, 280), (500, 200)])
    (gap,), _ = look(Case([bitten, beside, G3, G4], "zhenjiang"))
    exactly(gap, "gap", "V1", "error", "zhenjiang 10(1)")
    assert gap.area_m2 == pytest.approx(16, rel=1e-3)
    assert gap.width_m == pytest.approx(0.2, rel=1e-2)


def test_v2_a_grid_upon_another_and_one_twice(look: Look) -> None:
    codes = [f"{K1}{n:03d}" for n in range(1, 6)]
    (inner,), _ = look(Case([G1, G2, G3, G4, box(100, 100, 200, 200)], "gansu", codes=codes))
    exactly(inner, "contained", "V2", "error", "gansu 一(一)")
    assert set(inner.fids) == {0, 4}


def test_v2_one_polygon_twice(look: Look) -> None:
    codes = [f"{K1}{n:03d}" for n in range(1, 6)]
    (twice,), _ = look(Case([G1, G2, G3, G4, G4], "gansu", codes=codes))
    exactly(twice, "duplicate_geometry", "V2", "error", "gansu 一(一)")
    assert (twice.fids, twice.codes) == ((3, 4), (codes[3], codes[4]))


def test_v3_the_stated_parent_is_not_the_one_it_lies_in(look: Look) -> None:
    stated = {"community_code": [K1, K1, K1, K2, K2]}
    case = Case([G1, G2, G3, G4, box(1000, 0, 2000, 1000)], "taizhou", (K1, K2), columns=stated)
    (wrong,), _ = look(case)
    exactly(wrong, "wrong_parent", "V3", "error", "taizhou 3.1")
    assert wrong.fids == (3,)
    assert K2 in wrong.sentence


@pytest.mark.parametrize("way", ["core", "validate"])
def test_v5_invalid_and_empty_polygons(way: str, tmp_path: Path) -> None:
    crossed = Polygon(
        [(500, 500), (1000, 500), (1000, 1000), (500, 1000), (520, 1020), (500, 1020), (520, 1000)]
    )
    case = Case([G1, G2, G3, crossed, None], "zhenjiang")
    found, _ = by_core(case) if way == "core" else by_validate(case, tmp_path)
    kinds = {one.kind: one for one in found}
    exactly(kinds["invalid_geometry"], "invalid_geometry", "V5", "error", "product brief")
    assert kinds["invalid_geometry"].fids == (3,)
    exactly(kinds["empty_geometry"], "empty_geometry", "V5", "error", "product brief")
    assert kinds["empty_geometry"].fids == (4,)


def test_v5_an_import_mends_the_ring_and_leaves_the_empty_row_out(database_url: str, tmp_path: Path) -> None:
    """What is staged is valid; that it was mended, and what is left out, is told row by row."""
    bow_tie = Polygon(
        [(500, 500), (1000, 500), (1000, 1000), (500, 1000), (500, 700), (480, 720), (500, 720)]
    )
    staged = stage(Case([G1, G2, G3, bow_tie, None], "zhenjiang"), database_url, tmp_path)
    told = {problem.row: problem for problem in staged.result.problems}
    assert (told[3].rejected, told[4].rejected) == (False, True)
    assert "已修复" in str(told[3].message)
    assert staged.result.held_back is not None


@pytest.mark.parametrize(
    ("profile", "clause"), [("heilongjiang", "heilongjiang 6.2.1"), ("taizhou", "taizhou 5.1.1")]
)
def test_v6_a_grid_in_two_pieces(profile: str, clause: str, look: Look) -> None:
    piece = box(900, 900, 1000, 1000)
    case = Case([MultiPolygon([G1, piece]), G2, G3, G4.difference(piece)], profile)
    (parts,), _ = look(case)
    exactly(parts, "multipart", "V6", "warning", clause)
    assert parts.fids == (0,)
    assert parts.area_m2 == pytest.approx(10_000, rel=1e-3)


def test_v8_sub_grids_do_not_overlap_their_siblings(look_at_sub_grids: LookAtParts) -> None:
    wide = [box(0, 0, 120, 500), *PARTS[1:]]
    (overlap,) = look_at_sub_grids(wide, [11, 24, 10])
    exactly(overlap, "overlap", "V8", "error", "heilongjiang 6.1.3")
    assert overlap.area_m2 == pytest.approx(20 * 500, rel=1e-3)


def test_v8_a_grid_need_not_be_divided_everywhere(look_at_sub_grids: LookAtParts) -> None:
    assert look_at_sub_grids(PARTS[:1], [40]) == []


def test_v9_an_exclusive_grid_is_carved_out(look: Look) -> None:
    columns = {**EXCLUSIVE}
    (laid_over,), _ = look(Case([G1, G2, G3, G4, HOSPITAL], "heilongjiang", columns=columns))
    exactly(laid_over, "contained", "V9", "error", "heilongjiang 6.1.2")
    assert "专属网格" in laid_over.sentence


def test_v9_together_they_cover(look: Look) -> None:
    carved = shapely.difference(G4, HOSPITAL)
    found, summary = look(Case([G1, G2, G3, carved, HOSPITAL], "heilongjiang", columns=EXCLUSIVE))
    assert found == []
    assert f"{summary.coverage_pct:.2f}" == "100.00"


@pytest.mark.parametrize(
    ("profile", "clauses"),
    [("heilongjiang", ["heilongjiang 6.1.2"]), ("zhenjiang", ["zhenjiang 9(2)"] * 2)],
)
def test_v10_an_exclusive_grid_names_its_host(profile: str, clauses: list[str], look: Look) -> None:
    columns = {
        "grid_kind": ["resident_grid"] * 3 + ["exclusive_grid"],
        "host_units": [None] * 4,
        "managing_department": [None] * 4,
    }
    found, _ = look(four(profile=profile, columns=columns))
    assert [(one.kind, one.rule, one.severity, one.clause) for one in found] == [
        ("exclusive_host", "V10", "error", clause) for clause in clauses
    ]
    assert {one.fids for one in found} == {(3,)}


def test_v13_a_missing_number(look: Look) -> None:
    (gap,), _ = look(
        Case(
            [G1, G2, box(0, 500, 1000, 1000)],
            "heilongjiang",
            codes=[f"{K1}{n}" for n in ("001", "002", "004")],
        )
    )
    exactly(gap, "code_gap", "V13", "error", "heilongjiang 6.4.3")
    assert "缺 003" in gap.sentence
    assert gap.fids == (0, 1, 2)


@pytest.mark.parametrize(
    ("code", "words"),
    [("230881001001000", "000"), ("23088100100101", "14 位"), ("23088100100100A", "0–9 以外")],
)
def test_v13_each_bad_code_has_its_own_sentence(code: str, words: str, look: Look) -> None:
    codes = [f"{K1}001", f"{K1}002", f"{K1}003", code]
    columns = {"community_code": [K1] * 4}
    found, _ = look(four(profile="heilongjiang", codes=codes, columns=columns))
    (bad,) = [one for one in found if one.kind == "bad_code"]
    exactly(bad, "bad_code", "V13", "error", "heilongjiang 6.4.2")
    assert words in bad.sentence
    assert bad.fids == (3,)


def test_v13_a_code_of_another_community(look: Look) -> None:
    codes = [f"{K1}001", f"{K1}002", f"{K1}003", f"{K2}001"]
    (prefix,), _ = look(four(profile="heilongjiang", codes=codes, columns={"community_code": [K1] * 4}))
    exactly(prefix, "code_prefix", "V13", "error", "heilongjiang 6.4.3")


def test_v13_a_code_twice_where_no_form_is_given(look: Look) -> None:
    (twice,), _ = look(four(codes=["A", "B", "B", "C"], columns={"community_code": [K1] * 4}))
    exactly(twice, "duplicate_code", "V13", "error", "zhenjiang 11")
    assert twice.fids == (1, 2)
