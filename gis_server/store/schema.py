"""Every table of the PostGIS schema, as SQLAlchemy Core values.

Geometry is stored in EPSG:4490 (CGCS2000 longitude, latitude). Layers live in *generations*: the rows of one import,
never changed afterwards, in force for ``[valid_from, valid_to)`` once published. ``incident``, ``incident_event``,
``incident_alert``, ``acceptance``, ``photo``, ``incident_link``, ``bulk_row``, ``mending``, ``mending_undo`` and ``audit`` are records: rows are only ever added (an incident's
state changes, its history does not).

Index names never start with ``idx_``: GeoAlchemy2's Alembic helper hides such names from the check for drift.
"""

from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID, ExcludeConstraint
from sqlalchemy.schema import SchemaItem

SRID = 4490

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=False), primary_key=True)


def _time(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _now(name: str) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def _path(name: str = "area_path") -> Column[object]:
    """Codes of the areas a row lies in, county first; empty is the whole deployment."""
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"))


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _geometry(kind: str, *, nullable: bool = False) -> Column[object]:
    # the index is written out below each table, so that a migration shows it as one line
    return Column("geom", Geometry(kind, srid=SRID, spatial_index=False), nullable=nullable)


def _boundary_table(name: str, code: str, *columns: SchemaItem) -> Table:
    """A layer of polygons that tile: all generations in one table, a few thousand rows each."""
    return Table(
        name,
        metadata,
        _id(),
        Column("generation_id", BigInteger, ForeignKey("generation.id"), nullable=False),
        Column(code, Text, nullable=False),
        *columns,
        _geometry("MULTIPOLYGON"),
        # not unique: a staged generation holds the double codes that the check reports; publishing refuses them
        Index(f"ix_{name}_{code}", "generation_id", code),
        Index(f"ix_{name}_geom", "geom", postgresql_using="gist"),
    )


def _feature_table(name: str, kind: str, code: str, *columns: SchemaItem) -> Table:
    """A layer of up to millions of things: one partition a generation (``store.partitions``).

    A partition is filled before its indexes are built, which takes a quarter of the time of filling an indexed
    table, and a discarded one is dropped instead of deleted row by row. ``generation_id`` is no foreign key: attaching
    a partition would lock ``generation`` against every other import, and two of them against each other.
    """
    return Table(
        name,
        metadata,
        Column("id", BigInteger, row_id, primary_key=True, server_default=row_id.next_value()),
        Column("generation_id", BigInteger, primary_key=True, autoincrement=False),
        Column(code, Text, nullable=False),
        *columns,
        _geometry(kind),
        UniqueConstraint("generation_id", code),
        Index(f"ix_{name}_geom", "geom", postgresql_using="gist"),
        postgresql_partition_by="LIST (generation_id)",
    )


row_id = Sequence("layer_row_id", metadata=metadata)
"""Ids of the rows of partitioned tables: an identity column would not reach a partition's own COPY."""

generation = Table(
    "generation",
    metadata,
    _id(),
    Column("layer", Text, nullable=False),
    Column("state", Text, nullable=False),
    _time("valid_from", nullable=True),
    _time("valid_to", nullable=True),
    Column("feature_count", Integer, nullable=False),
    Column("source", JSONB, nullable=False, server_default=text("'{}'")),
    Column("problems", JSONB, nullable=False, server_default=text("'[]'")),
    Column("report", JSONB, nullable=False, server_default=text("'{}'")),
    _now("created_at"),
    Column("created_by", Text, nullable=False),
    _time("published_at", nullable=True),
    Column("published_by", Text),
    _one_of("state", "staged", "published", "discarded"),
    CheckConstraint(
        "(state = 'published') = (valid_from IS NOT NULL AND published_at IS NOT NULL)",
        name="published_has_dates",
    ),
    CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="valid_to_after_valid_from"),
    ExcludeConstraint(
        (text("layer"), "="),
        (text("tstzrange(valid_from, valid_to)"), "&&"),
        where=text("state = 'published'"),
        using="gist",
        name="ex_generation_one_in_force",
    ),
    Index("ix_generation_layer", "layer", "state"),
)

area = _boundary_table(
    "area",
    "area_code",
    Column("area_name", Text, nullable=False),
    Column("admin_level", Text, nullable=False),
    Column("parent_code", Text),
    _path("path"),
    Column("community_type", Text),
    _one_of("admin_level", "county", "township", "community"),
)

grid = _boundary_table(
    "grid",
    "grid_code",
    Column("grid_name", Text, nullable=False),
    Column("community_code", Text, nullable=False),
    Column("grid_kind", Text, nullable=False),
    Column("settlement_class", Text),
    Column("resident_households", Integer),
    Column("actual_population", Integer),
    Column("host_units", Text),
    Column("managing_department", Text),
)

sub_grid = _boundary_table(
    "sub_grid",
    "sub_grid_code",
    Column("sub_grid_name", Text, nullable=False),
    Column("grid_code", Text, nullable=False),
    Column("subdivision_kind", Text, nullable=False),
    Column("resident_households", Integer),
    _one_of("subdivision_kind", "sub_grid", "micro_grid"),
)

address = _feature_table(
    "address",
    "POINT",
    "address_code",
    Column("standard_address", Text, nullable=False),
    Column("grid_code", Text),
    Column("resident_households", Integer),
    Column("actual_population", Integer),
    Column("former_names", Text),
)

address_index = Table(
    "address_index",
    metadata,
    Column("generation_id", BigInteger, ForeignKey("generation.id"), primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("names", Integer, nullable=False),
    Column("least", Integer, nullable=False),
    Column("frequent", JSONB, nullable=False),
)
"""Of which address generations the names are gathered in ``address_name``, and how common their frequent grams are."""

address_name = Table(
    "address_name",
    metadata,
    Column("generation_id", BigInteger, primary_key=True, autoincrement=False),
    # names with the most doors first
    Column("rank", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("is_former", Boolean, nullable=False),
    Column("door_count", Integer, nullable=False),
    Column("doors", Text, nullable=False),
    Column("west", Double, nullable=False),
    Column("south", Double, nullable=False),
    Column("east", Double, nullable=False),
    Column("north", Double, nullable=False),
    Column("grams", ARRAY(Text), Computed("address_grams(name)", persisted=True)),
    Index("ix_address_name_grams", "grams", postgresql_using="gin"),
    postgresql_partition_by="LIST (generation_id)",
)
"""What address search looks through: derived from ``address``, a partition a generation, and made anew when need be."""

camera = _feature_table(
    "camera",
    "POINT",
    "camera_code",
    Column("camera_name", Text, nullable=False),
    Column("camera_site_class", Text, nullable=False),
    Column("source_class", Text),
    Column("image_months", Integer),
    Column("video_months", Integer),
    Column("status", Text),
    Column("direction", Text),
    _one_of("camera_site_class", "important_site", "sensitive_site", "ordinary_site"),
)

feature = _feature_table(
    "feature",
    "GEOMETRY",
    "key",
    Column("layer", Text, nullable=False),
    Column("properties", JSONB, nullable=False),
)

finding = Table(
    "finding",
    metadata,
    _id(),
    Column("generation_id", BigInteger, ForeignKey("generation.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("clause", Text),
    Column("fids", ARRAY(BigInteger), nullable=False),
    Column("codes", ARRAY(Text), nullable=False),
    Column("area_m2", Double),
    Column("width_m", Double),
    Column("message", JSONB, nullable=False),
    Column("weight", JSONB),
    _geometry("GEOMETRY", nullable=True),
    _one_of("severity", "error", "warning", "option"),
    Index("ix_finding_generation_id", "generation_id"),
)

account = Table(
    "account",
    metadata,
    _id(),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("tier", Text, nullable=False),
    _path(),
    Column("password_hash", Text, nullable=False),
    _time("disabled_at", nullable=True),
    _now("created_at"),
    Column("session_epoch", Integer, nullable=False, server_default=text("0")),
    _one_of("tier", "public", "hall", "internal", "protected"),
)

acceptance = Table(
    "acceptance",
    metadata,
    _id(),
    Column("finding_id", BigInteger, ForeignKey("finding.id"), nullable=False, unique=True),
    Column("who", Text, nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    _now("at"),
    Column("reason", Text, nullable=False),
    CheckConstraint("length(btrim(reason)) >= 4", name="reason"),
)

mending = Table(
    "mending",
    metadata,
    _id(),
    Column("root_id", BigInteger, ForeignKey("generation.id"), nullable=False),
    Column("generation_id", BigInteger, ForeignKey("generation.id"), nullable=False),
    Column("content", JSONB, nullable=False),
    Column("rows", ARRAY(Integer), nullable=False),
    Column("before", ARRAY(LargeBinary), nullable=False),
    Column("after", ARRAY(LargeBinary), nullable=False),
    Column("parents_before", ARRAY(Text)),
    Column("parents_after", ARRAY(Text)),
    Column("who", Text, nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    _now("at"),
    Index("ix_mending_root_id", "root_id"),
)

mending_undo = Table(
    "mending_undo",
    metadata,
    _id(),
    Column("mending_id", BigInteger, ForeignKey("mending.id"), nullable=False, unique=True),
    Column("generation_id", BigInteger, ForeignKey("generation.id"), nullable=False),
    Column("who", Text, nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    _now("at"),
)

import_job = Table(
    "import_job",
    metadata,
    Column("id", UUID(as_uuid=True), primary_key=True),
    Column("layer", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("total", Integer, nullable=False, server_default=text("0")),
    Column("message", JSONB),
    Column("generation_id", BigInteger, ForeignKey("generation.id")),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    Column("file_name", Text, nullable=False),
    _now("created_at"),
    _now("updated_at"),
    # what became of each row, where a file's rows are reports of their own (``store.bulk``)
    Column("report", JSONB),
    _one_of(
        "state",
        "queued",
        "reading",
        "checking",
        "staging",
        "staged",
        "published",
        "failed",
        "interrupted",
    ),
)

incident = Table(
    "incident",
    metadata,
    _id(),
    Column("number", Text, nullable=False, unique=True),
    Column("item", Text),
    Column("description", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_urgent", Boolean, nullable=False, server_default=text("false")),
    _time("discovered_at"),
    _now("recorded_at"),
    Column("reported_by", BigInteger, ForeignKey("account.id")),
    Column("given_lon", Double),
    Column("given_lat", Double),
    Column("datum", Text, nullable=False),
    Column("accuracy_m", Double),
    _geometry("POINT"),
    Column("match", Text, nullable=False),
    Column("distance_m", Double),
    Column("candidates", JSONB, nullable=False, server_default=text("'[]'")),
    Column("grid_id", BigInteger, ForeignKey("grid.id")),
    Column("grid_generation_id", BigInteger, ForeignKey("generation.id")),
    Column("grid_code", Text),
    Column("sub_grid_code", Text),
    _path(),
    Column("responsible", JSONB),
    _time("due_at", nullable=True),
    Column("idempotency_key", Text),
    Column("item_key", Text),
    Column("current_level", Text),
    Column("lead_unit", Text),
    Column("responsible_unit", Text),
    Column("person_in_charge", Text),
    Column("first_contact", Text),
    _time("clock_starts_at", nullable=True),
    _time("supervised_at", nullable=True),
    Column("rating", Integer),
    Column("scores", JSONB(none_as_null=True)),
    Column("decision", Text),
    # NULLS are distinct in PostgreSQL 15, and console reports have no account: 0 stands for them
    Index(
        "uq_incident_idempotency_key",
        text("coalesce(reported_by, 0)"),
        "idempotency_key",
        unique=True,
        postgresql_where=text("idempotency_key IS NOT NULL"),
    ),
    _one_of(
        "state",
        "discovered",
        "recorded",
        "refused",
        "resolved_on_site",
        "reported",
        "accepted",
        "dispatched",
        "taken_up",
        "returned",
        "coordinating",
        "completed",
        "verifying",
        "fed_back",
        "archived",
    ),
    _one_of("match", "inside", "border", "near", "outside"),
    _one_of("current_level", "prefecture", "county", "township", "community"),
    Index("ix_incident_geom", "geom", postgresql_using="gist"),
    Index("ix_incident_grid_id", "grid_id"),
    Index("ix_incident_grid_code", "grid_code"),
    Index("ix_incident_discovered_at", "discovered_at"),
    Index(
        "ix_incident_open",
        "discovered_at",
        postgresql_where=text("state NOT IN ('refused', 'archived')"),
    ),
    Index(
        "ix_incident_open_id",
        "id",
        postgresql_where=text("state NOT IN ('refused', 'archived')"),
    ),
    CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
    Index(
        "ix_incident_due_at",
        "due_at",
        postgresql_where=text("due_at IS NOT NULL AND state NOT IN ('refused', 'archived')"),
    ),
)

incident_event = Table(
    "incident_event",
    metadata,
    _id(),
    Column("incident_id", BigInteger, ForeignKey("incident.id"), nullable=False),
    _now("at"),
    Column("actor", Text, nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("note", Text),
    Column("step", Text),
    Column("level", Text),
    Column("entered_for", Text),
    Column("clause", Text),
    Column("place_lon", Double),
    Column("place_lat", Double),
    Column("filled", JSONB),
    Column("trace", JSONB),
    Index("ix_incident_event_incident_id", "incident_id"),
)

incident_alert = Table(
    "incident_alert",
    metadata,
    _id(),
    Column("incident_id", BigInteger, ForeignKey("incident.id"), nullable=False),
    _now("at"),
    Column("kind", Text, nullable=False),
    _time("clock_starts_at"),
    _time("due_at"),
    Column("round", Integer, nullable=False, server_default=text("0")),
    _time("old_due_at", nullable=True),
    Column("told_party", Text),
    Column("told_level", Text),
    Column("told_name", Text),
    Column("clause", Text),
    Column("trace", JSONB),
    _one_of("kind", "warning", "overdue", "escalation", "recomputed"),
    # one clock is warned of, found overdue and escalated once each, however often the watch runs
    Index(
        "uq_incident_alert_once",
        "incident_id",
        "kind",
        "clock_starts_at",
        "due_at",
        "round",
        unique=True,
    ),
)

rating_link = Table(
    "rating_link",
    metadata,
    _id(),
    Column("incident_id", BigInteger, ForeignKey("incident.id"), nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("created_by", BigInteger, ForeignKey("account.id")),
    _now("created_at"),
    _time("expires_at"),
    _time("revoked_at", nullable=True),
    Index("ix_rating_link_incident_id", "incident_id"),
)

photo = Table(
    "photo",
    metadata,
    _id(),
    Column("incident_id", BigInteger, ForeignKey("incident.id"), nullable=False),
    # of the file as it came: the same one sent again is the same photo
    Column("sha256", Text, nullable=False),
    _now("at"),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    _time("taken_at", nullable=True),
    Column("taken_lon", Double),
    Column("taken_lat", Double),
    # in the database, so that a report and its photos are saved, lost and brought back together
    Column("image", LargeBinary, nullable=False),
    Column("thumbnail", LargeBinary, nullable=False),
    UniqueConstraint("incident_id", "sha256"),
)

incident_link = Table(
    "incident_link",
    metadata,
    _id(),
    Column("incident_id", BigInteger, ForeignKey("incident.id"), nullable=False),
    Column("other_id", BigInteger, ForeignKey("incident.id"), nullable=False),
    # the newest row of a pair holds
    Column("is_duplicate", Boolean, nullable=False),
    _now("at"),
    Column("actor", Text, nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    Column("note", Text),
    CheckConstraint("incident_id <> other_id", name="not_itself"),
    Index("ix_incident_link_incident_id", "incident_id"),
    Index("ix_incident_link_other_id", "other_id"),
)

reroute = Table(
    "reroute",
    metadata,
    _id(),
    Column("state", Text, nullable=False),
    _time("started_at"),
    _time("updated_at"),
    Column("who", Text, nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    Column("reason", Text),
    Column("dry_run", Boolean, nullable=False),
    _time("since", nullable=True),
    # compared with one set of grids instead of those of each day
    Column("generation_id", BigInteger, ForeignKey("generation.id")),
    Column("total", BigInteger, nullable=False),
    Column("done", BigInteger, nullable=False, server_default=text("0")),
    Column("only_sub_grid", BigInteger, nullable=False, server_default=text("0")),
    Column("pairs", JSONB, nullable=False, server_default=text("'[]'")),
    # up to here everything is done
    _time("last_discovered_at", nullable=True),
    Column("last_id", BigInteger),
    _one_of("state", "running", "finished"),
    CheckConstraint("dry_run OR reason IS NOT NULL", name="has_a_reason"),
)

correction = Table(
    "correction",
    metadata,
    _id(),
    Column("reroute_id", BigInteger, ForeignKey("reroute.id"), nullable=False),
    Column("incident_id", BigInteger, ForeignKey("incident.id"), nullable=False),
    _now("at"),
    Column("from_grid_code", Text),
    Column("to_grid_code", Text),
    Column("to_sub_grid_code", Text),
    Column("to_grid_id", BigInteger, ForeignKey("grid.id")),
    Column("grid_generation_id", BigInteger, ForeignKey("generation.id"), nullable=False),
    Column("match", Text, nullable=False),
    Column("distance_m", Double),
    _path(),
    _one_of("match", "inside", "border", "near", "outside"),
    UniqueConstraint("incident_id", "reroute_id"),
)

bulk_row = Table(
    "bulk_row",
    metadata,
    Column("key", Text, primary_key=True),
    Column("sha256", Text, nullable=False),
    Column("incident_id", BigInteger, ForeignKey("incident.id"), nullable=False),
    _now("at"),
)

person = Table(
    "person",
    metadata,
    _id(),
    Column("staff_no", Text),
    Column("name", Text, nullable=False),
    Column("phone", Text),
    _now("created_at"),
    # a new phone is a new row: what a past roster said of somebody stays
    Index(
        "uq_person_as_known",
        text("coalesce(staff_no, '')"),
        "name",
        text("coalesce(phone, '')"),
        unique=True,
    ),
)

posting = Table(
    "posting",
    metadata,
    _id(),
    # a roster is a generation of its own kind, so that one look tells all that is in force at a moment
    Column("generation_id", BigInteger, ForeignKey("generation.id"), nullable=False),
    Column("person_id", BigInteger, ForeignKey("person.id"), nullable=False),
    Column("post", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("leader_level", Text),
    Column("worker_kind", Text),
    Column("worker_level", Text),
    Column("community_post", Text),
    Column("source", Text),
    Column("unit", Text),
    Column("certified", Boolean),
    Column("declared_on", Date),
    Column("stands_in_for", BigInteger, ForeignKey("person.id")),
    _time("valid_from"),
    _time("valid_to", nullable=True),
    CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="valid_to_after_valid_from"),
    CheckConstraint("(post = 'grid_worker') = (worker_kind IS NOT NULL)", name="worker_has_a_kind"),
    Index("ix_posting_generation_id", "generation_id", "code"),
)

event = Table(
    "event",
    metadata,
    _id(),
    # given after commit by the sequencer, so that no reader can pass a number that is still to come
    Column("position", BigInteger, unique=True),
    Column("kind", Text, nullable=False),
    _now("at"),
    Column("tier", Text, nullable=False),
    _path(),
    Column("payload", JSONB, nullable=False),
    _one_of("tier", "public", "hall", "internal", "protected"),
    Index("ix_event_without_position", "id", postgresql_where=text("position IS NULL")),
)

wall_link = Table(
    "wall_link",
    metadata,
    _id(),
    Column("wall_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("created_by", BigInteger, ForeignKey("account.id")),
    _now("created_at"),
    _time("expires_at", nullable=True),
    _time("revoked_at", nullable=True),
)

wall_tour = Table(
    "wall_tour",
    metadata,
    _id(),
    Column("wall_id", Text, nullable=False),
    Column("tour", JSONB, nullable=False),
    Column("saved_by", BigInteger, ForeignKey("account.id")),
    _now("saved_at"),
    Index("ix_wall_tour_wall_id", "wall_id", "id"),
)

acknowledgement = Table(
    "acknowledgement",
    metadata,
    Column("incident_id", BigInteger, ForeignKey("incident.id"), primary_key=True),
    _now("at"),
    Column("account_id", BigInteger, ForeignKey("account.id")),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    _now("at"),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text),
    Column("outcome", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    _one_of("outcome", "done", "denied", "failed"),
    Index("ix_audit_at", "at"),
)

LAYER_TABLES = {table.name: table for table in (area, grid, sub_grid, address, camera, incident)}
"""Tables that a layer file may name as its ``table``; any other layer is kept in ``feature``."""

PARTITIONED = frozenset({address.name, camera.name, feature.name})
"""Tables whose generations are partitions, named ``<table>_g<generation id>``."""
