"""Bring a database to the schema this version needs, and say whether it is there."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.pool import NullPool

from gis_server.store.engine import driver_url

_ROOT = Path(__file__).resolve().parents[2]
# one number for "somebody migrates"; any constant will do that no other program uses on this database
_MIGRATION_LOCK = 7_424_490


def _config(connection: Connection) -> Config:
    config = Config(_ROOT / "alembic.ini")
    config.set_main_option("script_location", str(_ROOT / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _connect(url: str | URL) -> Connection:
    return create_engine(driver_url(url), poolclass=NullPool).connect()


def upgrade(url: str | URL, revision: str = "head") -> None:
    """Migrate up, in one transaction; a second server that starts at the same moment waits and finds it done."""
    with _connect(url) as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        command.upgrade(_config(connection), revision)


def downgrade(url: str | URL, revision: str) -> None:
    """Migrate down to ``revision`` (``base`` for an empty schema), in one transaction. Data in dropped tables is lost."""
    with _connect(url) as connection, connection.begin():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        command.downgrade(_config(connection), revision)


def pending(url: str | URL) -> tuple[str, ...]:
    """The revisions that ``upgrade`` would still apply, oldest first; empty when the schema is current."""
    with _connect(url) as connection:
        script = ScriptDirectory.from_config(_config(connection))
        current = MigrationContext.configure(connection).get_current_revision()
        steps = script.iterate_revisions("head", current or "base")
        return tuple(reversed([step.revision for step in steps]))
