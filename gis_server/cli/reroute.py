"""``gis-server reroute``: all history routed again by the boundaries of its own days."""

import json
from datetime import UTC, datetime

import click

from gis_server.cli import translate
from gis_server.cli.opening import opened, read_settings
from gis_server.cli.terminal import say, step
from gis_server.core.access import CONSOLE
from gis_server.core.incident import parse_time
from gis_server.core.message import msg
from gis_server.core.rerouting import Reroute, pairs_json
from gis_server.journeys import reroute as journey

MOST_PAIRS = 30


@click.command(
    help=str(msg("按事件当日生效的边界重新定位全部历史事件：列出不同之处，写明理由后以更正的形式补记。"))
)
@click.option(
    "--since", help=str(msg("只看这一时刻起发现的事件（RFC 3339，如 2024-03-01T00:00:00+08:00）。"))
)
@click.option("--dry-run", is_flag=True, help=str(msg("只试算，不写更正。")))
@click.option("--reason", help=str(msg("更正的理由；不是试算时必填。")))
@click.option("--generation", type=int, help=str(msg("改与某一代网格比较（只试算）。")))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help=str(msg("输出格式：text 或 json。")),
)
def reroute(since: str | None, dry_run: bool, reason: str | None, generation: int | None, form: str) -> None:
    """Route history again; cut off, the same command goes on where it stopped."""
    with opened(read_settings()) as ctx:
        begun = journey.start(
            ctx,
            CONSOLE,
            since=parse_time(since, "since"),
            dry_run=dry_run,
            reason=reason,
            generation_id=generation,
            clock=_now,
        )
        if begun.tally.done:
            say(msg("接着上次中断之处：已完成 {done} 件。", done=begun.tally.done))
        with step(msg("重新定位历史事件")) as show:
            done = journey.run(ctx, begun, _now, show)
    if form == "json":
        click.echo(json.dumps(_as_json(done), ensure_ascii=False, indent=1))
    else:
        _tell(done)


def _now() -> datetime:
    return datetime.now(UTC)


def _as_json(done: Reroute) -> dict[str, object]:
    return {
        "schema": "gis-server/reroute/1",
        "id": done.id,
        "dry_run": done.dry_run,
        "incidents": done.tally.done,
        "changed": done.tally.changed,
        "only_sub_grid": done.tally.only_sub_grid,
        "pairs": pairs_json(done.tally),
    }


def _tell(done: Reroute) -> None:
    words = translate()
    tally = done.tally
    summary = msg(
        "共 {done} 件：{changed} 件的网格不同，另有 {sub} 件只是子网格不同。",
        done=tally.done,
        changed=tally.changed,
        sub=tally.only_sub_grid,
    )
    click.echo(summary.render(words))
    none = msg("无网格")
    pairs = tally.most_first()
    for (before, after), count in pairs[:MOST_PAIRS]:
        line = msg(
            "  {before} → {after}：{count} 件", before=before or none, after=after or none, count=count
        )
        click.echo(line.render(words))
    if len(pairs) > MOST_PAIRS:
        rest = sum(count for _, count in pairs[MOST_PAIRS:])
        click.echo(
            msg("  其余 {pairs} 对：{count} 件", pairs=len(pairs) - MOST_PAIRS, count=rest).render(words)
        )
    if tally.changed or tally.only_sub_grid:
        outcome = msg("试算，未写更正。") if done.dry_run else msg("已补记更正；当时的认定保持不变。")
        click.echo(outcome.render(words))
