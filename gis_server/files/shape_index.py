"""The .shx index of a shapefile: checked, and rebuilt from the .shp where it is missing or broken.

GDAL can rebuild it too, but then rewrites the index beside the person's file on every opening, whole or not.
"""

import struct
from pathlib import Path

import numpy as np

from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg

_HEADER = 100
_POINT_RECORD = 28  # bytes, with its own header: most big files are points, all records alike


def is_shape_index(shx: bytes, shp_size: int) -> bool:
    """Whether every entry of an index points into the .shp of ``shp_size`` bytes."""
    if len(shx) < _HEADER or (len(shx) - _HEADER) % 8 or shx[:4] != b"\x00\x00\x27\x0a":
        return False
    words = np.frombuffer(shx, ">i4", offset=_HEADER).astype(np.int64).reshape(-1, 2) * 2
    offsets, sizes = words[:, 0], words[:, 1]
    return bool(((offsets >= _HEADER) & (sizes >= 4) & (offsets + 8 + sizes <= shp_size)).all())


def shape_index(path: Path) -> bytes:
    """The index of a .shp, by walking its records; UnusableInput if the file ends within one."""
    shp = path.read_bytes()
    body = np.frombuffer(shp, np.uint8, offset=_HEADER)
    count, rest = divmod(len(body), _POINT_RECORD)
    lengths = body[: count * _POINT_RECORD].reshape(count, _POINT_RECORD)[:, 4:8]
    if not rest and (lengths == [0, 0, 0, (_POINT_RECORD - 8) // 2]).all():
        offsets = _HEADER + _POINT_RECORD * np.arange(count, dtype=np.int64)
        sizes = np.full(count, _POINT_RECORD - 8, np.int64)
    else:
        offsets, sizes = _walk(shp, path.name)
    entries = np.column_stack([offsets, sizes]) // 2
    total = (_HEADER + 8 * len(entries)) // 2
    return shp[:24] + struct.pack(">i", total) + shp[28:_HEADER] + entries.astype(">i4").tobytes()


def _walk(shp: bytes, file: str) -> tuple[np.ndarray, np.ndarray]:
    offsets: list[int] = []
    sizes: list[int] = []
    at, end = _HEADER, len(shp)
    read_size = struct.Struct(">i").unpack_from
    while at < end:
        size = read_size(shp, at + 4)[0] * 2 if at + 8 <= end else -1
        if size < 4 or at + 8 + size > end:
            raise UnusableInput(
                msg("{file} 不完整：第 {n} 个图形没有写完；请重新复制或导出。", file=file, n=len(offsets) + 1)
            )
        offsets.append(at)
        sizes.append(size)
        at += 8 + size
    return np.array(offsets, np.int64), np.array(sizes, np.int64)
