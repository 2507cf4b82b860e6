"""Repair of 10,000 and 100,000 nested cells with sixteen kinds of defects, beside ``mapshaper -clean`` in the same run.

mapshaper is found by MAPSHAPER (its program) or on the path; without it only our own figures are told. Whole commands
are measured, reading and writing included, in CPU seconds of their processes: the machine may be shared.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyogrio.raw
import pytest
import shapely

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from coverages import Nested, hexagons, read_layer
from defects import moved_vertex, ring

from gis_server.core.coverage.check import check
from gis_server.core.coverage.findings import Kind
from gis_server.core.coverage.layer import Cells, Parents

EVERY = 331
CRS = "EPSG:4549"


def spoilt(nested: Nested, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """(cells, stated parents): a defect in every 331st cell, all kinds in turn; second rows stand at the end."""
    shapes = list(nested.cells)
    stated = nested.parent_of.copy()
    more: list[tuple[object, int]] = []
    rows = [r for r in range(2 * columns, len(shapes) - 2 * columns, EVERY) if 2 < r % columns < columns - 3]
    for turn, row in enumerate(rows):
        cell, at = shapes[row], 4 + 8 * (turn % 6)
        kind = turn % 16
        if kind < 6:  # gaps, overlaps, on another parent's ground: by metres, centimetres and a micrometre
            shapes[row] = moved_vertex(cell, at, (5.0, 0.05, 1e-6)[kind % 3] * (1 if kind < 3 else -1))[0]
        elif kind == 6:  # offset edges
            shapes[row] = shapely.transform(cell, lambda xy: xy + np.array([0.02, 0.01]))
        elif kind == 7:  # near misses
            shapes[row] = shapely.transform(cell, lambda xy: xy + np.array([4e-4, -3e-4]))
        elif kind == 8:  # a vertex less
            shapes[row] = shapely.Polygon(np.delete(ring(cell), at, axis=0))
        elif kind == 9:  # a vertex more
            xy = ring(cell)
            shapes[row] = shapely.Polygon(np.insert(xy, at, (xy[at - 1] + xy[at]) / 2, axis=0))
        elif kind == 10:  # a broken ring
            xy = ring(cell)
            xy[[at, at + 1]] = xy[[at + 1, at]]
            shapes[row] = shapely.Polygon(xy)
        elif kind == 11:  # a hole
            shapes[row] = cell - shapely.buffer(cell.centroid, 4, quad_segs=4)
        elif kind == 12:  # a parent's code that contradicts the place
            stated[row] = (stated[row] + 7) % len(nested.parents)
        elif kind == 13:
            more.append((cell, row))
        elif kind == 14:
            more.append((shapely.buffer(cell, -30), row))
        else:
            shapes[row] = shapely.Polygon()
    everything = np.array([*shapes, *(shape for shape, _ in more)], dtype=object)
    return everything, np.concatenate([stated, nested.parent_of[[row for _, row in more]]])


def written(path: Path, shapes: np.ndarray, **columns: np.ndarray) -> Path:
    pyogrio.raw.write(
        path,
        shapely.to_wkb(shapes),
        list(columns.values()),
        fields=list(columns),
        geometry_type="Polygon",
        crs=CRS,
        driver="ESRI Shapefile",
    )
    return path


def cpu_seconds(*command: str) -> tuple[float, float, str]:
    """CPU seconds and peak megabytes of a process, and what it said."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=dict(os.environ)
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("columns", "rows"), [(100, 100), (400, 250)])
def test_repair_beside_mapshaper(tmp_path, capsys, columns, rows):
    nested = hexagons(columns, rows)
    shapes, stated = spoilt(nested, columns)
    codes = np.array([f"P{i:05d}" for i in range(len(nested.parents))], dtype=object)
    file = written(
        tmp_path / "grids.shp",
        shapes,
        grid_code=np.array([f"G{i:06d}" for i in range(len(shapes))], dtype=object),
        community_=codes[stated],
    )
    within = written(tmp_path / "areas.shp", nested.parents, area_code=codes)
    out = tmp_path / "mended.shp"
    program = str(Path(sys.executable).with_name("gis-server"))
    limits = ("--max-gap-width", "10", "--max-overlap-width", "10")
    ours, peak, said = cpu_seconds(
        program, "repair", str(file), "--within", str(within), "-o", str(out), *limits, "--format", "json"
    )
    document = json.loads(said)
    mended, columns_after, _ = read_layer(out)
    assert len(mended) == len(shapes)
    assert not (shapely.is_missing(mended) & (~shapely.is_empty(shapes))).any()
    report = check(
        Cells(mended, None, columns_after["community_"]), Parents(nested.parents, codes), tolerance_m2=0
    )
    persons = {Kind.DUPLICATE_GEOMETRY, Kind.CONTAINED, Kind.MISSING_CELL, Kind.EMPTY_GEOMETRY}
    assert {f.kind for f in report.findings} <= persons
    nest = codes[nested.parent_of]
    assert (columns_after["community_"][: len(nest)] == nest).all()  # nesting kept: 100 %
    line = f"\n{len(shapes):>7} cells, {len(document['moves'])} moves: repair {ours:.2f} s, {peak:.0f} MB"
    mapshaper = os.environ.get("MAPSHAPER") or shutil.which("mapshaper")
    if mapshaper:
        clean, _, _ = cpu_seconds(
            mapshaper, str(file), "-clean", "gap-fill-area=2000m2", "-o", str(tmp_path / "clean.shp")
        )
        kept = read_layer(tmp_path / "clean.shp")[0]
        lost = int((shapely.is_missing(kept) | shapely.is_empty(kept)).sum()) + len(shapes) - len(kept)
        line += f" | mapshaper -clean {clean:.2f} s, {lost} rows emptied | ratio {ours / clean:.2f}"
    with capsys.disabled():
        print(line)
    if mapshaper:
        assert ours <= clean
