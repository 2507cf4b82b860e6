"""Carry out moves: any of a plan, in any order, on the cells that it was made for."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from gis_server.core.coverage.edges import Floats
from gis_server.core.coverage.layer import Cells
from gis_server.core.coverage.repair.knit import knit
from gis_server.core.coverage.repair.moves import Move


def apply(cells: Cells, moves: Iterable[Move]) -> Cells:
    """The cells after some moves of one plan: rows in the same order, untouched ones the same objects.

    To undo a move, apply the others. A row never becomes empty: moves that would leave a cell without a valid polygon
    in this combination are not carried out.
    """
    chosen = tuple(moves)
    while True:
        after, bad = carried_out(cells, chosen)
        if not bad:
            return after
        chosen = tuple(m for m in chosen if not concerns(m, bad))


def concerns(move: Move, rows: set[int]) -> bool:
    """Whether a move redraws one of the cells."""
    return bool(rows & (set(move.borders) | set(move.aligned)))


def carried_out(cells: Cells, moves: tuple[Move, ...]) -> tuple[Cells, set[int]]:
    """The cells after the moves, and those that could not be drawn."""
    bad: set[int] = set()
    for of in dict.fromkeys(id(m.fabric) for m in moves):  # moves of one round rest on the same net
        cells, failed = _one_round(cells, [m for m in moves if id(m.fabric) == of])
        bad |= failed
    return cells, bad


def _one_round(cells: Cells, moves: list[Move]) -> tuple[Cells, set[int]]:
    geometry = np.array(cells.geometry, dtype=object)
    codes = None if cells.parent_codes is None else cells.parent_codes.copy()
    borders: dict[int, list[Floats]] = {}
    aligned: set[int] = set()
    for move in moves:
        for row, polygon in move.replaced.items():
            geometry[row] = polygon
        for row, edges in move.borders.items():
            borders.setdefault(row, []).append(edges)
        aligned.update(move.aligned)
        if move.parent_code is not None and codes is not None:
            row, code = move.parent_code
            codes[row] = code
    bad: set[int] = set()
    of = moves[0].fabric
    if of is not None and (borders or aligned):
        # a later round stands on what an earlier one made: without that its moves do not fit
        strangers = {
            row
            for row in {*borders, *aligned}
            if not of.made_for(row, cells.geometry[row]) and not any(row in m.replaced for m in moves)
        }
        if strangers:
            return cells, strangers
        drawn, bad = of.knitted.get(key := tuple(map(id, moves)), (None, set()))
        if drawn is None:
            drawn, bad = knit(of, borders, aligned)
            of.knitted.clear()
            of.knitted[key] = drawn, bad
        for row, polygon in drawn.items():
            geometry[row] = polygon
            for twin in of.twins.get(row, ()):
                geometry[twin] = polygon
    return replace(cells, geometry=geometry, parent_codes=codes), bad
