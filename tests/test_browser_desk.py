"""The operator's page in a real browser: a grid's card, what is near a point, the wall from the desk, and those who call."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route, expect

from gis_server.core.access import Role

SIZES = {"laptop": (1280, 720), "desk": (1440, 900), "wide": (1920, 1080)}


def opened(live_server: Any, new_page: Callable[..., Page], size: str = "desk", **more: object) -> Page:
    width, height = SIZES[size]
    page = new_page(viewport={"width": width, "height": height}, **more)
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/incidents")
    expect(page.locator(".row").first).to_be_visible()
    return page


def ask(page: Page, path: str) -> Any:
    return page.evaluate("async (path) => (await fetch(path)).json()", path)


def send(page: Page, method: str, path: str, body: object = None) -> Any:
    """What the page's own session sends, as a program does."""
    return page.evaluate(
        """async ([method, path, body]) => {
          const { csrf_token } = await (await fetch("/api/session")).json();
          const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf_token };
          const answer = await fetch(path, { method, headers, body: body === null ? undefined : JSON.stringify(body) });
          return answer.status === 204 ? null : await answer.json();
        }""",
        [method, path, body],
    )


def report(page: Page, **more: object) -> Any:
    (some,) = ask(page, "/api/incidents?limit=1&open=yes")["incidents"]
    body = {"lon": some["lon"], "lat": some["lat"], "description": "工地夜间施工", "source": "public"}
    return send(page, "POST", "/api/incidents", body | more)


def picture(page: Page, name: str) -> None:
    """Keep a picture in the folder PICTURES names, for a person to look at."""
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def serious(page: Page) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [one["id"] for one in violations if one["impact"] in ("serious", "critical")]


def test_a_press_on_a_row_holds_while_others_come_in(live_server: Any, new_page: Callable[..., Page]) -> None:
    page, other = opened(live_server, new_page), opened(live_server, new_page)
    number = report(page)["number"]
    pressed = page.locator(f".row[data-number='{number}']")
    expect(pressed).to_be_visible()
    pressed.hover()
    page.mouse.down()
    news = report(other)["number"]
    expect(other.locator(f".row[data-number='{news}']")).to_be_visible()
    page.wait_for_timeout(500)
    page.mouse.up()
    expect(page.locator("#detail")).to_contain_text(number)
    expect(page.locator(f".row[data-number='{news}']")).to_be_attached()


def test_a_desk_whose_link_is_lost_says_so(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(
        "window.EventSource = class extends EventSource { constructor(url) { super(url); window.source = this } }"
    )
    live_server.sign_in(page, Role.OPERATOR)
    with page.expect_response("**/api/events*"):
        page.goto(f"{live_server.url}/incidents")
    expect(page.locator(".row").first).to_be_visible()
    page.route("**/api/events*", lambda route: route.abort())
    page.evaluate("source.dispatchEvent(new Event('error'))")
    expect(page.locator("#calling-problem")).to_contain_text("连不上服务器")
    page.unroute("**/api/events*")
    expect(page.locator("#calling-problem")).to_be_hidden(timeout=20_000)


def test_a_grid_is_found_though_its_answer_is_still_on_its_way(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = opened(live_server, new_page)
    code = report(page)["grid_code"]
    held: list[Route] = []
    page.route("**/api/grids?*", lambda route, _: held.append(route))
    page.keyboard.press("g")
    with page.expect_request("**/api/grids?*"):
        page.keyboard.type(code)
    page.keyboard.press("Enter")
    for route in held:
        route.continue_()
    expect(page.locator("#place-card")).to_have_attribute("data-grid", code)


def find_grid(page: Page, text: str) -> None:
    """Find a grid by the keyboard alone."""
    page.keyboard.press("g")
    expect(page.locator("#grid-q")).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.locator("#place-card .place-figures")).to_be_visible()
    # and goes on from there
    expect(page.locator("#place-card")).to_be_focused()


@pytest.fixture
def quiet(live_server: Any, new_page: Callable[..., Page]) -> Iterator[None]:
    """Nobody calls when the test begins or when it is over: other tests share the server."""
    page = new_page()
    live_server.sign_in(page, Role.OPERATOR)

    def silence() -> None:
        for alarm in ask(page, "/api/alarms")["alarms"]:
            send(page, "POST", f"/api/incidents/{alarm['id']}/acknowledgement")

    silence()
    yield
    silence()


def test_a_grid_is_opened_by_keyboard_and_read_whole(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = opened(live_server, new_page)
    made = report(page)
    code = made["grid_code"]
    with page.expect_response(lambda answer: f"/api/grids/{code}/card" in answer.url) as asked:
        find_grid(page, code)
    card, told = page.locator("#place-card"), asked.value.json()
    expect(card.locator("h2")).to_have_text(told["grid"]["grid_name"])
    expect(card.locator(".facts")).to_contain_text(code)
    figures = card.locator(".place-figures dd")
    expect(figures.nth(0)).to_have_text(str(told["month"]["opened"]))
    assert told["month"]["opened"] > 0
    expect(card.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(f"共新增 {told['month']['opened']} 件")
    )
    expect(card.locator("a[href^='tel:']").first).to_be_visible()
    expect(card).to_contain_text("视频监控")
    # the list beside it is filtered to the grid, and is not covered
    with page.expect_response(
        lambda answer: "/api/incidents?" in answer.url and f"grid={code}" in answer.url
    ):
        card.get_by_role("button", name="只列它的事件").click()
    page.wait_for_url(re.compile(f"grid={code}"))
    expect(page.locator(f".row[data-number='{made['number']}']")).to_be_visible()
    page.locator(f".row[data-number='{made['number']}']").click()
    expect(page.locator("#detail h2")).to_be_in_viewport()
    expect(card).to_be_visible()
    # Escape closes what has the focus
    card.locator("#tab-grid").focus()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(page.locator("#detail")).to_be_visible()
    expect(page.locator("#grid-q")).to_be_focused()


def test_a_touched_point_shows_its_grid_and_what_is_near(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = opened(live_server, new_page)
    grid = ask(page, "/api/grids?q=第一网格")["grids"][0]
    find_grid(page, grid["grid_code"])
    box = page.locator("#map").bounding_box()
    card_box = page.locator("#place-card").bounding_box()
    assert box is not None
    assert card_box is not None
    with page.expect_response(lambda answer: "/api/nearby?" in answer.url) as asked:
        # the middle of what the card leaves free: in the grid that the map was brought to
        page.mouse.click((box["x"] + card_box["x"]) / 2, box["y"] + box["height"] / 2)
    near = asked.value.json()
    card = page.locator("#place-card")
    expect(card.locator("h2")).to_have_text(near["grid_name"])
    page.locator("#tab-grid").press("ArrowRight")
    expect(page.locator("#tab-near")).to_be_focused()
    expect(page.locator("#tab-near")).to_have_attribute("aria-selected", "true")
    metres = [one["distance_m"] for one in near["cameras"]]
    assert metres == sorted(metres)
    cameras = page.locator("#place-near [data-camera]")
    expect(cameras).to_have_count(len(metres))
    for at, camera in enumerate(near["cameras"]):
        words = {True: "朝向此处", False: "不朝向此处", None: ""}[camera["sees"]]
        expect(cameras.nth(at)).to_contain_text(words)
    staff = page.locator("#place-near [data-grid]")
    assert staff.first.get_attribute("data-grid") == near["grid_code"]
    # from one grid to the one beside it
    other = staff.nth(1).get_attribute("data-grid")
    staff.nth(1).locator("button").click()
    expect(card).to_have_attribute("data-grid", str(other))
    with page.expect_download() as printed:
        card.get_by_role("link", name="打印").click()
    assert printed.value.suggested_filename.endswith(".pdf")
    report_here = card.get_by_role("link", name="在此上报").get_attribute("href")
    assert report_here is not None
    page.goto(f"{live_server.url}{report_here}")
    expect(page.locator("#place")).to_contain_text("网格")


def test_what_is_near_an_incident(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = opened(live_server, new_page)
    made = report(page)
    page.locator(f".row[data-number='{made['number']}']").click()
    with page.expect_response(lambda answer: "/api/nearby?" in answer.url) as asked:
        page.click("#detail [data-act=near]")
    near = asked.value.json()
    assert near["grid_code"] == made["grid_code"]
    expect(page.locator("#place-near [data-grid]").first).to_contain_text("本网格")
    expect(page.locator("#tab-near")).to_have_attribute("aria-selected", "true")
    # the incident stays open over its list
    expect(page.locator("#detail")).to_contain_text(made["number"])


def test_by_which_address_an_incident_was_found_stands_at_the_desk(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = opened(live_server, new_page)
    address = ask(page, "/api/addresses?q=小区")["addresses"][0]
    body = {"address": address["address_code"], "description": "井盖缺失", "source": "public"}
    made = send(page, "POST", "/api/incidents", body)
    page.goto(f"{live_server.url}/incidents/{made['id']}")
    facts = page.locator("#detail .facts").first
    expect(facts).to_contain_text(address["standard_address"])
    expect(facts).to_contain_text(address["address_code"])


@pytest.mark.usefixtures("quiet")
def test_a_scene_is_sent_to_a_wall_and_its_map_goes_to_the_grid(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page, wall = opened(live_server, new_page), new_page()
    live_server.sign_in(wall, Role.OPERATOR)
    wall.goto(f"{live_server.url}/wall/city")
    expect(wall.locator("#scene")).not_to_be_empty()
    code = report(page)["grid_code"]
    find_grid(page, code)
    name = page.locator("#place-card h2").inner_text()
    page.locator("#place-card").get_by_role("button", name="上大屏").click()
    expect(page.locator("#wall-scene")).to_be_focused()
    page.select_option("#wall-scene", "now")
    page.fill("#wall-seconds", "30")
    page.click("#desk-wall button.primary")
    expect(wall.locator("#wall")).to_have_attribute("data-scene", "now")
    expect(wall.locator("#scene")).to_contain_text(name)
    picture(wall, "desk-wall-focus")
    # what stands there is told where the operator works, though nobody touches anything
    expect(page.locator(".desk-wall-now")).to_contain_text(name)
    # the wall's map holds the grid and little more
    west, south, east, north = ask(page, f"/api/grids/{code}/card")["bounds"]
    assert north > south
    assert ask(page, "/api/wall/city")["sent_scene"]["focus"]["bounds"] == [west, south, east, north]
    # Escape closes the form, and the focus stays where it was
    page.locator("#wall-seconds").focus()
    page.keyboard.press("Escape")
    expect(page.locator("#desk-wall summary")).to_be_focused()
    assert page.locator("#desk-wall").get_attribute("open") is None


@pytest.mark.usefixtures("quiet")
def test_those_who_call_are_acknowledged_from_the_list(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page, other = opened(live_server, new_page), opened(live_server, new_page)
    expect(page.locator("#calling-count")).to_have_text("没有告警")
    first, second = report(page, urgent=True), report(page, urgent=True)
    calls = page.locator("#calling-list li")
    expect(calls).to_have_count(2)
    expect(calls.first).to_have_attribute("data-calling", second["number"])
    expect(page.locator("#desk-wall")).to_have_attribute("data-by", "call")
    assert page.evaluate("localStorage.getItem('desk-sound')") is None
    page.check("#calling-sound")
    assert page.evaluate("localStorage.getItem('desk-sound')") == "on"
    page.uncheck("#calling-sound")
    picture(page, "desk-calling")
    # a press holds though somebody else calls meanwhile
    acknowledge = calls.first.get_by_role("button", name=re.compile("签收"))
    acknowledge.hover()
    page.mouse.down()
    with page.expect_response(lambda answer: "/api/alarms" in answer.url):
        third = report(page, urgent=True)
    expect(other.locator("#calling-list li")).to_have_count(3)
    page.mouse.up()
    expect(page.locator(f"#calling-list [data-calling='{second['number']}']")).to_have_count(0)
    expect(calls.first).to_have_attribute("data-calling", third["number"])
    second = third
    # by keyboard: one is acknowledged, and it goes from every desk
    calls.last.get_by_role("button", name=re.compile("签收")).focus()
    page.keyboard.press("Enter")
    expect(calls).to_have_count(1)
    expect(other.locator("#calling-list li")).to_have_count(1)
    calls.first.locator("[data-act=open]").click()
    expect(page.locator("#detail")).to_contain_text(second["number"])
    page.click("#detail .notice-error button.primary")
    expect(page.locator("#calling-count")).to_have_text("没有告警")
    assert ask(page, f"/api/incidents/{first['id']}")["is_calling"] is False


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("size", SIZES)
def test_the_list_is_never_covered_and_nothing_runs_over(
    live_server: Any, new_page: Callable[..., Page], size: str
) -> None:
    page = opened(live_server, new_page, size, reduced_motion="reduce")  # where it rests, not how it comes
    made = report(page, urgent=True)
    find_grid(page, made["grid_code"])
    page.click("#desk-wall summary")
    expect(page.locator(".desk-wall-form")).to_be_visible()
    picture(page, f"desk-{size}")
    width, height = SIZES[size]
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        width,
        height,
    ]
    boxes = page.evaluate(
        """() => Object.fromEntries([".desk-list", "#place-card", "#desk-wall", ".map-finders", "#map"].map((name) => {
          const { left, top, right, bottom } = document.querySelector(name).getBoundingClientRect();
          return [name, [left, top, right, bottom]];
        }))"""
    )
    listed, card, form, finders, the_map = boxes.values()
    assert listed[2] <= min(card[0], form[0], finders[0]) + 1
    assert form[2] <= card[0]
    assert finders[2] <= card[0]
    assert finders[3] <= form[1]
    for box in (card, form, finders):
        assert box[3] <= height
        assert box[2] <= width
    # of the map enough is left to see where the grid lies
    assert card[0] - the_map[0] >= 340
    # rows can be worked with while all of it is open
    rows = page.locator(".row")
    shown = page.evaluate(
        "[...document.querySelectorAll('.row')].filter((row) => row.getBoundingClientRect().bottom < innerHeight).length"
    )
    assert shown >= 4
    for part in ("#place-card", ".desk-list"):
        assert (
            page.evaluate(
                "(part) => { const e = document.querySelector(part); return e.scrollWidth - e.clientWidth }",
                part,
            )
            <= 0
        )
    rows.nth(1).click()
    expect(page.locator("#detail")).to_be_visible()
    page.keyboard.press("Escape")


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize(("size", "locale"), [("laptop", "en-GB"), ("desk", "zh-CN")])
def test_the_card_the_form_and_the_calls_are_accessible(
    live_server: Any, new_page: Callable[..., Page], size: str, locale: str
) -> None:
    page = opened(live_server, new_page, size, locale=locale)
    made = report(page, urgent=True)
    page.click(".desk-legend summary")
    # whether a camera works is told beside what it watches
    legend = page.locator(".desk-legend")
    expect(legend).to_contain_text("重要部位" if locale == "zh-CN" else "Important site")
    expect(legend).to_contain_text("离线" if locale == "zh-CN" else "Offline")
    find_grid(page, made["grid_code"])
    page.click("#desk-wall summary")
    assert serious(page) == []
    page.click("#tab-near")
    expect(page.locator("#place-near [data-grid]").first).to_be_visible()
    assert serious(page) == []
    picture(page, f"desk-near-{locale}")
    if locale == "zh-CN":
        return
    words = ".place-tabs button, .place-deeds > *, #place-grid dt, #place-grid h3, #place-near h3, .place-row-end, .calling-head, .desk-wall-form span"
    page.click("#tab-grid")
    told = page.locator(words).all_inner_texts()
    # names of places are Chinese in every language
    assert [
        text for text in told if re.search(r"[\u4e00-\u9fff]", re.sub(r"\S+(网格|社区|镇|街道)", "", text))
    ] == []


def test_a_department_is_shown_no_more_than_its_tier(live_server: Any, new_page: Callable[..., Page]) -> None:
    desk = opened(live_server, new_page)
    made = report(desk)
    page = new_page()
    live_server.sign_in(page, Role.HANDLING_UNIT)
    page.goto(f"{live_server.url}/incidents")
    expect(page.locator("#grid-q")).to_be_visible()
    assert page.locator("#calling, #desk-wall, #address").count() == 0
    find_grid(page, made["grid_code"])
    card = page.locator("#place-card")
    expect(card.locator("#tab-near")).to_be_hidden()
    expect(card).not_to_contain_text("常住户数")
    assert card.locator("a[href^='tel:']").count() == 0
    assert card.get_by_role("link", name="在此上报").count() == 0
