"""How well an address fits what somebody asked for, and why.

A score is the share of the asked name that is found, in order, in the address's name, times a factor for its numbers; 1 is
the same address. Characters count by how rare they are among all names: 云澜市 tells little, 锦泰 tells much. Leaving
something out costs little, asking for what is not there costs much.

All weights are ours; no document has any.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gis_server.core.address_index import Commonness
from gis_server.core.address_numbers import NO_NUMBER, Difference, compare_numbers
from gis_server.core.address_text import MOST_QUERY, Number, grams, parse, segments
from gis_server.core.errors import UnusableInput
from gis_server.core.message import Message, msg

Floats = NDArray[np.float64]

LEAST_SCORE = 0.45
"""Below this an address is not worth showing."""

CLOSE = 0.04
"""Two scores this near are no decision."""

MOST_POSTINGS = 3_000
"""Names looked at for a question, by its rarest grams first."""

_SMOOTH = 20
_RARE = 0.3
_COMMON_WEIGHT = 0.15
_ROAD_WEIGHT = 0.5
_ROAD_WORDS = frozenset("路街巷道弄")  # common, but 祥台路 is not 祥台街
_OMITTED_NAME = 0.15
_SCATTERED = 0.1
_OUT_OF_ORDER = 0.92
_MID_WORD = 0.03
_PART_ENDS = frozenset("省市县区镇乡道村屯庄路街巷弄苑园院城同")
_FORMER = 0.98

_UPPER = re.compile(r"^.{2,8}?(?:省|自治区|地区|自治州|盟)")
_CITY_ABOVE = re.compile(r"^.{2,6}?市(?=.{2,6}?[市县区旗])")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in parts. ``unchecked`` are the areas above the county that it names: no address says them."""

    text: str
    name: str
    numbers: tuple[Number, ...]
    unchecked: str = ""


@dataclass(frozen=True, slots=True)
class Fit:
    """One address and how it fits; ``name`` is the name by which it was found, ``former`` if that is a former one."""

    code: str
    name: str
    is_former: bool
    score: float
    differences: tuple[Difference, ...]
    beyond: tuple[Number, ...]
    omitted: int

    @property
    def agrees(self) -> bool:
        """Whether nothing that was asked differs."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Reading:
    """Which grams find the names worth comparing; ``is_rare`` False where even the rarest is too common for all of them."""

    grams: tuple[str, ...]
    is_rare: bool


def ask(query: str) -> Asked:
    """Take a question apart; UnusableInput if there is nothing to search for."""
    if len(query) > MOST_QUERY or "\x00" in query:
        raise UnusableInput(
            msg("地址最多 {most} 个字。", most=MOST_QUERY),
            field="q",
            expected=msg("1 到 {most} 个字的文字", most=MOST_QUERY),
        )
    address = parse(query)
    if not address.text:
        raise UnusableInput(
            msg("请写出要查的地址。"), field="q", expected=msg("路名、村名或小区名，及门牌号")
        )
    name = address.name
    for above in (_UPPER, _CITY_ABOVE):
        if (found := above.match(name)) is not None and len(found[0]) < len(name):
            name = name[found.end() :]
    return Asked(address.text, name, address.numbers, address.name[: len(address.name) - len(name)])


# --- names ---


def weight(letter: str, common: Commonness) -> float:
    """How much a character tells, from ``_COMMON_WEIGHT`` to 1."""
    most = math.log(common.names + _SMOOTH)
    told = math.log((common.names + _SMOOTH) / (common.frequent.get(letter, 0) + 1)) / most
    least = _ROAD_WEIGHT if letter in _ROAD_WORDS else _COMMON_WEIGHT
    return max(least, min(1.0, told / _RARE))


def reading(name: str, common: Commonness) -> Reading:
    """The rarest grams of a name, as many as are not too many names together."""
    by_rarity = sorted(grams(name), key=lambda gram: (common.of(gram), -len(gram)))
    if not by_rarity:
        return Reading((), is_rare=True)
    if common.of(by_rarity[0]) > MOST_POSTINGS:
        return Reading((by_rarity[0],), is_rare=False)
    chosen: list[str] = []
    postings = 0
    for gram in by_rarity:
        postings += common.of(gram)
        if postings > MOST_POSTINGS and chosen:
            break
        chosen.append(gram)
    return Reading(tuple(chosen), is_rare=True)


def name_scores(asked: str, names: Sequence[str], common: Commonness) -> Floats:
    """How well each of n names holds the asked one, 0 … 1."""
    if not names or not asked:
        return np.zeros(len(names))
    width = max(map(len, names))
    letters = np.array(names, dtype=f"U{width}").view(np.uint32).reshape(len(names), width)
    known, place = np.unique(letters, return_inverse=True)
    weights = np.array([weight(chr(letter), common) if letter else 0.0 for letter in known.tolist()])
    said_of = weights[place.reshape(letters.shape)].sum(axis=1)
    own = [weight(letter, common) for letter in asked]
    whole = sum(own)
    share = _in_order(asked, own, letters) / whole
    pairs = list(map(str.__add__, asked, asked[1:]))
    beside = np.ones(len(names))
    for row, name in enumerate(names):
        together = [pair in name for pair in pairs]
        if all(together):
            beside[row] = 1.0 if _begins_part(asked, name) else 1 - _MID_WORD / _SCATTERED
            continue
        beside[row] = sum(together) / len(pairs)
        covered = sum(
            told
            for at, told in enumerate(own)
            if (at < len(together) and together[at]) or (at > 0 and together[at - 1])
        )
        share[row] = max(share[row], _OUT_OF_ORDER * covered / whole)
    said = np.minimum(1.0, share * whole / said_of)
    scores: Floats = share * (1 - _OMITTED_NAME * (1 - said)) * (1 - _SCATTERED * (1 - beside))
    return scores


def _begins_part(asked: str, name: str) -> bool:
    """Whether the asked name begins where a part of ``name`` does, and not in the middle of a word."""
    at = name.find(asked)
    return at <= 0 or name[at - 1] in _PART_ENDS


def _in_order(asked: str, own: Sequence[float], letters: NDArray[np.uint32]) -> Floats:
    """The weight of the heaviest common subsequence with each name, all names at once."""
    best = np.zeros((letters.shape[0], letters.shape[1] + 1))
    for letter, told in zip(asked, own, strict=True):
        taken = best[:, :-1] + np.where(letters == ord(letter), told, 0.0)
        best[:, 1:] = np.maximum(best[:, 1:], taken)
        np.maximum.accumulate(best, axis=1, out=best)
    heaviest: Floats = best[:, -1]
    return heaviest


def name_differences(asked: str, name: str, known_areas: Sequence[str] = ()) -> tuple[Difference, ...]:
    """The parts of the asked name that ``name`` does not have, each with what stands there instead.

    ``known_areas`` are the areas in which the address lies: to name one of them is no difference.
    """
    matched, gaps = _aligned(asked, name)
    for area in known_areas:
        at = asked.find(area)
        if at >= 0:
            matched[at : at + len(area)] = [True] * len(area)
    found: list[Difference] = []
    at = 0
    own = segments(name)
    for part in segments(asked):
        missing = [place for place in range(at, at + len(part)) if not matched[place]]
        if missing:
            instead = _segment_at(own, gaps[missing[0]])
            found.append(Difference(None, part, None if instead in asked else instead))
        at += len(part)
    return tuple(found)


def _aligned(asked: str, name: str) -> tuple[list[bool], list[int]]:
    """Which characters of ``asked`` are found in order in ``name``, and for each where in ``name`` it stands or would."""
    rows, columns = len(asked), len(name)
    best = [[0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            same = best[i + 1][j + 1] + 1 if asked[i] == name[j] else 0
            best[i][j] = max(same, best[i + 1][j], best[i][j + 1])
    matched, places = [False] * rows, [-1] * rows
    i = j = 0
    while i < rows:
        places[i] = j if places[i] < 0 else places[i]
        if j < columns and asked[i] == name[j] and best[i][j] == best[i + 1][j + 1] + 1:
            matched[i] = True
            i, j = i + 1, j + 1
        elif j < columns and best[i][j + 1] == best[i][j]:
            j += 1
        else:
            i += 1
    return matched, places


def _segment_at(parts: Sequence[str], place: int) -> str:
    end = 0
    for part in parts:
        end += len(part)
        if place < end:
            return part
    return parts[-1] if parts else ""


# --- addresses ---


def fit_doors(
    asked: Asked, name: str, name_score: float, doors: Sequence[tuple[str, str]], *, is_former: bool
) -> list[Fit]:
    """The doors of one name, each with its score."""
    differences = name_differences(asked.name, name)
    found = []
    for text, code in doors:
        fit = compare_numbers(asked.numbers, parse(text).numbers) if asked.numbers else NO_NUMBER
        score = name_score * fit.factor * (_FORMER if is_former else 1.0)
        found.append(
            Fit(
                code,
                name,
                is_former,
                round(score, 4),
                (*differences, *fit.differences),
                fit.beyond,
                fit.omitted,
            )
        )
    return found


class Verdict(StrEnum):
    """What a search comes to."""

    EXACT = "exact"  # one address, and nothing that was asked differs from it
    AMBIGUOUS = "ambiguous"  # several fit as well
    NO_EXACT_MATCH = "no_exact_match"  # the best one differs in something that was asked
    NONE = "none"


def judge(fits: Sequence[Fit]) -> Verdict:
    """Whether the best of these (best first) is the one that was asked for."""
    if not fits or fits[0].score < LEAST_SCORE:
        return Verdict.NONE
    best = fits[0]
    if not best.agrees:
        return Verdict.NO_EXACT_MATCH
    rivals = [fit for fit in fits[1:] if fit.code != best.code and fit.agrees and _is_rival(best, fit)]
    return Verdict.AMBIGUOUS if rivals else Verdict.EXACT


def _is_rival(best: Fit, other: Fit) -> bool:
    """Whether ``other`` may be meant as well; a door within the door that was asked for is none."""
    if best.omitted == 0 and other.omitted > 0 and other.name == best.name:
        return False
    return other.score >= best.score - CLOSE


def verdict_message(verdict: Verdict, best: Fit | None) -> Message:
    """The verdict as a sentence."""
    if verdict is Verdict.NONE or best is None:
        return msg("没有找到这个地址，请写出路名、村名或小区名，再加门牌号。")
    if verdict is Verdict.EXACT:
        return msg("找到一个地址。")
    if verdict is Verdict.AMBIGUOUS:
        return msg("没有完全一致的一个地址：有几个同样符合，请选择，或写得更详细。")
    return msg("没有完全一致的地址：{what}。下面是最接近的。", what=difference_message(best.differences[0]))


def difference_message(difference: Difference) -> Message:
    """One difference as half a sentence."""
    if difference.part is None:
        if difference.found is None:
            return msg("“{asked}”在这个地址中没有", asked=difference.asked)
        return msg("“{asked}”在地址库中是“{found}”", asked=difference.asked, found=difference.found)
    if difference.found is None:
        return msg("没有{part} {asked}", part=difference.part.words, asked=difference.asked)
    return msg(
        "{part}要找 {asked}，这里是 {found}",
        part=difference.part.words,
        asked=difference.asked,
        found=difference.found,
    )
