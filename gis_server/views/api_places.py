"""A grid's card, what is near a point, and grids by name, over HTTP."""

from collections.abc import Mapping

import orjson
from flask import Blueprint, Response

from gis_server.core.access import Act
from gis_server.core.answering import Answer, Manager
from gis_server.core.camera import Retention
from gis_server.core.coverage.document import findings_json
from gis_server.core.incident import parse_datum, parse_number
from gis_server.core.places import MONTH_DAYS, MonthOfGrid
from gis_server.core.roster import Person, Posting
from gis_server.journeys import places
from gis_server.journeys.places import CameraSeen, GridCard, Nearby
from gis_server.views.current import (
    actor,
    ctx,
    json_answer,
    known_parameters,
    languages,
    now,
    number_parameter,
    parameter,
    point_parameters,
    say,
)

blueprint = Blueprint("places", __name__, url_prefix="/api")

_GRID_FIELDS = (
    "grid_code",
    "grid_name",
    "grid_kind",
    "settlement_class",
    "resident_households",
    "actual_population",
    "host_units",
    "managing_department",
)


@blueprint.get("/grids")
def grids() -> Response:
    """Grids whose name or code holds ``q``."""
    known_parameters("q")
    found = places.find_grids(ctx(), actor(), parameter("q") or "", now())
    return json_answer(
        {"grids": [{"grid_code": one.code, "grid_name": one.name, "areas": list(one.areas)} for one in found]}
    )


@blueprint.get("/grids/<code>/card")
def card(code: str) -> Response:
    """Everything the desk shows of one grid."""
    known_parameters()
    return json_answer(_card_json(places.grid_card(ctx(), actor(), code, now())))


@blueprint.get("/nearby")
def nearby() -> Response:
    """The nearest cameras and staff to a point."""
    actor().require(Act.ROUTE)
    known_parameters("lon", "lat", "datum", "reach_m")
    lon, lat = point_parameters()
    found = places.nearby(
        ctx(),
        actor(),
        lon,
        lat,
        datum=parse_datum(parameter("datum")),
        reach_m=parse_number(number_parameter("reach_m"), "reach_m", required=False),
        now=now(),
    )
    return json_answer(_nearby_json(found))


def _card_json(card: GridCard) -> dict[str, object]:
    grid = card.grid
    names = {code: name for code, name, _ in card.areas}
    return {
        "grid": {name: getattr(grid, name) for name in _GRID_FIELDS if name not in card.hidden},
        "lon": grid.lon,
        "lat": grid.lat,
        "bounds": grid.bounds,
        "geometry": orjson.Fragment(grid.geometry),
        "areas": [{"code": code, "name": name, "level": level} for code, name, level in card.areas],
        "answers": None if card.answer is None else _answer_json(card.answer, card.people, names),
        "roster": None
        if card.postings is None
        else {
            "people": [_posting_json(posting, card.people) for posting in card.postings],
            "findings": [
                {key: told[key] for key in ("severity", "clause", "message")}
                for told in findings_json(card.findings, languages())
            ],
        },
        "cameras": None if card.cameras is None else [_camera_json(camera) for camera in card.cameras],
        "month": _month_json(card.month),
    }


def _nearby_json(found: Nearby) -> dict[str, object]:
    place = found.place
    return {
        "lon": place.lon,
        "lat": place.lat,
        "match": place.routed.match,
        "grid_code": place.routed.grid_code,
        "grid_name": place.grid_name,
        "areas": [
            {"code": code, "name": name} for code, name in zip(place.area_path, place.area_names, strict=True)
        ],
        "reach_m": found.reach_m,
        "cameras": None
        if found.cameras is None
        else [
            _camera_json(camera)
            | {
                "distance_m": camera.distance_m,
                "sees": camera.sees,
                "is_by_direction_only": camera.is_by_direction_only,
            }
            for camera in found.cameras
        ],
        "staff": [
            {
                "grid_code": one.code,
                "grid_name": one.name,
                "distance_m": one.distance_m,
                "is_own": one.is_own,
                "answers": _answer_json(one.answer, found.people, one.areas),
            }
            for one in found.staff
        ],
    }


def _answer_json(answer: Answer, people: Mapping[int, Person], names: Mapping[str, str]) -> dict[str, object]:
    unit = answer.unit.code
    return {
        "person": None if answer.chosen is None else _posting_json(answer.chosen, people),
        "rung": answer.rung,
        "vacant": [say(rung.message) for rung in answer.vacant],
        "unit": None if unit is None else {"code": unit, "name": names.get(unit, unit)},
        "managers": [_manager_json(manager, people, names) for manager in answer.managers],
    }


def _manager_json(
    manager: Manager, people: Mapping[int, Person], names: Mapping[str, str]
) -> dict[str, object]:
    code = manager.code
    return {
        "mode": manager.mode,
        "unit": manager.unit if code is None else names.get(code, code),
        "person": None if manager.posting is None else _posting_json(manager.posting, people),
    }


def _posting_json(posting: Posting, people: Mapping[int, Person]) -> dict[str, object]:
    person, other = people.get(posting.person_id), people.get(posting.stands_in_for or 0)
    return {
        "post": posting.post,
        "title": say(posting.title),
        "name": None if person is None else person.name,
        "phone": None if person is None else person.phone,
        "unit": posting.unit,
        "stands_in_for": None if other is None else other.name,
        "valid_from": posting.valid_from,
        "valid_to": posting.valid_to,
    }


def _camera_json(camera: CameraSeen) -> dict[str, object]:
    return {
        **camera.properties,
        "lon": camera.lon,
        "lat": camera.lat,
        "retention": None if camera.retention is None else _retention_json(camera.retention),
    }


def _retention_json(found: Retention) -> dict[str, object]:
    return {
        "is_compliant": found.is_compliant,
        "missing": [
            {"what": one.what, "kept": one.kept, "least": one.least, "clause": one.clause}
            for one in found.shortfalls
        ],
    }


def _month_json(month: MonthOfGrid) -> dict[str, object]:
    return {
        "days": [{"day": day.day, "opened": day.opened, "closed": day.closed} for day in month.days],
        "length": MONTH_DAYS,
        "opened": month.opened,
        "closed": month.closed,
        "on_time_pct": month.on_time_pct,
        "open_now": month.open_now,
        "overdue_now": month.overdue_now,
        "items": [{"item": item, "count": count} for item, count in month.items],
    }
