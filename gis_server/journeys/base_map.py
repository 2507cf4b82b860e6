"""The base map: chosen by the settings, handed out to whoever may read layers."""

from dataclasses import dataclass, replace
from pathlib import Path

from gis_server.core.access import Act, Actor
from gis_server.core.base_map import BaseMap, Choice, base_map, image_type
from gis_server.core.errors import NotFound
from gis_server.core.message import msg
from gis_server.files.fetched_tiles import Fetched, FetchedTiles, TileStore
from gis_server.files.pmtiles import MapFile
from gis_server.journeys.together import Together
from gis_server.settings import Settings

CACHE = "base_map"
"""The folder below ``var`` that keeps fetched tiles."""


@dataclass(frozen=True, slots=True)
class MapPicture:
    """A tile to be handed out, empty where there is none; ``is_old`` says that it is shown for want of a newer one."""

    body: bytes
    media_type: str
    is_gzip: bool = False
    is_old: bool = False


class OpenMap:
    """The base map of a server process, ready to be asked."""

    def __init__(self, about: BaseMap, source: MapFile | FetchedTiles, labels: FetchedTiles | None) -> None:
        self.about = about
        self._source = source
        self._labels = labels
        self._together: Together[Fetched] = Together()

    def picture(self, z: int, x: int, y: int, *, labels: bool) -> MapPicture:
        """The tile at a place of the map (or of its labels); NotFound outside of it."""
        self.about.require(z, x, y)
        source = self._labels if labels else self._source
        if source is None:
            raise NotFound(msg("这张底图没有单独的注记。"))
        if isinstance(source, MapFile):
            found = source.tile(z, x, y)
            return (
                MapPicture(b"", "")
                if found is None
                else MapPicture(found.body, found.media_type, found.is_gzip)
            )
        fetched = self._together.answer((labels, z, x, y), lambda: source.tile(z, x, y))
        return MapPicture(fetched.body, image_type(fetched.body) or "", is_old=fetched.is_old)


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
        return FetchedTiles(template, settings.base_map_key, store, age_s=settings.base_map_days * 86_400.0)

    return OpenMap(about, fetched(about.tiles), None if about.labels is None else fetched(about.labels))


def base_map_of(actor: Actor, opened: OpenMap | None) -> BaseMap | None:
    """What a reader's map is laid upon."""
    actor.require(Act.READ_LAYERS)
    return None if opened is None else opened.about


def base_tile(
    actor: Actor, opened: OpenMap | None, z: int, x: int, y: int, *, labels: bool = False
) -> MapPicture:
    """One tile of the base map or of its labels."""
    actor.require(Act.READ_LAYERS)
    if opened is None:
        raise NotFound(msg("没有配置底图。"))
    return opened.picture(z, x, y, labels=labels)
