"""Rankings (排名) of grids and workers by what was completed in a week, a month or a year (gansu 三(二)4, 四(二)2)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from gis_server.core.parameter import Origin
from gis_server.core.profile import Profile
from gis_server.core.vocabulary import Period, RankingUnit, SourceStatus

PERIODS = (Period.WEEK, Period.MONTH, Period.YEAR)
"""The periods that can be ranked, shortest first."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """The local days of one period, ``until`` left out; a closed one lies wholly in the past."""

    period: Period
    since: date
    until: date
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a ranking: equal numbers share a place, and the next one counts all before it (1, 2, 2, 4)."""

    place: int
    code: str
    completed: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """A ranking of grids in a stretch of time, best first; counts and codes only, for the hall."""

    stretch: Stretch
    places: Sequence[Place]

    def as_json(self) -> dict[str, object]:
        """The answer of the API."""
        return {
            "period": self.stretch.period,
            "since": self.stretch.since,
            "until": self.stretch.until,
            "is_closed": self.stretch.is_closed,
            "places": [asdict(place) for place in self.places],
        }


@dataclass(frozen=True, slots=True)
class WorkerPlace:
    """A place of the workers' ranking, which is published inside only (taizhou 7.3; requirements 8.3)."""

    place: int
    name: str
    completed: int


def ranked_periods(profile: Profile, unit: RankingUnit) -> tuple[Period, ...]:
    """The periods by which a deployment ranks a unit, shortest first.

    A document in force that is silent on rankings has none until an operator chooses them (S29, heihe); a draft or a trial leaves
    room for the product's own.
    """
    rules = profile.appraisal
    is_binding = profile.identity.source_status.value is SourceStatus.IN_FORCE
    if is_binding and rules.ranking_periods.origin is Origin.DEFAULT:
        return ()
    if unit not in rules.ranking_units.value:
        return ()
    return tuple(period for period in PERIODS if period in rules.ranking_periods.value)


def running(period: Period, today: date) -> Stretch:
    """The week (from Monday), month or year that ``today`` lies in."""
    if period is Period.WEEK:
        since = today - timedelta(days=today.weekday())
        return Stretch(period, since, since + timedelta(days=7), is_closed=False)
    if period is Period.MONTH:
        since = today.replace(day=1)
        return Stretch(period, since, (since + timedelta(days=31)).replace(day=1), is_closed=False)
    if period is Period.YEAR:
        since = date(today.year, 1, 1)
        return Stretch(period, since, date(today.year + 1, 1, 1), is_closed=False)
    raise ValueError(f"no ranking by {period}")


def closed(period: Period, today: date) -> Stretch:
    """The last period that was over when ``today`` began."""
    before = running(period, running(period, today).since - timedelta(days=1))
    return Stretch(period, before.since, before.until, is_closed=True)


def placed(completed: Mapping[str, int]) -> list[Place]:
    """The places by what was completed, most first, ties by code; what completed nothing has no place."""
    ordered = sorted(
        ((code, number) for code, number in completed.items() if number > 0),
        key=lambda one: (-one[1], one[0]),
    )
    places: list[Place] = []
    for position, (code, number) in enumerate(ordered, start=1):
        shares = places and places[-1].completed == number
        places.append(Place(places[-1].place if shares else position, code, number))
    return places


def first(places: Sequence[Place], most: int) -> list[Place]:
    """The first ``most`` places and whoever shares the last of them."""
    if len(places) <= most:
        return list(places)
    return [place for place in places if place.place <= places[most - 1].place]
