"""The browser's files, compressed once and answered with an ETag.

A page's script is given out in one file where the set-up has joined its modules (``web/vendor/joined``), and as it stands as
soon as one of these is changed: who works on a module sees the change with the next load.
"""

import hashlib
import posixpath
import re
import zlib
from dataclasses import dataclass
from mimetypes import guess_type
from pathlib import Path

import orjson
from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import NotFound

from gis_server.i18n import LANGUAGES, browser_catalogue

blueprint = Blueprint("assets", __name__, url_prefix="/static")

FOLDERS = frozenset({"core", "map", "ui", "pages", "styles", "vendor", "worker"})
"""What of ``web/`` the browser may fetch; templates and tests are not among them."""

TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".json": "application/json"}
_TEXTS = frozenset(TYPES.values())
SMALLEST_COMPRESSED = 1024


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served; ``imports`` are the modules that it names."""

    body: bytes
    compressed: bytes | None
    mimetype: str
    digest: str  # SHA-256 of the content
    imports: tuple[str, ...] = ()

    @property
    def etag(self) -> str:
        """What a browser names the content by."""
        return self.digest[:32]


JOINED = "vendor/joined"


class _Assets:
    """Files of the web folder, kept in memory until they change on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._kept: dict[str, tuple[tuple[int, int], Asset]] = {}
        try:
            manifest = orjson.loads((self.folder / JOINED / "manifest.json").read_bytes())
        except (OSError, ValueError):  # not joined, or not to the end
            manifest = {}
        self._made_of: dict[str, dict[str, str]] = manifest

    def get(self, name: str) -> Asset | None:
        """The file ``name`` (below the web folder, with /), with the modules that it needs where they are joined; None if there is none to be had."""
        modules = self._made_of.get(name)
        if modules and all(self._has(module, digest) for module, digest in modules.items()):
            return self._file(f"{JOINED}/{name}") or self._file(name)
        return self._file(name)

    def _has(self, name: str, digest: str) -> bool:
        found = self._file(name)
        return found is not None and found.digest == digest

    def _file(self, name: str) -> Asset | None:
        parts = name.split("/")
        if parts[0] not in FOLDERS or any(part in ("", ".", "..") or "\\" in part for part in parts):
            return None
        path = self.folder.joinpath(*parts)
        try:
            found = path.stat()
            stamp = (found.st_mtime_ns, found.st_size)
            kept = self._kept.get(name)
            if kept is not None and kept[0] == stamp:
                return kept[1]
            if not path.is_file() or not path.resolve().is_relative_to(self.folder):
                return None
            mimetype = TYPES.get(path.suffix) or guess_type(path.name)[0] or "application/octet-stream"
            asset = _make(path.read_bytes(), mimetype, name)
        except (OSError, ValueError):  # ValueError: a NUL in the name
            return None
        self._kept[name] = (stamp, asset)
        return asset


_IMPORT = re.compile(rb"""(?:\bfrom|\bimport)\s*\(?\s*["'](\.{1,2}/[^"']+)["']""")


def _make(body: bytes, mimetype: str, name: str = "") -> Asset:
    compressed = None
    if mimetype in _TEXTS and len(body) >= SMALLEST_COMPRESSED:
        compressed = gzip(body, level=9)
    imports: tuple[str, ...] = ()
    if mimetype == "text/javascript":
        folder = posixpath.dirname(name)
        named = (path.decode() for path in _IMPORT.findall(body))
        imports = tuple(posixpath.normpath(posixpath.join(folder, path)) for path in named)
    return Asset(body, compressed, mimetype, hashlib.sha256(body).hexdigest(), imports)


def gzip(body: bytes, level: int) -> bytes:
    """``body`` in gzip's format."""
    packer = zlib.compressobj(level, zlib.DEFLATED, 31)
    return packer.compress(body) + packer.flush()


def init_app(app: Flask, folder: Path) -> None:
    """Serve the web folder, and compress what is worth it."""
    app.extensions["assets"] = _Assets(folder)
    app.extensions["catalogues"] = {
        language: _make(orjson.dumps(browser_catalogue(language)), "application/json")
        for language in LANGUAGES
    }
    app.register_blueprint(blueprint)
    app.after_request(_compress)


def file_named(name: str) -> Asset | None:
    """A file of the web folder that the browser may fetch; None if there is none."""
    found: Asset | None = current_app.extensions["assets"].get(name)
    return found


def modules_of(*entries: str) -> list[str]:
    """The modules among ``entries`` and all that these import, nearest first."""
    found: dict[str, None] = {}
    waiting = list(entries)
    for name in waiting:
        asset = None if name in found else file_named(name)
        if asset is not None:
            found[name] = None
            waiting += asset.imports
    return list(found)


@blueprint.get("/web/<path:name>")
def web(name: str) -> Response:
    """A module, style sheet or picture."""
    asset = file_named(name)
    if asset is None:
        raise NotFound
    return _answer(asset)


@blueprint.get("/i18n/<language>.json")
def catalogue(language: str) -> Response:
    """The sentences of the scripts in a language."""
    asset: Asset | None = current_app.extensions["catalogues"].get(language)
    if asset is None:
        raise NotFound
    return _answer(asset)


def _answer(asset: Asset) -> Response:
    packed = asset.compressed is not None and request.accept_encodings.quality("gzip") > 0
    body = asset.compressed if packed and asset.compressed is not None else asset.body
    answer = Response(body, mimetype=asset.mimetype)
    # modules name each other without versions: each load asks once, and hears "unchanged"
    answer.headers["Cache-Control"] = "no-cache"
    answer.headers["Vary"] = "Accept-Encoding"
    if packed:
        answer.headers["Content-Encoding"] = "gzip"
    answer.set_etag(asset.etag + ("-gz" if packed else ""))
    return answer.make_conditional(request)  # type: ignore[return-value]


def _compress(answer: Response) -> Response:
    """Compress JSON and pages; streams, pictures and what is compressed already stay as they are."""
    if (
        answer.status_code not in (200, 201)
        or answer.is_streamed
        or "Content-Encoding" in answer.headers
        or request.accept_encodings.quality("gzip") == 0
        or not (answer.mimetype or "").endswith(("json", "text/html"))
    ):
        return answer
    body = answer.get_data()
    if len(body) >= SMALLEST_COMPRESSED:
        answer.set_data(gzip(body, level=1))
        answer.headers["Content-Encoding"] = "gzip"
        answer.vary.add("Accept-Encoding")
        etag, _ = answer.get_etag()
        if etag is not None:
            answer.set_etag(etag, weak=True)  # the same content in other bytes
    return answer
