"""How paper looks: white ground, black letters, hatches instead of tints, everything growing with the sheet."""

from collections.abc import Mapping
from dataclasses import dataclass

from gis_server.core.message import Message, Translate, Words
from gis_server.core.sheet import SMALLEST_PT, Box, Format
from gis_server.paint.canvas import BLACK, Canvas, Ink, line_height, shortened, width_of, wrapped

INK: Ink = "#17212b"
QUIET: Ink = "#55636f"
HAIR: Ink = "#9aa5b1"
WATER: Ink = "#2f7fb5"
VACANT: Ink = "#b3361a"
ACCENT: Ink = "#0b62c4"

PAPER_TOKENS: Mapping[str, Ink] = {
    "--water": WATER,
    "--road": "#c6ccd3",
    "--panel": "#ffffff",
    "--label": BLACK,
    "--exclusive-fill": "#5a4a8a",
}
"""Colours of layers that would be too pale as lines on white paper."""


@dataclass(frozen=True, slots=True)
class Speech:
    """The language of a sheet: ``zh`` or ``en``, with its translator."""

    language: str
    translate: Translate

    def say(self, message: Message) -> str:
        """A sentence in it."""
        return message.render(self.translate)

    def said(self, words: Words) -> str:
        """A title in it."""
        return words.said(self.language)

    def begun(self, text: str) -> str:
        """The text as it begins a line: English with a capital."""
        return text[:1].upper() + text[1:] if self.language == "en" else text


@dataclass(frozen=True, slots=True)
class Look:
    """Sizes of one sheet: letters in points, the rest in millimetres; ``k`` is its growth over A4."""

    k: float

    @property
    def small(self) -> float:
        """The smallest letters of the sheet."""
        return SMALLEST_PT * self.k

    @property
    def body(self) -> float:
        """Running text."""
        return 7.5 * self.k

    @property
    def head(self) -> float:
        """Headings inside a panel."""
        return 10.0 * self.k

    @property
    def title(self) -> float:
        """The title of a panel."""
        return 20.0 * self.k

    def mm(self, on_a4: float) -> float:
        """A length that is so many millimetres on A4."""
        return on_a4 * self.k

    @property
    def hair(self) -> float:
        """The finest line."""
        return float(0.12 * self.k**0.8)


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands on every page: title, the place it is about, and the foot's sentences."""

    title: str
    place: str
    foot: str


FOOT_LINES = 2


def body_box(box: Box, look: Look) -> Box:
    """The rectangle between title and foot."""
    top = box.y + line_height(look.title) + look.mm(3.8)
    foot = FOOT_LINES * line_height(look.small) + look.mm(1.5)
    return Box(box.x, top, box.width, box.bottom - foot - top)


def draw_heading(canvas: Canvas, box: Box, heading: Heading, look: Look) -> None:
    """Title and place above a rule, the foot's sentences below."""
    title_height = line_height(look.title)
    gap = look.mm(4)
    # of a long name the title says all, down to what the sheet is: the place, which repeats it, takes what is left
    left = box.width - gap - width_of(heading.title, look.head, True)
    most = min(box.width * 0.4, left)
    place = shortened(heading.place, look.head, most) if most > gap else ""
    room = box.width - gap - width_of(place, look.head)
    size = look.title
    while width_of(heading.title, size, True) > room and size > look.head:
        size *= 0.95
    title = shortened(heading.title, size, room, True)
    canvas.text(box.x, box.y + title_height / 2, title, size, bold=True, ink=INK)
    canvas.text(box.right, box.y + title_height * 0.62, place, look.head, ink=QUIET, align="right")
    rule = box.y + title_height + look.mm(0.8)
    canvas.line([(box.x, rule), (box.right, rule)], look.mm(0.5), INK, butt=True)
    foot = wrapped(heading.foot, look.small, box.width)[:FOOT_LINES]
    top = box.bottom - len(foot) * line_height(look.small)
    canvas.lines_of_text(box.x, top, foot, look.small, ink=QUIET)


def page_box(form: Format, x: float = 0.0, y: float = 0.0) -> Box:
    """A sheet of this format within its margins, its upper left corner at (x, y)."""
    return Box(x, y, form.width, form.height).inset(float(9 * form.growth**0.8))
