"""Reports that came by the file: which rows are known already, and what became of a file."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, insert, select, text, update

from gis_server.core.bulk_intake import Fault, Outcome, Rejected
from gis_server.store.messages import message_from, message_json
from gis_server.store.schema import bulk_row, import_job, incident

# one number for "somebody takes reports from a file"; any constant will do that no other program uses on this database
_ONE_AT_A_TIME = 7_424_492


def take_turn(conn: Connection) -> None:
    """Wait until no other file is being taken: what it adds is then known to this one. Until the transaction ends."""
    conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})


def known(conn: Connection, keys: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Those of ``keys`` whose row is an incident already: what the row said (sha256), and the incident's number."""
    query = (
        select(bulk_row.c.key, bulk_row.c.sha256, incident.c.number)
        .join(incident, incident.c.id == bulk_row.c.incident_id)
        .where(bulk_row.c.key.in_(keys))
    )
    return {row.key: (row.sha256, row.number) for row in conn.execute(query)}


def add(conn: Connection, key: str, sha256: str, incident_id: int, now: datetime) -> None:
    """Keep which incident a row became."""
    conn.execute(insert(bulk_row).values(key=key, sha256=sha256, incident_id=incident_id, at=now))


def keep_outcome(conn: Connection, job_id: UUID, outcome: Outcome) -> None:
    """Keep what became of a file's rows, in the transaction that adds them."""
    report = {
        "names": outcome.names,
        "added": outcome.added,
        "known": outcome.known,
        "rejected": [
            {
                "row": rejected.row,
                "cells": [cell.replace("\0", "") for cell in rejected.cells],
                "faults": [_fault_json(fault) for fault in rejected.faults],
            }
            for rejected in outcome.rejected
        ],
    }
    conn.execute(update(import_job).where(import_job.c.id == job_id).values(report=report))


def outcome_of(conn: Connection, job_id: UUID) -> Outcome | None:
    """What became of a file's rows; None as long as it is not known."""
    query = select(import_job.c.report).where(import_job.c.id == job_id)
    report: Mapping[str, Any] | None = conn.execute(query).scalar_one_or_none()
    if report is None:
        return None
    return Outcome(
        names=tuple(report["names"]),
        added=tuple((row, number) for row, number in report["added"]),
        known=tuple((row, number) for row, number in report["known"]),
        rejected=tuple(
            Rejected(
                one["row"], tuple(one["cells"]), tuple(_fault(one["row"], fault) for fault in one["faults"])
            )
            for one in report["rejected"]
        ),
    )


def _fault_json(fault: Fault) -> dict[str, Any]:
    return {
        "index": fault.index,
        "field": fault.field,
        "message": message_json(fault.message),
        "expected": None if fault.expected is None else message_json(fault.expected),
    }


def _fault(row: int, kept: Mapping[str, Any]) -> Fault:
    expected = kept["expected"]
    return Fault(
        kept["index"],
        row,
        kept["field"],
        message_from(kept["message"]),
        None if expected is None else message_from(expected),
    )
