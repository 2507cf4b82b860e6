"""Every sentence that Python, templates and browser can say has its English, with the same places in it."""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from gis_server.core.message import msg
from gis_server.i18n import FOLDER, browser_catalogue, language_of, translator

ROOT = Path(__file__).parent.parent
KEYWORDS = {**DEFAULT_KEYWORDS, "msg": None, "N_": None}
PLACE = re.compile(r"\{(\w+)[^}]*\}|%\((\w+)\)")
HAN = re.compile(r"[\u4e00-\u9fff]")


@cache
def said() -> dict[str, str]:
    """Every template in the code, with the file that says it first."""
    with (FOLDER / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found: dict[str, str] = {}
    for part in ("gis_server", "web"):
        for name, _line, message, _comments, _context in extract_from_dir(
            str(ROOT / part),
            method_map=[(pattern.removeprefix(f"{part}/"), method) for pattern, method in methods],
            options_map={pattern.removeprefix(f"{part}/"): value for pattern, value in options.items()},
            keywords=KEYWORDS,
            directory_filter=lambda path: Path(path).name not in {"vendor", "translations", "__pycache__"},
        ):
            template = message if isinstance(message, str) else message[0]
            if template:
                found.setdefault(template, f"{part}/{name}")
    return found


@cache
def english() -> dict[str, str]:
    with (FOLDER / "en" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file) if message.id}


def test_every_sentence_has_its_english() -> None:
    missing = [f"{where}: {template}" for template, where in said().items() if not english().get(template)]
    assert not missing, "\n".join(missing)


def test_english_keeps_the_places_of_the_original() -> None:
    def places(text: str) -> set[str]:
        return {a or b for a, b in PLACE.findall(text)}

    wrong = [t for t, e in english().items() if e and places(t) != places(e)]
    assert not wrong


def test_english_is_not_chinese() -> None:
    # words of the catalogue that stand for themselves (a language's own name) may stay
    assert not [e for e in english().values() if HAN.search(e) and e not in {"中文"}]


def test_catalogue_holds_nothing_that_is_no_longer_said() -> None:
    assert not set(english()) - set(said())


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ("en_GB.UTF-8", "en"),
        ("en-US", "en"),
        ("zh_CN.UTF-8", "zh"),
        ("zh-Hans", "zh"),
        ("C", "zh"),
        (None, "zh"),
    ],
)
def test_language_of_a_locale(locale: str | None, language: str) -> None:
    assert language_of(locale) == language


def test_a_message_is_said_in_the_readers_language() -> None:
    message = msg("没有备份文件 {path}。", path="a")
    assert message.render(translator("zh")) == "没有备份文件 a。"
    assert message.render(translator("en")) == "There is no backup file a."


def test_the_browser_gets_the_same_catalogue() -> None:
    assert browser_catalogue("en")["请先登录。"] == "Sign in first."
    assert browser_catalogue("zh") == {}
