"""What happened since a moment is found without reading all of history."""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_incident_event_at", "incident_event", ["at"])


def downgrade() -> None:
    op.drop_index("ix_incident_event_at", table_name="incident_event")
