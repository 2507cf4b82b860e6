"""Base maps: what lies under the layers, where its tiles come from and how they are to be laid.

A base map is a PMTiles file, a service of Tianditu (天地图) or any XYZ or WMTS service given by its address. A browser only ever
asks this server for a tile; the key of a service never leaves it.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.message import Message, msg
from gis_server.core.tile import no_tile

PMTILES = ".pmtiles"


class Matrix(StrEnum):
    """How tiles divide the world: Web Mercator, or degrees (twice as many columns as rows)."""

    W = "w"
    C = "c"


class Tone(StrEnum):
    """How bright a map is by nature: a drawn map on light ground, or pictures from above."""

    LIGHT = "light"
    IMAGERY = "imagery"


class MapKind(StrEnum):
    """What a tile holds."""

    RASTER = "raster"
    VECTOR = "vector"


@dataclass(frozen=True, slots=True)
class Choice:
    """What the settings say of the base map, as written there; None where nothing is said."""

    source: str
    key: str | None = None
    labels: str | None = None
    datum: str | None = None
    matrix: str | None = None
    levels: tuple[int, int] | None = None
    tone: str | None = None
    attribution: str | None = None


@dataclass(frozen=True, slots=True)
class BaseMap:
    """A base map. ``tiles`` is the address of a service with its places ``{z}`` ``{x}`` ``{y}`` ``{key}``, or a file's path.

    ``datum`` is CGCS2000 (WGS 84 is the same on a map) or GCJ-02, which lies 140 to 630 m off and must be shifted back.
    """

    kind: MapKind
    tiles: str
    labels: str | None
    is_file: bool
    datum: Datum
    matrix: Matrix
    min_zoom: int
    max_zoom: int
    tile_size: int
    tone: Tone
    attribution: str

    def require(self, z: int, x: int, y: int) -> None:
        """Raise NotFound for a place where this map has no tile."""
        # the level first: of one that somebody made up the columns are no number that fits into memory
        if not self.min_zoom <= z <= self.max_zoom or not 0 <= x < 1 << z or not 0 <= y < self._rows(z):
            raise no_tile(z, x, y)

    def _rows(self, z: int) -> int:
        return 1 << (z if self.matrix is Matrix.W else max(0, z - 1))


_TIANDITU = re.compile(r"tianditu:(vec|img|ter)_([wc])(?:@(https?://[^/\s?#]+))?")
_LABELS_OF = {"vec": "cva", "img": "cia", "ter": "cta"}
_DEEPEST_OF = {"vec": 18, "img": 18, "ter": 14}
_TIANDITU_HOST = "https://t{t}.tianditu.gov.cn"
_QUERY = (
    "SERVICE=WMTS&REQUEST=GetTile&VERSION=1.0.0&STYLE=default&FORMAT=tiles"
    "&TILEMATRIX={z}&TILEROW={y}&TILECOL={x}&tk={key}"
)
_TEMPLATE = re.compile(r"https?://[^/\s?#@]+(/\S*)?")
_PLACES = {
    "{tilematrix}": "{z}",
    "{tilecol}": "{x}",
    "{tilerow}": "{y}",
}
_KNOWN_PLACES = ("z", "x", "y", "-y", "key", "t")

SOURCES = msg(
    "PMTiles 文件的路径；tianditu:vec_w、img_w、ter_w（或 _c）；或带 {places} 的 XYZ、WMTS 地址",
    places="{z} {x} {y}",
)


def base_map(choice: Choice) -> BaseMap:
    """The map of a service, as the settings choose it; UnusableInput names the setting that cannot be used.

    Of a PMTiles file (``is_file``) the caller fills in what the file says of itself.
    """
    if choice.source.lower().endswith(PMTILES) and "://" not in choice.source:
        return _made(choice, choice.source, None, is_file=True)
    if choice.source.startswith("tianditu:"):
        return _tianditu(choice)
    labels = None if choice.labels is None else _template(choice.labels, "GIS_BASE_MAP_LABELS", choice.key)
    return _made(choice, _template(choice.source, "GIS_BASE_MAP", choice.key), labels)


def _tianditu(choice: Choice) -> BaseMap:
    match = _TIANDITU.fullmatch(choice.source)
    if match is None:
        raise _wrong("GIS_BASE_MAP", SOURCES)
    if choice.key is None:
        raise _wrong("GIS_BASE_MAP_KEY", msg("在天地图申请的服务端密钥"))
    name, matrix, host = match[1], match[2], match[3] or _TIANDITU_HOST

    def address(layer: str) -> str:
        return f"{host}/{layer}_{matrix}/wmts?LAYER={layer}&TILEMATRIXSET={matrix}&{_QUERY}"

    return _made(
        Choice(
            choice.source,
            datum=choice.datum,
            matrix=matrix,
            levels=choice.levels or (1, _DEEPEST_OF[name]),
            tone=choice.tone or (Tone.IMAGERY if name == "img" else Tone.LIGHT),
            attribution=choice.attribution or "天地图",
        ),
        address(name),
        address(_LABELS_OF[name]),
    )


def _made(choice: Choice, tiles: str, labels: str | None, *, is_file: bool = False) -> BaseMap:
    low, high = choice.levels or (0, 18)
    return BaseMap(
        kind=MapKind.RASTER,
        tiles=tiles,
        labels=labels,
        is_file=is_file,
        datum=Datum(choice.datum or Datum.CGCS2000),
        matrix=Matrix(choice.matrix or Matrix.W),
        min_zoom=low,
        max_zoom=high,
        tile_size=256,
        tone=Tone(choice.tone or Tone.LIGHT),
        attribution=choice.attribution or "",
    )


def _template(given: str, setting: str, key: str | None) -> str:
    """An address in our spelling of its places; those of WMTS (``{TileMatrix}`` …) mean the same."""
    if not _TEMPLATE.fullmatch(given):
        raise _wrong(setting, SOURCES)
    template = re.sub(r"\{\w+\}", lambda found: _PLACES.get(found[0].lower(), found[0]), given)
    places = re.findall(r"\{([^{}]*)\}", template)
    if (
        not {"z", "x"} <= set(places)
        or not {"y", "-y"} & set(places)
        or not set(places) <= set(_KNOWN_PLACES)
    ):
        raise _wrong(setting, SOURCES)
    if "key" in places and key is None:
        raise _wrong("GIS_BASE_MAP_KEY", msg("地址中 {place} 处要填的密钥", place="{key}"))
    if "{" in template.split("/")[2].replace("{t}", ""):
        raise _wrong(setting, SOURCES)  # the host is settled once, whatever is asked
    return template


def _wrong(setting: str, expected: Message) -> UnusableInput:
    # what was given may hold a key: it is not repeated
    return UnusableInput(
        msg("环境变量 {name} 的值不可用，应为：{expected}。", name=setting, expected=expected),
        field=setting,
        expected=expected,
    )


def address_of(template: str, z: int, x: int, y: int, key: str | None) -> str:
    """The address of one tile; ``{t}`` spreads them over eight hosts, ``{-y}`` counts rows from the south."""
    values = {
        "z": str(z),
        "x": str(x),
        "y": str(y),
        "-y": str(2**z - 1 - y),
        "t": str((x + y) % 8),
        "key": key or "",
    }
    return re.sub(r"\{([^{}]*)\}", lambda place: values[place[1]], template)


_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)


def image_type(body: bytes) -> str | None:
    """The media type of a picture by its first bytes, whatever its sender calls it; None if it is none."""
    for signature, name in _SIGNATURES:
        if body.startswith(signature):
            return name
    return "image/webp" if body[:4] == b"RIFF" and body[8:12] == b"WEBP" else None
