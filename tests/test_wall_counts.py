"""The counts of a wall on the live stream: counted once for all its screens, soon after incidents, never asked for."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from city import inside

from gis_server.core.access import CONSOLE, Actor, Role, Territory, Tier
from gis_server.core.incident import IncidentReport, Source
from gis_server.core.stream import COUNTS, StreamEvent
from gis_server.core.wall import CITY
from gis_server.journeys import incidents, walls
from gis_server.journeys.context import Context
from gis_server.journeys.events import Broadcaster, Subscription
from gis_server.journeys.wall_counts import WallCounts, count

HALL = Actor(None, "hall", Role.DISPLAY, Territory(), Tier.HALL, CITY)


@pytest.fixture
def broadcaster(city_ctx: Context) -> Iterator[Broadcaster]:
    broadcaster = Broadcaster(city_ctx.engine)
    yield broadcaster
    broadcaster.stop()


def report(ctx: Context, number: int) -> None:
    given = IncidentReport(**inside(number % 8), description="井盖缺失", source=Source.PATROL)
    incidents.report(ctx, CONSOLE, given, datetime.now(UTC))


def told(reader: Subscription, seconds: float = 10.0) -> list[StreamEvent]:
    """What comes until counts do."""
    found: list[StreamEvent] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end and not (found and found[-1].kind == COUNTS):
        batch = reader.next(0.2)
        found += [] if batch is None else batch.events
    return found


def test_the_screens_of_a_wall_are_told_its_counts_after_incidents(
    city_ctx: Context, broadcaster: Broadcaster
) -> None:
    wall = walls.open_wall(city_ctx, HALL, CITY, datetime.now(UTC))
    counts = WallCounts(city_ctx, broadcaster)
    with (
        broadcaster.subscribe(wall=wall) as one,
        broadcaster.subscribe(wall=wall) as two,
        broadcaster.subscribe() as desk,
    ):
        counts.start()
        for number in range(3):
            report(city_ctx, number)
        for screen in (one, two):
            *events, last = told(screen)
            assert [event.kind for event in events] == ["incident"] * 3
            assert last.payload["position"] == events[-1].position == screen.position
            assert last.payload["figures"]["open"] == 3
            assert sum(grid["open"] for grid in last.payload["statistics"]["grids"]) == 3
            # what the hall may read, and no place of its own in the stream
            assert (last.position, last.tier) == (0, Tier.HALL)
            assert "井盖" not in str(last.payload)
        assert {event.kind for event in told(desk, 0.5)} == {"incident"}
    counts.stop()


def test_counts_hold_no_position_while_an_event_has_none(city_ctx: Context, broadcaster: Broadcaster) -> None:
    wall = walls.open_wall(city_ctx, HALL, CITY, datetime.now(UTC))
    report(city_ctx, 0)  # nobody follows the stream, so nobody numbers it
    event, position = count(city_ctx, wall, datetime.now(UTC))
    assert position is event.payload["position"] is None
    assert event.payload["figures"]["open"] == 1
    with broadcaster.subscribe() as reader:
        assert count(city_ctx, wall, datetime.now(UTC))[1] == reader.position > 0
