"""A wall that nobody touches for weeks: refreshed again and again, it must not grow.

``make test`` runs a short form; ``make soak`` the long one: 500,000 refreshes are 30 days at one every 5 seconds.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page, expect

from gis_server.core.access import Role

REFRESHES = int(os.environ.get("GIS_SOAK", "300"))
WARM_UP = max(300, REFRESHES // 100)
"""Refreshes until every scene was shown, a call raised, every panel made and every cache filled; in a long run until the browser
has compiled most of what proves hot, which goes on for thousands of refreshes."""

PACE = 200
LOOKS = 20
"""How often a long run is weighed on its way."""

MOST_HEAP_GROWTH = 5 * 2**20
MOST_DATA_GROWTH = 2**19
"""Of what the page's own scripts hold, which is all there after the warm-up: tables by serial number may be wider than before."""

COMPILED = {"code", "object shape"}
"""What the browser makes of the scripts themselves."""

OUTSIDE = {"native", "synthetic"}
"""What a snapshot of the heap shows besides."""


def data(tools: CDPSession) -> int:
    """Bytes of all objects, arrays, strings and functions that the page's scripts hold."""
    chunks: list[str] = []

    def take(event: dict[str, Any]) -> None:
        chunks.append(event["chunk"])

    tools.on("HeapProfiler.addHeapSnapshotChunk", take)
    tools.send("HeapProfiler.takeHeapSnapshot", {"reportProgress": False})
    tools.remove_listener("HeapProfiler.addHeapSnapshotChunk", take)
    heap = json.loads("".join(chunks))
    meta, nodes = heap["snapshot"]["meta"], heap["nodes"]
    fields, kinds = meta["node_fields"], meta["node_types"][0]
    sizes: Counter[str] = Counter()
    for kind, size in zip(
        nodes[fields.index("type") :: len(fields)],
        nodes[fields.index("self_size") :: len(fields)],
        strict=True,
    ):
        sizes[kinds[kind]] += size
    return sum(size for kind, size in sizes.items() if kind not in COMPILED | OUTSIDE)


def weight(page: Page, tools: CDPSession) -> dict[str, int]:
    """Bytes on the heap and what the document holds, with the same scene and the same data each time, after the garbage was collected."""
    page.evaluate("soak.rest()")
    for _ in range(3):
        tools.send("HeapProfiler.collectGarbage")
    counters = tools.send("Memory.getDOMCounters")
    return {
        "heap": tools.send("Runtime.getHeapUsage")["usedSize"],
        "data": data(tools),
        "nodes": counters["nodes"],
        "listeners": counters["jsEventListeners"],
        "documents": counters["documents"],
    }


def run(page: Page, tools: CDPSession, times: int, looks: int = 0) -> None:
    begun, done = time.monotonic(), 0
    pace = times // looks // PACE * PACE if looks else 0
    while done < times:
        step = min(PACE, times - done)
        page.evaluate("times => soak.run(times)", step)
        done += step
        if pace and done % pace == 0:
            passed = time.monotonic() - begun
            print(f"{done:,} refreshes, {done / passed:.0f}/s: {weight(page, tools)}", flush=True)


def test_a_wall_does_not_grow(live_server: Any, new_page: Callable[..., Page]) -> None:
    # small: what could leak is what is kept, not how many pixels are painted
    page = new_page(viewport={"width": 480, "height": 270}, reduced_motion="reduce")
    page.set_default_timeout(600_000)
    page.add_init_script(path=Path(__file__).with_name("soak.js"))
    live_server.sign_in(page, Role.OPERATOR)
    page.goto(f"{live_server.url}/wall/city")
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
    expect(page.locator("#legend")).to_contain_text("网格")
    tools = page.context.new_cdp_session(page)
    run(page, tools, WARM_UP)
    page.evaluate("soak.visit()")
    before = weight(page, tools)
    print(f"warmed up by {WARM_UP:,} refreshes: {before}", flush=True)
    run(page, tools, REFRESHES, looks=LOOKS)
    after = weight(page, tools)
    print(f"after {REFRESHES:,} more: {after}", flush=True)
    assert after["heap"] - before["heap"] < MOST_HEAP_GROWTH
    assert after["data"] - before["data"] < MOST_DATA_GROWTH
    assert after["nodes"] <= before["nodes"]
    assert after["listeners"] <= before["listeners"]
    assert after["documents"] <= before["documents"]
    expect(page.locator("#connection")).to_have_attribute("data-state", "live")
