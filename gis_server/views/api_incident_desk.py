"""The list of incidents over HTTP: a page, counts, places, and as a file."""

from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Blueprint, Response, url_for

from gis_server.core.access import Act
from gis_server.core.incident_query import FILTERS, IncidentQuery, parse_query
from gis_server.journeys import incident_listing, ratings
from gis_server.views.api_incidents import incident_json
from gis_server.views.current import (
    actor,
    ctx,
    integer_parameter,
    json_answer,
    known_parameters,
    now,
    parameter,
    translate,
)

blueprint = Blueprint("incident_desk", __name__, url_prefix="/api")

SHEETS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _asked(*more: str) -> IncidentQuery:
    actor().require(Act.READ_INCIDENTS)
    known_parameters(*FILTERS, *more)
    return parse_query({name: parameter(name) for name in FILTERS}, ctx().settings.timezone)


@blueprint.get("/incidents")
def listing() -> Response:
    """Incidents that the reader may see, filtered; ``next`` is the ``before`` of the next page."""
    asked = _asked("limit", "before")
    limit = integer_parameter("limit", 100)
    found = incident_listing.listing(
        ctx(), actor(), asked, now=now(), before=integer_parameter("before"), limit=limit
    )
    following = found[-1].id if len(found) == limit else None
    return json_answer({"incidents": [incident_json(incident) for incident in found], "next": following})


@blueprint.get("/incidents/counts")
def counts() -> Response:
    """How many incidents each filter would leave, the others being as they are."""
    found = incident_listing.counts(ctx(), actor(), _asked(), now())
    return json_answer(
        {
            "total": found.total,
            "rated": found.rated,
            "rating": found.rating,
            "flags": found.flags,
            "states": found.states,
            "units": [{"unit": unit, "count": number} for unit, number in found.units.items()],
            "grids": [
                {"grid_code": code, "grid_name": name, "count": number}
                for code, (name, number) in found.grids.items()
            ],
        }
    )


@blueprint.get("/incidents/places")
def places() -> Response:
    """The filtered incidents as points for a map, newest first; ``more`` says that there were too many."""
    found = incident_listing.dots(ctx(), actor(), _asked(), now())
    return json_answer(
        {
            "incidents": [
                {
                    "id": dot.id,
                    "number": dot.number,
                    "lon": dot.lon,
                    "lat": dot.lat,
                    "state": dot.state,
                    "is_urgent": dot.is_urgent,
                    "is_overdue": dot.is_overdue,
                    "due_at": dot.due_at,
                    "grid_code": dot.grid_code,
                }
                for dot in found
            ],
            "more": len(found) == incident_listing.MOST_DOTS,
        }
    )


@blueprint.post("/incidents/<id:incident_id>/rating-link")
def make_rating_link(incident_id: int) -> Response:
    """A link for the party; its address is told this once, and the one before stops working."""
    made = ratings.make_link(ctx(), actor(), incident_id, now())
    url = url_for("rate.sheet", token=made.token, _external=True)
    return json_answer({"url": url, "expires_at": made.expires_at}, 201)


@blueprint.get("/incidents/appraisal")
def appraisal() -> Response:
    """Ratings and scores of the filtered incidents by lead unit."""
    found = ratings.appraisal(ctx(), actor(), _asked(), now())
    return json_answer(
        {
            "units": [
                {
                    "unit": one.unit,
                    "incidents": one.incidents,
                    "rated": one.rated,
                    "rating": one.rating,
                    "satisfied": one.satisfied,
                    "scored": one.scored,
                    "scores": one.scores,
                }
                for one in found
            ]
        }
    )


@blueprint.get("/incidents.csv", defaults={"form": "csv"})
@blueprint.get("/incidents.xlsx", defaults={"form": "xlsx"})
def export(form: str) -> Response:
    """The filtered list as a spreadsheet, in the reader's language and tier."""
    asked = _asked()
    with TemporaryDirectory(prefix="gis-server-") as folder:
        path = Path(folder) / f"incidents.{form}"
        incident_listing.export(ctx(), actor(), asked, path, say=translate(), now=now())
        answer = Response(path.read_bytes(), mimetype=SHEETS[form])
    stamp = now().astimezone(ctx().settings.timezone).strftime("%Y%m%d-%H%M")
    answer.headers["Content-Disposition"] = f'attachment; filename="incidents-{stamp}.{form}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
