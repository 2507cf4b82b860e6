"""The desk in a real browser: one incident from its report to 归档销号, clicked through."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from gis_server.core.access import Role

DESK = {"width": 1440, "height": 900}


def report(live_server: Any, page: Page) -> str:
    """Report an incident beside the first one of the list, as a program does; its number."""
    made = page.evaluate(
        """async () => {
          const { csrf_token } = await (await fetch("/api/session")).json();
          const { incidents } = await (await fetch("/api/incidents?limit=1")).json();
          const { lon, lat } = incidents[0];
          const answer = await fetch("/api/incidents", {
            method: "POST",
            headers: { "Content-Type": "application/json", "X-CSRFToken": csrf_token },
            body: JSON.stringify({ lon, lat, item: "建筑施工噪声", description: "工地夜间施工", source: "public" }),
          });
          return await answer.json();
        }"""
    )
    return str(made["number"])


def picture(page: Page, name: str) -> None:
    """Keep a picture in the folder PICTURES names, for a person to look at."""
    folder = os.environ.get("PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_an_incident_is_clicked_from_report_to_archived(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = new_page(viewport=DESK)
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/incidents")
    expect(page.locator(".row").first).to_be_visible()
    number = report(live_server, page)
    page.locator(f".row[data-number='{number}']").click()
    detail = page.locator("#detail")
    expect(detail).to_be_in_viewport()

    def step(name: str, state: str, **fields: str) -> None:
        expect(page.locator("#detail button.primary")).to_have_count(1)
        page.click(f"#detail [data-step={name}]")
        for field, value in fields.items():
            page.fill(f"#detail [name='{field.replace('__', '.')}']", value)
        if fields:
            page.click("#detail form button.primary")
        expect(detail.locator(".facts")).to_contain_text(state)

    step("report", "已上报")
    expect(detail).to_contain_text("社区(村)")
    step("escalate", "乡镇(街道)")
    step("accept", "已受理")
    step("dispatch", "已交办")
    expect(detail.locator(".facts")).to_contain_text("市住建局")
    detail.locator(".time-limit summary").click()
    expect(detail.locator(".days li").first).to_be_visible()
    expect(detail.locator(".time-limit")).to_contain_text("heilongjiang 8.2.2")
    picture(page, "incident-dispatched")
    step("take_up", "已承接", person_in_charge="甲")
    page.click("#detail [data-step=complete]")
    picture(page, "incident-form")
    page.click("#detail form .quiet")
    step("complete", "已办结", result="已停工整改")
    step("feed_back", "已反馈")
    step("score", "已反馈", scores__acceptance="90", scores__handling="80", scores__result="100")
    step("archive", "归档销号")
    assert page.locator("#detail [data-step]").count() == 0
    expect(detail.locator(".steps li")).to_have_count(11)
    expect(page.locator(f".row[data-number='{number}'] .row-note")).to_contain_text("归档销号")
    picture(page, "incident-archived")


def test_the_one_who_comes_second_is_told_and_sees_what_stands(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    first, second = new_page(viewport=DESK), new_page(viewport=DESK)
    for page in (first, second):
        live_server.sign_in(page, Role.OPERATOR)
        page.goto(f"{live_server.url}/incidents")
        expect(page.locator(".row").first).to_be_visible()
    number = report(live_server, first)
    for page in (first, second):
        page.locator(f".row[data-number='{number}']").click()
    second.click("#detail [data-step=resolve_on_site]")  # a form under way is not taken away
    second.fill("#detail [name=result]", "当场劝停")
    first.click("#detail [data-step=report]")
    expect(first.locator("#detail .facts")).to_contain_text("已上报")
    second.click("#detail form button.primary")
    expect(second.locator("#detail [role=alert]")).to_contain_text("已上报")
    expect(second.locator("#detail .facts")).to_contain_text("已上报")
    expect(second.locator("#detail [data-step=accept]")).to_be_visible()


def test_the_open_incident_is_accessible_and_speaks_english(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = new_page(viewport=DESK, locale="en-GB")
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/incidents")
    number = report(live_server, page)
    page.locator(f".row[data-number='{number}']").click()
    expect(page.locator("#detail button.primary")).to_have_text("Report")
    page.click("#detail [data-step=resolve_on_site]")
    labels = page.locator("#detail label span, #detail dt, #detail button").all_inner_texts()
    assert [text for text in labels if re.search(r"[\u4e00-\u9fff]", text)] == []
    serious = [
        v["id"] for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_an_incident_slides_over_the_list_and_leaves_it_where_it_was(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = new_page(viewport=DESK)
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/incidents")
    row = page.locator(".row").nth(30)
    row.scroll_into_view_if_needed()
    before = page.evaluate("document.querySelector('.desk-list').scrollTop")
    assert before > 0
    row.click()
    expect(page.locator("#detail h2")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator("#detail")).to_be_hidden()
    assert page.evaluate("document.querySelector('.desk-list').scrollTop") == before


def test_overdue_only(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport=DESK)
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/incidents")
    expect(page.locator(".row").first).to_be_visible()
    with page.expect_response(lambda answer: "overdue=yes" in answer.url) as asked:
        page.check("#overdue")
    listed = asked.value.json()["incidents"]
    expect(page.locator(".row")).to_have_count(len(listed))
    assert all(incident["is_overdue"] for incident in listed)
