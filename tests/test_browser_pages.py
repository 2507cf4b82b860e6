"""Every page in a real browser: reachable by role, in both languages, usable with a screen reader and by keyboard."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from gis_server.core.access import Role

PAGES = [
    "/",
    "/wall/city",
    "/report",
    "/incidents",
    "/incidents/bulk",
    "/layers",
    "/roster",
    "/walls",
    "/plans",
    "/no-such-page",
]
DESK = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


def serious(page: Page) -> list[str]:
    """Violations that keep people out, as rule and first element."""
    return [
        f"{violation['id']}: {violation['nodes'][0]['html'][:160]}"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("path", PAGES)
def test_pages_are_accessible(live_server: Any, new_page: Callable[..., Page], path: str) -> None:
    page = new_page(viewport=DESK)
    live_server.sign_in(page, Role.ADMIN)
    page.goto(live_server.url + path, wait_until="load")
    page.wait_for_timeout(800)
    assert serious(page) == []


def test_signing_in_is_accessible_and_explains_a_wrong_password(live_server: Any, page: Page) -> None:
    page.goto(f"{live_server.url}/sign-in")
    assert serious(page) == []
    page.fill("[name=login]", "admin")
    page.fill("[name=password]", "not the password")
    page.click("button.primary")
    expect(page.get_by_role("alert")).to_be_visible()
    assert page.input_value("[name=login]") == "admin"


def test_the_landing_page_offers_what_the_role_may_do(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    worker = new_page(viewport=PHONE)
    live_server.sign_in(worker, Role.GRID_WORKER)
    worker.goto(live_server.url)
    assert [a.get_attribute("href") for a in worker.locator(".landing-card").all()] == [
        "/incidents",
        "/report",
    ]
    planner = new_page(viewport=DESK)
    live_server.sign_in(planner, Role.PLANNER)
    planner.goto(live_server.url)
    assert "/layers" in [a.get_attribute("href") for a in planner.locator(".landing-card").all()]
    planner.click("button:has-text('退出')")
    expect(planner).to_have_url(f"{live_server.url}/sign-in")
    planner.goto(f"{live_server.url}/layers")
    expect(planner.locator("[name=password]")).to_be_visible()


def test_the_language_follows_the_browser_and_can_be_changed(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = new_page(viewport=DESK, locale="en-GB")
    live_server.sign_in(page, Role.ADMIN)
    page.goto(f"{live_server.url}/walls")
    assert page.get_attribute("html", "lang") == "en"
    page.click(".bar-language")
    expect(page).to_have_url(f"{live_server.url}/walls")
    assert page.get_attribute("html", "lang") == "zh-CN"
    expect(page.locator("h1")).to_have_text("大屏链接")
    page.reload()
    assert page.get_attribute("html", "lang") == "zh-CN"


def test_an_english_reader_meets_no_chinese_on_the_page(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = new_page(viewport=DESK, locale="en-GB")
    live_server.sign_in(page, Role.ADMIN)
    page.goto(f"{live_server.url}/layers")
    expect(page.locator("#layer option").first).to_be_attached()
    words = page.evaluate(
        """() => [...document.querySelectorAll('label > span, h1, h2, legend, button, option, th, .bar-nav a')]
             .map((e) => e.textContent.trim()).filter((text) => /[\\u4e00-\\u9fff]/.test(text))"""
    )
    assert words == []


@pytest.mark.parametrize(
    "path", ["/", "/report", "/incidents", "/incidents/bulk", "/layers", "/roster", "/walls"]
)
def test_nothing_sticks_out_on_a_phone(live_server: Any, new_page: Callable[..., Page], path: str) -> None:
    page = new_page(viewport=PHONE, has_touch=True)
    live_server.sign_in(page, Role.ADMIN)
    page.goto(live_server.url + path)
    page.wait_for_timeout(500)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_report_form_says_what_is_missing(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport=PHONE, has_touch=True)
    live_server.sign_in(page, Role.GRID_WORKER)
    page.goto(f"{live_server.url}/report")
    page.tap("#submit")
    expect(page.locator("#problem")).to_have_text("请先选择事件位置。")
    page.wait_for_timeout(500)
    page.tap("#map", position={"x": 170, "y": 160})
    expect(page.locator(".place-words")).to_be_visible()
    page.tap("#submit")
    expect(page.locator("#problem")).to_have_text("请填写情况说明。")


def test_a_report_without_network_is_kept_and_recorded_once(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    # without the service worker, which would fetch past the routes set here
    page = new_page(viewport=PHONE, has_touch=True, service_workers="block")
    live_server.sign_in(page, Role.GRID_WORKER)
    page.goto(f"{live_server.url}/report")
    page.wait_for_timeout(800)
    page.tap("#map", position={"x": 170, "y": 160})
    expect(page.locator(".place-words")).to_be_visible()
    page.fill("#description", "路灯不亮")
    keys: list[str] = []
    page.on(
        "request",
        lambda request: keys.append(request.headers["idempotency-key"]) if request.method == "POST" else None,
    )
    # the report arrives, its answer does not
    page.route("**/api/incidents", lambda route: (route.fetch(), route.abort())[1], times=1)
    page.tap("#submit")
    expect(page.locator("#answer")).to_contain_text("待发送")
    expect(page.locator(".outbox-row[data-standing=waiting]")).to_have_count(1)
    with page.expect_response(lambda r: r.request.method == "POST") as answered:
        page.reload()
    assert answered.value.status == 200, "the second try must find the first one's incident"
    expect(page.locator(".outbox-row[data-standing=sent]")).to_contain_text("路灯不亮")
    assert len(keys) == 2
    assert len(set(keys)) == 1


def test_an_incident_opens_with_its_history(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport=DESK)
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/incidents")
    first = page.locator(".row").first
    number = first.get_attribute("data-number")
    first.click()
    expect(page.locator("#detail")).to_contain_text(str(number))
    expect(page.locator("#detail .steps li").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    page.select_option("#state", "archived")
    expect(page.locator(".row-note").first).to_contain_text("归档销号")
