"""Incidents and routing over HTTP."""

from dataclasses import asdict, replace

from flask import Blueprint, Response, request

from gis_server.core.access import Act
from gis_server.core.deadline import Standing
from gis_server.core.incident import (
    CLOSED,
    Incident,
    Step,
    parse_datum,
    parse_number,
    parse_report,
    parse_time,
)
from gis_server.core.incident_course import LegalStep, clock_json
from gis_server.core.incident_machine import StepKind
from gis_server.core.incident_request import parse_step
from gis_server.core.incident_watch import Alert, standing_of
from gis_server.core.message import Message
from gis_server.core.parameter import plain
from gis_server.core.route_request import parse_route_request
from gis_server.journeys import incident_places, incidents, route_points
from gis_server.journeys.incidents import Located, Opened
from gis_server.views.current import (
    actor,
    ctx,
    json_answer,
    json_body,
    known_parameters,
    now,
    number_parameter,
    parameter,
    point_parameters,
    say,
)

MOST_ROUTE_JSON = 2 * 2**20
"""Bytes of a list of points: 10,000 with every digit."""

blueprint = Blueprint("incidents", __name__, url_prefix="/api")


@blueprint.post("/incidents")
def report() -> Response:
    """Route and record one incident; 201, or 200 when the same report had come before."""
    actor().require(Act.REPORT_INCIDENT)  # before a body is read
    located = incident_places.located(ctx(), actor(), json_body(long_field="description"), now())
    given = replace(parse_report(located.content, now()), found=located.found)
    found = incidents.report(ctx(), actor(), given, now(), request.headers.get("Idempotency-Key"))
    answer = json_answer(incident_json(found.incident), 201 if found.is_new else 200)
    answer.headers["Location"] = f"/api/incidents/{found.incident.id}"
    return answer


@blueprint.get("/incidents/<id:incident_id>")
def one(incident_id: int) -> Response:
    """One incident with its history, its clock, and what the reader may do next."""
    return json_answer(_opened_json(incidents.one(ctx(), actor(), incident_id)))


@blueprint.post("/incidents/<id:incident_id>/steps")
def step(incident_id: int) -> Response:
    """Make one step; 409 with the present state when somebody else was first."""
    actor().require(Act.MOVE_INCIDENT)  # before a body is read
    asked = parse_step(json_body())
    return json_answer(_opened_json(incidents.move(ctx(), actor(), incident_id, asked, now())))


@blueprint.get("/route")
def route() -> Response:
    """Where a point belongs, without recording anything."""
    actor().require(Act.ROUTE)
    known_parameters("lon", "lat", "datum", "accuracy_m", "at")
    lon, lat = point_parameters()
    found = incidents.route_point(
        ctx(),
        actor(),
        lon,
        lat,
        datum=parse_datum(parameter("datum")),
        accuracy_m=parse_number(number_parameter("accuracy_m"), "accuracy_m", required=False),
        at=parse_time(parameter("at"), "at") or now(),
    )
    return json_answer(_located_json(found))


@blueprint.post("/route")
def route_many() -> Response:
    """Where each of up to 10,000 points belongs, in their order; what is no place has a problem for an answer."""
    actor().require(Act.ROUTE)  # before a body is read
    given = parse_route_request(json_body(MOST_ROUTE_JSON))
    found = route_points.route_many(ctx(), actor(), given, now())
    return json_answer(
        {
            "results": [
                {"problem": say(answer)} if isinstance(answer, Message) else _located_json(answer)
                for answer in found
            ]
        }
    )


def incident_json(incident: Incident) -> dict[str, object]:
    """An incident for those who may read it whole."""
    given = None
    if incident.given is not None:
        given = {"lon": incident.given[0], "lat": incident.given[1], "datum": incident.datum}
    return {
        "id": incident.id,
        "number": incident.number,
        "state": incident.state,
        "item": incident.item,
        "description": None if incident.is_withheld else incident.description,
        "source": incident.source,
        "is_urgent": incident.is_urgent,
        "discovered_at": incident.discovered_at,
        "recorded_at": incident.recorded_at,
        "lon": incident.lon,
        "lat": incident.lat,
        "given": given,
        "accuracy_m": incident.accuracy_m,
        "match": incident.match,
        "distance_m": incident.distance_m,
        "candidates": [{"grid_code": c.grid_code, "share": c.share} for c in incident.candidates],
        **_grid_json(incident.grid_code, incident.grid_name, incident.sub_grid_code),
        "area_path": incident.area_path,
        "responsible": incident.responsible,
        "due_at": incident.due_at,
        "is_overdue": incident.is_overdue(now()),
        "standing": _standing(incident),
        "current_level": incident.current_level,
        "lead_unit": incident.lead_unit,
        "supervised_at": incident.supervised_at,
        "rating": incident.rating,
    }


def _standing(incident: Incident) -> Standing | None:
    if incident.state in CLOSED:
        return None
    share = ctx().settings.warning_pct / 100
    return standing_of(incident.clock_starts_at, incident.due_at, now(), share)


def _warning_json(opened: Opened) -> dict[str, object] | None:
    """When the warning comes, and that the share is the deployment's own: no document has it."""
    clock, share = opened.clock, ctx().settings.warning_pct
    if clock is None or clock.limit.at_once:
        return None
    return {
        "at": clock.warns_at(share / 100),
        "share_pct": share,
        "clause": None,
        "setting": "GIS_WARNING_PCT",
    }


def _opened_json(opened: Opened) -> dict[str, object]:
    incident = opened.incident
    return incident_json(incident) | {
        "item_key": incident.item_key,
        "found": None if opened.found is None else asdict(opened.found),
        "scores": incident.scores,
        "responsible_unit": incident.responsible_unit,
        "person_in_charge": incident.person_in_charge,
        "first_contact": incident.first_contact,
        "clock": None if opened.clock is None else clock_json(opened.clock),
        "history": [_step_json(step) for step in opened.history],
        "warning": _warning_json(opened),
        "is_calling": opened.is_calling,
        "alerts": [_alert_json(alert) for alert in opened.alerts],
        "next_steps": [_legal_json(legal) for legal in opened.next_steps],
        "refused_steps": [
            {
                "step": transition.step,
                "title": plain(transition.step.words),
                "reason": say(error.message),
                "clause": error.clause,
            }
            for transition, error in opened.refused_steps
        ],
    }


def _alert_json(alert: Alert) -> dict[str, object]:
    told = alert.told
    return {
        "kind": alert.kind,
        "title": plain(alert.kind.words),
        "at": alert.at,
        "due_at": alert.due_at,
        "old_due_at": alert.old_due_at,
        "round": alert.round,
        "told": None if told is None else {"party": told.party, "level": told.level, "name": told.name},
        "clause": alert.clause,
        "trace": alert.trace,
    }


def _legal_json(legal: LegalStep) -> dict[str, object]:
    row = legal.transition
    return {
        "step": legal.step,
        "title": plain(legal.step.words),
        "to_state": legal.to,
        "moves": row.to is not None,
        "clause": legal.clause,
        "fields": [
            {
                "name": field,
                "title": plain(field.words),
                "required": field in row.asks,
                "value": legal.suggested.get(field),
            }
            for field in (*row.asks, *row.takes)
        ],
    }


def _located_json(located: Located) -> dict[str, object]:
    place = located.place
    routed = place.routed
    return {
        "lon": place.lon,
        "lat": place.lat,
        "match": routed.match,
        "distance_m": routed.distance_m,
        "stable_within_m": routed.stable_within_m,
        "candidates": [{"grid_code": c.grid_code, "share": c.share} for c in routed.candidates],
        **_grid_json(routed.grid_code, place.grid_name, routed.sub_grid_code),
        "area_path": place.area_path,
        "responsible": located.responsible,
    }


def _grid_json(code: str | None, name: str | None, sub_code: str | None) -> dict[str, object]:
    return {
        "grid": None if code is None else {"grid_code": code, "grid_name": name},
        "sub_grid": None if sub_code is None else {"sub_grid_code": sub_code},
        "grid_code": code,
        "grid_name": name,
        "sub_grid_code": sub_code,
    }


def _step_json(step: Step) -> dict[str, object]:
    return {
        "at": step.at,
        "actor": step.actor,
        "from_state": step.from_state,
        "to_state": step.to_state,
        "note": step.note,
        "step": step.step,
        "title": None if step.step is None else plain(StepKind(step.step).words),
        "level": step.level,
        "entered_for": step.entered_for,
        "clause": step.clause,
        "place": None if step.place is None else {"lon": step.place[0], "lat": step.place[1]},
        "filled": step.filled,
        "trace": step.trace,
    }
