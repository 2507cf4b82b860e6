"""A wall (大屏) as plain data: which area it shows, which layers, and its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from gis_server.core.access import Actor, Role, Territory, Tier
from gis_server.core.catalogue import Catalogue, LayerKind
from gis_server.core.message import Words
from gis_server.core.scene import Tour
from gis_server.core.wall_figures import Alarm

CITY = "city"
"""The wall of the whole deployment."""


@dataclass(frozen=True, slots=True)
class Wall:
    """One big screen: the whole deployment (``city``) or one area, named by its code."""

    id: str
    title: Words
    territory: Territory


@dataclass(frozen=True, slots=True)
class Figures:
    """The counts at the top of a wall."""

    open: int
    urgent: int
    overdue: int
    today: int
    done_today: int


@dataclass(frozen=True, slots=True)
class HallIncident:
    """What the hall may know of an incident: where and how it stands; no person, no text, no item.

    ``is_overdue`` is so at the moment of telling; ``due_at`` lets a screen that hears nothing more see it for itself.
    """

    number: str
    lon: float
    lat: float
    state: str
    is_urgent: bool
    grid_code: str | None
    grid_name: str | None
    township_code: str | None
    discovered_at: datetime
    due_at: datetime | None = None
    is_overdue: bool = False

    def as_json(self) -> dict[str, object]:
        """The payload of the live stream and the properties on the wall's map."""
        return {
            "number": self.number,
            "lon": self.lon,
            "lat": self.lat,
            "state": self.state,
            "is_urgent": self.is_urgent,
            "grid_code": self.grid_code,
            "grid_name": self.grid_name,
            "township_code": self.township_code,
            "discovered_at": self.discovered_at.isoformat(),
            "due_at": None if self.due_at is None else self.due_at.isoformat(),
            "is_overdue": self.is_overdue,
        }


@dataclass(frozen=True, slots=True)
class WallState:
    """All a wall shows at one moment. ``position`` is the place in the event stream from which to go on.

    ``incidents`` are the newest, all of them since ``complete_since`` (None: all there are); of those before only the longest
    overdue. The tour begins with its first scene at ``tour_start``, the beginning of the local day, and turns from there;
    ``alarms`` are those that may have stopped it since, and of earlier ones those that still call; ``sent_scene`` is what the
    desk last sent.
    """

    wall: Wall
    generated_at: datetime
    position: int
    bounds: tuple[float, float, float, float] | None
    figures: Figures
    incidents: Sequence[HallIncident]
    complete_since: datetime | None
    open_by_grid: Mapping[str, int]
    layers: Sequence[str]
    tour: Tour
    tour_start: datetime
    alarms: Sequence[Alarm]
    sent_scene: Mapping[str, object] | None


def city_wall() -> Wall:
    """The wall of the whole deployment."""
    return Wall(CITY, Words("全市网格运行", "The whole city"), Territory())


def area_wall(code: str, name: str, path: tuple[str, ...]) -> Wall:
    """The wall of one area; ``path`` are the codes of its areas from the county down to itself."""
    return Wall(code, Words(f"{name}网格运行", name), Territory(path))


def layers_on_wall(catalogue: Catalogue) -> tuple[str, ...]:
    """Names of the layers that a wall draws: all the hall may see, except what happened (that comes live)."""
    return tuple(layer.name for layer in catalogue.visible(Tier.HALL) if layer.kind is not LayerKind.RECORD)


def display(wall: Wall, label: str) -> Actor:
    """The actor a screen is: the hall tier, inside the wall's area, bound to this wall."""
    return Actor(None, label, Role.DISPLAY, wall.territory, Tier.HALL, wall.id)


def home_wall(actor: Actor) -> str:
    """The wall that is an actor's own: a screen's, that of the area he answers for, or the city's."""
    return actor.wall_id or actor.territory.code or CITY
