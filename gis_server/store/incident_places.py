"""Where incidents are, for those who ask about all of them at once."""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from gis_server.core.incident import CLOSED
from gis_server.core.moved import Spot
from gis_server.store.incidents import within
from gis_server.store.schema import incident


def open_spots(conn: Connection, path: Sequence[str]) -> list[Spot]:
    """The open incidents of a territory with their places, by id."""
    query = (
        select(
            incident.c.id,
            incident.c.number,
            func.ST_X(incident.c.geom),
            func.ST_Y(incident.c.geom),
            incident.c.state,
            incident.c.is_urgent,
        )
        .where(within(path), incident.c.state.not_in(list(CLOSED)))
        .order_by(incident.c.id)
    )
    return [Spot(*row) for row in conn.execute(query)]
