"""The party's word on the result (满意度评价): the link by which it comes, and what it adds up to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from gis_server.core.errors import Conflict, UnusableInput
from gis_server.core.incident import CLOSED, Incident, IncidentState
from gis_server.core.incident_request import MOST_RATING
from gis_server.core.message import Message, msg

LINK_LIFE = timedelta(days=30)
"""How long a link can be used (our number; no document says)."""

MOST_NOTE = 500
SATISFIED = 4
"""From this many of five the party counts as satisfied (our reading)."""


@dataclass(frozen=True, slots=True)
class RatingLink:
    """A link that was handed out; its token is kept only as a hash."""

    id: int
    incident_id: int
    expires_at: datetime
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class RatingSheet:
    """What the page behind a link shows: no text, no place, no name. ``closed`` says why it takes no rating now."""

    number: str
    discovered_at: datetime
    rating: int | None
    closed: Message | None


def sheet_of(incident: Incident) -> RatingSheet:
    """The public page of an incident."""
    closed = None
    if incident.state in CLOSED:
        closed = msg("事件已经归档，评价已截止。")
    elif incident.state is not IncidentState.FED_BACK:
        closed = msg("事件还在办理，结果反馈之后即可评价，请届时再打开这个链接。")
    return RatingSheet(incident.number, incident.discovered_at, incident.rating, closed)


def parse_rating(rating: str | None, note: str | None) -> tuple[int, str | None]:
    """What the form says; UnusableInput for anything but a whole number from 1 to 5, and for a note that is too long."""
    if rating is None or rating not in {str(n) for n in range(1, MOST_RATING + 1)}:
        raise UnusableInput(
            msg("请选择 1 到 {most} 之间的满意度。", most=MOST_RATING),
            field="rating",
            expected=msg("{least} 到 {most} 的整数", least=1, most=MOST_RATING),
        )
    text = (note or "").replace("\r\n", "\n").strip()
    if len(text) > MOST_NOTE or "\x00" in text:
        raise UnusableInput(
            msg("意见请不要超过 {most} 个字。", most=MOST_NOTE),
            field="note",
            expected=msg("1 到 {most} 个字的文字", most=MOST_NOTE),
        )
    return int(rating), text or None


def no_rating(clause: str | None) -> Conflict:
    """Why there is no link in a place whose rules know no rating."""
    return Conflict(msg("本地标准没有满意度评价这一环节。"), clause=clause)


@dataclass(frozen=True, slots=True)
class Appraised:
    """What became of the incidents of one unit: how many, how many rated and how, and the mean of each score."""

    unit: str | None
    incidents: int
    rated: int
    rating: float | None
    satisfied: int
    scored: int
    scores: Mapping[str, float]
