"""Accounts and the revocable links by which screens sign in."""

from dataclasses import dataclass
from datetime import datetime

from gis_server.core.access import TIER_OF, Actor, Role, Territory, Tier
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in. ``session_epoch`` rises when every open session of the account must end."""

    id: int
    login: str
    name: str
    role: Role
    tier: Tier
    area_path: tuple[str, ...]
    disabled_at: datetime | None
    created_at: datetime
    session_epoch: int

    @property
    def actor(self) -> Actor:
        """On whose behalf its journeys run; a role's own limit lowers the tier."""
        tier = min(self.tier, TIER_OF.get(self.role, Tier.PROTECTED))
        return Actor(self.id, self.login, self.role, Territory(self.area_path), tier)


@dataclass(frozen=True, slots=True)
class WallLink:
    """A link that opens one wall on a screen without an account, until it expires or is revoked."""

    id: int
    wall_id: str
    label: str
    created_by: int | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Whether it still opens the wall."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


SHORTEST_PASSWORD = 10


def check_password(password: str, login: str) -> None:
    """Raise UnusableInput for a password that is short, endless, or the account's own name."""
    if not SHORTEST_PASSWORD <= len(password) <= 200:
        raise UnusableInput(
            msg("密码应为 {least} 到 200 个字符。", least=SHORTEST_PASSWORD),
            field="password",
            expected=msg("{least} 到 200 个字符", least=SHORTEST_PASSWORD),
        )
    if login.lower() in password.lower():
        raise UnusableInput(msg("密码不能包含登录名。"), field="password", expected=msg("与登录名无关的密码"))


def check_login(login: str) -> None:
    """Raise UnusableInput unless a login is 2–40 letters, digits, dots, hyphens or underscores."""
    if not (2 <= len(login) <= 40 and all(c.isalnum() or c in "._-" for c in login)):
        raise UnusableInput(
            msg("登录名应为 2 到 40 个字母、数字、汉字或 . _ -，现为“{login}”。", login=login[:60]),
            field="login",
            expected=msg("2 到 40 个字母、数字、汉字或 . _ -"),
        )
