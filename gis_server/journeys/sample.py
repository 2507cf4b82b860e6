"""The committed sample city, from its files into the database."""

import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from gis_server.core.access import Actor
from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.generation import GenerationState
from gis_server.core.geometry import STORAGE_CRS
from gis_server.core.message import msg
from gis_server.files import sample as writing
from gis_server.files.read import read
from gis_server.journeys.context import Context
from gis_server.journeys.layers import generations, import_layer
from gis_server.journeys.roster import import_roster
from gis_server.journeys.sample_files import CLEAN, FOLDER, ROSTER, sample_file
from gis_server.sample.city import LAYERS
from gis_server.store import roster

Progress = Callable[[int, int], None]


_TIMES = ("discovered_at", "recorded_at", "completed_at")

REASON = "示例数据：网格按示例城市划分，规模不作调整。"
"""Why the sample's warnings are accepted: its grids are not sized by any one jurisdiction's standard."""


def load_sample(ctx: Context, actor: Actor, now: datetime, progress: Progress | None = None) -> None:
    """Import and publish the committed city, parents first.

    Its past incidents are moved in time by whole days, so that the ninety days end before ``now``. A layer that has a
    published generation is left as it is: an interrupted load goes on where it stopped. Raises what an import raises.
    """
    say = progress or (lambda _done, _total: None)
    with tempfile.TemporaryDirectory() as temporary:
        for done, layer in enumerate(LAYERS):
            say(done, len(LAYERS))
            if any(g.state is GenerationState.PUBLISHED for g in generations(ctx, actor, layer)):
                continue
            path = sample_file(FOLDER, layer)
            if layer == "incident":
                _load_roster(ctx, actor, now)  # before them, so that each of them has somebody who answers
                path = _recent(path, Path(temporary) / "incident.gpkg", now)
            try:
                result = import_layer(
                    ctx,
                    actor,
                    layer,
                    path,
                    datum=Datum.CGCS2000,
                    publish=True,
                    accept_warnings=REASON,
                    now=now,
                )
            except UnusableInput as error:
                # incidents go in whole or not at all: known numbers are those of an earlier load
                if layer == "incident" and error.field == "number":
                    continue
                raise
            if result.held_back is not None or result.problems:
                reason = result.held_back or result.problems[0].message
                raise UnusableInput(
                    msg("示例城市的图层“{layer}”不能发布：{reason}", layer=layer, reason=reason)
                )
    say(len(LAYERS), len(LAYERS))


def _load_roster(ctx: Context, actor: Actor, now: datetime) -> None:
    """Put the city's roster in force at ``now``, unless there is one."""
    with ctx.engine.connect() as conn:
        if roster.in_force(conn, now) is not None:
            return
    result = import_roster(ctx, actor, FOLDER / CLEAN / ROSTER, now, now)
    if result.problems:
        raise UnusableInput(
            msg("示例城市的花名册不能导入：{reason}", reason=result.problems[0].message), field="roster"
        )


def _recent(path: Path, out: Path, now: datetime) -> Path:
    """A copy of the past incidents that ends on the last whole day before ``now``."""
    raw = read(path, datum=Datum.CGCS2000, names=("incident",))
    columns = dict(raw.columns)
    times = {
        name: [datetime.fromisoformat(text) if text else None for text in columns[name]] for name in _TIMES
    }
    last = max(time for given in times.values() for time in given if time is not None)
    shift = timedelta(days=(now - last).days)
    for name, given in times.items():
        moved = np.empty(len(given), dtype=object)
        moved[:] = [None if time is None else time + shift for time in given]
        columns[name] = moved
    writing.write_geopackage(out, {"incident": (raw.geometry, columns)}, STORAGE_CRS)
    return out
