"""What tiles are made of: how many rows a reader may see, where they are, and those of one tile."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, literal, select

from gis_server.core.catalogue import Field, Layer
from gis_server.core.features import FeatureTable
from gis_server.core.generation import Generation
from gis_server.core.tile import Tile
from gis_server.store.features import read
from gis_server.store.sight import BBox, Sight, rows_of, text_value, value, visible

BOX_DECIMALS = 6
"""Digits of degrees in boxes: a decimetre."""

_EDGES = ("ST_XMin", "ST_YMin", "ST_XMax", "ST_YMax")


def rows(conn: Connection, layer: Layer, generation: Generation, sight: Sight, tile: Tile) -> FeatureTable:
    """The visible rows near a tile with what a map draws them by: key, label and what says how they are drawn."""
    drawn_by = {layer.key, layer.label, *layer.style.drawn_by}
    fields = [name for name in layer.fields if name in drawn_by]
    return read(conn, layer, generation, sight, fields=fields, bbox=tile.degrees())


def count_and_box(
    conn: Connection, layer: Layer, generation: Generation, sight: Sight
) -> tuple[int, BBox | None]:
    """How many rows of a generation the reader may see, and the box around them."""
    table = rows_of(layer)
    around = [getattr(func, edge)(func.ST_Extent(table.c.geom)) for edge in _EDGES]
    seen = visible(layer, generation, sight, None)
    count, *box = conn.execute(select(func.count(), *around).select_from(table).where(seen)).one()
    return count, None if None in box else _rounded(box)


def _rounded(box: Sequence[float]) -> BBox:
    west, south, east, north = (round(edge, BOX_DECIMALS) for edge in box)
    return west, south, east, north


@dataclass(frozen=True, slots=True)
class Extents:
    """Of each visible row in the order of their import: key (None where the reader may not see it), box, and values."""

    keys: list[str | None]
    boxes: list[BBox]
    values: dict[str, list[Any]]


def extents(
    conn: Connection, layer: Layer, generation: Generation, sight: Sight, fields: Sequence[Field]
) -> Extents:
    """Where the visible rows are, with their values of ``fields``."""
    table = rows_of(layer)
    shows_key = layer.fields[layer.key].tier <= sight.tier
    box = [getattr(func, edge)(table.c.geom) for edge in _EDGES]
    rows = conn.execute(
        select(
            text_value(layer, table, layer.key) if shows_key else literal(None),
            *box,
            *(value(layer, table, field) for field in fields),
        )
        .where(visible(layer, generation, sight, None))
        .order_by(table.c.id)
    ).all()
    return Extents(
        [row[0] for row in rows],
        [_rounded(row[1:5]) for row in rows],
        {field.name: [row[5 + n] for row in rows] for n, field in enumerate(fields)},
    )
