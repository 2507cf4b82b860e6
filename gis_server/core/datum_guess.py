"""Which datum points are really in, told by the grids that they are known to lie in.

A list of incidents or addresses says GCJ-02 nowhere, but often names the grid of each row. Read in the right datum the
points lie in their grids; read in a wrong one they are 140 m to 1.4 km off, and most of them do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gis_server.core.datum import Datum, to_cgcs2000
from gis_server.core.routing import Floats, GridIndex

FEWEST_POINTS = 5
"""Points with a known grid from which on there is an answer (our number)."""

_MOST_POINTS = 20_000  # of a long list, every so manieth
_FRAMES = (Datum.WGS84, Datum.GCJ02, Datum.BD09)
_LEAST_SHARE = 0.5  # below this none of them fits: another CRS, or grids of another date
_LEAST_LEAD = 0.1
_LEAST_LEAD_POINTS = 2  # one row may always be wrong


@dataclass(frozen=True, slots=True)
class DatumGuess:
    """How well each datum explains the known grids.

    ``shares``: the share (0–1) of the points that lie in their known grid when they are read in that datum (wgs84 stands for
    cgcs2000 too). ``best`` is the datum that they are in, None where it cannot be told: grids too large, or no datum fits.
    """

    points: int
    shares: Mapping[Datum, float]
    best: Datum | None

    def contradicts(self, stated: Datum) -> bool:
        """Whether the points are surely in another datum than stated."""
        return self.best is not None and self.best is not (Datum.WGS84 if stated.is_true else stated)


def guess_datum(
    lon: Floats, lat: Floats, grid_codes: Sequence[str | None], index: GridIndex
) -> DatumGuess | None:
    """Compare n points as they were written (degrees of the unknown datum) with the grids that they are known to lie in.

    Rows without a known grid of ``index``, or without numbers, do not count. None with fewer than five points left.
    """
    known = set(index.cover.codes)
    usable = np.flatnonzero([code in known for code in grid_codes] & np.isfinite(lon) & np.isfinite(lat))
    if len(usable) < FEWEST_POINTS:
        return None
    usable = usable[:: -(-len(usable) // _MOST_POINTS)]
    expected = np.array([grid_codes[row] for row in usable.tolist()], dtype=object)
    codes = np.array([*index.cover.codes, None], dtype=object)  # NOWHERE is the last
    hits: dict[Datum, int] = {}
    for datum in _FRAMES:
        true_lon, true_lat = to_cgcs2000(lon[usable], lat[usable], datum)
        hits[datum] = int((codes[index.cover.find_all(true_lon, true_lat)] == expected).sum())
    best, second = sorted(_FRAMES, key=lambda datum: -hits[datum])[:2]
    lead = hits[best] - hits[second]
    certain = (
        hits[best] >= _LEAST_SHARE * len(usable)
        and lead >= _LEAST_LEAD_POINTS
        and lead >= _LEAST_LEAD * len(usable)
    )
    shares = {datum: count / len(usable) for datum, count in hits.items()}
    return DatumGuess(len(usable), shares, best if certain else None)
