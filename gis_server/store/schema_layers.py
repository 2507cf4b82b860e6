"""The tables of layers: generations, their rows, and what was found wrong with them."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Sequence,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, ExcludeConstraint
from sqlalchemy.schema import SchemaItem

from gis_server.store.schema_base import (
    geometry_column,
    id_column,
    metadata,
    now_column,
    one_of,
    path_column,
    time_column,
)


def _boundary_table(name: str, code: str, *columns: SchemaItem) -> Table:
    """A layer of polygons that tile: all generations in one table, a few thousand rows each."""
    return Table(
        name,
        metadata,
        id_column(),
        Column("generation_id", BigInteger, ForeignKey("generation.id"), nullable=False),
        Column(code, Text, nullable=False),
        *columns,
        geometry_column("MULTIPOLYGON"),
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
        geometry_column(kind),
        UniqueConstraint("generation_id", code),
        Index(f"ix_{name}_geom", "geom", postgresql_using="gist"),
        postgresql_partition_by="LIST (generation_id)",
    )


row_id = Sequence("layer_row_id", metadata=metadata)
"""Ids of the rows of partitioned tables: an identity column would not reach a partition's own COPY."""

generation = Table(
    "generation",
    metadata,
    id_column(),
    Column("layer", Text, nullable=False),
    Column("state", Text, nullable=False),
    time_column("valid_from", nullable=True),
    time_column("valid_to", nullable=True),
    Column("feature_count", Integer, nullable=False),
    Column("source", JSONB, nullable=False, server_default=text("'{}'")),
    Column("problems", JSONB, nullable=False, server_default=text("'[]'")),
    Column("report", JSONB, nullable=False, server_default=text("'{}'")),
    now_column("created_at"),
    Column("created_by", Text, nullable=False),
    time_column("published_at", nullable=True),
    Column("published_by", Text),
    one_of("state", "staged", "published", "discarded"),
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
    path_column("path"),
    Column("community_type", Text),
    one_of("admin_level", "county", "township", "community"),
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
    one_of("subdivision_kind", "sub_grid", "micro_grid"),
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
    Column("field_angle", Double),
    Column("view_distance_m", Double),
    one_of("camera_site_class", "important_site", "sensitive_site", "ordinary_site"),
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
    id_column(),
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
    geometry_column("GEOMETRY", nullable=True),
    one_of("severity", "error", "warning", "option"),
    Index("ix_finding_generation_id", "generation_id"),
)

acceptance = Table(
    "acceptance",
    metadata,
    id_column(),
    Column("finding_id", BigInteger, ForeignKey("finding.id"), nullable=False, unique=True),
    Column("who", Text, nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    now_column("at"),
    Column("reason", Text, nullable=False),
    CheckConstraint("length(btrim(reason)) >= 4", name="reason"),
)

mending = Table(
    "mending",
    metadata,
    id_column(),
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
    now_column("at"),
    Index("ix_mending_root_id", "root_id"),
)

mending_undo = Table(
    "mending_undo",
    metadata,
    id_column(),
    Column("mending_id", BigInteger, ForeignKey("mending.id"), nullable=False, unique=True),
    Column("generation_id", BigInteger, ForeignKey("generation.id"), nullable=False),
    Column("who", Text, nullable=False),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    now_column("at"),
)
