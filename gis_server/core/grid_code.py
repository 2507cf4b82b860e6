"""The 15-digit grid code (heilongjiang 6.4.2): 6 + 3 + 3 digits of the committee, 3 of the grid's sequence."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gis_server.core.message import Message, msg

_DIGITS = re.compile(r"[0-9]{15}")


@dataclass(frozen=True, slots=True)
class GridCode:
    """The segments of a code: county and above, township, community, sequence."""

    county: str
    township: str
    community: str
    sequence: int

    @property
    def committee(self) -> str:
        """The 12 digits of the residents' or villagers' committee."""
        return self.county + self.township + self.community

    def __str__(self) -> str:
        return f"{self.committee}{self.sequence:03d}"


def parse(code: str) -> GridCode | Message:
    """The segments, or what is wrong with the text (R1, R2, R5)."""
    if not _DIGITS.fullmatch(code) or not code.isascii():
        if len(code) != 15:
            return msg("编码“{code}”有 {length} 位，应为 15 位数字", code=code, length=len(code))
        return msg("编码“{code}”含有 0–9 以外的字符", code=code)
    if code[12:] == "000":
        return msg("编码“{code}”的末三位为 000，应从 001 起", code=code)
    return GridCode(code[:6], code[6:9], code[9:12], int(code[12:]))


@dataclass(frozen=True, slots=True)
class SequenceFault:
    """What is wrong with the numbers of one community: missing ones (R6), or exclusive grids before ordinary (R8)."""

    committee: str
    missing: tuple[int, ...]
    exclusive_first: tuple[int, ...]  # rows of exclusive grids numbered below an ordinary one


def sequence_faults(codes: Mapping[int, GridCode], exclusive: Sequence[bool] | None) -> list[SequenceFault]:
    """Check that each community's numbers are 1..n, exclusive grids last; ``codes`` by row (R6–R8).

    A number that is used twice is a duplicate code and not told again here.
    """
    by_committee: dict[str, list[int]] = defaultdict(list)
    for row, code in codes.items():
        by_committee[code.committee].append(row)
    faults = []
    for committee, rows in sorted(by_committee.items()):
        numbers = {codes[row].sequence for row in rows}
        missing = tuple(n for n in range(1, max(numbers)) if n not in numbers)
        early: tuple[int, ...] = ()
        if exclusive is not None:
            last_ordinary = max((codes[r].sequence for r in rows if not exclusive[r]), default=0)
            early = tuple(r for r in rows if exclusive[r] and codes[r].sequence < last_ordinary)
        if missing or early:
            faults.append(SequenceFault(committee, missing, early))
    return faults
