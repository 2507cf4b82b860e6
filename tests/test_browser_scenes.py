"""The page that edits a wall's scenes, in a real browser, with the wall beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from gis_server.core.access import Role

SCREENSHOTS = Path(__file__).parents[1] / "var" / "screenshots"


def test_a_manager_reorders_and_saves_scenes_and_the_wall_follows(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    desk = new_page(viewport={"width": 1440, "height": 900})
    desk.on("dialog", lambda dialog: dialog.accept())
    live_server.sign_in(desk, Role.OPERATOR)
    desk.goto(f"{live_server.url}/walls")
    desk.click("text=编辑大屏场景")
    rows = desk.locator(".scenes-list li")
    expect(rows).to_have_count(8)
    wall = desk.context.new_page()
    wall.set_viewport_size({"width": 1920, "height": 1080})
    wall.goto(f"{live_server.url}/wall/city")
    expect(wall.locator("#connection")).to_have_attribute("data-state", "live")
    expect(wall.locator("#ticks li")).to_have_count(8)
    try:
        for _ in range(7):
            rows.last.get_by_role("button", name="删除").click()
        rows.first.get_by_role("button").first.click()
        desk.get_by_label("中文名称").fill("值班总览")
        desk.locator(".scenes-panels li", has_text="近 7 天上报与办结").get_by_role(
            "button", name="移除"
        ).click()
        desk.get_by_label("添加面板到左栏").select_option("month")
        desk.locator(".scenes-panels > div").first.get_by_role("button", name="添加", exact=True).click()
        expect(desk.locator("#saved")).to_have_text("尚未保存")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        desk.screenshot(path=SCREENSHOTS / "scenes-1440x900.png")
        desk.click("#save")
        expect(desk.locator("#saved")).to_contain_text("已保存")
        expect(wall.locator("#scene")).to_have_text("值班总览", timeout=5_000)
        expect(wall.locator("#left")).to_contain_text("近 30 天上报")

        desk.locator("#takeover").fill("99999")
        desk.click("#save")
        expect(desk.locator("#problem")).to_contain_text("takeover_seconds")
        desk.reload()
        expect(rows).to_have_count(1)
    finally:
        desk.click("#restore")
        expect(rows).to_have_count(8)


def test_scenes_are_edited_by_keyboard_alone(live_server: Any, new_page: Callable[..., Page]) -> None:
    desk = new_page(viewport={"width": 1440, "height": 900}, locale="en-GB")
    live_server.sign_in(desk, Role.OPERATOR)
    desk.goto(f"{live_server.url}/walls/city/scenes")
    rows = desk.locator(".scenes-list li")
    expect(rows).to_have_count(8)
    # a row that is moved again and again keeps the focus, and at the end offers the way back
    desk.get_by_role("button", name="Move up: Township by township").focus()
    for place in (1, 0):
        desk.keyboard.press("Enter")
        expect(rows.nth(place)).to_contain_text("Township by township")
    expect(desk.get_by_role("button", name="Move down: Township by township")).to_be_focused()
    # a copy is named at once
    desk.get_by_role("button", name="Copy: Overview").press("Enter")
    expect(rows).to_have_count(9)
    expect(desk.get_by_label("Chinese name")).to_be_focused()
    # a letter too many is taken back
    desk.get_by_label("English name").press("End")
    desk.keyboard.type("x")
    expect(rows.nth(2)).to_contain_text("Overviewx")
    desk.keyboard.press("Backspace")
    expect(rows.nth(2)).not_to_contain_text("Overviewx")
    # choices do not lose their place when they are made
    colour = desk.get_by_label("Colour of grids")
    colour.focus()
    desk.keyboard.press("ArrowDown")
    expect(colour).to_have_value("open")
    expect(colour).to_be_focused()
    # the arrow keys choose among panels without adding one at every stroke
    more = desk.get_by_label("Add a panel: Right column")
    more.focus()
    before = desk.locator(".scenes-panels > div").nth(1).locator("li").count()
    desk.keyboard.press("ArrowDown")
    desk.keyboard.press("ArrowDown")
    expect(desk.locator(".scenes-panels > div").nth(1).locator("li")).to_have_count(before)
    desk.keyboard.press("Tab")
    desk.keyboard.press("Enter")
    expect(desk.locator(".scenes-panels > div").nth(1).locator("li")).to_have_count(before + 1)
    # what is not saved cannot be sent
    expect(desk.locator("#send")).to_be_disabled()
    expect(desk.locator("#send-first")).to_be_visible()
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    desk.screenshot(path=SCREENSHOTS / "scenes-english.png")
    for address in ("/walls/city/scenes", "/walls"):
        if address == "/walls":
            desk.on("dialog", lambda dialog: dialog.accept())
            desk.goto(f"{live_server.url}{address}")
            expect(desk.locator("#make")).to_be_visible()
        assert_accessible(desk)


def assert_accessible(page: Page) -> None:
    """No serious finding of axe."""
    found = [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]])
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    assert not found, found


def test_scenes_are_for_those_who_manage_walls(live_server: Any, page: Page) -> None:
    live_server.sign_in(page, Role.GRID_WORKER)
    answer = page.goto(f"{live_server.url}/walls/city/scenes")
    assert answer is not None
    assert answer.status == 403
