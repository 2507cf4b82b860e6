"""What a check is given: the cells, their parents, and how coordinates become metres."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from gis_server.core.coverage.edges import Flags, Floats, Geometries, Indices

Texts = NDArray[np.object_]
"""Text or None per row."""

ToPlane = Callable[[Floats], Floats]
"""Coordinates (n, 2) of the data → planar metres (n, 2)."""


@dataclass(frozen=True, slots=True)
class Cells:
    """The polygons to check, one row each; every array has one entry a row.

    ``codes`` their own codes, ``parent_codes`` the codes of the areas they say they lie in, ``exclusive`` whether a
    grid is an exclusive one, ``rows`` the row numbers to report (by default 0, 1, 2 …).
    """

    geometry: Geometries
    codes: Texts | None = None
    parent_codes: Texts | None = None
    exclusive: Flags | None = None
    rows: Indices | None = None

    def row(self, index: int) -> int:
        """The row number under which people know the cell."""
        return index if self.rows is None else int(self.rows[index])

    def code(self, index: int) -> str | None:
        """The cell's code, None where it has none."""
        return None if self.codes is None else self.codes[index]


@dataclass(frozen=True, slots=True)
class Parents:
    """The areas that the cells should tile; ``declared_holes`` is ground that may stay without a cell (a lake)."""

    geometry: Geometries
    codes: Texts | None = None
    declared_holes: Geometries | None = None

    def code(self, index: int) -> str | None:
        """The area's code, None where it has none."""
        return None if self.codes is None or index < 0 else self.codes[index]


@dataclass(frozen=True, slots=True)
class Plane:
    """Lengths and areas in metres of geometries in the data's own coordinates.

    ``to_metres`` is None where the coordinates are planar metres already. ``bend`` (1/m) says how far an edge of
    length L may bow out, ``bend · L²``, because straight lines of one CRS are not straight in another.
    """

    to_metres: ToPlane | None = None
    bend: float = 0.0

    def project(self, geometries: Geometries) -> Geometries:
        """The geometries in metres."""
        if self.to_metres is None or len(geometries) == 0:
            return geometries
        return np.asarray(shapely.transform(geometries, self.to_metres))

    def area(self, geometries: Geometries) -> Floats:
        """Square metres."""
        return np.asarray(shapely.area(self.project(geometries)))
