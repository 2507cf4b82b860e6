"""The roster over HTTP, and why an incident went where it went."""

from flask import Blueprint, Response

from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.journeys import explain
from gis_server.views.current import actor, ctx, json_answer, known_parameters, now, parameter, say

blueprint = Blueprint("roster", __name__, url_prefix="/api")


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
