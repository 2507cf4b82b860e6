"""What explains a printed map: legend of what occurs, scale with its bar, north, and the index of grids."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import shapely

from gis_server.core.catalogue import Geometry
from gis_server.core.map_sheet import MapFrame, Theme
from gis_server.core.message import msg
from gis_server.core.sheet import Box, scale_bar
from gis_server.paint.canvas import BLACK, WHITE, Canvas, line_height, shortened, width_of, wrapped
from gis_server.paint.flow import Block
from gis_server.paint.look import HAIR, INK, QUIET, Look, Speech
from gis_server.paint.map_panel import (
    BORDER,
    CHOSEN,
    EXCLUSIVE,
    EXCLUSIVE_HATCH,
    TIMES,
    Hatch,
    MapPanel,
    draw_symbol,
    hatch_of,
    ink_of,
    line_width,
    symbol_radius,
)

Swatch = Callable[[Canvas, Box], None]

_LEVELS = {
    "county": msg("县(市、区)界"),
    "township": msg("乡镇(街道)界"),
    "community": msg("社区(村)界"),
}


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A line of the index: a community's heading with its code (``number`` empty), or a grid with its square on the map."""

    number: str
    name: str
    place: str


def legend_rows(panel: MapPanel, speech: Speech, tokens: Mapping[str, str]) -> list[tuple[Swatch, str]]:
    """What occurs on the map, each with its sample."""
    content, look, rows = panel.content, panel.look, list[tuple[Swatch, str]]()
    base = BORDER * look.k**0.8
    for level, times in reversed(TIMES.items()):
        if any(area.level == level for area in content.areas):
            rows.append((_line_swatch(base * times, BLACK), speech.say(_LEVELS[level])))
    rows.append((_line_swatch(base, INK), speech.say(msg("网格界与网格编号(末三位)"))))
    if content.chosen is not None:
        rows.append((_line_swatch(base * CHOSEN, BLACK), speech.say(msg("本网格"))))
    if content.sub_grids:
        dash = (look.mm(1.2), look.mm(0.8))
        rows.append((_line_swatch(base * 0.6, QUIET, dash), speech.say(msg("子网格界"))))
    if any(grid.kind == EXCLUSIVE for grid in content.grids):
        rows.append((_hatch_swatch(EXCLUSIVE_HATCH, INK, look), speech.say(msg("专属网格"))))
    if content.neighbours or content.beside:
        rows.append((_line_swatch(base, HAIR), speech.say(msg("相邻区域界"))))
    for theme in content.themes:
        rows += _theme_rows(theme, panel, speech, tokens)
    return rows


def _theme_rows(
    theme: Theme, panel: MapPanel, speech: Speech, tokens: Mapping[str, str]
) -> list[tuple[Swatch, str]]:
    layer, look = theme.layer, panel.look
    seen = ~shapely.is_empty(panel.frame.on_paper(theme.geometries))
    names = {name for name, shown in zip(theme.classes, seen, strict=True) if shown}
    if not layer.legend or not names:
        return []
    title = speech.said(layer.title)
    hatch = hatch_of(theme)
    if hatch is not None:
        return [(_hatch_swatch(hatch, ink_of(layer.style.stroke, tokens), look), title)]
    choices = {} if layer.style.classify is None else layer.fields[layer.style.classify].choices
    rows: list[tuple[Swatch, str]] = []
    for name in [*(one for one in choices if one in names), *sorted(map(str, names - {*choices}))]:
        text = speech.said(choices[name]) if name in choices else title
        swatch = _class_swatch(theme, name, look, tokens)
        if layer.geometry is Geometry.POINT and name in choices:
            text = f"{title}：{text}" if speech.language != "en" else f"{title}: {text}"
        rows.append((swatch, text))
    return rows


def _class_swatch(theme: Theme, name: str, look: Look, tokens: Mapping[str, str]) -> Swatch:
    style = theme.layer.style
    if theme.layer.geometry is Geometry.POINT:
        radius = symbol_radius(style, look)
        ink = ink_of(style.classes.get(name, style.fill), tokens)

        def point(canvas: Canvas, box: Box) -> None:
            middle = (box.x + box.width / 2, box.y + box.height / 2)
            draw_symbol(canvas, *middle, style.shape, radius=radius, ink=ink, look=look)

        return point
    width = max(line_width(style, name, look), look.hair)
    if name == "railway":

        def rail(canvas: Canvas, box: Box) -> None:
            ends = [(box.x, box.y + box.height / 2), (box.right, box.y + box.height / 2)]
            canvas.line(ends, width, QUIET, butt=True)
            canvas.line(ends, width * 0.55, WHITE, dash=(look.mm(2), look.mm(2)))

        return rail
    return _line_swatch(width, ink_of(style.stroke, tokens))


def _line_swatch(width: float, ink: str, dash: Sequence[float] = ()) -> Swatch:
    def draw(canvas: Canvas, box: Box) -> None:
        middle = box.y + box.height / 2
        canvas.line([(box.x, middle), (box.right, middle)], width, ink, dash=dash, butt=True)

    return draw


def _hatch_swatch(hatch: Hatch, edge: str, look: Look) -> Swatch:
    def draw(canvas: Canvas, box: Box) -> None:
        shape = shapely.box(box.x, box.y, box.right, box.bottom)
        canvas.hatch(shape, angle=hatch.angle, gap=look.mm(hatch.gap), line=look.hair, ink=hatch.ink)
        canvas.shape(shape, line=look.hair, ink=edge)

    return draw


def legend_height(rows: int, look: Look) -> float:
    """The height of a legend in one column."""
    return line_height(look.head) + look.mm(0.5) + rows * line_height(look.body) * 1.12


def draw_legend(
    canvas: Canvas, box: Box, rows: Sequence[tuple[Swatch, str]], speech: Speech, look: Look
) -> float:
    """The legend from the box's upper edge down, in as many columns as fit; its lower edge."""
    canvas.text(
        box.x, box.y + line_height(look.head) / 2, speech.say(msg("图例")), look.head, bold=True, ink=INK
    )
    top = box.y + line_height(look.head) + look.mm(0.5)
    sample, gap, size = look.mm(9), look.mm(2), look.body
    longest = max((width_of(text, size) for _, text in rows), default=0.0)
    columns = max(1, int((box.width + gap) // (sample + 2 * gap + min(longest, look.mm(45)))))
    column = (box.width + gap) / columns
    step = line_height(size) * 1.12
    per_column = -(-len(rows) // columns)
    y = top
    for number, (swatch, text) in enumerate(rows):
        x, y = box.x + number // per_column * column, top + number % per_column * step
        swatch(canvas, Box(x, y + step * 0.18, sample, step * 0.64))
        room = column - sample - 2 * gap
        canvas.text(x + sample + gap, y + step / 2, shortened(text, size, room), size)
    return top + per_column * step


def draw_scale(canvas: Canvas, box: Box, frame: MapFrame, speech: Speech, look: Look) -> float:
    """The scale as a number and as a bar that is true to it; its lower edge."""
    size = look.head
    said = speech.say(msg("比例尺"))
    title = f"{said}  1:{frame.scale:,}".replace(",", " ")
    canvas.text(box.x, box.y + line_height(size) / 2, title, size, bold=True, ink=INK)
    metres, parts = scale_bar(frame.scale, box.width - look.mm(10))
    length, height = metres * frame.mm_per_m, look.mm(1.4)
    y = box.y + line_height(size) + line_height(look.small) + look.mm(0.6)
    x = box.x + look.mm(1)
    for part in range(parts):
        left = x + length * part / parts
        canvas.rectangle(left, y, length / parts, height, line=look.hair, fill=(WHITE, BLACK)[part % 2 == 0])
    kilometres = metres >= 1000
    for share in (0.0, 0.5, 1.0) if parts % 2 == 0 else (0.0, 1.0):
        value = metres * share / (1000 if kilometres else 1)
        unit = (" km" if kilometres else " m") if share == 1 else ""
        canvas.text(
            x + length * share,
            y - line_height(look.small) / 2,
            f"{value:g}{unit}",
            look.small,
            align="center",
        )
    return y + height + look.mm(1.5)


def draw_north(canvas: Canvas, box: Box, frame: MapFrame, speech: Speech, look: Look) -> float:
    """An arrow to grid north, and how far true north lies from it; its lower edge."""
    height, half = look.mm(13), look.mm(3)
    x, y = box.x + look.mm(4.5), box.y
    letter_size = look.head
    canvas.text(
        x, y + line_height(letter_size) / 2, speech.say(msg("北")), letter_size, bold=True, align="center"
    )
    y += line_height(letter_size)
    canvas.line(
        [(x, y), (x + half, y + height), (x, y + height * 0.78)], look.hair, INK, closed=True, fill=INK
    )
    canvas.line(
        [(x, y), (x - half, y + height), (x, y + height * 0.78)], look.hair, INK, closed=True, fill=WHITE
    )
    beside = x + half + look.mm(3)
    degrees = abs(frame.convergence)
    said = (
        msg("上方为坐标北，与真北一致（收敛角小于 0.01°）")
        if degrees < 0.005
        else msg("上方为坐标北；真北在其以东 {degrees}°", degrees=f"{degrees:.2f}")
        if frame.convergence < 0
        else msg("上方为坐标北；真北在其以西 {degrees}°", degrees=f"{degrees:.2f}")
    )
    lines = wrapped(speech.say(said), look.small, box.right - beside)
    canvas.lines_of_text(beside, box.y + look.mm(3), lines, look.small, ink=QUIET)
    return y + height + look.mm(1.5)


def index_rows(panel: MapPanel) -> list[IndexRow]:
    """Every grid under its community, with the square in which it lies."""
    rows: list[IndexRow] = []
    last = None
    for grid in sorted(panel.content.grids, key=lambda one: one.code):
        if grid.code[:-3] != last:
            last = grid.code[:-3]
            rows.append(IndexRow("", grid.community, last))
        name = grid.name.removeprefix(grid.community) or grid.name
        if grid.kind == EXCLUSIVE:  # its hatch says so on the map
            name = name.removesuffix("专属网格") or name
        rows.append(IndexRow(grid.number, name, panel.frame.square(grid.geometry)))
    return rows


def index_step(look: Look) -> float:
    """The height of a row of the index."""
    return line_height(look.small) * 1.08


def index_column(look: Look) -> float:
    """The width of a column of the index."""
    return look.mm(64)


def draw_index(canvas: Canvas, box: Box, rows: Sequence[IndexRow], look: Look, *, columns: int = 1) -> None:
    """Rows down columns of about the same length; no heading stands at the foot of one."""
    step, gap = index_step(look), look.mm(4)
    width = (box.width - gap * (columns - 1)) / columns
    per_column = -(-len(rows) // columns)
    column = line = 0
    for number, row in enumerate(rows):
        ends = line >= per_column or (not row.number and line == per_column - 1)
        if number and ends and column < columns - 1:
            column, line = column + 1, 0
        place = Box(box.x + column * (width + gap), box.y + line * step, width, step)
        _draw_index_row(canvas, place, row, look)
        line += 1


def index_blocks(rows: Sequence[IndexRow], look: Look, width: float) -> tuple[list[Block], int]:
    """The index as blocks for a sheet of its own, and the number of columns for them."""
    gap, step = look.mm(7), index_step(look)
    columns = max(1, int((width + gap) // (index_column(look) * 1.1 + gap)))

    def drawn(row: IndexRow) -> Callable[[Canvas, Box], None]:
        return lambda canvas, box: _draw_index_row(canvas, box, row, look)

    return [Block(step, drawn(row), is_heading=not row.number) for row in rows], columns


def _draw_index_row(canvas: Canvas, box: Box, row: IndexRow, look: Look) -> None:
    x, y, width, size, right = box.x, box.y + box.height / 2, box.width, look.small, box.right
    if not row.number:
        code = f"  {row.place}"
        name = shortened(row.name, size, width - width_of(code, size, True), True)
        canvas.text(x, y, name + code, size, bold=True, ink=INK)
        canvas.line([(x, y + index_step(look) / 2), (right, y + index_step(look) / 2)], look.hair, QUIET)
        return
    number = width_of("0000", size, True)
    square = width_of("AA00", size)
    canvas.text(x, y, row.number, size, bold=True)
    canvas.text(x + number, y, shortened(row.name, size, width - number - square), size)
    canvas.text(right, y, row.place, size, align="right", ink=QUIET)
