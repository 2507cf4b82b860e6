"""The report page without a network: its service worker, and the page's frame with nobody's name in it.

The worker is one script with the list of files that it takes along; its version is the hash of all of them, so that a new build is
a new worker, and an old one is gone with its files.
"""

import hashlib
import re

import orjson
from flask import Blueprint, Response, current_app, render_template, request
from flask_babel import force_locale
from werkzeug.exceptions import NotFound

from gis_server.core.access import VISITOR
from gis_server.i18n import LANGUAGES
from gis_server.journeys.profiles import items_in_use
from gis_server.views.assets import file_named, modules_of
from gis_server.views.current import ctx
from gis_server.views.current import language as spoken

blueprint = Blueprint("offline", __name__)

WORKER = "worker/report.js"
ENTRIES = ("pages/report.js", WORKER, "worker/tiles.js")
BESIDES = ("vendor/icons.svg",)
"""What modules name while they run, and no import does."""

SCOPE = "/report"

_LINK = re.compile(r"""(?:href|src)="(/static/[^"#]+)[#"]""")


@blueprint.get("/report/shell/<language>")
def shell(language: str) -> Response:
    """The report page as anybody may see it: no name, no token; what it shows comes from the phone itself."""
    if language not in LANGUAGES:
        raise NotFound
    answer = Response(_shell(language), mimetype="text/html")
    answer.headers["Cache-Control"] = "no-cache"
    answer.add_etag()
    return answer.make_conditional(request)  # type: ignore[return-value]


@blueprint.get("/report/worker.js")
def worker() -> Response:
    """The service worker of the report page, with its version and the files that it takes along."""
    files, version = _files()
    told = {
        "version": version,
        "files": files,
        "shells": {name: f"/report/shell/{name}" for name in LANGUAGES},
    }
    body = b'import { serve } from "/static/web/%s";\nserve(%s);\n' % (WORKER.encode(), orjson.dumps(told))
    answer = Response(body, mimetype="text/javascript")
    answer.headers["Service-Worker-Allowed"] = SCOPE
    answer.headers["Cache-Control"] = "no-cache"
    answer.set_etag(version)
    return answer.make_conditional(request)  # type: ignore[return-value]


def _shell(language: str) -> str:
    with force_locale(LANGUAGES[language]):
        values = report_values()
        return render_template("report.html", actor=VISITOR, acts=set(), language=language, **values)


def report_values() -> dict[str, object]:
    """What the report page is told of the deployment: how many photos, and how large, and the items that may be reported."""
    settings = ctx().settings
    items = [item.title.said(spoken()) for item in items_in_use(settings).items.values()]
    return {"most_photos": settings.photos, "photo_mb": settings.photo_mb, "items": items}


def _files() -> tuple[list[str], str]:
    """The addresses of everything the page needs, and the hash of all that they hold."""
    shells = [_shell(language) for language in LANGUAGES]
    linked = {address for body in shells for address in _LINK.findall(body)}
    names = {address.removeprefix("/static/web/") for address in linked}
    digest = hashlib.sha256("".join(shells).encode())
    files = []
    for name in sorted({*names, *BESIDES, *modules_of(*ENTRIES)}):
        asset = file_named(name)
        if asset is not None:
            files.append(f"/static/web/{name}")
            digest.update(asset.etag.encode())
    for language in LANGUAGES:
        files.append(f"/static/i18n/{language}.json")
        digest.update(current_app.extensions["catalogues"][language].etag.encode())
    return files, digest.hexdigest()[:16]
