"""S21–S24 word for word, through the journeys on a real database; and two people at once through a real server."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import city
import pytest
from city import PASSWORD, inside
from client import token_client
from servers import running
from sqlalchemy import text

from gis_server.core.access import CONSOLE, Actor, Role, Territory, Tier
from gis_server.core.errors import NotAllowed, StateChanged, UnusableInput
from gis_server.core.incident import Incident, IncidentState, parse_report
from gis_server.core.incident_machine import StepField, StepKind
from gis_server.core.incident_request import StepRequest
from gis_server.journeys import incidents
from gis_server.journeys.accounts import NewAccount, add_account, make_token
from gis_server.journeys.context import Context
from gis_server.journeys.incidents import Opened
from gis_server.views import create_app

ZONE = ZoneInfo("Asia/Shanghai")
F, K, S = StepField, StepKind, IncidentState
TOWN_PATH = (city.COUNTY, city.TOWNS[0])
WORKER = Actor(None, "W1", Role.GRID_WORKER, Territory((*TOWN_PATH, city.COMMUNITIES[0])))
TOWN = Actor(None, "西镇", Role.OPERATOR, Territory(TOWN_PATH))
COUNTY = Actor(None, "指挥中心", Role.OPERATOR, Territory(TOWN_PATH[:1]))
UNIT = Actor(None, "市住建局", Role.HANDLING_UNIT, tier=Tier.HALL)


def at(when: str) -> datetime:
    return datetime.fromisoformat(when).replace(tzinfo=ZONE)


@pytest.fixture
def old_city(ctx: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """The made city, in force since 2022."""
    monkeypatch.setattr(city, "PUBLISHED", at("2022-01-01 00:00"))
    city.publish_city(ctx, tmp_path)
    return ctx


def under(ctx: Context, profile: str) -> Context:
    return replace(ctx, settings=replace(ctx.settings, profile=profile))


def report(ctx: Context, when: str, actor: Actor = WORKER, **changes: object) -> Incident:
    body = {**inside(0), "description": "情况", "source": "patrol", "discovered_at": at(when).isoformat()}
    return incidents.report(ctx, actor, parse_report(body | changes, at(when)), at(when)).incident


def take(ctx: Context, actor: Actor, found: Incident, step: StepKind, when: str, **filled: object) -> Opened:
    asked = StepRequest(step, found.state, {F(key): value for key, value in filled.items()})
    return incidents.move(ctx, actor, found.id, asked, at(when))


def ended(opened: Opened, row: int = -1) -> dict[str, Any]:
    trace = opened.history[row].trace
    assert trace is not None
    return trace["ended"]  # type: ignore[no-any-return]


# ---- S21 -------------------------------------------------------------------------------------------------------------


def test_s21_zhenjiang_clocks(old_city: Context) -> None:
    ctx = under(old_city, "zhenjiang")
    for when, standing in (("2022-03-02 09:00", "in_time"), ("2022-03-02 09:01", "late")):
        found = report(ctx, "2022-03-01 09:00")
        opened = take(ctx, WORKER, found, K.REPORT, when)
        assert ended(opened)["standing"] == standing
        assert opened.incident.current_level == "township"
    urgent = report(ctx, "2022-03-01 09:00", urgent=True)
    assert urgent.due_at is None
    opened = take(ctx, WORKER, urgent, K.REPORT, "2022-03-01 09:10")
    assert ended(opened) | {"at_once": True, "delay_s": 600.0} == ended(opened)

    own = take(ctx, WORKER, report(ctx, "2022-03-02 09:30"), K.REPORT, "2022-03-02 10:00").incident
    assert own.due_at == at("2022-03-03 10:00")
    found = take(ctx, TOWN, own, K.ACCEPT, "2022-03-02 11:00").incident
    found = take(ctx, TOWN, found, K.DISPATCH, "2022-03-02 12:00", lead_unit="市住建局").incident
    found = take(ctx, UNIT, found, K.TAKE_UP, "2022-03-03 09:00", person_in_charge="甲").incident
    opened = take(ctx, UNIT, found, K.COMPLETE, "2022-03-10 15:00", result="已修好")
    assert (opened.incident.state, opened.incident.due_at) == (S.VERIFYING, at("2022-03-11 15:00"))


# ---- S22 -------------------------------------------------------------------------------------------------------------


def test_s22_heihe_first_contact(old_city: Context) -> None:
    ctx = under(old_city, "heihe")
    leak = report(ctx, "2023-07-02 08:00", description="漏水", **inside(0))
    # as if told by telephone only: without a platform record there is nothing to end
    with ctx.engine.begin() as conn:
        conn.execute(text("UPDATE incident SET state = 'discovered' WHERE id = :id"), {"id": leak.id})
    told = incidents.one(ctx, CONSOLE, leak.id).incident
    with pytest.raises(StateChanged) as refused:
        take(ctx, WORKER, told, K.RESOLVE_ON_SITE, "2023-07-02 08:30", result="已补漏")
    assert refused.value.clause == "heihe 21(1)"
    recorded = take(ctx, WORKER, told, K.RECORD, "2023-07-02 08:31").incident
    mended = take(ctx, WORKER, recorded, K.RESOLVE_ON_SITE, "2023-07-02 08:40", result="已补漏").incident
    assert (mended.state, mended.first_contact) == (S.RESOLVED_ON_SITE, "W1")

    other = report(ctx, "2023-07-02 08:00")
    assert other.due_at is None  # at once: the delay is shown
    found = take(ctx, WORKER, other, K.REPORT, "2023-07-02 08:05").incident
    found = take(ctx, TOWN, found, K.ACCEPT, "2023-07-02 09:00").incident
    found = take(ctx, TOWN, found, K.DISPATCH, "2023-07-02 09:10", lead_unit="市住建局").incident
    found = take(ctx, UNIT, found, K.TAKE_UP, "2023-07-02 10:00", person_in_charge="甲").incident
    found = take(ctx, UNIT, found, K.COMPLETE, "2023-07-02 18:00", result="已修好").incident
    asked = take(ctx, TOWN, found, K.VERIFY, "2023-07-03 08:00").incident
    assert asked.due_at == at("2023-07-04 08:00")
    assert asked.first_contact == "W1"


# ---- S23 -------------------------------------------------------------------------------------------------------------


def test_s23_table_1_limit_and_wrong_department(old_city: Context) -> None:
    ctx = under(old_city, "heilongjiang")
    found = report(ctx, "2024-05-31 08:00", item="建筑施工噪声")
    for actor, step in ((WORKER, K.REPORT), (TOWN, K.ESCALATE), (TOWN, K.ACCEPT), (TOWN, K.DISPATCH)):
        opened = take(ctx, actor, found, step, "2024-05-31 09:00")
        found = opened.incident
    assert (found.lead_unit, found.responsible_unit) == ("市住建局", "市生态环境局")
    assert found.due_at is not None
    assert found.due_at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M") == "2024-06-05 23:59"
    assert opened.clock is not None
    assert opened.clock.limit.most == 3
    assert [day.date.isoformat() for day in opened.clock.skipped] == ["2024-06-01", "2024-06-02"]
    assert found.is_overdue(at("2024-06-05 23:59")) is False
    assert found.is_overdue(at("2024-06-06 00:00")) is True

    returned = take(ctx, UNIT, found, K.RETURN, "2024-06-03 09:00", reason="不属于本部门职责").incident
    assert (returned.state, returned.current_level) == (S.RETURNED, "county")
    with pytest.raises(NotAllowed):
        take(ctx, TOWN, returned, K.COORDINATE, "2024-06-03 10:00", lead_unit="市公安局")
    coordinating = take(
        ctx, COUNTY, returned, K.COORDINATE, "2024-06-03 10:00", lead_unit="市公安局"
    ).incident
    assert coordinating.state is S.COORDINATING

    rental = report(ctx, "2024-05-31 08:00", item="group_rental_management")
    for actor, step in ((WORKER, K.REPORT), (TOWN, K.ESCALATE), (TOWN, K.ACCEPT), (TOWN, K.DISPATCH)):
        rental = take(ctx, actor, rental, step, "2024-05-31 09:00").incident
    assert rental.due_at is None


# ---- S24 -------------------------------------------------------------------------------------------------------------


def test_s24_unlisted_items_by_profile(old_city: Context) -> None:
    unlisted = "清单外的事"
    heihe = under(old_city, "heihe")
    told = report(heihe, "2024-05-31 08:00")
    with heihe.engine.begin() as conn:
        conn.execute(
            text("UPDATE incident SET state = 'discovered', item = :item WHERE id = :id"),
            {"id": told.id, "item": unlisted},
        )
    told = incidents.one(heihe, CONSOLE, told.id).incident
    refused = take(heihe, WORKER, told, K.REFUSE, "2024-05-31 09:00", reason="不在清单内").incident
    assert refused.state is S.REFUSED

    heilongjiang = under(old_city, "heilongjiang")
    with pytest.raises(UnusableInput) as error:
        report(heilongjiang, "2024-05-31 08:00", item=unlisted)
    assert error.value.clause == "heilongjiang 8.5.1"


def test_s24_a_department_that_dispatches_to_a_worker_is_denied_and_it_is_written_down(
    city_ctx: Context,
) -> None:
    ctx = under(city_ctx, "zhenjiang")
    app = create_app(ctx.settings, ctx)
    add_account(
        ctx, CONSOLE, NewAccount("市住建局", "市住建局", Role.HANDLING_UNIT), PASSWORD, datetime.now(UTC)
    )
    operator, unit = token_client(app, ctx, "operator"), token_client(app, ctx, "市住建局")
    report_ = {**inside(0), "description": "x", "source": "patrol"}
    assert unit.post("/api/incidents", report_).status_code == 403  # no work of its own making
    found = operator.post("/api/incidents", report_).json
    for step, fields in (("report", {}), ("accept", {}), ("dispatch", {"lead_unit": "市住建局"})):
        body = {"step": step, "expected_state": found["state"], **fields}
        found = operator.post(f"/api/incidents/{found['id']}/steps", body).json
    returned = {"step": "return", "expected_state": "dispatched", "reason": "不属于本部门职责"}
    found = unit.post(f"/api/incidents/{found['id']}/steps", returned).json
    order = {"step": "coordinate", "expected_state": "returned", "lead_unit": "1号网格网格员"}
    assert unit.post(f"/api/incidents/{found['id']}/steps", order).status_code == 403
    with ctx.engine.begin() as conn:
        conn.execute(text("UPDATE incident SET state = 'accepted' WHERE id = :id"), {"id": found["id"]})
    order = {"step": "dispatch", "expected_state": "accepted", "lead_unit": "1号网格网格员"}
    denied = unit.post(f"/api/incidents/{found['id']}/steps", order)
    assert (denied.status_code, denied.json["clause"]) == (403, "zhenjiang 15")
    assert "zhenjiang 15" in denied.json["detail"]
    with ctx.engine.connect() as conn:
        rows = conn.execute(
            text("SELECT subject FROM audit WHERE outcome = 'denied' AND actor = '市住建局'")
        ).scalars()
        assert [row for row in rows if f"/api/incidents/{found['id']}/steps" in row]


# ---- two at once -----------------------------------------------------------------------------------------------------


class Program:
    """A program with a token that talks to a real server."""

    def __init__(self, port: int, token: str) -> None:
        self.port = port
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def post(self, path: str, body: object) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", path, json.dumps(body), self.headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


@pytest.fixture
def program(city_ctx: Context) -> Iterator[Program]:
    environ = {
        "GIS_DATABASE_URL": city_ctx.settings.database_url or "",
        "GIS_VAR": str(city_ctx.settings.var),
    }
    with running("serve", **environ) as server:
        token = make_token(city_ctx, CONSOLE, "operator", timedelta(days=1), datetime.now(UTC))
        yield Program(server.port, token)


def test_of_steps_at_once_one_wins_and_the_others_are_told_the_new_state(
    program: Program, city_ctx: Context
) -> None:
    for _ in range(4):
        _race(program, city_ctx)


def _race(program: Program, ctx: Context) -> None:
    status, found = program.post("/api/incidents", {**inside(0), "description": "x", "source": "patrol"})
    assert status == 201
    answers: list[tuple[int, Any]] = []
    start = threading.Barrier(8)

    def step(name: str, fields: dict[str, object]) -> None:
        start.wait()
        body = {"step": name, "expected_state": "recorded", **fields}
        answers.append(program.post(f"/api/incidents/{found['id']}/steps", body))

    asked = [("report", {}), ("resolve_on_site", {"result": "已劝停"})] * 4
    threads = [threading.Thread(target=step, args=one) for one in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(status for status, _ in answers) == {200: 1, 409: 7}
    (won,) = [body for status, body in answers if status == 200]
    assert {body["state"] for status, body in answers if status == 409} == {won["state"]}
    with ctx.engine.connect() as conn:
        rows = conn.execute(
            text("SELECT to_state FROM incident_event WHERE incident_id = :id ORDER BY id"),
            {"id": found["id"]},
        ).scalars()
        assert list(rows) == ["discovered", "recorded", won["state"]]
