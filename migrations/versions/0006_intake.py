"""Intake: photos of incidents, which of two are one, and rows of files that became incidents."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

APPEND_ONLY = ("photo", "incident_link", "bulk_row")


def upgrade() -> None:
    op.add_column("import_job", sa.Column("report", postgresql.JSONB(astext_type=sa.Text()), nullable=True))
    op.create_table(
        "photo",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("taken_lon", sa.Double(), nullable=True),
        sa.Column("taken_lat", sa.Double(), nullable=True),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_photo_account_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_photo_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo")),
        sa.UniqueConstraint("incident_id", "sha256", name=op.f("uq_photo_incident_id_sha256")),
    )
    # a JPEG does not get smaller: out of line, and as it is
    for column in ("image", "thumbnail"):
        op.execute(f"ALTER TABLE photo ALTER COLUMN {column} SET STORAGE EXTERNAL")
    op.create_table(
        "incident_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("other_id", sa.BigInteger(), nullable=False),
        sa.Column("is_duplicate", sa.Boolean(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("incident_id <> other_id", name=op.f("ck_incident_link_not_itself")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_incident_link_account_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_link_incident_id")),
        sa.ForeignKeyConstraint(["other_id"], ["incident.id"], name=op.f("fk_incident_link_other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_link")),
    )
    op.create_index("ix_incident_link_incident_id", "incident_link", ["incident_id"], unique=False)
    op.create_index("ix_incident_link_other_id", "incident_link", ["other_id"], unique=False)
    op.create_table(
        "bulk_row",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_bulk_row_incident_id")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_bulk_row")),
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
    op.drop_column("import_job", "report")
