"""Imports started from a browser: they run in a thread of the server, and their progress is asked for by id.

The upload is kept under ``var/uploads/<id>`` while it is read. A job whose process died is marked interrupted by
whoever looks next; its generation was never committed, so there is nothing to undo.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from threading import Semaphore, Thread
from time import monotonic
from typing import IO
from uuid import UUID, uuid4

from sqlalchemy import Connection

from gis_server.core.access import Act, Actor
from gis_server.core.datum import Datum
from gis_server.core.errors import GisError, NotFound, UnusableInput
from gis_server.core.features import RowProblem
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.import_job import ImportJob, JobState
from gis_server.core.message import Message, msg
from gis_server.files.read import SUPPORTED
from gis_server.journeys import layers as journey
from gis_server.journeys import staging
from gis_server.journeys.context import Context
from gis_server.store import jobs, layers

PROGRESS_SECONDS = 0.3
"""Between two writes of a job's progress."""

_SLOTS = Semaphore(2)
"""Imports at work at once in one process; the others wait as ``queued``."""

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file: the name the browser gives it, and its content."""

    name: str
    content: IO[bytes]


@dataclass(frozen=True, slots=True)
class JobView:
    """A job with what is known of its generation so far."""

    job: ImportJob
    generation: Generation | None
    problems: tuple[RowProblem, ...]


def start_import_job(
    ctx: Context,
    actor: Actor,
    layer_name: str,
    uploads: Sequence[Upload],
    *,
    crs: str | None = None,
    encoding: str | None = None,
    datum: Datum | None = None,
    mapping: Mapping[str, str] | None = None,
    department: str | None = None,
    legal_basis: str | None = None,
    clock: Clock,
) -> UUID:
    """Keep the upload and begin to import it; the id to ask for.

    Several files belong together (``.shp`` with ``.dbf``, ``.shx``, ``.prj``, ``.cpg``). Refused at once: an actor
    who may not, an unknown layer, a department's division as grids, an upload without a file that can be read.
    """
    layer, _, _ = journey.importable_layer(ctx, actor, layer_name, department, legal_basis)
    now = clock()
    with ctx.engine.connect() as conn:
        staging.require_whole_deployment(actor, staging.counties_in_force(conn, ctx.catalogue, now))
    names = [_safe_name(upload.name) for upload in uploads]
    main = _main_file(names)
    job = ImportJob(uuid4(), layer.name, JobState.QUEUED, 0, 0, None, None, actor.account_id, main, now, now)
    folder = _folder(ctx, job.id)
    folder.mkdir(parents=True)
    connection = ctx.engine.connect()
    try:
        for name, upload in zip(names, uploads, strict=True):
            with (folder / name).open("wb") as file:
                shutil.copyfileobj(upload.content, file, 2**20)
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
        # a connection of its own: the lock lives and dies with it
        connection.detach()
        jobs.hold(connection, job.id)
        jobs.add(connection, job)
    except BaseException:
        connection.close()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    work = _Work(ctx, actor, job, folder / main, connection, clock)
    options = _Options(crs, encoding, datum, mapping, department, legal_basis)
    Thread(target=work.run, args=(options,), name=f"import-{job.id}", daemon=True).start()
    return job.id


def import_job(ctx: Context, actor: Actor, job_id: UUID, now: datetime) -> JobView:
    """How far an import is, with its generation and row problems once there are any."""
    actor.require(Act.OFFER_LAYER)
    mark_interrupted(ctx, now)
    with ctx.engine.connect() as conn:
        job = jobs.one(conn, job_id)
        if job is None or (actor.account_id is not None and job.account_id != actor.account_id):
            raise NotFound(msg("没有编号为 {id} 的导入。", id=str(job_id)))
        if job.generation_id is None:
            return JobView(job, None, ())
        return JobView(job, layers.one(conn, job.generation_id), layers.problems(conn, job.generation_id))


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


@dataclass(frozen=True, slots=True)
class _Options:
    crs: str | None
    encoding: str | None
    datum: Datum | None
    mapping: Mapping[str, str] | None
    department: str | None
    legal_basis: str | None


@dataclass(slots=True)
class _Work:
    """One job in its thread; ``connection`` holds its lock and writes its progress, outside the import's transaction."""

    ctx: Context
    actor: Actor
    job: ImportJob
    file: Path
    connection: Connection
    clock: Clock
    stage: JobState = JobState.QUEUED
    written_at: float = 0.0

    def run(self, options: _Options) -> None:
        try:
            with _SLOTS:
                self._import(options)
        except GisError as error:
            self._move(JobState.FAILED, message=error.message)
        except BaseException:
            self._move(JobState.FAILED, message=msg("导入时服务出错，没有写入任何数据；请联系管理员。"))
            raise
        finally:
            shutil.rmtree(self.file.parent, ignore_errors=True)
            self.connection.close()

    def _import(self, options: _Options) -> None:
        result = journey.import_layer(
            self.ctx,
            self.actor,
            self.job.layer,
            self.file,
            crs=options.crs,
            encoding=options.encoding,
            datum=options.datum,
            mapping=options.mapping,
            department=options.department,
            legal_basis=options.legal_basis,
            now=self.clock(),
            progress=self._progress,
        )
        generation = result.generation
        if generation is None:
            done = msg(
                "已加入 {n} 条记录，{rejected} 行未能使用。",
                n=result.added,
                rejected=sum(problem.rejected for problem in result.problems),
            )
            self._move(JobState.PUBLISHED, done=result.added, total=result.added, message=done)
            return
        is_published = generation.state is GenerationState.PUBLISHED
        self._move(
            JobState.PUBLISHED if is_published else JobState.STAGED,
            done=result.added,
            total=result.added,
            generation_id=generation.id,
        )

    def _progress(self, stage: journey.Stage, done: int, total: int) -> None:
        state = JobState(stage.value)
        if state is self.stage and monotonic() - self.written_at < PROGRESS_SECONDS:
            return
        self._move(state, done=done, total=total)

    def _move(
        self,
        state: JobState,
        *,
        done: int = 0,
        total: int = 0,
        message: Message | None = None,
        generation_id: int | None = None,
    ) -> None:
        self.stage, self.written_at = state, monotonic()
        jobs.move(
            self.connection,
            self.job.id,
            state,
            self.clock(),
            done=done,
            total=total,
            message=message,
            generation_id=generation_id,
        )


def _folder(ctx: Context, job_id: UUID) -> Path:
    return ctx.settings.var / "uploads" / str(job_id)


def _safe_name(name: str) -> str:
    """The last part of the name, whatever separators it came with."""
    last = PurePosixPath(name.replace("\\", "/")).name
    if last in ("", ".", "..") or "\x00" in last or len(last.encode()) > 200:
        raise UnusableInput(msg("上传的文件名“{name}”不可用。", name=name[:80]), field="file")
    return last


def _main_file(names: Sequence[str]) -> str:
    """The one file to read; the others stand beside it."""
    readable = [name for name in names if PurePosixPath(name).suffix.lower() in SUPPORTED]
    if len(readable) == 1 and len(set(names)) == len(names):
        return readable[0]
    raise UnusableInput(
        msg(
            "请上传一个可读的文件（{known}）；.shp 要与同名的 .dbf、.shx、.prj 一起上传。",
            known=tuple(SUPPORTED),
        ),
        field="file",
    )
