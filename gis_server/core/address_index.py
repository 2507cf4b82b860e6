"""The names of many addresses, each with its doors: what a search looks through instead of the addresses.

A city of 300,000 addresses has some thousand names; the rest is numbers. A name is found by its ``grams``, and the door
among the doors of the few names that fit.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from gis_server.core.address_text import former_texts, grams, name_of, normal, parse

VERSION = 1
"""Of the spelling and the parts that an index was made with; an older index is made anew."""

DOOR_END = "\x1e"
CODE_FROM = "\x1f"
"""Between the doors of a name, and between a door and the code of its address; no address holds either."""

_BLOCK = 20_000
_SAMPLE = 20_000
_AS_ZERO = bytes.maketrans(b"123456789", b"0" * 9)
_ZEROS = re.compile("0+")
_NO_WORD = re.compile(r"[^々㐀-䶿一-鿿\U00020000-\U000323af]")
_NOUGHT = re.compile("[零〇]")
_PLACEHOLDERS = frozenset("0-abcdefghijklmnopqrstuvwxyz")

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Commonness:
    """How many of ``names`` names hold a gram, for those that at least ``least`` hold."""

    names: int
    least: int
    frequent: Mapping[str, int]

    def of(self, gram: str) -> int:
        """About how many names hold this gram."""
        return self.frequent.get(gram, self.least // 2)


@dataclass(frozen=True, slots=True)
class AddressIndex:
    """n names, those with the most doors first.

    ``doors`` are lines of number texts and address codes (``doors_of`` reads them), ``extents`` (n, 4) west, south, east and
    north of the doors in degrees; ``former`` tells the names that are no longer in use.
    """

    names: list[str]
    doors: list[str]
    counts: list[int]
    former: list[bool]
    extents: Floats
    commonness: Commonness


class _Names:
    """Rows gathered by name; ``shared`` are the names of the skeletons seen so far."""

    def __init__(self, texts: Sequence[str], codes: Sequence[str]) -> None:
        self.texts = texts
        self.codes = codes
        self.doors: dict[str, list[str]] = {}
        self.rows: dict[str, list[int]] = {}
        self.shared: dict[str, str | None] = {}

    def add(self, name: str, rows: Sequence[int], cut: int) -> None:
        """Rows of one name, each with its numbers from the character ``cut`` on."""
        texts, codes = self.texts, self.codes
        self.doors.setdefault(name, []).extend([texts[row][cut:] + CODE_FROM + codes[row] for row in rows])
        self.rows.setdefault(name, []).extend(rows)

    def add_one(self, text: str, row: int) -> None:
        """A row under an address in normal form."""
        line = text[_cut(text) :] + CODE_FROM + self.codes[row]
        name = name_of(text)
        self.doors.setdefault(name, []).append(line)
        self.rows.setdefault(name, []).append(row)


def index_addresses(
    codes: Sequence[str], texts: Sequence[str], former: Sequence[str | None], x: Floats, y: Floats
) -> AddressIndex:
    """Gather n addresses under their names and their former names; ``x``, ``y`` in degrees."""
    present, past = _Names(texts, codes), _Names(texts, codes)
    for start in range(0, len(texts), _BLOCK):
        _gather(present, range(start, min(start + _BLOCK, len(texts))))
    for row, given in enumerate(former):
        if given:
            for text in former_texts(normal(texts[row]), given):
                past.add_one(text, row)
    entries = [
        (name, doors, gathered.rows[name], gathered is past)
        for gathered in (present, past)
        for name, doors in gathered.doors.items()
        if name
    ]
    entries.sort(key=lambda entry: -len(entry[1]))
    extents = np.empty((len(entries), 4))
    for number, (_, _, rows, _) in enumerate(entries):
        xs, ys = x[rows], y[rows]
        extents[number] = xs.min(), ys.min(), xs.max(), ys.max()
    return AddressIndex(
        names=[name for name, _, _, _ in entries],
        doors=[DOOR_END.join(doors) for _, doors, _, _ in entries],
        counts=[len(doors) for _, doors, _, _ in entries],
        former=[is_former for _, _, _, is_former in entries],
        extents=extents,
        commonness=_commonness([name for name, _, _, _ in entries]),
    )


def _gather(into: _Names, rows: range) -> None:
    """Rows by skeleton: the text with every digit as 0. Few differ, and only those are looked at one by one."""
    texts = [into.texts[row] for row in rows]
    skeletons = "\n".join(texts).encode().translate(_AS_ZERO).decode().split("\n")
    if len(skeletons) != len(texts):  # a line break within an address
        skeletons = [text.encode().translate(_AS_ZERO).decode() for text in texts]
    by_skeleton: dict[str, list[int]] = {}
    for row, skeleton in zip(rows, skeletons, strict=True):
        found = by_skeleton.get(skeleton)
        if found is None:
            by_skeleton[skeleton] = [row]
        else:
            found.append(row)
    names = into.shared
    for skeleton, same in by_skeleton.items():
        short = _ZEROS.sub("0", skeleton)
        if short not in names:
            names[short] = _shared_name(short)
        name = names[short]
        if name is None:
            for row in same:
                into.add_one(normal(into.texts[row]), row)
        else:
            into.add(name, same, _cut(skeleton))


def _cut(text: str) -> int:
    """Where the part of an address begins that may hold numbers, with the character before it, which tells what they are."""
    first = _NO_WORD.search(text)
    return len(text) if first is None else max(first.start() - 1, 0)


def _shared_name(skeleton: str) -> str | None:
    """The name of all texts of this skeleton; None where it takes the digits of each to tell."""
    address = parse(skeleton)
    written = all(set(number.value) <= _PLACEHOLDERS for number in address.numbers)
    told_apart = "0" not in address.name and not _NOUGHT.search(skeleton)
    return address.name if written and told_apart else None


def _commonness(names: Sequence[str]) -> Commonness:
    """Counted on a sample where there are very many names."""
    step = max(1, len(names) // _SAMPLE)
    sample = names[::step]
    counted = Counter(chain.from_iterable(map(grams, sample)))
    least = max(8, len(names) // 1_000)
    frequent = {gram: n * step for gram, n in counted.items() if n * step >= least}
    return Commonness(len(names), least, frequent)


def doors_of(listed: str) -> Iterable[tuple[str, str]]:
    """The doors of a name: the text with its numbers, and the address's code."""
    for line in listed.split(DOOR_END):
        text, _, code = line.partition(CODE_FROM)
        yield text, code
