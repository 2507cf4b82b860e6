"""Finding a place by its address: with keys alone, with a finger, and what is said when no address is certain."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import text

from gis_server.core.access import Role
from gis_server.store.engine import make_engine

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1440, "height": 900}


@pytest.fixture
def address(live_server: Any) -> str:
    """One address of the sample city."""
    engine = make_engine(live_server.database_url)
    with engine.connect() as conn:
        found = conn.scalar(
            text(
                "SELECT standard_address FROM address WHERE standard_address LIKE '%幢%' ORDER BY id LIMIT 1"
            )
        )
    engine.dispose()
    return str(found)


def opened(live_server: Any, page: Page, path: str) -> Page:
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}{path}")
    expect(page.locator("#address input")).to_be_visible()
    return page


def test_an_address_is_found_and_chosen_with_the_keyboard(
    live_server: Any, new_page: Callable[..., Page], address: str
) -> None:
    page = opened(live_server, new_page(viewport=PHONE), "/report")
    field = page.locator("#address [role=combobox]")
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press_sequentially(address[3:])
    options = page.locator("#address [role=option]")
    expect(options.first).to_contain_text(address)
    expect(field).to_have_attribute("aria-expanded", "true")
    field.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    assert field.get_attribute("aria-activedescendant") == options.first.get_attribute("id")
    field.press("Escape")
    expect(page.locator("#address [role=listbox]")).to_be_hidden()
    field.press("ArrowDown")
    field.press("Enter")
    expect(field).to_have_value(address)
    expect(page.locator("#address [role=listbox]")).to_be_hidden()
    # the place is chosen as if it had been tapped, and nothing is sent yet
    expect(page.locator("#place")).to_contain_text("网格")
    expect(page.locator("#answer")).to_be_hidden()
    field.press("Escape")
    expect(field).to_have_value("")


def test_what_is_not_exact_says_so_and_is_not_chosen(
    live_server: Any, new_page: Callable[..., Page], address: str
) -> None:
    page = opened(live_server, new_page(viewport=PHONE, has_touch=True), "/report")
    other = re.sub("[0-9]+号", "99999号", address)
    page.locator("#address [role=combobox]").fill(other)
    expect(page.locator(".address-said")).to_contain_text("没有完全一致的地址")
    option = page.locator("#address [role=option]").first
    expect(option).to_contain_text("门牌号要找 99999")
    expect(page.locator("#place")).to_contain_text("请点地图选择位置")
    option.tap()
    expect(page.locator("#place")).to_contain_text("网格")


def test_an_older_question_never_overtakes_a_newer_one(
    live_server: Any, new_page: Callable[..., Page], address: str
) -> None:
    page = opened(live_server, new_page(viewport=DESK), "/report")
    asked: list[str] = []
    page.on("request", lambda request: "/api/addresses" in request.url and asked.append(request.url))
    field = page.locator("#address [role=combobox]")
    field.press_sequentially("小区", delay=20)
    page.wait_for_timeout(300)
    field.fill(address)
    expect(page.locator("#address [role=option]").first).to_contain_text(address)
    # a question a pause, not one a key
    assert len(asked) <= 3


def test_the_desk_tells_the_grid_of_an_address(
    live_server: Any, new_page: Callable[..., Page], address: str
) -> None:
    page = opened(live_server, new_page(viewport=DESK), "/incidents")
    page.locator("#address [role=combobox]").fill(address)
    page.locator("#address [role=option]").first.click()
    expect(page.locator("#address .address-said")).to_contain_text("网格")


def test_a_lost_network_is_told(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = opened(live_server, new_page(viewport=PHONE), "/report")
    page.route("**/api/addresses?*", lambda route: route.abort())
    page.locator("#address [role=combobox]").fill("锦泰路")
    expect(page.locator(".address-said")).to_contain_text("没有网络")


@pytest.mark.parametrize("path", ["/report", "/incidents"])
def test_the_open_list_is_accessible_and_speaks_english(
    live_server: Any, new_page: Callable[..., Page], path: str
) -> None:
    page = opened(live_server, new_page(viewport=DESK, locale="en-GB"), path)
    page.locator("#address [role=combobox]").fill("小区")
    expect(page.locator("#address [role=option]").first).to_be_visible()
    expect(page.locator(".address-said")).to_contain_text("exact")
    worst = [
        (one["id"], one["impact"])
        for one in Axe().run(page, context="#address").response["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert worst == []
