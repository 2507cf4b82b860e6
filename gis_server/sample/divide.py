"""Dividing a set of faces into connected parts of like weight, along the borders that cut best."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.intp]
Floats = NDArray[np.float64]

_DIRECTIONS = 12
_TOLERANCE = 0.10


def components(count: int, pairs: Ints) -> Ints:
    """Connected components of ``count`` nodes: for each node the lowest node of its component."""
    label = np.arange(count, dtype=np.intp)
    while True:
        a, b = label[pairs[:, 0]], label[pairs[:, 1]]
        differ = a != b
        if not differ.any():
            return label
        np.minimum.at(label, np.maximum(a, b)[differ], np.minimum(a, b)[differ])
        while True:
            up = label[label]
            if (up == label).all():
                break
            label = up


def joined(labels: Ints, pairs: Ints, shared: Floats, weights: Floats) -> Ints:
    """Labels changed so that each is connected: stray parts go to the neighbour with the longest common border.

    The heaviest part of each label stays. Nodes labelled -1 are left alone. Parts with no labelled neighbour stay.
    """
    labels = labels.copy()
    for _ in range(50):
        same = (labels[pairs[:, 0]] == labels[pairs[:, 1]]) & (labels[pairs[:, 0]] >= 0)
        part = components(len(labels), pairs[same])
        weight = np.bincount(part, weights=weights, minlength=len(labels))
        roots = np.unique(part[labels >= 0])
        order = np.lexsort((roots, -weight[roots], labels[roots]))
        first = np.ones(len(roots), dtype=bool)
        first[1:] = labels[roots][order][1:] != labels[roots][order][:-1]
        main = np.zeros(len(labels), dtype=bool)
        main[roots[order[first]]] = True
        stray = ~main[part] & (labels >= 0)
        if not stray.any():
            return labels
        settled = main[part] & (labels >= 0)
        a, b = pairs[:, 0], pairs[:, 1]
        reach = np.concatenate([stray[a] & settled[b], stray[b] & settled[a]])
        if not reach.any():
            return labels
        source = np.concatenate([a, b])[reach]
        target = np.concatenate([b, a])[reach]
        length = np.concatenate([shared, shared])[reach]
        choice, which = np.unique(
            np.column_stack([part[source], labels[target]]), axis=0, return_inverse=True
        )
        total = np.bincount(which.ravel(), weights=length)
        order = np.lexsort((choice[:, 1], -total, choice[:, 0]))
        choice = choice[order]
        best = np.ones(len(choice), dtype=bool)
        best[1:] = choice[1:, 0] != choice[:-1, 0]
        new = np.full(len(labels), -1, dtype=np.intp)
        new[choice[best, 0]] = choice[best, 1]
        moved = stray & (new[part] >= 0)
        labels[moved] = new[part[moved]]
    return labels


def inside_pairs(chosen: NDArray[np.bool_], pairs: Ints, shared: Floats) -> tuple[Ints, Ints, Floats]:
    """The chosen nodes, and the pairs among them renumbered, with their values."""
    members = np.flatnonzero(chosen)
    number = np.full(len(chosen), -1, dtype=np.intp)
    number[members] = np.arange(len(members))
    both = chosen[pairs[:, 0]] & chosen[pairs[:, 1]]
    return members, number[pairs[both]], shared[both]


def _one_piece_each(side: NDArray[np.bool_], pairs: Ints, weights: Floats) -> NDArray[np.bool_] | None:
    """The two sides with stray pieces swapped over until both are connected; None if they cannot be."""
    for _ in range(4):
        same = side[pairs[:, 0]] == side[pairs[:, 1]]
        part = components(len(side), pairs[same])
        weight = np.bincount(part, weights=weights, minlength=len(side))
        stray = np.zeros(len(side), dtype=bool)
        for which in (True, False):
            roots = np.unique(part[side == which])
            if len(roots) == 0:
                return None
            main = roots[np.argmax(weight[roots])]
            stray |= (side == which) & (part != main)
        if not stray.any():
            return side
        side = side ^ stray
    return None


@dataclass(frozen=True, slots=True)
class Graph:
    """Faces to divide: weight and place of each, neighbours, and what cutting between two neighbours costs.

    The cost is the metres of common border, less where a road, railway or river runs there.
    """

    weights: Floats
    x: Floats
    y: Floats
    pairs: Ints  # (m, 2)
    cost: Floats  # (m,)

    def part(self, chosen: NDArray[np.bool_]) -> tuple[Ints, "Graph"]:
        """The chosen nodes and the graph among them."""
        members, pairs, cost = inside_pairs(chosen, self.pairs, self.cost)
        return members, Graph(self.weights[members], self.x[members], self.y[members], pairs, cost)


def _halve(graph: Graph, share: float) -> NDArray[np.bool_]:
    """The side of each node when about ``share`` of the weight is cut off along the cheapest straight sweep."""
    weights, pairs = graph.weights, graph.pairs
    total = float(weights.sum())
    candidates = []
    for k in range(_DIRECTIONS * 2):
        angle = np.pi * k / _DIRECTIONS
        order = np.argsort(graph.x * np.cos(angle) + graph.y * np.sin(angle), kind="stable")
        filled = np.cumsum(weights[order])
        cut = int(np.argmin(np.abs(filled - share * total))) + 1
        side = np.zeros(len(order), dtype=bool)
        side[order[: min(max(cut, 1), len(order) - 1)]] = True
        crossing = float(graph.cost[side[pairs[:, 0]] != side[pairs[:, 1]]].sum())
        candidates.append((crossing, k, side))
    fallback: tuple[float, NDArray[np.bool_]] | None = None
    for _, _, side in sorted(candidates, key=lambda c: c[:2]):
        mended = _one_piece_each(side, pairs, weights)
        if mended is None:
            continue
        off = abs(float(weights[mended].sum()) / total - share) / min(share, 1 - share)
        if off <= _TOLERANCE:
            return mended
        if fallback is None or off < fallback[0]:
            fallback = (off, mended)
    if fallback is None:
        raise ValueError("the faces to divide are not connected")
    return fallback[1]


def _divide(graph: Graph, parts: int) -> Ints:
    labels = np.zeros(len(graph.weights), dtype=np.intp)
    parts = min(parts, len(labels))
    if parts <= 1:
        return labels
    left = parts // 2
    side = _halve(graph, left / parts)
    for chosen, count, first in ((side, left, 0), (~side, parts - left, left)):
        members, among = graph.part(chosen)
        labels[members] = first + _divide(among, count)
    return labels


def divide(graph: Graph, parts: int) -> Ints:
    """Labels 0, 1, … for connected nodes of positive weight, each part connected and about equally heavy.

    Where a few heavy nodes leave no choice, fewer than ``parts`` come back. ValueError if the nodes do not hang
    together.
    """
    return np.unique(_divide(graph, parts), return_inverse=True)[1].astype(np.intp)
