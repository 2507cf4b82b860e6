"""From a point to exactly one grid and sub-grid, or to a named "none".

The rule (acceptance scenario S18): a grid *covers* its interior and its border; of several grids that cover a point
the one with the lowest code has it. Sorted by code, that is ``min`` in Python and ``ORDER BY code COLLATE "C" LIMIT 1`` in
SQL, so every door gives the same answer every time.

``cover`` finds it, ``share`` weighs an uncertain position, ``position`` refuses what is no place, ``index`` puts them together.
"""

from gis_server.core.routing.cover import NOWHERE, Cover
from gis_server.core.routing.edges import Floats, Geometries, Rows
from gis_server.core.routing.index import REACH_M, Candidate, Candidates, GridIndex, Match, Routed, Routes
from gis_server.core.routing.position import MAX_ACCURACY_M, check_accuracy, check_position
from gis_server.core.routing.share import R95, normal_share

__all__ = [
    "MAX_ACCURACY_M",
    "NOWHERE",
    "R95",
    "REACH_M",
    "Candidate",
    "Candidates",
    "Cover",
    "Floats",
    "Geometries",
    "GridIndex",
    "Match",
    "Routed",
    "Routes",
    "Rows",
    "check_accuracy",
    "check_position",
    "normal_share",
]
