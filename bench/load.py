"""Clients that send one request after the other over connections that stay open: one thread, next to no work of its own."""

import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Load:
    """What ``clients`` at once got: answers a second, and quantiles of the time one took (ms)."""

    clients: int
    rate: float
    p50_ms: float
    p99_ms: float


def post(path: str, token: str, body: bytes, headers: str = "") -> bytes:
    """A request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    )
    return head.encode() + body


def send(port: int, requests: Iterator[bytes], clients: int, seconds: float, wanted: int = 201) -> Load:
    """Keep ``clients`` connections busy for ``seconds``; every answer must have the status ``wanted``."""
    took: list[float] = []
    selector = selectors.DefaultSelector()
    sent: dict[socket.socket, float] = {}
    held: dict[socket.socket, bytes] = {}
    for _ in range(clients):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
    start = time.perf_counter()
    for key in list(selector.get_map().values()):
        _ask(key.fileobj, requests, sent, held)
    end = start + seconds
    while sent:
        for key, _ in selector.select():
            connection = key.fileobj
            held[connection] += connection.recv(65536)
            if not _is_whole(held[connection]):
                continue
            assert held[connection].startswith(b"HTTP/1.1 %d" % wanted), held[connection][:2000]
            now = time.perf_counter()
            took.append(now - sent.pop(connection))
            if now < end:
                _ask(connection, requests, sent, held)
    spent = time.perf_counter() - start
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    p50, p99 = (np.quantile(took, [0.5, 0.99]) * 1000).tolist()
    return Load(clients, len(took) / spent, p50, p99)


def _ask(connection, requests, sent, held) -> None:
    held[connection] = b""
    sent[connection] = time.perf_counter()
    connection.sendall(next(requests))


def _is_whole(answer: bytes) -> bool:
    head, gap, body = answer.partition(b"\r\n\r\n")
    if not gap:
        return False
    lower = head.lower()
    at = lower.index(b"content-length:") + len(b"content-length:")
    return len(body) >= int(lower[at:].split(b"\r\n", 1)[0])


def best(measure: Callable[[], Load], times: int) -> list[Load]:
    """``measure`` several times."""
    return [measure() for _ in range(times)]


@dataclass(frozen=True)
class Sent:
    """What an even pace got: ``at`` and ``answered`` (``time.time``) of each request in order, and the answers' bodies."""

    at: list[float]
    answered: list[float]
    bodies: list[bytes]


def send_evenly(
    port: int, requests: Iterator[bytes], rate: float, seconds: float, connections: int = 32
) -> Sent:
    """Send ``rate`` requests a second whatever the answers take; all must be 201.

    ``at`` is when a request was due, also where it had to wait for a connection: a server that holds requests up
    must not look better for it.
    """
    selector = selectors.DefaultSelector()
    idle: list[socket.socket] = []
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(connection, selectors.EVENT_READ)
        idle.append(connection)
    number = round(rate * seconds)
    begun = time.time()
    at = [begun + n / rate for n in range(number)]
    answered, bodies = [0.0] * number, [b""] * number
    under_way: dict[socket.socket, int] = {}
    held: dict[socket.socket, bytes] = {}
    sent = 0
    while sent < number or under_way:
        now = time.time()
        while idle and sent < number and at[sent] <= now:
            connection = idle.pop()
            under_way[connection], held[connection] = sent, b""
            connection.sendall(next(requests))
            sent += 1
        pause = max(at[sent] - time.time(), 0.0) if sent < number and idle else 1.0
        for key, _ in selector.select(pause):
            connection = key.fileobj
            got = connection.recv(65536)
            assert got, "the server hung up"
            held[connection] += got
            if not _is_whole(held[connection]):
                continue
            answer = held[connection]
            assert answer.startswith(b"HTTP/1.1 201"), answer[:2000]
            n = under_way.pop(connection)
            answered[n], bodies[n] = time.time(), answer.partition(b"\r\n\r\n")[2]
            idle.append(connection)
    for key in list(selector.get_map().values()):
        key.fileobj.close()
    return Sent(at, answered, bodies)
