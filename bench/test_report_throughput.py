"""``POST /api/incidents`` (route, record, notify, durable) against a bare INSERT through the same server in the same run.

Rounds of both alternate, so that a busy machine slows both; the median ratio counts.
"""

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection, HTTPResponse
from itertools import count
from pathlib import Path
from statistics import median
from threading import Thread

import pytest
from bare_insert import bare
from load import Load, post, send
from sqlalchemy import text
from under_load import bodies_of, serving, token_of

from gis_server.journeys.context import Context

LEAST_RATIO = 0.5
ROUNDS = 15
SECONDS = 1.0
PORT = 8597
WALLS = 4


@pytest.fixture(scope="module")
def token(city: Context) -> str:
    return token_of(city, "bench")


@pytest.fixture(scope="module")
def port(city: Context, token: str) -> Iterator[int]:
    """The product's server with the bare address, over the sample city."""
    with city.engine.begin() as conn:
        bare.create(conn)
    program = str(Path(__file__).with_name("bare_insert.py"))
    with serving(city, PORT, sys.executable, program), ExitStack() as walls:
        # screens that follow the live stream: without readers nobody numbers events, and notifying would be free
        for _ in range(WALLS):
            walls.enter_context(_wall(token))
        yield PORT


@contextmanager
def _wall(token: str) -> Iterator[None]:
    connection = HTTPConnection("127.0.0.1", PORT)
    connection.request("GET", "/api/events", headers={"Authorization": f"Bearer {token}"})
    answer = connection.getresponse()
    assert answer.status == 200
    reader = Thread(target=_read_on, args=(answer,), daemon=True)
    reader.start()
    yield
    connection.close()


def _read_on(answer: HTTPResponse) -> None:
    with suppress(OSError, ValueError, AttributeError):  # closed under its hands at the end
        while answer.read1(65536):
            pass


@pytest.fixture(scope="module")
def bodies(city: Context) -> list[bytes]:
    return bodies_of(city, 5, accuracy_m=8.0, description="夜间施工扰民，多户居民反映，请尽快派人处理。")


def say(name: str, loads: list[Load]) -> str:
    rate, p50, p99 = (median(getattr(one, part) for one in loads) for part in ("rate", "p50_ms", "p99_ms"))
    return f"{name} {rate:.0f}/s, p50 {p50:.1f} ms, p99 {p99:.1f} ms"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("clients", [1, 8, 32])
def test_reports_against_bare_inserts(
    city: Context,
    port: int,
    token: str,
    bodies: list[bytes],
    clients: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    numbers = count()

    def requests(path: str, with_key: bool) -> Iterator[bytes]:
        while True:
            n = next(numbers)
            key = f"Idempotency-Key: bench-{time.time_ns()}-{n}\r\n" if with_key else ""
            yield post(path, token, bodies[n % len(bodies)], key)

    send(port, requests("/api/incidents", True), clients, 1.0)
    send(port, requests("/api/bare", False), clients, 1.0)
    with city.engine.connect() as conn:
        before = conn.execute(text("SELECT count(*) FROM incident")).scalar_one()
    ours, theirs = [], []
    for _ in range(ROUNDS):
        theirs.append(send(port, requests("/api/bare", False), clients, SECONDS))
        ours.append(send(port, requests("/api/incidents", True), clients, SECONDS))
    with city.engine.connect() as conn:
        kept = conn.execute(text("SELECT count(*) FROM incident")).scalar_one() - before
    ratio = median(mine.rate / bare_.rate for mine, bare_ in zip(ours, theirs, strict=True))
    with capsys.disabled():
        print(
            f"\n{clients} clients: {say('reports', ours)}; {say('bare INSERT', theirs)};"
            f" ratio {ratio:.2f} (at least {LEAST_RATIO}); {kept} kept"
        )
    assert ratio >= LEAST_RATIO
