"""Mapbox Vector Tile 2.1: a layer's shapes and values as the bytes that map libraries read.

Written with whole arrays: a tile of a thousand polygons takes milliseconds.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gis_server.core.tile import EXTENT

Indices = NDArray[np.int64]


class Kind(IntEnum):
    """What a layer's features are, by the format's numbers."""

    POINT = 1
    LINE = 2
    POLYGON = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """Pieces of features, in units of a tile: ``xy`` (n, 2), piece p being ``xy[starts[p]:starts[p + 1]]``.

    ``owner`` is the feature of each piece, never falling. Rings are open (their first point is not repeated), outer ones
    clockwise with y downward, each followed by its holes. Of points, a feature has one piece.
    """

    xy: Indices
    starts: Indices  # one more than there are pieces
    owner: Indices


_MOVE, _LINE, _CLOSE = 1, 2, 7


Columns = Mapping[str, Sequence[object] | NDArray[np.object_]]
"""Values of features by key."""


@dataclass(frozen=True, slots=True)
class Written:
    """The values of features as the format has them: of each key (in ``keys``) a column, empty where there is none."""

    keys: list[bytes]
    columns: list[list[bytes]]


def written(properties: Columns) -> Written:
    """Columns of text, whole or other numbers, truths or dates, ready for any number of layers; None is left out."""
    columns = []
    for column in properties.values():
        known: dict[object, bytes] = {None: b""}
        for value in column:
            if value not in known:
                known[value] = _field(4, _value(value))
        columns.append([known[value] for value in column])
    return Written([_field(3, key.encode()) for key in properties], columns)


def encode(name: str, kind: Kind, parts: Parts, values: Written, extent: int = EXTENT) -> bytes:
    """One layer of a tile, empty without a feature; ``parts.owner`` counts in the columns of ``values``.

    Tiles are joined by joining their bytes.
    """
    if not len(parts.owner):
        return b""
    first = np.flatnonzero(np.diff(parts.owner, prepend=-1))  # of each feature, its first piece
    geometry, ends = _geometry(kind, parts, first)
    tags, used = _tags(values.columns, parts.owner[first].tolist())
    shape = bytes((0x18, kind, 0x22))
    pieces = [_field(1, name.encode())]
    begin = 0
    for tag, end in zip(tags, ends, strict=True):
        length = varint(end - begin)
        tag_length = varint(len(tag))
        whole = 1 + len(tag_length) + len(tag) + len(shape) + len(length) + end - begin
        pieces += (b"\x12", varint(whole), b"\x12", tag_length, tag, shape, length, geometry[begin:end])
        begin = end
    pieces += values.keys
    pieces += used
    pieces += [b"\x28", varint(extent), b"\x78\x02"]
    return _field(3, b"".join(pieces))


def _tags(columns: Sequence[Sequence[bytes]], rows: Sequence[int]) -> tuple[list[bytes], list[bytes]]:
    """Of each row the pairs that say "this key has this value", and the values, those of a column each once."""
    used: list[bytes] = []
    tags = [b""] * len(rows)
    for key, column in enumerate(columns):
        known: dict[bytes, bytes] = {b"": b""}
        for n, row in enumerate(rows):
            value = column[row]
            tag = known.get(value)
            if tag is None:
                tag = known[value] = varint(key) + varint(len(used))
                used.append(value)
            tags[n] += tag
    return tags, used


def _geometry(kind: Kind, parts: Parts, first: Indices) -> tuple[bytes, list[int]]:
    """The commands of all features in one string, and where each feature's end."""
    starts, counts = parts.starts[:-1], np.diff(parts.starts)
    delta = np.diff(parts.xy, axis=0, prepend=0)
    opening = starts[first]
    delta[opening] = parts.xy[opening]  # the pen begins each feature at the corner
    zigzag = ((delta << 1) ^ (delta >> 63)).astype(np.uint32)

    heads = 1 if kind is Kind.POINT else 2
    closing = int(kind is Kind.POLYGON)
    length = 2 * counts + heads + closing
    at = np.concatenate([[0], np.cumsum(length)])
    numbers = np.empty(at[-1], np.uint32)
    piece = np.repeat(np.arange(len(counts)), counts)
    place = np.arange(len(parts.xy)) - starts[piece]
    where = at[piece] + 1 + 2 * place + (place > 0) * (heads - 1)
    numbers[where], numbers[where + 1] = zigzag[:, 0], zigzag[:, 1]
    if kind is Kind.POINT:
        numbers[at[:-1]] = counts << 3 | _MOVE
    else:
        numbers[at[:-1]] = 1 << 3 | _MOVE
        numbers[at[:-1] + 3] = (counts - 1) << 3 | _LINE
    if closing:
        numbers[at[1:] - 1] = 1 << 3 | _CLOSE
    packed, ends = _varints(numbers)
    of_feature = np.append(at[first[1:]], at[-1])
    return packed, ends[of_feature - 1].tolist()


def _varints(numbers: NDArray[np.uint32]) -> tuple[bytes, Indices]:
    """Numbers in base 128, lowest digits first, and where each ends."""
    size = 1 + sum((numbers >= 1 << bits).astype(np.int64) for bits in (7, 14, 21, 28))
    ends = np.cumsum(size)
    begins = ends - size
    packed = np.empty(int(ends[-1]), np.uint8)
    rest = numbers
    where = begins
    while len(rest):
        more = rest >= 0x80
        packed[where] = (rest & 0x7F) | (more << 7)
        rest, where = rest[more] >> np.uint32(7), where[more] + 1
    return packed.tobytes(), ends


def _in_digits(number: int) -> bytes:
    digits = bytearray()
    while number >= 0x80:
        digits.append(number & 0x7F | 0x80)
        number >>= 7
    digits.append(number)
    return bytes(digits)


_SMALL = tuple(_in_digits(number) for number in range(1 << 12))


def varint(number: int) -> bytes:
    """A natural number in base 128, lowest digits first."""
    return _SMALL[number] if number < len(_SMALL) else _in_digits(number)


def _field(number: int, content: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + varint(len(content)) + content


def _value(value: object) -> bytes:
    match value:
        case bool():
            return b"\x38" + varint(int(value))
        case int():
            return b"\x30" + varint((value << 1) ^ (value >> 63))
        case float():
            return b"\x19" + struct.pack("<d", value)
        case date():  # a datetime is one, too
            return _field(1, value.isoformat().encode())
        case _:
            return _field(1, str(value).encode())
