"""The roster's page in a real browser: what stands first, what an import says, who may import."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Route, expect

from gis_server.core.access import Role
from gis_server.files.cells import write_cells

DESK = {"width": 1440, "height": 900}


def test_vacancies_stand_first_and_can_be_narrowed(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport=DESK)
    live_server.sign_in(page, Role.PLANNER)
    page.goto(f"{live_server.url}/roster")
    expect(page.locator("#grids tr")).to_have_count(50)
    expect(page.locator("#grids tr").first).to_contain_text("没有网格长")
    expect(page.locator("#sum")).to_contain_text("200")
    page.click("#next")
    expect(page.locator("#position")).to_contain_text("51–100")
    page.select_option("#severity", "option")
    expect(page.locator("#grids tr")).to_have_count(5)
    page.select_option("#severity", "error")
    expect(page.locator("#empty")).to_be_visible()
    page.select_option("#severity", "")
    page.select_option("#area", label="　康泰社区")
    expect(page.locator("#grids tr").first).to_contain_text("康泰社区")
    assert "1040000" not in page.content()
    # an answer that comes after that of a later question is not shown
    held: list[Route] = []
    page.route(re.compile(r"severity=error"), lambda route, _: held.append(route))
    with page.expect_request(re.compile(r"severity=error")):
        page.select_option("#severity", "error")
    with page.expect_response(re.compile(r"severity=option")):
        page.select_option("#severity", "option")
    with page.expect_response(re.compile(r"severity=error")):
        held[0].continue_()
    page.wait_for_timeout(100)
    expect(page.locator("#empty")).to_be_hidden()
    page.fill("#at", "2000-01-01")
    expect(page.locator("#failed")).to_contain_text("最早的网格自")


def test_an_import_names_every_row_and_changes_nothing(
    live_server: Any, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    path = tmp_path / "花名册.xlsx"
    path.write_bytes(
        write_cells(
            ".xlsx", ["姓名", "岗位", "网格编码"], [["甲", "保安", "239901001001001"], ["乙", "网格长", "1"]]
        )
    )
    page = new_page(viewport=DESK)
    live_server.sign_in(page, Role.PLANNER)
    page.goto(f"{live_server.url}/roster")
    page.click("#take summary")
    page.set_input_files("#file", str(path))
    page.click("#send")
    expect(page.locator("#problem")).to_contain_text("原花名册不变")
    expect(page.locator("#rows li")).to_have_count(2)
    expect(page.locator("#rows li").first).to_contain_text("第 2 行")
    expect(page.locator("#sum")).to_contain_text("195")


def test_the_desk_reads_and_does_not_import(live_server: Any, new_page: Callable[..., Page]) -> None:
    page = new_page(viewport=DESK)
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/roster")
    expect(page.locator("#grids tr").first).to_be_visible()
    assert page.locator("#take").count() == 0
    analyst = new_page(viewport=DESK)
    live_server.sign_in(analyst, Role.ANALYST)
    refused = analyst.goto(f"{live_server.url}/roster")
    assert refused is not None
    assert refused.status == 403
