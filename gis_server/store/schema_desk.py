"""The tables of the house itself: accounts, jobs, the roster, events, walls, the audit trail."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from gis_server.store.schema_base import id_column, metadata, now_column, one_of, path_column, time_column

account = Table(
    "account",
    metadata,
    id_column(),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("tier", Text, nullable=False),
    path_column(),
    Column("password_hash", Text, nullable=False),
    time_column("disabled_at", nullable=True),
    now_column("created_at"),
    Column("session_epoch", Integer, nullable=False, server_default=text("0")),
    one_of("tier", "public", "hall", "internal", "protected"),
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
    now_column("created_at"),
    now_column("updated_at"),
    # what became of each row, where a file's rows are reports of their own (``store.bulk``)
    Column("report", JSONB),
    one_of(
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

person = Table(
    "person",
    metadata,
    id_column(),
    Column("staff_no", Text),
    Column("name", Text, nullable=False),
    Column("phone", Text),
    now_column("created_at"),
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
    id_column(),
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
    time_column("valid_from"),
    time_column("valid_to", nullable=True),
    CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="valid_to_after_valid_from"),
    CheckConstraint("(post = 'grid_worker') = (worker_kind IS NOT NULL)", name="worker_has_a_kind"),
    Index("ix_posting_generation_id", "generation_id", "code"),
)

event = Table(
    "event",
    metadata,
    id_column(),
    # given after commit by the sequencer, so that no reader can pass a number that is still to come
    Column("position", BigInteger, unique=True),
    Column("kind", Text, nullable=False),
    now_column("at"),
    Column("tier", Text, nullable=False),
    path_column(),
    Column("payload", JSONB, nullable=False),
    one_of("tier", "public", "hall", "internal", "protected"),
    Index("ix_event_without_position", "id", postgresql_where=text("position IS NULL")),
    Index("ix_event_scene", "at", postgresql_where=text("kind = 'scene'")),
)

wall_link = Table(
    "wall_link",
    metadata,
    id_column(),
    Column("wall_id", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("token_hash", Text, nullable=False, unique=True),
    Column("created_by", BigInteger, ForeignKey("account.id")),
    now_column("created_at"),
    time_column("expires_at", nullable=True),
    time_column("revoked_at", nullable=True),
)

wall_tour = Table(
    "wall_tour",
    metadata,
    id_column(),
    Column("wall_id", Text, nullable=False),
    Column("tour", JSONB, nullable=False),
    Column("saved_by", BigInteger, ForeignKey("account.id")),
    now_column("saved_at"),
    Index("ix_wall_tour_wall_id", "wall_id", "id"),
)

audit = Table(
    "audit",
    metadata,
    id_column(),
    now_column("at"),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text),
    Column("outcome", Text, nullable=False),
    Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
    one_of("outcome", "done", "denied", "failed"),
    Index("ix_audit_at", "at"),
)
