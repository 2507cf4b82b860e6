"""The page that edits a wall's scenes, in a real browser, with the wall beside it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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
        desk.get_by_label("添加面板到左栏").select_option("week")
        expect(desk.locator("#saved")).to_have_text("尚未保存")
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        desk.screenshot(path=SCREENSHOTS / "scenes-1440x900.png")
        desk.click("#save")
        expect(desk.locator("#saved")).to_contain_text("已保存")
        expect(wall.locator("#scene")).to_have_text("值班总览", timeout=5_000)
        expect(wall.locator("#left")).to_contain_text("近 7 天上报与办结")

        desk.locator("#takeover").fill("99999")
        desk.click("#save")
        expect(desk.locator("#problem")).to_contain_text("takeover_seconds")
        desk.reload()
        expect(rows).to_have_count(1)
    finally:
        desk.click("#restore")
        expect(rows).to_have_count(8)


def test_scenes_are_for_those_who_manage_walls(live_server: Any, page: Page) -> None:
    live_server.sign_in(page, Role.GRID_WORKER)
    answer = page.goto(f"{live_server.url}/walls/city/scenes")
    assert answer is not None
    assert answer.status == 403
