"""Mending a coverage: a plan of moves, each with its reason, that a person may take or leave one by one.

Policies: the parents' border is law; an exclusive grid keeps its ground; a gap goes to the neighbour with the longest
common border, and is divided between its neighbours where none has half of it; an overlap goes to the grid it is
grown together with most. What is wider than the limits, and what only a person can know (which of two equal rows
is right), is left and said so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import shapely

from gis_server.core.coverage.check import Examination, examine
from gis_server.core.coverage.edges import Geometries
from gis_server.core.coverage.findings import Finding, Kind, Report, Severity
from gis_server.core.coverage.judge import CELL_SHARE, COMPACT, borders_around
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.patches import Patches
from gis_server.core.coverage.redivide import Ruling, redivide
from gis_server.core.coverage.residual import resolution
from gis_server.core.coverage.rules import DEFAULT_RULES, Rules
from gis_server.core.message import Message, msg

DIVIDE_SHARE = 0.45
"""A gap is divided when no neighbour borders this share of its outline."""


class Act(StrEnum):
    """What a move does."""

    FILL = "fill"  # a gap becomes part of a neighbour
    DIVIDE = "divide"  # a gap is shared out among its neighbours
    YIELD = "yield"  # an overlap stays with one of the two
    CARVE = "carve"  # an exclusive grid is cut out of the one it lies on
    WITHDRAW = "withdraw"  # a part outside the parent goes
    MEND = "mend"  # an invalid ring is rebuilt
    REPARENT = "reparent"  # the parent's code is put right


@dataclass(frozen=True, slots=True)
class Limits:
    """The widest patches (m) that are mended without asking."""

    gap_width_m: float = 1.0
    overlap_width_m: float = 1.0


@dataclass(frozen=True, slots=True)
class Move:
    """One step of the plan: ``ground`` (in the data's coordinates) goes from rows to rows, or a code is put right.

    ``confidence`` is 1 where the policies leave no choice and smaller the closer the choice was.
    """

    act: Act
    kind: Kind
    giving: tuple[int, ...]
    taking: tuple[int, ...]
    area_m2: float
    width_m: float
    confidence: float
    reason: Message
    ground: shapely.Geometry | None = None
    parent_code: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """The moves for a coverage, and the findings that are a person's to decide."""

    moves: tuple[Move, ...]
    left: tuple[Finding, ...]
    examination: Examination
    plane: Plane

    def apply(self, chosen: Iterable[int] | None = None) -> Cells:
        """The cells after the chosen moves (by number; all of them by default).

        Untouched cells are the very same objects, every row stays. A move is undone by applying the others.
        """
        case = self.examination.case
        moves = self.moves if chosen is None else tuple(self.moves[i] for i in sorted(set(chosen)))
        geometry = np.array(case.cells.geometry, dtype=object)
        for move in moves:
            if move.act is Act.MEND:
                geometry[list(move.taking)] = case.polygons[list(move.taking)]
        rulings = [
            Ruling(move.ground, move.taking, move.giving, divide=move.act is Act.DIVIDE)
            for move in moves
            if move.ground is not None
        ]
        base = case.polygons.copy()
        base[~case.active] = None
        for row, polygon in redivide(base, self.examination.border, rulings).items():
            geometry[row] = polygon
        parent_codes = None if case.cells.parent_codes is None else case.cells.parent_codes.copy()
        if parent_codes is not None:
            for move in moves:
                if move.act is Act.REPARENT:
                    parent_codes[list(move.taking)] = move.parent_code
        return Cells(geometry, case.cells.codes, parent_codes, case.cells.exclusive, case.cells.rows)


def plan(
    cells: Cells,
    parents: Parents | None = None,
    *,
    limits: Limits = Limits(),
    rules: Rules = DEFAULT_RULES,
    plane: Plane = Plane(),  # noqa: B008  (frozen)
) -> Plan:
    """Work out how to mend ``cells``; nothing is changed before ``Plan.apply``."""
    found = examine(cells, parents, rules=rules, plane=plane)
    planner = _Planner(found, limits)
    moves = [
        *planner.mendings(),
        *planner.reparentings(),
        *planner.gaps(found.ruled.gaps),
        *planner.withdrawals(found.ruled.outside),
        *planner.overlaps(found.ruled.overlaps),
    ]
    return Plan(tuple(moves), tuple(_left(found.report, moves)), found, plane)


class _Planner:
    """Policies applied to the patches of one examination."""

    def __init__(self, found: Examination, limits: Limits) -> None:
        self.found = found
        self.case = found.case
        self.limits = limits

    def mendings(self) -> Iterable[Move]:
        for flaw in self.found.intake.flawed:
            if flaw.mended and flaw.flaw == "invalid":
                reason = msg("{cell} 的环线按有效图形重建。", cell=self.case.name(flaw.row))
                yield Move(Act.MEND, Kind.INVALID_GEOMETRY, (), (flaw.row,), 0.0, 0.0, 0.9, reason)

    def reparentings(self) -> Iterable[Move]:
        """A code is put right only where the cell's own code agrees with the place."""
        codes = self.case.cells.codes
        for row in map(int, self.found.ruled.misplaced):
            actual = self.case.parent_name(int(self.found.ruled.parent_of[row]))
            if actual is None or codes is None or not str(codes[row] or "").startswith(actual):
                continue
            reason = msg(
                "{cell} 的编码和图形都在 {parent}，改正上级代码。", cell=self.case.name(row), parent=actual
            )
            yield Move(
                Act.REPARENT, Kind.WRONG_PARENT, (), (row,), 0.0, 0.0, 0.95, reason, parent_code=actual
            )

    def gaps(self, gaps: Patches) -> Iterable[Move]:
        if self.case.inside_only:
            return
        for i, borders in enumerate(borders_around(self.case, gaps.polygon)):
            area, width = float(gaps.area[i]), float(gaps.width[i])
            # ground of one parent goes to that parent's own grids
            own = [
                (row, share)
                for row, share in borders
                if gaps.first[i] < 0 or self.found.ruled.parent_of[row] == gaps.first[i]
            ]
            ordinary = [pair for pair in own if not self._is_exclusive(pair[0])] or own
            small = area <= self.case.tolerance_m2
            if not ordinary or (not small and width > self.limits.gap_width_m):
                continue
            if not small and self._looks_like_a_cell(area, width, [row for row, _ in ordinary]):
                continue
            (best, share) = ordinary[0]
            if share < DIVIDE_SHARE and len(ordinary) > 1 and not small:
                rows = tuple(row for row, _ in ordinary)
                reason = msg("缝隙狭长，没有一个网格占其边界的大半，由相邻网格就近分担。")
                yield Move(Act.DIVIDE, Kind.GAP, (), rows, area, width, 0.7, reason, gaps.polygon[i])
                continue
            rest = ordinary[1][1] if len(ordinary) > 1 else 0.0
            reason = msg("缝隙划给公共边界最长的 {cell}。", cell=self.case.name(best))
            sure = 0.5 + 0.5 * (share - rest) / max(share, 1e-12)
            yield Move(Act.FILL, Kind.GAP, (), (best,), area, width, sure, reason, gaps.polygon[i])

    def withdrawals(self, outside: Patches) -> Iterable[Move]:
        for i, row in enumerate(map(int, outside.first)):
            area, width = float(outside.area[i]), float(outside.width[i])
            whole = area > 0.5 * float(self.case.plane.area(self.case.polygons[[row]])[0])
            if whole or (area > self.case.tolerance_m2 and width > self.limits.overlap_width_m):
                continue
            reason = msg("{cell} 退回到上级边界以内：上级边界不动。", cell=self.case.name(row))
            yield Move(Act.WITHDRAW, Kind.OUTSIDE, (row,), (), area, width, 1.0, reason, outside.polygon[i])

    def overlaps(self, overlaps: Patches) -> Iterable[Move]:
        parent_of = self.found.ruled.parent_of
        for i, (one, other) in enumerate(zip(overlaps.first.tolist(), overlaps.second.tolist(), strict=True)):
            area, width = float(overlaps.area[i]), float(overlaps.width[i])
            if parent_of[one] != parent_of[other]:
                continue  # whoever is outside withdraws
            sizes = self.case.plane.area(self.case.polygons[[one, other]])
            patch = overlaps.polygon[i]
            exclusive = [self._is_exclusive(c) for c in (one, other)]
            if exclusive[0] != exclusive[1]:
                keeper, giver = (one, other) if exclusive[0] else (other, one)
                if area >= 0.99 * sizes[0 if exclusive[1] else 1]:
                    continue  # the ordinary grid would vanish
                reason = msg(
                    "专属网格 {keeper} 优先，从 {giver} 中挖出。",
                    keeper=self.case.name(keeper),
                    giver=self.case.name(giver),
                )
                yield Move(
                    Act.CARVE,
                    Kind.CONTAINED if area >= 0.99 * sizes.min() else Kind.OVERLAP,
                    (giver,),
                    (keeper,),
                    area,
                    width,
                    0.9,
                    reason,
                    patch,
                )
                continue
            small = area <= self.case.tolerance_m2
            if area >= 0.5 * sizes.min() or (not small and width > self.limits.overlap_width_m):
                continue
            grown = self._grown_together(patch, one, other)
            keeper, giver = (one, other) if grown >= 0.5 else (other, one)
            reason = msg(
                "重叠部分留给与它连得更长的 {keeper}，{giver} 退出。",
                keeper=self.case.name(keeper),
                giver=self.case.name(giver),
            )
            yield Move(
                Act.YIELD,
                Kind.OVERLAP,
                (giver,),
                (keeper,),
                area,
                width,
                0.5 + abs(grown - 0.5),
                reason,
                patch,
            )

    def _grown_together(self, patch: shapely.Geometry, one: int, other: int) -> float:
        """The share of the patch's outline that runs along ``other``'s border: there it is joined to ``one``."""
        xy = shapely.get_coordinates(patch)
        middle, length = (xy[1:] + xy[:-1]) / 2, np.hypot(*(xy[1:] - xy[:-1]).T)
        reach = 4 * resolution(shapely.total_bounds(patch))
        lengths = []
        for cell in (other, one):
            border = shapely.boundary(self.case.polygons[cell])
            shapely.prepare(border)
            lengths.append(float(length[shapely.dwithin(border, shapely.points(middle), reach)].sum()))
        return lengths[0] / max(sum(lengths), 1e-300)

    def _looks_like_a_cell(self, area: float, width: float, rows: Sequence[int]) -> bool:
        typical = float(np.median(self.case.plane.area(self.case.polygons[list(rows)])))
        return area >= CELL_SHARE * typical and width >= COMPACT * np.sqrt(area)

    def _is_exclusive(self, cell: int) -> bool:
        exclusive = self.case.cells.exclusive
        return exclusive is not None and bool(exclusive[cell])


def _left(report: Report, moves: Sequence[Move]) -> Iterable[Finding]:
    """Errors on ground (or parents) that no move is about."""
    grounds = [m.ground for m in moves if m.ground is not None]
    tree = shapely.STRtree(np.array(grounds, dtype=object)) if grounds else None
    handled = {(m.kind, row) for m in moves for row in m.taking if m.ground is None}
    for finding in report.findings:
        if finding.severity is not Severity.ERROR or any(
            (finding.kind, row) in handled for row in finding.fids
        ):
            continue
        if finding.kind in _GROUND and tree is not None and finding.geometry is not None:
            inner = shapely.point_on_surface(finding.geometry)
            if len(tree.query(inner, predicate="intersects")):
                continue
        yield finding


_GROUND = frozenset(
    {
        Kind.GAP,
        Kind.BAY,
        Kind.MISSING_CELL,
        Kind.OVERLAP,
        Kind.CONTAINED,
        Kind.OUTSIDE,
        Kind.OTHER_PARENT_OVERLAP,
    }
)


def untouched(before: Geometries, after: Geometries) -> int:
    """How many geometries are the very same to the last bit."""
    return sum(
        a is b or (a is not None and b is not None and a.wkb == b.wkb)
        for a, b in zip(before, after, strict=True)
    )
