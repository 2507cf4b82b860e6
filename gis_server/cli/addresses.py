"""``gis-server address``: which standard address somebody means, and its grid."""

from datetime import UTC, datetime

import click

from gis_server.cli import translate
from gis_server.cli.opening import opened, read_settings
from gis_server.core.access import CONSOLE
from gis_server.core.incident import parse_time
from gis_server.core.message import msg
from gis_server.journeys.addresses import MOST_ANSWERED, search


@click.command(help=str(msg("查标准地址及其所属网格；不能确定是哪一个时列出最接近的，并以退出码 1 结束。")))
@click.argument("query", nargs=-1, required=True)
@click.option(
    "--limit",
    type=click.IntRange(1, MOST_ANSWERED),
    default=5,
    show_default=True,
    help=str(msg("最多几条。")),
)
@click.option("--at", help=str(msg("按这一时刻生效的网格，例如 2026-03-01T00:00:00+08:00；默认是现在。")))
@click.pass_context
def address(context: click.Context, query: tuple[str, ...], limit: int, at: str | None) -> None:
    """One line an address: score, address, grid, sub-grid, and below it why."""
    moment = parse_time(at, "at") or datetime.now(UTC)
    words = translate()
    with opened(read_settings()) as ctx:
        answer = search(ctx, CONSOLE, " ".join(query), at=moment, limit=limit)
    click.echo(answer.message.render(words))
    for one in answer.found:
        routed = one.place.routed
        codes = [code or "-" for code in (routed.grid_code, routed.sub_grid_code)]
        click.echo("\t".join((f"{one.fit.score:.2f}", one.address.standard_address, *codes)))
        for reason in one.why(answer.asked):
            click.echo(f"\t{reason.render(words)}")
    if answer.the_one is None:
        context.exit(1)
