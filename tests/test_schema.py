"""The schema: migrations and metadata say the same, every step goes down again, history cannot be rewritten."""

from collections.abc import Callable

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from gis_server.store import migrate
from gis_server.store.engine import make_engine
from gis_server.store.schema import SRID, metadata

CONSTRAINTS = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND conrelid <> 0
      AND conrelid::regclass::text NOT IN ('spatial_ref_sys', 'alembic_version') ORDER BY 1, 2
"""
INDEXES = """
    SELECT tablename, indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename NOT IN ('spatial_ref_sys', 'alembic_version') ORDER BY 1, 2
"""
FUNCTIONS_OF_COLUMNS = """
    SELECT pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proname IN ('address_grams')
"""
COLUMNS = """
    SELECT table_name, column_name, udt_name, is_nullable, column_default, is_identity
    FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name IN (SELECT unnest(CAST(:tables AS text[]))) ORDER BY 1, 2
"""


def described(connection: Connection) -> dict[str, list[tuple[object, ...]]]:
    tables = {"tables": list(metadata.tables)}
    return {
        name: [tuple(row) for row in connection.execute(text(query), tables if name == "columns" else {})]
        for name, query in (("constraints", CONSTRAINTS), ("indexes", INDEXES), ("columns", COLUMNS))
    }


def revisions() -> list[str]:
    script = ScriptDirectory(str(migrate._ROOT / "migrations"))
    return [step.revision for step in script.walk_revisions()]


def test_upgraded_schema_has_no_difference_for_autogenerate(connection: Connection) -> None:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "include_object": alembic_helpers.include_object}
    )
    assert compare_metadata(context, metadata) == []


def test_migrations_make_exactly_what_the_metadata_describes(
    connection: Connection, empty_database_url: str
) -> None:
    """Autogenerate compares neither checks nor exclusions nor defaults; the catalogue of PostgreSQL does."""
    engine = make_engine(empty_database_url)
    with engine.begin() as fresh:
        fresh.execute(text("CREATE EXTENSION IF NOT EXISTS btree_gist"))
        for function in connection.scalars(text(FUNCTIONS_OF_COLUMNS)):
            fresh.execute(text(function.replace(":", "\\:")))
        metadata.create_all(fresh)
        wanted = described(fresh)
    engine.dispose()
    assert described(connection) == wanted


def test_no_name_that_hides_from_the_check_for_drift(connection: Connection) -> None:
    names = [*connection.scalars(text("SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"))]
    assert not [name for name in names if name.startswith("idx_")]


def test_every_geometry_column_is_cgcs2000_and_indexed(connection: Connection) -> None:
    columns = connection.execute(
        text("SELECT f_table_name, srid FROM geometry_columns WHERE f_table_schema = 'public'")
    ).all()
    assert {srid for _, srid in columns} == {SRID}
    gist = set(
        connection.scalars(
            text(
                "SELECT tablename FROM pg_indexes"
                " WHERE schemaname = 'public' AND indexdef LIKE '%USING gist (geom)%'"
            )
        )
    )
    # findings are read by generation only
    assert {name for name, _ in columns} - gist == {"finding"}


def test_each_step_goes_down_and_up_again(empty_database_url: str) -> None:
    steps = revisions()
    migrate.upgrade(empty_database_url)
    engine = make_engine(empty_database_url)
    with engine.connect() as connection:
        wanted = described(connection)
    for below in [*steps[1:], "base"]:
        migrate.downgrade(empty_database_url, below)
        left = migrate.pending(empty_database_url)
        assert left[0] == (steps[steps.index(below) - 1] if below in steps else steps[-1])
    with engine.connect() as connection:
        tables = set(inspect(connection).get_table_names()) - {"spatial_ref_sys", "alembic_version"}
    assert tables == set()
    for step in reversed(steps):
        migrate.upgrade(empty_database_url, step)
    assert migrate.pending(empty_database_url) == ()
    with engine.connect() as connection:
        assert described(connection) == wanted
    engine.dispose()


def test_the_newest_migration_is_the_one_with_the_highest_number() -> None:
    assert migrate.newest() == ScriptDirectory(str(migrate._ROOT / "migrations")).get_current_head()


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    migrate.upgrade(database_url)
    assert migrate.pending(database_url) == ()


GENERATION = """
    INSERT INTO generation (layer, state, feature_count, created_by, valid_from, valid_to, published_at)
    VALUES (:layer, :state, 1, 'x', :start, :finish, :start) RETURNING id
"""


def add_generation(connection: Connection, layer: str, start: str | None, finish: str | None = None) -> int:
    state = "staged" if start is None else "published"
    values = {"layer": layer, "state": state, "start": start, "finish": finish}
    return int(connection.execute(text(GENERATION), values).scalar_one())


def add_area(connection: Connection, generation_id: int) -> None:
    connection.execute(
        text(
            "INSERT INTO area (generation_id, area_code, area_name, admin_level, geom) VALUES"
            " (:id, '230881', '县', 'county',"
            " ST_SetSRID('MULTIPOLYGON(((0 0,0 1,1 1,0 0)))'::geometry, 4490))"
        ),
        {"id": generation_id},
    )


def refused(connection: Connection, statement: str) -> str:
    with pytest.raises(IntegrityError) as raised, connection.begin_nested():
        connection.execute(text(statement))
    return str(raised.value.orig)


def test_two_generations_of_a_layer_are_never_in_force_at_once(connection: Connection) -> None:
    add_generation(connection, "grid", "2026-01-01T00:00Z", "2026-02-01T00:00Z")
    add_generation(connection, "grid", "2026-02-01T00:00Z")
    add_generation(connection, "area", "2026-01-15T00:00Z")
    with pytest.raises(IntegrityError, match="ex_generation_one_in_force"), connection.begin_nested():
        add_generation(connection, "grid", "2026-03-01T00:00Z")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE area SET area_name = '改'",
        "DELETE FROM area",
        "TRUNCATE area CASCADE",
        "DELETE FROM generation",
        "UPDATE generation SET valid_from = valid_from - interval '1 day'",
        "UPDATE generation SET state = 'discarded', valid_from = NULL, published_at = NULL",
        "UPDATE generation SET report = '{\"summary\": {}}'",
    ],
)
def test_a_published_generation_cannot_be_rewritten(connection: Connection, statement: str) -> None:
    add_area(connection, add_generation(connection, "area", "2026-01-01T00:00Z"))
    assert "refused" in refused(connection, statement)


def test_a_published_generation_is_closed_once(connection: Connection) -> None:
    add_generation(connection, "area", "2026-01-01T00:00Z")
    connection.execute(text("UPDATE generation SET valid_to = '2026-02-01T00:00Z'"))
    assert "refused" in refused(connection, "UPDATE generation SET valid_to = NULL")
    assert "refused" in refused(connection, "UPDATE generation SET valid_to = '2027-02-01T00:00Z'")


def test_a_staged_generation_can_be_removed(connection: Connection) -> None:
    add_area(connection, add_generation(connection, "area", None))
    assert connection.execute(text("DELETE FROM area")).rowcount == 1


AUDIT = "INSERT INTO audit (actor, act, outcome) VALUES ('x', 'publish_layer', 'done')"
STEP = """
    WITH one AS (
        INSERT INTO incident (number, description, source, state, discovered_at, datum, geom, match)
        VALUES ('1', '', 'public', 'recorded', now(), 'wgs84', ST_SetSRID(ST_MakePoint(1, 1), 4490), 'outside')
        RETURNING id
    )
    INSERT INTO incident_event (incident_id, actor, to_state) SELECT id, 'x', 'recorded' FROM one
"""


@pytest.mark.parametrize(
    ("table", "make", "column"), [("audit", AUDIT, "actor"), ("incident_event", STEP, "note")]
)
@pytest.mark.parametrize(
    "statement",
    [
        lambda table, column: f"UPDATE {table} SET {column} = 'y'",
        lambda table, _: f"DELETE FROM {table}",
        lambda table, _: f"TRUNCATE {table}",
    ],
)
def test_records_are_only_added(
    connection: Connection, table: str, make: str, column: str, statement: Callable[[str, str], str]
) -> None:
    connection.execute(text(make))
    assert "append-only" in refused(connection, statement(table, column))
    assert connection.scalar(text(f"SELECT count(*) FROM {table}")) == 1


def test_an_incident_changes_its_state_but_stays(connection: Connection) -> None:
    connection.execute(text(STEP))
    connection.execute(text("UPDATE incident SET state = 'archived'"))
    assert "append-only" in refused(connection, "DELETE FROM incident")


def test_partitions_of_imports_are_no_drift(engine: Engine, database_url: str) -> None:
    """``alembic revision --autogenerate`` on a database in use must not propose to drop its data."""
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE address_g7 PARTITION OF address FOR VALUES IN (7)"))
    with engine.connect() as connection:
        command.check(migrate._config(connection))
