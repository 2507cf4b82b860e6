"""Address search over HTTP."""

from flask import Blueprint, Response

from gis_server.core.access import Act
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import parse_time
from gis_server.core.message import msg
from gis_server.journeys import addresses
from gis_server.views.address_json import answer_json
from gis_server.views.current import (
    actor,
    ctx,
    integer_parameter,
    json_answer,
    known_parameters,
    now,
    parameter,
)

blueprint = Blueprint("addresses", __name__, url_prefix="/api")


@blueprint.get("/addresses")
def search() -> Response:
    """The standard addresses that fit what somebody wrote, each with its grid, and whether one is certain."""
    actor().require(Act.ROUTE)
    known_parameters("q", "limit", "at")
    query = parameter("q")
    if query is None:
        raise UnusableInput(msg("缺少 {name}。", name="q"), field="q", expected=msg("要查的地址"))
    limit = integer_parameter("limit", 5)
    at = parse_time(parameter("at"), "at") or now()
    return json_answer(answer_json(addresses.search(ctx(), actor(), query, at=at, limit=limit)))
