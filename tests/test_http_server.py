"""The real server: many reports at once, live streams of several screens, streams that are cut."""

import http.client
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from city import inside
from servers import RunningServer, running
from sqlalchemy import text

from gis_server.core.access import CONSOLE
from gis_server.journeys.accounts import make_token
from gis_server.journeys.context import Context


@pytest.fixture
def served(city_ctx: Context) -> Iterator[RunningServer]:
    environ = {
        "GIS_DATABASE_URL": city_ctx.engine.url.render_as_string(hide_password=False),
        "GIS_VAR": str(city_ctx.settings.var),
    }
    with running("serve", **environ) as server:
        yield server


@pytest.fixture
def token(city_ctx: Context) -> str:
    return make_token(city_ctx, CONSOLE, "operator", timedelta(days=1), datetime.now(UTC))


def send(server: RunningServer, token: str, number: int) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = {**inside(number % 8, number % 2), "description": f"第 {number} 起", "source": "patrol"}
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": f"report-{number}",
    }
    try:
        connection.request("POST", "/api/incidents", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


class Stream:
    """An open event stream, read in a thread of its own."""

    def __init__(self, server: RunningServer, token: str, after: int | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        query = "" if after is None else f"?after={after}"
        self.connection.request("GET", f"/api/events{query}", headers={"Authorization": f"Bearer {token}"})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        self.events: list[tuple[int, str, float]] = []
        self.beats = 0
        self.connected = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        assert self.connected.wait(10)

    def _read(self) -> None:
        position, kind = 0, ""
        try:
            for raw in self.answer:
                line = raw.decode().rstrip("\n")
                if line.startswith("id: "):
                    position = int(line[4:])
                elif line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind == "heartbeat":
                    self.beats += 1
                    self.connected.set()
                elif line.startswith("data: ") and kind == "incident":
                    self.events.append((position, json.loads(line[6:])["number"], time.monotonic()))
        except (OSError, ValueError, http.client.HTTPException):
            return

    def wait_for(self, number: int, seconds: float = 15) -> None:
        end = time.monotonic() + seconds
        while len(self.events) < number and time.monotonic() < end:
            time.sleep(0.01)

    def close(self) -> None:
        """Hang up, and wait for the reader to notice."""
        self.answer.fp.raw._sock.shutdown(socket.SHUT_RDWR)  # the answer has taken the socket over
        self.let_go()

    def let_go(self) -> None:
        """Wait until the reader has read to the end."""
        self.thread.join(10)
        assert not self.thread.is_alive()
        self.answer.close()
        self.connection.close()


def test_fifty_reports_at_once_are_all_kept_and_reach_every_screen_once_and_in_order(
    served: RunningServer, token: str, city_ctx: Context
) -> None:
    screens = [Stream(served, token) for _ in range(6)]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda number: send(served, token, number), range(50)))
    assert {status for status, _ in answers} == {201}
    numbers = {str(body["number"]) for _, body in answers}
    assert len(numbers) == 50
    with city_ctx.engine.connect() as conn:
        assert set(conn.execute(text("SELECT number FROM incident")).scalars()) == numbers
        assert conn.execute(text("SELECT count(*) FROM incident_event")).scalar_one() == 100
    for screen in screens:
        screen.wait_for(50)
        positions = [position for position, _, _ in screen.events]
        assert positions == sorted(set(positions))
        assert {number for _, number, _ in screen.events} == numbers
        screen.close()
    # sent again, all of them: answered with the same incidents
    with ThreadPoolExecutor(50) as pool:
        again = list(pool.map(lambda number: send(served, token, number), range(50)))
    assert [(200, body["number"]) for _, body in answers] == [
        (status, body["number"]) for status, body in again
    ]


def test_a_report_reaches_a_screen_within_a_second(served: RunningServer, token: str) -> None:
    screen = Stream(served, token)
    send(served, token, 0)  # the first one loads the boundaries
    screen.wait_for(1)
    delays = []
    for number in range(1, 6):
        start = time.monotonic()
        assert send(served, token, number)[0] == 201
        screen.wait_for(number + 1)
        delays.append(screen.events[-1][2] - start)
    assert max(delays) < 1.0, delays
    screen.close()


def test_a_screen_that_was_away_gets_what_it_missed(served: RunningServer, token: str) -> None:
    screen = Stream(served, token)
    assert send(served, token, 0)[0] == 201
    screen.wait_for(1)
    last = screen.events[-1][0]
    screen.close()
    for number in range(1, 8):
        assert send(served, token, number)[0] == 201
    back = Stream(served, token, after=last)
    assert send(served, token, 8)[0] == 201
    back.wait_for(8)
    positions = [position for position, _, _ in back.events]
    assert len(positions) == 8
    assert positions == sorted(set(positions))
    assert positions[0] > last
    back.close()


def test_streams_beat_and_a_closed_one_is_forgotten(served: RunningServer, token: str) -> None:
    streams = [Stream(served, token) for _ in range(20)]
    start = time.monotonic()
    while min(stream.beats for stream in streams) < 2 and time.monotonic() - start < 15:
        time.sleep(0.1)
    assert min(stream.beats for stream in streams) >= 2
    assert open_streams(served) == 20
    assert served.get("/healthz")[0] == 200
    for stream in streams:
        stream.close()
    # noticed with the next heartbeat, in every worker
    end = time.monotonic() + 15
    while open_streams(served) > 0 and time.monotonic() < end:
        time.sleep(0.5)
    assert open_streams(served) == 0


def test_a_server_that_stops_sends_its_streams_away_and_is_gone_at_once(
    served: RunningServer, token: str
) -> None:
    screens = [Stream(served, token) for _ in range(20)]
    begun = time.monotonic()
    assert served.stop() in (0, 130)
    took = time.monotonic() - begun
    print(f"stopped after {took:.2f} s")
    # streams never end by themselves; without them it takes about one second
    assert took < 3
    for screen in screens:
        screen.let_go()


def open_streams(server: RunningServer) -> float:
    found = re.search(r"^gis_open_streams (\S+)$", server.get("/metrics")[1].decode(), re.MULTILINE)
    return float(found[1]) if found else 0.0
