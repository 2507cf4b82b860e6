import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from gis_server.core.datum import (
    Datum,
    bd09_to_gcj02,
    from_cgcs2000,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    in_gcj02_area,
    to_cgcs2000,
    wgs84_to_gcj02,
)

GEOD = Geod(ellps="WGS84")
CITIES = {
    "Tongjiang": (132.510, 47.643),
    "Heihe": (127.528, 50.245),
    "Lanzhou": (103.834, 36.061),
    "Zhenjiang": (119.425, 32.188),
    "Taizhou": (121.420, 28.656),
}
shifted = pytest.mark.parametrize("datum", [Datum.GCJ02, Datum.BD09])
in_china = given(lon=st.floats(73.5, 135.0), lat=st.floats(3.5, 53.5))


def metres(lon: float, lat: float, other_lon: float, other_lat: float) -> float:
    return float(GEOD.inv(lon, lat, other_lon, other_lat)[2])


# what the published formulae give at Tiananmen, as prcoords and gcoord do
def test_known_forward_values() -> None:
    assert wgs84_to_gcj02(116.404, 39.915) == pytest.approx((116.41024449916938, 39.91640428150164), abs=1e-9)
    assert gcj02_to_bd09(116.404, 39.915) == pytest.approx((116.41036949371029, 39.92133699351021), abs=1e-9)


def test_known_inverse_values() -> None:
    assert gcj02_to_wgs84(116.41024449916938, 39.91640428150164) == pytest.approx((116.404, 39.915), abs=1e-9)
    assert bd09_to_gcj02(116.41036949371029, 39.92133699351021) == pytest.approx((116.404, 39.915), abs=1e-9)


@shifted
@in_china
def test_round_trip_within_a_millimetre(datum: Datum, lon: float, lat: float) -> None:
    back = to_cgcs2000(*from_cgcs2000(lon, lat, datum), datum)
    assert metres(lon, lat, float(back[0]), float(back[1])) <= 0.001


@shifted
@in_china
def test_forward_of_the_inverse_within_a_millimetre(datum: Datum, lon: float, lat: float) -> None:
    there = from_cgcs2000(*to_cgcs2000(lon, lat, datum), datum)
    assert metres(lon, lat, float(there[0]), float(there[1])) <= 0.001


@pytest.mark.parametrize("city", CITIES.values(), ids=CITIES)
def test_size_of_the_shift_in_the_five_places(city: tuple[float, float]) -> None:
    for datum, least, most in ((Datum.GCJ02, 130, 640), (Datum.BD09, 950, 1450)):
        off = metres(*city, *(float(v) for v in from_cgcs2000(*city, datum)))
        assert least < off < most


def test_wgs84_and_cgcs2000_are_one() -> None:
    for datum in (Datum.WGS84, Datum.CGCS2000):
        assert to_cgcs2000(119.4, 32.2, datum) == (119.4, 32.2)
        assert datum.is_true
    assert not Datum.GCJ02.is_true


@given(lon=st.floats(-180, 180), lat=st.floats(-90, 90))
def test_nothing_is_shifted_outside_china(lon: float, lat: float) -> None:
    if not in_gcj02_area(lon, lat):
        assert wgs84_to_gcj02(lon, lat) == (lon, lat)
    if not (71.9 <= lon <= 137.9 and 0.8 <= lat <= 55.9):
        assert gcj02_to_wgs84(lon, lat) == (lon, lat)


@shifted
def test_missing_coordinates_stay_missing(datum: Datum) -> None:
    lon, lat = to_cgcs2000([119.4, np.nan, 120.0], [32.2, 30.0, np.nan], datum)
    assert (np.isfinite(lon) & np.isfinite(lat)).tolist() == [True, False, False]


@shifted
def test_arrays_keep_their_shape_and_agree_with_single_points(datum: Datum) -> None:
    lon, lat = np.array([[119.4, 120.4], [103.8, 132.5]]), np.array([[32.2, 30.1], [36.0, 47.6]])
    got_lon, got_lat = to_cgcs2000(lon, lat, datum)
    assert got_lon.shape == got_lat.shape == (2, 2)
    assert to_cgcs2000(103.8, 36.0, datum) == (got_lon[1, 0], got_lat[1, 0])
