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
from gis_server.core.message import Words, msg
from gis_server.core.toml_table import Table


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


class Mark(StrEnum):
    """How the symbol of a point tells a state, by its form; the colour only helps."""

    SOLID = "solid"
    HOLLOW = "hollow"
    CROSSED = "crossed"


class Geometry(StrEnum):
    """Geometry types of a layer; files may bring the single form of a multi type."""

    POINT = "Point"
    MULTI_LINE_STRING = "MultiLineString"
    MULTI_POLYGON = "MultiPolygon"


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its type, who may see it, and the names under which files bring it.

    ``codes`` are the numbers by which a standard writes the choices (GB/T 28181: 1 is east).
    """

    name: str
    type: FieldType
    title: Words
    tier: Tier
    required: bool = False
    aliases: tuple[str, ...] = ()
    choices: Mapping[str, Words] = field(default_factory=lambda: MappingProxyType({}))
    codes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

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
    """How the layer is drawn: token names of ``web/styles/tokens.css`` or ``#rrggbb`` colours, sizes in px.

    ``classes`` gives the fill, ``widths`` the stroke width and ``radii`` the size of single values of the field ``classify``.
    Points may tell a second field, ``state``, by the form of their symbol: ``marks`` by value, those that are not solid edged
    in ``state_colour``.
    """

    stroke: str
    width: float
    fill: str
    fill_opacity: float
    radius: float
    shape: str
    min_zoom: int
    classify: str | None
    classes: Mapping[str, str]
    widths: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    radii: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    state: str | None = None
    state_colour: str = ""
    marks: Mapping[str, Mark] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def drawn_by(self) -> tuple[str, ...]:
        """The fields whose values say how a row is drawn."""
        return tuple(name for name in (self.classify, self.state) if name is not None)


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
    file: str = ""  # where it was read, for messages

    def visible_fields(self, tier: Tier) -> tuple[Field, ...]:
        """The fields that a holder of ``tier`` may see, in catalogue order."""
        return tuple(f for f in self.fields.values() if f.tier <= tier)

    @property
    def holds_protected(self) -> bool:
        """Whether some field or row is for the protected tier, so that reading it leaves an audit row."""
        rows = self.row_tier.tiers.values() if self.row_tier else ()
        return Tier.PROTECTED in (self.tier, *rows, *(f.tier for f in self.fields.values()))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All layers, by name, in drawing order."""

    layers: Mapping[str, Layer]

    def __getitem__(self, name: str) -> Layer:
        try:
            return self.layers[name]
        except KeyError:
            known = tuple(self.layers)
            raise CatalogueError(
                msg("没有名为 {name} 的图层；现有图层：{known}。", name=name, known=known), field="layer"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self.layers

    def visible(self, tier: Tier) -> tuple[Layer, ...]:
        """The layers a holder of ``tier`` may see, in drawing order."""
        return tuple(layer for layer in self.layers.values() if layer.tier <= tier)


_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,39}")
_COLOUR = re.compile(r"--[a-z0-9-]+|#[0-9a-fA-F]{6}")
_SHAPES = ("circle", "square", "triangle", "diamond")

RESERVED_COLUMNS = frozenset({"id", "generation_id", "geom", "layer", "properties"})
"""Columns that every layer table has of its own."""


def _parse_field(name: str, table: Table) -> Field:
    choices = {}
    listed = table.table("choices")
    if listed is not None:
        choices = {key: listed.words(key) for key in list(listed.rest)}
        listed.done()
    codes = {}
    coded = table.table("codes")
    if coded is not None:
        codes = {code: _known_choice(coded, code, choices) for code in list(coded.rest)}
        coded.done()
    parsed = Field(
        name=name,
        type=table.choice("type", FieldType),
        title=table.words("title"),
        tier=table.tier("tier"),
        required=table.flag("required", False),
        aliases=table.texts("aliases"),
        choices=MappingProxyType(choices),
        codes=MappingProxyType(codes),
    )
    table.done()
    return parsed


def _known_choice(codes: Table, code: str, choices: Mapping[str, Words]) -> str:
    value = codes.text(code)
    if value not in choices:
        known = tuple(choices)
        raise codes.wrong(code, msg("“{value}”不是可用的值；可用：{known}。", value=value, known=known))
    return value


def _colour(table: Table, key: str, default: str | None = None) -> str:
    value = table.text(key) if default is None else table.text(key, default)
    if value != default and not _COLOUR.fullmatch(value):
        raise table.wrong(key, msg("颜色应为 --名称 或 #rrggbb，现为“{value}”。", value=value))
    return value


def _between(table: Table, key: str, default: float, low: float, high: float) -> float:
    value = table.number(key, default)
    if not low <= value <= high:
        raise table.wrong(
            key, msg("应在 {low} 与 {high} 之间，现为 {value}。", low=low, high=high, value=value)
        )
    return value


def _by_class(table: Table, key: str, by: Field | None) -> tuple[Table, tuple[str, ...]]:
    """The sub-table ``key`` and the values it lists, each a choice of the field by which it is drawn."""
    listed = table.table(key)
    if listed is None:
        return Table({}, table.file, table.path(key)), ()
    if by is None:
        raise table.wrong(key, msg("需要先用 classify 或 state 指明按哪个字段绘制。"))
    for value in listed.rest:
        if by.choices and value not in by.choices:
            known = tuple(by.choices)
            raise listed.wrong(value, msg("“{value}”不是可用的值；可用：{known}。", value=value, known=known))
    return listed, tuple(listed.rest)


def _drawn_by(table: Table, key: str, fields: Mapping[str, Field]) -> Field | None:
    name = table.optional_text(key)
    return None if name is None else fields[_known_field(table, key, name, fields)]


def _parse_style(table: Table, fields: Mapping[str, Field]) -> Style:
    classify, state = _drawn_by(table, "classify", fields), _drawn_by(table, "state", fields)
    classes, classed = _by_class(table, "classes", classify)
    widths, widened = _by_class(table, "widths", classify)
    radii, sized = _by_class(table, "radii", classify)
    marks, marked = _by_class(table, "marks", state)
    shape = table.text("shape", "circle")
    if shape not in _SHAPES:
        known = tuple(_SHAPES)
        raise table.wrong("shape", msg("“{value}”不是可用的值；可用：{known}。", value=shape, known=known))
    style = Style(
        stroke=_colour(table, "stroke"),
        width=_between(table, "width", 1.0, 0.0, 50.0),
        fill=_colour(table, "fill", ""),
        fill_opacity=_between(table, "fill_opacity", 0.0, 0.0, 1.0),
        radius=_between(table, "radius", 4.0, 0.0, 50.0),
        shape=shape,
        min_zoom=int(_between(table, "min_zoom", 0, 0, 24)),
        classify=None if classify is None else classify.name,
        classes=MappingProxyType({value: _colour(classes, value) for value in classed}),
        widths=MappingProxyType({value: _between(widths, value, 1.0, 0.0, 50.0) for value in widened}),
        radii=MappingProxyType({value: _between(radii, value, 4.0, 0.0, 50.0) for value in sized}),
        state=None if state is None else state.name,
        state_colour=_colour(table, "state_colour", ""),
        marks=MappingProxyType({value: marks.choice(value, Mark) for value in marked}),
    )
    table.done()
    return style


def _refuse_shared_names(fields: Mapping[str, Field], file: str) -> None:
    """No source column may mean two fields: names are compared as the readers compare them, without case."""
    owner: dict[str, str] = {}
    for name, one in fields.items():
        for accepted in one.accepted_names:
            first = owner.setdefault(accepted.casefold(), name)
            if first != name:
                raise Table({}, file, f"fields.{name}").wrong(
                    "aliases", msg("“{alias}”已是字段 {other} 的名称。", alias=accepted, other=first)
                )


def _known_field(layer: Table, key: str, name: str, fields: Mapping[str, Field]) -> str:
    if name not in fields:
        known = tuple(fields)
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

    _refuse_shared_names(fields, file)
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
        for value in values.rest:
            if fields[by].choices and value not in fields[by].choices:
                known = tuple(fields[by].choices)
                raise values.wrong(
                    value, msg("“{value}”不是可用的值；可用：{known}。", value=value, known=known)
                )
        row_tier = RowTier(by, MappingProxyType({value: values.tier(value) for value in list(values.rest)}))
        row_tier_table.done()

    style = _parse_style(root.required_table("style"), fields)
    kind = head.choice("kind", LayerKind)
    table = head.optional_text("table")
    if kind is LayerKind.RECORD and table is None:
        raise head.wrong("table", msg("记录类图层要有自己的表。"))

    layer = Layer(
        name=name,
        title=head.words("title"),
        kind=kind,
        geometry=head.choice("geometry", Geometry),
        key=key,
        table=table,
        tier=head.tier("tier"),
        order=head.integer("order", 100),
        fields=MappingProxyType(fields),
        parent=parent,
        row_tier=row_tier,
        label=label,
        popup=popup,
        legend=head.flag("legend", True),
        style=style,
        file=file,
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
