"""Address search: the names of an address generation with their grams, found by GIN, and the doors of each.

The index is derived from the rows of ``address`` and is made when they are staged; one that is missing or of an older
version is made anew by whoever searches first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely
from sqlalchemy import Connection, case, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from gis_server.core.address_found import KnownAddress
from gis_server.core.address_index import DOOR_END, VERSION, AddressIndex, Commonness, index_addresses
from gis_server.core.address_match import Reading
from gis_server.core.features import FeatureTable
from gis_server.store.copying import Constant
from gis_server.store.partitions import drop_partition, fill_partition
from gis_server.store.schema import address, address_index, address_name, generation

MOST_NAMES = 200
"""Names compared with a question."""

FIRST_DOORS = 800
"""Characters of a name's doors read where the question has no number: enough for the first few."""

_INDEX_LOCK = 74_491

BBox = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Name:
    """A name of an index: its rank, whether it is a former one, and how many doors it has."""

    rank: int
    name: str
    is_former: bool
    door_count: int


def gather(table: FeatureTable) -> AddressIndex:
    """The index of the rows of an address layer; no database is touched."""
    former = table.columns.get("former_names")
    count = len(table.rows)
    return index_addresses(
        table.columns["address_code"].tolist(),
        table.columns["standard_address"].tolist(),
        [None] * count if former is None else former.tolist(),
        shapely.get_x(table.geometry),
        shapely.get_y(table.geometry),
    )


def keep_index(conn: Connection, generation_id: int, index: AddressIndex) -> None:
    """Keep the index of a generation in the caller's transaction; it has none before."""
    west, south, east, north = index.extents.T.tolist()
    columns = {
        "generation_id": Constant(generation_id),
        "rank": list(range(len(index.names))),
        "name": index.names,
        "is_former": index.former,
        "door_count": index.counts,
        "doors": index.doors,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
    }
    fill_partition(conn, address_name.name, generation_id, columns, len(index.names))
    common = index.commonness
    kept = {
        "version": VERSION,
        "names": common.names,
        "least": common.least,
        "frequent": dict(common.frequent),
    }
    row = upsert(address_index).values(generation_id=generation_id, **kept)
    conn.execute(row.on_conflict_do_update(index_elements=["generation_id"], set_=kept))


def drop_index(conn: Connection, generation_id: int) -> None:
    """Remove the index of a generation, if there is one."""
    drop_partition(conn, address_name.name, generation_id)
    conn.execute(delete(address_index).where(address_index.c.generation_id == generation_id))


def commonness(conn: Connection, generation_id: int) -> Commonness | None:
    """How common the grams of a generation's names are; None if it has no index of this version."""
    row = conn.execute(
        select(address_index).where(
            address_index.c.generation_id == generation_id, address_index.c.version == VERSION
        )
    ).one_or_none()
    return None if row is None else Commonness(row.names, row.least, row.frequent)


def make_index(conn: Connection, generation_id: int) -> None:
    """Gather the names of a generation from its rows, in the caller's transaction, unless somebody else just has."""
    conn.execute(select(func.pg_advisory_xact_lock(_INDEX_LOCK, generation_id)))
    if commonness(conn, generation_id) is not None:
        return
    drop_index(conn, generation_id)
    rows = conn.execute(
        select(
            address.c.address_code,
            address.c.standard_address,
            address.c.former_names,
            func.ST_X(address.c.geom),
            func.ST_Y(address.c.geom),
        )
        .where(address.c.generation_id == generation_id)
        .order_by(address.c.id)
    ).all()
    codes, texts, former, x, y = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    keep_index(conn, generation_id, index_addresses(codes, texts, former, np.array(x), np.array(y)))


_BY_GRAMS = """
    SELECT n.rank, n.name, n.is_former, n.door_count
    FROM unnest(CAST(:grams AS text[])) AS asked (gram)
    JOIN address_name n ON n.generation_id = :generation AND n.grams @> ARRAY[asked.gram]{within}
    GROUP BY n.rank, n.name, n.is_former, n.door_count
    ORDER BY count(*) DESC, n.rank
    LIMIT :most
"""

# = ANY is no operator of the GIN index: of a gram that very many names hold, the first names by rank are read, and no more
_BY_RANK = """
    SELECT n.rank, n.name, n.is_former, n.door_count
    FROM address_name n
    WHERE n.generation_id = :generation AND CAST(:gram AS text) = ANY(n.grams){within}
    ORDER BY n.rank
    LIMIT :most
"""

_WITHIN = " AND n.west <= :east AND n.east >= :west AND n.south <= :north AND n.north >= :south"


def names_holding(
    conn: Connection, generation_id: int, reading: Reading, bounds: BBox | None = None
) -> list[Name]:
    """Up to ``MOST_NAMES`` names that hold the grams, those with the most of them first; ``bounds`` in degrees."""
    if not reading.grams:
        return []
    values: dict[str, Any] = {"generation": generation_id, "most": MOST_NAMES}
    if reading.is_rare:
        query, values["grams"] = _BY_GRAMS, list(reading.grams)
    else:
        query, values["gram"] = _BY_RANK, reading.grams[0]
    if bounds is not None:
        values |= dict(zip(("west", "south", "east", "north"), bounds, strict=True))
    rows = conn.execute(text(query.format(within="" if bounds is None else _WITHIN)), values)
    return [Name(row.rank, row.name, row.is_former, row.door_count) for row in rows]


def doors(conn: Connection, generation_id: int, ranks: Sequence[int], *, first_only: bool) -> dict[int, str]:
    """The doors of these names as the index keeps them; ``first_only`` reads no more than the first few."""
    listed = func.left(address_name.c.doors, FIRST_DOORS) if first_only else address_name.c.doors
    rows = conn.execute(
        select(address_name.c.rank, listed).where(
            address_name.c.generation_id == generation_id, address_name.c.rank.in_(ranks)
        )
    )
    # a door cut in two has no code
    return {
        row[0]: row[1].rpartition(DOOR_END)[0] if first_only and len(row[1]) == FIRST_DOORS else row[1]
        for row in rows
    }


def by_codes(conn: Connection, generation_id: int, codes: Sequence[str]) -> dict[str, KnownAddress]:
    """These addresses, by code."""
    rows = conn.execute(
        select(
            address.c.address_code,
            address.c.standard_address,
            func.ST_X(address.c.geom),
            func.ST_Y(address.c.geom),
            address.c.former_names,
        ).where(address.c.generation_id == generation_id, address.c.address_code.in_(codes))
    )
    return {row[0]: KnownAddress(*row) for row in rows}


def generation_at(conn: Connection, at: datetime) -> int | None:
    """The address generation in force at ``at``, or the first one if ``at`` is before it; None if there never was one."""
    row = conn.execute(
        select(generation.c.id)
        .where(generation.c.layer == address.name, generation.c.state == "published")
        .order_by(
            case((generation.c.valid_from <= at, 0), else_=1),
            case((generation.c.valid_from <= at, generation.c.valid_from)).desc(),
            generation.c.valid_from,
        )
        .limit(1)
    ).one_or_none()
    return None if row is None else int(row.id)


def bounds_of(conn: Connection, area_generation: int, area_code: str) -> BBox | None:
    """West, south, east and north of an area, in degrees; None if it is unknown."""
    row = conn.execute(
        text(
            "SELECT ST_XMin(geom), ST_YMin(geom), ST_XMax(geom), ST_YMax(geom) FROM area"
            " WHERE generation_id = :generation AND area_code = :code"
        ),
        {"generation": area_generation, "code": area_code},
    ).one_or_none()
    return None if row is None else (row[0], row[1], row[2], row[3])
