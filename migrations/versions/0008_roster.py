"""The roster: people, their postings, and with each incident the whole ground of its routing."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TEXTS = ("leader_level", "worker_kind", "worker_level", "community_post", "source", "unit")


def upgrade() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("staff_no", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index(
        "uq_person_as_known",
        "person",
        [sa.text("coalesce(staff_no, '')"), "name", sa.text("coalesce(phone, '')")],
        unique=True,
    )
    op.create_table(
        "posting",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=True) for name in TEXTS),
        sa.Column("certified", sa.Boolean(), nullable=True),
        sa.Column("declared_on", sa.Date(), nullable=True),
        sa.Column("stands_in_for", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_posting_valid_to_after_valid_from")
        ),
        sa.CheckConstraint(
            "(post = 'grid_worker') = (worker_kind IS NOT NULL)", name=op.f("ck_posting_worker_has_a_kind")
        ),
        sa.ForeignKeyConstraint(["generation_id"], ["generation.id"], name=op.f("fk_posting_generation_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_posting_person_id")),
        sa.ForeignKeyConstraint(["stands_in_for"], ["person.id"], name=op.f("fk_posting_stands_in_for")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
    )
    op.create_index("ix_posting_generation_id", "posting", ["generation_id", "code"], unique=False)
    for table in ("person", "posting"):
        op.execute(
            f"""
            CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )
    op.add_column("incident", sa.Column("decision", sa.Text(), nullable=True))
    # the incident moves on; why it was routed where it was does not
    op.execute(
        """
        CREATE TRIGGER incident_decision_is_kept BEFORE UPDATE OF decision ON incident
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER incident_decision_is_kept ON incident")
    op.drop_column("incident", "decision")
    op.drop_table("posting")
    op.drop_table("person")
