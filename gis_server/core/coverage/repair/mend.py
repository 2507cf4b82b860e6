"""From patches of disputed ground to moves: who gets it, what that changes, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import hypot

import numpy as np
import shapely

from gis_server.core.coverage.case import Case
from gis_server.core.coverage.edges import Floats, Geometries
from gis_server.core.coverage.findings import Finding, Kind, Report
from gis_server.core.coverage.repair import sentences
from gis_server.core.coverage.repair.border import Edge, as_segments, rings_of
from gis_server.core.coverage.repair.knit import Fabric
from gis_server.core.coverage.repair.moves import Act, Change, Limits, Move, Policy
from gis_server.core.coverage.repair.patches import Patch
from gis_server.core.coverage.repair.shares import LONG_AND_THIN, Claims, divided
from gis_server.core.coverage.residual import strip_width
from gis_server.core.message import Message

MOST_LOSS = 0.5
"""No cell gives up more than this share of its ground: then the cell itself is in question."""
_KIND = {"gap": Kind.GAP, "overlap": Kind.OVERLAP, "outside": Kind.OUTSIDE, "crumb": Kind.MULTIPART}
_UNDECIDED = frozenset({Kind.CONTAINED, Kind.DUPLICATE_GEOMETRY})


class Granted:
    """Ground that the parents got when they were mended: their cells follow, whatever its width."""

    def __init__(self, ground: Geometries) -> None:
        self._ground = ground
        self._tree = shapely.STRtree(ground)

    def rest_of(self, ground: shapely.Geometry) -> shapely.Geometry:
        """The part of some ground that was not granted."""
        near = self._tree.query(ground)
        return ground if len(near) == 0 else shapely.difference(ground, shapely.union_all(self._ground[near]))


@dataclass(slots=True)
class Bench:
    """What the mending of one coverage works with; ``lost`` counts what each cell has given up (m²)."""

    case: Case
    fabric: Fabric
    claims: Claims
    limits: Limits
    report: Report
    granted: Granted | None = None
    lost: dict[int, float] = field(default_factory=dict)
    size: dict[int, float] = field(default_factory=dict)

    def area(self, cell: int) -> float:
        """The cell's own area in m²."""
        if cell not in self.size:
            self.size[cell] = float(self.case.plane.area(self.case.polygons[[cell]])[0])
        return self.size[cell]

    def can_spare(self, cell: int, area: float) -> bool:
        """Whether the cell may lose so much more."""
        return self.lost.get(cell, 0.0) + area <= MOST_LOSS * self.area(cell)

    def take(self, cell: int, area: float) -> None:
        """Note a loss."""
        self.lost[cell] = self.lost.get(cell, 0.0) + area

    def own_width(self, patch: Patch) -> float:
        """How wide (m) the part of a gap is that was one before any ground was granted to the parent."""
        if self.granted is None:
            return patch.width
        rest = np.array([self.granted.rest_of(patch.polygon)], dtype=object)
        flat = self.case.plane.project(rest)
        return float(strip_width(shapely.area(flat), shapely.length(flat))[0])

    def finding(self, patch: Patch, told: Sequence[int]) -> Finding:
        """The finding that the check told, or one made for ground that it told as part of another."""
        if told:
            return self.report.findings[told[0]]
        kind = _KIND[patch.nature]
        if kind is not Kind.MULTIPART and patch.area <= self.case.tolerance_m2:
            kind = Kind.NEAR_MISS
        return self.case.finding(
            kind,
            patch.cells,
            Message(""),
            geometry=patch.polygon,
            area=patch.area,
            width=patch.width,
        )


def mend(
    bench: Bench, patches: Sequence[Patch], told: Sequence[Sequence[int]]
) -> tuple[list[Move], set[int]]:
    """(moves, numbers of patches that are left)."""
    moves: list[Move] = []
    left: set[int] = set()
    handlers = {"gap": _gap, "overlap": _overlap, "outside": _outside, "crumb": _crumb}
    for i, patch in enumerate(patches):
        kinds = {bench.report.findings[n].kind for n in told[i]}
        finding = bench.finding(patch, told[i])
        move = handlers[patch.nature](bench, patch, kinds, finding)
        if move is not None:
            moves.append(move)
        elif patch.nature != "gap" or not bench.case.inside_only:  # sub-grids need not fill their grid
            left.add(i)
    return moves, left


def _sides(bench: Bench, patch: Patch) -> tuple[dict[Edge, int], dict[int, float]]:
    """(the cell beyond each edge of a patch, how long each cell's side is)."""
    beyond: dict[Edge, int] = {}
    length: dict[int, float] = {}
    bearer = bench.fabric.survey.bearer
    for a, b in patch.edges:
        cells = bearer.get((patch.group, (b, a)))
        if cells:
            cell = min(cells)
            beyond[a, b] = cell
            length[cell] = length.get(cell, 0.0) + hypot(a[0] - b[0], a[1] - b[1])
    return beyond, length


def _gap(bench: Bench, patch: Patch, kinds: set[Kind], finding: Finding) -> Move | None:
    limits = bench.limits
    own = bench.own_width(patch)
    hair = limits.align if own < patch.width else 0.0
    if own > limits.max_gap_width or (own > hair and (Kind.MISSING_CELL in kinds or bench.case.inside_only)):
        return None
    beyond, length = _sides(bench, patch)
    if not length:
        return None
    ranked = sorted(length, key=lambda c: (-round(length[c], 6), c))
    thin = patch.length >= LONG_AND_THIN * patch.width
    if len(ranked) > 1 and thin and patch.width >= limits.divide_from:
        shares = divided(patch.rings, beyond)
        if shares is not None:
            return _divided(bench, patch, finding, shares)
    target, why = ranked[0], sentences.because(Policy.LONGEST_EDGE)
    if patch.width < limits.divide_from and len(ranked) > 1:
        rivals = [c for c in ranked[:2] if length[c] >= 0.25 * length[ranked[0]]]
        if len(rivals) == 2:
            standing = bench.claims.first(rivals)
            stays = standing[0] if standing else bench.claims.sounder(rivals)
            target = next(c for c in rivals if c != stays)
            why = sentences.beside(bench.case.name(stays))
    segments = as_segments(patch.rings)
    return Move(
        act=Act.FILL,
        finding=finding,
        changes=(Change(None, target, patch.area),),
        confidence=_confidence(own, limits.max_gap_width),
        message=sentences.filled(bench.case.name(target), patch.area, patch.width, why),
        polygon=patch.polygon,
        width_m=patch.width,
        borders={target: segments},
        fabric=bench.fabric,
    )


def _divided(bench: Bench, patch: Patch, finding: Finding, shares: list[tuple[int, shapely.Polygon]]) -> Move:
    pieces: dict[int, list[Floats]] = {}
    ground: dict[int, float] = {}
    areas = bench.case.plane.area(np.array([piece for _, piece in shares], dtype=object))
    for (cell, piece), area in zip(shares, areas.tolist(), strict=True):
        pieces.setdefault(cell, []).append(as_segments(rings_of(piece)))
        ground[cell] = ground.get(cell, 0.0) + area
    return Move(
        act=Act.DIVIDE,
        finding=finding,
        changes=tuple(Change(None, cell, area) for cell, area in sorted(ground.items())),
        confidence=_confidence(patch.width, bench.limits.max_gap_width),
        message=sentences.divided([bench.case.name(c) for c in sorted(ground)], patch.area, patch.width),
        polygon=patch.polygon,
        width_m=patch.width,
        borders={cell: np.concatenate(parts) for cell, parts in pieces.items()},
        fabric=bench.fabric,
    )


def _overlap(bench: Bench, patch: Patch, kinds: set[Kind], finding: Finding) -> Move | None:
    exclusive = bench.case.cells.exclusive if Policy.EXCLUSIVE in bench.claims.policies else None
    carve = exclusive is not None and sum(bool(exclusive[c]) for c in patch.cells) == 1
    if not carve and (kinds & _UNDECIDED or patch.width > bench.limits.max_overlap_width):
        return None
    winner, why = _keeper(bench, patch)
    losers = [c for c in patch.cells if c != winner]
    if not all(bench.can_spare(c, patch.area) for c in losers):
        return None
    for cell in losers:
        bench.take(cell, patch.area)
    names = [bench.case.name(c) for c in losers]
    return Move(
        act=Act.CARVE if carve else Act.YIELD,
        finding=finding,
        changes=tuple(Change(c, winner, patch.area) for c in losers),
        confidence=0.95 if carve else _confidence(patch.width, bench.limits.max_overlap_width),
        message=sentences.kept(bench.case.name(winner), names, patch.area, patch.width, why),
        polygon=patch.polygon,
        width_m=patch.width,
        borders={c: as_segments(patch.rings, outward=True) for c in losers},
        fabric=bench.fabric,
    )


def _keeper(bench: Bench, patch: Patch) -> tuple[int, Message]:
    """The cell that keeps an overlap, and why."""
    standing = bench.claims.first(patch.cells)
    if standing is not None:
        return standing[0], sentences.because(standing[1])
    bearer = bench.fabric.survey.bearer
    rivals = _meeting_the_parent(bench, patch)
    if len(rivals) == 1:
        return rivals[0], sentences.meeting()
    if patch.width < bench.limits.divide_from:
        keeper = bench.claims.sounder(rivals)
        return keeper, sentences.beside(bench.case.name(keeper))
    held: dict[int, float] = dict.fromkeys(rivals, 0.0)
    for a, b in patch.edges:
        here = set(bearer.get((patch.group, (a, b)), ()))
        for cell in rivals:
            if cell not in here:  # another's border, inside this cell
                held[cell] += hypot(a[0] - b[0], a[1] - b[1])
    keeper = min(held, key=lambda c: (-round(held[c], 6), c))
    return keeper, sentences.because(Policy.LONGEST_EDGE)


def _meeting_the_parent(bench: Bench, patch: Patch) -> list[int]:
    """The claimants whose borders meet the parent's at a vertex of it; all of them where none or every one does."""
    of = bench.fabric
    astray: set[int] = set()
    for a, b in patch.edges:
        along = of.run.get((patch.group, (a, b) if a <= b else (b, a)), set())
        cut = (of.off.get((patch.group, a), set()) | of.off.get((patch.group, b), set())) - along
        here = of.survey.bearer.get((patch.group, (a, b)), ())
        if len(here) == 1 and any(of.owner(t) < 0 for t in cut):
            astray.update(here)
    return [c for c in patch.cells if c not in astray] or list(patch.cells)


def _outside(bench: Bench, patch: Patch, _: set[Kind], finding: Finding) -> Move | None:
    if not all(bench.can_spare(c, patch.area) for c in patch.cells):
        return None
    for cell in patch.cells:
        bench.take(cell, patch.area)
    first = patch.cells[0]
    share = max(patch.area / max(bench.area(c), 1e-9) for c in patch.cells)
    return Move(
        act=Act.WITHDRAW,
        finding=finding,
        changes=tuple(Change(c, None, patch.area) for c in patch.cells),
        confidence=round(max(0.5, 0.98 - share), 2),
        message=sentences.clipped(
            bench.case.name(first), bench.case.parent_name(patch.group), patch.area, patch.width
        ),
        polygon=patch.polygon,
        width_m=patch.width,
        borders={c: as_segments(patch.rings, outward=True) for c in patch.cells},
        fabric=bench.fabric,
    )


def _crumb(bench: Bench, patch: Patch, _: set[Kind], finding: Finding) -> Move | None:
    """A small detached part goes to the neighbour that it is joined to most."""
    (cell,) = patch.cells
    length = _sides(bench, patch)[1]
    length.pop(cell, None)
    if not length or not bench.can_spare(cell, patch.area):
        return None
    bench.take(cell, patch.area)
    target = min(length, key=lambda c: (-round(length[c], 6), c))
    return Move(
        act=Act.JOIN,
        finding=finding,
        changes=(Change(cell, target, patch.area),),
        confidence=_confidence(patch.width, bench.limits.max_overlap_width),
        message=sentences.joined(bench.case.name(cell), bench.case.name(target), patch.area, patch.width),
        polygon=patch.polygon,
        width_m=patch.width,
        borders={cell: as_segments(patch.rings, outward=True), target: as_segments(patch.rings)},
        fabric=bench.fabric,
    )


def _confidence(width: float, limit: float) -> float:
    """Near certain for a hair, one half at the limit."""
    return round(0.98 - 0.48 * min(1.0, width / limit) if limit > 0 else 0.5, 2)
