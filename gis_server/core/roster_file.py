"""A roster as people keep it in a list: one row a post, read into people and postings.

Every row is judged by itself, and all rows are judged before one is refused: a list is corrected once, not once a row.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, tzinfo
from typing import Any, TypeVar

from gis_server.core.bulk_intake import Cells
from gis_server.core.errors import UnusableInput
from gis_server.core.features import RowProblem
from gis_server.core.message import Message, Words, msg
from gis_server.core.roster import LeaderLevel, Person, Post, Posting, Roster, WorkerKind, WorkerLevel
from gis_server.core.values import plain
from gis_server.core.vocabulary import InstructorSource, LeaderPost, Term

MOST_ROWS = 50_000
"""Rows of one roster: five posts for each of 10,000 grids (our number)."""

LONGEST = 100
_PHONE = re.compile(r"\+?[0-9][0-9 \-]{4,18}[0-9]")
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?: 00:00:00)?")

T = TypeVar("T", bound=Term)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list: its title, other names people give it, what goes in, and whether it must be there."""

    title: Words
    aliases: tuple[str, ...] = ()
    hint: Message | None = None
    required: bool = False


COLUMNS: Mapping[str, Column] = {
    "staff_no": Column(
        Words("工号", "Staff number"), ("人员编号", "staff_no"), msg("同一人各行一致；没有可空")
    ),
    "name": Column(Words("姓名", "Name"), ("名字", "name"), required=True),
    "phone": Column(Words("电话", "Phone"), ("联系电话", "手机", "手机号", "phone"), msg("可空")),
    "post": Column(
        Words("岗位", "Post"),
        ("职务", "岗位名称", "post"),
        msg(
            "网格长、一级网格长、专职网格员、兼职网格员、专业网格员、专属网格员、网格指导员、网格业务指导员、楼栋长等"
        ),
        required=True,
    ),
    "code": Column(
        Words("网格或区划编码", "Grid or area code"),
        ("网格编码", "编码", "负责范围", "code", "grid_code"),
        msg("网格，或社区(村)、乡镇(街道)、县(市、区)的编码"),
        required=True,
    ),
    "worker_level": Column(
        Words("网格员级别", "Worker level"), ("级别", "worker_level"), msg("一级、二级或三级网格员；可空")
    ),
    "community_post": Column(
        Words("身份", "Community post"),
        ("社区职务", "community_post"),
        msg("网格长在社区(村)的职务，例如社区(村)书记；可空"),
    ),
    "source": Column(
        Words("指导员来源", "Instructor from"), ("来源", "source"), msg("乡镇(街道)干部或职能部门干部；可空")
    ),
    "unit": Column(
        Words("所属单位", "Unit"), ("单位", "派出单位", "unit"), msg("专业网格员、专属网格员必填")
    ),
    "certified": Column(Words("持证", "Certified"), ("持证上岗", "certified"), msg("是或否；可空")),
    "declared_on": Column(Words("资格审查日期", "Vetted on"), ("审查日期", "declared_on"), msg("日期；可空")),
    "stands_in_for": Column(
        Words("代谁履职", "Stands in for"), ("代班", "代理", "stands_in_for"), msg("被代者的工号或姓名；可空")
    ),
    "valid_from": Column(
        Words("到岗日期", "From"), ("任职日期", "开始日期", "valid_from"), msg("日期；空为花名册生效时")
    ),
    "valid_to": Column(
        Words("离岗日期", "Until"), ("离任日期", "结束日期", "valid_to"), msg("日期，当日起不在岗；可空")
    ),
}
"""The columns of the list in the order of the template."""


@dataclass(frozen=True, slots=True)
class RosterFile:
    """What a list says: the roster with ids of its own, and what is wrong with rows. A row with a problem is not in it."""

    roster: Roster
    problems: tuple[RowProblem, ...]


class _BadCellError(Exception):
    def __init__(self, field: str, message: Message) -> None:
        super().__init__(field)
        self.field = field
        self.message = message


def parse_roster(cells: Cells, *, on: datetime, zone: tzinfo, codes: Collection[str]) -> RosterFile:
    """Read a list that is to be in force from ``on`` on; dates are days of ``zone``, ``codes`` the grids and areas there are.

    Raises UnusableInput for a list without the required columns or with too many rows; everything else is a problem of its row.
    """
    if len(cells.rows) > MOST_ROWS:
        raise UnusableInput(
            msg("花名册超过 {most} 行的上限。", most=MOST_ROWS),
            field="file",
            expected=msg("不超过 {most} 行", most=MOST_ROWS),
        )
    places = _columns(cells.names)
    reading = _Reading(on, zone, frozenset(codes))
    for at, row in enumerate(cells.rows):
        given = {name: _text(row, place) for name, place in places.items()}
        if (ruined := cells.ruined.get(at)) is not None:
            reading.problem(cells.numbers[at], None, ruined)
        else:
            reading.read(cells.numbers[at], given)
    return reading.finish()


def _columns(names: Sequence[str]) -> dict[str, int]:
    by_word = {plain(name): place for place, name in reversed(list(enumerate(names)))}
    found = {}
    for key, column in COLUMNS.items():
        words = (key, column.title.zh, column.title.en, *column.aliases)
        place = next((by_word[plain(word)] for word in words if plain(word) in by_word), None)
        if place is not None:
            found[key] = place
        elif column.required:
            raise UnusableInput(
                msg("花名册缺少“{column}”一列；现有列：{known}。", column=column.title, known=tuple(names)),
                field="file",
                expected=msg("“{column}”一列", column=column.title),
            )
    return found


def _text(row: Sequence[str], place: int) -> str:
    text = row[place] if place < len(row) else ""
    return " ".join(text.replace("\x00", "").replace("\ufeff", "").split())


@dataclass(slots=True)
class _Reading:
    """The list so far."""

    on: datetime
    zone: tzinfo
    codes: frozenset[str]
    people: dict[tuple[str, str, str], Person] = field(default_factory=dict)
    postings: list[Posting] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    stand_ins: dict[int, str] = field(default_factory=dict)
    problems: list[RowProblem] = field(default_factory=list)

    def problem(self, number: int, name: str | None, message: Message) -> None:
        self.problems.append(
            RowProblem(
                number, name, msg("第 {row} 行：{problem}。", row=number, problem=message), rejected=True
            )
        )

    def read(self, number: int, given: Mapping[str, str]) -> None:
        try:
            posting = self._posting(given)
        except _BadCellError as bad:
            self.problem(number, bad.field, bad.message)
            return
        if given.get("stands_in_for"):
            self.stand_ins[len(self.postings)] = given["stands_in_for"]
        self.postings.append(replace(posting, id=len(self.postings) + 1))
        self.rows.append(number)

    def _posting(self, given: Mapping[str, str]) -> Posting:
        post, leader_level, worker_kind = _post(given)
        unit = _short(given, "unit")
        if worker_kind in (WorkerKind.PROFESSIONAL, WorkerKind.EXCLUSIVE) and unit is None:
            raise _BadCellError("unit", msg("{post}须写明所属单位", post=worker_kind.message))
        code = given["code"]
        if code not in self.codes:
            sentence = msg("没有编码为 {code} 的网格或区划", code=code) if code else msg("没有写编码")
            raise _BadCellError("code", sentence)
        began, ends = self._time(given, "valid_from") or self.on, self._time(given, "valid_to")
        if ends is not None and ends <= max(began, self.on):
            raise _BadCellError("valid_to", msg("离岗日期应晚于到岗日期和花名册的生效日期"))
        return Posting(
            id=0,
            person_id=self._person(given).id,
            post=post,
            code=code,
            valid_from=began,
            valid_to=ends,
            leader_level=leader_level,
            worker_kind=worker_kind,
            worker_level=_term(given, "worker_level", WorkerLevel),
            community_post=_term(given, "community_post", LeaderPost, _COMMUNITY_POSTS),
            source=_term(given, "source", InstructorSource),
            unit=unit,
            certified=_flag(given, "certified"),
            declared_on=_day(given, "declared_on"),
        )

    def _person(self, given: Mapping[str, str]) -> Person:
        name, phone, staff_no = _short(given, "name"), _short(given, "phone"), _short(given, "staff_no")
        if name is None:
            raise _BadCellError("name", msg("没有写姓名"))
        if phone is not None and not _PHONE.fullmatch(phone):
            raise _BadCellError("phone", msg("电话不是号码"))
        key = (staff_no, "", "") if staff_no is not None else ("", name, phone or "")
        person = self.people.setdefault(key, Person(len(self.people) + 1, name, phone, staff_no))
        if person.name != name or phone not in (None, person.phone):
            raise _BadCellError("staff_no", msg("工号 {no} 在前面的行是另一人，或电话不同", no=staff_no))
        return person

    def _time(self, given: Mapping[str, str], name: str) -> datetime | None:
        day = _day(given, name)
        return None if day is None else datetime.combine(day, time(), self.zone)

    def finish(self) -> RosterFile:
        """Settle what a row alone cannot tell: who stands in for whom, and posts that stand there twice."""
        self._settle_stand_ins()
        seen: dict[tuple[object, ...], Posting] = {}
        kept = []
        for number, posting in zip(self.rows, self.postings, strict=True):
            key = (posting.person_id, posting.post, posting.worker_kind, posting.code, posting.stands_in_for)
            if (other := seen.get(key)) is not None and _overlap(posting, other):
                self.problem(number, None, msg("同一人在同一处的同一岗位重复"))
                continue
            seen[key] = posting
            kept.append(posting)
        problems = tuple(sorted(self.problems, key=lambda problem: problem.row))
        return RosterFile(Roster(kept, {person.id: person for person in self.people.values()}), problems)

    def _settle_stand_ins(self) -> None:
        by_word: dict[str, set[int]] = {}
        for person in self.people.values():
            for word in (person.staff_no, person.name):
                if word is not None:
                    by_word.setdefault(word, set()).add(person.id)
        for at, word in self.stand_ins.items():
            posting, number = self.postings[at], self.rows[at]
            # of several with that name it is the one who holds a post there
            found = by_word.get(word, set()) - {posting.person_id}
            here = {p.person_id for p in self.postings if p.code == posting.code and p.person_id in found}
            if len(here or found) != 1:
                self.problem(number, "stands_in_for", msg("找不到被代者，或不止一人，请写工号"))
                continue
            (other,) = here or found
            self.postings[at] = replace(posting, stands_in_for=other)
        failed = {problem.row for problem in self.problems}
        kept = [(n, p) for n, p in zip(self.rows, self.postings, strict=True) if n not in failed]
        self.rows, self.postings = [n for n, _ in kept], [p for _, p in kept]


def _overlap(one: Posting, other: Posting) -> bool:
    starts_before_end = other.valid_to is None or one.valid_from < other.valid_to
    return starts_before_end and (one.valid_to is None or other.valid_from < one.valid_to)


def _short(given: Mapping[str, str], name: str) -> str | None:
    text = given.get(name, "")
    if len(text) > LONGEST or not text.isprintable():
        raise _BadCellError(name, msg("“{column}”过长或含有不能保存的字符", column=COLUMNS[name].title))
    return text or None


_TITLES: Mapping[str, Term] = {
    plain(word): term
    for kind in (WorkerKind, LeaderLevel, Post)
    for term in kind
    for word in (term.value, term.words.zh, term.words.en)
}
_LEVEL_WORDS: Mapping[str, WorkerLevel] = dict(zip(("一级", "二级", "三级"), WorkerLevel, strict=True))
_COMMUNITY_POSTS: Mapping[str, LeaderPost] = {
    **dict.fromkeys(("书记", "社区书记", "村书记", "党支部书记"), LeaderPost.COMMUNITY_SECRETARY),
    **dict.fromkeys(
        ("主任", "居委会主任", "村委会主任", "社区主任", "村主任"), LeaderPost.COMMUNITY_DIRECTOR
    ),
    "站长": LeaderPost.STATION_HEAD,
    **dict.fromkeys(("委员", "副书记", "副主任"), LeaderPost.NON_CHIEF_COMMITTEE_MEMBER),
    **dict.fromkeys(("两委成员", "组成人员"), LeaderPost.COMMITTEE_MEMBER),
}


def _post(given: Mapping[str, str]) -> tuple[Post, LeaderLevel | None, WorkerKind | None]:
    text = given["post"]
    term = _TITLES.get(plain(text))
    if isinstance(term, WorkerKind):
        return Post.GRID_WORKER, None, term
    if isinstance(term, LeaderLevel):
        return Post.GRID_LEADER, term, None
    if term is Post.GRID_WORKER:
        raise _BadCellError("post", msg("网格员须写明类别，例如专职网格员"))
    if isinstance(term, Post):
        return term, None, None
    known = tuple(one.message for one in (*WorkerKind, *LeaderLevel, *Post) if one is not Post.GRID_WORKER)
    sentence = (
        msg("岗位“{given}”不认识，可用：{known}", given=text, known=known) if text else msg("没有写岗位")
    )
    raise _BadCellError("post", sentence)


def _term(
    given: Mapping[str, str], name: str, kind: type[T], others: Mapping[str, T] | None = None
) -> T | None:
    text = given.get(name, "")
    if not text:
        return None
    for term in kind:
        if plain(text) in (plain(term.value), plain(term.words.zh), plain(term.words.en)):
            return term
    more: Mapping[str, Any] = others or (_LEVEL_WORDS if kind is WorkerLevel else {})
    if text in more:
        found: T = more[text]
        return found
    raise _BadCellError(
        name,
        msg(
            "“{column}”的“{given}”不认识，可用：{known}",
            column=COLUMNS[name].title,
            given=text[:LONGEST],
            known=tuple(term.message for term in kind),
        ),
    )


def _flag(given: Mapping[str, str], name: str) -> bool | None:
    text = plain(given.get(name, ""))
    if text in ("", "是", "有", "yes", "true", "1"):
        return True if text else None
    if text in ("否", "无", "no", "false", "0"):
        return False
    raise _BadCellError(name, msg("“{column}”应为是或否", column=COLUMNS[name].title))


def _day(given: Mapping[str, str], name: str) -> date | None:
    text = given.get(name, "")
    if not text:
        return None
    match = _DATE.fullmatch(text)
    try:
        if match is not None:
            return date(*(int(part) for part in match.groups()))
    except ValueError:
        pass
    raise _BadCellError(name, msg("“{column}”应为日期，例如 2026-03-01", column=COLUMNS[name].title))
