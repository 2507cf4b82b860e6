"""The party's page: a satisfaction rating by an unguessable link, without an account and without personal data."""

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from gis_server.core.errors import Conflict, NotFound, UnusableInput
from gis_server.core.message import Message
from gis_server.core.rating import MOST_NOTE, RatingSheet, parse_rating
from gis_server.journeys import ratings
from gis_server.views.current import ctx, now, say
from gis_server.views.security import limiter

blueprint = Blueprint("rate", __name__)

LIMIT = "60 per minute"
"""For each address (our number); a token cannot be guessed in any case."""

HEADERS = {
    "Cache-Control": "private, no-store",
    # the address is the key: it goes into no index; to other origins no page of ours tells where it was left from
    "X-Robots-Tag": "noindex, nofollow",
}


@blueprint.get("/rate/<token>")
@limiter.limit(LIMIT)
def sheet(token: str) -> Response:
    """The form, with the rating that was given."""
    try:
        found = ratings.open_link(ctx(), token[:200], now())
    except NotFound as error:
        return _page(None, error.message, 404)
    return _page(found, is_thanked="thanks" in request.args)


@blueprint.post("/rate/<token>")
@limiter.limit(LIMIT)
def rate(token: str) -> BaseResponse:
    """Take a rating; it may be changed by the same link until the incident is filed."""
    try:
        rating, note = parse_rating(request.form.get("rating"), request.form.get("note"))
        ratings.rate(ctx(), token[:200], rating, note, now())
    except NotFound as error:
        return _page(None, error.message, 404)
    except (UnusableInput, Conflict) as error:
        found = ratings.open_link(ctx(), token[:200], now())
        return _page(found, error.message, 409 if isinstance(error, Conflict) else 422)
    return redirect(f"/rate/{token}?thanks", 303)


def _page(
    found: RatingSheet | None, problem: Message | None = None, status: int = 200, *, is_thanked: bool = False
) -> Response:
    page = render_template(
        "rate.html",
        sheet=found,
        day=None if found is None else found.discovered_at.astimezone(ctx().settings.timezone).date(),
        closed=None if found is None or found.closed is None else say(found.closed),
        problem=None if problem is None else say(problem),
        is_thanked=is_thanked,
        most_note=MOST_NOTE,
    )
    answer = Response(page, status, mimetype="text/html")
    answer.headers.update(HEADERS)
    return answer
