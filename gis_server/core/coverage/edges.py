"""Polygons as directed edges with hashes: h(ba) = −h(ab), so that a shared border cancels when summed.

Two cells that share a border hold it in opposite directions; the sum over all cells leaves the border of their
union and nothing else. The hash works on the bits of the coordinates: no tolerance, no predicate, no rounding.
"""

from dataclasses import dataclass
from struct import unpack_from

import numpy as np
import shapely
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Hashes = NDArray[np.uint64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]
Geometries = NDArray[np.object_]

_WKB_HEADER = 9  # bytes before the first ring: byte order, type, count
_CHUNK = 1 << 15  # vertices: the working arrays of one chunk stay in the processor's cache
_ODD = tuple(
    np.uint64(k)
    for k in (
        0x9E3779B97F4A7C15,
        0xC2B2AE3D27D4EB4F,
        0xBF58476D1CE4E5B9,
        0x94D049BB133111EB,
        0xD6E8FEB86659FD93,
        0xA0761D6478BD642F,
        0xE7037ED1A0B428DB,
        0x8EBC6AF09C88C6E3,
    )
)
_S29, _S31, _S32, _S33 = (np.uint64(s) for s in (29, 31, 32, 33))

DEFAULT_SALT = 0x6769732D73657276
"""The salt of a check that is not kept; a stored certificate names its own."""


@dataclass(frozen=True, slots=True)
class Rings:
    """All rings of some polygons, flat.

    ``xy`` (n, 2) are the vertices, rings closed; ring r is ``xy[start[r]:start[r + 1]]`` and belongs to polygon
    ``owner[r]``. Edge i runs from vertex i to vertex i + 1; its ``hash`` is 0 at a ring's last vertex. ``sign`` is
    −1 where a ring runs against the convention (shell anticlockwise, hole clockwise). ``sums`` (polygons, 2) is the
    128-bit sum of each polygon's edges, independent of direction, start vertex and order of rings.
    """

    xy: Floats
    start: Indices
    owner: Indices
    sign: NDArray[np.int8]
    hash: Hashes
    sums: Hashes

    @property
    def edges(self) -> int:
        """How many edges the rings have."""
        return len(self.xy) - len(self.owner)

    def owner_of_edges(self, edges: Indices) -> Indices:
        """The polygon that each of ``edges`` belongs to."""
        return np.asarray(self.owner[np.searchsorted(self.start, edges, side="right") - 1])

    def sign_of_edges(self, edges: Indices) -> NDArray[np.int8]:
        """The sign of the ring that each of ``edges`` belongs to."""
        return np.asarray(self.sign[np.searchsorted(self.start, edges, side="right") - 1])

    def keyed(self, rings: Indices, factor: Hashes) -> tuple[Indices, Hashes]:
        """(edges, keys) of some rings: the hashes in conventional direction, times the ``factor`` of each ring."""
        lengths = self.start[rings + 1] - 1 - self.start[rings]
        edges = ranges(self.start[rings], self.start[rings + 1] - 1)
        signed = np.where(self.sign[rings] < 0, np.uint64(0) - factor, factor)
        keys = np.repeat(signed, lengths)
        keys *= self.hash[edges]
        return edges, keys


def ranges(starts: Indices, ends: Indices) -> Indices:
    """The integers of all half-open ranges, one after the other."""
    lengths = ends - starts
    total = int(lengths.sum())
    if total == 0:
        return np.empty(0, dtype=np.int64)
    offsets = np.repeat(starts - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    return np.asarray(np.arange(total, dtype=np.int64) + offsets)


def flatten(polygons: Geometries, salt: int = DEFAULT_SALT) -> Rings:
    """Take polygons (Polygon, MultiPolygon, None or empty) apart and hash their edges."""
    xy = shapely.get_coordinates(polygons)
    start, owner, is_shell = ring_layout(polygons)
    edge_hash, sums, area = _hash_edges(xy, start, salt)
    if len(xy):
        west, south, east, north = shapely.total_bounds(polygons)
        span = max(east - west, north - south)  # far from the first vertex the sign of a tiny ring drowns
        for ring in np.flatnonzero(np.abs(area) <= 1e-12 * span**2):
            area[ring] = _signed_area(xy[start[ring] : start[ring + 1]])
    sign = np.where((area >= 0) == is_shell, 1, -1).astype(np.int8)
    sums[sign < 0] = np.uint64(0) - sums[sign < 0]
    return Rings(xy, start, owner, sign, edge_hash, sum_by(sums, owner, len(polygons)))


def sum_by(sums: Hashes, group: Indices, groups: int) -> Hashes:
    """Add the rows of ``sums`` (n, 2) by group; negative groups are left out."""
    total = np.zeros((groups, 2), dtype=np.uint64)
    known = group >= 0
    if not known.all():
        sums, group = sums[known], group[known]
    for lane in range(2):
        np.add.at(total[:, lane], group, sums[:, lane])
    return total


def segment_hashes(a: Floats, b: Floats, salt: int) -> tuple[Hashes, Hashes]:
    """Two lanes of hashes of the segments from ``a`` to ``b``, each (n, 2)."""
    points = np.empty((2 * len(a), 2))
    points[0::2], points[1::2] = a, b
    one, two = _edge_hashes(points, salt)
    return one[0::2], two[0::2]


def among(values: Hashes | Indices, known: Hashes | Indices) -> Flags:
    """Which of the values occur in ``known``."""
    if len(known) == 0:
        return np.zeros(len(values), dtype=bool)
    ordered = np.sort(known)
    return np.asarray(ordered[np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)] == values)


def unlike(points: Floats, others: Floats) -> Flags:
    """Which of the points (n, 2) are not the other with the same index."""
    return np.asarray((points[:, 0] != others[:, 0]) | (points[:, 1] != others[:, 1]))


def place_keys(xy: Floats) -> Hashes:
    """One number for each of the points (n, 2): the same for the same place, another for another."""
    bits = (xy + 0.0).view(np.uint64)  # −0.0 and 0.0 are one place
    key = bits[:, 0] * _ODD[0]
    key ^= key >> _S29
    key += bits[:, 1]
    key *= _ODD[2]
    key ^= key >> _S32
    key *= _ODD[3]
    return np.asarray(key)


def ring_layout(polygons: Geometries) -> tuple[Indices, Indices, Flags]:
    """(start, owner, is_shell) of the rings, in the order in which get_coordinates lists vertices."""
    plain = (shapely.get_type_id(polygons) == 3) & (shapely.get_num_interior_rings(polygons) == 0)
    count = shapely.get_num_coordinates(polygons).astype(np.int64)
    if (plain | (count == 0)).all():
        owner = np.flatnonzero(count).astype(np.int64)
        lengths, is_shell = count[owner], np.ones(len(owner), dtype=bool)
    else:
        complex_ones = np.flatnonzero(~plain & (count > 0))
        parts, of_complex = shapely.get_parts(polygons[complex_ones], return_index=True)
        of_part, ring_lengths = _rings_of(parts)
        ring_owner = complex_ones[of_complex[of_part]]
        shell = np.concatenate([[True], of_part[1:] != of_part[:-1]]) if len(of_part) else np.empty(0, bool)
        simple = np.flatnonzero(plain & (count > 0))
        owner = np.concatenate([simple, ring_owner]).astype(np.int64)
        lengths = np.concatenate([count[simple], ring_lengths])
        is_shell = np.concatenate([np.ones(len(simple), dtype=bool), shell])
        order = np.argsort(owner, kind="stable")
        owner, lengths, is_shell = owner[order], lengths[order], is_shell[order]
    start = np.zeros(len(owner) + 1, dtype=np.int64)
    np.cumsum(lengths, out=start[1:])
    return start, owner, is_shell


def _rings_of(polygons: Geometries) -> tuple[Indices, Indices]:
    """(polygon, vertices) of each ring, read from the WKB: no object for each of thousands of holes."""
    rings = shapely.get_num_interior_rings(polygons) + ~shapely.is_empty(polygons)
    lengths: list[int] = []
    for wkb, count in zip(
        shapely.to_wkb(polygons, output_dimension=2, byte_order=1), rings.tolist(), strict=True
    ):
        at = _WKB_HEADER
        for _ in range(count):
            (vertices,) = unpack_from("<I", wkb, at)
            lengths.append(vertices)
            at += 4 + 16 * vertices
    return np.repeat(np.arange(len(polygons)), rings), np.array(lengths, dtype=np.int64)


def _hash_edges(xy: Floats, start: Indices, salt: int) -> tuple[Hashes, Hashes, Floats]:
    """(edge hashes of the first lane, ring sums (r, 2), signed ring areas) as the rings are stored."""
    n, rings = len(xy), len(start) - 1
    first_lane = np.zeros(n, dtype=np.uint64)
    sums = np.zeros((rings, 2), dtype=np.uint64)
    area = np.zeros(rings)
    if n == 0:
        return first_lane, sums, area
    middle = xy[0].copy()
    ring = 0
    while ring < rings:  # whole rings at a time
        stop = int(np.searchsorted(start, start[ring] + _CHUNK, side="right")) - 1
        stop = min(max(stop, ring + 1), rings)
        low, high = int(start[ring]), int(start[stop])
        last = start[ring + 1 : stop + 1] - 1 - low
        begin = start[ring:stop] - low
        points = xy[low:high]
        one, two = _edge_hashes(points, salt)
        one[last] = two[last] = 0
        first_lane[low:high] = one
        sums[ring:stop, 0] = np.add.reduceat(one, begin)
        sums[ring:stop, 1] = np.add.reduceat(two, begin)
        x, y = points[:, 0] - middle[0], points[:, 1] - middle[1]
        cross = np.zeros(len(x))
        cross[:-1] = x[:-1] * y[1:] - x[1:] * y[:-1]
        cross[last] = 0
        area[ring:stop] = np.add.reduceat(cross, begin) / 2
        ring = stop
    return first_lane, sums, area


def _edge_hashes(points: Floats, salt: int) -> tuple[Hashes, Hashes]:
    """Two 64-bit lanes per edge i → i + 1; the last entry is meaningless.

    Each vertex gets two well-mixed words m, n; the edge ab is m(a)·n(b) − n(a)·m(b), antisymmetric by construction.
    """
    bits = (points + 0.0).view(np.uint64)  # −0.0 and 0.0 are one place
    x, y = bits[:, 0], bits[:, 1]
    x = x ^ (x >> _S32)
    y = y ^ (y >> _S29)
    m = x * _ODD[0]
    m += y * _ODD[1]
    m += np.uint64(salt & 0xFFFFFFFFFFFFFFFF)
    m ^= m >> _S32
    m *= _ODD[2]
    m ^= m >> _S29
    n = m * _ODD[3]
    x *= _ODD[4]
    n += x
    n ^= n >> _S31
    n *= _ODD[5]
    n ^= n >> _S33
    second_m = m ^ (n >> _S32)
    second_m *= _ODD[6]
    second_n = n ^ (m >> _S31)
    second_n *= _ODD[7]
    return _cross(m, n), _cross(second_m, second_n)


def _cross(m: Hashes, n: Hashes) -> Hashes:
    edge = np.zeros(len(m), dtype=np.uint64)
    edge[:-1] = m[:-1] * n[1:]
    edge[:-1] -= n[:-1] * m[1:]
    return edge


def _signed_area(ring: Floats) -> float:
    local = ring - ring[0]
    return float(np.sum(local[:-1, 0] * local[1:, 1] - local[1:, 0] * local[:-1, 1]) / 2)
