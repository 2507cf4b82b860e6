"""The live stream: nothing missed, nothing doubled, whatever commits when and whoever falls over."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection, Engine, text

from gis_server.core.access import CONSOLE, Actor, Role, Territory, Tier
from gis_server.core.errors import Unavailable
from gis_server.core.message import msg
from gis_server.core.stream import GENERATION, INCIDENT, StreamEvent
from gis_server.journeys.events import (
    Broadcaster,
    Fallen,
    Subscription,
    follow,
    forget_old,
    wake_followers,
)
from gis_server.store import events
from gis_server.store.engine import make_engine

BACKLOG = 1_000


@pytest.fixture
def broadcaster(engine: Engine) -> Iterator[Broadcaster]:
    broadcaster = Broadcaster(engine)
    yield broadcaster
    broadcaster.stop()


def test_the_first_reader_is_told_that_what_it_has_is_fresh(
    broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long ago the server was started that nobody asked for the stream since."""
    monkeypatch.setattr(broadcaster, "_looked", time.monotonic() - 600)
    monkeypatch.setattr(broadcaster, "_hand_out", lambda: None)
    broadcaster.subscribe()
    assert broadcaster.age_s < 60


def emit(
    engine: Engine,
    name: object,
    path: tuple[str, ...] = (),
    tier: Tier = Tier.HALL,
    kind: str = INCIDENT,
) -> None:
    with engine.begin() as conn:
        events.emit(conn, kind, tier=tier, area_path=path, payload={"name": name})


def take(subscription: Subscription, number: int, seconds: float = 10.0) -> list[StreamEvent]:
    """At least the next ``number`` events, replayed ones first."""
    found = [event for batch in subscription.replay() for event in batch.events]
    end = time.monotonic() + seconds
    while len(found) < number and time.monotonic() < end:
        batch = subscription.next(0.2)
        found += [] if batch is None else batch.events
    return found


def names(found: Sequence[StreamEvent]) -> list[object]:
    return [event.payload["name"] for event in found]


def test_an_event_arrives_within_a_second_of_its_commit(engine: Engine, broadcaster: Broadcaster) -> None:
    with broadcaster.subscribe() as reader:
        emit(engine, "first")
        start = time.monotonic()
        assert names(take(reader, 1)) == ["first"]
        assert time.monotonic() - start < 1.0


def test_a_reader_from_now_does_not_get_the_past_and_one_with_a_position_does(
    engine: Engine, broadcaster: Broadcaster
) -> None:
    for number in range(5):
        emit(engine, number)
    with broadcaster.subscribe(0) as early:
        assert [event.position for event in take(early, 5)] == [1, 2, 3, 4, 5]
    with broadcaster.subscribe() as late, broadcaster.subscribe(3) as middle:
        emit(engine, "new")
        assert names(take(late, 1)) == ["new"]
        assert names(take(middle, 3)) == [3, 4, "new"]


def test_transactions_that_commit_out_of_order_are_neither_missed_nor_doubled(
    engine: Engine, broadcaster: Broadcaster
) -> None:
    with broadcaster.subscribe() as reader:
        slow, quick = engine.connect(), engine.connect()
        with closing(slow), closing(quick):
            events.emit(slow, INCIDENT, tier=Tier.HALL, payload={"name": "slow"})  # draws the lower id
            events.emit(quick, INCIDENT, tier=Tier.HALL, payload={"name": "quick"})
            quick.commit()
            assert names(take(reader, 1)) == ["quick"]
            slow.commit()
            assert names(take(reader, 1)) == ["slow"]
    with broadcaster.subscribe(1) as again:
        assert names(take(again, 1)) == ["slow"]


def test_a_rollback_leaves_no_hole(engine: Engine, broadcaster: Broadcaster) -> None:
    with broadcaster.subscribe() as reader:
        emit(engine, "a")
        with engine.connect() as conn:
            events.emit(conn, INCIDENT, tier=Tier.HALL, payload={"name": "never"})
            conn.rollback()
        emit(engine, "b")
        assert [(e.position, e.payload["name"]) for e in take(reader, 2)] == [(1, "a"), (2, "b")]


def test_readers_of_two_processes_that_come_and_go_see_every_event_once_in_one_order(
    engine: Engine, broadcaster: Broadcaster
) -> None:
    """Eight writers with pauses before their commits; two followers; readers that leave and come back by position."""
    other = Broadcaster(engine)
    writers, each = 8, 25
    seen: dict[str, list[int]] = {"steady": [], "hopping": []}
    finished = threading.Event()

    def write(writer: int) -> None:
        rng = random.Random(writer)
        for number in range(each):
            with engine.begin() as conn:
                events.emit(conn, INCIDENT, tier=Tier.HALL, payload={"name": writer * each + number})
                time.sleep(rng.random() * 0.01)

    def read_steadily() -> None:
        with broadcaster.subscribe(0) as reader:
            while len(seen["steady"]) < writers * each and not finished.is_set():
                seen["steady"] += [event.position for event in take(reader, 1, 0.5)]

    def read_hopping() -> None:
        position = 0
        for turn in range(10_000):
            with (broadcaster, other)[turn % 2].subscribe(position) as reader:
                for event in take(reader, 3, 0.2):
                    seen["hopping"].append(event.position)
                    position = event.position
            if len(seen["hopping"]) >= writers * each or finished.is_set():
                return

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    threads += [threading.Thread(target=read_steadily), threading.Thread(target=read_hopping)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0.1))
    finished.set()
    other.stop()
    everything = list(range(1, writers * each + 1))
    assert seen == {"steady": everything, "hopping": everything}
    with engine.connect() as conn:
        written = names(events.read_after(conn, 0, 10_000))
    assert sorted(written, key=int) == list(range(writers * each))


def test_a_reader_that_does_not_take_its_events_is_dropped_and_can_come_again(
    engine: Engine, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gis_server.journeys.events.BACKLOG", BACKLOG)
    with broadcaster.subscribe() as slow, broadcaster.subscribe() as quick:
        for some in (BACKLOG - 10, 20):  # the quick one has taken the first before the others come
            with engine.begin() as conn:
                for number in range(some):
                    events.emit(conn, INCIDENT, tier=Tier.HALL, payload={"name": number})
            assert len(take(quick, some, 60.0)) == some
        end = time.monotonic() + 10
        while broadcaster.readers > 1 and time.monotonic() < end:
            time.sleep(0.01)
        with pytest.raises(Fallen):
            slow.next(0.1)
    with broadcaster.subscribe(0) as again:
        assert len(take(again, BACKLOG + 10)) == BACKLOG + 10


def test_after_the_database_cut_every_connection_the_stream_goes_on(
    engine: Engine, broadcaster: Broadcaster
) -> None:
    with broadcaster.subscribe() as reader:
        emit(engine, "before")
        assert names(take(reader, 1)) == ["before"]
        with engine.begin() as conn:
            conn.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            )
        emit(engine, "after")
        assert names(take(reader, 1)) == ["after"]


def test_a_reader_with_a_position_that_never_was_is_told_to_start_afresh(
    engine: Engine, broadcaster: Broadcaster
) -> None:
    emit(engine, "only")
    with broadcaster.subscribe(1) as reader:
        assert not reader.reset
    with broadcaster.subscribe(900) as reader:
        assert reader.reset
        emit(engine, "next")
        assert names(take(reader, 1)) == ["next"]


def test_a_database_that_is_replaced_under_open_connections_starts_everybody_afresh(
    engine: Engine, broadcaster: Broadcaster
) -> None:
    with broadcaster.subscribe() as reader:
        for number in range(3):
            emit(engine, number)
        assert len(take(reader, 3)) == 3
        with engine.begin() as conn:  # as a backup from before leaves it
            conn.execute(text("DELETE FROM event WHERE position > 1"))
        with pytest.raises(Fallen):
            reader.next(20.0)
    with broadcaster.subscribe(3) as again:
        assert again.reset
        emit(engine, "next")
        assert names(take(again, 1)) == ["next"]


def test_old_events_are_forgotten_and_who_was_away_longer_starts_afresh(
    engine: Engine, broadcaster: Broadcaster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gis_server.journeys.events.KEPT_AT_LEAST", 3)
    monkeypatch.setattr("gis_server.store.events.FORGOTTEN_AT_ONCE", 2)
    now = datetime.now(UTC)
    for number in range(10):
        emit(engine, number)
    with broadcaster.subscribe(0) as reader:
        assert len(take(reader, 10)) == 10
    with engine.begin() as conn:
        # one in the middle is new: what follows it stays, so that no hole is left; so do the last three, however old
        conn.execute(text("UPDATE event SET at = :old WHERE position <> 6"), {"old": now - timedelta(days=8)})
    assert forget_old(engine, now) == 5
    with broadcaster.subscribe(5) as near:
        assert not near.reset
        assert [event.position for event in take(near, 5)] == [6, 7, 8, 9, 10]
    for position in (0, 4):
        with broadcaster.subscribe(position) as away:
            assert away.reset
            assert away.position == 10
    with engine.begin() as conn:
        conn.execute(text("UPDATE event SET at = :old"), {"old": now - timedelta(days=8)})
    assert forget_old(engine, now) == 2
    emit(engine, "next")
    with broadcaster.subscribe(7) as near:
        assert [event.position for event in take(near, 4)] == [8, 9, 10, 11]


def test_a_reader_whose_past_goes_while_it_comes_must_come_again(
    engine: Engine, broadcaster: Broadcaster
) -> None:
    for number in range(3):
        emit(engine, number)
    with broadcaster.subscribe(0) as first:
        take(first, 3)
    with broadcaster.subscribe(0) as reader:
        with engine.begin() as conn:
            conn.execute(text("DELETE FROM event WHERE position = 1"))
        with pytest.raises(Fallen):
            list(reader.replay())


def test_without_a_database_a_new_reader_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gis_server.journeys.events.PATIENCE_S", 0.3)
    broadcaster = Broadcaster(make_engine("postgresql:///nowhere?host=/nonexistent"))
    with pytest.raises(Unavailable):
        broadcaster.subscribe()
    broadcaster.stop()


def test_everybody_sees_their_territory_and_tier_only(engine: Engine, broadcaster: Broadcaster) -> None:
    town = Actor(1, "town", Role.OPERATOR, Territory(("c", "t1")))
    hall = Actor(None, "hall", Role.DISPLAY, Territory(), Tier.HALL)
    subscriptions = {actor.name: broadcaster.subscribe(0) for actor in (town, hall, CONSOLE)}
    emit(engine, "everybody", kind=GENERATION)
    emit(engine, "in no area")
    emit(engine, "here", ("c", "t1", "k1"))
    emit(engine, "there", ("c", "t2", "k9"))
    emit(engine, "inside only", ("c", "t1"), Tier.INTERNAL)
    found: dict[str, list[object]] = {}
    for actor in (town, hall, CONSOLE):
        stream = follow(
            subscriptions[actor.name], actor, heartbeat_s=0.5, recheck_s=60, still_allowed=lambda: True
        )
        found[actor.name] = []
        beats = 0
        for page in stream:
            if page is None:
                beats += 1
                if beats == 3:
                    break
            else:
                found[actor.name] += names(page.events)
        stream.close()
    assert found == {
        "town": ["everybody", "here", "inside only"],
        "hall": ["everybody", "in no area", "here", "there"],
        "console": ["everybody", "in no area", "here", "there", "inside only"],
    }
    assert broadcaster.readers == 0


def test_heartbeats_come_also_while_others_events_rush_by_and_a_revoked_session_ends(
    engine: Engine, broadcaster: Broadcaster
) -> None:
    town = Actor(1, "town", Role.OPERATOR, Territory(("c", "t1")))
    allowed = threading.Event()
    allowed.set()
    stream = follow(
        broadcaster.subscribe(), town, heartbeat_s=0.2, recheck_s=0.3, still_allowed=allowed.is_set
    )
    over = threading.Event()

    def elsewhere() -> None:
        while not over.is_set():
            emit(engine, "elsewhere", ("c", "t2"))
            time.sleep(0.02)

    rush = threading.Thread(target=elsewhere)
    rush.start()
    try:
        assert [next(stream) for _ in range(4)] == [None] * 4
        allowed.clear()
        start = time.monotonic()
        assert set(stream) <= {None}
        assert time.monotonic() - start < 2.0
    finally:
        over.set()
        rush.join()
    assert broadcaster.readers == 0


def test_stopping_sends_every_reader_away(broadcaster: Broadcaster) -> None:
    reader = broadcaster.subscribe()
    broadcaster.stop()
    with pytest.raises(Fallen):
        reader.next(5)


def test_what_wakes_the_followers_survives_its_own_mistakes(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    woken = threading.Event()

    def stumble(_: Connection) -> None:
        monkeypatch.setattr(events, "wake", lambda _: woken.set())
        raise RuntimeError

    monkeypatch.setattr(events, "wake", stumble)
    wake_followers(engine)
    end = time.monotonic() + 5.0
    while not woken.is_set() and time.monotonic() < end:
        time.sleep(0.05)
        wake_followers(engine)
    assert woken.is_set()


def test_a_reader_whose_past_cannot_be_read_now_is_sent_to_come_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable(msg("x"))

    monkeypatch.setattr(events, "read_after", away)
    late = Subscription(Broadcaster(engine), 0, 1, reset=False, wall=None)
    assert list(follow(late, CONSOLE, heartbeat_s=60, recheck_s=60, still_allowed=lambda: True)) == []
