"""``serve`` and the ``db`` commands."""

from dataclasses import replace
from pathlib import Path

import click

from gis_server.cli.opening import database_url, private_server, read_settings
from gis_server.cli.serving import require_free_port, serve_http
from gis_server.cli.terminal import say, step
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.journeys import database
from gis_server.journeys.base_map import open_map
from gis_server.machine import find_client_programs
from gis_server.settings import Settings


@click.command(help=str(msg("为已有的数据库提供服务。地址与端口见 GIS_HOST、GIS_PORT。")))
@click.option("--port", type=click.IntRange(1, 65535), help=str(msg("监听的端口（默认取 GIS_PORT）。")))
def serve(port: int | None) -> None:
    """Serve what is there; nothing is migrated or imported."""
    settings = read_settings()
    settings = replace(settings, port=port or settings.port)
    require_free_port(settings)
    open_map(settings)  # a bad choice is told before anything starts
    with database_url(settings) as url:
        database.check(url)
        database.require_current(url)
        serve_http(replace(settings, database_url=url))


@click.group(help=str(msg("数据库：启动、停止、状态、建表、备份、恢复。")))
def db() -> None:
    """Commands on the database as a whole."""


def _private(settings: Settings) -> None:
    if settings.database_url is not None:
        raise UnusableInput(
            msg("已用 GIS_DATABASE_URL 指明数据库，它不由本程序启动或停止。"), field="GIS_DATABASE_URL"
        )


@db.command("start", help=str(msg("启动 var/ 中自带的 PostGIS，并让它一直运行到 db stop。")))
def start() -> None:
    """Start the private server and keep it."""
    settings = read_settings()
    _private(settings)
    with step(msg("启动自带的 PostGIS")):
        url = private_server(settings).start(keep=True)
    click.echo(url)


@db.command("stop", help=str(msg("停止自带的 PostGIS。")))
def stop() -> None:
    """Stop the private server."""
    settings = read_settings()
    _private(settings)
    ran = private_server(settings).stop()
    say(msg("自带的 PostGIS 已停止。") if ran else msg("自带的 PostGIS 没有在运行。"))


@db.command("status", help=str(msg("显示数据库是否在运行、表结构是否为当前版本。")))
def status() -> None:
    """Say what stands; exit code 1 while the server is down or the schema is not current."""
    settings = read_settings()
    url = settings.database_url
    if url is None:
        server = private_server(settings)
        state = server.status()
        if not state.running:
            say(
                msg("自带的 PostGIS 没有在运行（{path}）。", path=str(server.folder))
                if state.initialised
                else msg("自带的 PostGIS 还没有建立（{path}）。", path=str(server.folder))
            )
            raise click.exceptions.Exit(1)
        say(msg("自带的 PostgreSQL {major} 在运行，进程 {pid}。", major=state.major, pid=state.pid))
        url = server.url()
    database.check(url)
    database.require_current(url)
    say(msg("数据库的表结构是当前版本。"))


@db.command("migrate", help=str(msg("把表结构升级到当前版本。")))
def migrate() -> None:
    """Bring the schema to this version."""
    settings = read_settings()
    with database_url(settings) as url:
        database.check(url)
        with step(msg("升级表结构")):
            steps = database.migrate_schema(url)
    say(msg("已执行 {count} 步升级。", count=len(steps)) if steps else msg("表结构已是当前版本，无需升级。"))


@db.command("backup", help=str(msg("把整个数据库存为一个备份文件。")))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
def backup(file: Path) -> None:
    """Save the database."""
    settings = read_settings()
    programs = find_client_programs()
    with database_url(settings) as url:
        database.check(url)
        with step(msg("备份到 {path}", path=str(file))) as progress:
            size = database.backup(url, file, programs, progress)
    say(msg("备份文件 {size} 字节，含账号与事件，请妥善保管。", size=size))


@db.command("restore", help=str(msg("从备份文件恢复数据库；要么完整恢复，要么保持原样。")))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--replace", "replacing", is_flag=True, help=str(msg("取代数据库中已有的数据。")))
def restore(file: Path, replacing: bool) -> None:
    """Bring a backup back."""
    settings = read_settings()
    programs = find_client_programs()
    with database_url(settings) as url:
        database.check(url)
        with step(msg("从 {path} 恢复", path=str(file))) as progress:
            database.restore(url, file, programs, progress, replace=replacing)
