"""Routing against ``shapely.STRtree`` in the same run, with no answer different from exact covering and the lowest code.

CPU seconds of this process: the machine may be shared, so the ratios count. Single look-ups are timed by the clock.
"""

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import numpy as np
import pytest
import shapely
from tilings import tiling

from gis_server.core.routing import NOWHERE, Cover, GridIndex

T = TypeVar("T")

POINTS = 1_000_000
SINGLES = 200_000
RUNS = 5
LEAST_RATIO = 3.0
MOST_P50_US, MOST_P99_US = 2.0, 20.0


@dataclass(frozen=True)
class Case:
    cells: np.ndarray
    cover: Cover
    build_s: float
    build_mb: float
    lon: np.ndarray
    lat: np.ndarray


def cpu(act: Callable[[], T]) -> tuple[float, T]:
    start = time.process_time()
    result = act()
    return time.process_time() - start, result


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.fixture(scope="module", params=[2_000, 20_000, 200_000])
def case(request: pytest.FixtureRequest) -> Case:
    """Cells of 60 vertices, codes in no order, points all over."""
    cells = tiling(request.param)
    random = np.random.default_rng(7)
    codes = [f"{code:09d}" for code in random.permutation(len(cells))]
    before = peak_mb()
    build_s, cover = cpu(lambda: Cover(codes, cells))
    west, south, east, north = shapely.total_bounds(cells)
    return Case(
        cells,
        cover,
        build_s,
        peak_mb() - before,
        random.uniform(west, east, POINTS),
        random.uniform(south, north, POINTS),
    )


def lowest(found: np.ndarray, count: int) -> np.ndarray:
    """The lowest rank of each point among all pairs of point and rank."""
    ranks = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(ranks, found[0], found[1])
    return np.where(ranks == np.iinfo(np.int64).max, NOWHERE, ranks)


@pytest.mark.timeout(900)
def test_a_million_points_against_the_tree(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    cover, lon, lat = case.cover, case.lon, case.lat
    points = shapely.points(lon, lat)
    tree = shapely.STRtree(cover.geometries)
    tree.query(points[:1])  # builds it
    theirs, ours = [], []
    for _ in range(RUNS):
        took, found = cpu(lambda: tree.query(points, predicate="intersects"))
        theirs.append(took)
        took, ranks = cpu(lambda: cover.find_all(lon, lat))
        ours.append(took)
    ratio = median(theirs) / median(ours)
    corners = np.unique(shapely.get_coordinates(case.cells[:2000]), axis=0)
    at_corners = tree.query(shapely.points(corners), predicate="intersects")
    different = (ranks != lowest(found, POINTS)).sum()
    different += (cover.find_all(*corners.T) != lowest(at_corners, len(corners))).sum()
    with capsys.disabled():
        print(
            f"\n{len(case.cells)} cells, {POINTS} points: tree {median(theirs):.2f} s, table {median(ours):.2f} s,"
            f" ratio {ratio:.1f} (at least {LEAST_RATIO}); {different} different, {len(corners)} shared vertices"
            f" among them; built in {case.build_s:.1f} s, peak memory + {case.build_mb:.0f} MB"
        )
    assert different == 0
    assert ratio >= LEAST_RATIO


def test_one_look_up_takes_microseconds(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    find, clock = case.cover.find, time.perf_counter_ns
    took = np.empty(SINGLES)
    for n, (x, y) in enumerate(zip(case.lon[:SINGLES].tolist(), case.lat[:SINGLES].tolist(), strict=True)):
        start = clock()
        find(x, y)
        took[n] = clock() - start
    p50, p99 = (np.quantile(took, [0.5, 0.99]) / 1000).tolist()
    with capsys.disabled():
        print(
            f"\n{len(case.cells)} cells, one look-up: p50 {p50:.2f} µs (at most {MOST_P50_US}),"
            f" p99 {p99:.1f} µs (at most {MOST_P99_US})"
        )
    assert p50 <= MOST_P50_US
    assert p99 <= MOST_P99_US


def test_whole_answers(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    """Distances, and with an accuracy candidates and shares, of a tenth of the points; one report by itself."""
    if len(case.cells) > 50_000:
        pytest.skip("the figures of a county and a city are enough")
    index = GridIndex(case.cover.codes, case.cover.geometries, "EPSG:4551")
    lon, lat = case.lon[: POINTS // 10], case.lat[: POINTS // 10]
    index.route_all(lon[:10], lat[:10], np.full(10, 10.0))
    plain, _ = cpu(lambda: index.route_all(lon, lat))
    weighed, _ = cpu(lambda: index.route_all(lon, lat, np.full(len(lon), 10.0)))
    single, _ = cpu(lambda: [index.route(x, y, 10.0) for x, y in zip(lon[:1000], lat[:1000], strict=True)])
    with capsys.disabled():
        print(
            f"\n{len(case.cells)} cells, whole answers a point: {plain / len(lon) * 1e6:.1f} µs,"
            f" with 10 m accuracy {weighed / len(lon) * 1e6:.1f} µs, one by one {single * 1e3:.0f} µs"
        )
