"""What keeps a browser safe: CSRF tokens, rate limits, response headers."""

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from gis_server.core.errors import NotFound
from gis_server.core.message import msg
from gis_server.settings import Settings
from gis_server.views.current import nul_in
from gis_server.views.sessions import bearer_token

CONTENT_POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
"""No other origin, no inline script or style: a closed network has no other origin anyway."""

HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(self), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

SIGN_IN_LIMIT = "10 per minute"
"""Attempts to sign in for each address, and for each login from anywhere (our number)."""

limiter = Limiter(get_remote_address, storage_uri="memory://", headers_enabled=True)
"""Counts in this process's memory: with n worker processes a limit is up to n times as wide."""

_csrf = CSRFProtect()


def init_app(app: Flask, settings: Settings) -> None:
    """Wire the protections; ``settings`` says whether users come by HTTPS and through how many proxies."""
    app.config.update(
        SECRET_KEY=settings.secret_key(),
        SESSION_COOKIE_SECURE=settings.https,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        # the session ends sooner; a form left open all day must still work
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_SSL_STRICT=settings.https,
    )
    if settings.proxies:
        # the hops are counted from the trusted end: what a client writes there itself is not believed
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=settings.proxies, x_proto=settings.proxies, x_host=settings.proxies
        )
    _csrf.init_app(app)
    limiter.init_app(app)
    app.before_request(_refuse_nul)
    app.before_request(_require_csrf_token)

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        return response


def _refuse_nul() -> None:
    """No text that the database knows holds a NUL: an address with one names nothing, whatever it asks for."""
    if "\0" in request.path:
        raise NotFound(msg("没有这个地址，请检查拼写。"))
    for name, values in request.args.lists():
        if "\0" in name or any("\0" in value for value in values):
            raise nul_in(name)


def _require_csrf_token() -> None:
    if request.method in SAFE or bearer_token(request) is not None:
        return  # a token is sent on purpose, never by the browser of its own accord
    if request.path.startswith("/api/") and not request.cookies:
        return  # nothing to misuse; the journey asks for a sign-in
    _csrf.protect()
