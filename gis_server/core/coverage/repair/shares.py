"""Who gets ground: the policies, and long thin gaps divided along their middle."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import hypot

import numpy as np
import shapely

from gis_server.core.coverage.edges import Floats
from gis_server.core.coverage.layer import Cells
from gis_server.core.coverage.repair.border import Border, Edge, Point, edges_of, polygon_of, rings_of
from gis_server.core.coverage.repair.moves import Merits, Policy

LONG_AND_THIN = 6.0
"""A gap so many times longer than wide is divided."""
SIDE_SHARE = 0.15
"""A neighbour has a side of a gap when it borders this share of what any cell borders."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What the policies rest on; ``fault`` is the share of each cell's edges that have no partner."""

    cells: Cells
    policies: Sequence[Policy]
    merits: Merits
    fault: Floats

    def first(self, cells: Sequence[int]) -> tuple[int, Policy] | None:
        """The cell whose border stands by a policy about the cells themselves, and that policy."""
        for policy in self.policies:
            standing = [(self._standing(policy, c), c) for c in cells]
            best = min(s for s, _ in standing)
            winners = [c for s, c in standing if s == best]
            if len(winners) == 1 and policy is not Policy.LONGEST_EDGE:
                return winners[0], policy
        return None

    def sounder(self, cells: Sequence[int]) -> int:
        """The cell whose border agrees best with its neighbours' elsewhere; the first row where that is equal."""
        return min(cells, key=lambda c: (round(float(self.fault[c]), 9), c))

    def _standing(self, policy: Policy, cell: int) -> tuple[int, str | float]:
        if policy is Policy.EXCLUSIVE and self.cells.exclusive is not None:
            return (0 if self.cells.exclusive[cell] else 1, 0.0)
        if policy is Policy.PRIORITY and self.merits.priority is not None:
            rank = float(self.merits.priority[cell])
            return (1, 0.0) if np.isnan(rank) else (0, -rank)
        if policy is Policy.FILED and self.merits.filed is not None:
            date = self.merits.filed[cell]
            return (0, str(date)) if date else (1, "")
        return (0, 0.0) if policy is not Policy.FILED else (0, "")


def divided(rings: list[list[Point]], sides: Mapping[Edge, int]) -> list[tuple[int, shapely.Polygon]] | None:
    """A gap in pieces along its middle, each with the cell whose side it lies on; None where it cannot be divided.

    ``rings`` bound the gap (on their left), ``sides`` gives the cell beyond each edge. The middle runs through the
    midpoints of a triangulation and ends at vertices that are there already.
    """
    gap = polygon_of(rings)
    if not isinstance(gap, shapely.Polygon) or not gap.is_valid:
        return None
    labels = _labels(rings, sides)
    if len(set(labels.values())) < 2:
        return None
    at: dict[Point, set[int]] = {}
    for (a, b), cell in labels.items():
        at.setdefault(a, set()).add(cell)
        at.setdefault(b, set()).add(cell)
    middle = _middle_lines(gap, at, {_ordered(a, b) for a, b in labels})
    if not middle:
        return None
    outline = [shapely.LineString(edge) for edge in labels]
    lines = [shapely.LineString(line) for line in dict.fromkeys(middle)]
    pieces = shapely.get_parts(shapely.polygonize(np.array([*outline, *lines], dtype=object)))
    found = []
    sum_of = Border()
    for piece in pieces:
        edges = [e for ring in rings_of(piece) for e in edges_of(ring)]
        for a, b in edges:
            sum_of.add(a, b)
        owners = {labels[e] for e in edges if e in labels}
        if len(owners) != 1:
            return None
        found.append((owners.pop(), piece))
    # nothing of the gap may be lost: the pieces add up to its own edges
    for a, b in labels:
        sum_of.add(b, a)
    return None if sum_of.count else found


def _labels(rings: list[list[Point]], sides: Mapping[Edge, int]) -> dict[Edge, int]:
    """The side of every edge: short ends and edges that no cell bears go with the edge before them."""
    length: dict[int, float] = {}
    for (a, b), cell in sides.items():
        length[cell] = length.get(cell, 0.0) + hypot(a[0] - b[0], a[1] - b[1])
    enough = SIDE_SHARE * sum(length.values())
    real = {cell for cell, total in length.items() if total >= enough}
    labels: dict[Edge, int] = {}
    for ring in rings:
        edges = list(edges_of(ring))
        known = [sides.get(e, -1) if sides.get(e, -1) in real else -1 for e in edges]
        if all(k < 0 for k in known):
            known = [min(real)] * len(edges) if real else known
        last = next((k for k in reversed(known) if k >= 0), -1)
        for edge, label in zip(edges, known, strict=True):
            last = label if label >= 0 else last
            labels[edge] = last
    return labels


def _middle_lines(gap: shapely.Polygon, at: Mapping[Point, set[int]], outline: set[Edge]) -> list[Edge]:
    """The lines between vertices of different sides, triangle by triangle; where two sides meet, on to the middle.

    Where no triangle has vertices of different sides only, a line between two places where the sides meet is the middle.
    """
    found: list[Edge] = []
    direct: list[Edge] = []
    opposite: dict[Point, Edge] = {}
    for triangle in shapely.get_parts(shapely.constrained_delaunay_triangles(gap)):
        corner = [(x, y) for x, y in shapely.get_coordinates(triangle)[:3].tolist()]
        if any(c not in at for c in corner):
            return []
        crossed = [
            (corner[i], corner[j], corner[3 - i - j])
            for i, j in ((0, 1), (1, 2), (2, 0))
            if not at[corner[i]] & at[corner[j]]
        ]
        marks = [_midpoint(a, b) for a, b, _ in crossed]
        if len(crossed) == 1:
            found.append(_ordered(marks[0], crossed[0][2]))
        elif len(crossed) == 2:
            found.append(_ordered(*marks))
        elif len(crossed) == 3:
            centre = (sum(x for x, _ in corner) / 3, sum(y for _, y in corner) / 3)
            found += [_ordered(mark, centre) for mark in marks]
        else:
            sides = (_ordered(corner[i], corner[j]) for i, j in ((0, 1), (1, 2), (2, 0)))
            direct += [s for s in sides if s not in outline and all(len(at[node]) > 1 for node in s)]
        for a, b, _ in crossed:
            for node, other in ((a, b), (b, a)):
                if len(at[node]) > 1 and (node not in opposite or _shorter(node, other, opposite[node][1])):
                    opposite[node] = (node, other)
    if not found:
        return direct
    return found + [_ordered(node, _midpoint(node, other)) for node, other in opposite.values()]


def _shorter(node: Point, one: Point, other: Point) -> bool:
    return (hypot(one[0] - node[0], one[1] - node[1]), one) < (
        hypot(other[0] - node[0], other[1] - node[1]),
        other,
    )


def _midpoint(a: Point, b: Point) -> Point:
    a, b = _ordered(a, b)
    return ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)


def _ordered(a: Point, b: Point) -> Edge:
    return (a, b) if a <= b else (b, a)
