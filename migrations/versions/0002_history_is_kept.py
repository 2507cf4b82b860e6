"""History is kept: what was published, recorded or audited can be read later, and is never rewritten."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BOUNDARY_TABLES = ("area", "grid", "sub_grid")
PARTITIONED_TABLES = ("address", "camera", "feature")
APPEND_ONLY = ("incident_event", "audit")


def upgrade() -> None:
    op.execute(
        """
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """
    )
    op.execute(
        """
        CREATE FUNCTION refuse_delete_of_published() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF EXISTS (
                SELECT FROM generation
                WHERE state = 'published' AND id IN (SELECT DISTINCT generation_id FROM gone)
            ) THEN
                RAISE EXCEPTION '% of a published generation is kept: DELETE is refused', TG_TABLE_NAME
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NULL;
        END $$
        """
    )
    # once published, a generation changes in one way only: it is closed, once
    op.execute(
        """
        CREATE FUNCTION refuse_rewriting_of_generation() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'DELETE' OR OLD.state = 'discarded' OR OLD.valid_to IS NOT NULL OR (
                OLD.state = 'published' AND (
                    NEW.state, NEW.layer, NEW.valid_from, NEW.feature_count, NEW.created_at, NEW.created_by,
                    NEW.published_at, NEW.published_by, NEW.source, NEW.problems, NEW.report
                ) IS DISTINCT FROM (
                    OLD.state, OLD.layer, OLD.valid_from, OLD.feature_count, OLD.created_at, OLD.created_by,
                    OLD.published_at, OLD.published_by, OLD.source, OLD.problems, OLD.report
                )
            ) THEN
                RAISE EXCEPTION 'generation % is history: % is refused', OLD.id, TG_OP
                    USING ERRCODE = 'integrity_constraint_violation';
            END IF;
            RETURN NEW;
        END $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER generation_is_history BEFORE UPDATE OR DELETE ON generation
        FOR EACH ROW EXECUTE FUNCTION refuse_rewriting_of_generation()
        """
    )
    for table in BOUNDARY_TABLES:
        op.execute(
            f"""
            CREATE TRIGGER {table}_is_never_rewritten BEFORE UPDATE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )
        op.execute(
            f"""
            CREATE TRIGGER {table}_published_is_kept AFTER DELETE ON {table}
            REFERENCING OLD TABLE AS gone
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete_of_published()
            """
        )
    # of these a discarded generation is dropped whole; row triggers reach the partitions, statement triggers do not
    for table in PARTITIONED_TABLES:
        op.execute(
            f"""
            CREATE TRIGGER {table}_is_never_rewritten BEFORE UPDATE OR DELETE ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change()
            """
        )
        op.execute(
            f"""
            CREATE TRIGGER {table}_is_never_emptied BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )
    for table in APPEND_ONLY:
        op.execute(
            f"""
            CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )
    op.execute(
        """
        CREATE TRIGGER incident_is_kept BEFORE DELETE OR TRUNCATE ON incident
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER incident_is_kept ON incident")
    for table in APPEND_ONLY:
        op.execute(f"DROP TRIGGER {table}_is_append_only ON {table}")
    for table in PARTITIONED_TABLES:
        op.execute(f"DROP TRIGGER {table}_is_never_emptied ON {table}")
        op.execute(f"DROP TRIGGER {table}_is_never_rewritten ON {table}")
    for table in BOUNDARY_TABLES:
        op.execute(f"DROP TRIGGER {table}_published_is_kept ON {table}")
        op.execute(f"DROP TRIGGER {table}_is_never_rewritten ON {table}")
    op.execute("DROP TRIGGER generation_is_history ON generation")
    op.execute("DROP FUNCTION refuse_rewriting_of_generation()")
    op.execute("DROP FUNCTION refuse_delete_of_published()")
    op.execute("DROP FUNCTION refuse_change()")
