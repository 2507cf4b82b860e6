"""Findings that other rules make of the same layer, put into its report: the roster's (V14), a department's layer (V12)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import shapely

from gis_server.core.coverage.check import worst_first
from gis_server.core.coverage.findings import Finding, Kind, Report, Severity, count_by_kind
from gis_server.core.message import msg

_OF_BORDERS = frozenset(
    {Kind.GAP, Kind.BAY, Kind.MISSING_CELL, Kind.OUTSIDE, Kind.WRONG_PARENT, Kind.CODE_PREFIX}
)
"""What new areas can make wrong with grids that were sound in the former ones."""


def joined(report: Report, more: Iterable[Finding]) -> Report:
    """The report with more findings, in order and counted."""
    added = tuple(more)
    if not added:
        return report
    findings = worst_first((*report.findings, *added))
    summary = replace(
        report.summary,
        errors=sum(f.severity is Severity.ERROR for f in findings),
        warnings=sum(f.severity is Severity.WARNING for f in findings),
        by_kind=count_by_kind(findings),
    )
    return replace(report, findings=findings, summary=summary)


def on_the_ground(findings: Iterable[Finding], of_code: Mapping[str, shapely.Geometry]) -> list[Finding]:
    """Findings that know a code but no place, each with the ground of its first code, so that a map can show it."""
    return [
        f if f.geometry is not None or not f.codes else replace(f, geometry=of_code.get(f.codes[0]))
        for f in findings
    ]


def no_longer_fitting(grids: Report) -> tuple[Finding, ...]:
    """What a check of the grids in force against areas that are to replace the present ones means for those areas.

    Areas come first in law (a redivision is decided above, and the grids and their codes follow, heilongjiang 6.4.4), so
    this is a warning of the areas: it has to be accepted with a reason, and nothing is refused for good. Only what borders
    and codes of areas can bring about is told; ``fids`` are empty, for no row of the areas is named.
    """
    return tuple(
        replace(
            finding,
            severity=Severity.WARNING,
            fids=(),
            message=msg("生效的网格与新区划不再吻合：{problem}", problem=finding.message),
        )
        for finding in grids.findings
        if finding.severity is Severity.ERROR and finding.kind in _OF_BORDERS
    )
