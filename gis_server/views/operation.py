"""What an operation of the API is described with: parameters, bodies and the schemas of plain values."""

from dataclasses import dataclass
from typing import Any

from gis_server.core.acceptance import LEAST_REASON, MOST_REASON
from gis_server.core.datum import Datum
from gis_server.core.message import Message
from gis_server.core.routing import MAX_ACCURACY_M

Schema = dict[str, Any]

MULTIPART = "multipart/form-data"
STREAM = "text/event-stream"
GEOJSON = "application/geo+json"
VECTOR_TILE = "application/vnd.mapbox-vector-tile"
GEOPACKAGE = "application/geopackage+sqlite3"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation; ``place`` is path, query or header."""

    name: str
    meaning: Message
    schema: Schema
    place: str = "query"
    required: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path. ``answer`` is the schema of its success, None without content."""

    method: str
    path: str
    name: str
    summary: Message
    parameters: tuple[Parameter, ...] = ()
    body: Schema | None = None
    takes_files: bool = False
    status: int = 200
    answer: Schema | None = None
    produces: str = "application/json"
    is_open: bool = False


def ref(name: str) -> Schema:
    """The schema of this name among the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def obj(required: tuple[str, ...] = (), /, **properties: Any) -> Schema:
    """An object with these properties."""
    described: Schema = {"type": "object", "properties": properties}
    return described | ({"required": list(required)} if required else {})


def items(of: Schema) -> Schema:
    """A list of something."""
    return {"type": "array", "items": of}


def or_null(kind: str, **more: object) -> Schema:
    """A value of this kind, or null."""
    return {"type": [kind, "null"], **more}


def in_path(name: str, meaning: Message, schema: Schema) -> Parameter:
    """A parameter in the path."""
    return Parameter(name, meaning, schema, "path", required=True)


TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
ANY_OBJECT: Schema = {"type": "object"}
DATUM: Schema = {"type": "string", "enum": list(Datum), "default": Datum.WGS84.value}
ACCURACY: Schema = {"type": "number", "minimum": 0, "maximum": MAX_ACCURACY_M}
REASON: Schema = {"type": "string", "minLength": LEAST_REASON, "maxLength": MOST_REASON}
LON: Schema = {"type": "number", "minimum": -180, "maximum": 180}
LAT: Schema = {"type": "number", "minimum": -90, "maximum": 90}
