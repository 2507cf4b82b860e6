"""Who may see and do what: tiers (requirements 8.1), roles and territory (8.1, last paragraph).

The tiers are ordered; whoever holds one sees it and everything below it. No document names them:
they are the product's reading of heilongjiang 8.1.4, heihe 24(2) and zhenjiang 41.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from gis_server.core.errors import NotAllowed, SignInRequired
from gis_server.core.message import msg


class Tier(IntEnum):
    """Access tiers, lowest first."""

    PUBLIC = 0
    HALL = 1
    INTERNAL = 2
    PROTECTED = 3

    @property
    def key(self) -> str:
        """The tier's word in layer files and JSON."""
        return self.name.lower()


class Role(StrEnum):
    """What an account is for."""

    ADMIN = "admin"
    APPROVER = "approver"
    PLANNER = "planner"
    ANALYST = "analyst"
    OPERATOR = "operator"
    GRID_WORKER = "grid_worker"
    HANDLING_UNIT = "handling_unit"
    DISPLAY = "display"
    VISITOR = "visitor"


class Act(StrEnum):
    """What a journey asks permission for."""

    READ_LAYERS = "read_layers"
    IMPORT_LAYER = "import_layer"
    OFFER_LAYER = "offer_layer"
    PUBLISH_LAYER = "publish_layer"
    EXPORT_LAYER = "export_layer"
    ROUTE = "route"
    REPORT_INCIDENT = "report_incident"
    READ_INCIDENTS = "read_incidents"
    MOVE_INCIDENT = "move_incident"
    SHOW_WALL = "show_wall"
    MANAGE_WALL_LINKS = "manage_wall_links"
    STEER_WALL = "steer_wall"
    READ_ROSTER = "read_roster"
    IMPORT_ROSTER = "import_roster"
    MANAGE_ACCOUNTS = "manage_accounts"


_EVERYBODY_AT_WORK = frozenset(
    {Act.READ_LAYERS, Act.ROUTE, Act.REPORT_INCIDENT, Act.READ_INCIDENTS, Act.SHOW_WALL}
)

MAY: dict[Role, frozenset[Act]] = {
    Role.ADMIN: frozenset(Act),
    Role.APPROVER: _EVERYBODY_AT_WORK
    | {Act.IMPORT_LAYER, Act.OFFER_LAYER, Act.PUBLISH_LAYER, Act.EXPORT_LAYER}
    | {Act.READ_ROSTER, Act.IMPORT_ROSTER},
    Role.PLANNER: _EVERYBODY_AT_WORK
    | {Act.IMPORT_LAYER, Act.OFFER_LAYER, Act.EXPORT_LAYER, Act.READ_ROSTER, Act.IMPORT_ROSTER},
    Role.ANALYST: _EVERYBODY_AT_WORK | {Act.EXPORT_LAYER},
    Role.OPERATOR: _EVERYBODY_AT_WORK
    | {Act.MANAGE_WALL_LINKS, Act.STEER_WALL, Act.MOVE_INCIDENT, Act.READ_ROSTER},
    # a worker sees and moves what happens in his own grids, and what he reported
    Role.GRID_WORKER: frozenset(
        {Act.READ_LAYERS, Act.ROUTE, Act.REPORT_INCIDENT, Act.READ_INCIDENTS, Act.MOVE_INCIDENT}
    ),
    # a department sees and moves what was dispatched to it, and may bring its own division to be looked at (V12)
    Role.HANDLING_UNIT: frozenset({Act.READ_LAYERS, Act.READ_INCIDENTS, Act.MOVE_INCIDENT, Act.OFFER_LAYER}),
    Role.DISPLAY: frozenset({Act.READ_LAYERS, Act.SHOW_WALL}),
    Role.VISITOR: frozenset(),
}

ONE_BY_ONE = frozenset({Role.GRID_WORKER, Role.HANDLING_UNIT})
"""Roles that are shown their own incidents, and not all of a territory."""

TIER_OF: dict[Role, Tier] = {
    Role.VISITOR: Tier.PUBLIC,
    Role.DISPLAY: Tier.HALL,
    # of other units' incidents a department knows what the hall knows; its own are opened to it one by one
    Role.HANDLING_UNIT: Tier.HALL,
}


@dataclass(frozen=True, slots=True)
class Territory:
    """An area an account answers for: its code and those of the areas above it, county first.

    ``path`` ends with ``code``. The empty path is the whole deployment.
    """

    path: tuple[str, ...] = ()

    @property
    def code(self) -> str | None:
        """The area's own code; None for the whole deployment."""
        return self.path[-1] if self.path else None

    def holds(self, path: tuple[str, ...]) -> bool:
        """Whether a place, given by the codes of its areas from the county down, lies in this territory."""
        return path[: len(self.path)] == self.path


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody (or a screen, or a program) on whose behalf a journey runs.

    ``grids`` are the grids of a worker whom the roster posts somewhere; None where the territory is all that is known.
    """

    account_id: int | None
    name: str
    role: Role
    territory: Territory = Territory()
    tier: Tier = Tier.INTERNAL
    wall_id: str | None = None
    grids: frozenset[str] | None = None

    def may(self, act: Act) -> bool:
        """Whether this actor's role allows ``act`` at all."""
        return act in MAY[self.role]

    def require(self, act: Act, path: tuple[str, ...] | None = None) -> None:
        """Raise SignInRequired or NotAllowed unless this actor may do ``act`` (at the place ``path``)."""
        if not self.may(act):
            if self.role is Role.VISITOR:
                raise SignInRequired(msg("请先登录。"))
            raise NotAllowed(msg("您的岗位不能进行此项操作。"))
        if path is not None and not self.territory.holds(path):
            raise NotAllowed(msg("该地点不在您的辖区内。"))


VISITOR = Actor(None, "visitor", Role.VISITOR, tier=Tier.PUBLIC)
"""Nobody signed in."""

CONSOLE = Actor(None, "console", Role.ADMIN, tier=Tier.PROTECTED)
"""The person at the server's own command line, who already holds the files and the database."""
