"""Who answers for a grid at an instant: its own worker, else the next in line, else the unit.

Grids have their own staff, and staff deal with what happens in their grid (zhenjiang 9(2), gansu 一(一); heihe 11(7) for exclusive
grids): that a point goes to that staff is read from this, the line behind a vacancy is our own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gis_server.core.profile import Profile
from gis_server.core.roster import Post, Posting, Roster, StaffedGrid, WorkerKind
from gis_server.core.vocabulary import AdminLevel, ManagementMode, Term

_Fits = Callable[[Posting], bool]

LEVELS = (AdminLevel.COUNTY, AdminLevel.TOWNSHIP, AdminLevel.COMMUNITY)
"""Levels of an area path, in its order."""


class Rung(Term):
    """The line of those who answer for a grid, nearest first."""

    EXCLUSIVE_WORKER = "exclusive_worker", "专属网格员", "exclusive grid worker"
    FULL_TIME_WORKER = "full_time_worker", "专职网格员", "full-time grid worker"
    PART_TIME_WORKER = "part_time_worker", "兼职网格员", "part-time grid worker"
    GRID_LEADER = "grid_leader", "网格长", "grid leader"
    COMMUNITY = "community", "社区(村)人员", "community staff"
    TOWNSHIP = "township", "乡镇(街道)人员", "township staff"
    COUNTY = "county", "县(市、区)人员", "county staff"


class UnitReason(Term):
    """Why a unit answers, with its people or in their place."""

    ITS_GRID = "its_grid", "网格属其辖区", "the grid lies in its area"
    NOBODY = "nobody", "网格及各级均无在岗人员", "nobody holds a post for the grid or above it"
    NO_GRID = "no_grid", "该点不在任何网格内", "the point lies in no grid"


@dataclass(frozen=True, slots=True)
class Unit:
    """The area whose institution answers; ``code`` is None where the point lies in no area."""

    level: AdminLevel
    code: str | None
    reason: UnitReason


@dataclass(frozen=True, slots=True)
class Manager:
    """One of the two managers of an exclusive grid (zhenjiang 9(2)): the department by name, or the territory by code."""

    mode: str
    unit: str | None
    code: str | None
    posting: Posting | None


DEPARTMENT, TERRITORY = "department", "territory"


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answers: ``chosen`` from ``rung``; ``vacant`` are the nearer rungs that nobody holds.

    ``chosen`` is None where no rung has anybody: then the unit answers by itself.
    """

    chosen: Posting | None
    rung: Rung | None
    vacant: tuple[Rung, ...]
    unit: Unit
    managers: tuple[Manager, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerRules:
    """What a profile says of answering: levels with an institution, and whether exclusive grids have two managers."""

    institution_levels: tuple[AdminLevel, ...]
    dual_management: bool

    def as_json(self) -> dict[str, object]:
        """These rules for a record that must be understood when the profile has changed."""
        return {
            "institution_levels": [level.value for level in self.institution_levels],
            "dual_management": self.dual_management,
        }

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> "AnswerRules":
        """The rules of a record."""
        return cls(
            tuple(AdminLevel(level) for level in given["institution_levels"]), given["dual_management"]
        )


def answer_rules(profile: Profile) -> AnswerRules:
    """What ``profile`` says of answering."""
    levels = profile.identity.institution_levels.value
    return AnswerRules(
        tuple(level for level in AdminLevel if level in levels),
        profile.division.exclusive_management_mode.value is ManagementMode.DUAL_MANAGEMENT,
    )


def answering(
    rules: AnswerRules, grid: StaffedGrid | None, path: tuple[str, ...], roster: Roster, at: datetime
) -> Answer:
    """Who answers at ``at`` for a place in ``grid`` (None: in no grid) whose areas are ``path``, county first.

    Of several on one rung it is the one longest in post. Who stands in for somebody answers in his place.
    """
    if grid is None:
        return Answer(None, None, (), _unit(rules, path, UnitReason.NO_GRID))
    vacant: list[Rung] = []
    for rung, code, fits in _line(grid, path):
        chosen = next((posting for fit in fits for posting in roster.of(code, at) if fit(posting)), None)
        if chosen is not None:
            held = Rung.EXCLUSIVE_WORKER if chosen.is_worker(WorkerKind.EXCLUSIVE) else rung
            unit = _unit(rules, path, UnitReason.ITS_GRID)
            return Answer(chosen, held, tuple(vacant), unit, _managers(rules, grid, path, roster, at))
        vacant.append(rung)
    unit = _unit(rules, path, UnitReason.NOBODY)
    return Answer(None, None, tuple(vacant), unit, _managers(rules, grid, path, roster, at))


def _works_as(kind: WorkerKind) -> _Fits:
    return lambda posting: posting.is_worker(kind)


def _leads(posting: Posting) -> bool:
    return posting.post is Post.GRID_LEADER


def _works(posting: Posting) -> bool:
    return posting.post is Post.GRID_WORKER


def _line(grid: StaffedGrid, path: tuple[str, ...]) -> list[tuple[Rung, str, tuple[_Fits, ...]]]:
    """Each rung with the code it is looked for under and the postings that fit, the better first."""
    full_time: tuple[_Fits, ...] = (_works_as(WorkerKind.FULL_TIME),)
    if grid.is_exclusive:  # what the host sends is its full-time worker, where there is one
        full_time = (_works_as(WorkerKind.EXCLUSIVE), *full_time)
    line: list[tuple[Rung, str, tuple[_Fits, ...]]] = [
        (Rung.FULL_TIME_WORKER, grid.code, full_time),
        (Rung.PART_TIME_WORKER, grid.code, (_works_as(WorkerKind.PART_TIME),)),
        (Rung.GRID_LEADER, grid.code, (_leads,)),
    ]
    areas = list(zip(_AREA_RUNGS, path, strict=False))
    line += [(rung, code, (_leads, _works)) for rung, code in reversed(areas)]
    return line


_AREA_RUNGS = (Rung.COUNTY, Rung.TOWNSHIP, Rung.COMMUNITY)
"""Rungs of an area path, in its order."""


def _unit(rules: AnswerRules, path: tuple[str, ...], reason: UnitReason) -> Unit:
    """The deepest area with an institution; for a point in no grid its township, whose queue it joins (S18)."""
    deepest = len(LEVELS) if reason is not UnitReason.NO_GRID else LEVELS.index(AdminLevel.TOWNSHIP) + 1
    for level, code in reversed(list(zip(LEVELS, path[:deepest], strict=False))):
        if level in rules.institution_levels:
            return Unit(level, code, reason)
    return Unit(AdminLevel.COUNTY, path[0] if path else None, reason)


def _managers(
    rules: AnswerRules, grid: StaffedGrid, path: tuple[str, ...], roster: Roster, at: datetime
) -> tuple[Manager, ...]:
    """Department and territory, each with its person where the roster has one: whom the department sent, who leads."""
    if not (rules.dual_management and grid.is_exclusive):
        return ()
    department = grid.managing_department
    sent = (p for p in roster.of(grid.code, at) if department is not None and p.unit == department)
    leading = (p for code in (grid.code, *reversed(path)) for p in roster.of(code, at) if _leads(p))
    return (
        Manager(DEPARTMENT, department, None, next(sent, None)),
        Manager(TERRITORY, None, _unit(rules, path, UnitReason.ITS_GRID).code, next(leading, None)),
    )
