"""Partitions of the large layer tables: one generation each, filled first, indexed afterwards, dropped whole."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

from gis_server.store.copying import Values, copy_rows


def partition_name(table: str, generation_id: int) -> str:
    """The table that holds this generation's rows."""
    return f"{table}_g{int(generation_id)}"


def fill_partition(
    conn: Connection, table: str, generation_id: int, columns: Mapping[str, Values], count: int
) -> None:
    """Make, fill, index and attach a partition in the caller's transaction; readers of ``table`` are not held up."""
    name = partition_name(table, generation_id)
    kept = " ".join(f"INCLUDING {what}" for what in ("DEFAULTS", "CONSTRAINTS", "GENERATED", "STORAGE"))
    conn.execute(text(f"CREATE TABLE {name} (LIKE {table} {kept})"))
    # with this check, attaching need not scan the rows again
    conn.execute(
        text(f"ALTER TABLE {name} ADD CONSTRAINT of_generation CHECK (generation_id = {int(generation_id)})")
    )
    copy_rows(conn, name, columns, count)
    # builds the indexes of ``table`` on the partition, all rows at once
    conn.execute(text(f"ALTER TABLE {table} ATTACH PARTITION {name} FOR VALUES IN ({int(generation_id)})"))


def drop_partition(conn: Connection, table: str, generation_id: int) -> None:
    """Remove a generation's rows."""
    conn.execute(text(f"DROP TABLE IF EXISTS {partition_name(table, generation_id)}"))
