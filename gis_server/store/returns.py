"""Cases that were returned, with their places."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, func, or_, select, text

from gis_server.core.incident import IncidentState
from gis_server.core.returns import ReturnedCase
from gis_server.store.incidents import within
from gis_server.store.schema import correction, incident, incident_event


def returned(
    conn: Connection, path: Sequence[str], since: datetime, until: datetime, unit: str | None = None
) -> list[ReturnedCase]:
    """Every return of a territory from ``since`` to before ``until``, oldest first; ``unit`` leaves those that concern it.

    An incident returned twice is two cases. The grid that took it is the one of its newest correction.
    """
    latest = (
        select(correction.c.to_grid_code)
        .where(correction.c.incident_id == incident.c.id)
        .order_by(correction.c.reroute_id.desc())
        .limit(1)
        .lateral("latest")
    )
    query = (
        select(
            incident.c.number,
            func.ST_X(incident.c.geom),
            func.ST_Y(incident.c.geom),
            incident.c.accuracy_m,
            incident.c.grid_code,
            latest.c.to_grid_code,
        )
        .select_from(
            incident_event.join(incident, incident.c.id == incident_event.c.incident_id).outerjoin(
                latest, text("true")
            )
        )
        .where(
            within(path),
            incident_event.c.to_state == IncidentState.RETURNED.value,
            incident_event.c.from_state.is_distinct_from(incident_event.c.to_state),
            incident_event.c.at >= since,
            incident_event.c.at < until,
        )
        .order_by(incident_event.c.at, incident_event.c.id)
    )
    if unit is not None:
        query = query.where(or_(incident.c.lead_unit == unit, incident.c.responsible_unit == unit))
    return [
        ReturnedCase(number, lon, lat, accuracy, grid, None if taken_by == grid else taken_by)
        for number, lon, lat, accuracy, grid, taken_by in conn.execute(query)
    ]
