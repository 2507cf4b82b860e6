"""Who may print which wall, and the doors to it: address, button, command."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import pytest
from city import COMMUNITIES, PUBLISHED, SECRET, TOWNS
from click.testing import CliRunner
from client import Client, signed_in
from flask import Flask
from playwright.sync_api import Page
from rosters import put_roster
from sheet_maker import CITY_COMMUNITY, G1, TEAM, TOWN, printed, sheets
from sheet_reader import Sheets

from gis_server.cli import main
from gis_server.core.access import CONSOLE, Actor, Role, Territory, Tier
from gis_server.core.errors import NotAllowed, SignInRequired, UnusableInput
from gis_server.core.vocabulary import WallPanel
from gis_server.core.wall_wish import Asked, FileKind
from gis_server.journeys import wall_files, walls
from gis_server.journeys.context import Context
from gis_server.journeys.wall_files import PRINT, Printed
from gis_server.journeys.walls import make_link
from gis_server.store import audit

# ---- who may print what ---------------------------------------------------------------------------------------------


def kinds_of(app: Flask, login: str, **query: str) -> int:
    return signed_in(app, login).get("/api/wall-files", **query).status_code


@pytest.mark.parametrize(
    ("login", "panel", "status"),
    [
        ("analyst", "map", 200),
        ("analyst", "members", 403),
        ("operator", "contacts", 200),
        ("planner", "members", 200),
        ("west", "contacts", 200),
        ("east", "map", 403),
        ("worker", "map", 403),
        ("display", "map", 403),
        ("display", "workflow", 403),
    ],
)
def test_who_prints_what(app: Flask, login: str, panel: str, status: int) -> None:
    assert kinds_of(app, login, town=TOWNS[0], panel=panel, paper="A4") == status


def test_a_display_link_prints_nothing(app: Flask, city_ctx: Context) -> None:
    link = make_link(city_ctx, CONSOLE, "city", label="大厅", now=datetime.now(UTC))
    screen = Client(app)
    screen.page(f"/wall/city?key={link.token}")
    assert screen.get("/api/wall/city").status_code == 200
    assert screen.get("/api/wall-files", town=TOWNS[0]).status_code == 403
    assert Client(app).get("/api/wall-files", town=TOWNS[0]).status_code == 401
    with pytest.raises(NotAllowed):
        printed(city_ctx, Asked(town=TOWNS[0]), actor=Actor(None, "屏", Role.DISPLAY, wall_id="city"))
    with pytest.raises(SignInRequired):
        printed(city_ctx, Asked(town=TOWNS[0]), actor=Actor(None, "v", Role.VISITOR))
    assert walls.links(city_ctx, CONSOLE, datetime.now(UTC))


def test_every_sheet_leaves_an_audit_row(city_ctx: Context) -> None:
    put_roster(city_ctx, TEAM, PUBLISHED)
    operator = Actor(None, "o", Role.OPERATOR, Territory(("230881", TOWNS[0])))
    printed(city_ctx, Asked(grid=G1), actor=operator, panels=(WallPanel.SERVICE_CONTACT_PANEL,))
    with city_ctx.engine.connect() as conn:
        row = audit.latest(conn, 1)[0]
    assert (row.act, row.subject, row.actor, row.outcome) == (PRINT, G1, "o", "done")
    assert row.detail["people"] == 3
    assert row.detail["panels"] == ["service_contact_panel"]


def test_cameras_stand_on_internal_sheets_only(city_ctx: Context) -> None:
    public = sheets(city_ctx, Asked(town=TOWNS[0])).text()
    internal = sheets(city_ctx, Asked(town=TOWNS[0]), tier=Tier.INTERNAL).text()
    assert "视频监控" not in public
    assert "视频监控" in internal
    assert "内部资料，不得外传" in internal
    assert SECRET not in internal
    low = Actor(None, "a", Role.ANALYST, tier=Tier.PUBLIC)
    with pytest.raises(NotAllowed):
        sheets(city_ctx, Asked(town=TOWNS[0]), tier=Tier.INTERNAL, actor=low)
    with pytest.raises(UnusableInput):
        sheets(city_ctx, Asked(town=TOWNS[0]), tier=Tier.PROTECTED)


def test_a_download(app: Flask) -> None:
    client = signed_in(app, "operator")
    answer = client.get("/api/wall-files", community=COMMUNITIES[0], panel="all", paper="A4")
    assert answer.content_type == "application/pdf"
    assert answer.headers["Content-Disposition"].endswith(f'{COMMUNITIES[0]}.pdf"')
    assert answer.headers["Cache-Control"] == "private, no-store"
    several = client.get(
        "/api/wall-files", community=COMMUNITIES[0], panel="members,contacts", paper="A4", format="png"
    )
    assert several.content_type == "application/zip"
    names = ZipFile(BytesIO(several.data)).namelist()
    assert len(names) == 2
    assert all(name.endswith(".png") for name in names)
    for wrong in (
        {"town": TOWNS[0], "paper": "B5"},
        {"town": TOWNS[0], "panel": "people"},
        {"town": TOWNS[0], "tier": "protected"},
        {"town": TOWNS[0], "grid": G1},
        {"community": TOWNS[0]},
        {"town": TOWNS[0], "board": "perhaps"},
        {"town": TOWNS[0], "colour": "red"},
        {},
    ):
        assert client.get("/api/wall-files", **wrong).status_code == 422, wrong


def test_the_button(live_server: object, page: Page) -> None:
    live_server.sign_in(page, Role.OPERATOR)  # type: ignore[attr-defined]
    page.goto(f"{live_server.url}/walls")  # type: ignore[attr-defined]
    page.wait_for_selector("#town option", state="attached")
    assert page.locator("#town option").count() == 3
    page.select_option("#town", TOWN)
    page.select_option("#community", CITY_COMMUNITY)
    page.wait_for_selector(f"#grid option[value='{CITY_COMMUNITY}001']", state="attached")
    page.select_option("#grid", f"{CITY_COMMUNITY}001")
    page.select_option("#panel", "workflow")
    with page.expect_download() as download:
        page.click("#print")
    assert download.value.suggested_filename.endswith(f"{CITY_COMMUNITY}001.pdf")
    assert "网格化管理工作流程图" in Sheets(Path(download.value.path()).read_bytes()).text()


def test_a_download_of_a_grid_whose_code_is_in_chinese(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Printed("print_wall-甲一", FileKind.PDF, (b"%PDF",))
    monkeypatch.setattr(wall_files, "print_wall", lambda *_, **__: made)
    answer = signed_in(app, "operator").get("/api/wall-files", grid="甲一")
    assert answer.status_code == 200
    named = answer.headers["Content-Disposition"]
    # what travels over the wire is ASCII
    assert named.isascii()
    assert "filename*=UTF-8''print_wall-%E7%94%B2%E4%B8%80.pdf" in named


# ---- the command line -----------------------------------------------------------------------------------------------


@pytest.fixture
def run(city_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    monkeypatch.setenv("GIS_DATABASE_URL", city_url)
    monkeypatch.setenv("GIS_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("GIS_LANGUAGE", "zh")

    def invoke(*words: str) -> object:
        return CliRunner().invoke(main, ["wall", *words], catch_exceptions=False)

    return invoke


def test_the_command_writes_what_the_suffix_says(run: object, tmp_path: Path) -> None:
    assert callable(run)
    done = run("--town", TOWNS[0], "--paper", "a4", "-o", str(tmp_path / "west.pdf"))
    assert done.exit_code == 0, done.output
    assert Sheets((tmp_path / "west.pdf").read_bytes()).text().startswith("西镇网格划分图")
    done = run("--grid", G1, "--panel", "map", "--panel", "workflow", "-o", str(tmp_path / "g.png"))
    assert done.exit_code == 0, done.output
    assert sorted(path.name for path in tmp_path.glob("g*.png")) == ["g-1.png", "g-2.png"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--town", "999"), "999"),
        (("--town", COMMUNITIES[0]), "不是乡镇"),
        (("--grid", "1", "--town", "2"), "其中一个"),
        ((), "其中一个"),
        (("--community", COMMUNITIES[0], "--board"), "A2"),
    ],
)
def test_a_refusal_is_one_sentence_and_writes_nothing(
    run: object, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    assert callable(run)
    folder = tmp_path / "out"
    folder.mkdir()
    done = run(*words, "-o", str(folder / "w.pdf"))
    assert done.exit_code == 2
    told = [line for line in done.stderr.splitlines() if not line.startswith("绘制")]
    assert len(told) == 1
    assert said in told[0]
    assert list(folder.iterdir()) == []
