"""The urgent incidents are found by an index of their own: every state of a wall asks for those of a day and those that still call."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_incident_urgent", "incident", ["recorded_at"], postgresql_where=sa.text("is_urgent"))


def downgrade() -> None:
    op.drop_index("ix_incident_urgent", table_name="incident")
