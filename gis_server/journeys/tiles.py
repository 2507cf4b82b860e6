"""Layers in tiles: what a map fetches of a layer that is too large to be fetched whole.

A generation is never changed, so a tile is told by its generation, by what its reader may see and by its place: who has it
already is told so without a look at a geometry, and many screens share one answer.
"""

import gzip
import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import orjson
from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Tier
from gis_server.core.catalogue import Layer, LayerKind
from gis_server.core.errors import NotFound, UnusableInput
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.message import msg
from gis_server.core.tile import FULL_ZOOM, WHOLE_ROWS, Tile, covering, zoom_filling
from gis_server.core.tile_cut import vector_tile
from gis_server.journeys.context import Context
from gis_server.journeys.layers import chosen_generation, readable_layer, sight_of
from gis_server.journeys.staging import AREA
from gis_server.journeys.together import Together
from gis_server.store import audit, layers
from gis_server.store import tiles as cut
from gis_server.store.sight import BBox, Sight

ZOOMS_BELOW = 2
"""A map draws tiles of up to so many zooms below its own; a layer has none below those of its first zoom."""

FORMAT = 2
"""Counted up when the same rows are cut or written otherwise, so that nobody keeps a tile of the former way."""

MOST_NOTED = 1_000
"""Generations and readers of which a process remembers what never changes."""

KEY_BYTES = 512
"""What an answer costs beside its own bytes: empty tiles are many."""

KEPT_BYTES = 64 * 2**20
"""Tiles kept by a process, the least used thrown away first."""


class Tiles:
    """What a server process keeps of tiles, extents and counts: bounded, and made once for all who ask meanwhile."""

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most = most
        self._bytes = 0
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._published: dict[int, Generation] = {}
        self._tags: dict[Hashable, str] = {}
        self._together: Together[bytes] = Together()

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """What is kept under ``key``, or else what ``make`` gives."""

        def make_once() -> bytes:
            # who waited for the run before finds its answer here
            found = self._find(key)
            if found is None:
                found = make()
                self._keep(key, found)
            return found

        found = self._find(key)
        return self._together.answer(key, make_once) if found is None else found

    def published(self, generation_id: int | None) -> Generation | None:
        """A generation that is known to be published: it stays so, and its rows stay as they are."""
        return None if generation_id is None else self._published.get(generation_id)

    def note(self, generation: Generation | None) -> None:
        """Remember a generation if it is published."""
        if generation is not None and generation.state is GenerationState.PUBLISHED:
            if len(self._published) >= MOST_NOTED:
                self._published.clear()
            self._published[generation.id] = generation

    def tag(self, ctx: Context, layer: Layer, generation: Generation | None, sight: Sight) -> str:
        """The tag of ``sight_tag``, made once."""
        key = (
            layer.name,
            None if generation is None else (generation.id, generation.created_at),
            *(sight.tier, tuple(sight.territory), sight.area_generation, sight.grid_generation),
        )
        found = self._tags.get(key)
        if found is None:
            if len(self._tags) >= MOST_NOTED:
                self._tags.clear()
            found = self._tags[key] = sight_tag(ctx, layer, generation, sight)
        return found

    def _find(self, key: Hashable) -> bytes | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _keep(self, key: Hashable, body: bytes) -> None:
        with self._lock:
            if key not in self._kept:
                self._bytes += len(body) + KEY_BYTES
            self._kept[key] = body
            while self._bytes > self._most:
                self._bytes -= len(self._kept.popitem(last=False)[1]) + KEY_BYTES


@dataclass(frozen=True, slots=True)
class Cut:
    """A tile or a list of extents that may be fetched.

    ``etag`` is known before ``body`` is made, which comes as gzip (empty where nothing is). ``lasts`` says that the address names generation and reader, so that it
    will never answer anything else.
    """

    etag: str
    lasts: bool
    body: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Cutting:
    """How a layer is to be fetched: the rows that the reader may see, and the address' parts where it comes in tiles.

    ``bounds`` is the box of degrees around these rows (None: there are none).
    """

    count: int
    generation: int | None
    sight: str
    in_tiles: bool
    bounds: BBox | None = None
    max_zoom: int = FULL_ZOOM


def sight_tag(ctx: Context, layer: Layer, generation: Generation | None, sight: Sight) -> str:
    """A name for what a reader may see of a generation that tells nothing of it: part of the addresses a browser may keep.

    On a machine that several people use, what one may see is not found under the address of another. Nor is, after a backup
    was brought back, a new generation found under the address of the one whose number it was given again.
    """
    made_at = None if generation is None else generation.created_at
    told = repr(
        (
            *(FORMAT, layer, made_at),
            *(sight.tier, tuple(sight.territory), sight.area_generation, sight.grid_generation),
        )
    )
    key = ctx.settings.secret_key().encode()[:64]
    return hashlib.blake2b(told.encode(), key=key, digest_size=9).hexdigest()


@dataclass(frozen=True, slots=True)
class Asked:
    """Which layer is asked for: in force at ``at``, or one generation; ``sight`` is the tag of the address, if any."""

    layer: str
    at: datetime
    generation: int | None = None
    sight: str | None = None


def tile(ctx: Context, kept: Tiles, actor: Actor, asked: Asked, place: Tile) -> Cut:
    """A tile of a layer: what tier and territory allow."""

    def make(conn: Connection, layer: Layer, generation: Generation, sight: Sight) -> bytes:
        if place.z < layer.style.min_zoom - ZOOMS_BELOW:
            return b""
        rows = cut.rows(conn, layer, generation, sight, place)
        return vector_tile(layer.name, layer.geometry, rows.geometry, rows.columns, place)

    return _cut(ctx, kept, actor, asked, _Made(("tile", place), make, b""))


def extents(ctx: Context, kept: Tiles, actor: Actor, asked: Asked, fields: Sequence[str] = ()) -> Cut:
    """Keys and boxes of a layer's rows as JSON, with their values of ``fields``: what tier and territory allow.

    Raises UnusableInput for a field that the layer does not show this reader.
    """
    shown = {
        field.name: field for field in readable_layer(ctx, actor, asked.layer).visible_fields(actor.tier)
    }
    for name in fields:
        if name not in shown:
            known = tuple(shown)
            raise UnusableInput(
                msg("没有字段“{name}”；现有字段：{known}。", name=name[:80], known=known),
                field="fields",
                expected=msg("{known} 之一", known=known),
            )

    def make(conn: Connection, layer: Layer, generation: Generation, sight: Sight) -> bytes:
        found = cut.extents(conn, layer, generation, sight, [shown[name] for name in fields])
        return _extents_json(found)

    nothing = _extents_json(cut.Extents([], [], {name: [] for name in fields}))
    return _cut(ctx, kept, actor, asked, _Made(("extents", *fields), make, nothing))


def _extents_json(found: cut.Extents) -> bytes:
    values = {"values": found.values} if found.values else {}
    return orjson.dumps({"keys": found.keys, "boxes": found.boxes} | values)


@dataclass(frozen=True, slots=True)
class _Made:
    """What is made of a generation: its name, how, and what it is without a generation."""

    name: tuple[Hashable, ...]
    make: Callable[[Connection, Layer, Generation, Sight], bytes]
    nothing: bytes


def _cut(ctx: Context, kept: Tiles, actor: Actor, asked: Asked, made: _Made) -> Cut:
    layer = readable_layer(ctx, actor, asked.layer)
    if layer.kind is LayerKind.RECORD:
        raise NotFound(msg("图层“{name}”随时变化，没有瓦片。", name=layer.name), field="layer")
    generation, sight = _seen(ctx, kept, actor, layer, asked)
    own = kept.tag(ctx, layer, generation, sight)
    if generation is None:
        return Cut(f"none-{own}", False, lambda: _packed(made.nothing))
    key = (layer.name, generation.id, own, *made.name)

    def ask() -> bytes:
        with ctx.engine.begin() as conn:
            return _packed(made.make(conn, layer, generation, sight))

    is_published = generation.state is GenerationState.PUBLISHED
    place = hashlib.blake2b(repr(made.name).encode(), digest_size=6).hexdigest()
    return Cut(
        etag=f"{generation.id}-{own}-{place}",
        lasts=is_published and asked.generation is not None and asked.sight == own,
        # a staged generation may be thrown away, and is looked at by one person
        body=(lambda: kept.get(key, ask)) if is_published else ask,
    )


def _seen(
    ctx: Context, kept: Tiles, actor: Actor, layer: Layer, asked: Asked
) -> tuple[Generation | None, Sight]:
    """Which generation of the layer is asked for, and what of it the actor may see; a protected read is noted."""
    is_protected = layer.holds_protected and actor.tier >= Tier.PROTECTED
    generation = kept.published(asked.generation)
    if generation is not None and generation.layer == layer.name:
        if not actor.territory.path and not is_protected:
            return generation, Sight(actor.tier)  # nothing to ask the database
    else:
        generation = None
    with ctx.engine.begin() as conn:
        if generation is None:
            generation = chosen_generation(conn, actor, layer, asked.at, asked.generation)
            kept.note(generation)
        if is_protected:
            audit.add(conn, actor, "protected_read", subject=layer.name)
        return generation, sight_of(conn, actor, asked.at)


def _packed(body: bytes) -> bytes:
    # packed once, and kept so: many screens ask for the same
    return gzip.compress(body, compresslevel=1, mtime=0) if body else b""


@dataclass(frozen=True, slots=True)
class Overview:
    """How a map begins: each layer's way to be fetched, and the ground that the reader may see (None: nothing yet)."""

    layers: dict[str, Cutting]
    bounds: BBox | None


def overview(ctx: Context, kept: Tiles, actor: Actor, now: datetime) -> Overview:
    """How each layer in force is to be fetched; ``bounds`` are of the areas, or else of all layers."""
    actor.require(Act.READ_LAYERS)
    cuttings: dict[str, Cutting] = {}
    boxes: dict[str, BBox] = {}
    with ctx.engine.connect() as conn:
        sight = sight_of(conn, actor, now)
        for layer in ctx.catalogue.visible(actor.tier):
            if layer.kind is LayerKind.RECORD:
                continue
            generation = layers.in_force(conn, layer.name, now)
            tag = kept.tag(ctx, layer, generation, sight)
            if generation is None:
                cuttings[layer.name] = Cutting(0, None, tag, False)
                continue

            def look(layer: Layer = layer, generation: Generation = generation) -> bytes:
                return orjson.dumps(cut.count_and_box(conn, layer, generation, sight))

            count, box = orjson.loads(kept.get((layer.name, generation.id, tag, "overview"), look))
            cuttings[layer.name] = Cutting(count, generation.id, tag, count > WHOLE_ROWS, box)
            if box is not None:
                boxes[layer.name] = box
    chosen = [boxes[AREA]] if AREA in boxes else list(boxes.values())
    return Overview(cuttings, _around(chosen))


WALL_PX = (1920 * 0.6, 1080 * 0.9)
"""What panels leave to the map of the most usual screen."""

NEARLY = 0.2
"""As near as this to another zoom, a screen whose panels are a little larger or smaller shows that one."""


def prepare(ctx: Context, kept: Tiles, actor: Actor, now: datetime) -> None:
    """Make what a wall that is switched on asks for first, so that it finds it made: the tiles of all that it shows at once."""
    seen = overview(ctx, kept, actor, now)
    if seen.bounds is None:
        return
    zoom = zoom_filling(seen.bounds, *WALL_PX)
    zooms = dict.fromkeys(math.floor(zoom + off) for off in (0, NEARLY, -NEARLY))
    for z in zooms:
        for name, cutting in seen.layers.items():
            if not cutting.in_tiles:
                continue
            asked = Asked(name, now, cutting.generation, cutting.sight)
            for place in covering(seen.bounds, min(max(z, 0), cutting.max_zoom)):
                tile(ctx, kept, actor, asked, place).body()


def _around(boxes: Sequence[BBox]) -> BBox | None:
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)
