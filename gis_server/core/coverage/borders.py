"""What patches of ground border on: cells, the parent's border, and each other along one border."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely

from gis_server.core.coverage.case import Case
from gis_server.core.coverage.edges import Floats, Geometries, Hashes, Indices, place_keys
from gis_server.core.coverage.nearness import edges_near, edges_of
from gis_server.core.coverage.residual import group_factor, resolution

AROUND_SHARE = 0.02
"""A grid is named beside a gap when it borders at least this share of the gap's outline."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The cells that patches border on: those of patch i are ``cell[start[i]:start[i + 1]]``, longest border first."""

    cell: Indices
    start: Indices

    def patch(self) -> Indices:
        """The patch of each of ``cell``."""
        return np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))

    def lists(self, count: int) -> list[list[int]]:
        """The cells of each of the first ``count`` patches."""
        at = self.start[: count + 1].tolist()
        cell = self.cell[: at[-1]].tolist()
        return [cell[i:j] for i, j in pairwise(at)]

    def key(self) -> Hashes:
        """One number for each set of cells; 0 for none."""
        total = np.zeros(len(self.start) - 1, dtype=np.uint64)
        np.add.at(total, self.patch(), group_factor(self.cell))
        return total


def beside(case: Case, polygons: Geometries) -> Beside:
    """The cells that border each of the ``polygons``."""
    a, b, owner = edges_of(polygons)
    near = case.ground.boxes_near(polygons) if len(polygons) else np.empty(0, dtype=np.int64)
    near = near[case.active[near]]
    if len(near) == 0:
        return Beside(near, np.zeros(len(polygons) + 1, dtype=np.int64))
    theirs = edges_of(case.polygons[near])
    reach = 4 * resolution(shapely.total_bounds(polygons))
    edge, other = edges_near((a + b) / 2, theirs[0], theirs[1], reach)
    cells = len(case.polygons)
    edge, cell = np.divmod(_distinct(edge * cells + near[theirs[2][other]]), cells)
    length = np.hypot(*(b - a).T)
    key = owner[edge] * cells + cell
    order = np.argsort(key, kind="stable")
    key, first = np.unique(key[order], return_index=True)
    shared = np.add.reduceat(length[edge[order]], first) if len(first) else np.empty(0)
    patch, cell = np.divmod(key, cells)
    total = np.bincount(owner, weights=length, minlength=len(polygons))
    kept = shared >= AROUND_SHARE * total[patch]
    patch, cell, shared = patch[kept], cell[kept], shared[kept]
    order = np.lexsort((cell, -shared, patch))
    start = np.concatenate([[0], np.cumsum(np.bincount(patch, minlength=len(polygons)))])
    return Beside(cell[order], start)


def mouths(case: Case, polygons: Geometries, parent: Indices, reach: float) -> tuple[Floats, Floats]:
    """(length on the border of its ``parent``, length of the outline) of each polygon, in metres; ``reach`` in the data's units."""
    a, b, owner = edges_of(polygons)
    flat = case.plane.project(polygons)
    begin, end = (a, b) if flat is polygons else edges_of(flat)[:2]
    length = np.hypot(*(end - begin).T)
    outline: Floats = np.bincount(owner, weights=length, minlength=len(polygons)).astype(np.float64)
    mouth = np.zeros(len(polygons))
    involved = np.unique(parent[parent >= 0])
    if case.parents is not None and len(involved):
        theirs = edges_of(case.parents.geometry[involved])
        edge, other = edges_near((a + b) / 2, theirs[0], theirs[1], reach)
        edge = _distinct(edge[involved[theirs[2][other]] == parent[owner[edge]]])
        mouth = np.bincount(owner[edge], weights=length[edge], minlength=len(polygons)).astype(np.float64)
    return mouth, outline


def strips(xy: Floats, owner: Indices, border: Hashes) -> Indices:
    """The strip that each patch belongs to: patches of one ``border`` that follow each other, corner to corner.

    ``xy`` (n, 2) are the patches' vertices, ``owner`` the patch of each.
    Where a border is drawn twice, the two lines cross again and again; what lies between them is one strip. A
    ``border`` of 0 is none.
    """
    key = place_keys(xy) + border[owner]
    order = np.argsort(key)
    key, patch = key[order], owner[order]
    meet = (key[1:] == key[:-1]) & (patch[1:] != patch[:-1])
    meet &= (border[patch[1:]] == border[patch[:-1]]) & (border[patch[1:]] != 0)
    return connected(len(border), patch[1:][meet], patch[:-1][meet])


def connected(count: int, one: Indices, other: Indices) -> Indices:
    """For each of ``count`` things the lowest of those it is connected with by pairs (``one``, ``other``)."""
    lowest = np.arange(count)
    while True:
        low = np.minimum(lowest[one], lowest[other])
        after = lowest.copy()
        np.minimum.at(after, lowest[one], low)
        np.minimum.at(after, lowest[other], low)
        while (after[after] != after).any():
            after = after[after]
        if (after == lowest).all():
            return lowest
        lowest = after


def _distinct(values: Indices) -> Indices:
    """The values, ascending, once each."""
    ordered = np.sort(values)
    new = np.concatenate([np.ones(min(len(ordered), 1), dtype=bool), ordered[1:] != ordered[:-1]])
    return np.asarray(ordered[new])
