import assert from "node:assert/strict";
import { test } from "node:test";

import { classBounds, classOf, classToken, classWords } from "../core/classes.js";

test("few different counts are classes of their own", () => {
  assert.deepEqual(classBounds([0, 3, 1, 1, 2]), [1, 2, 3]);
  assert.deepEqual(classBounds([0, 0]), []);
});

test("one busy grid does not put all others into one class", () => {
  const bounds = classBounds([...Array(40).keys(), 900]);
  assert.ok(bounds.length === 5);
  assert.deepEqual(bounds, [...bounds].sort((a, b) => a - b));
  assert.ok(new Set([5, 15, 25, 35].map((value) => classOf(bounds, value))).size === 4);
});

test("every value above nothing has a class, and nothing has none", () => {
  const values = [1, 1, 2, 4, 8, 16, 32, 64];
  const bounds = classBounds(values);
  assert.equal(classOf(bounds, 0), -1);
  for (const value of values) assert.ok(classOf(bounds, value) >= 0);
});

test("classes are told apart by tokens and by words", () => {
  const bounds = [1, 3, 9];
  assert.equal(new Set([0, 1, 2].map((k) => classToken(k, 3))).size, 3);
  assert.deepEqual([0, 1, 2].map((k) => classWords(bounds, k)), ["1–2", "3–8", "≥ 9"]);
});
