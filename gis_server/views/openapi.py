"""The API described: ``/openapi.json`` for programs, ``/docs`` for people. A test holds it against the routes."""

from importlib.metadata import version
from typing import Any

from flask import Blueprint, Response, render_template

from gis_server.core.catalogue import FieldType, Layer
from gis_server.core.message import Words, msg
from gis_server.views.current import actor, ctx, json_answer, language, say
from gis_server.views.operation import MULTIPART, Operation
from gis_server.views.operations import OPERATIONS
from gis_server.views.schemas import SCHEMAS

blueprint = Blueprint("openapi", __name__)

_TYPES: dict[FieldType, dict[str, Any]] = {
    FieldType.TEXT: {"type": "string"},
    FieldType.INTEGER: {"type": "integer"},
    FieldType.NUMBER: {"type": "number"},
    FieldType.BOOLEAN: {"type": "boolean"},
    FieldType.DATE: {"type": "string", "format": "date"},
    FieldType.TIMESTAMP: {"type": "string", "format": "date-time"},
}


@blueprint.get("/openapi.json")
def openapi() -> Response:
    """The API as OpenAPI 3.1, with the layers that the reader may see."""
    return json_answer(document(ctx().catalogue.visible(actor().tier)))


@blueprint.get("/docs")
def docs() -> Response:
    """The same for people."""
    described = document(ctx().catalogue.visible(actor().tier))
    return Response(render_template("docs.html", api=described), mimetype="text/html")


def document(layers: tuple[Layer, ...]) -> dict[str, Any]:
    """The OpenAPI document, in the reader's language."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    schemas = dict(SCHEMAS)
    for layer in layers:
        schemas[f"layer_{layer.name}"] = _layer_schema(layer)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": say(msg("网格化协调指挥中心接口")),
            "version": version("gis-server"),
            "description": say(
                msg(
                    "坐标为 CGCS2000 经纬度（度），时间为带时区的 RFC 3339。"
                    "程序以访问令牌调用：Authorization: Bearer <令牌>，令牌由 gis-server user token 生成。"
                    "浏览器会话的修改请求须带 X-CSRFToken（见 /api/session）。"
                )
            ),
        },
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "gis_session"},
            },
            "responses": {
                "problem": {
                    "description": say(msg("出错：一句话说明原因；涉及某一项时给出其名称与要求。")),
                    "content": {
                        "application/problem+json": {"schema": {"$ref": "#/components/schemas/problem"}}
                    },
                }
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": say(operation.summary),
        "parameters": [
            {
                "name": parameter.name,
                "in": parameter.place,
                "required": parameter.required,
                "description": say(parameter.meaning),
                "schema": parameter.schema,
            }
            for parameter in operation.parameters
        ],
        "responses": {
            str(operation.status): {
                "description": say(operation.summary),
                **(
                    {"content": {operation.produces: {"schema": operation.answer}}}
                    if operation.answer
                    else {}
                ),
            },
            "default": {"$ref": "#/components/responses/problem"},
        },
    }
    if operation.body is not None:
        kind = MULTIPART if operation.takes_files else "application/json"
        described["requestBody"] = {"required": True, "content": {kind: {"schema": operation.body}}}
    if operation.is_open:
        described["security"] = []
    return described


def _layer_schema(layer: Layer) -> dict[str, Any]:
    """The properties of a layer's features that the reader may see."""
    shown = layer.visible_fields(actor().tier)
    properties = {}
    for field in shown:
        schema = dict(_TYPES[field.type])
        if field.choices:
            schema["enum"] = list(field.choices)
        if not field.required:
            schema["type"] = [schema["type"], "null"]
            if "enum" in schema:
                schema["enum"] = [*schema["enum"], None]
        properties[field.name] = {**schema, "title": _words(field.title)}
    return {
        "type": "object",
        "title": _words(layer.title),
        "x-geometry": layer.geometry.value,
        "properties": properties,
    }


def _words(words: Words) -> str:
    return words.said(language())
