"""The item catalogues of the two documents that print one, and what an operator may add."""

import tomllib
from pathlib import Path

import pytest

from gis_server.core.access import Tier
from gis_server.core.deadline import Clock, Limit
from gis_server.core.errors import CatalogueError, Conflict, NotFound
from gis_server.core.item import (
    ItemAction,
    ItemCatalogue,
    Protection,
    extend_items,
    may_refuse,
    parse_items,
    require_listed,
)
from gis_server.files.profile import read_items, read_profile

THREE_DAYS = Limit(Clock.WORKING_DAYS, 3, "heilongjiang 8.2.2, 表1", 1)

# row, level 1, level 2, level 3, lead unit, responsible unit, whether there is a limit
TABLE_1 = [
    ("T1-01", "public_safety", "public_order", "group_rental_management", "市公安局", "市住建局", False),
    ("T1-02", "public_safety", "fire_safety", "fire_acceptance", "市消防救援大队", "市住建局", True),
    ("T1-03", "public_safety", "work_safety", "major_hazard_source", "市应急局", "市生态环境局", True),
    (
        "T1-04",
        "agriculture_forestry_water_land",
        "land_resources",
        "land_requisition",
        "市自然资源局",
        "市住建局",
        True,
    ),
    (
        "T1-05",
        "agriculture_forestry_water_land",
        "land_resources",
        "land_reclamation",
        "市自然资源局",
        "市农业农村局",
        True,
    ),
    (
        "T1-06",
        "agriculture_forestry_water_land",
        "land_resources",
        "farmhouse_management",
        "市自然资源局",
        "市农业农村局",
        True,
    ),
    (
        "T1-07",
        "environmental_protection",
        "water_pollution",
        "water_source_pollution",
        "市生态环境局",
        "市生态环境局",
        True,
    ),
    (
        "T1-08",
        "environmental_protection",
        "noise_pollution",
        "construction_noise",
        "市住建局",
        "市生态环境局",
        True,
    ),
    (
        "T1-09",
        "general_economy",
        "enterprise_approval",
        "unlicensed_labor_agency",
        "市市场监督管理局",
        "市人社局",
        True,
    ),
    (
        "T1-10",
        "general_economy",
        "tax_management",
        "certificate_issuing",
        "市公安局",
        "市卫生健康局",
        True,
    ),
    (
        "T1-11",
        "science_education_culture_tourism",
        "press_publishing",
        "new_media",
        "市文体广电和旅游局",
        "市委宣传部(网信办)",
        True,
    ),
    ("T1-12", "medical_health", "public_health", "organ_donation", "市卫生健康局", "市红十字会", True),
]

KNOW, REPORT = ItemAction.KNOW, ItemAction.REPORT
APPENDIX_A = [
    ("A-01", "person_management", "permanent_resident", (KNOW,), "personal"),
    ("A-02", "person_management", "migrant_person", (KNOW, ItemAction.INFORM), "personal"),
    ("A-03", "person_management", "key_person", (KNOW, ItemAction.HELP, REPORT), "protected"),
    ("A-04", "person_management", "special_person", (KNOW, REPORT), "protected"),
    ("A-05", "case_event", "dispute", (REPORT, ItemAction.SETTLE), "protected"),
    ("A-06", "case_event", "stability_event", (ItemAction.MEASURES, REPORT), "protected"),
    ("A-07", "case_event", "safety_accident", (REPORT,), "internal"),
    ("A-08", "case_event", "crime_case", (KNOW, REPORT), "protected"),
    ("A-09", "hazard_point", "fire_hazard", (KNOW, REPORT), "internal"),
    ("A-10", "hazard_point", "safety_hazard", (KNOW, REPORT), "internal"),
    ("A-11", "hazard_point", "environment_pollution", (KNOW, REPORT), "internal"),
    ("A-12", "hazard_point", "food_drug_safety", (KNOW, REPORT), "internal"),
    ("A-13", "hazard_point", "public_order_hazard", (KNOW, REPORT), "protected"),
    ("A-14", "other", None, (ItemAction.VERIFY, REPORT), "protected"),
]


def test_heilongjiang_table_1_row_by_row() -> None:
    catalogue = read_items("heilongjiang")
    read = [
        (
            item.row,
            *(level.key for level in item.levels),
            item.lead_unit.words.zh if item.lead_unit else None,
            item.responsible_unit.words.zh if item.responsible_unit else None,
            item.time_limit is not None,
        )
        for item in catalogue.items.values()
    ]
    assert read == TABLE_1
    assert {item.time_limit for item in catalogue.items.values()} == {None, THREE_DAYS}
    # 8.2.2 names eight classes, three of them without a row; the ninth has rows and is not named
    assert {"public_service", "livelihood_security", "transport"} <= set(catalogue.classes)
    assert len({item.levels[0].key for item in catalogue.items.values()}) == 6


def test_taizhou_appendix_a_row_by_row() -> None:
    catalogue = read_items("taizhou")
    read = [
        (
            item.row,
            item.levels[0].key,
            item.levels[1].key if len(item.levels) > 1 else None,
            item.actions,
            item.protection.value,
        )
        for item in catalogue.items.values()
    ]
    assert read == APPENDIX_A
    assert all(item.time_limit is None and item.lead_unit is None for item in catalogue.items.values())
    assert catalogue["dispute"].inferred


@pytest.mark.parametrize("key", ["heilongjiang", "taizhou"])
def test_the_levels_are_those_of_the_profile(key: str) -> None:
    levels = read_profile(key).items.catalogue_levels.value
    assert max(len(item.levels) for item in read_items(key).items.values()) == levels


def test_construction_noise_is_the_item_of_s23() -> None:
    item = read_items("heilongjiang")["construction_noise"]
    assert item.lead_unit is not None
    assert item.responsible_unit is not None
    assert (item.lead_unit.words.zh, item.responsible_unit.words.zh) == ("市住建局", "市生态环境局")
    assert item.time_limit == THREE_DAYS
    assert item.title.zh == "建筑施工噪声"


def test_protection_decides_the_tier() -> None:
    assert Protection.INTERNAL.tier is Tier.INTERNAL
    assert Protection.PERSONAL.tier is Tier.PROTECTED
    assert Protection.PROTECTED.tier is Tier.PROTECTED


@pytest.mark.parametrize("key", ["gansu", "heihe", "zhenjiang"])
def test_documents_without_a_printed_list_have_an_empty_catalogue(key: str) -> None:
    catalogue = read_items(key)
    assert (catalogue.profile, dict(catalogue.items)) == (key, {})
    with pytest.raises(NotFound):
        catalogue["fire_acceptance"]


# ---- S24, the unlisted item -------------------------------------------------------------------------------------------


def test_s24_an_unlisted_item_is_kept_out_by_clause() -> None:
    heilongjiang = read_profile("heilongjiang")
    catalogue = read_items("heilongjiang")
    assert require_listed(catalogue, heilongjiang, "construction_noise") is catalogue["construction_noise"]
    with pytest.raises(Conflict, match=r"heilongjiang 8\.5\.1") as caught:
        require_listed(catalogue, heilongjiang, "weeding")
    assert caught.value.field == "item"


def test_s24_a_worker_may_refuse_what_is_not_listed() -> None:
    heihe, listed = read_profile("heihe"), local_list("heihe")
    assert may_refuse(listed, heihe, "weeding") == "heihe 16(2)"
    assert may_refuse(listed, heihe, "flood_watch") is None
    assert require_listed(listed, heihe, "weeding") is None  # the worker decides
    assert may_refuse(read_items("taizhou"), read_profile("taizhou"), "weeding") is None


def test_a_list_that_is_not_loaded_keeps_nothing_out() -> None:
    gansu = read_profile("gansu")
    assert require_listed(read_items("gansu"), gansu, "anything") is None
    with pytest.raises(Conflict, match="gansu 二"):
        require_listed(local_list("gansu"), gansu, "anything")


# ---- an operator's additions ------------------------------------------------------------------------------------------

LOCAL = """
profile = "{key}"
[classes]
safety = {{ zh = "安全", en = "safety" }}
flood_watch = {{ zh = "防汛巡查", en = "flood watch" }}
[units]
water = {{ zh = "水务局", en = "water bureau" }}
[[items]]
row = "L-01"
levels = ["safety", "flood_watch"]
description = {{ zh = "汛期巡查", en = "patrol in the flood season" }}
lead_unit = "water"
time_limit = {{ max = 24, unit = "hours" }}
basis = "县政府批准 2024-5"
"""


def local_list(key: str) -> ItemCatalogue:
    return extend_items(read_items(key), tomllib.loads(LOCAL.format(key=key)), "local.toml")


def test_an_operator_adds_rows() -> None:
    item = local_list("heihe")["flood_watch"]
    assert (item.basis, item.time_limit) == ("县政府批准 2024-5", Limit(Clock.HOURS, 24))
    extended = local_list("heilongjiang")
    assert len(extended.items) == 13
    assert len(read_items("heilongjiang").items) == 12


def test_a_group_rental_has_no_limit_until_the_operator_sets_one(tmp_path: Path) -> None:
    assert read_items("heilongjiang")["group_rental_management"].time_limit is None
    local = tmp_path / "local.toml"
    local.write_text(
        'profile = "heilongjiang"\n[limits.group_rental_management]\n'
        'min = 1\nmax = 5\nunit = "working_days"\nbasis = "领导小组 2024-2"\n',
        "utf-8",
    )
    item = read_items("heilongjiang", local)["group_rental_management"]
    assert item.time_limit == Limit(Clock.WORKING_DAYS, 5, None, 1)
    assert item.basis == "领导小组 2024-2"


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (
            '[limits.construction_noise]\nmax = 10\nunit = "working_days"\nbasis = "x"',
            "limits.construction_noise",
        ),
        ('[limits.weeding]\nmax = 10\nunit = "working_days"\nbasis = "x"', "limits.weeding"),
        ('[limits.group_rental_management]\nmax = 1\nunit = "working_days"', ".basis"),
        (
            '[limits.group_rental_management]\nmax = 1.5\nunit = "working_days"\nbasis = "x"',
            "rental_management",
        ),
        ('[limits.group_rental_management]\nmax = 1\nunit = "weeks"\nbasis = "x"', ".unit"),
        ('[[items]]\nrow = "L"\nlevels = ["public_safety"]\ndescription = {zh = "a", en = "b"}', ".basis"),
        (
            '[[items]]\nrow = "L"\nlevels = ["nowhere"]\ndescription = {zh = "a", en = "b"}\nbasis = "x"',
            ".levels",
        ),
        ('[[items]]\nrow = "L"\nlevels = []\ndescription = {zh = "a", en = "b"}\nbasis = "x"', ".levels"),
        (
            '[[items]]\nrow = "L"\nlevels = ["construction_noise"]\n'
            'description = {zh = "a", en = "b"}\nbasis = "x"',
            ".levels",
        ),
        ("[rows]", "rows"),
    ],
)
def test_a_wrong_addition_is_named_with_its_key(text: str, field: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        extend_items(
            read_items("heilongjiang"), tomllib.loads(f'profile = "heilongjiang"\n{text}'), "local.toml"
        )
    assert (caught.value.field or "").endswith(field)
    assert "local.toml" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ('profile = "here"', "clause"),
        ('profile = "here"\nclause = "here 1"\n[[items]]\nrow = "1"', "items[1].levels"),
        ('profile = "here"\nclause = "here 1"\nitems = [1]', "items[1]"),
        ('profile = "here"\nclause = "here 1"\nitem = []', "item"),
    ],
)
def test_a_wrong_item_file_is_named_with_its_key(text: str, field: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        parse_items(tomllib.loads(text), "here.toml")
    assert caught.value.field == field
