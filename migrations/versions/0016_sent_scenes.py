"""The scenes sent to walls are found among however many events."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_event_scene", "event", ["at"], postgresql_where=sa.text("kind = 'scene'"))


def downgrade() -> None:
    op.drop_index("ix_event_scene", table_name="event")
