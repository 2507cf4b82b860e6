"""Watched clocks: warnings, overdue marks and escalations; the supervised list; satisfaction links and results."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("incident", sa.Column("supervised_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("incident", sa.Column("rating", sa.Integer(), nullable=True))
    op.add_column("incident", sa.Column("scores", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_check_constraint(op.f("ck_incident_rating"), "incident", "rating BETWEEN 1 AND 5")
    op.create_index(
        "ix_incident_open_id",
        "incident",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state NOT IN ('refused', 'archived')"),
    )
    op.create_table(
        "incident_alert",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("clock_starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("round", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("old_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_party", sa.Text(), nullable=True),
        sa.Column("told_level", sa.Text(), nullable=True),
        sa.Column("told_name", sa.Text(), nullable=True),
        sa.Column("clause", sa.Text(), nullable=True),
        sa.Column("trace", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.CheckConstraint(
            "kind IN ('warning', 'overdue', 'escalation', 'recomputed')", name=op.f("ck_incident_alert_kind")
        ),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_alert_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_alert")),
    )
    op.create_index(
        "uq_incident_alert_once",
        "incident_alert",
        ["incident_id", "kind", "clock_starts_at", "due_at", "round"],
        unique=True,
    )
    op.execute(
        """
        CREATE TRIGGER incident_alert_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON incident_alert
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.create_table(
        "rating_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_rating_link_incident_id")),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name=op.f("fk_rating_link_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_rating_link_token_hash")),
    )
    op.create_index("ix_rating_link_incident_id", "rating_link", ["incident_id"], unique=False)


def downgrade() -> None:
    op.drop_table("rating_link")
    op.execute("DROP TRIGGER incident_alert_is_append_only ON incident_alert")
    op.drop_table("incident_alert")
    op.drop_index(
        "ix_incident_open_id",
        table_name="incident",
        postgresql_where=sa.text("state NOT IN ('refused', 'archived')"),
    )
    op.drop_constraint(op.f("ck_incident_rating"), "incident", type_="check")
    for name in ("scores", "rating", "supervised_at"):
        op.drop_column("incident", name)
