"""Past incidents: when, where and what people report in ninety days. Texts are made up and name nobody."""

from datetime import datetime, timedelta

import numpy as np
import shapely

from gis_server.sample.addresses import Addresses
from gis_server.sample.chance import rounded, stream
from gis_server.sample.settled import Settled
from gis_server.sample.tables import Table, texts

DAYS = 90

_ITEMS: tuple[tuple[str, float, bool, tuple[str, ...]], ...] = (
    # item (heilongjiang Table 1, taizhou App. A), weight, may be urgent, what is said
    ("消防隐患", 15, True, ("楼道堆放杂物，占用疏散通道", "电动车在楼道内充电", "消防栓箱门损坏，无法打开")),
    (
        "安全隐患",
        17,
        True,
        (
            "人行道井盖松动，车辆经过时有响声",
            "外墙面砖脱落，已临时围挡",
            "路灯不亮，夜间通行不便",
            "护栏缺失约两米",
        ),
    ),
    (
        "环境污染",
        14,
        False,
        ("垃圾清运不及时，有异味", "餐饮油烟直排，居民反映强烈", "雨污混流，路面积水发黑"),
    ),
    ("建筑施工噪声", 11, False, ("工地夜间施工，噪声较大", "午间装修噪声扰民")),
    ("食药安全", 6, False, ("小餐馆未公示许可信息", "商店货架有过期食品")),
    ("群租房管理", 6, False, ("出租房隔断居住，人员密集", "群租房内乱拉电线")),
    ("消防验收", 3, False, ("咨询商铺消防验收的办理流程",)),
    ("重大危险源", 2, True, ("液化气瓶存放点与住宅距离过近，建议排查",)),
    ("安全生产事故", 2, True, ("小型机械作业时碰断电缆，无人员受伤", "货物装卸时倾倒，已清理")),
    ("土地征收", 3, False, ("咨询征收补偿标准", "询问补偿款发放时间")),
    ("复耕复垦", 3, False, ("咨询复垦地块的验收时间",)),
    ("农宅管理", 4, False, ("咨询农房翻建手续", "反映邻地建房超出批准面积")),
    ("水源地污染", 3, True, ("水井附近有倾倒废液痕迹", "河道岸边堆放畜禽粪污")),
    ("证明办理", 5, False, ("咨询居住证明的办理材料",)),
    ("新兴媒体", 2, False, ("反映本地公众号发布不实停水消息",)),
    ("未经许可擅自开设劳务中介", 2, False, ("沿街门店无证介绍用工",)),
    ("器官捐献", 1, False, ("咨询器官捐献登记的办法",)),
)

_SOURCES = (
    ("patrol", 0.34),
    ("public", 0.30),
    ("regular_check", 0.16),
    ("home_visit", 0.1),
    ("handed_down", 0.06),
    ("assigned", 0.04),
)
_OPEN_STATES = ("recorded", "reported", "accepted", "dispatched", "taken_up", "completed")
_OPEN_SHARE = 0.03

# share of the day's incidents by hour: peaks at 9–11 and 15–17
_BY_HOUR = np.array(
    [1, 1, 1, 1, 1, 2, 4, 8, 14, 22, 22, 13, 8, 9, 14, 22, 21, 13, 9, 8, 6, 4, 3, 2], dtype=float
)


def _when(random: np.random.Generator, count: int, end: datetime) -> list[datetime]:
    """Sorted times in the DAYS days before ``end``; fewer at weekends."""
    first = end - timedelta(days=DAYS)
    days = [first + timedelta(days=d) for d in range(DAYS)]
    weight = np.array([0.7 if day.weekday() >= 5 else 1.0 for day in days])
    day = random.choice(DAYS, count, p=weight / weight.sum())
    hour = random.choice(24, count, p=_BY_HOUR / _BY_HOUR.sum())
    second = random.integers(0, 3600, count)
    offset = np.sort(day * 86400 + hour * 3600 + second)
    return [first + timedelta(seconds=int(s)) for s in offset]


def _states(random: np.random.Generator, when: list[datetime], end: datetime) -> list[str]:
    """97 in 100 archived; the open ones are mostly the latest."""
    count = len(when)
    age = np.array([(end - t).total_seconds() / 86400 for t in when])
    weight = np.exp(-age / 2.5) + 1e-3
    left_open = random.choice(count, round(_OPEN_SHARE * count), replace=False, p=weight / weight.sum())
    states = ["archived"] * count
    for i in left_open:
        # the older, the farther on its way
        k = int(np.clip(age[i] * 1.1 + random.uniform(-0.8, 0.8), 0, len(_OPEN_STATES) - 1))
        states[i] = _OPEN_STATES[k]
    return states


def _completed(
    random: np.random.Generator, recorded: list[datetime], states: list[str], end: datetime
) -> list[datetime | None]:
    """When each was settled: after some hours as a rule, after days now and then, always before ``end``."""
    hours = random.lognormal(np.log(14.0), 1.0, len(recorded))
    found: list[datetime | None] = []
    for began, state, took in zip(recorded, states, hours, strict=True):
        left = max((end - began).total_seconds(), 0.0)
        seconds = int(min(took * 3600, 0.9 * left))
        found.append(began + timedelta(seconds=seconds) if state in ("completed", "archived") else None)
    return found


def make_incidents(on: Settled, addresses: Addresses, count: int, end: datetime) -> Table:
    """``count`` incidents before ``end`` (aware), near addresses, with the grid and sub-grid they lay in."""
    random = stream(on.seed, "incidents")
    table = addresses.table
    weight = table["resident_households"].astype(float)
    at = random.choice(len(table), count, p=weight / weight.sum())
    x, y = shapely.get_x(table.geometry[at]), shapely.get_y(table.geometry[at])
    # addresses keep at least half a metre from the edge of their face
    turn = random.uniform(0, 2 * np.pi, count)
    place = shapely.points(rounded(x + 0.4 * np.cos(turn)), rounded(y + 0.4 * np.sin(turn)))
    when = _when(random, count, end)
    states = _states(random, when, end)
    share = np.array([item[1] for item in _ITEMS], dtype=float)
    kind = random.choice(len(_ITEMS), count, p=share / share.sum())
    urgent = [bool(_ITEMS[k][2] and u < 0.10) for k, u in zip(kind, random.random(count), strict=True)]
    says = [_ITEMS[k][3][int(r * len(_ITEMS[k][3]))] for k, r in zip(kind, random.random(count), strict=True)]
    wait = random.exponential(14.0, count)
    numbers = [f"S{serial:06d}" for serial in range(1, count + 1)]
    sources = random.choice([s for s, _ in _SOURCES], count, p=[p for _, p in _SOURCES])
    where = table["standard_address"][at]
    times, recorded, completed = (np.empty(count, dtype=object) for _ in range(3))
    times[:] = when
    recorded[:] = [t + timedelta(seconds=int(60 * w) + 60) for t, w in zip(when, wait, strict=True)]
    accuracy = np.round(random.gamma(3.0, 4.0, count) + 3.0, 1)
    completed[:] = _completed(random, recorded.tolist(), states, end)
    return Table(
        place,
        {
            "number": texts(numbers),
            "item": texts([_ITEMS[k][0] for k in kind]),
            "description": texts([f"{w}附近：{s}。" for w, s in zip(where, says, strict=True)]),
            "source": texts([str(s) for s in sources]),
            "state": texts(states),
            "is_urgent": np.array(urgent),
            "discovered_at": times,
            "recorded_at": recorded,
            "completed_at": completed,
            "accuracy_m": accuracy,
            "grid_code": table["grid_code"][at],
            "sub_grid_code": on.boundaries.sub_grid_codes[on.division.sub_grid[addresses.face[at]]],
        },
    )
