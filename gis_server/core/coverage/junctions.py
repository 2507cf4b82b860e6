"""T-junctions: a long edge on one side, two short ones on the other, and the vertex between them exactly on the line.

The point sets are equal, so the tiling is exact; only the edges are cut differently. Cutting the long edge at the
vertices that lie on it, by an exact predicate, lets the hashes say so. What is still loose is off by a rounding.
"""

from dataclasses import dataclass

import numpy as np
import shapely

from gis_server.core.coverage.edges import (
    Flags,
    Floats,
    Hashes,
    Indices,
    Rings,
    among,
    place_keys,
    segment_hashes,
    unlike,
)
from gis_server.core.coverage.nearness import edges_near
from gis_server.core.coverage.residual import group_factor, resolution, without_partner

Edges = tuple[Rings, Indices]
"""Some edges of rings."""


@dataclass(frozen=True, slots=True)
class LooseEnds:
    """Pieces of unmatched edges that have no partner after all: first and last vertices (n, 2), and the parent of each."""

    begin: Floats
    end: Floats
    group: Indices

    def open_groups(self, known: Flags) -> Flags:
        """Which parents are not tiled: those ``known``, and those that have loose pieces."""
        flags = known.copy()
        flags[self.group[self.group >= 0]] = True
        return flags


def loose_ends(
    cells: Edges, parent_of: Indices, parents: Edges, told: Floats, still_open: Flags, *, salt: int
) -> LooseEnds:
    """Cut the unmatched edges at every unmatched vertex that lies exactly on them, and match the pieces.

    Pieces that begin or end at a corner of ground that is told of already (``told``, (n, 2)) need not be looked at, except in groups
    that are not known to be ``still_open``. So where layers were digitised apart, next to nothing is.
    """
    a, b = _directed(*cells)
    # the parent's border runs against its cells', so that the two cancel
    end, begin = _directed(*parents)
    a, b = np.concatenate([a, begin]), np.concatenate([b, end])
    group = np.concatenate(
        [parent_of[cells[0].owner_of_edges(cells[1])], parents[0].owner_of_edges(parents[1])]
    )
    vertices = np.concatenate([a, b])
    keys, first = np.unique(place_keys(vertices), return_index=True)
    vertices = vertices[first]
    free = vertices[~among(keys, place_keys(told))]
    # a group without a parent is nobody's proof
    asked = (group >= 0) & ~still_open[group]
    asked[edges_near(free, a, b, resolution(vertices))[1]] = True
    a, b, group = _cut(a[asked], b[asked], group[asked], vertices)
    one, two = segment_hashes(a, b, salt)
    alone = without_partner(one * group_factor(group))
    # the second lane: a group whose pieces pair off must also add up to nothing there
    whole = (group >= 0) & ~still_open[group]
    uneven = _uneven(two[whole], group[whole], alone[whole])
    alone |= whole & among(group, uneven)
    return LooseEnds(a[alone], b[alone], group[alone])


def _directed(rings: Rings, edges: Indices) -> tuple[Floats, Floats]:
    """First and last vertices of edges in conventional direction."""
    a, b = rings.xy[edges], rings.xy[edges + 1]
    against = (rings.sign_of_edges(edges) < 0)[:, None]
    return np.where(against, b, a), np.where(against, a, b)


def _cut(a: Floats, b: Floats, group: Indices, vertices: Floats) -> tuple[Floats, Floats, Indices]:
    """The segments in pieces, cut at those of the ``vertices`` that lie on them."""
    vertex, segment = edges_near(vertices, a, b, resolution(vertices))
    at = vertices[vertex]
    inner = unlike(at, a[segment]) & unlike(at, b[segment])
    segment, at = segment[inner], at[inner]
    # whether they lie on the line is for the robust orientation test of GEOS to say
    ends = np.stack([a[segment], b[segment]], axis=1)
    on = shapely.intersects(shapely.linestrings(ends), shapely.points(at))
    segment, at = segment[on], at[on]
    if len(segment) == 0:
        return a, b, group
    away = np.abs(at - a[segment]).sum(axis=1)
    every = np.concatenate([np.arange(len(a)), segment])
    begins, distance = np.concatenate([a, at]), np.concatenate([np.zeros(len(a)), away])
    order = np.lexsort((distance, every))
    every, begins = every[order], begins[order]
    ends = np.concatenate([begins[1:], begins[:1]])
    last = np.concatenate([every[1:] != every[:-1], [True]])
    ends[last] = b[every[last]]
    return begins, ends, group[every]


def _uneven(lane: Hashes, group: Indices, alone: Flags) -> Indices:
    groups, index = np.unique(group, return_inverse=True)
    total = np.zeros(len(groups), dtype=np.uint64)
    np.add.at(total, index[~alone], lane[~alone])
    return np.asarray(groups[total != 0])
