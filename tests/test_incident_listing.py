"""The list of incidents over HTTP: filters that combine, counts, keyset pages, who sees what, and files of it."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from city import COMMUNITIES, PASSWORD, TOWNS, inside
from client import Client, token_client
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy import text

from gis_server.core.access import CONSOLE, Role, Tier
from gis_server.core.incident_query import MOST_NAMED
from gis_server.journeys.accounts import NewAccount, add_account
from gis_server.journeys.context import Context
from gis_server.journeys.incidents import rules
from gis_server.views import create_app

NOW = datetime.now(UTC)


@pytest.fixture
def operator(app: Flask, city_ctx: Context) -> Client:
    return token_client(app, city_ctx, "operator")


def report(client: Client, column: int = 0, **changes: object) -> dict[str, Any]:
    body = {**inside(column), "description": "井盖缺失", "source": "patrol", **changes}
    answer = client.post("/api/incidents", body)
    assert answer.status_code == 201, answer.json
    return answer.json  # type: ignore[no-any-return]


def update(ctx: Context, number: str, **columns: object) -> None:
    """Put an incident where only time or a long course could bring it."""
    values = ", ".join(f"{name} = :{name}" for name in columns)
    with ctx.engine.begin() as conn:
        conn.execute(
            text(f"UPDATE incident SET {values} WHERE number = :number"), {"number": number, **columns}
        )


def listed(client: Client, **query: object) -> list[str]:
    answer = client.get("/api/incidents", **{k.rstrip("_"): v for k, v in query.items()})
    assert answer.status_code == 200, answer.json
    return [incident["number"] for incident in answer.json["incidents"]]


@pytest.fixture
def five(operator: Client, city_ctx: Context) -> list[str]:
    """Oldest first: plain, urgent, overdue, due soon with a unit, archived."""
    numbers = [
        report(operator, 0)["number"],
        report(operator, 1, urgent=True, description="燃气泄漏")["number"],
        report(operator, 2, item="建筑施工噪声")["number"],
        report(operator, 5)["number"],
        report(operator, 0)["number"],
    ]
    hour = timedelta(hours=1)
    update(city_ctx, numbers[2], due_at=NOW - hour, clock_starts_at=NOW - 9 * hour, state="dispatched")
    update(
        city_ctx,
        numbers[3],
        due_at=NOW + 2 * hour,
        clock_starts_at=NOW - 20 * hour,
        state="dispatched",
        lead_unit="市住建局",
        supervised_at=NOW,
    )
    update(city_ctx, numbers[4], state="archived", discovered_at=NOW - timedelta(days=3))
    return numbers


def test_filters_combine(operator: Client, five: list[str]) -> None:
    plain, urgent, overdue, soon, archived = five
    assert listed(operator) == five[::-1]
    assert listed(operator, open="yes") == [soon, overdue, urgent, plain]
    assert listed(operator, open="no") == [archived]
    assert listed(operator, state="dispatched,archived") == [archived, soon, overdue]
    assert listed(operator, overdue="yes") == [overdue]
    assert listed(operator, due_soon="yes") == [soon]
    assert listed(operator, urgent="yes") == [urgent]
    assert listed(operator, supervised="yes") == [soon, overdue]
    assert listed(operator, unit="市住建局") == [soon]
    assert listed(operator, grid=f"{COMMUNITIES[0]}001") == [archived, plain]
    assert listed(operator, grid=f"{COMMUNITIES[0]}001", open="yes") == [plain]
    assert listed(operator, area=TOWNS[1]) == [soon]
    assert listed(operator, area=COMMUNITIES[0], open="yes") == [urgent, plain]
    assert listed(operator, q="燃气") == [urgent]
    assert listed(operator, q="施工") == [overdue]
    assert listed(operator, q=plain[-6:]) == [plain]
    assert listed(operator, q="6号网格") == [soon]
    assert listed(operator, q="%") == []  # a sign like any other
    box = inside(1)
    near = f"{box['lon'] - 0.001},{box['lat'] - 0.001},{box['lon'] + 0.001},{box['lat'] + 0.001}"
    assert listed(operator, bbox=near) == [urgent]
    day = (NOW - timedelta(days=3)).astimezone(ZoneInfo("Asia/Shanghai")).date().isoformat()
    assert listed(operator, from_=day, until=day) == [archived]
    assert listed(operator, number=f"{plain},{soon}") == [soon, plain]
    assert listed(operator, order="due", open="yes")[:2] == [overdue, soon]


def test_counts_say_what_each_filter_would_leave(operator: Client, five: list[str]) -> None:
    found = operator.get("/api/incidents/counts", open="yes").json
    assert found["total"] == 4
    assert found["flags"] == {"overdue": 1, "due_soon": 1, "urgent": 1, "supervised": 2}
    assert found["states"] == {"recorded": 2, "dispatched": 2, "archived": 1}
    assert found["units"] == [{"unit": "市住建局", "count": 1}]
    assert {"grid_code": f"{COMMUNITIES[2]}002", "grid_name": "6号网格", "count": 1} in found["grids"]
    combined = operator.get("/api/incidents/counts", open="yes", supervised="yes", state="dispatched").json
    assert combined["total"] == 2
    assert combined["flags"] == {"overdue": 1, "due_soon": 1, "urgent": 0, "supervised": 2}
    for query in (
        {},
        {"open": "yes"},
        {"urgent": "yes"},
        {"q": "井盖", "overdue": "yes"},
        {"unit": "市住建局"},
    ):
        found = operator.get("/api/incidents/counts", **query).json
        assert found["total"] == len(listed(operator, **query))
        for flag, number in found["flags"].items():
            assert number == len(listed(operator, **query | {flag: "yes"}))
        for state, number in found["states"].items():
            without = {k: v for k, v in query.items() if k != "open"}
            assert number == len(listed(operator, **without | {"state": state}))


@pytest.mark.parametrize("order", ["newest", "due"])
def test_pages_follow_each_other_without_a_gap_or_a_double(
    operator: Client, city_ctx: Context, order: str
) -> None:
    numbers = [report(operator, n % 8)["number"] for n in range(11)]
    for n, number in enumerate(numbers):
        if n % 3:  # several share a deadline, some have none
            update(city_ctx, number, due_at=NOW + timedelta(hours=n // 4))
    whole, seen, before = listed(operator, order=order), list[str](), None
    while True:
        query: dict[str, object] = {"order": order, "limit": 3} | (
            {} if before is None else {"before": before}
        )
        answer = operator.get("/api/incidents", **query).json
        seen += [incident["number"] for incident in answer["incidents"]]
        before = answer["next"]
        if before is None:
            break
        report(operator, 0)  # what comes in meanwhile moves no page
    assert [number for number in seen if number in whole] == whole
    assert len(seen) == len(set(seen))


def test_the_map_has_all_that_the_list_has(operator: Client, five: list[str]) -> None:
    found = operator.get("/api/incidents/places", open="yes").json
    assert [dot["number"] for dot in found["incidents"]] == listed(operator, open="yes")
    assert found["more"] is False
    by_number = {dot["number"]: dot for dot in found["incidents"]}
    assert by_number[five[2]]["is_overdue"] is True
    assert "description" not in by_number[five[2]]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"state": "gone"}, "state"),
        ({"overdue": "1"}, "overdue"),
        ({"from": "yesterday"}, "from"),
        ({"until": "2024-13-01"}, "until"),
        ({"from": "0001-01-01"}, "from"),
        ({"bbox": "1,2,3"}, "bbox"),
        ({"bbox": "nan,0,1,1"}, "bbox"),
        ({"order": "oldest"}, "order"),
        ({"q": "x" * 61}, "q"),
        ({"q": "a\0b"}, "q"),
        ({"number": ",".join(["1"] * (MOST_NAMED + 1))}, "number"),
        ({"limit": "0"}, "limit"),
        ({"limit": "501"}, "limit"),
        ({"before": "x"}, "before"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_bad_filter_is_named(operator: Client, query: dict[str, str], field: str) -> None:
    answer = operator.get("/api/incidents", **query)
    assert (answer.status_code, answer.json["field"]) == (422, field)


# ---- who sees what -----------------------------------------------------------------------------------------------------


def client_of(app: Flask, ctx: Context, login: str, role: Role, area: str | None = None) -> Client:
    new = NewAccount(login, login, role) if area is None else NewAccount(login, login, role, area)
    add_account(ctx, CONSOLE, new, PASSWORD, datetime.now(UTC))
    return token_client(app, ctx, login)


def post_worker(ctx: Context, name: str, grid_code: str) -> None:
    """A roster in force that posts one worker to one grid."""
    with ctx.engine.begin() as conn:
        generation = conn.execute(
            text(
                "INSERT INTO generation (layer, state, valid_from, published_at, published_by, feature_count, "
                "created_by) VALUES ('roster', 'published', now() - interval '1 day', now(), 'x', 1, 'x') "
                "RETURNING id"
            )
        ).scalar_one()
        person = conn.execute(
            text("INSERT INTO person (staff_no, name) VALUES (:name, '王建国') RETURNING id"), {"name": name}
        ).scalar_one()
        conn.execute(
            text(
                "INSERT INTO posting (generation_id, person_id, post, code, worker_kind, valid_from) "
                "VALUES (:generation, :person, 'grid_worker', :code, 'full_time_grid_worker', "
                "now() - interval '1 day')"
            ),
            {"generation": generation, "person": person, "code": grid_code},
        )


def test_a_worker_sees_his_own_grid_and_what_he_reported(
    app: Flask, city_ctx: Context, operator: Client
) -> None:
    own, near, far = report(operator, 0), report(operator, 1), report(operator, 6)
    worker = client_of(app, city_ctx, "W007", Role.GRID_WORKER, COMMUNITIES[0])
    # without a posting, his territory is what is known of him
    assert listed(worker) == [near["number"], own["number"]]
    post_worker(city_ctx, "W007", f"{COMMUNITIES[0]}001")
    assert listed(worker) == [own["number"]]
    opened = worker.get(f"/api/incidents/{own['id']}")
    assert "report" in [step["step"] for step in opened.json["next_steps"]]
    assert worker.get(f"/api/incidents/{near['id']}").status_code == 403
    assert worker.get(f"/api/incidents/{far['id']}").status_code == 403
    step = {"step": "report", "expected_state": "recorded"}
    assert worker.post(f"/api/incidents/{near['id']}/steps", step).status_code == 403
    mine = report(worker, 1)
    assert listed(worker) == [mine["number"], own["number"]]
    assert worker.get(f"/api/incidents/{mine['id']}").status_code == 200
    assert worker.get("/api/layers/incident/features").status_code == 403
    assert worker.get("/api/incidents/counts").json["total"] == 2
    assert len(worker.get("/api/incidents/places").json["incidents"]) == 2


def test_a_unit_sees_its_own_orders_however_it_asks(app: Flask, city_ctx: Context, five: list[str]) -> None:
    unit = client_of(app, city_ctx, "市住建局", Role.HANDLING_UNIT)
    other = client_of(app, city_ctx, "市公安局", Role.HANDLING_UNIT)
    assert listed(unit) == [five[3]]
    assert listed(other) == []
    assert listed(other, unit="市住建局") == []
    assert other.get("/api/incidents/counts", unit="市住建局").json["total"] == 0
    assert unit.get("/api/incidents/counts").json["total"] == 1
    assert other.get("/api/incidents.csv").text.strip().count("\n") == 0


PROTECTED_TEXT = "王某家中"


def test_a_protected_text_is_found_by_nobody_below_its_tier(city_ctx: Context) -> None:
    ctx = replace(city_ctx, settings=replace(city_ctx.settings, profile="taizhou"))
    app = create_app(ctx.settings, ctx)
    operator, admin = token_client(app, ctx, "operator"), token_client(app, ctx, "admin")
    item = next(one for one in rules(ctx).items.items.values() if one.protection.tier > Tier.INTERNAL)
    number = report(operator, 0, description=PROTECTED_TEXT, item=item.title.zh)["number"]
    assert listed(operator, q=number) == [number]
    assert listed(operator, q=PROTECTED_TEXT) == []
    assert operator.get("/api/incidents/counts", q=PROTECTED_TEXT).json["total"] == 0
    assert operator.get("/api/incidents/places", q=PROTECTED_TEXT).json["incidents"] == []
    assert listed(admin, q=PROTECTED_TEXT) == [number]
    for form in ("csv", "xlsx"):
        assert PROTECTED_TEXT not in words_of(operator.get(f"/api/incidents.{form}").data, form)
        assert PROTECTED_TEXT in words_of(admin.get(f"/api/incidents.{form}").data, form)
    with city_ctx.engine.connect() as conn:
        read = conn.execute(text("SELECT actor FROM audit WHERE act = 'protected_read'")).scalars().all()
    assert set(read) == {"admin"}


# ---- as a file -----------------------------------------------------------------------------------------------------------


def rows_of(body: bytes, form: str) -> list[list[Any]]:
    if form == "csv":
        assert body.startswith(b"\xef\xbb\xbf")
        return list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
    return [list(row) for row in load_workbook(io.BytesIO(body)).active.iter_rows(values_only=True)]


def words_of(body: bytes, form: str) -> str:
    return str(rows_of(body, form))


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_the_filtered_list_as_a_file(operator: Client, city_ctx: Context, five: list[str], form: str) -> None:
    evil = report(operator, 3, description='=HYPERLINK("http://x")')["number"]
    answer = operator.get(f"/api/incidents.{form}", open="yes")
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    head, *rows = rows_of(answer.data, form)
    assert head[:4] == ["事件编号", "状态", "紧急", "超期"]
    assert [row[0] for row in rows] == [evil, *five[3::-1]]
    by_number = {row[0]: dict(zip(head, row, strict=True)) for row in rows}
    assert by_number[five[2]]["超期"] == "是"
    assert by_number[five[3]]["牵头单位"] == "市住建局"
    text_of = by_number[evil]["情况"]
    assert text_of.lstrip("'") == '=HYPERLINK("http://x")'
    if form == "csv":
        assert text_of.startswith("'")
    english = operator.get(f"/api/incidents.{form}", open="yes")
    assert english.status_code == 200
    with city_ctx.engine.connect() as conn:
        audit = conn.execute(text("SELECT detail FROM audit WHERE act = 'export_incidents'")).scalars().all()
    assert audit[0] == {"rows": 5}
