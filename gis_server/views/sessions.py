"""Who is asking: an account's session, a screen opened by a link, or a program with a token."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flask import Flask, Request, session
from flask import Response as FlaskResponse
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from werkzeug.wrappers import Response

from gis_server.core.access import VISITOR, Act, Actor
from gis_server.core.account import Account
from gis_server.core.errors import GisError, SignInRequired
from gis_server.core.message import msg
from gis_server.core.wall import home_wall
from gis_server.journeys import accounts, walls
from gis_server.views.current import actor, ctx, language, now

LONGEST_SESSION = timedelta(hours=12)
"""An account signs in anew after this, whatever it does."""

SCREEN_SESSION = timedelta(days=400)
"""The longest a browser keeps a cookie. A screen's session lives as long as its link and is renewed by use."""


Check = Callable[[datetime], Actor | None]
"""Asks the database at a moment: on whose behalf, or None once it is over."""


class _SignedIn(UserMixin):  # type: ignore[misc]
    """An account or a screen, as Flask-Login wants it."""

    def __init__(self, session_id: str, known: Actor, check: Check) -> None:
        self.id = session_id
        self.actor = known
        self.check = check


class _Cookies(SecureCookieSessionInterface):
    """Session cookies, which what a browser keeps does not depend on.

    A screen's cookie is renewed by use. Were tiles among that use, each would come with another cookie, each cookie would make
    the browser doubt what it keeps, and a wall would ask for every tile again with every scene.
    """

    def save_session(self, app: Flask, session: SessionMixin, response: FlaskResponse) -> None:
        if response.cache_control.max_age and not session.modified:
            return
        super().save_session(app, session, response)


def init_app(app: Flask) -> None:
    """Wire Flask-Login, the session cookie and what every template is told."""
    app.session_interface = _Cookies()
    app.config.update(
        SESSION_COOKIE_NAME="gis_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SCREEN_SESSION,
    )
    manager = LoginManager()
    manager.init_app(app, add_context_processor=False)
    # tied to address and browser, a session would end whenever a phone changes its network
    manager.session_protection = None
    manager.user_loader(_by_session)
    manager.request_loader(_by_token)
    app.context_processor(_frame)


def _by_session(session_id: str) -> _SignedIn | None:
    kind, *numbers = session_id.split(":")
    if kind == "account":
        check = _account_check(int(numbers[0]), int(numbers[1]), float(session.get("since", 0)))
    else:
        check = _link_check(int(numbers[0]))
    known = check(now())
    return None if known is None else _SignedIn(session_id, known, check)


def _account_check(account_id: int, epoch: int, since: float) -> Check:
    context = ctx()
    ends = since + LONGEST_SESSION.total_seconds()
    return lambda at: accounts.session_actor(context, account_id, epoch) if at.timestamp() < ends else None


def _link_check(link_id: int) -> Check:
    context = ctx()
    return lambda at: walls.link_actor(context, link_id, at)


def _by_token(request: Request) -> _SignedIn | None:
    token = bearer_token(request)
    if token is None:
        return None
    context = ctx()
    known = accounts.token_actor(context, token, now())
    if known is None:
        raise SignInRequired(msg("访问令牌无效或已失效。"), field="Authorization")
    return _SignedIn("token", known, lambda at: accounts.token_actor(context, token, at))


def bearer_token(request: Request) -> str | None:
    """The token of an ``Authorization: Bearer`` header; None without one."""
    given = request.authorization
    return given.token if given is not None and given.type == "bearer" else None


def begin(account: Account) -> None:
    """Open an account's session in this browser; what the session held before is gone."""
    _renew()
    session["since"] = now().timestamp()
    check = _account_check(account.id, account.session_epoch, session["since"])
    login_user(_SignedIn(f"account:{account.id}:{account.session_epoch}", account.actor, check))


def begin_screen(link_id: int) -> None:
    """Open a screen's session in this browser."""
    _renew()
    check = _link_check(link_id)
    if (known := check(now())) is not None:
        session.permanent = True
        login_user(_SignedIn(f"link:{link_id}", known, check))


def end() -> None:
    """Close this browser's session; the chosen language stays."""
    logout_user()
    _renew()


def _renew() -> None:
    chosen = session.get("language")
    session.clear()
    if chosen:
        session["language"] = chosen


ACCOUNT_COOKIE = "gis_account"
ACCOUNT_COOKIE_LIFE = timedelta(days=60)


def account_tag() -> str | None:
    """A name for the account signed in that tells nothing of it: by it a phone keeps apart what several people left on it."""
    account_id = actor().account_id
    if account_id is None:
        return None
    key = ctx().settings.secret_key().encode()[:64]
    return hashlib.blake2b(b"account:%d" % account_id, key=key, digest_size=12).hexdigest()


def mark_account(answer: Response) -> None:
    """Tell the report page whose phone this is while it has no network; it outlives the session, and ends by signing out."""
    tag = account_tag()
    if tag is not None:
        answer.set_cookie(
            ACCOUNT_COOKIE,
            tag,
            max_age=ACCOUNT_COOKIE_LIFE,
            path="/report",
            samesite="Lax",
            secure=ctx().settings.https,
        )


def unmark_account(answer: Response) -> None:
    """Nobody is signed in on this phone any more."""
    answer.delete_cookie(ACCOUNT_COOKIE, path="/report", samesite="Lax", secure=ctx().settings.https)


def still_there() -> Callable[[], bool]:
    """A question that an answer without end can ask after its request is over: does this session still hold?"""
    check: Check = current_user.check
    return lambda: check(datetime.now(UTC)) is not None


def _frame() -> dict[str, object]:
    # with the database gone, who is asking cannot be told; the error page must stand all the same
    try:
        known = actor()
    except GisError:
        known = VISITOR
    return {
        "actor": known,
        "acts": {act.value for act in Act if known.may(act)},
        "home_wall": home_wall(known),
        "language": language(),
        "time_zone": ctx().settings.timezone.key,
    }
