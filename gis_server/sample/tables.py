"""Tables of made-up features, before any file."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Table:
    """Features of one layer: shapely geometries in metres, and a column for each field of the layer.

    Text columns are object arrays of str or None; times are aware datetimes.
    """

    geometry: NDArray[np.object_]
    columns: Mapping[str, NDArray[np.generic]]

    def __len__(self) -> int:
        return len(self.geometry)

    def __getitem__(self, column: str) -> NDArray[np.generic]:
        return self.columns[column]


def texts(values: list[str] | list[str | None]) -> NDArray[np.object_]:
    """A text column."""
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column
