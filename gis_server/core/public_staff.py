"""Which people of the roster the public is told of, by the jurisdiction's own clause (requirements 8.2).

A printed wall hangs where everybody reads it: names and phones on it are those that a clause has published, and no others. A phone
is public only as the service contact of somebody on duty.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gis_server.core.message import Message
from gis_server.core.parameter import Parameter
from gis_server.core.profile import Profile
from gis_server.core.profile_groups import Staffing
from gis_server.core.roster import Person, Post, Posting, Roster, StaffedGrid, WorkerKind, persons
from gis_server.core.roster_rules import full_time_kinds
from gis_server.core.vocabulary import HostSupply, NoticeField, StaffingModel, Term, WallPanel


class Duty(Term):
    """What somebody is to a grid, in the order in which a chart names them."""

    GRID_LEADER = "grid_leader", "网格长", "grid leader"
    GRID_INSTRUCTOR = "grid_instructor", "网格指导员", "grid instructor"
    FULL_TIME = "full_time_grid_worker", "专职网格员", "full-time grid worker"
    EXCLUSIVE = "exclusive_grid_worker", "专属网格员", "exclusive grid worker"
    PROFESSIONAL = "professional_grid_worker", "专业网格员", "professional grid worker"
    BUSINESS_INSTRUCTOR = "grid_business_instructor", "网格业务指导员", "business instructor"
    PART_TIME = "part_time_grid_worker", "兼职网格员", "part-time grid worker"
    ASSISTANT = "grid_assistant", "网格工作辅助人员", "grid assistant"


_POSTS = {
    Post.GRID_LEADER: Duty.GRID_LEADER,
    Post.GRID_INSTRUCTOR: Duty.GRID_INSTRUCTOR,
    Post.GRID_BUSINESS_INSTRUCTOR: Duty.BUSINESS_INSTRUCTOR,
}
_KINDS = {
    WorkerKind.FULL_TIME: Duty.FULL_TIME,
    WorkerKind.PART_TIME: Duty.PART_TIME,
    WorkerKind.PROFESSIONAL: Duty.PROFESSIONAL,
    WorkerKind.EXCLUSIVE: Duty.EXCLUSIVE,
    WorkerKind.ASSISTANT: Duty.ASSISTANT,
}
_WORKERS = frozenset({Duty.FULL_TIME, Duty.PART_TIME, Duty.PROFESSIONAL, Duty.EXCLUSIVE})
_EXPERTS = frozenset({Duty.PROFESSIONAL, Duty.BUSINESS_INSTRUCTOR})
_TEAM = frozenset({Duty.GRID_LEADER, Duty.GRID_INSTRUCTOR, *_WORKERS, Duty.BUSINESS_INSTRUCTOR})
_SERVING = frozenset({Duty.GRID_LEADER, Duty.FULL_TIME, *_EXPERTS})


@dataclass(frozen=True, slots=True)
class Published:
    """What a profile publishes: whose names, whose phones, whether a complaint phone, and by which clauses."""

    names: frozenset[Duty]
    phones: frozenset[Duty]
    complaint_phone: bool
    clauses: tuple[str, ...]


def published(profile: Profile) -> Published:
    """Whose names and phones ``profile`` publishes on a notice (its ``notice_fields``) or a wall (its ``wall_panels``)."""
    display = profile.display
    fields, panels = display.notice_fields.value, display.wall_panels.value
    workers = _WORKERS | (
        {Duty.GRID_LEADER} if profile.staffing.leader_counts_as_grid_worker.value else set()
    )
    told: Mapping[NoticeField, frozenset[Duty]] = {
        NoticeField.LEADER_NAME: frozenset({Duty.GRID_LEADER}),
        NoticeField.LEADER_PHONE: frozenset({Duty.GRID_LEADER}),
        NoticeField.FULL_TIME_NAME: frozenset({Duty.FULL_TIME, Duty.EXCLUSIVE}),
        NoticeField.FULL_TIME_PHONE: frozenset({Duty.FULL_TIME, Duty.EXCLUSIVE}),
        NoticeField.PROFESSIONAL_NAME: _EXPERTS,
        NoticeField.PROFESSIONAL_PHONE: _EXPERTS,
        NoticeField.WORKER_NAME: frozenset(workers),
        NoticeField.WORKER_CONTACT: frozenset(workers),
    }
    names: frozenset[Duty] = frozenset()
    phones: frozenset[Duty] = frozenset()
    grounds: list[Parameter[Any]] = []
    if WallPanel.GRID_MEMBER_CHART in panels or WallPanel.SERVICE_CONTACT_PANEL in panels:
        names, phones = _TEAM, _SERVING
        grounds.append(display.wall_panels)
    if not grounds or display.notice_fields.clause:
        grounds.append(display.notice_fields)
        for one in fields:
            found = told.get(one, frozenset())
            if one.value.endswith("_name"):
                names |= found
            else:
                phones |= found
    clauses = tuple(dict.fromkeys(ground.clause for ground in grounds if ground.clause))
    return Published(names, phones & names, NoticeField.COMPLAINT_PHONE in fields, clauses)


def duty_of(posting: Posting) -> Duty | None:
    """What a posting is on a chart; None for those that no chart names (building leaders and the like)."""
    if posting.post is Post.GRID_WORKER:
        return None if posting.worker_kind is None else _KINDS[posting.worker_kind]
    return _POSTS.get(posting.post)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody on duty as the public is told: ``phone`` is None where it is not published or not known."""

    name: str
    phone: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Slot:
    """One duty of a grid: its members, how many more hold it without being named, and how many are missing.

    ``sign`` is what the staffing model counts it as: "1", "3", "X", "N" or "Y"; empty outside the models.
    """

    duty: Duty
    title: Message
    members: tuple[Member, ...]
    unnamed: int
    vacant: int
    sign: str = ""


@dataclass(frozen=True, slots=True)
class StaffedUnit:
    """A grid (or an area as a whole) with those who serve it."""

    code: str
    name: str
    slots: tuple[Slot, ...]


_SIGNS: Mapping[StaffingModel, Mapping[Duty, str]] = {
    StaffingModel.STAFFING_1_X_N: {
        Duty.FULL_TIME: "1",
        Duty.EXCLUSIVE: "1",
        Duty.PROFESSIONAL: "X",
        Duty.PART_TIME: "N",
    },
    StaffingModel.STAFFING_3_X_Y: {
        Duty.GRID_LEADER: "3",
        Duty.GRID_INSTRUCTOR: "3",
        Duty.FULL_TIME: "3",
        Duty.EXCLUSIVE: "3",
        # professional workers are what this model calls business instructors (requirements 1.4)
        Duty.PROFESSIONAL: "X",
        Duty.BUSINESS_INSTRUCTOR: "X",
        Duty.PART_TIME: "Y",
    },
}


def staffed_grid(profile: Profile, grid: StaffedGrid, name: str, roster: Roster, at: datetime) -> StaffedUnit:
    """A grid's chart at ``at``: every duty that somebody holds or that the profile demands, vacancies counted."""
    held = roster.of(grid.code, at)
    least = _demanded(profile.staffing, grid, held)
    return StaffedUnit(grid.code, name, _slots(profile, held, least, roster.people))


def staffed_area(profile: Profile, code: str, name: str, roster: Roster, at: datetime) -> StaffedUnit:
    """Those who hold a post for an area as a whole."""
    return StaffedUnit(code, name, _slots(profile, roster.of(code, at), {}, roster.people))


def _demanded(staffing: Staffing, grid: StaffedGrid, held: Sequence[Posting]) -> dict[Duty, int]:
    """How many of each duty the profile wants at least."""
    if grid.is_exclusive:
        full_time = staffing.full_time_min_exclusive.value
    else:
        rural, urban = staffing.full_time_min_rural.value, staffing.full_time_min_urban.value
        full_time = rural if grid.is_rural else urban
    of_host = staffing.exclusive_worker_from_host.value is HostSupply.REQUIRED and grid.is_exclusive
    # where the host may supply the full-time worker, its own counts
    supplied = persons(p for p in held if p.is_worker(*full_time_kinds(staffing, grid)))
    own = persons(p for p in held if p.is_worker(WorkerKind.FULL_TIME))
    part_time = staffing.part_time_min.value
    if grid.is_rural and not grid.is_exclusive:
        part_time = max(part_time, staffing.full_or_part_time_min_rural.value - supplied)
    is_triple = staffing.staffing_model.value is StaffingModel.STAFFING_3_X_Y
    return {
        Duty.GRID_LEADER: staffing.leader_min_per_grid.value,
        Duty.GRID_INSTRUCTOR: 1 if is_triple else 0,
        Duty.FULL_TIME: max(0, full_time - (supplied - own) - (1 if of_host and not supplied else 0)),
        Duty.EXCLUSIVE: 1 if of_host else 0,
        Duty.PROFESSIONAL: staffing.professional_min.value,
        Duty.PART_TIME: part_time,
    }


def _slots(
    profile: Profile, held: Sequence[Posting], least: Mapping[Duty, int], people: Mapping[int, Person]
) -> tuple[Slot, ...]:
    open_to = published(profile)
    signs = _SIGNS.get(profile.staffing.staffing_model.value, {})
    found = []
    for duty, title, postings in _by_duty(held, by_title=not least):
        number, wanted = persons(postings), least.get(duty, 0)
        if not (number or wanted):
            continue
        named = {p.person_id: p for p in reversed(postings)} if duty in open_to.names else {}
        members = tuple(
            Member(person.name, person.phone if duty in open_to.phones else None, posting.unit)
            for posting in reversed(named.values())
            if (person := people.get(posting.person_id)) is not None
        )
        found.append(
            Slot(duty, title, members, number - len(members), max(0, wanted - number), signs.get(duty, ""))
        )
    return tuple(found)


def _by_duty(held: Sequence[Posting], *, by_title: bool) -> list[tuple[Duty, Message, list[Posting]]]:
    """The postings of each duty; ``by_title`` each level of leaders and workers by itself, as areas have them."""
    found: list[tuple[Duty, Message, list[Posting]]] = []
    for duty in Duty:
        postings = [p for p in held if duty_of(p) is duty]
        titles = {p.title.template: p.title for p in postings} if by_title else {}
        found += [
            (duty, title, [p for p in postings if p.title.template == key])
            for key, title in sorted(titles.items())
        ] or [(duty, duty.message, postings)]
    return found
