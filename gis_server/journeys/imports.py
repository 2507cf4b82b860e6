"""Imports started from a browser: they run in a thread of the server, and their progress is asked for by id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from threading import Semaphore
from typing import IO
from uuid import UUID

from gis_server.core.access import Act, Actor
from gis_server.core.datum import Datum
from gis_server.core.errors import NotFound, UnusableInput
from gis_server.core.features import RowProblem
from gis_server.core.generation import Generation, GenerationState
from gis_server.core.import_job import ImportJob, JobState
from gis_server.core.message import msg
from gis_server.files.read import SUPPORTED
from gis_server.journeys import layers as journey
from gis_server.journeys import staging
from gis_server.journeys.context import Context
from gis_server.journeys.upload_jobs import Clock, UploadJob, keep, mark_interrupted
from gis_server.store import jobs, layers

_SLOTS = Semaphore(2)
"""Imports at work at once in one process; the others wait as ``queued``."""


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
    files = [(name, upload.content) for name, upload in zip(names, uploads, strict=True)]
    kept = keep(ctx, actor, files, layer=layer.name, shown=main, clock=clock)
    options = _Options(crs, encoding, datum, mapping, department, legal_basis)
    return kept.start(_SLOTS, lambda: _import(ctx, actor, kept, kept.folder / main, options))


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


@dataclass(frozen=True, slots=True)
class _Options:
    crs: str | None
    encoding: str | None
    datum: Datum | None
    mapping: Mapping[str, str] | None
    department: str | None
    legal_basis: str | None


def _import(ctx: Context, actor: Actor, upload: UploadJob, file: Path, options: _Options) -> None:
    result = journey.import_layer(
        ctx,
        actor,
        upload.job.layer,
        file,
        crs=options.crs,
        encoding=options.encoding,
        datum=options.datum,
        mapping=options.mapping,
        department=options.department,
        legal_basis=options.legal_basis,
        now=upload.clock(),
        progress=lambda stage, done, total: upload.progress(JobState(stage.value), done, total),
    )
    generation = result.generation
    if generation is None:
        done = msg(
            "已加入 {n} 条记录，{rejected} 行未能使用。",
            n=result.added,
            rejected=sum(problem.rejected for problem in result.problems),
        )
        upload.move(JobState.PUBLISHED, done=result.added, total=result.added, message=done)
        return
    is_published = generation.state is GenerationState.PUBLISHED
    upload.move(
        JobState.PUBLISHED if is_published else JobState.STAGED,
        done=result.added,
        total=result.added,
        generation_id=generation.id,
    )


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
