"""Reports by the file at the desk, in a real browser: sent, told row by row, corrected, sent again."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from gis_server.core.access import Role

DESK = {"width": 1440, "height": 900}
HEAD = "编号,经度,纬度,事件描述,来源\r\n"


def place(page: Page) -> tuple[float, float]:
    lon, lat = page.evaluate(
        """async () => {
          const { incidents } = await (await fetch("/api/incidents?limit=1")).json();
          return [incidents[0].lon, incidents[0].lat];
        }"""
    )
    return lon, lat


@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_a_file_is_sent_its_bad_rows_corrected_and_sent_again(
    live_server: Any, new_page: Callable[..., Page], tmp_path: Path, locale: str
) -> None:
    page = new_page(viewport=DESK, locale=locale, accept_downloads=True)
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/incidents")
    page.click("a[href='/incidents/bulk']")
    page.wait_for_url("**/incidents/bulk")
    lon, lat = place(page)
    rows = f"{locale}-1,{lon},{lat},井盖缺失,群众反映\r\n{locale}-2,{lat},{lon},路灯不亮,巡查\r\n"
    file = tmp_path / "rows.csv"
    file.write_text(HEAD + rows, "utf-8")
    page.click("#submit")
    expect(page.locator("#problem")).to_be_visible()
    page.set_input_files("#file", file)
    page.click("#submit")
    # no datum, neither in the file nor on the form
    expect(page.locator("#problem")).to_contain_text("坐标基准" if locale == "zh-CN" else "datum")
    page.select_option("#datum", "cgcs2000")
    page.click("#submit")
    expect(page.locator("#outcome .figures dd")).to_have_text(["1", "0", "1"])
    expect(page.locator(".faults tbody tr")).to_have_count(1)
    expect(page.locator(".faults tbody td").nth(1)).to_have_text("经度" if locale == "zh-CN" else "Longitude")
    serious = [
        v["id"] for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")
    ]
    assert serious == []
    with page.expect_download() as given:
        page.click("#outcome a.button")
    back = list(csv.DictReader(io.StringIO(Path(given.value.path()).read_text("utf-8-sig"))))
    assert [one["编号"] for one in back] == [f"{locale}-2"]
    back[0] |= {"经度": str(lon), "纬度": str(lat)}
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(back[0]))
        writer.writeheader()
        writer.writerows(back)
    page.set_input_files("#file", file)
    page.click("#submit")
    expect(page.locator("#outcome .figures dd")).to_have_text(["1", "0", "0"])
    page.click("#submit")
    expect(page.locator("#outcome .figures dd")).to_have_text(["0", "1", "0"])
    if locale == "en-GB":
        words = page.locator("label span, h1, h2, dt, th, button, .lead").all_inner_texts()
        assert not [text for text in words if any("\u4e00" <= c <= "\u9fff" for c in text)]


def test_the_blank_sheet_has_columns_that_are_understood(
    live_server: Any, new_page: Callable[..., Page], tmp_path: Path
) -> None:
    page = new_page(viewport=DESK, accept_downloads=True)
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/incidents/bulk")
    lon, lat = place(page)
    with page.expect_download() as given:
        page.click("#blank")
    names = Path(given.value.path()).read_text("utf-8-sig").strip().split(",")
    row = ["B-1", str(lon), str(lat), "cgcs2000", "积水", "巡查", "", "是", "", "5"]
    file = tmp_path / "a.csv"
    file.write_text(",".join(names) + "\r\n" + ",".join(row) + "\r\n", "utf-8")
    page.set_input_files("#file", file)
    page.click("#submit")
    expect(page.locator("#outcome .figures dd")).to_have_text(["1", "0", "0"])
