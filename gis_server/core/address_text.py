"""Standard addresses as text: one spelling for what people write in many ways, and its parts.

``normal`` writes an address in one way: half-width, lower case, Chinese numerals as digits, no blanks or punctuation
(``云澜市 锦泰路（三十一）号`` → ``云澜市锦泰路31号``). ``parse`` takes it apart: the *name* (everything that names a place)
and the *numbers* (house, building, stairwell, room). ``grams`` are the characters and pairs of characters by which names
are found; the SQL function ``address_grams`` makes the same ones.

Only digits, Latin letters and Chinese characters count; other scripts are left out.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from gis_server.core.message import Message, msg

MOST_QUERY = 200
"""Characters of a question; the longest standard addresses have about 60."""

_LETTERS = r"0-9a-z々〇㐀-䶿一-鿿\U00020000-\U000323af"
_OTHER = re.compile(rf"[^{_LETTERS}]+")
_CAPITAL = re.compile("[A-Z]")
_SHARP = re.compile("([0-9a-z])#楼?")
_UPPER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")

# numerals as cheques have them, and the traditional forms of the words that addresses are made of
_VARIANTS = str.maketrans(
    {
        **dict(zip("壹贰貳叁參肆柒捌玖拾佰", "一二二三三四七八九十百", strict=True)),
        "廿": "二十",
        "卅": "三十",
        **dict(
            zip(
                "號棟樓單層區縣鎮鄉莊園東門戶內務鐵廠興華龍馬鳥魚長廣國橋灣嶺溝廟",
                "号栋楼单层区县镇乡庄园东门户内务铁厂兴华龙马鸟鱼长广国桥湾岭沟庙",
                strict=True,
            )
        ),
    }
)
_DIGIT = {
    numeral: str(value)
    for numerals in ("零一二三四五六七八九", "〇一二三四五六七八九")
    for value, numeral in enumerate(numerals)
}
_D = "[一二三四五六七八九]"
_NUMERAL = re.compile(
    rf"(?P<hundreds>{_D})百(?:[零〇](?P<ones>{_D})|(?P<tens>{_D})?十(?P<rest>{_D})?|(?P<short>{_D}))?"
    rf"|(?P<ten>{_D})?十(?P<one>{_D})?"
    r"|(?P<plain>[零〇一二三四五六七八九]+)"
)
_NUMERALS = "零〇一二三四五六七八九十"


class Part(StrEnum):
    """What a number of an address counts; ``BARE`` has no unit beside it."""

    HOUSE = "house"
    LANE = "lane"
    GROUP = "group"
    BUILDING = "building"
    UNIT = "unit"
    FLOOR = "floor"
    ROOM = "room"
    BARE = "bare"

    @property
    def words(self) -> Message:
        """What people call it."""
        return _PART_WORDS[self]


_PART_WORDS = {
    Part.HOUSE: msg("门牌号"),
    Part.LANE: msg("弄号"),
    Part.GROUP: msg("组号"),
    Part.BUILDING: msg("楼号"),
    Part.UNIT: msg("单元号"),
    Part.FLOOR: msg("楼层"),
    Part.ROOM: msg("室号"),
    Part.BARE: msg("号码"),
}

_UNITS = {
    "号楼": Part.BUILDING,
    "号院": Part.HOUSE,
    "号房": Part.ROOM,
    "号室": Part.ROOM,
    "号门": Part.UNIT,
    "号": Part.HOUSE,
    "单元": Part.UNIT,
    "幢": Part.BUILDING,
    "栋": Part.BUILDING,
    "座": Part.BUILDING,
    "楼": Part.FLOOR,
    "门": Part.UNIT,
    "层": Part.FLOOR,
    "室": Part.ROOM,
    "户": Part.ROOM,
    "房": Part.ROOM,
    "组": Part.GROUP,
    "队": Part.GROUP,
    "弄": Part.LANE,
}


def units_of(part: Part) -> str:
    """The words for a part, as a pattern."""
    return "|".join(unit for unit, named in _UNITS.items() if named is part)


_VALUE = r"[a-z]?[0-9]+[a-z]?"
_RUN = rf"{_VALUE}(?:-{_VALUE})*"
_UNIT = (
    r"(?:号[楼院房室门]|单元|[幢栋座楼层室户房组队弄]"
    r"|号(?![路街巷线桥道])|门(?![诊市口]))"  # "1号路" and "2门诊" are names
)
# a number without a unit stands behind the name of a road or a quarter, or ends the address
_NAMED = "路街巷道弄屯村庄区园苑里院城府号幢栋楼座元门层室组队"
_NUMBER = re.compile(rf"(?:{_RUN}|[a-z]){_UNIT}|(?<=[{_NAMED}]){_RUN}(?![0-9a-z])|(?<![0-9a-z]){_RUN}\Z")
_ZEROS = re.compile("^([a-z]?)0+(?=[0-9])")
_PIECES = re.compile(rf"({_RUN}|[a-z])(\D*)\Z")


@dataclass(frozen=True, slots=True)
class Number:
    """One number of an address: ``value`` without leading zeros, and whether it follows the name of a road."""

    part: Part
    value: str
    on_road: bool = False


@dataclass(frozen=True, slots=True)
class AddressText:
    """An address in parts: its whole text in one spelling, the name without the numbers, and the numbers in order."""

    text: str
    name: str
    numbers: tuple[Number, ...]


def plain(text: str) -> str:
    """Half-width, lower-case letters, digits and Chinese characters, and nothing else. The SQL side does the same."""
    return _OTHER.sub("", unicodedata.normalize("NFKC", text).translate(_UPPER))


def grams(text: str) -> list[str]:
    """The characters and pairs of neighbouring characters of ``plain(text)``, each once, by code point."""
    shown = plain(text)
    return sorted({*shown, *map(str.__add__, shown, shown[1:])})


def normal(text: str) -> str:
    """The one spelling of an address; a spelling of its own is its own normal form."""
    return _separated(_spelt(unicodedata.normalize("NFKC", text)))


def _spelt(text: str) -> str:
    """Lower case, and 10# as 10号楼."""
    if _CAPITAL.search(text):
        text = text.translate(_UPPER)
    return _SHARP.sub(r"\1号楼", text) if "#" in text else text


def _separated(text: str) -> str:
    """Without blanks and punctuation; a hyphen stays where two numbers would run into one."""
    if _OTHER.search(text):
        text = _OTHER.sub(_hyphen, text)
    if _VARIANT.search(text):
        text = text.translate(_VARIANTS)
    return _NUMERAL.sub(_arabic, text)


_VARIANT = re.compile(f"[{''.join(map(chr, _VARIANTS))}]")


def _hyphen(found: re.Match[str]) -> str:
    return "-" if _numeric(found, -1) and _numeric(found, 1) else ""


def _numeric(found: re.Match[str], side: int) -> bool:
    """Whether a digit or numeral stands beside what was found."""
    at = found.start() - 1 if side < 0 else found.end()
    if not 0 <= at < len(found.string):
        return False
    beside = found.string[at].translate(_VARIANTS)
    return beside[-1 if side < 0 else 0] in _NUMERALS or beside.isdigit()


def _arabic(found: re.Match[str]) -> str:
    groups = found.groupdict()
    if groups["plain"] is not None:
        value = "".join(_DIGIT[numeral] for numeral in groups["plain"])
    elif groups["hundreds"] is not None:
        tens = groups["tens"] or groups["short"] or ("一" if "十" in found[0] else "零")
        ones = groups["ones"] or groups["rest"] or "零"
        value = _DIGIT[groups["hundreds"]] + _DIGIT[tens] + _DIGIT[ones]
    else:
        value = _DIGIT[groups["ten"] or "一"] + _DIGIT[groups["one"] or "零"]
    before = "-" if _numeric(found, -1) else ""
    at = found.end()
    after = "-" if at < len(found.string) and found.string[at] in "0123456789" else ""
    return before + value + after


def parse(text: str) -> AddressText:
    """The parts of an address in any spelling."""
    return parse_normal(normal(text))


def parse_normal(text: str) -> AddressText:
    """The parts of an address in its normal form."""
    numbers: list[Number] = []
    for found in _NUMBER.finditer(text):
        on_road = found.start() > 0 and text[found.start() - 1] in "路街巷道"
        numbers += _numbers(found[0], on_road=on_road)
    return AddressText(text, name_of(text), tuple(numbers))


def name_of(text: str) -> str:
    """The name of an address in its normal form."""
    return _NUMBER.sub("", text).replace("-", "")


def _numbers(found: str, *, on_road: bool) -> list[Number]:
    pieces = _PIECES.match(found)
    assert pieces is not None  # noqa: S101  (made by the pattern of numbers)
    run, unit = pieces.groups()
    part = _UNITS[unit] if unit else Part.BARE
    values = [_without_zeros(value) for value in run.split("-")]
    if part is Part.HOUSE:  # "12-3号" is one door
        return [Number(part, "-".join(values), on_road)]
    return [*(Number(Part.BARE, value, on_road) for value in values[:-1]), Number(part, values[-1], on_road)]


def _without_zeros(value: str) -> str:
    return _ZEROS.sub(r"\1", value)


# --- former names ---

_BETWEEN_NAMES = re.compile(r"[;；、,，|/\n]+")
_SEGMENT = re.compile(
    r".+?(?:自治[区州县旗]|街道|社区|小区|大街|大道|胡同|公寓|花园|广场|[省市县区镇乡村屯庄路街巷弄苑园院城])"
)
_ROADS = frozenset({"大街", "大道", "胡同", "路", "街", "巷", "弄"})
_QUARTERS = frozenset({"小区", "公寓", "花园", "广场", "苑", "园", "院", "城"})
_VILLAGES = frozenset({"村", "屯", "庄"})
_AREAS = ("省", "市", "县", "区", "镇", "乡", "街道")
_KINDS = (_ROADS, _QUARTERS, _VILLAGES, frozenset({"镇", "乡", "街道"}), frozenset({"社区"}))


def segments(name: str) -> list[str]:
    """A name cut behind the words that end the name of an area, a road or a quarter."""
    cut = _SEGMENT.findall(name)
    rest = name[sum(map(len, cut)) :]
    return [*cut, rest] if rest else cut


def former_texts(standard: str, former: str | None) -> list[str]:
    """The addresses, in normal form, by which ``standard`` (in normal form) was known before.

    ``former`` holds whole addresses or single names, parted by punctuation; a single name takes the place of what it
    was the name of, as far as its last word tells: 红旗路 that of 锦泰路.
    """
    if not former:
        return []
    found = []
    for given in _BETWEEN_NAMES.split(former):
        old = normal(given)
        if len(old) < 2 or old == standard:
            continue
        found.append(old if old[:2] == standard[:2] else _in_place(standard, old))
    return list(dict.fromkeys(found))


def _in_place(standard: str, old: str) -> str:
    numbered = _NUMBER.search(old)
    parts = segments(name_of(standard))
    kind = _kind_of((segments(name_of(old)) or [""])[-1])
    same = [part for part in parts if kind is not None and _kind_of(part) is kind]
    if len(same) == 1:
        if numbered is None:
            return standard.replace(same[0], old, 1)
        return standard[: standard.index(same[0])] + old if same[0] in standard else old
    areas = "".join(part for part in parts if part.endswith(_AREAS) and _kind_of(part) is not _QUARTERS)
    numbers = "" if numbered else "".join(found[0] for found in _NUMBER.finditer(standard))
    return areas + old + numbers


def _kind_of(part: str) -> frozenset[str] | None:
    return next((kind for kind in _KINDS if part.endswith(tuple(kind))), None)
