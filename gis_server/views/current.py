"""What belongs to the request being answered: context, actor, time, language; and how answers are made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast, overload
from urllib.parse import quote

import orjson
from flask import Response, current_app, g, request
from flask_babel import get_locale
from flask_login import current_user
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from gis_server.core.access import VISITOR, Actor
from gis_server.core.errors import NotJson, TooLarge, Unavailable, UnusableInput
from gis_server.core.incident import parse_number
from gis_server.core.message import Message, Translate, msg
from gis_server.core.ranking import Ranking
from gis_server.core.wall import WallState
from gis_server.core.wall_figures import Statistics
from gis_server.i18n import LANGUAGES, language_of, translator
from gis_server.journeys.base_map import OpenMap
from gis_server.journeys.context import Context
from gis_server.journeys.events import Broadcaster
from gis_server.journeys.tiles import Tiles
from gis_server.journeys.together import Together
from gis_server.journeys.wall_counts import WallCounts

EXTENSION = "gis_server"


@dataclass(frozen=True, slots=True)
class Server:
    """What one server process holds for all its requests."""

    context: Context
    broadcaster: Broadcaster
    counts: WallCounts
    states: Together[WallState]
    statistics: Together[Statistics]
    rankings: Together[Ranking | None]
    tiles: Tiles
    base_map: OpenMap | None


def server() -> Server:
    """This process's context and live stream."""
    return cast(Server, current_app.extensions[EXTENSION])


def ctx() -> Context:
    """The context for journeys."""
    return server().context


def now() -> datetime:
    """The time of this request: one for all that it does."""
    if "now" not in g:
        g.now = datetime.now(UTC)
    return cast(datetime, g.now)


def actor() -> Actor:
    """On whose behalf this request runs; Unavailable if the database cannot tell."""
    if "not_told" in g:  # asked once already, and waited for in vain
        raise g.not_told
    try:
        found: Actor = getattr(current_user, "actor", VISITOR)
    except Unavailable as error:
        g.not_told = error
        raise
    return found


def language() -> str:
    """The reader's language: ``zh`` or ``en``."""
    locale = get_locale()
    return language_of(None if locale is None else str(locale))


def translate() -> Translate:
    """The translator into the reader's language."""
    return translator(language())


def languages() -> dict[str, Translate]:
    """Every language's translator, for answers that carry all of them."""
    return {name: translator(name) for name in LANGUAGES}


def say(message: Message) -> str:
    """A sentence in the reader's language."""
    return message.render(translate())


def json_answer(content: Any, status: int = 200, mimetype: str = "application/json") -> Response:
    """A JSON response; never kept by a cache, since it depends on who asks."""
    body = content if isinstance(content, bytes) else orjson.dumps(content, default=_plain)
    answer = Response(body, status=status, mimetype=mimetype)
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def attachment(name: str) -> str:
    """The header Content-Disposition of a file to be kept under ``name`` (RFC 6266; a code may be in Chinese)."""
    if name.isascii() and name.isprintable() and '"' not in name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def _plain(value: object) -> object:
    """What orjson does not know of itself: read-only mappings."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(type(value))


MOST_JSON = 64 * 1024
"""Bytes of a JSON body: the longest description, escaped, and room to spare."""


def json_body(most: int = MOST_JSON, *, long_field: str = "body") -> object:
    """The request's JSON; NotJson if it is none, TooLarge beyond ``most`` bytes (``long_field`` is what can be so long)."""
    if request.mimetype != "application/json":
        raise UnusableInput(
            msg("请以 application/json 提交。"), field="Content-Type", expected=msg("application/json")
        )
    body = b"" if (request.content_length or 0) > most else request.stream.read(most + 1)
    if (request.content_length or 0) > most or len(body) > most:  # a body in chunks has no length beforehand
        raise TooLarge(
            msg("提交的内容超过 {most} KB 的上限，请缩短后再提交。", most=most // 1024),
            field=long_field,
            expected=msg("全部内容不超过 {most} KB", most=most // 1024),
        )
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise NotJson(
            msg(
                "提交的内容不是 JSON：第 {line} 行第 {column} 个字符处读不懂（NaN 和 Infinity 不是 JSON 的数）。",
                line=error.lineno,
                column=error.colno,
            ),
            field="body",
            expected=msg("JSON（RFC 8259）"),
        ) from error
    # written out it is always an escape: most bodies need no second look
    if b"\\u0000" in body and (name := _with_nul(content)) is not None:
        raise nul_in(name)
    return content


def nul_in(name: str) -> UnusableInput:
    """What is said of a text with a NUL, which no text of the database can hold."""
    shown = name.replace("\0", "")[:80]
    return UnusableInput(
        msg("{name} 中有空字符（NUL），请去掉。", name=shown), field=shown, expected=msg("没有空字符的文字")
    )


def _with_nul(content: object) -> str | None:
    """The name of a text with a NUL; None without one."""
    waiting: list[tuple[str, object]] = [("body", content)]
    while waiting:
        name, one = waiting.pop()
        if isinstance(one, str) and "\0" in one:
            return name
        if isinstance(one, dict):
            waiting += [*((name, key) for key in one), *one.items()]
        elif isinstance(one, list):
            waiting += ((name, item) for item in one)
    return None


def form_text(name: str) -> str:
    """A field of the request's form; empty if absent."""
    value = request.form.get(name, "")
    if "\0" in value:
        raise nul_in(name)
    return value


def uploads(name: str, most: int) -> list[FileStorage]:
    """The files of a form under this name; TooLarge beyond ``most`` bytes in all."""
    request.max_content_length = min(ctx().settings.max_upload_bytes, most)
    try:
        return request.files.getlist(name)
    except RequestEntityTooLarge:
        raise TooLarge(
            msg("上传的内容超过 {most} MB 的上限，请分几次上传。", most=most // 2**20),
            field=name,
            expected=msg("一次不超过 {most} MB", most=most // 2**20),
        ) from None


def parameter(name: str) -> str | None:
    """A query parameter given once; None if absent or empty."""
    values = request.args.getlist(name)
    if len(values) > 1:
        raise UnusableInput(msg("参数 {name} 只能给一次。", name=name), field=name, expected=msg("一个值"))
    return values[0].strip() or None if values else None


def known_parameters(*names: str) -> None:
    """Raise UnusableInput for a query parameter that this path does not know."""
    for name in request.args:
        if name not in names:
            raise UnusableInput(
                msg(
                    "没有名为 {name} 的参数；可用的参数：{known}。",
                    name=name[:80],
                    known=tuple(names) or "-",
                ),
                field=name[:80],
                expected=msg("{known} 之一", known=tuple(names) or "-"),
            )


@overload
def integer_parameter(name: str) -> int | None: ...


@overload
def integer_parameter(name: str, default: int) -> int: ...


def integer_parameter(name: str, default: int | None = None) -> int | None:
    """A query parameter as an integer of at most 18 digits."""
    value = parameter(name)
    if value is None:
        return default
    if not (value.isascii() and value.removeprefix("-").isdigit() and len(value) <= 18):
        raise UnusableInput(msg("参数 {name} 应为整数。", name=name), field=name, expected=msg("整数"))
    return int(value)


def point_parameters() -> tuple[float, float]:
    """The query parameters ``lon`` and ``lat``; UnusableInput names the one that is missing or no number."""
    return parse_number(number_parameter("lon"), "lon"), parse_number(number_parameter("lat"), "lat")


def number_parameter(name: str) -> float | None:
    """A query parameter as a number; NaN and infinity are left for the rule that wants it to refuse."""
    value = parameter(name)
    if value is None:
        return None
    try:
        return float(value)
    except ValueError:
        raise UnusableInput(
            msg("参数 {name} 应为数。", name=name), field=name, expected=msg("有限的数")
        ) from None
