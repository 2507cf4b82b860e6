"""The real program as a process of its own, for tests that need a server to talk to or to kill."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import IO

PROGRAM = [sys.executable, "-m", "gis_server"]
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("GIS_")}
READY_SECONDS = 90.0

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # a shell has what it starts in the background ignore Ctrl-C, and a server would inherit that until it sets its own handler
    signal.signal(signal.SIGINT, signal.default_int_handler)


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class RunningServer:
    """A ``gis-server up`` or ``serve`` under way."""

    process: "subprocess.Popen[bytes]"
    port: int
    log: IO[bytes]
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The address, without a closing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def output(self) -> str:
        """All it has said so far."""
        self.log.flush()
        return Path(self.log.name).read_text("utf-8", "replace")

    def get(self, path: str, timeout: float = 10.0) -> tuple[int, bytes]:
        """Status and body of a plain request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait for /healthz; fails with the program's output when it ends or the time is over."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}:\n{self.output}")
            try:
                if self.get("/healthz")[0] == 200:
                    return
            except (OSError, HTTPException):
                pass
            time.sleep(0.1)
        raise AssertionError(f"not ready after {seconds} s:\n{self.output}")

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)  # faulthandler writes where every thread stands
            self.process.wait()
            raise AssertionError(f"did not stop within 30 s:\n{self.output}") from None

    def kill(self) -> None:
        """kill -9 of the program; its workers die with it."""
        self.process.kill()
        self.process.wait()


@contextmanager
def running(
    *arguments: str, ready: bool = True, port: int | None = None, **environ: str
) -> Iterator[RunningServer]:
    """``gis-server <arguments>`` on ``port`` or a free one, stopped at the end of the block."""
    port = port or free_port()
    with tempfile.NamedTemporaryFile(prefix="gis-server-", suffix=".log") as log:
        process = subprocess.Popen(
            [*PROGRAM, *arguments, "--port", str(port)],
            env=CLEAN | {"PYTHONFAULTHANDLER": "1"} | environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        server = RunningServer(process, port, log, dict(environ))
        try:
            if ready:
                server.wait_until_ready()
            yield server
        finally:
            server.stop()


def worker_pids(server: RunningServer) -> list[int]:
    """The processes that answer requests for a server."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = re.search(r"^PPid:\s+(\d+)$", (entry / "status").read_text(), re.MULTILINE)
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if parent and int(parent[1]) == server.process.pid and b"spawn_main" in command:
                found.append(int(entry.name))
    return found
