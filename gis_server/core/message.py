"""Sentences for people, kept as a template and its parameters until the language of the reader is known.

The template is the zh-CN original and is the key of the message catalogue; the English sentence stands in
``translations/en``. ``core`` knows no language: it says *what* to tell, the doors say it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Words:
    """A title in the two languages of the interface."""

    zh: str
    en: str

    def said(self, language: str) -> str:
        """The title in ``en``, or else in the original."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Message:
    """A zh-CN template with ``{name}`` places and the values that go there.

    A value may be a Message or Words, said in the reader's language, or a tuple or list of values, said as a list.
    """

    template: str
    params: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def render(self, translate: Translate = str) -> str:
        """The sentence in the language of ``translate`` (by default the zh-CN original)."""
        values = {name: _said(value, translate) for name, value in self.params.items()}
        return translate(self.template).format_map(values)

    def __str__(self) -> str:
        return self.render()


def msg(template: str, **params: object) -> Message:
    """Make a Message; the name is the keyword by which templates are collected for translation."""
    return Message(template, MappingProxyType(params))


_LANGUAGE = msg("zh")
"""Each catalogue translates this into the name of its own language, by which Words are said."""

_COMMA = msg("、")


def _said(value: object, translate: Translate) -> object:
    if isinstance(value, Message):
        return value.render(translate)
    if isinstance(value, Words):
        return value.said(translate(_LANGUAGE.template))
    if isinstance(value, tuple | list):
        return translate(_COMMA.template).join(str(_said(item, translate)) for item in value)
    return value  # as it is, so that a template may format numbers
