"""The edges that do not cancel, and the faces they enclose: all the geometry that a check has to look at.

Inside a group (the cells of one parent, and the parent's border the other way round) every edge of an exact tiling
occurs once in each direction. What is left over is the border of the defects.
"""

import numpy as np
import shapely

from gis_server.core.coverage.edges import Flags, Floats, Geometries, Hashes, Indices, Rings


def unmatched(
    cells: Rings,
    parent_of: Indices,
    parents: Rings | None,
    still_open: Flags | None,
    active: Flags,
) -> tuple[Indices, Indices]:
    """(edges of cells, edges of parents) that have no partner in their group, ascending.

    With parents, the groups are those marked in ``still_open``, and cells without a parent form one more group of
    their own; without, all cells are one group. Only cells in ``active`` take part.
    """
    if parents is None or still_open is None:
        rings = np.flatnonzero(active[cells.owner])
        parent_rings = np.empty(0, dtype=np.int64)
        factor = np.ones(len(rings), dtype=np.uint64)
    else:
        rings = np.flatnonzero((active & ((parent_of < 0) | still_open[parent_of]))[cells.owner])
        parent_rings = np.flatnonzero(still_open[parents.owner])
        factor = group_factor(parent_of[cells.owner[rings]])
    edges, keys = cells.keyed(rings, factor)
    parent_edges = np.empty(0, dtype=np.int64)
    if parents is not None and len(parent_rings):
        inward = np.uint64(0) - group_factor(parents.owner[parent_rings])
        parent_edges, parent_keys = parents.keyed(parent_rings, inward)
        keys = np.concatenate([keys, parent_keys])
    alone = without_partner(keys)
    alone[: len(edges)] |= _crowded(cells, rings, factor, edges, alone[: len(edges)])
    return edges[alone[: len(edges)]], parent_edges[alone[len(edges) :]]


def group_factor(groups: Indices) -> Hashes:
    """An odd number per group: multiplying by it keeps h(ba) = −h(ab) and sets the groups apart."""
    mixed = (groups + 2).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(31)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    return mixed | np.uint64(1)


def without_partner(keys: Hashes) -> Flags:
    """Which keys are left when every k is set off against a −k; all bearers of a key that does not come out even.

    A table of sums rules out the great majority in linear time; only what shares a bucket with the rest is sorted.
    """
    alone = np.zeros(len(keys), dtype=bool)
    if len(keys) == 0:
        return alone
    one_way = np.minimum(keys, np.uint64(0) - keys)
    bits = min(22, max(8, len(keys).bit_length()))
    bucket = (one_way >> np.uint64(63 - bits)).astype(np.int64)
    total = np.zeros((1 << bits) + 1, dtype=np.uint64)
    np.add.at(total, bucket, keys)
    rest = np.flatnonzero(total[bucket])
    if len(rest) == 0:
        return alone
    order, first, size = _runs(one_way, rest)
    net = np.add.reduceat(keys[order], first)
    alone[order] = np.repeat(net != 0, size)
    return alone


def _crowded(cells: Rings, rings: Indices, factor: Hashes, edges: Indices, alone: Flags) -> Flags:
    """Edges of cells with an unmatched edge that more than two cells bear.

    Two cells on each side of one border come out even, yet overlap; their other edges give them away.
    """
    crowded = np.zeros(len(edges), dtype=bool)
    found = edges[alone]
    if len(found) == 0:
        return crowded
    suspects = np.zeros(len(cells.sums), dtype=bool)
    suspects[cells.owner_of_edges(found)] = True
    chosen = suspects[cells.owner[rings]]
    theirs, keys = cells.keyed(rings[chosen], factor[chosen])
    one_way = np.minimum(keys, np.uint64(0) - keys)
    order, first, size = _runs(one_way, np.arange(len(keys)))
    many = order[np.repeat((size > 2) & (one_way[order[first]] != 0), size)]
    crowded[np.searchsorted(edges, theirs[many])] = True
    return crowded


def _runs(values: Hashes, chosen: Indices) -> tuple[Indices, Indices, Indices]:
    """(order, first, size): the chosen indices sorted by value, and the runs of equal values among them."""
    order = chosen[np.argsort(values[chosen])]
    key = values[order]
    first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    return order, first, np.diff(np.concatenate([first, [len(key)]]))


def chains(rings: Rings, edges: Indices) -> Geometries:
    """The edges as lines: neighbours along a ring joined."""
    if len(edges) == 0:
        return np.empty(0, dtype=object)
    begins = np.concatenate([[True], edges[1:] != edges[:-1] + 1])
    line = np.cumsum(begins) - 1
    ends = np.concatenate([begins[1:], [True]])
    # each edge gives its first vertex, the last of a line its second as well
    vertices = np.repeat(edges, 1 + ends)
    line = np.repeat(line, 1 + ends)
    last = np.cumsum(1 + ends)[ends] - 1
    vertices[last] += 1
    return np.asarray(shapely.linestrings(rings.xy[vertices], indices=line))


def distinct(rings: Rings, edges: Indices) -> Indices:
    """One of each set of edges between the same two vertices, ascending."""
    key = rings.hash[edges]
    _, first = np.unique(np.minimum(key, np.uint64(0) - key), return_index=True)
    return edges[np.sort(first)]


def strip_width(area: Floats, perimeter: Floats) -> Floats:
    """Width of the rectangle with this area and perimeter (of the square, where there is none)."""
    root = np.sqrt(np.maximum(perimeter**2 - 16 * area, 0.0))
    # the plain root (P − √(P² − 16A)) / 4 loses all its digits on a hair's breadth
    return np.asarray(np.where(perimeter > 0, 4 * area / np.maximum(perimeter + root, 1e-300), 0.0))


def resolution(bounds: Floats) -> float:
    """The distance, in units of the data, below which two places cannot be told apart reliably (8 ulp)."""
    return float(8 * np.spacing(np.abs(bounds).max(initial=1.0)))
