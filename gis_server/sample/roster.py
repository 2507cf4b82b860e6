"""The roster of the sample city: made-up people for every grid and area, by the rules of heilongjiang 7.

Names are composed at random. Phone numbers begin with 104: in China's numbering plan a mobile number has 3 to 9 as its
second digit, so that nobody can have one of these.
"""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from gis_server.core.roster import LeaderLevel, Post, WorkerKind, WorkerLevel
from gis_server.core.vocabulary import LeaderPost
from gis_server.sample.chance import stream
from gis_server.sample.tables import Table

FIRST_PHONE = 10_400_000_000

_FAMILIES = tuple("赵钱孙周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜谢邹苏潘葛范彭鲁韦马苗方任袁柳")
_GIVEN = tuple(
    "安柏晨初川丹帆枫歌谷海禾弘嘉简涧景靖可岚黎林陵鹿满牧南宁沛朴乔晴然若山书松棠田望雯夕溪晓星岩言一宜屿远云哲之舟竹"
)
_DEPARTMENTS = (
    "市住房和城乡建设局",
    "市公安局",
    "市市场监督管理局",
    "市应急管理局",
    "市民政局",
    "市生态环境局",
    "市人力资源和社会保障局",
    "市水务局",
)
_WITHOUT_LEADER = 40
"""Of so many grids one has no leader: a list without any vacancy would show nothing."""

Row = dict[str, str]


def make_roster(seed: int, area: Table, grid: Table) -> list[Row]:
    """Rows of a roster by field (``core.roster_file.COLUMNS``): of the county, the townships, the communities, the grids."""
    random = stream(seed, "roster")
    people = _people(random)
    level = dict(zip(area["area_code"].tolist(), area["admin_level"].tolist(), strict=True))
    county = next(code for code, name in level.items() if name == "county")
    towns = [code for code, name in level.items() if name == "township"]
    communities = [code for code, name in level.items() if name == "community"]
    return [
        *_of_county(people, county, towns, communities),
        *_of_towns(people, towns, communities),
        *_of_grids(random, people, grid),
    ]


def _people(random: np.random.Generator) -> Iterator[Row]:
    """People without end: a number, a name that nobody else in the list has, and a phone that nobody can have."""
    pairs = [family + given for family, given in product(_FAMILIES, _GIVEN)]
    number = 0
    for second in ("", *_GIVEN):
        for k in random.permutation(len(pairs)):
            number += 1
            yield {
                "staff_no": f"YL{number:05d}",
                "name": pairs[k] + second,
                "phone": str(FIRST_PHONE + number),
            }


def _post(person: Row, post: str, code: str, **more: str) -> Row:
    return {**person, "post": post, "code": code, **more}


def _leader(level: LeaderLevel) -> str:
    return level.words.zh


def _of_county(
    people: Iterator[Row], county: str, towns: Sequence[str], communities: Sequence[str]
) -> Iterator[Row]:
    """The chief leader, and county leaders who share out the townships and all communities (heilongjiang 7.2.2)."""
    yield _post(next(people), _leader(LeaderLevel.CHIEF), county, unit="市人民政府")
    leaders = [next(people) for _ in range(max(len(towns), len(communities) // 2))]
    for k, person in enumerate(leaders):
        linked = [*towns[k : k + 1], *communities[k :: len(leaders)]]
        for code in linked:
            yield _post(person, _leader(LeaderLevel.LEVEL_1), code, unit="市人民政府")


def _of_towns(people: Iterator[Row], towns: Sequence[str], communities: Sequence[str]) -> Iterator[Row]:
    """Township leaders with their own township and a community each, and a member of staff (7.2.3, 7.3.3)."""
    for town in towns:
        own = [code for code in communities if code.startswith(town)]
        for community in own[:3]:
            person = next(people)
            yield _post(person, _leader(LeaderLevel.LEVEL_2), town)
            yield _post(person, _leader(LeaderLevel.LEVEL_2), community)
        yield _post(
            next(people),
            WorkerKind.FULL_TIME.words.zh,
            town,
            worker_level=WorkerLevel.LEVEL_2.words.zh,
            certified="是",
        )


def _of_grids(random: np.random.Generator, people: Iterator[Row], grid: Table) -> Iterator[Row]:
    rows: dict[str, list[int]] = {}
    for k, community in enumerate(grid["community_code"].tolist()):
        rows.setdefault(community, []).append(k)
    number = 0
    for community in sorted(rows):
        own = sorted(rows[community], key=lambda k: str(grid["grid_code"][k]))
        department = _DEPARTMENTS[int(random.integers(len(_DEPARTMENTS)))]
        sent = next(people)
        heads = [next(people) for _ in range(min(3, len(own)))]
        for place, k in enumerate(own):
            number += 1
            code = str(grid["grid_code"][k])
            yield from _of_grid(random, people, code, grid["managing_department"][k], grid["host_units"][k])
            yield _post(sent, WorkerKind.PROFESSIONAL.words.zh, code, unit=department)
            if number % _WITHOUT_LEADER:
                post = tuple(LeaderPost)[place % len(heads)]  # secretary, director, station head
                yield _post(
                    heads[place % len(heads)],
                    _leader(LeaderLevel.LEVEL_3),
                    code,
                    community_post=post.words.zh,
                )


def _of_grid(
    random: np.random.Generator, people: Iterator[Row], code: str, department: object, host: object
) -> Iterator[Row]:
    """The grid's own staff (7.3.1): one full-time worker, some part-time ones; of an exclusive grid the host's people."""
    third = {"worker_level": WorkerLevel.LEVEL_3.words.zh}
    belongs = {} if host is None else {"unit": str(host)}
    full_time = next(people)
    yield _post(full_time, WorkerKind.FULL_TIME.words.zh, code, certified="是", **third, **belongs)
    if random.random() < 0.02:
        away = _post(next(people), WorkerKind.FULL_TIME.words.zh, code, certified="是", **third)
        yield away | {"stands_in_for": full_time["staff_no"]}
    for _ in range(int(random.integers(0, 4))):
        yield _post(next(people), WorkerKind.PART_TIME.words.zh, code, **third, **belongs)
    if department is not None:
        yield _post(next(people), WorkerKind.PROFESSIONAL.words.zh, code, unit=str(department))
    if random.random() < 0.3:
        yield _post(next(people), Post.BUILDING_LEADER.words.zh, code)
