"""Whether the tables behind the layer catalogue have the columns it names, with types that fit."""

from sqlalchemy import Connection, text

from gis_server.core.catalogue import Catalogue, FieldType, Geometry, Layer, LayerKind
from gis_server.core.errors import CatalogueError
from gis_server.core.message import Message, msg
from gis_server.store.schema import LAYER_TABLES

_FITTING = {
    FieldType.TEXT: {"text", "varchar"},
    FieldType.INTEGER: {"int2", "int4", "int8"},
    FieldType.NUMBER: {"float4", "float8", "numeric"},
    FieldType.BOOLEAN: {"bool"},
    FieldType.DATE: {"date"},
    FieldType.TIMESTAMP: {"timestamptz"},
}
_OWN_COLUMNS = frozenset({"id", "generation_id", "geom", "path"})
_FILLED_BY_IMPORT = frozenset({"match", "datum", "recorded_at"})


def check_columns(conn: Connection, catalogue: Catalogue) -> None:
    """Raise CatalogueError, naming file and key, for the first layer whose ``table`` cannot hold its fields."""
    for layer in catalogue.layers.values():
        if layer.table is not None:
            _check_layer(conn, layer)


def _check_layer(conn: Connection, layer: Layer) -> None:
    if layer.table not in LAYER_TABLES:
        known = tuple(LAYER_TABLES)
        raise _wrong(
            layer,
            "layer.table",
            msg(
                "没有供图层用的表“{table}”；可用：{known}。不写 table 则存入通用表。",
                table=layer.table,
                known=known,
            ),
        )
    is_record = layer.table == "incident"
    if is_record != (layer.kind is LayerKind.RECORD):
        raise _wrong(
            layer,
            "layer.kind",
            msg("表“{table}”不能用于此类图层（{kind}）。", table=layer.table, kind=layer.kind),
        )
    columns = _columns_of(conn, layer.table)
    for field in layer.fields.values():
        if field.name in _OWN_COLUMNS or field.name not in columns:
            known = tuple(name for name in columns if name not in _OWN_COLUMNS)
            raise _wrong(
                layer,
                f"fields.{field.name}",
                msg("表“{table}”没有这一列；现有：{known}。", table=layer.table, known=known),
            )
        kind, _ = columns[field.name]
        if kind not in _FITTING[field.type]:
            raise _wrong(
                layer,
                f"fields.{field.name}.type",
                msg(
                    "表“{table}”中该列的类型是 {kind}，与 {type} 不符。",
                    table=layer.table,
                    kind=kind,
                    type=field.type,
                ),
            )
    for name, (_, needed) in columns.items():
        if not needed or name in _OWN_COLUMNS or name in _FILLED_BY_IMPORT:
            continue
        if name not in layer.fields or not layer.fields[name].required:
            raise _wrong(
                layer,
                f"fields.{name}.required",
                msg("表“{table}”的这一列不能为空，图层须有该字段并设 required = true。", table=layer.table),
            )
    _check_geometry(conn, layer)


def _columns_of(conn: Connection, table: str) -> dict[str, tuple[str, bool]]:
    """Type name and whether a value must be given, by column."""
    rows = conn.execute(
        text(
            """
            SELECT column_name, udt_name, is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
            FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name = :table ORDER BY ordinal_position
            """
        ),
        {"table": table},
    )
    return {name: (kind, needed) for name, kind, needed in rows}


def _check_geometry(conn: Connection, layer: Layer) -> None:
    kind = conn.scalar(
        text("SELECT type FROM geometry_columns WHERE f_table_schema = 'public' AND f_table_name = :table"),
        {"table": layer.table},
    )
    wanted = {Geometry.POINT: "POINT", Geometry.MULTI_LINE_STRING: "MULTILINESTRING"}.get(
        layer.geometry, "MULTIPOLYGON"
    )
    if kind != wanted:
        raise _wrong(
            layer,
            "layer.geometry",
            msg("表“{table}”存的是 {kind}，与 {wanted} 不符。", table=layer.table, kind=kind, wanted=wanted),
        )


def _wrong(layer: Layer, key: str, problem: Message) -> CatalogueError:
    return CatalogueError(
        msg("{file}：{key}：{problem}", file=layer.file or layer.name, key=key, problem=problem), field=key
    )
