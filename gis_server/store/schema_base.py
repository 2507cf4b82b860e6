"""What every table of the schema is made with: the metadata, and columns that mean the same everywhere."""

from geoalchemy2 import Geometry
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    MetaData,
    Text,
    func,
    text,
)

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


def id_column() -> Column[int]:
    """The key of a table: a number that the database draws."""
    return Column("id", BigInteger, Identity(always=False), primary_key=True)


def time_column(name: str, *, nullable: bool = False) -> Column[object]:
    """A moment, with its zone."""
    return Column(name, DateTime(timezone=True), nullable=nullable)


def now_column(name: str) -> Column[object]:
    """The moment at which the row was added."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def path_column(name: str = "area_path") -> Column[object]:
    """Codes of the areas a row lies in, county first; empty is the whole deployment."""
    return Column(name, ARRAY(Text), nullable=False, server_default=text("'{}'"))


def one_of(column: str, *values: str) -> CheckConstraint:
    """The column holds one of these words."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def geometry_column(kind: str, *, nullable: bool = False) -> Column[object]:
    """The shape, in EPSG:4490."""
    # the index is written out below each table, so that a migration shows it as one line
    return Column("geom", Geometry(kind, srid=SRID, spatial_index=False), nullable=nullable)
