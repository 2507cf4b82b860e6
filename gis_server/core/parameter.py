"""One parameter of a jurisdiction profile: its value, where the value comes from, and how it is read from TOML."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any, Generic, TypeVar

from gis_server.core.errors import CatalogueError
from gis_server.core.message import Words, msg
from gis_server.core.toml_table import Table
from gis_server.core.vocabulary import Body, Duration, Term

T = TypeVar("T")
G = TypeVar("G")


class Force(Term):
    """How binding a clause is; a broken must is an error, a broken should a warning, may is an option."""

    MUST = "must", "应当", "must"
    SHOULD = "should", "宜/原则上", "should"
    MAY = "may", "可以", "may"
    STATEMENT = "statement", "陈述", "statement"


class Origin(Term):
    """Who says so."""

    DOCUMENT = "document", "文件规定", "from the document"
    DEFAULT = "default", "文件未规定(默认)", "not from the document (default)"
    OPERATOR = "operator", "文件未规定(本地设定)", "not from the document (set locally)"


@dataclass(frozen=True, slots=True)
class Parameter(Generic[T]):
    """A value of a profile with its ground.

    ``clause`` is the place in the document (``zhenjiang 10(1)``), None where it is silent; ``inferred`` marks a reading
    that the words do not give. ``otherwise`` is the value in the other case, which ``note`` names. ``stated`` is False where
    the document speaks without giving a value ("in time"): then the value is the default, though a clause stands.
    ``basis`` is the operator's own ground for filling a silence.
    """

    name: str
    title: Words
    value: T
    origin: Origin
    clause: str | None = None
    force: Force | None = None
    inferred: bool = False
    unit: Words | None = None
    otherwise: T | None = None
    note: Words | None = None
    stated: bool = True
    basis: str | None = None

    @property
    def fixed(self) -> bool:
        """Whether the document itself decides the value, so that nobody else may."""
        return self.origin is Origin.DOCUMENT and self.stated


@dataclass(frozen=True, slots=True)
class Definition:
    """How a parameter is called, read and, where the document is silent, set."""

    title: Words
    read: Callable[[Table, str], Any]
    default: Any
    unit: Words | None


def _defined(
    zh: str, en: str, read: Callable[[Table, str], Any], default: Any, unit: Words | None = None
) -> Any:
    return field(metadata={"definition": Definition(Words(zh, en), read, default, unit)})


def whole(zh: str, en: str, unit: Words, default: int | None = None) -> Any:
    """A whole number that is not negative."""
    return _defined(zh, en, lambda table, key: _not_negative(table, key, table.integer(key)), default, unit)


def number(zh: str, en: str, unit: Words, default: float | None = None) -> Any:
    """A number that is not negative."""
    return _defined(zh, en, lambda table, key: _not_negative(table, key, table.number(key)), default, unit)


def flag(zh: str, en: str, default: bool) -> Any:
    """True or false."""
    return _defined(zh, en, Table.flag, default)


def text(zh: str, en: str, default: str | None = None) -> Any:
    """A short text that is the same in every language."""
    return _defined(zh, en, Table.text, default)


def phrase(zh: str, en: str, default: Words | None = None) -> Any:
    """A short text in both languages."""
    return _defined(zh, en, Table.words, default)


def day(zh: str, en: str) -> Any:
    """A date."""
    return _defined(zh, en, Table.day, None)


def duration(zh: str, en: str) -> Any:
    """Calendar years, months and days."""
    return _defined(zh, en, lambda table, key: _parsed(table, key, Duration.parse, table.text(key)), None)


def one(kind: type[Term], zh: str, en: str, default: Term | None = None) -> Any:
    """One of the terms of ``kind``."""
    return _defined(zh, en, lambda table, key: table.choice(key, kind), default)


def some(kind: type[Term], zh: str, en: str, default: Iterable[Term] = ()) -> Any:
    """A set of terms of ``kind``."""
    return _defined(zh, en, lambda table, key: frozenset(table.choices(key, kind)), frozenset(default))


def ordered(kind: type[Term], zh: str, en: str, default: Iterable[Term] = ()) -> Any:
    """A list of terms of ``kind``, in the document's order."""
    return _defined(zh, en, lambda table, key: table.choices(key, kind), tuple(default))


def body(zh: str, en: str, default: str | None = None) -> Any:
    """An organisation at a level."""
    return _defined(
        zh,
        en,
        lambda table, key: _parsed(table, key, Body.parse, table.text(key)),
        None if default is None else Body.parse(default),
    )


def bodies(zh: str, en: str, *default: str) -> Any:
    """Several organisations."""
    return _defined(
        zh,
        en,
        lambda table, key: tuple(_parsed(table, key, Body.parse, part) for part in table.texts(key)),
        tuple(Body.parse(part) for part in default),
    )


def phrases(zh: str, en: str) -> Any:
    """A list of names in both languages."""

    def read(table: Table, key: str) -> tuple[Words, ...]:
        listed = []
        for row in table.tables(key):
            listed.append(Words(row.text("zh"), row.text("en")))
            row.done()
        return tuple(listed)

    return _defined(zh, en, read, ())


def _not_negative(table: Table, key: str, value: Any) -> Any:
    if not 0 <= value < float("inf"):
        raise table.wrong(key, msg("应为不小于 0 的数，现为 {value}。", value=value))
    return value


def _parsed(table: Table, key: str, parse: Callable[[str], T], value: str) -> T:
    try:
        return parse(value)
    except ValueError:
        raise table.wrong(key, msg("“{value}”写法不对，请检查拼写。", value=value)) from None


def definitions(group: type[Any]) -> Mapping[str, Definition]:
    """The parameters of a group by identifier, in the order of the requirements."""
    return {f.name: f.metadata["definition"] for f in fields(group)}


def parameters(group: Any) -> tuple[Parameter[Any], ...]:
    """The parameters of a parsed group, in order."""
    return tuple(getattr(group, f.name) for f in fields(group))


def read_group(group: type[G], table: Table, profile_key: str) -> G:
    """Read one group of a profile file; what the file leaves out is silent and takes its default."""
    values = {
        name: _read_parameter(name, definition, table.table(name), profile_key)
        for name, definition in definitions(group).items()
    }
    table.done()
    return group(**values)


def _read_parameter(
    name: str, definition: Definition, cell: Table | None, profile_key: str
) -> Parameter[Any]:
    if cell is None:
        return Parameter(name, definition.title, definition.default, Origin.DEFAULT, unit=definition.unit)
    clause = cell.optional_text("clause")
    inferred = cell.flag("inferred", False)
    note = cell.optional_words("note")
    if clause is None and not inferred:
        raise cell.wrong("clause", msg("缺少条款；推断得来的值请写 inferred = true。"))
    if clause is not None and not clause.startswith(f"{profile_key} "):
        raise cell.wrong("clause", msg("条款应以“{key} ”开头。", key=profile_key))
    force = cell.choice("force", Force) if clause is not None else None
    stated = "value" in cell
    if not stated and note is None:
        raise cell.wrong("value", msg("缺少此项；文件提及而未给出数值时，请在 note 中说明。"))
    value = definition.read(cell, "value") if stated else definition.default
    otherwise = definition.read(cell, "otherwise") if "otherwise" in cell else None
    if otherwise is not None and note is None:
        raise cell.wrong("note", msg("缺少此项：有 otherwise 时请说明另一种情形。"))
    cell.done()
    return Parameter(
        name=name,
        title=definition.title,
        value=value,
        origin=Origin.DEFAULT if clause is None else Origin.DOCUMENT,
        clause=clause,
        force=force,
        inferred=inferred,
        unit=definition.unit,
        otherwise=otherwise,
        note=note,
        stated=stated,
    )


def fill_group(group: G, table: Table) -> G:
    """Fill the silences of ``group`` from an operator's file; CatalogueError where the document has decided."""
    known = definitions(type(group))
    values = {name: getattr(group, name) for name in known}
    for name in list(table.rest):
        if name not in known:
            continue  # done() names it
        cell = table.required_table(name)
        values[name] = _fill(values[name], known[name], cell, table)
        cell.done()
    table.done()
    return type(group)(**values)


def _fill(parameter: Parameter[Any], definition: Definition, cell: Table, table: Table) -> Parameter[Any]:
    if parameter.fixed:
        raise CatalogueError(
            msg(
                "{file}：{key}：{clause} 已规定此项（{value}），本地设定只能填补文件未规定的内容，请删去。",
                file=cell.file,
                key=cell.where,
                clause=parameter.clause,
                value=_written(parameter.value),
            ),
            field=table.path(parameter.name),
        )
    return Parameter(
        name=parameter.name,
        title=parameter.title,
        value=definition.read(cell, "value"),
        origin=Origin.OPERATOR,
        clause=parameter.clause,
        unit=parameter.unit,
        note=parameter.note,
        basis=cell.text("basis"),
    )


def plain(value: object) -> object:
    """The value as JSON has it: identifiers, numbers, lists (sets in a fixed order), dates in ISO 8601."""
    if isinstance(value, Words):
        return {"zh": value.zh, "en": value.en}
    if isinstance(value, frozenset):
        value = tuple(_in_order(value))
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Term):
        return value.value
    return str(value) if isinstance(value, date | Body | Duration) else value


def _written(value: object) -> str:
    """The value as the files write it, for messages in any language."""
    simple = plain(value)
    if isinstance(simple, list):
        return ", ".join(str(item) for item in simple)
    return f"{simple:g}" if isinstance(simple, float) else str(simple)


def in_words(value: object) -> Words:
    """The value as a person reads it in both languages; an absent value is a dash."""
    if value is None or value in ((), frozenset()):
        return Words("—", "—")
    if isinstance(value, bool):
        return Words("是", "yes") if value else Words("否", "no")
    if isinstance(value, Words):
        return value
    if isinstance(value, frozenset):
        value = tuple(_in_order(value))
    if isinstance(value, tuple):
        parts = [in_words(item) for item in value]
        return Words("、".join(part.zh for part in parts), ", ".join(part.en for part in parts))
    if isinstance(value, Term | Body | Duration):
        return value.words
    written = f"{value:g}" if isinstance(value, float) else str(value)
    return Words(written, written)


def _in_order(terms: frozenset[Term]) -> list[Term]:
    """The terms in the order of their enumeration."""
    kind = type(next(iter(terms), Force.MUST))
    return [term for term in kind if term in terms]
