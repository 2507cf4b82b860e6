"""``gis-server route``: a file of points, each to its grid."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from gis_server.cli import translate
from gis_server.cli.opening import opened, read_settings
from gis_server.cli.terminal import say, step
from gis_server.core.access import CONSOLE
from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import parse_time
from gis_server.core.message import msg
from gis_server.core.routing import Match
from gis_server.files.catalogue import load
from gis_server.journeys.route_addresses import route_addresses
from gis_server.journeys.route_files import How, RoutedFile, route_by_grid_file, route_by_store

MOST_SHOWN = 50
"""Rows told on the terminal; of more, the rest are counted."""

_FILE = click.Path(path_type=Path)


@click.command(help=str(msg("把一批点分到网格：用 --grids 的文件（不用数据库），或用已发布的网格。")))
@click.argument("points", type=_FILE)
@click.option("--grids", type=_FILE, help=str(msg("网格文件；不给则用数据库中已发布的网格。")))
@click.option("--code", help=str(msg("网格文件中网格编码的列名。")))
@click.option("--lon", help=str(msg("点文件中经度（或 x）的列名。")))
@click.option("--lat", help=str(msg("点文件中纬度（或 y）的列名。")))
@click.option(
    "--address",
    help=str(msg("表格中地址的列名：按地址而不是坐标分；不能确定的行只列出候选，不分。")),
)
@click.option("--accuracy", help=str(msg("点文件中定位精度（95% 半径，米）的列名；默认 accuracy_m。")))
@click.option("--datum", type=click.Choice([d.value for d in Datum]), help=str(msg("点的坐标基准。")))
@click.option("--at", help=str(msg("按这一时刻生效的网格，例如 2026-03-01T00:00:00+08:00；默认是现在。")))
@click.option("--crs", help=str(msg("点文件的坐标系，如 EPSG:4549；local 表示平面米。")))
@click.option("--grids-crs", help=str(msg("网格文件的坐标系，优先于文件自带的说明。")))
@click.option("--encoding", help=str(msg("文字编码，例如 GB18030。")))
@click.option(
    "-o",
    "--output",
    "out",
    required=True,
    type=_FILE,
    help=str(msg("输出文件：.csv、.xlsx、.gpkg、.shp、.shp.zip、.geojson 或 .fgb。")),
)
def route(  # noqa: PLR0917  (click gives them by name)
    points: Path,
    grids: Path | None,
    code: str | None,
    lon: str | None,
    lat: str | None,
    address: str | None,
    accuracy: str | None,
    datum: str | None,
    at: str | None,
    crs: str | None,
    grids_crs: str | None,
    encoding: str | None,
    out: Path,
) -> None:
    """Route points; the output has the input's columns and the answer's, in the input's order."""
    if address is not None:
        others = {"--grids": grids, "--code": code, "--lon": lon, "--lat": lat, "--accuracy": accuracy}
        others |= {"--datum": datum, "--crs": crs, "--grids-crs": grids_crs}
        _by_address(points, out, address, encoding, at=parse_time(at, "at"), others=others)
        return
    how = How(crs, encoding, None if datum is None else Datum(datum), lon, lat, accuracy, code, grids_crs)
    moment = parse_time(at, "at")
    if grids is not None:
        if moment is not None:
            raise UnusableInput(msg("--at 用于已发布的网格，不能与 --grids 一起用。"), field="at")
        with step(msg("定位到网格")) as show:
            found = route_by_grid_file(
                load(read_settings().layers), points, grids, out, how=how, progress=show
            )
    else:
        if code is not None or grids_crs is not None:
            raise UnusableInput(msg("--code 与 --grids-crs 要与 --grids 一起用。"), field="grids")
        with opened(read_settings()) as ctx, step(msg("定位到网格")) as show:
            found = route_by_store(
                ctx, CONSOLE, points, out, how=how, at=moment or datetime.now(UTC), progress=show
            )
    _tell(found, out)


def _by_address(
    points: Path,
    out: Path,
    column: str,
    encoding: str | None,
    *,
    at: datetime | None,
    others: Mapping[str, object],
) -> None:
    for name, given in others.items():
        if given is not None:
            raise UnusableInput(msg("--address 不能与 {other} 一起用。", other=name), field="address")
    with opened(read_settings()) as ctx, step(msg("按地址定位到网格")) as show:
        found = route_addresses(
            ctx,
            CONSOLE,
            points,
            out,
            column=column,
            encoding=encoding,
            at=at or datetime.now(UTC),
            progress=show,
        )
    for note in found.notes[:MOST_SHOWN]:
        say(note)
    line = msg(
        "已写出 {file}：找到 {exact}，有几个同样符合 {ambiguous}，没有完全一致 {no_exact_match}，没有找到 {none}。",
        file=str(out),
        **{verdict.value: count for verdict, count in found.by_verdict.items()},
    )
    click.echo(line.render(translate()))


def _tell(found: RoutedFile, out: Path) -> None:
    for note in found.notes[:MOST_SHOWN]:
        say(note)
    for problem in found.problems[:MOST_SHOWN]:
        say(problem)
    if len(found.problems) > MOST_SHOWN:
        say(msg("另有 {n} 行有问题，未一一列出。", n=len(found.problems) - MOST_SHOWN))
    if found.warning is not None:
        say(found.warning)
    counts = {match.value: found.by_match.get(match, 0) for match in Match}
    line = msg(
        "已写出 {file}：网格内 {inside}，靠近边界 {border}，网格外就近 {near}，网格外 {outside}，不可用 {unusable}。",
        file=str(out),
        unusable=len(found.problems),
        **counts,
    )
    click.echo(line.render(translate()))
