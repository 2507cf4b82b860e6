"""The first schema: layers by generations, incidents, accounts, events."""

import sqlalchemy as sa
from alembic import op
from geoalchemy2 import Geometry
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS postgis")
    # equality of a text column inside an exclusion constraint
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(sa.schema.CreateSequence(sa.Sequence("layer_row_id")))
    op.create_table(
        "account",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("area_path", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("session_epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint(
            "tier IN ('public', 'hall', 'internal', 'protected')", name=op.f("ck_account_tier")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("login", name=op.f("uq_account_login")),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("area_path", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint("tier IN ('public', 'hall', 'internal', 'protected')", name=op.f("ck_event_tier")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sa.UniqueConstraint("position", name=op.f("uq_event_position")),
    )
    op.create_index(
        "ix_event_without_position",
        "event",
        ["id"],
        unique=False,
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_table(
        "generation",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_to", sa.DateTime(timezone=True), nullable=True),
        sa.Column("feature_count", sa.Integer(), nullable=False),
        sa.Column(
            "source", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column(
            "problems",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column(
            "report", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("published_by", sa.Text(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("layer"), "="),
            (sa.text("tstzrange(valid_from, valid_to)"), "&&"),
            where=sa.text("state = 'published'"),
            using="gist",
            name="ex_generation_one_in_force",
        ),
        sa.CheckConstraint(
            "(state = 'published') = (valid_from IS NOT NULL AND published_at IS NOT NULL)",
            name=op.f("ck_generation_published_has_dates"),
        ),
        sa.CheckConstraint("state IN ('staged', 'published', 'discarded')", name=op.f("ck_generation_state")),
        sa.CheckConstraint(
            "valid_to IS NULL OR valid_to > valid_from", name=op.f("ck_generation_valid_to_after_valid_from")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_generation")),
    )
    op.create_index("ix_generation_layer", "generation", ["layer", "state"], unique=False)
    op.create_geospatial_table(
        "address",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('layer_row_id')"), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("address_code", sa.Text(), nullable=False),
        sa.Column("standard_address", sa.Text(), nullable=False),
        sa.Column("grid_code", sa.Text(), nullable=True),
        sa.Column("resident_households", sa.Integer(), nullable=True),
        sa.Column("actual_population", sa.Integer(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", "generation_id", name=op.f("pk_address")),
        sa.UniqueConstraint(
            "generation_id", "address_code", name=op.f("uq_address_generation_id_address_code")
        ),
        postgresql_partition_by="LIST (generation_id)",
    )
    op.create_geospatial_index(
        "ix_address_geom", "address", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "area",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("area_code", sa.Text(), nullable=False),
        sa.Column("area_name", sa.Text(), nullable=False),
        sa.Column("admin_level", sa.Text(), nullable=False),
        sa.Column("parent_code", sa.Text(), nullable=True),
        sa.Column("path", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("community_type", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "admin_level IN ('county', 'township', 'community')", name=op.f("ck_area_admin_level")
        ),
        sa.ForeignKeyConstraint(["generation_id"], ["generation.id"], name=op.f("fk_area_generation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_area")),
    )
    op.create_index("ix_area_area_code", "area", ["generation_id", "area_code"], unique=False)
    op.create_geospatial_index(
        "ix_area_geom", "area", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column(
            "detail", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.CheckConstraint("outcome IN ('done', 'denied', 'failed')", name=op.f("ck_audit_outcome")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_audit_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["at"], unique=False)
    op.create_geospatial_table(
        "camera",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('layer_row_id')"), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("camera_code", sa.Text(), nullable=False),
        sa.Column("camera_name", sa.Text(), nullable=False),
        sa.Column("camera_site_class", sa.Text(), nullable=False),
        sa.Column("source_class", sa.Text(), nullable=True),
        sa.Column("image_months", sa.Integer(), nullable=True),
        sa.Column("video_months", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=True),
        sa.Column("direction", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "camera_site_class IN ('important_site', 'sensitive_site', 'ordinary_site')",
            name=op.f("ck_camera_camera_site_class"),
        ),
        sa.PrimaryKeyConstraint("id", "generation_id", name=op.f("pk_camera")),
        sa.UniqueConstraint("generation_id", "camera_code", name=op.f("uq_camera_generation_id_camera_code")),
        postgresql_partition_by="LIST (generation_id)",
    )
    op.create_geospatial_index(
        "ix_camera_geom", "camera", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "feature",
        sa.Column("id", sa.BigInteger(), server_default=sa.text("nextval('layer_row_id')"), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("properties", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "geom",
            Geometry(
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", "generation_id", name=op.f("pk_feature")),
        sa.UniqueConstraint("generation_id", "key", name=op.f("uq_feature_generation_id_key")),
        postgresql_partition_by="LIST (generation_id)",
    )
    op.create_geospatial_index(
        "ix_feature_geom", "feature", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_geospatial_table(
        "finding",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("clause", sa.Text(), nullable=True),
        sa.Column("fids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("codes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("area_m2", sa.Double(), nullable=True),
        sa.Column("width_m", sa.Double(), nullable=True),
        sa.Column("message", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("weight", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                srid=4490, dimension=2, spatial_index=False, from_text="ST_GeomFromEWKT", name="geometry"
            ),
            nullable=True,
        ),
        sa.CheckConstraint("severity IN ('error', 'warning', 'option')", name=op.f("ck_finding_severity")),
        sa.ForeignKeyConstraint(["generation_id"], ["generation.id"], name=op.f("fk_finding_generation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_finding")),
    )
    op.create_index("ix_finding_generation_id", "finding", ["generation_id"], unique=False)
    op.create_geospatial_table(
        "grid",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("grid_code", sa.Text(), nullable=False),
        sa.Column("grid_name", sa.Text(), nullable=False),
        sa.Column("community_code", sa.Text(), nullable=False),
        sa.Column("grid_kind", sa.Text(), nullable=False),
        sa.Column("settlement_class", sa.Text(), nullable=True),
        sa.Column("resident_households", sa.Integer(), nullable=True),
        sa.Column("actual_population", sa.Integer(), nullable=True),
        sa.Column("host_units", sa.Text(), nullable=True),
        sa.Column("managing_department", sa.Text(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["generation_id"], ["generation.id"], name=op.f("fk_grid_generation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grid")),
    )
    op.create_geospatial_index(
        "ix_grid_geom", "grid", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_grid_grid_code", "grid", ["generation_id", "grid_code"], unique=False)
    op.create_table(
        "import_job",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("layer", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("done", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("total", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("message", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("generation_id", sa.BigInteger(), nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('queued', 'reading', 'checking', 'staging', 'staged', 'published', 'failed', 'interrupted')",
            name=op.f("ck_import_job_state"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_import_job_account_id")),
        sa.ForeignKeyConstraint(
            ["generation_id"], ["generation.id"], name=op.f("fk_import_job_generation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_job")),
    )
    op.create_geospatial_table(
        "sub_grid",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("generation_id", sa.BigInteger(), nullable=False),
        sa.Column("sub_grid_code", sa.Text(), nullable=False),
        sa.Column("sub_grid_name", sa.Text(), nullable=False),
        sa.Column("grid_code", sa.Text(), nullable=False),
        sa.Column("subdivision_kind", sa.Text(), nullable=False),
        sa.Column("resident_households", sa.Integer(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="MULTIPOLYGON",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "subdivision_kind IN ('sub_grid', 'micro_grid')", name=op.f("ck_sub_grid_subdivision_kind")
        ),
        sa.ForeignKeyConstraint(["generation_id"], ["generation.id"], name=op.f("fk_sub_grid_generation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sub_grid")),
    )
    op.create_geospatial_index(
        "ix_sub_grid_geom", "sub_grid", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_sub_grid_sub_grid_code", "sub_grid", ["generation_id", "sub_grid_code"], unique=False)
    op.create_table(
        "wall_link",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("wall_id", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["created_by"], ["account.id"], name=op.f("fk_wall_link_created_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wall_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_wall_link_token_hash")),
    )
    op.create_geospatial_table(
        "incident",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_urgent", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("discovered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("reported_by", sa.BigInteger(), nullable=True),
        sa.Column("given_lon", sa.Double(), nullable=True),
        sa.Column("given_lat", sa.Double(), nullable=True),
        sa.Column("datum", sa.Text(), nullable=False),
        sa.Column("accuracy_m", sa.Double(), nullable=True),
        sa.Column(
            "geom",
            Geometry(
                geometry_type="POINT",
                srid=4490,
                dimension=2,
                spatial_index=False,
                from_text="ST_GeomFromEWKT",
                name="geometry",
                nullable=False,
            ),
            nullable=False,
        ),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("distance_m", sa.Double(), nullable=True),
        sa.Column(
            "candidates",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.Column("grid_id", sa.BigInteger(), nullable=True),
        sa.Column("grid_generation_id", sa.BigInteger(), nullable=True),
        sa.Column("grid_code", sa.Text(), nullable=True),
        sa.Column("sub_grid_code", sa.Text(), nullable=True),
        sa.Column("area_path", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("responsible", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "match IN ('inside', 'border', 'near', 'outside')", name=op.f("ck_incident_match")
        ),
        sa.CheckConstraint(
            "state IN ('discovered', 'recorded', 'refused', 'resolved_on_site', 'reported', 'accepted', 'dispatched', 'taken_up', 'returned', 'coordinating', 'completed', 'verifying', 'fed_back', 'archived')",
            name=op.f("ck_incident_state"),
        ),
        sa.ForeignKeyConstraint(
            ["grid_generation_id"], ["generation.id"], name=op.f("fk_incident_grid_generation_id")
        ),
        sa.ForeignKeyConstraint(["grid_id"], ["grid.id"], name=op.f("fk_incident_grid_id")),
        sa.ForeignKeyConstraint(["reported_by"], ["account.id"], name=op.f("fk_incident_reported_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("number", name=op.f("uq_incident_number")),
    )
    op.create_index("ix_incident_discovered_at", "incident", ["discovered_at"], unique=False)
    op.create_geospatial_index(
        "ix_incident_geom", "incident", ["geom"], unique=False, postgresql_using="gist", postgresql_ops={}
    )
    op.create_index("ix_incident_grid_code", "incident", ["grid_code"], unique=False)
    op.create_index("ix_incident_grid_id", "incident", ["grid_id"], unique=False)
    op.create_index(
        "ix_incident_open",
        "incident",
        ["discovered_at"],
        unique=False,
        postgresql_where=sa.text("state NOT IN ('refused', 'archived')"),
    )
    op.create_index(
        "uq_incident_idempotency_key",
        "incident",
        [sa.literal_column("coalesce(reported_by, 0)"), "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.create_table(
        "incident_event",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("incident_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_incident_event_account_id")),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=op.f("fk_incident_event_incident_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_event")),
    )
    op.create_index("ix_incident_event_incident_id", "incident_event", ["incident_id"], unique=False)


def downgrade() -> None:
    # the extensions stay: other schemas of the database may use them
    op.drop_index("ix_incident_event_incident_id", table_name="incident_event")
    op.drop_table("incident_event")
    op.drop_index(
        "uq_incident_idempotency_key",
        table_name="incident",
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.drop_index(
        "ix_incident_open",
        table_name="incident",
        postgresql_where=sa.text("state NOT IN ('refused', 'archived')"),
    )
    op.drop_index("ix_incident_grid_id", table_name="incident")
    op.drop_index("ix_incident_grid_code", table_name="incident")
    op.drop_geospatial_index(
        "ix_incident_geom", table_name="incident", postgresql_using="gist", column_name="geom"
    )
    op.drop_index("ix_incident_discovered_at", table_name="incident")
    op.drop_geospatial_table("incident")
    op.drop_table("wall_link")
    op.drop_index("ix_sub_grid_sub_grid_code", table_name="sub_grid")
    op.drop_geospatial_index(
        "ix_sub_grid_geom", table_name="sub_grid", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("sub_grid")
    op.drop_table("import_job")
    op.drop_index("ix_grid_grid_code", table_name="grid")
    op.drop_geospatial_index("ix_grid_geom", table_name="grid", postgresql_using="gist", column_name="geom")
    op.drop_geospatial_table("grid")
    op.drop_index("ix_finding_generation_id", table_name="finding")
    op.drop_geospatial_table("finding")
    op.drop_geospatial_index(
        "ix_feature_geom", table_name="feature", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("feature")
    op.drop_geospatial_index(
        "ix_camera_geom", table_name="camera", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("camera")
    op.drop_index("ix_audit_at", table_name="audit")
    op.drop_table("audit")
    op.drop_geospatial_index("ix_area_geom", table_name="area", postgresql_using="gist", column_name="geom")
    op.drop_index("ix_area_area_code", table_name="area")
    op.drop_geospatial_table("area")
    op.drop_geospatial_index(
        "ix_address_geom", table_name="address", postgresql_using="gist", column_name="geom"
    )
    op.drop_geospatial_table("address")
    op.drop_index("ix_generation_layer", table_name="generation")
    op.drop_table("generation")
    op.drop_index(
        "ix_event_without_position", table_name="event", postgresql_where=sa.text("position IS NULL")
    )
    op.drop_table("event")
    op.drop_table("account")
    op.execute(sa.schema.DropSequence(sa.Sequence("layer_row_id")))
