"""The residual edges woven into one net: vertices brought together, edges cut where they meet.

Every group (the cells of one parent, and that parent's border) is woven for itself: when each tiles its parent, no
cell stands on another parent's ground. Borders of parents are cut in thought only; their vertices never move.
"""

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.coverage.edges import Flags, Floats, Indices, Rings
from gis_server.core.coverage.repair.border import Edge, Point

_ROUNDS = 8
_PARENT_RANK = 1 << 40
_SEVERAL = 1 << 40
_DOUBT = 1e-15
"""A turn this small beside coordinates and lengths may be none at all."""


@dataclass(frozen=True, slots=True)
class Threads:
    """Directed edges to weave: first and last vertices (n, 2), interior on the left; the cell that bears each, or
    −1 − p for the border of parent p (turned round, so that it cancels its cells'); and the group."""

    begin: Floats
    end: Floats
    owner: Indices
    group: Indices


@dataclass(frozen=True, slots=True)
class Weave:
    """The net.

    ``pieces`` (n, 2) are node numbers, ``thread`` the thread of each piece, ``nodes`` (m, 2) the places. ``cuts``
    says through which points an edge of a cell now runs (from its lesser to its greater end), by group and edge;
    ``moved`` where a vertex went, by group.
    """

    threads: Threads
    nodes: Floats
    pieces: Indices
    thread: Indices
    cuts: dict[tuple[int, Edge], list[Point]]
    moved: dict[tuple[int, Point], Point]

    def row_edges(self, group: int, begin: Point, end: Point) -> list[Point]:
        """The points through which an edge of a cell of ``group`` runs, ends included."""
        way = self.cuts.get((group, (begin, end) if begin <= end else (end, begin)))
        if way is not None:
            return way if begin <= end else way[::-1]
        return [self.moved.get((group, begin), begin), self.moved.get((group, end), end)]


def threads_of(
    cells: Rings, edges: Indices, parent_of: Indices, parents: Rings | None, parent_edges: Indices
) -> Threads:
    """The edges as threads."""
    begin, end = _directed(cells, edges)
    owner = cells.owner_of_edges(edges)
    group = parent_of[owner]
    if parents is not None and len(parent_edges):
        last, first = _directed(parents, parent_edges)
        above = parents.owner_of_edges(parent_edges)
        begin, end = np.concatenate([begin, first]), np.concatenate([end, last])
        owner, group = np.concatenate([owner, -1 - above]), np.concatenate([group, above])
    return Threads(begin, end, owner, group)


def _directed(rings: Rings, edges: Indices) -> tuple[Floats, Floats]:
    a, b = rings.xy[edges], rings.xy[edges + 1]
    against = (rings.sign_of_edges(edges) < 0)[:, None]
    return np.where(against, b, a), np.where(against, a, b)


def weave(threads: Threads, reach: float) -> Weave:
    """Weave the threads; what is within ``reach`` (units of the data) becomes one place."""
    count = len(threads.begin)
    places = np.column_stack(
        [np.tile(threads.group, 2), np.concatenate([threads.begin, threads.end]) + 0.0]
    ).astype(np.float64)
    unique, vertex = np.unique(places, axis=0, return_inverse=True)
    vertex = vertex.reshape(-1)
    before = np.ascontiguousarray(unique[:, 1:])
    net = _Net(before, unique[:, 0].astype(np.int64), vertex[:count], vertex[count:], threads)
    net.bring_together(reach)
    net.cut_at_nodes(np.arange(len(before)), reach)
    for _ in range(_ROUNDS):
        fresh = net.cut_at_crossings(reach)
        if fresh is None:
            break
        net.cut_at_nodes(fresh, reach)
    return net.woven(before)


class _Net:
    """The weaving at work: nodes by number, threads with the nodes that cut them."""

    def __init__(self, xy: Floats, group: Indices, first: Indices, last: Indices, threads: Threads) -> None:
        self.xy = xy.copy()
        self.group = group
        self.first, self.last = first, last
        self.threads = threads
        self.same = np.arange(len(xy))
        self.cut_thread = np.empty(0, dtype=np.int64)
        self.cut_node = np.empty(0, dtype=np.int64)
        self.looked_at: int | None = None
        self.shifted: list[int] = []
        self.of_parent = np.zeros(len(xy), dtype=bool)
        above = threads.owner < 0
        self.of_parent[first[above]] = self.of_parent[last[above]] = True

    def bring_together(self, reach: float) -> None:
        """Vertices within reach become the one that holds most: a parent's, one on sound borders, any."""
        points = shapely.points(self.xy)
        one, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=reach)
        near = (one != other) & (self.group[one] == self.group[other])
        # what is close within one cell is its own shape, as long as nobody else comes near
        alone = self._only_owners()
        near &= (alone[one] != alone[other]) | (alone[one] == _SEVERAL)
        one, other = one[near], other[near]
        if len(one) == 0:
            return
        rank = self._ranks()
        neighbours: dict[int, list[int]] = {}
        for i, j in zip(one.tolist(), other.tolist(), strict=True):
            neighbours.setdefault(i, []).append(j)
        taken: set[int] = set()
        for i in sorted(neighbours, key=lambda v: (-rank[v], v)):
            if i in taken:
                continue
            taken.add(i)
            for j in neighbours[i]:
                if j not in taken and not self.of_parent[j]:
                    taken.add(j)
                    self.same[j] = i
        self.first, self.last = self.same[self.first], self.same[self.last]

    def _only_owners(self) -> Indices:
        """The one who has each vertex, _SEVERAL where several have."""
        node, owner = np.concatenate([self.first, self.last]), np.tile(self.threads.owner, 2)
        least, most = np.full(len(self.xy), _SEVERAL), np.full(len(self.xy), -_SEVERAL)
        np.minimum.at(least, node, owner)
        np.maximum.at(most, node, owner)
        return np.where(least == most, least, _SEVERAL)

    def _ranks(self) -> Indices:
        """Parents' vertices first, then those where a cell's sound border begins."""
        mine = self.threads.owner >= 0
        owner = np.tile(self.threads.owner, 2)[np.tile(mine, 2)]
        node = np.concatenate([self.first[mine], self.last[mine]])
        pairs, times = np.unique(np.column_stack([node, owner]), axis=0, return_counts=True)
        rank = np.bincount(pairs[:, 0], weights=times % 2, minlength=len(self.xy)).astype(np.int64)
        return np.asarray(rank + self.of_parent * _PARENT_RANK)

    def pieces(self) -> tuple[Indices, Indices, Indices]:
        """(from, to, thread) of what the cuts leave."""
        count = len(self.first)
        a, b = self.xy[self.first], self.xy[self.last]
        along = b - a
        square = np.maximum((along**2).sum(axis=1), 1e-300)
        t = ((self.xy[self.cut_node] - a[self.cut_thread]) * along[self.cut_thread]).sum(axis=1)
        thread = np.concatenate([np.arange(count), self.cut_thread, np.arange(count)])
        node = np.concatenate([self.first, self.cut_node, self.last])
        at = np.concatenate([np.full(count, -np.inf), t / square[self.cut_thread], np.full(count, np.inf)])
        order = np.lexsort((node, at, thread))
        thread, node = thread[order], node[order]
        real = (thread[1:] == thread[:-1]) & (node[1:] != node[:-1])
        return node[:-1][real], node[1:][real], thread[:-1][real]

    def cut_at_nodes(self, nodes: Indices, reach: float) -> None:
        """Cut threads at the nodes that lie on them; a node on a parent's edge is put exactly there if it can be."""
        nodes = nodes[self.same[nodes] == nodes]
        begin, end, thread = self.pieces()
        lines = shapely.linestrings(np.stack([self.xy[begin], self.xy[end]], axis=1))
        at, piece = shapely.STRtree(lines).query(
            shapely.points(self.xy[nodes]), predicate="dwithin", distance=reach
        )
        node = nodes[at]
        inner = (
            (self.group[node] == self.threads.group[thread[piece]])
            & (node != begin[piece])
            & (node != end[piece])
        )
        node, piece = node[inner], piece[inner]
        inner = self._between(node, begin[piece], end[piece])
        # a parent may have a needle of ground narrower than the reach: its own vertices do not close it
        own = np.flatnonzero(inner & self.of_parent[node] & (self.threads.owner[thread[piece]] < 0))
        inner[own] = shapely.intersects(lines[piece[own]], shapely.points(self.xy[node[own]]))
        node, piece = node[inner], piece[inner]
        above = (self.threads.owner[thread[piece]] < 0) & ~self.of_parent[node]
        off = above.copy()
        off[above] = ~shapely.intersects(lines[piece[above]], shapely.points(self.xy[node[above]]))
        for n, p in zip(node[off].tolist(), piece[off].tolist(), strict=True):
            self.shifted.append(n)
            self.xy[n] = _on_line(self.xy[n], self.xy[begin[p]], self.xy[end[p]])
        self.cut_thread = np.concatenate([self.cut_thread, thread[piece]])
        self.cut_node = np.concatenate([self.cut_node, node])

    def _between(self, node: Indices, begin: Indices, end: Indices) -> Flags:
        a, b, at = self.xy[begin], self.xy[end], self.xy[node]
        along = b - a
        t = ((at - a) * along).sum(axis=1)
        return np.asarray((t > 0) & (t < (along**2).sum(axis=1)))

    def cut_at_crossings(self, reach: float) -> Indices | None:
        """Cut pieces where they cross; the nodes made there, None when nothing crosses any more.

        What was looked at before crosses nothing but pieces that were cut or shifted since.
        """
        begin, end, thread = self.pieces()
        lines = shapely.linestrings(np.stack([self.xy[begin], self.xy[end]], axis=1))
        fresh = np.arange(len(lines))
        if self.looked_at is not None:
            again = np.isin(thread, np.unique(self.cut_thread[self.looked_at :]))
            again |= np.isin(begin, self.shifted) | np.isin(end, self.shifted)
            fresh = np.flatnonzero(again)
        self.looked_at = len(self.cut_thread)
        at, other = shapely.STRtree(lines).query(lines[fresh])
        one = fresh[at]
        group = self.threads.group
        twice = np.isin(other, fresh) if len(fresh) < len(lines) else np.ones(len(other), dtype=bool)
        near = (one != other) & ((one < other) | ~twice) & (group[thread[one]] == group[thread[other]])
        # pieces that share an end do not cross
        for u, v in ((begin, begin), (begin, end), (end, begin), (end, end)):
            near &= u[one] != v[other]
        one, other = one[near], other[near]
        crossing = self._crossing(lines, (begin[one], end[one], begin[other], end[other]), one, other)
        one, other = one[crossing], other[crossing]
        if len(one) == 0:
            return None
        where = shapely.intersection(lines[one], lines[other])
        plain = shapely.get_type_id(where) == 0
        one, other, where = one[plain], other[plain], where[plain]
        at = shapely.get_coordinates(where)
        ends = np.stack([begin[one], end[one], begin[other], end[other]], axis=1)
        away = np.hypot(*np.moveaxis(self.xy[ends] - at[:, None], 2, 0))
        nearest = away.argmin(axis=1)
        rows = np.arange(len(at))
        node = ends[rows, nearest]
        new = away[rows, nearest] > reach
        node[new] = self._new_nodes(at[new], group[thread[one[new]]], reach)
        table = np.column_stack([np.concatenate([thread[one], thread[other]]), np.tile(node, 2)])
        at_end = (table[:, 1] == self.first[table[:, 0]]) | (table[:, 1] == self.last[table[:, 0]])
        table = np.unique(table[~at_end], axis=0)
        self.cut_thread = np.concatenate([self.cut_thread, table[:, 0]])
        self.cut_node = np.concatenate([self.cut_node, table[:, 1]])
        return np.unique(node[new])

    def _crossing(
        self,
        lines: NDArray[np.object_],
        ends: tuple[Indices, Indices, Indices, Indices],
        one: Indices,
        other: Indices,
    ) -> Flags:
        """Which pairs of pieces cross: by plain arithmetic, and by GEOS where that is in doubt."""
        a, b, c, d = (self.xy[node] for node in ends)
        scale = max(float(np.abs(self.xy).max(initial=1.0)), 1.0)

        def side(p: Floats, q: Floats, r: Floats) -> tuple[Floats, Floats]:
            along, away = q - p, r - p
            turn = along[:, 0] * away[:, 1] - along[:, 1] * away[:, 0]
            return turn, _DOUBT * scale * (np.abs(along).sum(axis=1) + np.abs(away).sum(axis=1))

        turns = [side(a, b, c), side(a, b, d), side(c, d, a), side(c, d, b)]
        sure = np.all([np.abs(turn) > doubt for turn, doubt in turns], axis=0)
        crossing = (turns[0][0] * turns[1][0] < 0) & (turns[2][0] * turns[3][0] < 0)
        # on one side for certain: nothing crosses, whatever the rest
        apart = np.zeros(len(a), dtype=bool)
        for (t, dt), (u, du) in ((turns[0], turns[1]), (turns[2], turns[3])):
            apart |= (np.abs(t) > dt) & (np.abs(u) > du) & (t * u > 0)
        doubtful = np.flatnonzero(~sure & ~apart)
        crossing[doubtful] = shapely.crosses(lines[one[doubtful]], lines[other[doubtful]])
        return np.asarray(crossing & ~apart)

    def _new_nodes(self, at: Floats, group: Indices, reach: float) -> Indices:
        """Nodes for new places: those within reach of an earlier one in the list are one."""
        points = shapely.points(at)
        one, other = shapely.STRtree(points).query(points, predicate="dwithin", distance=reach)
        near = (other < one) & (group[one] == group[other])
        chosen = np.arange(len(at))
        for i, j in sorted(zip(one[near].tolist(), other[near].tolist(), strict=True)):
            if chosen[i] == i:
                chosen[i] = chosen[j]
        kept = np.flatnonzero(chosen == np.arange(len(at)))
        number = np.empty(len(at), dtype=np.int64)
        number[kept] = len(self.xy) + np.arange(len(kept))
        self.xy = np.concatenate([self.xy, at[kept]])
        self.group = np.concatenate([self.group, group[kept]])
        self.same = np.concatenate([self.same, number[kept]])
        self.of_parent = np.concatenate([self.of_parent, np.zeros(len(kept), dtype=bool)])
        return number[chosen]

    def woven(self, before: Floats) -> Weave:
        """The finished net."""
        begin, end, thread = self.pieces()
        places = [(x, y) for x, y in self.xy.tolist()]
        old = [(x, y) for x, y in before.tolist()]
        moved = {}
        for v in np.flatnonzero(self.same[: len(old)] != np.arange(len(old))).tolist():
            moved[int(self.group[v]), old[v]] = places[self.same[v]]
        for v in np.flatnonzero((self.xy[: len(old)] != before).any(axis=1)).tolist():
            if self.same[v] == v:
                moved[int(self.group[v]), old[v]] = places[v]
        for key in [k for k, to in moved.items() if to == k[1]]:
            del moved[key]
        cuts: dict[tuple[int, Edge], list[Point]] = {}
        starts = np.concatenate([self.threads.begin, self.threads.end], axis=1) + 0.0
        ways: list[list[Point]] = [[] for _ in starts]
        for u, v, t in zip(begin.tolist(), end.tolist(), thread.tolist(), strict=True):
            if not ways[t]:
                ways[t].append(places[u])
            ways[t].append(places[v])
        for i, (x0, y0, x1, y1) in enumerate(starts.tolist()):
            if self.threads.owner[i] < 0:
                continue
            a, b = (x0, y0), (x1, y1)
            way = ways[i] or [places[self.first[i]]]
            if way == [a, b]:
                continue
            edge = (a, b) if a <= b else (b, a)
            cuts[int(self.threads.group[i]), edge] = way if a <= b else way[::-1]
        pieces = np.column_stack([begin, end])
        return Weave(self.threads, self.xy, pieces, thread, cuts, moved)


def _on_line(at: Floats, a: Floats, b: Floats) -> Floats:
    """The place on the line from a to b beside ``at``; exact where the line runs along an axis."""
    along = b - a
    main = int(abs(along[1]) > abs(along[0]))
    other = 1 - main
    place = at.copy()
    place[other] = a[other] + (at[main] - a[main]) / along[main] * along[other]
    return place
