"""What staging looks at beside the rows themselves: addresses, the layer above, the grids below, departments (V7, V11, V12)."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import city
import pytest
import test_roster as rosters
from client import token_client
from flask import Flask
from made import NOON, geojson
from shapely import box
from test_http import geojson as body_of
from test_http import upload
from test_import import invoke
from ways import (
    K1,
    Case,
    context_of,
    laid,
    put,
    put_addresses,
    put_areas,
    put_grids,
    told_by,
)

from gis_server.core.access import CONSOLE, Actor, Role, Territory, Tier
from gis_server.core.errors import Conflict, DepartmentLayerRefused, NotAllowed, PublishRefused, UnusableInput
from gis_server.core.generation import GenerationState
from gis_server.journeys import layers as journey
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.context import Context
from gis_server.journeys.findings import accept_kind, findings

HOUR = timedelta(hours=1)
G1, G2 = box(0, 0, 500, 500), box(500, 0, 1000, 500)
G3, G4 = box(0, 500, 500, 1000), box(500, 500, 1000, 1000)
FOUR = Case([G1, G2, G3, G4], "zhenjiang")


@pytest.fixture
def ctx(database_url: str, tmp_path: Path) -> Iterator[Context]:
    """K1 of zhenjiang without grids."""
    made = context_of(database_url, "zhenjiang", tmp_path)
    put_areas(made, FOUR, tmp_path)
    yield made
    made.engine.dispose()


def kinds(result: journey.ImportResult) -> list[str]:
    return [one.kind for one in told_by(result)]


# -- addresses -------------------------------------------------------------------------------------------------


def test_findings_of_staged_grids_weigh_as_in_the_command(ctx: Context, tmp_path: Path) -> None:
    addresses = {"A": (750, 990, 1, 3), "B": (760, 985, 1, 4), "C": (100, 100, 1, 5)}
    put_addresses(ctx, addresses, tmp_path)
    short = Case([G1, G2, G3, box(500, 500, 1000, 980)], "zhenjiang")
    (gap,) = told_by(put_grids(ctx, short, tmp_path))
    # those on the gap are told by the gap, and not once more as addresses without a grid
    assert (gap.kind, gap.weight) == ("gap", (2, 7))


def test_addresses_in_none_or_two_grids_are_findings_of_the_grids(ctx: Context, tmp_path: Path) -> None:
    # nobody asks where addresses lie before there are grids; 60 m beyond the border is "just outside" and stays
    put_addresses(ctx, {"IN": (100, 100, 1, 1), "OUT": (1060, 500, 1, 1)}, tmp_path)
    result = put_grids(ctx, FOUR, tmp_path)
    (lost,) = told_by(result)
    assert (lost.kind, lost.rule, lost.severity, lost.codes) == (
        "address_unassigned",
        "V11",
        "error",
        ("OUT",),
    )
    assert result.generation is not None
    assert result.generation.state is GenerationState.STAGED


def test_sizes_are_counted_from_addresses_where_the_rows_state_none(
    database_url: str, tmp_path: Path
) -> None:
    made = context_of(database_url, "heilongjiang", tmp_path)
    put_areas(made, FOUR, tmp_path)
    put_addresses(
        made, {"A": (100, 100, 420, 900), "B": (700, 100, 210, 500), "C": (100, 700, 200, 400)}, tmp_path
    )
    unstated = {"resident_households": [None, None, None, 200]}
    (size,) = told_by(put_grids(made, Case([G1, G2, G3, G4], "heilongjiang", columns=unstated), tmp_path))
    assert (size.kind, size.codes) == ("size", (f"{K1}001",))
    assert "420" in size.sentence
    # what the rows say goes before what is counted
    stated = {"resident_households": [200, 200, 200, 200]}
    assert (
        told_by(
            put_grids(made, Case([G1, G2, G3, G4], "heilongjiang", columns=stated), tmp_path, now=NOON + HOUR)
        )
        == []
    )
    made.engine.dispose()


def test_publishing_looks_again_at_addresses_that_came_since(ctx: Context, tmp_path: Path) -> None:
    put_addresses(ctx, {"A": (100, 100, 1, 1)}, tmp_path)
    staged = put_grids(ctx, FOUR, tmp_path, publish=False).generation
    assert staged is not None
    assert staged.errors == 0
    put_addresses(ctx, {"A": (100, 100, 1, 1), "B": (1060, 500, 1, 1)}, tmp_path, now=NOON + HOUR)
    with pytest.raises(PublishRefused, match="1 处错误") as refused:
        journey.publish(ctx, CONSOLE, staged.id, NOON + 2 * HOUR)
    assert [one.finding.codes for one in refused.value.findings] == [("B",)]  # type: ignore[attr-defined]
    # it is kept, to be seen with the others
    generation, kept = findings(ctx, CONSOLE, staged.id)
    assert (generation.errors, [one.finding.kind.value for one in kept]) == (1, ["address_unassigned"])
    put_addresses(ctx, {"A": (100, 100, 1, 1)}, tmp_path, now=NOON + 3 * HOUR)
    published = journey.publish(ctx, CONSOLE, staged.id, NOON + 4 * HOUR)
    assert published.state is GenerationState.PUBLISHED
    assert findings(ctx, CONSOLE, staged.id)[1] == ()


def test_what_was_accepted_stays_accepted_when_it_is_looked_at_again(
    database_url: str, tmp_path: Path
) -> None:
    made = context_of(database_url, "heilongjiang", tmp_path)
    put_areas(made, FOUR, tmp_path)
    large = Case([G1, G2, G3, G4], "heilongjiang", columns={"resident_households": [900, 200, 200, 200]})
    staged = put_grids(made, large, tmp_path, publish=False).generation
    assert staged is not None
    accept_kind(
        made,
        CONSOLE,
        staged.id,
        findings(made, CONSOLE, staged.id)[1][0].finding.kind,
        reason="暂不调整",
        now=NOON,
    )
    put_addresses(made, {"A": (100, 100, 1, 1)}, tmp_path, now=NOON + HOUR)
    assert journey.publish(made, CONSOLE, staged.id, NOON + 2 * HOUR).state is GenerationState.PUBLISHED
    made.engine.dispose()


# -- areas that replace areas -----------------------------------------------------------------------------------


def test_new_areas_say_which_grids_in_force_no_longer_fit(ctx: Context, tmp_path: Path) -> None:
    """A redivision comes first in law and the grids follow: a warning to be accepted, with the list."""
    put_grids(ctx, FOUR, tmp_path)
    shapes = [box(0, 0, 900, 1000)]
    rows = [
        {"area_code": code, "area_name": code, "admin_level": level, "parent_code": parent}
        for code, level, parent in (
            ("230881", "county", None),
            ("230881001", "township", "230881"),
            (K1, "community", "230881001"),
        )
    ]
    path = geojson(tmp_path / "area.geojson", laid(shapes * 3), rows)
    result = put(ctx, "area", path, now=NOON + HOUR)
    assert "警告" in str(result.held_back)
    found = told_by(result)
    assert {(one.kind, one.severity) for one in found} == {("outside", "warning")}
    assert {one.codes for one in found} == {(f"{K1}002",), (f"{K1}004",)}
    assert all("生效的网格与新区划不再吻合" in one.sentence for one in found)
    assert all(one.area_m2 == pytest.approx(100 * 500, rel=1e-3) for one in found)
    generation = result.generation
    assert generation is not None
    with pytest.raises(PublishRefused, match="2 处警告"):
        journey.publish(ctx, CONSOLE, generation.id, NOON + HOUR)
    again = put(ctx, "area", path, now=NOON + HOUR, accept_warnings="区划已调整，网格随后另行划分")
    assert again.held_back is None


def test_the_same_areas_again_say_nothing(ctx: Context, tmp_path: Path) -> None:
    put_grids(ctx, FOUR, tmp_path)
    result = put_areas(ctx, FOUR, tmp_path, now=NOON + HOUR)
    assert (told_by(result), result.held_back) == ([], None)


def test_areas_staged_before_the_grids_are_looked_at_again(ctx: Context, tmp_path: Path) -> None:
    narrow = Case([box(0, 0, 900, 1000)], "zhenjiang")
    rows = [{"area_code": K1, "area_name": K1, "admin_level": "community", "parent_code": None}]
    path = geojson(tmp_path / "area.geojson", laid(narrow.grids), rows)
    staged = put(ctx, "area", path, publish=False).generation
    assert staged is not None
    assert staged.warnings == 0
    put_grids(ctx, FOUR, tmp_path, now=NOON + HOUR)
    with pytest.raises(PublishRefused, match="2 处警告"):
        journey.publish(ctx, CONSOLE, staged.id, NOON + 2 * HOUR)


def test_grids_checked_against_former_areas_are_not_published(ctx: Context, tmp_path: Path) -> None:
    staged = put_grids(ctx, FOUR, tmp_path, publish=False).generation
    assert staged is not None
    put_areas(ctx, FOUR, tmp_path, now=NOON + HOUR)
    with pytest.raises(Conflict, match="上级图层"):
        journey.publish(ctx, CONSOLE, staged.id, NOON + 2 * HOUR)


# -- S16: a department's layer ----------------------------------------------------------------------------------

OFFICE = Actor(None, "城市管理局", Role.HANDLING_UNIT, Territory(), Tier.HALL)
TWELVE = [box(250 * i, 1000 * j / 3, 250 * (i + 1), 1000 * (j + 1) / 3) for j in range(3) for i in range(4)]
LAW = "城市管理执法办法第八条"


def bring_twelve(ctx: Context, folder: Path, layer: str, **rest: Any) -> journey.ImportResult:
    assert len(TWELVE) == 12
    rows = [
        {
            "grid_code": f"{K1}{i:03d}",
            "grid_name": f"城管网格{i}",
            "community_code": K1,
            "grid_kind": "comprehensive_grid",
        }
        for i in range(1, 13)
    ]
    path = geojson(folder / "city.geojson", laid(TWELVE), rows)
    return journey.import_layer(ctx, OFFICE, layer, path, **({"crs": "EPSG:4490", "now": NOON} | rest))


def count_rows(ctx: Context) -> int:
    return sum(len(journey.generations(ctx, CONSOLE, name)) for name in ("grid", "reference"))


@pytest.mark.parametrize(
    ("profile", "clause", "exception"),
    [
        ("heihe", "heihe 9", True),
        ("zhenjiang", "zhenjiang 10(1)", True),
        ("taizhou", "taizhou 5.1.3", False),
        ("gansu", "gansu 一(一)3", False),
    ],
)
def test_s16_department_layer_is_refused(
    profile: str, clause: str, exception: bool, database_url: str, tmp_path: Path
) -> None:
    made = context_of(database_url, profile, tmp_path)
    put_areas(made, Case(TWELVE, profile), tmp_path)
    with pytest.raises(DepartmentLayerRefused, match="城市管理局") as refused:
        bring_twelve(made, tmp_path, "grid")
    error = refused.value
    assert (error.clause, error.offer) == (clause, "reference")
    assert (error.finding.kind.value, error.finding.rule, error.finding.severity.value) == (  # type: ignore[attr-defined]
        "department_layer",
        "V12",
        "error",
    )
    assert "参考图层" in str(error)
    assert count_rows(made) == 0

    # offered, and taken: a read-only reference layer
    reference = bring_twelve(made, tmp_path, "reference").generation
    assert reference is not None
    assert (reference.feature_count, reference.errors, reference.warnings) == (12, 0, 0)

    if not exception:
        with pytest.raises(DepartmentLayerRefused):
            bring_twelve(made, tmp_path, "grid", legal_basis=LAW)
        return
    result = bring_twelve(made, tmp_path, "grid", legal_basis=LAW)
    (flag,) = told_by(result)
    assert (flag.kind, flag.rule, flag.severity, flag.clause) == (
        "department_layer",
        "V12",
        "warning",
        clause,
    )
    assert LAW in flag.sentence
    generation = result.generation
    assert generation is not None
    assert generation.state is GenerationState.STAGED
    # whoever publishes has to accept the flag with a reason
    with pytest.raises(PublishRefused, match="1 处警告"):
        journey.publish(made, CONSOLE, generation.id, NOON)
    accept_kind(made, CONSOLE, generation.id, flagged(made, generation.id), reason="法律另有规定", now=NOON)
    assert journey.publish(made, CONSOLE, generation.id, NOON).state is GenerationState.PUBLISHED
    made.engine.dispose()


def flagged(ctx: Context, generation_id: int) -> Any:
    return findings(ctx, CONSOLE, generation_id)[1][0].finding.kind


def test_the_flag_of_a_department_outlasts_a_second_look(database_url: str, tmp_path: Path) -> None:
    made = context_of(database_url, "heihe", tmp_path)
    put_areas(made, Case(TWELVE, "heihe"), tmp_path)
    generation = bring_twelve(made, tmp_path, "grid", legal_basis=LAW).generation
    assert generation is not None
    put_addresses(made, {"A": (100, 100, 1, 1)}, tmp_path, now=NOON + HOUR)
    with pytest.raises(PublishRefused, match="1 处警告"):
        journey.publish(made, CONSOLE, generation.id, NOON + 2 * HOUR)
    made.engine.dispose()


def test_a_department_brings_nothing_else_and_publishes_nothing(ctx: Context, tmp_path: Path) -> None:
    path = geojson(tmp_path / "a.geojson", laid(TWELVE[:1]), [{"area_code": K1, "area_name": K1}])
    for layer in ("area", "camera", "address"):
        with pytest.raises(NotAllowed):
            journey.import_layer(ctx, OFFICE, layer, path, now=NOON)
    staged = bring_twelve(ctx, tmp_path, "reference").generation
    assert staged is not None
    with pytest.raises(NotAllowed):
        journey.publish(ctx, OFFICE, staged.id, NOON)
    with pytest.raises(NotAllowed):
        bring_twelve(ctx, tmp_path, "reference", publish=True)


def test_each_department_has_its_rows_of_the_reference_layer(ctx: Context, tmp_path: Path) -> None:
    def bring(department: str, count: int, hour: int) -> journey.ImportResult:
        rows = [{"编号": str(n)} for n in range(count)]
        path = geojson(tmp_path / "r.geojson", laid(TWELVE[:count]), rows)
        return put(ctx, "reference", path, department=department, now=NOON + hour * HOUR)

    assert bring("城市管理局", 3, 1).added == 3
    both = bring("应急管理局", 2, 2)
    assert (both.added, both.held_back) == (5, None)
    assert "另保留其他部门的 3 个图形" in str(both.notes[-1])
    assert bring("城市管理局", 1, 3).added == 3
    path = geojson(tmp_path / "r.geojson", laid(TWELVE[:1]), [{"编号": "1"}])
    with pytest.raises(UnusableInput, match="哪个部门"):
        put(ctx, "reference", path, now=NOON + 4 * HOUR)
    with pytest.raises(UnusableInput, match="哪个部门"):
        put(ctx, "grid", path, legal_basis=LAW, now=NOON + 4 * HOUR)


def test_a_planner_who_brings_a_departments_file_says_so(ctx: Context, tmp_path: Path) -> None:
    with pytest.raises(DepartmentLayerRefused):
        put_grids(ctx, FOUR, tmp_path, department="城市管理局")
    flag = put_grids(ctx, FOUR, tmp_path, department="城市管理局", legal_basis=LAW)
    assert kinds(flag) == ["department_layer"]


# -- V14: the people of new grids ---------------------------------------------------------------------------------


def renamed_grids(folder: Path, code: str) -> Path:
    """The made city's grids, the last of them with another code."""
    grids = [dict(grid) for grid in city.grids()]
    grids[-1]["properties"] = {**grids[-1]["properties"], "grid_code": code}  # type: ignore[dict-item]
    path = folder / "renamed.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": grids}))
    return path


def test_v14_a_new_grid_needs_its_people_before_it_is_in_force(city_ctx: Context, tmp_path: Path) -> None:
    new = f"{city.COMMUNITIES[3]}003"
    path = renamed_grids(tmp_path, new)
    now = city.PUBLISHED + 24 * HOUR
    # where no roster is kept nothing is asked
    quiet = put(city_ctx, "grid", path, now=now, publish=False)
    assert "roster" not in kinds(quiet)
    journey.discard(city_ctx, CONSOLE, quiet.generation.id, now)  # type: ignore[union-attr]

    rosters.put(city_ctx, tmp_path, rosters.whole(), now=now)
    result = put(city_ctx, "grid", path, now=now + HOUR, publish=False)
    lacking = [one for one in told_by(result) if one.kind == "roster"]
    assert {(one.rule, one.codes) for one in lacking} == {("V14", (new,))}
    assert {one.fids for one in lacking} == {(7,)}
    assert "error" in {one.severity for one in lacking}
    # on the map it is the new grid itself
    assert all(one.geometry is not None and one.geometry.area > 0 for one in lacking)
    staged = result.generation
    assert staged is not None

    # the roster may name a staged grid, and publishing looks again
    rows = [*rosters.whole(), *rosters.team(new, 99)]
    assert rosters.put(city_ctx, tmp_path, rows, now=now + 2 * HOUR).problems == ()
    with pytest.raises(PublishRefused) as refused:
        journey.publish(city_ctx, CONSOLE, staged.id, now + 3 * HOUR)
    assert {one.finding.kind.value for one in refused.value.findings} == {"code_gap"}  # type: ignore[attr-defined]


# -- over HTTP and on the command line ------------------------------------------------------------------------------


def test_s16_over_http(app: Flask, city_ctx: Context) -> None:
    add_account(
        city_ctx,
        CONSOLE,
        NewAccount("城市管理局", "城市管理局", Role.HANDLING_UNIT),
        city.PASSWORD,
        city.PUBLISHED,
    )
    office, planner = (token_client(app, city_ctx, login) for login in ("城市管理局", "planner"))
    content = body_of(*city.grids())
    refused = office.raw(
        "POST", "/api/layers/grid/imports", data={"file": (io.BytesIO(content), "g.geojson")}
    )
    assert refused.status_code == 403
    assert refused.json["offer"] == {"layer": "reference", "url": "/api/layers/reference/imports"}
    assert refused.json["field"] == "layer"
    assert "参考图层" in refused.json["detail"]
    english = office.raw(
        "POST",
        "/api/layers/grid/imports",
        data={"file": (io.BytesIO(content), "g.geojson")},
        headers={"Accept-Language": "en"},
    )
    assert "reference layer" in english.json["detail"]
    # what was offered works, and is nobody else's to look at
    job = upload(office, "reference", "g.geojson", content)
    assert job["state"] == "staged"
    assert office.raw("POST", f"/api/generations/{job['generation']}/publish", json={}).status_code == 403
    for layer in ("area", "camera"):
        other = office.raw(
            "POST", f"/api/layers/{layer}/imports", data={"file": (io.BytesIO(content), "g.geojson")}
        )
        assert other.status_code == 403
    # heilongjiang knows no exception by law
    by_law = {"file": (io.BytesIO(content), "g.geojson"), "department": "城市管理局", "legal_basis": LAW}
    assert planner.raw("POST", "/api/layers/grid/imports", data=by_law).status_code == 403


def test_the_command_line_names_the_department(city_ctx: Context, tmp_path: Path) -> None:
    path = tmp_path / "g.geojson"
    path.write_bytes(body_of(*city.grids()))
    refused = invoke(city_ctx, "import", "grid", str(path), "--department", "城市管理局")
    assert refused.exit_code == 2
    assert "参考图层" in refused.stderr
    taken = invoke(city_ctx, "import", "reference", str(path), "--department", "城市管理局", "--stage")
    assert taken.exit_code == 0, taken.stderr
    lawless = invoke(city_ctx, "import", "grid", str(path), "--legal-basis", LAW)
    assert (lawless.exit_code, "哪个部门" in lawless.stderr) == (2, True)
