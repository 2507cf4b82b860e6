"""The base map: chosen by the settings, handed out to whoever may read layers."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from threading import BoundedSemaphore

from gis_server.core.access import Act, Actor
from gis_server.core.base_map import BaseMap, Choice, base_map, image_type
from gis_server.core.errors import NotFound, Unavailable
from gis_server.core.message import msg
from gis_server.files.fetched_tiles import Fetched, FetchedTiles, TileStore
from gis_server.files.pmtiles import MapFile
from gis_server.journeys.together import Together
from gis_server.settings import Settings

CACHE = "base_map"
"""The folder below ``var`` that keeps fetched tiles."""

TURNS = "base_map.turns"
"""The folder below ``var`` in which processes tell each other who asks."""

MOST_WAITING = 96
"""Readers that a process lets wait for tiles from elsewhere; it has other things to answer."""

A_YEAR_S = 365 * 86_400.0
"""For how long a tile of a file may be kept: another file has another version."""


@dataclass(frozen=True, slots=True)
class MapPicture:
    """A tile to be handed out, empty where there is none, which may be kept for ``fresh_s`` seconds."""

    body: bytes
    media_type: str
    fresh_s: float
    is_gzip: bool = False


class OpenMap:
    """The base map of a server process, ready to be asked.

    ``version`` is another for another map: what a reader keeps of one is never taken for the other.
    """

    def __init__(self, about: BaseMap, source: MapFile | FetchedTiles, labels: FetchedTiles | None) -> None:
        self.about = about
        self._source = source
        self._labels = labels
        self._together: Together[Fetched] = Together()
        self._waiting = BoundedSemaphore(MOST_WAITING)
        mark = source.mark if isinstance(source, MapFile) else ""
        self.version = hashlib.blake2b(f"{about}{mark}".encode(), digest_size=6).hexdigest()

    def picture(self, z: int, x: int, y: int, *, labels: bool) -> MapPicture:
        """The tile at a place of the map (or of its labels); NotFound outside of it, Unavailable if it cannot be had now."""
        self.about.require(z, x, y)
        source = self._labels if labels else self._source
        if source is None:
            raise NotFound(msg("这张底图没有单独的注记。"))
        if isinstance(source, MapFile):
            found = source.tile(z, x, y)
            return (
                MapPicture(b"", "", A_YEAR_S)
                if found is None
                else MapPicture(found.body, found.media_type, A_YEAR_S, found.is_gzip)
            )
        fetched = source.kept(z, x, y)
        if fetched is None or fetched.is_old:
            fetched = self._fetched(source, z, x, y, labels=labels)
        return MapPicture(fetched.body, image_type(fetched.body) or "", fetched.fresh_s)

    def _fetched(self, source: FetchedTiles, z: int, x: int, y: int, *, labels: bool) -> Fetched:
        if not self._waiting.acquire(blocking=False):
            raise Unavailable(msg("底图服务暂时没有应答，稍后会再试；其他图层不受影响。"))
        try:
            return self._together.answer((labels, z, x, y), lambda: source.tile(z, x, y))
        finally:
            self._waiting.release()


def open_map(settings: Settings) -> OpenMap | None:
    """The base map that the settings choose, None without one; UnusableInput says what is wrong with the choice."""
    if settings.base_map is None:
        return None
    about = base_map(
        Choice(
            settings.base_map,
            key=settings.base_map_key,
            labels=settings.base_map_labels,
            datum=settings.base_map_datum,
            matrix=settings.base_map_matrix,
            levels=settings.base_map_levels,
            tone=settings.base_map_tone,
            attribution=settings.base_map_attribution,
        )
    )
    if about.is_file:
        file = MapFile(Path(about.tiles).expanduser().absolute())
        return OpenMap(replace(file.described(about), labels=None), file, None)
    store = TileStore(settings.var / CACHE, settings.base_map_cache_mb * 2**20)

    def fetched(template: str) -> FetchedTiles:
        return FetchedTiles(
            template,
            settings.base_map_key,
            store,
            age_s=settings.base_map_days * 86_400.0,
            turns=settings.var / TURNS,
        )

    return OpenMap(about, fetched(about.tiles), None if about.labels is None else fetched(about.labels))


def base_map_of(actor: Actor, opened: OpenMap | None) -> tuple[BaseMap, str] | None:
    """What a reader's map is laid upon, and its version."""
    actor.require(Act.READ_LAYERS)
    return None if opened is None else (opened.about, opened.version)


@dataclass(frozen=True, slots=True)
class Place:
    """One tile of the base map, or of its labels; of the version that a reader knows, where he knows one."""

    z: int
    x: int
    y: int
    labels: bool = False
    version: str | None = None


def base_tile(actor: Actor, opened: OpenMap | None, place: Place) -> MapPicture:
    """One tile of the base map or of its labels; NotFound where another map is in its stead now."""
    actor.require(Act.READ_LAYERS)
    if opened is None:
        raise NotFound(msg("没有配置底图。"))
    if place.version not in (None, opened.version):
        raise NotFound(msg("底图已经更换，请重新打开页面。"))
    return opened.picture(place.z, place.x, place.y, labels=place.labels)
