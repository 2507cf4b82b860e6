"""What was mended in a staged generation, with the rows before and after, and what of it was undone again."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mending",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("root_id", sa.BigInteger(), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("rows", ARRAY(sa.Integer()), nullable=False),
        sa.Column("before", ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("after", ARRAY(sa.LargeBinary()), nullable=False),
        sa.Column("parents_before", ARRAY(sa.Text()), nullable=True),
        sa.Column("parents_after", ARRAY(sa.Text()), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mending_account_id")),
        sa.ForeignKeyConstraint(["generation_id"], ["generation.id"], name=op.f("fk_mending_generation_id")),
        sa.ForeignKeyConstraint(["root_id"], ["generation.id"], name=op.f("fk_mending_root_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mending")),
    )
    op.create_index("ix_mending_root_id", "mending", ["root_id"])
    op.create_table(
        "mending_undo",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("mending_id", sa.BigInteger(), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_mending_undo_account_id")),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generation.id"], name=op.f("fk_mending_undo_generation_id")
        ),
        sa.ForeignKeyConstraint(["mending_id"], ["mending.id"], name=op.f("fk_mending_undo_mending_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mending_undo")),
        sa.UniqueConstraint("mending_id", name=op.f("uq_mending_undo_mending_id")),
    )
    for table in ("mending", "mending_undo"):
        op.execute(
            f"""
            CREATE TRIGGER {table}_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
            """
        )


def downgrade() -> None:
    op.drop_table("mending_undo")
    op.drop_table("mending")
