"""What a deployment may say of its own: which profile, what its document leaves open, which further items."""

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from city import inside
from click.testing import CliRunner
from client import token_client

from gis_server.cli import main
from gis_server.core.errors import CatalogueError, NotFound
from gis_server.journeys.context import Context
from gis_server.journeys.opening import context
from gis_server.journeys.profiles import items_in_use, profile_in_use
from gis_server.settings import Settings
from gis_server.views import create_app

FIVE = ("gansu", "heihe", "heilongjiang", "taizhou", "zhenjiang")
OWN = """
profile = "heilongjiang"
[incident_loop]
worker_report_hours = { value = 12, basis = "同江市办文 3 号" }
"""
AGAINST_THE_LAW = """
profile = "zhenjiang"
[incident_loop]
verification_hours = { value = 48, basis = "太紧" }
"""
ITEMS = """
profile = "heilongjiang"
[classes]
street_light = { zh = "路灯不亮", en = "street light out" }
[[items]]
row = "L-01"
levels = ["public_service", "street_light"]
description = { zh = "路灯不亮或损坏", en = "a street light is out or broken" }
basis = "同江市网格事项 2024 年增补"
[[items.admission]]
act = "propose"
on = 2024-03-01
by = "functional_department@county"
ground = "市政府办〔2024〕3 号"
[[items.admission]]
act = "approve"
on = 2024-03-08
by = "leading_group@county"
[[items.admission]]
act = "deploy"
on = 2024-03-11
by = "command_center@county"
[limits.group_rental_management]
unit = "working_days"
max = 5
basis = "同江市办文 4 号"
"""


def settings(tmp_path: Path, **values: str) -> Settings:
    return Settings.from_environment({"GIS_VAR": str(tmp_path / "var")} | values)


def kept(tmp_path: Path, content: str, name: str = "own") -> str:
    path = tmp_path / f"{name}.toml"
    path.write_text(content, "utf-8")
    return str(path)


def test_an_unknown_profile_is_refused_at_the_start_with_the_five(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        context(settings(tmp_path, GIS_PROFILE="nowhere"), "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert all(key in str(caught.value) for key in FIVE)
    for command in (["serve"], ["db", "status"], ["user", "list"]):
        result = CliRunner().invoke(
            main, command, env={"GIS_PROFILE": "nowhere", "GIS_VAR": str(tmp_path / "var")}
        )
        assert result.exit_code == 2
        assert all(key in result.stderr for key in FIVE)
        assert result.stderr.count("\n") == 1


def test_an_operator_fills_silence_and_it_is_shown_as_his(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = kept(tmp_path, OWN)
    parameter = profile_in_use(settings(tmp_path, GIS_PROFILE_OVERRIDES=path)).parameter(
        "worker_report_hours"
    )
    assert (parameter.value, parameter.basis) == (12, "同江市办文 3 号")
    assert profile_in_use(settings(tmp_path)).parameter("worker_report_hours").value is None
    monkeypatch.setenv("GIS_PROFILE_OVERRIDES", path)
    monkeypatch.setenv("GIS_LANGUAGE", "zh")
    shown = CliRunner().invoke(main, ["profile", "show", "heilongjiang"]).stdout
    (line,) = [line for line in shown.splitlines() if line.split()[:1] == ["worker_report_hours"]]
    assert "12" in line
    assert "文件未规定(本地设定)" in line
    assert "同江市办文 3 号" in line
    # of another profile the deployment says nothing
    other = CliRunner().invoke(main, ["profile", "show", "gansu"])
    assert other.exit_code == 0
    assert "本地设定" not in other.stdout


def test_the_law_is_not_overridden(tmp_path: Path) -> None:
    given = {"GIS_PROFILE": "zhenjiang", "GIS_PROFILE_OVERRIDES": kept(tmp_path, AGAINST_THE_LAW)}
    with pytest.raises(CatalogueError) as caught:
        context(settings(tmp_path, **given), "postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert "verification_hours" in str(caught.value)
    assert "zhenjiang 35" in str(caught.value)
    result = CliRunner().invoke(main, ["serve"], env=given | {"GIS_VAR": str(tmp_path / "var")})
    assert result.exit_code == 2
    assert "verification_hours" in result.stderr
    missing = settings(tmp_path, GIS_PROFILE_OVERRIDES=str(tmp_path / "missing.toml"))
    with pytest.raises(CatalogueError, match=re.escape("missing.toml")):
        profile_in_use(missing)


def report(**changes: object) -> dict[str, object]:
    return {**inside(0), "description": "井盖缺失", "source": "patrol"} | changes


def test_s24_an_unlisted_item_cannot_be_created_under_heilongjiang(city_ctx: Context, tmp_path: Path) -> None:
    """422 with the clause and the nearest items; under heihe it is taken, and the worker may refuse it."""
    app = create_app(city_ctx.settings, city_ctx)
    operator = token_client(app, city_ctx, "operator")
    refused = operator.post("/api/incidents", report(item="施工噪声扰民"))
    assert (refused.status_code, refused.json["field"], refused.json["clause"]) == (
        422,
        "item",
        "heilongjiang 8.5.1",
    )
    assert "建筑施工噪声" in refused.json["detail"]
    assert operator.get("/api/incidents").json["incidents"] == []
    for listed in ("建筑施工噪声", "construction_noise", "construction noise"):
        assert operator.post("/api/incidents", report(item=listed)).status_code == 201
    assert operator.post("/api/incidents", report()).status_code == 201  # the item is chosen at the desk
    elsewhere = replace(city_ctx, settings=replace(city_ctx.settings, profile="heihe"))
    heihe = create_app(elsewhere.settings, elsewhere)
    taken = token_client(heihe, elsewhere, "worker").post("/api/incidents", report(item="施工噪声扰民"))
    assert taken.status_code == 201
    for one in (app, heihe):
        one.extensions["gis_server"].broadcaster.stop()


def test_a_deployments_own_items_are_listed(city_ctx: Context, tmp_path: Path) -> None:
    own = replace(city_ctx.settings, items=Path(kept(tmp_path, ITEMS)))
    assert items_in_use(own)["group_rental_management"].basis == "同江市办文 4 号"
    ctx = replace(city_ctx, settings=own)
    app = create_app(own, ctx)
    operator = token_client(app, ctx, "operator")
    assert operator.post("/api/incidents", report(item="路灯不亮")).status_code == 201
    assert "路灯不亮" in operator.page("/report").text
    app.extensions["gis_server"].broadcaster.stop()
    plain = create_app(city_ctx.settings, city_ctx)
    assert (
        token_client(plain, city_ctx, "operator").post("/api/incidents", report(item="路灯不亮")).status_code
        == 422
    )
    plain.extensions["gis_server"].broadcaster.stop()


def test_an_own_item_comes_and_goes_by_the_procedure(city_ctx: Context, tmp_path: Path) -> None:
    """Machine 4.3 over the deeds of the file: who approves, what is missing, and the last day of a temporary item."""
    for wrong, clause in (
        ('by = "leading_group@county"', "heilongjiang 8.1.6"),  # approved by nobody entitled
        ('ground = "市政府办〔2024〕3 号"', "heilongjiang 8.1.6"),  # proposed without a ground
    ):
        changed = ITEMS.replace(wrong, 'by = "functional_department@county"' if "by" in wrong else "")
        with pytest.raises(CatalogueError) as caught:
            items_in_use(replace(city_ctx.settings, items=Path(kept(tmp_path, changed, wrong[:2]))))
        assert clause in str(caught.value)
        assert "items[1].admission" in str(caught.value)
    bare = ITEMS[: ITEMS.index("[[items.admission]]")] + ITEMS[ITEMS.index("[limits") :]
    with pytest.raises(CatalogueError, match="准入经过"):
        items_in_use(replace(city_ctx.settings, items=Path(kept(tmp_path, bare, "bare"))))
    undeployed = ITEMS.replace('act = "deploy"', 'act = "approve"')
    with pytest.raises(CatalogueError):
        items_in_use(replace(city_ctx.settings, items=Path(kept(tmp_path, undeployed, "twice"))))
    short = ITEMS.replace(
        'ground = "市政府办〔2024〕3 号"', 'ground = "汛期"\nterm = "temporary_item"\nvalid_to = 2024-09-30'
    )
    own = replace(city_ctx.settings, items=Path(kept(tmp_path, short, "short")))
    profile, item = profile_in_use(own), items_in_use(own)["street_light"]
    assert item.is_in_force(profile, date(2024, 9, 30))
    assert not item.is_in_force(profile, date(2024, 10, 1))
    ctx = replace(city_ctx, settings=own)
    app = create_app(own, ctx)
    refused = token_client(app, ctx, "operator").post("/api/incidents", report(item="路灯不亮"))
    assert (refused.status_code, refused.json["clause"]) == (422, "heilongjiang 8.5.1")
    app.extensions["gis_server"].broadcaster.stop()


def test_a_wrong_item_file_is_refused_at_the_start(tmp_path: Path) -> None:
    wrong = ITEMS.replace("[limits.group_rental_management]", "[limits.construction_noise]")
    with pytest.raises(CatalogueError, match=re.escape("heilongjiang 8.2.2")):
        context(
            settings(tmp_path, GIS_ITEMS=kept(tmp_path, wrong)),
            "postgresql+psycopg://nobody@127.0.0.1:1/none",
        )
    shown = CliRunner().invoke(
        main, ["profile", "show", "heilongjiang", "--format", "json"], env={"GIS_VAR": str(tmp_path)}
    )
    assert json.loads(shown.stdout)["profile"] == "heilongjiang"
