"""Mending areas that hold each other, top down: the border above is law, and what lies within follows when it moves."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import shapely

from gis_server.core.coverage.check import check, worst_first
from gis_server.core.coverage.edges import Geometries, Indices
from gis_server.core.coverage.facts import Addresses
from gis_server.core.coverage.findings import Report, Severity, Summary, count_by_kind
from gis_server.core.coverage.intake import take_in
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.repair.apply import apply
from gis_server.core.coverage.repair.moves import (
    DEFAULT_POLICIES,
    Act,
    Limits,
    Merits,
    Move,
    Policy,
    RepairPlan,
)
from gis_server.core.coverage.repair.plan import plan_repair
from gis_server.core.coverage.repair.stitch import loose_vertices, stitched
from gis_server.core.coverage.rules import DEFAULT_RULES, Rules
from gis_server.core.coverage.tree import depths

_FOLLOWS = 0.5
"""A move follows from the level above when this share of its ground changed hands there."""


class Nature(IntEnum):
    """What a row of a tree is: areas and grids tile what they lie in, sub-grids only lie inside (V8)."""

    AREA = 0
    GRID = 1
    SUB_GRID = 2


@dataclass(frozen=True, slots=True)
class Level:
    """The rows of one nature on one level of a tree, as they were mended.

    ``rows`` are the positions of its ``cells`` in the whole table, ``parents`` the areas above as they came out of
    their own mending, ``moves`` those of the ``plan`` that were carried out, ``after`` the check of the outcome.
    """

    rows: Indices
    cells: Cells
    parents: Parents | None
    nature: Nature
    plan: RepairPlan
    moves: tuple[Move, ...]
    after: Report


@dataclass(frozen=True, slots=True)
class TreeRepair:
    """The levels from the top, and the whole table after all of them: the same rows, untouched ones the same objects."""

    levels: tuple[Level, ...]
    cells: Cells

    @property
    def moves(self) -> tuple[tuple[Level, Move], ...]:
        """What was carried out, from the top."""
        return tuple((level, move) for level in self.levels for move in level.moves)

    @property
    def before(self) -> Report:
        """What was wrong, level by level within the mended level above."""
        return together([level.plan.before for level in self.levels])

    @property
    def after(self) -> Report:
        """What is left."""
        return together([level.after for level in self.levels])


def repair_tree(
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
    natures: Indices | None = None,
    wanted: Callable[[Move], bool] | None = None,
) -> TreeRepair:
    """Mend every level of a table of areas, grids and sub-grids within the mended level above it.

    A row belongs to the row whose code it names, whatever their levels are called: a county without towns may hold
    communities directly. The top level lies within ``parents``, whose border stays, or is mended in itself. Without
    ``natures`` (a Nature a row) all rows are grids or areas. Only moves that are ``wanted`` (by default all) are
    carried out, and those of lower levels that follow from them. Options are those of ``plan_repair``.
    """
    depth = depths(cells)
    kinds = np.full(len(depth), Nature.GRID) if natures is None else natures
    drafts: list[_Draft] = []
    now, gained, changed = cells, no_ground(), no_ground()
    for number in range(int(depth.max(initial=0)) + 1):
        members = depth == number
        before = now
        for nature in Nature:
            rows = np.flatnonzero(members & (kinds == nature))
            if len(rows) == 0:
                continue
            ruled = rules if nature is Nature.GRID else replace(rules, code_digits=None)
            above = parents if number == 0 else _parents_of(now, rows)
            part = _part(now, rows, linked=above is not None)
            plan = plan_repair(
                part,
                above,
                limits=limits,
                policies=policies,
                merits=_merits_of(merits, rows),
                rules=ruled,
                tolerance_m2=tolerance_m2,
                plane=plane,
                unit_m=unit_m,
                addresses=addresses,
                inside_only=nature is Nature.SUB_GRID,
                granted=gained,
            )
            moves = plan.moves if wanted is None else tuple(_chosen(plan.moves, wanted, changed))
            now = _with(now, rows, apply(part, moves))
            if number > 0 and moves:
                now = _stitched_above(now, rows, part.geometry, moves)
            drafts.append(_Draft(number, rows, part, nature, ruled, plan, moves))
        gained, lost = ground_between(before.geometry[members], now.geometry[members])
        changed = np.concatenate([gained, lost])
    levels = []
    for draft in drafts:
        above = parents if draft.number == 0 else _parents_of(now, draft.rows)
        after = draft.plan.before
        if now is not cells:
            after = check(
                _part(now, draft.rows, linked=above is not None),
                above,
                rules=draft.rules,
                tolerance_m2=tolerance_m2,
                plane=plane,
                inside_only=draft.nature is Nature.SUB_GRID,
            )
        levels.append(Level(draft.rows, draft.cells, above, draft.nature, draft.plan, draft.moves, after))
    return TreeRepair(tuple(levels), now)


@dataclass(frozen=True, slots=True)
class _Draft:
    number: int
    rows: Indices
    cells: Cells
    nature: Nature
    rules: Rules
    plan: RepairPlan
    moves: tuple[Move, ...]


def no_ground() -> Geometries:
    """No polygons at all."""
    return np.empty(0, dtype=object)


def _stitched_above(cells: Cells, rows: Indices, before: Geometries, moves: Sequence[Move]) -> Cells:
    """The table with the vertices in which ``rows`` of the moves meet edges of their parents put into all who have those."""
    codes, stated = cells.codes, cells.parent_codes
    if codes is None or stated is None:
        return cells
    index = {code: i for i, code in enumerate(codes) if code}
    parent_of = np.array([index.get(code, -1) for code in stated[rows]], dtype=np.int64)
    above, place = np.unique(parent_of[parent_of >= 0], return_inverse=True)
    linked = np.full(len(rows), -1, dtype=np.int64)
    linked[parent_of >= 0] = place
    usable = shapely.is_valid(cells.geometry[rows]) & ~shapely.is_empty(cells.geometry[rows])
    changed = np.array([a is not b for a, b in zip(cells.geometry[rows], before, strict=True)], dtype=bool)
    changed[[c for move in moves for ch in move.changes for c in (ch.source, ch.target) if c is not None]] = (
        True
    )
    inserts = loose_vertices(cells.geometry[rows], linked, cells.geometry[above], usable, changed)
    return replace(cells, geometry=stitched(cells.geometry, inserts)) if inserts else cells


def ground_between(before: Geometries, after: Geometries) -> tuple[Geometries, Geometries]:
    """(ground that polygons gained, ground that they lost), one polygon each where there is any."""
    moved = np.array([a is not b for a, b in zip(before, after, strict=True)], dtype=bool)
    old = np.array(
        [shapely.Polygon() if p is None else p for p in take_in(before[moved]).polygons], dtype=object
    )
    new = after[moved]
    gained, lost = shapely.difference(new, old), shapely.difference(old, new)
    return gained[~shapely.is_empty(gained)], lost[~shapely.is_empty(lost)]


def together(reports: Sequence[Report]) -> Report:
    """The reports of the levels of a tree as one; the totals are those of the ground below the top.

    The certificate is that of the lowest level that does not come out even, or of the lowest.
    """
    findings = worst_first(f for report in reports for f in report.findings)
    below = [r.summary for r in reports[1:]] or [reports[0].summary]
    within, gaps = sum(s.within_area_m2 for s in below), sum(s.gap_area_m2 for s in below)
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
    proofs = [r.certificate for r in reports if r.certificate is not None]
    proof = next((p for p in proofs if not p.exact), proofs[-1] if proofs else None)
    return Report(findings, summary, reports[0].tolerance_m2, reports[0].profile, proof)


def _chosen(moves: Sequence[Move], wanted: Callable[[Move], bool], changed: Geometries) -> Iterator[Move]:
    """The moves that somebody wants, and those on ground that changed hands a level above."""
    tree = shapely.STRtree(changed) if len(changed) else None
    for move in moves:
        if wanted(move) or (tree is not None and _follows(move, tree)):
            yield move


def _follows(move: Move, changed: shapely.STRtree) -> bool:
    if move.act is Act.ALIGN:
        ground = move.finding.geometry
        return ground is not None and len(changed.query(ground, predicate="intersects")) > 0
    if not move.changes or move.polygon is None:
        return False
    near = changed.query(move.polygon)
    if len(near) == 0:
        return False
    shared = shapely.intersection(move.polygon, shapely.union_all(changed.geometries[near]))
    return bool(shared.area >= _FOLLOWS * move.polygon.area)


def _parents_of(cells: Cells, rows: Indices) -> Parents:
    """The areas that some rows name."""
    codes = np.full(len(cells.geometry), None, dtype=object) if cells.codes is None else cells.codes
    named = set() if cells.parent_codes is None else set(cells.parent_codes[rows]) - {None, ""}
    above = np.flatnonzero([code in named for code in codes])
    return Parents(cells.geometry[above], codes[above])


def _part(cells: Cells, rows: Indices, *, linked: bool) -> Cells:
    numbers = rows if cells.rows is None else cells.rows[rows]
    return Cells(
        geometry=cells.geometry[rows],
        codes=None if cells.codes is None else cells.codes[rows],
        parent_codes=None if cells.parent_codes is None or not linked else cells.parent_codes[rows],
        exclusive=None if cells.exclusive is None else cells.exclusive[rows],
        rows=np.asarray(numbers, dtype=np.int64),
    )


def _with(cells: Cells, rows: Indices, part: Cells) -> Cells:
    """The table with some rows as they came out; itself where nothing did."""
    codes = cells.parent_codes
    if codes is not None and part.parent_codes is not None and (codes[rows] != part.parent_codes).any():
        codes = codes.copy()
        codes[rows] = part.parent_codes
    moved = [a is not b for a, b in zip(cells.geometry[rows], part.geometry, strict=True)]
    if codes is cells.parent_codes and not any(moved):
        return cells
    geometry = cells.geometry.copy()
    geometry[rows] = part.geometry
    return replace(cells, geometry=geometry, parent_codes=codes)


def _merits_of(merits: Merits, rows: Indices) -> Merits:
    return Merits(
        None if merits.priority is None else merits.priority[rows],
        None if merits.filed is None else merits.filed[rows],
    )
