"""Route many points in one call, without recording anything."""

from datetime import datetime

from gis_server.core.access import Act, Actor
from gis_server.core.boundaries import Place
from gis_server.core.datum import to_cgcs2000
from gis_server.core.message import Message
from gis_server.core.route_request import RouteRequest
from gis_server.core.routing.position import unusable
from gis_server.journeys.boundaries import boundaries_at
from gis_server.journeys.context import Context


def route_many(ctx: Context, actor: Actor, given: RouteRequest, now: datetime) -> list[Place | Message]:
    """Where the points belong, in their order and all by one generation: the one in force then, or now.

    A point that is no place has the reason in its place.
    """
    actor.require(Act.ROUTE)
    # judged as given, so that the reason names what was given
    reasons = unusable(given.lon, given.lat, given.accuracy_m)
    with ctx.engine.connect() as conn:
        found = boundaries_at(conn, given.at or now)
    answers = found.route_all(*to_cgcs2000(given.lon, given.lat, given.datum), given.accuracy_m)
    return [reasons.get(point, answer) for point, answer in enumerate(answers)]
