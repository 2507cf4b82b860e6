import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from gis_server.core.errors import UnknownCrs
from gis_server.core.geometry import (
    LOCAL_CRS,
    STORAGE_CRS,
    check_range,
    check_usable,
    crs_candidates,
    crs_name,
    mend,
    metric_crs,
    middle,
    parse_crs,
    project,
    states_its_datum,
    to_metric,
    transform,
)

ESRI_GK = (
    'PROJCS["CGCS2000_3_Degree_GK_CM_120E",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",'
    'DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],PARAMETER["False_Easting",500000.0],'
    'PARAMETER["False_Northing",0.0],PARAMETER["Central_Meridian",{meridian}],PARAMETER["Scale_Factor",1.0],'
    'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)
BEIJING_WITH_PARAMETERS = "+proj=tmerc +lat_0=0 +lon_0=120 +k=1 +x_0=500000 +ellps=krass +towgs84={shift},0,0,0,0 +units=m +type=crs"
SEVERAL_ROADS = np.array(
    [shapely.LineString([(119.4, 32.2), (119.41, 32.21)]), None, shapely.Point(119.42, 32.2)], object
)


def point(x: float, y: float) -> np.ndarray:
    return np.array([shapely.Point(x, y)], object)


@given(lon=st.floats(73.6, 136.4))
def test_metric_crs_is_the_nearest_three_degree_zone(lon: float) -> None:
    crs = CRS.from_user_input(metric_crs(lon))
    meridian = next(p.value for p in crs.coordinate_operation.params if "longitude" in p.name.lower())
    assert abs(lon - meridian) <= 1.5 + 1e-9
    assert "CGCS2000 / 3-degree" in crs.name
    assert crs.name.endswith("E")  # without the zone's number


@pytest.mark.parametrize("lon", [70.0, -120.0, 140.0])
def test_metric_crs_outside_china_is_refused(lon: float) -> None:
    with pytest.raises(UnknownCrs, match="75°–135°"):
        metric_crs(lon)


def test_axes_are_east_first_whatever_the_register_says() -> None:
    there = transform(point(119.4, 32.2), "EPSG:4490", "EPSG:4549")[0]
    assert (round(there.x), round(there.y)) == (443427, 3564188)


@pytest.mark.parametrize(
    "crs",
    [
        "EPSG:4549",
        "EPSG:4528",
        "EPSG:4509",
        "EPSG:4498",
        "EPSG:3857",
        "EPSG:4326",
        "EPSG:32650",
        ESRI_GK.format(meridian=119.5),
    ],
)
def test_there_and_back_again(crs: str) -> None:
    back = transform(transform(SEVERAL_ROADS, STORAGE_CRS, crs), crs, STORAGE_CRS)
    assert back[1] is None
    assert shapely.equals_exact(back[[0, 2]], SEVERAL_ROADS[[0, 2]], tolerance=1e-10).all()


def test_esri_definition_is_recognised() -> None:
    assert crs_name(parse_crs(ESRI_GK.format(meridian="120.0"))) == "EPSG:4549"


def test_another_country_is_brought_over_with_real_parameters() -> None:
    # bubenec, Prague: the shift between S-JTSK and WGS 84 is over a hundred metres
    lon, lat = project(np.array([1_603_650.0]), np.array([6_464_360.0]), "EPSG:3857", STORAGE_CRS)
    x, y = project(lon, lat, STORAGE_CRS, "EPSG:5514")
    again = project(x, y, "EPSG:5514", STORAGE_CRS)
    assert (float(again[0][0]), float(again[1][0])) == pytest.approx((float(lon[0]), float(lat[0])), abs=1e-7)


@pytest.mark.parametrize(
    "code", [4214, 2401, 2414, 2437, 2442, 21413, 21473, 4610, 2327, 2349, 2370, 2383, 2390, 4555]
)
def test_beijing_1954_and_xian_1980_are_refused(code: int) -> None:
    with pytest.raises(UnknownCrs, match="北京54或西安80"):
        check_usable(f"EPSG:{code}")
    with pytest.raises(UnknownCrs):
        transform(point(443_000, 3_565_000), f"EPSG:{code}", STORAGE_CRS)


def test_beijing_1954_with_parameters_is_shifted() -> None:
    crs = BEIJING_WITH_PARAMETERS.format(shift="15.8,-154.4,-82.3")
    there = transform(point(443_000, 3_565_000), crs, "EPSG:4549")[0]
    assert 20 < shapely.distance(there, shapely.Point(443_000, 3_565_000)) < 200


def test_parameters_of_nought_are_no_parameters() -> None:
    with pytest.raises(UnknownCrs, match="北京54或西安80"):
        check_usable(BEIJING_WITH_PARAMETERS.format(shift="0,0,0"))


@pytest.mark.parametrize("crs", ["EPSG:1", "", "网格", "EPSG:5714", 'LOCAL_CS["x",UNIT["metre",1]]'])
def test_what_is_no_usable_crs(crs: str) -> None:
    with pytest.raises(UnknownCrs):
        check_usable(crs)


def test_local_plane_goes_nowhere() -> None:
    with pytest.raises(UnknownCrs, match="没有地理位置"):
        transform(point(0, 0), LOCAL_CRS, STORAGE_CRS)
    assert to_metric(point(1, 2), LOCAL_CRS)[1] == LOCAL_CRS


@pytest.mark.parametrize(
    ("crs", "metric"),
    [
        ("EPSG:4490", "EPSG:4549"),
        ("EPSG:4326", "EPSG:4549"),
        ("EPSG:3857", "EPSG:4549"),
        ("EPSG:4528", "EPSG:4528"),
        ("EPSG:32650", "EPSG:32650"),
    ],
)
def test_areas_are_measured_in_metres_of_the_ground(crs: str, metric: str) -> None:
    square = np.array([shapely.box(443_000, 3_565_000, 443_100, 3_565_100)], object)
    there, chosen = to_metric(transform(square, "EPSG:4549", crs), crs)
    assert chosen == metric
    assert shapely.area(there)[0] == pytest.approx(10_000, rel=2e-3)


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [
        (119.4, 32.2, ("EPSG:4490", "EPSG:4326")),
        (40_443_427, 3_564_188, ("EPSG:4528",)),
        (20_726_000, 3_565_000, ("EPSG:4498",)),
        (13_291_547, 3_789_592, ("EPSG:3857", "EPSG:4491")),  # Zhenjiang, or Ngari in zone 13
        (13_500_000, 5_900_000, ("EPSG:3857",)),  # north of all land in zone 13
        (12_900_000, 4_000_000, ("EPSG:3857",)),
        (1_000_000_000, 5, ()),
        (0, 0, ()),
    ],
)
def test_candidates_by_size(x: float, y: float, expected: tuple[str, ...]) -> None:
    assert crs_candidates(x, y) == expected


def test_unknown_meridian_names_all_of_them() -> None:
    candidates = crs_candidates(443_000, 3_565_000)
    assert len(candidates) == 32
    assert {"EPSG:4534", "EPSG:4549", "EPSG:4554", "EPSG:4502", "EPSG:4512"} <= set(candidates)


@pytest.mark.parametrize("zone", range(25, 46))
def test_prefixed_three_degree_zone_is_named_exactly(zone: int) -> None:
    (code,) = crs_candidates(zone * 1e6 + 443_000, 3_565_000)
    assert parse_crs(code).name == f"CGCS2000 / 3-degree Gauss-Kruger zone {zone}"


@pytest.mark.parametrize("zone", range(16, 24))
def test_prefixed_six_degree_zone_is_named_exactly(zone: int) -> None:
    (code,) = crs_candidates(zone * 1e6 + 443_000, 3_565_000)
    assert parse_crs(code).name == f"CGCS2000 / Gauss-Kruger zone {zone}"


def test_a_few_stray_rows_do_not_refuse_a_file() -> None:
    rows = shapely.points([[119.4, 32.2]] * 8 + [[0, 0], [32.2, 119.4]])
    check_range(rows, "EPSG:4490")
    assert middle(rows) == (119.4, 32.2)
    assert middle(np.array([None, shapely.Point()], object)) is None


@pytest.mark.parametrize(
    ("crs", "speaks"),
    [
        ("EPSG:4490", False),
        ("EPSG:4326", False),
        ("EPSG:3857", False),
        ("EPSG:4549", True),
        ("EPSG:32650", True),
    ],
)
def test_which_crs_states_its_datum(crs: str, speaks: bool) -> None:
    assert states_its_datum(crs) is speaks


def test_mending_touches_only_what_is_invalid() -> None:
    bow_tie = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    line = shapely.Polygon([(0, 0), (1, 1), (0, 0)])
    shapes = np.array([shapely.box(0, 0, 1, 1), None, bow_tie, line], object)
    mended, reasons = mend(shapes)
    assert mended[0] is shapes[0]
    assert mended[1] is None
    assert shapely.is_valid(mended[[0, 2, 3]]).all()
    assert mended[2].area == 2.0
    assert mended[3].is_empty
    assert reasons[0] == (2, "Self-intersection[1 1]")
    assert [index for index, _ in reasons] == [2, 3]
