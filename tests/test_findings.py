"""Findings of a generation: the proof it carries, warnings accepted with a reason, what forbids publishing."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import city
import pytest
from city import COMMUNITIES as CITY_COMMUNITIES
from client import Client, token_client
from flask import Flask
from made import COUNTY, NOON, TOWN_A, areas, geojson, grid_rows, sub_grids
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError
from test_http import geojson as body_of
from test_http import upload
from test_import import invoke
from test_layers import HOUR, actor, put

from gis_server.core.acceptance import MOST_REASON, blocking
from gis_server.core.access import CONSOLE, Role
from gis_server.core.coverage.findings import Kind
from gis_server.core.datum import Datum
from gis_server.core.errors import Conflict, GisError, NotAllowed, NotFound, PublishRefused, UnusableInput
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.proof import proof_of
from gis_server.journeys import layers as journey
from gis_server.journeys.context import Context
from gis_server.journeys.findings import accept_kind, accept_one, findings
from gis_server.store import findings as kept

REASON = "老旧小区户数多，暂不调整"


def wrongly_sized(folder: Path, households: Sequence[int] = (900, 900, 200, 200, 200, 200)) -> Path:
    shapes, rows = grid_rows()
    for row, number in zip(rows, households, strict=True):
        row["resident_households"] = number
    return geojson(folder / "sizes.geojson", shapes, rows)


def with_a_hole(folder: Path) -> Path:
    shapes, rows = grid_rows()
    rows[2]["resident_households"] = 900
    return geojson(folder / "hole.geojson", shapes[1:], rows[1:])


def bring(ctx: Context, layer: str, path: Path, **rest: Any) -> journey.ImportResult:
    return journey.import_layer(
        ctx, CONSOLE, layer, path, datum=Datum.CGCS2000, crs="EPSG:4490", now=NOON, **rest
    )


def staged(ctx: Context, path: Path) -> Generation:
    generation = bring(ctx, "grid", path).generation
    assert generation is not None
    return generation


@pytest.fixture
def county(ctx: Context, tmp_path: Path) -> Context:
    put(ctx, "area", areas(tmp_path), NOON - HOUR)
    return ctx


# the proof


def test_a_published_generation_carries_its_proof(city_ctx: Context) -> None:
    in_force = {name: journey.generations(city_ctx, CONSOLE, name)[0] for name in city.LAYERS}
    grids = in_force["grid"].certificate
    assert grids is not None
    assert (grids.exact, grids.cells, grids.parents, grids.open_parents) == (True, 8, 4, ())
    said = {name: str(proof_of(generation)) for name, generation in in_force.items()}
    assert said["grid"] == "逐位精确：8 个网格，48 条边。"
    assert said["area"].startswith("逐位精确：7 个区划，")
    assert said["sub_grid"].startswith("逐位精确：16 个子网格，")
    assert proof_of(in_force["camera"]) is None


def test_what_holds_within_the_tolerance_only_is_not_called_exact(county: Context, tmp_path: Path) -> None:
    # a community's long side has no vertex where its two grids meet
    grids = put(county, "grid", geojson(tmp_path / "grid.geojson", *grid_rows()))
    assert grids.certificate is not None
    assert not grids.certificate.exact
    assert str(proof_of(grids)) == (
        "在容差（1 平方米）之内，但不是逐位精确：6 个网格，3 个上级区域未逐位吻合；"
        "缝隙共 0、重叠共 0、越界共 0 平方米。"
    )
    small = {**grids.summary, "gap_area_m2": 0.0004, "overlap_area_m2": 0.25, "outside_area_m2": 12_345.0}
    assert "缝隙共 不到 0.01、重叠共 0.25、越界共 12,345 平方米" in str(
        proof_of(replace(grids, summary=small))
    )
    parts = put(county, "sub_grid", sub_grids(tmp_path))
    assert str(proof_of(parts)) == "2 个子网格都在所属网格之内；6 个网格中有 1 个逐位铺满，不要求全部铺满。"


def test_errors_are_no_proof(county: Context, tmp_path: Path) -> None:
    assert proof_of(staged(county, with_a_hole(tmp_path))) is None


# accepting


def test_warnings_forbid_publishing_until_each_has_its_reason(county: Context, tmp_path: Path) -> None:
    generation = staged(county, wrongly_sized(tmp_path))
    assert (generation.errors, generation.warnings, generation.open_warnings) == (0, 2, 2)
    _, (first, second) = findings(county, CONSOLE, generation.id)
    assert first.finding.kind is Kind.SIZE
    with pytest.raises(PublishRefused, match="2 处警告") as refused:
        journey.publish(county, CONSOLE, generation.id, NOON)
    assert [one.id for one in refused.value.findings] == [first.id, second.id]

    planner = actor(Role.PLANNER, COUNTY)
    after = accept_one(county, planner, generation.id, first.id, reason=f"  {REASON}\n", now=NOON)
    assert (after.warnings, after.open_warnings) == (2, 1)
    with pytest.raises(PublishRefused, match="1 处警告"):
        journey.publish(county, CONSOLE, generation.id, NOON)
    accept_kind(county, CONSOLE, generation.id, Kind.SIZE, reason="另一理由", now=NOON)
    published = journey.publish(county, CONSOLE, generation.id, NOON)
    assert published.state is GenerationState.PUBLISHED
    _, kept = findings(county, CONSOLE, generation.id)
    told = [(one.acceptance.who, one.acceptance.at, one.acceptance.reason) for one in kept if one.acceptance]
    assert told == [("planner", NOON, REASON), ("console", NOON, "另一理由")]
    assert blocking(kept) == ()
    with county.engine.connect() as conn:
        acts = conn.execute(
            text("SELECT actor, subject, detail FROM audit WHERE act = 'accept_finding' ORDER BY id")
        ).all()
    assert [(row.actor, row.subject) for row in acts] == [
        ("planner", f"generation:{generation.id}"),
        ("console", f"generation:{generation.id}"),
    ]
    assert acts[0].detail == {"findings": 1, "kinds": ["size"]}


def test_the_next_generation_is_asked_about_again(county: Context, tmp_path: Path) -> None:
    path = wrongly_sized(tmp_path)
    assert bring(county, "grid", path, publish=True, accept_warnings=REASON).held_back is None
    again = bring(county, "grid", path, publish=True)
    assert again.generation is not None
    assert again.generation.open_warnings == 2
    assert "2 处警告" in str(again.held_back)


def test_what_cannot_be_accepted(county: Context, tmp_path: Path) -> None:
    generation = staged(county, with_a_hole(tmp_path))
    _, kept = findings(county, CONSOLE, generation.id)
    error = next(one for one in kept if one.finding.severity == "error")
    warning = next(one for one in kept if one.finding.severity == "warning")
    everything = {"reason": REASON, "now": NOON}
    refusals: list[tuple[type[GisError], str, Any]] = [
        (Conflict, "须改正", lambda: accept_one(county, CONSOLE, generation.id, error.id, **everything)),
        (
            Conflict,
            "没有这一类",
            lambda: accept_kind(county, CONSOLE, generation.id, error.finding.kind, **everything),
        ),
        (NotFound, "没有编号为", lambda: accept_one(county, CONSOLE, generation.id, 10**9, **everything)),
        (NotFound, "没有第", lambda: accept_one(county, CONSOLE, 10**9, warning.id, **everything)),
        (
            NotAllowed,
            "岗位",
            lambda: accept_one(county, actor(Role.OPERATOR), generation.id, warning.id, **everything),
        ),
        (
            NotAllowed,
            "辖区为全域",
            lambda: accept_one(
                county, actor(Role.PLANNER, COUNTY, TOWN_A), generation.id, warning.id, **everything
            ),
        ),
    ]
    for reason in ("", "   ok   ", "理由", "长" * (MOST_REASON + 1), "一二三\x00四"):
        refusals.append(
            (
                UnusableInput,
                "理由",
                lambda reason=reason: accept_one(
                    county, CONSOLE, generation.id, warning.id, reason=reason, now=NOON
                ),
            )
        )
    for error_class, words, act in refusals:
        with pytest.raises(error_class, match=words):
            act()
    assert findings(county, CONSOLE, generation.id)[0].open_warnings == 1
    # both are said, and both are listed
    with pytest.raises(PublishRefused, match=r"错误.*另有 1 处警告") as refused:
        journey.publish(county, CONSOLE, generation.id, NOON)
    assert {one.id for one in refused.value.findings} >= {error.id, warning.id}

    accept_one(county, CONSOLE, generation.id, warning.id, **everything)
    with pytest.raises(Conflict, match="已由console接受"):
        accept_one(county, CONSOLE, generation.id, warning.id, **everything)
    journey.discard(county, CONSOLE, generation.id, NOON)
    with pytest.raises(Conflict, match="已弃用"):
        accept_one(county, CONSOLE, generation.id, warning.id, **everything)
    # who put his name to a warning stays on record, the rest is gone
    assert [one.id for one in findings(county, CONSOLE, generation.id)[1]] == [warning.id]


def test_two_people_accept_at_once(county: Context, tmp_path: Path) -> None:
    generation = staged(county, wrongly_sized(tmp_path))
    _, (first, _) = findings(county, CONSOLE, generation.id)

    def attempt(n: int) -> str:
        try:
            if n % 2:
                accept_kind(county, CONSOLE, generation.id, Kind.SIZE, reason=REASON, now=NOON)
            else:
                accept_one(county, CONSOLE, generation.id, first.id, reason=REASON, now=NOON)
        except Conflict:
            return "refused"
        return "done"

    with ThreadPoolExecutor(4) as pool:
        assert "done" in list(pool.map(attempt, range(4)))
    with county.engine.connect() as conn:
        assert conn.scalar(text("SELECT count(*) FROM acceptance")) == 2


def test_a_reason_is_asked_for_before_the_file_is_read(county: Context, tmp_path: Path) -> None:
    with pytest.raises(UnusableInput) as refused:
        bring(county, "grid", tmp_path / "nowhere.geojson", publish=True, accept_warnings="ok")
    assert refused.value.field == "reason"


def test_the_command_line_asks_for_a_reason(county: Context, tmp_path: Path) -> None:
    path = str(wrongly_sized(tmp_path))
    held = invoke(county, "import", "grid", path)
    assert held.exit_code == 1
    assert "尚未发布" in held.stdout
    assert "2 处警告" in held.stderr
    assert "--accept-warnings" in held.stderr
    assert "不是逐位精确" in held.stderr
    done = invoke(county, "import", "grid", path, "--accept-warnings", REASON)
    assert (done.exit_code, "已发布" in done.stdout) == (0, True)
    assert invoke(county, "import", "grid", path, "--stage", "--accept-warnings", REASON).exit_code == 2


# the tables


def kept_warning(connection: Connection, state: str) -> int:
    times = ", valid_from, published_at" if state == "published" else ""
    values = ", now(), now()" if state == "published" else ""
    return int(
        connection.execute(
            text(
                f"WITH g AS (INSERT INTO generation (layer, state, feature_count, created_by{times})"
                f" VALUES ('grid', '{state}', 1, 'x'{values}) RETURNING id)"
                " INSERT INTO finding (generation_id, kind, rule, severity, fids, codes, message)"
                " SELECT id, 'size', 'V7', 'warning', '{}', '{}', '{}' FROM g RETURNING id"
            )
        ).scalar_one()
    )


@pytest.mark.parametrize(
    ("state", "statement", "words"),
    [
        ("staged", "UPDATE acceptance SET reason = 'another'", "append-only"),
        ("staged", "DELETE FROM acceptance", "append-only"),
        ("staged", "TRUNCATE acceptance", "append-only"),
        ("staged", "UPDATE finding SET severity = 'option'", "append-only"),
        ("staged", "TRUNCATE finding CASCADE", "append-only"),
        ("published", "DELETE FROM finding", "refused"),
        ("staged", "INSERT INTO acceptance (finding_id, who, reason) VALUES ({id}, 'y', 'once more')", "uq_"),
        ("staged", "INSERT INTO acceptance (finding_id, who, reason) VALUES (0, 'y', ' ok ')", "reason"),
    ],
)
def test_an_acceptance_is_only_added(connection: Connection, state: str, statement: str, words: str) -> None:
    finding = kept_warning(connection, state)
    if state == "staged":
        connection.execute(
            text("INSERT INTO acceptance (finding_id, who, reason) VALUES (:id, 'x', 'four')"),
            {"id": finding},
        )
    with pytest.raises(IntegrityError, match=words), connection.begin_nested():
        connection.execute(text(statement.format(id=finding)))


# over HTTP


def upload_sizes(client: Client, *, hole: bool = False) -> int:
    grids = [dict(grid) for grid in city.grids()]
    for grid in grids[:3]:
        grid["properties"] = {**grid["properties"], "resident_households": 900}  # type: ignore[dict-item]
    kept = grids[: -1 if hole else None]
    return int(upload(client, "grid", "grids.geojson", body_of(*kept))["generation"])


def test_warnings_are_accepted_over_http(app: Flask, city_ctx: Context) -> None:
    planner, approver = (token_client(app, city_ctx, login) for login in ("planner", "approver"))
    generation = upload_sizes(planner)
    base = f"/api/generations/{generation}"
    told = planner.get(f"{base}/findings").json
    assert (told["generation"]["open_warnings"], told["generation"]["errors"]) == (3, 0)
    assert told["generation"]["proof"] == "逐位精确：8 个网格，48 条边。"
    assert told["generation"]["certificate"]["exact"] is True
    english = planner.raw("GET", f"{base}/findings", headers={"Accept-Language": "en"}).json
    assert english["generation"]["proof"].startswith("Exact to the ")
    listed = planner.get("/api/layers/grid/generations").json["generations"][0]
    assert listed["certificate"] == told["generation"]["certificate"]
    first = told["findings"][0]
    assert first["acceptance"] is None
    assert "请写明理由" in first["message"]["zh"]

    refused = approver.post(f"{base}/publish", {})
    assert refused.status_code == 409
    assert [one["id"] for one in refused.json["findings"]] == [one["id"] for one in told["findings"]]
    assert planner.post(f"{base}/findings/{first['id']}/accept", {"reason": REASON}).status_code == 200
    assert planner.post(f"{base}/findings/{first['id']}/accept", {"reason": REASON}).status_code == 409
    rest = planner.post(f"{base}/findings/accept", {"kind": "size", "reason": REASON})
    assert rest.json["generation"]["open_warnings"] == 0
    accepted = planner.get(f"{base}/findings").json["findings"][0]["acceptance"]
    assert (accepted["who"], accepted["reason"]) == ("planner", REASON)
    assert approver.post(f"{base}/publish", {}).json["generation"]["state"] == "published"
    assert planner.post(f"{base}/findings/accept", {"kind": "size", "reason": REASON}).status_code == 409


def test_bad_acceptances_are_refused(app: Flask, city_ctx: Context) -> None:
    planner = token_client(app, city_ctx, "planner")
    generation = upload_sizes(planner, hole=True)
    base = f"/api/generations/{generation}/findings"
    found = planner.get(base).json["findings"]
    error = next(one for one in found if one["severity"] == "error")
    assert set(error["codes"]) & {f"{CITY_COMMUNITIES[3]}001"}
    assert planner.post(f"{base}/{error['id']}/accept", {"reason": REASON}).status_code == 409
    for body, field in (
        ({}, "reason"),
        ({"reason": 7}, "reason"),
        ({"reason": "ok"}, "reason"),
        ({"reason": REASON, "why": "x"}, "why"),
        ([REASON], None),
    ):
        answer = planner.post(f"{base}/{found[-1]['id']}/accept", body)
        assert (answer.status_code, answer.json.get("field")) == (422, field)
    unknown = planner.post(f"{base}/accept", {"kind": "hole", "reason": REASON})
    assert (unknown.status_code, unknown.json["field"]) == (422, "kind")
    assert planner.post(f"{base}/999999/accept", {"reason": REASON}).status_code == 404
    operator = token_client(app, city_ctx, "operator")
    assert operator.post(f"{base}/{found[-1]['id']}/accept", {"reason": REASON}).status_code == 403
    assert Client(app).raw("POST", f"{base}/accept", json={}).status_code == 401


def test_more_findings_go_at_once_than_a_statement_takes_values(engine: Engine) -> None:
    gone = [SimpleNamespace(id=n, acceptance=None) for n in range(70_000)]
    with engine.begin() as conn:
        kept.remove(conn, gone)  # type: ignore[arg-type]
