import assert from "node:assert/strict";
import { test } from "node:test";

import { isOpen, markOf } from "../core/incident.js";
import { applyIncident, busiest, fromAnswer, newest } from "../core/wall_state.js";

const NOW = new Date("2026-11-22T12:00:00+08:00");

/** @param {Partial<import("../core/types.js").HallIncident>} [changes] */
function incident(changes = {}) {
  return {
    number: "20261122-000009",
    lon: 131.3,
    lat: 47.2,
    state: "recorded",
    is_urgent: false,
    grid_code: "g1",
    grid_name: "第一网格",
    discovered_at: "2026-11-22T11:59:00+08:00",
    ...changes,
  };
}

function state() {
  const { lon, lat, ...properties } = incident({ number: "20261122-000001", discovered_at: "2026-11-22T08:00:00+08:00" });
  return fromAnswer({
    wall: { id: "city", title: "全市" },
    generated_at: NOW.toISOString(),
    position: 3,
    bounds: null,
    figures: { open: 1, urgent: 0, overdue: 0, today: 1, done_today: 2 },
    incidents: {
      type: "FeatureCollection",
      features: [{ type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] }, properties }],
    },
    grids: [{ grid_code: "g1", open: 1 }],
    layers: [],
  tour: { start: "2026-03-01T00:00:00+08:00", takeover_seconds: 60, sound: false, scenes: [] },
  alarms: [],
  sent_scene: null,
  });
}

test("a new urgent incident moves every count it belongs to", () => {
  const wall = state();
  assert.deepEqual(applyIncident(wall, incident({ is_urgent: true }), NOW), { isNew: true, step: { open: 1, urgent: 1, today: 1 } });
  assert.deepEqual(wall.figures, { open: 2, urgent: 1, overdue: 0, today: 2, done_today: 2 });
  assert.deepEqual(busiest(wall, 3), [{ code: "g1", open: 2 }]);
});

test("the same event twice counts once", () => {
  const wall = state();
  applyIncident(wall, incident(), NOW);
  assert.deepEqual(applyIncident(wall, incident(), NOW), { isNew: false, step: { open: 0, urgent: 0, today: 0 } });
  assert.equal(wall.figures.open, 2);
});

test("an incident that is filed leaves the open count and its grid", () => {
  const wall = state();
  applyIncident(wall, incident({ number: "20261122-000001", state: "archived" }), NOW);
  assert.equal(wall.figures.open, 0);
  assert.deepEqual(busiest(wall, 3), []);
});

test("one that this wall never showed open is not counted as gone", () => {
  const wall = state();
  applyIncident(wall, incident({ state: "archived" }), NOW);
  assert.equal(wall.figures.open, 1);
});

test("of more than a wall is told, an older one that something happens to is no news", () => {
  const wall = { ...state(), since: Date.parse("2026-11-22T07:00:00+08:00") };
  const older = incident({ number: "20261001-000001", is_urgent: true, discovered_at: "2026-10-01T08:00:00+08:00" });
  assert.deepEqual(applyIncident(wall, older, NOW), { isNew: false, step: { open: 0, urgent: 0, today: 0 } });
  assert.deepEqual([wall.figures.open, busiest(wall, 3)], [1, [{ code: "g1", open: 1 }]]);
  // from then on it is known
  assert.deepEqual(applyIncident(wall, { ...older, state: "archived" }, NOW).step, { open: -1, urgent: -1, today: 0 });
});

test("of many new ones the newest are kept, and the overdue ones of before", () => {
  const wall = { ...state(), since: Date.parse("2026-11-22T07:00:00+08:00") };
  const old = incident({ number: "20261001-000001", is_overdue: true, discovered_at: "2026-10-01T08:00:00+08:00" });
  wall.incidents.set(old.number, old);
  for (let n = 0; n < 4_600; n += 1) {
    const discovered_at = new Date(Date.parse("2026-11-22T09:00:00+08:00") + n * 1_000).toISOString();
    assert.ok(applyIncident(wall, incident({ number: "n" + String(n).padStart(5, "0"), discovered_at }), NOW).isNew);
  }
  assert.ok(wall.incidents.size < 4_600);
  assert.ok(wall.incidents.has(old.number) && wall.incidents.has("n04599") && !wall.incidents.has("n00000"));
  assert.equal(wall.figures.open, 4_601);
  // what was let go is no news either
  assert.ok(!applyIncident(wall, incident({ number: "n00000", state: "accepted", discovered_at: "2026-11-22T09:00:00+08:00" }), NOW).isNew);
  assert.equal(wall.figures.open, 4_601);
});

test("the newest come first, and equal times are told apart by number", () => {
  const wall = state();
  applyIncident(wall, incident({ number: "20261122-000008" }), NOW);
  applyIncident(wall, incident({ number: "20261122-000009" }), NOW);
  assert.deepEqual(
    newest(wall, 2).map(({ number }) => number),
    ["20261122-000009", "20261122-000008"],
  );
});

test("marks: settled beats urgent, urgent beats overdue", () => {
  assert.equal(markOf({ state: "completed", is_urgent: true }), "done");
  assert.equal(markOf({ state: "taken_up", is_urgent: true, is_overdue: true }), "urgent");
  assert.equal(markOf({ state: "taken_up", is_urgent: false, is_overdue: true }), "overdue");
  assert.ok(isOpen({ state: "completed" }) && !isOpen({ state: "refused" }));
});
