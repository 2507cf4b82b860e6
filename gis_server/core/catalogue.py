"""The layer catalogue: what a layer is called, holds, shows and to whom, parsed from ``layers/*.toml``.

One file, one layer. Everything that knows about a layer reads it here: import mapping, the check of tables and
columns, the API's schema, pop-up, style, legend and the access tier of each field.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from gis_server.core.access import Tier
from gis_server.core.errors import CatalogueError
from gis_server.core.message import msg
from gis_server.core.toml_table import Table, Words


class LayerKind(StrEnum):
    """How rows of a layer live and die."""

    BOUNDARY = "boundary"  # a tiling, checked for coverage, published as a generation
    FEATURE = "feature"  # things on the map, published as a generation
    RECORD = "record"  # things that happened: added, never replaced by an import


class FieldType(StrEnum):
    """Types a field may have; ``text`` keeps codes with leading zeros and 20 digits."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"


class Geometry(StrEnum):
    """Geometry types of a layer; files may bring the single form of a multi type."""

    POINT = "Point"
    MULTI_LINE_STRING = "MultiLineString"
    MULTI_POLYGON = "MultiPolygon"


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its type, who may see it, and the names under which files bring it."""

    name: str
    type: FieldType
    title: Words
    tier: Tier
    required: bool = False
    aliases: tuple[str, ...] = ()
    choices: Mapping[str, Words] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def accepted_names(self) -> tuple[str, ...]:
        """Every source column name that means this field, its own name first."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Parent:
    """The layer whose polygons this one lies in, and the field that names the polygon."""

    layer: str
    field: str


@dataclass(frozen=True, slots=True)
class RowTier:
    """Rows whose ``field`` has one of these values belong to a higher tier than the layer."""

    field: str
    tiers: Mapping[str, Tier]


@dataclass(frozen=True, slots=True)
class Style:
    """How the layer is drawn: token names of ``web/styles/tokens.css`` or ``#rrggbb`` colours, sizes in px."""

    stroke: str
    width: float
    fill: str
    fill_opacity: float
    radius: float
    shape: str
    min_zoom: int
    classify: str | None
    classes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the catalogue."""

    name: str
    title: Words
    kind: LayerKind
    geometry: Geometry
    key: str
    table: str | None
    tier: Tier
    order: int
    fields: Mapping[str, Field]
    parent: Parent | None
    row_tier: RowTier | None
    label: str | None
    popup: tuple[str, ...]
    legend: bool
    style: Style

    def visible_fields(self, tier: Tier) -> tuple[Field, ...]:
        """The fields that a holder of ``tier`` may see, in catalogue order."""
        return tuple(f for f in self.fields.values() if f.tier <= tier)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All layers, by name, in drawing order."""

    layers: Mapping[str, Layer]

    def __getitem__(self, name: str) -> Layer:
        try:
            return self.layers[name]
        except KeyError:
            known = "、".join(self.layers)
            raise CatalogueError(
                msg("没有名为 {name} 的图层；现有图层：{known}。", name=name, known=known), field="layer"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self.layers

    def visible(self, tier: Tier) -> tuple[Layer, ...]:
        """The layers a holder of ``tier`` may see, in drawing order."""
        return tuple(layer for layer in self.layers.values() if layer.tier <= tier)


_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,39}")

RESERVED_COLUMNS = frozenset({"id", "generation_id", "geom", "layer", "properties"})
"""Columns that every layer table has of its own."""


def _parse_field(name: str, table: Table) -> Field:
    choices = {}
    listed = table.table("choices")
    if listed is not None:
        choices = {key: listed.words(key) for key in list(listed.rest)}
        listed.done()
    parsed = Field(
        name=name,
        type=table.choice("type", FieldType),
        title=table.words("title"),
        tier=table.tier("tier"),
        required=table.flag("required", False),
        aliases=table.texts("aliases"),
        choices=MappingProxyType(choices),
    )
    table.done()
    return parsed


def _parse_style(table: Table) -> Style:
    classes_table = table.table("classes")
    classes: dict[str, str] = {}
    if classes_table is not None:
        classes = {key: classes_table.text(key) for key in list(classes_table.rest)}
    style = Style(
        stroke=table.text("stroke"),
        width=table.number("width", 1.0),
        fill=table.text("fill", ""),
        fill_opacity=table.number("fill_opacity", 0.0),
        radius=table.number("radius", 4.0),
        shape=table.text("shape", "circle"),
        min_zoom=table.integer("min_zoom", 0),
        classify=table.optional_text("classify"),
        classes=MappingProxyType(classes),
    )
    table.done()
    return style


def _known_field(layer: Table, key: str, name: str, fields: Mapping[str, Field]) -> str:
    if name not in fields:
        known = "、".join(fields)
        raise layer.wrong(key, msg("没有字段“{name}”；现有字段：{known}。", name=name, known=known))
    return name


def parse_layer(content: Mapping[str, object], file: str) -> Layer:
    """Check one layer file's content and freeze it.

    ``content`` is the parsed TOML, ``file`` its name for messages. Raises CatalogueError naming file and key for an
    unknown or missing key, a bad type or value, and for a field that is named but not declared.
    """
    root = Table(content, file)
    head = root.required_table("layer")
    fields_table = root.required_table("fields")
    fields: dict[str, Field] = {}
    for name in list(fields_table.rest):
        if not _IDENTIFIER.fullmatch(name) or name in RESERVED_COLUMNS:
            raise fields_table.wrong(name, msg("字段名只能用小写字母、数字和下划线，且不能是保留名。"))
        fields[name] = _parse_field(name, fields_table.required_table(name))

    name = head.text("name")
    if not _IDENTIFIER.fullmatch(name):
        raise head.wrong("name", msg("图层名只能用小写字母、数字和下划线。"))
    key = _known_field(head, "key", head.text("key"), fields)
    label = head.optional_text("label")
    popup = head.texts("popup")
    for shown, used_in in ((label, "label"), *((p, "popup") for p in popup)):
        if shown is not None:
            _known_field(head, used_in, shown, fields)

    parent_table = head.table("parent")
    parent = None
    if parent_table is not None:
        parent = Parent(
            layer=parent_table.text("layer"),
            field=_known_field(parent_table, "field", parent_table.text("field"), fields),
        )
        parent_table.done()

    row_tier_table = head.table("row_tier")
    row_tier = None
    if row_tier_table is not None:
        by = _known_field(row_tier_table, "field", row_tier_table.text("field"), fields)
        values = row_tier_table.required_table("tiers")
        row_tier = RowTier(by, MappingProxyType({value: values.tier(value) for value in list(values.rest)}))
        row_tier_table.done()

    style = _parse_style(root.required_table("style"))
    if style.classify is not None and style.classify not in fields:
        raise root.wrong("style.classify", msg("没有字段“{name}”。", name=style.classify))

    layer = Layer(
        name=name,
        title=head.words("title"),
        kind=head.choice("kind", LayerKind),
        geometry=head.choice("geometry", Geometry),
        key=key,
        table=head.optional_text("table"),
        tier=head.tier("tier"),
        order=head.integer("order", 100),
        fields=MappingProxyType(fields),
        parent=parent,
        row_tier=row_tier,
        label=label,
        popup=popup,
        legend=head.flag("legend", True),
        style=style,
    )
    head.done()
    root.done()
    return layer


def assemble(layers: Sequence[tuple[str, Layer]]) -> Catalogue:
    """Put parsed layers (with their file names) together; refuses double names and unknown parents."""
    by_name: dict[str, Layer] = {}
    for file, layer in layers:
        if layer.name in by_name:
            raise CatalogueError(
                msg("{file}：layer.name：图层“{name}”已在另一个文件中定义。", file=file, name=layer.name),
                field="layer.name",
            )
        by_name[layer.name] = layer
    for file, layer in layers:
        if layer.parent is not None and layer.parent.layer not in by_name:
            raise CatalogueError(
                msg(
                    "{file}：layer.parent.layer：没有名为 {name} 的图层。", file=file, name=layer.parent.layer
                ),
                field="layer.parent.layer",
            )
    ordered = sorted(by_name.values(), key=lambda layer: (layer.order, layer.name))
    return Catalogue(MappingProxyType({layer.name: layer for layer in ordered}))
