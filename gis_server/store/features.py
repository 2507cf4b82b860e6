"""The rows of a layer: as a table for export, and as GeoJSON of what a reader may see.

What a reader may not see is left out by the query itself: fields above his tier, rows above his tier, and rows outside
his territory never leave the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import orjson
import shapely
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Table, and_, func, literal, or_, select, true
from sqlalchemy.dialects.postgresql import aggregate_order_by

from gis_server.core.access import Tier
from gis_server.core.catalogue import Field, FieldType, Layer, LayerKind
from gis_server.core.features import FeatureTable, Source
from gis_server.core.generation import Generation
from gis_server.store.schema import LAYER_TABLES, SRID, area, feature, grid, incident, sub_grid

DECIMALS = 7
"""Digits of degrees in GeoJSON: about a centimetre."""

MOST_RECORDS = 5_000
"""Records answered at once, newest first."""

BBox = tuple[float, float, float, float]
"""West, south, east, north in EPSG:4490."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Who looks: his tier, the path of his territory (empty: everywhere), and the generations that place the rows.

    Without an ``area`` generation (and ``grid`` one for sub-grids) nobody with a territory sees a row.
    """

    tier: Tier
    territory: Sequence[str] = ()
    area_generation: int | None = None
    grid_generation: int | None = None


EVERYTHING = Sight(Tier.PROTECTED)


def _table(layer: Layer) -> Table:
    return feature if layer.table is None else LAYER_TABLES[layer.table]


def _value(layer: Layer, table: Table, field: Field) -> ColumnElement[Any]:
    if layer.table is None:
        return table.c.properties[field.name]
    return table.c[field.name]


def _text_value(layer: Layer, table: Table, name: str) -> ColumnElement[Any]:
    return table.c.properties[name].astext if layer.table is None else table.c[name]


def _rows(layer: Layer, table: Table, generation: Generation | None) -> ColumnElement[bool]:
    if layer.kind is LayerKind.RECORD:
        return true()
    if generation is None:
        return literal(False)
    return and_(
        table.c.generation_id == generation.id,
        *([table.c.layer == layer.name] if layer.table is None else []),
    )


def _within_tier(layer: Layer, table: Table, tier: Tier) -> ColumnElement[bool]:
    if layer.row_tier is None:
        return true()
    hidden = [value for value, needed in layer.row_tier.tiers.items() if needed > tier]
    if not hidden:
        return true()
    value = _text_value(layer, table, layer.row_tier.field)
    return or_(value.is_(None), value.not_in(hidden))


def _within_territory(table: Table, sight: Sight) -> ColumnElement[bool]:
    path = list(sight.territory)
    if not path:
        return true()

    def below(column: ColumnElement[Any]) -> ColumnElement[bool]:
        return column[1 : len(path)] == path

    if table is area:
        return below(area.c.path)
    if table is incident:
        return below(incident.c.area_path)
    own_areas = select(area.c.area_code).where(
        area.c.generation_id == sight.area_generation, below(area.c.path)
    )
    if table is grid:
        return grid.c.community_code.in_(own_areas)
    if table is sub_grid:
        own_grids = select(grid.c.grid_code).where(
            grid.c.generation_id == sight.grid_generation, grid.c.community_code.in_(own_areas)
        )
        return sub_grid.c.grid_code.in_(own_grids)
    ground = (
        select(area.c.geom)
        .where(area.c.generation_id == sight.area_generation, area.c.area_code == path[-1])
        .scalar_subquery()
    )
    return func.ST_Intersects(table.c.geom, ground)


def _visible(
    layer: Layer, generation: Generation | None, sight: Sight, bbox: BBox | None
) -> ColumnElement[bool]:
    table = _table(layer)
    conditions = [
        _rows(layer, table, generation),
        _within_tier(layer, table, sight.tier),
        _within_territory(table, sight),
    ]
    if bbox is not None:
        conditions.append(table.c.geom.op("&&")(func.ST_MakeEnvelope(*bbox, SRID)))
    return and_(*conditions)


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
    table = _table(layer)
    pairs: list[Any] = []
    for field in layer.visible_fields(sight.tier):
        pairs += [literal(field.name), _value(layer, table, field)]
    key_tier = layer.fields[layer.key].tier
    id_text = (
        func.to_json(_text_value(layer, table, layer.key)) if key_tier <= sight.tier else literal("null")
    )
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
        .where(_visible(layer, generation, sight, bbox))
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
    table = _table(layer)
    wanted = [f for f in layer.visible_fields(sight.tier) if fields is None or f.name in fields]
    rows = conn.execute(
        select(func.ST_AsBinary(table.c.geom), *(_value(layer, table, field) for field in wanted))
        .where(_visible(layer, generation, sight, bbox))
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
    table = _table(layer)
    row = conn.execute(
        select(func.ST_X(table.c.geom), func.ST_Y(table.c.geom)).where(
            _visible(layer, generation, sight, None), _text_value(layer, table, layer.key) == key
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
