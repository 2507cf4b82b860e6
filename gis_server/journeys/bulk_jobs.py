"""Files of reports sent from the desk: taken in a thread of the server, their progress asked for by id.

How a file ended is written in the transaction that adds its rows: a job whose process was killed has added nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from threading import Semaphore
from typing import IO
from uuid import UUID

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor
from gis_server.core.bulk_intake import Defaults, Outcome
from gis_server.core.errors import NotFound, UnusableInput
from gis_server.core.import_job import ImportJob, JobState
from gis_server.core.message import Translate, msg
from gis_server.files.cells import SUFFIXES
from gis_server.journeys.bulk_incidents import file_to_correct, take_file
from gis_server.journeys.context import Context
from gis_server.journeys.upload_jobs import Clock, UploadJob, keep, mark_interrupted
from gis_server.store import bulk, jobs

LAYER = "incident"
_SLOTS = Semaphore(1)
"""Files at work at once in one process; the others wait as ``queued``."""


@dataclass(frozen=True, slots=True)
class BulkJob:
    """A file under way or done; ``outcome`` is None as long as it is not known."""

    job: ImportJob
    outcome: Outcome | None


def start(
    ctx: Context,
    actor: Actor,
    name: str,
    content: IO[bytes],
    *,
    defaults: Defaults,
    encoding: str | None = None,
    clock: Clock,
) -> UUID:
    """Keep the upload and begin to take its rows; the id to ask for."""
    actor.require(Act.REPORT_INCIDENT)
    shown = PurePosixPath(name.replace("\\", "/")).name[:200]
    suffix = PurePosixPath(shown).suffix.lower()
    if suffix not in SUFFIXES or not shown.isprintable():
        raise UnusableInput(
            msg("不支持 {file} 这种文件；请用 {known}。", file=shown[:80], known=SUFFIXES),
            field="file",
            expected=msg("{known} 之一", known=SUFFIXES),
        )
    rows = f"rows{suffix}"
    upload = keep(ctx, actor, [(rows, content)], layer=LAYER, shown=shown, clock=clock)
    return upload.start(
        _SLOTS, lambda: _take(ctx, actor, upload, upload.folder / rows, defaults=defaults, encoding=encoding)
    )


def look(ctx: Context, actor: Actor, job_id: UUID, now: datetime) -> BulkJob:
    """How far a file is, and what became of its rows once that is known; for the account that sent it."""
    actor.require(Act.REPORT_INCIDENT)
    mark_interrupted(ctx, now)
    with ctx.engine.connect() as conn:
        job = jobs.one(conn, job_id)
        if job is None or job.layer != LAYER or job.account_id != actor.account_id:
            raise NotFound(msg("没有编号为 {id} 的导入。", id=str(job_id)))
        return BulkJob(job, bulk.outcome_of(conn, job_id))


def rejected_file(
    ctx: Context, actor: Actor, job_id: UUID, now: datetime, translate: Translate, *, english: bool
) -> tuple[str, bytes]:
    """The rows that were not taken, as a file of the kind that was sent: its suffix and content."""
    found = look(ctx, actor, job_id, now)
    if found.outcome is None or not found.outcome.rejected:
        raise NotFound(msg("这次提交没有需要改正的行。"))
    suffix = PurePosixPath(found.job.file_name).suffix.lower()
    return suffix, file_to_correct(found.outcome, suffix, translate, english=english)


def _take(
    ctx: Context, actor: Actor, upload: UploadJob, file: Path, *, defaults: Defaults, encoding: str | None
) -> None:
    """Take the rows of one file; how it ended is written in their own transaction."""

    def end(conn: Connection, outcome: Outcome) -> None:
        total = len(outcome.added) + len(outcome.known) + len(outcome.rejected)
        done = msg(
            "新登记 {added} 起，{known} 行此前已登记，{rejected} 行需要改正。",
            added=len(outcome.added),
            known=len(outcome.known),
            rejected=len(outcome.rejected),
        )
        bulk.keep_outcome(conn, upload.job.id, outcome)
        upload.move(JobState.PUBLISHED, done=total, total=total, message=done, within=conn)

    upload.move(JobState.READING)
    take_file(
        ctx,
        actor,
        file,
        defaults=defaults,
        encoding=encoding,
        now=upload.clock(),
        progress=lambda done, total: upload.progress(JobState.STAGING, done, total),
        at_end=end,
    )
