"""The jurisdiction profile: every parameter of requirements 3.2 with its clause, for one of the five documents.

A parameter is found by its identifier, in the group under which the requirements list it:
``profile.incident_loop.verification_hours.value``, or ``profile.parameter("verification_hours")``.
Where a document is silent the value is the product's default and says so (``origin``).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gis_server.core.errors import NotFound
from gis_server.core.message import Words, msg
from gis_server.core.parameter import Origin, Parameter, fill_group, parameters, plain, read_group
from gis_server.core.profile_groups import (
    Appraisal,
    Change,
    Display,
    Division,
    Identity,
    IncidentLoop,
    Items,
    Staffing,
)
from gis_server.core.toml_table import Table

GROUPS: Mapping[str, Words] = {
    "identity": Words("身份", "Identity"),
    "division": Words("划分、编码、边界", "Division, coding, boundary"),
    "change": Words("变更与备案", "Change control and filing"),
    "staffing": Words("人员配备", "Staffing"),
    "incident_loop": Words("事件闭环", "Incident loop"),
    "items": Words("事项清单", "Item catalogue"),
    "display": Words("监控、展示、巡查", "Cameras, display, patrol"),
    "appraisal": Words("考评、权限、对接", "Appraisal, access, connection"),
}
"""The groups of requirements 3.2, in their order."""


_KINDS: Mapping[str, type[Any]] = {
    "identity": Identity,
    "division": Division,
    "change": Change,
    "staffing": Staffing,
    "incident_loop": IncidentLoop,
    "items": Items,
    "display": Display,
    "appraisal": Appraisal,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One jurisdiction's rules; ``title`` is that of its document."""

    title: Words
    identity: Identity
    division: Division
    change: Change
    staffing: Staffing
    incident_loop: IncidentLoop
    items: Items
    display: Display
    appraisal: Appraisal

    @property
    def key(self) -> str:
        """``heilongjiang``, ``taizhou``, ``gansu``, ``heihe`` or ``zhenjiang``."""
        return self.identity.profile_key.value

    def groups(self) -> Iterator[tuple[str, Words, tuple[Parameter[Any], ...]]]:
        """Name, title and parameters of each group, in order."""
        for name, title in GROUPS.items():
            yield name, title, parameters(getattr(self, name))

    def parameter(self, name: str) -> Parameter[Any]:
        """The parameter with this identifier; NotFound if requirements 3.2 know none."""
        for _, _, members in self.groups():
            for parameter in members:
                if parameter.name == name:
                    return parameter
        raise NotFound(msg("没有名为 {name} 的参数。", name=name), field="parameter")


def parse_profile(content: Mapping[str, object], file: str) -> Profile:
    """Check one profile file's content and freeze it.

    ``content`` is the parsed TOML, ``file`` its name for messages. Raises CatalogueError naming file and key for an unknown or
    missing key, a bad type or value, a clause of another document, and figures that contradict each other.
    """
    root = Table(content, file)
    document = root.required_table("document")
    title = document.words("title")
    document.done()
    identity = root.required_table("identity")
    for needed in ("profile_key", "source_status"):
        if needed not in identity:
            raise identity.wrong(needed, msg("缺少此项。"))
    given = identity.rest["profile_key"]
    key = str(given.get("value", "")) if isinstance(given, dict) else ""
    groups = {
        name: read_group(
            _KINDS[name],
            identity if name == "identity" else root.table(name) or Table({}, file, name),
            key,
        )
        for name in GROUPS
    }
    root.done()
    profile = _followed(Profile(title=title, **groups))
    _refuse_contradictions(profile, file)
    return profile


def fill_silence(profile: Profile, content: Mapping[str, object], file: str) -> Profile:
    """The profile with an operator's own values where its document is silent.

    ``content`` names the profile (``profile = "zhenjiang"``) and holds the groups' tables, each parameter as
    ``{ value = …, basis = "who decided it" }``. Raises CatalogueError naming parameter and clause where the document has
    already decided, and as ``parse_profile`` does.
    """
    root = Table(content, file)
    named = root.text("profile")
    if named != profile.key:
        raise root.wrong("profile", msg("本文件用于 {named}，当前为 {key}。", named=named, key=profile.key))
    filled = {
        name: fill_group(getattr(profile, name), root.required_table(name))
        for name in GROUPS
        if name in root and name != "identity"  # who the document is, nobody fills in
    }
    root.done()
    result = _followed(replace(profile, **filled))
    _refuse_contradictions(result, file)
    return result


def _followed(profile: Profile) -> Profile:
    """With the two defaults that are another parameter's value put in."""
    change, items = profile.change, profile.items
    if change.change_filed_with.origin is Origin.DEFAULT:
        filed = replace(change.change_filed_with, value=change.division_filed_with.value)
        change = replace(change, change_filed_with=filed)
    if items.item_exit_approver.origin is Origin.DEFAULT:
        approver = replace(items.item_exit_approver, value=items.item_approver.value)
        items = replace(items, item_exit_approver=approver)
    return replace(profile, change=change, items=items)


_ASCENDING = (
    ("urban_households_min", "urban_households_max"),
    ("full_time_min_urban", "full_time_max"),
    ("full_time_min_rural", "full_time_max"),
    ("full_time_min_exclusive", "full_time_max"),
    ("leader_min_per_grid", "leader_max_per_grid"),
    ("department_limit_min_working_days", "department_limit_max_working_days"),
    ("worker_report_urgent_hours", "worker_report_hours"),
    ("institution_escalate_urgent_hours", "institution_escalate_hours"),
)


def _refuse_contradictions(profile: Profile, file: str) -> None:
    root = Table({}, file)
    where = {parameter.name: name for name, _, members in profile.groups() for parameter in members}
    for low, high in _ASCENDING:
        least, most = profile.parameter(low).value, profile.parameter(high).value
        if least is not None and most is not None and least > most:
            raise root.wrong(
                f"{where[low]}.{low}",
                msg("{least} 大于 {high} 的 {most}。", least=least, high=high, most=most),
            )


def as_json(profile: Profile) -> dict[str, object]:
    """The profile for other programs; identifiers and values as in the requirements."""
    return {
        "schema": "gis-server/profile/1",
        "profile": profile.key,
        "title": plain(profile.title),
        "groups": [
            {
                "name": name,
                "title": plain(title),
                "parameters": [_parameter_as_json(parameter) for parameter in members],
            }
            for name, title, members in profile.groups()
        ],
    }


def _parameter_as_json(parameter: Parameter[Any]) -> dict[str, object]:
    return {
        "name": parameter.name,
        "title": plain(parameter.title),
        "value": plain(parameter.value),
        "unit": plain(parameter.unit),
        "otherwise": plain(parameter.otherwise),
        "origin": parameter.origin.value,
        "clause": parameter.clause,
        "force": parameter.force.value if parameter.force else None,
        "inferred": parameter.inferred,
        "note": plain(parameter.note),
        "stated": parameter.stated,
        "basis": parameter.basis,
    }
