"""A sheet of paper for the office wall: its size, the size of its letters, and the scale of the map on it.

Lengths are millimetres on paper unless they say otherwise; letters are in points.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from gis_server.core.errors import UnusableInput
from gis_server.core.message import msg

MM_PER_PT = 25.4 / 72

SMALLEST_PT = 6.0
"""The smallest letters on A4; they grow with the paper."""

SCALES = tuple(
    int(step * 10**power)
    for power in range(2, 7)
    for step in (1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 7.5)
    if 500 <= step * 10**power <= 1_000_000
)
"""The denominators a map may be drawn at, largest scale first."""


class Paper(StrEnum):
    """ISO 216."""

    A4 = "A4"
    A3 = "A3"
    A2 = "A2"
    A1 = "A1"
    A0 = "A0"

    @property
    def size(self) -> tuple[float, float]:
        """The short and the long side."""
        return _SIZES[self]


_SIZES = {
    Paper.A4: (210.0, 297.0),
    Paper.A3: (297.0, 420.0),
    Paper.A2: (420.0, 594.0),
    Paper.A1: (594.0, 841.0),
    Paper.A0: (841.0, 1189.0),
}


class Orientation(StrEnum):
    """How the sheet hangs."""

    LANDSCAPE = "landscape"
    PORTRAIT = "portrait"


@dataclass(frozen=True, slots=True)
class Format:
    """One size of sheet, one way up."""

    paper: Paper
    orientation: Orientation

    @property
    def width(self) -> float:
        """From left to right."""
        return self.paper.size[self.orientation is Orientation.LANDSCAPE]

    @property
    def height(self) -> float:
        """From top to bottom."""
        return self.paper.size[self.orientation is Orientation.PORTRAIT]

    @property
    def growth(self) -> float:
        """How much larger letters, lines and margins are than on A4.

        Less than the paper itself: a larger sheet is read from farther away and shows more as well.
        """
        return float((self.paper.size[0] / Paper.A4.size[0]) ** 0.65)

    @property
    def dots_per_inch(self) -> int:
        """The resolution of a picture of the sheet: that of an office printer, less on paper seen from a distance."""
        return {Paper.A4: 300, Paper.A3: 300, Paper.A2: 200}.get(self.paper, 150)

    @property
    def quarter(self) -> "Format | None":
        """The format of a quarter of this sheet, which lies or stands as it does; None where that is smaller than A4."""
        smaller = list(Paper)[: list(Paper).index(self.paper)]
        return Format(smaller[-2], self.orientation) if len(smaller) > 1 else None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on the sheet, from its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.y + self.height

    def inset(self, by: float) -> "Box":
        """The rectangle within this one, so far from every edge."""
        return Box(self.x + by, self.y + by, self.width - 2 * by, self.height - 2 * by)


def round_scale(ground_m: tuple[float, float], frame: tuple[float, float]) -> int:
    """The largest of ``SCALES`` at which ground of this width and height (metres) fits into a frame (millimetres).

    Raises UnusableInput for ground too large for any of them.
    """
    needed = max(1000 * ground / room for ground, room in zip(ground_m, frame, strict=True))
    for scale in SCALES:
        if needed <= scale * (1 + 1e-9):
            return scale
    raise UnusableInput(
        msg("范围太大，以 1:{most} 也画不进一张图纸；请选用更大的纸张或更小的范围。", most=SCALES[-1]),
        field="paper",
    )


def round_down(value: float) -> float:
    """The largest of 1, 2, 5 × 10ⁿ that is not above ``value``."""
    power = 10.0 ** math.floor(math.log10(value))
    step = max(step for step in (1, 2, 5) if step * power <= value * (1 + 1e-9))
    return step * power


def scale_bar(scale: int, most: float) -> tuple[float, int]:
    """Metres on the ground of the longest round bar within ``most`` millimetres, and into how many parts it is divided."""
    metres = round_down(most * scale / 1000)
    return metres, 4 if str(f"{metres:.0f}")[0] in "24" else 5


def lattice_step(scale: int, about: float) -> float:
    """Metres between two coordinate lines that lie about so many millimetres apart."""
    return round_down(about * scale / 1000)
