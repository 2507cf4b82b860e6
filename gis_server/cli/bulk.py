"""``gis-server incidents import``: new reports by the file."""

from datetime import UTC, datetime
from pathlib import Path

import click

from gis_server.cli import language, translate
from gis_server.cli.opening import opened, read_settings
from gis_server.cli.terminal import say, step
from gis_server.core.access import CONSOLE
from gis_server.core.bulk_intake import Defaults
from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import Source
from gis_server.core.message import msg

MOST_SHOWN = 50
"""Rows told on the terminal; of more, the rest are counted."""

_FILE = click.Path(path_type=Path)


@click.command(
    "import", help=str(msg("把 CSV 或 XLSX 的每一行登记为新的事件：定位、起算时限；同一文件重来不会重复。"))
)
@click.argument("file", type=_FILE)
@click.option("--datum", type=click.Choice([d.value for d in Datum]), help=str(msg("点的坐标基准。")))
@click.option(
    "--source",
    type=click.Choice([source.value for source in Source]),
    help=str(msg("没有“来源”一列时，各行的来源。")),
)
@click.option("--encoding", help=str(msg("文字编码，例如 GB18030。")))
@click.option(
    "--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help=str(msg("指定字段对应的列，可多次。"))
)
@click.option("--rejected", "out", type=_FILE, help=str(msg("把需要改正的行写到这个文件（.csv 或 .xlsx）。")))
def import_(  # noqa: PLR0917  (click gives them by name)
    file: Path,
    datum: str | None,
    source: str | None,
    encoding: str | None,
    pairs: tuple[str, ...],
    out: Path | None,
) -> None:
    """Take a file of reports; exit 1 while some rows wait to be corrected."""
    from gis_server.journeys.bulk_incidents import file_to_correct, take_file  # noqa: PLC0415

    if out is not None and out.suffix.lower() not in (".csv", ".xlsx"):
        raise UnusableInput(msg("不能写成 {file}；支持 {known}。", file=out.name, known=(".csv", ".xlsx")))
    defaults = Defaults(
        None if datum is None else Datum(datum), None if source is None else Source(source), _mapping(pairs)
    )
    if not file.is_file():
        raise UnusableInput(msg("找不到文件 {file}。", file=str(file)))
    with opened(read_settings()) as ctx, step(msg("登记")) as show:
        outcome = take_file(
            ctx,
            CONSOLE,
            file,
            defaults=defaults,
            encoding=encoding,
            now=datetime.now(UTC),
            progress=show,
        )
    faults = [fault for rejected in outcome.rejected for fault in rejected.faults]
    for fault in faults[:MOST_SHOWN]:
        say(msg("第 {n} 行：{problem}", n=fault.row, problem=fault.message))
    if len(faults) > MOST_SHOWN:
        say(msg("另有 {n} 处，未一一列出。", n=len(faults) - MOST_SHOWN))
    line = msg(
        "新登记 {added} 起，{known} 行此前已登记，{rejected} 行需要改正。",
        added=len(outcome.added),
        known=len(outcome.known),
        rejected=len(outcome.rejected),
    )
    click.echo(line.render(translate()))
    if not outcome.rejected:
        return
    if out is not None:
        english = language() == "en"
        out.write_bytes(file_to_correct(outcome, out.suffix.lower(), translate(), english=english))
        say(msg("需要改正的行已写到 {file}，改好后原样再次登记。", file=str(out)))
    raise click.exceptions.Exit(1)


def _mapping(pairs: tuple[str, ...]) -> dict[str, str]:
    mapping = {}
    for pair in pairs:
        field, separator, column = pair.partition("=")
        if not separator or not field or not column:
            raise UnusableInput(
                msg("--map 应写成 字段=列名，例如 grid_code=网格编码，现为“{given}”。", given=pair),
                field="map",
            )
        mapping[field.strip()] = column.strip()
    return mapping
