"""A strict reader of TOML tables: what is missing, misspelt or of the wrong type is named by file and key.

Layers, jurisdiction profiles and item catalogues are all read through it.
"""

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

from gis_server.core.access import Tier
from gis_server.core.errors import CatalogueError
from gis_server.core.message import Message, Words, msg

_REQUIRED = object()
_E = TypeVar("_E", bound=StrEnum)


class Table:
    """A TOML table that must be emptied key by key: what is left over is unknown, and named by ``done``.

    ``file`` and ``where`` (the path of keys to this table) go into the messages of CatalogueError.
    """

    def __init__(self, content: object, file: str, where: str = "") -> None:
        if not isinstance(content, dict):
            raise CatalogueError(msg("{file}：{key} 应为一个表。", file=file, key=where), field=where)
        self.rest = dict(content)
        self.file = file
        self.where = where

    def __contains__(self, key: str) -> bool:
        return key in self.rest

    def path(self, key: str) -> str:
        """The key with the keys of the tables it lies in."""
        return f"{self.where}.{key}" if self.where else key

    def wrong(self, key: str, message: Message) -> CatalogueError:
        """The error to raise about ``key``."""
        return CatalogueError(
            msg("{file}：{key}：{problem}", file=self.file, key=self.path(key), problem=message),
            field=self.path(key),
        )

    def take(self, key: str, kind: type | tuple[type, ...], default: object = _REQUIRED) -> object:
        """Remove and return the value of ``key``, which must be of ``kind``."""
        if key not in self.rest:
            if default is _REQUIRED:
                raise self.wrong(key, msg("缺少此项。"))
            return default
        value = self.rest.pop(key)
        # bool is an int in Python and a datetime a date, but not in a file that people write
        masked = (isinstance(value, bool) and kind is not bool) or isinstance(value, datetime)
        if masked or not isinstance(value, kind):
            expected = kind.__name__ if isinstance(kind, type) else " / ".join(k.__name__ for k in kind)
            raise self.wrong(
                key, msg("应为 {expected}，现为 {value}。", expected=expected, value=repr(value))
            )
        return value

    def text(self, key: str, default: object = _REQUIRED) -> str:
        """A text."""
        return self.take(key, str, default)  # type: ignore[return-value]

    def optional_text(self, key: str) -> str | None:
        """A text, or None where the key is absent."""
        return self.take(key, str, None)  # type: ignore[return-value]

    def number(self, key: str, default: object = _REQUIRED) -> float:
        """A number, with or without a decimal point."""
        return float(self.take(key, (int, float), default))  # type: ignore[arg-type]

    def integer(self, key: str, default: object = _REQUIRED) -> int:
        """A whole number."""
        return self.take(key, int, default)  # type: ignore[return-value]

    def flag(self, key: str, default: object = _REQUIRED) -> bool:
        """True or false."""
        return self.take(key, bool, default)  # type: ignore[return-value]

    def day(self, key: str) -> date:
        """A date without a time."""
        return self.take(key, date)  # type: ignore[return-value]

    def words(self, key: str) -> Words:
        """A title in both languages: ``{ zh = "…", en = "…" }``."""
        table = Table(self.take(key, dict), self.file, self.path(key))
        words = Words(table.text("zh"), table.text("en"))
        table.done()
        return words

    def optional_words(self, key: str) -> Words | None:
        """A title in both languages, or None where the key is absent."""
        return self.words(key) if key in self.rest else None

    def texts(self, key: str, default: object = ()) -> tuple[str, ...]:
        """A list of texts; by default an absent key is the empty list."""
        values = self.take(key, list, default)
        if not all(isinstance(v, str) for v in values):  # type: ignore[attr-defined]
            raise self.wrong(key, msg("应为文字的列表。"))
        return tuple(values)  # type: ignore[arg-type]

    def choice(self, key: str, kind: type[_E], default: object = _REQUIRED) -> _E:
        """One of the values of ``kind``."""
        return self._chosen(key, kind, self.text(key, default))

    def choices(self, key: str, kind: type[_E]) -> tuple[_E, ...]:
        """A list of values of ``kind``, in the order of the file."""
        return tuple(self._chosen(key, kind, value) for value in self.texts(key, _REQUIRED))

    def _chosen(self, key: str, kind: type[_E], value: str) -> _E:
        try:
            return kind(value)
        except ValueError:
            known = tuple(kind)
            raise self.wrong(
                key, msg("“{value}”不是可用的值；可用：{known}。", value=value, known=known)
            ) from None

    def tier(self, key: str, default: object = _REQUIRED) -> Tier:
        """An access tier."""
        value = self.text(key, default)
        try:
            return Tier[value.upper()]
        except KeyError:
            known = tuple(t.key for t in Tier)
            raise self.wrong(
                key, msg("“{value}”不是可用的值；可用：{known}。", value=value, known=known)
            ) from None

    def table(self, key: str) -> "Table | None":
        """The table below ``key``, or None where it is absent."""
        return self.required_table(key) if key in self.rest else None

    def required_table(self, key: str) -> "Table":
        """The table below ``key``."""
        return Table(self.take(key, dict), self.file, self.path(key))

    def tables(self, key: str) -> Iterator["Table"]:
        """The tables of an array of tables (``[[key]]``), none where it is absent."""
        rows = self.take(key, list, [])
        for number, row in enumerate(rows, start=1):  # type: ignore[arg-type, var-annotated]
            yield Table(row, self.file, f"{self.path(key)}[{number}]")

    def done(self) -> None:
        """Raise for the first key that nobody asked for."""
        for key in self.rest:
            raise self.wrong(key, msg("没有这一项设置，请检查拼写。"))
