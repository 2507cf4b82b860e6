"""The coverage against GEOS in the same run: certificate, classified report, repair, hub, re-check; CPU seconds.

Hexagonal cells of 48 vertices nested in parents of a hundred; a defect of 5 m, 5 cm or 1 µm in every 330th cell. The
machine may be shared, so the ratios count, not the seconds.
"""

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import shapely

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from coverages import Nested, hexagons
from defects import moved_vertex

from gis_server.core.coverage.certificate import certify
from gis_server.core.coverage.check import check
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.core.coverage.recheck import Standing
from gis_server.core.coverage.repair import Limits, apply, plan_repair

T = TypeVar("T")
SIZES = (5.0, 0.05, 1e-6)
MOST_CERTIFICATE, MOST_REPORT, MOST_PER_TENFOLD = 0.1, 1.0, 11.0
MOST_APART = 2.0
"""Times the recipe of GEOS where no edge has a partner. The aim, not yet reached on every machine and in every run: noding
alone takes 0.4 times the recipe, and each of the more than ten thousand findings is an object with its own sentence."""


def cpu(act: Callable[[], T], times: int = 1) -> tuple[float, T]:
    """The least CPU seconds of a few runs, and the result."""
    best, result = float("inf"), None
    for _ in range(times):
        start = time.process_time()
        result = act()
        best = min(best, time.process_time() - start)
    return best, result  # type: ignore[return-value]


def spoilt(nested: Nested, columns: int) -> tuple[np.ndarray, list[int]]:
    """The cells with defects so far apart that no two share a neighbour, and the rows."""
    rng = np.random.default_rng(3)
    rows = [row for row in range(0, len(nested.cells), 331) if row % columns > 0]
    cells = nested.cells.copy()
    for row in rows:
        at = int(rng.choice([4, 12, 20, 28, 36, 44]))
        cells[row], _ = moved_vertex(cells[row], at, float(rng.choice(SIZES)) * rng.choice([-1, 1]))
    return cells, rows


def named(nested: Nested, cells: np.ndarray) -> tuple[Cells, Parents]:
    codes = np.array([f"P{i:04d}" for i in range(len(nested.parents))], dtype=object)
    own = np.array([f"C{i:06d}" for i in range(len(cells))], dtype=object)
    return Cells(cells, own, codes[nested.parent_of]), Parents(nested.parents, codes)


@pytest.mark.timeout(900)
def test_certificate_report_and_repair(capsys):
    taken = {}
    for columns, rows in ((100, 100), (400, 250)):
        nested = hexagons(columns, rows)
        cells, wrong = spoilt(nested, columns)
        given, parents = named(nested, cells)
        geos, _ = cpu(lambda c=cells: shapely.coverage_invalid_edges(c, gap_width=10), 2)
        proof, _ = cpu(lambda n=nested: certify(n.cells, n.parent_of, n.parents), 3)
        clean, sound = cpu(lambda n=nested, p=parents: check(named(n, n.cells)[0], p), 2)
        report, found = cpu(lambda g=given, p=parents: check(g, p, tolerance_m2=0), 2)
        mend, moves = cpu(lambda g=given, p=parents: plan_repair(g, p, limits=Limits(6, 6)))
        applied, mended = cpu(lambda g=given, m=moves: apply(g, m.moves))
        left = check(mended, parents)
        told = {fid for f in found.findings for fid in f.fids} & set(wrong)
        assert sound.findings == ()
        assert sound.certificate is not None
        assert sound.certificate.exact
        recall = len(told) / len(wrong)
        assert recall == 1.0
        assert left.summary.errors == 0
        taken[len(cells)] = report
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        with capsys.disabled():
            print(
                f"\n{len(cells):>7} cells, {len(wrong)} defects: GEOS invalid edges {geos:.2f} s | certificate {proof:.3f} s "
                f"= {proof / geos:.3f}x | clean report {clean:.2f} s = {clean / geos:.2f}x | report {report:.2f} s "
                f"= {report / geos:.2f}x, recall {recall:.0%} | repair {mend + applied:.2f} s | {memory:.0f} MB"
            )
        assert proof <= MOST_CERTIFICATE * geos
        assert report <= MOST_REPORT * geos
    assert taken[100_000] <= MOST_PER_TENFOLD * taken[10_000]


def redrawn(shapes: np.ndarray, seed: int) -> np.ndarray:
    """The shapes digitised again: every vertex half a metre off or so."""
    rng = np.random.default_rng(seed)

    def off(xy: np.ndarray) -> np.ndarray:
        moved = xy[:-1] + rng.normal(0, 0.5, (len(xy) - 1, 2))
        return np.concatenate([moved, moved[:1]])

    return np.array([shapely.transform(s, off) for s in shapes], dtype=object)


def recipe(cells: np.ndarray, parents: np.ndarray, parent_of: np.ndarray) -> None:
    """What GEOS offers for the same question, unclassified: invalid edges, validity, each parent against its cells."""
    shapely.coverage_invalid_edges(cells, gap_width=10)
    shapely.is_valid(cells)
    for number, parent in enumerate(parents):
        union = shapely.union_all(cells[parent_of == number])
        shapely.area(shapely.difference(parent, union))
        shapely.area(shapely.difference(union, parent))


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("what", "side"), [("parents", 100), ("cells", 40)])
def test_layers_digitised_apart(what, side, capsys):
    nested = hexagons(side, side)
    drawn = nested.cells if what == "parents" else redrawn(nested.cells, 4)
    above = redrawn(nested.parents, 5) if what == "parents" else nested.parents
    given, parents = named(nested, drawn)
    parents = Parents(above, parents.codes)
    ratios, found = [], None
    for _ in range(3):
        geos, _ = cpu(lambda: recipe(drawn, above, nested.parent_of))
        own, found = cpu(lambda: check(given, parents))
        ratios.append(own / geos)
    ratio = float(np.median(ratios))
    with capsys.disabled():
        print(
            f"\n{what} digitised apart, {len(drawn)} cells: {len(found.findings)} findings, {ratio:.1f}x GEOS"
        )
    assert ratio <= MOST_APART


def test_a_hub_with_thousands_of_holes(capsys):
    """One polygon with k cells in its holes, the last one missing: quadratic in GEOS."""
    taken = []
    for side in (64, 128):
        lots = [(10.0 * i, 10.0 * j) for i in range(side) for j in range(side)]
        cells = [shapely.box(x + 2, y + 2, x + 8, y + 8) for x, y in lots]
        holes = [shapely.get_coordinates(c)[::-1] for c in cells]
        ground = shapely.box(0, 0, 10 * side, 10 * side)
        hub = shapely.Polygon(shapely.get_coordinates(ground), holes)
        shapes = np.array([hub, *cells[1:]], dtype=object)
        seconds, report = cpu(
            lambda s=shapes, g=ground: check(Cells(s), Parents(np.array([g], dtype=object))), 2
        )
        assert report.summary.by_kind == {"gap": 1} or report.summary.by_kind == {"missing_cell": 1}
        taken.append(seconds)
        with capsys.disabled():
            print(f"\nhub with {side * side} holes: {seconds:.2f} s")
    assert taken[1] <= 1.0
    assert taken[1] <= 6 * taken[0]


def test_checking_again_after_an_edit(capsys):
    taken = []
    for side in (32, 316):
        nested = hexagons(side, side)
        given, parents = named(nested, nested.cells)
        standing = Standing(given, nested.parent_of, parents)
        seconds = []
        for row in range(40, 80):
            shape, _ = moved_vertex(nested.cells[row], 12, -5.0)
            seconds.append(cpu(lambda e=standing.edit, r=row, s=shape: e({r: s}))[0])
            standing.edit({row: nested.cells[row]})
        taken.append(float(np.median(seconds)))
        with capsys.disabled():
            print(f"\nre-check of one edit among {side * side} cells: {1000 * taken[-1]:.1f} ms")
    assert taken[1] <= 0.010
    assert taken[1] <= 1.5 * taken[0] + 0.002
