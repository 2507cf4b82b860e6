"""Alembic's entry: the schema of ``gis_server.store.schema`` against the database that asks."""

import os
import re
from typing import Any

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection

from gis_server.store.engine import make_engine
from gis_server.store.schema import metadata

_PARTITION = re.compile(r"[a-z_]+_g\d+")


def include_object(item: Any, name: str, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Leave out PostGIS's own tables and the partitions of generations, which imports make."""
    if kind == "table" and reflected and compare_to is None and _PARTITION.fullmatch(name):
        return False
    return bool(alembic_helpers.include_object(item, name, kind, reflected, compare_to))


def run(connection: Connection) -> None:
    """Run the migrations on an open connection."""
    context.configure(
        connection=connection,
        target_metadata=metadata,
        include_object=include_object,
        process_revision_directives=alembic_helpers.writer,
        render_item=alembic_helpers.render_item,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with make_engine(os.environ["GIS_DATABASE_URL"]).connect() as opened:
        run(opened)
        opened.commit()
