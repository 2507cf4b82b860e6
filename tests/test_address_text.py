"""Addresses as text: one spelling for many, taken apart the same way whatever they are written with."""

import random

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from gis_server.core.address_index import doors_of, index_addresses
from gis_server.core.address_text import (
    Number,
    Part,
    former_texts,
    grams,
    normal,
    parse,
    parse_normal,
    plain,
)
from gis_server.sample.names import numeral

WORDS = "云澜市笙岭镇锦泰路街道社区村屯小区东康盛第号楼幢栋座单元门室层组弄十百零〇一二三九两廿壹號棟樓"
MARKS = " -－—#＃（）()、，,./·\u3000\t\n"
LETTERS = WORDS + MARKS + "0123456789abzABZ０１９ａＺ①Ⅳ㈠ｱé한Ж\u0301\u2f8a"
addresses = st.text(st.sampled_from(LETTERS), max_size=30) | st.text(max_size=20)


@given(addresses)
@example("八一 12号")
@example("二十三十号")
@example("百五百")
def test_the_normal_form_is_its_own_normal_form(given_text: str) -> None:
    once = normal(given_text)
    assert normal(once) == once
    assert parse(given_text) == parse_normal(once)


@given(addresses)
def test_full_width_is_half_width(given_text: str) -> None:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in given_text)
    assert normal(wide) == normal(given_text)
    assert grams(wide) == grams(given_text)


@given(addresses)
def test_case_does_not_matter(given_text: str) -> None:
    shouted = "".join(c.upper() if c.isascii() else c for c in given_text)
    assert normal(shouted) == normal(given_text)


@given(st.integers(1, 999), st.sampled_from(["号", "幢", "号楼", "单元", "室", "组", "栋", "层"]))
def test_chinese_numerals_are_digits(number: int, unit: str) -> None:
    assert parse(f"锦泰路{numeral(number)}{unit}") == parse(f"锦泰路{number}{unit}")


@given(
    st.text(st.sampled_from("云澜笙岭锦泰东康盛"), min_size=1, max_size=8),
    st.sampled_from(MARKS.strip("-－—#＃\n")),
)
def test_punctuation_between_words_does_not_matter(word: str, mark: str) -> None:
    assert normal(mark.join(word)) == word


@pytest.mark.parametrize(
    ("written", "name", "numbers"),
    [
        ("云澜市笙岭镇锦泰路31号", "云澜市笙岭镇锦泰路", [(Part.HOUSE, "31")]),
        (
            "锦泰路（三十一）号 东康盛小区１０＃三单元",
            "锦泰路东康盛小区",
            [(Part.HOUSE, "31"), (Part.BUILDING, "10"), (Part.UNIT, "3")],
        ),
        ("东康盛小区10-3-1201", "东康盛小区", [(Part.BARE, "10"), (Part.BARE, "3"), (Part.BARE, "1201")]),
        (
            "东康盛小区10栋3门0301户",
            "东康盛小区",
            [(Part.BUILDING, "10"), (Part.UNIT, "3"), (Part.ROOM, "301")],
        ),
        ("锦泰路12-3号", "锦泰路", [(Part.HOUSE, "12-3")]),
        ("一号路十二号", "1号路", [(Part.HOUSE, "12")]),
        ("五一路 12号", "51路", [(Part.HOUSE, "12")]),
        ("第三中学", "第3中学", []),
        ("枫亮屯三组48号", "枫亮屯", [(Part.GROUP, "3"), (Part.HOUSE, "48")]),
        ("A座3楼", "", [(Part.BUILDING, "a"), (Part.FLOOR, "3")]),
        ("錦泰路31號東康盛小區", "錦泰路东康盛小区", [(Part.HOUSE, "31")]),
    ],
)
def test_an_address_is_taken_apart(written: str, name: str, numbers: list[tuple[Part, str]]) -> None:
    found = parse(written)
    assert (found.name, [(n.part, n.value) for n in found.numbers]) == (name, numbers)


def test_the_number_beside_a_road_is_told_from_others() -> None:
    assert parse("锦泰路31号东康盛小区10幢").numbers == (
        Number(Part.HOUSE, "31", on_road=True),
        Number(Part.BUILDING, "10"),
    )


@pytest.mark.parametrize(
    ("former", "wanted"),
    [
        ("红旗路", ["云澜市笙岭镇红旗路31号东康盛小区10幢"]),
        ("红旗路5号", ["云澜市笙岭镇红旗路5号"]),
        ("红旗路；胜利小区", ["云澜市笙岭镇红旗路31号东康盛小区10幢", "云澜市笙岭镇锦泰路31号胜利小区10幢"]),
        ("云澜市红旗公社8号", ["云澜市红旗公社8号"]),
        ("纺织厂家属楼", ["云澜市笙岭镇纺织厂家属楼31号10幢"]),
        ("云澜市笙岭镇锦泰路31号东康盛小区10幢", []),
        ("", []),
        (None, []),
    ],
)
def test_a_former_name_takes_the_place_of_what_it_named(former: str | None, wanted: list[str]) -> None:
    assert former_texts("云澜市笙岭镇锦泰路31号东康盛小区10幢", former) == wanted


# -- the index --


@given(st.lists(addresses, min_size=1, max_size=12))
def test_the_index_holds_every_address_under_its_name(texts: list[str]) -> None:
    texts = [one.replace("\x1e", "").replace("\x1f", "") for one in texts]
    codes = [f"A{number}" for number in range(len(texts))]
    zeros = np.zeros(len(texts))
    index = index_addresses(codes, texts, [None] * len(texts), zeros, zeros)
    held = {
        code: (name, parse(door).numbers)
        for name, listed in zip(index.names, index.doors, strict=True)
        for door, code in doors_of(listed)
    }
    for code, one in zip(codes, texts, strict=True):
        address = parse(one)
        if not address.name:
            assert code not in held
            continue
        assert held[code][0] == address.name
        values = [(n.part, n.value) for n in address.numbers]
        assert [(n.part, n.value) for n in held[code][1]] == values


def test_many_rows_of_one_form_are_gathered_at_once() -> None:
    texts = [f"云澜市笙岭镇锦泰路{n % 50 + 1}号瑞达二小区{n % 7 + 1}幢{n % 3 + 1}单元" for n in range(5_000)]
    zeros = np.zeros(len(texts))
    index = index_addresses([str(n) for n in range(5_000)], texts, [None] * 5_000, zeros, zeros)
    assert index.names == ["云澜市笙岭镇锦泰路瑞达2小区"]
    assert index.counts == [5_000]


# -- the same in SQL --

CORPUS = [
    "云澜市笙岭镇锦泰路31号",
    "ＡＢｃ－１２（三）号",
    "",
    " \n",
    "①Ⅳ㈠㎡",
    "𠀀𲎯䶿鿿々〇",
    "한Ж éÉ\u0301",
    "İıſK",
    "\u2f8a\uf900",
]


def sql_grams(connection: Connection, texts: list[str]) -> list[list[str]]:
    query = text(
        "SELECT address_grams(one) FROM unnest(CAST(:texts AS text[])) WITH ORDINALITY AS t (one, at) ORDER BY at"
    )
    return [list(found) for found in connection.scalars(query, {"texts": texts})]


def test_sql_and_python_make_the_same_grams(connection: Connection) -> None:
    rng = random.Random(1)
    made = ["".join(rng.choices(LETTERS, k=rng.randrange(24))) for _ in range(2_000)]
    anything = [
        "".join(map(chr, rng.choices([*range(1, 0xD800), *range(0xE000, 0x33000)], k=12)))
        for _ in range(2_000)
    ]
    texts = [*CORPUS, *made, *anything]
    assert sql_grams(connection, texts) == [grams(one) for one in texts]


def test_grams_are_single_characters_and_pairs() -> None:
    assert grams("锦泰路") == sorted(["锦", "泰", "路", "锦泰", "泰路"])
    assert plain("锦 泰-路（31）") == "锦泰路31"
