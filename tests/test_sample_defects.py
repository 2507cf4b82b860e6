"""The sample city as received: ``defects.csv`` is found row by row, and nothing beside it."""

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from gis_server.cli import main
from gis_server.core.access import CONSOLE
from gis_server.core.datum import Datum
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context
from gis_server.journeys.ground import ground_at

SAMPLE = Path(__file__).parent.parent / "sample_shapefiles"
RECEIVED, CLEAN = SAMPLE / "as_received", SAMPLE / "clean"
PROFILE = ("--profile", "heilongjiang")

HOUR = timedelta(hours=1)

Finding = dict[str, Any]


def defects() -> dict[str, dict[str, str]]:
    with (RECEIVED / "defects.csv").open(encoding="utf-8-sig") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


@cache
def findings(*arguments: str) -> tuple[Finding, ...]:
    result = CliRunner().invoke(main, ["validate", *arguments, "--format", "json"])
    assert result.exit_code in (0, 1), result.stderr
    return tuple(json.loads(result.stdout)["findings"])


def of_grids(folder: Path = RECEIVED) -> list[Finding]:
    areas = "areas.zip" if folder is RECEIVED else "areas.shp"
    addresses = "addresses.csv" if folder is RECEIVED else "addresses.gpkg"
    datum = "gcj02" if folder is RECEIVED else "cgcs2000"
    given = (str(folder / "grids.shp"), "--within", str(folder / areas), *PROFILE)
    return list(findings(*given, "--addresses", str(folder / addresses), "--datum", datum))


def of_sub_grids(folder: Path = RECEIVED) -> list[Finding]:
    # the grids that sub-grids lie in are those in force, not those that are being mended
    given = (str(folder / "sub_grids.shp"), "--layer", "sub_grid", "--within", str(CLEAN / "grids.shp"))
    return list(findings(*given, *PROFILE))


def of_areas() -> list[Finding]:
    return list(findings(str(RECEIVED / "areas.zip"), "--layer", "area", *PROFILE))


def is_defect(finding: Finding, row: dict[str, str]) -> bool:
    """Whether the finding is the defect: kind, rows (for an address its code), measure and place."""
    if finding["kind"] != row["kind"]:
        return False
    if row["layer"] == "address":
        return finding["codes"] == row["codes"].split()
    return set(finding["fids"]) == set(map(int, row["fids"].split()))


def same_measure(finding: Finding, row: dict[str, str]) -> None:
    assert finding["rule"] in (row["rule"], "V9")
    area, width = float(row["area_m2"]), float(row["width_m"])
    if area > 0:
        assert finding["area_m2"] == pytest.approx(area, rel=0.01)
        assert finding["width_m"] == pytest.approx(width, rel=0.02, abs=2e-4)


SECOND_FINDING_OF = "D16"
"""Ground of another community's grid is also beyond one's own community: the second error of S05."""


def matched(found: Sequence[Finding], layer: str) -> list[Finding]:
    """Take each defect of a layer out of the findings; what is left."""
    left = list(found)
    for number, row in defects().items():
        if row["layer"] != layer:
            continue
        mine = [one for one in left if is_defect(one, row)]
        assert len(mine) == 1, (number, row["kind"], mine)
        same_measure(mine[0], row)
        left.remove(mine[0])
        if number == SECOND_FINDING_OF:
            (second,) = [one for one in left if one["kind"] == "outside" and one["codes"][0] in row["codes"]]
            assert second["area_m2"] == pytest.approx(float(row["area_m2"]), rel=0.01)
            assert second["geometry"] == mine[0]["geometry"]
            left.remove(second)
    return left


def sizes(found: Sequence[Finding]) -> set[tuple[str, ...]]:
    return {tuple(one["codes"]) for one in found if one["kind"] == "size"}


def test_every_row_names_a_layer_that_is_checked_here() -> None:
    assert {row["layer"] for row in defects().values()} == {"grid", "sub_grid", "address"}
    assert list(defects()) == [f"D{n:02d}" for n in range(1, 26)]


def test_grids_and_addresses_as_received_have_these_defects_and_no_other() -> None:
    left = matched(matched(of_grids(), "grid"), "address")
    # the city is sized by no one document: what heilongjiang says of its sizes, it says of the clean city too
    assert {one["kind"] for one in left} <= {"size"}
    assert {one["kind"] for one in of_grids(CLEAN)} == {"size"}
    spoilt = {code for row in defects().values() for code in row["codes"].split()}
    assert {codes for codes in sizes(left) if codes[0] not in spoilt} <= sizes(of_grids(CLEAN))
    assert all(one["severity"] == "warning" for one in left)


def test_under_a_profile_without_sizes_and_codes_the_same_is_found() -> None:
    given = (str(RECEIVED / "grids.shp"), "--within", str(RECEIVED / "areas.zip"), "--profile", "zhenjiang")
    addresses = ("--addresses", str(RECEIVED / "addresses.csv"), "--datum", "gcj02")
    found = list(findings(*given, *addresses))
    # zhenjiang gives no form of codes; an exclusive grid has a managing department there, which the city does not know
    formal = {"bad_code", "code_gap", "code_prefix"}
    left = found
    for row in defects().values():
        if row["layer"] in ("grid", "address") and row["kind"] not in formal:
            mine = [one for one in left if is_defect(one, row)]
            assert len(mine) >= 1, row
            left.remove(mine[0])
    assert {one["kind"] for one in left} <= {"outside", "exclusive_host"}
    assert [one["kind"] for one in left].count("outside") == 1


def test_sub_grids_as_received_have_these_defects_and_no_other() -> None:
    assert matched(of_sub_grids(), "sub_grid") == []
    assert of_sub_grids(CLEAN) == []


def test_areas_as_received_have_none() -> None:
    assert of_areas() == []


def staged(ctx: Context, layer: str, file: str, **how: Any) -> journey.ImportResult:
    return journey.import_layer(ctx, CONSOLE, layer, RECEIVED / file, now=datetime.now(UTC) + HOUR, **how)


def as_findings(result: journey.ImportResult) -> list[Finding]:
    """The findings of an import in the form of the command's."""
    return [
        {
            "kind": one.kind.value,
            "rule": one.rule,
            "severity": one.severity.value,
            "fids": list(one.fids),
            "codes": list(one.codes),
            "area_m2": one.area_m2,
            "width_m": one.width_m,
            "geometry": None if one.geometry is None else one.geometry.wkb,
        }
        for one in result.findings
    ]


def test_staging_finds_the_same(sample_ctx: Context) -> None:
    result = staged(sample_ctx, "grid", "grids.shp")
    told = {problem.row: problem for problem in result.problems}
    left = as_findings(result)
    for number, row in defects().items():
        if row["layer"] != "grid":
            continue
        if row["rule"] == "V5":
            # an import mends a ring and leaves out a row without one, and says so of the row
            problem = told.pop(int(row["fids"]))
            assert problem.rejected == (row["kind"] == "empty_geometry")
            continue
        mine = [one for one in left if is_defect(one, row)]
        assert len(mine) == 1, (number, mine)
        same_measure(mine[0], row)
        left.remove(mine[0])
    assert told == {}
    # grids with codes that nobody has heard of have nobody on the roster either (V14)
    with sample_ctx.engine.connect() as conn:
        in_force = set(ground_at(sample_ctx, conn, datetime.now(UTC) + HOUR).boundaries.grids.codes)
    assert not {code for one in left if one["kind"] == "roster" for code in one["codes"]} & in_force
    (second,) = [one for one in left if one["kind"] not in ("size", "roster")]
    assert second["kind"] == "outside"
    assert second["codes"] == defects()[SECOND_FINDING_OF]["codes"].split()[:1]


def test_staging_finds_the_address_and_the_sub_grids(sample_ctx: Context) -> None:
    (lost,) = as_findings(staged(sample_ctx, "address", "addresses.csv", datum=Datum.GCJ02))
    assert is_defect(lost, defects()["D25"])
    assert lost["fids"] == [int(defects()["D25"]["fids"])]
    assert matched(as_findings(staged(sample_ctx, "sub_grid", "sub_grids.shp")), "sub_grid") == []
    assert as_findings(staged(sample_ctx, "area", "areas.zip")) == []
