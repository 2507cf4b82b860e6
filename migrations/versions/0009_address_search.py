"""Addresses are found by parts of their names: the names of each generation with their grams; former names are kept."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# the same as core.address_text.grams, in a database of any LC_CTYPE: no character class depends on the locale
GRAMS = r"""
CREATE FUNCTION address_grams(given text) RETURNS text[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    WITH spelt AS (
        SELECT regexp_replace(
            translate(normalize(given, NFKC), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz'),
            '[^0-9a-z々〇㐀-䶿一-鿿𠀀-𲎯]+', '', 'g'
        ) AS letters
    ), gram AS (
        SELECT substr(letters, at, size) COLLATE "C" AS letters
        FROM spelt, generate_series(1, length(letters)) AS at, generate_series(1, 2) AS size
    )
    SELECT coalesce(array_agg(DISTINCT letters ORDER BY letters), '{}') FROM gram
$$
"""


def upgrade() -> None:
    op.add_column("address", sa.Column("former_names", sa.Text(), nullable=True))
    op.execute(GRAMS)
    op.create_table(
        "address_index",
        sa.Column("generation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("names", sa.Integer(), nullable=False),
        sa.Column("least", sa.Integer(), nullable=False),
        sa.Column("frequent", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generation.id"], name=op.f("fk_address_index_generation_id")
        ),
        sa.PrimaryKeyConstraint("generation_id", name=op.f("pk_address_index")),
    )
    op.create_table(
        "address_name",
        sa.Column("generation_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("rank", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("is_former", sa.Boolean(), nullable=False),
        sa.Column("door_count", sa.Integer(), nullable=False),
        sa.Column("doors", sa.Text(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.Column(
            "grams", sa.ARRAY(sa.Text()), sa.Computed("address_grams(name)", persisted=True), nullable=True
        ),
        sa.PrimaryKeyConstraint("generation_id", "rank", name=op.f("pk_address_name")),
        postgresql_partition_by="LIST (generation_id)",
    )
    # read in slices, and written with every import: not worth packing
    op.execute("ALTER TABLE address_name ALTER COLUMN doors SET STORAGE EXTERNAL")
    op.create_index("ix_address_name_grams", "address_name", ["grams"], unique=False, postgresql_using="gin")


def downgrade() -> None:
    op.drop_index("ix_address_name_grams", table_name="address_name", postgresql_using="gin")
    op.drop_table("address_name")
    op.drop_table("address_index")
    op.execute("DROP FUNCTION address_grams(text)")
    op.drop_column("address", "former_names")
