"""Runs over history with the boundaries of its days, and the corrections they found: new rows, the decisions stay."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reroute",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("generation_id", sa.BigInteger(), nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("only_sub_grid", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("pairs", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("last_discovered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('running', 'finished')", name=op.f("ck_reroute_state")),
        sa.CheckConstraint("dry_run OR reason IS NOT NULL", name=op.f("ck_reroute_has_a_reason")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_reroute_account_id")),
        sa.ForeignKeyConstraint(["generation_id"], ["generation.id"], name=op.f("fk_reroute_generation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reroute")),
    )
    op.create_table(
        "correction",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("reroute_id", sa.BigInteger(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("from_grid_code", sa.Text(), nullable=True),
        sa.Column("to_grid_code", sa.Text(), nullable=True),
        sa.Column("to_sub_grid_code", sa.Text(), nullable=True),
        sa.Column("to_grid_id", sa.BigInteger(), nullable=True),
        sa.Column("grid_generation_id", sa.BigInteger(), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("distance_m", sa.Double(), nullable=True),
        sa.Column("area_path", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.CheckConstraint(
            "match IN ('inside', 'border', 'near', 'outside')", name=op.f("ck_correction_match")
        ),
        sa.ForeignKeyConstraint(["reroute_id"], ["reroute.id"], name=op.f("fk_correction_reroute_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_correction_incident_id")),
        sa.ForeignKeyConstraint(["to_grid_id"], ["grid.id"], name=op.f("fk_correction_to_grid_id")),
        sa.ForeignKeyConstraint(
            ["grid_generation_id"], ["generation.id"], name=op.f("fk_correction_grid_generation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        sa.UniqueConstraint("incident_id", "reroute_id", name=op.f("uq_correction_incident_id_reroute_id")),
    )
    op.execute(
        """
        CREATE TRIGGER correction_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON correction
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )


def downgrade() -> None:
    op.drop_table("correction")
    op.drop_table("reroute")
