"""Walls, their scenes and their links over HTTP."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, url_for

from gis_server.core.access import Act
from gis_server.core.account import WallLink
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import parse_time
from gis_server.core.message import msg
from gis_server.core.ranking import PERIODS
from gis_server.core.scene import choices_json
from gis_server.core.vocabulary import Period
from gis_server.core.wall import HallIncident
from gis_server.journeys import rankings, wall_desk, wall_scenes, walls
from gis_server.views.current import (
    actor,
    ctx,
    integer_parameter,
    json_answer,
    json_body,
    known_parameters,
    language,
    now,
    parameter,
    server,
)

MOST_PLACES = 100
"""Places of a ranking that may be asked for at most; without a number all are told."""

blueprint = Blueprint("walls", __name__, url_prefix="/api")


@blueprint.get("/wall/<wall_id>")
def state(wall_id: str) -> Response:
    """All a wall shows at this moment; its changes follow on /api/events after ``position``."""
    known_parameters()
    known = walls.open_wall(ctx(), actor(), wall_id, now())
    found = server().states.answer(wall_id, lambda: walls.wall_state(ctx(), actor(), wall_id, now()))
    figures = found.figures
    return json_answer(
        {
            "wall": {"id": known.id, "title": known.title.said(language())},
            "generated_at": found.generated_at,
            "position": found.position,
            "bounds": found.bounds,
            "figures": {
                "open": figures.open,
                "urgent": figures.urgent,
                "overdue": figures.overdue,
                "today": figures.today,
                "done_today": figures.done_today,
            },
            "incidents": {
                "type": "FeatureCollection",
                "features": [_feature(incident) for incident in found.incidents],
            },
            "complete_since": found.complete_since,
            "grids": [{"grid_code": code, "open": number} for code, number in found.open_by_grid.items()],
            "layers": [url_for("layers.features", layer=layer) for layer in found.layers],
            "tour": found.tour.as_json() | {"start": found.tour_start},
            "alarms": [alarm.as_json() for alarm in found.alarms],
            "sent_scene": found.sent_scene,
        }
    )


@blueprint.get("/wall/<wall_id>/statistics")
def statistics(wall_id: str) -> Response:
    """The counts behind the panels of a wall."""
    known_parameters()
    known = walls.open_wall(ctx(), actor(), wall_id, now())
    context, moment = ctx(), now()
    found = server().statistics.answer(wall_id, lambda: wall_scenes.statistics(context, known, moment))
    return json_answer(found.as_json())


@blueprint.get("/wall/<wall_id>/replay")
def replay(wall_id: str) -> Response:
    """The incidents of the last 24 hours: where, and from when to when."""
    known_parameters()
    known = walls.open_wall(ctx(), actor(), wall_id, now())
    found = wall_scenes.replay(ctx(), known, now())
    return json_answer({"until": now(), "incidents": [asdict(one) for one in found]})


@blueprint.get("/wall/<wall_id>/ranking")
def ranking(wall_id: str) -> Response:
    """The ranking of the wall's grids by what they completed in a period; null where the profile wants none."""
    known_parameters("period", "most")
    known = walls.open_wall(ctx(), actor(), wall_id, now())
    period = _period()
    most = integer_parameter("most")
    if most is not None and not 1 <= most <= MOST_PLACES:
        raise UnusableInput(
            msg("{name} 应为 {least} 到 {most} 的整数。", name="most", least=1, most=MOST_PLACES),
            field="most",
            expected=msg("{least} 到 {most} 的整数", least=1, most=MOST_PLACES),
        )
    context, moment = ctx(), now()
    found = server().rankings.answer(
        (wall_id, period, most),
        lambda: rankings.of_wall(context, known, period, moment, most),
    )
    return json_answer({"ranking": None if found is None else found.as_json()})


@blueprint.get("/worker-ranking")
def worker_ranking() -> Response:
    """The ranking of the workers of the reader's territory, published inside only."""
    known_parameters("period")
    stretch, places = rankings.of_workers(ctx(), actor(), _period(), now())
    return json_answer(asdict(stretch) | {"places": [asdict(place) for place in places]})


def _period() -> Period:
    given = parameter("period") or Period.MONTH.value
    if given not in PERIODS:
        raise UnusableInput(
            msg("没有按“{period}”的排名；可用：{known}。", period=given[:60], known=PERIODS),
            field="period",
            expected=msg("{known} 之一", known=PERIODS),
        )
    return Period(given)


@blueprint.get("/wall/<wall_id>/tour")
def tour(wall_id: str) -> Response:
    """The tour of a wall, for its editor, and what scenes may be made of."""
    known_parameters()
    actor().require(Act.MANAGE_WALL_LINKS)
    found = wall_desk.desk_state(ctx(), actor(), wall_id, now())
    return json_answer(
        {
            "tour": found.tour.as_json(),
            "choices": choices_json(language(), wall_scenes.grid_periods(ctx())),
            "towns": [{"code": code, "name": name} for code, name in found.towns],
        }
    )


@blueprint.put("/wall/<wall_id>/tour")
def save_tour(wall_id: str) -> Response:
    """Give a wall another tour; its screens follow at once."""
    known_parameters()
    actor().require(Act.MANAGE_WALL_LINKS)
    known = walls.open_wall(ctx(), actor(), wall_id, now())
    saved = wall_scenes.save_tour(ctx(), actor(), known, json_body(), now())
    return json_answer({"tour": saved.as_json()})


@blueprint.delete("/wall/<wall_id>/tour")
def drop_tour(wall_id: str) -> Response:
    """Go back to the tour of the package."""
    known_parameters()
    actor().require(Act.MANAGE_WALL_LINKS)
    known = walls.open_wall(ctx(), actor(), wall_id, now())
    saved = wall_scenes.save_tour(ctx(), actor(), known, None, now())
    return json_answer({"tour": saved.as_json()})


@blueprint.post("/wall/<wall_id>/scene")
def send_scene(wall_id: str) -> Response:
    """Show a scene on a wall for a while."""
    known_parameters()
    actor().require(Act.STEER_WALL)
    known = walls.open_wall(ctx(), actor(), wall_id, now())
    body = _object({"scene", "seconds", "town", "grid"})
    if not isinstance(body.get("scene"), str):
        raise UnusableInput(msg("缺少 {name}。", name="scene"), field="scene", expected=msg("文字"))
    seconds = body.get("seconds", 60)
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        raise UnusableInput(msg("seconds 应为整数。"), field="seconds", expected=msg("整数"))
    town, grid = body.get("town"), body.get("grid")
    if town is not None and not isinstance(town, str):
        raise UnusableInput(msg("town 应为区划代码。"), field="town", expected=msg("文字"))
    if grid is not None and not isinstance(grid, str):
        raise UnusableInput(msg("grid 应为网格编码。"), field="grid", expected=msg("文字"))
    wall_scenes.send_scene(
        ctx(), actor(), known, body["scene"], seconds=seconds, town=town, grid=grid, now=now()
    )
    return Response(status=204)


@blueprint.post("/incidents/<id:incident_id>/acknowledgement")
def acknowledge(incident_id: int) -> Response:
    """Take notice of an urgent incident: it stops calling the hall."""
    known_parameters()
    wall_scenes.acknowledge(ctx(), actor(), incident_id, now())
    return Response(status=204)


def _feature(incident: HallIncident) -> dict[str, object]:
    properties = incident.as_json()
    coordinates = [properties.pop("lon"), properties.pop("lat")]
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": coordinates},
        "properties": properties,
    }


@blueprint.get("/wall-links")
def links() -> Response:
    """The links to walls of the actor's territory."""
    known_parameters()
    return json_answer({"links": [_link_json(link) for link in walls.links(ctx(), actor(), now())]})


@blueprint.post("/wall-links")
def make_link() -> Response:
    """Make a link; its address is told this once."""
    actor().require(Act.MANAGE_WALL_LINKS)
    body = _object({"wall_id", "label", "expires_at"})
    texts = {}
    for key in ("wall_id", "label"):
        if not isinstance(body.get(key), str):
            raise UnusableInput(msg("缺少 {name}。", name=key), field=key, expected=msg("文字"))
        texts[key] = body[key]
    made = walls.make_link(
        ctx(),
        actor(),
        texts["wall_id"],
        label=texts["label"],
        expires_at=parse_time(body.get("expires_at"), "expires_at"),
        now=now(),
    )
    url = url_for("pages.wall", wall_id=texts["wall_id"], key=made.token, _external=True)
    return json_answer({"id": made.id, "url": url}, 201)


def _object(known: set[str]) -> dict[str, Any]:
    body = json_body()
    if not isinstance(body, dict):
        raise UnusableInput(msg("内容应为一个 JSON 对象。"), expected=msg("JSON 对象"))
    for key in body:
        if key not in known:
            raise UnusableInput(msg("没有名为 {name} 的项。", name=str(key)[:80]), field=str(key)[:80])
    return body


@blueprint.delete("/wall-links/<id:link_id>")
def revoke(link_id: int) -> Response:
    """Revoke a link."""
    walls.revoke_link(ctx(), actor(), link_id, now())
    return Response(status=204)


def _link_json(link: WallLink) -> dict[str, object]:
    return {
        "id": link.id,
        "wall_id": link.wall_id,
        "label": link.label,
        "created_by": link.created_by,
        "created_at": link.created_at,
        "expires_at": link.expires_at,
        "revoked_at": link.revoked_at,
        "live": link.is_live(now()),
    }
