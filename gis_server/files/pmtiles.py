"""Base maps in one PMTiles file, read tile by tile where it lies."""

import gzip
import io
import json
import os
import re
import weakref
import zlib
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any

from PIL import Image
from pmtiles.tile import (
    Compression,
    Entry,
    HeaderDict,
    MagicNumberNotFound,
    SpecVersionUnsupported,
    TileType,
    deserialize_directory,
    deserialize_header,
    find_tile,
    zxy_to_tileid,
)

from gis_server.core.base_map import BaseMap, MapKind
from gis_server.core.errors import UnusableInput
from gis_server.core.message import Message, msg

KEPT_DIRECTORIES = 64
"""Directories kept unpacked: a whole city's tiles are found in a few."""

_DEEPEST_DIRECTORY = 4
_HEADER_BYTES = 127

_TYPES = {
    TileType.MVT: "application/vnd.mapbox-vector-tile",
    TileType.PNG: "image/png",
    TileType.JPEG: "image/jpeg",
    TileType.WEBP: "image/webp",
}


@dataclass(frozen=True, slots=True)
class MapTile:
    """One tile as it stands in the file; ``is_gzip`` says that it is packed."""

    body: bytes
    media_type: str
    is_gzip: bool


class MapFile:
    """An open PMTiles file. ``mark`` tells it from another one, also from another at the same path."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # asked for piece by piece: of a file mapped into memory that somebody shortens nothing is left but a dead process
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            weakref.finalize(self, os.close, self._file)
            status = os.fstat(self._file)
            self.mark = f"{status.st_size}/{status.st_mtime_ns}"
            self._header: HeaderDict = deserialize_header(self._bytes(0, _HEADER_BYTES))
            self._about = self._metadata()
        except (MagicNumberNotFound, SpecVersionUnsupported):
            raise _unusable(path, msg("它不是 PMTiles 第 3 版")) from None
        except (OSError, ValueError, EOFError, IndexError, zlib.error) as error:
            raise _unusable(path, msg("它读不出来（{reason}）", reason=type(error).__name__)) from error
        if self._header["tile_type"] not in _TYPES:
            raise _unusable(path, msg("其中的瓦片不是 MVT、PNG、JPEG 或 WebP"))
        self._directories: OrderedDict[tuple[int, int], list[Entry]] = OrderedDict()
        self._lock = Lock()

    def _bytes(self, begin: int, length: int) -> bytes:
        return os.pread(self._file, length, begin)

    def _metadata(self) -> dict[str, Any]:
        header = self._header
        if header["internal_compression"] is not Compression.GZIP or header["tile_compression"] not in (
            Compression.NONE,
            Compression.GZIP,
            Compression.UNKNOWN,
        ):
            raise _unusable(self.path, msg("它的压缩方式不是 gzip"))
        begin = header["metadata_offset"]
        about = json.loads(gzip.decompress(self._bytes(begin, header["metadata_length"])))
        return about if isinstance(about, dict) else {}

    def described(self, chosen: BaseMap) -> BaseMap:
        """The map that was chosen, with what the file says of itself."""
        header = self._header
        is_vector = header["tile_type"] is TileType.MVT
        said = re.sub(r"<[^>]*>", "", str(self._about.get("attribution") or ""))
        return replace(
            chosen,
            kind=MapKind.VECTOR if is_vector else MapKind.RASTER,
            min_zoom=header["min_zoom"],
            max_zoom=header["max_zoom"],
            tile_size=512 if is_vector else self._picture_size(),
            attribution=chosen.attribution or said.strip()[:200],
        )

    def _picture_size(self) -> int:
        entry = next(iter(self._directory(self._header["root_offset"], self._header["root_length"])), None)
        while entry is not None and entry.run_length == 0:
            begin = self._header["leaf_directory_offset"] + entry.offset
            entry = next(iter(self._directory(begin, entry.length)), None)
        if entry is None:
            return 256
        begin = self._header["tile_data_offset"] + entry.offset
        try:
            with Image.open(io.BytesIO(self._bytes(begin, entry.length))) as picture:
                return int(picture.width)
        except OSError:
            return 256

    def tile(self, z: int, x: int, y: int) -> MapTile | None:
        """The tile at this place; None where the file has none."""
        number = zxy_to_tileid(z, x, y)
        begin, length = self._header["root_offset"], self._header["root_length"]
        for _ in range(_DEEPEST_DIRECTORY):
            entry = find_tile(self._directory(begin, length), number)
            if entry is None:
                return None
            if entry.run_length:
                begin = self._header["tile_data_offset"] + entry.offset
                body = self._bytes(begin, entry.length)
                is_gzip = self._header["tile_compression"] is Compression.GZIP
                return MapTile(body, _TYPES[self._header["tile_type"]], is_gzip)
            begin, length = self._header["leaf_directory_offset"] + entry.offset, entry.length
        return None

    def _directory(self, begin: int, length: int) -> list[Entry]:
        key = (begin, length)
        with self._lock:
            found = self._directories.get(key)
            if found is not None:
                self._directories.move_to_end(key)
                return found
        read = deserialize_directory(self._bytes(begin, length))
        with self._lock:
            self._directories[key] = read
            while len(self._directories) > KEPT_DIRECTORIES:
                self._directories.popitem(last=False)
        return read


def _unusable(path: Path, reason: Message) -> UnusableInput:
    return UnusableInput(
        msg("底图文件 {path} 不能使用：{reason}。", path=str(path), reason=reason), field="GIS_BASE_MAP"
    )
