"""Tables of features: as a file has them (RawTable), and fitted to a layer of the catalogue (FeatureTable)."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from gis_server.core.catalogue import Layer
from gis_server.core.datum import Datum
from gis_server.core.message import Message

Column = NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a table came from: kept with the generation for audit."""

    file: str  # name without folders
    layer: str | None  # layer, sheet or archive member inside the file
    features: int  # rows in the file, rejected ones included
    crs: str  # "EPSG:n", WKT or "local"
    encoding: str | None  # of the text, as decided by the reader
    datum: Datum | None  # of points
    sha256: str  # of the file as given, hex


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with one row of the file; the message names the row as a person counts it."""

    row: int  # 0-based row number in the file
    field: str | None  # field of the layer
    message: Message
    rejected: bool  # the row is left out; else it was mended, or a value was left empty


class Duplicates(StrEnum):
    """What to do with a second row of the same key."""

    KEEP = "keep"  # the coverage check reports them
    REJECT = "reject"  # the first stays


@dataclass(frozen=True, slots=True)
class RawTable:
    """Features as the file has them."""

    geometry: NDArray[np.object_]  # shapely or None, two-dimensional, in ``source.crs``
    columns: Mapping[str, Column]  # by source name; text columns are object arrays of str or None
    rows: NDArray[np.int64]  # 0-based row numbers in the file
    source: Source
    first_row: int = 1  # the number that a person sees beside row 0 (2 under a header line)
    cut_names_at: int | None = None  # bytes at which the format cuts column names (10 in dBASE)
    problems: tuple[RowProblem, ...] = ()  # rows that the reader could not use
    notes: tuple[Message, ...] = ()  # about the file as a whole: Z dropped, names mended


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features of one layer of the catalogue, ready to be checked and staged."""

    layer: str
    geometry: NDArray[np.object_]  # shapely, EPSG:4490 longitude/latitude, of the layer's type
    columns: dict[str, NDArray[np.object_]]  # by field: str, int, float, bool, date, aware datetime, or None
    rows: NDArray[np.int64]  # 0-based row numbers in the file
    source: Source
    problems: tuple[RowProblem, ...] = ()
    notes: tuple[Message, ...] = ()
    unused: tuple[str, ...] = ()  # source columns that mean nothing to the layer


def fit(
    layer: Layer,
    raw: RawTable,
    mapping: Mapping[str, str] | None = None,
    *,
    duplicates: Duplicates | None = None,
) -> FeatureTable:
    """Fit a raw table to a layer."""
    raise NotImplementedError
