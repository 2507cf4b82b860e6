"""Borders of a tile with no more positions than it shows, the same on both sides and in every tile.

Where polygons share a border, what is left out is decided once for the stretch between two places where three or more
borders meet, so that no gap opens. Stretches also end where they pass an edge of a tile or of its buffer: what two tiles
both hold is therefore the same in both, and a border runs from one into the other without a jog.
"""

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.mvt import Indices, Parts
from gis_server.core.tile import BUFFER, EXTENT

TOLERANCE = 3
"""Units by which a border may be moved: three quarters of a pixel at most, where a tile is drawn 512 to 1024 px wide."""

Flags = NDArray[np.bool_]


def simplified(lines: Parts, *, closed: bool) -> Parts:
    """Lines, or rings that do not repeat their first position, without what lies within ``TOLERANCE`` of what stays.

    No two positions that follow each other may be the same. A ring may come back as no more than a line there and back.
    """
    if not len(lines.xy):
        return lines
    after, before = _neighbours(lines, closed)
    number = _places(lines.xy)
    stops = _stops(lines, number, after, before, closed)
    begin, end, steps, owner = _stretches(lines, stops, closed)

    # one and the same stretch is told by its first step from either end
    count = number.max() + 1
    ahead, back = (
        number[begin] * count + number[after[begin]],
        number[end] * count + number[before[end]],
    )
    _, first, which = np.unique(np.minimum(ahead, back), return_index=True, return_inverse=True)
    is_turned = ahead > back
    once, once_starts = _walked(lines, begin[first], steps[first] + 1, owner[first], is_turned[first])
    thin, thin_starts = _reduced(once, once_starts)

    # each line again of its stretches, without the last position of each, which the next begins with
    is_last = np.zeros(len(begin), dtype=bool)
    if not closed:
        is_last[np.flatnonzero(np.diff(owner, append=-1))] = True
    sizes = np.diff(thin_starts)[which]
    taken = sizes - ~is_last
    starts = np.concatenate([[0], np.cumsum(taken)])
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], taken)
    place = np.where(np.repeat(is_turned, taken), np.repeat(sizes, taken) - 1 - place, place)
    xy = thin[np.repeat(thin_starts[:-1][which], taken) + place]
    pieces = np.searchsorted(owner, np.arange(len(lines.starts)))
    return Parts(xy, starts[pieces], lines.owner)


def _neighbours(lines: Parts, closed: bool) -> tuple[Indices, Indices]:
    """The position after and before each; the ends of an open line have one neighbour, which counts for both."""
    after, before = np.arange(len(lines.xy)) + 1, np.arange(len(lines.xy)) - 1
    first, last = lines.starts[:-1], lines.starts[1:] - 1
    after[last] = first if closed else last - 1
    before[first] = last if closed else first + 1
    return after, before


def _places(xy: Indices) -> Indices:
    """A number for each place, in an order that does not depend on where the tile lies."""
    low = xy.min(axis=0)
    across = int(xy[:, 1].max() - low[1]) + 1
    _, number = np.unique((xy[:, 0] - low[0]) * across + xy[:, 1] - low[1], return_inverse=True)
    return number.astype(np.int64)


def _stops(lines: Parts, number: Indices, after: Indices, before: Indices, closed: bool) -> Flags:
    """The positions that stay, whatever lies around them."""
    one, other = number[after], number[before]
    count = number.max() + 1
    least, most = np.full(count, count), np.full(count, -1)
    np.minimum.at(least, number, np.minimum(one, other))
    np.maximum.at(most, number, np.maximum(one, other))
    is_junction = np.zeros(count, dtype=bool)
    # where one turns back another may go on: a stretch must be told by its first step
    is_junction[number[one == other]] = True
    for neighbour in (one, other):
        is_junction[number[(neighbour != least[number]) & (neighbour != most[number])]] = True
    stops = is_junction[number]

    cell = _cells(lines.xy)
    passes = cell != cell[after]
    stops[passes] = True
    stops[after[passes]] = True
    if closed:
        # a ring that meets nothing begins at the same place from whichever side it is seen
        begins = lines.starts[:-1]
        lowest = np.minimum.reduceat(number, begins)
        lowest[np.logical_or.reduceat(stops, begins)] = -1
        stops |= number == np.repeat(lowest, np.diff(lines.starts))
    else:
        stops[lines.starts[:-1]] = stops[lines.starts[1:] - 1] = True
    return stops


def _cells(xy: Indices) -> Indices:
    """In which of the fields each position lies that the edges of tiles and of their buffers make.

    What was cut off lies on the edge, and counts as beyond it, as what it was cut from does in the next tile.
    """
    field = np.zeros_like(xy)
    for edge in (-BUFFER, EXTENT - BUFFER):
        field += xy > edge
    for edge in (0, BUFFER, EXTENT, EXTENT + BUFFER):
        field += xy >= edge
    cells: Indices = field[:, 0] * 8 + field[:, 1]
    return cells


def _stretches(lines: Parts, stops: Flags, closed: bool) -> tuple[Indices, Indices, Indices, Indices]:
    """From stop to stop: the positions of both, the steps between them, and whose line it is."""
    begin = np.flatnonzero(stops)
    owner = np.searchsorted(lines.starts, begin, side="right") - 1
    is_last = np.diff(owner, append=-1) != 0
    end = np.append(begin[1:], 0)
    if not closed:
        begin, end, owner = begin[~is_last], end[~is_last], owner[~is_last]
        return begin, end, end - begin, owner
    is_first = np.diff(owner, prepend=-1) != 0
    end[is_last] = begin[is_first]
    steps = end - begin
    steps[is_last] += np.diff(lines.starts)
    return begin, end, steps, owner


def _walked(
    lines: Parts, begin: Indices, counts: Indices, owner: Indices, is_turned: Flags
) -> tuple[Indices, Indices]:
    """So many positions of lines from each beginning on, round the ring, some of them turned round."""
    starts = np.concatenate([[0], np.cumsum(counts)])
    place = np.arange(starts[-1]) - np.repeat(starts[:-1], counts)
    place = np.where(np.repeat(is_turned, counts), np.repeat(counts, counts) - 1 - place, place)
    place += np.repeat(begin, counts)
    last = np.repeat(lines.starts[1:][owner], counts)
    place -= np.where(place >= last, np.repeat(np.diff(lines.starts)[owner], counts), 0)
    return lines.xy[place], starts


def _reduced(xy: Indices, starts: Indices) -> tuple[Indices, Indices]:
    """Stretches by Douglas and Peucker's reduction; one that closes upon itself stays as it is if it would enclose nothing."""
    counts = np.diff(starts)
    long = np.flatnonzero(counts > 2)
    if not len(long):
        return xy, starts
    chosen = np.repeat(counts > 2, counts)
    stretches = shapely.linestrings(
        xy[chosen].astype(np.float64), indices=np.repeat(np.arange(len(long)), counts[long])
    )
    reduced = shapely.simplify(stretches, TOLERANCE, preserve_topology=False)
    is_closed = (xy[starts[:-1][long]] == xy[starts[1:][long] - 1]).all(axis=1)
    flat = is_closed & (shapely.get_num_coordinates(reduced) < 4)
    reduced[flat] = stretches[flat]
    sizes = counts.copy()
    sizes[long] = shapely.get_num_coordinates(reduced)
    ends = np.concatenate([[0], np.cumsum(sizes)])
    thin = np.empty((ends[-1], 2), np.int64)
    is_long = np.repeat(counts > 2, sizes)
    thin[~is_long] = xy[~chosen]
    thin[is_long] = shapely.get_coordinates(reduced).astype(np.int64)
    return thin, ends
