"""Reports by the file over HTTP."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, Response, request, url_for

from gis_server.core.access import Act
from gis_server.core.bulk_intake import Defaults, Fault, Outcome
from gis_server.core.datum import Datum
from gis_server.core.errors import UnusableInput
from gis_server.core.incident import Source, parse_datum
from gis_server.core.message import msg
from gis_server.journeys import bulk_jobs
from gis_server.journeys.bulk_jobs import BulkJob
from gis_server.views.current import (
    actor,
    ctx,
    form_text,
    json_answer,
    known_parameters,
    language,
    now,
    say,
    translate,
    uploads,
)

blueprint = Blueprint("bulk", __name__, url_prefix="/api")

MOST_BYTES = 20 * 2**20
"""Of one file: 10,000 rows with long texts."""

MOST_TOLD = 200
"""Rows told one by one in an answer; all of them stand in the file to correct."""

_OPTIONS = ("datum", "source", "encoding")
_TYPES = {".csv": "text/csv", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


@blueprint.post("/incidents/bulk")
def start() -> Response:
    """Take a file of reports; 202 with the address to ask for its progress."""
    actor().require(Act.REPORT_INCIDENT)  # before a large body is read
    files = uploads("file", MOST_BYTES)
    mapping = {}
    for name in request.form:
        if name.startswith("map."):
            mapping[name.removeprefix("map.")] = form_text(name)
        elif name not in (*_OPTIONS, "csrf_token"):
            raise UnusableInput(
                msg("没有名为 {name} 的项；可用的项：{known}。", name=name[:80], known=("file", *_OPTIONS)),
                field=name[:80],
                expected=msg("{known} 之一", known=("file", *_OPTIONS, "map.<field>")),
            )
    if len(files) != 1:
        raise UnusableInput(
            msg("请上传一个 CSV 或 XLSX 文件，项名为 file。"), field="file", expected=msg("一个文件")
        )
    job = bulk_jobs.start(
        ctx(),
        actor(),
        files[0].filename or "",
        files[0].stream,
        defaults=Defaults(_datum(), _source(), mapping),
        encoding=_option("encoding"),
        clock=lambda: datetime.now(UTC),
    )
    address = url_for("bulk.job", job_id=job)
    answer = json_answer({"job": address}, 202)
    answer.headers["Location"] = address
    return answer


@blueprint.get("/incidents/bulk/<uuid:job_id>")
def job(job_id: UUID) -> Response:
    """How far a file is, and what became of each row."""
    known_parameters()
    return json_answer(_job_json(bulk_jobs.look(ctx(), actor(), job_id, now())))


@blueprint.get("/incidents/bulk/<uuid:job_id>/rejected")
def rejected(job_id: UUID) -> Response:
    """The rows that were not taken, to correct and send again."""
    known_parameters()
    suffix, body = bulk_jobs.rejected_file(
        ctx(), actor(), job_id, now(), translate(), english=language() == "en"
    )
    answer = Response(body, mimetype=_TYPES[suffix])
    answer.headers["Content-Disposition"] = f'attachment; filename="rows-to-correct{suffix}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


def _job_json(found: BulkJob) -> dict[str, object]:
    kept = found.job
    return {
        "id": kept.id,
        "state": kept.state,
        "file": kept.file_name,
        "done": kept.done,
        "total": kept.total,
        "message": None if kept.message is None else say(kept.message),
        "outcome": None if found.outcome is None else _outcome_json(kept.id, found.outcome),
    }


def _outcome_json(job_id: UUID, outcome: Outcome) -> dict[str, object]:
    faults = [fault for rejected in outcome.rejected for fault in rejected.faults]
    return {
        "added": len(outcome.added),
        "known": len(outcome.known),
        "rejected": len(outcome.rejected),
        "incidents": [{"row": row, "number": number} for row, number in outcome.added[:MOST_TOLD]],
        "known_incidents": [{"row": row, "number": number} for row, number in outcome.known[:MOST_TOLD]],
        "faults": [_fault_json(fault) for fault in faults[:MOST_TOLD]],
        "rejected_file": url_for("bulk.rejected", job_id=job_id) if outcome.rejected else None,
    }


def _fault_json(fault: Fault) -> dict[str, object]:
    return {
        "row": fault.row,
        "field": fault.field,
        "title": fault.said(english=language() == "en"),
        "message": say(fault.message),
        "expected": None if fault.expected is None else say(fault.expected),
    }


def _option(name: str) -> str | None:
    return form_text(name).strip() or None


def _datum() -> Datum | None:
    # a file's points are no phone's: the journey asks where neither file nor form tells
    given = _option("datum")
    return None if given is None else parse_datum(given)


def _source() -> Source | None:
    given = _option("source")
    if given is None:
        return None
    try:
        return Source(given)
    except ValueError:
        expected = msg("{known} 之一", known=tuple(Source))
        raise UnusableInput(
            msg("{name} 不可用，应为{expected}。", name="source", expected=expected),
            field="source",
            expected=expected,
        ) from None
