"""What was mended in a staged generation, step by step: told, kept with the rows before and after, and undone."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis_server.core.coverage.layer import Cells
from gis_server.core.coverage.repair import Level, Move, TreeRepair, apply
from gis_server.core.message import Message

MOST_SINGLE = 30
"""Moves that hang together are kept one by one up to so many; more of them are one step."""


@dataclass(frozen=True, slots=True)
class ToldChange:
    """Ground that changed hands: codes (None: nobody) and planar m²."""

    source: str | None
    target: str | None
    area_m2: float


@dataclass(frozen=True, slots=True)
class ToldMove:
    """A move as people read it; ``ground`` is longitude/latitude, None where only vertices or a code changed.

    ``key`` names the same move in every plan made of the same rows with the same wishes.
    """

    key: str
    act: str
    kind: str
    message: Message
    confidence: float
    area_m2: float
    width_m: float
    addresses: int | None
    households: int | None
    changes: tuple[ToldChange, ...]
    ground: BaseGeometry | None = None


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of the table before and after."""

    row: int
    before: BaseGeometry
    after: BaseGeometry
    parent_before: str | None = None
    parent_after: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Moves that are done, and undone, together: one, unless they could not be told apart."""

    moves: tuple[tuple[Level, Move], ...]
    rows: tuple[RowChange, ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """Who undid a step, and when."""

    who: str
    at: datetime


@dataclass(frozen=True, slots=True)
class KeptStep:
    """A step as it is kept: ``generation_id`` is the generation that it made."""

    id: int
    generation_id: int
    told: tuple[ToldMove, ...]
    rows: tuple[RowChange, ...]
    who: str
    at: datetime
    undone: Undone | None = None


def built_on(steps: Sequence[KeptStep], step: KeptStep) -> KeptStep | None:
    """The latest step that still stands and changed one of the same rows after ``step``; None if there is none."""
    mine = {change.row for change in step.rows}
    later = [
        other
        for other in steps
        if other.id > step.id and other.undone is None and mine & {change.row for change in other.rows}
    ]
    return max(later, key=lambda other: other.id, default=None)


def steps_of(before: Cells, done: TreeRepair) -> list[Step]:
    """What was done in steps that can be undone each for itself, as far as their moves can be told apart."""
    if len(done.levels) == 1:
        return _one_by_one(done.levels[0])
    return _by_place(before, done)


@dataclass(slots=True)
class _Sets:
    """Numbers joined into sets."""

    home: dict[int, int] = field(default_factory=dict)

    def find(self, one: int) -> int:
        """The set of a number."""
        self.home.setdefault(one, one)
        while self.home[one] != one:
            self.home[one] = self.home[self.home[one]]
            one = self.home[one]
        return one

    def join(self, those: Sequence[int]) -> None:
        """Make one set of these."""
        for other in those[1:]:
            self.home[self.find(other)] = self.find(those[0])


def _one_by_one(level: Level) -> list[Step]:
    """Moves that share no row go side by side, those that do one after the other."""
    sets = _Sets()
    for move in level.moves:
        sets.join(move.rows)
    queues: dict[int, list[tuple[Move, ...]]] = {}
    for move in level.moves:
        queues.setdefault(sets.find(move.rows[0]), []).append((move,))
    for home, queue in queues.items():
        if len(queue) > MOST_SINGLE:
            queues[home] = [tuple(move for unit in queue for move in unit)]
    steps: list[Step] = []
    waiting: dict[int, tuple[Move, ...]] = {}
    now, applied = level.cells, list[Move]()
    for turn in range(max(map(len, queues.values()), default=0)):
        units = {home: queue[turn] for home, queue in queues.items() if turn < len(queue)}
        applied += [move for unit in units.values() for move in unit]
        then = apply(level.cells, applied)
        changed: dict[int, list[RowChange]] = {}
        for change in _changes(now, then):
            home = sets.find(change.row)
            if home not in units:  # a neighbour that only got a vertex
                home = _nearest(level, units, change)
            changed.setdefault(home, []).append(change)
        for home, unit in units.items():
            moves = (*waiting.pop(home, ()), *unit)
            if home in changed:
                steps.append(Step(tuple((level, m) for m in moves), tuple(changed[home])))
            else:
                waiting[home] = moves
        now = then
    return steps


def _nearest(level: Level, units: dict[int, tuple[Move, ...]], change: RowChange) -> int:
    def away(home: int) -> float:
        rows = [row for move in units[home] for row in move.rows]
        return float(shapely.distance(level.cells.geometry[rows], change.after).min())

    return min(units, key=away)


def _by_place(before: Cells, done: TreeRepair) -> list[Step]:
    """Rows that changed with the row they lie in are one step: children follow."""
    sets, changes = _Sets(), _changes(before, done.cells)
    changed = {change.row for change in changes}
    codes, above = before.codes, before.parent_codes
    index = {} if codes is None else {code: i for i, code in enumerate(codes) if code}
    for level, move in done.moves:
        sets.join([int(r) for r in level.rows[list(move.rows)]])
    for row in changed:
        parent = None if above is None else index.get(above[row])
        if parent in changed:
            sets.join([row, parent])
    found: dict[int, tuple[list[tuple[Level, Move]], list[RowChange]]] = {}
    for change in changes:
        found.setdefault(sets.find(change.row), ([], []))[1].append(change)
    for level, move in done.moves:
        home = sets.find(int(level.rows[move.rows[0]]))
        if home in found:
            found[home][0].append((level, move))
    return [Step(tuple(moves), tuple(rows)) for moves, rows in found.values()]


def _changes(before: Cells, after: Cells) -> list[RowChange]:
    """The rows that differ in a bit."""
    one, other = before.geometry, after.geometry
    moved = np.array([a is not b for a, b in zip(one, other, strict=True)], dtype=bool)
    at = np.flatnonzero(moved)
    moved[at] = ~shapely.equals_exact(one[at], other[at], 0.0)
    codes, new = before.parent_codes, after.parent_codes
    if codes is not None and new is not None:
        moved |= codes != new
    return [
        RowChange(
            int(row),
            one[row],
            other[row],
            None if codes is None else codes[row],
            None if new is None else new[row],
        )
        for row in np.flatnonzero(moved)
    ]
