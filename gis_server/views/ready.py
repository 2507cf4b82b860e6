"""What is made before the first request comes, so that the first wall after a start does not wait for it."""

import logging
from datetime import UTC, datetime
from threading import Thread

from flask import Flask, render_template

from gis_server.core.errors import Unavailable
from gis_server.core.wall import CITY, city_wall, display
from gis_server.journeys import tiles, walls
from gis_server.views.assets import modules_of
from gis_server.views.current import server

LONGEST_S = 2.0
"""Of a very large city the rest is made while others are served: a server that is not there yet shows nobody anything."""

log = logging.getLogger(__name__)


def make_ready(app: Flask) -> None:
    """Make what the city's wall asks for first; whatever cannot be made here, its asking tells."""
    making = Thread(target=_make, args=(app,), name="ready", daemon=True)
    making.start()
    making.join(LONGEST_S)


def _make(app: Flask) -> None:
    with app.app_context():
        modules = modules_of("pages/wall.js", "worker/tiles.js")
        with app.test_request_context():
            # for its templates and words; nobody sees it
            render_template("wall.html", modules=modules, wall_id=CITY, wall_title="", ground={})
        known, now = server(), datetime.now(UTC)
        screen = display(city_wall(), "ready")
        try:
            # the state itself will be another: what lasts are statements, connections and what PostgreSQL has read
            walls.wall_state(known.context, screen, CITY, now)
            tiles.prepare(known.context, known.tiles, screen, now)
        except Unavailable as error:
            log.warning("ready: %s", error.__cause__ or error)
