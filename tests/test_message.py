"""Sentences: parameters that are said in the reader's language, here and after a rest in the database."""

import pytest

from gis_server.core.message import Message, Words, msg
from gis_server.i18n import translator
from gis_server.store.messages import message_from, message_json

UNKNOWN = msg("没有名为 {name} 的图层；现有图层：{known}。", name="x", known=(Words("网格", "grids"), "road"))


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", "没有名为 x 的图层；现有图层：网格、road。"),
        ("en", "There is no layer named x; there are: grids, road."),
    ],
)
def test_lists_and_titles_follow_the_language_of_the_reader(language: str, said: str) -> None:
    assert UNKNOWN.render(translator(language)) == said


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_stored_message_says_the_same(language: str) -> None:
    nested = msg("第 {n} 行：{problem}。", n=3, problem=UNKNOWN)
    kept = message_from(message_json(nested))
    assert isinstance(kept, Message)
    assert kept.render(translator(language)) == nested.render(translator(language))
