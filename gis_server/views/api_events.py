"""The live stream as server-sent events."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import orjson
from flask import Blueprint, Response, request

from gis_server.core.access import Act
from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg
from gis_server.core.stream import StreamEvent
from gis_server.journeys import walls
from gis_server.journeys.events import Broadcaster, Page, Subscription, follow
from gis_server.views.current import actor, ctx, integer_parameter, known_parameters, now, parameter, server
from gis_server.views.health import open_streams
from gis_server.views.sessions import still_there

blueprint = Blueprint("events", __name__, url_prefix="/api")

HEARTBEAT_S = 4.0
"""A named event, since a comment does not reveal a half-open socket to the page. Two missed and a margin are a loss."""

RECHECK_S = 8.0
"""How often an open stream asks whether its session still holds; with a heartbeat, within 15 seconds of its end."""


@blueprint.get("/events")
def stream() -> Response:
    """Events that the actor may see, from now or from behind ``Last-Event-ID`` (or ``after``).

    With ``wall`` also the counts of that wall, whenever they were counted anew.
    """
    known_parameters("after", "wall")
    known = actor()
    known.require(Act.READ_LAYERS)
    shown = parameter("wall")
    wall = None if shown is None else walls.open_wall(ctx(), known, shown, now())
    subscription = server().broadcaster.subscribe(_position(), wall)
    if wall is not None:
        server().counts.start()
    seen = follow(
        subscription, known, heartbeat_s=HEARTBEAT_S, recheck_s=RECHECK_S, still_allowed=still_there()
    )
    answer = Response(
        _as_text(seen, subscription, server().broadcaster),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
    open_streams.inc()
    answer.call_on_close(subscription.close)
    answer.call_on_close(open_streams.dec)
    return answer


def _position() -> int | None:
    # the browser's own header is newer than the address it first connected with
    given = request.headers.get("Last-Event-ID")
    if given is None:
        position = integer_parameter("after")
    elif given.isascii() and given.isdigit() and len(given) <= 18:
        position = int(given)
    else:
        position = -1
    if position is not None and position < 0:
        raise UnusableInput(
            msg("Last-Event-ID 应为此前收到的事件编号。"), field="Last-Event-ID", expected=msg("非负整数")
        )
    return position


def _beat(subscription: Subscription, broadcaster: Broadcaster) -> dict[str, object]:
    """``now`` is the server's time; ``as_of`` lags behind it while the database does not answer."""
    moment = datetime.now(UTC)
    return {
        "now": moment,
        "as_of": moment - timedelta(seconds=broadcaster.age_s),
        "position": subscription.position,
    }


def _as_text(
    seen: Iterator[Page | None], subscription: Subscription, broadcaster: Broadcaster
) -> Iterator[bytes]:
    yield b"retry: 2000\n\n"
    if subscription.reset:
        yield _text("reset", {"position": subscription.position}, subscription.position)
    for page in seen:
        if page is None:
            yield _text("heartbeat", _beat(subscription, broadcaster))
            continue
        if page.text is None:
            page.text = _all_as_text(page.events)
        yield page.text


def _all_as_text(events: Iterable[StreamEvent]) -> bytes:
    return b"".join(_text(e.kind, {**e.payload, "at": e.at}, e.position or None) for e in events)


def _text(kind: str, data: object, position: int | None = None) -> bytes:
    number = b"" if position is None else b"id: %d\n" % position
    return number + b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"
