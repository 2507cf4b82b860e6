"""The report that a planner reads: one HTML file, no network, both languages, a map and a list by weight."""

from collections.abc import Mapping
from html import escape

import shapely

from gis_server.core.coverage.document import Input
from gis_server.core.coverage.drawing import Close, Sheet, overview
from gis_server.core.coverage.findings import Finding, Report, Severity
from gis_server.core.coverage.page_style import patterns, style, swatch
from gis_server.core.coverage.sentences import clause, figure
from gis_server.core.coverage.totals import exact_proof, severity_words, totals
from gis_server.core.finding_look import LOOKS, look_of
from gis_server.core.message import Message, Translate, msg

CLOSE_UPS = 300
"""So many findings get a map of their own, worst first; a longer list would be too heavy to mail."""

_FORCE = {severity: place for place, severity in enumerate(Severity)}


def page(report: Report, source: Input, sheet: Sheet, languages: Mapping[str, Translate]) -> str:
    """The report as a self-contained HTML page; the reader switches between the languages without a script."""
    say = _Both(languages)
    found = sorted(report.findings, key=lambda f: (_FORCE[f.severity], -_people(f), -f.area_m2))
    marks = [
        (number, look_of(finding.kind).key, finding.geometry)
        for number, finding in enumerate(found, 1)
        if finding.geometry is not None and number <= CLOSE_UPS
    ]
    close = Close(sheet)
    title = msg("网格划分检查报告：{file}", file=source.file)
    parts = [
        f"<h1>{say(title)}</h1>",
        _totals(report, source, say),
        overview(sheet, marks),
        _legend(found, say),
        *(_article(number, finding, close, say) for number, finding in enumerate(found, 1)),
    ]
    if not found:
        nothing = msg("没有发现问题。")
        parts.append(f"<p>{say(nothing)}</p>")
    return (
        f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title.render())}</title><style>{style()}</style></head><body>"
        f'<input type="radio" name="l" id="zh" checked><label for="zh">中文</label> '
        f'<input type="radio" name="l" id="en"><label for="en">English</label>'
        f"<main>{patterns()}{''.join(parts)}</main></body></html>\n"
    )


class _Both:
    """A sentence in both languages, one of them shown."""

    def __init__(self, languages: Mapping[str, Translate]) -> None:
        self._languages = languages

    def __call__(self, message: Message) -> str:
        return "".join(
            f'<span class="{name}" lang="{name}">{escape(message.render(words))}</span>'
            for name, words in self._languages.items()
        )


def _people(finding: Finding) -> int:
    weight = finding.weight
    return 0 if weight is None else weight.people + weight.addresses + weight.open_incidents


def _totals(report: Report, source: Input, say: _Both) -> str:
    rows = [
        (msg("结论"), _verdict(report)),
        (msg("图形数与坐标系"), msg("{count} 个，{crs}", count=source.features, crs=source.crs)),
        (
            msg("标准与容差"),
            msg(
                "{profile}，{tolerance} 平方米", profile=report.profile, tolerance=figure(report.tolerance_m2)
            ),
        ),
        (msg("合计"), totals(report, source.layer)),
    ]
    if (proof := exact_proof(report, source.layer)) is not None:
        rows.append((msg("证明"), proof))
    return "<table>" + "".join(f"<tr><th>{say(k)}</th><td>{say(v)}</td></tr>" for k, v in rows) + "</table>"


def _legend(found: list[Finding], say: _Both) -> str:
    """The looks that occur, in words."""
    seen = {look_of(finding.kind).key for finding in found}
    entries = "".join(f"<span>{swatch(look)}{say(look.title)}</span>" for look in LOOKS if look.key in seen)
    return f'<div class="legend">{entries}</div>' if entries else ""


def _verdict(report: Report) -> Message:
    summary = report.summary
    if summary.errors:
        return msg(
            "有 {errors} 个错误须改正后才能发布，另有 {warnings} 个警告。",
            errors=summary.errors,
            warnings=summary.warnings,
        )
    if summary.warnings:
        return msg("没有错误；{warnings} 个警告须改正或写明理由。", warnings=summary.warnings)
    return msg("可以发布。")


def _size(finding: Finding) -> Message:
    area = figure(finding.area_m2)
    if finding.width_m > 0:
        return msg("面积 {area} 平方米，平均宽 {width} 米", area=area, width=figure(finding.width_m))
    return msg("面积 {area} 平方米", area=area)


def _article(number: int, finding: Finding, close: Close, say: _Both) -> str:
    shape, drawing = finding.geometry, look_of(finding.kind).key
    drawn = number <= CLOSE_UPS and isinstance(shape, shapely.Geometry) and not shape.is_empty
    facts = [msg("规则 {rule}，依据 {clause}", rule=finding.rule, clause=clause(finding.clause))]
    if finding.area_m2 > 0:
        facts.append(_size(finding))
    weight = finding.weight
    if weight is not None:
        facts.append(
            msg(
                "涉及 {addresses} 个地址、{people} 人、{incidents} 件未办结事件",
                addresses=weight.addresses,
                people=weight.people,
                incidents=weight.open_incidents,
            )
        )
    return (
        f'<article id="f{number}"><div>{close.up(shape, drawing) if drawn and shape is not None else ""}</div><div>'
        f'<b>{number}</b> <span class="tag {finding.severity.value}">{say(severity_words(finding.severity))}</span> '
        f"{say(finding.message)}"
        f'<div class="facts">{"<br>".join(say(fact) for fact in facts)}</div></div></article>'
    )
