"""Which of many polygons covers a point: exactly, the lowest code first, in about the time of one look into a table.

The plane is cut into equal cells. A cell that no border touches has one answer, kept in a table. In every other cell
stand the edges that touch it, and the answer at one place inside it (its *post*): walking from the post to the point,
each edge that is crossed changes the answer by what lies on its two sides. Edges that two polygons share are one.

The answer is a sum: each polygon that covers a place adds ``_ONE + rank + 1``, so that a sum of one polygon tells its rank,
and any other sum tells that polygons overlap there. What arithmetic cannot decide safely (a point on an edge, or within rounding
of one), overlaps, and cells with very many edges are left to GEOS, which decides exactly; so all answers are its answers.
"""

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
import shapely

from gis_server.core.routing.edges import Bools, Floats, Geometries, Ints, Rows, edges_of

NOWHERE = -1
"""Rank or row of no polygon."""

_ONE = 1 << 40
_RANK = _ONE - 1
_SAFE = 1e-12
"""How near to an edge, relative to the distances that the calculation meets, a point is left to GEOS: thousands of
times the rounding error (Shewchuk's bound is 3.3e-16)."""

_CELLS_A_POLYGON = 64
_MOST_CELLS = 1 << 24
_MOST_EDGES = 64
"""Edges of one cell; where there are more, the tree is faster."""

_POST = (0.437, 0.531)
"""Where in its cell the post stands: off the centre and the corners, where borders of made-up tilings like to run."""

_MARGIN = 1e-6  # of a cell: far above the rounding of a cell's number
_BLOCK = 1 << 18  # points at once: what fits the processor's cache counts for more than fewer calls
_EDGE_BLOCK = 1 << 20
_CELL_BITS = 26  # hold the number of a cell
_MIX = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)


class Cover:
    """Polygons with codes, asked which of them covers a point; the lowest code has a shared border.

    ``geometries``: n valid polygons, none of them None; ``codes``: n texts. Coordinates are taken as planar: degrees of
    EPSG:4490 and metres serve alike, since the test is exact in either. A polygon's *rank* is its place in the order of codes.
    """

    def __init__(self, codes: Sequence[str], geometries: Geometries) -> None:
        texts = np.asarray(codes, dtype=object)
        # code points in order, as COLLATE "C" sorts them in UTF-8
        self.order: Rows = np.array(
            sorted(range(len(texts)), key=lambda row: str(texts[row])), dtype=np.int64
        )
        self.codes: list[str] = [str(texts[row]) for row in self.order]
        self.geometries: Geometries = np.asarray(geometries, dtype=object)[self.order]
        self._build()

    @cached_property
    def tree(self) -> shapely.STRtree:
        """All polygons, for what the table cannot tell."""
        return shapely.STRtree(self.geometries)

    def find(self, lon: float, lat: float) -> int:
        """Rank of the one polygon that has the point, or NOWHERE (for NaN and infinities too)."""
        if not (self._west <= lon < self._east and self._south <= lat < self._north):
            return NOWHERE
        column = int((lon - self._west) * self._per_x)
        row = int((lat - self._south) * self._per_y)
        entry: int = self._entries[row * self._columns + column]
        return entry if entry >= NOWHERE else self._find_at_border(-2 - entry, column, row, lon, lat)

    def _find_at_border(self, cell: int, column: int, row: int, x: float, y: float) -> int:
        first, last = self._starts[cell], self._starts[cell + 1]
        if first == last:
            return self._find_exactly(x, y)
        to_post_x = column * self._width + self._post_x - x
        to_post_y = row * self._height + self._post_y - y
        total: int = self._sums[cell]
        for (ax, ay, bx, by), change in zip(
            self._ends[first:last].tolist(), self._changes[first:last].tolist(), strict=True
        ):
            ex, ey, fx, fy = bx - ax, by - ay, ax - x, ay - y
            left = ey * fx - ex * fy
            if -(reach := _SAFE * (abs(ex) + abs(ey)) * (abs(fx) + abs(fy))) <= left <= reach:
                return self._find_exactly(x, y)
            if left > 0.0 and (to_post_x * fy > to_post_y * fx) != (
                to_post_x * (by - y) > to_post_y * (bx - x)
            ):
                total += change
        if total == 0:
            return NOWHERE
        return (total & _RANK) - 1 if total >> 40 == 1 else self._find_exactly(x, y)

    def _find_exactly(self, x: float, y: float) -> int:
        boxes: list[int] = sorted(self.tree.query(shapely.Point(x, y)).tolist())
        for rank in boxes:
            polygon = self.geometries[rank]
            shapely.prepare(polygon)  # kept with the polygon: the next point here is quick
            if shapely.intersects_xy(polygon, x, y):
                return rank
        return NOWHERE

    def find_all(self, lon: Floats, lat: Floats) -> Rows:
        """``find`` for n points at once: n ranks."""
        ranks = np.empty(len(lon), dtype=np.int64)
        for start in range(0, len(lon), _BLOCK):
            part = slice(start, start + _BLOCK)
            ranks[part] = self._find_block(lon[part], lat[part])
        return ranks

    def _find_block(self, x: Floats, y: Floats) -> Rows:
        inside = (x >= self._west) & (x < self._east) & (y >= self._south) & (y < self._north)
        # every other point looks into the cell of the south-west corner, which is empty
        x, y = np.where(inside, x, self._west), np.where(inside, y, self._south)
        column = ((x - self._west) * self._per_x).astype(np.int32)
        row = ((y - self._south) * self._per_y).astype(np.int32)
        ranks: Rows = self._table[row * self._columns + column].astype(np.int64)
        border = np.flatnonzero(ranks < NOWHERE)
        if not len(border):
            return ranks
        cells = -2 - ranks[border]
        first = self._first[cells]
        count = self._first[cells + 1] - first
        unsure = border[count == 0]
        known = count > 0
        if known.any():
            at, cells, first, count = border[known], cells[known], first[known], count[known]
            total, doubtful = self._walk(
                x[at], y[at], column=column[at], row=row[at], cells=cells, first=first, count=count
            )
            one = (total >> 40 == 1) & ~doubtful
            ranks[at] = np.where(one, (total & _RANK) - 1, NOWHERE)
            unsure = np.concatenate([unsure, at[~one & ((total != 0) | doubtful)]])
        if len(unsure):
            ranks[unsure] = NOWHERE
            points, found = self.tree.query(shapely.points(x[unsure], y[unsure]), predicate="intersects")
            # written from the highest rank down, so that the lowest stands at the end
            order = np.argsort(-found, kind="stable")
            ranks[unsure[points[order]]] = found[order]
        return ranks

    def _walk(
        self, x: Floats, y: Floats, *, column: Ints, row: Ints, cells: Rows, first: Rows, count: Rows
    ) -> tuple[Rows, Bools]:
        """The sums at points of border cells, walking from their posts; and which of them are not safe."""
        to_post_x = column * self._width + self._post_x - x
        to_post_y = row * self._height + self._post_y - y
        starts = np.cumsum(count) - count
        point = np.repeat(np.arange(len(x)), count)
        pair = np.arange(len(point)) + np.repeat(first - starts, count)
        ends = self._ends[pair]
        changes = self._changes[pair]
        px, py = x[point], y[point]
        tx, ty = to_post_x[point], to_post_y[point]
        ax, ay, bx, by = ends.T
        ex, ey = bx - ax, by - ay
        fx, fy = ax - px, ay - py
        left = ey * fx - ex * fy
        reach = (np.abs(ex) + np.abs(ey)) * (np.abs(fx) + np.abs(fy)) * _SAFE
        doubtful = np.abs(left) <= reach
        # both ends are judged by one formula, so that an end that two edges share stands on one side for both
        crossed = (tx * fy > ty * fx) != (tx * (by - py) > ty * (bx - px))
        crossed &= left > 0
        changes *= crossed
        return (
            self._at_post[cells] + np.add.reduceat(changes, starts),
            np.logical_or.reduceat(doubtful, starts),
        )

    # --- building ---

    def _build(self) -> None:
        edges = edges_of(self.geometries)
        self._lay_out(edges.ends)
        ends, changes = self._shared(edges.ends, edges.owners)
        cells, which = self._touched(ends)
        size = self._columns * self._rows
        sums, doubtful = self._sums_at_posts(ends, changes, size)

        table = np.where(sums == 0, NOWHERE, (sums & _RANK) - 1)
        hard = doubtful | ((sums != 0) & (sums >> 40 != 1))  # overlaps
        counts = np.bincount(cells, minlength=size)
        border = np.flatnonzero((counts > 0) | hard)
        table[border] = -2 - np.arange(len(border))
        self._table = table.astype(np.int32)
        self._entries = self._table.data
        self._at_post = sums[border]
        self._sums = self._at_post.data
        del table, sums

        order = np.argsort(cells)
        cells, which = cells[order], which[order]
        del order
        keep = ~hard[cells] & (counts[cells] <= _MOST_EDGES)
        self._ends = ends[which[keep]]
        self._changes = changes[which[keep]]
        counts[hard | (counts > _MOST_EDGES)] = 0
        # the post to the right of every edge
        cells = cells[keep]
        fx = self._ends[:, 0] - ((cells % self._columns) * self._width + self._post_x)
        fy = self._ends[:, 1] - ((cells // self._columns) * self._height + self._post_y)
        ex = self._ends[:, 2] - self._ends[:, 0]
        ey = self._ends[:, 3] - self._ends[:, 1]
        left = ey * fx - ex * fy
        reach = (np.abs(ex) + np.abs(ey)) * (np.abs(fx) + np.abs(fy)) * _SAFE
        turn = left > 0
        self._ends[turn] = self._ends[turn][:, [2, 3, 0, 1]]
        self._changes[turn] *= -1
        on_edge = np.unique(cells[np.abs(left) <= reach])
        if len(on_edge):
            drop = np.isin(cells, on_edge)
            self._ends, self._changes = self._ends[~drop], self._changes[~drop]
            counts[on_edge] = 0
        self._first: Rows = np.concatenate([[0], np.cumsum(counts[border])]).astype(np.int64)
        self._starts = self._first.data

    def _shared(self, ends: Floats, owners: Rows) -> tuple[Floats, Rows]:
        """One edge for all that join the same two places, and how the sum on its left differs from that on its right."""
        change = _ONE + owners + 1
        backward = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
        ends[backward] = ends[backward][:, [2, 3, 0, 1]]
        change[backward] *= -1
        # sorted by place, so that what comes after works on neighbouring memory; then by a mixture of all bits
        column = ((ends[:, 0] - self._west) * self._per_x).astype(np.uint64)
        row = ((ends[:, 1] - self._south) * self._per_y).astype(np.uint64)
        key = np.zeros(len(ends), np.uint64)
        for bits, factor in zip(ends.view(np.uint64).T, _MIX, strict=True):
            key = (key ^ (key >> np.uint64(29)) ^ bits) * np.uint64(factor)
        key >>= np.uint64(_CELL_BITS)
        key |= (row * np.uint64(self._columns) + column) << np.uint64(64 - _CELL_BITS)
        order = np.argsort(key)
        ends, change = ends[order], change[order]
        is_first = np.ones(len(ends), bool)
        is_first[1:] = (ends[1:] != ends[:-1]).any(axis=1)
        starts = np.flatnonzero(is_first)
        return ends[starts], np.add.reduceat(change, starts) if len(starts) else change

    def _lay_out(self, ends: Floats) -> None:
        """Choose the cells: so many that most lie inside a polygon, so few that building is bounded."""
        if len(ends):
            west, south = ends[:, :2].min(axis=0).tolist()
            east, north = ends[:, :2].max(axis=0).tolist()
            wide, high = np.abs(ends[:, 2:] - ends[:, :2]).sum(axis=0).tolist()
        else:
            west, south, east, north, wide, high = 0.0, 0.0, 1.0, 1.0, 0.0, 0.0
        width, height = east - west, north - south
        cells = min(max(_CELLS_A_POLYGON * len(self.geometries), len(ends), 1 << 12), _MOST_CELLS)
        cell = max(math.sqrt(width * height / cells), 8 * max(width, height) / cells)
        # an edge touches as many cells as it is long: where all are long, the cells are larger
        if len(ends):
            cell = max(cell, (wide + high) / (3 * len(ends) + 80 * len(self.geometries)))
        # and never so small that rounding of coordinates matters within one
        cell = max(cell, 1e-9 * max(map(abs, (west, south, east, north))), 1e-300)
        self._columns = int(width / cell) + 4
        self._rows = int(height / cell) + 4
        self._width = self._height = cell
        self._per_x = self._per_y = 1.0 / cell
        # two cells of margin on every side
        self._west, self._south = west - 1.5 * cell, south - 1.5 * cell
        self._east = self._west + (self._columns - 0.5) * cell
        self._north = self._south + (self._rows - 0.5) * cell
        self._post_x, self._post_y = self._west + _POST[0] * cell, self._south + _POST[1] * cell

    def _touched(self, ends: Floats) -> tuple[Ints, Ints]:
        """Every cell that an edge touches: pairs of cell and edge."""
        cells, edges = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
        for start in range(0, len(ends), _EDGE_BLOCK):
            block = ends[start : start + _EDGE_BLOCK]
            u = (block[:, 0::2] - self._west) * self._per_x
            v = (block[:, 1::2] - self._south) * self._per_y
            low = np.floor(v.min(axis=1) - _MARGIN).astype(np.int32)
            high = np.floor(v.max(axis=1) + _MARGIN).astype(np.int32)
            # one entry for each row of cells that an edge passes through
            edge, row = _spread(low, high)
            u0, v0 = u[edge, 0], v[edge, 0]
            du, dv = u[edge, 1] - u0, v[edge, 1] - v0
            with np.errstate(divide="ignore", invalid="ignore"):
                at0, at1 = (row - v0) / dv, (row + 1 - v0) / dv
            flat = high[edge] == low[edge]
            at0[flat], at1[flat] = 0.0, 1.0
            np.clip(at0, 0.0, 1.0, out=at0)
            np.clip(at1, 0.0, 1.0, out=at1)
            one, other = u0 + at0 * du, u0 + at1 * du
            left = np.floor(np.minimum(one, other) - _MARGIN).astype(np.int32)
            right = np.floor(np.maximum(one, other) + _MARGIN).astype(np.int32)
            entry, column = _spread(left, right)
            cells.append(row[entry] * np.int32(self._columns) + column)
            edges.append(edge[entry] + np.int32(start))
        return np.concatenate(cells), np.concatenate(edges)

    def _sums_at_posts(self, ends: Floats, changes: Rows, size: int) -> tuple[Rows, Bools]:
        """The sum at the post of every cell, and which are not safe because an edge passes through the post."""
        sums = np.zeros(size, np.int64)
        doubtful = np.zeros(size, bool)
        for start in range(0, len(ends), _EDGE_BLOCK):
            ax, ay, bx, by = ends[start : start + _EDGE_BLOCK].T
            change = changes[start : start + _EDGE_BLOCK]
            up = by > ay
            low, high = np.minimum(ay, by), np.maximum(ay, by)
            # rows whose post's latitude y has low <= y < high; the row next to either end is tested exactly
            from_row = np.floor((low - self._post_y) * self._per_y).astype(np.int32)
            to_row = np.floor((high - self._post_y) * self._per_y).astype(np.int32) + 1
            edge, row = _spread(from_row, to_row)
            y = row * self._height + self._post_y
            passes = (low[edge] <= y) & (y < high[edge])
            edge, row, y = edge[passes], row[passes], y[passes]
            x0, y0 = ax[edge], ay[edge]
            x = x0 + (y - y0) / (by[edge] - y0) * (bx[edge] - x0)
            place = (x - self._post_x) * self._per_x
            column = np.floor(place).astype(np.int32) + 1
            cell = row * np.int32(self._columns) + column
            # going east across an edge that points north leads from its left side to its right
            np.add.at(sums, cell, np.where(up[edge], -change[edge], change[edge]))
            fraction = place - np.floor(place)
            doubtful[cell[fraction > 1 - _MARGIN]] = True
            doubtful[cell[fraction < _MARGIN] - 1] = True
        table = sums.reshape(self._rows, self._columns)
        np.cumsum(table, axis=1, out=table)
        return sums, doubtful


def _spread(low: Ints, high: Ints) -> tuple[Ints, Ints]:
    """For each i all numbers low[i] … high[i]: pairs of i and number."""
    count = high - low + 1
    index: Ints = np.repeat(np.arange(len(low), dtype=np.int32), count)
    offset = np.cumsum(count, dtype=np.int32) - count
    number: Ints = np.arange(len(index), dtype=np.int32) - offset[index] + low[index]
    return index, number
