"""Plan the mending of a coverage: every defect within the limits becomes moves, the rest is left to a person."""

from collections.abc import Iterable, Sequence

import numpy as np
import shapely

from gis_server.core.coverage import sentences as told
from gis_server.core.coverage.case import Case
from gis_server.core.coverage.check import check
from gis_server.core.coverage.cover import Ground, locate
from gis_server.core.coverage.edges import Flags, Geometries, Indices, Rings, flatten
from gis_server.core.coverage.findings import Finding, Kind, Report
from gis_server.core.coverage.intake import Intake, take_in
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.repair.apply import carried_out, concerns
from gis_server.core.coverage.repair.knit import Fabric, fabric
from gis_server.core.coverage.repair.mend import Bench, mend
from gis_server.core.coverage.repair.moves import (
    DEFAULT_POLICIES,
    Limits,
    Merits,
    Move,
    Policy,
    RepairPlan,
)
from gis_server.core.coverage.repair.patches import findings_of, gather
from gis_server.core.coverage.repair.sentences import aligned, corrected, redrawn
from gis_server.core.coverage.repair.shares import Claims
from gis_server.core.coverage.repair.survey import survey
from gis_server.core.coverage.rules import DEFAULT_RULES, Rules

_FITS = 0.99
"""A parent code is corrected when this share of the cell lies in one other parent, on ground that is free there."""


def plan_repair(
    cells: Cells,
    parents: Parents | None = None,
    *,
    limits: Limits = Limits(),  # noqa: B008  (frozen)
    policies: Sequence[Policy] = DEFAULT_POLICIES,
    merits: Merits = Merits(),  # noqa: B008  (frozen)
    rules: Rules = DEFAULT_RULES,
    tolerance_m2: float | None = None,
    plane: Plane = Plane(),  # noqa: B008  (frozen: planar metres)
    unit_m: float = 1.0,
) -> RepairPlan:
    """Find the moves that mend ``cells``.

    Ground of a parent that none of its cells covers, that several cover, or that a cell covers beyond its parent is
    given to one of them, or divided, as the limits and policies say; vertices that should be one are brought
    together; invalid rings are mended; a parent code is corrected where the place leaves no doubt. Duplicates,
    contained and missing cells, empty rows, codes, and whatever is wider than the limits are left. ``unit_m`` is the
    length in metres of one unit of the coordinates. Nothing is changed: ``apply`` does that.
    """
    report = check(cells, parents, rules=rules, tolerance_m2=tolerance_m2, plane=plane)
    intake = take_in(cells.geometry)
    above = None if parents is None else _sound(parents)
    rings = flatten(intake.polygons)
    twins = _twins(rings, intake.usable)
    active = intake.usable.copy()
    for copies in twins.values():
        active[list(copies)] = False
    index_of = {cells.row(i): i for i in range(len(cells.geometry))}
    parent_of = _parents_by_place(cells, parents, above, intake, report, index_of)
    case = Case(
        cells,
        None if parents is None else Parents(above, parents.codes),
        intake.polygons,
        Ground(intake.polygons),
        active,
        rules,
        report.tolerance_m2,
        plane,
    )
    surveyed = survey(
        intake.polygons, rings, parent_of, above, active, reach=limits.align / unit_m, plane=plane
    )
    for row, copies in twins.items():
        surveyed.group_of[list(copies)] = surveyed.group_of[row]
    cloth = fabric(intake.polygons, surveyed, twins)
    patches = gather(surveyed.faces, plane)
    numbers = findings_of(patches, report.findings, index_of)
    claims = Claims(cells, policies, merits, _fault(surveyed.net.threads.owner, rings, len(cells.geometry)))
    bench = Bench(case, cloth, claims, limits, report, index_of)
    moves = [
        *_redrawn(case, intake, cloth, report, index_of),
        *_corrected(case, report, index_of, parent_of, above),
    ]
    settled = {id(m.finding) for m in moves}
    ground_moves, unsolved = mend(bench, patches, numbers)
    moves += ground_moves
    moves += _aligned(case, cloth, report, index_of)
    moves, dropped = _workable(cells, moves)
    left_numbers = {n for i in unsolved for n in numbers[i]} | {
        n for n, f in enumerate(report.findings) if any(f is m.finding for m in dropped)
    }
    settled |= {
        id(report.findings[n])
        for i, these in enumerate(numbers)
        if i not in unsolved
        for n in these
    }
    settled |= {id(m.finding) for m in moves}
    left = tuple(
        f for n, f in enumerate(report.findings) if id(f) not in settled or n in left_numbers
    )
    return RepairPlan(tuple(moves), left, report)


def _sound(parents: Parents) -> Geometries:
    """Valid parents without the ground that may stay without a cell."""
    polygons = take_in(parents.geometry).polygons
    sound = np.array([shapely.Polygon() if p is None else p for p in polygons], dtype=object)
    holes = parents.declared_holes
    if holes is not None and len(holes):
        sound = shapely.difference(sound, shapely.union_all(holes))
    return sound


def _twins(rings: Rings, usable: Flags) -> dict[int, tuple[int, ...]]:
    """The later rows with the polygon of an earlier one."""
    first: dict[tuple[int, int], int] = {}
    found: dict[int, tuple[int, ...]] = {}
    order = np.lexsort((rings.sums[:, 1], rings.sums[:, 0]))
    same = (rings.sums[order[1:]] == rings.sums[order[:-1]]).all(axis=1)
    again = np.zeros(len(order), dtype=bool)
    again[order[1:][same]] = again[order[:-1][same]] = True
    for row in np.flatnonzero(again & usable).tolist():
        key = (int(rings.sums[row, 0]), int(rings.sums[row, 1]))
        earlier = first.setdefault(key, row)
        if earlier != row:
            found[earlier] = (*found.get(earlier, ()), row)
    return found


def _parents_by_place(
    cells: Cells,
    parents: Parents | None,
    above: Geometries | None,
    intake: Intake,
    report: Report,
    index_of: dict[int, int],
) -> Indices:
    """The parent of each cell: by code, by place where there is none or the check says it is wrong."""
    parent_of = np.full(len(cells.geometry), -1, dtype=np.int64)
    if parents is None or above is None:
        return parent_of
    if parents.codes is not None and cells.parent_codes is not None:
        by_code = {code: i for i, code in enumerate(parents.codes) if code}
        parent_of = np.array([by_code.get(c, -1) for c in cells.parent_codes], dtype=np.int64)
    unplaced = (parent_of < 0) & intake.usable
    for finding in report.findings:
        if finding.kind is Kind.WRONG_PARENT:
            unplaced[[index_of[fid] for fid in finding.fids]] = True
    if unplaced.any():
        parent_of = np.where(unplaced, locate(Ground(above), intake.polygons, unplaced), parent_of)
    return parent_of


def _fault(owner: Indices, rings: Rings, count: int) -> np.ndarray:
    mine = np.bincount(owner[owner >= 0], minlength=count)
    edges = np.bincount(rings.owner, weights=np.diff(rings.start) - 1, minlength=count)
    return np.asarray(mine / np.maximum(edges, 1))


def _redrawn(
    case: Case, intake: Intake, cloth: Fabric, report: Report, index_of: dict[int, int]
) -> Iterable[Move]:
    """Rings that were mended for the check stay mended."""
    mended = {f.row for f in intake.flawed if f.mended}
    for finding in report.findings:
        row = index_of[finding.fids[0]] if len(finding.fids) == 1 else -1
        if finding.kind is Kind.INVALID_GEOMETRY and row in mended:
            yield Move(
                finding=finding,
                changes=(),
                confidence=0.9,
                message=redrawn(case.name(row)),
                polygon=intake.polygons[row],
                replaced={row: intake.polygons[row]},
                fabric=cloth,
            )


def _corrected(
    case: Case, report: Report, index_of: dict[int, int], parent_of: Indices, above: Geometries | None
) -> Iterable[Move]:
    """Parent codes that the place contradicts without a doubt: the cell fits there, and its own code agrees."""
    codes = case.cells.parent_codes
    if above is None or codes is None or case.parents is None or case.parents.codes is None:
        return
    for finding in report.findings:
        if finding.kind is not Kind.WRONG_PARENT:
            continue
        row = index_of[finding.fids[0]]
        actual = case.parents.code(int(parent_of[row]))
        if actual is None or not _fits(case, row, int(parent_of[row])):
            continue
        own, stated = case.cells.code(row), codes[row]
        if own and stated and own.startswith(stated) and not own.startswith(actual):
            continue  # two columns against the place: a person decides
        yield Move(
            finding=finding,
            changes=(),
            confidence=0.95 if own and own.startswith(actual) else 0.8,
            message=corrected(case.name(row), stated, actual),
            parent_code=(row, actual),
        )


def _fits(case: Case, row: int, parent: int) -> bool:
    polygon = case.polygons[row]
    parents = case.parents
    if parents is None or polygon is None:
        return False
    inside = shapely.area(shapely.intersection(polygon, parents.geometry[parent]))
    near = [c for c in shapely.STRtree(case.polygons).query(polygon) if c != row and case.active[c]]
    shared = float(shapely.area(shapely.intersection(case.polygons[near], polygon)).sum()) if near else 0.0
    return inside >= _FITS * polygon.area and shared <= (1 - _FITS) * polygon.area


def _aligned(case: Case, cloth: Fabric, report: Report, index_of: dict[int, int]) -> Iterable[Move]:
    """Vertices brought together, told border by border."""
    rest = set(cloth.to_align())
    for finding in report.findings:
        if finding.kind is not Kind.NEAR_MISS:
            continue
        mine = sorted(rest & {index_of[fid] for fid in finding.fids})
        if mine:
            rest -= set(mine)
            yield _alignment(case, cloth, finding, mine)
    for row in sorted(rest):
        finding = case.finding(Kind.NEAR_MISS, [row], told.hair([case.name(row)]))
        yield _alignment(case, cloth, finding, [row])


def _alignment(case: Case, cloth: Fabric, finding: Finding, rows: list[int]) -> Move:
    return Move(
        finding=finding,
        changes=(),
        confidence=0.99,
        message=aligned([case.name(r) for r in rows]),
        aligned=tuple(rows),
        fabric=cloth,
    )


def _workable(cells: Cells, moves: list[Move]) -> tuple[list[Move], list[Move]]:
    """(moves that can all be carried out together, the others)."""
    dropped: list[Move] = []
    while True:
        _, bad = carried_out(cells, tuple(moves))
        if not bad:
            return moves, dropped
        dropped += [m for m in moves if concerns(m, bad)]
        moves = [m for m in moves if not concerns(m, bad)]
