"""Divisions that a department brings: no grid beside the grids (V12), but a reference layer for everybody to see.

A department's account (a handling unit) may offer its polygons. As grids they are refused with the clause, unless the
profile knows the exception of a law and the law is cited; then they are staged with a warning that whoever publishes has
to accept. As the layer ``reference`` they are always welcome: read-only, replaced department by department.
"""

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from sqlalchemy import Connection

from gis_server.core.access import Act, Actor, Role
from gis_server.core.catalogue import Catalogue, Layer
from gis_server.core.coverage.facts import department_layer
from gis_server.core.coverage.findings import Finding, Severity
from gis_server.core.coverage.rules import Rules
from gis_server.core.errors import DepartmentLayerRefused, NotAllowed, UnusableInput
from gis_server.core.features import FeatureTable
from gis_server.core.message import msg
from gis_server.store import features, layers

REFERENCE = "reference"
"""The layer of what departments bring."""
DIVIDED = frozenset({"grid", "sub_grid"})
"""Layers that only the one network of grids may fill."""

MOST_LETTERS = 200
"""Of a department's name, and of the law it cites."""


@dataclass(frozen=True, slots=True)
class Bringer:
    """The department on whose behalf polygons come, None for none, and the law it cites for being a grid."""

    department: str | None = None
    legal_basis: str | None = None


def bringer(actor: Actor, department: str | None, legal_basis: str | None) -> Bringer:
    """Who brings a file: a department's account always brings its own, whatever name it states."""
    law = _short(legal_basis, "legal_basis")
    if actor.role is Role.HANDLING_UNIT:
        return Bringer(actor.name, law)
    named = _short(department, "department")
    if law is not None and named is None:
        raise UnusableInput(msg("写了法律依据，还须写明是哪个部门的图层。"), field="department")
    return Bringer(named, law)


def _short(text: str | None, field: str) -> str | None:
    words = (text or "").strip()
    if len(words) > MOST_LETTERS or "\x00" in words:
        raise UnusableInput(
            msg("{field} 最多 {most} 个字。", field=field, most=MOST_LETTERS),
            field=field,
            expected=msg("最多 {most} 个字", most=MOST_LETTERS),
        )
    return words or None


def require_welcome(actor: Actor, layer: Layer, who: Bringer, rules: Rules) -> tuple[Finding, ...]:
    """What is to be said of a department's file for ``layer``: nothing, or that it comes by force of a law.

    Raises DepartmentLayerRefused for a division that may not be a grid, NotAllowed for a department's account and any
    other layer than the reference.
    """
    actor.require(Act.OFFER_LAYER)
    if who.department is not None and layer.name in DIVIDED:
        finding = department_layer(rules, who.department, who.legal_basis)
        if finding is not None and finding.severity is Severity.ERROR:
            raise DepartmentLayerRefused(
                finding.message, finding=finding, offer=REFERENCE, clause=finding.clause
            )
        return () if finding is None else (finding,)
    if layer.name != REFERENCE and not actor.may(Act.IMPORT_LAYER):
        raise NotAllowed(msg("部门账号只能提交“部门参考图层”；其他图层请交由规划人员导入。"), field="layer")
    return ()


def beside_other_departments(
    conn: Connection, catalogue: Catalogue, table: FeatureTable, who: Bringer, at: datetime
) -> FeatureTable:
    """The reference rows with their department, and those in force of all other departments.

    Codes are made unique by the department's name. Raises UnusableInput where nobody says whose polygons they are.
    """
    layer = catalogue[REFERENCE]
    table = _signed(table, who)
    generation = layers.in_force(conn, REFERENCE, at)
    if generation is None:
        return table
    kept = features.read(conn, layer, generation)
    mine = set(table.columns["department"].tolist())
    others = np.array([name not in mine for name in kept.columns["department"]], dtype=bool)
    if not others.any():
        return table
    note = msg("另保留其他部门的 {n} 个图形。", n=int(others.sum()))
    return replace(
        table,
        geometry=np.concatenate([table.geometry, kept.geometry[others]]),
        columns={
            name: np.concatenate([values, kept.columns[name][others]])
            for name, values in table.columns.items()
        },
        rows=np.concatenate([table.rows, table.rows.max() + 1 + np.arange(others.sum())]),
        notes=(*table.notes, note),
    )


def _signed(table: FeatureTable, who: Bringer) -> FeatureTable:
    names = table.columns["department"]
    if who.department is not None:
        names = np.full(len(names), who.department, dtype=object)
    if any(name is None for name in names):
        raise UnusableInput(
            msg("{file} 没有写明是哪个部门的图形；请加“部门”一列，或注明部门。", file=table.source.file),
            field="department",
        )
    codes = np.array(
        [
            code if str(code).startswith(f"{name}:") else f"{name}:{code}"
            for name, code in zip(names, table.columns["reference_code"], strict=True)
        ],
        dtype=object,
    )
    return replace(table, columns={**table.columns, "department": names, "reference_code": codes})
