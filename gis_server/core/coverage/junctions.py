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


@dataclass(frozen=True, slots=True)
class LooseEnds:
    """Pieces of unmatched edges that have no partner after all: first and last vertices (n, 2), and the parent of each."""

    begin: Floats
    end: Floats
    group: Indices

    def open_groups(self, groups: int) -> Flags:
        """Which parents still have loose pieces."""
        flags = np.zeros(groups, dtype=bool)
        flags[self.group[self.group >= 0]] = True
        return flags


def loose_ends(
    cells: Rings,
    parent_of: Indices,
    edges: Indices,
    parents: Rings | None,
    parent_edges: Indices,
    *,
    salt: int,
) -> LooseEnds:
    """Cut the unmatched edges at every unmatched vertex that lies exactly on them, and match the pieces.

    ``edges`` and ``parent_edges`` are the unmatched ones of the cells and of the parents.
    """
    a, b = _directed(cells, edges)
    group = parent_of[cells.owner_of_edges(edges)]
    if parents is not None and len(parent_edges):
        # the parent's border runs against its cells', so that the two cancel
        end, begin = _directed(parents, parent_edges)
        a, b = np.concatenate([a, begin]), np.concatenate([b, end])
        group = np.concatenate([group, parents.owner_of_edges(parent_edges)])
    a, b, group = _cut(a, b, group)
    one, two = segment_hashes(a, b, salt)
    factor = group_factor(group)
    alone = without_partner(one * factor)
    # the second lane: a group whose pieces pair off must also add up to nothing there
    alone |= among(group, _uneven(two, group, alone))
    return LooseEnds(a[alone], b[alone], group[alone])


def _directed(rings: Rings, edges: Indices) -> tuple[Floats, Floats]:
    """First and last vertices of edges in conventional direction."""
    a, b = rings.xy[edges], rings.xy[edges + 1]
    against = (rings.sign_of_edges(edges) < 0)[:, None]
    return np.where(against, b, a), np.where(against, a, b)


def _cut(a: Floats, b: Floats, group: Indices) -> tuple[Floats, Floats, Indices]:
    """The segments in pieces, cut at the ends of others that lie on them."""
    vertices = np.concatenate([a, b])
    vertices = vertices[np.unique(place_keys(vertices), return_index=True)[1]]
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
