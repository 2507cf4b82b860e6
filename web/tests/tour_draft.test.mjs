import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST_PANELS, added, changed, copied, moved, named, offered, removed, roundSeconds } from "../core/tour_draft.js";

const EMPTY = { takeover_seconds: 60, sound: false, scenes: [] };
const TITLE = { zh: "新场景", en: "New scene" };

test("scenes are added with keys of their own, also after one was removed", () => {
  const three = added(added(added(EMPTY, TITLE), TITLE), TITLE);
  const again = added(removed(three, 0), TITLE);
  assert.equal(new Set(again.scenes.map(({ key }) => key)).size, 3);
  assert.equal(EMPTY.scenes.length, 0);
});

test("a copy stands behind its scene, with a key of its own", () => {
  const two = added(added(EMPTY, TITLE), { zh: "二", en: "Two" });
  const three = copied(two, 0);
  assert.deepEqual(three.scenes.map(({ title }) => title.zh), ["新场景", "新场景", "二"]);
  assert.equal(new Set(three.scenes.map(({ key }) => key)).size, 3);
});

test("an entry moves one place and never over the edge", () => {
  const list = ["a", "b", "c"];
  assert.deepEqual(moved(list, 0, 1), ["b", "a", "c"]);
  assert.equal(moved(list, 0, -1), list);
  assert.equal(moved(list, 2, 1), list);
});

test("a scene is named in one language at a time, and back to what it was called before", () => {
  const two = added(added(EMPTY, TITLE), TITLE);
  const typed = named(named(two, 1, { zh: "值班" }), 1, { en: "Duty" });
  assert.deepEqual(typed.scenes.map(({ title }) => title), [TITLE, { zh: "值班", en: "Duty" }]);
  assert.deepEqual(named(typed, 1, { zh: TITLE.zh }).scenes[1]?.title, { zh: TITLE.zh, en: "Duty" });
  assert.deepEqual(two.scenes[1]?.title, TITLE);
});

test("a change touches one scene", () => {
  const two = added(added(EMPTY, TITLE), TITLE);
  const after = changed(two, 1, { seconds: 5 });
  assert.deepEqual(after.scenes.map(({ seconds }) => seconds), [30, 5]);
  assert.equal(two.scenes[1]?.seconds, 30);
});

test("a panel is offered once, and to a column that has room", () => {
  const { scenes } = added(EMPTY, TITLE);
  const scene = /** @type {import("../core/types.js").Scene} */ (scenes[0]);
  const known = ["open", "latest", "week", "hours", "towns", "states"];
  assert.deepEqual(offered(scene, "left", known), ["week", "hours", "towns", "states"]);
  const full = { ...scene, left: known.slice(0, MOST_PANELS), right: [] };
  assert.deepEqual(offered(full, "left", known), []);
  assert.deepEqual(offered(full, "right", known), ["towns", "states"]);
});

test("a scene of each township takes its time for every one", () => {
  const draft = changed(added(added(EMPTY, TITLE), TITLE), 1, { extent: "each_town", seconds: 10 });
  assert.equal(roundSeconds(draft, 3), 60);
  assert.equal(roundSeconds(draft, 0), 40);
});
