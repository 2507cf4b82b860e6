"""``gis-server profile``: the rules with their clauses, without a database."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gis_server.cli import main


@pytest.fixture(autouse=True)
def no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIS_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("GIS_LANGUAGE", "zh")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["profile", *arguments])


def row(result: Result, name: str) -> str:
    (line,) = [line for line in result.stdout.splitlines() if line.split()[:1] == [name]]
    return line


def test_list_names_the_five() -> None:
    result = run("list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == [
        "gansu",
        "heihe",
        "heilongjiang",
        "taizhou",
        "zhenjiang",
    ]
    assert "2022-02-01" in result.stdout
    listed = json.loads(run("list", "--format", "json").stdout)
    assert listed[4] == {
        "profile": "zhenjiang",
        "title": {
            "zh": "镇江市城乡网格化服务管理实施细则",
            "en": "Rules on urban and rural grid service and management, Zhenjiang",
        },
    }


def test_show_prints_value_clause_and_silence() -> None:
    result = run("show", "zhenjiang")
    assert result.exit_code == 0
    assert "24 小时" in row(result, "verification_hours")
    assert "zhenjiang 35" in row(result, "verification_hours")
    assert "文件未规定(默认)" in row(result, "overlap_force")
    assert "未给出数值" in row(result, "notice_update_days")
    assert "推断" in row(result, "resolved_on_site_must_be_recorded")


def test_columns_stand_under_each_other_in_cells_of_the_terminal() -> None:
    result = run("show", "heihe")
    lines = [row(result, name) for name in ("division_by", "division_filed_with", "change_approver")]
    # a Chinese character is two bytes of GBK and two cells wide
    assert len({len(line[: line.index("heihe 8")].encode("gbk")) for line in lines}) == 1


def test_show_speaks_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIS_LANGUAGE", "en")
    result = run("show", "heihe")
    assert "not from the document (default)" in row(result, "urban_households_min")
    assert "from the request to verify" in row(result, "verification_clock_start")


def test_show_json_is_the_whole_table() -> None:
    content = json.loads(run("show", "gansu", "--format", "json").stdout)
    assert content["schema"] == "gis-server/profile/1"
    rows = {p["name"]: p for group in content["groups"] for p in group["parameters"]}
    assert len(rows) == 143
    assert rows["rural_default_unit"]["value"] == ["administrative_village"]
    assert rows["rural_default_unit"]["otherwise"] == ["natural_village", "villager_group"]
    assert rows["urban_households_min"] == {
        "name": "urban_households_min",
        "title": {"zh": "城镇网格户数下限", "en": "Urban households, least"},
        "value": 300,
        "unit": {"zh": "户", "en": "households"},
        "otherwise": None,
        "origin": "document",
        "clause": "gansu 一(一)2",
        "force": "should",
        "inferred": False,
        "note": None,
        "stated": True,
        "basis": None,
    }


def test_an_unknown_key_is_one_sentence_and_exit_code_2() -> None:
    result = run("show", "beijing")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "没有名为 beijing 的标准；可用：gansu、heihe、heilongjiang、taizhou、zhenjiang。" in result.stderr


def test_overrides_fill_silence_and_are_shown_as_local(tmp_path: Path) -> None:
    local = tmp_path / "local.toml"
    local.write_text(
        'profile = "heihe"\n[division]\nurban_households_max = { value = 400, basis = "市网格办 2024-1" }\n',
        "utf-8",
    )
    line = row(run("show", "heihe", "--overrides", str(local)), "urban_households_max")
    assert "400 户" in line
    assert "文件未规定(本地设定)" in line
    assert "市网格办 2024-1" in line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            'profile = "heihe"\n[incident_loop]\nverification_hours = { value = 48, basis = "x" }',
            "incident_loop.verification_hours：heihe 21(3) 已规定此项（24）",
        ),
        ("profile = ", "local.toml：不是可读的 UTF-8 TOML 文件"),
        ('profile = "gansu"', "本文件用于 gansu，当前为 heihe。"),
    ],
)
def test_a_wrong_overrides_file_is_one_sentence(tmp_path: Path, content: str, said: str) -> None:
    local = tmp_path / "local.toml"
    local.write_text(content, "utf-8")
    result = run("show", "heihe", "--overrides", str(local))
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_an_overrides_file_that_is_not_there(tmp_path: Path) -> None:
    result = run("show", "heihe", "--overrides", str(tmp_path / "none.toml"))
    assert result.exit_code == 2
    assert "none.toml：不能读取" in result.stderr
