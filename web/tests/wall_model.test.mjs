import assert from "node:assert/strict";
import { test } from "node:test";

import { nextChange, standing } from "../core/tour.js";
import { WallModel } from "../core/wall_model.js";

const NOW = "2026-11-22T12:00:00+08:00";

/**
 * @param {number} position
 * @param {string[]} numbers of open incidents
 * @returns {any}
 */
function answer(position, numbers) {
  const figures = { open: numbers.length, urgent: 0, overdue: 0, today: numbers.length, done_today: 0 };
  const features = numbers.map((number) => ({
    type: "Feature",
    geometry: { type: "Point", coordinates: [131, 47] },
    properties: { ...told(number), lon: undefined, lat: undefined },
  }));
  return {
    wall: { id: "city", title: "全市" },
    generated_at: NOW,
    position,
    bounds: null,
    figures,
    incidents: { type: "FeatureCollection", features },
    grids: [{ grid_code: "g1", open: numbers.length }],
    layers: [],
    tour: { start: NOW, takeover_seconds: 60, sound: false, scenes: [] },
    alarms: [],
    sent_scene: null,
  };
}

/** @param {string} number @param {object} [changes] */
function told(number, changes = {}) {
  return {
    number,
    lon: 131,
    lat: 47,
    state: "recorded",
    is_urgent: false,
    grid_code: "g1",
    grid_name: "第一网格",
    township_code: "t1",
    discovered_at: NOW,
    at: NOW,
    ...changes,
  };
}

/** @param {WallModel} model */
const open = (model) => [model.state.figures.open, [...model.state.incidents.keys()].sort().join(""), model.state.openByGrid.get("g1")];

test("an answer that is older than the last event takes nothing back and counts nothing twice", () => {
  const model = new WallModel("city", answer(3, ["a"]), null);
  assert.ok(model.receive("incident", told("b"), 4).isNew);
  assert.ok(model.receive("incident", told("c"), 5).isNew);
  assert.deepEqual(open(model), [3, "abc", 3]);
  model.take(answer(4, ["a", "b"]));
  assert.deepEqual(open(model), [3, "abc", 3]);
  // an answer that was ahead of the stream: what follows is known already
  model.take(answer(6, ["a", "b", "c", "d"]));
  assert.equal(model.receive("incident", told("d"), 6).incident, null);
  assert.deepEqual(open(model), [4, "abcd", 4]);
  model.receive("incident", told("a", { state: "archived" }), 7);
  assert.equal(model.state.figures.open, 3);
});

test("an answer that was overtaken by a later one takes nothing back", () => {
  const model = new WallModel("city", answer(3, ["a"]), null);
  const made = (/** @type {number} */ second, /** @type {any} */ given) => ({ ...given, generated_at: `2026-11-22T12:00:0${second}+08:00` });
  model.receive("incident", told("b", { is_urgent: true }), 4);
  model.take(made(2, { ...answer(4, ["a", "b"]), alarms: model.alarms }));
  model.take(made(1, answer(3, ["a"])));
  assert.deepEqual(open(model), [2, "ab", 2]);
  assert.equal(model.waiting(), 1);
  // one of a database that was put back is later, wherever it stands
  model.take(made(3, answer(1, ["a"])));
  assert.deepEqual(open(model), [1, "a", 1]);
});

test("counts that are told hold what was told before them, and what came after is added", () => {
  const model = new WallModel("city", answer(3, ["a"]), null);
  model.receive("incident", told("b"), 4);
  model.receive("incident", told("c"), 6);
  const counts = { open: 20, urgent: 1, overdue: 9, today: 5, done_today: 8 };
  model.takeCounts({ position: 5, figures: counts, statistics: /** @type {any} */ ({ towns: [] }) });
  assert.deepEqual(model.state.figures, { open: 21, urgent: 1, overdue: 9, today: model.state.figures.today, done_today: 8 });
  // while an event is under way only what no event tells is taken
  model.takeCounts({ position: null, figures: { ...counts, open: 7, overdue: 2 }, statistics: /** @type {any} */ ({ towns: [] }) });
  assert.deepEqual([model.state.figures.open, model.state.figures.overdue], [21, 2]);
});

test("counts of before the state that was taken do not set it back", () => {
  const model = new WallModel("city", answer(9, ["a"]), null);
  const counts = { open: 20, urgent: 1, overdue: 9, today: 5, done_today: 8 };
  model.takeCounts({ position: 5, figures: counts, statistics: /** @type {any} */ ({ towns: [] }) });
  assert.equal(model.state.figures.open, 1);
});

test("a stream that begins anew is listened to from its first position", () => {
  const model = new WallModel("city", answer(900, ["a"]), null);
  model.receive("incident", told("b"), 901);
  model.startAfresh();
  assert.ok(model.receive("incident", told("c"), 4).isNew);
  model.take(answer(3, ["a"]));
  assert.deepEqual(open(model), [2, "ac", 2]);
});

test("the next change is announced to the millisecond, whatever stands", () => {
  const scene = (/** @type {string} */ key, /** @type {number} */ seconds) => /** @type {any} */ ({ key, seconds, extent: "whole" });
  const tour = { start: NOW, takeover_seconds: 30, sound: false, scenes: [scene("a", 7), scene("b", 11)] };
  const begun = Date.parse(NOW);
  const iso = (/** @type {number} */ ms) => new Date(begun + ms).toISOString();
  const alarms = [/** @type {any} */ ({ number: "x", raised_at: iso(20_000), ended_at: iso(25_003) })];
  const sent = /** @type {any} */ ({ scene: "b", at: iso(40_000), seconds: 5, town: null });
  const seen = (/** @type {number} */ now) => {
    const { scene: one, by } = standing(tour, [], alarms, now >= begun + 40_000 ? sent : null, now);
    return one.key + by;
  };
  let now = begun + 17;
  for (let changes = 0; changes < 12; changes += 1) {
    const next = nextChange(tour, [], alarms, now >= begun + 40_000 ? sent : null, now);
    assert.ok(next > now && next <= now + 30_000);
    // nothing changes before it, but what is only heard then
    for (const between of [now + 1, (now + next) >> 0, next - 1]) {
      if (between > now && between < next && !(now < begun + 40_000 && next > begun + 40_000)) assert.equal(seen(between), seen(now));
    }
    now = next;
  }
  assert.ok(now > begun + 60_000);
});
