"""Who may see which rows, as conditions of a query.

What a reader may not see is left out by the query itself: fields above his tier, rows above his tier, and rows outside
his territory never leave the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, literal, or_, select, true

from gis_server.core.access import Tier
from gis_server.core.catalogue import Field, Layer, LayerKind
from gis_server.core.generation import Generation
from gis_server.store.schema import LAYER_TABLES, SRID, area, feature, grid, incident, sub_grid

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


def rows_of(layer: Layer) -> Table:
    """The table that holds a layer's rows."""
    return feature if layer.table is None else LAYER_TABLES[layer.table]


def value(layer: Layer, table: Table, field: Field) -> ColumnElement[Any]:
    """A field's value, in JSON's types where the layer has no table of its own."""
    if layer.table is None:
        return table.c.properties[field.name]
    return table.c[field.name]


def text_value(layer: Layer, table: Table, name: str) -> ColumnElement[Any]:
    """The value of the field ``name``, as text where the layer has no table of its own."""
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
    hidden = [kind for kind, needed in layer.row_tier.tiers.items() if needed > tier]
    if not hidden:
        return true()
    kind_of_row = text_value(layer, table, layer.row_tier.field)
    return or_(kind_of_row.is_(None), kind_of_row.not_in(hidden))


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


def visible(
    layer: Layer, generation: Generation | None, sight: Sight, bbox: BBox | None
) -> ColumnElement[bool]:
    """The condition that leaves those rows of a generation (of records, all) that ``sight`` may see, near ``bbox``."""
    table = rows_of(layer)
    conditions = [
        _rows(layer, table, generation),
        _within_tier(layer, table, sight.tier),
        _within_territory(table, sight),
    ]
    if bbox is not None:
        conditions.append(table.c.geom.op("&&")(func.ST_MakeEnvelope(*bbox, SRID)))
    return and_(*conditions)
