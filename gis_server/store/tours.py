"""The tours of walls, what was sent to a wall, and acknowledged calls."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, literal_column, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from gis_server.core.incident import UNANSWERED, Incident
from gis_server.core.scene import Tour
from gis_server.core.stream import SCENE
from gis_server.store.schema import acknowledgement, event, wall_tour


def latest(conn: Connection, wall_id: str) -> Mapping[str, Any] | None:
    """The tour last saved for a wall, as JSON; None if nobody made one."""
    query = (
        select(wall_tour.c.tour)
        .where(wall_tour.c.wall_id == wall_id)
        .order_by(wall_tour.c.id.desc())
        .limit(1)
    )
    return conn.execute(query).scalar_one_or_none()


def save(conn: Connection, wall_id: str, tour: Tour | None, *, account_id: int | None, now: datetime) -> None:
    """Keep a tour; the earlier ones stay. None goes back to the tour of the package."""
    content = {} if tour is None else tour.as_json()
    conn.execute(insert(wall_tour).values(wall_id=wall_id, tour=content, saved_by=account_id, saved_at=now))


def acknowledge(conn: Connection, incident_id: int, *, account_id: int | None, now: datetime) -> bool:
    """Note who took notice of an urgent incident; False if somebody had before."""
    done = conn.execute(
        postgresql_insert(acknowledgement)
        .values(incident_id=incident_id, account_id=account_id, at=now)
        .on_conflict_do_nothing()
        .returning(acknowledgement.c.incident_id)
    )
    return done.scalar_one_or_none() is not None


def is_calling(conn: Connection, incident: Incident) -> bool:
    """Whether an incident still calls: urgent, answered by no step, and acknowledged by nobody."""
    if not incident.is_urgent or incident.state not in UNANSWERED or incident.clock_starts_at is None:
        return False
    known = select(acknowledgement.c.incident_id).where(acknowledgement.c.incident_id == incident.id)
    return conn.execute(known).scalar_one_or_none() is None


def sent_scene(conn: Connection, wall_id: str, now: datetime) -> Mapping[str, Any] | None:
    """The scene last sent to a wall, with the time ``at`` which it was; None if it is long past."""
    query = (
        select(event.c.payload, event.c.at)
        .where(
            event.c.position.is_not(None),
            # written out, so that the index of scenes serves whatever the plan
            event.c.kind == literal_column(f"'{SCENE}'"),
            event.c.payload["wall_id"].astext == wall_id,
            event.c.at > now - timedelta(hours=1),
        )
        .order_by(event.c.position.desc())
        .limit(1)
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else {**row.payload, "at": row.at}
