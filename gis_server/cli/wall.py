"""``gis-server wall``: a wall as a file or on paper."""

from datetime import UTC, datetime
from pathlib import Path

import click

from gis_server.cli import language, translate
from gis_server.cli.opening import opened, read_settings
from gis_server.cli.terminal import say, step
from gis_server.core.access import CONSOLE, Tier
from gis_server.core.message import msg
from gis_server.core.sheet import Orientation, Paper
from gis_server.core.vocabulary import WallPanel
from gis_server.core.wall_wish import ALL, PANELS, TIERS, Asked, Wish


@click.command(
    help=str(
        msg(
            "把一个乡镇(街道)、社区(村)或网格的上墙内容输出为文件：网格划分图、网格成员图、工作流程图、网格服务联系方式。"
            "HTML 无需网络即可打开；PDF 和 PNG 按纸张成图，比例尺准确。"
        )
    )
)
@click.option("--town", metavar="CODE", help=str(msg("乡镇(街道)的区划代码。")))
@click.option("--community", metavar="CODE", help=str(msg("社区(村)的区划代码。")))
@click.option("--grid", metavar="CODE", help=str(msg("网格编码。")))
@click.option(
    "--panel",
    "panels",
    multiple=True,
    type=click.Choice([*PANELS, ALL]),
    help=str(msg("输出哪几图，可给几次；不给则按本地标准的上墙内容。")),
)
@click.option(
    "--paper",
    type=click.Choice([paper.value for paper in Paper], case_sensitive=False),
    default=Paper.A3.value,
    show_default=True,
    help=str(msg("纸张。")),
)
@click.option(
    "--orientation",
    type=click.Choice([way.value for way in Orientation]),
    help=str(msg("横放或竖放；不给则取地图较大的一种。")),
)
@click.option("--board", is_flag=True, help=str(msg("四图合一张（A2 及以上）；不给则每图一页。")))
@click.option(
    "--tier",
    type=click.Choice([tier.key for tier in TIERS]),
    default=Tier.PUBLIC.key,
    show_default=True,
    help=str(msg("公开图纸，或带监控等内部内容的内部图纸。")),
)
@click.option(
    "-o",
    "out",
    metavar="OUT",
    required=True,
    type=click.Path(path_type=Path),
    help=str(msg("输出文件（.html、.pdf 或 .png；多页的 .png 逐页编号）。")),
)
def wall(
    *,
    town: str | None,
    community: str | None,
    grid: str | None,
    panels: tuple[str, ...],
    paper: str,
    orientation: str | None,
    board: bool,
    tier: str,
    out: Path,
) -> None:
    """Write the file and say where it is."""
    from gis_server.journeys.wall_files import kind_of, make_wall_file  # noqa: PLC0415  (Folium is slow to import)

    wish = Wish(
        asked=Asked(town, community, grid),
        kind=kind_of(out),
        panels=_chosen(panels),
        paper=Paper(paper),
        orientation=None if orientation is None else Orientation(orientation),
        board=board,
        tier=Tier[tier.upper()],
    )
    with opened(read_settings()) as ctx, step(msg("绘制")):
        files = make_wall_file(
            ctx, CONSOLE, out, wish, language=language(), translate=translate(), now=datetime.now(UTC)
        )
    for file in files:
        say(msg("已写入 {file}。", file=str(file)))


def _chosen(panels: tuple[str, ...]) -> tuple[WallPanel, ...] | None:
    if not panels:
        return None
    return tuple(PANELS.values()) if ALL in panels else tuple(PANELS[panel] for panel in panels)
