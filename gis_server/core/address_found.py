"""What a search for an address comes to: addresses with their places, how they fit, and one verdict over all of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gis_server.core.address_index import Commonness
from gis_server.core.address_match import (
    LEAST_SCORE,
    Asked,
    Fit,
    Verdict,
    difference_message,
    judge,
    name_differences,
    name_scores,
    verdict_message,
)
from gis_server.core.address_text import normal
from gis_server.core.boundaries import Place
from gis_server.core.message import Message, msg

_STAND_BACK = 0.03


@dataclass(frozen=True, slots=True)
class KnownAddress:
    """One address as it is kept; longitude and latitude in CGCS2000 degrees."""

    code: str
    standard_address: str
    lon: float
    lat: float
    former_names: str | None = None


@dataclass(frozen=True, slots=True)
class FoundAddress:
    """An address, its grid and sub-grid at the time in question, and how it fits the question."""

    address: KnownAddress
    place: Place
    fit: Fit
    identical: bool

    def why(self, asked: Asked) -> list[Message]:
        """What agrees only in part, one sentence each; the best case is one sentence."""
        said = [difference_message(difference) for difference in self.fit.differences]
        said += [
            msg("地址库没有细到{part} {asked}", part=number.part.words, asked=number.value)
            for number in self.fit.beyond
        ]
        if self.fit.is_former:
            said.append(msg("按曾用名找到：{name}", name=self.address.former_names or self.fit.name))
        if asked.unchecked:
            said.append(msg("未核对“{area}”", area=asked.unchecked))
        if self.identical:
            said.insert(0, msg("与标准地址一致"))
        elif not self.fit.differences:
            said.insert(0, msg("所写的都符合"))
        return said


@dataclass(frozen=True, slots=True)
class AddressAnswer:
    """The answer to a question: the best addresses first, and whether one of them is the one that was asked for."""

    asked: Asked
    verdict: Verdict
    found: tuple[FoundAddress, ...]
    generation: int | None

    @property
    def message(self) -> Message:
        """The verdict as a sentence."""
        return verdict_message(self.verdict, self.found[0].fit if self.found else None)

    @property
    def the_one(self) -> FoundAddress | None:
        """The address that was asked for; None where that is not certain."""
        return self.found[0] if self.verdict is Verdict.EXACT else None


def in_its_areas(asked: Asked, fit: Fit, place: Place, common: Commonness) -> Fit:
    """The fit, when names of areas that were asked for are those in which the address lies, though it does not say so."""
    rest = asked.name
    for area in map(normal, place.area_names):
        if area not in fit.name:
            rest = rest.replace(area, "", 1)
    if rest == asked.name or not rest:
        return fit
    before, after = name_scores(asked.name, [fit.name], common), name_scores(rest, [fit.name], common)
    numbers = tuple(difference for difference in fit.differences if difference.part is not None)
    # the numbers' factor stays what it was
    score = fit.score * float(after[0] / before[0]) if before[0] > 0 else 0.0
    return replace(
        fit, score=round(min(score, 1.0), 4), differences=(*name_differences(rest, fit.name), *numbers)
    )


@dataclass(frozen=True, slots=True)
class Ranked:
    """A fit with the address it is about."""

    fit: Fit
    address: KnownAddress
    identical: bool


def ranked(asked: Asked, fits: Sequence[Fit], known: Mapping[str, KnownAddress]) -> list[Ranked]:
    """Fits that are worth showing, each address once: the identical one, then the best.

    Each further address of one name stands back a little, so that other names that are about as good are seen too.
    """
    once: dict[str, Ranked] = {}
    for fit in sorted(fits, key=lambda fit: -fit.score):
        if fit.score >= LEAST_SCORE and fit.code in known:
            address = known[fit.code]
            identical = normal(address.standard_address) == asked.text
            once.setdefault(fit.code, Ranked(fit, address, identical))
    ordered = sorted(once.values(), key=lambda one: (not one.identical, -one.fit.score))
    turns: Counter[str] = Counter()
    places: list[tuple[bool, float, int]] = []
    for number, one in enumerate(ordered):
        places.append((not one.identical, _STAND_BACK * turns[one.fit.name] - one.fit.score, number))
        turns[one.fit.name] += 1
    return [ordered[number] for *_, number in sorted(places)]


def verdict_of(told: Sequence[Ranked]) -> Verdict:
    """Whether the first of these is the one that was asked for."""
    same = sum(one.identical for one in told)
    return Verdict.EXACT if same == 1 else judge([one.fit for one in told])
