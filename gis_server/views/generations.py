"""Generations, their row problems and their findings as the answers tell them."""

from collections.abc import Sequence
from typing import Any

from gis_server.core.acceptance import Acceptance, KeptFinding
from gis_server.core.coverage.certificate import as_dict
from gis_server.core.coverage.document import findings_json
from gis_server.core.features import RowProblem
from gis_server.core.generation import Generation
from gis_server.core.proof import proof_of
from gis_server.views.current import languages, say


def generation_json(generation: Generation) -> dict[str, Any]:
    """A generation; ``proof`` is its certificate in a sentence of the reader's language."""
    proof = proof_of(generation)
    return {
        "id": generation.id,
        "layer": generation.layer,
        "state": generation.state,
        "feature_count": generation.feature_count,
        "valid_from": generation.valid_from,
        "valid_to": generation.valid_to,
        "created_at": generation.created_at,
        "created_by": generation.created_by,
        "published_at": generation.published_at,
        "published_by": generation.published_by,
        "summary": generation.summary,
        "tolerance_m2": generation.tolerance_m2,
        "certificate": None if generation.certificate is None else as_dict(generation.certificate),
        "proof": None if proof is None else say(proof),
        "notes": [say(note) for note in generation.notes],
        "problems": generation.problems,
        "rejected": generation.rejected,
        "errors": generation.errors,
        "warnings": generation.warnings,
        "open_warnings": generation.open_warnings,
    }


def problem_json(problem: RowProblem) -> dict[str, Any]:
    """A row that was left out or mended."""
    return {
        "row": problem.row,
        "field": problem.field,
        "message": say(problem.message),
        "rejected": problem.rejected,
    }


def kept_json(kept: Sequence[KeptFinding]) -> list[dict[str, Any]]:
    """Findings as ``validate --format json`` says them, each with its id and who accepted it."""
    told = findings_json([one.finding for one in kept], languages())
    return [
        {"id": one.id, **finding, "acceptance": _acceptance_json(one.acceptance)}
        for one, finding in zip(kept, told, strict=True)
    ]


def _acceptance_json(acceptance: Acceptance | None) -> dict[str, Any] | None:
    if acceptance is None:
        return None
    return {"who": acceptance.who, "at": acceptance.at, "reason": acceptance.reason}
