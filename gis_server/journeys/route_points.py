"""Route many points in one call, without recording anything."""

from datetime import datetime

from gis_server.core.access import Act, Actor
from gis_server.core.datum import to_cgcs2000
from gis_server.core.decision import responsible_for
from gis_server.core.message import Message
from gis_server.core.route_request import RouteRequest
from gis_server.core.routing.position import unusable
from gis_server.journeys.context import Context
from gis_server.journeys.ground import ground_at
from gis_server.journeys.incidents import Located, told_to


def route_many(ctx: Context, actor: Actor, given: RouteRequest, now: datetime) -> list[Located | Message]:
    """Where the points belong and who answers for each, in their order and all by one generation: the one in force then, or now.

    A point that is no place has the reason in its place.
    """
    actor.require(Act.ROUTE)
    # judged as given, so that the reason names what was given
    reasons = unusable(given.lon, given.lat, given.accuracy_m)
    at = given.at or now
    with ctx.engine.connect() as conn:
        ground = ground_at(ctx, conn, at)
    answers = ground.boundaries.route_all(*to_cgcs2000(given.lon, given.lat, given.datum), given.accuracy_m)
    known: dict[tuple[int | None, tuple[str, ...]], dict[str, object]] = {}
    found: list[Located | Message] = []
    for point, answer in enumerate(answers):
        reason = reasons.get(point, answer)
        if isinstance(reason, Message):
            found.append(reason)
            continue
        assert not isinstance(answer, Message)  # noqa: S101  (said above)
        # the same for all points of one grid, or of one area outside every grid
        key = (answer.grid_id, answer.area_path)
        if key not in known:
            known[key] = told_to(actor, responsible_for(answer, ground, at), ground.roster.people)
        found.append(Located(answer, known[key]))
    return found
