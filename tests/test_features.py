import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import shapely

from gis_server.core.catalogue import Geometry, Layer, parse_layer
from gis_server.core.datum import Datum, wgs84_to_gcj02
from gis_server.core.errors import UnknownCrs, UnusableInput
from gis_server.core.features import Duplicates, FeatureTable, RawTable, RowProblem, Source, fit
from gis_server.core.geometry import transform
from gis_server.core.message import msg
from gis_server.core.values import CHINA_STANDARD_TIME
from gis_server.files import catalogue as catalogue_files

CATALOGUE = catalogue_files.load(Path(__file__).parent.parent / "layers")
GRID = CATALOGUE["grid"]
ADDRESS = CATALOGUE["address"]


def field(kind: str, title: str = "", **more: object) -> dict[str, object]:
    return {"type": kind, "title": {"zh": title or kind, "en": kind}, "tier": "public", **more}


def layer_of(geometry: str = "Point", kind: str = "feature", **fields: Mapping[str, object]) -> Layer:
    content = {
        "layer": {
            "name": "thing",
            "title": {"zh": "物件", "en": "Things"},
            "kind": kind,
            "geometry": geometry,
            "key": "code",
            "tier": "public",
        },
        "fields": {"code": field("text", "编码", required=True), **fields},
        "style": {"stroke": "--line"},
    }
    return parse_layer(content, "thing.toml")


def texts(*values: str | None) -> np.ndarray:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def raw_table(
    columns: Mapping[str, np.ndarray],
    geometry: Sequence[object] | None = None,
    *,
    crs: str = "EPSG:4490",
    datum: Datum | None = Datum.CGCS2000,
    encoding: str = "GB18030",
    cut: bool = False,
    first_row: int = 1,
    problems: tuple[RowProblem, ...] = (),
) -> RawTable:
    count = len(next(iter(columns.values())))
    shapes = np.empty(count, object)
    shapes[:] = geometry if geometry is not None else [shapely.Point(119.4, 32.2)] * count
    source = Source("thing.shp", None, count, crs, encoding, datum, "0" * 64)
    return RawTable(
        geometry=shapes,
        columns=columns,
        rows=np.arange(count),
        source=source,
        first_row=first_row,
        cut_names_at=10 if cut else None,
        problems=problems,
    )


def sentences(table: FeatureTable) -> list[str]:
    return [str(p.message) for p in table.problems]


def values_of(kind: str, column: np.ndarray, **more: object) -> tuple[list[object], list[str]]:
    """The values of one optional field, and what was said of it."""
    layer = layer_of(value=field(kind, "值", **more))
    table = fit(layer, raw_table({"code": texts(*map(str, range(len(column)))), "value": column}))
    return table.columns["value"].tolist(), sentences(table)


# ---- columns


@pytest.mark.parametrize(
    "heads",
    [
        ("grid_code", "grid_name", "community_code", "grid_kind"),
        ("GRID_CODE", "Grid Name", "Community", "Kind"),
        ("网格编码", "网格名称", "所属社区", "网格类型"),
        ("ＷＧＢＭ", "wgmc", " SQDM ", "WGLX"),
    ],
)
def test_columns_are_found_by_alias_case_and_width_apart(heads: Sequence[str]) -> None:
    square = [shapely.box(119.4, 32.2, 119.41, 32.21)]
    cells = ("230881001001001", "一", "230881001001", "居民网格")
    table = fit(GRID, raw_table({h: texts(c) for h, c in zip(heads, cells, strict=True)}, square))
    assert table.columns["grid_code"].tolist() == ["230881001001001"]
    assert table.columns["grid_kind"].tolist() == ["resident_grid"]
    assert table.columns["host_units"].tolist() == [None]
    assert (table.problems, table.unused) == ((), ())


@pytest.mark.parametrize(
    ("head", "encoding", "cut", "matches"),
    [
        ("resident_h", "UTF-8", True, True),  # ten bytes of resident_households
        ("resident_h", "UTF-8", False, False),  # no format that cuts names
        ("resident", "UTF-8", True, False),  # short enough to be whole
        ("专属网格所", "GB18030", True, True),  # five characters are ten bytes
        ("专属网", "UTF-8", True, True),  # three characters are nine bytes, the tenth was half a character
        ("专属网", "GB18030", True, False),  # six bytes: whole
    ],
)
def test_names_cut_by_the_format(head: str, encoding: str, cut: bool, matches: bool) -> None:
    layer = layer_of(
        resident_households=field("text", "常住户数"), host_units=field("text", "专属网格所在单位")
    )
    raw = raw_table({"code": texts("1"), head: texts("x")}, encoding=encoding, cut=cut)
    table = fit(layer, raw)
    found = [name for name in ("resident_households", "host_units") if table.columns[name][0] == "x"]
    assert bool(found) is matches
    assert table.unused == (() if matches else (head,))


def test_a_cut_name_that_begins_two_fields_is_not_guessed() -> None:
    layer = layer_of(recorded_at_start=field("text"), recorded_at_end=field("text"))
    table = fit(layer, raw_table({"code": texts("1"), "recorded_a": texts("x")}, cut=True))
    assert table.unused == ("recorded_a",)


def test_mapping_goes_before_aliases() -> None:
    columns = {"编码": texts("wrong"), "my code": texts("right")}
    table = fit(layer_of(), raw_table(columns), {"code": "MY_CODE"})
    assert table.columns["code"].tolist() == ["right"]
    assert table.unused == ("编码",)


@pytest.mark.parametrize(
    ("mapping", "fragment"),
    [
        ({"nothing": "code"}, "图层“物件”没有字段“nothing”；可用字段：code。"),
        ({"code": "没有"}, "文件里没有列“没有”（指定给字段 code）；现有列：code、值。"),
    ],
)
def test_mapping_that_names_nothing(mapping: Mapping[str, str], fragment: str) -> None:
    with pytest.raises(UnusableInput) as refused:
        fit(layer_of(), raw_table({"code": texts("1"), "值": texts("1")}), mapping)
    assert str(refused.value) == fragment


def test_missing_required_column_names_what_is_there() -> None:
    with pytest.raises(
        UnusableInput, match=r"必需的列：编码（code）；文件里的列有：甲、乙。.*--map code=列名"
    ) as refused:
        fit(layer_of(), raw_table({"甲": texts("1"), "乙": texts("2")}))
    assert refused.value.field == "code"


# ---- values


def test_text_is_trimmed_and_codes_stay_whole() -> None:
    column = texts("  000001\u3000", "12345678901234567890", "", None, "a\x00b", "\ufeff甲")
    assert values_of("text", column) == (["000001", "12345678901234567890", None, None, "ab", "甲"], [])


def test_numeric_codes_become_their_digits() -> None:
    assert values_of("text", np.array([230881001001004, 5])) == (["230881001001004", "5"], [])
    assert values_of("text", np.array([230881001001004.0, np.nan, 1.5])) == (
        ["230881001001004", None, "1.5"],
        [],
    )


def test_a_code_ruined_by_floating_point_is_never_taken() -> None:
    values, said = values_of("text", np.array([1.0, 12345678901234567890.0]))
    assert values == ["1", None]
    assert said == [
        "第 2 行：值：编码 12345678901234567168 按数值保存，超过 15 位的尾数已经丢失；请在来源处改存为文本。"
    ]


def test_integers() -> None:
    column = texts("３８０", " 1,234 ", "5.0", "-7", None, "五", "3.5", "1_000", "99999999999", "nan")
    values, said = values_of("integer", column)
    assert values == [380, 1234, 5, -7, None, None, None, None, None, None]
    assert said == [
        "第 6 行：值：“五”不是整数。",
        "第 7 行：值：“3.5”不是整数。",
        "第 8 行：值：“1_000”不是整数。",
        "第 9 行：值：99999999999 超出整数范围。",
        "第 10 行：值：“nan”不是整数。",
    ]
    assert values_of("integer", np.array([3.0, np.nan])) == ([3, None], [])
    assert values_of("integer", np.array([2**31 - 1, 2**31]))[0] == [2**31 - 1, None]


def test_numbers() -> None:
    assert values_of("number", texts("1.5", "１．５", "1,000.25", "1e3")) == ([1.5, 1.5, 1000.25, 1000.0], [])
    assert values_of("number", texts("多")) == ([None], ["第 1 行：值：“多”不是数。"])
    assert values_of("number", np.array([1, 2])) == ([1.0, 2.0], [])


def test_booleans() -> None:
    column = texts("是", "否", "T", "0", "YES", "也许")
    values, said = values_of("boolean", column)
    assert values == [True, False, True, False, True, None]
    assert said == ["第 6 行：值：“也许”不是“是”或“否”。"]
    assert values_of("boolean", np.array([True, False])) == ([True, False], [])


def test_dates() -> None:
    column = texts(
        "2026-03-01", "2026/3/1", "20260301", "2026年3月1日", "2026-03-01T00:00:00", "2026-02-30", "明天"
    )
    values, said = values_of("date", column)
    assert values == [dt.date(2026, 3, 1)] * 5 + [None, None]
    assert len(said) == 2


def test_times_without_an_offset_are_chinese_time() -> None:
    morning = dt.datetime(2026, 3, 1, 8, 30, tzinfo=CHINA_STANDARD_TIME)
    column = texts(
        "2026-03-01 08:30",
        "2026/3/1 8:30:00",
        "2026年3月1日8时30分",
        "2026-03-01T00:30:00Z",
        "2026-03-01T08:30:00+08:00",
    )
    values, said = values_of("timestamp", column)
    assert values == [morning] * 5
    assert said == []
    assert values_of("timestamp", texts("上午"))[1] == [
        "第 1 行：值：“上午”不是时间（例如 2026-03-01 08:30）。"
    ]


def test_choices_by_key_or_either_title() -> None:
    choices = {"urban": {"zh": "城市社区", "en": "Urban community"}, "rural": {"zh": "农村", "en": "Rural"}}
    column = texts("urban", " 农村 ", "URBAN COMMUNITY", None, "郊区")
    values, said = values_of("text", column, choices=choices)
    assert values == ["urban", "rural", "urban", None, None]
    assert said == ["第 5 行：值：“郊区”不是可用的值；可用：城市社区、农村。"]


def test_optional_trouble_keeps_the_row_and_required_trouble_rejects_it() -> None:
    layer = layer_of(count=field("integer", "数", required=True), spare=field("integer", "备"))
    columns = {"code": texts("1", "2", "3"), "count": texts("5", "x", None), "spare": texts("x", "1", "1")}
    table = fit(layer, raw_table(columns, first_row=2))
    assert table.rows.tolist() == [0]
    assert table.columns["spare"].tolist() == [None]
    assert [(p.row, p.field, p.rejected, str(p.message)) for p in table.problems] == [
        (0, "spare", False, "第 2 行：备：“x”不是整数。"),
        (1, "count", True, "第 3 行：数：“x”不是整数。"),
        (2, "count", True, "第 4 行：数：必填，但没有值。"),
    ]


# ---- keys


def test_second_row_of_a_key_is_left_out_of_feature_layers() -> None:
    table = fit(layer_of(), raw_table({"code": texts("1", "2", " 1", "1")}))
    assert table.rows.tolist() == [0, 1]
    assert sentences(table) == ["第 3 行：编码：1 与第 1 行重复。", "第 4 行：编码：1 与第 1 行重复。"]


def test_boundary_layers_keep_both_for_the_check() -> None:
    squares = [shapely.box(119.4 + i, 32, 119.5 + i, 33) for i in range(2)]
    layer = layer_of("MultiPolygon", "boundary")
    raw = raw_table({"code": texts("1", "1")}, squares)
    assert len(fit(layer, raw).rows) == 2
    assert len(fit(layer, raw, duplicates=Duplicates.REJECT).rows) == 1


# ---- geometry


def test_points_in_gcj02_are_brought_home() -> None:
    lon, lat = wgs84_to_gcj02(119.4123, 32.2034)
    raw = raw_table(
        {"code": texts("1")}, [shapely.Point(float(lon), float(lat))], crs="EPSG:4326", datum=Datum.GCJ02
    )
    table = fit(layer_of(), raw)
    assert shapely.distance(table.geometry[0], shapely.Point(119.4123, 32.2034)) < 1e-9
    assert table.source.datum is Datum.GCJ02


def test_single_forms_become_the_type_of_the_layer() -> None:
    square = shapely.box(119.4, 32.2, 119.41, 32.21)
    line = shapely.LineString([(119.4, 32.2), (119.5, 32.2)])
    cases = [
        ("MultiPolygon", [square, shapely.MultiPolygon([square]), shapely.GeometryCollection([square])]),
        ("MultiLineString", [line, shapely.MultiLineString([line])]),
        ("Point", [shapely.Point(119.4, 32.2), shapely.MultiPoint([(119.4, 32.2)])]),
    ]
    for geometry, shapes in cases:
        codes = texts(*map(str, range(len(shapes))))
        table = fit(layer_of(geometry), raw_table({"code": codes}, shapes))
        assert {g.geom_type for g in table.geometry} == {geometry}
        assert len(table.rows) == len(shapes)


def test_rows_without_usable_geometry_are_named() -> None:
    good = shapely.box(119.4, 32.2, 119.41, 32.21)
    shapes = [
        good,
        None,
        shapely.Polygon(),
        shapely.Point(119.4, 32.2),
        shapely.Polygon([(119.4, 32.2), (119.5, 32.2), (119.4, 32.2)]),
        shapely.box(0, 0, 1, 1),
        shapely.box(32.2, 119.4, 32.3, 119.5),
        shapely.LineString([(119.4, np.nan), (119.5, 32.2)]),
        good,
    ]
    table = fit(layer_of("MultiPolygon"), raw_table({"code": texts(*"123456789")}, shapes))
    assert table.rows.tolist() == [0, 8]
    assert sentences(table) == [
        "第 2 行：没有图形。",
        "第 3 行：没有图形。",
        "第 4 行：图形是点，应为面。",
        "第 5 行：图形无效（环的点太少，在 119.4 32.2），没有面积。",
        "第 6 行：坐标（1，0）不在中国范围内。",
        "第 7 行：坐标（32.3，119.4）不在中国范围内。",
        "第 8 行：坐标不是数。",
    ]


def test_invalid_rings_are_mended_and_told() -> None:
    bow_tie = shapely.Polygon([(443000, 3565000), (443100, 3565100), (443100, 3565000), (443000, 3565100)])
    table = fit(layer_of("MultiPolygon"), raw_table({"code": texts("1")}, [bow_tie], crs="EPSG:4549"))
    assert sentences(table) == ["第 1 行：图形无效（自相交，在 443050 3565050），已修复。"]
    assert not table.problems[0].rejected
    assert shapely.is_valid(table.geometry).all()
    assert shapely.area(transform(table.geometry, "EPSG:4490", "EPSG:4549"))[0] == pytest.approx(
        5000, rel=1e-6
    )


def test_data_of_another_country_are_no_mistake() -> None:
    points = [shapely.Point(14.4, 50.1), shapely.Point(14.5, 50.2)]
    assert len(fit(layer_of(), raw_table({"code": texts("1", "2")}, points)).rows) == 2


def test_whole_file_of_another_type_is_refused() -> None:
    with pytest.raises(UnusableInput, match=r"thing\.shp 里是点，而图层“物件”需要面。"):
        fit(layer_of("MultiPolygon"), raw_table({"code": texts("1", "2")}))


def test_local_plane_cannot_be_stored() -> None:
    with pytest.raises(UnknownCrs, match="不能作为图层入库"):
        fit(layer_of(), raw_table({"code": texts("1")}, crs="local", datum=None))


def test_nothing_left_is_an_error_with_the_first_reason() -> None:
    with pytest.raises(UnusableInput, match="没有一行可以使用。第 1 行：编码：必填，但没有值。"):
        fit(layer_of(), raw_table({"code": texts(None, "")}))
    with pytest.raises(UnusableInput, match="没有任何要素"):
        fit(layer_of(), raw_table({"code": texts()}))


def test_what_the_reader_said_is_kept_and_not_said_twice() -> None:
    said = RowProblem(1, None, msg("第 2 行：经度“x”不是数。"), rejected=True)
    raw = raw_table({"code": texts("1", "2")}, [shapely.Point(119.4, 32.2), None], problems=(said,))
    table = fit(layer_of(), raw)
    assert table.problems == (said,)
    assert table.rows.tolist() == [0]


def test_the_source_table_is_not_changed() -> None:
    shapes = [shapely.Point(119.4, 32.2), shapely.Point(0, 0), shapely.Point(119.4, 32.2)]
    raw = raw_table({"code": texts("1", "2", "3")}, shapes)
    fit(layer_of(), raw)
    assert raw.geometry.tolist() == shapes


def test_every_layer_of_the_catalogue_has_a_geometry_that_fit_knows() -> None:
    assert {layer.geometry for layer in CATALOGUE.layers.values()} <= set(Geometry)
    assert ADDRESS.geometry is Geometry.POINT
