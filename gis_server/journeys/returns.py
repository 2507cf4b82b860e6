"""Returned cases on the borders of the grids, for the desk's map and for whoever redraws them."""

from datetime import datetime, timedelta

from gis_server.core.access import Act, Actor, Role
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.core.returns import Returns, count_returns
from gis_server.journeys.boundaries import boundaries_at
from gis_server.journeys.context import Context
from gis_server.store import returns as store

SPAN = timedelta(days=90)
"""Looked back when no beginning is given."""


def returned(
    ctx: Context, actor: Actor, *, since: datetime | None, until: datetime | None, now: datetime
) -> Returns:
    """The cases returned from ``since`` to before ``until`` in the actor's territory, on the borders now in force.

    A handling unit sees those that concern it.
    """
    actor.require(Act.READ_INCIDENTS)
    end = until or now
    start = since or end - SPAN
    if start >= end:
        raise UnusableInput(msg("since 应早于 until。"), field="since", expected=msg("早于 until 的时间"))
    unit = actor.name if actor.role is Role.HANDLING_UNIT else None
    with ctx.engine.connect() as conn:
        cases = store.returned(conn, actor.territory.path, start, end, unit)
        return count_returns(cases, boundaries_at(conn, now))
