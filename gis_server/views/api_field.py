"""What a phone takes along, over HTTP."""

from dataclasses import asdict

from flask import Blueprint, Response, request

from gis_server.journeys import field
from gis_server.views.current import actor, ctx, json_answer, known_parameters, now

blueprint = Blueprint("field", __name__, url_prefix="/api")


@blueprint.get("/field/bundle")
def bundle() -> Response:
    """The grids of the reader's territory and those beside them, every coordinate to its last bit."""
    known_parameters()
    answer = json_answer(asdict(field.bundle(ctx(), actor(), now())))
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.add_etag()
    return answer.make_conditional(request)  # type: ignore[return-value]
