"""``gis-server up``: from an empty machine to a live wall, and in seconds the second time."""

import signal
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from gis_server.cli.opening import database_url, read_settings
from gis_server.cli.serving import addresses, require_free_port, serve_http
from gis_server.cli.terminal import say, step
from gis_server.core.access import CONSOLE
from gis_server.core.message import msg
from gis_server.journeys import database
from gis_server.journeys.base_map import open_map
from gis_server.journeys.opening import context
from gis_server.settings import Settings

UNFINISHED = "sample-unfinished"
"""In ``var`` while the sample city is being loaded; a start after a kill goes on where that one stopped."""


@click.command(
    help=str(msg("启动自带的 PostGIS，建表，导入示例城市，并提供服务。再次运行只需数秒，数据不丢。"))
)
@click.option("--port", type=click.IntRange(1, 65535), help=str(msg("监听的端口（默认取 GIS_PORT）。")))
@click.option("--no-sample", is_flag=True, help=str(msg("不导入示例城市，也不建示例账号。")))
def up(port: int | None, no_sample: bool) -> None:
    """Start all there is, each step only where it is needed."""
    # a plain kill leaves by the same way as Ctrl-C, so that the private server stops too
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    settings = read_settings()
    settings = replace(settings, port=port or settings.port)
    require_free_port(settings)
    open_map(settings)  # a bad choice is told before anything starts
    with ExitStack() as stack:
        if settings.database_url is None:
            with step(msg("启动自带的 PostGIS")):
                url = stack.enter_context(database_url(settings))
            settings = replace(settings, database_url=url)
        else:
            url = settings.database_url
        database.check(url)
        with step(msg("核对表结构")):
            database.migrate_schema(url)
        if not no_sample:
            _fill(settings, url)
        _tell_accounts(settings)
        serve_http(settings)


def _fill(settings: Settings, url: str) -> None:
    mark = settings.var / UNFINISHED
    if not mark.exists() and not database.is_empty(url):
        return
    # slow to import, and not needed by a second start
    from gis_server.journeys.accounts import make_sample_accounts  # noqa: PLC0415
    from gis_server.journeys.sample import load_sample  # noqa: PLC0415
    from gis_server.journeys.walls import make_link  # noqa: PLC0415

    settings.var.mkdir(parents=True, exist_ok=True)
    mark.touch()
    ctx = context(settings, url)
    try:
        with step(msg("导入示例城市")) as progress:
            load_sample(ctx, CONSOLE, datetime.now(UTC), progress)
        now = datetime.now(UTC)
        path = make_sample_accounts(ctx, now)
        link = make_link(ctx, CONSOLE, "city", label="示例大屏", now=now)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{WALL_LINE}/wall/city?key={link.token}\n")
    finally:
        ctx.engine.dispose()
    mark.unlink()


WALL_LINE = "wall\t"


def _tell_accounts(settings: Settings) -> None:
    path = settings.var / "accounts.txt"
    if not path.exists():
        return
    say(msg("示例账号与大屏链接（存于 {path}）：", path=_short(path)))
    for line in path.read_text("utf-8").splitlines():
        if line.startswith(WALL_LINE):
            click.echo(f"  {addresses(settings)[0].rstrip('/')}{line.removeprefix(WALL_LINE)}")
        else:
            login, password, role, area, name = line.split("\t")
            click.echo(f"  {login:<14} {password:<18} {role:<12} {area:<14} {name}")


def _short(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
