"""The report page of a phone, in a real browser: without network, without server, without session, without room."""

import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from phone import PASSWORD, PHONE, SMALL, Deployment, Phone, wait_for
from pictures import jpeg
from playwright.sync_api import Page, expect


def test_without_network_the_page_opens_takes_reports_and_sends_each_once(
    deployment: Deployment, phone: Phone
) -> None:
    phone.sign_in()
    phone.open()
    page = phone.page
    page.context.set_offline(True)
    page.goto(f"{phone.url}/report")  # from the phone itself
    expect(page.locator("#offline")).to_be_visible()
    expect(page.locator("#map canvas").first).to_be_attached()
    page.wait_for_timeout(800)
    before = datetime.now(UTC)
    phone.report("离线上报的井盖", jpeg((800, 600)), jpeg((600, 800), (10, 10, 200)))
    after = datetime.now(UTC)
    expect(page.locator("#answer")).to_contain_text("待发送")
    expect(phone.row("waiting")).to_have_count(1)
    phone.picture("report-offline")
    # another one, and away: nothing is lost with the page
    page.click("#answer button:has-text('再报一件')")
    phone.report("离线上报的路灯")
    page.goto("about:blank")
    time.sleep(2)
    assert deployment.recorded("离线上报的井盖") == []
    page.goto(f"{phone.url}/report")
    expect(phone.row("waiting")).to_have_count(2)
    page.context.set_offline(False)
    expect(phone.row("sent")).to_have_count(2, timeout=30_000)
    expect(page.locator("#offline")).to_be_hidden()
    ((number, key, photos),) = deployment.recorded("离线上报的井盖")
    assert photos == 2
    assert re.fullmatch(r"[0-9a-f]{32}", str(key))
    expect(page.locator("#outbox")).to_contain_text(str(number))
    assert len(deployment.recorded("离线上报的路灯")) == 1
    # as it was taken, not as it arrived
    ((at, recorded, datum),) = deployment.rows(
        "SELECT discovered_at, recorded_at, datum FROM incident WHERE description = '离线上报的井盖'"
    )
    assert isinstance(at, datetime)
    assert isinstance(recorded, datetime)
    assert before <= at <= after < recorded
    assert datum == "cgcs2000"
    page.reload()
    page.wait_for_timeout(1500)
    assert len(deployment.recorded("离线上报的井盖")) == 1


def test_a_position_of_the_phone_keeps_its_accuracy_and_is_told_its_grid_offline(
    deployment: Deployment, new_page: Callable[..., Page]
) -> None:
    ((lon, lat, code),) = deployment.rows(
        "SELECT ST_X(p), ST_Y(p), grid_code FROM (SELECT ST_PointOnSurface(geom) p, grid_code FROM grid"
        " ORDER BY grid_code LIMIT 1) g"
    )
    page = new_page(
        viewport=SMALL,
        has_touch=True,
        geolocation={"longitude": lon, "latitude": lat, "accuracy": 7.5},
        permissions=["geolocation"],
    )
    phone = Phone(page, deployment.url)
    phone.sign_in("second")
    phone.open()
    page.context.set_offline(True)
    page.tap("#locate")
    ((name,),) = deployment.rows("SELECT grid_name FROM grid WHERE grid_code = :code", code=code)
    expect(page.locator(".place-words")).to_have_text(str(name))
    expect(page.locator(".place-note")).to_contain_text("离线判断")
    page.fill("#description", "定位上报")
    page.tap("#submit")
    expect(phone.row("waiting")).to_have_count(1)
    page.context.set_offline(False)
    expect(phone.row("sent")).to_have_count(1, timeout=30_000)
    # the card tells it as soon as it is known
    expect(page.locator("#answer-title")).to_have_text("已登记")
    kept = deployment.rows(
        "SELECT grid_code, accuracy_m, datum, given_lon, given_lat FROM incident WHERE description = '定位上报'"
    )
    assert kept == [(code, 7.5, "wgs84", lon, lat)]


def test_with_the_server_killed_the_phone_goes_on_and_nothing_is_doubled(
    deployment: Deployment, phone: Phone
) -> None:
    phone.sign_in("third")
    phone.open()
    page = phone.page
    deployment.kill()
    phone.report("服务被杀时的上报", jpeg((1000, 700), (1, 2, 3)))
    expect(page.locator("#answer")).to_contain_text("待发送")
    page.goto(f"{phone.url}/report")
    expect(phone.row("waiting")).to_have_count(1)
    expect(page.locator("#offline")).to_be_visible()
    deployment.start()
    expect(phone.row("sent")).to_have_count(1, timeout=60_000)
    # kill it once more while reports come in one after the other
    for n in range(4):
        if page.locator("#answer").is_visible():
            page.click("#answer button:has-text('再报一件')")
        phone.report(f"连续上报 {n}", jpeg((900, 600), (n, n, n)))
        if n == 1:
            deployment.kill()
    deployment.start()
    expect(phone.row("sent")).to_have_count(5, timeout=60_000)
    assert [photos for _, _, photos in deployment.recorded("服务被杀时的上报")] == [1]
    for n in range(4):
        assert [photos for _, _, photos in deployment.recorded(f"连续上报 {n}")] == [1], n


def test_an_answer_that_is_lost_is_asked_for_again_with_the_same_key(
    deployment: Deployment, new_page: Callable[..., Page]
) -> None:
    page = new_page(viewport=PHONE, has_touch=True, service_workers="block")
    phone = Phone(page, deployment.url)
    phone.page.goto(f"{deployment.url}/sign-in?next=/report")
    page.fill("[name=login]", "worker")
    page.fill("[name=password]", PASSWORD)
    page.click("form button[type=submit]")
    page.wait_for_url("**/report")
    phone.open()
    keys: list[str] = []
    statuses: list[int] = []
    page.on("request", lambda r: keys.append(r.headers["idempotency-key"]) if is_report(r) else None)
    page.on("response", lambda r: statuses.append(r.status) if is_report(r.request) else None)
    # the report arrives, its answer does not
    page.route("**/api/incidents", lambda route: (route.fetch(), route.abort())[1], times=1)
    phone.report("答复丢失的上报")
    expect(phone.row("sent")).to_have_count(1, timeout=30_000)
    assert len(keys) == 2
    assert len(set(keys)) == 1
    assert statuses == [200], "the second try finds the first one's incident"
    assert len(deployment.recorded("答复丢失的上报")) == 1


def is_report(request: Any) -> bool:
    return bool(request.method == "POST" and request.url.endswith("/api/incidents"))


def test_a_log_in_page_of_a_foreign_network_is_no_answer(
    deployment: Deployment, new_page: Callable[..., Page]
) -> None:
    page = new_page(viewport=PHONE, has_touch=True, service_workers="block")
    phone = Phone(page, deployment.url)
    page.goto(f"{deployment.url}/sign-in?next=/report")
    page.fill("[name=login]", "second")
    page.fill("[name=password]", PASSWORD)
    page.click("form button[type=submit]")
    page.wait_for_url("**/report")
    phone.open()
    page.route(
        "**/api/incidents",
        lambda route: route.fulfill(status=200, content_type="text/html", body="<html>Wi-Fi</html>"),
        times=1,
    )
    phone.report("酒店网络里的上报")
    expect(phone.row("waiting")).to_have_count(1)
    expect(phone.row("sent")).to_have_count(1, timeout=30_000)
    assert len(deployment.recorded("酒店网络里的上报")) == 1


def test_a_session_that_has_ended_asks_to_sign_in_and_keeps_what_waits(
    deployment: Deployment, phone: Phone
) -> None:
    phone.sign_in("fourth")
    phone.open()
    page = phone.page
    session = [c for c in page.context.cookies() if c["name"] != "gis_account"]
    page.context.clear_cookies(name=session[0]["name"])
    phone.report("登录过期的上报")
    expect(page.locator("#signed-out")).to_contain_text("请重新登录")
    expect(page.locator("#answer")).to_contain_text("待发送")
    phone.picture("report-signed-out")
    assert deployment.recorded("登录过期的上报") == []
    page.click("#signed-out a")
    page.fill("[name=login]", "fourth")
    page.fill("[name=password]", PASSWORD)
    page.click("form button[type=submit]")
    expect(phone.row("sent")).to_have_count(1, timeout=30_000)
    assert len(deployment.recorded("登录过期的上报")) == 1


def test_on_a_shared_phone_each_sees_and_sends_only_his_own(deployment: Deployment, phone: Phone) -> None:
    page = phone.page
    phone.sign_in("worker")
    phone.open()
    page.context.set_offline(True)
    phone.report("甲的秘密", jpeg())
    page.click("#answer button:has-text('再报一件')")
    page.fill("#description", "甲没写完的话")
    page.context.set_offline(False)
    page.route("**/api/incidents", lambda route: route.abort())  # the first one's never gets through here
    page.goto(phone.url)
    page.click("button[title='退出']")
    page.wait_for_url("**/sign-in")
    page.unroute("**/api/incidents")

    phone.sign_in("second")
    phone.open()
    assert "甲" not in page.inner_text("body")
    assert page.input_value("#description") == ""
    expect(page.locator(".photo")).to_have_count(0)
    page.wait_for_timeout(2000)
    if deployment.recorded("甲的秘密"):  # the network was there before he signed out
        return
    page.context.set_offline(True)
    page.goto(f"{phone.url}/report")
    page.wait_for_timeout(1000)
    assert "甲" not in page.inner_text("body")
    page.context.set_offline(False)
    page.goto(phone.url)
    page.click("button[title='退出']")
    page.wait_for_url("**/sign-in")
    # signed out and without network nobody's reports are shown, and none is taken
    page.context.set_offline(True)
    page.goto(f"{phone.url}/report")
    expect(page.locator("#signed-out")).to_be_visible()
    expect(page.locator("#submit")).to_be_disabled()
    assert "甲" not in page.inner_text("body")
    page.context.set_offline(False)

    phone.sign_in("worker")
    expect(phone.row("sent").filter(has_text="甲的秘密")).to_have_count(1, timeout=30_000)
    expect(page.locator("#description")).to_have_value("甲没写完的话")
    ((_, _, photos),) = deployment.recorded("甲的秘密")
    assert photos == 1
    reporter = deployment.rows(
        "SELECT login FROM account a JOIN incident i ON i.reported_by = a.id WHERE description = '甲的秘密'"
    )
    assert reporter == [("worker",)]


def test_what_is_not_accepted_says_why_and_can_be_corrected(
    deployment: Deployment, new_page: Callable[..., Page]
) -> None:
    page = new_page(
        viewport=PHONE,
        has_touch=True,
        geolocation={"longitude": 122.5, "latitude": 35.0, "accuracy": 20},
        permissions=["geolocation"],
    )
    phone = Phone(page, deployment.url)
    phone.sign_in("third")
    phone.open()
    page.tap("#locate")  # out at sea
    page.fill("#description", "海上的上报")
    page.check("[name=urgent][value='1']", force=True)
    photo = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": jpeg()}
    page.set_input_files("#photo", photo)  # type: ignore[arg-type]
    page.tap("#submit")
    expect(phone.row("refused")).to_have_count(1)
    expect(phone.row("refused")).to_contain_text("不在本地范围内")
    phone.picture("report-refused")
    page.reload()
    expect(phone.row("refused")).to_have_count(1)
    phone.row("refused").locator("button:has-text('修改后重发')").click()
    expect(page.locator("#description")).to_have_value("海上的上报")
    expect(page.locator(".photo")).to_have_count(1)
    assert page.is_checked("[name=urgent][value='1']")
    ((lon, lat),) = deployment.rows(
        "SELECT ST_X(p), ST_Y(p) FROM (SELECT ST_PointOnSurface(geom) p FROM grid ORDER BY grid_code LIMIT 1) g"
    )
    page.context.set_geolocation({"longitude": lon, "latitude": lat, "accuracy": 5})
    page.tap("#locate")
    expect(page.locator(".place-words")).to_be_visible()
    page.tap("#submit")
    expect(phone.row("sent").filter(has_text="海上的上报")).to_have_count(1, timeout=30_000)
    expect(phone.row("refused")).to_have_count(0)
    ((_, _, photos),) = deployment.recorded("海上的上报")
    assert photos == 1


def test_a_refused_report_can_be_given_up(deployment: Deployment, new_page: Callable[..., Page]) -> None:
    page = new_page(
        viewport=PHONE,
        has_touch=True,
        geolocation={"longitude": 122.5, "latitude": 35.0, "accuracy": 20},
        permissions=["geolocation"],
    )
    phone = Phone(page, deployment.url)
    phone.sign_in("fourth")
    phone.open()
    page.tap("#locate")
    page.fill("#description", "不要了")
    page.tap("#submit")
    asked: list[str] = []
    page.once("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    # a press holds though something is told of another report meanwhile
    phone.row("refused").locator("button:has-text('删除')").hover()
    page.mouse.down()
    page.evaluate("new BroadcastChannel('gis-report').postMessage(null)")
    page.wait_for_timeout(300)
    page.mouse.up()
    expect(phone.row("refused")).to_have_count(1)
    assert len(asked) == 1
    page.once("dialog", lambda dialog: dialog.accept())
    phone.row("refused").locator("button:has-text('删除')").click()
    expect(phone.row("refused")).to_have_count(0)
    assert deployment.recorded("不要了") == []


def test_a_full_phone_says_so_and_leaves_the_form_as_it_is(deployment: Deployment, phone: Phone) -> None:
    phone.sign_in("second")
    phone.open()
    page = phone.page
    # as a browser does whose share of the disk is used up; headless it keeps everything in memory, and never is
    page.evaluate(
        """() => {
          const { put } = IDBObjectStore.prototype;
          IDBObjectStore.prototype.put = function (value) {
            if (value?.bytes?.byteLength > 100_000) throw new DOMException("full", "QuotaExceededError");
            return put.call(this, value);
          };
        }"""
    )
    phone.choose()
    page.fill("#description", "存不下的上报")
    large = {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": jpeg((800, 600)) + os.urandom(3_000_000)}
    page.set_input_files("#photo", large)  # type: ignore[arg-type]
    expect(page.locator("#photo-problem")).to_contain_text("存储空间不足")
    page.tap("#submit")
    expect(page.locator("#problem")).to_contain_text("存储空间不足")
    assert page.input_value("#description") == "存不下的上报"
    expect(page.locator(".photo")).to_have_count(1)
    phone.picture("report-full")
    page.click(".photo-off")
    page.tap("#submit")
    expect(phone.row("sent").filter(has_text="存不下的上报")).to_have_count(1, timeout=30_000)
    assert len(deployment.recorded("存不下的上报")) == 1


def test_with_the_page_closed_the_worker_sends_what_waits(deployment: Deployment, phone: Phone) -> None:
    phone.sign_in("third")
    phone.open()
    page = phone.page
    page.context.set_offline(True)
    phone.report("后台发送的上报", jpeg((500, 500)))
    other = page.context.new_page()
    page.close()
    page.context.set_offline(False)
    other.goto(f"{deployment.url}/docs")
    cdp = other.context.new_cdp_session(other)
    registrations: list[str] = []
    cdp.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.extend(
            r["registrationId"] for r in event["registrations"] if r["scopeURL"].endswith("/report")
        ),
    )
    cdp.send("ServiceWorker.enable")
    other.wait_for_timeout(500)
    assert registrations
    if not deployment.recorded("后台发送的上报"):  # unless the browser's own background sync was quicker
        cdp.send(
            "ServiceWorker.dispatchSyncEvent",
            {
                "origin": deployment.url,
                "registrationId": registrations[-1],
                "tag": "reports",
                "lastChance": False,
            },
        )
    wait_for(lambda: [p for _, _, p in deployment.recorded("后台发送的上报")] == [1])


def test_photos_of_the_form_survive_a_reload(phone: Phone) -> None:
    phone.sign_in("fourth")
    phone.open()
    page = phone.page
    files = [
        {"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": jpeg(colour=(n, 0, 0))} for n in (1, 2, 3)
    ]
    page.set_input_files("#photo", files)  # type: ignore[arg-type]
    page.locator(".photo-off").nth(1).click()
    expect(page.locator(".photo")).to_have_count(2)
    page.wait_for_timeout(300)
    page.reload()
    expect(page.locator(".photo")).to_have_count(2)
    text_file = {"name": "a.txt", "mimeType": "text/plain", "buffer": b"hello"}
    page.set_input_files("#photo", text_file)  # type: ignore[arg-type]
    expect(page.locator("#photo-problem")).to_contain_text("不是")
    expect(page.locator(".photo")).to_have_count(2)


def test_likely_duplicates_are_named_before_sending(deployment: Deployment, phone: Phone) -> None:
    phone.sign_in("worker")
    phone.open()
    phone.report("先报的积水")
    expect(phone.row("sent").filter(has_text="先报的积水")).to_have_count(1, timeout=30_000)
    number = deployment.recorded("先报的积水")[0][0]
    phone.page.click("#answer button:has-text('再报一件')")
    phone.choose()
    expect(phone.page.locator("#nearby")).to_contain_text(str(number))
    expect(phone.page.locator("#nearby")).to_contain_text("不必重复上报")


@pytest.mark.parametrize("size", [PHONE, SMALL, {"width": 360, "height": 380}])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_the_page_fits_reads_and_speaks_on_small_screens(
    deployment: Deployment, new_page: Callable[..., Page], size: dict[str, int], locale: str
) -> None:
    page = new_page(viewport=size, has_touch=True, locale=locale)
    phone = Phone(page, deployment.url)
    phone.sign_in("fourth")
    phone.open()
    page.context.set_offline(True)
    phone.report("Manhole cover missing" if locale == "en-GB" else "井盖缺失", jpeg())
    expect(phone.row("waiting")).to_have_count(1)
    page.locator("#answer button").last.click()
    phone.choose()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    small = page.evaluate(
        """() => [...document.querySelectorAll('main button, main .choice, main .photo-add, main summary')]
             .filter((e) => e.offsetParent && !e.closest('.leaflet-container .leaflet-control'))
             .filter((e) => e.getBoundingClientRect().height < 40).map((e) => e.textContent.trim())"""
    )
    assert small == []
    violations = Axe().run(page).response["violations"]
    assert [
        (v["id"], v["nodes"][0]["html"][:120]) for v in violations if v["impact"] in ("serious", "critical")
    ] == []
    if locale == "en-GB":
        words = page.evaluate(
            """() => [...document.querySelectorAll('main label span, main h1, main h2, main button, main .notice, '
               + '.outbox-standing, .outbox-note, .place-note')].map((e) => e.textContent.trim())
               .filter((t) => /[\\u4e00-\\u9fff]/.test(t))"""
        )
        assert words == []
    phone.picture(f"report-{locale}-{size['width']}x{size['height']}")
    page.context.set_offline(False)
    expect(phone.row("sent")).to_have_count(1, timeout=30_000)


def test_the_queue_forgets_what_was_sent_days_ago(deployment: Deployment, phone: Phone) -> None:
    phone.sign_in("second")
    phone.open()
    phone.report("几天前的上报")
    expect(phone.row("sent").filter(has_text="几天前的上报")).to_have_count(1, timeout=30_000)
    later = datetime.now(UTC) + timedelta(days=4)
    phone.page.clock.set_fixed_time(later)
    phone.page.reload()
    phone.page.wait_for_timeout(1000)
    expect(phone.page.locator(".outbox-row").filter(has_text="几天前的上报")).to_have_count(0)
    assert len(deployment.recorded("几天前的上报")) == 1
