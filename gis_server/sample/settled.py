"""The settled ground: what addresses, cameras and incidents are placed on."""

from dataclasses import dataclass

from shapely import Polygon

from gis_server.sample.blocks import Faces
from gis_server.sample.boundaries import Boundaries
from gis_server.sample.grids import Division
from gis_server.sample.tables import Table


@dataclass(frozen=True, slots=True)
class Settled:
    """Faces and their division, the boundaries with names and codes, the roads, and the river's bed."""

    seed: int
    faces: Faces
    division: Division
    boundaries: Boundaries
    roads: Table
    bed: Polygon
