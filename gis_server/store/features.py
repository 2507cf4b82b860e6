"""The rows of a layer: as a table for export, and as GeoJSON of what a reader may see.

What a reader may not see is left out by the query itself (``store.sight``) and never leaves the database.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from sqlalchemy import Connection, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from gis_server.core.catalogue import Field, FieldType, Layer, LayerKind
from gis_server.core.features import FeatureTable, Source
from gis_server.core.generation import Generation
from gis_server.store.schema import SRID
from gis_server.store.sight import EVERYTHING, BBox, Sight, rows_of, text_value, value, visible

DECIMALS = 7
"""Digits of degrees in GeoJSON: about a centimetre."""

MOST_RECORDS = 5_000
"""Records answered at once, newest first."""


def geojson(
    conn: Connection,
    layer: Layer,
    generation: Generation | None,
    sight: Sight,
    *,
    bbox: BBox | None = None,
    limit: int | None = None,
) -> bytes:
    """The visible rows as a GeoJSON FeatureCollection with the member ``generation`` ({id, valid_from} or null).

    The text is put together in the database. The feature id is the row's key.
    """
    table = rows_of(layer)
    pairs: list[Any] = []
    for field in layer.visible_fields(sight.tier):
        pairs += [literal(field.name), value(layer, table, field)]
    key_tier = layer.fields[layer.key].tier
    id_text = func.to_json(text_value(layer, table, layer.key)) if key_tier <= sight.tier else literal("null")
    newest_first = layer.kind is LayerKind.RECORD
    one = (
        select(
            table.c.id.label("place"),
            func.concat(
                '{"type":"Feature","id":',
                id_text,
                ',"geometry":',
                # without option 8 no "crs" member: RFC 7946 knows longitude and latitude only
                func.ST_AsGeoJSON(table.c.geom, DECIMALS, 0),
                ',"properties":',
                func.json_build_object(*pairs),
                "}",
            ).label("line"),
        )
        .where(visible(layer, generation, sight, bbox))
        .order_by(table.c.id.desc() if newest_first else table.c.id)
    )
    if newest_first:
        limit = min(limit or MOST_RECORDS, MOST_RECORDS)
    if limit is not None:
        one = one.limit(limit)
    lines = one.subquery()
    body = conn.execute(
        select(func.string_agg(lines.c.line, aggregate_order_by(literal(","), lines.c.place)))
    ).scalar()
    head = None
    if generation is not None:
        head = {"id": generation.id, "valid_from": generation.valid_from}
    return b"".join(
        [
            b'{"type":"FeatureCollection","generation":',
            orjson.dumps(head),
            b',"features":[',
            (body or "").encode(),
            b"]}",
        ]
    )


def read(
    conn: Connection,
    layer: Layer,
    generation: Generation | None,
    sight: Sight = EVERYTHING,
    *,
    fields: Sequence[str] | None = None,
    bbox: BBox | None = None,
) -> FeatureTable:
    """The visible rows as a table in the order of their import; ``fields`` narrows the columns."""
    table = rows_of(layer)
    wanted = [f for f in layer.visible_fields(sight.tier) if fields is None or f.name in fields]
    rows = conn.execute(
        select(func.ST_AsBinary(table.c.geom), *(value(layer, table, field) for field in wanted))
        .where(visible(layer, generation, sight, bbox))
        .order_by(table.c.id)
    ).all()
    columns = list(zip(*rows, strict=True)) if rows else [()] * (len(wanted) + 1)
    return FeatureTable(
        layer=layer.name,
        geometry=np.asarray(shapely.from_wkb([bytes(wkb) for wkb in columns[0]]), dtype=object),
        columns={
            field.name: _column(field, values) for field, values in zip(wanted, columns[1:], strict=True)
        },
        rows=np.arange(len(rows), dtype=np.int64),
        source=_source(layer, generation, len(rows)),
    )


def point_of(
    conn: Connection, layer: Layer, generation: Generation | None, sight: Sight, key: str
) -> tuple[float, float] | None:
    """Longitude and latitude of the visible point of this key; None if there is none."""
    table = rows_of(layer)
    row = conn.execute(
        select(func.ST_X(table.c.geom), func.ST_Y(table.c.geom)).where(
            visible(layer, generation, sight, None), text_value(layer, table, layer.key) == key
        )
    ).first()
    return None if row is None else (float(row[0]), float(row[1]))


def _column(field: Field, values: Sequence[object]) -> NDArray[np.object_]:
    column = np.empty(len(values), object)
    column[:] = values
    if field.type is FieldType.TIMESTAMP or field.type is FieldType.DATE:
        # JSON properties have no dates of their own
        for at, value in enumerate(values):
            if isinstance(value, str):
                column[at] = _PARSE[field.type](value)
    return column


_PARSE: dict[FieldType, Any] = {
    FieldType.TIMESTAMP: datetime.fromisoformat,
    FieldType.DATE: date.fromisoformat,
}


def _source(layer: Layer, generation: Generation | None, count: int) -> Source:
    kept = {} if generation is None else dict(generation.source)
    return Source(
        file=str(kept.get("file", layer.name)),
        layer=None,
        features=count,
        crs=f"EPSG:{SRID}",
        encoding=None,
        datum=None,
        sha256=str(kept.get("sha256", "")),
    )
