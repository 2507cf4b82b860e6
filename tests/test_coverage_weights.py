"""Findings on a layer carry the addresses, people and open incidents on their ground."""

from datetime import UTC, datetime, timedelta

import shapely
from sqlalchemy import text

from gis_server.core.coverage.facts import weigh
from gis_server.core.coverage.findings import Finding, Kind, Report, Severity, Summary
from gis_server.core.message import msg
from gis_server.journeys import staging
from gis_server.journeys.context import Context
from gis_server.store import incidents


def report_on(ground: shapely.Geometry) -> Report:
    finding = Finding(Kind.GAP, "V1", Severity.ERROR, "", (), (), 1.0, 1.0, msg("缝隙"), ground)
    return Report((finding,), Summary(100.0, 1.0, 0.0, 0.0, 0.0, 1, 0, {"gap": 1}), 1.0)


def test_everybody_in_the_city_counts_once(sample_ctx: Context) -> None:
    now = datetime.now(UTC) + timedelta(hours=1)
    with sample_ctx.engine.connect() as conn:
        those = staging.concerned(conn, sample_ctx.catalogue, now)
        asked = "SELECT count(*), sum(actual_population) FROM address a JOIN generation g ON g.id = a.generation_id"
        addresses, people = conn.execute(text(asked + " WHERE g.state = 'published'")).one()
        open_incidents = len(incidents.open_places(conn))
    everywhere = shapely.box(*shapely.total_bounds(shapely.points(those.places)))
    (finding,) = weigh(report_on(shapely.buffer(everywhere, 1.0)).findings, those)
    assert finding.weight is not None
    assert finding.weight.addresses == addresses > 0
    assert finding.weight.people == people > 0
    assert finding.weight.open_incidents == open_incidents
    nowhere = shapely.box(0, 0, 1, 1)
    (far,) = weigh(report_on(nowhere).findings, those)
    assert (far.weight.addresses, far.weight.people, far.weight.open_incidents) == (0, 0, 0)


def test_without_addresses_or_incidents_nobody_counts(ctx: Context) -> None:
    with ctx.engine.connect() as conn:
        those = staging.concerned(conn, ctx.catalogue, datetime.now(UTC))
    (finding,) = weigh(report_on(shapely.box(100, 30, 101, 31)).findings, those)
    assert finding.weight is not None
    assert (finding.weight.addresses, finding.weight.people, finding.weight.open_incidents) == (0, 0, 0)
