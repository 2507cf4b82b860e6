"""The live stream: one thread per process follows the database, any number of readers follow the thread.

An event costs one query per process, not one per reader, and is written out once for all readers who may see the same.
What a reader missed before it came (``Last-Event-ID``) is read from the database once, up to where the thread stands;
everything later comes from memory. So nothing is missed and nothing comes twice.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Condition, Event, Lock, Thread
from time import monotonic, sleep
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from gis_server.core.access import Actor
from gis_server.core.errors import Unavailable
from gis_server.core.message import msg
from gis_server.core.stream import INCIDENT, StreamEvent
from gis_server.core.wall import Wall
from gis_server.store import events

log = logging.getLogger(__name__)

SWEEP_S = 2.0
"""How often rows are looked for without a notice, which can be lost with its connection."""

RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Pauses between attempts to reach a database that does not answer; the last one repeats."""

PACE_S = 0.1
"""Between two looks at the stream: in a busy hour what was committed meanwhile is numbered and handed out together."""

WAKE_S = 0.1
"""After one waking of the followers the next waits so long: what is committed meanwhile wakes them together."""

PAGE = 500
BACKLOG = 10_000
"""Events kept for a reader that does not take them; then it is dropped and has to come again. All readers share them."""

KEPT = timedelta(days=7)
KEPT_AT_LEAST = 10_000
"""How long an event can be asked for again, and how many there are at least; a screen that was away longer starts afresh."""

PATIENCE_S = 10.0
"""How long a new reader waits for a database that does not answer."""


class _Waker:
    """Wakes the followers of one database, once for all that was committed close together."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._is_due = self._is_at_work = False

    def ask(self, engine: Engine) -> None:
        with self._lock:
            self._is_due = True
            if self._is_at_work:
                return
            self._is_at_work = True
        Thread(target=self._run, args=(engine,), name="waker", daemon=True).start()

    def _run(self, engine: Engine) -> None:
        while True:
            with self._lock:
                self._is_at_work = self._is_due
                self._is_due = False
                if not self._is_at_work:
                    return
            # whoever is not woken looks for itself every SWEEP_S
            try:
                with suppress(Unavailable), engine.begin() as conn:
                    events.wake(conn)
            except Exception:  # a thread that dies at work would never be begun again
                log.exception("live stream: followers not woken, going on")
            sleep(WAKE_S)


_wakers: WeakKeyDictionary[Engine, _Waker] = WeakKeyDictionary()
_wakers_lock = Lock()


def wake_followers(engine: Engine) -> None:
    """Tell the followers of the stream, soon and once for many, that events written without a notice are committed."""
    with _wakers_lock:
        waker = _wakers.setdefault(engine, _Waker())
    waker.ask(engine)


class Fallen(Exception):
    """The reader was too slow, or the server is stopping: come again with the last position."""


class Page:
    """Events that go out together. Readers of one tier and territory get the same page, so that it is written out once."""

    __slots__ = ("events", "text")

    def __init__(self, events: Sequence[StreamEvent]) -> None:
        self.events = events
        self.text: bytes | None = None
        """What a door made of it, for the next reader."""


class Batch:
    """Events as they were handed out, up to ``position``."""

    __slots__ = ("_pages", "events", "position")

    def __init__(self, events: Sequence[StreamEvent], position: int) -> None:
        self.events = events
        self.position = position
        self._pages: dict[object, Page] = {}

    def seen_by(self, actor: Actor) -> Page | None:
        """What of it an actor may see; None if that is nothing."""
        sight = (actor.tier, actor.territory)
        page = self._pages.get(sight)
        if page is None:
            page = self._pages.setdefault(sight, Page([e for e in self.events if e.visible_to(actor)]))
        return page if page.events else None


class Subscription:
    """One reader's place in the stream: iterate ``replay`` first, then call ``next`` for ever."""

    def __init__(
        self, broadcaster: "Broadcaster", after: int, upto: int, *, reset: bool, wall: Wall | None
    ) -> None:
        self._broadcaster = broadcaster
        # simple: made for one thread that puts and one that takes, without a lock of Python's own
        self._queue: SimpleQueue[Batch | None] = SimpleQueue()
        self._offered = self._taken = 0
        self._after = after
        self.position = after
        """Up to here this reader has been given everything it may see."""
        self._upto = upto
        self._fallen = Event()
        self.reset = reset
        """What the reader knows is of no use (a restored database, or events that are no longer kept): it must start afresh."""
        self.wall = wall
        """The wall that the reader shows; it is told that wall's counts, too."""

    def replay(self) -> Iterator[Batch]:
        """What was missed: events after the reader's position that were already out when it came. Once.

        Raises Fallen where they are no longer kept.
        """
        while self.position < self._upto:
            with self._broadcaster.engine.connect() as conn:
                page = events.read_after(conn, self.position, PAGE, self._upto)
            if not page:
                return
            if page[0].position > self.position + 1:
                raise Fallen
            self.position = page[-1].position
            yield Batch(page, self.position)

    def next(self, seconds: float) -> Batch | None:
        """The next events; None after ``seconds`` without any. Raises Fallen when the reader must come again."""
        try:
            found = self._queue.get(timeout=seconds)
        except Empty:
            found = None
        if self._fallen.is_set():
            raise Fallen
        if found is not None:
            self._taken += len(found.events)
            self.position = max(self.position, found.position)
        return found

    def offer(self, found: Batch) -> bool:
        """Hand over events; False if the reader is too far behind."""
        if found.position and found.events[0].position <= self._after:  # it read ahead of this process
            news = [event for event in found.events if event.position > self._after]
            if not news:
                return True
            found = Batch(news, found.position)
        if self._offered - self._taken + len(found.events) > BACKLOG:
            return False
        self._offered += len(found.events)
        self._queue.put(found)
        return True

    def drop(self) -> None:
        """Make the reader's next call raise Fallen, also if it is waiting now."""
        self._fallen.set()
        self._queue.put(None)

    def close(self) -> None:
        """Leave the stream."""
        self._broadcaster.leave(self)

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Broadcaster:
    """The process's one follower of the stream. Starts with its first reader."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._state = Condition()
        self._position: int | None = None
        self._readers: set[Subscription] = set()
        self._thread: Thread | None = None
        self._stopping = Event()
        self._failures = 0
        self._looked = monotonic()
        self.changed = Event()
        """Set whenever an incident was handed out, and at the end; whoever counts incidents clears it."""

    @property
    def age_s(self) -> float:
        """How long ago it knew for certain that it had handed out everything: seconds, while the database answers."""
        return monotonic() - self._looked

    @property
    def readers(self) -> int:
        """How many readers follow it now."""
        return len(self._readers)

    @property
    def position(self) -> int:
        """Up to where it has handed out; 0 before it started."""
        return self._position or 0

    def subscribe(self, after: int | None = None, wall: Wall | None = None) -> Subscription:
        """Follow the stream from now, or from behind position ``after``; Unavailable if the database does not answer."""
        with self._state:
            if self._thread is None and not self._stopping.is_set():
                self._thread = Thread(target=self._run, name="broadcaster", daemon=True)
                self._thread.start()
            self._state.wait_for(lambda: self._position is not None, timeout=PATIENCE_S)
        reset = after is not None and self._position is not None and self._is_useless(after, self._position)
        with self._state:
            if self._position is None or self._stopping.is_set():
                raise Unavailable(msg("数据库暂时没有应答，请稍后再试。"))
            start = self._position if after is None or reset else after
            subscription = Subscription(self, start, self._position, reset=reset, wall=wall)
            self._readers.add(subscription)
            return subscription

    def _is_useless(self, after: int, position: int) -> bool:
        """Whether what follows ``after`` cannot be told, by a process that stands at ``position``."""
        if after == position:
            return False
        with self.engine.connect() as conn:
            if after < position:
                return events.first_position(conn) > after + 1
            # it was read from another process, or from a database since replaced
            return after > events.last_position(conn)

    def leave(self, subscription: Subscription) -> None:
        """Forget a reader; twice does no harm."""
        with self._state:
            self._readers.discard(subscription)

    def stop(self, *, wait: bool = True) -> None:
        """Send every reader away and end the thread, which may listen for ``SWEEP_S`` more; ``wait`` for that, or not."""
        self._stopping.set()
        self.changed.set()
        with self._state:
            self._drop(self._readers)
            self._state.notify_all()
        if wait and self._thread is not None:
            self._thread.join(timeout=SWEEP_S + 1)

    def walls(self) -> dict[str, Wall]:
        """The walls that readers show now, by id."""
        with self._state:
            return {reader.wall.id: reader.wall for reader in self._readers if reader.wall is not None}

    def has_handed_out(self, position: int, seconds: float) -> bool:
        """Wait until all up to ``position`` is handed out, at most so long; whether it is."""
        with self._state:
            return self._state.wait_for(lambda: self.position >= position, timeout=seconds)

    def tell(self, wall_id: str, told: StreamEvent) -> None:
        """Tell the screens of a wall what is not in the stream and not told again (its position is 0)."""
        batch = Batch([told], 0)
        with self._state:
            readers = {
                reader for reader in self._readers if reader.wall is not None and reader.wall.id == wall_id
            }
            self._offer(readers, batch)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with events.listening(self.engine) as listener:
                    self._follow(listener)
            except Unavailable as error:
                if self._failures == 0:
                    log.warning("live stream: %s, trying again", error.__cause__ or error)
            except Exception:  # a thread that dies would leave every wall still, and nobody told
                log.exception("live stream: stumbled, going on")
            self._stopping.wait(RETRY_S[min(self._failures, len(RETRY_S) - 1)])
            self._failures += 1

    def _follow(self, listener: events.Listener) -> None:
        self._number()
        self._join()
        self._failures = 0
        while not self._stopping.is_set():
            self._hand_out()
            looked = monotonic()
            heard = listener.wait(SWEEP_S)
            self._stopping.wait(max(looked + PACE_S - monotonic(), 0.0))
            if events.WRITTEN in heard or not heard:
                self._number()

    def _number(self) -> None:
        with self.engine.begin() as conn:
            events.sequence(conn)

    def _join(self) -> None:
        with self.engine.connect() as conn:
            last = events.last_position(conn)
        with self._state:
            if self._position is None:
                self._position = last
                self._looked = monotonic()  # before whoever waits is told how fresh that is
            elif last < self._position:  # another database, restored from a backup: nobody's position holds
                self._position = last
                self._drop(self._readers)
            self._state.notify_all()

    def _hand_out(self) -> None:
        found_any = False
        while True:
            with self.engine.connect() as conn:
                page = events.read_after(conn, self.position, PAGE)
            if not page:
                break
            found_any = True
            batch = Batch(page, page[-1].position)
            with self._state:
                self._position = batch.position
                self._offer(self._readers, batch)
                self._state.notify_all()
            if any(found.kind == INCIDENT for found in page):
                self.changed.set()
        if not found_any:
            self._join()  # nothing new, or a database that was replaced under open connections
        self._looked = monotonic()

    def _offer(self, readers: Iterable["Subscription"], batch: Batch) -> None:
        self._drop({reader for reader in readers if not reader.offer(batch)})

    def _drop(self, readers: set["Subscription"]) -> None:
        self._readers = self._readers - readers
        for reader in readers:
            reader.drop()


def follow(
    subscription: Subscription,
    actor: Actor,
    *,
    heartbeat_s: float,
    recheck_s: float,
    still_allowed: Callable[[], bool],
) -> Iterator[Page | None]:
    """What an actor may see of the stream, in order; None every ``heartbeat_s``, whatever else comes.

    Ends when the reader must come again (also where what it missed cannot be read now), and within ``recheck_s`` (plus a
    heartbeat) after its session ended.
    """
    with subscription, suppress(Fallen, Unavailable):
        for missed in subscription.replay():
            if page := missed.seen_by(actor):
                yield page
        next_beat = monotonic()  # at once, so that the reader knows that it is connected
        next_check = monotonic() + recheck_s
        while True:
            if (now := monotonic()) >= next_beat:
                next_beat = now + heartbeat_s
                yield None
            if now >= next_check:
                next_check = now + recheck_s
                with suppress(Unavailable):  # while nobody can tell, the stream goes on with what it has
                    if not still_allowed():
                        return
            found = subscription.next(max(next_beat - monotonic(), 0.0))
            if found is not None and (page := found.seen_by(actor)):
                yield page


def forget_old(engine: Engine, now: datetime) -> int:
    """Remove what nobody needs to be told again; how many events that were."""
    removed = 0
    while True:
        with engine.begin() as conn:
            step = events.forget(conn, before=now - KEPT, at_least=KEPT_AT_LEAST)
        removed += step
        if step < events.FORGOTTEN_AT_ONCE:
            return removed
