"""The grid division map (网格划分图) on paper: borders, hatches, roads, water, and letters that never lie on one another."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gis_server.core.catalogue import Geometry, Style
from gis_server.core.lettering import Board, Placed, Wording
from gis_server.core.map_sheet import (
    AreaOnMap,
    Bounds,
    Geometries,
    GridOnMap,
    MapContent,
    MapFrame,
    Theme,
    crowded,
    letter,
)
from gis_server.core.message import Message, msg
from gis_server.paint.canvas import BLACK, WHITE, Canvas, Ink, line_height, width_of, wrapped
from gis_server.paint.look import ACCENT, HAIR, INK, PAPER_TOKENS, QUIET, Look, Speech

BORDER = 0.38
"""Width of a grid's border on A4 in millimetres."""

TIMES = {"community": 1.5, "township": 2.5, "county": 4.0}
"""Borders of areas, as multiples of a grid's."""

CHOSEN = 3.5
"""The border of the one grid a map is about, as a multiple of a grid's."""

EXCLUSIVE = "exclusive_grid"
MM_PER_PX = 0.2
"""Widths and radii of layer styles are pixels; on A4 a pixel is so many millimetres."""

_HATCHES = ((0.0, 0.9), (math.pi / 4, 1.5), (-math.pi / 4, 1.5), (math.pi / 2, 1.2))


@dataclass(frozen=True, slots=True)
class Hatch:
    """Parallel lines: their direction, how far apart on A4, their ink."""

    angle: float
    gap: float
    ink: Ink


EXCLUSIVE_HATCH = Hatch(math.pi / 4, 1.4, "#5a4a8a")


def hatch_of(theme: Theme) -> Hatch | None:
    """The hatch that stands for a layer's tint; None for a layer without one."""
    style = theme.layer.style
    if theme.layer.geometry is not Geometry.MULTI_POLYGON or not style.fill or style.fill_opacity < 0.1:
        return None
    if theme.layer.name == "water":
        angle, gap = _HATCHES[0]
    else:  # the same layer has the same hatch on every sheet
        angle, gap = _HATCHES[1 + sum(map(ord, theme.layer.name)) % (len(_HATCHES) - 1)]
    return Hatch(angle, gap, ink_of(style.fill))


def ink_of(token: str, tokens: Mapping[str, str] | None = None) -> Ink:
    """The colour of a style on paper: lines as dark as paper needs them."""
    if not token.startswith("--"):
        return token
    return PAPER_TOKENS.get(token) or (tokens or {}).get(token, QUIET)


def line_width(style: Style, name: str | None, look: Look) -> float:
    """The width of a line of this class, in millimetres."""
    return float(style.widths.get(name or "", style.width) * MM_PER_PX * look.k**0.8)


def symbol_radius(style: Style, look: Look) -> float:
    """Half the size of a point's symbol, in millimetres."""
    return max(style.radius * MM_PER_PX * float(look.k**0.8), 0.5)


def enlargement_title(number: int) -> Message:
    """What an enlargement is called, on the map and on its own sheet."""
    return msg("放大图 {n}", n=number)


class MapPanel:
    """One map on one sheet; ``board`` keeps where every label went."""

    def __init__(
        self,
        frame: MapFrame,
        content: MapContent,
        speech: Speech,
        look: Look,
        *,
        is_whole: bool = True,
        may_enlarge: bool = True,
    ) -> None:
        """Place every label; ``is_whole`` is False for an enlargement of a part, which has none of its own."""
        self.frame = frame
        self.content = content
        self.look = look
        self.speech = speech
        self.is_whole = is_whole
        self.may_enlarge = is_whole and may_enlarge
        box = frame.box
        self.board = Board((box.x, box.y, box.right, box.bottom))
        self.unlettered: list[GridOnMap] = []
        self.enlarged: list[Bounds] = []
        self._inks: list[tuple[Placed, Ink, bool]] = []
        self._shapes = frame.on_paper(np.array([grid.geometry for grid in content.grids], object))
        self._place_labels()

    # ---- ground ------------------------------------------------------------------------------------------------------

    def draw(self, canvas: Canvas, tokens: Mapping[str, str]) -> None:
        """Everything inside the neat line, then the line with its coordinates."""
        box, look = self.frame.box, self.look
        with canvas.clipped(box.x, box.y, box.width, box.height):
            for theme in self.content.themes:
                if theme.layer.geometry is not Geometry.POINT:
                    self._draw_theme(canvas, theme, tokens)
            self._draw_borders(canvas)
            for theme in self.content.themes:
                if theme.layer.geometry is Geometry.POINT:
                    self._draw_points(canvas, theme, tokens)
            self._draw_crosses(canvas)
            self._draw_enlarged(canvas)
            for label, ink, bold in self._inks:
                draw_label(canvas, label, ink, bold, look)
        self._draw_frame(canvas)

    def _draw_theme(self, canvas: Canvas, theme: Theme, tokens: Mapping[str, str]) -> None:
        style, look = theme.layer.style, self.look
        shapes = self.frame.on_paper(theme.geometries)
        hatch = hatch_of(theme)
        if hatch is not None:
            canvas.hatch(
                _together(shapes), angle=hatch.angle, gap=look.mm(hatch.gap), line=look.hair, ink=hatch.ink
            )
        ink = ink_of(style.stroke, tokens)
        for name in sorted({*theme.classes}, key=str):
            chosen = shapes[[one == name for one in theme.classes]]
            width = max(line_width(style, name, look), look.hair)
            lines = _together(chosen)
            if name == "railway":
                canvas.shape(lines, line=width, ink=QUIET)
                canvas.shape(lines, line=width * 0.55, ink=WHITE, dash=(look.mm(2), look.mm(2)))
            else:
                canvas.shape(lines, line=width, ink=ink)

    def _draw_points(self, canvas: Canvas, theme: Theme, tokens: Mapping[str, str]) -> None:
        style, look = theme.layer.style, self.look
        shapes = self.frame.on_paper(theme.geometries)
        radius = symbol_radius(style, look)
        for shape, name in zip(shapes, theme.classes, strict=True):
            if not shape.is_empty:
                ink = ink_of(style.classes.get(name or "", style.fill), tokens)
                draw_symbol(canvas, shape.x, shape.y, style.shape, radius=radius, ink=ink, look=look)

    def _draw_borders(self, canvas: Canvas) -> None:
        content, look = self.content, self.look
        base = BORDER * look.k**0.8
        around = [area.geometry for area in content.neighbours]
        for geometries, width, ink in (
            (around, base, HAIR),
            ([grid.geometry for grid in content.beside], base * 0.7, HAIR),
        ):
            canvas.shape(_together(self._lines(geometries)), line=width, ink=ink)
        fine = [geometry for _, geometry in content.sub_grids]
        # a common border once, or the dashes of its two sides would fill each other's gaps
        canvas.shape(
            shapely.line_merge(shapely.union_all(self._lines(fine))),
            line=base * 0.6,
            ink=QUIET,
            dash=(look.mm(1.2), look.mm(0.8)),
        )
        exclusive = [s for s, grid in zip(self._shapes, content.grids, strict=True) if grid.kind == EXCLUSIVE]
        hatch = EXCLUSIVE_HATCH
        canvas.hatch(
            _together(exclusive), angle=hatch.angle, gap=look.mm(hatch.gap), line=look.hair, ink=hatch.ink
        )
        canvas.shape(_together(self._lines([grid.geometry for grid in content.grids])), line=base, ink=INK)
        for level, times in TIMES.items():
            own = [area.geometry for area in content.areas if area.level == level]
            canvas.shape(_together(self._lines(own)), line=base * times, ink=BLACK)
        chosen = [grid.geometry for grid in content.grids if grid.code == content.chosen]
        canvas.shape(_together(self._lines(chosen)), line=base * CHOSEN, ink=BLACK)

    def _lines(self, polygons: Iterable[BaseGeometry]) -> Geometries:
        """Borders on paper; cut as lines, so that the frame's own edge is none of them."""
        return self.frame.on_paper(shapely.boundary(np.array(list(polygons), object)))

    def _draw_crosses(self, canvas: Canvas) -> None:
        eastings, northings = self.frame.lines()
        arm = self.look.mm(1.2)
        for east in eastings:
            for north in northings:
                x, y = self.frame.x(east), self.frame.y(north)
                canvas.line([(x - arm, y), (x + arm, y)], self.look.hair, QUIET)
                canvas.line([(x, y - arm), (x, y + arm)], self.look.hair, QUIET)

    def _draw_frame(self, canvas: Canvas) -> None:
        """The neat line, and around it a band with the coordinate lines' metres and the squares' letters and numbers."""
        box, look, frame = self.frame.box, self.look, self.frame
        band = band_width(look)
        canvas.rectangle(box.x, box.y, box.width, box.height, line=look.hair * 1.5, ink=INK)
        outer = box.inset(-band)
        canvas.rectangle(outer.x, outer.y, outer.width, outer.height, line=look.mm(0.35), ink=INK)
        eastings, northings = frame.lines()
        for at, ends, upright in (
            *((frame.x(east), (outer.y, box.y), False) for east in eastings),
            *((frame.x(east), (box.bottom, outer.bottom), False) for east in eastings),
            *((frame.y(north), (outer.x, box.x), True) for north in northings),
            *((frame.y(north), (box.right, outer.right), True) for north in northings),
        ):
            line = [(end, at) if upright else (at, end) for end in ends]
            canvas.line(line, look.hair, INK, butt=True)
        size = look.small
        for values, upright in ((eastings, False), (northings, True)):
            for value in values:
                self._draw_metres(canvas, value, upright, size)
        if self.is_whole:
            self._draw_squares(canvas, size)

    def _draw_metres(self, canvas: Canvas, value: float, upright: bool, size: float) -> None:
        box, band, gap = self.frame.box, band_width(self.look), self.look.mm(0.8)
        text = f"{value:.0f}"
        run = width_of(text, size)
        if upright:
            y = self.frame.y(value) - gap - run / 2
            if y - run / 2 > box.y:
                for x in (box.x - band / 2, box.right + band / 2):
                    canvas.text(x, y, text, size, ink=QUIET, align="center", angle=-math.pi / 2)
            return
        x = self.frame.x(value) + gap
        if x + run < box.right:
            for y in (box.y - band / 2, box.bottom + band / 2):
                canvas.text(x, y, text, size, ink=QUIET)

    def _draw_squares(self, canvas: Canvas, size: float) -> None:
        box, band, frame = self.frame.box, band_width(self.look), self.frame
        eastings, northings = frame.lines()
        across = [box.x, *(frame.x(east) for east in eastings), box.right]
        down = [box.y, *(frame.y(north) for north in northings), box.bottom]
        # beside the metres that stand at the left and lower end of each square there must be room
        metres = width_of("0000000", size) + self.look.mm(2)
        for number, (left, right) in enumerate(pairwise(across)):
            if right - left > 2 * metres or (number == 0 and right - left > metres / 2):
                for y in (box.y - band / 2, box.bottom + band / 2):
                    canvas.text((left + right) / 2, y, letter(number), size, bold=True, align="center")
        for number, (top, bottom) in enumerate(pairwise(down)):
            if bottom - top > 2 * metres or (number == len(down) - 2 and bottom - top > metres / 2):
                for x in (box.x - band / 2, box.right + band / 2):
                    canvas.text(x, (top + bottom) / 2, str(number + 1), size, bold=True, align="center")

    # ---- letters -----------------------------------------------------------------------------------------------------

    def _place_labels(self) -> None:
        """What matters most first: the grids' numbers, the areas' names, the grids' names, then roads, water and neighbours."""
        content = self.content
        for theme in content.themes:
            if theme.layer.geometry is Geometry.POINT:
                radius = symbol_radius(theme.layer.style, self.look)
                for point in self.frame.on_paper(theme.geometries):
                    if not point.is_empty:
                        self.board.take(point.buffer(radius, quad_segs=2))
        numbered = self._number_grids()
        for level in ("community", "township"):
            self._name_areas(level, (10, 9, 8))
        for grid, shape in numbered:
            if text := short_name(grid):
                self._write_inside(shape, text, QUIET)
        self._name_neighbours()
        self._keep_borders_whole()
        for theme in content.themes:
            self._name_theme(theme)
        for code, geometry in content.sub_grids:
            (shape,) = self.frame.on_paper(np.array([geometry], object))
            self._write_inside(shape, code[-2:], QUIET)

    def _number_grids(self) -> list[tuple[GridOnMap, BaseGeometry]]:
        """Write every grid's number inside it, else beside it; those that lie too close for either get an enlargement."""
        look, small = self.look, list[tuple[GridOnMap, BaseGeometry]]()
        numbered = []
        by_size = sorted(
            zip(self.content.grids, self._shapes, strict=True), key=lambda one: (one[1].area, one[0].code)
        )
        for grid, shape in by_size:
            if shape.is_empty:
                continue
            is_chosen = grid.code == self.content.chosen
            sizes = (14, 11, 9, 6) if is_chosen else (10, 9, 8, 7, 6)
            wordings = [wording((grid.number,), look.k * size, True) for size in sizes]
            label = self.board.inside(shape, wordings)
            if label is None:
                small.append((grid, shape))
                continue
            self._inks.append((label, BLACK, True))
            numbered.append((grid, shape))
        apart = self._enlarge([grid for grid, _ in small]) if self.may_enlarge else set()
        for grid, shape in small:
            if grid.code in apart:
                continue
            label = self.board.beside(shape, wording((grid.number,), look.small, True))
            if label is None:
                self.unlettered.append(grid)
            else:
                self._inks.append((label, BLACK, True))
        return numbered

    def _enlarge(self, small: Sequence[GridOnMap]) -> set[str]:
        """Choose the parts that are drawn again, larger; the codes of the grids that are numbered there only."""
        look, codes = self.look, set[str]()
        for bounds, members in crowded(self.frame, small, look.k):
            self.enlarged.append(bounds)
            codes |= {grid.code for grid in members}
            x, y, right, _ = self._on_paper(bounds)
            text = self.speech.say(enlargement_title(len(self.enlarged)))
            one = wording((text,), look.body, True)
            for across in (x + one.width / 2, right - one.width / 2):
                label = Placed(one, across, y - one.height * 0.75)
                if self.board.is_free(label.outline):
                    self.board.take(label.outline)
                    self.board.placed.append(label)
                    self._inks.append((label, INK, True))
                    break
        return codes

    def _on_paper(self, bounds: Bounds) -> Bounds:
        west, south, east, north = bounds
        air = self.look.mm(1)
        return (
            self.frame.x(west) - air,
            self.frame.y(north) - air,
            self.frame.x(east) + air,
            self.frame.y(south) + air,
        )

    def _draw_enlarged(self, canvas: Canvas) -> None:
        for bounds in self.enlarged:
            x, y, right, bottom = self._on_paper(bounds)
            dash = (self.look.mm(2.5), self.look.mm(1.2))
            canvas.rectangle(x, y, right - x, bottom - y, line=self.look.mm(0.35), ink=ACCENT, dash=dash)

    def _write_inside(self, shape: BaseGeometry, text: str, ink: Ink) -> None:
        look = self.look
        room = max(look.mm(14), width_of("网网网网", look.small))
        lines = evenly(text, look.small, room)
        options = [wording(lines, look.small), wording((text,), look.small)] if len(lines) > 1 else []
        label = self.board.inside(shape, options or [wording(lines, look.small)])
        if label is not None:
            self._inks.append((label, ink, False))

    def _keep_borders_whole(self) -> None:
        """Keep street names off the borders of areas and of the one grid, which they would break."""
        content, base = self.content, BORDER * self.look.k**0.8
        strong = [area.geometry for area in content.areas]
        strong += [grid.geometry for grid in content.grids if grid.code == content.chosen]
        for line in self._lines(strong):
            for part in shapely.get_parts(line):
                points = shapely.get_coordinates(part)
                for ends in pairwise(points.tolist()):
                    self.board.take(
                        shapely.LineString(ends).buffer(base * 1.5, quad_segs=1, cap_style="square")
                    )

    def _name_areas(self, level: str, sizes: Sequence[float]) -> None:
        content, look = self.content, self.look
        own = [area for area in content.areas if area.level == level]
        if content.chosen is not None:
            sizes = sizes[-1:]
        if level == "township" and any(area.level == "community" for area in content.areas):
            return  # its communities fill it
        for area in own:
            (shape,) = self.frame.on_paper(np.array([area.geometry], object))
            options = [wording((area.name,), look.k * size, True) for size in sizes]
            label = self.board.around(shape, options)
            if label is not None:
                self._inks.append((label, INK, True))

    def _name_neighbours(self) -> None:
        look = self.look
        named: list[AreaOnMap | GridOnMap] = [*self.content.neighbours, *self.content.beside]
        for one in named:
            (shape,) = self.frame.on_paper(np.array([one.geometry], object))
            if shape.is_empty or shape.area < look.mm(3) ** 2:
                continue
            text = one.name if isinstance(one, AreaOnMap) else one.number
            label = self.board.around(shape, [wording((text,), look.k * size) for size in (8, 7, 6)])
            if label is not None:
                self._inks.append((label, QUIET, False))

    def _name_theme(self, theme: Theme) -> None:
        style, look = theme.layer.style, self.look
        ink = ink_of(style.fill or style.stroke) if theme.layer.name == "water" else QUIET
        shapes = self.frame.on_paper(theme.geometries)
        if theme.layer.geometry is Geometry.POINT:
            return
        by_name: dict[str, list[BaseGeometry]] = {}
        for shape, text in zip(shapes, theme.labels, strict=True):
            if text and not shape.is_empty:
                by_name.setdefault(text, []).append(shape)
        for text, parts in sorted(by_name.items()):
            whole, one = _together(parts), wording((text,), look.small)
            label = (
                self.board.along(shapely.line_merge(whole), one)
                if theme.layer.geometry is Geometry.MULTI_LINE_STRING
                else self.board.inside(shapely.union_all(parts), [one])
            )
            if label is not None:
                self._inks.append((label, ink, False))


def band_width(look: Look) -> float:
    """The width of the band around the map, with its coordinates."""
    return line_height(look.small) + look.mm(0.6)


def wording(lines: tuple[str, ...], size: float, bold: bool = False) -> Wording:
    """A label's lines with the room that its letters take."""
    step = line_height(size)
    return Wording(lines, max(width_of(line, size, bold) for line in lines), len(lines) * step, step, size)


def evenly(text: str, size: float, room: float) -> tuple[str, ...]:
    """The lines into which a text falls within about ``room`` millimetres, none of them a leftover."""
    whole = width_of(text, size)
    number = math.ceil(whole / room)
    for width in (whole / number * share for share in (1.0, 1.1, 1.2, 1.35, 1.5)):
        lines = wrapped(text, size, width)
        if len(lines) <= number:
            break
    return tuple(lines)


def draw_label(canvas: Canvas, label: Placed, ink: Ink, bold: bool, look: Look) -> None:
    """A label on cleared ground, with its leader where it stands beside its place."""
    if label.leader is not None:
        canvas.line(label.leader, look.hair * 1.3, INK)
        canvas.circle(*label.leader[1], look.mm(0.35), fill=INK)
    one, step = label.wording, label.wording.line
    for number, line in enumerate(one.lines):
        down = (number - (len(one.lines) - 1) / 2) * step
        canvas.text(
            label.x - down * math.sin(label.angle),
            label.y + down * math.cos(label.angle),
            line,
            one.size,
            bold=bold,
            ink=ink,
            align="center",
            angle=label.angle,
            halo=look.mm(0.45),
        )


def draw_symbol(
    canvas: Canvas, x: float, y: float, shape: str, *, radius: float, ink: Ink, look: Look
) -> None:
    """A point's symbol by the shape of its layer's style."""
    r, edge = radius, look.hair
    if shape == "square":
        canvas.rectangle(x - r, y - r, 2 * r, 2 * r, fill=ink, line=edge, ink=WHITE)
    elif shape == "triangle":
        canvas.line([(x, y - r), (x + r, y + r), (x - r, y + r)], edge, WHITE, closed=True, fill=ink)
    elif shape == "diamond":
        canvas.line([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], edge, WHITE, closed=True, fill=ink)
    else:
        canvas.circle(x, y, r, fill=ink, line=edge, ink=WHITE)


def short_name(grid: GridOnMap) -> str:
    """What a grid's name says beyond its community and its number: the host of an exclusive grid, a place's name."""
    name = grid.name.removeprefix(grid.community)
    for ending in ("专属网格", "网格"):
        name = name.removesuffix(ending)
    ordinal = name.removeprefix("第").removesuffix("号").removesuffix("级")
    return "" if not ordinal or all(c in "0123456789〇一二三四五六七八九十百" for c in ordinal) else name


def _together(geometries: Geometries | Sequence[BaseGeometry]) -> BaseGeometry:
    parts = [part for part in shapely.get_parts(np.asarray(geometries, object)) if not part.is_empty]
    flat = [one for part in parts for one in shapely.get_parts(part)]
    lines = [one for one in flat if one.geom_type in ("LineString", "LinearRing")]
    if lines:
        return shapely.MultiLineString([shapely.get_coordinates(one) for one in lines])
    return shapely.MultiPolygon([one for one in flat if one.geom_type == "Polygon"])
