"""Layers as vector tiles (Mapbox Vector Tile 2.1), cut in the database from what a reader may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Boolean,
    Connection,
    Function,
    Integer,
    Numeric,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal,
    select,
    text,
)

from gis_server.core.catalogue import Field, FieldType, Geometry, Layer
from gis_server.core.generation import Generation
from gis_server.core.tile import BUFFER, EXTENT, Tile
from gis_server.store.sight import BBox, Sight, rows_of, text_value, value, visible

MERCATOR = 3857


def tile_fields(layer: Layer, sight: Sight) -> tuple[Field, ...]:
    """The fields a tile carries: key, label and what classifies, of those that the reader may see."""
    wanted = {layer.key, layer.label, layer.style.classify}
    return tuple(field for field in layer.visible_fields(sight.tier) if field.name in wanted)


_TYPES: dict[FieldType, Any] = {
    FieldType.INTEGER: Integer,
    FieldType.NUMBER: Numeric,
    FieldType.BOOLEAN: Boolean,
}


def _seen(layer: Layer, generation: Generation, sight: Sight, tile: Tile) -> Select[Any]:
    table = rows_of(layer)
    columns = [
        cast(text_value(layer, table, field.name), _TYPES.get(field.type, Text)).label(field.name)
        for field in tile_fields(layer, sight)
    ]
    return select(
        *columns,
        # the SRID as a number: given as text, every row would look it up
        func.ST_Transform(table.c.geom, MERCATOR).label("geom"),
    ).where(visible(layer, generation, sight, tile.degrees()))


def encoded(conn: Connection, layer: Layer, generation: Generation, sight: Sight, tile: Tile) -> bytes:
    """One tile with the layers ``<layer>`` and, of polygons, ``<layer>_label``; empty where nothing is."""
    conn.execute(text("SET LOCAL max_parallel_workers_per_gather = 0"))
    seen = _seen(layer, generation, sight, tile).cte("seen").prefix_with("MATERIALIZED")
    west, south, east, north = tile.mercator
    envelope = func.ST_MakeEnvelope(west, south, east, north, MERCATOR)
    fields = [column for column in seen.c if column.name != "geom"]

    shapes = select(
        *fields, func.ST_AsMVTGeom(seen.c.geom, envelope, EXTENT, BUFFER, True).label("shape")
    ).subquery()
    body = select(_as_mvt(shapes, layer.name)).where(shapes.c.shape.is_not(None))
    parts = [body.scalar_subquery()]
    if layer.geometry is Geometry.MULTI_POLYGON:
        points = select(*fields, func.ST_PointOnSurface(seen.c.geom).label("point")).subquery()
        x, y = func.ST_X(points.c.point), func.ST_Y(points.c.point)
        inside = (
            select(
                *(points.c[column.name] for column in fields),
                func.ST_AsMVTGeom(points.c.point, envelope, EXTENT, 0, False).label("shape"),
            )
            .where(x >= west, x < east, y > south, y <= north)
            .subquery()
        )
        parts.append(select(_as_mvt(inside, f"{layer.name}_label")).scalar_subquery())
    return b"".join(bytes(part or b"") for part in conn.execute(select(*parts)).one())


def _as_mvt(rows: Subquery, name: str) -> Function[Any]:
    return func.ST_AsMVT(rows.table_valued(), name, EXTENT, "shape")


def count(conn: Connection, layer: Layer, generation: Generation, sight: Sight) -> int:
    """How many rows of a generation the reader may see."""
    table = rows_of(layer)
    query = select(func.count()).select_from(table).where(visible(layer, generation, sight, None))
    return int(conn.execute(query).scalar_one())


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
    box = [getattr(func, f"ST_{edge}")(table.c.geom) for edge in ("XMin", "YMin", "XMax", "YMax")]
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
        [(row[1], row[2], row[3], row[4]) for row in rows],
        {field.name: [row[5 + n] for row in rows] for n, field in enumerate(fields)},
    )
