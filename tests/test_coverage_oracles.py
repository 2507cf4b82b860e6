"""Oracles beside the check: GEOS through shapely, and PostGIS ≥ 3.6 (in WebAssembly, where npm has installed it).

Both say which cells have an edge that does not match; neither says why, and holes of the whole coverage escape them.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from coverages import hexagons
from defects import replaced
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Kind
from gis_server.core.coverage.layer import Cells, Parents

PROJECT = Path(__file__).parent.parent
PGLITE = PROJECT / "node_modules" / "@electric-sql" / "pglite-postgis"

GROUND = {
    Kind.GAP,
    Kind.BAY,
    Kind.MISSING_CELL,
    Kind.OVERLAP,
    Kind.CONTAINED,
    Kind.DUPLICATE_GEOMETRY,
    Kind.NEAR_MISS,
}


def coverage() -> np.ndarray:
    return hexagons(5, 4, block=5, size=100.0, per_side=2, origin=(0.0, 0.0)).cells


def concerned(cells: np.ndarray) -> set[int]:
    """The rows that our check names for what lies between cells."""
    report = check(Cells(cells), Parents(np.array([shapely.union_all(coverage())])))
    return {row for finding in report.findings if finding.kind in GROUND for row in finding.fids}


def blamed_by_geos(cells: np.ndarray, gap_width: float) -> set[int]:
    edges = shapely.coverage_invalid_edges(cells, gap_width=gap_width)
    return set(np.flatnonzero(~shapely.is_empty(edges)).tolist())


def pulled_back(row: int, by: float) -> np.ndarray:
    nested = hexagons(5, 4, block=5, size=100.0, per_side=2, origin=(0.0, 0.0))
    return replaced(nested, row, shapely.buffer(nested.cells[row], -by, join_style="mitre"))


def grown(row: int, by: float) -> np.ndarray:
    nested = hexagons(5, 4, block=5, size=100.0, per_side=2, origin=(0.0, 0.0))
    return replaced(nested, row, shapely.buffer(nested.cells[row], by, join_style="mitre"))


SPOILT = {
    "nothing": coverage,
    "a gap around an inner cell": lambda: pulled_back(6, 0.5),
    "an overlap with all neighbours": lambda: grown(6, 0.5),
    "a cell twice": lambda: np.append(coverage(), coverage()[6]),
    "a cell upon another": lambda: np.append(coverage(), shapely.buffer(coverage()[6].centroid, 20)),
    "a sliver of a millimetre": lambda: pulled_back(6, 0.001),
}


@pytest.mark.parametrize("spoilt", SPOILT)
def test_whom_geos_blames_we_name(spoilt: str) -> None:
    cells = SPOILT[spoilt]()
    ours, theirs = concerned(cells), blamed_by_geos(cells, 2.0)
    assert theirs <= ours
    assert bool(theirs) == bool(ours) == (spoilt != "nothing")


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 19), st.floats(0.01, 40.0), st.booleans())
def test_whatever_is_spoilt_geos_blames_nobody_that_we_do_not(row: int, by: float, grow: bool) -> None:
    cells = grown(row, by) if grow else pulled_back(row, by)
    assert blamed_by_geos(cells, min(2 * by, 20.0)) <= concerned(cells)


# -- PostGIS -----------------------------------------------------------------------------------------------------


class PostGis:
    """A PostGIS without a server, in a process of Node."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            ["node", str(PROJECT / "tests" / "postgis_oracle.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=PROJECT,
        )

    def ask(self, cells: np.ndarray, gap_width: float) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        asked = {"cells": shapely.to_wkt(cells, rounding_precision=-1).tolist(), "gap_width": gap_width}
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=60)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def postgis() -> Iterator[PostGis]:
    if not PGLITE.exists():
        pytest.skip("@electric-sql/pglite-postgis is not installed (npm ci)")
    oracle = PostGis()
    yield oracle
    oracle.close()


def test_whom_postgis_blames_we_name(postgis: PostGis) -> None:
    for name, spoil in SPOILT.items():
        cells = spoil()
        answer = postgis.ask(cells, 2.0)
        assert tuple(map(int, answer["version"].split(".")[:2])) >= (3, 6)
        theirs, ours = {row for row, _ in answer["invalid"]}, concerned(cells)
        assert theirs <= ours, name
        assert bool(theirs) == bool(ours) == (name != "nothing"), name


def test_what_postgis_cleans_we_certify(postgis: PostGis) -> None:
    for name in ("a gap around an inner cell", "an overlap with all neighbours", "a sliver of a millimetre"):
        cleaned = shapely.from_wkt(postgis.ask(SPOILT[name](), 2.0)["cleaned"])
        assert not [f for f in check(Cells(cleaned)).findings if f.kind in GROUND], name


def test_a_hole_that_both_oracles_miss(postgis: PostGis) -> None:
    """The coverage is valid to them: no two edges disagree. A grid is missing all the same."""
    ring = np.array([box(100 * i, 100 * j, 100 * i + 100, 100 * j + 100) for i in range(3) for j in range(3)])
    ring = np.delete(ring, 4)
    assert postgis.ask(ring, 2.0)["invalid"] == []
    assert shapely.coverage_is_valid(ring)
    (missing,) = check(Cells(ring), Parents(np.array([box(0, 0, 300, 300)]))).findings
    assert missing.kind is Kind.MISSING_CELL
    assert missing.area_m2 == pytest.approx(10_000)
