"""``repair``: mend a file of grids, without a database."""

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
from gis_server.core.coverage.repair import Limits, Move
from gis_server.core.coverage.sentences import figure
from gis_server.core.message import Translate, msg
from gis_server.files.catalogue import load
from gis_server.i18n import LANGUAGES, translator
from gis_server.journeys.check import How
from gis_server.journeys.repair import Repaired, repair_file

SCHEMA = "gis-server/repair/1"
_FILE = click.Path(path_type=Path)


@click.command(help=str(msg("修补网格划分中的缝隙与重叠（只读文件，不用数据库）。")))
@click.argument("grids", type=_FILE)
@click.option("--within", type=_FILE, help=str(msg("网格应当铺满的上级区域（文件）；其边界不动。")))
@click.option("-o", "--out", type=_FILE, required=True, help=str(msg("修补后的网格写入此文件。")))
@click.option(
    "--max-gap-width",
    type=click.FloatRange(min=0),
    default=Limits().max_gap_width,
    show_default=True,
    help=str(msg("不问人就填补的缝隙最大宽度（米）。")),
)
@click.option(
    "--max-overlap-width",
    type=click.FloatRange(min=0),
    default=Limits().max_overlap_width,
    show_default=True,
    help=str(msg("不问人就消除的重叠最大宽度（米）。")),
)
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
    max_gap_width: float,
    max_overlap_width: float,
    form: str,
    **how: Any,
) -> None:
    """Mend grids; exit code 0 when no error is left, 1 when a person has to decide."""
    with progress(msg("修补 {file}", file=grids.name)):
        done = repair_file(
            load(read_settings().layers),
            grids,
            within,
            out,
            limits=Limits(max_gap_width, max_overlap_width),
            how=How(**how),
        )
    content = json_bytes(_as_json(done)) if form == "json" else _as_text(done, translate()).encode()
    give_out(content, None)
    ctx.exit(1 if done.needs_a_person else 0)


def _as_json(done: Repaired) -> dict[str, Any]:
    languages = {name: translator(name) for name in LANGUAGES}
    shapes = np.array([move.polygon for move in done.plan.moves], dtype=object)
    if len(shapes):
        shapes = done.to_lonlat(shapes)
    return {
        "schema": SCHEMA,
        "input": asdict(done.source),
        "untouched": done.untouched,
        "moves": [
            _move_json(done, move, shape, languages)
            for move, shape in zip(done.plan.moves, shapes, strict=True)
        ],
        "before": asdict(done.plan.before.summary),
        "summary": asdict(done.after.summary),
        "exact": done.after.certificate is not None and done.after.certificate.exact,
        "left": findings_json(done.after.findings, languages, done.to_lonlat),
    }


def _move_json(
    done: Repaired, move: Move, shape: shapely.Geometry | None, languages: dict[str, Translate]
) -> dict[str, Any]:
    cells = done.cells
    return {
        "act": move.act.value,
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
        "confidence": move.confidence,
        "message": {name: move.message.render(words) for name, words in languages.items()},
        "geometry": None if shape is None else shapely.geometry.mapping(shapely.orient_polygons(shape)),
    }


def _as_text(done: Repaired, words: Translate) -> str:
    lines = [move.message for move in done.plan.moves]
    lines.append(
        msg(
            "共修补 {moves} 处；{same} / {rows} 个网格原样未动。",
            moves=len(done.plan.moves),
            same=done.untouched,
            rows=done.source.features,
        )
    )
    before, after = done.plan.before.summary, done.after.summary
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
