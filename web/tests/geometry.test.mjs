import assert from "node:assert/strict";
import { test } from "node:test";

import { boundsOf, contains, labelPoint, reach } from "../core/geometry.js";
import { placeLabels } from "../core/labels.js";

/** @type {import("geojson").Polygon} */
const RING = {
  type: "Polygon",
  coordinates: [
    [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]],
    [[2, 2], [8, 2], [8, 8], [2, 8], [2, 2]],
  ],
};

/** @type {import("geojson").Polygon} */
const HORSESHOE = {
  type: "Polygon",
  coordinates: [[[0, 0], [10, 0], [10, 10], [7, 10], [7, 3], [3, 3], [3, 10], [0, 10], [0, 0]]],
};

test("a hole is outside", () => {
  assert.ok(contains(RING, 1, 5));
  assert.ok(!contains(RING, 5, 5));
  assert.ok(!contains(RING, 11, 5));
});

test("labels stand inside, where the middle of the box does not lie inside", () => {
  for (const shape of [RING, HORSESHOE]) {
    const [lon, lat] = labelPoint(shape) ?? [NaN, NaN];
    assert.ok(contains(shape, lon, lat), `${lon}, ${lat}`);
  }
});

test("of several parts the largest is labelled", () => {
  const small = [[[20, 20], [21, 20], [21, 21], [20, 21], [20, 20]]];
  const [lon] = labelPoint({ type: "MultiPolygon", coordinates: [small, HORSESHOE.coordinates] }) ?? [NaN];
  assert.ok(lon < 11);
});

test("boxes span every kind of geometry; nothing has no box", () => {
  assert.deepEqual(boundsOf([RING, { type: "Point", coordinates: [-3, 12] }, null]), [-3, 0, 10, 12]);
  assert.equal(boundsOf([null]), null);
  assert.equal(labelPoint({ type: "Point", coordinates: [1, 1] }), null);
});

test("reach is in metres", () => {
  assert.ok(Math.abs(reach([0, 0, 0, 2]) - 111_320) < 1);
});

test("a name of higher rank keeps its place", () => {
  const box = { width: 60, height: 16 };
  const placed = placeLabels([
    { text: "社区", x: 10, y: 0, rank: 1, ...box },
    { text: "街道", x: 0, y: 0, rank: 0, ...box },
    { text: "远处", x: 200, y: 0, rank: 1, ...box },
  ]);
  assert.deepEqual(
    placed.map(({ text }) => text),
    ["街道", "远处"],
  );
});

test("a name that a panel would cut is not lettered", () => {
  const panel = { left: 100, top: 0, right: 400, bottom: 300 };
  const at = (/** @type {number} */ x, /** @type {number} */ y) => ({ text: "社区", x, y, width: 60, height: 16, rank: 1 });
  assert.deepEqual(placeLabels([at(90, 20), at(200, 100), at(60, 100), at(200, 320)], [panel]), [at(60, 100), at(200, 320)]);
});
