"""Sign in, keep accounts, and write down who was let in and who was not."""

import os
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import Connection

from gis_server.core.access import TIER_OF, Act, Actor, Role, Tier
from gis_server.core.account import Account, check_login, check_password
from gis_server.core.errors import Conflict, NotAllowed, NotFound, SignInRequired, UnusableInput
from gis_server.core.message import msg
from gis_server.journeys.context import Context
from gis_server.settings import Settings
from gis_server.store import accounts, areas, audit


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _hash_of_nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe(16))


def _is_right(password_hash: str, password: str) -> bool:
    try:
        return _hasher().verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def sign_in(ctx: Context, login: str, password: str, now: datetime, address: str | None = None) -> Account:
    """The account of a login and password; SignInRequired, in the same words and time, whatever is wrong.

    ``address`` is where the request came from, for the audit trail.
    """
    with ctx.engine.connect() as conn:
        found = accounts.with_hash(conn, login)
    # an unknown login costs a hash too, so that the time does not tell which logins exist
    right = _is_right(found[1] if found else _hash_of_nobody(), password[:1000])
    with ctx.engine.begin() as conn:
        if found is None or not right or found[0].disabled_at is not None:
            actor = found[0].actor if found else Actor(None, login[:40], Role.VISITOR, tier=Tier.PUBLIC)
            audit.add(conn, actor, "sign_in", now=now, outcome="denied", detail={"address": address})
        else:
            account, password_hash = found
            if _hasher().check_needs_rehash(password_hash):
                accounts.set_password(conn, account.id, _hasher().hash(password), end_sessions=False)
            audit.add(conn, account.actor, "sign_in", now=now, detail={"address": address})
            return account
    raise SignInRequired(msg("登录名或密码不正确。"), field="password")


def session_actor(ctx: Context, account_id: int, epoch: int) -> Actor | None:
    """On whose behalf a session runs; None once the account was disabled or its sessions were ended."""
    with ctx.engine.connect() as conn:
        account = accounts.by_id(conn, account_id)
        if account is None or account.disabled_at is not None or account.session_epoch != epoch:
            return None
        if account.role is not Role.GRID_WORKER:
            return account.actor
        return replace(account.actor, grids=accounts.own_grids(conn, account) or None)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account is made from; ``area_code`` None means the whole deployment."""

    login: str
    name: str
    role: Role
    area_code: str | None = None
    tier: Tier | None = None


def add_account(ctx: Context, actor: Actor, new: NewAccount, password: str | None, now: datetime) -> str:
    """Add an account; its password, made here when none is given."""
    actor.require(Act.MANAGE_ACCOUNTS)
    with ctx.engine.begin() as conn:
        return _add(conn, actor, new, password, now)


def _add(conn: Connection, actor: Actor, new: NewAccount, password: str | None, now: datetime) -> str:
    check_login(new.login)
    if password is None:
        password = secrets.token_urlsafe(12)
    else:
        check_password(password, new.login)
    most = TIER_OF.get(new.role, Tier.PROTECTED)
    tier = min(Tier.INTERNAL, most) if new.tier is None else new.tier
    if tier > most:
        raise UnusableInput(
            msg("{role} 的最高权限级别是 {most}。", role=new.role.value, most=most.key),
            field="tier",
            expected=msg("不高于 {most} 的级别", most=most.key),
        )
    path = _area_path(conn, new.area_code, now)
    if not actor.territory.holds(path):
        raise NotAllowed(msg("该地点不在您的辖区内。"))
    added = accounts.add(
        conn,
        login=new.login,
        name=new.name,
        role=new.role,
        tier=tier,
        area_path=path,
        password_hash=_hasher().hash(password),
        now=now,
    )
    if added is None:
        raise Conflict(msg("登录名“{login}”已被使用。", login=new.login), field="login")
    detail = {"role": new.role.value, "tier": tier.key, "area": list(path)}
    audit.add(conn, actor, "account_add", now=now, subject=new.login, detail=detail)
    return password


def _area_path(conn: Connection, code: str | None, now: datetime) -> tuple[str, ...]:
    if code is None:
        return ()
    found = areas.by_code(conn, code, now)
    if found is None:
        raise UnusableInput(
            msg("没有代码为 {code} 的区划；请先发布行政区划图层，或检查代码。", code=code),
            field="area",
            expected=msg("已发布的区划代码"),
        )
    return found.path


def listing(ctx: Context, actor: Actor) -> list[Account]:
    """All accounts, by login."""
    actor.require(Act.MANAGE_ACCOUNTS)
    with ctx.engine.connect() as conn:
        return [account for account in accounts.listing(conn) if actor.territory.holds(account.area_path)]


def disable(ctx: Context, actor: Actor, login: str, now: datetime) -> None:
    """Close an account; its open sessions and streams end."""
    actor.require(Act.MANAGE_ACCOUNTS)
    with ctx.engine.begin() as conn:
        account = _managed(conn, actor, login)
        accounts.disable(conn, account.id, now)
        audit.add(conn, actor, "account_disable", now=now, subject=login)


def set_password(ctx: Context, actor: Actor, login: str, password: str | None, now: datetime) -> str:
    """Replace a password and end the sessions opened with the old one; the password, made here when none is given."""
    actor.require(Act.MANAGE_ACCOUNTS)
    if password is None:
        password = secrets.token_urlsafe(12)
    else:
        check_password(password, login)
    with ctx.engine.begin() as conn:
        account = _managed(conn, actor, login)
        accounts.set_password(conn, account.id, _hasher().hash(password))
        audit.add(conn, actor, "account_password", now=now, subject=login)
    return password


def _managed(conn: Connection, actor: Actor, login: str) -> Account:
    found = accounts.with_hash(conn, login)
    if found is None:
        raise NotFound(msg("没有登录名为“{login}”的账号。", login=login), field="login")
    actor.require(Act.MANAGE_ACCOUNTS, found[0].area_path)
    return found[0]


def make_token(ctx: Context, actor: Actor, login: str, lifetime: timedelta, now: datetime) -> str:
    """A token with which a program acts as this account, until it expires or the account's sessions are ended.

    It is signed, not stored: who has it can use it, and setting a new password ends it.
    """
    actor.require(Act.MANAGE_ACCOUNTS)
    with ctx.engine.begin() as conn:
        account = _managed(conn, actor, login)
        if account.disabled_at is not None:
            raise Conflict(msg("账号“{login}”已停用。", login=login), field="login")
        audit.add(conn, actor, "account_token", now=now, subject=login, detail={"days": lifetime.days})
    ends = int((now + lifetime).timestamp())
    token: str = _signer(ctx.settings).dumps([account.id, account.session_epoch, ends])
    return token


def token_actor(ctx: Context, token: str, now: datetime) -> Actor | None:
    """On whose behalf a token acts; None for one that is forged, expired or ended."""
    try:
        account_id, epoch, ends = _signer(ctx.settings).loads(token)
    except BadData:
        return None
    return session_actor(ctx, account_id, epoch) if now.timestamp() < ends else None


@cache
def _signer(settings: Settings) -> URLSafeSerializer:
    return URLSafeSerializer(settings.secret_key(), salt="api-token")


def note_denial(ctx: Context, actor: Actor, subject: str, reason: str, now: datetime) -> None:
    """Write down that an actor was refused; ``subject`` is what was asked for, ``reason`` the sentence given."""
    with ctx.engine.begin() as conn:
        audit.add(
            conn, actor, "request", now=now, subject=subject, outcome="denied", detail={"reason": reason}
        )


def audit_trail(ctx: Context, actor: Actor, limit: int = 100) -> list[audit.AuditRow]:
    """The newest rows of the audit trail."""
    actor.require(Act.MANAGE_ACCOUNTS)
    with ctx.engine.connect() as conn:
        return list(audit.latest(conn, limit))


ACCOUNTS_FILE = "accounts.txt"


def make_sample_accounts(ctx: Context, now: datetime) -> Path:
    """One account for each role with a random password, written to ``var/accounts.txt`` (mode 0600).

    Accounts that exist already keep their passwords, so a second start changes nothing. Grid workers and operators
    get the first community and township of the published areas, so that territory can be seen at work.
    """
    path = ctx.settings.var / ACCOUNTS_FILE
    lines: list[str] = []
    console = Actor(None, "console", Role.ADMIN, tier=Tier.PROTECTED)
    with ctx.engine.begin() as conn:
        known = {account.login for account in accounts.listing(conn)}
        for new in _sample_accounts(conn, now):
            if new.login not in known:
                password = _add(conn, console, new, None, now)
                lines.append(f"{new.login}\t{password}\t{new.role}\t{new.area_code or '-'}\t{new.name}\n")
        if not known:
            # passwords of a database that is gone
            path.unlink(missing_ok=True)
        if lines:
            # before the commit: a password that is in the database only would be lost
            _append_private(path, lines)
    return path


def _sample_accounts(conn: Connection, now: datetime) -> list[NewAccount]:
    town = areas.first_of_level(conn, "township", now)
    community = areas.first_of_level(conn, "community", now)
    town_code = town.code if town else None
    community_code = community.code if community else None
    return [
        NewAccount("admin", "系统管理员", Role.ADMIN),
        NewAccount("approver", "方案审批人", Role.APPROVER),
        NewAccount("planner", "网格规划员", Role.PLANNER),
        NewAccount("analyst", "数据分析员", Role.ANALYST),
        NewAccount("operator", "指挥中心值班员", Role.OPERATOR),
        NewAccount("town-operator", "乡镇值班员", Role.OPERATOR, town_code),
        NewAccount("worker", "网格员", Role.GRID_WORKER, community_code),
        # a unit signs in by the name under which incidents are dispatched to it
        NewAccount("市住建局", "市住建局", Role.HANDLING_UNIT),
        NewAccount("display", "大屏", Role.DISPLAY),
    ]


def _append_private(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(descriptor, 0o600)  # also if the file was there with another mode
        file.writelines(lines)
