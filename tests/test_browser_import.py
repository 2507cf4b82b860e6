"""The import page in a real browser: bad files are explained, good ones are checked, published and drawn."""

import re
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import geopandas
import pytest
from playwright.sync_api import Page, Route, expect
from servers import running
from shapely.geometry import Point

from gis_server.core.access import CONSOLE, Role
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.opening import context
from gis_server.settings import PROJECT_FOLDER, Settings

SAMPLE = PROJECT_FOLDER / "sample_shapefiles"
DESK = {"width": 1440, "height": 900}
SHOT = PROJECT_FOLDER / "var" / "screenshots"

HYDRANT = """
[layer]
name = "hydrant"
title = { zh = "消火栓", en = "Hydrants" }
kind = "feature"
geometry = "Point"
key = "hydrant_code"
tier = "hall"
order = 65
label = "hydrant_code"
popup = ["hydrant_code", "pressure"]

[fields.hydrant_code]
type = "text"
title = { zh = "消火栓编号", en = "Hydrant code" }
tier = "hall"
required = true
aliases = ["编号"]

[fields.pressure]
type = "number"
title = { zh = "压力", en = "Pressure" }
tier = "internal"
aliases = ["压力"]

[style]
stroke = "--panel"
width = 1.0
fill = "#ff00e1"
fill_opacity = 1.0
radius = 6.0
shape = "diamond"
"""


PIXELS = """([red, green, blue]) => {
  let found = 0
  for (const canvas of document.querySelectorAll('#map canvas')) {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] === red && data[i + 1] === green && data[i + 2] === blue && data[i + 3] === 255) found += 1
    }
  }
  return found
}"""


def parts(folder: Path, stem: str, *suffixes: str) -> list[Path]:
    return [folder / f"{stem}.{suffix}" for suffix in suffixes]


def open_import(live_server: Any, page: Page, role: Role = Role.ADMIN) -> None:
    live_server.sign_in(page, role)
    page.goto(f"{live_server.url}/layers")
    expect(page.locator("#layer option[value=grid]")).to_be_attached()
    expect(page.locator("#generations .row").first).to_be_visible()


def test_a_bad_file_is_explained_and_a_good_one_reaches_the_wall(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = new_page(viewport=DESK)
    open_import(live_server, page)
    generations = page.locator("#generations .row")
    before = generations.count()

    page.set_input_files("#files", parts(SAMPLE / "as_received", "grids", "shp", "shx", "dbf"))
    page.click("#start")
    problem = page.locator("#problem")
    expect(problem).to_contain_text("坐标系", timeout=20_000)
    expect(problem).to_contain_text("grids")
    assert generations.count() == before, "a file that cannot be used leaves nothing behind"

    # the person answers the question, and the defects of the file are found
    page.select_option("#crs", "EPSG:4553")
    page.click("#start")
    expect(page.locator("#result")).to_be_visible(timeout=30_000)
    expect(problem).to_be_hidden()
    expect(page.locator("#findings")).to_contain_text("重叠")
    expect(page.locator("#row-problems tbody tr").first).to_be_visible()
    SHOT.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOT / "layers-findings-1440x900.png")
    page.click("#decide .primary")
    expect(problem).to_contain_text("错误")
    expect(generations.first).to_contain_text("待发布")
    page.click("#decide button:not(.primary)")
    expect(generations.first).to_contain_text("已放弃")

    wall = new_page()
    live_server.sign_in(wall, Role.OPERATOR)
    wall.goto(f"{live_server.url}/wall/city")
    expect(wall.locator("#connection")).to_have_attribute("data-state", "live")
    expect(wall.locator("#legend")).to_contain_text("网格")
    page.select_option("#crs", "")
    page.set_input_files("#files", parts(SAMPLE / "clean", "grids", "shp", "shx", "dbf", "prj", "cpg"))
    page.click("#start")
    expect(page.locator("#decide .primary")).to_be_visible(timeout=30_000)
    expect(page.locator("#proof")).to_contain_text("逐位精确：200 个网格，13,377 条边")
    page.screenshot(path=SHOT / "layers-proof-1440x900.png")
    page.click("#decide .primary")
    expect(problem).to_contain_text("警告")
    page.click("#next")
    accept(page, REASON, every=True)
    with wall.expect_response(re.compile("/api/layers/grid/features"), timeout=10_000):
        page.click("#decide .primary")
    expect(generations.first).to_contain_text("使用中")
    expect(generations.first).to_contain_text("逐位精确")
    expect(generations.nth(1)).to_contain_text("已放弃")


REASON = "老旧小区户数多，暂不调整"


def accept(page: Page, reason: str, *, every: bool) -> None:
    """Accept the selected warning, or all of its kind."""
    page.fill(".accept textarea", reason)
    page.click(f".accept button[value={'kind' if every else 'one'}]")
    expect(page.locator(".toast").last).to_contain_text("已接受")


def view_of(page: Page) -> str:
    """What the map shows: the canvas of the findings as it is drawn now."""
    return str(
        page.evaluate(
            "[...document.querySelectorAll('#map canvas')].map((c) => c.toDataURL().length).join() "
            "+ document.querySelector('.leaflet-map-pane').style.transform"
        )
    )


def test_findings_are_gone_through_one_by_one(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport=DESK)
    open_import(live_server, page, Role.PLANNER)
    page.set_input_files("#files", parts(SAMPLE / "as_received", "grids", "shp", "shx", "dbf"))
    page.select_option("#crs", "EPSG:4553")
    page.click("#start")
    expect(page.locator("#result")).to_be_visible(timeout=30_000)
    rows, position = page.locator("#findings .row"), page.locator("#position")
    total = rows.count()
    expect(position).to_have_text(f"共 {total} 处")
    expect(page.locator("#totals")).to_contain_text("覆盖率 99.")
    severities = page.locator("#findings .row-end > span").all_inner_texts()
    assert severities == sorted(severities, key=["错误", "警告", "提示"].index)

    # one after the other, by button and by key, and round the end
    whole = view_of(page)
    page.click("#next")
    expect(position).to_have_text(f"第 1 处，共 {total} 处")
    expect(page.locator(".finding-detail")).to_contain_text("依据")
    first = view_of(page)
    assert first != whole
    page.keyboard.press("n")
    expect(position).to_have_text(f"第 2 处，共 {total} 处")
    assert view_of(page) != first
    page.screenshot(path=SHOT / "layers-finding-1440x900.png")
    page.keyboard.press("p")
    page.keyboard.press("p")
    expect(position).to_have_text(f"第 {total} 处，共 {total} 处")

    # only one kind, only errors
    page.select_option("#by-kind", "overlap")
    overlaps = rows.count()
    assert 0 < overlaps < total
    assert set(page.locator("#findings .row-title").all_inner_texts()) == {"重叠"}
    page.select_option("#by-severity", "warning")
    expect(page.locator("#findings")).to_contain_text("没有符合条件的问题")
    page.select_option("#by-severity", "")

    # an error is not to be accepted; a warning is, with a reason
    page.click("#next")
    expect(page.locator(".finding-detail")).to_contain_text("改正后重新导入")
    expect(page.locator(".accept")).to_have_count(0)
    page.select_option("#by-kind", "size")
    sizes = rows.count()
    page.click("#next")
    page.fill(".accept textarea", " ok ")
    page.click(".accept button[value=one]")
    assert page.evaluate("document.querySelector('.accept textarea').validity.customError") is True
    accept(page, REASON, every=False)
    expect(rows.first).to_contain_text("已接受")
    expect(page.locator(".finding-detail")).to_contain_text("planner")
    expect(page.locator(".finding-detail")).to_contain_text(REASON)
    page.screenshot(path=SHOT / "layers-accepted-1440x900.png")
    # keys are letters while somebody writes
    page.click("#next")
    page.locator(".accept textarea").press_sequentially("no pins")
    page.screenshot(path=SHOT / "layers-reason-1440x900.png")
    expect(position).to_have_text(f"第 2 处，共 {sizes} 处")
    accept(page, REASON, every=True)
    page.select_option("#by-state", "open")
    expect(page.locator("#findings")).to_contain_text("没有符合条件的问题")
    page.click("#decide button")
    expect(page.locator("#generations .row").first).to_contain_text("已放弃")


def test_what_could_be_mended_comes_without_disturbing_who_writes_a_reason(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = new_page(viewport=DESK)
    open_import(live_server, page)
    held: list[Route] = []
    page.route(re.compile(r"/generations/\d+/mending\?"), lambda route, _: held.append(route))
    page.set_input_files("#files", parts(SAMPLE / "as_received", "grids", "shp", "shx", "dbf"))
    page.select_option("#crs", "EPSG:4553")
    page.click("#start")
    expect(page.locator("#mend-all")).to_contain_text("正在推算", timeout=30_000)
    page.select_option("#by-kind", "size")
    page.click("#next")
    page.locator(".accept textarea").press_sequentially(REASON)
    page.hover(".accept button[value=one]")
    page.mouse.down()
    for route in held:
        route.continue_()
    expect(page.locator("#mend-all")).to_contain_text("全部修补", timeout=20_000)
    page.mouse.up()
    expect(page.locator(".toast").last).to_contain_text("已接受")
    expect(page.locator("#findings .row").first).to_contain_text("已接受")
    page.click("#decide button:not(.primary)")
    expect(page.locator("#generations .row").first).to_contain_text("已放弃")


def test_findings_are_mended_where_they_stand(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport=DESK)
    open_import(live_server, page, Role.PLANNER)
    page.set_input_files("#files", parts(SAMPLE / "as_received", "grids", "shp", "shx", "dbf"))
    page.select_option("#crs", "EPSG:4553")
    page.click("#start")
    expect(page.locator("#result")).to_be_visible(timeout=30_000)
    page.select_option("#by-kind", "outside")
    rows, generations = page.locator("#findings .row"), page.locator("#generations .row")
    expect(rows).to_have_count(2)
    page.click("#next")
    move = page.locator(".finding-detail .move")
    expect(move).to_contain_text("退回到", timeout=20_000)
    expect(move).to_contain_text("→ 上级边界以外：")
    expect(move).to_contain_text("户")
    expect(move).to_contain_text("把握")
    drawn = view_of(page)
    move.hover()
    assert view_of(page) != drawn, "the ground that changes hands is stressed on the map"
    page.screenshot(path=SHOT / "layers-mending-1440x900.png")
    page.click(".mend")
    expect(page.locator(".toast").last).to_contain_text("已修补 1 处")
    expect(rows).to_have_count(1)
    expect(generations.first).to_contain_text("待发布")
    expect(generations.nth(1)).to_contain_text("已放弃")
    page.locator("#h-notes").click()
    expect(page.locator("#notes")).to_contain_text("修补 1 处而成")

    # what is too wide says so, and a wider limit mends it
    page.select_option("#by-kind", "overlap")
    page.click("#next")
    expect(page.locator(".finding-detail .mending")).to_contain_text("比修补的界限（1 米）宽", timeout=20_000)
    page.locator("#mending-box summary").click()
    page.fill("input[name=max_overlap_width_m]", "12")
    page.locator("input[name=max_overlap_width_m]").blur()
    expect(move).to_contain_text("退让", timeout=20_000)
    expect(page.locator("#mend-all")).to_contain_text("全部修补")
    before = generations.count()
    page.click(".mend")
    # the first mending's notice may still stand: what counts is that there is another generation
    expect(generations).to_have_count(before + 1, timeout=20_000)
    expect(page.locator(".toast").last).to_contain_text("已修补 1 处")
    expect(page.locator("#mend-all")).to_contain_text("全部修补", timeout=20_000)

    # done is undone, also after the page was left, and who did it is told
    page.reload()
    expect(generations.first).to_contain_text("待发布")
    generations.first.click()
    expect(page.locator("#h-mended")).to_contain_text("已作的修补（2）", timeout=20_000)
    page.locator("#h-mended").click()
    steps = page.locator(".mended-step")
    expect(steps).to_have_count(2)
    expect(steps.first).to_contain_text("退让")
    expect(steps.first).to_contain_text("planner")
    page.screenshot(path=SHOT / "layers-steps-1440x900.png")
    steps.first.locator(".undo").click()
    expect(page.locator(".toast").last).to_contain_text("已撤销 1 处修补", timeout=20_000)
    expect(steps.first).to_contain_text("已由 planner 于")
    expect(page.locator("#h-mended")).to_contain_text("已作的修补（1）", timeout=20_000)
    expect(page.locator("#mend-all")).to_contain_text("全部修补", timeout=20_000)
    expect(steps.locator(".undo")).to_have_count(1)

    # what a person must decide offers no button
    page.select_option("#by-kind", "duplicate_geometry")
    page.click("#next")
    expect(page.locator(".finding-detail")).to_be_visible()
    expect(page.locator(".mending")).to_have_count(0)
    page.select_option("#by-kind", "near_miss")
    page.click("#next")
    expect(page.locator("#mend-all")).to_contain_text("全部修补", timeout=20_000)
    expect(page.locator(".mend-kind")).to_contain_text("2 处", timeout=20_000)
    page.fill(".accept textarea", "不改也行")
    page.click(".mend-kind")
    expect(page.locator(".toast").last).to_contain_text("已修补 2 处")
    expect(page.locator("#by-kind option[value=near_miss]")).to_have_count(0)
    page.screenshot(path=SHOT / "layers-mended-1440x900.png")
    page.click("#decide button")
    expect(generations.first).to_contain_text("已放弃")


def test_a_refused_publication_shows_what_stands_in_its_way(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = new_page(viewport=DESK)
    open_import(live_server, page)
    page.set_input_files("#files", parts(SAMPLE / "as_received", "grids", "shp", "shx", "dbf"))
    page.select_option("#crs", "EPSG:4553")
    page.click("#start")
    expect(page.locator("#result")).to_be_visible(timeout=30_000)
    page.select_option("#by-kind", "size")
    page.click("#next")
    accept(page, REASON, every=True)
    page.click("#decide .primary")
    expect(page.locator("#problem")).to_contain_text("错误")
    expect(page.locator("#by-state")).to_have_value("open")
    expect(page.locator("#by-kind")).to_have_value("")
    assert "网格规模" not in page.locator("#findings .row-title").all_inner_texts()
    page.click("#decide button:not(.primary)")
    expect(page.locator("#generations .row").first).to_contain_text("已放弃")


def test_points_without_a_datum_are_not_sent(
    live_server: Any, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page(viewport=DESK)
    open_import(live_server, page)
    expect(page.locator("#datum-field")).to_be_hidden()
    page.select_option("#layer", "camera")
    expect(page.locator("#datum-field")).to_be_visible()
    table = tmp_path / "cameras.csv"
    table.write_text("code,name,lon,lat\n1,甲,131.3,47.2\n", encoding="utf-8")
    page.set_input_files("#files", table)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.click("#start")
    page.wait_for_timeout(300)
    assert sent == []
    assert page.evaluate("document.querySelector('#datum').validity.valueMissing") is True


def test_a_planner_may_stage_but_not_publish(
    live_server: Any, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page(viewport=DESK)
    open_import(live_server, page, Role.PLANNER)
    packed = tmp_path / "网格.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for part in parts(SAMPLE / "clean", "grids", "shp", "shx", "dbf", "prj", "cpg"):
            archive.write(part, f"成果/{part.name}")
    page.set_input_files("#files", packed)
    page.click("#start")
    expect(page.locator("#result")).to_be_visible(timeout=30_000)
    expect(page.locator("#decide .primary")).to_have_count(0)
    expect(page.locator("#decide")).to_contain_text("审批")


@pytest.fixture
def hydrants(tmp_path: Path) -> Path:
    """A shapefile of hydrants in the middle of the sample city."""
    middle = geopandas.read_file(SAMPLE / "clean" / "areas.shp").to_crs(4490).union_all().centroid
    places = [Point(middle.x + 0.004 * (i % 5), middle.y + 0.004 * (i // 5)) for i in range(25)]
    frame = geopandas.GeoDataFrame(
        {"编号": [f"X{i:03d}" for i in range(25)], "压力": [0.35] * 25}, geometry=places, crs=4490
    )
    frame.to_file(tmp_path / "hydrants.shp", encoding="GB18030")
    return tmp_path / "hydrants.shp"


def test_a_dropped_in_layer_is_drawn_without_a_change_of_code(
    city_database_url: str, hydrants: Path, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    folder = tmp_path / "layers"
    folder.mkdir()
    for file in (PROJECT_FOLDER / "layers").glob("*.toml"):
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "hydrant.toml").write_text(HYDRANT, encoding="utf-8")
    environ = {
        "GIS_DATABASE_URL": city_database_url,
        "GIS_VAR": str(tmp_path / "var"),
        "GIS_LAYERS": str(folder),
    }
    ctx = context(Settings.from_environment(environ), city_database_url)
    password = add_account(ctx, CONSOLE, NewAccount("keeper", "keeper", Role.ADMIN), None, datetime.now(UTC))
    ctx.engine.dispose()
    with running("serve", **environ) as server:
        page = new_page()
        page.goto(f"{server.url}/sign-in")
        page.fill("[name=login]", "keeper")
        page.fill("[name=password]", password)
        page.click("button.primary")
        page.goto(f"{server.url}/layers?layer=hydrant")
        expect(page.locator("#layer")).to_have_value("hydrant")
        page.select_option("#datum", "cgcs2000")
        page.set_input_files("#files", [hydrants.with_suffix(s) for s in (".shp", ".shx", ".dbf", ".prj")])
        page.click("#start")
        expect(page.locator("#decide .primary")).to_be_visible(timeout=30_000)
        page.click("#decide .primary")
        expect(page.locator("#generations .row").first).to_contain_text("使用中")
        page.goto(f"{server.url}/wall/city")
        expect(page.locator("#legend")).to_contain_text("消火栓")
        assert page.evaluate(PIXELS, [255, 0, 225]) > 25 * 5
