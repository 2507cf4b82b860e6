"""Likely duplicates over HTTP."""

from flask import Blueprint, Response

from gis_server.core.access import Act
from gis_server.core.duplicate import Verdict, parse_verdict
from gis_server.core.incident import parse_datum, parse_time
from gis_server.journeys import duplicates
from gis_server.journeys.duplicates import Around, Seen
from gis_server.views.current import (
    actor,
    ctx,
    json_answer,
    json_body,
    known_parameters,
    now,
    parameter,
    point_parameters,
)

blueprint = Blueprint("duplicates", __name__, url_prefix="/api")


@blueprint.get("/incidents/nearby")
def around_place() -> Response:
    """Open incidents that a report from a place may repeat."""
    actor().require(Act.REPORT_INCIDENT)
    known_parameters("lon", "lat", "datum", "item", "at")
    lon, lat = point_parameters()
    around = duplicates.around_place(
        ctx(),
        actor(),
        lon,
        lat,
        datum=parse_datum(parameter("datum")),
        item=parameter("item"),
        at=parse_time(parameter("at"), "at") or now(),
    )
    return json_answer(_around_json(around))


@blueprint.get("/incidents/<id:incident_id>/duplicates")
def around_incident(incident_id: int) -> Response:
    """Open incidents that may be this one, and what was decided."""
    known_parameters()
    return json_answer(_desk_json(duplicates.around_incident(ctx(), actor(), incident_id)))


@blueprint.post("/incidents/<id:incident_id>/duplicates")
def decide(incident_id: int) -> Response:
    """Keep that two incidents are one and the same, or that they are not."""
    for act in (Act.MOVE_INCIDENT, Act.READ_INCIDENTS):
        actor().require(act)  # before a body is read
    asked = parse_verdict(json_body())
    return json_answer(_desk_json(duplicates.decide(ctx(), actor(), incident_id, asked, now())))


def _around_json(around: Around) -> dict[str, object]:
    return {
        "within_m": around.within_m,
        "hours": around.hours,
        "count": around.count,
        "incidents": [_seen_json(seen) for seen in around.named],
    }


def _desk_json(around: Around) -> dict[str, object]:
    likely = [_seen_json(seen) | {"id": seen.nearby.id} for seen in around.named]
    return _around_json(around) | {
        "incidents": likely,
        "decided": [_verdict_json(verdict) for verdict in around.verdicts],
    }


def _seen_json(seen: Seen) -> dict[str, object]:
    one = seen.nearby
    return {
        "number": one.number,
        "distance_m": one.distance_m,
        "state": one.state,
        "item": seen.item,
        "is_urgent": one.is_urgent,
        "discovered_at": one.discovered_at,
    }


def _verdict_json(verdict: Verdict) -> dict[str, object]:
    return {
        "id": verdict.other_id,
        "number": verdict.other_number,
        "is_duplicate": verdict.is_duplicate,
        "at": verdict.at,
        "actor": verdict.actor,
        "note": verdict.note,
    }
