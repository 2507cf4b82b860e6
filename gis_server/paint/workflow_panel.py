"""The workflow chart (工作流程图): the profile's own machine, with who moves an incident, by which clause and by when."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot

from gis_server.core.deadline import Clock, Limit
from gis_server.core.incident import IncidentState
from gis_server.core.message import Message, msg
from gis_server.core.profile import Profile
from gis_server.core.sheet import Box
from gis_server.core.workflow import FlowStep, Workflow
from gis_server.paint.canvas import WHITE, Canvas, Point, line_height, width_of, wrapped
from gis_server.paint.look import INK, QUIET, Look, Speech

S = IncidentState

_MIDDLE, _LEFT, _RIGHT = 0.365, 0.095, 0.72
"""Where the columns of boxes stand, as shares of the width."""

_BYPASS, _BACK = 0.235, 0.585
"""Where the lines that pass states by run down, and the one that leads back up."""

_BOX = 0.155


@dataclass(frozen=True, slots=True)
class _Spot:
    """A state's box by its middle."""

    x: float
    y: float
    half_w: float
    half_h: float

    def left(self, share: float = 0.0) -> Point:
        return self.x - self.half_w, self.y + share * self.half_h

    def right(self, share: float = 0.0) -> Point:
        return self.x + self.half_w, self.y + share * self.half_h

    def top(self, share: float = 0.0) -> Point:
        return self.x + share * self.half_w, self.y - self.half_h

    def bottom(self, share: float = 0.0) -> Point:
        return self.x + share * self.half_w, self.y + self.half_h


_SHARES = (1.0, 0.94, 0.88, 0.82, 0.76, 0.7)


class WorkflowPanel:
    """The chart in one rectangle; ``texts`` keeps what was written, for whoever reads it aloud."""

    def __init__(self, flow: Workflow, profile: Profile, box: Box, speech: Speech, look: Look) -> None:
        self.flow = flow
        self.profile = profile
        self.box = box
        self.speech = speech
        # letters grow with the room that the chart has
        rows = len(flow.main_path)
        self.look = Look(max(look.k, min(box.width / 279 * 1.25, box.height / rows / 15.5)))
        self.spots = self._spots()
        for share in _SHARES:  # as large as every label finds room between its boxes
            self.verb = max(self.look.k * 8.5 * share, look.small)
            self.detail = max(self.look.k * 7.0 * share, look.small)
            if self._finds_room():
                break

    def _spots(self) -> dict[IncidentState, _Spot]:
        box, path = self.box, self.flow.main_path
        pitch = (box.height - self.look.mm(9)) / (len(path) - 0.3)
        half_w = max(box.width * _BOX / 2, self.look.mm(13))
        half_h = min(pitch * 0.24, self.look.mm(5))
        spots: dict[IncidentState, _Spot] = {}

        def put(state: IncidentState, column: float, row: float) -> None:
            if state in self.flow.states:
                y = box.y + half_h + row * pitch
                spots[state] = _Spot(box.x + column * box.width, y, half_w, half_h)

        for row, state in enumerate(path):
            put(state, _MIDDLE, row)
        put(S.REFUSED, _LEFT, 0)
        put(S.RESOLVED_ON_SITE, _LEFT, 2)
        row = path.index(S.DISPATCHED)
        put(S.COORDINATING, _RIGHT, row - 1)
        put(S.RETURNED, _RIGHT + 0.07, row)
        return spots

    def _finds_room(self) -> bool:
        """Whether the labels of the main path stand between its boxes, and that of a refusal above the next line."""
        path, room = self.flow.main_path, self._main_room()
        for source, to in pairwise(path):
            gap = self.spots[to].top()[1] - self.spots[source].bottom()[1]
            if self._height(self._on_path(source, to), room) > gap:
                return False
        if S.REFUSED not in self.spots:
            return True
        start, end = self.spots[S.DISCOVERED].left(), self.spots[S.REFUSED].right()
        below = self.spots[S.RECORDED].y - start[1] - self.look.mm(1.5)
        steps = self.flow.between(S.DISCOVERED, S.REFUSED)
        return self._height(steps, start[0] - end[0] - self.look.mm(3)) <= below

    def _main_room(self) -> float:
        """The width beside the main path; where nothing leads back up, as far as the column on the right."""
        edge = _BACK if S.VERIFYING in self.spots else _RIGHT - _BOX / 2
        return (edge - _MIDDLE) * self.box.width - self.look.mm(4)

    def _on_path(self, source: IncidentState, to: IncidentState) -> list[FlowStep]:
        return [step for step in self.flow.between(source, to) if step.transition.row != "T5a"]

    def _height(self, steps: Sequence[FlowStep], width: float) -> float:
        return sum(line_height(self.verb if bold else self.detail) for _, bold in self._lines(steps, width))

    def _lines(self, steps: Sequence[FlowStep], width: float) -> list[tuple[str, bool]]:
        """The lines of a label, each with whether it is the step itself."""
        lines: list[tuple[str, bool]] = []
        for step in steps:
            head, detail = self._said(step)
            lines += [(line, True) for line in wrapped(head, self.verb, width, True)]
            lines += [(line, False) for line in wrapped(detail, self.detail, width)]
        return lines

    # ---- drawing -----------------------------------------------------------------------------------------------------

    def draw(self, canvas: Canvas) -> None:
        """Lines first, then boxes over their ends, then what the chart is read from."""
        self._draw_main(canvas)
        self._draw_left(canvas)
        self._draw_right(canvas)
        for state, spot in self.spots.items():
            self._draw_state(canvas, state, spot)
        self._draw_cards(canvas)
        title = self.speech.said(self.profile.title)
        note = self.speech.say(
            msg("依据《{title}》；〔〕内为条款号，未注明的按通则。由本系统的事件流程自动绘制。", title=title)
        )
        lines = wrapped(note, self.look.small, self.box.width)[:2]
        top = self.box.bottom - len(lines) * line_height(self.look.small)
        canvas.lines_of_text(self.box.x, top, lines, self.look.small, ink=QUIET)

    def _draw_state(self, canvas: Canvas, state: IncidentState, spot: _Spot) -> None:
        x, y = spot.x - spot.half_w, spot.y - spot.half_h
        width, height = 2 * spot.half_w, 2 * spot.half_h
        look, ends = self.look, state in (S.ARCHIVED, S.REFUSED)
        radius = spot.half_h if state is S.DISCOVERED or ends else look.mm(1)
        canvas.rectangle(x, y, width, height, line=look.mm(0.4), ink=INK, radius=radius, fill=WHITE)
        if ends:  # a double line: here it is over
            by = look.mm(0.7)
            inner = Box(x, y, width, height).inset(by)
            canvas.rectangle(
                inner.x, inner.y, inner.width, inner.height, line=look.hair, ink=INK, radius=radius - by
            )
        text, size = self.speech.begun(self.speech.said(state.words)), look.head
        while width_of(text, size, True) > width - look.mm(2.5) and size > look.small:
            size *= 0.96
        canvas.text(spot.x, spot.y, text, size, bold=True, ink=INK, align="center")

    def _arrow(self, canvas: Canvas, *points: Point, dashed: bool = False) -> None:
        look = self.look
        dash = (look.mm(1.4), look.mm(0.9)) if dashed else ()
        (x0, y0), (x1, y1) = points[-2:]
        length = hypot(x1 - x0, y1 - y0) or 1.0
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        head, half = look.mm(2), look.mm(0.8)
        foot = (x1 - ux * head, y1 - uy * head)
        canvas.line([*points[:-1], foot], look.mm(0.35), INK, dash=dash, butt=True)
        canvas.line(
            [
                (x1, y1),
                (foot[0] - uy * half, foot[1] + ux * half),
                (foot[0] + uy * half, foot[1] - ux * half),
            ],
            0.0,
            closed=True,
            fill=INK,
        )

    def _label(
        self,
        canvas: Canvas,
        x: float,
        y: float,
        width: float,
        steps: Sequence[FlowStep],
        *,
        above: bool = False,
        align: str = "left",
    ) -> float:
        """What the steps are, who makes them, by when and by which clause; from ``y`` down, or up to it."""
        lines, height = self._lines(steps, width), self._height(steps, width)
        at = y - height if above else y
        for text, bold in lines:
            size = self.verb if bold else self.detail
            step_height = line_height(size)
            canvas.text(
                x, at + step_height / 2, text, size, bold=bold, ink=INK if bold else QUIET, align=align
            )
            at += step_height
        return at

    def _said(self, step: FlowStep) -> tuple[str, str]:
        say = self.speech.say
        head = self.speech.begun(self.speech.said(step.step.words))
        if step.target is not None:
            head = f"{head} → {say(step.target)}"
        parts = [say(msg("、")).join(self.speech.said(party.words) for party in step.parties)]
        if step.limit is not None:
            parts.append(say(limit_words(step.limit)))
        if step.urgent is not None and not (step.limit and step.urgent.most == step.limit.most):
            parts.append(say(msg("紧急：{limit}", limit=limit_words(step.urgent))))
        if step.clause is not None:
            parts.append(f"〔{step.clause.removeprefix(self.profile.key).strip()}〕")
        return head, " · ".join(parts)

    # ---- the main path, and what passes parts of it by ---------------------------------------------------------------

    def _draw_main(self, canvas: Canvas) -> None:
        look, path, room = self.look, self.flow.main_path, self._main_room()
        first = self.spots[S.DISCOVERED]
        entry = [step for step in self.flow.steps if None in step.transition.sources]
        self._label(canvas, first.right()[0] + look.mm(2.5), first.y - first.half_h, room, entry)
        for source, to in pairwise(path):
            if steps := self._on_path(source, to):
                start, end = self.spots[source].bottom(), self.spots[to].top()
                self._arrow(canvas, start, end)
                y = (start[1] + end[1] - self._height(steps, room)) / 2
                self._label(canvas, start[0] + look.mm(2), y, room, steps)
        self._bypass(canvas, S.ACCEPTED, S.COMPLETED)
        if S.VERIFYING in self.spots:
            self._bypass(canvas, S.COMPLETED, S.FED_BACK)

    def _bypass(self, canvas: Canvas, source: IncidentState, to: IncidentState) -> None:
        steps = self.flow.between(source, to)
        if not steps:
            return
        start, end = self.spots[source].left(0.4), self.spots[to].left(-0.4)
        lane = self.box.x + _BYPASS * self.box.width
        self._arrow(canvas, start, (lane, start[1]), (lane, end[1]), end)
        edge = self.box.x + (_LEFT + 0.012) * self.box.width
        room = lane - edge - self.look.mm(3)
        middle = (start[1] + end[1]) / 2 - self.look.mm(4)
        self._label(canvas, lane - self.look.mm(1.5), middle, room, steps, align="right")

    # ---- left: refused, solved on the spot ---------------------------------------------------------------------------

    def _draw_left(self, canvas: Canvas) -> None:
        look, spots = self.look, self.spots
        if S.REFUSED in spots:
            start, end = spots[S.DISCOVERED].left(), spots[S.REFUSED].right()
            self._arrow(canvas, start, end)
            steps = self.flow.between(S.DISCOVERED, S.REFUSED)
            self._label(
                canvas, end[0] + look.mm(1.5), end[1] + look.mm(0.8), start[0] - end[0] - look.mm(3), steps
            )
        if S.RESOLVED_ON_SITE not in spots:
            return
        spot, recorded, archived = spots[S.RESOLVED_ON_SITE], spots[S.RECORDED], spots[S.ARCHIVED]
        start = recorded.left()
        self._arrow(canvas, start, (spot.x, start[1]), spot.top())
        room = start[0] - spot.x - look.mm(3)
        steps = self.flow.between(S.RECORDED, S.RESOLVED_ON_SITE)
        self._label(canvas, spot.x + look.mm(1.5), start[1] + look.mm(0.8), room, steps)
        self._arrow(canvas, spot.bottom(), (spot.x, archived.y), archived.left())
        steps = self.flow.between(S.RESOLVED_ON_SITE, S.ARCHIVED)
        room = archived.left()[0] - spot.x - look.mm(3)
        self._label(canvas, spot.x + look.mm(1.5), archived.y - look.mm(0.8), room, steps, above=True)

    # ---- right: special channel, escalation, coordination, return ----------------------------------------------------

    def _draw_right(self, canvas: Canvas) -> None:
        self._draw_reporting(canvas)
        look, spots = self.look, self.spots
        accepted, dispatched = spots[S.ACCEPTED], spots[S.DISPATCHED]
        coordinating, returned = spots[S.COORDINATING], spots[S.RETURNED]
        start, end = accepted.right(-0.3), coordinating.left(-0.3)
        self._arrow(canvas, start, end)
        beside = coordinating.right()[0] + look.mm(2)
        room = self.box.right - beside
        steps = self.flow.between(S.ACCEPTED, S.COORDINATING)
        self._label(canvas, beside, coordinating.y - coordinating.half_h, room, steps)
        down, into = coordinating.bottom(-0.75), dispatched.right(-0.55)
        self._arrow(canvas, down, (down[0], into[1]), into)
        start, end = dispatched.right(0.15), (returned.left()[0], dispatched.right(0.15)[1])
        self._arrow(canvas, start, end)
        steps = self.flow.between(S.DISPATCHED, S.RETURNED)
        self._label(
            canvas,
            returned.left()[0],
            returned.y + returned.half_h + look.mm(0.8),
            self.box.right - returned.left()[0],
            steps,
        )
        x = min(coordinating.right()[0], returned.right()[0]) - look.mm(4)
        self._arrow(canvas, (x, returned.y - returned.half_h), (x, coordinating.y + coordinating.half_h))
        if S.VERIFYING in spots and (steps := self.flow.between(S.VERIFYING, S.DISPATCHED)):
            verifying, lane = spots[S.VERIFYING], self.box.x + (_BACK + 0.012) * self.box.width
            start, end = verifying.right(), dispatched.right(0.75)
            self._arrow(canvas, start, (lane, start[1]), (lane, end[1]), end, dashed=True)
            x = lane + look.mm(1.5)
            width = self.box.x + (_RIGHT - _BOX / 2 + 0.07) * self.box.width - x
            self._label(canvas, x, verifying.y - look.mm(0.8), max(width, look.mm(24)), steps, above=True)

    def _draw_reporting(self, canvas: Canvas) -> None:
        look, spots = self.look, self.spots
        reported, recorded = spots[S.REPORTED], spots[S.RECORDED]
        lane = self.box.x + _BACK * self.box.width
        special = [s for s in self.flow.between(S.RECORDED, S.REPORTED) if s.transition.row == "T5a"]
        if special:
            start, end = recorded.right(), reported.right(-0.4)
            self._arrow(canvas, start, (lane, start[1]), (lane, end[1]), end)
            self._label(
                canvas, lane + look.mm(2), start[1] - look.mm(1), self.box.right - lane - look.mm(2), special
            )
        upward = self.flow.between(S.REPORTED, S.REPORTED)
        if upward:
            out, back = reported.right(0.0 if special else -0.4), reported.right(0.55)
            x = reported.right()[0] + look.mm(6)
            self._arrow(canvas, out, (x, out[1]), (x, back[1]), back)
            room = self.box.right - x - look.mm(2)
            self._label(canvas, x + look.mm(2), out[1] - look.mm(0.5), room, upward)

    # ---- what is done without leaving a state ------------------------------------------------------------------------

    def _draw_cards(self, canvas: Canvas) -> None:
        within = self.flow.within()
        after = [step for step in within if step.transition.sources == frozenset({S.FED_BACK})]
        always = [step for step in within if step not in after]
        left = self.box.x + (_BACK + 0.07) * self.box.width
        width = self.box.right - left
        bottom = self.spots[S.ARCHIVED].y + self.spots[S.ARCHIVED].half_h
        for title, steps in (
            (msg("反馈之后"), after),
            (msg("未结期间，随时"), always),
        ):
            if steps:
                bottom = self._card(canvas, Box(left, 0, width, bottom), self.speech.say(title), steps)
                bottom -= self.look.mm(3)

    def _card(self, canvas: Canvas, box: Box, title: str, steps: Sequence[FlowStep]) -> float:
        """A framed list that stands on the box's lower edge; its upper edge."""
        look = self.look
        inner, pad = box.width - look.mm(4), look.mm(1.5)
        said = []
        for step in steps:
            head, detail = self._said(step)
            said += wrapped(
                f"{head}：{detail}" if self.speech.language != "en" else f"{head}: {detail}",
                look.small,
                inner,
            )
        head_height, step_height = line_height(look.body) * 1.1, line_height(look.small)
        height = head_height + len(said) * step_height + 2 * pad
        y = box.bottom - height
        canvas.rectangle(
            box.x,
            y,
            box.width,
            height,
            line=look.mm(0.25),
            ink=QUIET,
            radius=look.mm(1),
            fill=WHITE,
            dash=(1, 0.7),
        )
        canvas.text(box.x + look.mm(2), y + pad + head_height / 2, title, look.body, bold=True, ink=INK)
        canvas.lines_of_text(box.x + look.mm(2), y + pad + head_height, said, look.small, ink=INK)
        return y


def limit_words(limit: Limit) -> Message:
    """A time limit as a wall says it."""
    if limit.at_once:
        return msg("立即")
    if limit.clock is Clock.HOURS:
        return msg("{n} 小时内", n=f"{limit.most:g}")
    if limit.clock is Clock.CALENDAR_DAYS:
        return msg("当天") if limit.most == 0 else msg("{n} 日内", n=f"{limit.most:g}")
    if limit.least is not None and limit.least != limit.most:
        return msg("{least}–{most} 个工作日内", least=f"{limit.least:g}", most=f"{limit.most:g}")
    return msg("{n} 个工作日内", n=f"{limit.most:g}")
