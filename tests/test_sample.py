"""The sample city: exact, plausible, and the same every time."""

import re
import time

import numpy as np
import pytest
import shapely

from gis_server.sample.city import LAYERS, City, make_city
from gis_server.sample.divide import Graph, divide
from gis_server.sample.names import numeral


@pytest.fixture(scope="module")
def city() -> City:
    return make_city()


@pytest.fixture(scope="module")
def small() -> City:
    return make_city(seed=3, towns=1, communities_per_town=4, grids_per_community=4)


def levels(city: City) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Parents, their codes, children and the children's parent codes, level by level."""
    area, grid, sub_grid = city["area"], city["grid"], city["sub_grid"]
    of = {level: area["admin_level"] == level for level in ("county", "township", "community")}
    ordinary = grid["grid_kind"] == "resident_grid"

    def pair(above: str, below: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        one, other = of[above], of[below]
        return area.geometry[one], area["area_code"][one], area.geometry[other], area["parent_code"][other]

    community = of["community"]
    return [
        pair("county", "township"),
        pair("township", "community"),
        (area.geometry[community], area["area_code"][community], grid.geometry, grid["community_code"]),
        (grid.geometry[ordinary], grid["grid_code"][ordinary], sub_grid.geometry, sub_grid["grid_code"]),
    ]


def assert_exact(city: City) -> None:
    for parents, codes, children, parent_codes in levels(city):
        assert set(codes) == set(parent_codes)
        assert shapely.coverage_is_valid(children)
        assert (shapely.get_type_id(children) == shapely.GeometryType.POLYGON).all()
        assert shapely.is_valid(children).all()
        for parent, code in zip(parents, codes, strict=True):
            union = shapely.normalize(shapely.coverage_union_all(children[parent_codes == code]))
            assert union == parent, code  # vertex by vertex, bit by bit


def test_every_level_tiles_the_one_above_exactly(city: City) -> None:
    assert_exact(city)


@pytest.mark.parametrize(
    ("seed", "towns", "communities"), [(0, 1, 2), (3, 1, 4), (7, 2, 6), (20, 5, 3), (41, 4, 5)]
)
def test_any_seed_and_size_tiles_exactly(seed: int, towns: int, communities: int) -> None:
    made = make_city(seed, towns, communities, 5, cameras=20, incidents=20)
    assert_exact(made)
    communities_made = (made["area"]["admin_level"] == "community").sum()
    assert towns * (communities - communities * 3 // 8) <= communities_made <= towns * communities


def test_coordinates_lie_on_the_centimetre(city: City) -> None:
    places = shapely.get_coordinates(city["sub_grid"].geometry)
    assert (np.round(places * 100) / 100 == places).all()


def test_holes_are_exclusive_grids(city: City) -> None:
    grid = city["grid"]
    exclusive = grid.geometry[grid["grid_kind"] == "exclusive_grid"]
    holes = shapely.get_num_interior_rings(grid.geometry)
    assert holes.sum() >= 1
    for shape in grid.geometry[holes > 0]:
        for ring in shape.interiors:
            hole = shapely.Polygon(ring)
            inside = exclusive[shapely.covered_by(exclusive, hole)]
            assert shapely.area(inside).sum() == pytest.approx(hole.area)


def test_grids_are_no_squares(city: City) -> None:
    grid = city["grid"]
    urban = (grid["settlement_class"] == "urban_community") & (grid["grid_kind"] == "resident_grid")
    shapes = grid.geometry[urban]
    assert np.median(shapely.get_num_coordinates(shapes)) > 12
    assert 8 < np.median(shapely.area(shapes)) / 1e4 < 18  # hectares
    # grids of the middle are smaller than those of the edge
    centre = shapely.centroid(shapely.union_all(shapes))
    away = shapely.distance(shapely.centroid(shapes), centre)
    near = away < np.median(away)
    assert np.median(shapely.area(shapes[near])) < 0.75 * np.median(shapely.area(shapes[~near]))


def test_sizes(city: City) -> None:
    grid, sub_grid = city["grid"], city["sub_grid"]
    households = grid["resident_households"]
    exclusive = grid["grid_kind"] == "exclusive_grid"
    rural = grid["settlement_class"] == "rural"
    urban = households[~exclusive & ~rural]
    assert urban.min() >= 380
    assert urban.max() <= 520
    assert households[rural].min() >= 30
    assert 45 <= households[rural].mean() <= 55
    assert (households[exclusive] == 0).all()
    assert sub_grid["resident_households"].min() >= 10
    town = np.isin(sub_grid["grid_code"], grid["grid_code"][~rural])
    assert sub_grid["resident_households"][town].min() >= 50
    assert sub_grid["resident_households"].max() <= 100
    assert len(grid) == 200
    assert 880 <= len(sub_grid) <= 920
    assert 14_000 <= len(city["address"]) <= 16_000
    assert len(city["camera"]) == 500
    assert len(city["incident"]) == 2000


def test_codes_follow_the_fifteen_digit_rule(city: City) -> None:
    grid = city["grid"]
    communities = set(city["area"]["area_code"][city["area"]["admin_level"] == "community"])
    for community in communities:
        own = grid["community_code"] == community
        codes = sorted(grid["grid_code"][own])
        assert all(re.fullmatch(r"[0-9]{15}", code) and code[:12] == community for code in codes)
        assert [int(code[12:]) for code in codes] == list(range(1, len(codes) + 1))
        exclusive = grid["grid_kind"][own][np.argsort(grid["grid_code"][own])] == "exclusive_grid"
        assert (np.diff(exclusive.astype(int)) >= 0).all(), "exclusive grids come last"
    for code, parent in zip(city["sub_grid"]["sub_grid_code"], city["sub_grid"]["grid_code"], strict=True):
        assert re.fullmatch(parent + r"-[0-9]{2}", code)
    hosted = np.array([host is not None for host in grid["host_units"]])
    assert (hosted == (grid["grid_kind"] == "exclusive_grid")).all()


def holders(shapes: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The one shape in whose interior each point lies."""
    point, shape = shapely.STRtree(shapes).query(points, predicate="within")
    assert len(point) == len(points) == len(set(point.tolist()))
    return shape[np.argsort(point)]


def test_addresses_lie_in_their_grid_and_add_up(city: City) -> None:
    address, grid, sub_grid = city["address"], city["grid"], city["sub_grid"]
    within = holders(grid.geometry, address.geometry)
    assert (grid["grid_code"][within] == address["grid_code"]).all()
    counted = np.bincount(within, weights=address["resident_households"], minlength=len(grid))
    assert (counted == grid["resident_households"]).all()
    within = holders(sub_grid.geometry, address.geometry)
    counted = np.bincount(within, weights=address["resident_households"], minlength=len(sub_grid))
    assert (counted == sub_grid["resident_households"]).all()
    assert len(set(address["standard_address"])) == len(address)
    town = re.compile(r"云澜市.+?(镇|街道).+?\d+号.+小区\d+幢\d单元|云澜市.+村.+屯\d+号")
    assert all(town.fullmatch(text) for text in address["standard_address"])


def test_nobody_lives_in_the_river(city: City) -> None:
    river = city["water"].geometry[city["water"]["water_class"] == "river"][0]
    shapely.prepare(river)
    wet = (
        shapely.contains(river, city["address"].geometry).sum()
        + shapely.contains(river, city["camera"].geometry).sum()
    )
    assert wet == 0


def test_one_address_a_household() -> None:
    made = make_city(3, 1, 4, 4, per_household=True, cameras=5, incidents=5)
    address = made["address"]
    assert len(address) == made["grid"]["resident_households"].sum()
    assert (address["resident_households"] == 1).all()
    assert len(set(address["standard_address"])) == len(address)


def test_cameras(city: City) -> None:
    camera = city["camera"]
    holders(city["grid"].geometry, camera.geometry)
    assert all(re.fullmatch(r"239901\d{2}\d{2}13[12]\d\d{6}", code) for code in camera["camera_code"])
    assert len(set(camera["camera_code"])) == 500
    sensitive = camera["camera_site_class"] == "sensitive_site"
    assert 5 <= sensitive.sum() <= 60
    kept = (camera["image_months"] >= 12) & (camera["video_months"] >= 3)
    assert kept[sensitive].any()
    assert not kept[sensitive].all(), "the retention check needs something to find"


def test_incidents_have_their_hours_and_ends(city: City) -> None:
    incident = city["incident"]
    assert (incident["state"] == "archived").sum() == 1940
    times = incident["discovered_at"].tolist()
    assert times == sorted(times)
    assert 88 <= (times[-1] - times[0]).days <= 90
    hours = np.bincount([t.hour for t in times], minlength=24)
    assert set(np.argsort(hours)[-4:]) == {9, 10, 15, 16}
    assert all(r > d for r, d in zip(incident["recorded_at"], times, strict=True))
    within = holders(city["sub_grid"].geometry, incident.geometry)
    assert (city["sub_grid"]["sub_grid_code"][within] == incident["sub_grid_code"]).all()


def test_buildings_stand_apart_and_neither_in_the_street_nor_in_the_river(city: City) -> None:
    shapes = city["building"].geometry
    assert shapely.is_valid(shapes).all()
    tree = shapely.STRtree(shapes)
    one, other = tree.query(shapes, predicate="intersects")
    assert (one == other).all()
    wet = city["water"].geometry[city["water"]["water_class"] == "river"][0]
    assert not shapely.intersects(wet, shapes).any()
    streets = city["road"].geometry[city["road"]["road_class"] != "rural"]
    assert len(tree.query(streets, predicate="intersects")[0]) == 0
    # four doors in five are the door of a building
    doors = np.unique(tree.query(city["address"].geometry, predicate="within")[0])
    assert len(doors) > 0.8 * len(city["address"])


def test_same_seed_same_city_other_seed_other_city(small: City) -> None:
    again = make_city(seed=3, towns=1, communities_per_town=4, grids_per_community=4)
    other = make_city(seed=4, towns=1, communities_per_town=4, grids_per_community=4)
    for layer in LAYERS:
        assert (
            shapely.to_wkb(small[layer].geometry).tolist() == shapely.to_wkb(again[layer].geometry).tolist()
        )
        for name, column in small[layer].columns.items():
            assert column.tolist() == again[layer][name].tolist(), (layer, name)
    assert small["area"].geometry[0] != other["area"].geometry[0]


def test_a_tiny_city_is_quick_and_ten_times_more_takes_about_ten_times_longer() -> None:
    def seconds(towns: int) -> float:
        best = np.inf
        for _ in range(2):
            start = time.process_time()
            make_city(5, towns, 4, 3, cameras=10, incidents=10)
            best = min(best, time.process_time() - start)
        return float(best)

    one, ten = seconds(2), seconds(20)
    assert one < 2
    assert ten < 16 * one


def test_progress_reaches_its_end() -> None:
    steps: list[tuple[int, int]] = []
    make_city(3, 1, 2, 2, cameras=2, incidents=2, progress=lambda done, total: steps.append((done, total)))
    assert [done for done, _ in steps] == list(range(1, 10))
    assert steps[-1] == (9, 9)


def test_dividing_keeps_parts_connected_and_balanced() -> None:
    side = 12
    number = np.arange(side * side).reshape(side, side)
    pairs = np.vstack(
        [
            np.column_stack([number[:, :-1].ravel(), number[:, 1:].ravel()]),
            np.column_stack([number[:-1].ravel(), number[1:].ravel()]),
        ]
    )
    y, x = np.divmod(np.arange(side * side).astype(float), side)
    graph = Graph(np.ones(side * side), x, y, pairs, np.ones(len(pairs)))
    label = divide(graph, 9)
    assert np.bincount(label).min() >= 12
    assert np.bincount(label).max() <= 20
    cells = shapely.box(x, y, x + 1, y + 1)
    for part in range(9):
        assert shapely.union_all(cells[label == part]).geom_type == "Polygon"
    with pytest.raises(ValueError, match="not connected"):
        divide(Graph(np.ones(3), np.arange(3.0), np.zeros(3), np.empty((0, 2), dtype=int), np.empty(0)), 2)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, "一"),
        (10, "十"),
        (11, "十一"),
        (20, "二十"),
        (99, "九十九"),
        (100, "一百"),
        (105, "一百零五"),
        (110, "一百一十"),
        (345, "三百四十五"),
    ],
)
def test_numerals(number: int, said: str) -> None:
    assert numeral(number) == said
