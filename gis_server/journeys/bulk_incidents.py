"""New reports by the file: each row routed and clocked like any report; good rows taken, bad ones given back.

A file is taken in one transaction, together with what is said of it: after a ``kill -9`` either all of that is there or
none. A row that was taken is known again, whoever sends it, so the same file twice adds nothing.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor
from gis_server.core.bulk_intake import (
    FAULT_COLUMNS,
    Cells,
    Defaults,
    Fault,
    Outcome,
    Read,
    RowReport,
    read_reports,
    rejected_rows,
    without_fault_columns,
)
from gis_server.core.errors import GisError, Unavailable
from gis_server.core.message import Message, Translate, msg
from gis_server.files.cells import read_cells, write_cells
from gis_server.journeys import incidents as journey
from gis_server.journeys.context import Context
from gis_server.journeys.events import wake_followers
from gis_server.store import audit, bulk

TAKE = "take_bulk"
"""The audit trail's word for a file of reports."""

Progress = Callable[[int, int], None]
PROGRESS_EVERY = 50


AtEnd = Callable[[Connection, Outcome], None]


def take_file(
    ctx: Context,
    actor: Actor,
    path: Path,
    *,
    defaults: Defaults,
    encoding: str | None = None,
    now: datetime,
    progress: Progress | None = None,
    at_end: AtEnd | None = None,
) -> Outcome:
    """Take the rows of a CSV or XLSX as reports of ``actor``; ``at_end`` runs in the same transaction.

    Raises UnusableInput and its kin for a file that cannot be used at all; what is wrong with single rows is a Fault each.
    """
    actor.require(Act.REPORT_INCIDENT)
    cells = without_fault_columns(read_cells(path, encoding))
    scope = actor.territory.code
    read = read_reports(cells, ctx.catalogue["incident"], defaults, scope=scope, now=now)
    tell = progress or (lambda _done, _total: None)
    with ctx.engine.begin() as conn:
        bulk.take_turn(conn)
        outcome = _take(ctx, conn, actor, cells, read, now=now, progress=tell)
        counts = {
            "added": len(outcome.added),
            "known": len(outcome.known),
            "rejected": len(outcome.rejected),
        }
        audit.add(conn, actor, TAKE, now=now, subject="incident", detail=counts)
        if at_end is not None:
            at_end(conn, outcome)
    if outcome.added:
        wake_followers(ctx.engine)
    tell(len(read.reports), len(read.reports))
    return outcome


def _take(
    ctx: Context,
    conn: Connection,
    actor: Actor,
    cells: Cells,
    read: Read,
    *,
    now: datetime,
    progress: Progress,
) -> Outcome:
    reports = read.reports
    earlier = bulk.known(conn, [row.key for row in reports])
    added: list[tuple[int, str]] = []
    known: list[tuple[int, str]] = []
    faults = list(read.faults)
    for done, row in enumerate(reports):
        if done % PROGRESS_EVERY == 0:
            progress(done, len(reports))
        if row.key in earlier:
            sha256, number = earlier[row.key]
            if sha256 == row.sha256:
                known.append((row.row, number))
            else:
                faults.append(_taken_otherwise(row, number))
            continue
        try:
            with conn.begin_nested():
                incident = journey.record(ctx, conn, actor, row.report, now=now).incident
                bulk.add(conn, row.key, row.sha256, incident.id, now)
        except Unavailable:
            raise
        except GisError as error:
            faults.append(Fault(row.index, row.row, error.field, error.message, error.expected))
            continue
        added.append((row.row, incident.number))
        earlier[row.key] = (row.sha256, incident.number)
    return Outcome(cells.names, tuple(added), tuple(known), rejected_rows(cells, faults))


def _taken_otherwise(row: RowReport, number: str) -> Fault:
    problem = msg("这个编号已登记为事件 {number}，内容与本行不同；新的事件请用新的编号", number=number)
    return Fault(row.index, row.row, "number", problem, msg("未用过的编号"))


def file_to_correct(outcome: Outcome, suffix: str, translate: Translate, *, english: bool) -> bytes:
    """The rows that were not taken, as they were sent, with what to correct beside them; to be sent again as it is."""

    def said(messages: Iterable[Message | None]) -> str:
        return "；".join(message.render(translate) for message in messages if message is not None)

    headings = [heading.en if english else heading.zh for heading in FAULT_COLUMNS]
    width = max(len(outcome.names), *(len(rejected.cells) for rejected in outcome.rejected), 0)
    rows = [
        (
            *rejected.cells,
            *[""] * (width - len(rejected.cells)),
            str(rejected.row),
            "；".join(fault.said(english=english) for fault in rejected.faults),
            said(fault.message for fault in rejected.faults),
            said(fault.expected for fault in rejected.faults),
        )
        for rejected in outcome.rejected
    ]
    names = (*outcome.names, *[""] * (width - len(outcome.names)), *headings)
    return write_cells(suffix, names, rows)
