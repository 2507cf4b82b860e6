"""The sum of a report in words: what is covered, what is proven, how many findings of which force."""

from gis_server.core.coverage.findings import Report, Severity
from gis_server.core.coverage.sentences import figure
from gis_server.core.message import Message, msg
from gis_server.core.proof import cells_of

SUB_GRID = "sub_grid"
"""The layer that need not fill what it lies in (V8)."""

_SEVERITIES = {Severity.ERROR: msg("错误"), Severity.WARNING: msg("警告"), Severity.OPTION: msg("提示")}


def severity_words(severity: Severity) -> Message:
    """The force of a finding in one word, the same everywhere."""
    return _SEVERITIES[severity]


def totals(report: Report, layer: str = "grid") -> Message:
    """Coverage, and the areas that are wrong."""
    summary = report.summary
    areas = {
        "overlap": figure(summary.overlap_area_m2),
        "outside": figure(summary.outside_area_m2),
        "tolerance": figure(report.tolerance_m2),
    }
    if layer == SUB_GRID:
        return msg(
            "子网格不要求铺满网格；重叠 {overlap}、越界 {outside} 平方米；容差 {tolerance} 平方米。", **areas
        )
    return msg(
        "覆盖率 {pct}%（共 {within} 平方米）；缝隙 {gap}、重叠 {overlap}、越界 {outside} 平方米；容差 {tolerance} 平方米。",
        pct=f"{summary.coverage_pct:.4f}".rstrip("0").rstrip("."),
        within=figure(summary.within_area_m2),
        gap=figure(summary.gap_area_m2),
        **areas,
    )


def exact_proof(report: Report, layer: str = "grid") -> Message | None:
    """That everything fits to the last bit; None where it does not, or nothing says so."""
    proof = report.certificate
    if proof is None or not proof.exact:
        return None
    return msg(
        "严丝合缝：{cells}、{edges} 条边逐位吻合。",
        cells=cells_of(layer, proof.cells),
        edges=f"{proof.edges:,}",
    )
