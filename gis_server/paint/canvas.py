"""One drawing for PDF, PNG and SVG, in millimetres, with the letters of a Chinese font inside it.

PDF and SVG stay lines and letters; a PNG is the same drawing at the resolution of its paper. The origin is the upper left corner.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

import shapely
from PIL import Image
from shapely.geometry.base import BaseGeometry

from gis_server.core.errors import Unavailable
from gis_server.core.message import msg
from gis_server.core.sheet import MM_PER_PT

try:
    import cairocffi as cairo
except OSError:  # the binding is there, the system's library is not
    cairo = None

FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "PingFang SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "SimHei",
)
"""Chinese fonts by preference; the first that the machine has is embedded."""

_PROBE = "网格员专"
_EM = 100.0
_MIDDLE = 0.37
"""How far the middle of letters and ideographs lies above the line they stand on, in ems."""

LINE = 1.32
"""From one line to the next, in ems."""

Point = tuple[float, float]
Ink = str
"""A colour as ``#rrggbb``."""

BLACK, WHITE = "#000000", "#ffffff"


def require() -> None:
    """Raise Unavailable, naming the package, unless sheets can be drawn on this machine."""
    if cairo is None:
        raise Unavailable(msg("缺少绘图库 Cairo，不能输出图纸；请安装系统软件包 libcairo2。"))
    _family()


@lru_cache(maxsize=1)
def _family() -> str:
    for name in FAMILIES:
        glyphs = _font_of(name, False).text_to_glyphs(0, 0, _PROBE, with_clusters=False)
        if len(glyphs) == len(_PROBE) and all(glyph[0] for glyph in glyphs):
            return name
    raise Unavailable(msg("没有找到中文字体，不能输出图纸；请安装系统软件包 fonts-noto-cjk。"))


def _font_of(family: str, bold: bool) -> Any:
    face = cairo.ToyFontFace(
        family, cairo.FONT_SLANT_NORMAL, cairo.FONT_WEIGHT_BOLD if bold else cairo.FONT_WEIGHT_NORMAL
    )
    # without hints a word is as wide on a printer as on a screen
    options = cairo.FontOptions(hint_style=cairo.HINT_STYLE_NONE, hint_metrics=cairo.HINT_METRICS_OFF)
    return cairo.ScaledFont(face, cairo.Matrix(xx=_EM, yy=_EM), cairo.Matrix(), options)


@lru_cache(maxsize=2)
def _font(bold: bool) -> Any:
    return _font_of(_family(), bold)


@lru_cache(maxsize=20_000)
def _ems(text: str, bold: bool) -> float:
    """How far ``text`` runs, in ems."""
    return float(_font(bold).text_extents(text)[4]) / _EM


def width_of(text: str, size: float, bold: bool = False) -> float:
    """Millimetres that a line of letters of ``size`` points takes."""
    return _ems(text, bold) * size * MM_PER_PT


def line_height(size: float) -> float:
    """Millimetres from one line of ``size`` points to the next."""
    return LINE * size * MM_PER_PT


def wrapped(text: str, size: float, width: float, bold: bool = False) -> list[str]:
    """The lines into which a text falls within ``width`` millimetres: at spaces, and between ideographs."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in _words(paragraph):
            if line and width_of((line + word).rstrip(), size, bold) > width:
                lines.append(line.rstrip())
                line = word.lstrip()
            else:
                line += word
        lines.append(line.rstrip())
    return lines


_CLOSING = "，。、；：）》”’！？〕,.;:)"
_OPENING = "（《“‘〔("
"""Marks that stay with what they close, or open."""


def _words(text: str) -> Iterator[str]:
    word = ""
    for letter in text:
        may_break = word and (_is_wide(letter) or word[-1] == " " or _is_wide(word[-1]))
        if may_break and letter not in _CLOSING and word[-1] not in _OPENING:
            yield word
            word = ""
        word += letter
    if word:
        yield word


def _is_wide(letter: str) -> bool:
    return ord(letter) >= 0x2E80


def shortened(text: str, size: float, width: float, bold: bool = False) -> str:
    """The text, or as much of it as fits with an ellipsis."""
    if width_of(text, size, bold) <= width:
        return text
    while text and width_of(text + "…", size, bold) > width:
        text = text[:-1]
    return text.rstrip() + "…"


class Canvas:
    """One page. Every method takes millimetres, sizes of letters in points, angles in radians."""

    def __init__(self, context: Any) -> None:
        self._c = context
        self._c.set_line_join(cairo.LINE_JOIN_ROUND)

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        *,
        bold: bool = False,
        ink: Ink = BLACK,
        align: str = "left",
        angle: float = 0.0,
        halo: float = 0.0,
    ) -> float:
        """One line of letters whose middle is at the height ``y``; the width it takes.

        ``align`` says whether ``x`` is its left end, its ``center`` or its right end; ``halo`` clears so much ground around it.
        """
        width = width_of(text, size, bold)
        c, em = self._c, size * MM_PER_PT
        c.save()
        c.translate(x, y)
        c.rotate(angle)
        c.translate({"left": 0.0, "center": -width / 2, "right": -width}[align], _MIDDLE * em)
        c.scale(em / _EM)
        c.set_scaled_font(_font(bold))
        c.set_font_matrix(cairo.Matrix(xx=_EM, yy=_EM))
        if halo:
            c.move_to(0, 0)
            c.text_path(text)
            self._ink(WHITE)
            c.set_line_width(2 * halo * _EM / em)
            c.stroke()
        c.move_to(0, 0)
        self._ink(ink)
        c.show_text(text)
        c.restore()
        return width

    def lines_of_text(
        self,
        x: float,
        y: float,
        lines: Sequence[str],
        size: float,
        *,
        bold: bool = False,
        ink: Ink = BLACK,
        align: str = "left",
    ) -> float:
        """Several lines under each other, the first one's upper edge at ``y``; the lower edge of the last."""
        step = line_height(size)
        for number, line in enumerate(lines):
            self.text(x, y + (number + 0.5) * step, line, size, bold=bold, ink=ink, align=align)
        return y + len(lines) * step

    def line(
        self,
        points: Iterable[Point],
        width: float,
        ink: Ink = BLACK,
        *,
        dash: Sequence[float] = (),
        closed: bool = False,
        fill: Ink | None = None,
        butt: bool = False,
    ) -> None:
        """A line through points; closed and filled it is a shape. ``width`` 0 draws no edge."""
        c = self._c
        c.new_path()
        for x, y in points:
            c.line_to(x, y)
        if closed:
            c.close_path()
        self._paint(width, ink, dash, fill, butt)

    def rectangle(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        line: float = 0.0,
        ink: Ink = BLACK,
        fill: Ink | None = None,
        radius: float = 0.0,
        dash: Sequence[float] = (),
    ) -> None:
        """A rectangle, its corners rounded by ``radius``."""
        c = self._c
        c.new_path()
        if radius:
            for at_x, at_y, turn in (
                (x + width - radius, y + radius, -1),
                (x + width - radius, y + height - radius, 0),
                (x + radius, y + height - radius, 1),
                (x + radius, y + radius, 2),
            ):
                c.arc(at_x, at_y, radius, turn * math.pi / 2, (turn + 1) * math.pi / 2)
            c.close_path()
        else:
            c.rectangle(x, y, width, height)
        self._paint(line, ink, dash, fill)

    def circle(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        line: float = 0.0,
        ink: Ink = BLACK,
        fill: Ink | None = None,
    ) -> None:
        """A circle."""
        self._c.new_path()
        self._c.arc(x, y, radius, 0, 2 * math.pi)
        self._paint(line, ink, (), fill)

    def shape(
        self,
        geometry: BaseGeometry,
        *,
        line: float = 0.0,
        ink: Ink = BLACK,
        fill: Ink | None = None,
        dash: Sequence[float] = (),
        butt: bool = False,
    ) -> None:
        """Lines or polygons, holes and all."""
        if self._path(geometry):
            self._paint(line, ink, dash, fill, butt)

    def hatch(self, geometry: BaseGeometry, *, angle: float, gap: float, line: float, ink: Ink) -> None:
        """Parallel lines over polygons; those of one hatch go on across polygons that meet."""
        c = self._c
        c.save()
        if self._path(geometry):
            c.set_fill_rule(cairo.FILL_RULE_EVEN_ODD)
            c.clip()
            c.new_path()
            for (x0, y0), (x1, y1) in _rays(geometry.bounds, angle, gap):
                c.move_to(x0, y0)
                c.line_to(x1, y1)
            self._paint(line, ink, (), None)
        c.restore()

    @contextmanager
    def clipped(self, x: float, y: float, width: float, height: float) -> Iterator[None]:
        """Draw inside a rectangle only."""
        self._c.save()
        self._c.rectangle(x, y, width, height)
        self._c.clip()
        yield
        self._c.restore()

    def _path(self, geometry: BaseGeometry) -> bool:
        c = self._c
        c.new_path()
        found = False
        for part in shapely.get_parts(geometry):
            is_polygon = part.geom_type == "Polygon"
            rings = [part.exterior, *part.interiors] if is_polygon else [part]
            for ring in rings:
                points = shapely.get_coordinates(ring)
                if len(points) < 2:
                    continue
                found = True
                c.new_sub_path()
                for x, y in points.tolist():
                    c.line_to(x, y)
                if is_polygon:
                    c.close_path()
        return found

    def _paint(
        self, line: float, ink: Ink, dash: Sequence[float], fill: Ink | None, butt: bool = False
    ) -> None:
        c = self._c
        if fill is not None:
            c.set_fill_rule(cairo.FILL_RULE_EVEN_ODD)
            self._ink(fill)
            c.fill_preserve()
        if line:
            self._ink(ink)
            c.set_line_width(line)
            c.set_dash(list(dash))
            c.set_line_cap(cairo.LINE_CAP_BUTT if dash or butt else cairo.LINE_CAP_ROUND)
            c.stroke()
        c.new_path()

    def _ink(self, ink: Ink) -> None:
        red, green, blue = (int(ink[i : i + 2], 16) / 255 for i in (1, 3, 5))
        self._c.set_source_rgb(red, green, blue)


def _rays(
    bounds: tuple[float, float, float, float], angle: float, gap: float
) -> Iterator[tuple[Point, Point]]:
    """Parallel lines ``gap`` apart over a rectangle, counted from the sheet's origin."""
    cos, sin = math.cos(angle), math.sin(angle)
    corners = [(x, y) for x in (bounds[0], bounds[2]) for y in (bounds[1], bounds[3])]
    along = [x * cos + y * sin for x, y in corners]
    across = [-x * sin + y * cos for x, y in corners]
    for number in range(math.ceil(min(across) / gap), math.floor(max(across) / gap) + 1):
        v = number * gap
        yield (
            (min(along) * cos - v * sin, min(along) * sin + v * cos),
            (max(along) * cos - v * sin, max(along) * sin + v * cos),
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A page to be drawn: its size, and who draws it."""

    width: float
    height: float
    dots_per_inch: int
    draw: Callable[[Canvas], None]


def pdf(pages: Sequence[Page], title: str, subject: str) -> bytes:
    """All pages in one document with its title; letters stay letters, their font goes along."""
    require()
    out = BytesIO()
    surface = cairo.PDFSurface(out, 1, 1)
    surface.set_metadata(cairo.PDF_METADATA_TITLE, title)
    surface.set_metadata(cairo.PDF_METADATA_SUBJECT, subject)
    for page in pages:
        surface.set_size(page.width / MM_PER_PT, page.height / MM_PER_PT)
        context = cairo.Context(surface)
        context.scale(1 / MM_PER_PT)
        page.draw(Canvas(context))
        surface.show_page()
    surface.finish()
    return out.getvalue()


_BAND = 1024
"""Rows of a picture that are drawn at a time: a large sheet whole would take three times its size in memory."""


def png(page: Page) -> bytes:
    """One page as a picture that knows its size on paper."""
    require()
    dots = page.dots_per_inch / 25.4
    width, height = round(page.width * dots), round(page.height * dots)
    drawn = cairo.RecordingSurface(cairo.CONTENT_COLOR_ALPHA, (0, 0, page.width, page.height))
    page.draw(Canvas(cairo.Context(drawn)))
    picture = Image.new("RGB", (width, height), WHITE)
    for top in range(0, height, _BAND):
        band = cairo.ImageSurface(cairo.FORMAT_RGB24, width, min(_BAND, height - top))
        context = cairo.Context(band)
        context.set_source_rgb(1, 1, 1)
        context.paint()
        context.translate(0, -top)
        context.scale(dots)
        context.set_source_surface(drawn)
        context.paint()
        band.flush()
        size = (width, band.get_height())
        rows = Image.frombuffer("RGB", size, bytes(band.get_data()), "raw", "BGRX", band.get_stride(), 1)
        picture.paste(rows, (0, top))
    out = BytesIO()
    picture.save(out, "PNG", dpi=(page.dots_per_inch, page.dots_per_inch), compress_level=6)
    return out.getvalue()


def svg(page: Page) -> str:
    """One page as an SVG whose letters are outlines, so that it needs no font where it is opened."""
    require()
    out = BytesIO()
    surface = cairo.SVGSurface(out, page.width / MM_PER_PT, page.height / MM_PER_PT)
    context = cairo.Context(surface)
    context.scale(1 / MM_PER_PT)
    page.draw(Canvas(context))
    surface.finish()
    text = out.getvalue().decode()
    return text[text.index("<svg") :]
