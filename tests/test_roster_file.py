"""A roster as a list: what is read, and the sentence of every row that cannot be."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis_server.core.bulk_intake import Cells
from gis_server.core.errors import UnusableInput
from gis_server.core.roster import LeaderLevel, Post, WorkerKind, WorkerLevel
from gis_server.core.roster_file import COLUMNS, RosterFile, parse_roster
from gis_server.core.vocabulary import InstructorSource, LeaderPost

CHINA = ZoneInfo("Asia/Shanghai")
ON = datetime(2026, 3, 1, tzinfo=CHINA)
CODES = ("230881001001001", "230881001001002", "230881001001", "230881001")
HEAD = ("姓名", "岗位", "网格编码", "电话")
G1, G2 = CODES[:2]


def parsed(*rows: tuple[str, ...], head: tuple[str, ...] = HEAD) -> RosterFile:
    cells = Cells(head, tuple(range(2, len(rows) + 2)), tuple(rows))
    return parse_roster(cells, on=ON, zone=CHINA, codes=CODES)


def complaints(*rows: tuple[str, ...], head: tuple[str, ...] = HEAD) -> list[str]:
    return [str(problem.message) for problem in parsed(*rows, head=head).problems]


def test_a_whole_row() -> None:
    head = tuple(column.title.zh for column in COLUMNS.values())
    row = (
        "W7",
        "韩川",
        "10400000001",
        "专业网格员",
        G1,
        "二级",
        "",
        "",
        "市住建局",
        "是",
        "2026-02-03",
        "",
        "2026/1/5",
        "2026年9月1日",
    )
    found = parsed(row, head=head)
    assert found.problems == ()
    (posting,) = found.roster.postings
    assert (posting.post, posting.worker_kind, posting.worker_level) == (
        Post.GRID_WORKER,
        WorkerKind.PROFESSIONAL,
        WorkerLevel.LEVEL_2,
    )
    assert (posting.unit, posting.certified, posting.declared_on) == ("市住建局", True, date(2026, 2, 3))
    assert posting.valid_from == datetime(2026, 1, 4, 16, tzinfo=UTC)
    assert posting.valid_to == datetime(2026, 8, 31, 16, tzinfo=UTC)
    (person,) = found.roster.people.values()
    assert (person.name, person.phone, person.staff_no) == ("韩川", "10400000001", "W7")


def test_posts_by_every_name() -> None:
    names = [
        "总网格长",
        "level_1_grid_leader",
        "三级网格长",
        "网格长",
        "Grid instructor",
        "ＢＵＩＬＤＩＮＧ＿leader",
    ]
    found = parsed(*((f"甲{n}", name, G1, "") for n, name in enumerate(names)))
    assert found.problems == ()
    assert [(p.post, p.leader_level) for p in found.roster.postings] == [
        (Post.GRID_LEADER, LeaderLevel.CHIEF),
        (Post.GRID_LEADER, LeaderLevel.LEVEL_1),
        (Post.GRID_LEADER, LeaderLevel.LEVEL_3),
        (Post.GRID_LEADER, None),
        (Post.GRID_INSTRUCTOR, None),
        (Post.BUILDING_LEADER, None),
    ]


def test_words_for_community_posts_and_sources() -> None:
    head = (*HEAD, "身份", "指导员来源")
    found = parsed(
        ("甲", "网格长", G1, "", "村书记", ""),
        ("乙", "网格指导员", G1, "", "", "职能部门干部"),
        ("丙", "网格长", G2, "", "副主任", ""),
        head=head,
    )
    assert [p.community_post for p in found.roster.postings] == [
        LeaderPost.COMMUNITY_SECRETARY,
        None,
        LeaderPost.NON_CHIEF_COMMITTEE_MEMBER,
    ]
    assert found.roster.postings[1].source is InstructorSource.DEPARTMENT_CADRE


def test_a_person_in_two_rows_is_one_person() -> None:
    found = parsed(("甲", "网格长", G1, "10400000001"), ("甲", "网格长", G2, "10400000001"))
    assert len(found.roster.people) == 1
    others = parsed(("甲", "网格长", G1, "10400000001"), ("甲", "网格长", G2, "10400000002"))
    assert len(others.roster.people) == 2


def test_a_stand_in_finds_the_one_he_stands_in_for() -> None:
    head = (*HEAD, "代谁履职")
    found = parsed(
        ("甲", "专职网格员", G1, "", ""),
        ("甲", "网格长", G2, "10400000009", ""),
        ("乙", "专职网格员", G1, "", "甲"),
        head=head,
    )
    assert found.problems == ()
    first, _, stand_in = found.roster.postings
    assert stand_in.stands_in_for == first.person_id  # the one of that name who holds a post there
    assert complaints(("乙", "专职网格员", G1, "", "无此人"), head=head) == [
        "第 2 行：找不到被代者，或不止一人，请写工号。"
    ]


BAD = [
    (("甲", "网格员", G1), "网格员须写明类别"),
    (("甲", "保安", G1), "岗位“保安”不认识"),
    (("甲", "", G1), "没有写岗位"),
    (("", "网格长", G1), "没有写姓名"),
    (("甲", "网格长", "230881001001009"), "没有编码为 230881001001009 的网格或区划"),
    (("甲", "网格长", ""), "没有写编码"),
    (("甲", "专业网格员", G1), "专业网格员须写明所属单位"),
    (("甲", "网格长", G1, "请打办公室"), "电话不是号码"),
    (("甲" * 101, "网格长", G1), "过长"),
]


@pytest.mark.parametrize(("row", "reason"), BAD)
def test_a_row_that_cannot_be_used_says_why(row: tuple[str, ...], reason: str) -> None:
    (complaint,) = complaints(row)
    assert complaint.startswith("第 2 行：")
    assert reason in complaint


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("持证", "或许", "应为是或否"),
        ("离岗日期", "2026-02-30", "应为日期"),
        ("离岗日期", "2026-03-01", "离岗日期应晚于"),
        ("到岗日期", "明天", "应为日期"),
        ("网格员级别", "九级", "可用：一级网格员"),
    ],
)
def test_a_cell_that_cannot_be_used_says_why(column: str, value: str, reason: str) -> None:
    (complaint,) = complaints(("甲", "网格长", G1, "", value), head=(*HEAD, column))
    assert reason in complaint


def test_all_rows_are_judged_before_one_is_refused() -> None:
    found = parsed(("甲", "保安", G1), ("乙", "网格长", G1), ("丙", "网格长", "9"))
    assert [problem.row for problem in found.problems] == [2, 4]
    assert len(found.roster.postings) == 1


def test_the_same_post_twice_is_told() -> None:
    assert complaints(("甲", "网格长", G1), ("甲", "网格长", G1)) == [
        "第 3 行：同一人在同一处的同一岗位重复。"
    ]
    assert complaints(("甲", "网格长", G1), ("甲", "专职网格员", G1)) == []


def test_a_staff_number_is_one_person() -> None:
    head = (*HEAD, "工号")
    assert complaints(("甲", "网格长", G1, "", "7"), ("乙", "网格长", G2, "", "7"), head=head) == [
        "第 3 行：工号 7 在前面的行是另一人，或电话不同。"
    ]


def test_a_list_without_a_needed_column_is_no_roster() -> None:
    with pytest.raises(UnusableInput, match="缺少“岗位”一列") as refused:
        parsed(("甲", G1), head=("姓名", "网格编码"))
    assert refused.value.field == "file"


@given(st.lists(st.tuples(*[st.text(max_size=8)] * len(COLUMNS)), max_size=5))
def test_no_list_breaks_the_reader(rows: list[tuple[str, ...]]) -> None:
    """Every row is either in the roster or has a problem."""
    found = parsed(*rows, head=tuple(COLUMNS))
    assert len(found.roster.postings) + len({problem.row for problem in found.problems}) == len(rows)
