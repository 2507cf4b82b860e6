"""By which address or camera an incident was found; how wide and how far a camera sees."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("found_by", "found_code", "found_text"):
        op.add_column("incident", sa.Column(name, sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_incident_found_by"), "incident", "found_by IN ('address', 'camera')")
    op.create_check_constraint(
        op.f("ck_incident_found_has_code"), "incident", "(found_by IS NULL) = (found_code IS NULL)"
    )
    for name in ("field_angle", "view_distance_m"):
        op.add_column("camera", sa.Column(name, sa.Double(), nullable=True))


def downgrade() -> None:
    for name in ("view_distance_m", "field_angle"):
        op.drop_column("camera", name)
    for name in ("found_has_code", "found_by"):
        op.drop_constraint(op.f(f"ck_incident_{name}"), "incident")
    for name in ("found_text", "found_code", "found_by"):
        op.drop_column("incident", name)
