"""``gis-server sample``: a made-up city of any size, as files."""

from pathlib import Path

import click

from gis_server.cli.terminal import say, step
from gis_server.core.message import msg
from gis_server.journeys.sample_files import make_sample
from gis_server.sample.city import DEFAULT_SEED


@click.command(
    help=str(
        msg("生成示例城市：DIR/clean 为整洁数据，DIR/as_received 为带已知错误的来件。同一种子得到同一城市。")
    )
)
@click.argument("out", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--seed", type=click.IntRange(min=0), default=DEFAULT_SEED, show_default=True, help=str(msg("随机种子。"))
)
@click.option(
    "--towns", type=click.IntRange(1, 400), default=3, show_default=True, help=str(msg("乡镇（街道）数。"))
)
@click.option(
    "--communities",
    type=click.IntRange(2, 40),
    default=8,
    show_default=True,
    help=str(msg("每个乡镇的社区和村数；约八分之三为村。")),
)
@click.option(
    "--per-household", is_flag=True, help=str(msg("每户一条地址（默认每单元一条），用于压力测试。"))
)
def sample(out: Path, seed: int, towns: int, communities: int, per_household: bool) -> None:
    """Make a sample city."""
    with step(msg("生成示例城市")) as progress:
        city = make_sample(
            out,
            seed=seed,
            towns=towns,
            communities_per_town=communities,
            per_household=per_household,
            progress=progress,
        )
    say(
        msg(
            "已写入 {folder}：乡镇 {towns} 个，网格 {grids} 个，子网格 {sub_grids} 个，地址 {addresses} 条，户数 {households}。",
            folder=str(out),
            towns=towns,
            grids=len(city["grid"]),
            sub_grids=len(city["sub_grid"]),
            addresses=len(city["address"]),
            households=int(city.division.households.sum()),
        )
    )
