"""Who is signed in, as the scripts need to know it."""

from flask import Blueprint, Response
from flask_wtf.csrf import generate_csrf

from gis_server.core.wall import home_wall
from gis_server.views.current import actor, json_answer, language, now
from gis_server.views.sessions import account_tag

blueprint = Blueprint("session", __name__, url_prefix="/api")


@blueprint.get("/session")
def show() -> Response:
    """Name, role, tier, territory and language of whoever asks, and the token for changes."""
    known = actor()
    return json_answer(
        {
            "name": known.name,
            "role": known.role,
            "tier": known.tier.key,
            "territory": known.territory.path,
            "wall_id": home_wall(known),
            "language": language(),
            "csrf_token": generate_csrf(),
            "account": account_tag(),
            "now": now(),
        }
    )
