"""A million cells of 48 vertices, nested, within 8 GB: minutes long, so only where GIS_BENCH_MILLION is set."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

MOST_MB = 8 * 1024
ROOT = Path(__file__).parent.parent

MAKE = """
import pickle, sys
import numpy as np, shapely
sys.path.insert(0, "tests")
from coverages import hexagons
nested = hexagons(int(sys.argv[2]), int(sys.argv[2]))
with open(sys.argv[1], "wb") as out:
    pickle.dump((len(nested.cells), nested.parent_of, shapely.to_wkb(nested.parents)), out)
    for first in range(0, len(nested.cells), 50_000):
        pickle.dump(shapely.to_wkb(nested.cells[first : first + 50_000]), out)
"""
CHECK = """
import pickle, resource, sys, time
import numpy as np, shapely
from gis_server.core.coverage.check import check
from gis_server.core.coverage.layer import Cells, Parents
with open(sys.argv[1], "rb") as source:
    count, parent_of, parents = pickle.load(source)
    cells = np.concatenate([shapely.from_wkb(pickle.load(source)) for _ in range(0, count, 50_000)])
names = np.array([f"P{i}" for i in range(len(parents))], dtype=object)
given = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
start = time.process_time()
report = check(Cells(cells, None, names[parent_of]), Parents(shapely.from_wkb(parents), names))
taken = time.process_time() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(count, given, peak, f"{taken:.1f}", len(report.findings), report.certificate.exact)
"""


@pytest.mark.skipif("GIS_BENCH_MILLION" not in os.environ, reason="set GIS_BENCH_MILLION=1 to run it")
@pytest.mark.timeout(3600)
def test_a_million_cells_within_eight_gigabytes(tmp_path, capsys):
    file = tmp_path / "million.pickle"
    side = os.environ.get("GIS_BENCH_SIDE", "1000")
    subprocess.run([sys.executable, "-c", MAKE, str(file), side], cwd=ROOT, check=True)
    told = subprocess.run(
        [sys.executable, "-c", CHECK, str(file)], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split()
    count, given, peak = map(int, told[:3])
    with capsys.disabled():
        print(f"\n{count} cells: report {told[3]} s CPU, peak {peak} MB, of which {given} MB are the cells")
    assert told[4:] == ["0", "True"]
    assert peak <= MOST_MB
