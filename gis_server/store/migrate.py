"""Bring a database to the schema this version needs, and say whether it is there.

Alembic is imported only where something has to be migrated: it takes longer to load than many a command to run.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.pool import NullPool

from gis_server.store.engine import driver_url

if TYPE_CHECKING:
    from alembic.config import Config

_ROOT = Path(__file__).resolve().parents[2]
_VERSIONS = _ROOT / "migrations/versions"
# one number for "somebody migrates"; any constant will do that no other program uses on this database
_MIGRATION_LOCK = 7_424_490


def _config(connection: Connection) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config(_ROOT / "alembic.ini")
    config.set_main_option("script_location", str(_ROOT / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _connect(url: str | URL) -> Connection:
    return create_engine(driver_url(url), poolclass=NullPool).connect()


def upgrade(url: str | URL, revision: str = "head") -> None:
    """Migrate up, in one transaction; a second server that starts at the same moment waits and finds it done."""
    from alembic import command  # noqa: PLC0415

    with _connect(url) as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        command.upgrade(_config(connection), revision)


def downgrade(url: str | URL, revision: str) -> None:
    """Migrate down to ``revision`` (``base`` for an empty schema), in one transaction. Data in dropped tables is lost."""
    from alembic import command  # noqa: PLC0415

    with _connect(url) as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        command.downgrade(_config(connection), revision)


def newest() -> str:
    """The revision of this version's schema: migrations are files named ``<number>_<what>.py``, in order."""
    return max(path.name.partition("_")[0] for path in _VERSIONS.glob("[0-9]*_*.py"))


def pending(url: str | URL) -> tuple[str, ...]:
    """The revisions that ``upgrade`` would still apply, oldest first; empty when the schema is current."""
    with _connect(url) as connection:
        current = None
        if connection.scalar(text("SELECT to_regclass('public.alembic_version')")) is not None:
            current = connection.scalar(text("SELECT version_num FROM alembic_version"))
        if current == newest():
            return ()
        from alembic.script import ScriptDirectory  # noqa: PLC0415

        script = ScriptDirectory.from_config(_config(connection))
        steps = script.iterate_revisions("head", current or "base")
        return tuple(reversed([step.revision for step in steps]))
