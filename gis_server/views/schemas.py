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
from gis_server.views.operation import (
    ACCURACY,
    ANY_OBJECT,
    BOOLEAN,
    DATUM,
    INTEGER,
    LAT,
    LON,
    NUMBER,
    TEXT,
    TIME,
    Schema,
    items,
    obj,
    or_null,
    ref,
)

_GRID: dict[str, Any] = {
    "grid": {"type": ["object", "null"], "properties": {"grid_code": TEXT, "grid_name": or_null("string")}},
    "sub_grid": {"type": ["object", "null"], "properties": {"sub_grid_code": TEXT}},
    "grid_code": or_null("string"),
    "grid_name": or_null("string"),
    "sub_grid_code": or_null("string"),
    "match": {"type": "string", "enum": list(Match)},
    "distance_m": or_null("number"),
    "candidates": items(obj(grid_code=TEXT, share={"type": "number", "minimum": 0, "maximum": 1})),
    "area_path": items(TEXT),
    "responsible": obj(
        grid_name=or_null("string"),
        areas=items(obj(code=TEXT, name=TEXT)),
        people=items(
            obj(
                **{
                    "as": TEXT,
                    "title": obj(zh=TEXT, en=TEXT),
                    "name": or_null("string"),
                    "phone": or_null("string"),
                }
            )
        ),
        units=items(obj(**{"as": TEXT, "code": or_null("string"), "name": or_null("string")})),
    ),
}

_STRETCH: dict[str, Any] = {
    "period": {"type": "string", "enum": list(PERIODS)},
    "since": {"type": "string", "format": "date"},
    "until": {"type": "string", "format": "date"},
    "is_closed": BOOLEAN,
}

SCHEMAS: dict[str, Schema] = {
    "ranking": obj(**_STRETCH, places=items(obj(place=INTEGER, code=TEXT, completed=INTEGER))),
    "worker_ranking": obj(**_STRETCH, places=items(obj(place=INTEGER, name=TEXT, completed=INTEGER))),
    "problem": obj(
        ("type", "title", "status", "detail"),
        type=TEXT,
        title=TEXT,
        status=INTEGER,
        detail=TEXT,
        field=TEXT,
        expected=TEXT,
        suggestion=obj(lon=NUMBER, lat=NUMBER),
    ),
    "incident_report": {
        **obj(
            ("description", "source"),
            lon=LON,
            lat=LAT,
            address={"type": "string", "minLength": 1, "maxLength": MOST_QUERY},
            camera={"type": "string", "minLength": 1, "maxLength": MOST_QUERY},
            datum=DATUM,
            accuracy_m=ACCURACY,
            item={"type": "string", "maxLength": MOST_ITEM},
            description={"type": "string", "minLength": 1, "maxLength": MOST_DESCRIPTION},
            source={"type": "string", "enum": list(Source)},
            urgent={"type": "boolean", "default": False},
            discovered_at=TIME,
        ),
        "additionalProperties": False,
        "oneOf": [{"required": ["lon", "lat"]}, {"required": ["address"]}, {"required": ["camera"]}],
    },
    "place": obj(lon=LON, lat=LAT, stable_within_m=or_null("number"), **_GRID),
    "incident": obj(
        id=INTEGER,
        number=TEXT,
        state={"type": "string", "enum": list(IncidentState)},
        item=or_null("string"),
        description=or_null("string"),
        source=TEXT,
        is_urgent=BOOLEAN,
        discovered_at=TIME,
        recorded_at=TIME,
        lon=LON,
        lat=LAT,
        given={"type": ["object", "null"], "properties": {"lon": NUMBER, "lat": NUMBER, "datum": TEXT}},
        accuracy_m=or_null("number"),
        due_at=or_null("string", format="date-time"),
        is_overdue=BOOLEAN,
        standing=or_null("string"),
        current_level=or_null("string", enum=[*AdminLevel, None]),
        lead_unit=or_null("string"),
        supervised_at=or_null("string", format="date-time"),
        rating=or_null("integer"),
        **_GRID,
    ),
    "incident_step": {
        **obj(
            ("step", "expected_state"),
            step={"type": "string", "enum": list(StepKind)},
            expected_state={"type": "string", "enum": list(IncidentState)},
            expected_level={"type": "string", "enum": list(AdminLevel)},
            note=TEXT,
            reason=TEXT,
            result=TEXT,
            item=TEXT,
            lead_unit=TEXT,
            responsible_unit=TEXT,
            unit_level={"type": "string", "enum": list(AdminLevel)},
            person_in_charge=TEXT,
            place={"type": "array", "items": NUMBER, "minItems": 2, "maxItems": 2},
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
            ref("incident"),
            obj(
                responsible_unit=or_null("string"),
                person_in_charge=or_null("string"),
                first_contact=or_null("string"),
                found=or_null("object", properties={"kind": TEXT, "code": TEXT, "text": or_null("string")}),
                clock=or_null("object"),
                history=items(ANY_OBJECT),
                scores=or_null("object"),
                warning=or_null("object"),
                alerts=items(ANY_OBJECT),
                is_calling=BOOLEAN,
                next_steps=items(obj(step=TEXT, title=ANY_OBJECT, to_state=TEXT, clause=or_null("string"))),
                refused_steps=items(obj(step=TEXT, title=ANY_OBJECT, reason=TEXT, clause=or_null("string"))),
            ),
        ]
    },
    "generation": obj(
        id=INTEGER,
        layer=TEXT,
        state={"type": "string", "enum": ["staged", "published", "discarded"]},
        feature_count=INTEGER,
        valid_from=or_null("string", format="date-time"),
        valid_to=or_null("string", format="date-time"),
        created_at=TIME,
        created_by=TEXT,
        summary=ANY_OBJECT,
        certificate={"type": ["object", "null"]},
        proof=or_null("string"),
        errors=INTEGER,
        warnings=INTEGER,
        open_warnings=INTEGER,
    ),
    "finding": obj(
        ("id", "kind", "rule", "severity", "clause", "message"),
        id=INTEGER,
        kind={"type": "string", "enum": list(Kind)},
        rule=TEXT,
        severity={"type": "string", "enum": list(Severity)},
        clause=TEXT,
        fids=items(INTEGER),
        codes=items(TEXT),
        area_m2=NUMBER,
        width_m=NUMBER,
        message=obj(zh=TEXT, en=TEXT),
        geometry={"type": ["object", "null"]},
        weight=ANY_OBJECT,
        acceptance={"type": ["object", "null"], "properties": {"who": TEXT, "at": TIME, "reason": TEXT}},
    ),
    "moves": obj(
        open=INTEGER,
        moved=INTEGER,
        pairs=items(
            obj(**{"from": {"type": ["object", "null"]}}, to={"type": ["object", "null"]}, count=INTEGER)
        ),
    ),
    "move": obj(
        key=TEXT,
        act=TEXT,
        kind={"type": "string", "enum": list(Kind)},
        message=TEXT,
        finding=or_null("integer"),
        confidence={"type": "number", "minimum": 0, "maximum": 1},
        area_m2=NUMBER,
        width_m=NUMBER,
        addresses=or_null("integer"),
        households=or_null("integer"),
        changes=items(
            {
                "type": "object",
                "properties": {"from": or_null("string"), "to": or_null("string"), "area_m2": NUMBER},
            }
        ),
        geometry=or_null("object"),
    ),
    "mending_step": obj(
        id=INTEGER,
        generation=INTEGER,
        who=TEXT,
        at=TIME,
        moves=items(ref("move")),
        undone=or_null("object", properties={"who": TEXT, "at": TIME}),
    ),
    "wall_link": obj(
        id=INTEGER,
        wall_id=TEXT,
        label=TEXT,
        created_at=TIME,
        expires_at=or_null("string", format="date-time"),
        revoked_at=or_null("string", format="date-time"),
        live=BOOLEAN,
    ),
}
