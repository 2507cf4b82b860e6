"""The roster over HTTP, and why an incident went where it went."""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, Response, request

from gis_server.core.access import Act, Tier
from gis_server.core.answering import Answer
from gis_server.core.coverage.document import findings_json
from gis_server.core.coverage.findings import Finding, Severity
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import parse_time
from gis_server.core.message import msg
from gis_server.core.parameter import plain
from gis_server.core.roster import Posting
from gis_server.journeys import explain, roster
from gis_server.journeys.imports import Upload
from gis_server.journeys.roster import RosterImport, RosterView, StaffedPlace
from gis_server.views.current import (
    actor,
    ctx,
    form_text,
    integer_parameter,
    json_answer,
    known_parameters,
    languages,
    now,
    parameter,
    say,
)
from gis_server.views.generations import problem_json

blueprint = Blueprint("roster", __name__, url_prefix="/api")

MOST_BYTES = 50 * 2**20
MOST_TOLD = 200
"""Rows and findings told one by one in an answer."""

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@blueprint.get("/roster")
def listing() -> Response:
    """The roster by grid, worst staffed first; phones for the protected tier only."""
    actor().require(Act.READ_ROSTER)
    known_parameters("at", "area", "severity", "offset", "limit")
    view = roster.listing(
        ctx(),
        actor(),
        at=parse_time(parameter("at"), "at") or now(),
        area=parameter("area"),
        severity=_severity(parameter("severity")),
        offset=integer_parameter("offset", 0) or 0,
        limit=integer_parameter("limit", 100) or 0,
    )
    return json_answer(_view_json(view, with_phones=actor().tier >= Tier.PROTECTED))


@blueprint.post("/roster/imports")
def import_roster() -> Response:
    """Put an uploaded roster in force whole; 422 with every row's problem, and nothing changed, if a row cannot be used."""
    actor().require(Act.IMPORT_ROSTER)  # before a large body is read
    request.max_content_length = min(ctx().settings.max_upload_bytes, MOST_BYTES)
    files = request.files.getlist("file")
    if len(files) != 1:
        raise UnusableInput(
            msg("请上传一个 CSV 或 XLSX 文件，项名为 file。"), field="file", expected=msg("一个文件")
        )
    upload = Upload(files[0].filename or "", files[0].stream)
    result = roster.import_upload(ctx(), actor(), upload, _on(form_text("on")), now())
    return _import_answer(result)


@blueprint.get("/roster/template")
def template() -> Response:
    """An empty list to fill in."""
    actor().require(Act.READ_ROSTER)
    known_parameters()
    answer = Response(roster.template(), mimetype=XLSX)
    answer.headers["Content-Disposition"] = "attachment; filename=roster.xlsx"
    return answer


@blueprint.get("/incidents/<id:incident_id>/explanation")
def explanation(incident_id: int) -> Response:
    """Why an incident was routed where it was; with ``replay=yes`` decided again and compared."""
    known_parameters("replay")
    found = explain.explain(ctx(), actor(), incident_id, now(), again=_flag("replay"))
    then = None if found.decision is None else found.decision["route"]["grid_code"]
    return json_answer(
        {
            "sentences": [say(sentence) for sentence in found.sentences],
            "decision": found.decision,
            "now": {"grid_code": found.now_grid_code, "grid_name": found.now_grid_name},
            "is_same_grid_now": found.decision is None or then == found.now_grid_code,
            "replayed": found.replayed,
        }
    )


def _flag(name: str) -> bool:
    given = parameter(name)
    if given not in (None, "yes", "no"):
        raise UnusableInput(
            msg("参数 {name} 应为 yes 或 no。", name=name), field=name, expected=msg("yes 或 no")
        )
    return given == "yes"


def _severity(given: str | None) -> Severity | None:
    if given is None:
        return None
    try:
        return Severity(given)
    except ValueError:
        known = tuple(Severity)
        raise UnusableInput(
            msg("severity 应为 {known} 之一。", known=known),
            field="severity",
            expected=msg("{known} 之一", known=known),
        ) from None


def _on(given: str) -> datetime | None:
    """A day of the deployment's zone, or a time with offset."""
    text = given.strip()
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        expected = msg("日期或带时区的时刻，例如 2026-03-01")
        raise UnusableInput(
            msg("{name} 不可用，应为{expected}。", name="on", expected=expected),
            field="on",
            expected=expected,
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ctx().settings.timezone)


def _import_answer(result: RosterImport) -> Response:
    if result.generation_id is None:
        detail = msg("没有导入：{n} 行不能使用，请改正后重新导入；原花名册不变。", n=len(result.problems))
        return json_answer(
            {
                "type": "urn:gis-server:problem:unusable-input",
                "title": say(msg("内容不可用")),
                "status": 422,
                "detail": say(detail),
                "field": "file",
                "problems": [problem_json(problem) for problem in result.problems[:MOST_TOLD]],
            },
            422,
            "application/problem+json",
        )
    return json_answer(
        {
            "generation": result.generation_id,
            "on": result.on,
            "postings": result.postings,
            "people": result.people,
            "findings": _findings_json(result.findings[:MOST_TOLD]),
        },
        201,
    )


def _view_json(view: RosterView, *, with_phones: bool) -> dict[str, object]:
    return {
        "generation": view.generation_id,
        "at": view.at,
        "total": view.total,
        "offset": view.offset,
        "counts": view.counts,
        "findings": _findings_json(view.findings[:MOST_TOLD]),
        "grids": [_grid_json(view, place, with_phones) for place in view.grids],
        "areas": [
            {
                "code": one.code,
                "name": one.name,
                "level": one.level,
                "people": [_posting_json(view, p, with_phones) for p in one.postings],
            }
            for one in view.areas
        ],
    }


def _grid_json(view: RosterView, place: StaffedPlace, with_phones: bool) -> dict[str, object]:
    return {
        "grid_code": place.grid.code,
        "grid_name": place.name,
        "grid_kind": place.grid.kind,
        "areas": place.areas,
        "severity": place.severity,
        "people": [_posting_json(view, p, with_phones) for p in place.postings],
        "answers": _answer_json(view, place.answer),
        "findings": _findings_json(place.findings),
    }


def _answer_json(view: RosterView, answer: Answer) -> dict[str, object]:
    chosen = answer.chosen
    person = None if chosen is None else view.people.get(chosen.person_id)
    return {
        "name": None if person is None else person.name,
        "title": None if chosen is None else say(chosen.title),
        "rung": answer.rung,
        "vacant": [say(rung.message) for rung in answer.vacant],
        "unit": answer.unit.code,
    }


def _posting_json(view: RosterView, posting: Posting, with_phones: bool) -> dict[str, object]:
    person, other = view.people.get(posting.person_id), view.people.get(posting.stands_in_for or 0)
    told: dict[str, object] = {
        "name": None if person is None else person.name,
        "post": posting.post,
        "title": say(posting.title),
        "unit": posting.unit,
        "community_post": None if posting.community_post is None else say(posting.community_post.message),
        "certified": posting.certified,
        "stands_in_for": None if other is None else other.name,
        "valid_from": posting.valid_from,
        "valid_to": posting.valid_to,
    }
    if with_phones and person is not None:
        told |= {
            "phone": person.phone,
            "staff_no": person.staff_no,
            "declared_on": plain(posting.declared_on),
        }
    return told


def _findings_json(findings: Sequence[Finding]) -> list[dict[str, object]]:
    return [
        {key: told[key] for key in ("kind", "rule", "severity", "clause", "codes", "message")}
        for told in findings_json(findings, languages())
    ]
