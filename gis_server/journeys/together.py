"""One answer for all who ask the same question at the same time."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Together(Generic[T]):
    """Runs a question once for all that ask it meanwhile.

    Whoever asks gets an answer that was begun after he asked, so nothing old is ever handed out; yet at most one run is under
    way and one waits, however many ask.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: dict[Hashable, Future[T]] = {}
        self._running: dict[Hashable, Lock] = {}

    def answer(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer of ``make`` to the question ``key``; what it raises reaches all who wait for it."""
        with self._lock:
            shared = self._waiting.get(key)
            if shared is None:
                own: Future[T] = Future()
                self._waiting[key] = own
            running = self._running.setdefault(key, Lock())
        if shared is not None:
            return shared.result()
        with running:
            with self._lock:  # whoever comes from here on must wait for the next run
                del self._waiting[key]
            try:
                own.set_result(make())
            except BaseException as error:
                own.set_exception(error)
                raise
            finally:
                with self._lock:
                    if key not in self._waiting:  # nobody holds on to this lock any more
                        del self._running[key]
        return own.result()
