"""The party rates the result by a link of its own; ratings and scores by unit."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor
from gis_server.core.errors import Conflict, NotFound
from gis_server.core.incident import CLOSED, Incident
from gis_server.core.incident_course import course_of
from gis_server.core.incident_machine import Mover, Party, StepField, StepKind
from gis_server.core.incident_moves import move
from gis_server.core.incident_query import IncidentQuery
from gis_server.core.message import msg
from gis_server.core.rating import LINK_LIFE, Appraised, RatingSheet, no_rating, sheet_of
from gis_server.journeys.context import Context
from gis_server.journeys.incident_listing import present, reader_of
from gis_server.journeys.incidents import announce, require_own, rules
from gis_server.store import audit, incidents, ratings

PARTY = Mover(Party.INCIDENT_PARTY, Party.INCIDENT_PARTY.words.zh)
"""Whoever holds the link: nobody's name is asked or kept."""


@dataclass(frozen=True, slots=True)
class NewRatingLink:
    """A link just made. ``token`` is told once and kept nowhere."""

    token: str
    expires_at: datetime


def _hash(token: str) -> str:
    # a token is 256 random bits: no slow hash is needed to keep it from being guessed
    return hashlib.sha256(token.encode()).hexdigest()


def make_link(ctx: Context, actor: Actor, incident_id: int, now: datetime) -> NewRatingLink:
    """A link to hand to the party of an open incident; the one handed out before stops working."""
    actor.require(Act.MOVE_INCIDENT)
    wanted = rules(ctx).profile.incident_loop.satisfaction_rating
    if not wanted.value:
        raise no_rating(wanted.clause)
    token = secrets.token_urlsafe(32)
    with ctx.engine.begin() as conn:
        incident = incidents.by_id(conn, incident_id)
        if incident is None:
            raise NotFound(msg("没有编号为 {id} 的事件。", id=incident_id))
        require_own(actor, incident, Act.MOVE_INCIDENT)
        if incident.state in CLOSED:
            raise Conflict(msg("事件已经归档，评价已截止。"), clause=wanted.clause)
        expires_at = now + LINK_LIFE
        link_id = ratings.add_link(
            conn, incident_id, _hash(token), account_id=actor.account_id, now=now, expires_at=expires_at
        )
        audit.add(conn, actor, "rating_link_make", now=now, subject=f"{incident.number}#{link_id}")
    return NewRatingLink(token, expires_at)


def open_link(ctx: Context, token: str, now: datetime) -> RatingSheet:
    """What the page behind a link shows; NotFound for a token that opens nothing."""
    with ctx.engine.connect() as conn:
        return sheet_of(_incident(conn, token, now, lock=False))


def rate(ctx: Context, token: str, rating: int, note: str | None, now: datetime) -> RatingSheet:
    """Take the party's rating (T19): each is a row of history, the latest stands; Conflict once it is closed."""
    decided = rules(ctx)
    filled: dict[StepField, object] = {StepField.RATING: rating}
    if note is not None:
        filled[StepField.NOTE] = note
    with ctx.engine.begin() as conn:
        incident = _incident(conn, token, now, lock=True)
        if (closed := sheet_of(incident).closed) is not None:
            raise Conflict(closed, clause=decided.profile.incident_loop.satisfaction_rating.clause)
        course, records = move(course_of(incident), StepKind.RATE, PARTY, decided, filled=filled, now=now)
        incidents.set_course(conn, incident.id, course)
        incidents.add_records(conn, incident.id, records)
        rated = incidents.by_id(conn, incident.id)
        assert rated is not None  # noqa: S101  (locked above)
        announce(conn, rated, now)
        return sheet_of(rated)


def _incident(conn: Connection, token: str, now: datetime, *, lock: bool) -> Incident:
    link = ratings.link_by_hash(conn, _hash(token))
    # one sentence for all: an old link tells nobody that it was one
    unknown = NotFound(msg("评价链接无效或已到期，请向工作人员索取新的链接。"))
    if link is None or not link.is_live(now):
        raise unknown
    found = incidents.lock(conn, link.incident_id) if lock else incidents.by_id(conn, link.incident_id)
    if found is None:
        raise unknown
    return found


def appraisal(ctx: Context, actor: Actor, asked: IncidentQuery, now: datetime) -> list[Appraised]:
    """Ratings and scores of a list by lead unit."""
    actor.require(Act.READ_INCIDENTS)
    with ctx.engine.connect() as conn:
        return ratings.by_unit(conn, asked, reader_of(ctx, actor), present(ctx, now))
