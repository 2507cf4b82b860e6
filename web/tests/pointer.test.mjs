import assert from "node:assert/strict";
import { test } from "node:test";

import { hideAtRest } from "../ui/pointer.js";

test("the pointer is hidden once it rests, and is there again when it is moved", async () => {
  /** @type {Set<string>} */
  const names = new Set();
  const moved = new EventTarget();
  /** @type {() => void} */
  let hidden = () => {};
  const add = (/** @type {string} */ name) => {
    names.add(name);
    hidden();
  };
  const body = /** @type {Element} */ (/** @type {unknown} */ ({ classList: { add, remove: (/** @type {string} */ name) => names.delete(name) } }));
  const rest = () => new Promise((/** @type {(value: void) => void} */ done) => (hidden = done));

  const first = rest();
  hideAtRest(moved, body, 10);
  assert.equal(names.size, 0);
  await first;
  assert.deepEqual([...names], ["is-unattended"]);

  const again = rest();
  moved.dispatchEvent(new Event("pointermove"));
  assert.equal(names.size, 0);
  await again;
  assert.deepEqual([...names], ["is-unattended"]);
});
