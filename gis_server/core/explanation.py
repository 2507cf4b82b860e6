"""The record of a routing decision as sentences for people."""

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any

from gis_server.core.answering import DEPARTMENT, Rung, UnitReason
from gis_server.core.coverage.rules import BRIEF
from gis_server.core.datum import Datum
from gis_server.core.decision import RouteRule
from gis_server.core.message import Message, msg
from gis_server.core.responsible import title_of
from gis_server.core.roster import Person

Record = Mapping[str, Any]
Names = Mapping[str, str]
"""Names of grids, sub-grids and areas by code."""


def sentences(
    record: Record, names: Names, people: Mapping[int, Person] | None, zone: tzinfo
) -> tuple[Message, ...]:
    """What was decided, by which rule and why, in order; people by name only with ``people`` (the internal tier).

    Times are told in ``zone``.
    """
    told = [_by_what(record, zone), _where(record, names)]
    told += _staff(record, people)
    told += _managers(record, names, people)
    told += [_unit(record, names), _ground(record)]
    return tuple(told)


def since_then(then: str | None, now: str | None) -> Message | None:
    """What to add when the place has another grid by now; None when it has the same (S19)."""
    if then == now:
        return None
    if now is None:
        return msg("该点现在不在任何网格内。")
    return msg("该点现在属于网格 {code}。", code=now)


def _by_what(record: Record, zone: tzinfo) -> Message:
    given, numbers = record["input"], record["generations"]
    said = {
        "lon": round(given["lon"], 6),
        "lat": round(given["lat"], 6),
        "datum": _DATUM[given["datum"]],
        "at": datetime.fromisoformat(given["at"]).astimezone(zone).strftime("%Y-%m-%d %H:%M"),
    }
    if "roster" in numbers:
        return msg(
            "坐标 {lon}，{lat}（{datum}），按 {at} 生效的第 {grid} 代网格和第 {roster} 代花名册判定。",
            **said,
            grid=numbers["grid"],
            roster=numbers["roster"],
        )
    return msg(
        "坐标 {lon}，{lat}（{datum}），按 {at} 生效的第 {grid} 代网格判定；当时没有花名册。",
        **said,
        grid=numbers["grid"],
    )


_DATUM = {
    Datum.WGS84.value: "WGS 84",
    Datum.CGCS2000.value: "CGCS2000",
    Datum.GCJ02.value: "GCJ-02",
    Datum.BD09.value: "BD-09",
}


def _where(record: Record, names: Names) -> Message:
    route = record["route"]
    code, distance = route["grid_code"], route["distance_m"]
    grid = None if code is None else _named(code, names)
    match RouteRule(route["rule"]):
        case RouteRule.LOWER_CODE:
            return msg(
                "该点在网格 {codes} 的公共边界上，归编码最小的{grid}。",
                codes=tuple(route["shared_by"]),
                grid=grid,
            )
        case RouteRule.BORDER:
            return msg(
                "该点在{grid}内，距其边界 {distance} 米，在定位精度 {accuracy} 米之内；可能的网格：{candidates}。",
                grid=grid,
                distance=distance,
                accuracy=record["input"]["accuracy_m"],
                candidates=tuple(_candidate(one) for one in route["candidates"]),
            )
        case RouteRule.NEAR:
            return msg(
                "该点在所有网格之外，距最近的{grid} {distance} 米，不超过 {reach} 米，归该网格。",
                grid=grid,
                distance=distance,
                reach=route["reach_m"],
            )
        case RouteRule.OUTSIDE:
            return msg("该点不在任何网格内，距最近的网格 {distance} 米。", distance=distance)
        case RouteRule.INSIDE:
            return msg("该点在{grid}内，距其边界 {distance} 米。", grid=grid, distance=distance)


def _candidate(one: Mapping[str, Any]) -> Message:
    return msg("{code}（{share}%）", code=one["grid_code"], share=round(100 * one["share"], 1))


def _named(code: str, names: Names) -> Message:
    name = names.get(code)
    if name is None:
        return msg("网格 {code}", code=code)
    return msg("网格“{name}”（{code}）", name=name, code=code)


def _staff(record: Record, people: Mapping[int, Person] | None) -> Iterator[Message]:
    staff = record["staff"]
    if record["route"]["grid_code"] is None:
        return
    if staff["vacant"]:
        yield msg("空缺的岗位：{posts}。", posts=tuple(Rung(one).message for one in staff["vacant"]))
    if staff["chosen"] is None:
        yield msg("花名册上没有可以负责的人。")
        return
    chosen = staff["chosen"]
    yield msg("由{who}负责。", who=_who(chosen, people))
    if chosen["stands_in_for"] is not None:
        other = None if people is None else people.get(chosen["stands_in_for"])
        if other is None:
            yield msg("此人代他人履职。")
        else:
            yield msg("此人代{name}履职。", name=other.name)


def _who(posting: Mapping[str, Any], people: Mapping[int, Person] | None) -> Message:
    person = None if people is None else people.get(posting["person_id"])
    title = title_of(posting).message
    if person is None:
        return title
    return msg("{title}{name}", title=title, name=person.name)


def _managers(record: Record, names: Names, people: Mapping[int, Person] | None) -> Iterator[Message]:
    """Both managers of an exclusive grid (zhenjiang 9(2))."""
    for manager in record["managers"]:
        posting = manager["posting"]
        if manager["mode"] == DEPARTMENT:
            unit = manager["unit"] or msg("（未登记主管部门）")
            sentence = msg("双重管理的职能部门：{unit}。", unit=unit)
        else:
            code = manager["code"]
            unit = msg("（未登记属地）") if code is None else names.get(code, code)
            sentence = msg("双重管理的属地：{unit}。", unit=unit)
        yield sentence
        if posting is not None and people is not None:
            yield msg("{unit}由{who}管理。", unit=unit, who=_who(posting, people))


def _unit(record: Record, names: Names) -> Message:
    unit = record["unit"]
    code = unit["code"]
    name = msg("县(市、区)网格化机构") if code is None else names.get(code, code)
    match UnitReason(unit["reason"]):
        case UnitReason.NO_GRID:
            return msg("进入{unit}的“无网格”队列。", unit=name)
        case UnitReason.NOBODY:
            return msg("网格及各级均无在岗人员，由{unit}负责。", unit=name)
        case UnitReason.ITS_GRID:
            return msg("责任单位：{unit}。", unit=name)


def _ground(record: Record) -> Message:
    said = {"profile": record["profile"], "version": record["rules_version"]}
    if record["clause"] == BRIEF:
        return msg("依据：{profile} 没有规定如何分到网格，按本产品的规则（第 {version} 版）。", **said)
    return msg("依据：{clause}（推断）；本产品规则第 {version} 版。", clause=record["clause"], **said)
