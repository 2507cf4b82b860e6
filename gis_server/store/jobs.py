"""Import jobs: their rows, and the lock by which others see that somebody still works on one."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, insert, select, update

from gis_server.core.import_job import ENDED, ImportJob, JobState
from gis_server.core.message import Message
from gis_server.store.messages import message_from, message_json
from gis_server.store.schema import import_job


def _lock_key(job_id: UUID) -> int:
    # 63 bits of the id: PostgreSQL's advisory locks are signed 64-bit numbers
    return job_id.int >> 65


def hold(conn: Connection, job_id: UUID) -> None:
    """Hold the job's lock for as long as this connection (outside the pool's reuse) lives."""
    conn.execute(select(func.pg_advisory_lock(_lock_key(job_id))))


def add(conn: Connection, job: ImportJob) -> None:
    """Keep a new job."""
    conn.execute(
        insert(import_job).values(
            id=job.id,
            layer=job.layer,
            state=job.state.value,
            file_name=job.file_name,
            account_id=job.account_id,
            created_at=job.created_at,
            updated_at=job.updated_at,
        )
    )


def move(
    conn: Connection,
    job_id: UUID,
    state: JobState,
    now: datetime,
    *,
    done: int = 0,
    total: int = 0,
    message: Message | None = None,
    generation_id: int | None = None,
) -> None:
    """Say how far a job is; one that has ended stays as it is."""
    conn.execute(
        update(import_job)
        .where(import_job.c.id == job_id, import_job.c.state.not_in([ended.value for ended in ENDED]))
        .values(
            state=state.value,
            done=done,
            total=total,
            message=None if message is None else message_json(message),
            generation_id=generation_id,
            updated_at=now,
        )
    )


def one(conn: Connection, job_id: UUID) -> ImportJob | None:
    """The job with this id."""
    row = conn.execute(select(import_job).where(import_job.c.id == job_id)).one_or_none()
    if row is None:
        return None
    return ImportJob(
        id=row.id,
        layer=row.layer,
        state=JobState(row.state),
        done=row.done,
        total=row.total,
        message=None if row.message is None else message_from(row.message),
        generation_id=row.generation_id,
        account_id=row.account_id,
        file_name=row.file_name,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def abandoned(conn: Connection) -> list[UUID]:
    """Unfinished jobs whose lock nobody holds: their process was killed."""
    rows = conn.execute(
        select(import_job.c.id).where(import_job.c.state.not_in([ended.value for ended in ENDED]))
    ).all()
    return [row.id for row in rows if _is_free(conn, row.id)]


def _is_free(conn: Connection, job_id: UUID) -> bool:
    # taken and given back at once, in the caller's transaction
    return bool(conn.execute(select(func.pg_try_advisory_xact_lock(_lock_key(job_id)))).scalar_one())
