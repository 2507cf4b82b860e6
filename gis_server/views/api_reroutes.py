"""History routed again, over HTTP: begin a run, and ask how far it is."""

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import Blueprint, Response, url_for

from gis_server.core.access import Act
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import parse_time
from gis_server.core.message import msg
from gis_server.core.rerouting import RerouteState, pairs_json
from gis_server.journeys import reroute
from gis_server.views.current import actor, ctx, json_answer, json_body, known_parameters

blueprint = Blueprint("reroutes", __name__, url_prefix="/api")

_FIELDS = ("since", "dry_run", "reason", "generation_id")


@blueprint.post("/reroutes")
def begin() -> Response:
    """Begin a run, or go on with the one of this kind that was cut off; 202 with the address to ask for its progress."""
    actor().require(Act.IMPORT_LAYER)  # before a body is read
    given = _fields(json_body())
    found = reroute.start(
        ctx(),
        actor(),
        since=parse_time(given.get("since"), "since"),
        dry_run=_dry_run(given.get("dry_run", True)),
        reason=_text(given.get("reason")),
        generation_id=_generation(given.get("generation_id")),
        clock=_now,
    )
    reroute.begin_in_background(ctx(), found, _now)
    address = url_for("reroutes.one", reroute_id=found.id)
    answer = json_answer({"reroute": address}, 202)
    answer.headers["Location"] = address
    return answer


@blueprint.get("/reroutes/<id:reroute_id>")
def one(reroute_id: int) -> Response:
    """How far a run is, and what it found so far by pair of grids."""
    known_parameters()
    found, is_at_work = reroute.one(ctx(), actor(), reroute_id)
    # nobody works on it any more, and it is not finished: its process died
    is_interrupted = found.state is RerouteState.RUNNING and not is_at_work
    return json_answer(
        {
            "id": found.id,
            "state": "interrupted" if is_interrupted else found.state,
            "started_at": found.started_at,
            "updated_at": found.updated_at,
            "who": found.who,
            "reason": found.reason,
            "dry_run": found.dry_run,
            "since": found.since,
            "generation_id": found.generation_id,
            "done": found.tally.done,
            "total": found.total,
            "changed": found.tally.changed,
            "only_sub_grid": found.tally.only_sub_grid,
            "pairs": pairs_json(found.tally),
        }
    )


def _now() -> datetime:
    return datetime.now(UTC)


def _fields(content: object) -> Mapping[str, object]:
    if not isinstance(content, Mapping):
        raise UnusableInput(msg("请求应为一个 JSON 对象。"), expected=msg("JSON 对象"))
    for name in content:
        if name not in _FIELDS:
            raise UnusableInput(
                msg("没有名为 {name} 的项；可用的项：{known}。", name=str(name)[:80], known=_FIELDS),
                field=str(name)[:80],
                expected=msg("{known} 之一", known=_FIELDS),
            )
    return content


def _dry_run(value: object) -> bool:
    if isinstance(value, bool):
        return value
    expected = msg("true 或 false")
    raise UnusableInput(
        msg("{name} 不可用，应为{expected}。", name="dry_run", expected=expected),
        field="dry_run",
        expected=expected,
    )


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise UnusableInput(
        msg("{name} 不可用，应为{expected}。", name="reason", expected=msg("文字")),
        field="reason",
        expected=msg("文字"),
    )


def _generation(value: object) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63):
        return value
    expected = msg("整数")
    raise UnusableInput(
        msg("{name} 不可用，应为{expected}。", name="generation_id", expected=expected),
        field="generation_id",
        expected=expected,
    )
