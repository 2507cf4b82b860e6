"""The known grids of points tell which datum they are in."""

from pathlib import Path

import numpy as np
import pytest
import shapely

from gis_server.core.datum import Datum, from_cgcs2000
from gis_server.core.datum_guess import DatumGuess, guess_datum
from gis_server.core.geometry import STORAGE_CRS, metric_or_utm, middle, transform
from gis_server.core.routing import GridIndex
from gis_server.files.read import read

CITY = Path(__file__).parent.parent / "sample_shapefiles" / "clean"
FRAMES = [Datum.WGS84, Datum.GCJ02, Datum.BD09]


@pytest.fixture(scope="module")
def index() -> GridIndex:
    """The grids of the sample city."""
    raw = read(CITY / "grids.shp")
    shapes = transform(raw.geometry, raw.source.crs, STORAGE_CRS)
    centre = middle(shapes)
    assert centre is not None
    return GridIndex(raw.columns["grid_code"].tolist(), shapes, metric_or_utm(*centre))


@pytest.fixture(scope="module")
def points(index: GridIndex) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places all over the sample city, as many in every grid, and their grids."""
    random = np.random.default_rng(1)
    lon, lat, codes = [], [], []
    for code, polygon in zip(index.cover.codes, index.cover.geometries, strict=True):
        west, south, east, north = polygon.bounds
        x, y = random.uniform(west, east, 40), random.uniform(south, north, 40)
        inside = shapely.contains_xy(polygon, x, y)
        lon += x[inside].tolist()
        lat += y[inside].tolist()
        codes += [code] * int(inside.sum())
    return np.array(lon), np.array(lat), np.array(codes, object)


def guess(
    index: GridIndex, points: tuple[np.ndarray, np.ndarray, np.ndarray], rows: np.ndarray, written: Datum
) -> DatumGuess:
    lon, lat, codes = (part[rows] for part in points)
    found = guess_datum(*from_cgcs2000(lon, lat, written), codes.tolist(), index)
    assert found is not None
    return found


@pytest.mark.parametrize("written", FRAMES)
def test_the_datum_of_a_whole_list_is_told(
    index: GridIndex, points: tuple[np.ndarray, np.ndarray, np.ndarray], written: Datum
) -> None:
    found = guess(index, points, np.arange(len(points[0])), written)
    assert found.best is written
    assert found.shares[written] == 1.0
    assert max(share for datum, share in found.shares.items() if datum is not written) < 0.7
    assert [datum for datum in FRAMES if found.contradicts(datum)] == [d for d in FRAMES if d is not written]
    assert found.contradicts(Datum.CGCS2000) is (written is not Datum.WGS84)


@pytest.mark.parametrize("written", FRAMES)
def test_five_points_are_mostly_enough_and_never_misleading(
    index: GridIndex, points: tuple[np.ndarray, np.ndarray, np.ndarray], written: Datum
) -> None:
    random = np.random.default_rng(2)
    told = [guess(index, points, random.integers(0, len(points[0]), 5), written).best for _ in range(200)]
    assert set(told) <= {written, None}
    assert told.count(written) >= 150


def test_one_wrong_row_in_ten_does_not_change_the_answer(
    index: GridIndex, points: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    random = np.random.default_rng(3)
    rows = random.integers(0, len(points[0]), 200)
    lon, lat, codes = (part[rows] for part in points)
    codes[::10] = random.permutation(codes[::10])
    found = guess_datum(*from_cgcs2000(lon, lat, Datum.GCJ02), codes.tolist(), index)
    assert found is not None
    assert found.best is Datum.GCJ02


def test_what_cannot_be_told_is_not_told(
    index: GridIndex, points: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> None:
    lon, lat, codes = (part[:50] for part in points)
    assert guess_datum(lon[:4], lat[:4], codes[:4].tolist(), index) is None
    assert guess_datum(lon, lat, [None] * 50, index) is None
    assert guess_datum(lon, lat, ["no such grid"] * 50, index) is None
    assert guess_datum(np.full(50, np.nan), lat, codes.tolist(), index) is None
    # of another city
    far = guess_datum(lon + 3.0, lat, codes.tolist(), index)
    assert far == DatumGuess(50, dict.fromkeys(FRAMES, 0.0), None)
    # one grid as large as the city holds the points in every datum
    large = GridIndex(
        ["all"], np.array([shapely.box(*shapely.total_bounds(index.cover.geometries)).buffer(0.1)]), None
    )
    undecided = guess_datum(lon, lat, ["all"] * 50, large)
    assert undecided == DatumGuess(50, dict.fromkeys(FRAMES, 1.0), None)
