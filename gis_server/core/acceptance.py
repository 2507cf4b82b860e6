"""Accepting a warning: a clause of force S may be overridden with a written reason (requirements 0.2)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from gis_server.core.coverage.findings import Finding, Severity
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg

LEAST_REASON = 4
MOST_REASON = 500
"""Characters of a reason."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Who took a warning upon himself, when and why; ``account_id`` is None for the console."""

    who: str
    account_id: int | None
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A finding as it is kept with its generation; the geometry is in EPSG:4490."""

    id: int
    finding: Finding
    acceptance: Acceptance | None = None

    @property
    def is_blocking(self) -> bool:
        """Whether it forbids publishing: an error always, a warning until it is accepted."""
        if self.finding.severity is Severity.WARNING:
            return self.acceptance is None
        return self.finding.severity is Severity.ERROR


def blocking(kept: Iterable[KeptFinding]) -> tuple[KeptFinding, ...]:
    """The findings that forbid publishing, errors first as they come."""
    return tuple(one for one in kept if one.is_blocking)


def written_reason(given: str) -> str:
    """A reason without the blanks around it; UnusableInput if it is too short to be one, or too long to be read."""
    reason = given.strip()
    if not LEAST_REASON <= len(reason) <= MOST_REASON:
        raise UnusableInput(
            msg("接受警告须写明理由，{least} 至 {most} 个字。", least=LEAST_REASON, most=MOST_REASON),
            field="reason",
            expected=msg("{least} 至 {most} 个字", least=LEAST_REASON, most=MOST_REASON),
        )
    if "\x00" in reason:
        raise UnusableInput(msg("理由中有不能保存的字符。"), field="reason", expected=msg("文字"))
    return reason
