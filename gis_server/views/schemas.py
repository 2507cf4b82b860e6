"""The schemas that the API's operations share."""

from typing import Any

from gis_server.core.address_text import MOST_QUERY
from gis_server.core.coverage.findings import Kind, Severity
from gis_server.core.incident import MOST_DESCRIPTION, MOST_ITEM, IncidentState, Source
from gis_server.core.incident_machine import StepKind
from gis_server.core.incident_request import MOST_RATING, MOST_SCORE
from gis_server.core.ranking import PERIODS
from gis_server.core.routing import Match
from gis_server.core.vocabulary import AdminLevel
from gis_server.views import operation as api

_GRID: dict[str, Any] = {
    "grid": {
        "type": ["object", "null"],
        "properties": {"grid_code": api.TEXT, "grid_name": api.or_null("string")},
    },
    "sub_grid": {"type": ["object", "null"], "properties": {"sub_grid_code": api.TEXT}},
    "grid_code": api.or_null("string"),
    "grid_name": api.or_null("string"),
    "sub_grid_code": api.or_null("string"),
    "match": {"type": "string", "enum": list(Match)},
    "distance_m": api.or_null("number"),
    "candidates": api.items(
        api.obj(grid_code=api.TEXT, share={"type": "number", "minimum": 0, "maximum": 1})
    ),
    "area_path": api.items(api.TEXT),
    "responsible": api.obj(
        grid_name=api.or_null("string"),
        areas=api.items(api.obj(code=api.TEXT, name=api.TEXT)),
        people=api.items(
            api.obj(
                **{
                    "as": api.TEXT,
                    "title": api.obj(zh=api.TEXT, en=api.TEXT),
                    "name": api.or_null("string"),
                    "phone": api.or_null("string"),
                }
            )
        ),
        units=api.items(
            api.obj(**{"as": api.TEXT, "code": api.or_null("string"), "name": api.or_null("string")})
        ),
    ),
}

_STRETCH: dict[str, Any] = {
    "period": {"type": "string", "enum": list(PERIODS)},
    "since": {"type": "string", "format": "date"},
    "until": {"type": "string", "format": "date"},
    "is_closed": api.BOOLEAN,
}

SCHEMAS: dict[str, api.Schema] = {
    "ranking": api.obj(
        **_STRETCH, places=api.items(api.obj(place=api.INTEGER, code=api.TEXT, completed=api.INTEGER))
    ),
    "worker_ranking": api.obj(
        **_STRETCH, places=api.items(api.obj(place=api.INTEGER, name=api.TEXT, completed=api.INTEGER))
    ),
    "problem": api.obj(
        ("type", "title", "status", "detail"),
        type=api.TEXT,
        title=api.TEXT,
        status=api.INTEGER,
        detail=api.TEXT,
        field=api.TEXT,
        expected=api.TEXT,
        suggestion=api.obj(lon=api.NUMBER, lat=api.NUMBER),
    ),
    "incident_report": {
        **api.obj(
            ("description", "source"),
            lon=api.LON,
            lat=api.LAT,
            address={"type": "string", "minLength": 1, "maxLength": MOST_QUERY},
            camera={"type": "string", "minLength": 1, "maxLength": MOST_QUERY},
            datum=api.DATUM,
            accuracy_m=api.ACCURACY,
            item={"type": "string", "maxLength": MOST_ITEM},
            description={"type": "string", "minLength": 1, "maxLength": MOST_DESCRIPTION},
            source={"type": "string", "enum": list(Source)},
            urgent={"type": "boolean", "default": False},
            discovered_at=api.TIME,
        ),
        "additionalProperties": False,
        "oneOf": [{"required": ["lon", "lat"]}, {"required": ["address"]}, {"required": ["camera"]}],
    },
    "place": api.obj(lon=api.LON, lat=api.LAT, stable_within_m=api.or_null("number"), **_GRID),
    "incident": api.obj(
        id=api.INTEGER,
        number=api.TEXT,
        state={"type": "string", "enum": list(IncidentState)},
        item=api.or_null("string"),
        description=api.or_null("string"),
        source=api.TEXT,
        is_urgent=api.BOOLEAN,
        discovered_at=api.TIME,
        recorded_at=api.TIME,
        lon=api.LON,
        lat=api.LAT,
        given={
            "type": ["object", "null"],
            "properties": {"lon": api.NUMBER, "lat": api.NUMBER, "datum": api.TEXT},
        },
        accuracy_m=api.or_null("number"),
        due_at=api.or_null("string", format="date-time"),
        is_overdue=api.BOOLEAN,
        standing=api.or_null("string"),
        current_level=api.or_null("string", enum=[*AdminLevel, None]),
        lead_unit=api.or_null("string"),
        supervised_at=api.or_null("string", format="date-time"),
        rating=api.or_null("integer"),
        **_GRID,
    ),
    "incident_step": {
        **api.obj(
            ("step", "expected_state"),
            step={"type": "string", "enum": list(StepKind)},
            expected_state={"type": "string", "enum": list(IncidentState)},
            expected_level={"type": "string", "enum": list(AdminLevel)},
            note=api.TEXT,
            reason=api.TEXT,
            result=api.TEXT,
            item=api.TEXT,
            lead_unit=api.TEXT,
            responsible_unit=api.TEXT,
            unit_level={"type": "string", "enum": list(AdminLevel)},
            person_in_charge=api.TEXT,
            place={"type": "array", "items": api.NUMBER, "minItems": 2, "maxItems": 2},
            rating={"type": "integer", "minimum": 1, "maximum": MOST_RATING},
            scores={
                "type": "object",
                "additionalProperties": {"type": "integer", "minimum": 0, "maximum": MOST_SCORE},
            },
        ),
        "additionalProperties": False,
    },
    "opened_incident": {
        "allOf": [
            api.ref("incident"),
            api.obj(
                responsible_unit=api.or_null("string"),
                person_in_charge=api.or_null("string"),
                first_contact=api.or_null("string"),
                found=api.or_null(
                    "object", properties={"kind": api.TEXT, "code": api.TEXT, "text": api.or_null("string")}
                ),
                clock=api.or_null("object"),
                history=api.items(api.ANY_OBJECT),
                scores=api.or_null("object"),
                warning=api.or_null("object"),
                alerts=api.items(api.ANY_OBJECT),
                is_calling=api.BOOLEAN,
                next_steps=api.items(
                    api.obj(
                        step=api.TEXT, title=api.ANY_OBJECT, to_state=api.TEXT, clause=api.or_null("string")
                    )
                ),
                refused_steps=api.items(
                    api.obj(
                        step=api.TEXT, title=api.ANY_OBJECT, reason=api.TEXT, clause=api.or_null("string")
                    )
                ),
            ),
        ]
    },
    "generation": api.obj(
        id=api.INTEGER,
        layer=api.TEXT,
        state={"type": "string", "enum": ["staged", "published", "discarded"]},
        feature_count=api.INTEGER,
        valid_from=api.or_null("string", format="date-time"),
        valid_to=api.or_null("string", format="date-time"),
        created_at=api.TIME,
        created_by=api.TEXT,
        summary=api.ANY_OBJECT,
        certificate={"type": ["object", "null"]},
        proof=api.or_null("string"),
        errors=api.INTEGER,
        warnings=api.INTEGER,
        open_warnings=api.INTEGER,
    ),
    "finding": api.obj(
        ("id", "kind", "rule", "severity", "clause", "message"),
        id=api.INTEGER,
        kind={"type": "string", "enum": list(Kind)},
        rule=api.TEXT,
        severity={"type": "string", "enum": list(Severity)},
        clause=api.TEXT,
        fids=api.items(api.INTEGER),
        codes=api.items(api.TEXT),
        area_m2=api.NUMBER,
        width_m=api.NUMBER,
        message=api.obj(zh=api.TEXT, en=api.TEXT),
        geometry={"type": ["object", "null"]},
        weight=api.ANY_OBJECT,
        acceptance={
            "type": ["object", "null"],
            "properties": {"who": api.TEXT, "at": api.TIME, "reason": api.TEXT},
        },
    ),
    "moves": api.obj(
        open=api.INTEGER,
        moved=api.INTEGER,
        pairs=api.items(
            api.obj(
                **{"from": {"type": ["object", "null"]}}, to={"type": ["object", "null"]}, count=api.INTEGER
            )
        ),
    ),
    "move": api.obj(
        key=api.TEXT,
        act=api.TEXT,
        kind={"type": "string", "enum": list(Kind)},
        message=api.TEXT,
        finding=api.or_null("integer"),
        confidence={"type": "number", "minimum": 0, "maximum": 1},
        area_m2=api.NUMBER,
        width_m=api.NUMBER,
        addresses=api.or_null("integer"),
        households=api.or_null("integer"),
        changes=api.items(
            {
                "type": "object",
                "properties": {
                    "from": api.or_null("string"),
                    "to": api.or_null("string"),
                    "area_m2": api.NUMBER,
                },
            }
        ),
        geometry=api.or_null("object"),
    ),
    "mending_step": api.obj(
        id=api.INTEGER,
        generation=api.INTEGER,
        who=api.TEXT,
        at=api.TIME,
        moves=api.items(api.ref("move")),
        undone=api.or_null("object", properties={"who": api.TEXT, "at": api.TIME}),
    ),
    "wall_link": api.obj(
        id=api.INTEGER,
        wall_id=api.TEXT,
        label=api.TEXT,
        created_at=api.TIME,
        expires_at=api.or_null("string", format="date-time"),
        revoked_at=api.or_null("string", format="date-time"),
        live=api.BOOLEAN,
    ),
}
