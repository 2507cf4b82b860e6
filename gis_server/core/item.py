"""The item catalogue (事项清单): the kinds of matter that may become incidents, with units, limits and protection.

An incident is an occurrence of an item. Catalogues come as data; they are excerpts in the documents, so an operator may add
rows and limits, but not change a limit that the document gives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import SequenceMatcher
from types import MappingProxyType

from gis_server.core.access import Tier
from gis_server.core.admission import Admission, ItemState
from gis_server.core.deadline import Clock, Limit
from gis_server.core.errors import CatalogueError, Conflict, NotFound, UnusableInput
from gis_server.core.message import Words, msg
from gis_server.core.profile import Profile
from gis_server.core.toml_table import Table
from gis_server.core.vocabulary import Term


class Protection(Term):
    """How closely an item's incidents are kept (requirements 8.3, 8.4)."""

    INTERNAL = "internal", "内部", "internal"
    PERSONAL = "personal", "涉及个人信息", "personal data"
    PROTECTED = "protected", "受保护", "protected"

    @property
    def tier(self) -> Tier:
        """Who may read text and persons; place, state and time stay internal."""
        return Tier.INTERNAL if self is Protection.INTERNAL else Tier.PROTECTED


class ItemAction(Term):
    """What the worker does about an item (taizhou, appendix A)."""

    KNOW = "know", "掌握底数", "know"
    INFORM = "inform", "告知", "inform"
    HELP = "help", "帮教帮扶", "help"
    REPORT = "report", "上报", "report"
    SETTLE = "settle", "化解", "settle"
    MEASURES = "measures", "落实稳控措施", "take measures"
    VERIFY = "verify", "核实", "verify"


@dataclass(frozen=True, slots=True)
class Named:
    """A class of items or a unit: its key and its official name."""

    key: str
    words: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One kind of matter.

    ``levels`` are its classes from the widest to the item itself, whose key is the item's. ``time_limit`` is None where the
    document gives none. ``inferred`` marks a row that had to be read together, ``note`` says how. ``basis`` is the operator's
    ground for a row, or a limit, of his own.
    """

    row: str
    levels: tuple[Named, ...]
    description: Words
    lead_unit: Named | None = None
    responsible_unit: Named | None = None
    time_limit: Limit | None = None
    protection: Protection = Protection.INTERNAL
    actions: tuple[ItemAction, ...] = ()
    inferred: bool = False
    note: Words | None = None
    basis: str | None = None
    admission: Admission | None = None  # of a deployment's own rows

    def is_in_force(self, profile: Profile, on: date) -> bool:
        """Whether incidents may be created under it that day: an admitted item leaves with its last day where the document says so."""
        if self.admission is None:
            return True
        last = self.admission.valid_to
        is_over = profile.items.item_auto_exit.value and last is not None and on > last
        return self.admission.state is ItemState.IN_FORCE and not is_over

    @property
    def key(self) -> str:
        """The identifier that an incident carries."""
        return self.levels[-1].key

    @property
    def title(self) -> Words:
        """The name of the item itself."""
        return self.levels[-1].words


@dataclass(frozen=True, slots=True)
class ItemCatalogue:
    """The items of one jurisdiction, by key, in the document's order.

    ``classes`` are all named classes and ``units`` all units, also those that no row uses (Table 1 is an excerpt).
    """

    profile: str
    clause: str | None = None
    items: Mapping[str, Item] = field(default_factory=lambda: MappingProxyType({}))
    classes: Mapping[str, Named] = field(default_factory=lambda: MappingProxyType({}))
    units: Mapping[str, Named] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, key: str) -> Item:
        try:
            return self.items[key]
        except KeyError:
            raise NotFound(msg("清单中没有事项 {key}。", key=key), field="item") from None

    def __contains__(self, key: object) -> bool:
        return key in self.items


def find_item(catalogue: ItemCatalogue, said: str | None) -> Item | None:
    """The item that a text names by its key or title, in either language; None if it names none."""
    if said is None or said in catalogue.items:
        return catalogue.items.get(said or "")
    named = (item for item in catalogue.items.values() if said in (item.title.zh, item.title.en))
    return next(named, None)


_UNLISTED: Mapping[str, str] = {"heilongjiang": "heilongjiang 8.5.1", "gansu": "gansu 二(二)4"}
"""Clauses that keep what is not listed out of the grid."""


def require_listed(catalogue: ItemCatalogue, profile: Profile, item: str) -> Item | None:
    """The item an incident is to be recorded under; None where the jurisdiction lets an unlisted one in.

    Raises Conflict naming the clause where it does not (T2). A catalogue without a row, whose list has not been loaded yet,
    keeps nothing out.
    """
    clause = _UNLISTED.get(profile.key)
    if item in catalogue or clause is None or not catalogue.items:
        return catalogue.items.get(item)
    raise Conflict(
        msg("事项 {item} 不在清单内，不得进入网格（{clause}）。", item=item, clause=clause),
        field="item",
        clause=clause,
    )


MOST_NEAREST = 3


def nearest_items(catalogue: ItemCatalogue, said: str) -> tuple[Item, ...]:
    """The items whose titles, classes or descriptions share most characters with a text, the likest first; at most three."""
    scored = []
    for item in catalogue.items.values():
        texts = (item.title.en, item.description.zh, *(level.words.zh for level in item.levels))
        scored.append((max(SequenceMatcher(None, said, text).ratio() for text in texts), item))
    scored.sort(key=lambda pair: -pair[0])
    return tuple(item for _, item in scored[:MOST_NEAREST])


def require_reportable(catalogue: ItemCatalogue, profile: Profile, said: str | None, on: date) -> None:
    """Raise UnusableInput (``item``) for a matter that may not come into the grid at all (S24), with the nearest that may.

    A report that names no item is taken: the item is chosen when it is recorded. ``on`` is the day of creation. A catalogue without a row, whose list has not
    been loaded yet, keeps nothing out.
    """
    clause = _UNLISTED.get(profile.key)
    if said is None or clause is None or not catalogue.items:
        return
    named = find_item(catalogue, said)
    if named is not None and named.is_in_force(profile, on):
        return
    nearest = tuple(item.title for item in nearest_items(catalogue, said))
    raise UnusableInput(
        msg(
            "事项“{item}”不在清单内，不得进入网格（{clause}）；清单中相近的事项：{nearest}。",
            item=said,
            clause=clause,
            nearest=nearest,
        ),
        field="item",
        expected=msg("清单中的事项，例如{nearest}", nearest=nearest),
        clause=clause,
    )


def may_refuse(catalogue: ItemCatalogue, profile: Profile, item: str) -> str | None:
    """The clause by which a worker may refuse this matter (T3); None if it is listed or there is no such right."""
    if item in catalogue:
        return None
    right = profile.items.worker_may_refuse_unlisted
    return right.clause if right.value else _UNLISTED.get(profile.key)


def parse_items(content: Mapping[str, object], file: str) -> ItemCatalogue:
    """Check one item file's content and freeze it.

    ``content`` is the parsed TOML, ``file`` its name for messages. Raises CatalogueError naming file and key for an unknown or
    missing key, a bad type or value, a class or unit that is not declared, and a double item.
    """
    root = Table(content, file)
    catalogue = ItemCatalogue(root.text("profile"), root.text("clause"))
    return _with_rows(catalogue, root, catalogue.clause)


def extend_items(catalogue: ItemCatalogue, content: Mapping[str, object], file: str) -> ItemCatalogue:
    """The catalogue with an operator's own rows and limits.

    A row is written as in the document's file, with a ``basis``; ``[limits.<item>]`` (``min``, ``max``, ``unit``, ``basis``) gives
    a limit to an item that has none. Raises CatalogueError as ``parse_items`` does, and where the document has decided.
    """
    root = Table(content, file)
    named = root.text("profile")
    if named != catalogue.profile:
        raise root.wrong(
            "profile", msg("本文件用于 {named}，当前为 {key}。", named=named, key=catalogue.profile)
        )
    limits = root.table("limits")
    extended = _with_rows(catalogue, root, None)
    if limits is None:
        return extended
    items = dict(extended.items)
    for key in list(limits.rest):
        if key not in items:
            raise limits.wrong(key, msg("清单中没有事项 {key}。", key=key))
        known, given = items[key], limits.required_table(key)
        if known.time_limit is not None:
            raise limits.wrong(
                key,
                msg(
                    "{ground} 已规定时限，本地设定只能填补没有时限的事项。",
                    ground=known.time_limit.clause or file,
                ),
            )
        basis = given.text("basis")
        items[key] = replace(known, time_limit=_limit(given, None), basis=basis)
    return replace(extended, items=MappingProxyType(items))


def _with_rows(catalogue: ItemCatalogue, root: Table, clause: str | None) -> ItemCatalogue:
    classes = {**catalogue.classes, **_named(root.table("classes"))}
    units = {**catalogue.units, **_named(root.table("units"))}
    items = dict(catalogue.items)
    for table in root.tables("items"):
        item = _item(table, classes, units, clause)
        if item.key in items:
            raise table.wrong("levels", msg("事项 {key} 已在清单中。", key=item.key))
        items[item.key] = item
    root.done()
    return replace(
        catalogue,
        items=MappingProxyType(items),
        classes=MappingProxyType(classes),
        units=MappingProxyType(units),
    )


def _named(table: Table | None) -> dict[str, Named]:
    if table is None:
        return {}
    return {key: Named(key, table.words(key)) for key in list(table.rest)}


def _item(table: Table, classes: Mapping[str, Named], units: Mapping[str, Named], clause: str | None) -> Item:
    levels = tuple(_known(table, "levels", key, classes) for key in table.texts("levels"))
    if not levels:
        raise table.wrong("levels", msg("至少要有一级分类。"))
    limit = table.table("time_limit")
    item = Item(
        row=table.text("row"),
        levels=levels,
        description=table.words("description"),
        lead_unit=_unit(table, "lead_unit", units),
        responsible_unit=_unit(table, "responsible_unit", units),
        time_limit=None if limit is None else _limit(limit, clause),
        protection=table.choice("protection", Protection, Protection.INTERNAL.value),
        actions=table.choices("actions", ItemAction) if "actions" in table else (),
        inferred=table.flag("inferred", False),
        note=table.optional_words("note"),
        basis=None if clause else table.text("basis"),
    )
    table.done()
    return item


def _unit(table: Table, key: str, units: Mapping[str, Named]) -> Named | None:
    name = table.optional_text(key)
    return None if name is None else _known(table, key, name, units)


def _known(table: Table, key: str, name: str, declared: Mapping[str, Named]) -> Named:
    if name not in declared:
        raise table.wrong(key, msg("“{name}”未在本文件中声明。", name=name))
    return declared[name]


def _limit(table: Table, clause: str | None) -> Limit:
    clock = table.choice("unit", Clock)
    most = table.number("max")
    least = table.number("min") if "min" in table else None
    table.done()
    try:
        return Limit(clock, most, clause, least)
    except UnusableInput as error:
        raise CatalogueError(
            msg("{file}：{key}：{problem}", file=table.file, key=table.where, problem=error.message),
            field=table.where,
        ) from error
