"""A million past incidents routed again: CPU of this process, and how much memory that takes beyond the boundaries."""

import resource
import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from gis_server.core.access import CONSOLE
from gis_server.journeys import reroute
from gis_server.journeys.context import Context

COUNT = 1_000_000
MOST_MB = 200

_COPY = """
INSERT INTO incident (number, description, source, state, discovered_at, recorded_at, datum, geom, match, grid_id,
                      grid_generation_id, grid_code, sub_grid_code, area_path)
SELECT 'b' || n, '', source, 'archived', discovered_at + n * interval '1 millisecond', recorded_at, datum, geom, match, grid_id,
       grid_generation_id, grid_code, sub_grid_code, area_path
  FROM (SELECT *, row_number() OVER () AS place, count(*) OVER () AS size FROM incident) one,
       LATERAL generate_series(place, :count, size) n
"""


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


@pytest.mark.timeout(1800)
def test_a_million_incidents(city: Context, capsys: pytest.CaptureFixture[str]) -> None:
    with city.engine.begin() as conn:
        conn.execute(text(_COPY), {"count": COUNT})
    clock = lambda: datetime.now(UTC)  # noqa: E731
    reroute.run(
        city, reroute.start(city, CONSOLE, dry_run=True, since=clock(), clock=clock), clock
    )  # the boundaries are loaded
    before, cpu, wall = peak_mb(), time.process_time(), time.perf_counter()
    done = reroute.run(city, reroute.start(city, CONSOLE, dry_run=True, clock=clock), clock)
    cpu, wall, more = time.process_time() - cpu, time.perf_counter() - wall, peak_mb() - before
    with capsys.disabled():
        print(
            f"\n{done.tally.done} incidents routed again: {cpu:.1f} s of CPU, {wall:.1f} s by the clock,"
            f" {cpu / done.tally.done * 1e6:.0f} µs each; memory + {more:.0f} MB (at most {MOST_MB});"
            f" {done.tally.changed} would change"
        )
    assert done.tally.done >= COUNT
    assert done.tally.changed == 0
    assert more <= MOST_MB
