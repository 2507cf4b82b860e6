"""T-junctions: a long edge on one side, two short ones on the other, and the vertex between them exactly on the line.

The point sets are equal, so the tiling is exact; only the edges are cut differently. Cutting the long edge at the
vertices that lie on it, by an exact predicate, lets the hashes say so.
"""

import numpy as np
import shapely

from gis_server.core.coverage.edges import Flags, Floats, Hashes, Indices, Rings, edge_sums, sum_by


def still_open_after_cutting(
    cells: Rings,
    parent_of: Indices,
    edges: Indices,
    parents: Rings,
    parent_edges: Indices,
    *,
    declared: Hashes | None,
    salt: int,
) -> Flags:
    """Which parents' sums differ even when unmatched edges are cut at every vertex that lies exactly on them.

    ``edges`` and ``parent_edges`` are the unmatched ones. A vertex that is off by a rounding stays off.
    """
    if declared is None:
        declared = np.zeros_like(parents.sums)
    vertices = np.unique(
        np.concatenate(
            [
                cells.xy[edges],
                cells.xy[edges + 1],
                parents.xy[parent_edges],
                parents.xy[parent_edges + 1],
            ]
        ),
        axis=0,
    )
    gain = sum_by(
        _gain(cells, edges, vertices, salt), parent_of[cells.owner_of_edges(edges)], len(parents.sums)
    )
    loss = sum_by(
        _gain(parents, parent_edges, vertices, salt), parents.owner_of_edges(parent_edges), len(parents.sums)
    )
    total = sum_by(cells.sums, parent_of, len(parents.sums)) + declared + gain
    return np.asarray((total != parents.sums + loss).any(axis=1))


def _gain(rings: Rings, edges: Indices, vertices: Floats, salt: int) -> Hashes:
    """(edges, 2): what cutting adds to the sum of each edge: its pieces less itself, in conventional direction."""
    gain = np.zeros((len(edges), 2), dtype=np.uint64)
    a, b = rings.xy[edges], rings.xy[edges + 1]
    segments = shapely.linestrings(np.stack([a, b], axis=1))
    # GEOS decides "on the segment" with the robust orientation test
    edge, vertex = shapely.STRtree(shapely.points(vertices)).query(segments, predicate="intersects")
    inner = (vertices[vertex] != a[edge]).any(axis=1) & (vertices[vertex] != b[edge]).any(axis=1)
    edge, vertex = edge[inner], vertex[inner]
    if len(edge) == 0:
        return gain
    away = np.abs(vertices[vertex] - a[edge]).sum(axis=1)
    order = np.lexsort((away, edge))
    edge, vertex = edge[order], vertex[order]
    starts = np.flatnonzero(np.concatenate([[True], edge[1:] != edge[:-1]]))
    for between in np.split(np.arange(len(edge)), starts[1:]):
        cut = edge[between[0]]
        path = np.concatenate([a[cut : cut + 1], vertices[vertex[between]], b[cut : cut + 1]])
        gain[cut] = edge_sums(path, salt) - edge_sums(path[[0, -1]], salt)
    against = rings.sign_of_edges(edges) < 0
    gain[against] = np.uint64(0) - gain[against]
    return gain
