"""Plan the mending of a coverage: every defect within the limits becomes moves, the rest is left to a person."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import shapely

from gis_server.core.coverage import sentences as told
from gis_server.core.coverage.case import Case
from gis_server.core.coverage.check import Examination, Terms, examine
from gis_server.core.coverage.edges import Flags, Floats, Geometries, Indices, Rings, flatten
from gis_server.core.coverage.facts import Addresses
from gis_server.core.coverage.findings import Finding, Kind, Report
from gis_server.core.coverage.intake import Intake
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.repair.apply import apply, carried_out, concerns
from gis_server.core.coverage.repair.knit import Fabric, fabric
from gis_server.core.coverage.repair.mend import Bench, Granted, mend
from gis_server.core.coverage.repair.moves import (
    DEFAULT_POLICIES,
    Act,
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
from gis_server.core.coverage.residual import strip_width
from gis_server.core.coverage.rules import DEFAULT_RULES, Rules

_FITS = 0.99
"""A parent code is corrected when this share of the cell lies in one other parent, on ground that is free there."""
CRUMB_SHARE = 0.01
"""A detached part up to this share of its cell is a crumb."""
_ROUNDS = 4
_MENDABLE = frozenset(
    {
        Kind.GAP,
        Kind.BAY,
        Kind.OVERLAP,
        Kind.OUTSIDE,
        Kind.OTHER_PARENT_OVERLAP,
        Kind.NEAR_MISS,
        Kind.SUB_GRID_OUTSIDE,
    }
)
"""Kinds of ground that are mended wherever nothing keeps a patch of theirs from it."""


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
    addresses: Addresses | None = None,
    inside_only: bool = False,
    granted: Geometries | None = None,
) -> RepairPlan:
    """Find the moves that mend ``cells``.

    Ground of a parent that none of its cells covers, that several cover, or that a cell covers beyond its parent is
    given to one of them, or divided, as the limits and policies say; vertices that should be one are brought
    together; invalid rings are mended; a parent code is corrected where the place leaves no doubt. Duplicates,
    contained and missing cells, empty rows, codes, and whatever is wider than the limits are left. ``unit_m`` is the
    length in metres of one unit of the coordinates; ``addresses`` tell who lives on the ground that changes hands.
    Cells that are ``inside_only`` (sub-grids) need not fill their parents, so their gaps stay. Ground ``granted`` to
    the parents when these were mended is taken over by their cells whatever its width. Nothing is changed: ``apply``
    does that.
    """

    terms = Terms(rules, tolerance_m2, plane, inside_only=inside_only)

    def examined(given: Cells) -> Examination:
        return examine(given, parents, terms)

    grant = None if granted is None or len(granted) == 0 else Granted(granted)
    how = _How(limits, policies, merits, limits.align / unit_m, grant)
    found = examined(cells)
    moves, left, unsure = _round(cells, found, how)
    before, mended = found.report, cells
    for _ in range(_ROUNDS):
        if not unsure:
            break
        # where much lies on top of each other, ground given away may leave crumbs: they are mended in their turn
        mended = apply(cells, moves)
        found = examined(mended)
        more, left, unsure = _round(mended, found, how)
        if not more:
            break
        moves = (*moves, *more)
    return RepairPlan(moves if addresses is None else _weighed(moves, addresses), left, before)


def _weighed(moves: Sequence[Move], addresses: Addresses) -> tuple[Move, ...]:
    """The moves with the addresses and households on their ground."""
    grounds = [m.polygon if m.changes else None for m in moves]
    at, address = shapely.STRtree(shapely.points(addresses.places)).query(
        np.array(grounds, dtype=object), predicate="intersects"
    )
    count = np.bincount(at, minlength=len(moves))
    known = np.zeros(len(addresses.places))
    if addresses.households is not None:
        known[:] = [0 if v is None else int(v) for v in addresses.households]
    households = np.bincount(at, weights=known[address], minlength=len(moves))
    return tuple(
        replace(
            m,
            addresses=int(count[i]),
            households=None if addresses.households is None else int(households[i]),
        )
        if m.changes
        else m
        for i, m in enumerate(moves)
    )


@dataclass(frozen=True, slots=True)
class _How:
    limits: Limits
    policies: Sequence[Policy]
    merits: Merits
    reach: float
    granted: Granted | None


def _round(cells: Cells, found: Examination, how: _How) -> tuple[tuple[Move, ...], tuple[Finding, ...], bool]:
    """(moves, findings that are left, whether what comes out should be looked at once more)."""
    case, report, polygons = found.case, found.report, found.case.polygons
    above = None if case.parents is None else case.parents.geometry
    parent_of = found.ruled.parent_of
    rings = flatten(polygons)
    twins = _twins(rings, found.intake.usable)
    index_of = {cells.row(i): i for i in range(len(polygons))}
    surveyed = survey(
        polygons,
        rings,
        parent_of,
        above,
        case.active,
        crumbs=_crumbs(case, how.limits.max_overlap_width),
        reach=how.reach,
        plane=case.plane,
    )
    for row, copies in twins.items():
        surveyed.group_of[list(copies)] = surveyed.group_of[row]
    cloth = fabric(polygons, surveyed, twins)
    patches = gather(surveyed.faces, case.plane)
    numbers = findings_of(patches, report.findings, index_of)
    claims = Claims(cells, how.policies, how.merits, _fault(surveyed.net.threads.owner, rings, len(polygons)))
    ground_moves, unsolved = mend(
        Bench(case, cloth, claims, how.limits, report, how.granted), patches, numbers
    )
    planned = [
        *_redrawn(case, found.intake, cloth, report, index_of),
        *_corrected(case, report, index_of, parent_of),
        *ground_moves,
        *_aligned(case, cloth, report, index_of, {row for m in ground_moves for row in m.borders}),
    ]
    moves, dropped, mended = _workable(cells, planned)
    held = {n for i in unsolved for n in numbers[i]}
    given_up = {id(m.finding) for m in dropped}
    done = {id(m.finding) for m in moves}
    left = tuple(
        f
        for n, f in enumerate(report.findings)
        if n in held or id(f) in given_up or (f.kind not in _MENDABLE and id(f) not in done)
    )
    hopeless = {patches[i].group for i in unsolved}
    unsure = bool(moves) and (
        len(_crumbs(replace(case, polygons=mended.geometry), how.limits.max_overlap_width)) > 0
        or _still_open(mended, above, parent_of, moves, hopeless)
    )
    return moves, left, unsure


def _still_open(
    cells: Cells, above: Geometries | None, parent_of: Indices, moves: Sequence[Move], hopeless: set[int]
) -> bool:
    """Whether a group that was mended does not add up, though nothing in it was left."""
    if above is None:
        return True
    touched = {row for m in moves for row in (*m.borders, *m.aligned)}
    groups = {int(parent_of[row]) for row in touched} - hopeless - {-1}
    members = np.flatnonzero(np.isin(parent_of, sorted(groups)))
    sums = np.zeros((len(above), 2), dtype=np.uint64)
    np.add.at(sums, parent_of[members], flatten(cells.geometry[members]).sums)
    wanted = sorted(groups)
    return bool((sums[wanted] != flatten(above[wanted]).sums).any())


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


def _fault(owner: Indices, rings: Rings, count: int) -> Floats:
    mine = np.bincount(owner[owner >= 0], minlength=count)
    edges = np.bincount(rings.owner, weights=np.diff(rings.start) - 1, minlength=count)
    return np.asarray(mine / np.maximum(edges, 1))


def _crumbs(case: Case, widest: float) -> list[tuple[int, shapely.Polygon]]:
    """Detached parts that are narrow and next to nothing beside the rest of their cell."""
    found = []
    several = np.flatnonzero((shapely.get_num_geometries(case.polygons) > 1) & case.active)
    for cell in several.tolist():
        parts = shapely.get_parts(case.polygons[cell])
        flat = case.plane.project(parts)
        area = shapely.area(flat)
        small = (area <= CRUMB_SHARE * area.sum()) & (strip_width(area, shapely.length(flat)) <= widest)
        found += [(cell, part) for part in parts[small & (np.arange(len(parts)) != area.argmax())]]
    return found


def _redrawn(
    case: Case, intake: Intake, cloth: Fabric, report: Report, index_of: dict[int, int]
) -> Iterable[Move]:
    """Rings that were mended for the check stay mended."""
    mended = {f.row for f in intake.flawed if f.mended}
    for finding in report.findings:
        row = index_of[finding.fids[0]] if len(finding.fids) == 1 else -1
        if finding.kind is Kind.INVALID_GEOMETRY and row in mended:
            yield Move(
                act=Act.MEND,
                finding=finding,
                changes=(),
                confidence=0.9,
                message=redrawn(case.name(row)),
                polygon=intake.polygons[row],
                replaced={row: intake.polygons[row]},
                fabric=cloth,
            )


def _corrected(case: Case, report: Report, index_of: dict[int, int], parent_of: Indices) -> Iterable[Move]:
    """Parent codes that the place contradicts without a doubt: the cell fits there, and its own code agrees."""
    codes = case.cells.parent_codes
    if codes is None or case.parents is None or case.parents.codes is None:
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
            act=Act.REPARENT,
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
    return bool(inside >= _FITS * polygon.area and shared <= (1 - _FITS) * polygon.area)


def _aligned(
    case: Case, cloth: Fabric, report: Report, index_of: dict[int, int], redrawn_anyway: set[int]
) -> Iterable[Move]:
    """Vertices brought together, told border by border; those of cells that are redrawn anyway come with that."""
    rest = set(cloth.to_align())
    for finding in report.findings:
        if finding.kind is not Kind.NEAR_MISS:
            continue
        mine = sorted(rest & {index_of[fid] for fid in finding.fids})
        if mine:
            rest -= set(mine)
            yield _alignment(case, cloth, finding, mine)
    for row in sorted(rest - redrawn_anyway):
        finding = case.finding(Kind.NEAR_MISS, [row], told.hair([case.name(row)]))
        yield _alignment(case, cloth, finding, [row])


def _alignment(case: Case, cloth: Fabric, finding: Finding, rows: list[int]) -> Move:
    return Move(
        act=Act.ALIGN,
        finding=finding,
        changes=(),
        confidence=0.99,
        message=aligned([case.name(r) for r in rows]),
        aligned=tuple(rows),
        fabric=cloth,
    )


def _workable(cells: Cells, moves: list[Move]) -> tuple[tuple[Move, ...], list[Move], Cells]:
    """(moves that can all be carried out together, the others, the cells after them)."""
    dropped: list[Move] = []
    while True:
        after, bad = carried_out(cells, tuple(moves))
        if not bad:
            return tuple(moves), dropped, after
        dropped += [m for m in moves if concerns(m, bad)]
        moves = [m for m in moves if not concerns(m, bad)]
