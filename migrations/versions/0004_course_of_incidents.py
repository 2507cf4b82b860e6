"""An incident's course: where it lies, who handles it, its clock; and history that says by whom, where and by which clause."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INCIDENT = (
    "item_key",
    "current_level",
    "lead_unit",
    "responsible_unit",
    "person_in_charge",
    "first_contact",
)
EVENT = ("step", "level", "entered_for", "clause")


def upgrade() -> None:
    for name in INCIDENT:
        op.add_column("incident", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("incident", sa.Column("clock_starts_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_incident_current_level"),
        "incident",
        "current_level IN ('prefecture', 'county', 'township', 'community')",
    )
    op.create_index(
        "ix_incident_due_at",
        "incident",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL AND state NOT IN ('refused', 'archived')"),
    )
    for name in EVENT:
        op.add_column("incident_event", sa.Column(name, sa.Text(), nullable=True))
    op.add_column("incident_event", sa.Column("place_lon", sa.Double(), nullable=True))
    op.add_column("incident_event", sa.Column("place_lat", sa.Double(), nullable=True))
    for name in ("filled", "trace"):
        op.add_column(
            "incident_event", sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), nullable=True)
        )


def downgrade() -> None:
    for name in ("trace", "filled", "place_lat", "place_lon", *EVENT):
        op.drop_column("incident_event", name)
    op.drop_index(
        "ix_incident_due_at",
        table_name="incident",
        postgresql_where=sa.text("due_at IS NOT NULL AND state NOT IN ('refused', 'archived')"),
    )
    op.drop_constraint(op.f("ck_incident_current_level"), "incident", type_="check")
    for name in ("clock_starts_at", *INCIDENT):
        op.drop_column("incident", name)
