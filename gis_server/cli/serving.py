"""The HTTP server: granian runs the Flask application in worker processes of their own.

An open event stream keeps one blocking thread of a worker for as long as it is open. Threads are made when they
are needed, so the limit of 512 a worker costs nothing while nobody looks, and leaves hundreds of streams open
beside ordinary requests: with 300 open on two busy cores a new incident reached the last of them after 0.49 s, and
a worker held 150 threads in 190 MB.
"""

import errno
import multiprocessing
import os
import shutil
import socket
import threading
import time
from http.client import HTTPConnection, HTTPException

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from gis_server.cli.terminal import say
from gis_server.core.errors import Unavailable
from gis_server.core.message import msg
from gis_server.settings import Settings

BLOCKING_THREADS = 512
WORKERS_AT_MOST = 4
STOP_SECONDS = 5
READY_SECONDS = 60


def require_free_port(settings: Settings) -> None:
    """Refuse a port that somebody listens on, before anything slow begins."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except socket.gaierror as error:
        raise Unavailable(msg("没有地址 {host}，请改正 GIS_HOST。", host=settings.host)) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Unavailable(
                msg(
                    "端口 {port} 已被其他程序占用，请用 --port 或 GIS_PORT 换一个端口。",
                    port=settings.port,
                )
            ) from error
        raise Unavailable(
            msg(
                "不能在 {host}:{port} 上监听（{reason}），请改 GIS_HOST 或 GIS_PORT。",
                host=settings.host,
                port=settings.port,
                reason=error.strerror or str(error),
            )
        ) from error


def serve_http(settings: Settings, application: str = "gis_server.wsgi:worker") -> None:
    """Serve until SIGINT or SIGTERM; ``settings`` must name the database.

    ``application`` is what makes a worker's application (``module:function``).
    """
    metrics = settings.var / "metrics"
    shutil.rmtree(metrics, ignore_errors=True)  # counts of processes that are gone
    metrics.mkdir(parents=True)
    # the workers read their settings from the environment like any other process
    os.environ |= {
        "GIS_DATABASE_URL": settings.database_url or "",
        "GIS_HOST": settings.host,
        "GIS_PORT": str(settings.port),
        "GIS_VAR": str(settings.var),
        "GIS_LAYERS": str(settings.layers),
        "PROMETHEUS_MULTIPROC_DIR": str(metrics),
    }
    # a forked worker would inherit whatever threads and locks GDAL and BLAS have left in this process
    multiprocessing.set_start_method("spawn", force=True)
    server = Granian(
        application,
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=min(WORKERS_AT_MOST, os.cpu_count() or 1),
        blocking_threads=BLOCKING_THREADS,
        websockets=False,
        # open event streams never end by themselves
        workers_kill_timeout=STOP_SECONDS,
        respawn_failed_workers=True,
        # its warning about many threads is answered above; what the workers log is not touched by this
        log_level=LogLevels.error,
    )
    threading.Thread(target=_announce, args=(settings,), daemon=True).start()
    stopping = threading.Event()
    threading.Thread(target=_watch_clocks, args=(settings, stopping), daemon=True).start()
    try:
        server.serve()
    finally:
        stopping.set()
        # one that began anew in the moment of stopping would be waited for without end
        for worker in multiprocessing.active_children():
            worker.kill()


def _watch_clocks(settings: Settings, stopping: threading.Event) -> None:
    """The watch over the deadlines of incidents, in the program itself: the workers have requests to answer."""
    # slow to import, and nobody need wait for it
    from gis_server.journeys.incident_watch import watch_until  # noqa: PLC0415
    from gis_server.journeys.opening import context  # noqa: PLC0415

    ctx = context(settings, settings.database_url or "")
    try:
        watch_until(ctx, stopping)
    finally:
        ctx.engine.dispose()


def addresses(settings: Settings) -> list[str]:
    """The URLs under which people reach the server, the machine's own first."""
    everywhere = settings.host in ("0.0.0.0", "::")  # noqa: S104
    hosts = ["127.0.0.1"] if everywhere else [settings.host]
    if everywhere:
        try:
            found = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET, socket.SOCK_STREAM)
        except socket.gaierror:
            found = []
        hosts += sorted({str(entry[4][0]) for entry in found} - {"127.0.0.1"})
    return [f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/" for host in hosts]


def _announce(settings: Settings) -> None:
    """Print the addresses once the server answers."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        connection = HTTPConnection(host, settings.port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                for address in addresses(settings):
                    click.echo(address)
                say(msg("服务已就绪，按 Ctrl-C 停止。"))
                return
        except (OSError, HTTPException):
            time.sleep(0.1)
        finally:
            connection.close()
    say(msg("服务在 {seconds} 秒内没有就绪，请查看上面的信息。", seconds=READY_SECONDS))
