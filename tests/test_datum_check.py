"""An import whose rows name their grids is refused when its points are really in another datum than stated."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import shapely
from city import COMMUNITIES, SOUTH, STEP, WEST
from made import geojson

from gis_server.core.access import CONSOLE
from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.errors import UnusableInput
from gis_server.journeys import layers
from gis_server.journeys.context import Context


def addresses(folder: Path, datum: Datum, count: int = 40, *, named: bool = True) -> Path:
    """Addresses all over the first four grids, written in ``datum``, each with the code of its true grid."""
    random = np.random.default_rng(3)
    column = np.arange(count) % 4
    lon, lat = WEST + (column + random.random(count)) * STEP, SOUTH + random.random(count) * 2 * STEP
    written = from_cgcs2000(lon, lat, datum)
    rows = [
        {
            "address_code": f"{n:06}",
            "standard_address": f"和平路{n}号",
            "grid_code": f"{COMMUNITIES[c // 2]}00{c % 2 + 1}" if named else None,
        }
        for n, c in enumerate(column.tolist(), start=1)
    ]
    return geojson(folder / "address.geojson", shapely.points(*written).tolist(), rows)


@pytest.mark.parametrize("real", [Datum.GCJ02, Datum.BD09])
@pytest.mark.parametrize("stated", [Datum.WGS84, Datum.CGCS2000])
def test_points_in_another_datum_than_stated_are_refused(
    city_ctx: Context, tmp_path: Path, real: Datum, stated: Datum
) -> None:
    path = addresses(tmp_path, real)
    with pytest.raises(UnusableInput) as caught:
        layers.import_layer(city_ctx, CONSOLE, "address", path, datum=stated, now=datetime.now(UTC))
    assert caught.value.field == "datum"
    assert f"按 {real.value} 有 100%" in str(caught.value)
    assert layers.generations(city_ctx, CONSOLE, "address") == []
    taken = layers.import_layer(city_ctx, CONSOLE, "address", path, datum=real, now=datetime.now(UTC))
    assert taken.added == 40


def test_what_cannot_be_told_is_taken_as_stated(city_ctx: Context, tmp_path: Path) -> None:
    for path in (addresses(tmp_path, Datum.WGS84), addresses(tmp_path, Datum.WGS84, 4)):
        assert layers.import_layer(
            city_ctx, CONSOLE, "address", path, datum=Datum.WGS84, now=datetime.now(UTC)
        ).added
    unnamed = addresses(tmp_path, Datum.GCJ02, named=False)
    taken = layers.import_layer(
        city_ctx, CONSOLE, "address", unnamed, datum=Datum.WGS84, now=datetime.now(UTC)
    )
    assert taken.added > 0
