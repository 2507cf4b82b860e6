"""Returned cases over HTTP."""

from typing import Any

import orjson
import shapely
from flask import Blueprint, Response

from gis_server.core.incident import parse_time
from gis_server.core.returns import ReturnSegment
from gis_server.journeys import returns
from gis_server.views.current import actor, ctx, json_answer, known_parameters, now, parameter

blueprint = Blueprint("returns", __name__, url_prefix="/api")

MOST_NUMBERS = 50
"""Incidents named at one segment; the count is of all."""


@blueprint.get("/returns")
def returned() -> Response:
    """Stretches of shared border as lines, each with how many cases were returned over it; most cases first."""
    known_parameters("since", "until")
    found = returns.returned(
        ctx(),
        actor(),
        since=parse_time(parameter("since"), "since"),
        until=parse_time(parameter("until"), "until"),
        now=now(),
    )
    return json_answer(
        {
            "type": "FeatureCollection",
            "features": [_feature(segment) for segment in found.segments],
            "total": found.total,
            "elsewhere": found.elsewhere,
        },
        mimetype="application/geo+json",
    )


def _feature(segment: ReturnSegment) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": orjson.Fragment(shapely.to_geojson(segment.line)),
        "properties": {
            "count": segment.count,
            "grids": [{"grid_code": grid.code, "grid_name": grid.name} for grid in segment.grids],
            "numbers": segment.numbers[:MOST_NUMBERS],
        },
    }
