"""``repair``: mend a file of boundaries, without a database."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
import shapely

from gis_server.cli import translate
from gis_server.cli.check import give_out, json_bytes, progress
from gis_server.cli.opening import read_settings
from gis_server.core.coverage.document import findings_json
from gis_server.core.coverage.repair import Level, Limits, Move
from gis_server.core.coverage.repair.merits import Preferences
from gis_server.core.coverage.sentences import figure
from gis_server.core.datum import Datum
from gis_server.core.message import Message, Translate, msg
from gis_server.files.catalogue import load
from gis_server.i18n import LANGUAGES, translator
from gis_server.journeys.boundary_tables import LAYER_OF
from gis_server.journeys.check import AREA, GRID, SUB_GRID, How
from gis_server.journeys.repair import Repaired, Wishes, repair_file

SCHEMA = "gis-server/repair/1"
_FILE = click.Path(path_type=Path)
_METRES = click.FloatRange(min=0)


@click.command(
    help=str(msg("修补网格划分中的缝隙与重叠（只读文件，不用数据库）；文件含多级时，自上而下逐级修补。"))
)
@click.argument("grids", type=_FILE)
@click.option(
    "--layer",
    type=click.Choice([GRID, SUB_GRID, AREA]),
    default=GRID,
    show_default=True,
    help=str(msg("文件是什么：grid 网格，sub_grid 子网格，area 行政区划。")),
)
@click.option("--within", type=_FILE, help=str(msg("网格应当铺满的上级区域（文件）；其边界不动。")))
@click.option("-o", "--out", type=_FILE, required=True, help=str(msg("修补后的网格写入此文件。")))
@click.option(
    "--out-within",
    type=_FILE,
    help=str(msg("上级区域也逐级修补，写入此文件；网格随之修补。不给则上级边界不动。")),
)
@click.option(
    "--max-gap-width",
    type=_METRES,
    default=Limits().max_gap_width,
    show_default=True,
    help=str(msg("不问人就填补的缝隙最大宽度（米）。")),
)
@click.option(
    "--max-overlap-width",
    type=_METRES,
    default=Limits().max_overlap_width,
    show_default=True,
    help=str(msg("不问人就消除的重叠最大宽度（米）。")),
)
@click.option(
    "--divide-from",
    type=_METRES,
    default=Limits().divide_from,
    show_default=True,
    help=str(msg("狭长缝隙宽达此值（米）时沿中线分给两侧，更窄的整条划给一侧。")),
)
@click.option("--priority", metavar="FIELD", help=str(msg("数值字段：数值大的网格保留边界。")))
@click.option("--prefer-filed", "filed", metavar="FIELD", help=str(msg("日期字段：备案早的网格保留边界。")))
@click.option(
    "--exclusive/--no-exclusive",
    default=True,
    show_default=True,
    help=str(msg("专属网格是否优先保留边界。")),
)
@click.option("--addresses", type=_FILE, help=str(msg("标准地址（文件），用来说明每处改动涉及多少户。")))
@click.option("--datum", type=click.Choice([d.value for d in Datum]), help=str(msg("地址坐标的基准。")))
@click.option("--profile", help=str(msg("采用哪一地的标准，如 zhenjiang。")))
@click.option("--crs", help=str(msg("文件的坐标系，如 EPSG:4549；local 表示平面米。")))
@click.option("--encoding", help=str(msg("文字编码，如 GB18030。")))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help=str(msg("说明的格式：text 或 json。")),
)
@click.pass_context
def repair(
    ctx: click.Context,
    /,
    grids: Path,
    *,
    within: Path | None,
    out: Path,
    form: str,
    max_gap_width: float,
    max_overlap_width: float,
    divide_from: float,
    addresses: Path | None,
    out_within: Path | None,
    datum: str | None,
    **given: Any,
) -> None:
    """Mend boundaries; exit code 0 when no error is left, 1 when a person has to decide."""
    prefer = Preferences(**{name: given.pop(name) for name in ("priority", "filed", "exclusive")})
    limits = Limits(max_gap_width, max_overlap_width, divide_from)
    with progress(msg("修补 {file}", file=grids.name)):
        done = repair_file(
            load(read_settings().layers),
            grids,
            within,
            out,
            wishes=Wishes(limits, prefer, addresses, out_within),
            how=How(datum=None if datum is None else Datum(datum), **given),
        )
    content = json_bytes(_as_json(done)) if form == "json" else _as_text(done, translate()).encode()
    give_out(content, None)
    ctx.exit(1 if done.needs_a_person else 0)


def _as_json(done: Repaired) -> dict[str, Any]:
    languages = {name: translator(name) for name in LANGUAGES}
    shapes = np.array([move.polygon for _, move in done.moves], dtype=object)
    if len(shapes):
        shapes = done.to_lonlat(shapes)
    return {
        "schema": SCHEMA,
        "input": asdict(done.source),
        "untouched": done.untouched,
        "moves": [
            _move_json(level, move, shape, languages)
            for (level, move), shape in zip(done.moves, shapes, strict=True)
        ],
        "before": asdict(done.before.summary),
        "summary": asdict(done.after.summary),
        "exact": done.after.certificate is not None and done.after.certificate.exact,
        "levels": [_level_json(level) for level in done.tree.levels],
        "left": findings_json(done.after.findings, languages, done.to_lonlat),
    }


def _level_json(level: Level) -> dict[str, Any]:
    proof = level.after.certificate
    return {
        "layer": LAYER_OF[level.nature],
        "rows": len(level.rows),
        "moves": len(level.moves),
        "errors": level.after.summary.errors,
        "exact": None if proof is None else proof.exact,
    }


def _move_json(
    level: Level, move: Move, shape: shapely.Geometry | None, languages: dict[str, Translate]
) -> dict[str, Any]:
    cells = level.cells
    return {
        "act": move.act.value,
        "layer": LAYER_OF[level.nature],
        "kind": move.finding.kind.value,
        "rule": move.finding.rule,
        "clause": move.finding.clause,
        "from": sorted({cells.row(c.source) for c in move.changes if c.source is not None}),
        "to": sorted({cells.row(c.target) for c in move.changes if c.target is not None}),
        "changes": [
            {
                "from": None if c.source is None else cells.row(c.source),
                "to": None if c.target is None else cells.row(c.target),
                "area_m2": c.area_m2,
            }
            for c in move.changes
        ],
        "rows": sorted(cells.row(r) for r in move.rows),
        "area_m2": move.area_m2,
        "width_m": move.width_m,
        "addresses": move.addresses,
        "households": move.households,
        "confidence": move.confidence,
        "message": {name: move.message.render(words) for name, words in languages.items()},
        "geometry": None if shape is None else shapely.geometry.mapping(shapely.orient_polygons(shape)),
    }


def _as_text(done: Repaired, words: Translate) -> str:
    lines = [_line(move) for _, move in done.moves]
    lines.append(
        msg(
            "共修补 {moves} 处；{same} / {rows} 个网格原样未动。",
            moves=len(done.moves),
            same=done.untouched,
            rows=len(done.cells.geometry),
        )
    )
    before, after = done.before.summary, done.after.summary
    lines.append(
        msg(
            "修补前：缝隙 {gap}、重叠 {overlap}、越界 {outside} 平方米。",
            gap=figure(before.gap_area_m2),
            overlap=figure(before.overlap_area_m2),
            outside=figure(before.outside_area_m2),
        )
    )
    lines.append(
        msg(
            "修补后：缝隙 {gap}、重叠 {overlap}、越界 {outside} 平方米。",
            gap=figure(after.gap_area_m2),
            overlap=figure(after.overlap_area_m2),
            outside=figure(after.outside_area_m2),
        )
    )
    if done.needs_a_person:
        lines.append(msg("还有 {count} 处需要人来决定：", count=len(done.after.errors)))
        lines += [finding.message for finding in done.after.errors]
    return "\n".join(line.render(words) for line in lines) + "\n"


def _line(move: Move) -> Message:
    if not move.addresses:
        return move.message
    if move.households is None:
        return msg("{sentence}涉及 {n} 个地址。", sentence=move.message, n=move.addresses)
    return msg(
        "{sentence}涉及 {n} 个地址、{households} 户。",
        sentence=move.message,
        n=move.addresses,
        households=move.households,
    )
