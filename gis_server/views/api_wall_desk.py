"""The walls as the desk steers them, over HTTP; no display link reaches this."""

from dataclasses import asdict

from flask import Blueprint, Response

from gis_server.journeys import wall_desk
from gis_server.views.current import actor, ctx, json_answer, known_parameters, language, now

blueprint = Blueprint("wall_desk", __name__, url_prefix="/api")


@blueprint.get("/walls")
def walls() -> Response:
    """The walls that the reader may steer."""
    known_parameters()
    found = wall_desk.walls_of(ctx(), actor(), now())
    return json_answer(
        {
            "walls": [
                {
                    "id": one.wall.id,
                    "title": one.wall.title.said(language()),
                    "has_screen": one.has_screen,
                }
                for one in found
            ]
        }
    )


@blueprint.get("/wall/<wall_id>/desk")
def desk(wall_id: str) -> Response:
    """What decides which scene stands on a wall, and what may be sent to it."""
    known_parameters()
    found = wall_desk.desk_state(ctx(), actor(), wall_id, now())
    return json_answer(
        {
            "wall": {"id": found.wall.id, "title": found.wall.title.said(language())},
            "generated_at": found.generated_at,
            "tour": found.tour.as_json() | {"start": found.tour_start},
            "alarms": [alarm.as_json() for alarm in found.alarms],
            "sent_scene": found.sent_scene,
            "towns": [{"code": code, "name": name} for code, name in found.towns],
        }
    )


@blueprint.get("/alarms")
def alarms() -> Response:
    """The urgent incidents that call and that nobody has answered, newest first."""
    known_parameters()
    return json_answer({"alarms": [asdict(one) for one in wall_desk.calling(ctx(), actor())]})
