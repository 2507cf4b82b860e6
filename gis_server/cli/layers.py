"""``gis-server import`` and ``gis-server export``."""

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from gis_server.cli import translate
from gis_server.cli.opening import opened, read_settings
from gis_server.cli.terminal import Progress, say, step
from gis_server.core.access import CONSOLE
from gis_server.core.coverage.findings import Severity
from gis_server.core.coverage.totals import severity_words
from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.message import Message, msg
from gis_server.core.proof import proof_of
from gis_server.journeys import layers as journey
from gis_server.journeys.layers import ImportResult, Stage

MOST_SHOWN = 50
"""Rows and findings told on the terminal; of more, the rest are counted."""

STAGE_TITLES: dict[Stage, Message] = {
    Stage.READING: msg("读取文件"),
    Stage.CHECKING: msg("检查"),
    Stage.STAGING: msg("入库"),
}


class _Steps:
    """One line of progress for each stage of an import."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._stage: Stage | None = None
        self._show: Progress | None = None

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        if stage is not self._stage:
            self._open.close()
            self._show = self._open.enter_context(step(STAGE_TITLES[stage]))
            self._stage = stage
        if self._show is not None:
            self._show(done, total)

    def __enter__(self) -> "_Steps":
        return self

    def __exit__(self, *error: object) -> None:
        self._open.__exit__(*error)  # type: ignore[arg-type]


def _parse_mapping(pairs: tuple[str, ...]) -> dict[str, str]:
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


@click.command(help=str(msg("把文件导入图层：检查并暂存；没有错误、每一行都可用时立即发布。")))
@click.argument("layer")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--crs", help=str(msg("坐标参考系，例如 EPSG:4549；优先于文件自带的说明。")))
@click.option("--encoding", help=str(msg("文字编码，例如 GB18030。")))
@click.option("--datum", type=click.Choice([datum.value for datum in Datum]), help=str(msg("点的坐标基准。")))
@click.option(
    "--map", "pairs", multiple=True, metavar="FIELD=COLUMN", help=str(msg("指定字段对应的列，可多次。"))
)
@click.option("--department", help=str(msg("这是哪个部门自己的划分（部门图层）。")))
@click.option("--legal-basis", help=str(msg("部门图层作为网格所依据的法律条文。")))
@click.option(
    "--accept-warnings", metavar="REASON", help=str(msg("写明理由，接受检查提出的全部警告，以便发布。"))
)
@click.option("--stage", "mode", flag_value="stage", help=str(msg("只暂存，不发布。")))
@click.option(
    "--publish", "mode", flag_value="publish", help=str(msg("发布，即使有些行不能使用（有错误时除外）。"))
)
def import_(  # noqa: PLR0917  (click gives them by name)
    layer: str,
    file: Path,
    crs: str | None,
    encoding: str | None,
    datum: str | None,
    pairs: tuple[str, ...],
    department: str | None,
    legal_basis: str | None,
    accept_warnings: str | None,
    mode: str | None,
) -> None:
    """Import a file into a layer."""
    if accept_warnings is not None and mode == "stage":
        raise UnusableInput(
            msg("--accept-warnings 用于发布，不能与 --stage 同时使用。"), field="accept_warnings"
        )
    mapping = _parse_mapping(pairs)
    with opened(read_settings()) as ctx, _Steps() as steps:
        result = journey.import_layer(
            ctx,
            CONSOLE,
            layer,
            file,
            crs=crs,
            encoding=encoding,
            datum=None if datum is None else Datum(datum),
            mapping=mapping,
            publish=mode != "stage",
            despite_rejected=mode == "publish",
            accept_warnings=accept_warnings,
            department=department,
            legal_basis=legal_basis,
            now=datetime.now(UTC),
            progress=steps,
        )
    _tell(result)
    if result.held_back is not None or any(f.severity is Severity.ERROR for f in result.findings):
        raise click.exceptions.Exit(1)


def _tell(result: ImportResult) -> None:
    words = translate()
    for note in result.notes:
        say(note)
    for problem in result.problems[:MOST_SHOWN]:
        say(problem.message)
    if len(result.problems) > MOST_SHOWN:
        say(msg("另有 {n} 行有问题，未一一列出。", n=len(result.problems) - MOST_SHOWN))
    for finding in result.findings[:MOST_SHOWN]:
        force = severity_words(finding.severity)
        say(msg("{force}：{finding}", force=force, finding=finding.message))
    if len(result.findings) > MOST_SHOWN:
        say(msg("另有 {n} 处，未一一列出。", n=len(result.findings) - MOST_SHOWN))
    rejected = sum(problem.rejected for problem in result.problems)
    if result.generation is None:
        line = msg("已加入 {n} 条记录，{rejected} 行未能使用。", n=result.added, rejected=rejected)
    elif result.generation.state is GenerationState.PUBLISHED:
        line = msg(
            "已发布第 {id} 代，共 {n} 个要素，{rejected} 行未能使用。",
            id=result.generation.id,
            n=result.added,
            rejected=rejected,
        )
    else:
        line = msg(
            "已暂存为第 {id} 代，共 {n} 个要素，{rejected} 行未能使用；尚未发布。",
            id=result.generation.id,
            n=result.added,
            rejected=rejected,
        )
    click.echo(line.render(words))
    if result.generation is None:
        return
    if proof := proof_of(result.generation):
        say(proof)
    if result.held_back is not None:
        say(result.held_back)
        _tell_the_way_on(result.generation)


def _tell_the_way_on(held: Generation) -> None:
    if held.errors:
        return
    if held.open_warnings:
        say(msg('改正后重新导入；或加 --accept-warnings "理由"，写明理由后发布。'))
    if held.rejected:
        say(msg("改正后重新导入；或加 --publish，不带这些行发布。"))


@click.command(help=str(msg("把图层导出为 .gpkg .shp.zip .geojson .fgb .csv .parquet 文件。")))
@click.argument("layer")
@click.option(
    "-o", "--output", "out", required=True, type=click.Path(path_type=Path), help=str(msg("输出文件。"))
)
@click.option("--at", help=str(msg("导出这一时刻生效的数据，例如 2026-03-01T00:00:00+08:00；默认是现在。")))
def export(layer: str, out: Path, at: str | None) -> None:
    """Write a layer to a file."""
    from gis_server.journeys import exports  # noqa: PLC0415  (an import need not load what writes files)

    now = datetime.now(UTC)
    moment = now if at is None else _parse_time(at)
    with opened(read_settings()) as ctx:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ctx.settings.timezone)
        with step(msg("导出")):
            done = exports.export_layer(ctx, CONSOLE, layer, out, at=moment, now=now)
    for note in done.notes:
        say(note)
    click.echo(msg("已写出 {n} 个要素到 {file}。", n=done.rows, file=str(out)).render(translate()))


def _parse_time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise UnusableInput(
            msg("--at 应为时间，例如 2026-03-01T00:00:00+08:00，现为“{given}”。", given=text), field="at"
        ) from None
