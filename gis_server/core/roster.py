"""The roster (花名册): who holds which post, where and until when.

The posts are those of requirements 1.4. A roster is one set of postings that never changes; the roster of another day is
another one. Which postings a grid must have is in ``roster_rules``, who answers for it in ``answering``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from gis_server.core.message import Message
from gis_server.core.vocabulary import GridKind, InstructorSource, LeaderPost, SettlementClass, Term


class Post(Term):
    """What somebody is on the roster."""

    GRID_LEADER = "grid_leader", "网格长", "grid leader"
    GRID_WORKER = "grid_worker", "网格员", "grid worker"
    GRID_INSTRUCTOR = "grid_instructor", "网格指导员", "grid instructor"
    GRID_BUSINESS_INSTRUCTOR = "grid_business_instructor", "网格业务指导员", "business instructor"
    BUILDING_LEADER = "building_leader", "楼栋长", "building leader"
    STAIRWELL_LEADER = "stairwell_leader", "单元长", "stairwell leader"
    PUBLIC_GRID_WORKER = "public_grid_worker", "全民网格员", "public grid worker"


class LeaderLevel(Term):
    """Levels of grid leaders, highest first; only heilongjiang 7.2 has more than the third."""

    CHIEF = "chief_grid_leader", "总网格长", "chief grid leader"
    LEVEL_1 = "level_1_grid_leader", "一级网格长", "level-1 grid leader"
    LEVEL_2 = "level_2_grid_leader", "二级网格长", "level-2 grid leader"
    LEVEL_3 = "level_3_grid_leader", "三级网格长", "level-3 grid leader"


class WorkerKind(Term):
    """Kinds of grid workers."""

    FULL_TIME = "full_time_grid_worker", "专职网格员", "full-time grid worker"
    PART_TIME = "part_time_grid_worker", "兼职网格员", "part-time grid worker"
    PROFESSIONAL = "professional_grid_worker", "专业网格员", "professional grid worker"
    EXCLUSIVE = "exclusive_grid_worker", "专属网格员", "exclusive grid worker"
    ASSISTANT = "grid_assistant", "网格工作辅助人员", "grid assistant"


class WorkerLevel(Term):
    """Levels of grid workers (heilongjiang 7.3.2 to 7.3.4)."""

    LEVEL_1 = "level_1_grid_worker", "一级网格员", "level-1 grid worker"
    LEVEL_2 = "level_2_grid_worker", "二级网格员", "level-2 grid worker"
    LEVEL_3 = "level_3_grid_worker", "三级网格员", "level-3 grid worker"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on a roster. Protected as a whole; the name is for those who work with the grids (requirements 8.2, 8.4)."""

    id: int
    name: str
    phone: str | None = None
    staff_no: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One person in one post for one grid or area, from ``valid_from`` until before ``valid_to``.

    ``code`` is a grid's or an area's. ``unit`` is where the person belongs: the department that sends, the host unit. ``source`` is
    an instructor's. ``certified`` and ``declared_on`` (no ground of disqualification, gansu 一(三)) are None where the file was
    silent. ``stands_in_for`` is the person whose post this is meanwhile.
    """

    id: int
    person_id: int
    post: Post
    code: str
    valid_from: datetime
    valid_to: datetime | None = None
    leader_level: LeaderLevel | None = None
    worker_kind: WorkerKind | None = None
    worker_level: WorkerLevel | None = None
    community_post: LeaderPost | None = None
    source: InstructorSource | None = None
    unit: str | None = None
    certified: bool | None = None
    declared_on: date | None = None
    stands_in_for: int | None = None

    @property
    def title(self) -> Message:
        """What the post is called: the worker's kind and the leader's level where they are known."""
        return (self.worker_kind or self.leader_level or self.post).message

    def holds_at(self, at: datetime) -> bool:
        """Whether the post is held at ``at``."""
        return self.valid_from <= at and (self.valid_to is None or at < self.valid_to)

    def is_worker(self, *kinds: WorkerKind) -> bool:
        """Whether this is a grid worker of one of these kinds."""
        return self.post is Post.GRID_WORKER and self.worker_kind in kinds


@dataclass(frozen=True)
class Roster:
    """All postings of one roster; ``generation_id`` is None for one that is not kept."""

    postings: Sequence[Posting]
    people: Mapping[int, Person] = field(default_factory=dict)
    generation_id: int | None = None

    @cached_property
    def _by_code(self) -> Mapping[str, tuple[Posting, ...]]:
        found: dict[str, list[Posting]] = {}
        for posting in sorted(self.postings, key=_seniority):
            found.setdefault(posting.code, []).append(posting)
        return {code: tuple(postings) for code, postings in found.items()}

    @property
    def codes(self) -> frozenset[str]:
        """The grids and areas that have a posting at any time."""
        return frozenset(self._by_code)

    def of(self, code: str, at: datetime) -> tuple[Posting, ...]:
        """Who holds a post for this grid or area at ``at``, the longest in post first.

        Somebody in whose place another stands at that time is not among them.
        """
        held = [posting for posting in self._by_code.get(code, ()) if posting.holds_at(at)]
        replaced = {(p.post, p.stands_in_for) for p in held if p.stands_in_for is not None}
        return tuple(p for p in held if (p.post, p.person_id) not in replaced)

    def at(self, at: datetime) -> Iterator[Posting]:
        """Every posting held at ``at``, by code."""
        for code in sorted(self._by_code):
            yield from self.of(code, at)


def _seniority(posting: Posting) -> tuple[datetime, int]:
    return posting.valid_from, posting.id


@dataclass(frozen=True, slots=True)
class StaffedGrid:
    """What the roster's rules ask of a grid.

    ``fid`` is its row in the input of a check; ``path`` the codes of its areas, county first; ``managing_department`` the
    functional department of an exclusive grid (zhenjiang 9(2)).
    """

    fid: int
    code: str
    kind: GridKind | None
    settlement_class: SettlementClass | None = None
    path: tuple[str, ...] = ()
    managing_department: str | None = None

    @property
    def is_exclusive(self) -> bool:
        """Whether it is a 专属网格."""
        return self.kind is GridKind.EXCLUSIVE_GRID

    @property
    def is_rural(self) -> bool:
        """Whether the country's figures hold; where nothing says so, the town's do."""
        if self.settlement_class is not None:
            return self.settlement_class is SettlementClass.RURAL
        return self.kind is GridKind.RURAL_GRID


def persons(postings: Iterable[Posting]) -> int:
    """How many different persons hold these postings."""
    return len({posting.person_id for posting in postings})
