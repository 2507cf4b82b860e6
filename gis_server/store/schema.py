"""Every table of the PostGIS schema, as SQLAlchemy Core values.

Geometry is stored in EPSG:4490 (CGCS2000 longitude, latitude). Layers live in *generations*: the rows of one import,
never changed afterwards, in force for ``[valid_from, valid_to)`` once published. ``incident``, ``incident_event``,
``incident_alert``, ``acceptance``, ``photo``, ``incident_link``, ``bulk_row``, ``mending``, ``mending_undo`` and ``audit`` are records: rows are only ever added (an incident's
state changes, its history does not).

Index names never start with ``idx_``: GeoAlchemy2's Alembic helper hides such names from the check for drift.
"""

from gis_server.store.schema_base import SRID, metadata
from gis_server.store.schema_desk import (
    account,
    audit,
    event,
    import_job,
    person,
    posting,
    wall_link,
    wall_tour,
)
from gis_server.store.schema_incidents import (
    acknowledgement,
    bulk_row,
    correction,
    incident,
    incident_alert,
    incident_event,
    incident_link,
    photo,
    rating_link,
    reroute,
)
from gis_server.store.schema_layers import (
    acceptance,
    address,
    address_index,
    address_name,
    area,
    camera,
    feature,
    finding,
    generation,
    grid,
    mending,
    mending_undo,
    row_id,
    sub_grid,
)

__all__ = [
    "LAYER_TABLES",
    "PARTITIONED",
    "SRID",
    "acceptance",
    "account",
    "acknowledgement",
    "address",
    "address_index",
    "address_name",
    "area",
    "audit",
    "bulk_row",
    "camera",
    "correction",
    "event",
    "feature",
    "finding",
    "generation",
    "grid",
    "import_job",
    "incident",
    "incident_alert",
    "incident_event",
    "incident_link",
    "mending",
    "mending_undo",
    "metadata",
    "person",
    "photo",
    "posting",
    "rating_link",
    "reroute",
    "row_id",
    "sub_grid",
    "wall_link",
    "wall_tour",
]

LAYER_TABLES = {table.name: table for table in (area, grid, sub_grid, address, camera, incident)}
"""Tables that a layer file may name as its ``table``; any other layer is kept in ``feature``."""

PARTITIONED = frozenset({address.name, camera.name, feature.name})
"""Tables whose generations are partitions, named ``<table>_g<generation id>``."""
