"""``gis-server incidents``: what the server does of itself with incidents, done once by hand."""

from datetime import UTC, datetime

import click

from gis_server.cli.bulk import import_
from gis_server.cli.opening import opened, read_settings
from gis_server.cli.terminal import say
from gis_server.core.access import CONSOLE
from gis_server.core.message import msg
from gis_server.journeys import incident_watch


@click.group(help=str(msg("事件：从文件登记，查看时限、提醒与督办，重算暂定时限。")))
def incidents() -> None:
    """Commands on incidents."""


incidents.add_command(import_)


@incidents.command(
    "watch", help=str(msg("立即查看一遍运行中的时限：临期提醒、超期标记、逐级督办（服务运行时自动进行）。"))
)
def watch() -> None:
    """Tell all that is due now; each word is told only once however often this runs."""
    with opened(read_settings()) as ctx:
        watched = incident_watch.watch(ctx, datetime.now(UTC))
    if watched is None:
        say(msg("服务正在查看时限，这里无须再做。"))
        return
    for kind, number in watched.told.items():
        say(msg("{kind}：{number} 件", kind=kind.words, number=number))
    if not watched.told:
        say(msg("没有新的提醒。"))
    if watched.next_at is not None:
        at = watched.next_at.astimezone(read_settings().timezone)
        say(msg("下一次在 {at}。", at=at.isoformat(" ", "minutes")))


@incidents.command(
    "recompute-deadlines", help=str(msg("按最新的节假日安排重算暂定时限，每处变动都记入审计。"))
)
def recompute_deadlines() -> None:
    """Settle what was counted without knowing every year."""
    with opened(read_settings()) as ctx:
        changed = incident_watch.recompute_deadlines(ctx, CONSOLE, datetime.now(UTC))
    say(msg("已重算 {number} 件事件的时限。", number=changed) if changed else msg("没有需要重算的暂定时限。"))
