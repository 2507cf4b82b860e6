"""The layer catalogue: what stands in layers/*.toml is what the product knows, and a mistake names file and key."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from gis_server.core.access import Tier
from gis_server.core.catalogue import Catalogue, Geometry, LayerKind, assemble, parse_layer
from gis_server.core.columns import match_columns
from gis_server.core.errors import CatalogueError
from gis_server.core.incident import IncidentState, Source
from gis_server.files.catalogue import load
from gis_server.settings import PROJECT_FOLDER
from gis_server.store.columns import check_columns

LAYERS = PROJECT_FOLDER / "layers"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load(LAYERS)


def test_the_layers_of_a_grid_service(catalogue: Catalogue) -> None:
    kinds = {name: (layer.kind, layer.geometry) for name, layer in catalogue.layers.items()}
    polygon, point, line = Geometry.MULTI_POLYGON, Geometry.POINT, Geometry.MULTI_LINE_STRING
    assert kinds == {
        "water": (LayerKind.FEATURE, polygon),
        "road": (LayerKind.FEATURE, line),
        "building": (LayerKind.FEATURE, polygon),
        "area": (LayerKind.BOUNDARY, polygon),
        "grid": (LayerKind.BOUNDARY, polygon),
        "reference": (LayerKind.FEATURE, polygon),
        "sub_grid": (LayerKind.BOUNDARY, polygon),
        "address": (LayerKind.FEATURE, point),
        "camera": (LayerKind.FEATURE, point),
        "incident": (LayerKind.RECORD, point),
    }


def test_drawing_order_is_ground_first_and_incidents_last(catalogue: Catalogue) -> None:
    assert next(iter(catalogue.layers)) == "water"
    assert list(catalogue.layers)[-1] == "incident"


def test_the_hall_sees_no_item_and_no_text_of_an_incident(catalogue: Catalogue) -> None:
    seen = {field.name for field in catalogue["incident"].visible_fields(Tier.HALL)}
    assert seen == {
        "number",
        "state",
        "is_urgent",
        "discovered_at",
        "grid_code",
        "sub_grid_code",
    }


def test_tiers_follow_the_requirements(catalogue: Catalogue) -> None:
    assert [layer.name for layer in catalogue.visible(Tier.PUBLIC)] == [
        "water",
        "road",
        "building",
        "area",
        "grid",
        "sub_grid",
    ]
    counts = {f.name: f.tier for f in catalogue["grid"].fields.values()}
    assert counts["resident_households"] is Tier.INTERNAL
    assert counts["grid_name"] is Tier.PUBLIC
    row_tier = catalogue["camera"].row_tier
    assert row_tier is not None
    assert dict(row_tier.tiers) == {"sensitive_site": Tier.PROTECTED}


def test_choices_are_the_domain_s_own_words(catalogue: Catalogue) -> None:
    fields = catalogue["incident"].fields
    assert set(fields["state"].choices) == {state.value for state in IncidentState}
    assert set(fields["source"].choices) == {source.value for source in Source}


@pytest.mark.parametrize(
    ("layer", "columns", "expected"),
    [
        ("grid", ["WGBM", "WGMC", "SQDM", "WGLX", "HS"], {"grid_code": "WGBM", "resident_households": "HS"}),
        ("grid", ["网格编码", "网格名称", "所属社区", "网格类型"], {"community_code": "所属社区"}),
        ("area", ["XZQDM", "XZQMC", "级别", "上级代码"], {"area_code": "XZQDM", "parent_code": "上级代码"}),
        ("address", ["DZBM", "地址"], {"address_code": "DZBM", "standard_address": "地址"}),
        ("camera", ["设备编码", "设备名称", "点位类型"], {"camera_site_class": "点位类型"}),
        ("incident", ["工单编号", "状态", "发现时间", "事件描述", "来源"], {"number": "工单编号"}),
    ],
)
def test_columns_as_real_files_name_them(
    catalogue: Catalogue, layer: str, columns: list[str], expected: dict[str, str]
) -> None:
    matched = match_columns(catalogue[layer], columns, {}, cut_at=None, encoding=None)
    assert expected.items() <= matched.by_field.items()
    assert matched.unused == ()


def test_the_tables_have_the_catalogue_s_columns(connection: Connection, catalogue: Catalogue) -> None:
    check_columns(connection, catalogue)


def grid_file() -> dict[str, Any]:
    return tomllib.loads((LAYERS / "grid.toml").read_text())


def _set(*path: str, to: object) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for key in path[:-1]:
            content = content[key]
        content[path[-1]] = to

    return change


def _drop(*path: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        for key in path[:-1]:
            content = content[key]
        del content[path[-1]]

    return change


MISTAKES = [
    ("unknown key", _set("layer", "colour", to="red"), "layer.colour"),
    ("unknown table", _set("stile", to={}), "stile"),
    ("missing key", _drop("layer", "title"), "layer.title"),
    ("missing layer", _drop("layer"), "layer"),
    ("missing style", _drop("style"), "style"),
    ("bad type", _set("layer", "order", to="first"), "layer.order"),
    ("a truth for a number", _set("style", "width", to=True), "style.width"),
    ("a list with a number in it", _set("layer", "popup", to=["grid_name", 3]), "layer.popup"),
    ("title in one language", _drop("layer", "title", "en"), "layer.title.en"),
    ("bad name", _set("layer", "name", to="Grid 1"), "layer.name"),
    ("unknown kind", _set("layer", "kind", to="tiling"), "layer.kind"),
    ("unknown geometry", _set("layer", "geometry", to="Polygon"), "layer.geometry"),
    ("unknown tier", _set("layer", "tier", to="secret"), "layer.tier"),
    ("key that is no field", _set("layer", "key", to="code"), "layer.key"),
    ("label that is no field", _set("layer", "label", to="name"), "layer.label"),
    ("popup that is no field", _set("layer", "popup", to=["name"]), "layer.popup"),
    ("parent by no field", _set("layer", "parent", "field", to="area"), "layer.parent.field"),
    ("empty layer", _set("layer", to={}), "layer.name"),
    ("field with a reserved name", _set("fields", "geom", to={}), "fields.geom"),
    ("field with a bad name", _set("fields", "网格", to={}), "fields.网格"),
    ("field without a type", _drop("fields", "grid_name", "type"), "fields.grid_name.type"),
    ("field of an unknown type", _set("fields", "grid_name", "type", to="string"), "fields.grid_name.type"),
    ("field with an unknown key", _set("fields", "grid_name", "unit", to="m"), "fields.grid_name.unit"),
    (
        "choice in one language",
        _drop("fields", "grid_kind", "choices", "rural_grid", "zh"),
        "fields.grid_kind.choices.rural_grid.zh",
    ),
    (
        "one name for two fields",
        _set("fields", "grid_name", "aliases", to=["网格编码"]),
        "fields.grid_name.aliases",
    ),
    (
        "row tier by no field",
        _set("layer", "row_tier", to={"field": "x", "tiers": {}}),
        "layer.row_tier.field",
    ),
    (
        "row tier of no choice",
        _set("layer", "row_tier", to={"field": "grid_kind", "tiers": {"secret": "hall"}}),
        "layer.row_tier.tiers.secret",
    ),
    (
        "row tier to no tier",
        _set("layer", "row_tier", to={"field": "grid_kind", "tiers": {"rural_grid": "x"}}),
        "layer.row_tier.tiers.rural_grid",
    ),
    ("colour that is none", _set("style", "stroke", to="red"), "style.stroke"),
    ("unknown shape", _set("style", "shape", to="star"), "style.shape"),
    ("opacity above one", _set("style", "fill_opacity", to=25), "style.fill_opacity"),
    ("classified by no field", _set("style", "classify", to="kind"), "style.classify"),
    ("class that is no choice", _set("style", "classes", to={"x": "--a"}), "style.classes.x"),
    ("width of a class that is no choice", _set("style", "widths", to={"x": 1}), "style.widths.x"),
    ("width that is no number", _set("style", "widths", to={"rural_grid": "2"}), "style.widths.rural_grid"),
    ("size of a class that is no choice", _set("style", "radii", to={"x": 1}), "style.radii.x"),
    ("state by no field", _set("style", "state", to="kind"), "style.state"),
    ("marks without a state", _set("style", "marks", to={"rural_grid": "hollow"}), "style.marks"),
]


@pytest.mark.parametrize(("change", "key"), [m[1:] for m in MISTAKES], ids=[m[0] for m in MISTAKES])
def test_a_mistake_names_file_and_key(change: Callable[[dict[str, Any]], None], key: str) -> None:
    content = grid_file()
    change(content)
    with pytest.raises(CatalogueError) as raised:
        parse_layer(content, "网格.toml")
    sentence = str(raised.value)
    assert sentence.startswith((f"网格.toml：{key}：", f"网格.toml：{key} "))
    assert raised.value.field == key


def test_a_record_layer_needs_a_table() -> None:
    content = tomllib.loads((LAYERS / "incident.toml").read_text())
    del content["layer"]["table"]
    with pytest.raises(CatalogueError, match=r"incident\.toml：layer\.table"):
        parse_layer(content, "incident.toml")


def test_two_files_of_one_name_and_unknown_parents() -> None:
    grid = parse_layer(grid_file(), "grid.toml")
    with pytest.raises(CatalogueError, match=r"other\.toml：layer\.name"):
        assemble([("grid.toml", grid), ("other.toml", grid)])
    with pytest.raises(CatalogueError, match=r"grid\.toml：layer\.parent\.layer：没有名为 area 的图层"):
        assemble([("grid.toml", grid)])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[layer\nname = 1", "grid.toml"),
        ("[layer]\nname = '网格'".encode("gbk"), "grid.toml"),
        (None, "没有 .toml 文件"),
    ],
)
def test_a_folder_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    if content is not None:
        (tmp_path / "grid.toml").write_bytes(content)
    with pytest.raises(CatalogueError, match=said):
        load(tmp_path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    text = (LAYERS / "road.toml").read_text()
    (tmp_path / "road.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert list(load(tmp_path).layers) == ["road"]


COLUMN_MISTAKES = [
    ("no such table", _set("layer", "table", to="account"), "layer.table"),
    ("no such column", _set("fields", "grid_area", to={}), "fields.grid_area"),
    ("a column of the store's own", _set("fields", "path", to={}), "fields.path"),
    (
        "another type",
        _set("fields", "resident_households", "type", to="text"),
        "fields.resident_households.type",
    ),
    ("a needed column left out", _drop("fields", "grid_kind"), "fields.grid_kind.required"),
    (
        "a needed column not required",
        _set("fields", "grid_name", "required", to=False),
        "fields.grid_name.required",
    ),
    ("another geometry", _set("layer", "geometry", to="Point"), "layer.geometry"),
    ("a table of records", _set("layer", "table", to="incident"), "layer.kind"),
]


@pytest.mark.parametrize(
    ("change", "key"), [m[1:] for m in COLUMN_MISTAKES], ids=[m[0] for m in COLUMN_MISTAKES]
)
def test_columns_are_held_against_the_database(
    connection: Connection, change: Callable[[dict[str, Any]], None], key: str
) -> None:
    content = grid_file()
    change(content)
    for name, field in content["fields"].items():
        if not field:
            words = {"zh": name, "en": name}
            content["fields"][name] = {"type": "text", "title": words, "tier": "public"}
    content["layer"].pop("parent")
    content["style"] = {"stroke": "--line"}
    content["layer"]["popup"] = []
    layer = parse_layer(content, "网格.toml")
    with pytest.raises(CatalogueError) as raised:
        check_columns(connection, assemble([("网格.toml", layer)]))
    assert str(raised.value).startswith(f"网格.toml：{key}：")
