"""The desk in a real browser: one incident from its report to 归档销号, clicked through."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import text

from gis_server.core.access import Role
from gis_server.store.engine import make_engine

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


TRACK = """async (href) => {
  const { csrf_token } = await (await fetch("/api/session")).json();
  const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf_token };
  const step = { step: "supervise", expected_state: "recorded", note: "请今日办结" };
  const answer = await fetch("/api" + href + "/steps", { method: "POST", headers, body: JSON.stringify(step) });
  if (!answer.ok) throw new Error(await answer.text());
}"""
"""What somebody else does to an incident."""


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
    page.goto(f"{live_server.url}/incidents?state=all")
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


def opened_desk(live_server: Any, new_page: Callable[..., Page], address: str = "", **more: object) -> Page:
    page = new_page(viewport=DESK, **more)
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/incidents{address}")
    expect(page.locator(".row").first).to_be_visible()
    return page


def numbers(page: Page) -> list[str]:
    return page.locator(".row").evaluate_all("rows => rows.map(row => row.dataset.number)")  # type: ignore[no-any-return]


def test_the_address_carries_the_filters_and_the_open_incident(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = opened_desk(live_server, new_page)
    number = report(live_server, page)
    expect(page.locator(f".row[data-number='{number}']")).to_be_visible()
    page.fill("#q", number)
    page.wait_for_url(re.compile(r"\?q="))
    expect(page.locator(".row")).to_have_count(1)
    expect(page.locator("#total")).to_have_text("1")
    page.locator(f".row[data-number='{number}']").click()
    page.wait_for_url(re.compile(r"/incidents/\d+\?q="))
    other = new_page(viewport=DESK)
    live_server.sign_in(other, Role.OPERATOR)
    other.goto(page.url)
    expect(other.locator("#detail")).to_contain_text(number)
    assert other.input_value("#q") == number
    other.keyboard.press("Escape")
    expect(other.locator("#detail")).to_be_hidden()
    expect(other.locator(f".row[data-number='{number}']")).to_be_visible()
    page.go_back()
    expect(page.locator("#detail")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#detail")).to_contain_text(number)


def test_the_list_is_worked_through_by_keyboard(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = opened_desk(live_server, new_page)
    rows = numbers(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    detail = page.locator("#detail")
    expect(detail.locator(".facts").first).to_contain_text(rows[1])
    page.keyboard.press("n")
    expect(detail.locator("dl.facts .number").first).to_have_text(rows[2])
    page.keyboard.press("p")
    expect(detail.locator("dl.facts .number").first).to_have_text(rows[1])
    page.keyboard.press("Escape")
    expect(detail).to_be_hidden()
    expect(page.locator(f".row[data-number='{rows[1]}']")).to_be_focused()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()


def test_what_happens_changes_its_row_and_nothing_else(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = opened_desk(live_server, new_page)
    number = report(live_server, page)
    row = page.locator(f".row[data-number='{number}']")
    expect(row).to_be_visible()
    page.evaluate(
        """() => {
          window.touched = new Set();
          new MutationObserver((changes) => {
            for (const { target, type, addedNodes, removedNodes } of changes) {
              const element = target.nodeType === 1 ? target : target.parentElement;
              const row = element.closest(".row");
              window.touched.add(row ? row.dataset.number : type + addedNodes.length + removedNodes.length);
            }
          }).observe(document.querySelector("#rows"), { childList: true, subtree: true, characterData: true });
        }"""
    )
    page.evaluate(
        """async (number) => {
          const { csrf_token } = await (await fetch("/api/session")).json();
          const { incidents } = await (await fetch("/api/incidents?number=" + number)).json();
          await fetch("/api/incidents/" + incidents[0].id + "/steps", {
            method: "POST",
            headers: { "Content-Type": "application/json", "X-CSRFToken": csrf_token },
            body: JSON.stringify({ step: "report", expected_state: "recorded" }),
          });
        }""",
        number,
    )
    expect(row.locator(".row-note")).to_contain_text("已上报")
    assert page.evaluate("[...window.touched]") == [number]


def test_the_watch_marks_a_row_and_a_wall_overdue_while_they_look(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page, wall = opened_desk(live_server, new_page), new_page()
    number = report(live_server, page)
    row = page.locator(f".row[data-number='{number}']")
    expect(row.locator(".mark-open")).to_be_visible()
    live_server.sign_in(wall, Role.OPERATOR)
    with wall.expect_response(lambda answer: "/api/wall/city" in answer.url) as first:
        wall.goto(f"{live_server.url}/wall/city?scene=overview")
    overdue = first.value.json()["figures"]["overdue"]
    engine = make_engine(live_server.database_url, pool_size=1)
    with engine.begin() as conn:  # a day later, as it were
        conn.execute(
            text(
                "UPDATE incident SET due_at = now() - interval '1 second', "
                "clock_starts_at = now() - interval '1 day' WHERE number = :number"
            ),
            {"number": number},
        )
    engine.dispose()
    # the watch looks at least every half minute, and nobody else says a word
    expect(row.locator(".mark-overdue")).to_be_visible(timeout=60_000)
    expect(row.locator(".row-due")).to_contain_text("超期")
    row.click()
    expect(page.locator("#detail .steps .alert-overdue")).to_contain_text("社区(村)")
    expect(wall.locator("#overdue")).to_have_text(str(overdue + 1), timeout=60_000)


def test_why_a_step_cannot_be_made_is_told_with_its_clause(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = opened_desk(live_server, new_page)
    number = report(live_server, page)
    page.locator(f".row[data-number='{number}']").click()
    page.click("#detail [data-step=report]")
    expect(page.locator("#detail .facts").first).to_contain_text("已上报")
    page.click("#detail [data-step=escalate]")
    expect(page.locator("#detail .facts").first).to_contain_text("乡镇(街道)")
    page.click("#detail [data-step=accept]")
    page.click("#detail [data-step=dispatch]")
    page.click("#detail [data-step=take_up]")
    page.fill("#detail [name=person_in_charge]", "甲")
    page.click("#detail form button.primary")
    page.click("#detail [data-step=complete]")
    page.fill("#detail [name=result]", "已停工")
    page.click("#detail form button.primary")
    expect(page.locator("#detail .refused summary")).to_contain_text("1")
    page.click("#detail .refused summary")
    expect(page.locator("#detail .refused")).to_contain_text("要求现场核实")
    page.click("#detail .why summary")
    expect(page.locator("#detail .because li").first).to_be_visible()


def test_the_party_rates_on_a_phone(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = opened_desk(live_server, new_page)
    number = report(live_server, page)
    page.locator(f".row[data-number='{number}']").click()
    page.click("#detail .rating button")
    address = page.input_value("#detail .rating-link input")
    # it is shown once, so what others do to the incident leaves it
    before = page.locator("#detail .steps li").count()
    page.evaluate(TRACK, page.locator("#detail .facts a.number").first.get_attribute("href"))
    expect(page.locator("#detail .steps li")).to_have_count(before + 1)
    assert page.input_value("#detail .rating-link input") == address
    phone = new_page(viewport={"width": 390, "height": 844}, locale="en-GB")
    phone.goto(address)
    expect(phone.locator("main")).to_contain_text("still being handled")
    with page.expect_response(lambda answer: "/steps" in answer.url):
        page.click("#detail [data-step=resolve_on_site]")
        page.fill("#detail [name=result]", "x")
        page.click("#detail form button.primary")
    # an incident that was solved on the spot is filed without a word to the party; another goes the long way
    number = report(live_server, page)
    page.keyboard.press("Escape")
    page.locator(f".row[data-number='{number}']").click()
    for step, fields in (
        ("report", {}),
        ("escalate", {}),
        ("accept", {}),
        ("dispatch", {}),
        ("take_up", {"person_in_charge": "甲"}),
        ("complete", {"result": "好"}),
        ("feed_back", {}),
    ):
        with page.expect_response(lambda answer: "/steps" in answer.url):
            page.click(f"#detail [data-step={step}]")
            for name, value in fields.items():
                page.fill(f"#detail [name={name}]", value)
            if fields:
                page.click("#detail form button.primary")
    page.click("#detail .rating button")
    phone.goto(page.input_value("#detail .rating-link input"))
    serious = [
        v["id"] for v in Axe().run(phone).response["violations"] if v["impact"] in ("serious", "critical")
    ]
    assert serious == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert (
        min(
            box["height"]
            for box in phone.locator(".rate-choice").evaluate_all(
                "all => all.map(one => one.getBoundingClientRect().toJSON())"
            )
        )
        >= 44
    )
    phone.check("input[value='4']")
    phone.click("button.primary")
    expect(phone.locator("[role=status]")).to_be_visible()
    expect(page.locator("#detail .stars")).to_contain_text("4 分")


def test_the_filters_are_accessible_and_speak_english(
    live_server: Any, new_page: Callable[..., Page]
) -> None:
    page = opened_desk(live_server, new_page, "?order=due", locale="en-GB")
    page.click("#more-toggle")
    serious = [
        v["id"] for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")
    ]
    assert serious == []
    labels = page.locator(".filters label, .filters button, .filters h1, .keys").all_inner_texts()
    options = page.locator("#state option, #order option").all_inner_texts()
    assert [text for text in labels + options if re.search(r"[\u4e00-\u9fff]", text.split("\n")[0])] == []


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
