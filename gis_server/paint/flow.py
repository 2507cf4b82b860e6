"""Blocks that flow down columns and over pages, as large as they may be without needing another page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gis_server.core.sheet import Box
from gis_server.paint.canvas import Canvas
from gis_server.paint.look import Look

LARGER = (2.2, 1.9, 1.65, 1.45, 1.3, 1.15)
"""How much larger than usual letters may become where a sheet has room, largest first."""


_SHARES = (0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


@dataclass(frozen=True, slots=True)
class Block:
    """Something of a height, drawn from the upper left corner of its box; a heading stays with what follows."""

    height: float
    draw: Callable[[Canvas, Box], None]
    is_heading: bool = False


Laid = tuple[Box, Block]
Made = Callable[[Look, float], tuple[Sequence[Block], int]]
"""From a look and the width of the sheet to the blocks and the number of columns they stand in."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Blocks laid out: page by page, each in its place."""

    look: Look
    pages: tuple[tuple[Laid, ...], ...]

    def draw(self, canvas: Canvas, page: int) -> None:
        """One page of it."""
        for box, block in self.pages[page]:
            block.draw(canvas, box)


def flow(made: Made, box: Box, look: Look, *, most: float = LARGER[0]) -> Flow:
    """The blocks in ``box``, as large as they fit on one page; where they do not fit, on as many as they need."""
    for factor in LARGER:
        if factor <= most:
            larger = Look(look.k * factor)
            pages = _laid(*made(larger, box.width), box, larger)
            if len(pages) <= 1:
                return Flow(larger, _balanced(*made(larger, box.width), box, larger))
    return Flow(look, _balanced(*made(look, box.width), box, look))


def _balanced(blocks: Sequence[Block], columns: int, box: Box, look: Look) -> tuple[tuple[Laid, ...], ...]:
    """Laid out in columns of about the same length, where one page holds them all."""
    if columns > 1:
        for share in _SHARES:
            pages = _laid(blocks, columns, Box(box.x, box.y, box.width, box.height * share), look)
            if len(pages) == 1:
                return pages
    return _laid(blocks, columns, box, look)


def _laid(blocks: Sequence[Block], columns: int, box: Box, look: Look) -> tuple[tuple[Laid, ...], ...]:
    gap = look.mm(7) if columns > 1 else 0.0
    width = (box.width - gap * (columns - 1)) / columns
    pages: list[list[Laid]] = [[]]
    column, y = 0, box.y
    for number, block in enumerate(blocks):
        needed = block.height
        if block.is_heading:
            for following in blocks[number + 1 :]:
                needed += following.height
                if not following.is_heading:
                    break
        if y + needed > box.bottom + 1e-6 and y > box.y:
            column, y = column + 1, box.y
            if column == columns:
                column = 0
                pages.append([])
        pages[-1].append((Box(box.x + column * (width + gap), y, width, block.height), block))
        y += block.height
    return tuple(tuple(page) for page in pages)
