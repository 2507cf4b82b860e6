"""A sheet with a grid division map: frame, legend, scale, north and index arranged on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gis_server.core.map_sheet import MapContent
from gis_server.core.message import msg
from gis_server.core.sheet import Box
from gis_server.paint.canvas import Canvas, line_height
from gis_server.paint.look import INK, Look
from gis_server.paint.map_legend import (
    IndexRow,
    draw_index,
    draw_legend,
    draw_north,
    draw_scale,
    index_column,
    index_rows,
    index_step,
    legend_height,
    legend_rows,
)
from gis_server.paint.map_panel import MapPanel, band_width


@dataclass(frozen=True, slots=True)
class Arrangement:
    """The map's neat line and the rectangle for what explains it, within one rectangle of the sheet."""

    frame: Box
    aside: Box
    is_column: bool


def arrange(box: Box, look: Look) -> Arrangement:
    """A column beside a map that lies, a strip below a map that stands."""
    band, gap = band_width(look), look.mm(4)
    if box.width > box.height:
        width = min(index_column(look), box.width * 0.3)
        frame = Box(box.x, box.y, box.width - width - gap, box.height).inset(band)
        return Arrangement(frame, Box(box.right - width, box.y, width, box.height), True)
    height = look.mm(41)
    frame = Box(box.x, box.y, box.width, box.height - height - gap).inset(band)
    return Arrangement(frame, Box(box.x, box.bottom - height, box.width, height), False)


class MapSheet:
    """A map with its letters placed, ready to be drawn; ``tokens`` are the light colours of the interface.

    ``index`` are the rows that find no room on the sheet and want one of their own.
    """

    def __init__(
        self, arrangement: Arrangement, panel: MapPanel, tokens: Mapping[str, str], *, with_index: bool = True
    ) -> None:
        self.arrangement = arrangement
        self.panel = panel
        self.frame = panel.frame
        self.speech = panel.speech
        self.look = panel.look
        self._tokens = tokens
        self._legend = legend_rows(panel, panel.speech, tokens)
        rows = index_rows(panel) if with_index and panel.is_whole and needs_index(panel.content) else []
        self._columns = self._index_columns(rows)
        self._own_index = rows if self._columns else []
        self.index: list[IndexRow] = [] if self._own_index else rows

    def _index_columns(self, rows: Sequence[IndexRow]) -> int:
        """In how many columns the index fits beside the map; 0 where it does not, or there is none."""
        room, step = self._index_room(), index_step(self.look)
        most = 2 if self.arrangement.is_column else 1
        for columns in range(1, most + 1):
            if rows and (-(-len(rows) // columns) + columns - 1) * step <= room.height:
                return columns
        return 0

    def draw(self, canvas: Canvas) -> None:
        """The map with what explains it."""
        self.panel.draw(canvas, self._tokens)
        if self.arrangement.is_column:
            self._draw_column(canvas)
        else:
            self._draw_strip(canvas)

    def _index_room(self) -> Box:
        """Between the legend and the north arrow; none in a strip."""
        aside, look = self.arrangement.aside, self.look
        if not self.arrangement.is_column:
            left, _ = self._strip()
            x = aside.x + left + look.mm(4)
            width = aside.width - left - self._strip()[1] - look.mm(8)
            return Box(x, aside.y, width, aside.height)
        head = line_height(look.head)
        top = aside.y + legend_height(len(self._legend), look) + look.mm(4) + head
        return Box(aside.x, top, aside.width, aside.bottom - look.mm(38) - top)

    def _strip(self) -> tuple[float, float]:
        """The widths of legend and scale in a strip; the index stands between them."""
        width = self.arrangement.aside.width
        return width * 0.38, min(index_column(self.look), width * 0.3)

    def _draw_column(self, canvas: Canvas) -> None:
        aside, look, speech = self.arrangement.aside, self.look, self.speech
        draw_legend(canvas, aside, self._legend, speech, look)
        north = Box(aside.x, aside.bottom - look.mm(35), aside.width, look.mm(20))
        draw_north(canvas, north, self.frame, speech, look)
        draw_scale(canvas, Box(aside.x, north.bottom, aside.width, look.mm(15)), self.frame, speech, look)
        if self._own_index:
            room = self._index_room()
            title = speech.say(msg("网格索引"))
            canvas.text(aside.x, room.y - line_height(look.head) / 2, title, look.head, bold=True, ink=INK)
            draw_index(canvas, room, self._own_index, look, columns=self._columns)

    def _draw_strip(self, canvas: Canvas) -> None:
        aside, look, speech = self.arrangement.aside, self.look, self.speech
        left, side = self._strip()
        width = left if self._own_index else aside.width - side - look.mm(6)
        draw_legend(canvas, Box(aside.x, aside.y, width, aside.height), self._legend, speech, look)
        if self._own_index:
            draw_index(canvas, self._index_room(), self._own_index, look)
        right = aside.right - side
        y = draw_scale(canvas, Box(right, aside.y, side, aside.height), self.frame, speech, look)
        draw_north(canvas, Box(right, y + look.mm(2), side, aside.height), self.frame, speech, look)


def needs_index(content: MapContent) -> bool:
    """Whether grids are called by numbers that only an index explains."""
    return content.chosen is None and bool(content.grids)
