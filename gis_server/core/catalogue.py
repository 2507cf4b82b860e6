"""The layer catalogue: what a layer is called, holds, shows and to whom, parsed from ``layers/*.toml``.

One file, one layer. Everything that knows about a layer reads it here: import mapping, the check of tables and
columns, the API's schema, pop-up, style, legend and the access tier of each field.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

from gis_server.core.access import Tier
from gis_server.core.errors import CatalogueError
from gis_server.core.message import Message, msg


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
class Words:
    """A title in the two languages of the interface."""

    zh: str
    en: str


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


_REQUIRED = object()
_E = TypeVar("_E", bound=StrEnum)
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,39}")

RESERVED_COLUMNS = frozenset({"id", "generation_id", "geom", "layer", "properties"})
"""Columns that every layer table has of its own."""


class _Table:
    """A TOML table that must be emptied key by key: what is left over is unknown, and named."""

    def __init__(self, content: object, file: str, where: str) -> None:
        if not isinstance(content, dict):
            raise CatalogueError(msg("{file}：{key} 应为一个表。", file=file, key=where), field=where)
        self.rest = dict(content)
        self.file = file
        self.where = where

    def path(self, key: str) -> str:
        return f"{self.where}.{key}" if self.where else key

    def wrong(self, key: str, message: Message) -> CatalogueError:
        return CatalogueError(
            msg("{file}：{key}：{problem}", file=self.file, key=self.path(key), problem=message),
            field=self.path(key),
        )

    def take(self, key: str, kind: type | tuple[type, ...], default: object = _REQUIRED) -> object:
        if key not in self.rest:
            if default is _REQUIRED:
                raise self.wrong(key, msg("缺少此项。"))
            return default
        value = self.rest.pop(key)
        # bool is an int in Python, not in a layer file
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            expected = kind.__name__ if isinstance(kind, type) else " / ".join(k.__name__ for k in kind)
            raise self.wrong(
                key, msg("应为 {expected}，现为 {value}。", expected=expected, value=repr(value))
            )
        return value

    def text(self, key: str, default: object = _REQUIRED) -> str:
        return self.take(key, str, default)  # type: ignore[return-value]

    def optional_text(self, key: str) -> str | None:
        return self.take(key, str, None)  # type: ignore[return-value]

    def number(self, key: str, default: float) -> float:
        return float(self.take(key, (int, float), default))  # type: ignore[arg-type]

    def integer(self, key: str, default: int) -> int:
        return self.take(key, int, default)  # type: ignore[return-value]

    def flag(self, key: str, default: bool) -> bool:
        return self.take(key, bool, default)  # type: ignore[return-value]

    def words(self, key: str) -> Words:
        table = _Table(self.take(key, dict), self.file, self.path(key))
        words = Words(table.text("zh"), table.text("en"))
        table.done()
        return words

    def texts(self, key: str) -> tuple[str, ...]:
        values = self.take(key, list, [])
        if not all(isinstance(v, str) for v in values):  # type: ignore[attr-defined]
            raise self.wrong(key, msg("应为文字的列表。"))
        return tuple(values)  # type: ignore[arg-type]

    def choice(self, key: str, kind: type[_E], default: object = _REQUIRED) -> _E:
        value = self.text(key, default)
        try:
            return kind(value)
        except ValueError:
            known = "、".join(kind)
            raise self.wrong(
                key, msg("“{value}”不是可用的值；可用：{known}。", value=value, known=known)
            ) from None

    def tier(self, key: str, default: object = _REQUIRED) -> Tier:
        value = self.text(key, default)
        try:
            return Tier[value.upper()]
        except KeyError:
            known = "、".join(t.key for t in Tier)
            raise self.wrong(
                key, msg("“{value}”不是可用的值；可用：{known}。", value=value, known=known)
            ) from None

    def table(self, key: str, required: bool = False) -> "_Table | None":
        if key not in self.rest and not required:
            return None
        return _Table(self.take(key, dict), self.file, self.path(key))

    def done(self) -> None:
        for key in self.rest:
            raise self.wrong(key, msg("没有这一项设置，请检查拼写。"))


def _parse_field(name: str, table: _Table) -> Field:
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


def _parse_style(table: _Table) -> Style:
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


def _known_field(layer: _Table, key: str, name: str, fields: Mapping[str, Field]) -> str:
    if name not in fields:
        known = "、".join(fields)
        raise layer.wrong(key, msg("没有字段“{name}”；现有字段：{known}。", name=name, known=known))
    return name


def parse_layer(content: Mapping[str, object], file: str) -> Layer:
    """Check one layer file's content and freeze it.

    ``content`` is the parsed TOML, ``file`` its name for messages. Raises CatalogueError naming file and key for an
    unknown or missing key, a bad type or value, and for a field that is named but not declared.
    """
    root = _Table(dict(content), file, "")
    head = _Table(root.take("layer", dict), file, "layer")
    fields_table = _Table(root.take("fields", dict), file, "fields")
    fields: dict[str, Field] = {}
    for name in list(fields_table.rest):
        if not _IDENTIFIER.fullmatch(name) or name in RESERVED_COLUMNS:
            raise fields_table.wrong(name, msg("字段名只能用小写字母、数字和下划线，且不能是保留名。"))
        fields[name] = _parse_field(name, _Table(fields_table.take(name, dict), file, f"fields.{name}"))

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
        values = row_tier_table.table("tiers", required=True)
        assert values is not None  # noqa: S101  (required=True)
        row_tier = RowTier(by, MappingProxyType({value: values.tier(value) for value in list(values.rest)}))
        row_tier_table.done()

    style = _parse_style(_Table(root.take("style", dict), file, "style"))
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
