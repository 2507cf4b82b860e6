"""Accounts and wall links. Password and token hashes never leave this module except to be verified."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert

from gis_server.core.access import Role, Tier
from gis_server.core.account import Account, WallLink
from gis_server.store.schema import account, generation, person, posting, wall_link


def _accounts() -> Select[Any]:
    return select(
        account.c.id,
        account.c.login,
        account.c.name,
        account.c.role,
        account.c.tier,
        account.c.area_path,
        account.c.disabled_at,
        account.c.created_at,
        account.c.session_epoch,
        account.c.password_hash,
    )


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        login=row.login,
        name=row.name,
        role=Role(row.role),
        tier=Tier[row.tier.upper()],
        area_path=tuple(row.area_path),
        disabled_at=row.disabled_at,
        created_at=row.created_at,
        session_epoch=row.session_epoch,
    )


def own_grids(conn: Connection, account: Account) -> frozenset[str]:
    """Codes of the grids to which the roster in force posts the person of this account.

    A person is an account's when the staff number is its login, or the name its name.
    """
    now = func.now()
    query = (
        select(posting.c.code)
        .join(person, person.c.id == posting.c.person_id)
        .join(generation, generation.c.id == posting.c.generation_id)
        .where(
            or_(person.c.staff_no == account.login, person.c.name == account.name),
            generation.c.state == "published",
            generation.c.valid_from <= now,
            generation.c.valid_to.is_(None) | (generation.c.valid_to > now),
            posting.c.valid_from <= now,
            posting.c.valid_to.is_(None) | (posting.c.valid_to > now),
        )
        .distinct()
    )
    return frozenset(conn.execute(query).scalars())


def add(
    conn: Connection,
    *,
    login: str,
    name: str,
    role: Role,
    tier: Tier,
    area_path: Sequence[str],
    password_hash: str,
    now: datetime,
) -> int | None:
    """Add an account; its id, or None if the login is taken."""
    added = conn.execute(
        postgresql_insert(account)
        .values(
            login=login,
            name=name,
            role=role,
            tier=tier.key,
            area_path=list(area_path),
            password_hash=password_hash,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[account.c.login])
        .returning(account.c.id)
    )
    found: int | None = added.scalar_one_or_none()
    return found


def with_hash(conn: Connection, login: str) -> tuple[Account, str] | None:
    """An account and its password hash by login; None if there is none."""
    row = conn.execute(_accounts().where(account.c.login == login)).one_or_none()
    return None if row is None else (_account(row), row.password_hash)


def by_id(conn: Connection, account_id: int) -> Account | None:
    """An account by id; None if there is none."""
    row = conn.execute(_accounts().where(account.c.id == account_id)).one_or_none()
    return None if row is None else _account(row)


def listing(conn: Connection) -> list[Account]:
    """All accounts by login."""
    return [_account(row) for row in conn.execute(_accounts().order_by(account.c.login))]


def set_password(conn: Connection, account_id: int, password_hash: str, *, end_sessions: bool = True) -> None:
    """Replace the password; every open session ends with the old one unless only the hash was renewed."""
    epoch = account.c.session_epoch + (1 if end_sessions else 0)
    conn.execute(
        update(account)
        .where(account.c.id == account_id)
        .values(password_hash=password_hash, session_epoch=epoch)
    )


def disable(conn: Connection, account_id: int, now: datetime) -> None:
    """Close an account and end its sessions; the row stays, since history names it."""
    conn.execute(
        update(account)
        .where(account.c.id == account_id, account.c.disabled_at.is_(None))
        .values(disabled_at=now, session_epoch=account.c.session_epoch + 1)
    )


def _links() -> Select[Any]:
    return select(
        wall_link.c.id,
        wall_link.c.wall_id,
        wall_link.c.label,
        wall_link.c.created_by,
        wall_link.c.created_at,
        wall_link.c.expires_at,
        wall_link.c.revoked_at,
    )


def add_link(
    conn: Connection,
    wall_id: str,
    label: str,
    token_hash: str,
    *,
    created_by: int | None,
    now: datetime,
    expires_at: datetime | None,
) -> int:
    """Keep a link by the hash of its token; its id."""
    added = conn.execute(
        insert(wall_link)
        .values(
            wall_id=wall_id,
            label=label,
            token_hash=token_hash,
            created_by=created_by,
            created_at=now,
            expires_at=expires_at,
        )
        .returning(wall_link.c.id)
    )
    return int(added.scalar_one())


def link_by_hash(conn: Connection, token_hash: str) -> WallLink | None:
    """A link by the hash of its token, live or not; None if there is none."""
    row = conn.execute(_links().where(wall_link.c.token_hash == token_hash)).one_or_none()
    return None if row is None else WallLink(*row)


def link_by_id(conn: Connection, link_id: int) -> WallLink | None:
    """A link by id, live or not; None if there is none."""
    row = conn.execute(_links().where(wall_link.c.id == link_id)).one_or_none()
    return None if row is None else WallLink(*row)


def links(conn: Connection) -> list[WallLink]:
    """All links, newest first."""
    return [WallLink(*row) for row in conn.execute(_links().order_by(wall_link.c.id.desc()))]


def revoke_link(conn: Connection, link_id: int, now: datetime) -> None:
    """Revoke a link; a second time changes nothing."""
    conn.execute(
        update(wall_link)
        .where(wall_link.c.id == link_id, wall_link.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
