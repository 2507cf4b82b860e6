"""Pages: what a browser opens. Everything on them that changes comes from /api."""

from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response as BaseResponse

from gis_server.core.access import Act, Role
from gis_server.core.errors import NotAvailableYet, SignInRequired
from gis_server.core.message import msg
from gis_server.core.wall import layers_on_wall
from gis_server.i18n import LANGUAGES
from gis_server.journeys import accounts, rankings, tiles, walls
from gis_server.views import offline, sessions
from gis_server.views.assets import modules_of
from gis_server.views.current import actor, ctx, form_text, language, now, say, server
from gis_server.views.security import SIGN_IN_LIMIT, limiter

blueprint = Blueprint("pages", __name__)


@blueprint.get("/")
def index() -> BaseResponse:
    """The landing page; a screen goes to its wall, a visitor to the sign-in."""
    known = actor()
    if known.role is Role.VISITOR:
        return redirect("/sign-in")
    if known.wall_id is not None:
        return redirect(f"/wall/{known.wall_id}")
    return _page("index.html")


@blueprint.get("/sign-in")
def sign_in_form() -> Response:
    """The sign-in form."""
    return _page("sign_in.html", login="", next=_local_path(request.args.get("next", "")), problem=None)


def _given_login() -> str:
    return f"login:{request.form.get('login', '')[:100].lower()}"


@blueprint.post("/sign-in")
@limiter.limit(SIGN_IN_LIMIT)
@limiter.limit(SIGN_IN_LIMIT, key_func=_given_login)
def sign_in() -> BaseResponse:
    """Open a session."""
    login = form_text("login")[:100].strip()
    following = _local_path(request.form.get("next", ""))
    try:
        account = accounts.sign_in(ctx(), login, request.form.get("password", ""), now(), request.remote_addr)
    except SignInRequired as error:
        page = _page("sign_in.html", login=login, next=following, problem=say(error.message))
        page.status_code = 401
        return page
    sessions.begin(account)
    answer = redirect(following or "/", 303)
    sessions.mark_account(answer)
    return answer


@blueprint.post("/sign-out")
def sign_out() -> BaseResponse:
    """Close the session."""
    sessions.end()
    answer = redirect("/sign-in", 303)
    sessions.unmark_account(answer)
    return answer


@blueprint.get("/language/<chosen>")
def choose_language(chosen: str) -> BaseResponse:
    """Keep the reader's choice, and go back to where it was made."""
    if chosen in LANGUAGES:
        session["language"] = chosen
    came_from = request.referrer or ""
    back = (
        came_from.removeprefix(request.host_url.rstrip("/"))
        if came_from.startswith(request.host_url)
        else "/"
    )
    return redirect(_local_path(back) or "/")


@blueprint.get("/wall/<wall_id>")
def wall(wall_id: str) -> BaseResponse:
    """A big screen. With ``key`` it becomes a screen's own session, and the key leaves the address bar."""
    if "key" in request.args:
        sessions.begin_screen(walls.open_link(ctx(), request.args["key"][:200], wall_id, now()))
        # a machine without a keyboard is given one address, which says its part of the wall as well
        scene, part = request.args.get("scene"), request.args.get("screen")
        return redirect(url_for("pages.wall", wall_id=wall_id, scene=scene, screen=part))
    found, bounds = walls.wall_ground(ctx(), actor(), wall_id, now())
    layers = [url_for("layers.features", layer=layer) for layer in layers_on_wall(ctx().catalogue)]
    fetched = tiles.overview(ctx(), server().tiles, actor(), now()).layers
    in_tiles = any(layer.in_tiles for layer in fetched.values())
    ground = {"bounds": bounds, "layers": layers, "in_tiles": in_tiles}
    return _page("wall.html", wall_id=found.id, wall_title=found.title.said(language()), ground=ground)


@blueprint.get("/report")
def report() -> Response:
    """The report form for a phone."""
    actor().require(Act.REPORT_INCIDENT)
    page = _page("report.html", **offline.report_values())
    sessions.mark_account(page)
    return page


@blueprint.get("/incidents")
@blueprint.get("/incidents/<id:incident_id>")
def incidents(incident_id: int | None = None) -> Response:
    """The desk's list, with one incident open where the address names it."""
    actor().require(Act.READ_INCIDENTS)
    return _page("incidents.html", incident_id=incident_id or "")


@blueprint.get("/incidents/bulk")
def bulk() -> Response:
    """Reports by the file."""
    return _page_for(Act.REPORT_INCIDENT, "bulk.html")


@blueprint.get("/layers")
def layers() -> Response:
    """Import, check and publish."""
    return _page_for(Act.IMPORT_LAYER, "layers.html")


@blueprint.get("/roster")
def roster() -> Response:
    """Who holds which post, vacancies first."""
    actor().require(Act.READ_ROSTER)
    return _page("roster.html", ranked_by=rankings.worker_periods(ctx(), actor()))


@blueprint.get("/walls")
def wall_links() -> Response:
    """Make and revoke links to walls."""
    return _page_for(Act.MANAGE_WALL_LINKS, "walls.html")


@blueprint.get("/walls/<wall_id>/scenes")
def scenes(wall_id: str) -> Response:
    """The scenes of a wall: their order, what they show, and which one to send to it."""
    actor().require(Act.MANAGE_WALL_LINKS)
    found = walls.open_wall(ctx(), actor(), wall_id, now())
    return _page("scenes.html", wall_id=found.id, wall_title=found.title.said(language()))


@blueprint.get("/plans")
@blueprint.get("/plans/<path:_rest>")
@blueprint.get("/analysis")
@blueprint.get("/notices/<path:_rest>")
@blueprint.get("/ogc")
@blueprint.get("/ogc/<path:_rest>")
def not_yet(_rest: str = "") -> Response:
    """Documented addresses that a later version fills."""
    sentence = msg("这个地址的功能尚未开放。")
    if request.path.startswith("/ogc") or not request.accept_mimetypes.accept_html:
        raise NotAvailableYet(sentence)
    title = {"plans": msg("网格规划"), "analysis": msg("统计分析"), "notices": msg("网格公示")}
    page = _page("not_yet.html", title=say(title[request.path.split("/")[1]]), detail=say(sentence))
    page.status_code = 501
    return page


def _page_for(act: Act, template: str) -> Response:
    actor().require(act)
    return _page(template)


def _page(template: str, **values: object) -> Response:
    # named in the page, so that the browser need not read one module to hear of the next
    modules = modules_of(f"pages/{template.removesuffix('.html')}.js")
    answer = Response(render_template(template, modules=modules, **values), mimetype="text/html")
    # who is signed in and the form's token stand in the page
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _local_path(given: str) -> str:
    """A path of this server, or nothing: never another origin (``//host`` and ``/\\host`` are such)."""
    is_local = given.startswith("/") and given[1:2] not in ("/", "\\") and given.isprintable()
    return given if is_local else ""
