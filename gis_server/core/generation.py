"""A generation: the rows of one import of a layer, with the time for which they are in force."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gis_server.core.coverage.findings import Certificate
from gis_server.core.message import Message


class GenerationState(StrEnum):
    """Staged rows are seen by planners only; published ones are in force for their time; discarded ones are gone."""

    STAGED = "staged"
    PUBLISHED = "published"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Generation:
    """One import of one layer. In force for ``[valid_from, valid_to)``, open-ended while ``valid_to`` is None.

    ``source`` tells of the file (name, CRS, encoding, datum, SHA-256), ``summary`` of the coverage check (empty where
    none applies), made against the polygons of ``parent_generation`` at ``tolerance_m2``, and ``certificate`` is the
    proof that went with it; ``checked_with`` are the generations of other layers that had a say. ``problems`` counts the rows that were left out or mended, ``rejected`` those left out,
    ``open_warnings`` the warnings that nobody has accepted with a reason.
    """

    id: int
    layer: str
    state: GenerationState
    feature_count: int
    valid_from: datetime | None
    valid_to: datetime | None
    created_at: datetime
    created_by: str
    published_at: datetime | None
    published_by: str | None
    source: Mapping[str, object]
    summary: Mapping[str, object]
    tolerance_m2: float | None
    certificate: Certificate | None
    notes: tuple[Message, ...]
    parent_generation: int | None
    checked_with: Mapping[str, int | None]
    problems: int
    rejected: int
    errors: int
    warnings: int
    open_warnings: int
