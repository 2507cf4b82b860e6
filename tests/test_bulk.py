"""Reports by the file: good rows taken, bad ones given back; nothing twice, nothing half."""

import csv
import io
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.request import Request, urlopen

import openpyxl
import pytest
from city import COMMUNITIES, PUBLISHED, inside
from click.testing import CliRunner
from client import Client, token_client
from flask import Flask
from servers import running, worker_pids
from sqlalchemy import text

from gis_server.cli import main
from gis_server.core.access import CONSOLE
from gis_server.core.bulk_intake import MOST_ROWS
from gis_server.journeys.accounts import make_token
from gis_server.journeys.context import Context

Row = dict[str, object]
HEAD = ["编号", "经度", "纬度", "坐标基准", "事件描述", "来源", "事项", "是否紧急", "发现时间", "精度"]


def row(number: object = "", **changes: object) -> Row:
    place = inside(0)
    made: Row = {
        "编号": number,
        "经度": place["lon"],
        "纬度": place["lat"],
        "坐标基准": "cgcs2000",
        "事件描述": f"井盖缺失 {number}",
        "来源": "群众反映",
        "事项": "",
        "是否紧急": "",
        "发现时间": "",
        "精度": "",
    }
    return made | changes


def as_csv(rows: list[Row], encoding: str = "utf-8-sig") -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, HEAD)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def as_xlsx(rows: list[Row]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEAD)
    for one in rows:
        sheet.append([one[name] for name in HEAD])
        for cell in sheet[sheet.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # as typed behind an apostrophe
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def send(client: Client, content: bytes, name: str = "上报.csv", **fields: str) -> Any:
    data = {"file": (io.BytesIO(content), name), **fields}
    return client.raw("POST", "/api/incidents/bulk", data=data)


def take(client: Client, content: bytes, name: str = "上报.csv", **fields: str) -> dict[str, Any]:
    started = send(client, content, name, **fields)
    assert started.status_code == 202, started.text
    return ended(client, started.json["job"])


def ended(client: Client, address: str) -> dict[str, Any]:
    """The last answer of a job."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        job = client.get(address).json
        if job["state"] in ("published", "failed", "interrupted"):
            return dict(job)
        time.sleep(0.05)
    raise TimeoutError


def rows(ctx: Context, query: str) -> list[tuple[object, ...]]:
    with ctx.engine.connect() as conn:
        return [tuple(row) for row in conn.execute(text(query))]


def count(ctx: Context, table: str = "incident") -> int:
    return int(str(rows(ctx, f"SELECT count(*) FROM {table}")[0][0]))


@pytest.fixture
def operator(app: Flask, city_ctx: Context) -> Client:
    return token_client(app, city_ctx, "operator")


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (as_csv, "上报.csv"),
        (lambda rows: as_csv(rows, "gb18030"), "GBK.CSV"),
        (as_xlsx, "上报.xlsx"),
    ],
)
def test_every_row_is_a_report_routed_and_told(
    operator: Client, city_ctx: Context, make: Callable[[list[Row]], bytes], name: str
) -> None:
    seen = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
    local = seen + timedelta(hours=8)
    given = [
        row("R-1", 事项="建筑施工噪声", 是否紧急="是", 发现时间=f"{local:%Y-%m-%d %H:%M:%S}", 精度=8),
        row("R-2", 经度=inside(3)["lon"], 来源="patrol"),
    ]
    job = take(operator, make(given), name)
    assert (job["state"], job["done"], job["total"]) == ("published", 2, 2)
    assert {key: job["outcome"][key] for key in ("added", "known", "rejected")} == {
        "added": 2,
        "known": 0,
        "rejected": 0,
    }
    assert [one["row"] for one in job["outcome"]["incidents"]] == [2, 3]
    newest, oldest = operator.get("/api/incidents").json["incidents"]
    assert [oldest["number"], newest["number"]] == [x["number"] for x in job["outcome"]["incidents"]]
    assert (oldest["grid_code"], newest["grid_code"]) == (f"{COMMUNITIES[0]}001", f"{COMMUNITIES[1]}002")
    assert datetime.fromisoformat(oldest["discovered_at"]) == seen
    assert (oldest["is_urgent"], oldest["accuracy_m"], oldest["source"]) == (True, 8.0, "public")
    assert (newest["source"], newest["state"], newest["given"]["datum"]) == ("patrol", "recorded", "cgcs2000")
    assert count(city_ctx, "incident_event") == 4
    assert count(city_ctx, "event WHERE kind = 'incident'") == 2


def test_the_same_file_again_adds_nothing_whoever_sends_it(app: Flask, city_ctx: Context) -> None:
    operator, admin = token_client(app, city_ctx, "operator"), token_client(app, city_ctx, "admin")
    given = [row("1"), row("2"), row(), row(事件描述="没有编号的另一件")]
    first = take(operator, as_csv(given))["outcome"]
    assert first["added"] == 4
    for client, content, name in (
        (operator, as_csv(given), "a.csv"),
        (admin, as_csv(given), "a.csv"),
        (admin, as_xlsx(given[::-1]), "a.xlsx"),
    ):
        again = take(client, content, name)["outcome"]
        assert (again["added"], again["known"], again["rejected"]) == (0, 4, 0)
    numbers = {one["number"] for one in first["incidents"]}
    assert {one["number"] for one in again["known_incidents"]} == numbers
    assert count(city_ctx) == 4


def test_a_row_twice_in_one_file_is_one_incident(operator: Client, city_ctx: Context) -> None:
    outcome = take(operator, as_csv([row("1"), row("1"), row(), row()]))["outcome"]
    assert (outcome["added"], outcome["known"]) == (2, 2)
    assert count(city_ctx) == 2


def test_a_number_that_says_something_else_now_is_given_back(operator: Client, city_ctx: Context) -> None:
    taken = take(operator, as_csv([row("1")]))["outcome"]["incidents"][0]["number"]
    outcome = take(operator, as_csv([row("1", 事件描述="改过的内容")]))["outcome"]
    assert (outcome["added"], outcome["rejected"]) == (0, 1)
    assert outcome["faults"][0]["field"] == "number"
    assert taken in outcome["faults"][0]["message"]
    assert count(city_ctx) == 1


def test_towns_number_their_rows_each_for_itself(app: Flask, city_ctx: Context) -> None:
    west, east = token_client(app, city_ctx, "west"), token_client(app, city_ctx, "east")
    assert take(west, as_csv([row("1")]))["outcome"]["added"] == 1
    assert take(east, as_csv([row("1", 经度=inside(6)["lon"])]))["outcome"]["added"] == 1


BAD: list[tuple[Row, str | None]] = [
    ({"经度": ""}, "lon"),
    ({"经度": "一百二十七"}, "lon"),
    ({"经度": "NaN"}, "lon"),
    ({"经度": "1e308"}, "lon"),
    ({"经度": "inf"}, "lon"),
    ({"经度": inside(0)["lat"], "纬度": inside(0)["lon"]}, "lon"),
    ({"经度": 122.5, "纬度": 35.0}, "lon"),
    ({"纬度": 91}, "lat"),
    ({"坐标基准": "北京54"}, "datum"),
    ({"坐标基准": ""}, "datum"),
    ({"事件描述": ""}, "description"),
    ({"事件描述": "长" * 4001}, "description"),
    ({"来源": "听说"}, "source"),
    ({"来源": ""}, "source"),
    ({"事项": "长" * 201}, "item"),
    ({"是否紧急": "也许"}, "is_urgent"),
    ({"发现时间": "昨天"}, "discovered_at"),
    ({"发现时间": "2990-01-01 00:00"}, "discovered_at"),
    ({"发现时间": f"{PUBLISHED - timedelta(days=1):%Y-%m-%d %H:%M}"}, "discovered_at"),
    ({"精度": -1}, "accuracy_m"),
    ({"精度": "很准"}, "accuracy_m"),
]


def test_bad_rows_are_told_one_by_one_and_given_back_to_correct(operator: Client, city_ctx: Context) -> None:
    given = [row("good-1"), *[row(n, **change) for n, (change, _) in enumerate(BAD)], row("good-2")]
    outcome = take(operator, as_csv(given))["outcome"]
    assert (outcome["added"], outcome["rejected"]) == (2, len(BAD))
    told = {fault["row"]: fault for fault in outcome["faults"]}
    for n, (change, field) in enumerate(BAD):
        fault = told[n + 3]
        assert fault["field"] == field, (change, fault)
        assert fault["message"], change
        assert fault["expected"], change
    assert count(city_ctx) == 2

    answer = operator.get(outcome["rejected_file"])
    assert answer.mimetype == "text/csv"
    back = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert list(back[0]) == [*HEAD, "原行号", "有问题的项", "原因", "应为"]
    assert [one["编号"] for one in back] == [str(n) for n in range(len(BAD))]
    assert back[0]["原行号"] == "3"
    assert back[5]["原因"]
    # as it is it is given back again, with each reason once
    again = take(operator, answer.data)["outcome"]
    assert (again["added"], again["rejected"]) == (0, len(BAD))
    twice = operator.get(again["rejected_file"]).data.decode("utf-8-sig")
    assert twice.split("\r\n")[0] == ",".join([*HEAD, "原行号", "有问题的项", "原因", "应为"])
    # corrected, it is taken
    for one in back:
        one |= {key: str(value) for key, value in row(one["编号"]).items()}
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(back[0]))
    writer.writeheader()
    writer.writerows(back)
    last = take(operator, out.getvalue().encode())["outcome"]
    assert (last["added"], last["rejected"], last["rejected_file"]) == (len(BAD), 0, None)
    assert count(city_ctx) == 2 + len(BAD)


def test_a_sheet_is_given_back_as_a_sheet_and_text_stays_text(operator: Client) -> None:
    given = [
        row("007", 事件描述="=1+1", 来源="听说"),
        row(20231201000000000001, 事件描述="编号被存成了数"),
        row("ok"),
    ]
    outcome = take(operator, as_xlsx(given), "a.xlsx")["outcome"]
    assert (outcome["added"], outcome["rejected"]) == (1, 2)
    assert "15" in outcome["faults"][-1]["message"]
    answer = operator.get(outcome["rejected_file"])
    sheet = openpyxl.load_workbook(io.BytesIO(answer.data)).active
    assert (sheet["A2"].value, sheet["A2"].data_type) == ("007", "s")
    assert (sheet["E2"].value, sheet["E2"].data_type) == ("=1+1", "s")


def test_a_row_with_cells_beyond_the_header_is_not_read_askew(operator: Client, city_ctx: Context) -> None:
    content = as_csv([row("1"), row("2")]).decode("utf-8-sig").splitlines()
    content[1] = content[1].replace("井盖缺失 1", "井盖,缺失,1")
    outcome = take(operator, "\n".join(content).encode())["outcome"]
    assert (outcome["added"], outcome["rejected"]) == (1, 1)
    back = operator.get(outcome["rejected_file"]).data
    again = take(operator, back)["outcome"]
    assert (again["added"], again["rejected"]) == (0, 1), "still askew"
    assert count(city_ctx) == 1


def test_the_file_to_correct_speaks_the_readers_language(operator: Client) -> None:
    outcome = take(operator, as_csv([row("1", 来源="听说")]))["outcome"]
    english = operator.raw("GET", outcome["rejected_file"], headers={"Accept-Language": "en"})
    content = english.data.decode("utf-8-sig")
    assert content.split("\r\n")[0].endswith("Row in the file,Field to correct,Reason,Expected")
    assert take(operator, english.data)["outcome"]["rejected"] == 1


@pytest.mark.parametrize(
    ("content", "name", "fields", "field"),
    [
        (b"", "a.csv", {}, "file"),
        (b"\0\1\2", "a.csv", {}, "file"),
        (b"PK\3\4broken", "a.xlsx", {}, None),
        (as_csv([]), "a.csv", {}, "file"),
        (b"x,y\n127,47\n", "a.csv", {"datum": "wgs84"}, None),
    ],
)
def test_a_file_that_cannot_be_used_adds_nothing(
    operator: Client, city_ctx: Context, content: bytes, name: str, fields: dict[str, str], field: str | None
) -> None:
    job = take(operator, content, name, **fields)
    assert job["state"] == "failed"
    assert job["message"]
    assert count(city_ctx) == 0


def test_what_cannot_be_a_list_is_refused_at_once(operator: Client) -> None:
    for name, fields, field in (
        ("a.pdf", {}, "file"),
        ("noname", {}, "file"),
        ("a.csv", {"datum": "beijing54"}, "datum"),
        ("a.csv", {"source": "rumour"}, "source"),
        ("a.csv", {"colour": "red"}, "colour"),
    ):
        answer = send(operator, as_csv([row("1")]), name, **fields)
        assert (answer.status_code, answer.json["field"], bool(answer.json["expected"])) == (422, field, True)
    assert operator.raw("POST", "/api/incidents/bulk", data={}).json["field"] == "file"
    assert send(operator, b"x" * (21 * 2**20)).status_code == 413


def test_an_undeclared_datum_is_asked_for(operator: Client, city_ctx: Context) -> None:
    place = inside(0)
    bare = f"经度,纬度,事件描述\n{place['lon']},{place['lat']},井盖\n".encode()
    job = take(operator, bare, source="public")
    assert job["state"] == "failed"
    assert "坐标基准" in job["message"]
    assert count(city_ctx) == 0
    done = take(operator, bare, datum="gcj02", source="public")["outcome"]
    assert done["added"] == 1
    kept = operator.get("/api/incidents").json["incidents"][0]
    assert (kept["given"]["datum"], kept["source"]) == ("gcj02", "public")


def test_so_many_rows_and_no_more(operator: Client, city_ctx: Context) -> None:
    job = take(operator, as_csv([row(n) for n in range(MOST_ROWS + 1)]))
    assert job["state"] == "failed"
    assert str(MOST_ROWS) in job["message"]
    assert count(city_ctx) == 0


def test_rows_outside_the_senders_area_are_given_back(app: Flask, city_ctx: Context) -> None:
    east = token_client(app, city_ctx, "east")
    outcome = take(east, as_csv([row("1"), row("2", 经度=inside(6)["lon"])]))["outcome"]
    assert (outcome["added"], outcome["rejected"]) == (1, 1)
    assert outcome["faults"][0]["row"] == 2
    operator = token_client(app, city_ctx, "operator")
    job = send(east, as_csv([row("3")])).json["job"]
    assert operator.get(job).status_code == 404, "another account's file"
    assert operator.get(job + "/rejected").status_code == 404
    assert ended(east, job)["outcome"]["rejected"] == 1


def test_two_files_at_once_take_a_row_once(app: Flask, city_ctx: Context) -> None:
    content = as_csv([row(n) for n in range(40)])
    outcomes: list[dict[str, Any]] = []

    def work() -> None:
        outcomes.append(take(token_client(app, city_ctx, "operator"), content)["outcome"])

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome["added"] for outcome in outcomes) == 40
    assert sum(outcome["known"] for outcome in outcomes) == 120
    assert count(city_ctx) == 40


def test_the_command_takes_a_file_and_writes_what_to_correct(
    city_ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIS_DATABASE_URL", str(city_ctx.settings.database_url).replace("+psycopg", ""))
    monkeypatch.setenv("GIS_VAR", str(city_ctx.settings.var))
    monkeypatch.setenv("GIS_LANGUAGE", "zh")
    file, back = tmp_path / "上报.csv", tmp_path / "改正.xlsx"
    file.write_bytes(as_csv([row("1"), row("2", 来源="听说"), row("3")]))
    done = CliRunner().invoke(main, ["incidents", "import", str(file), "--rejected", str(back)])
    assert done.exit_code == 1, done.output
    assert "新登记 2 起，0 行此前已登记，1 行需要改正。" in done.output
    assert "第 3 行" in done.output
    assert openpyxl.load_workbook(back).active["A2"].value == "2"
    again = CliRunner().invoke(main, ["incidents", "import", str(file), "--source", "public"])
    assert "新登记 0 起，2 行此前已登记，1 行需要改正。" in again.output
    assert count(city_ctx) == 2
    bare = tmp_path / "bare.csv"
    bare.write_text("经度,纬度,事件描述,来源\n127,47,x,巡查\n", "utf-8")
    refused = CliRunner().invoke(main, ["incidents", "import", str(bare)])
    assert (refused.exit_code, "坐标基准" in refused.output) == (2, True)
    for arguments in ([str(tmp_path / "none.csv")], [str(file), "--rejected", str(tmp_path / "a.pdf")]):
        assert CliRunner().invoke(main, ["incidents", "import", *arguments]).exit_code == 2
    assert count(city_ctx) == 2


def test_a_file_whose_server_is_killed_adds_all_or_nothing(city_ctx: Context, tmp_path: Path) -> None:
    """kill -9 of the serving processes, at a moment of its own each time; then the same file again."""
    url = str(city_ctx.settings.database_url).replace("+psycopg", "")
    environ = {"GIS_DATABASE_URL": url, "GIS_VAR": str(city_ctx.settings.var)}
    content = as_csv([row(n) for n in range(300)])
    for moment in (0.05, 0.4, 1.0):
        with running("serve", **environ) as server:
            client = Remote(server.url, make_token(city_ctx, CONSOLE, "operator", timedelta(days=1), now()))
            job = client.send(content)
            time.sleep(moment)
            workers = worker_pids(server)
            server.kill()
            end = time.monotonic() + 20
            while any(Path(f"/proc/{pid}").exists() for pid in workers) and time.monotonic() < end:
                time.sleep(0.05)
        wait_for_quiet(city_ctx)
        assert count(city_ctx) in (0, 300)
        assert count(city_ctx) == count(city_ctx, "bulk_row")
    with running("serve", **environ) as server:
        client = Remote(server.url, make_token(city_ctx, CONSOLE, "operator", timedelta(days=1), now()))
        assert client.get(job)["state"] in ("interrupted", "published")
        job = client.send(content)
        end = time.monotonic() + 60
        while client.get(job)["state"] not in ("published", "failed") and time.monotonic() < end:
            time.sleep(0.1)
        outcome = client.get(job)["outcome"]
        assert outcome["added"] + outcome["known"] == 300
    assert count(city_ctx) == 300
    assert rows(city_ctx, "SELECT count(*), count(DISTINCT key) FROM bulk_row") == [(300, 300)]


def now() -> datetime:
    return datetime.now(UTC)


def wait_for_quiet(ctx: Context) -> None:
    """Until the database has rolled back what the killed program left open."""
    busy = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state <> 'idle' AND pid <> pg_backend_pid()"
    )
    end = time.monotonic() + 20
    while rows(ctx, busy) != [(0,)] and time.monotonic() < end:
        time.sleep(0.1)


class Remote:
    """A program that talks to a running server."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.headers = {"Authorization": f"Bearer {token}"}

    def send(self, content: bytes) -> str:
        boundary = "----rows"
        body = (
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'.encode()
            + content
            + f"\r\n--{boundary}--\r\n".encode()
        )
        headers = self.headers | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return str(self._open("/api/incidents/bulk", body, headers)["job"])

    def get(self, path: str) -> dict[str, Any]:
        return self._open(path, None, self.headers)

    def _open(self, path: str, body: bytes | None, headers: dict[str, str]) -> dict[str, Any]:
        request = Request(self.url + path, data=body, headers=headers)
        with urlopen(request, timeout=30) as answer:
            return dict(json.load(answer))
