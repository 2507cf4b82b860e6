"""The command line: ``gis-server <command>``.

A command stands in the module named in ``COMMANDS`` and is imported when it is called, so that ``--help`` and
the file commands start quickly. Help texts are zh-CN templates, ``help=str(msg("…"))``, and are translated here
like every other sentence. A GisError becomes its sentence on stderr and exit code 2; anything else is a bug and
keeps its traceback.
"""

import gc
import os
from copy import copy
from importlib import import_module
from typing import Any, NamedTuple, cast

import click

from gis_server.core.errors import GisError
from gis_server.core.message import Message, Translate, msg

GARBAGE = 500_000
"""New objects between two looks for cycles. A check or a plan is millions of small values without a cycle; looking for some as
often as usual takes a quarter of its time."""

_LONG_LIVED = frozenset({"up", "serve"})


class Entry(NamedTuple):
    """Where a command stands (``module:attribute``) and its line in the list of commands."""

    place: str
    summary: Message


COMMANDS: dict[str, Entry] = {
    "up": Entry("up:up", msg("启动自带的 PostGIS，建表，导入示例城市，并提供服务。")),
    "serve": Entry("server:serve", msg("为已有的数据库提供服务。")),
    "db": Entry("server:db", msg("数据库：启动、停止、状态、建表、备份、恢复。")),
    "sample": Entry("sample:sample", msg("生成任意大小的示例城市。")),
    "import": Entry("layers:import_", msg("把文件导入图层：检查、暂存、发布。")),
    "validate": Entry("check:validate", msg("检查网格划分（只读文件，不用数据库）。")),
    "repair": Entry("repair:repair", msg("修补网格划分中的缝隙与重叠（只读文件，不用数据库）。")),
    "route": Entry("route:route", msg("把一批点分到网格。")),
    "reroute": Entry("reroute:reroute", msg("按当日边界重新定位历史事件。")),
    "address": Entry("addresses:address", msg("查标准地址及其所属网格。")),
    "export": Entry("layers:export", msg("把图层导出为文件。")),
    "wall": Entry("wall:wall", msg("把上墙内容输出为 PDF、PNG，或无需网络即可打开的 HTML。")),
    "roster": Entry("roster:roster", msg("花名册：导入、列出、检查。")),
    "user": Entry("users:user", msg("账号：新增、列出、停用。")),
    "incidents": Entry("incidents:incidents", msg("事件：从文件登记，查看时限、提醒与督办，重算暂定时限。")),
    "profile": Entry("profiles:profile", msg("各地标准的规则与数值。")),
}


def language() -> str:
    """The language of the terminal: GIS_LANGUAGE, else the locale's, else zh."""
    from gis_server.i18n import LANGUAGES, language_of  # noqa: PLC0415  (Babel is slow to import)

    given = os.environ.get("GIS_LANGUAGE", "").strip()
    if given in LANGUAGES:
        return given
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
    return language_of(locale)


def translate() -> Translate:
    """The function that turns a template into the terminal's language."""
    from gis_server.i18n import translator  # noqa: PLC0415

    return translator(language())


class Program(click.Group):
    """The commands of ``COMMANDS``, imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Command names in the order of a first day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of a command."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        module, attribute = entry.place.split(":")
        # what importing makes lives as long as the program: the collector need not walk it, now or later
        gc.disable()
        command: click.Command = getattr(import_module(f"gis_server.cli.{module}"), attribute)
        gc.freeze()
        gc.enable()
        if cmd_name not in _LONG_LIVED:
            gc.set_threshold(GARBAGE)
        command.name = cmd_name
        return _translated(command, translate())

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """List the commands without importing them."""
        words = translate()
        with formatter.section(msg("命令").render(words)):
            formatter.write_dl([(name, entry.summary.render(words)) for name, entry in COMMANDS.items()])

    def get_help(self, ctx: click.Context) -> str:
        """The program's own help, in the terminal's language."""
        return click.Group.get_help(cast(Program, _translated(self, translate())), ctx)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; a person's error is one sentence and exit code 2."""
        try:
            return super().invoke(ctx)
        except GisError as error:
            click.echo(error.message.render(translate()), err=True)
            ctx.exit(2)
        except KeyboardInterrupt:
            click.echo(msg("已中止。").render(translate()), err=True)
            ctx.exit(130)


def _translated(command: click.Command, words: Translate) -> click.Command:
    """A copy of ``command`` whose help speaks the terminal's language (the original stays zh-CN)."""
    spoken = copy(command)
    spoken.help = words(command.help) if command.help else command.help
    spoken.short_help = words(command.short_help) if command.short_help else command.short_help
    spoken.params = [copy(parameter) for parameter in command.params]
    for parameter in spoken.params:
        if isinstance(parameter, click.Option) and parameter.help:
            parameter.help = words(parameter.help)
    if isinstance(command, click.Group) and isinstance(spoken, click.Group):
        spoken.commands = {name: _translated(inner, words) for name, inner in command.commands.items()}
    return spoken


@click.group(
    cls=Program,
    help=str(msg("网格化协调指挥中心的 GIS 服务器。")),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="gis-server", prog_name="gis-server")
def main() -> None:
    """The program."""
