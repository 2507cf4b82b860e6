"""The proof that cells tile their parents exactly: sums of edge hashes, without a tolerance.

If every cell is a valid polygon and the hashes of a parent's cells (and declared holes) add up to the parent's own,
then the borders of the cells, each taken once in each direction, leave exactly the parent's border: the number of
cells over any point of the parent is one, outside it none.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from gis_server.core.coverage.edges import (
    DEFAULT_SALT,
    Flags,
    Geometries,
    Hashes,
    Indices,
    Rings,
    flatten,
    sum_by,
)
from gis_server.core.coverage.findings import Certificate


def open_groups(cells: Rings, parent_of: Indices, parents: Rings, declared: Hashes | None = None) -> Flags:
    """For each parent, whether its cells fail to add up to it.

    ``parent_of`` is the parent's index of each cell, −1 where it has none; ``declared`` (parents, 2) are the sums of
    ground that may stay without a cell (a lake). A cell without a parent opens no group: it is a finding of its own.
    """
    total = sum_by(cells.sums, parent_of, len(parents.sums))
    if declared is not None:
        total = total + declared
    return np.asarray((total != parents.sums).any(axis=1))


def certificate(
    cells: Rings, parent_of: Indices, parents: Rings, still_open: Flags, *, salt: int, sound: bool = True
) -> Certificate:
    """The certificate that ``open_groups`` amounts to; not exact unless every cell is ``sound`` and has a parent."""
    return Certificate(
        exact=sound and not still_open.any() and bool((parent_of >= 0).all()),
        cells=int((cells.sums != 0).any(axis=1).sum()),
        parents=len(parents.sums),
        edges=cells.edges,
        open_parents=tuple(int(i) for i in np.flatnonzero(still_open)),
        salt=salt,
        digest=digest(cells.sums),
    )


def certify(
    cells: Geometries, parent_of: Indices, parents: Geometries, salt: int = DEFAULT_SALT
) -> Certificate:
    """Certify polygons against their parents; the cells must be valid for the proof to hold."""
    flat, flat_parents = flatten(cells, salt), flatten(parents, salt)
    return certificate(flat, parent_of, flat_parents, open_groups(flat, parent_of, flat_parents), salt=salt)


def certify_hierarchy(
    areas: Geometries,
    codes: Sequence[str | None],
    parent_codes: Sequence[str | None],
    salt: int = DEFAULT_SALT,
) -> tuple[Certificate, dict[str, bool]]:
    """Certify a whole tree (county ⊃ town ⊃ community ⊃ grid ⊃ sub-grid) given as one list of areas.

    Levels may be ragged: an area's children are all areas that name it, of whatever level (a county may hold towns
    and communities side by side). Returns the certificate over all areas with children, and for each of those, by
    code, whether its children tile it. A parent code that nobody has leaves the certificate open.
    """
    flat = flatten(areas, salt)
    index = {code: i for i, code in enumerate(codes) if code is not None}
    parent_of = np.array([index.get(p, -1) if p is not None else -1 for p in parent_codes], dtype=np.int64)
    total = sum_by(flat.sums, parent_of, len(flat.sums))
    has_children = np.zeros(len(flat.sums), dtype=bool)
    has_children[parent_of[parent_of >= 0]] = True
    still_open = has_children & (total != flat.sums).any(axis=1)
    lost = any(p is not None and p not in index for p in parent_codes)
    proof = Certificate(
        exact=not still_open.any() and not lost,
        cells=len(flat.sums),
        parents=int(has_children.sum()),
        edges=flat.edges,
        open_parents=tuple(int(i) for i in np.flatnonzero(still_open)),
        salt=salt,
        digest=digest(flat.sums),
    )
    return proof, {str(codes[i]): not bool(still_open[i]) for i in map(int, np.flatnonzero(has_children))}


def digest(sums: Hashes) -> str:
    """32 hexadecimal digits for a set of polygons, whatever their order."""
    high, low = (int(v) for v in sums.sum(axis=0, dtype=np.uint64))
    return f"{high:016x}{low:016x}"


def as_dict(proof: Certificate) -> Mapping[str, object]:
    """The certificate as plain data, for keeping beside a generation."""
    return {
        "exact": proof.exact,
        "cells": proof.cells,
        "parents": proof.parents,
        "edges": proof.edges,
        "open_parents": list(proof.open_parents),
        "salt": f"{proof.salt:016x}",
        "digest": proof.digest,
    }
