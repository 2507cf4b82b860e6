"""How a deployment's own items came into the catalogue: each row of its item file tells the deeds, and the machine judges them.

::

    [[items]]
    …
    [[items.admission]]
    act = "propose"                                # propose, approve, deploy, propose_exit, endorse_exit, exit …
    on = 2024-03-01
    by = "functional_department@county"
    ground = "市政府办〔2024〕3 号"                   # law or reason; further: term, valid_to, attachments, consents, reason
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from gis_server.core.admission import Admission, Attachment, Deed, ItemAct, ItemTerm, take
from gis_server.core.errors import CatalogueError, GisError
from gis_server.core.item import ItemCatalogue, extend_items
from gis_server.core.message import msg
from gis_server.core.profile import Profile
from gis_server.core.toml_table import Table
from gis_server.core.vocabulary import Body


def admit_items(
    catalogue: ItemCatalogue, profile: Profile, content: Mapping[str, object], file: str
) -> ItemCatalogue:
    """The catalogue with a deployment's own rows and limits, each row with its admission.

    Raises CatalogueError as ``extend_items`` does, for a row without deeds, and for a deed that the profile does not allow; the
    sentence names the clause. ``prohibited`` at the top of the file is the list of items that may never be deployed.
    """
    root = Table(content, file)
    prohibited = frozenset(root.texts("prohibited"))
    rows, admissions = [], {}
    for row in root.tables("items"):
        levels = row.rest.get("levels")
        key = str(levels[-1]) if isinstance(levels, list) and levels else row.where
        admissions[key] = _admission(key, row, profile, prohibited)
        rows.append(row.rest)
    extended = extend_items(catalogue, {**root.rest, "items": rows}, file)
    items = dict(extended.items)
    for key, admission in admissions.items():
        items[key] = replace(items[key], admission=admission)
    return replace(extended, items=MappingProxyType(items))


def _admission(key: str, row: Table, profile: Profile, prohibited: frozenset[str]) -> Admission:
    standing: Admission | None = None
    for table in row.tables("admission"):
        deed = _deed(table)
        try:
            standing = take(profile, key, standing, deed, prohibited).admission
        except GisError as error:
            raise CatalogueError(
                msg("{file}：{key}：{problem}", file=table.file, key=table.where, problem=error.message),
                field=table.where,
                clause=error.clause,
            ) from error
    if standing is None:
        clause = profile.items.item_approver.clause
        raise row.wrong(
            "admission",
            msg("自增事项须写明准入经过：提出、批准、部署（{clause}）。", clause=clause or profile.key),
        )
    return standing


def _deed(table: Table) -> Deed:
    by = table.optional_text("by")
    deed = Deed(
        act=table.choice("act", ItemAct),
        on=table.day("on"),
        by=None if by is None else _body(table, "by", by),
        ground=table.text("ground", ""),
        term=table.choice("term", ItemTerm, ItemTerm.STANDING_ITEM.value),
        valid_to=table.day("valid_to") if "valid_to" in table else None,
        attachments=frozenset(table.choices("attachments", Attachment) if "attachments" in table else ()),
        consents=frozenset(_body(table, "consents", text) for text in table.texts("consents")),
        reason=table.text("reason", ""),
    )
    table.done()
    return deed


def _body(table: Table, key: str, text: str) -> Body:
    try:
        return Body.parse(text)
    except ValueError:
        raise table.wrong(key, msg("“{value}”写法不对，请检查拼写。", value=text)) from None
