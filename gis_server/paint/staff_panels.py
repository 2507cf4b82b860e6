"""The member chart (网格成员图) and the service contacts (网格服务联系方式) of a place."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from gis_server.core.message import Message, msg
from gis_server.core.public_staff import Duty, Member, Slot, StaffedUnit
from gis_server.core.sheet import Box
from gis_server.paint.canvas import WHITE, Canvas, line_height, shortened, width_of, wrapped
from gis_server.paint.flow import Block
from gis_server.paint.look import HAIR, INK, QUIET, VACANT, Look, Speech


@dataclass(frozen=True, slots=True)
class StaffGroup:
    """A community: those who hold a post for it as a whole, and its grids."""

    area: StaffedUnit
    grids: Sequence[StaffedUnit]


@dataclass(frozen=True, slots=True)
class StaffSheet:
    """Who serves a place, as the public is told. ``above`` are the areas over the groups, highest first.

    ``complaint_phone`` is None where the clause asks for none; empty where it does and nobody has entered one.
    """

    above: Sequence[StaffedUnit]
    groups: Sequence[StaffGroup]
    model: Message | None
    ground: Message
    complaint_phone: str | None


# ---- members --------------------------------------------------------------------------------------------------------

_CARD = 52.0
"""The least width of a grid's card on A4."""


def member_blocks(sheet: StaffSheet, speech: Speech, look: Look, width: float) -> tuple[list[Block], int]:
    """The member chart: areas as bands, under each its grids as cards side by side."""
    blocks: list[Block] = []
    for unit in sheet.above:
        blocks += [_band(unit, speech, look, width), _air(look.mm(1.8))]
    if sheet.model is not None:
        text = speech.say(sheet.model)
        blocks.append(_paragraph(text, look, width))
    rail, gap = look.mm(5), look.mm(3)
    columns = max(1, int((width - rail + gap) // (look.mm(_CARD) + gap)))
    for group in sheet.groups:
        blocks.append(_band(group.area, speech, look, width))
        across = min(columns, max(len(group.grids), 1))  # few cards become wider, not lonely
        card = min((width - rail - gap * (across - 1)) / across, look.mm(_CARD) * 1.7)
        rows = [group.grids[n : n + across] for n in range(0, len(group.grids), across)]
        for number, row in enumerate(rows):
            cards = [_Card(unit, speech, look, card) for unit in row]
            height = max(one.height for one in cards) + look.mm(6)
            draw = partial(_draw_row, cards, rail=rail, is_last=number == len(rows) - 1)
            blocks.append(Block(height, draw))
        blocks.append(_air(look.mm(3)))
    return blocks, 1


def _air(height: float) -> Block:
    def draw(_canvas: Canvas, _box: Box) -> None:
        """Nothing."""

    return Block(height, draw, is_heading=True)


def _paragraph(text: str, look: Look, width: float) -> Block:
    lines = wrapped(text, look.small, width)

    def draw(canvas: Canvas, box: Box) -> None:
        canvas.lines_of_text(box.x, box.y, lines, look.small, ink=QUIET)

    return Block(len(lines) * line_height(look.small) + look.mm(2), draw, is_heading=True)


def _band(unit: StaffedUnit, speech: Speech, look: Look, width: float) -> Block:
    """An area's name on a bar, with those who hold a post for it as a whole."""
    said = "    ".join(
        f"{speech.begun(speech.say(slot.title))} {_names(slot, speech)}" for slot in unit.slots
    )
    name = wrapped(unit.name, look.head, width * (0.5 if said else 1.0) - look.mm(8), True)
    name_width = max(width_of(line, look.head, True) for line in name) + look.mm(8)
    lines = wrapped(said, look.body, width - name_width - look.mm(4)) if said else []
    high = line_height(look.head)
    height = max((len(name) + 0.25) * high, len(lines) * line_height(look.body) + look.mm(1.5))

    def draw(canvas: Canvas, box: Box) -> None:
        canvas.rectangle(box.x, box.y, box.width, height, line=look.mm(0.3), ink=INK, radius=look.mm(0.8))
        canvas.rectangle(box.x, box.y, name_width, height, fill=INK, radius=look.mm(0.8))
        middle = box.y + height / 2
        canvas.lines_of_text(
            *(box.x + name_width / 2, middle - len(name) * high / 2, name, look.head),
            bold=True,
            ink=WHITE,
            align="center",
        )
        top = middle - len(lines) * line_height(look.body) / 2
        canvas.lines_of_text(box.x + name_width + look.mm(3), top, lines, look.body)

    return Block(height, draw, is_heading=True)


def _names(slot: Slot, speech: Speech) -> str:
    names = [member.name for member in slot.members]
    if slot.unnamed:
        more = msg("另 {n} 人", n=slot.unnamed) if names else msg("{n} 人", n=slot.unnamed)
        names.append(speech.say(more))
    if slot.vacant:
        names.append(_vacancy(slot, speech))
    return speech.say(msg("、")).join(names)


def _vacancy(slot: Slot, speech: Speech) -> str:
    return speech.say(msg("空缺") if slot.vacant == 1 else msg("空缺 {n} 名", n=slot.vacant))


class _Card:
    """A grid's card: its number and name, then each duty with its people."""

    def __init__(self, unit: StaffedUnit, speech: Speech, look: Look, width: float) -> None:
        self.unit, self.speech, self.look, self.width = unit, speech, look, width
        self.title_width = width - 2 * look.mm(2) - width_of("0000", look.head, True)
        titles = [speech.begun(speech.say(slot.title)) for slot in unit.slots]
        widest = max((width_of(title, look.small) for title in titles), default=0.0)
        self.sign = look.mm(4.2) if any(slot.sign for slot in unit.slots) else 0.0
        self.names_at = look.mm(2) + self.sign + min(widest, width * 0.5) + look.mm(2)
        room = width - self.names_at - look.mm(2)
        self.rows = [
            (slot, title, wrapped(_names(slot, speech), look.body, room, True))
            for slot, title in zip(unit.slots, titles, strict=True)
        ]
        self.head = line_height(look.head) * 1.15
        lines = sum(len(names) for _, _, names in self.rows) or 1
        self.height = self.head + look.mm(1.5) + lines * line_height(look.body) * 1.12 + look.mm(1)

    def draw(self, canvas: Canvas, x: float, y: float, height: float) -> None:
        """From its upper left corner; ``height`` is that of its row."""
        look, unit = self.look, self.unit
        canvas.rectangle(x, y, self.width, height, line=look.mm(0.25), ink=INK, radius=look.mm(1), fill=WHITE)
        middle, left = y + self.head / 2, x + look.mm(2)
        canvas.text(left, middle, unit.code[-3:], look.head, bold=True, ink=INK)
        name = shortened(unit.name, look.body, self.title_width)
        canvas.text(left + width_of("0000", look.head, True), middle, name, look.body, ink=INK)
        canvas.line([(x, y + self.head), (x + self.width, y + self.head)], look.hair, INK)
        step = line_height(look.body) * 1.12
        down = y + self.head + look.mm(1.2)
        if not self.rows:
            nobody = self.speech.say(msg("花名册上没有人员"))
            canvas.text(left, down + step / 2, nobody, look.body, ink=VACANT)
        for slot, title, names in self.rows:
            if slot.sign:
                canvas.circle(left + look.mm(1.5), down + step / 2, look.mm(1.5), line=look.hair, ink=QUIET)
                size = look.small * 0.9
                canvas.text(
                    left + look.mm(1.5),
                    down + step / 2,
                    slot.sign,
                    size,
                    bold=True,
                    ink=QUIET,
                    align="center",
                )
            room = self.names_at - look.mm(3) - self.sign
            at = left + self.sign
            canvas.text(at, down + step / 2, shortened(title, look.small, room), look.small, ink=QUIET)
            for line in names:
                ink = VACANT if slot.vacant and not slot.members and not slot.unnamed else INK
                canvas.text(x + self.names_at, down + step / 2, line, look.body, bold=True, ink=ink)
                down += step


def _draw_row(cards: Sequence[_Card], canvas: Canvas, box: Box, *, rail: float, is_last: bool) -> None:
    """Cards side by side, hung on a line from the band above."""
    look = cards[0].look
    gap, x0 = look.mm(3), box.x + look.mm(2)
    bus = box.y + look.mm(2)
    top = box.y + look.mm(4)
    middles = [box.x + rail + n * (card.width + gap) + card.width / 2 for n, card in enumerate(cards)]
    canvas.line([(x0, box.y), (x0, bus if is_last else box.y + box.height)], look.mm(0.3), HAIR)
    canvas.line([(x0, bus), (middles[-1], bus)], look.mm(0.3), HAIR)
    for card, middle in zip(cards, middles, strict=True):
        canvas.line([(middle, bus), (middle, top)], look.mm(0.3), HAIR)
        card.draw(canvas, middle - card.width / 2, top, box.height - look.mm(6))


# ---- contacts -------------------------------------------------------------------------------------------------------

_CONTACT = 62.0
"""The least width of a column of contacts on A4."""


def contact_blocks(sheet: StaffSheet, speech: Speech, look: Look, width: float) -> tuple[list[Block], int]:
    """The service contacts: complaint phone, areas, then grid by grid whom to call."""
    columns = max(1, int((width + look.mm(7)) // (look.mm(_CONTACT) + look.mm(7))))
    blocks: list[Block] = []
    if sheet.complaint_phone is not None:
        blocks.append(_complaint(sheet.complaint_phone, speech, look))
    departments = _departments(sheet)
    for unit in [*sheet.above, *(group.area for group in sheet.groups)]:
        if lines := _lines(unit, speech):
            blocks.append(
                _stacked([_contact_head(unit.name, "", look), *(_contact_line(*one, look) for one in lines)])
            )
    if departments:
        head = _contact_head(speech.say(msg("部门")), "", look)
        sent = [_contact_line(unit, member.name, member.phone or "", look) for unit, member in departments]
        blocks.append(_stacked([head, *sent]))
    for group in sheet.groups:
        for grid in group.grids:
            called = [_contact_line(*one, look) for one in _lines(grid, speech)] or [_nobody(speech, look)]
            blocks.append(_stacked([_contact_head(grid.name, grid.code[-3:], look), *called]))
    return blocks, columns


def _lines(unit: StaffedUnit, speech: Speech) -> list[tuple[str, str, str]]:
    """Duty, name, phone of everybody whose phone is published."""
    lines = []
    for slot in unit.slots:
        title = speech.begun(speech.say(slot.title))
        for member in slot.members:
            if member.phone is not None:
                lines.append((title, member.name, member.phone))
    return lines


def _stacked(blocks: Sequence[Block]) -> Block:
    """Blocks that stay together."""

    def draw(canvas: Canvas, box: Box) -> None:
        y = box.y
        for block in blocks:
            block.draw(canvas, Box(box.x, y, box.width, block.height))
            y += block.height

    return Block(sum(block.height for block in blocks), draw)


def _departments(sheet: StaffSheet) -> list[tuple[str, Member]]:
    """Departments that send somebody, each with whom to call."""
    found: dict[tuple[str, str], Member] = {}
    for group in sheet.groups:
        for grid in group.grids:
            for slot in grid.slots:
                for member in slot.members:
                    is_sent = slot.duty in (Duty.PROFESSIONAL, Duty.BUSINESS_INSTRUCTOR)
                    if is_sent and member.unit and member.phone:
                        found.setdefault((member.unit, member.name), member)
    return [(unit, member) for (unit, _), member in sorted(found.items())]


def _complaint(phone: str, speech: Speech, look: Look) -> Block:
    height = line_height(look.head) * 2.2 + look.mm(2)

    def draw(canvas: Canvas, box: Box) -> None:
        inner = height - look.mm(2)
        canvas.rectangle(box.x, box.y, box.width, inner, line=look.mm(0.5), ink=INK, radius=look.mm(1))
        x = box.x + look.mm(3)
        canvas.text(x, box.y + inner * 0.28, speech.say(msg("监督举报电话")), look.body, ink=QUIET)
        said = phone or speech.say(msg("尚未填写"))
        ink, size = (INK, look.head * 1.5) if phone else (VACANT, look.head)
        canvas.text(x, box.y + inner * 0.66, said, size, bold=True, ink=ink)

    return Block(height, draw)


def _contact_head(name: str, number: str, look: Look) -> Block:
    height = line_height(look.body) * 1.35

    def draw(canvas: Canvas, box: Box) -> None:
        y = box.y + height * 0.58
        shift = width_of("0000", look.body, True) if number else 0.0
        canvas.text(box.x, y, number, look.body, bold=True, ink=INK)
        room = box.width - shift
        canvas.text(box.x + shift, y, shortened(name, look.body, room, True), look.body, bold=True, ink=INK)
        canvas.line([(box.x, box.y + height), (box.right, box.y + height)], look.mm(0.2), INK, butt=True)

    return Block(height, draw, is_heading=True)


def _contact_line(duty: str, name: str, phone: str, look: Look) -> Block:
    height = line_height(look.body) * 1.08

    def draw(canvas: Canvas, box: Box) -> None:
        y, ink = box.y + height / 2, INK if phone else VACANT
        phone_width = width_of("13800000000", look.body, True)
        name_width = width_of("某某某某", look.body)
        duty_width = box.width - phone_width - name_width - look.mm(3)
        canvas.text(box.x, y, shortened(duty, look.small, duty_width), look.small, ink=QUIET)
        at = box.right - phone_width - look.mm(1.5) - name_width
        canvas.text(
            at, y, shortened(name, look.body, name_width + phone_width * (not phone)), look.body, ink=ink
        )
        canvas.text(box.right, y, phone, look.body, bold=True, align="right")
        canvas.line([(box.x, box.y + height), (box.right, box.y + height)], look.hair, HAIR, dash=(0.3, 0.8))

    return Block(height, draw)


def _nobody(speech: Speech, look: Look) -> Block:
    height = line_height(look.body) * 1.08
    said = speech.say(msg("没有公布的电话"))

    def draw(canvas: Canvas, box: Box) -> None:
        canvas.text(box.x, box.y + height / 2, said, look.small, ink=QUIET)

    return Block(height, draw)
