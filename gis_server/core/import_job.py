"""An import that a browser started and watches."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from gis_server.core.message import Message


class JobState(StrEnum):
    """How far an import is."""

    QUEUED = "queued"
    READING = "reading"
    CHECKING = "checking"
    STAGING = "staging"
    STAGED = "staged"
    PUBLISHED = "published"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


ENDED = frozenset({JobState.STAGED, JobState.PUBLISHED, JobState.FAILED, JobState.INTERRUPTED})
"""States that do not change any more."""


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One import: ``done`` of ``total`` rows in this state (0 while unknown); ``message`` says how it ended."""

    id: UUID
    layer: str
    state: JobState
    done: int
    total: int
    message: Message | None
    generation_id: int | None
    account_id: int | None
    file_name: str
    created_at: datetime
    updated_at: datetime
