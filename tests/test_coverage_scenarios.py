"""The acceptance scenarios of the boundary checks, by number: K1 is the square (0, 0)–(1000, 1000), metres."""

import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from gis_server.core.coverage.check import check
from gis_server.core.coverage.facts import Addresses, Facts, department_layer
from gis_server.core.coverage.findings import Kind, Report, Severity
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.coverage.rules import rules_of
from gis_server.files.profile import read_profile

K1_CODE, K2_CODE = "230881001001", "230881001002"
K1, K2 = box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000)
G1, G2 = box(0, 0, 500, 500), box(500, 0, 1000, 500)
G3, G4 = box(0, 500, 500, 1000), box(500, 500, 1000, 1000)
G4_SHORT = box(500, 500, 1000, 980)


def objects(values):
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def run(grids, profile, *, parents=((K1, K1_CODE),), parent_codes=None, codes=None, **more) -> Report:
    codes = codes or [f"{K1_CODE}{i:03d}" for i in range(1, len(grids) + 1)]
    cells = Cells(
        objects(grids),
        codes=objects(codes),
        parent_codes=None if parent_codes is None else objects(parent_codes),
        exclusive=more.pop("exclusive", None),
    )
    above = Parents(objects([p for p, _ in parents]), objects([c for _, c in parents]))
    return check(cells, above, rules=rules_of(read_profile(profile)), **more)


def kinds(report):
    return [f.kind.value for f in report.findings]


def test_s01_full_coverage_passes():
    report = run([G1, G2, G3, G4], "zhenjiang")
    assert report.findings == ()
    summary = report.summary
    assert summary.coverage_pct == 100.0
    assert (summary.gap_area_m2, summary.overlap_area_m2, summary.outside_area_m2) == (0, 0, 0)
    assert report.certificate is not None
    assert report.certificate.exact  # although K1 has no vertex where its grids meet


def test_s02_gap_is_found_measured_and_drawn():
    report = run([G1, G2, G3, G4_SHORT], "zhenjiang")
    (gap,) = report.findings
    assert gap.kind is Kind.GAP
    assert gap.severity is Severity.ERROR
    assert (gap.rule, gap.clause) == ("V1", "zhenjiang 10(1)")
    assert gap.area_m2 == pytest.approx(10_000)
    assert gap.width_m == pytest.approx(20)
    assert gap.fids == (3,)
    assert gap.codes == (f"{K1_CODE}004",)
    assert gap.geometry.equals(box(500, 980, 1000, 1000))
    assert report.summary.coverage_pct == pytest.approx(99.0)
    assert not report.certificate.exact
    assert report.certificate.open_parents == (0,)


def test_s03_overlap_is_found_with_its_pair():
    report = run([box(0, 0, 520, 500), G2, G3, G4], "heihe")
    (overlap,) = report.findings
    assert overlap.kind is Kind.OVERLAP
    assert overlap.fids == (0, 1)
    assert overlap.area_m2 == pytest.approx(10_000)
    assert overlap.width_m == pytest.approx(20)
    assert overlap.clause == "heihe 8(1)"
    assert overlap.geometry.equals(box(500, 0, 520, 500))
    assert report.summary.coverage_pct == 100.0
    assert report.summary.errors == 1


@pytest.mark.parametrize(("top", "area", "kind"), [(999.999, 0.5, "near_miss"), (999.996, 2.0, "gap")])
def test_s04_sliver_within_tolerance(top, area, kind):
    report = run([G1, G2, G3, box(500, 500, 1000, top)], "zhenjiang")
    (finding,) = report.findings
    assert finding.kind.value == kind
    assert finding.area_m2 == pytest.approx(area)
    assert finding.severity is (Severity.ERROR if kind == "gap" else Severity.WARNING)


def test_s05_grid_beyond_its_community():
    wide = box(500, 0, 1010, 500)
    (outside,) = run([G1, wide, G3, G4], "heilongjiang").findings
    assert outside.kind is Kind.OUTSIDE
    assert outside.area_m2 == pytest.approx(5_000)
    assert outside.clause == "heilongjiang 3.1"

    report = run(
        [G1, wide, G3, G4, K2],
        "heilongjiang",
        parents=((K1, K1_CODE), (K2, K2_CODE)),
        parent_codes=[K1_CODE] * 4 + [K2_CODE],
        codes=[f"{K1_CODE}{i:03d}" for i in range(1, 5)] + [f"{K2_CODE}001"],
    )
    assert kinds(report) == ["outside", "other_parent_overlap"]
    assert f"{K2_CODE}001" in report.findings[1].codes
    assert report.findings[1].area_m2 == pytest.approx(5_000)


def sub_grids(polygons, households):
    cells = Cells(objects(polygons), codes=objects([f"G1-{i}" for i in range(len(polygons))]))
    return check(
        cells,
        Parents(objects([G1]), objects([f"{K1_CODE}001"])),
        rules=rules_of(read_profile("heilongjiang")),
        inside_only=True,
        facts=Facts(households=objects(households)),
    )


def test_s07_sub_grid_of_nine_households():
    parts = [box(0, 0, 100, 500), box(100, 0, 200, 500), box(200, 0, 300, 500)]
    (small,) = sub_grids(parts, [12, 24, 9]).findings
    assert small.kind is Kind.SUB_GRID_SIZE
    assert small.severity is Severity.ERROR
    assert small.fids == (2,)
    assert small.clause == "heilongjiang 6.1.3"
    assert sub_grids(parts, [11, 24, 10]).findings == ()
    (abroad,) = sub_grids([*parts[:2], box(400, 0, 505, 500)], [11, 24, 10]).findings
    assert abroad.kind is Kind.SUB_GRID_OUTSIDE
    assert abroad.rule == "V8"
    assert abroad.area_m2 == pytest.approx(2_500)


@pytest.mark.parametrize(
    ("households", "people", "warned"),
    [
        (420, None, {"heilongjiang"}),
        (210, 1000, set()),
        (210, 520, {"taizhou", "gansu"}),
    ],
)
def test_s08_size_warning_depends_on_the_profile(households, people, warned):
    for profile in ("heilongjiang", "taizhou", "gansu", "heihe", "zhenjiang"):
        facts = Facts(
            households=objects([households]),
            population=objects([people]),
            settlement=objects(["urban_community"]),
        )
        report = run([K1], profile, facts=facts)
        assert kinds(report) == (["size"] if profile in warned else []), profile
        assert report.summary.errors == 0


def rural(households, profile):
    count = len(households)
    stripes = [box(1000 * i / count, 0, 1000 * (i + 1) / count, 1000) for i in range(count)]
    facts = Facts(households=objects(households), settlement=objects(["rural"] * count))
    return run(stripes, profile, parent_codes=[K1_CODE] * count, facts=facts)


def test_s09_rural_size():
    assert rural([48, 55, 51], "heilongjiang").findings == ()
    (warning,) = rural([48, 55, 51], "gansu").findings
    assert warning.kind is Kind.SIZE
    assert warning.severity is Severity.WARNING
    assert warning.fids == (0, 1, 2)
    assert "48、55、51" in str(warning.message)
    assert rural([22], "heilongjiang").findings == ()


def test_s16_department_layer_is_refused():
    for profile in ("heihe", "taizhou", "gansu", "zhenjiang"):
        refused = department_layer(rules_of(read_profile(profile)), "城市管理局", None)
        assert refused is not None
        assert refused.severity is Severity.ERROR
        assert "参考图层" in str(refused.message)
        with_law = department_layer(rules_of(read_profile(profile)), "城市管理局", "某法")
        excused = profile in ("heihe", "zhenjiang")
        assert with_law.severity is (Severity.WARNING if excused else Severity.ERROR)


def test_s20_every_address_in_one_grid():
    places = np.random.default_rng(20).uniform(0, 1000, (10_000, 2))
    places[:4] = [(500, 250), (250, 500), (500, 500), (0, 0)]  # on borders: they belong to a grid as well
    codes = objects([f"A{i:05d}" for i in range(10_000)])
    one_each = objects([1] * 10_000)
    addresses = Addresses(places, codes, households=one_each)
    assert run([G1, G2, G3, G4], "zhenjiang", addresses=addresses).findings == ()
    places[77] = (1200, 500)
    (lost,) = run([G1, G2, G3, G4], "zhenjiang", addresses=addresses).findings
    assert lost.kind is Kind.ADDRESS_UNASSIGNED
    assert lost.codes == ("A00077",)
    assert lost.severity is Severity.ERROR
    assert "A00077" in str(lost.message)


def test_a_long_thin_strip_is_a_gap_however_thin():
    bitten = Polygon(
        [(0, 0), (500, 0), (500, 200), (499.8, 200), (499.8, 280), (500, 280), (500, 500), (0, 500)]
    )
    (gap,) = run([bitten, G2, G3, G4], "zhenjiang").findings
    assert gap.kind is Kind.GAP
    assert gap.area_m2 == pytest.approx(16)
    assert gap.width_m == pytest.approx(0.2)


def test_a_hole_between_grids_that_shapely_calls_a_valid_coverage():
    ring = [box(100 * i, 100 * j, 100 * i + 100, 100 * j + 100) for i in range(3) for j in range(3)]
    del ring[4]
    assert shapely.coverage_is_valid(ring)
    report = check(Cells(objects(ring)))
    (hole,) = report.findings
    assert hole.kind in (Kind.GAP, Kind.MISSING_CELL)
    assert hole.area_m2 == pytest.approx(10_000)
    assert report.summary.coverage_pct == pytest.approx(100 * 8 / 9)


def test_an_exclusive_grid_is_carved_out():
    hospital = box(600, 600, 800, 800)
    flags = np.array([False] * 4 + [True])
    (laid_over,) = run([G1, G2, G3, G4, hospital], "heilongjiang", exclusive=flags).findings
    assert laid_over.kind is Kind.CONTAINED
    assert laid_over.rule == "V9"
    carved = run([G1, G2, G3, G4.difference(hospital), hospital], "heilongjiang", exclusive=flags)
    assert carved.findings == ()
    assert carved.certificate.exact


def test_a_lake_declared_as_an_exception_is_no_gap():
    lake = box(600, 600, 800, 800)
    grids = [G1, G2, G3, G4.difference(lake)]
    codes = objects([f"{K1_CODE}{i:03d}" for i in range(1, 5)])
    parents = Parents(objects([K1]), objects([K1_CODE]), declared_holes=objects([lake]))
    report = check(Cells(objects(grids), codes=codes), parents)
    assert report.findings == ()
    assert report.certificate.exact
    assert report.summary.within_area_m2 == pytest.approx(960_000)


def test_missing_grid_and_inlet_have_their_own_kinds():
    assert kinds(run([G1, G2, G3], "zhenjiang")) == ["missing_cell"]
    inlet = G2.difference(box(900, 240, 1000, 242))
    (bay,) = run([G1, inlet, G3, G4], "zhenjiang").findings
    assert bay.kind is Kind.BAY
    assert bay.area_m2 == pytest.approx(200)


def test_codes_are_told_where_the_profile_gives_a_format():
    codes = [f"{K1_CODE}{n}" for n in ("001", "002", "004", "000")]
    found = kinds(run([G1, G2, G3, G4], "heilongjiang", codes=codes))
    assert sorted(found) == ["bad_code", "code_gap"]
    assert run([G1, G2, G3, G4], "zhenjiang", codes=codes).findings == ()
    doubled = run([G1, G2, G3, G4], "zhenjiang", codes=["A", "B", "B", "C"])
    assert kinds(doubled) == ["duplicate_code"]
    assert doubled.findings[0].fids == (1, 2)
    prefix = run(
        [G1, G2, G3, G4], "heilongjiang", codes=[f"{K1_CODE}{n:03d}" for n in (1, 2, 3)] + [f"{K2_CODE}001"]
    )
    assert kinds(prefix) == ["code_prefix"]


def test_exclusive_hosts_are_asked_for():
    flags = np.array([False, False, False, True])
    facts = Facts(host_units=objects([None, None, None, None]), managing_department=objects([None] * 4))
    assert kinds(run([G1, G2, G3, G4], "heilongjiang", exclusive=flags, facts=facts)) == ["exclusive_host"]
    assert kinds(run([G1, G2, G3, G4], "zhenjiang", exclusive=flags, facts=facts)) == ["exclusive_host"] * 2


def test_findings_weigh_as_many_as_live_there():
    places = np.array([(750.0, 990.0), (760.0, 985.0), (100.0, 100.0)])
    addresses = Addresses(places, objects(["A", "B", "C"]), people=objects([3, 4, 5]))
    (gap,) = run([G1, G2, G3, G4_SHORT], "zhenjiang", addresses=addresses).findings
    assert gap.weight is not None
    assert (gap.weight.addresses, gap.weight.people) == (2, 7)
