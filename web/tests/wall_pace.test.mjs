import assert from "node:assert/strict";
import { test } from "node:test";

import { mayStep, paintIn, REPLAY_STEP_MS } from "../core/wall_pace.js";

test("a replay goes on four times a second, and not in the half second before a change of scene", () => {
  assert.equal(REPLAY_STEP_MS, 250);
  assert.ok(mayStep(250, 9_000));
  assert.ok(!mayStep(150, 9_000));
  assert.ok(mayStep(250, 501));
  for (const change of [500, 250, 1, 0]) assert.ok(!mayStep(250, change), String(change));
  // a wall that holds one scene has no change to wait for
  assert.ok(mayStep(250, Infinity));
});

test("news are painted at once or after their pause, and those of the eve of a change with it", () => {
  assert.equal(paintIn(0, 9_000), 0);
  assert.equal(paintIn(400, 9_000), 400);
  assert.equal(paintIn(0, Infinity), 0);
  assert.equal(paintIn(0, 149), 149);
  assert.equal(paintIn(0, 150), 0);
  assert.equal(paintIn(300, 400), 400);
  // the change comes first: the pause is counted from the painting before it, and stays
  assert.equal(paintIn(400, 300), 400);
  assert.equal(paintIn(0, 0), 0);
});

test("whatever the change, news wait for less than a second", () => {
  for (let pause = 0; pause <= 400; pause += 25) for (let change = 0; change < 2_000; change += 7) {
    const wait = paintIn(pause, change);
    assert.ok(wait >= pause && wait < 600);
  }
});
