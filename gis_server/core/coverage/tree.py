"""Checking areas that hold each other: county ⊃ town ⊃ community, levels ragged or not, in one table."""

from dataclasses import replace

import numpy as np

from gis_server.core.coverage.certificate import certify_hierarchy
from gis_server.core.coverage.check import check, worst_first
from gis_server.core.coverage.edges import DEFAULT_SALT, Indices
from gis_server.core.coverage.findings import Report, Severity, Summary, count_by_kind
from gis_server.core.coverage.intake import take_in
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.rules import DEFAULT_RULES, Rules


def check_tree(
    areas: Cells,
    *,
    rules: Rules = DEFAULT_RULES,
    tolerance_m2: float | None = None,
    plane: Plane = Plane(),  # noqa: B008  (frozen: planar metres)
    salt: int = DEFAULT_SALT,
) -> Report:
    """Check every area that names a parent of the same table against it, level by level.

    A county without towns may hold communities directly; siblings are whoever names the same parent. Areas without
    a parent are checked against each other. The totals of the summary are those of the ground below the top.
    """
    depth = depths(areas)
    reports = []
    for level in range(int(depth.max(initial=0)) + 1):
        rows = np.flatnonzero(depth == level)
        cells = _subset(areas, rows)
        if level == 0:
            reports.append(
                check(replace(cells, parent_codes=None), rules=rules, tolerance_m2=tolerance_m2, plane=plane)
            )
            continue
        named = set(cells.parent_codes) if cells.parent_codes is not None else set()
        codes = areas.codes if areas.codes is not None else np.full(len(depth), None, dtype=object)
        above = np.array([i for i in np.flatnonzero(depth == level - 1) if codes[i] in named], dtype=np.int64)
        parents = Parents(areas.geometry[above], codes[above])
        reports.append(check(cells, parents, rules=rules, tolerance_m2=tolerance_m2, plane=plane, salt=salt))
    proof, _ = certify_hierarchy(
        take_in(areas.geometry).polygons, _texts(areas.codes, depth), _texts(areas.parent_codes, depth), salt
    )
    findings = worst_first(f for report in reports for f in report.findings)
    below = [r.summary for r in reports[1:]] or [reports[0].summary]
    within = sum(s.within_area_m2 for s in below)
    gaps = sum(s.gap_area_m2 for s in below)
    summary = Summary(
        coverage_pct=100.0 * (1.0 - gaps / within) if within > 0 else 0.0,
        within_area_m2=within,
        gap_area_m2=gaps,
        overlap_area_m2=sum(r.summary.overlap_area_m2 for r in reports),
        outside_area_m2=sum(s.outside_area_m2 for s in below),
        errors=sum(f.severity is Severity.ERROR for f in findings),
        warnings=sum(f.severity is Severity.WARNING for f in findings),
        by_kind=count_by_kind(findings),
    )
    return Report(findings, summary, reports[0].tolerance_m2, rules.profile, proof)


def depths(areas: Cells) -> Indices:
    """How many known ancestors each area has; a parent code that nobody has, or a circle of codes, counts as none."""
    count = len(areas.geometry)
    if areas.codes is None or areas.parent_codes is None:
        return np.zeros(count, dtype=np.int64)
    index = {code: i for i, code in enumerate(areas.codes) if code}
    parent = [index.get(code, -1) if code else -1 for code in areas.parent_codes]
    depth = np.zeros(count, dtype=np.int64)
    for i in range(count):
        seen, at, steps = {i}, parent[i], 0
        while at >= 0 and at not in seen:
            seen.add(at)
            at, steps = parent[at], steps + 1
        depth[i] = 0 if at >= 0 else steps
    return depth


def _subset(areas: Cells, rows: Indices) -> Cells:
    numbers = rows if areas.rows is None else areas.rows[rows]
    return Cells(
        geometry=areas.geometry[rows],
        codes=None if areas.codes is None else areas.codes[rows],
        parent_codes=None if areas.parent_codes is None else areas.parent_codes[rows],
        rows=np.asarray(numbers, dtype=np.int64),
    )


def _texts(values: np.ndarray | None, depth: Indices) -> list[str | None]:
    return [None] * len(depth) if values is None else [None if v is None else str(v) for v in values]
