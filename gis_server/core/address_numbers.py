"""How the numbers of a door (house, building, stairwell, room) fit those that somebody asked for.

All weights are ours; no document has any.
"""

import re
from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from gis_server.core.address_index import doors_of
from gis_server.core.address_text import Number, Part, units_of

MOST_DOORS = 6
"""Doors of one name that are compared in full."""

_FACTOR = {
    Part.HOUSE: 0.6,
    Part.LANE: 0.6,
    Part.GROUP: 0.6,
    Part.BUILDING: 0.7,
    Part.UNIT: 0.8,
    Part.FLOOR: 0.9,
    Part.ROOM: 0.85,
    Part.BARE: 0.7,
}
_NEAR_HOUSE = 0.08
_OMITTED_NUMBER = 0.985
_BEYOND = 0.97
_OTHER_UNIT = 0.99
_LOOSELY = {
    Part.HOUSE: {Part.BUILDING, Part.LANE},
    Part.BUILDING: {Part.HOUSE, Part.FLOOR},
    Part.FLOOR: {Part.BUILDING},
    Part.UNIT: set[Part](),
    Part.ROOM: set[Part](),
    Part.LANE: {Part.HOUSE},
    Part.GROUP: set[Part](),
    Part.BARE: set(Part),
}
"""Units that people use for one another, where the value is the same: 10号 of a quarter is its 10幢."""

_COMPARED_DOORS = 400
_VALUES = re.compile("0*([0-9]+[a-z]?)")

_FINER = frozenset({Part.UNIT, Part.FLOOR, Part.ROOM, Part.BARE})
_MOST_NUMBERS = 8


@dataclass(frozen=True, slots=True)
class Difference:
    """What was asked and what the address has instead; None where it has nothing. ``part`` None is the name."""

    part: Part | None
    asked: str
    found: str | None


@dataclass(frozen=True, slots=True)
class NumberFit:
    """How the numbers of a door fit: a factor of the score, what differs, what goes beyond the door, what was left out."""

    factor: float
    differences: tuple[Difference, ...]
    beyond: tuple[Number, ...]
    omitted: int


NO_NUMBER = NumberFit(_OMITTED_NUMBER, (), (), 1)
"""How any door fits where no number was asked for."""


def likely_doors(asked: Sequence[Number], listed: str) -> list[tuple[str, str]]:
    """The few doors of a name (as the index keeps them) that fit best, and those with the nearest house numbers.

    Of many that fit as well those are taken that lie in different buildings.
    """
    doors = list(doors_of(listed))
    if len(doors) <= MOST_DOORS:
        return doors
    if not asked:
        return [doors[at] for at in _apart(frozenset(), doors, range(MOST_DOORS))]
    telling = asked[:_MOST_NUMBERS]
    house = next((number for number in asked if number.part in (Part.HOUSE, Part.BARE)), None)
    hits = np.array(_hits(telling, [text for text, _ in doors]))
    # texts that spell their numbers otherwise are few, and compared too
    order = np.argsort(-hits, kind="stable")
    chosen = _apart({number.value for number in asked}, doors, order[hits[order] == hits.max()].tolist())
    chosen += [at for at in order[: 2 * MOST_DOORS].tolist() if at not in chosen]
    chosen = chosen[:MOST_DOORS]
    if house is not None and hits.max() < _whole_hit(telling):
        chosen += [at for at in _nearest_houses(house, doors) if at not in chosen]
    return [doors[at] for at in chosen]


def _hits(asked: Sequence[Number], texts: Sequence[str]) -> list[int]:
    """How many of the numbers each text holds, those with their unit counted twice."""
    wanted = Counter(number.value for number in asked)
    labelled = [
        re.compile(rf"(?<![0-9a-z])0*{re.escape(number.value)}(?:{units_of(number.part)})")
        for number in asked
        if number.part is not Part.BARE
    ]
    found = []
    for text in texts:
        values = _VALUES.findall(text)
        hits = sum(min(values.count(value), count) for value, count in wanted.items())
        found.append(hits + sum(pattern.search(text) is not None for pattern in labelled))
    return found


def _whole_hit(asked: Sequence[Number]) -> int:
    return sum(1 if number.part is Part.BARE else 2 for number in asked)


def _apart(asked: Set[str], doors: Sequence[tuple[str, str]], equal: Sequence[int]) -> list[int]:
    """Of equally good doors the first of each building, or whatever the first number is that was not asked for."""
    first: dict[str, int] = {}
    for at in equal[:_COMPARED_DOORS]:
        other = next((value for value in _VALUES.findall(doors[at][0]) if value not in asked), "")
        first.setdefault(other, at)
        if len(first) == MOST_DOORS:
            break
    return list(first.values())


def _nearest_houses(asked: Number, doors: Sequence[tuple[str, str]]) -> list[int]:
    wanted = _whole(asked.value)
    if wanted is None:
        return []
    near: list[tuple[int, int]] = []
    for at, (text, _) in enumerate(doors):
        if (found := re.search("[0-9]+", text)) is not None:
            near.append((abs(int(found[0][:9]) - wanted), at))
    return [at for _, at in sorted(near)[:MOST_DOORS]]


def _whole(value: str) -> int | None:
    found = re.search("[0-9]+", value)
    return None if found is None else int(found[0][:9])


def compare_numbers(asked: Sequence[Number], door: Sequence[Number]) -> NumberFit:
    """How a door's numbers fit those that were asked for."""
    left = list(door)
    open_asked = _take_equal(asked, left)
    factor = 1.0
    still_open: list[Number] = []
    for number in open_asked:
        other = next((n for n in left if n.value == number.value and _loosely(number, n)), None)
        if other is None:
            still_open.append(number)
            continue
        left.remove(other)
        factor *= 1.0 if number.part is Part.BARE else _OTHER_UNIT
    differences: list[Difference] = []
    beyond: list[Number] = []
    for number in still_open:
        other = next((n for n in left if n.part is number.part), None)
        if other is None and number.part is Part.BARE:
            other = next((n for n in left if n.part is Part.HOUSE or not number.on_road), None)
        if other is not None:
            left.remove(other)
            part = other.part if number.part is Part.BARE else number.part
            differences.append(Difference(part, number.value, other.value))
            factor *= _FACTOR[part] + (_nearness(number, other) if part is Part.HOUSE else 0.0)
        elif number.part in _FINER and door:
            beyond.append(number)
            factor *= _BEYOND
        else:
            differences.append(Difference(number.part, number.value, None))
            factor *= _FACTOR[number.part]
    return NumberFit(factor * _OMITTED_NUMBER ** len(left), tuple(differences), tuple(beyond), len(left))


def _take_equal(asked: Sequence[Number], left: list[Number]) -> list[Number]:
    """Take the numbers that agree in unit and value out of ``left``; those that were not found."""
    rest: list[Number] = []
    for number in asked:
        same = next((n for n in left if n.part is number.part and n.value == number.value), None)
        if same is None:
            rest.append(number)
        else:
            left.remove(same)
    return rest


def _loosely(asked: Number, found: Number) -> bool:
    """Whether people may mean the one by the other; the number beside a road is its house number and nothing else."""
    if asked.on_road:
        return found.part is Part.HOUSE or (asked.part is not Part.BARE and found.part is Part.BARE)
    return found.part is Part.BARE or found.part in _LOOSELY[asked.part]


def _nearness(asked: Number, found: Number) -> float:
    wanted, there = _whole(asked.value), _whole(found.value)
    return 0.0 if wanted is None or there is None else _NEAR_HOUSE / (1 + abs(wanted - there) / 10)
