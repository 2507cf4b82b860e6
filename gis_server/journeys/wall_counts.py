"""The counts of walls, told to their screens: counted once for all of them, soon after incidents and once a minute.

So a screen never asks for counts because of an event, and what an event costs does not depend on how many screens there are.
"""

import logging
from dataclasses import asdict, replace
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from time import monotonic

from gis_server.core.access import Tier
from gis_server.core.errors import Unavailable
from gis_server.core.stream import COUNTS, StreamEvent
from gis_server.core.wall import Wall
from gis_server.journeys.context import Context
from gis_server.journeys.events import Broadcaster
from gis_server.journeys.wall_scenes import day_start
from gis_server.store import events, incidents, wall_figures

log = logging.getLogger(__name__)

EVERY_S = 60.0
"""Also without incidents: what is overdue grows by itself, and hours pass."""

SETTLE_S = 1.0
"""After an incident, for those that come with it."""

GAP_S = 5.0
SHARE = 0.1
"""Between two counts while incidents keep coming: so long, and no more of the time is spent with counting."""

PATIENCE_S = 2.0
"""How long counts wait for the events that are in them."""


def count(ctx: Context, wall: Wall, now: datetime) -> tuple[StreamEvent, int | None]:
    """The counts of a wall, of one moment, and the position of the last event they hold.

    That is None while an event is committed that has no position yet.
    """
    begun = day_start(ctx, now)
    path = wall.territory.path
    with ctx.engine.connect().execution_options(isolation_level="REPEATABLE READ") as conn:
        position = events.last_position(conn) if events.is_all_numbered(conn) else None
        figures = incidents.figures(conn, path, since=begun, now=now)
        statistics = wall_figures.statistics(
            conn, path, ctx.catalogue.layers.get("camera"), today=begun.date(), day_start=begun, now=now
        )
    payload = {
        "wall_id": wall.id,
        "position": position,
        "figures": asdict(figures),
        "statistics": statistics.as_json(),
    }
    return StreamEvent(0, COUNTS, now, Tier.HALL, (), payload), position


class WallCounts:
    """The process's one counter of the walls that the readers of its stream show. Starts with the first of them."""

    def __init__(self, ctx: Context, broadcaster: Broadcaster) -> None:
        self._ctx = ctx
        self._broadcaster = broadcaster
        self._lock = Lock()
        self._thread: Thread | None = None
        self._stopping = Event()

    def start(self) -> None:
        """Count from now on; twice does no harm."""
        with self._lock:
            if self._thread is None:
                self._thread = Thread(target=self._run, name="wall-counts", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """Count no more."""
        self._stopping.set()
        self._broadcaster.changed.set()

    def _run(self) -> None:
        changed = self._broadcaster.changed
        while not self._stopping.is_set():
            if changed.wait(EVERY_S):
                self._stopping.wait(SETTLE_S)
            changed.clear()
            begun = monotonic()
            try:
                self._tell()
            except Unavailable as error:  # the screens see by the heartbeat that the database is away
                log.warning("counts of walls: %s, trying again", error.__cause__ or error)
                changed.set()
            except Exception:  # a thread that dies would leave every panel still
                log.exception("counts of walls: stumbled, going on")
            self._stopping.wait(max(GAP_S, (monotonic() - begun) / SHARE))

    def _tell(self) -> None:
        for wall in self._broadcaster.walls().values():
            if self._stopping.is_set():
                return
            told, position = count(self._ctx, wall, datetime.now(UTC))
            if not self._broadcaster.has_handed_out(position or 0, PATIENCE_S):
                told = replace(told, payload={**told.payload, "position": None})
            self._broadcaster.tell(wall.id, told)
