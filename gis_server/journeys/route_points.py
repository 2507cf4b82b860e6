"""Route many points in one call, without recording anything."""

from datetime import datetime

import numpy as np

from gis_server.core.access import Act, Actor
from gis_server.core.boundaries import Place
from gis_server.core.datum import Datum, to_cgcs2000
from gis_server.core.errors import UnusableInput
from gis_server.core.message import Message, msg
from gis_server.core.routing import Floats
from gis_server.core.routing.position import unusable
from gis_server.journeys.boundaries import boundaries_at
from gis_server.journeys.context import Context

MOST_POINTS = 10_000
"""Points of one call; of more, ``gis-server route`` makes a file."""


def route_many(
    ctx: Context,
    actor: Actor,
    lon: Floats,
    lat: Floats,
    *,
    accuracy_m: Floats | None = None,
    datum: Datum = Datum.WGS84,
    at: datetime,
) -> list[Place | Message]:
    """Where n points (degrees in ``datum``; NaN in ``accuracy_m`` for none) belong at ``at``, in their order.

    All are answered by one generation. A point that is no place has the reason in its place.
    """
    actor.require(Act.ROUTE)
    if len(lon) > MOST_POINTS:
        raise UnusableInput(
            msg(
                "一次最多 {most} 个点，现有 {n} 个；更多的点请用 gis-server route。",
                most=MOST_POINTS,
                n=len(lon),
            ),
            field="points",
            expected=msg("最多 {most} 个点", most=MOST_POINTS),
        )
    accuracy = np.full(len(lon), np.nan) if accuracy_m is None else accuracy_m
    # judged as given, so that the reason names what was given
    reasons = unusable(lon, lat, accuracy)
    with ctx.engine.connect() as conn:
        found = boundaries_at(conn, at)
    answers = found.route_all(*to_cgcs2000(lon, lat, datum), accuracy)
    return [reasons.get(point, answer) for point, answer in enumerate(answers)]
