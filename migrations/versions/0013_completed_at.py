"""An incident keeps when it was settled, so that those taken over from elsewhere can tell it, too."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FROM_HISTORY = """
UPDATE incident SET completed_at = settled.at
  FROM (SELECT incident_id, max(at) AS at FROM incident_event
         WHERE to_state IN ('resolved_on_site', 'completed') AND from_state IS DISTINCT FROM to_state
         GROUP BY incident_id) AS settled
 WHERE settled.incident_id = incident.id
   AND incident.state IN ('resolved_on_site', 'completed', 'verifying', 'fed_back', 'archived')
"""


def upgrade() -> None:
    op.add_column("incident", sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True))
    op.execute(FROM_HISTORY)


def downgrade() -> None:
    op.drop_column("incident", "completed_at")
