"""What the watch over running clocks finds and keeps."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Integer,
    Text,
    and_,
    case,
    cast,
    extract,
    func,
    literal,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from gis_server.core.incident import CLOSED, IncidentState
from gis_server.core.incident_machine import Party
from gis_server.core.incident_watch import Alert, AlertKind, Told, WatchRule
from gis_server.core.vocabulary import AdminLevel
from gis_server.store.schema import incident, incident_alert, incident_event

# one number for "somebody watches the clocks"; any constant will do that no other program uses on this database
_WATCH_LOCK = 7_424_492

Rungs = Mapping[tuple[IncidentState, AdminLevel | None], int]
"""How many escalations follow the first word of a breach, by where the incident stands and lies."""


@contextmanager
def alone(engine: Engine) -> Iterator[bool]:
    """Whether this process is the one that watches; it is for as long as the block lasts, or until it dies."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        held = bool(conn.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": _WATCH_LOCK}).scalar_one())
        try:
            yield held
        finally:
            if held:
                conn.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": _WATCH_LOCK})


def _told() -> Any:
    """What was told of each open incident's present clock."""
    same = and_(
        incident_alert.c.incident_id == incident.c.id,
        incident_alert.c.clock_starts_at == incident.c.clock_starts_at,
        incident_alert.c.due_at == incident.c.due_at,
    )
    kind = incident_alert.c.kind
    return (
        select(
            func.coalesce(func.bool_or(kind == AlertKind.WARNING), False).label("warned"),
            func.coalesce(func.bool_or(kind == AlertKind.OVERDUE), False).label("overdue"),
            func.coalesce(func.max(incident_alert.c.round), 0).label("round"),
        )
        .where(same, kind != AlertKind.RECOMPUTED)
        .lateral("told")
    )


def _seconds(number: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.make_interval(0, 0, 0, 0, 0, 0, number)


def _moment(told: Any, watch: WatchRule, rungs: Rungs, now: datetime) -> ColumnElement[Any]:
    """When the next word on a clock is due; null when all has been told."""
    due, began = incident.c.due_at, incident.c.clock_starts_at
    left = extract("epoch", due - began) * literal(watch.warn_share)
    by_place = {f"{state.value} {level or ''}": number for (state, level), number in rungs.items()}
    place = incident.c.state + " " + func.coalesce(incident.c.current_level, "")
    most = cast(cast(literal(by_place, JSONB)[place].astext, Text), Integer)
    later = (told.c.round + 1) * literal(watch.escalate_every.total_seconds())
    return case(
        (and_(~told.c.warned, ~told.c.overdue, due >= now), due - _seconds(left)),
        (~told.c.overdue, due),
        (told.c.round < most, due + _seconds(later)),
    )


_WATCHABLE = and_(
    incident.c.state.not_in(list(CLOSED)),
    incident.c.due_at.is_not(None),
    incident.c.clock_starts_at.is_not(None),
)


def waiting(conn: Connection, watch: WatchRule, rungs: Rungs, now: datetime, limit: int) -> list[int]:
    """Ids of incidents of whose clock something is to be told now, held against every step until the transaction ends.

    Those that somebody moves at this moment are left for the next look.
    """
    told = _told()
    query = (
        select(incident.c.id)
        .select_from(incident.join(told, true()))
        .where(_WATCHABLE, incident.c.state.in_({state for state, _ in rungs}))
        .where(_moment(told, watch, rungs, now) < now)
        .order_by(incident.c.due_at, incident.c.id)
        .limit(limit)
        .with_for_update(of=incident, skip_locked=True)
    )
    return list(conn.execute(query).scalars())


def next_moment(conn: Connection, watch: WatchRule, rungs: Rungs, now: datetime) -> datetime | None:
    """When something is to be told next; None while no clock runs."""
    told = _told()
    query = (
        select(func.min(_moment(told, watch, rungs, now)))
        .select_from(incident.join(told, true()))
        .where(_WATCHABLE, incident.c.state.in_({state for state, _ in rungs}))
    )
    found: datetime | None = conn.execute(query).scalar_one()
    return found


def add(conn: Connection, incident_id: int, alert: Alert) -> bool:
    """Keep a row; False, and nothing kept, if it was told before."""
    told = alert.told
    added = conn.execute(
        insert(incident_alert)
        .values(
            incident_id=incident_id,
            at=alert.at,
            kind=alert.kind,
            clock_starts_at=alert.clock_starts_at,
            due_at=alert.due_at,
            round=alert.round,
            old_due_at=alert.old_due_at,
            told_party=None if told is None else told.party,
            told_level=None if told is None else told.level,
            told_name=None if told is None else told.name,
            clause=alert.clause,
            trace=None if alert.trace is None else dict(alert.trace),
        )
        .on_conflict_do_nothing(index_elements=["incident_id", "kind", "clock_starts_at", "due_at", "round"])
        .returning(incident_alert.c.id)
    )
    return added.scalar_one_or_none() is not None


def of_incident(conn: Connection, incident_id: int) -> list[Alert]:
    """All that was told of an incident, in order."""
    query = (
        select(incident_alert)
        .where(incident_alert.c.incident_id == incident_id)
        .order_by(incident_alert.c.at, incident_alert.c.id)
    )
    return [_alert(row) for row in conn.execute(query)]


def _alert(row: Any) -> Alert:
    told = None
    if row.told_party is not None:
        level = None if row.told_level is None else AdminLevel(row.told_level)
        told = Told(Party(row.told_party), level, row.told_name)
    return Alert(
        AlertKind(row.kind),
        row.at,
        row.clock_starts_at,
        row.due_at,
        row.round,
        told,
        row.clause,
        row.trace,
        row.old_due_at,
    )


@dataclass(frozen=True, slots=True)
class Provisional:
    """An open incident whose deadline was counted without knowing every year; ``recounts`` were made before."""

    id: int
    trace: Mapping[str, object]
    recounts: int


def provisional(conn: Connection, after: int, limit: int) -> Sequence[Provisional]:
    """Open incidents with a provisional deadline, by id from behind ``after``."""
    clock = incident_event.c.trace["clock"]
    begun = (
        select(incident_event.c.trace.label("trace"))
        .where(incident_event.c.incident_id == incident.c.id, clock.is_not(None))
        .order_by(incident_event.c.id.desc())
        .limit(1)
        .lateral("begun")
    )
    same = and_(
        incident_alert.c.incident_id == incident.c.id,
        incident_alert.c.kind == AlertKind.RECOMPUTED,
        incident_alert.c.clock_starts_at == incident.c.clock_starts_at,
    )
    again = (
        select(incident_alert.c.trace.label("trace"), func.count().over().label("recounts"))
        .where(same)
        .order_by(incident_alert.c.id.desc())
        .limit(1)
        .lateral("again")
    )
    trace = func.coalesce(again.c.trace, begun.c.trace)
    query = (
        select(incident.c.id, trace, func.coalesce(again.c.recounts, 0))
        .select_from(incident.join(begun, true()).outerjoin(again, true()))
        .where(_WATCHABLE, incident.c.id > after)
        .where(cast(trace["clock"]["provisional"], JSONB) == text("'true'::jsonb"))
        .order_by(incident.c.id)
        .limit(limit)
    )
    return [Provisional(*row) for row in conn.execute(query)]


def set_due(conn: Connection, incident_id: int, due_at: datetime) -> None:
    """Keep a deadline that was counted again, of an incident that the caller has locked."""
    conn.execute(update(incident).where(incident.c.id == incident_id).values(due_at=due_at))
