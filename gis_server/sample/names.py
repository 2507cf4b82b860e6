"""Fictional names of places: composed characters, so that no list of real places is copied.

A name may by chance be borne by some real place; nothing else of that place is here.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

COUNTY = "云澜市"
COUNTY_CODE = "239901"
"""Six digits of the right form; 2399 is no prefecture of the register."""

_WATERS = ("霁", "澄", "岚", "栖", "芷", "沐", "砚", "琅", "苔", "棠", "漱", "朔", "皓", "颐", "笙", "鹭")
_PLACES = ("川", "浦", "野", "陵", "台", "渡", "原", "湾", "桥", "岭", "泽", "洲", "林", "坪", "溪", "阳")
_WISHES = ("锦", "瑞", "和", "康", "宁", "丰", "祥", "兴", "安", "福", "乐", "明", "春", "晴", "云", "星")
_HOMES = ("苑", "园", "庭", "泰", "华", "盛", "平", "熙", "澜", "源", "裕", "达", "辉", "雅", "居", "景")
_TREES = ("柳", "榆", "桦", "杨", "松", "梨", "杏", "枫", "椴", "槐", "芦", "稻", "麦", "雁", "鹤", "鹿")
_FIELDS = ("塘", "甸", "泡", "岗", "沟", "坡", "滩", "湖", "窝", "台", "背", "洼", "坨", "林", "亮", "峪")
_SIDES = ("", "新", "东", "西", "南", "北", "上", "下", "前", "后", "大", "小")

_DIGITS = "零一二三四五六七八九"


def numeral(number: int) -> str:
    """1 … 999 as Chinese numerals are read in names: 十二, 二十, 一百零五."""
    if number >= 100:
        rest = number % 100
        head = _DIGITS[number // 100] + "百"
        if rest == 0:
            return head
        return head + (
            "零" + _DIGITS[rest] if rest < 10 else (_DIGITS[1] if rest < 20 else "") + numeral(rest)
        )
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _DIGITS[ones]
    return ("" if tens == 1 else _DIGITS[tens]) + "十" + (_DIGITS[ones] if ones else "")


def _composed(random: np.random.Generator, first: Sequence[str], second: Sequence[str]) -> Iterator[str]:
    """Two-character names without repetition; when they run out, the same with a side put before."""
    pairs = [a + b for a, b in product(first, second)]
    for side in _SIDES:
        for k in random.permutation(len(pairs)):
            yield side + pairs[k]
    number = 1
    while True:
        for k in random.permutation(len(pairs)):
            yield f"{pairs[k]}{numeral(number)}"
        number += 1


def town_names(random: np.random.Generator) -> Iterator[str]:
    """Names of townships, without 镇 or 街道."""
    return _composed(random, _WATERS, _PLACES)


def community_names(random: np.random.Generator) -> Iterator[str]:
    """Names of urban communities and residential quarters, without 社区."""
    return _composed(random, _WISHES, _HOMES)


def village_names(random: np.random.Generator) -> Iterator[str]:
    """Names of villages and hamlets, without 村 or 屯."""
    return _composed(random, _TREES, _FIELDS)


def street_names(random: np.random.Generator) -> Iterator[str]:
    """Names of streets, without 路, 街 or 巷."""
    return _composed(random, _WATERS + _WISHES[:8], _PLACES[:8] + _HOMES[:8])


HOSTS = (
    ("第{n}小学", "市教育局"),
    ("第{n}中学", "市教育局"),
    ("第{n}医院", "市卫生健康局"),
    ("{name}购物广场", "市商务局"),
    ("{name}公园", "市城市管理局"),
    ("{name}食品加工厂", "市工业和信息化局"),
)
"""Hosts of exclusive grids (school, hospital, mall, park, enterprise) and the departments that manage them."""
