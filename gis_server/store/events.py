"""The outbox of the live stream: written with the thing that happened, numbered after commit, followed by number.

Identity values are drawn before commit, so a reader that follows them can pass one that commits later, and lose it. Therefore ``position`` is
given afterwards, by whichever server process holds the lock: 1, 2, 3 … over committed rows only. Whoever has read up
to a position has read everything up to it, for ever.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import psycopg
from sqlalchemy import Connection, Engine, delete, exists, func, insert, select, text

from gis_server.core.access import Tier
from gis_server.core.errors import Unavailable
from gis_server.core.message import msg
from gis_server.core.stream import StreamEvent
from gis_server.store.schema import event

WRITTEN = "gis_event"
"""Channel: a row was committed and waits for its position."""

NUMBERED = "gis_stream"
"""Channel: positions were given, there is something to read."""

# one number for "somebody gives positions"; any constant will do that no other program uses on this database
_SEQUENCER_LOCK = 7_424_491


@dataclass(frozen=True, slots=True)
class Announcement:
    """An event to be written: what, who may know, where (codes of the areas, county first), and what is told."""

    kind: str
    tier: Tier
    area_path: Sequence[str]
    payload: Mapping[str, object]

    def columns(self) -> dict[str, object]:
        """Its columns in the outbox."""
        return {
            "kind": self.kind,
            "tier": self.tier.key,
            "area_path": list(self.area_path),
            "payload": dict(self.payload),
        }


def emit(
    conn: Connection,
    kind: str,
    *,
    tier: Tier,
    area_path: Sequence[str] = (),
    payload: Mapping[str, object],
) -> None:
    """Write an event in the caller's transaction; followers hear of it when that commits."""
    write(conn, Announcement(kind, tier, area_path, payload))
    conn.execute(select(func.pg_notify(WRITTEN, "")))


def write(conn: Connection, announcement: Announcement) -> None:
    """Write an event in the caller's transaction without a notice, which is for after the commit (``wake``).

    A transaction with a notice in it holds one lock of the whole database through its commit: no two of them share a flush to
    disk. A notice may be lost, the row is not: followers look for rows without being told, too.
    """
    conn.execute(insert(event).values(announcement.columns()))


def wake(conn: Connection) -> None:
    """Tell the followers that committed rows wait for their positions."""
    conn.execute(select(func.pg_notify(WRITTEN, "")))


def sequence(conn: Connection) -> int:
    """Give positions to the committed rows that wait for one; returns how many. The caller commits."""
    waiting = text("SELECT EXISTS (SELECT FROM event WHERE position IS NULL)")
    if not conn.execute(waiting).scalar_one():
        return 0  # a row committed after this look brings its own NOTIFY
    # a statement of its own: the UPDATE must see what the last holder of the lock committed
    conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _SEQUENCER_LOCK})
    numbered = conn.execute(
        text(
            """
            WITH last AS (SELECT coalesce(max(position), 0) AS position FROM event),
                 waiting AS (SELECT id, row_number() OVER (ORDER BY id) AS place FROM event WHERE position IS NULL)
            UPDATE event SET position = last.position + waiting.place
              FROM waiting, last WHERE event.id = waiting.id
            """
        )
    ).rowcount
    if numbered:
        conn.execute(select(func.pg_notify(NUMBERED, "")))
    return numbered


def last_position(conn: Connection) -> int:
    """The highest position given; 0 on an empty stream."""
    return int(conn.execute(select(func.coalesce(func.max(event.c.position), 0))).scalar_one())


def first_position(conn: Connection) -> int:
    """The lowest position that is still kept; 0 on an empty stream."""
    return int(conn.execute(select(func.coalesce(func.min(event.c.position), 0))).scalar_one())


def is_all_numbered(conn: Connection) -> bool:
    """Whether every committed row has its position, so that ``last_position`` is the place of what is seen now."""
    return not conn.execute(select(exists().where(event.c.position.is_(None)))).scalar_one()


FORGOTTEN_AT_ONCE = 5_000


def forget(conn: Connection, *, before: datetime, at_least: int) -> int:
    """Remove the oldest rows written before ``before``, never of the last ``at_least``; at most ``FORGOTTEN_AT_ONCE``.

    The positions that remain follow each other without a gap.
    """
    kept = select(func.max(event.c.position) - at_least).scalar_subquery()
    # only what is older than all that is kept: a clock that was set back must not leave a hole
    first_kept = select(func.min(event.c.position)).where(event.c.at >= before).scalar_subquery()
    oldest = (
        select(event.c.id)
        .where(event.c.position <= kept, event.c.position < func.coalesce(first_kept, kept + 1))
        .order_by(event.c.position)
        .limit(FORGOTTEN_AT_ONCE)
    )
    return conn.execute(delete(event).where(event.c.id.in_(oldest))).rowcount


def read_after(conn: Connection, after: int, limit: int, upto: int | None = None) -> list[StreamEvent]:
    """Events with ``after < position`` (``<= upto``), in order, at most ``limit``."""
    query = (
        select(event.c.position, event.c.kind, event.c.at, event.c.tier, event.c.area_path, event.c.payload)
        .where(event.c.position > after)
        .order_by(event.c.position)
        .limit(limit)
    )
    if upto is not None:
        query = query.where(event.c.position <= upto)
    return [
        StreamEvent(row.position, row.kind, row.at, Tier[row.tier.upper()], tuple(row.area_path), row.payload)
        for row in conn.execute(query)
    ]


class Listener:
    """A connection of its own that hears both channels."""

    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        self._connection = connection

    def wait(self, seconds: float) -> frozenset[str]:
        """The channels heard, as soon as one is; none after ``seconds``. Raises Unavailable when cut off."""
        try:
            heard = {notice.channel for notice in self._connection.notifies(timeout=seconds, stop_after=1)}
        except psycopg.OperationalError as error:
            raise Unavailable(msg("与数据库的连接中断。")) from error
        return frozenset(heard)


@contextmanager
def listening(engine: Engine) -> Iterator[Listener]:
    """LISTEN on a connection outside the pool, for as long as the block lasts."""
    connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        raw = connection.connection.driver_connection
        connection.detach()
        assert isinstance(raw, psycopg.Connection)  # noqa: S101  (the engine's driver is psycopg)
        connection.execute(text(f"LISTEN {WRITTEN}"))
        connection.execute(text(f"LISTEN {NUMBERED}"))
        yield Listener(raw)
    finally:
        connection.close()
