"""What every reader of one format hands on before the reference system and datum are settled."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gis_server.core.features import RowProblem
from gis_server.core.geometry import Geometries
from gis_server.core.message import Message

Progress = Callable[[int, int], None]
"""Called with rows done and rows in all."""


@dataclass(slots=True)
class Loaded:
    """Features as the file has them, with what the file says of its reference system (or nothing)."""

    geometry: Geometries  # two-dimensional, None where missing
    columns: Mapping[str, NDArray[np.generic]]
    rows: NDArray[np.int64]
    features: int
    crs: str | None  # "EPSG:n" or WKT as stated by the file
    layer: str | None = None
    encoding: str | None = None
    first_row: int = 1
    cut_names_at: int | None = None
    is_list: bool = False  # a CSV or sheet: it cannot state a CRS, and degrees are taken for what they are
    coordinate_columns: tuple[str, ...] = ()
    problems: list[RowProblem] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)


def text_column(values: list[str | None]) -> NDArray[np.object_]:
    """A text column as RawTable wants it."""
    column = np.empty(len(values), object)
    column[:] = values
    return column
