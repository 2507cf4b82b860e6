"""The database as a whole: whether it can be used, whether it is empty, and clearing it for a restore."""

from typing import NamedTuple

from sqlalchemy import Connection, text

OLDEST_POSTGIS = (3, 3)


class Nature(NamedTuple):
    """What a database was made with."""

    encoding: str
    ctype: str
    postgis: tuple[int, int] | None


def nature(connection: Connection) -> Nature:
    """Encoding, character classification and PostGIS version of the connected database."""
    encoding, ctype = connection.execute(
        text(
            "SELECT pg_encoding_to_char(encoding), datctype FROM pg_database WHERE datname = current_database()"
        )
    ).one()
    version = connection.scalar(text("SELECT extversion FROM pg_extension WHERE extname = 'postgis'"))
    postgis = None
    if version is not None:
        major, minor = (int(part) for part in version.split(".")[:2])
        postgis = (major, minor)
    return Nature(encoding, ctype, postgis)


_OURS = """
    SELECT c.oid, c.relkind, n.nspname, c.relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""


def tables(connection: Connection) -> list[str]:
    """Names of the tables and views in schema public that belong to no extension."""
    return list(connection.scalars(text(f"SELECT relname FROM ({_OURS}) ours ORDER BY relname")))  # noqa: S608


def holds_data(connection: Connection) -> bool:
    """Whether any layer was ever imported, any incident recorded or any account made."""
    return bool(
        connection.scalar(
            text(
                "SELECT EXISTS (SELECT FROM generation) OR EXISTS (SELECT FROM incident)"
                " OR EXISTS (SELECT FROM account)"
            )
        )
    )


def others_at_work(connection: Connection) -> int:
    """How many other connections of this product's programs the database has."""
    return int(
        connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = current_setting('application_name') AND pid <> pg_backend_pid()"
            )
        )
        or 0
    )


CLEAR = """
DO $$
DECLARE thing record;
BEGIN
  FOR thing IN
    SELECT c.relname,
           CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                ELSE 'TABLE' END AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
      -- neither an extension's nor a column's own sequence
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid
                      AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('i', 'a')))
  LOOP
    EXECUTE format('DROP %s IF EXISTS public.%I CASCADE', thing.kind, thing.relname);
  END LOOP;
  FOR thing IN
    SELECT p.oid::regprocedure AS signature, CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END AS kind
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'public'
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('DROP %s IF EXISTS %s CASCADE', thing.kind, thing.signature);
  END LOOP;
  FOR thing IN
    SELECT t.typname
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = 'public' AND t.typtype IN ('e', 'd')
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = t.oid AND d.deptype = 'e')
  LOOP
    EXECUTE format('DROP TYPE IF EXISTS public.%I CASCADE', thing.typname);
  END LOOP;
END $$;
"""
"""Removes the product's tables, functions and types from schema public and leaves extensions alone."""
