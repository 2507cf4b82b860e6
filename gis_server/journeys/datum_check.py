"""Whether points are really in the datum that their file, or whoever brought it, says: the grids they name know better."""

from datetime import datetime

import numpy as np
import shapely
from sqlalchemy import Connection

from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.datum_guess import guess_datum
from gis_server.core.errors import UnusableInput
from gis_server.core.features import FeatureTable
from gis_server.core.message import msg
from gis_server.journeys.boundaries import of_generations
from gis_server.store import boundaries

GRID_CODE = "grid_code"


def require_stated_datum(conn: Connection, table: FeatureTable, now: datetime) -> None:
    """Raise UnusableInput (``datum``) where the grid codes of the rows show that the points are surely in another datum.

    Says nothing without grids in force, without a column of grid codes, or with too few points to be sure.
    """
    stated, codes = table.source.datum, table.columns.get(GRID_CODE)
    if stated is None or codes is None or not len(table.geometry):
        return
    in_force = boundaries.in_force(conn, now)
    if "grid" not in in_force:
        return
    index = of_generations(conn, in_force).index
    # the table is in CGCS2000 already; judged is what was written
    lon, lat = from_cgcs2000(shapely.get_x(table.geometry), shapely.get_y(table.geometry), stated)
    guess = guess_datum(np.asarray(lon, np.float64), np.asarray(lat, np.float64), codes.tolist(), index)
    if guess is None or guess.best is None or not guess.contradicts(stated):
        return
    raise UnusableInput(
        msg(
            "{file} 的坐标不是所说的 {stated}：按各行的网格编码核对 {points} 个点，按 {best} 有 {right}% 落在所写的网格内，按 {stated} 只有 {wrong}%。"
            "请改用 {best} 再导入。",
            file=table.source.file,
            stated=stated.value,
            best=guess.best.value,
            points=guess.points,
            right=round(guess.shares[guess.best] * 100),
            wrong=round(guess.shares[Datum.WGS84 if stated.is_true else stated] * 100),
        ),
        field="datum",
        expected=msg("坐标基准 {best}", best=guess.best.value),
    )
