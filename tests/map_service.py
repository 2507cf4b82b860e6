"""A small map service of another server: WMTS as Tianditu speaks it, and XYZ; it checks the key, and can misbehave."""

import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image

KEY = "3f1c-very-secret-key"
LAYERS = {"vec": (1, 18), "cva": (1, 18), "img": (1, 18), "cia": (1, 18), "ter": (1, 14), "cta": (1, 14)}


def picture(seed: str, size: int = 256) -> bytes:
    """A PNG of one colour that depends on ``seed``."""
    colour = tuple(sum(map(ord, seed)) * factor % 256 for factor in (37, 59, 83))
    file = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(file, "PNG")
    return file.getvalue()


@dataclass
class MapService:
    """A running service. ``answer``, where set, takes the place of what it would say (status, type, body, more headers)."""

    url: str = ""
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None

    @property
    def tiles(self) -> int:
        """How many tiles it was asked for."""
        return len(self.asked)


def _wmts(path: str, query: dict[str, str]) -> tuple[int, str, bytes]:
    """What Tianditu says to this request."""
    layer, _, matrix = path.strip("/").removesuffix("/wmts").rpartition("_")
    upper = {name.upper(): value for name, value in query.items()}
    if upper.get("TK") != KEY:
        return 403, "application/json", b'{"msg":"\xe9\x9d\x9e\xe6\xb3\x95Key","resolve":"","code":301012}'
    wanted = {
        "SERVICE": "WMTS",
        "REQUEST": "GetTile",
        "VERSION": "1.0.0",
        "LAYER": layer,
        "TILEMATRIXSET": matrix,
        "FORMAT": "tiles",
    }
    if layer not in LAYERS or matrix not in ("w", "c") or any(upper.get(n) != v for n, v in wanted.items()):
        return 400, "text/xml", b"<ExceptionReport/>"
    z, x, y = (int(upper[name]) for name in ("TILEMATRIX", "TILECOL", "TILEROW"))
    low, high = LAYERS[layer]
    if not low <= z <= high or x >= 2**z or y >= (2**z if matrix == "w" else 2 ** (z - 1)):
        return 404, "text/xml", b"<ExceptionReport/>"
    return 200, "image/png", picture(f"{layer}_{matrix}/{z}/{x}/{y}")


@contextmanager
def map_service(port: int = 0) -> Iterator[MapService]:
    """Serve on a free port (or ``port``) until the block ends."""
    service = MapService()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            service.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            if service.answer is not None:
                service.answer(self)
                return
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path.endswith("/wmts"):
                self.say(*_wmts(parts.path, query))
            else:
                self.say(200, "image/png", picture(parts.path))

        def say(self, status: int, kind: str, body: bytes, **more: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Set-Cookie", "tracker=1")
            for name, value in more.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    service.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def saying(status: int, kind: str, body: bytes, **more: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer that is always the same."""
    return lambda handler: handler.say(status, kind, body, **more)  # type: ignore[attr-defined]


def chequered(step: float, west: float, south: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """Tianditu's answers in degrees (``_c``), showing the ground: squares of ``step`` degrees, light and dark in turn."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(handler.path).query).items()}
        z, x, y = (int(query[name]) for name in ("TILEMATRIX", "TILECOL", "TILEROW"))
        span = 360 / 2**z
        middles = (np.arange(256) + 0.5) / 256
        columns = np.floor(((x + middles) * span - 180 - west) / step).astype(int)
        rows = np.floor((90 - (y + middles) * span - south) / step).astype(int)
        shade = np.where((columns + rows[:, None]) % 2 == 0, 250, 120).astype(np.uint8)
        file = io.BytesIO()
        names = query["LAYER"].startswith("c")
        (Image.new("RGBA", (256, 256)) if names else Image.fromarray(shade)).save(file, "PNG")
        handler.say(200, "image/png", file.getvalue())  # type: ignore[attr-defined]

    return answer


def dripping(handler: BaseHTTPRequestHandler) -> None:
    """An answer that never ends, a byte at a time."""
    handler.send_response(200)
    handler.send_header("Content-Type", "image/png")
    handler.end_headers()
    try:
        while True:
            handler.wfile.write(b"\x89")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass
