"""The sheets of a wall on paper: which panel goes on which page, and all four on one board.

The four panels are those of taizhou 8.1.3: division map, member chart, workflow chart, service contacts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from gis_server.core.errors import UnusableInput
from gis_server.core.map_sheet import MapContent, MapFrame, frame_for
from gis_server.core.message import Message, msg
from gis_server.core.profile import Profile
from gis_server.core.sheet import Box, Format
from gis_server.core.vocabulary import WallPanel
from gis_server.core.workflow import workflow
from gis_server.paint.canvas import Canvas, Page, require
from gis_server.paint.flow import flow
from gis_server.paint.look import Heading, Look, Speech, body_box, draw_heading, page_box
from gis_server.paint.map_legend import IndexRow, index_blocks
from gis_server.paint.map_panel import MapPanel, enlargement_title
from gis_server.paint.map_sheet import MapSheet, arrange
from gis_server.paint.staff_panels import StaffSheet, contact_blocks, member_blocks
from gis_server.paint.workflow_panel import WorkflowPanel

Draw = Callable[[Canvas], None]


@dataclass(frozen=True, slots=True)
class SheetSet:
    """All that the sheets of one place say. ``map`` is the frame and what it shows, ``staff`` who serves: None where not asked for.

    ``foot`` stands on maps, ``staff_foot`` where people are named. ``tokens`` are the light colours of the interface.
    """

    name: str
    place: str
    map_title: Message
    speech: Speech
    profile: Profile
    tokens: Mapping[str, str]
    foot: str
    staff_foot: str
    map: tuple[MapFrame, MapContent] | None = None
    staff: StaffSheet | None = None


def map_box(form: Format, x: float = 0.0, y: float = 0.0) -> Box:
    """Where the map's neat line lies on a sheet of this format."""
    require()
    look = Look(form.growth)
    return arrange(body_box(page_box(form, x, y), look), look).frame


def pages(sheets: SheetSet, panels: Sequence[WallPanel], form: Format) -> list[Page]:
    """A page for each panel, and more where one does not hold it."""
    require()
    place = page_box(form)
    drawn = [draw for panel in panels for draw in _panel(sheets, panel, place, Look(form.growth))]
    return [Page(form.width, form.height, form.dots_per_inch, draw) for draw in drawn]


def board(sheets: SheetSet, form: Format) -> list[Page]:
    """One sheet with all four panels, each as on a quarter of it; UnusableInput where a panel does not fit."""
    require()
    quarter = board_quarter(form)
    drawn: list[Draw] = []
    for number, panel in enumerate(WallPanel):
        x, y = number % 2 * form.width / 2, number // 2 * form.height / 2
        place = page_box(quarter, x, y)
        found = _panel(sheets, panel, place, Look(quarter.growth), one_page=True)
        if len(found) != 1:
            raise UnusableInput(
                msg(
                    "“{panel}”内容太多，{paper} 的一张图板放不下；请用更大的纸张，或每图一页。",
                    panel=panel.message,
                    paper=form.paper.value,
                ),
                field="board",
            )
        drawn += found
    return [Page(form.width, form.height, form.dots_per_inch, partial(_draw_all, drawn))]


def board_quarter(form: Format) -> Format:
    """The format of one of a board's four panels."""
    quarter = form.quarter
    if quarter is None:
        raise UnusableInput(
            msg("四图合一的图板至少要用 A2 纸；{paper} 请每图一页。", paper=form.paper.value), field="board"
        )
    return quarter


def _draw_all(drawn: Sequence[Draw], canvas: Canvas) -> None:
    for draw in drawn:
        draw(canvas)


def _panel(
    sheets: SheetSet, panel: WallPanel, place: Box, look: Look, *, one_page: bool = False
) -> list[Draw]:
    """What draws a panel, page by page; on ``one_page`` a map has no enlargements."""
    match panel:
        case WallPanel.GRID_DIVISION_MAP:
            return _map(sheets, place, look, one_page)
        case WallPanel.WORKFLOW_CHART:
            return [_workflow(sheets, place, look)]
        case WallPanel.GRID_MEMBER_CHART:
            return _staff(sheets, place, look, panel)
        case WallPanel.SERVICE_CONTACT_PANEL:
            return _staff(sheets, place, look, panel)


def _headed(place: Box, heading: Heading, look: Look, body: Draw) -> Draw:
    def draw(canvas: Canvas) -> None:
        draw_heading(canvas, place, heading, look)
        body(canvas)

    return draw


def _heading(sheets: SheetSet, title: Message, page: int = 0, of: int = 1) -> Heading:
    said = sheets.speech.say(title)
    if of > 1:
        said = sheets.speech.say(msg("{title}（{page}/{of}）", title=said, page=page + 1, of=of))
    return Heading(said, sheets.place, sheets.foot)


# ---- map ------------------------------------------------------------------------------------------------------------


def _map(sheets: SheetSet, place: Box, look: Look, one_page: bool) -> list[Draw]:
    if sheets.map is None:
        return []
    frame, content = sheets.map
    arrangement = arrange(body_box(place, look), look)
    panel = MapPanel(frame, content, sheets.speech, look, may_enlarge=not one_page)
    whole = MapSheet(arrangement, panel, sheets.tokens)
    heading = _heading(sheets, sheets.map_title)
    drawn = [_headed(place, heading, look, whole.draw)]
    for number, bounds in enumerate(panel.enlarged, 1):
        larger = frame_for(frame.box, frame.crs, bounds)
        part = MapPanel(larger, content, sheets.speech, look, is_whole=False)
        title = msg("{map}：{part}", map=sheets.map_title, part=enlargement_title(number))
        sheet = MapSheet(arrangement, part, sheets.tokens)
        drawn.append(_headed(place, replace(heading, title=sheets.speech.say(title)), look, sheet.draw))
    return drawn + _index(sheets, whole.index, place, look)


def _index(sheets: SheetSet, rows: Sequence[IndexRow], place: Box, look: Look) -> list[Draw]:
    if not rows:
        return []
    laid = flow(lambda larger, width: index_blocks(rows, larger, width), body_box(place, look), look)
    title, number = msg("{map}：网格索引", map=sheets.map_title), len(laid.pages)
    return [
        _headed(place, _heading(sheets, title, page, number), look, partial(laid.draw, page=page))
        for page in range(number)
    ]


# ---- people and workflow --------------------------------------------------------------------------------------------


def _staff(sheets: SheetSet, place: Box, look: Look, panel: WallPanel) -> list[Draw]:
    if sheets.staff is None:
        return []
    is_chart = panel is WallPanel.GRID_MEMBER_CHART
    blocks = member_blocks if is_chart else contact_blocks
    staff, speech = sheets.staff, sheets.speech
    body = body_box(place, look)
    laid = flow(lambda larger, width: blocks(staff, speech, larger, width), body, look)
    title = (
        msg("{name}网格成员图", name=sheets.name)
        if is_chart
        else msg("{name}网格服务联系方式", name=sheets.name)
    )
    number = len(laid.pages)
    return [
        _headed(
            place,
            replace(_heading(sheets, title, page, number), foot=sheets.staff_foot),
            look,
            partial(laid.draw, page=page),
        )
        for page in range(number)
    ]


def _workflow(sheets: SheetSet, place: Box, look: Look) -> Draw:
    panel = WorkflowPanel(
        workflow(sheets.profile), sheets.profile, body_box(place, look), sheets.speech, look
    )
    heading = _heading(sheets, msg("网格化管理工作流程图"))
    return _headed(place, heading, look, panel.draw)
