"""Walls and their links over HTTP."""

from flask import Blueprint, Response, url_for

from gis_server.core.access import Act
from gis_server.core.account import WallLink
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import parse_time
from gis_server.core.message import msg
from gis_server.core.wall import HallIncident
from gis_server.journeys import walls
from gis_server.views.current import actor, ctx, json_answer, json_body, known_parameters, language, now

blueprint = Blueprint("walls", __name__, url_prefix="/api")


@blueprint.get("/wall/<wall_id>")
def state(wall_id: str) -> Response:
    """All a wall shows at this moment; its changes follow on /api/events after ``position``."""
    known_parameters()
    found = walls.wall_state(ctx(), actor(), wall_id, now())
    figures = found.figures
    return json_answer(
        {
            "wall": {"id": found.wall.id, "title": found.wall.title.said(language())},
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
            "grids": [{"grid_code": code, "open": number} for code, number in found.open_by_grid.items()],
            "layers": [url_for("layers.features", layer=layer) for layer in found.layers],
        }
    )


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
    body = json_body()
    if not isinstance(body, dict):
        raise UnusableInput(msg("内容应为一个 JSON 对象。"), expected=msg("JSON 对象"))
    for key in body:
        if key not in ("wall_id", "label", "expires_at"):
            raise UnusableInput(msg("没有名为 {name} 的项。", name=str(key)[:80]), field=str(key)[:80])
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
