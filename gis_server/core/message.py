"""Sentences for people, kept as a template and its parameters until the language of the reader is known.

The template is the zh-CN original and is the key of the message catalogue; the English sentence stands in
``translations/en``. ``core`` knows no language: it says *what* to tell, the doors say it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Translate = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Message:
    """A zh-CN template with ``{name}`` places and the values that go there (a value may be a Message)."""

    template: str
    params: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))

    def render(self, translate: Translate = str) -> str:
        """The sentence in the language of ``translate`` (by default the zh-CN original)."""
        values = {
            name: value.render(translate) if isinstance(value, Message) else value
            for name, value in self.params.items()
        }
        return translate(self.template).format_map(values)

    def __str__(self) -> str:
        return self.render()


def msg(template: str, **params: object) -> Message:
    """Make a Message; the name is the keyword by which templates are collected for translation."""
    return Message(template, MappingProxyType(params))
