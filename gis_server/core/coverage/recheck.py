"""Checking again after an edit, at the cost of the edit: the same for a thousand cells and a hundred thousand."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import shapely
from rtree import index

from gis_server.core.coverage.case import Case
from gis_server.core.coverage.cover import Ground
from gis_server.core.coverage.edges import DEFAULT_SALT, Floats, Indices, Rings, flatten, sum_by
from gis_server.core.coverage.findings import Finding
from gis_server.core.coverage.intake import take_in
from gis_server.core.coverage.judge import judge
from gis_server.core.coverage.layer import Cells, Parents, Plane
from gis_server.core.coverage.patches import residual_faces, rule
from gis_server.core.coverage.residual import resolution, unmatched
from gis_server.core.coverage.rules import DEFAULT_RULES, Rules


@dataclass(frozen=True, slots=True)
class Rechecked:
    """What an edit changed: findings gone, findings new, and the parents that its cells tile exactly or not."""

    gone: tuple[Finding, ...]
    new: tuple[Finding, ...]
    open_parents: frozenset[int]

    @property
    def exact(self) -> bool:
        """Whether every parent is tiled to the last bit after the edit."""
        return not self.open_parents


class Standing:
    """A coverage that is being edited, with its sums, its findings about ground and an index that changes in place.

    ``parent_of`` is the parent of each cell by number. The first ``findings`` come from a full check; an edit looks
    only at the cells whose boxes meet the box of what changed, widened to the findings that it touches.
    """

    def __init__(
        self,
        cells: Cells,
        parent_of: Indices,
        parents: Parents,
        findings: tuple[Finding, ...] = (),
        *,
        rules: Rules = DEFAULT_RULES,
        plane: Plane = Plane(),  # noqa: B008  (frozen)
        salt: int = DEFAULT_SALT,
    ) -> None:
        self.geometry = take_in(cells.geometry).polygons
        self._cells, self._parent_of, self._parents = cells, parent_of, parents
        self._rules, self._plane, self._salt = rules, plane, salt
        rings = flatten(self.geometry, salt)
        self._sums = rings.sums
        self._parent_sums = [
            flatten(parents.geometry[[p]], salt).sums[0] for p in range(len(parents.geometry))
        ]
        self._totals = sum_by(rings.sums, parent_of, len(parents.geometry))
        self.open_parents = {p for p, own in enumerate(self._parent_sums) if (self._totals[p] != own).any()}
        self._index = _rtree(shapely.bounds(self.geometry))
        self._parent_index = _rtree(shapely.bounds(parents.geometry))
        self.findings = [f for f in findings if f.geometry is not None and f.area_m2 > 0]

    def edit(self, changes: Mapping[int, shapely.Geometry]) -> Rechecked:
        """Put new polygons in place of those of some rows and tell what that changes."""
        rows = np.array(sorted(changes), dtype=np.int64)
        given = np.array([changes[int(r)] for r in rows], dtype=object)
        after = take_in(given).polygons
        before = self.geometry[rows]
        window = shapely.total_bounds(np.concatenate([before, after]))
        self._replace(rows, before, after)
        window, gone = self._widened(window)
        new = self._look(window)
        told = {id(f) for f in gone}
        self.findings = [f for f in self.findings if id(f) not in told] + new
        return Rechecked(tuple(gone), tuple(new), frozenset(self.open_parents))

    def _replace(self, rows: Indices, before: np.ndarray, after: np.ndarray) -> None:
        sums = flatten(after, self._salt).sums
        for row, old, new, total in zip(rows.tolist(), before, after, sums, strict=True):
            if old is not None:
                self._index.delete(row, old.bounds)
            if new is not None:
                self._index.insert(row, new.bounds)
            parent = int(self._parent_of[row])
            if parent >= 0:
                self._totals[parent] += total - self._sums[row]
                self.open_parents.discard(parent)
                if (self._totals[parent] != self._parent_sums[parent]).any():
                    self.open_parents.add(parent)
            self._sums[row] = total
            self.geometry[row] = new

    def _widened(self, window: Floats) -> tuple[Floats, list[Finding]]:
        """The window with the findings that it touches, and these."""
        reach = 4 * resolution(window)
        touched: list[Finding] = []
        rest = list(self.findings)
        while True:
            area = shapely.box(*window).buffer(reach, join_style="mitre")
            hit = [
                f for f in rest if f.geometry is not None and area.intersects(shapely.box(*f.geometry.bounds))
            ]
            if not hit:
                return window, touched
            touched += hit
            told = {id(f) for f in hit}
            rest = [f for f in rest if id(f) not in told]
            window = shapely.total_bounds(
                np.array([shapely.box(*window), *(f.geometry for f in hit)], dtype=object)
            )

    def _look(self, window: Floats) -> list[Finding]:
        rows = np.array(sorted(self._index.intersection(tuple(window))), dtype=np.int64)
        above = np.array(sorted(self._parent_index.intersection(tuple(window))), dtype=np.int64)
        polygons, grounds = self.geometry[rows], self._parents.geometry[above]
        number = {int(p): i for i, p in enumerate(above)}
        parent_of = np.array([number.get(int(p), -1) for p in self._parent_of[rows]], dtype=np.int64)
        active = np.asarray(~shapely.is_missing(polygons))
        case = Case(
            self._subset(rows),
            Parents(grounds, None if self._parents.codes is None else self._parents.codes[above]),
            polygons,
            Ground(polygons),
            active,
            self._rules,
            self._rules.tolerance_m2,
            self._plane,
        )
        rings, parent_rings = flatten(polygons, self._salt), flatten(grounds, self._salt)
        edges, parent_edges = unmatched(
            rings, parent_of, parent_rings, np.ones(len(above), dtype=bool), active
        )
        # farther out an edge lacks its partner only because that was not looked at
        edges, parent_edges = _meeting(rings, edges, window), _meeting(parent_rings, parent_edges, window)
        found = residual_faces(rings, edges, parent_rings, parent_edges, self._plane)
        ruled = rule(case, found, Ground(grounds), parent_of, rings=rings, unmatched=edges)
        return list(judge(case, ruled))

    def _subset(self, rows: Indices) -> Cells:
        cells = self._cells
        return Cells(
            geometry=self.geometry[rows],
            codes=None if cells.codes is None else cells.codes[rows],
            parent_codes=None if cells.parent_codes is None else cells.parent_codes[rows],
            exclusive=None if cells.exclusive is None else cells.exclusive[rows],
            rows=rows if cells.rows is None else cells.rows[rows],
        )


def _rtree(bounds: Floats) -> index.Index:
    """An index of boxes; rows without a box are left out."""
    known = np.flatnonzero(np.isfinite(bounds).all(axis=1))
    if len(known) == 0:
        return index.Index()
    return index.Index((int(i), tuple(bounds[i]), None) for i in known)


def _meeting(rings: Rings, edges: Indices, window: Floats) -> Indices:
    """The edges whose box meets the window."""
    a, b = rings.xy[edges], rings.xy[edges + 1]
    low, high = np.minimum(a, b), np.maximum(a, b)
    return edges[((low <= window[2:]) & (high >= window[:2])).all(axis=1)]
