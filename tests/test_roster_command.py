"""``gis-server roster``: import, list, check and template, with their exit codes."""

import json
from pathlib import Path

import openpyxl
import pytest
from city import COMMUNITIES
from click.testing import CliRunner, Result

from gis_server.cli import main
from gis_server.files.cells import write_cells

HEAD = ["姓名", "电话", "岗位", "网格编码", "所属单位"]
G1 = f"{COMMUNITIES[0]}001"
TEAM = [
    ["韩霁川", "10400000001", "专职网格员", G1, ""],
    ["沐可", "", "专业网格员", G1, "市住建局"],
]


@pytest.fixture
def run(city_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("GIS_DATABASE_URL", city_url)
    monkeypatch.setenv("GIS_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("GIS_LANGUAGE", "zh")

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(main, ["roster", *words], catch_exceptions=False)

    return invoke


def written(folder: Path, rows: list[list[str]], suffix: str = ".csv") -> str:
    path = folder / f"roster{suffix}"
    path.write_bytes(write_cells(suffix, HEAD, rows))
    return str(path)


def test_a_roster_from_file_to_list(run: object, tmp_path: Path) -> None:
    assert callable(run)
    done = run("import", written(tmp_path, TEAM, ".xlsx"))
    assert done.exit_code == 0, done.stderr
    assert "2 人，2 个岗位" in done.stdout
    assert "没有专职网格员" in done.stderr  # of the other seven grids
    listed = run("list", "--area", COMMUNITIES[0]).stdout.splitlines()
    assert listed[0].startswith(f"{COMMUNITIES[0]}002  2号网格  无人在岗（错误）")
    assert listed[1].startswith(f"{G1}  1号网格  专职网格员韩霁川")
    checked = run("check", "--format", "json")
    assert checked.exit_code == 1
    told = json.loads(checked.stdout)
    assert told["schema"] == "gis-server/roster/1"
    assert {finding["rule"] for finding in told["findings"]} == {"V14"}
    assert "10400000001" not in done.output + checked.output + "".join(listed)
    text = run("check")
    assert text.exit_code == 1
    assert "（heilongjiang 3.3, 7.3.1）" in text.stderr


def test_rows_that_cannot_be_used_are_told_and_nothing_is_replaced(run: object, tmp_path: Path) -> None:
    assert callable(run)
    refused = run("import", written(tmp_path, [*TEAM, ["甲", "", "保安", G1, ""]]))
    assert refused.exit_code == 1
    assert "第 4 行：岗位“保安”不认识" in refused.stderr
    assert "没有导入：1 行不能使用" in refused.stderr
    assert "无人在岗" in run("list").stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("import", "nothing.csv"), "nothing.csv"),
        (("import", "{file}", "--on", "soon"), "--on 应为日期或时刻"),
        (("list", "--area", "1"), "没有编码为 1 的区划"),
        (("template", "-o", "{file}"), ".xlsx"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    run: object, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    assert callable(run)
    file = written(tmp_path, TEAM)
    done = run(*(word.format(file=file) for word in words))
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.output


def test_the_template_is_written(run: object, tmp_path: Path) -> None:
    assert callable(run)
    out = tmp_path / "list.xlsx"
    assert run("template", "-o", str(out)).exit_code == 0
    assert openpyxl.load_workbook(out).active["B1"].value == "姓名"
