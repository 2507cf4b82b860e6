"""``validate``: plain files, no database."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
import orjson
import shapely

from gis_server.cli import translate
from gis_server.cli.opening import read_settings
from gis_server.cli.terminal import step
from gis_server.core.coverage.document import as_geojson, as_json
from gis_server.core.coverage.drawing import Sheet
from gis_server.core.coverage.page import page
from gis_server.core.coverage.sentences import clause
from gis_server.core.coverage.totals import exact_proof, severity_words, totals
from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.geometry import LOCAL_CRS
from gis_server.core.message import Message, Translate, msg
from gis_server.files.catalogue import load
from gis_server.i18n import LANGUAGES, translator
from gis_server.journeys.check import AREA, GRID, SUB_GRID, How, Validation, validate_files

_FILE = click.Path(path_type=Path)


@click.command(help=str(msg("检查网格划分（只读文件，不用数据库）。")))
@click.argument("grids", type=_FILE)
@click.option(
    "--layer",
    type=click.Choice([GRID, SUB_GRID, AREA]),
    default=GRID,
    show_default=True,
    help=str(msg("文件是什么：grid 网格，sub_grid 子网格，area 行政区划。")),
)
@click.option("--within", type=_FILE, help=str(msg("网格应当铺满的上级区域（文件）；子网格则为其网格。")))
@click.option("--addresses", type=_FILE, help=str(msg("标准地址（文件），用来统计户数并检查归属。")))
@click.option("--datum", type=click.Choice([d.value for d in Datum]), help=str(msg("地址坐标的基准。")))
@click.option("--profile", help=str(msg("采用哪一地的标准，如 zhenjiang。")))
@click.option(
    "--tolerance-m2", type=click.FloatRange(min=0), help=str(msg("面积容差（平方米），默认按标准。"))
)
@click.option("--crs", help=str(msg("文件的坐标系，如 EPSG:4549；local 表示平面米。")))
@click.option("--encoding", help=str(msg("文字编码，如 GB18030。")))
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "geojson", "html"]),
    default="text",
    help=str(msg("输出格式：text、json、geojson 或 html。")),
)
@click.option("-o", "--out", type=_FILE, help=str(msg("写入此文件，默认写到标准输出。")))
@click.pass_context
def validate(
    ctx: click.Context,
    /,
    grids: Path,
    *,
    within: Path | None,
    addresses: Path | None,
    form: str,
    out: Path | None,
    **how: Any,
) -> None:
    """Check grids; exit code 0 without errors, 1 with errors."""
    how["datum"] = None if how["datum"] is None else Datum(how["datum"])
    with progress(msg("检查 {file}", file=grids.name)):
        found = validate_files(load(read_settings().layers), grids, within, addresses, How(**how))
        content = _written(found, form)
    give_out(content, out)
    ctx.exit(1 if found.report.summary.errors else 0)


@contextmanager
def progress(title: Message) -> Iterator[None]:
    """Show that work goes on, to a person at a terminal; a program reading stderr gets errors only."""
    if not sys.stderr.isatty():
        yield
        return
    with step(title):
        yield


def give_out(content: bytes, out: Path | None) -> None:
    """Write to ``out``, whole or not at all, or to stdout."""
    if out is None:
        sys.stdout.buffer.write(content)
        return
    part = out.with_name(out.name + ".part")
    try:
        part.write_bytes(content)
        part.replace(out)
    except OSError as error:
        raise UnusableInput(
            msg("不能写入 {file}：{reason}。", file=str(out), reason=error.strerror or "")
        ) from None


def json_bytes(document: Any) -> bytes:
    """JSON for people and programs."""
    return orjson.dumps(
        document, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE
    )


def _written(found: Validation, form: str) -> bytes:
    if form == "text":
        return _as_text(found, translate()).encode()
    languages = {name: translator(name) for name in LANGUAGES}
    if form == "html":
        sheet = Sheet(found.geometry, found.within, found.stretch)
        return page(found.report, found.source, sheet, languages).encode()
    to_lonlat = None if found.crs == LOCAL_CRS else found.to_lonlat
    document = as_json(found.report, found.source, languages, to_lonlat)
    return json_bytes(as_geojson(document) if form == "geojson" else document)


def _as_text(found: Validation, words: Translate) -> str:
    report, layer, summary = found.report, found.source.layer, found.report.summary
    lines = [totals(report, layer).render(words)]
    if (proof := exact_proof(report, layer)) is not None:
        lines.append(proof.render(words))
    for finding, place in zip(report.findings, _places(found), strict=True):
        line = msg(
            "[{severity} {rule}] {sentence}（{clause}）",
            severity=severity_words(finding.severity),
            rule=finding.rule,
            sentence=finding.message,
            clause=clause(finding.clause),
        )
        lines.append(line.render(words) + place)
    lines.append(
        msg("{errors} 个错误，{warnings} 个警告。", errors=summary.errors, warnings=summary.warnings).render(
            words
        )
    )
    return "\n".join(lines) + "\n"


def _places(found: Validation) -> list[str]:
    """Where each finding can be seen, to be pasted into a map: longitude and latitude, or metres of a local plane."""
    shapes = np.array([finding.geometry for finding in found.report.findings], dtype=object)
    there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
    places = [""] * len(shapes)
    digits = 2 if found.crs == LOCAL_CRS else 6
    points = found.to_lonlat(shapely.point_on_surface(shapes[there]))
    for at, (x, y) in zip(np.flatnonzero(there), shapely.get_coordinates(points), strict=True):
        places[at] = f" @ {x:.{digits}f},{y:.{digits}f}"
    return places
