"""Shares of an uncertain position are probabilities: held to simulated errors."""

import numpy as np
import pytest
import shapely

from gis_server.core.routing import R95, GridIndex, normal_share

SIZE_M = 300.0


def test_shares_are_the_frequencies_of_simulated_errors() -> None:
    random = np.random.default_rng(20240531)
    courtyard = shapely.Point(0, 0).buffer(60).difference(shapely.box(-10, -10, 15, 20))
    shapes = [
        shapely.box(0, 0, 300, 300),
        courtyard,
        shapely.MultiPolygon([shapely.box(-9, -9, -1, -1), shapely.box(0, 0, 8, 3)]),
    ]
    for shape in shapes:
        for x, y, sigma in [(0, 0, 4), (3, 2, 10), (-12, 4, 30), (0.0005, 150, 0.5), (20, 20, 100)]:
            draws = random.normal(size=(100_000, 2)) * sigma + (x, y)
            frequency = shapely.contains_xy(shape, draws).mean()
            assert normal_share(shape, x, y, sigma) == pytest.approx(frequency, abs=0.006)


def city() -> GridIndex:
    """Grids of about 300 m on a plane, 1,200 of them."""
    random = np.random.default_rng(11)
    x, y = np.meshgrid(np.arange(35), np.arange(35))
    centres = np.column_stack([x.ravel(), y.ravel()]) + random.uniform(-0.35, 0.35, (35 * 35, 2))
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(centres * SIZE_M)))
    return GridIndex([f"{n:04d}" for n in range(len(cells))], cells, None)


@pytest.mark.parametrize(("accuracy_m", "count"), [(10.0, 300_000), (50.0, 40_000), (200.0, 10_000)])
def test_shares_are_right_within_two_points_and_two_candidates_are_enough(
    accuracy_m: float, count: int
) -> None:
    """Whoever states 95 % and errs so: of all grids named with a share of 30 %, 30 % hold the true place."""
    index = city()
    random = np.random.default_rng(2026)
    true = random.uniform(3 * SIZE_M, 31 * SIZE_M, (count, 2))
    stated = true + random.normal(size=true.shape) * accuracy_m / R95
    assert np.mean(np.hypot(*(stated - true).T) <= accuracy_m) == pytest.approx(0.95, abs=0.005)
    truth = index.route_all(*true.T).grid_codes()
    found = index.route_all(*stated.T, np.full(count, accuracy_m))
    own = found.grid_codes()

    shares, held = [], []
    first_two = 0
    for n in range(count):
        named = [(c.grid_code, c.share) for c in found.candidates_of(n)] or [(own[n], 1.0)]
        first_two += truth[n] in [code for code, _ in named[:2]]
        shares += [share for _, share in named]
        held += [code == truth[n] for code, _ in named]
        assert sum(share for _, share in named) == pytest.approx(1.0, abs=0.01)
    bins = np.minimum((np.array(shares) * 10).astype(int), 9)
    for which in range(10):
        inside = bins == which
        if inside.sum() < 2_000:
            continue
        stated_share = np.array(shares)[inside].mean()
        assert np.array(held)[inside].mean() == pytest.approx(stated_share, abs=0.02)
    if accuracy_m == 10.0:
        assert first_two >= 0.995 * count
