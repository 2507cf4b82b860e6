"""How the processes of this server share another one: one question for each thing, and none for a while after a failure.

It is told by files, because nothing else is common to processes; where they cannot be written each process goes by itself.
"""

import fcntl
import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

LONGEST_REST_S = 60.0
"""The longest that the other server is left alone."""

_DOORS = 128
"""Files on which those who ask for the same thing wait for each other."""


class Turns:
    """Who may ask the other server, and when. ``folder`` is common to all processes; without one this process is alone."""

    def __init__(self, folder: Path | None, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._clock = clock
        self._away = None if folder is None else folder / "away"
        # where the file cannot be written
        self._rests_until = 0.0
        self._trial = Lock()

    @property
    def is_down(self) -> bool:
        """Whether the other server failed when it was asked last."""
        return self._until() > 0

    @property
    def is_resting(self) -> bool:
        """Whether it is to be left alone just now."""
        # an end far away is that of a clock which has been put back since
        return 0 < self._until() - self._clock() <= LONGEST_REST_S

    def rest(self, seconds: float) -> None:
        """It failed: nobody asks it for so long (``LONGEST_REST_S`` at most)."""
        until = self._clock() + seconds
        self._rests_until = until
        if self._away is not None:
            with suppress(OSError):
                self._away.parent.mkdir(parents=True, exist_ok=True)
                self._away.touch()
                os.utime(self._away, (until, until))
                self._rests_until = 0.0

    def well(self) -> None:
        """It answered."""
        self._rests_until = 0.0
        if self._away is not None:
            with suppress(OSError):
                self._away.unlink()

    def _until(self) -> float:
        if self._away is None:
            return self._rests_until
        try:
            return max(self._away.stat().st_mtime, self._rests_until)
        except OSError:
            return self._rests_until

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Wait until no other process asks for the thing of this name."""
        door = self._open(f"{zlib.crc32(name.encode()) % _DOORS:03}")
        try:
            if door is not None:
                with suppress(OSError):
                    fcntl.flock(door, fcntl.LOCK_EX)
            yield
        finally:
            if door is not None:
                os.close(door)

    @contextmanager
    def trial(self) -> Iterator[bool]:
        """True for the one who tries whether the other server is there again, False for all others, who do not wait."""
        if not self._trial.acquire(blocking=False):
            yield False
            return
        door = self._open("trial")
        try:
            yield door is None or _taken(door)
        finally:
            if door is not None:
                os.close(door)
            self._trial.release()

    def _open(self, name: str) -> int | None:
        if self._folder is None:
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            return os.open(self._folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None


def _taken(door: int) -> bool:
    try:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True
