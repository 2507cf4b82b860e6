"""The HTTP door: Flask blueprints over the journeys. No rules and no SQL here."""

import atexit

import orjson
from flask import Flask
from flask.json.provider import JSONProvider
from werkzeug.routing import IntegerConverter, Map

from gis_server import i18n
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.journeys.base_map import open_map
from gis_server.journeys.context import Context
from gis_server.journeys.events import Broadcaster
from gis_server.journeys.opening import context as open_context
from gis_server.journeys.tiles import Tiles
from gis_server.journeys.together import Together
from gis_server.journeys.wall_counts import WallCounts
from gis_server.settings import Settings
from gis_server.views import (
    api_addresses,
    api_bulk,
    api_duplicates,
    api_events,
    api_field,
    api_findings,
    api_incident_desk,
    api_incidents,
    api_layers,
    api_photos,
    api_places,
    api_reroutes,
    api_returns,
    api_roster,
    api_session,
    api_wall_desk,
    api_wall_files,
    api_walls,
    assets,
    base_map,
    health,
    offline,
    openapi,
    pages,
    problems,
    rate,
    security,
    sessions,
    tiles,
)
from gis_server.views.current import EXTENSION, Server


class _NumberConverter(IntegerConverter):
    """A number that a person or a program may mean; Python refuses to read one of thousands of digits."""

    regex = r"\d{1,19}"


class _IdConverter(_NumberConverter):
    """A row id: what PostgreSQL's bigint cannot hold is no address."""

    def __init__(self, map: Map) -> None:
        super().__init__(map, min=1, max=2**63 - 1)


class OrjsonProvider(JSONProvider):
    """JSON by orjson, for Flask's own few uses of it."""

    def dumps(self, obj: object, *, indent: int | None = None, **_: object) -> str:
        """Serialise to text; any ``indent`` is two blanks."""
        return orjson.dumps(obj, option=orjson.OPT_INDENT_2 if indent else None).decode()

    def loads(self, s: str | bytes, **_: object) -> object:
        """Parse text."""
        return orjson.loads(s)


def create_app(settings: Settings, ctx: Context | None = None) -> Flask:
    """The application of one server process; it opens the settings' database unless it is given a context."""
    if ctx is None:
        if settings.database_url is None:
            raise UnusableInput(msg("没有指明数据库，请设置 GIS_DATABASE_URL。"), field="GIS_DATABASE_URL")
        ctx = open_context(settings, settings.database_url)
    ground = open_map(settings)
    web = settings.root / "web"
    app = Flask(__name__, static_folder=None, template_folder=str(web / "templates"))
    app.json = OrjsonProvider(app)
    app.url_map.converters |= {"int": _NumberConverter, "id": _IdConverter}
    broadcaster = Broadcaster(ctx.engine)
    counts = WallCounts(ctx, broadcaster)
    atexit.register(stop_streams, app)
    app.extensions[EXTENSION] = Server(
        ctx, broadcaster, counts, Together(), Together(), Together(), Tiles(), ground
    )
    # timed first and last of all, so that refusals are counted too
    health.init_app(app)
    i18n.init_app(app, settings.language)
    sessions.init_app(app)
    security.init_app(app, settings)
    problems.init_app(app)
    assets.init_app(app, web)
    for blueprint in (
        pages.blueprint,
        offline.blueprint,
        api_session.blueprint,
        api_layers.blueprint,
        tiles.blueprint,
        base_map.blueprint,
        api_findings.blueprint,
        api_incidents.blueprint,
        api_incident_desk.blueprint,
        rate.blueprint,
        api_addresses.blueprint,
        api_photos.blueprint,
        api_field.blueprint,
        api_bulk.blueprint,
        api_duplicates.blueprint,
        api_reroutes.blueprint,
        api_returns.blueprint,
        api_roster.blueprint,
        api_walls.blueprint,
        api_wall_files.blueprint,
        api_wall_desk.blueprint,
        api_places.blueprint,
        api_events.blueprint,
        openapi.blueprint,
    ):
        app.register_blueprint(blueprint)
    return app


def stop_streams(app: Flask) -> None:
    """Send away all who follow the live stream; they come again to whoever serves next."""
    server: Server = app.extensions[EXTENSION]
    server.counts.stop()
    server.broadcaster.stop(wait=False)  # the process ends, and its thread with it
