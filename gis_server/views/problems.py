"""Errors as answers: one table from class to status, one form (RFC 9457), a page for browsers that want one."""

import logging
from http import HTTPStatus
from urllib.parse import quote

from flask import Flask, Response, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from gis_server.core.acceptance import KeptFinding
from gis_server.core.address_found import AddressAnswer
from gis_server.core.errors import (
    AddressUnclear,
    Conflict,
    DepartmentLayerRefused,
    GisError,
    NotAllowed,
    NotAvailableYet,
    NotFound,
    NotJson,
    PublishRefused,
    SignInRequired,
    StateChanged,
    SwappedAxes,
    TooLarge,
    Unavailable,
    UnknownCrs,
    UnusableInput,
)
from gis_server.core.message import Message, msg
from gis_server.journeys.accounts import note_denial
from gis_server.views.address_json import answer_json
from gis_server.views.current import actor, ctx, json_answer, now, say
from gis_server.views.generations import kept_json

log = logging.getLogger(__name__)

STATUS: dict[type[GisError], tuple[int, Message]] = {
    UnusableInput: (422, msg("内容不可用")),
    NotJson: (400, msg("请求有误")),
    TooLarge: (413, msg("内容过大")),
    SignInRequired: (401, msg("需要登录")),
    NotAllowed: (403, msg("没有权限")),
    NotFound: (404, msg("没有找到")),
    Conflict: (409, msg("与现状冲突")),
    NotAvailableYet: (501, msg("尚未开放")),
    Unavailable: (503, msg("暂时不可用")),
}
"""The one error table. A class that is not named here has the status of its nearest ancestor."""

_HTTP: dict[int, tuple[Message, Message]] = {
    400: (msg("请求有误"), msg("请求不完整或格式有误，请检查后重试。")),
    404: (msg("没有找到"), msg("没有这个地址，请检查拼写。")),
    405: (msg("方法不允许"), msg("这个地址不接受此方法。")),
    413: (msg("内容过大"), msg("提交的内容超过大小上限。")),
    415: (msg("格式不支持"), msg("不支持这种格式。")),
    429: (msg("请求过多"), msg("尝试过于频繁，请稍后再试。")),
}

_BUG = (msg("服务器出错"), msg("服务器处理请求时出错，已记入日志。请稍后重试，仍不行请告知管理员。"))


MOST_FINDINGS = 200
"""Findings repeated in a refusal to publish, worst first; all of them are at the generation's own address."""


def init_app(app: Flask) -> None:
    """Answer every error in the one form."""
    app.register_error_handler(GisError, _answer_gis_error)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_bug)


def status_of(error: GisError) -> tuple[int, Message]:
    """Status and title of an error, by its class or nearest ancestor in the table."""
    for kind in type(error).__mro__:
        if kind in STATUS:
            return STATUS[kind]
    raise LookupError(type(error))


def _answer_gis_error(error: GisError) -> BaseResponse:
    status, title = status_of(error)
    if isinstance(error, NotAllowed):
        _note(error)
    if isinstance(error, SignInRequired) and _wants_page() and request.method == "GET":
        return redirect(f"/sign-in?next={quote(request.full_path.rstrip('?'), safe='/')}")
    members: dict[str, object] = {}
    if error.field is not None:
        members["field"] = error.field
    if error.expected is not None:
        members["expected"] = say(error.expected)
    if error.clause is not None:
        members["clause"] = error.clause
    members |= _carried(error)
    answer = _problem(status, _slug(type(error).__name__), say(title), say(error.message), members)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        answer.headers["Retry-After"] = "5"
    if status == HTTPStatus.UNAUTHORIZED:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="gis-server"'
    return answer


def _carried(error: GisError) -> dict[str, object]:
    """What an error of this kind carries beside its sentence."""
    members: dict[str, object] = {}
    if isinstance(error, StateChanged):
        members["state"] = error.state
    if isinstance(error, AddressUnclear) and isinstance(error.answer, AddressAnswer):
        found = answer_json(error.answer)
        members |= {"verdict": found["verdict"], "candidates": found["addresses"]}
    if isinstance(error, SwappedAxes):
        members["suggestion"] = {"lon": error.lon, "lat": error.lat}
    if isinstance(error, UnknownCrs) and error.candidates:
        members["candidates"] = list(error.candidates)
    if isinstance(error, DepartmentLayerRefused):
        members["offer"] = {
            "layer": error.offer,
            "url": url_for("layers.start_import", layer=error.offer),
        }
    if isinstance(error, PublishRefused):
        members["findings"] = kept_json(
            [one for one in error.findings[:MOST_FINDINGS] if isinstance(one, KeptFinding)]
        )
    return members


def _answer_http(error: HTTPException) -> BaseResponse:
    if error.response is not None or error.code is None or error.code < 400:
        return error.get_response()
    title, detail = _HTTP.get(error.code, (Message(HTTPStatus(error.code).phrase), Message(error.name)))
    answer = _problem(error.code, _slug(error.name), say(title), say(detail), {})
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            answer.headers[name] = value
    return answer


def _answer_bug(_: Exception) -> BaseResponse:
    log.exception("%s %s", request.method, request.path)
    return _problem(500, "internal-error", say(_BUG[0]), say(_BUG[1]), {})


def _slug(name: str) -> str:
    dashed = "".join(f"-{c.lower()}" if c.isupper() else c for c in name.replace(" ", ""))
    return dashed.strip("-")


def _problem(status: int, slug: str, title: str, detail: str, members: dict[str, object]) -> Response:
    if _wants_page():
        page = render_template("error.html", status=status, title=title, detail=detail)
        return Response(page, status=status, mimetype="text/html")
    body = {"type": f"urn:gis-server:problem:{slug}", "title": title, "status": status, "detail": detail}
    return json_answer(body | members, status, "application/problem+json")


def _wants_page() -> bool:
    if request.path.startswith(("/api/", "/ogc", "/tiles/", "/base/")) or request.path == "/openapi.json":
        return False
    best = request.accept_mimetypes.best_match(["application/problem+json", "application/json", "text/html"])
    return best == "text/html"


def _note(error: NotAllowed) -> None:
    try:
        note_denial(ctx(), actor(), f"{request.method} {request.path}", str(error), now())
    except Unavailable:
        log.warning("denial not written to the audit trail: %s %s", request.method, request.path)
