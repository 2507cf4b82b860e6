"""The scenes of a wall (大屏场景) as plain data: what each shows, and the tour that leads through them.

A scene answers one question of the hall with a map, its panels and a legend. Tours come from a TOML file or from the wall
manager's page; both are read by ``parse_tour``. Which scene stands when is decided by the server's clock alone
(``web/core/tour.js``), so that several screens of one wall agree without talking to each other.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from gis_server.core.message import Words, msg
from gis_server.core.toml_table import Table
from gis_server.core.vocabulary import Period, Term

MOST_SCENES = 20
MOST_PANELS = 4
"""Panels in one column of a wall: more would be too small to read from ten metres."""

SHORTEST_S = 5
LONGEST_S = 3_600
_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Panel(Term):
    """A panel of a scene, by the question that it answers."""

    OPEN = "open", "未结事件", "Open incidents"
    URGENT = "urgent", "紧急事件", "Urgent incidents"
    TODAY = "today", "今日", "Today"
    DUE = "due", "未结事件剩余时限", "Time left of open incidents"
    AGES = "ages", "未结事件已历时间", "Age of open incidents"
    STATES = "states", "未结事件所处环节", "Open incidents by state"
    HOURS = "hours", "近 24 小时上报", "Reported in the last 24 hours"
    WEEK = "week", "近 7 天上报与办结", "Reported and completed in 7 days"
    WEEKS = "weeks", "近 7 天与前 7 天", "This week and the week before"
    MONTH = "month", "近 30 天上报", "Reported in 30 days"
    BY_HOUR = "by_hour", "各时段上报", "Reported by hour of the day"
    TOWNS_TODAY = "towns_today", "各镇街今日上报与办结", "Today by township"
    TOWNS_REPORTED = "towns_reported", "各镇街近 30 天上报", "Reported in 30 days by township"
    TOWNS = "towns", "各镇街未结事件", "Open incidents by township"
    LATEST = "latest", "最新事件", "Latest incidents"
    BUSIEST = "busiest", "未结最多的网格", "Grids with most open incidents"
    REPORTED = "reported", "近 30 天上报最多的网格", "Grids with most reported in 30 days"
    OVERDUE = "overdue", "超期事件", "Overdue incidents"
    OVERDUE_LIST = "overdue_list", "超期最久的事件", "Longest overdue"
    ON_TIME = "on_time", "按期办结率", "Completed on time"
    COMPLETED = "completed", "网格办结月排名", "Grids by completions of a month"
    RANKING_WEEK = "ranking_week", "网格办结周排名", "Grids by completions of a week"
    RANKING_YEAR = "ranking_year", "网格办结年排名", "Grids by completions of a year"
    CAMERA_ONLINE = "camera_online", "视频监控在线率", "Cameras online"
    CAMERAS = "cameras", "视频监控状态", "Cameras by status"
    CAMERA_SITES = "camera_sites", "视频监控部位", "Cameras by site"
    CAMERA_TOWNS = "camera_towns", "各镇街视频监控", "Cameras by township"
    REPLAY = "replay", "近 24 小时回放", "Replay of 24 hours"
    REPLAY_COURSE = "replay_course", "24 小时累计上报与办结", "Reported and completed in 24 hours"


class GridColour(Term):
    """By what the grids of a scene are coloured."""

    PLAIN = "plain", "不着色", "plain"
    OPEN = "open", "未结事件数", "open incidents"
    OVERDUE = "overdue", "超期事件数", "overdue incidents"
    REPORTED = "reported", "近 30 天上报数", "reported in 30 days"
    COMPLETED = "completed", "月办结数（排名）", "completed in a month (ranking)"


RANKED = {
    Panel.RANKING_WEEK: Period.WEEK,
    Panel.COMPLETED: Period.MONTH,
    Panel.RANKING_YEAR: Period.YEAR,
}
"""The panels that rank grids, and the period of each."""


class Points(Term):
    """Which incidents a scene draws."""

    OPEN = "open", "未结事件", "open incidents"
    OVERDUE = "overdue", "超期事件", "overdue incidents"
    REPLAY = "replay", "近 24 小时回放", "replay of 24 hours"
    NONE = "none", "不显示", "none"


class Extent(Term):
    """Which part of the wall's area a scene shows."""

    WHOLE = "whole", "全域", "whole area"
    URBAN = "urban", "城区", "built-up part"
    EACH_TOWN = "each_town", "逐个镇街", "one township at a time"


@dataclass(frozen=True, slots=True)
class Scene:
    """One scene. It stands for ``seconds``; a scene of each township stands so long for every one of them."""

    key: str
    title: Words
    seconds: int
    extent: Extent
    colour: GridColour
    points: Points
    cameras: bool
    left: tuple[Panel, ...]
    right: tuple[Panel, ...]

    def as_json(self) -> dict[str, object]:
        """As ``parse_tour`` reads it."""
        return {
            "key": self.key,
            "title": {"zh": self.title.zh, "en": self.title.en},
            "seconds": self.seconds,
            "extent": self.extent,
            "colour": self.colour,
            "points": self.points,
            "cameras": self.cameras,
            "left": list(self.left),
            "right": list(self.right),
        }


@dataclass(frozen=True, slots=True)
class Tour:
    """The scenes of a wall in their order.

    An urgent incident takes the wall over for at most ``takeover_seconds``, or until it is acknowledged or accepted; 0 leaves
    the tour alone. ``sound`` lets the screen call as well.
    """

    scenes: tuple[Scene, ...]
    takeover_seconds: int
    sound: bool

    def as_json(self) -> dict[str, object]:
        """As ``parse_tour`` reads it."""
        return {
            "takeover_seconds": self.takeover_seconds,
            "sound": self.sound,
            "scenes": [scene.as_json() for scene in self.scenes],
        }


def parse_tour(content: object, file: str) -> Tour:
    """Check a tour and freeze it; CatalogueError names ``file``, the key and what is wrong with it."""
    table = Table(content, file)
    takeover = _between(table, "takeover_seconds", 0, LONGEST_S)
    sound = table.flag("sound", default=False)
    scenes = tuple(_scene(row) for row in table.tables("scenes"))
    table.done()
    if not 1 <= len(scenes) <= MOST_SCENES:
        raise table.wrong("scenes", msg("应有 1 到 {most} 个场景。", most=MOST_SCENES))
    keys = [scene.key for scene in scenes]
    if len(set(keys)) < len(keys):
        twice = next(key for key in keys if keys.count(key) > 1)
        raise table.wrong("scenes", msg("场景“{key}”出现了两次；每个场景的 key 应当唯一。", key=twice))
    return Tour(scenes, takeover, sound)


def _scene(table: Table) -> Scene:
    key = table.text("key")
    if not _KEY.fullmatch(key):
        raise table.wrong("key", msg("应以小写字母开头，只含小写字母、数字和下划线，至多 40 个字符。"))
    scene = Scene(
        key=key,
        title=_title(table),
        seconds=_between(table, "seconds", SHORTEST_S, LONGEST_S),
        extent=table.choice("extent", Extent, Extent.WHOLE),
        colour=table.choice("colour", GridColour, GridColour.PLAIN),
        points=table.choice("points", Points, Points.OPEN),
        cameras=table.flag("cameras", default=False),
        left=_panels(table, "left"),
        right=_panels(table, "right"),
    )
    table.done()
    twice = set(scene.left) & set(scene.right)
    if twice:
        raise table.wrong("right", msg("“{panel}”左右两栏各有一个。", panel=next(iter(twice)).message))
    return scene


def _title(table: Table) -> Words:
    title = table.words("title")
    for text in (title.zh, title.en):
        if not 1 <= len(text.strip()) <= 40 or not text.isprintable():
            raise table.wrong("title", msg("应为 1 到 40 个字的文字。"))
    return title


def _panels(table: Table, key: str) -> tuple[Panel, ...]:
    panels = table.choices(key, Panel)
    if len(panels) > MOST_PANELS or len(set(panels)) < len(panels):
        raise table.wrong(key, msg("一栏至多 {most} 个面板，且不重复。", most=MOST_PANELS))
    return panels


def _between(table: Table, key: str, least: int, most: int) -> int:
    value = table.integer(key)
    if not least <= value <= most:
        raise table.wrong(key, msg("应为 {least} 到 {most} 的整数。", least=least, most=most))
    return value


def for_periods(tour: Tour, periods: Collection[Period]) -> Tour:
    """The tour with the rankings of these periods only; a scene that is left with nothing to say goes.

    A tour keeps one scene at least, be it the map alone.
    """
    scenes = tuple(kept for scene in tour.scenes if (kept := _for_periods(scene, periods)) is not None)
    bare = replace(tour.scenes[0], colour=GridColour.PLAIN, left=(), right=())
    return replace(tour, scenes=scenes or (bare,))


def _for_periods(scene: Scene, periods: Collection[Period]) -> Scene | None:
    def kept(panels: tuple[Panel, ...]) -> tuple[Panel, ...]:
        return tuple(panel for panel in panels if panel not in RANKED or RANKED[panel] in periods)

    if scene.colour is GridColour.COMPLETED and Period.MONTH not in periods:
        return None
    left, right = kept(scene.left), kept(scene.right)
    is_emptied = (scene.left or scene.right) and not (left or right)
    return None if is_emptied else replace(scene, left=left, right=right)


def choices_json(language: str, periods: Collection[Period]) -> Mapping[str, list[dict[str, str]]]:
    """What a scene may be made of, for the page that edits scenes; rankings by these periods only."""
    kinds: dict[str, type[Term]] = {"panel": Panel, "colour": GridColour, "points": Points, "extent": Extent}
    without = {panel.value for panel, period in RANKED.items() if period not in periods}
    return {
        name: [
            {"value": term.value, "title": term.words.said(language)}
            for term in kind
            if term.value not in without or kind not in (Panel, GridColour)
        ]
        for name, kind in kinds.items()
    }
