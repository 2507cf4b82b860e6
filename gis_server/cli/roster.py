"""The roster on the command line: ``roster import``, ``roster list``, ``roster check`` and ``roster template``."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import click

from gis_server.cli import translate
from gis_server.cli.opening import opened, read_settings
from gis_server.cli.terminal import say, step
from gis_server.core.access import CONSOLE
from gis_server.core.coverage.document import findings_json
from gis_server.core.coverage.findings import Finding, Severity
from gis_server.core.coverage.rules import BRIEF
from gis_server.core.errors import UnusableInput
from gis_server.core.message import Message, msg
from gis_server.i18n import LANGUAGES, translator
from gis_server.journeys import roster as journey
from gis_server.journeys.roster import RosterView, StaffedPlace

MOST_SHOWN = 50

_FORCE = {
    Severity.ERROR: msg("错误"),
    Severity.WARNING: msg("提醒"),
    Severity.OPTION: msg("提示"),
}
_OWN_RULE = msg("产品约定，文件未规定")
_AT = click.option("--at", help=str(msg("这一时刻的花名册，例如 2026-03-01；默认是现在。")))


@click.group(help=str(msg("网格长、网格员等的花名册：导入、列出、检查。")))
def roster() -> None:
    """Commands on the roster."""


@roster.command("import", help=str(msg("导入花名册（.xlsx 或 .csv），整体替换；有一行不能用就不替换。")))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--on", "starts", help=str(msg("生效日期或时刻，例如 2026-03-01；默认是现在。")))
def import_(file: Path, starts: str | None) -> None:
    """Put a roster in force."""
    with opened(read_settings()) as ctx, step(msg("导入花名册")):
        on = None if starts is None else _moment(starts, "on", ctx.settings.timezone)
        result = journey.import_roster(ctx, CONSOLE, file, on, datetime.now(UTC))
    for problem in result.problems[:MOST_SHOWN]:
        say(problem.message)
    if len(result.problems) > MOST_SHOWN:
        say(msg("另有 {n} 行有问题，未一一列出。", n=len(result.problems) - MOST_SHOWN))
    if result.generation_id is None:
        say(msg("没有导入：{n} 行不能使用，请改正后重新导入；原花名册不变。", n=len(result.problems)))
        raise click.exceptions.Exit(1)
    _tell(result.findings)
    line = msg(
        "花名册自 {on} 起生效：{people} 人，{postings} 个岗位。",
        on=result.on.isoformat(timespec="minutes"),
        people=result.people,
        postings=result.postings,
    )
    click.echo(line.render(translate()))


@roster.command("list", help=str(msg("按网格列出花名册，缺人的在前。")))
@click.option("--area", help=str(msg("只列这个区划（编码）内的网格。")))
@_AT
def list_(area: str | None, at: str | None) -> None:
    """Every grid with who answers for it."""
    words = translate()
    with opened(read_settings()) as ctx:
        moment = datetime.now(UTC) if at is None else _moment(at, "at", ctx.settings.timezone)
        offset = 0
        while True:
            view = journey.listing(
                ctx, CONSOLE, at=moment, area=area, offset=offset, limit=journey.MOST_LISTED
            )
            for place in view.grids:
                click.echo(_line(view, place).render(words))
            offset += len(view.grids)
            if offset >= view.total or not view.grids:
                return


def _line(view: RosterView, place: StaffedPlace) -> Message:
    chosen = place.answer.chosen
    who: Message | str = msg("无人在岗")
    if chosen is not None:
        person = view.people.get(chosen.person_id)
        who = msg("{title}{name}", title=chosen.title, name="" if person is None else person.name)
    mark: Message | str = "" if place.severity is None else msg("（{force}）", force=_FORCE[place.severity])
    return msg("{code}  {name}  {who}{mark}", code=place.grid.code, name=place.name, who=who, mark=mark)


@roster.command("check", help=str(msg("按本地标准检查花名册；有错误时退出码为 1。")))
@_AT
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help=str(msg("输出格式：text 或 json。")),
)
def check(at: str | None, form: str) -> None:
    """What the roster lacks, each with its clause."""
    with opened(read_settings()) as ctx:
        moment = datetime.now(UTC) if at is None else _moment(at, "at", ctx.settings.timezone)
        findings = journey.check(ctx, CONSOLE, moment)
    if form == "json":
        told = findings_json(findings, {name: translator(name) for name in LANGUAGES})
        click.echo(
            json.dumps({"schema": "gis-server/roster/1", "findings": told}, ensure_ascii=False, indent=1)
        )
    else:
        _tell(findings)
        click.echo(msg("{n} 处不符合。", n=len(findings)).render(translate()))
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise click.exceptions.Exit(1)


@roster.command("template", help=str(msg("写出花名册的空白表格（.xlsx）。")))
@click.option(
    "-o", "--output", "out", required=True, type=click.Path(path_type=Path), help=str(msg("输出文件。"))
)
def template(out: Path) -> None:
    """An empty list to fill in."""
    if out.suffix.lower() != ".xlsx":
        raise UnusableInput(msg("输出文件应为 .xlsx。"), field="output")
    out.write_bytes(journey.template())


def _tell(findings: Sequence[Finding]) -> None:
    for finding in findings[:MOST_SHOWN]:
        line = msg(
            "{force}：{finding}（{clause}）",
            force=_FORCE[finding.severity],
            finding=finding.message,
            clause=_OWN_RULE if finding.clause == BRIEF else finding.clause,
        )
        say(line)
    if len(findings) > MOST_SHOWN:
        say(msg("另有 {n} 处，未一一列出。", n=len(findings) - MOST_SHOWN))


def _moment(text: str, name: str, zone: tzinfo) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnusableInput(
            msg("--{name} 应为日期或时刻，例如 2026-03-01，现为“{given}”。", name=name, given=text),
            field=name,
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)
