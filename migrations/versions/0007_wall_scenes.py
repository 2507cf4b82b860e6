"""Walls: the tours of scenes that their managers made, and who acknowledged an urgent incident."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

APPEND_ONLY = ("wall_tour", "acknowledgement")


def upgrade() -> None:
    op.create_table(
        "wall_tour",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("wall_id", sa.Text(), nullable=False),
        sa.Column("tour", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("saved_by", sa.BigInteger(), nullable=True),
        sa.Column("saved_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["saved_by"], ["account.id"], name=op.f("fk_wall_tour_saved_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wall_tour")),
    )
    op.create_index("ix_wall_tour_wall_id", "wall_tour", ["wall_id", "id"], unique=False)
    op.create_table(
        "acknowledgement",
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_acknowledgement_account_id")),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name=op.f("fk_acknowledgement_incident_id")
        ),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_acknowledgement")),
    )
    for table in APPEND_ONLY:
        op.execute(
            f"""
            CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )


def downgrade() -> None:
    for table in APPEND_ONLY:
        op.drop_table(table)
