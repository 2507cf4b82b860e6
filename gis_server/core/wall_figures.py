"""What the panels of a wall count: numbers of incidents and cameras, never a person, an item or a text."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

HOURS = 48
"""Hours of reports on a wall: the last 24 and, to compare, the 24 before."""

DAYS = 14
"""Days of reports and completions: the last 7 and, to compare, the 7 before; today included."""

WEEKS = 8
"""Weeks of which the share completed on time is shown."""

HEAT_DAYS = 30
"""Days whose reports colour the grids of the heat scene and are counted by township and by hour of the day."""

AGES_H = (24, 72, 168)
"""Bounds of the classes by how long incidents have been open, hours."""

DUE_H = (0, 24, 72)
"""Bounds of the classes by how long open incidents have left, hours."""


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What was reported and what was completed on one local day."""

    day: date
    reported: int
    done: int


@dataclass(frozen=True, slots=True)
class WeekFigures:
    """What was completed in seven days, and how long half of it took at most.

    ``timed`` of it had a clock that ran here (what was taken over from elsewhere had none), ``late`` after that had run out.
    """

    done: int
    late: int
    timed: int
    median_hours: float | None = None


@dataclass(frozen=True, slots=True)
class TownFigures:
    """One township of the wall; ``bounds`` are west, south, east, north.

    ``week`` and ``week_before`` count what was reported in seven days, ``reported`` in ``HEAT_DAYS``.
    """

    code: str
    name: str
    bounds: tuple[float, float, float, float]
    open: int
    urgent: int
    overdue: int
    today: int
    done_today: int
    week: int
    week_before: int
    reported: int


@dataclass(frozen=True, slots=True)
class GridFigures:
    """One grid with something to count."""

    grid_code: str
    open: int
    overdue: int
    reported: int


@dataclass(frozen=True, slots=True)
class CameraFigures:
    """Cameras of one site class and status in one township; None where a camera has no status or lies in no township."""

    town: str | None
    site_class: str
    status: str | None
    count: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """All that the panels of a wall need beside the incidents themselves.

    ``hours[0]`` is the hour that just ran, ``days`` end with today, ``weeks[0]`` are the last seven days, ``by_hour[0]`` is the
    hour after midnight. ``ages`` and ``due`` count the open incidents by the classes of ``AGES_H`` and ``DUE_H``; those without a
    deadline are in none of the latter. ``month`` and ``month_before`` count what was reported in ``HEAT_DAYS``.
    """

    generated_at: datetime
    hours: Sequence[int]
    days: Sequence[DayFigures]
    weeks: Sequence[WeekFigures]
    states: Mapping[str, int]
    ages: Sequence[int]
    due: Sequence[int]
    by_hour: Sequence[int]
    month: int
    month_before: int
    towns: Sequence[TownFigures]
    grids: Sequence[GridFigures]
    cameras: Sequence[CameraFigures]

    def as_json(self) -> dict[str, object]:
        """The answer of the API."""
        return {
            "generated_at": self.generated_at,
            "hours": list(self.hours),
            "days": [asdict(day) for day in self.days],
            "weeks": [asdict(week) for week in self.weeks],
            "states": dict(self.states),
            "ages": list(self.ages),
            "due": list(self.due),
            "by_hour": list(self.by_hour),
            "month": self.month,
            "month_before": self.month_before,
            "towns": [asdict(town) for town in self.towns],
            "grids": [asdict(grid) for grid in self.grids],
            "cameras": [asdict(camera) for camera in self.cameras],
        }


@dataclass(frozen=True, slots=True)
class Alarm:
    """An urgent incident of today that called the hall; ``ended_at`` is None while nobody has answered it."""

    id: int
    number: str
    lon: float
    lat: float
    grid_code: str | None
    grid_name: str | None
    township_code: str | None
    raised_at: datetime
    ended_at: datetime | None

    def as_json(self) -> dict[str, object]:
        """As the wall has it; without the row id, by which only the desk acts."""
        return {name: value for name, value in asdict(self).items() if name != "id"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """One incident of the last 24 hours, for the replay: where, and from when to when it was open."""

    lon: float
    lat: float
    is_urgent: bool
    begun_at: datetime
    ended_at: datetime | None
