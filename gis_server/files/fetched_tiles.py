"""Tiles of another server: fetched when they are first asked for, kept on disk, and shown from there while it is away.

Only the address that the settings give is ever asked; it may not send us elsewhere, and what it sends must be a picture of
reasonable size. The key stands in the address alone: it is part of no file name, no log line and no error.
"""

import hashlib
import logging
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from threading import BoundedSemaphore, Lock
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from gis_server.core.base_map import address_of, image_type
from gis_server.core.errors import Unavailable
from gis_server.core.message import msg
from gis_server.files.turns import Turns

log = logging.getLogger(__name__)

TIMEOUT_S = 4.0
"""Silence of the other server that is waited for."""

LONGEST_S = 12.0
"""The longest that one tile may take, however steadily it drips."""

MOST_BYTES = 2 * 2**20
"""Bytes of one tile."""

REST_S = 10.0
"""After a failure the other server is left alone for so long: a map asks for a dozen tiles at once."""

AT_ONCE = 6
"""Questions that a process puts to the other server at once: as many fail, at most, before it is left alone."""

BAD_S = 10.0
"""A tile that is answered with a failure while others come is not asked for so long; twice as long each time."""

LONGEST_BAD_S = 600.0
"""The longest that one tile is left alone for its own sake."""

ALL_BAD = 3
"""So many tiles that fail, and none between them that comes: not they are at fault."""

OLD_S = 60.0
"""For how long a tile may be kept that is shown for want of a newer one."""

_MOST_BAD = 4_096
"""Tiles that are remembered as bad."""

NOTHING_S = 86_400.0
"""How long it is believed that there is no tile at a place."""

LOW_WATER = 0.9
"""What is kept is thinned to this share of what may be kept."""

_PIECE = 64 * 1024
_HEADERS = {"User-Agent": "gis-server", "Accept": "image/png,image/jpeg,image/webp,image/*;q=0.8"}
_NOTHING = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Go nowhere else: the answer that sends us on is an error like any other."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A picture, empty where the map has none, that need not be asked for again for ``fresh_s`` seconds.

    ``is_old`` says that it could not be looked at anew in time.
    """

    body: bytes
    fresh_s: float = OLD_S
    is_old: bool = False


class TileStore:
    """Pictures on disk, bounded: the longest unused go first. Several processes may share the folder."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most = most_bytes
        self._lock = Lock()
        # counted as full until looked at: the first picture kept looks
        self._unseen = most_bytes

    def read(self, name: str) -> tuple[bytes, float] | None:
        """The picture kept under ``name`` and when it was fetched (seconds since 1970); None if there is none."""
        path = self._folder / name
        try:
            body, fetched = path.read_bytes(), path.stat().st_mtime
            os.utime(path, (time.time(), fetched))  # used now
        except OSError:
            return None
        return body, fetched

    def keep(self, name: str, body: bytes, fetched: float) -> None:
        """Keep a picture of this time, whole or not at all; a full disk is no error, only slower."""
        path = self._folder / name
        draft = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(body)
            os.utime(draft, (time.time(), fetched))
            draft.replace(path)
        except OSError as error:
            with suppress(OSError):
                draft.unlink(missing_ok=True)
            log.warning("a tile of the base map could not be kept: %s", error.strerror)
            return
        with self._lock:
            self._unseen += len(body) + _PIECE // 16
            is_due = self._unseen > self._most // 50
            if is_due:
                self._unseen = 0
        if is_due:
            self._thin()

    def _thin(self) -> None:
        found = []
        for folder, _, names in os.walk(self._folder):
            for name in names:
                path = Path(folder, name)
                with suppress(OSError):
                    status = path.stat()
                    # what a file takes on the disk, not what it holds: empty ones are many
                    found.append((status.st_atime, max(status.st_blocks * 512, 4096), path))
        total = sum(size for _, size, _ in found)
        if total <= self._most * LOW_WATER:
            return
        for _, size, path in sorted(found):
            with suppress(OSError):
                path.unlink()
            total -= size
            if total <= self._most * LOW_WATER:
                return


class FetchedTiles:
    """The tiles of one address (``core.base_map.BaseMap.tiles``)."""

    def __init__(
        self,
        template: str,
        key: str | None,
        store: TileStore,
        *,
        age_s: float,
        turns: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._template = template
        self._key = key
        self._store = store
        self._age_s = age_s
        self._clock = clock
        self._asking = BoundedSemaphore(AT_ONCE)
        self._bad: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._failing: set[str] = set()
        self._marking = Lock()
        # of the address without the key: a new key finds what the old one fetched
        self._name = hashlib.blake2b(template.encode(), digest_size=8).hexdigest()
        self._turns = Turns(None if turns is None else turns / self._name, clock)
        self._opener: OpenerDirector = build_opener(_NoRedirect)

    def kept(self, z: int, x: int, y: int) -> Fetched | None:
        """The picture at a place as it is kept, whatever its age; None if it never was fetched."""
        found = self._store.read(f"{self._name}/{z}/{x}/{y}")
        if found is None:
            return None
        body, fetched = found
        left = (self._age_s if body else min(NOTHING_S, self._age_s)) - abs(self._clock() - fetched)
        # of a clock put back, too
        return Fetched(body, left) if left > 0 else Fetched(body, is_old=True)

    def tile(self, z: int, x: int, y: int) -> Fetched:
        """The picture at a place: kept, fetched, or an old one while the other server is away.

        Raises Unavailable where there is none yet and none to be had.
        """
        kept = self.kept(z, x, y)
        if kept is not None and not kept.is_old:
            return kept
        name = f"{self._name}/{z}/{x}/{y}"
        if not self._turns.is_resting and not self._is_bad(name):
            with self._turns.alone(name):
                kept = self.kept(z, x, y)
                if kept is not None and not kept.is_old:
                    return kept  # another process has fetched it meanwhile
                body = self._fetch(name, z, x, y)
            if body is not None:
                return Fetched(body, self._age_s if body else min(NOTHING_S, self._age_s))
        if kept is None:
            raise Unavailable(msg("底图服务暂时没有应答，稍后会再试；其他图层不受影响。"))
        return kept

    def _fetch(self, name: str, z: int, x: int, y: int) -> bytes | None:
        """The picture as the other server gives it, empty where it has none; None if it fails or is left alone."""
        if not self._asking.acquire(timeout=TIMEOUT_S):
            return None
        try:
            # others that were asked for at the same time may have failed meanwhile
            if self._turns.is_resting:
                return None
            if not self._turns.is_down:
                return self._ask(name, z, x, y)
            # one tries whether it is there again; the others do not wait for that
            with self._turns.trial() as is_mine:
                return self._ask(name, z, x, y) if is_mine else None
        finally:
            self._asking.release()

    def _ask(self, name: str, z: int, x: int, y: int) -> bytes | None:
        request = Request(address_of(self._template, z, x, y, self._key), headers=_HEADERS)  # noqa: S310
        body: bytes | None = None
        is_bad = True
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                body = b"" if answer.status in _NOTHING else _limited(answer.read1)
            reason = "an answer that is no picture" if body and image_type(body) is None else None
        except HTTPError as error:
            error.close()
            body = b""
            reason = None if error.code in _NOTHING else f"status {error.code}"
        except (URLError, OSError, HTTPException, ValueError) as error:
            # the class and no more: a text might repeat the address
            reason = type(error).__name__
            is_bad = isinstance(error, ValueError)
        if reason is None:
            if self._turns.is_down:
                self._turns.well()
            self._mend(name)
            self._store.keep(name, body or b"", self._clock())
            return body
        self._turns.rest(REST_S)
        if is_bad:
            self._mark(name)
        log.warning("the base map's server failed: %s", reason)
        return None

    def _is_bad(self, name: str) -> bool:
        """Whether this tile, and not all of them, failed lately."""
        return len(self._failing) < ALL_BAD and self._bad.get(name, (0, 0.0))[1] > self._clock()

    def _mend(self, name: str) -> None:
        with self._marking:
            for mended in [name, *(self._failing if len(self._failing) >= ALL_BAD else ())]:
                self._bad.pop(mended, None)
            self._failing.clear()

    def _mark(self, name: str) -> None:
        with self._marking:
            times = self._bad.pop(name, (0, 0.0))[0]
            self._bad[name] = times + 1, self._clock() + min(LONGEST_BAD_S, BAD_S * 2.0 ** min(times, 10))
            self._failing.add(name)
            while len(self._bad) > _MOST_BAD:
                self._failing.discard(self._bad.popitem(last=False)[0])


def _limited(read: Callable[[int], bytes]) -> bytes:
    """All that is sent; ValueError beyond the size or the time that a tile may take."""
    ends = time.monotonic() + LONGEST_S
    pieces, size = [], 0
    while piece := read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > MOST_BYTES or time.monotonic() > ends:
            raise ValueError
    return b"".join(pieces)
