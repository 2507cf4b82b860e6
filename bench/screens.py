"""Many screens of a wall in one process of their own: each holds an event stream open and now and then takes the whole state.

They read as a browser does (every byte, every event parsed for its number), and cost next to nothing themselves.
"""

import multiprocessing
import random
import re
import selectors
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection

EVENT = re.compile(rb'id: (\d+)\nevent: incident\ndata: \{[^\n]*?"number":"([^"]+)"')
RETAKE_S = 300.0
"""A wall takes its whole state again about this often (``WHOLE_MS`` of the page)."""


@dataclass
class Heard:
    """What one screen heard: positions and numbers of incidents in order, the times (``time.time``), and its losses."""

    positions: list[int] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    losses: int = 0
    bytes: int = 0


class Screen:
    """One screen: a socket with an answer that does not end."""

    def __init__(self, port: int, cookie: str, path: str) -> None:
        self.port, self.cookie, self.path = port, cookie, path
        self.heard = Heard()
        self.last = 0
        self.rest = b""
        self.connection = self.connect()

    def connect(self) -> socket.socket:
        """Open the stream, after what was heard last."""
        connection = socket.create_connection(("127.0.0.1", self.port))
        last = f"Last-Event-ID: {self.last}\r\n" if self.last else ""
        connection.sendall(_get(self.path, self.cookie, last))
        self.rest = b""
        return connection

    def read(self) -> bool:
        """Take in what came; False when the server hung up."""
        got = _read(self.connection)
        now = time.time()
        self.heard.bytes += len(got)
        if not got:
            self.heard.losses += 1
            return False
        whole, _, self.rest = (self.rest + got).rpartition(b"\n\n")
        for position, number in EVENT.findall(whole + b"\n\n"):
            self.last = int(position)
            self.heard.positions.append(self.last)
            self.heard.numbers.append(number.decode())
            self.heard.times.append(now)
        return True


def _read(connection: socket.socket) -> bytes:
    try:
        return connection.recv(262144)
    except ConnectionError:
        return b""


def _get(path: str, cookie: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n{more}\r\n".encode()


def _run(pipe: Connection, port: int, cookie: str, wall: str, screens: int) -> None:
    stream = f"/api/events?wall={wall}"
    selector = selectors.DefaultSelector()
    walls = [Screen(port, cookie, stream) for _ in range(screens)]
    for one in walls:
        selector.register(one.connection, selectors.EVENT_READ, one)
    selector.register(pipe, selectors.EVENT_READ)
    retakes = sorted(time.time() + random.uniform(0, RETAKE_S) for _ in walls)
    taken, is_ready = 0, False
    while True:
        if not is_ready and all(one.heard.bytes for one in walls):
            is_ready = True
            pipe.send("ready")
        for key, _ in selector.select(0.2):
            if key.fileobj is pipe:
                pipe.recv()
                pipe.send(([one.heard for one in walls], taken, time.process_time()))
                return
            if isinstance(key.data, Screen):
                if key.data.read():
                    continue
                selector.unregister(key.data.connection)
                key.data.connection.close()
                with suppress(OSError):  # the server is gone, and nobody starts it again here
                    key.data.connection = key.data.connect()
                    selector.register(key.data.connection, selectors.EVENT_READ, key.data)
            elif not _read(key.fileobj):  # a whole state has been taken
                selector.unregister(key.fileobj)
                key.fileobj.close()
        while retakes and retakes[0] < time.time():
            retakes.pop(0)
            for path in (f"/api/wall/{wall}", f"/api/wall/{wall}/statistics"):
                with suppress(ConnectionError):
                    asked = socket.create_connection(("127.0.0.1", port))
                    asked.sendall(_get(path, cookie, "Connection: close\r\n"))
                    selector.register(asked, selectors.EVENT_READ)
                    taken += 1


class Screens:
    """``with Screens(port, cookie, "city", 200) as screens: …``; what they heard is in ``screens.heard`` afterwards."""

    def __init__(self, port: int, cookie: str, wall: str, screens: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_run, args=(theirs, port, cookie, wall, screens), daemon=True)
        self.heard: list[Heard] = []
        self.taken = 0
        self.cpu_s = 0.0

    def __enter__(self) -> "Screens":
        self.process.start()
        assert self.pipe.poll(60), "the streams did not begin"
        self.pipe.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.send("end")
        self.heard, self.taken, self.cpu_s = self.pipe.recv()
        self.process.join(10)
