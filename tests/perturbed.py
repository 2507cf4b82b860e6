"""Addresses as people write them instead of the standard one: twelve kinds of perturbation, drawn by chance."""

import random
import re
from collections.abc import Callable

from gis_server.sample.names import COUNTY, numeral

_COMMON = "安北东大丰福光海和红华建江金康兰民明南宁平青庆山胜石水泰西新阳永友源中"


def _without_county(_: random.Random, text: str) -> str:
    return text.removeprefix(COUNTY)


def _without_areas(_: random.Random, text: str) -> str:
    return re.sub(r"^.*?(镇|街道|乡)", "", text)


def _short_areas(_: random.Random, text: str) -> str:
    text = text.replace(COUNTY, COUNTY[:-1], 1)
    return re.sub(r"^(.*?)(镇|街道|乡)", r"\1", text, count=1).replace("村", "", 1).replace("小区", "", 1)


def _with_province(_: random.Random, text: str) -> str:
    return "黑龙江省某某市" + text


def _full_width(_: random.Random, text: str) -> str:
    return re.sub("[0-9]", lambda found: chr(ord(found[0]) + 0xFEE0), text)


def _chinese_numerals(_: random.Random, text: str) -> str:
    return re.sub("[0-9]+", lambda found: _spelt(found[0]), text)


def _spelt(digits: str) -> str:
    """十二, and 一二〇一 as rooms are read."""
    return (
        numeral(int(digits))
        if len(digits) < 4
        else "".join("〇一二三四五六七八九"[int(one)] for one in digits)
    )


def _other_units(random_: random.Random, text: str) -> str:
    text = text.replace("幢", random_.choice(["栋", "号楼", "座", "#楼"]))
    return text.replace("单元", random_.choice(["门", "单元"])).replace(
        "室", random_.choice(["户", "室", "房"])
    )


def _without_units(_: random.Random, text: str) -> str:
    return re.sub("(?<=[0-9])(号|幢|单元|室)(?=[0-9]|$)", "-", re.sub("(?<=[0-9])号$", "", text)).rstrip("-")


def _punctuation(random_: random.Random, text: str) -> str:
    return re.sub(
        "(镇|街道|号|小区|村|屯)", lambda found: found[0] + random_.choice([" ", "，", "　", "-", "/"]), text
    )


def _typing_error(random_: random.Random, text: str) -> str:
    places = [
        at for at in range(len(COUNTY), len(text)) if text[at] not in "镇街道路巷村屯号幢单元室小区0123456789"
    ]
    at = random_.choice(places)
    return text[:at] + random_.choice([c for c in _COMMON if c != text[at]]) + text[at + 1 :]


def _left_out(random_: random.Random, text: str) -> str:
    places = [at for at in range(len(COUNTY), len(text)) if text[at] not in "0123456789号幢单元室"]
    at = random_.choice(places)
    return text[:at] + text[at + 1 :]


def _swapped(random_: random.Random, text: str) -> str:
    places = [
        at
        for at in range(len(COUNTY), len(text) - 1)
        if not re.search("[0-9号幢单元室]", text[at : at + 2]) and text[at] != text[at + 1]
    ]
    at = random_.choice(places)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


PERTURBATIONS: dict[str, Callable[[random.Random, str], str]] = {
    "no county": _without_county,
    "no areas at all": _without_areas,
    "short forms of areas": _short_areas,
    "province and prefecture before it": _with_province,
    "full-width digits": _full_width,
    "Chinese numerals": _chinese_numerals,
    "other words for building, stairwell and room": _other_units,
    "numbers without units": _without_units,
    "blanks and punctuation": _punctuation,
    "one wrong character": _typing_error,
    "one character left out": _left_out,
    "two characters swapped": _swapped,
}
