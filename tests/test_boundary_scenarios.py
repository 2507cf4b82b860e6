"""The acceptance scenarios of boundaries (requirements, section 9), by number, in every way a boundary is checked."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from coverages import write_layer
from made import NOON, geojson
from shapely import box
from ways import (
    GROUND,
    K1,
    K2,
    WAYS,
    Case,
    Told,
    by_core,
    by_validate,
    laid,
    objects,
    put,
    put_addresses,
    run_validate,
    stage,
    told,
    told_by,
)

from gis_server.core.access import CONSOLE
from gis_server.core.coverage.check import Terms, check, examine
from gis_server.core.coverage.facts import Addresses, Facts, placed, with_counts
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.coverage.rules import rules_of
from gis_server.core.errors import PublishRefused
from gis_server.core.generation import GenerationState
from gis_server.files.profile import read_profile
from gis_server.journeys import layers as journey

HOUR = timedelta(hours=1)
G1, G2 = box(0, 0, 500, 500), box(500, 0, 1000, 500)
G3, G4 = box(0, 500, 500, 1000), box(500, 500, 1000, 1000)

Look = Callable[[Case], tuple[list[Told], Any]]


@pytest.fixture(params=WAYS)
def look(request: pytest.FixtureRequest, tmp_path: Path) -> Look:
    """Check a case in one of the ways: its findings and its summary (attributes)."""
    way = request.param

    def looked(case: Case) -> tuple[list[Told], Any]:
        if way == "core":
            return by_core(case)
        if way == "validate":
            found, summary = by_validate(case, tmp_path)
            return found, type("Summary", (), summary)
        url = request.getfixturevalue("database_url")
        staged = stage(case, url, tmp_path)
        generation = staged.generation
        stands = any(one.severity != "option" for one in told_by(staged.result))
        # what stands keeps the plan from being submitted: it is staged only
        assert (generation.state is GenerationState.STAGED) == stands
        if stands:
            with pytest.raises(PublishRefused):
                journey.publish(staged.ctx, CONSOLE, generation.id, NOON)
        assert staged.result.report is not None
        return told_by(staged.result), staged.result.report.summary

    return looked


def exactly(one: Told, kind: str, rule: str, severity: str, clause: str) -> None:
    assert (one.kind, one.rule, one.severity, one.clause) == (kind, rule, severity, clause)


def is_ground(one: Told, shape: Any) -> None:
    """The finding's polygon is this one, but for the digits that a change of reference system costs."""
    assert shapely.area(shapely.symmetric_difference(one.geometry, shape)) < 1.0


def test_s01_full_coverage_passes(look: Look) -> None:
    found, summary = look(Case([G1, G2, G3, G4], "zhenjiang"))
    assert found == []
    assert f"{summary.coverage_pct:.2f}" == "100.00"
    for area in (summary.gap_area_m2, summary.overlap_area_m2, summary.outside_area_m2):
        assert area == pytest.approx(0, abs=1e-3)


def test_s02_gap_is_found_measured_and_drawn(look: Look) -> None:
    (gap,), summary = look(Case([G1, G2, G3, box(500, 500, 1000, 980)], "zhenjiang"))
    exactly(gap, "gap", "V1", "error", "zhenjiang 10(1)")
    assert gap.area_m2 == pytest.approx(10_000, rel=1e-4)
    assert gap.width_m == pytest.approx(20, rel=1e-3)
    is_ground(gap, box(500, 980, 1000, 1000))
    assert (gap.fids, gap.codes) == ((3,), (f"{K1}004",))
    assert f"{summary.coverage_pct:.2f}" == "99.00"


def test_s03_overlap_is_found_with_its_pair(look: Look) -> None:
    (overlap,), summary = look(Case([box(0, 0, 520, 500), G2, G3, G4], "heihe"))
    exactly(overlap, "overlap", "V2", "error", "heihe 8(1)")
    assert overlap.area_m2 == pytest.approx(10_000, rel=1e-4)
    assert (overlap.fids, overlap.codes) == ((0, 1), (f"{K1}001", f"{K1}002"))
    is_ground(overlap, box(500, 0, 520, 500))
    assert f"{summary.coverage_pct:.2f}" == "100.00"


def test_s04_sliver_within_tolerance(look: Look) -> None:
    (near,), _ = look(Case([G1, G2, G3, box(500, 500, 1000, 999.999)], "zhenjiang"))
    assert (near.kind, near.severity) == ("near_miss", "warning")
    assert near.area_m2 == pytest.approx(0.5, rel=0.02)


def test_s04_sliver_above_tolerance(look: Look) -> None:
    (gap,), _ = look(Case([G1, G2, G3, box(500, 500, 1000, 999.996)], "zhenjiang"))
    exactly(gap, "gap", "V1", "error", "zhenjiang 10(1)")
    assert gap.area_m2 == pytest.approx(2.0, rel=0.02)


def test_s05_grid_beyond_its_community(look: Look) -> None:
    (outside,), _ = look(Case([G1, box(500, 0, 1010, 500), G3, G4], "heilongjiang"))
    exactly(outside, "outside", "V3", "error", "heilongjiang 3.1")
    assert outside.area_m2 == pytest.approx(5_000, rel=1e-4)


def test_s05_with_a_neighbours_grid_in_force_there(look: Look) -> None:
    neighbour = f"{K2}001"
    codes = [*(f"{K1}{n:03d}" for n in range(1, 5)), neighbour]
    case = Case(
        [G1, box(500, 0, 1010, 500), G3, G4, box(1000, 0, 2000, 1000)], "heilongjiang", (K1, K2), codes
    )
    (outside, second), _ = look(case)
    exactly(outside, "outside", "V3", "error", "heilongjiang 3.1")
    exactly(second, "other_parent_overlap", "V4", "error", "heilongjiang 3.1")
    for one in (outside, second):
        assert one.area_m2 == pytest.approx(10 * 500, rel=1e-4)
    assert neighbour in second.codes
    assert neighbour in second.sentence


# S07: sub-grids ----------------------------------------------------------------------------------------------

PARTS = [box(0, 0, 100, 500), box(100, 0, 200, 500), box(200, 0, 300, 500)]
REACHING_OUT = [*PARTS[:2], box(400, 0, 505, 500)]


def sub_grid_rows(households: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "sub_grid_code": f"{K1}00{1}-{i:02d}",
            "sub_grid_name": f"子网格{i}",
            "grid_code": f"{K1}001",
            "subdivision_kind": "sub_grid",
            "resident_households": count,
        }
        for i, count in enumerate(households, start=1)
    ]


@pytest.fixture(params=WAYS)
def look_at_sub_grids(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[list[Any], list[int]], list[Told]]:
    """Check sub-grids of G1 with these households under heilongjiang, in one of the ways."""
    way = request.param

    def by_the_core(shapes: list[Any], households: list[int]) -> list[Told]:
        rows = sub_grid_rows(households)
        cells = Cells(objects(shapes), objects([r["sub_grid_code"] for r in rows]))
        report = check(
            cells,
            Parents(objects([G1]), objects([f"{K1}001"])),
            rules=rules_of(read_profile("heilongjiang")),
            inside_only=True,
            facts=Facts(households=objects(households)),
        )
        return [told(f, f.geometry) for f in report.findings]

    def by_the_command(shapes: list[Any], households: list[int]) -> list[Told]:
        rows = sub_grid_rows(households)
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        file = write_layer(tmp_path / "sub_grids.gpkg", shapes, **columns)
        within = write_layer(tmp_path / "grids.gpkg", [G1], grid_code=[f"{K1}001"])
        options = ["--profile", "heilongjiang", "--crs", "local"]
        return run_validate(file, "--layer", "sub_grid", "--within", within, *options)[0]

    if way == "staging":
        url = request.getfixturevalue("database_url")
        city = stage(Case([G1, G2, G3, G4], "heilongjiang"), url, tmp_path)

        def by_staging(shapes: list[Any], households: list[int]) -> list[Told]:
            path = geojson(tmp_path / "sub_grid.geojson", laid(shapes), sub_grid_rows(households))
            result = put(city.ctx, "sub_grid", path, publish=False)
            if result.generation is not None and result.generation.errors:
                with pytest.raises(PublishRefused):
                    journey.publish(city.ctx, CONSOLE, result.generation.id, NOON)
            return told_by(result)

        return by_staging
    return by_the_core if way == "core" else by_the_command


def test_s07_sub_grid_of_9_households(
    look_at_sub_grids: Callable[[list[Any], list[int]], list[Told]],
) -> None:
    (small,) = look_at_sub_grids(PARTS, [12, 24, 9])
    exactly(small, "sub_grid_size", "V8", "error", "heilongjiang 6.1.3")
    assert (small.fids, small.codes) == ((2,), (f"{K1}001-03",))
    assert "9 户" in small.sentence
    assert "10 户" in small.sentence
    assert look_at_sub_grids(PARTS, [11, 24, 10]) == []
    (abroad,) = look_at_sub_grids(REACHING_OUT, [11, 24, 10])
    exactly(abroad, "sub_grid_outside", "V8", "error", "heilongjiang 6.1.3")
    assert abroad.area_m2 == pytest.approx(5 * 500, rel=1e-4)
    assert abroad.width_m == pytest.approx(5, rel=1e-3)


# S08, S09: sizes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("profile", ["heilongjiang", "taizhou", "gansu", "heihe", "zhenjiang"])
@pytest.mark.parametrize(
    ("households", "people", "warned"),
    [
        (420, None, {"heilongjiang"}),
        (210, 1000, set()),
        (210, 520, {"taizhou", "gansu"}),
    ],
)
def test_s08_size_warning_depends_on_the_profile(
    households: int, people: int | None, warned: set[str], profile: str, look: Look
) -> None:
    columns = {
        "resident_households": [households],
        "actual_population": [people],
        "settlement_class": ["urban_community"],
    }
    found, summary = look(Case([GROUND[K1]], profile, columns=columns))
    assert [(one.kind, one.rule, one.severity) for one in found] == [("size", "V7", "warning")] * (
        profile in warned
    )
    assert summary.errors == 0


def rural(households: list[int], profile: str) -> Case:
    count = len(households)
    stripes = [box(1000 * i / count, 0, 1000 * (i + 1) / count, 1000) for i in range(count)]
    return Case(
        stripes, profile, columns={"resident_households": households, "settlement_class": ["rural"] * count}
    )


def test_s09_rural_size_under_heilongjiang(look: Look) -> None:
    assert look(rural([48, 55, 51], "heilongjiang"))[0] == []


def test_s09_rural_size_under_gansu(look: Look) -> None:
    (warning,), _ = look(rural([48, 55, 51], "gansu"))
    exactly(warning, "size", "V7", "warning", "gansu 一(一)2")
    assert "行政村" in warning.sentence
    assert "48、55、51" in warning.sentence
    assert warning.fids == (0, 1, 2)


def test_s09_a_remote_village_is_one_grid(look: Look) -> None:
    assert look(rural([22], "heilongjiang"))[0] == []


# S20: addresses -----------------------------------------------------------------------------------------------


def ten_thousand() -> dict[str, Any]:
    places = np.random.default_rng(20).uniform(0, 1000, (10_000, 2))
    places[:4] = [(500, 250), (250, 500), (500, 500), (0, 0)]  # on borders: they belong to one grid as well
    return {f"A{i:05d}": (x, y, 1, 2) for i, (x, y) in enumerate(places.tolist())}


def test_s20_every_address_in_one_grid(look: Look) -> None:
    addresses = ten_thousand()
    assert look(Case([G1, G2, G3, G4], "zhenjiang", addresses=addresses))[0] == []


def test_s20_the_counts_of_the_grids_add_up() -> None:
    addresses = ten_thousand()
    cells = Cells(objects([G1, G2, G3, G4]), objects([f"{K1}{i:03d}" for i in (1, 2, 3, 4)]))
    places = np.array([row[:2] for row in addresses.values()])
    one_each = Addresses(places, objects(list(addresses)), objects([1] * 10_000))
    case = examine(cells, None, Terms(rules_of(read_profile("zhenjiang")))).case
    counted = with_counts(Facts(), case, one_each).households
    assert counted is not None
    assert sum(counted) == 10_000
    # the border of two grids belongs to the lower code, as an incident there would
    assert placed(case, np.array([(500.0, 250.0), (250.0, 500.0), (500.0, 500.0)])).cell.tolist() == [0, 0, 0]
    # what the rows state of themselves goes before what is counted
    stated = with_counts(Facts(households=objects([7, None, None, None])), case, one_each).households
    assert stated is not None
    assert [stated[0], *stated[1:]] == [7, *counted[1:]]


@pytest.mark.parametrize("way", ["core", "validate"])
def test_s20_one_address_moved_away_is_one_error_naming_it(way: str, tmp_path: Path) -> None:
    addresses = ten_thousand() | {"A00077": (1200, 500, 1, 2)}
    case = Case([G1, G2, G3, G4], "zhenjiang", addresses=addresses)
    (lost,), _ = by_core(case) if way == "core" else by_validate(case, tmp_path)
    exactly(lost, "address_unassigned", "V11", "error", "zhenjiang 17(1)")
    assert lost.codes == ("A00077",)
    assert "A00077" in lost.sentence


def test_s20_through_staging(database_url: str, tmp_path: Path) -> None:
    sound = ten_thousand()
    staged = stage(Case([G1, G2, G3, G4], "zhenjiang", addresses=sound), database_url, tmp_path)
    moved = sound | {"A00077": (1200, 500, 1, 2)}
    result = put_addresses(staged.ctx, moved, tmp_path, now=NOON + HOUR)
    (lost,) = told_by(result)
    exactly(lost, "address_unassigned", "V11", "error", "zhenjiang 17(1)")
    assert (lost.codes, lost.fids) == (("A00077",), (77,))
    assert "A00077" in lost.sentence
    assert (lost.geometry.x, lost.geometry.y) == pytest.approx((1200, 500), abs=1e-3)
    assert result.generation is not None
    assert result.generation.state is GenerationState.STAGED
    with pytest.raises(PublishRefused, match="1 处错误"):
        journey.publish(staged.ctx, CONSOLE, result.generation.id, NOON + HOUR)
    again = put_addresses(staged.ctx, sound, tmp_path, now=NOON + HOUR)
    assert again.held_back is None
