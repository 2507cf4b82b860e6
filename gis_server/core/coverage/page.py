"""The report that a planner reads: one HTML file, no network, both languages, a map and a list by weight."""

from collections.abc import Mapping
from html import escape

import shapely

from gis_server.core.coverage.document import Input
from gis_server.core.coverage.drawing import Close, Sheet, overview
from gis_server.core.coverage.findings import Finding, Kind, Report, Severity
from gis_server.core.coverage.sentences import clause, figure
from gis_server.core.message import Message, Translate, msg

CLOSE_UPS = 300
"""So many findings get a map of their own, worst first; a longer list would be too heavy to mail."""

_LABEL = {Severity.ERROR: msg("错误"), Severity.WARNING: msg("警告"), Severity.OPTION: msg("提示")}
_FORCE = {severity: place for place, severity in enumerate(Severity)}
_SHAPE = {
    Kind.GAP: "gap",
    Kind.BAY: "gap",
    Kind.MISSING_CELL: "gap",
    Kind.OVERLAP: "overlap",
    Kind.CONTAINED: "overlap",
    Kind.DUPLICATE_GEOMETRY: "overlap",
    Kind.OUTSIDE: "outside",
    Kind.OTHER_PARENT_OVERLAP: "outside",
    Kind.SUB_GRID_OUTSIDE: "outside",
    Kind.NEAR_MISS: "near",
}
"""How a kind is drawn; the rest is a plain outline."""
_HATCHES = (
    '<svg width="0" height="0" style="position:absolute"><defs>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0V6" stroke="#c2187f" stroke-width="2.5"/></pattern>'
    '<pattern id="cross" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<path d="M0 0V6M0 3H6" stroke="#d06a00" stroke-width="1.6"/></pattern></defs></svg>'
)
_STYLE = """
body{font:15px/1.6 system-ui,"Noto Sans CJK SC","Microsoft YaHei",sans-serif;margin:0 auto;max-width:960px;padding:16px;
color:#17212b;background:#fff;font-variant-numeric:tabular-nums}
h1{font-size:22px;margin:8px 0}table{border-collapse:collapse;margin:8px 0}
td,th{padding:4px 14px 4px 0;text-align:left;vertical-align:top}
svg{background:#f6f7f9;border:1px solid #d5dbe3;max-width:100%;height:auto}
.cell{fill:none;stroke:#7a8896;stroke-width:.6}.parent{fill:none;stroke:#17212b;stroke-width:1.3}
.gap{fill:url(#hatch);stroke:#c2187f}.overlap{fill:url(#cross);stroke:#d06a00}
.outside{fill:none;stroke:#c6401f;stroke-width:2.5}.near{fill:none;stroke:#0b62c4;stroke-width:2;stroke-dasharray:2 3}
.other{fill:none;stroke:#0b62c4;stroke-width:2}circle.mark{fill:#17212b;stroke:#fff;stroke-width:1}
text{font-size:8px;fill:#fff;text-anchor:middle;pointer-events:none}
article{display:grid;grid-template-columns:232px 1fr;gap:12px;border-top:1px solid #d5dbe3;padding:12px 0}
.tag{color:#fff;border-radius:3px;padding:1px 7px;font-size:14px}
.tag.error{background:#a51c1c}.tag.warning{background:#875800}.tag.option{background:#27527c}
.facts{color:#55636f;font-size:14px}.en,#en:checked~main .zh{display:none}#en:checked~main .en{display:revert}
@media print{input,label{display:none}article{break-inside:avoid}}
@media(max-width:600px){article{grid-template-columns:1fr}}
"""


def page(report: Report, source: Input, sheet: Sheet, languages: Mapping[str, Translate]) -> str:
    """The report as a self-contained HTML page; the reader switches between the languages without a script."""
    say = _Both(languages)
    found = sorted(report.findings, key=lambda f: (_FORCE[f.severity], -_people(f), -f.area_m2))
    marks = [
        (number, _SHAPE.get(finding.kind, "other"), finding.geometry)
        for number, finding in enumerate(found, 1)
        if finding.geometry is not None and number <= CLOSE_UPS
    ]
    close = Close(sheet)
    title = msg("网格划分检查报告：{file}", file=source.file)
    parts = [
        f"<h1>{say(title)}</h1>",
        _totals(report, source, say),
        overview(sheet, marks),
        *(_article(number, finding, close, say) for number, finding in enumerate(found, 1)),
    ]
    if not found:
        nothing = msg("没有发现问题。")
        parts.append(f"<p>{say(nothing)}</p>")
    return (
        f'<!doctype html><html lang="zh"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title.render())}</title><style>{_STYLE}</style></head><body>"
        f'<input type="radio" name="l" id="zh" checked><label for="zh">中文</label> '
        f'<input type="radio" name="l" id="en"><label for="en">English</label>'
        f"<main>{_HATCHES}{''.join(parts)}</main></body></html>\n"
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
    summary = report.summary
    rows = [
        (msg("结论"), _verdict(report)),
        (msg("图形数与坐标系"), msg("{count} 个，{crs}", count=source.features, crs=source.crs)),
        (
            msg("标准与容差"),
            msg(
                "{profile}，{tolerance} 平方米", profile=report.profile, tolerance=figure(report.tolerance_m2)
            ),
        ),
        (msg("覆盖率"), msg("{pct}%", pct=f"{summary.coverage_pct:.4f}")),
        (
            msg("缝隙、重叠、越界"),
            msg(
                "{gap}、{overlap}、{outside} 平方米",
                gap=figure(summary.gap_area_m2),
                overlap=figure(summary.overlap_area_m2),
                outside=figure(summary.outside_area_m2),
            ),
        ),
    ]
    proof = report.certificate
    if proof is not None and proof.exact:
        rows.append(
            (
                msg("证明"),
                msg("严丝合缝：{cells} 个网格、{edges} 条边逐位吻合。", cells=proof.cells, edges=proof.edges),
            )
        )
    return "<table>" + "".join(f"<tr><th>{say(k)}</th><td>{say(v)}</td></tr>" for k, v in rows) + "</table>"


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


def _article(number: int, finding: Finding, close: Close, say: _Both) -> str:
    shape, drawing = finding.geometry, _SHAPE.get(finding.kind, "other")
    drawn = number <= CLOSE_UPS and isinstance(shape, shapely.Geometry) and not shape.is_empty
    facts = [
        msg("规则 {rule}，依据 {clause}", rule=finding.rule, clause=clause(finding.clause)),
        msg(
            "面积 {area} 平方米，平均宽 {width} 米",
            area=figure(finding.area_m2),
            width=figure(finding.width_m),
        ),
    ]
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
        f'<b>{number}</b> <span class="tag {finding.severity.value}">{say(_LABEL[finding.severity])}</span> '
        f"{say(finding.message)}"
        f'<div class="facts">{"<br>".join(say(fact) for fact in facts)}</div></div></article>'
    )
