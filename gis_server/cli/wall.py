"""``gis-server wall``: a wall as one file."""

from datetime import UTC, datetime
from pathlib import Path

import click

from gis_server.cli import language, translate
from gis_server.cli.opening import opened, read_settings
from gis_server.cli.terminal import say, step
from gis_server.core.access import CONSOLE
from gis_server.core.message import msg


@click.command(help=str(msg("把一个乡镇(街道)或一个网格的网格划分图输出为单个文件，无需网络即可打开。")))
@click.option("--town", metavar="CODE", help=str(msg("乡镇(街道)的区划代码。")))
@click.option("--grid", metavar="CODE", help=str(msg("网格编码。")))
@click.option(
    "-o",
    "out",
    metavar="OUT",
    required=True,
    type=click.Path(path_type=Path),
    help=str(msg("输出文件（.html）。")),
)
def wall(town: str | None, grid: str | None, out: Path) -> None:
    """Write the file and say where it is."""
    from gis_server.journeys.wall_files import make_wall_file  # noqa: PLC0415  (Folium is slow to import)

    with opened(read_settings()) as ctx, step(msg("绘制")):
        make_wall_file(
            ctx,
            CONSOLE,
            out,
            town=town,
            grid=grid,
            language=language(),
            translate=translate(),
            now=datetime.now(UTC),
        )
    say(msg("已写入 {file}。", file=str(out)))
