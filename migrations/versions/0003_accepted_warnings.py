"""Warnings are accepted with a written reason, and findings are history like the rows they speak of."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "acceptance",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("finding_id", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint("length(btrim(reason)) >= 4", name=op.f("ck_acceptance_reason")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_acceptance_account_id")),
        sa.ForeignKeyConstraint(["finding_id"], ["finding.id"], name=op.f("fk_acceptance_finding_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acceptance")),
        sa.UniqueConstraint("finding_id", name=op.f("uq_acceptance_finding_id")),
    )
    op.execute(
        """
        CREATE TRIGGER acceptance_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON acceptance
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER finding_is_never_rewritten BEFORE UPDATE OR TRUNCATE ON finding
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """
    )
    op.execute(
        """
        CREATE TRIGGER finding_published_is_kept AFTER DELETE ON finding
        REFERENCING OLD TABLE AS gone
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_delete_of_published()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER finding_published_is_kept ON finding")
    op.execute("DROP TRIGGER finding_is_never_rewritten ON finding")
    op.drop_table("acceptance")
