"""Walls on paper and file: the panels of a place as HTML that needs no network, as PDF, or as pictures.

A sheet leaves the building, so it shows what the public may see (requirements 8.1, 8.2) unless somebody of the internal tier asks for
an internal one, which says so. People are named by the clause that publishes them, to those who may read the roster; every sheet
leaves an audit row. A display link prints nothing.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from threading import Lock

from gis_server.core.access import Act, Actor, Role, Tier
from gis_server.core.errors import NotAllowed, UnusableInput
from gis_server.core.map_sheet import MapContent, MapFrame, central_meridian
from gis_server.core.message import Translate, msg
from gis_server.core.proof import proof_of
from gis_server.core.sheet import Format, Orientation
from gis_server.core.vocabulary import WallPanel
from gis_server.core.wall_wish import TIERS, FileKind, Wish
from gis_server.journeys.context import Context
from gis_server.journeys.profiles import profile_in_use
from gis_server.journeys.wall_focus import Focus, InForce
from gis_server.journeys.wall_html import html_map
from gis_server.journeys.wall_map import framed, map_content, metric_crs_of
from gis_server.journeys.wall_people import ground_of, people_of, staff_sheet
from gis_server.paint.canvas import Page, pdf, png, require
from gis_server.paint.html_panels import panels_only, with_panels
from gis_server.paint.look import Speech
from gis_server.paint.sheets import SheetSet, board, board_quarter, map_box, pages
from gis_server.paint.staff_panels import StaffSheet
from gis_server.paint.wall_file import paper_colours, render
from gis_server.store import audit

PRINT = "print_wall"
"""The act in the audit trail."""

ALL = tuple(WallPanel)
_PEOPLE = {WallPanel.GRID_MEMBER_CHART, WallPanel.SERVICE_CONTACT_PANEL}
_one_at_a_time = Lock()  # the picture of a large sheet takes a hundred megabytes


@dataclass(frozen=True, slots=True)
class Printed:
    """The files of a wall: one, or a picture for each page. ``name`` is a file name without its suffix."""

    name: str
    kind: FileKind
    parts: tuple[bytes, ...]

    def in_one(self) -> tuple[bytes, str]:
        """The one file with its suffix; several pictures in a zip."""
        if len(self.parts) == 1:
            return self.parts[0], f".{self.kind.value}"
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
            for number, part in enumerate(self.parts, 1):
                archive.writestr(f"{self.name}-{number}.{self.kind.value}", part)
        return packed.getvalue(), ".zip"


def kind_of(out: Path) -> FileKind:
    """The kind that a file's suffix asks for."""
    suffix = out.suffix.lower().removeprefix(".")
    if suffix not in set(FileKind):
        raise UnusableInput(
            msg("不能输出 {file}：请使用 .html、.pdf 或 .png 结尾的文件名。", file=out.name), field="out"
        )
    return FileKind(suffix)


def make_wall_file(
    ctx: Context, actor: Actor, out: Path, wish: Wish, *, language: str, translate: Translate, now: datetime
) -> list[Path]:
    """Write a wall to ``out``, pictures of several pages to files numbered after it; the files written.

    Raises as ``print_wall`` does, and UnusableInput where nothing can be written there; then nothing is.
    """
    printed = print_wall(ctx, actor, wish, language=language, translate=translate, now=now)
    several = len(printed.parts) > 1
    files = [
        out.with_name(f"{out.stem}-{number}{out.suffix}") if several else out
        for number in range(1, len(printed.parts) + 1)
    ]
    drafts = [file.with_name(f".{file.name}.part") for file in files]
    try:
        for draft, part in zip(drafts, printed.parts, strict=True):
            draft.write_bytes(part)
        for draft, file in zip(drafts, files, strict=True):
            draft.replace(file)
    except OSError as error:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        raise UnusableInput(
            msg("不能写入 {file}：{reason}。", file=str(out), reason=error.strerror), field="out"
        ) from error
    return files


def print_wall(
    ctx: Context, actor: Actor, wish: Wish, *, language: str, translate: Translate, now: datetime
) -> Printed:
    """Draw the panels of a place in force at ``now``.

    Raises NotFound for an unknown code, NotAllowed outside the actor's territory, beyond his tier, for people without the right
    to read the roster, and for every display; Unavailable without Cairo or a Chinese font.
    """
    panels = _panels(ctx, wish)
    _require(actor, wish)
    with _one_at_a_time, ctx.engine.begin() as conn:
        in_force = InForce(conn, ctx.catalogue, now, wish.tier)
        focus = in_force.focus(wish.asked)
        actor.require(Act.SHOW_WALL, focus.path)
        people = _PEOPLE.intersection(panels)
        if people:
            actor.require(Act.READ_ROSTER, focus.path)
        staff = staff_sheet(ctx, conn, focus, now) if people else None
        day = now.astimezone(ctx.settings.timezone).date()
        making = _Making(ctx, in_force, focus, wish, Speech(language, translate), day)
        sheets = making.sheet_set(staff)
        parts = making.parts(sheets, panels)
        audit.add(
            conn,
            actor,
            PRINT,
            now=now,
            subject=focus.code,
            detail={
                "panels": [panel.value for panel in panels],
                "kind": wish.kind.value,
                "tier": wish.tier.key,
                "people": 0 if staff is None else people_of(staff),
            },
        )
    return Printed(f"{PRINT}-{focus.code}", wish.kind, parts)


def _panels(ctx: Context, wish: Wish) -> tuple[WallPanel, ...]:
    if wish.board:
        if wish.kind is FileKind.HTML:
            raise UnusableInput(msg("四图合一的图板只能输出为 .pdf 或 .png。"), field="board")
        if wish.panels is not None and set(wish.panels) != set(ALL):
            raise UnusableInput(msg("四图合一的图板含全部四图，不能只选其中几图。"), field="board")
        return ALL
    wanted = wish.panels or profile_in_use(ctx.settings).display.wall_panels.value
    return tuple(panel for panel in ALL if panel in wanted)


def _require(actor: Actor, wish: Wish) -> None:
    """What no look at the place is needed for."""
    actor.require(Act.SHOW_WALL)
    if actor.role is Role.DISPLAY or actor.wall_id is not None:
        raise NotAllowed(msg("大屏链接只能观看，不能输出图纸。"))
    if wish.tier not in TIERS:
        raise UnusableInput(msg("图纸只分公开和内部两种。"), field="tier")
    if wish.tier > actor.tier:
        raise NotAllowed(msg("您的权限不能输出内部图纸。"))


@dataclass(frozen=True, slots=True)
class _Making:
    """One wall in the making."""

    ctx: Context
    in_force: InForce
    focus: Focus
    wish: Wish
    speech: Speech
    day: date

    def sheet_set(self, staff: StaffSheet | None) -> SheetSet:
        """Everything but the map, which depends on the paper."""
        profile = profile_in_use(self.ctx.settings)
        say = self.speech.say
        day = say(msg("制图日期 {day}", day=self.day.isoformat()))
        staff_foot = [day, say(ground_of(profile)), say(msg("人员变动时应及时更换"))]
        return SheetSet(
            name=self.focus.stem,
            place=" · ".join(self.focus.names),
            map_title=self.focus.map_title,
            speech=self.speech,
            profile=profile,
            tokens=paper_colours(self.ctx.settings.root / "web"),
            foot=self.foot(),
            staff_foot=" · ".join(staff_foot),
            staff=staff,
        )

    def foot(self) -> str:
        """Date, generation, reference system, what is proven of the grids, and whom the sheet is for."""
        say, generation = self.speech.say, self.in_force.generations["grid"]
        crs = metric_crs_of(self.focus)
        meridian = central_meridian(crs)
        words = [
            msg("制图日期 {day}", day=self.day.isoformat()),
            msg("网格第 {number} 代", number=generation.id if generation else "—"),
            msg("CGCS2000 3° 带高斯-克吕格投影，中央经线 {degrees}°", degrees=f"{meridian:g}")
            if meridian is not None
            else msg("坐标系 {crs}", crs=crs),
        ]
        proof = None if generation is None else proof_of(generation)
        if proof is not None:
            words.append(msg("全域覆盖证明：{proof}", proof=proof))
        words.append(msg("公开图件") if self.in_force.tier is Tier.PUBLIC else msg("内部资料，不得外传"))
        return " · ".join(say(one) for one in words)

    def parts(self, sheets: SheetSet, panels: Sequence[WallPanel]) -> tuple[bytes, ...]:
        """The files' contents."""
        if self.wish.kind is FileKind.HTML:
            return (self._html(sheets, panels).encode(),)
        drawn = self._pages(sheets, panels)
        if self.wish.kind is FileKind.PDF:
            return (pdf(drawn, self.speech.say(self.focus.map_title), sheets.foot),)
        return tuple(png(page) for page in drawn)

    def _pages(self, sheets: SheetSet, panels: Sequence[WallPanel]) -> list[Page]:
        require()
        form, mapped = self._format(panels)
        with_map = replace(sheets, map=mapped)
        return board(with_map, form) if self.wish.board else pages(with_map, panels, form)

    def _format(self, panels: Sequence[WallPanel]) -> tuple[Format, tuple[MapFrame, MapContent] | None]:
        """The sheet, lying or standing as was asked or as shows the map larger, and the map framed for it."""
        wish = self.wish
        ways = [wish.orientation] if wish.orientation else list(Orientation)
        if WallPanel.GRID_DIVISION_MAP not in panels:
            return Format(wish.paper, ways[0]), None
        found = []
        for way in ways:
            form = Format(wish.paper, way)
            box = map_box(board_quarter(form) if wish.board else form)
            found.append((framed(self.in_force, self.focus, box), form))
        frame, form = min(found, key=lambda one: one[0].scale)
        return form, (frame, map_content(self.in_force, self.focus, frame))

    def _html(self, sheets: SheetSet, panels: Sequence[WallPanel]) -> str:
        """The interactive map, the other panels as pictures below it."""
        others = [panel for panel in panels if panel is not WallPanel.GRID_DIVISION_MAP]
        form = Format(self.wish.paper, self.wish.orientation or Orientation.LANDSCAPE)
        pictures = [
            (self.speech.say(panel.message), page)
            for panel in others
            for page in pages(sheets, [panel], form)
        ]
        if len(others) == len(panels):
            return panels_only(self.speech.language, self.speech.say(self.focus.map_title), pictures)
        content = html_map(self.in_force, self.focus, self.speech, sheets.foot)
        return with_panels(render(content, self.ctx.settings.root / "web"), pictures)
