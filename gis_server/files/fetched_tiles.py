"""Tiles of another server: fetched when they are first asked for, kept on disk, and shown from there while it is away.

Only the address that the settings give is ever asked; it may not send us elsewhere, and what it sends must be a picture of
reasonable size. The key stands in the address alone: it is part of no file name, no log line and no error.
"""

import hashlib
import logging
import os
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from threading import Lock
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from gis_server.core.base_map import address_of, image_type
from gis_server.core.errors import Unavailable
from gis_server.core.message import msg

log = logging.getLogger(__name__)

TIMEOUT_S = 4.0
"""Silence of the other server that is waited for."""

LONGEST_S = 12.0
"""The longest that one tile may take, however steadily it drips."""

MOST_BYTES = 2 * 2**20
"""Bytes of one tile."""

REST_S = 10.0
"""After a failure the other server is left alone for so long: a map asks for a dozen tiles at once."""

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
    """A picture, empty where the map has none; ``is_old`` says that it could not be looked at anew in time."""

    body: bytes
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
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._template = template
        self._key = key
        self._store = store
        self._age_s = age_s
        self._clock = clock
        self._rests_until = 0.0
        self._is_down = False
        self._trial = Lock()
        # of the address without the key: a new key finds what the old one fetched
        self._name = hashlib.blake2b(template.encode(), digest_size=8).hexdigest()
        self._opener: OpenerDirector = build_opener(_NoRedirect)

    def tile(self, z: int, x: int, y: int) -> Fetched:
        """The picture at a place: kept, fetched, or an old one while the other server is away.

        Raises Unavailable where there is none yet and none to be had.
        """
        name = f"{self._name}/{z}/{x}/{y}"
        kept = self._store.read(name)
        if kept is not None:
            body, fetched = kept
            age = abs(self._clock() - fetched)  # of a clock put back, too
            if age < (self._age_s if body else min(NOTHING_S, self._age_s)):
                return Fetched(body)
        body_now = self._fetch(z, x, y)
        if body_now is not None:
            self._store.keep(name, body_now, self._clock())
            return Fetched(body_now)
        if kept is None:
            raise Unavailable(msg("底图服务暂时没有应答，稍后会再试；其他图层不受影响。"))
        return Fetched(kept[0], is_old=True)

    def _fetch(self, z: int, x: int, y: int) -> bytes | None:
        """The picture as the other server gives it, empty where it has none; None if it fails or is left alone."""
        if self._clock() < self._rests_until:
            return None
        if not self._is_down:
            return self._ask(z, x, y)
        # one tries whether it is there again; the others do not wait for that
        if not self._trial.acquire(blocking=False):
            return None
        try:
            return self._ask(z, x, y)
        finally:
            self._trial.release()

    def _ask(self, z: int, x: int, y: int) -> bytes | None:
        request = Request(address_of(self._template, z, x, y, self._key), headers=_HEADERS)  # noqa: S310
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as answer:
                body = b"" if answer.status in _NOTHING else _limited(answer.read1)
            if not body or image_type(body) is not None:
                self._is_down = False
                return body
            reason = "an answer that is no picture"
        except HTTPError as error:
            error.close()
            if error.code in _NOTHING:
                self._is_down = False
                return b""
            reason = f"status {error.code}"
        except (URLError, OSError, HTTPException, ValueError) as error:
            # the class and no more: a text might repeat the address
            reason = type(error).__name__
        self._is_down = True
        self._rests_until = self._clock() + REST_S
        log.warning("the base map's server failed: %s", reason)
        return None


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
