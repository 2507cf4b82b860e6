"""The audit trail: rows are only ever added."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from gis_server.core.access import Actor
from gis_server.store.schema import audit


@dataclass(frozen=True, slots=True)
class AuditRow:
    """Who did (or was refused) what, when."""

    at: datetime
    account_id: int | None
    actor: str
    act: str
    subject: str | None
    outcome: str
    detail: Mapping[str, object]


def add(
    conn: Connection,
    actor: Actor,
    act: str,
    *,
    now: datetime | None = None,
    subject: str | None = None,
    outcome: str = "done",
    detail: Mapping[str, object] | None = None,
) -> None:
    """Write one row; ``outcome`` is done, denied or failed, ``now`` the database's clock where none is given.

    Never put a password or a text of an incident in ``detail``.
    """
    conn.execute(
        insert(audit).values(
            at=func.now() if now is None else now,
            account_id=actor.account_id,
            actor=actor.name,
            act=act,
            subject=subject,
            outcome=outcome,
            detail=dict(detail or {}),
        )
    )


def latest(conn: Connection, limit: int = 100) -> Sequence[AuditRow]:
    """The newest rows, newest first."""
    columns = (
        audit.c.at,
        audit.c.account_id,
        audit.c.actor,
        audit.c.act,
        audit.c.subject,
        audit.c.outcome,
        audit.c.detail,
    )
    rows = conn.execute(select(*columns).order_by(audit.c.id.desc()).limit(limit))
    return [AuditRow(*row) for row in rows]
