import assert from "node:assert/strict";
import { test } from "node:test";

import { partOf, screenOf } from "../core/screen.js";
import { ServerClock } from "../core/server_clock.js";
import { nextChange, standing, stretches, takeAcknowledgement, takeIncident, turns } from "../core/tour.js";
import { frameTime, SAMPLES, trouble } from "../core/watchdog.js";

const START = Date.parse("2026-03-02T00:00:00+08:00");
const at = (/** @type {number} */ seconds) => new Date(START + seconds * 1000).toISOString();
/**
 * @param {string} key
 * @param {number} seconds
 * @param {import("../core/types.js").Scene["extent"]} [extent]
 * @returns {import("../core/types.js").Scene}
 */
const scene = (key, seconds, extent = "whole") => ({
  key, seconds, extent, title: { zh: key, en: key }, colour: "plain", points: "open", cameras: false, left: [], right: [],
});
/** @type {import("../core/types.js").Tour} */
const TOUR = { start: at(0), takeover_seconds: 60, sound: false, scenes: [scene("a", 10), scene("b", 20), scene("towns", 5, "each_town")] };
const TOWNS = ["t1", "t2", "t3"];
/**
 * @param {string} number
 * @param {number} from
 * @param {number | null} to
 */
const alarm = (number, from, to) => ({
  number, lon: 0, lat: 0, grid_code: null, grid_name: null, township_code: null, raised_at: at(from), ended_at: to === null ? null : at(to),
});
/**
 * @param {number} seconds
 * @param {import("../core/types.js").Alarm[]} [alarms]
 * @param {import("../core/types.js").SentScene | null} [sent]
 */
const shown = (seconds, alarms = [], sent = null) => standing(TOUR, TOWNS, alarms, sent, START + seconds * 1000);
const key = (/** @type {import("../core/tour.js").Standing} */ found) => found.scene.key + (found.town ? ":" + found.town : "");

test("the tour goes through its scenes, each township in its turn, and begins again", () => {
  assert.deepEqual([0, 9.9, 10, 29.9, 30, 35, 44.9, 45, 55].map((s) => key(shown(s))), [
    "a", "a", "b", "b", "towns:t1", "towns:t2", "towns:t3", "a", "b",
  ]);
  assert.equal(turns(TOUR, []).length, 3);
});

test("two screens that know the same show the same at every moment", () => {
  const alarms = [alarm("1", 12, 15), alarm("2", 14, 40), alarm("3", 100, null)];
  for (let s = 0; s < 400; s += 0.7) assert.deepEqual(shown(s, alarms), shown(s, structuredClone(alarms)));
});

test("a call takes over at once, and the tour goes on where it stopped", () => {
  const alarms = [alarm("1", 12, 19)];
  assert.equal(key(shown(11.9, alarms)), "b");
  assert.equal(shown(12, alarms).by, "call");
  assert.equal(shown(12, alarms).call?.number, "1");
  assert.equal(shown(18.9, alarms).call?.number, "1");
  const after = shown(19, alarms);
  assert.equal(after.by, "tour");
  assert.equal(key(after), "b");
  // b had 2 of its 20 seconds before the call, so 18 are left
  assert.equal(key(shown(19 + 17.9, alarms)), "b");
  assert.equal(key(shown(19 + 18, alarms)), "towns:t1");
});

test("nobody's answer lets the tour go on after the longest takeover", () => {
  const alarms = [alarm("1", 0, null)];
  assert.equal(shown(59.9, alarms).by, "call");
  assert.equal(shown(60, alarms).by, "tour");
  assert.equal(key(shown(60, alarms)), "a");
});

test("of several calls the newest that still stands is shown, and time is lost only once", () => {
  const alarms = [alarm("1", 10, 30), alarm("2", 12, 20), alarm("3", 40, 41)];
  assert.equal(shown(13, alarms).call?.number, "2");
  assert.equal(shown(25, alarms).call?.number, "1");
  assert.deepEqual(stretches(alarms, 60_000).map((s) => s.map((t) => (t - START) / 1000)), [[10, 30], [40, 41]]);
  assert.equal(key(shown(30, alarms)), "b");
});

test("a tour without takeover is not stopped", () => {
  const calm = { ...TOUR, takeover_seconds: 0 };
  assert.equal(standing(calm, TOWNS, [alarm("1", 0, null)], null, START + 12_000).by, "tour");
});

test("a scene that the desk sent covers the tour for its time, and no call", () => {
  const sent = { wall_id: "city", scene: "towns", seconds: 10, town: "t2", at: at(3) };
  assert.equal(key(shown(3, [], sent)), "towns:t2");
  assert.equal(key(shown(13, [], sent)), "b");
  assert.equal(shown(5, [alarm("1", 4, 9)], sent).by, "call");
  assert.equal(shown(5, [], { ...sent, scene: "gone" }).by, "tour");
});

test("the stream raises a call once and ends it by an answer or an acknowledgement", () => {
  /** @type {import("../core/types.js").Alarm[]} */
  const alarms = [];
  const incident = { number: "1", lon: 1, lat: 2, state: "reported", is_urgent: true, grid_code: null, grid_name: "g", discovered_at: at(0), at: at(1) };
  takeIncident(alarms, { ...incident, is_urgent: false }, true);
  takeIncident(alarms, { ...incident, state: "accepted" }, true);
  takeIncident(alarms, incident, false);
  assert.equal(alarms.length, 0);
  takeIncident(alarms, incident, true);
  takeIncident(alarms, { ...incident, at: at(2) }, false);
  assert.equal(alarms.length, 1);
  assert.equal(alarms[0]?.ended_at, null);
  takeIncident(alarms, { ...incident, state: "accepted", at: at(5) }, false);
  takeAcknowledgement(alarms, "1", at(9));
  assert.equal(alarms[0]?.ended_at, at(5));
});

test("the server's time is taken from the message that travelled fastest, and a jump is believed at once", () => {
  let own = 1_000_000;
  const clock = new ServerClock(() => own);
  for (const delay of [80, 12, 45, 200]) clock.hear(new Date(own + 500 - delay));
  assert.equal(clock.ahead(), 488);
  own -= 3_600_000; // somebody set this screen's clock
  clock.hear(new Date(own + 3_600_500 - 20));
  assert.equal(clock.ahead(), 3_600_480);
});

test("a message that was held up on its way does not set the clock back; a server whose clock was, does", () => {
  let own = 1_000_000;
  const clock = new ServerClock(() => own);
  const hear = (/** @type {number} */ ahead) => {
    own += 4_000;
    clock.hear(new Date(own + ahead));
    return clock.ahead();
  };
  hear(500);
  // a stall of nine seconds, and what was sent meanwhile at once
  assert.deepEqual([hear(-8_500), hear(-4_500), hear(-500), hear(490)], [500, 500, 500, 500]);
  assert.equal(hear(-60_000), 500);
  assert.equal(hear(-60_010), -60_010);
  assert.equal(hear(-60_005), -60_005);
});

test("a screen's part of the picture", () => {
  assert.deepEqual(screenOf("?screen=2of3"), { index: 2, of: 3 });
  assert.deepEqual(partOf("?screen=2of4"), [0.25, 0.5]);
  assert.deepEqual(partOf(""), [0, 1]);
  for (const wrong of ["", "?screen=4of3", "?screen=0of3", "?screen=x", "?screen=2of"]) {
    assert.deepEqual(screenOf(wrong), { index: 1, of: 1 });
  }
});

test("the watchdog acts on lasting trouble only", () => {
  const FINE = { age: 60_000, silence: 4_000 };
  const calm = { heap: 80 * 2 ** 20, frame: 20 };
  const full = { heap: 900 * 2 ** 20, frame: 20 };
  const slow = { heap: null, frame: 900 };
  assert.equal(trouble(Array(SAMPLES).fill(calm), FINE), null);
  assert.equal(trouble([...Array(SAMPLES - 1).fill(full), calm], FINE), null);
  assert.equal(trouble(Array(SAMPLES).fill(full), FINE), "memory");
  assert.equal(trouble(Array(SAMPLES - 1).fill(slow), FINE), null);
  assert.equal(trouble(Array(SAMPLES).fill(slow), FINE), "frames");
  assert.equal(trouble([calm], { ...FINE, age: 8 * 86_400_000 }), "age");
  assert.equal(trouble([calm], { ...FINE, silence: 700_000 }), "silence");
});

test("a page whose frames do not come any more is as slow as it was waited for", async () => {
  let now = 0;
  const next = async () => (now += 16);
  assert.equal(await frameTime(20, next, new Promise(() => {}), () => now), 16);
  now = 0;
  const enough = new Promise((done) => setTimeout(() => done((now = 20_000))));
  assert.equal(await frameTime(20, () => new Promise(() => {}), enough, () => now), 20_000);
});

test("at midnight a screen that was told of the tour yesterday goes on as one that was told today", () => {
  const midnight = 86_400;
  const today = { ...TOUR, start: at(midnight) };
  // one of the day before moved the tour, one held it over midnight
  const alarms = [alarm("1", 12, 19), alarm("2", midnight - 20, midnight + 13)];
  const late = alarms.slice(1);
  for (let s = midnight; s < midnight + 200; s += 0.9) {
    const now = START + s * 1000;
    assert.deepEqual(standing(TOUR, TOWNS, alarms, null, now), standing(today, TOWNS, late, null, now));
  }
  // the change is announced, so that nobody is late for it
  assert.equal(nextChange(TOUR, TOWNS, [alarm("1", 12, 19)], null, START + (midnight - 1) * 1000), START + midnight * 1000);
});

test("a scene sent with a grid carries it, and shows no township of its own", () => {
  /** @type {[number, number, number, number]} */
  const bounds = [1, 2, 3, 4];
  const focus = { grid_code: "g", grid_name: "G", bounds };
  const sent = { wall_id: "city", scene: "towns", seconds: 20, town: null, focus, at: at(0) };
  assert.deepEqual(shown(5, [], sent).focus, focus);
  assert.equal(key(shown(5, [], sent)), "towns");
  assert.equal(shown(5, [alarm("1", 0, null)], sent).focus, undefined);
  assert.equal(shown(25, [], sent).focus, undefined);
});
