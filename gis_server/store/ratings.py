"""Links for the party's rating, and what ratings and scores add up to."""

from datetime import datetime

from sqlalchemy import Connection, Double, cast, desc, func, insert, select, update

from gis_server.core.incident_query import IncidentQuery
from gis_server.core.rating import SATISFIED, Appraised, RatingLink
from gis_server.core.vocabulary import ScoreAspect
from gis_server.store.incident_listing import Present, Reader, holds
from gis_server.store.schema import grid, incident, rating_link


def add_link(
    conn: Connection,
    incident_id: int,
    token_hash: str,
    *,
    account_id: int | None,
    now: datetime,
    expires_at: datetime,
) -> int:
    """Keep a link, in place of those that were handed out for this incident before."""
    conn.execute(
        update(rating_link)
        .where(rating_link.c.incident_id == incident_id, rating_link.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    added = conn.execute(
        insert(rating_link)
        .values(
            incident_id=incident_id,
            token_hash=token_hash,
            created_by=account_id,
            created_at=now,
            expires_at=expires_at,
        )
        .returning(rating_link.c.id)
    )
    return int(added.scalar_one())


def link_by_hash(conn: Connection, token_hash: str) -> RatingLink | None:
    """The link of a token, live or not; None if there never was one."""
    columns = (
        rating_link.c.id,
        rating_link.c.incident_id,
        rating_link.c.expires_at,
        rating_link.c.revoked_at,
    )
    row = conn.execute(select(*columns).where(rating_link.c.token_hash == token_hash)).one_or_none()
    return None if row is None else RatingLink(*row)


def by_unit(conn: Connection, asked: IncidentQuery, reader: Reader, present: Present) -> list[Appraised]:
    """Ratings and scores of a list by lead unit, the unit with most incidents first."""
    aspects = list(ScoreAspect)
    query = (
        select(
            incident.c.lead_unit,
            func.count().label("incidents"),
            func.count(incident.c.rating),
            cast(func.avg(incident.c.rating), Double),
            func.count().filter(incident.c.rating >= SATISFIED),
            func.count(incident.c.scores),
            *(cast(func.avg(incident.c.scores[aspect.value].as_float()), Double) for aspect in aspects),
        )
        .select_from(incident.outerjoin(grid, grid.c.id == incident.c.grid_id))
        .where(holds(asked, reader, present))
        .group_by(incident.c.lead_unit)
        .order_by(desc("incidents"), incident.c.lead_unit)
    )
    found = []
    for unit, number, rated, rating, satisfied, scored, *means in conn.execute(query):
        scores = {aspect.value: mean for aspect, mean in zip(aspects, means, strict=True) if mean is not None}
        found.append(Appraised(unit, number, rated, rating, satisfied, scored, scores))
    return found
