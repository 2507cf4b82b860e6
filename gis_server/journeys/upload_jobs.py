"""Uploads that are worked on in a thread of the server, their progress asked for by id.

The upload is kept under ``var/uploads/<id>`` while it is read. A job whose process died is marked interrupted by whoever looks
next; what it had begun was never committed, so there is nothing to undo.
"""

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Semaphore, Thread
from time import monotonic
from typing import IO
from uuid import UUID, uuid4

from sqlalchemy import Connection

from gis_server.core.access import Actor
from gis_server.core.errors import GisError
from gis_server.core.import_job import ENDED, ImportJob, JobState
from gis_server.core.message import Message, msg
from gis_server.journeys.context import Context
from gis_server.store import jobs

PROGRESS_SECONDS = 0.3
"""Between two writes of a job's progress."""

Clock = Callable[[], datetime]


@dataclass(slots=True)
class UploadJob:
    """One upload at work; ``connection`` holds its lock and writes its progress, outside the transaction of its rows."""

    job: ImportJob
    folder: Path
    connection: Connection
    clock: Clock
    stage: JobState = JobState.QUEUED
    written_at: float = 0.0

    def start(self, slots: Semaphore, work: Callable[[], None]) -> UUID:
        """Do ``work`` in a thread as soon as there is a slot; the id to ask for."""
        Thread(target=self._run, args=(slots, work), name=f"upload-{self.job.id}", daemon=True).start()
        return self.job.id

    def progress(self, stage: JobState, done: int, total: int) -> None:
        """Write how far it is: a new stage at once, more of the same now and then, nothing once it has ended."""
        if self.stage in ENDED:
            return
        if stage is not self.stage or monotonic() - self.written_at >= PROGRESS_SECONDS:
            self.move(stage, done=done, total=total)

    def move(
        self,
        stage: JobState,
        *,
        done: int = 0,
        total: int = 0,
        message: Message | None = None,
        generation_id: int | None = None,
        within: Connection | None = None,
    ) -> None:
        """Write where it stands; with ``within`` as a part of that transaction."""
        self.stage, self.written_at = stage, monotonic()
        jobs.move(
            within or self.connection,
            self.job.id,
            stage,
            self.clock(),
            done=done,
            total=total,
            message=message,
            generation_id=generation_id,
        )

    def _run(self, slots: Semaphore, work: Callable[[], None]) -> None:
        try:
            with slots:
                work()
        except GisError as error:
            self.move(JobState.FAILED, message=error.message)
        except BaseException:
            self.move(JobState.FAILED, message=msg("导入时服务出错，没有写入任何数据；请联系管理员。"))
            raise
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.connection.close()


def keep(
    ctx: Context,
    actor: Actor,
    files: Iterable[tuple[str, IO[bytes]]],
    *,
    layer: str,
    shown: str,
    clock: Clock,
) -> UploadJob:
    """Keep the files of an upload, each under its name, as a queued job that people know as ``shown``."""
    now = clock()
    job = ImportJob(uuid4(), layer, JobState.QUEUED, 0, 0, None, None, actor.account_id, shown, now, now)
    connection = ctx.engine.connect()
    folder = _folder(ctx, job.id)
    try:
        folder.mkdir(parents=True)
        for name, content in files:
            with (folder / name).open("wb") as file:
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
    return UploadJob(job, folder, connection, clock)


def mark_interrupted(ctx: Context, now: datetime) -> int:
    """Mark the jobs whose process died, and remove their uploads; how many there were."""
    with ctx.engine.begin() as conn:
        dead = jobs.abandoned(conn)
        for job_id in dead:
            jobs.move(
                conn,
                job_id,
                JobState.INTERRUPTED,
                now,
                message=msg("导入时服务中断，没有写入任何数据；请重新导入。"),
            )
    for job_id in dead:
        shutil.rmtree(_folder(ctx, job_id), ignore_errors=True)
    return len(dead)


def _folder(ctx: Context, job_id: UUID) -> Path:
    return ctx.settings.var / "uploads" / str(job_id)
