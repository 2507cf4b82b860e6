"""Files of reports sent from the desk: taken in a thread of the server, their progress asked for by id.

The upload is kept under ``var/uploads/<id>`` while it is read. How it ended is written in the transaction that adds the rows: a
job whose process was killed has added nothing, and whoever looks next marks it interrupted.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from threading import Semaphore, Thread
from time import monotonic
from typing import IO
from uuid import UUID, uuid4

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor
from gis_server.core.bulk_intake import Defaults, Outcome
from gis_server.core.errors import GisError, NotFound, UnusableInput
from gis_server.core.import_job import ImportJob, JobState
from gis_server.core.message import Message, Translate, msg
from gis_server.files.cells import SUFFIXES
from gis_server.journeys.bulk_incidents import file_to_correct, take_file
from gis_server.journeys.context import Context
from gis_server.journeys.imports import mark_interrupted
from gis_server.store import bulk, jobs

LAYER = "incident"
PROGRESS_SECONDS = 0.3
"""Between two writes of a job's progress."""

_SLOTS = Semaphore(1)
"""Files at work at once in one process; the others wait as ``queued``."""

Clock = Callable[[], datetime]


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
    now = clock()
    job = ImportJob(uuid4(), LAYER, JobState.QUEUED, 0, 0, None, None, actor.account_id, shown, now, now)
    folder = ctx.settings.var / "uploads" / str(job.id)
    folder.mkdir(parents=True)
    connection = ctx.engine.connect()
    try:
        with (folder / f"rows{suffix}").open("wb") as file:
            shutil.copyfileobj(content, file, 2**20)
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        # a connection of its own: the lock lives and dies with it
        connection.detach()
        jobs.hold(connection, job.id)
        jobs.add(connection, job)
    except BaseException:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    work = _Work(ctx, actor, job, folder / f"rows{suffix}", connection, clock)
    Thread(target=work.run, args=(defaults, encoding), name=f"bulk-{job.id}", daemon=True).start()
    return job.id


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


@dataclass(slots=True)
class _Work:
    """One file in its thread; ``connection`` holds its lock and writes its progress, outside the transaction of the rows."""

    ctx: Context
    actor: Actor
    job: ImportJob
    file: Path
    connection: Connection
    clock: Clock
    written_at: float = 0.0

    def run(self, defaults: Defaults, encoding: str | None) -> None:
        try:
            with _SLOTS:
                self._move(JobState.READING)
                take_file(
                    self.ctx,
                    self.actor,
                    self.file,
                    defaults=defaults,
                    encoding=encoding,
                    now=self.clock(),
                    progress=self._progress,
                    at_end=self._end,
                )
        except GisError as error:
            self._move(JobState.FAILED, message=error.message)
        except BaseException:
            self._move(JobState.FAILED, message=msg("登记时服务出错，没有写入任何数据；请联系管理员。"))
            raise
        finally:
            shutil.rmtree(self.file.parent, ignore_errors=True)
            self.connection.close()

    def _progress(self, done: int, total: int) -> None:
        if monotonic() - self.written_at >= PROGRESS_SECONDS:
            self._move(JobState.STAGING, done=done, total=total)

    def _end(self, conn: Connection, outcome: Outcome) -> None:
        total = len(outcome.added) + len(outcome.known) + len(outcome.rejected)
        done = msg(
            "新登记 {added} 起，{known} 行此前已登记，{rejected} 行需要改正。",
            added=len(outcome.added),
            known=len(outcome.known),
            rejected=len(outcome.rejected),
        )
        bulk.keep_outcome(conn, self.job.id, outcome)
        jobs.move(conn, self.job.id, JobState.PUBLISHED, self.clock(), done=total, total=total, message=done)
        self.written_at = float("inf")  # the row is this transaction's from here on

    def _move(
        self, state: JobState, *, done: int = 0, total: int = 0, message: Message | None = None
    ) -> None:
        self.written_at = monotonic()
        now = self.clock()
        jobs.move(self.connection, self.job.id, state, now, done=done, total=total, message=message)
