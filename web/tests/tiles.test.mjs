import assert from "node:assert/strict";
import { test } from "node:test";

import { arcsOf } from "../core/arcs.js";
import { fromGcj02, toGcj02 } from "../core/datum.js";
import { covering, degreesOf, groundOf, levelAt, mayShow, OWN, stripsOf, tileUrl, worldOf } from "../core/tile_matrix.js";
import { trouble } from "../core/watchdog.js";
import { buffersOf, decodeTile, polygonAt } from "../map/tile_decode.js";

// by gis_server/core/datum.py: a place, the same place on a GCJ-02 map, and the true position of what stands there on one
/** @type {[[number, number], [number, number], [number, number]][]} */
const SHIFTED = [
  [[116.397, 39.908], [116.403243379, 39.909403354], [116.390759224, 39.906599028]],
  [[127.53, 50.25], [127.537277105, 50.251615679], [127.52269357, 50.248363677]],
  [[119.455, 32.204], [119.460379031, 32.202070512], [119.449605353, 32.205918337]],
  [[103.83, 36.06], [103.832412118, 36.059680537], [103.827582753, 36.060314852]],
  [[87.6, 43.8], [87.602838972, 43.80121203], [87.597161158, 43.798787448]],
  [[135.1, 48.4], [135.108287617, 48.402555943], [135.091720221, 48.397444586]],
  [[2.35, 48.85], [2.35, 48.85], [2.35, 48.85]],
  [[121.4, 28.66], [121.404437516, 28.657059221], [121.395563189, 28.662939962]],
];

/** @type {import("../core/tile_matrix.js").Scheme} */
const DEGREES = { matrix: "c", datum: "cgcs2000" };
/** @type {import("../core/tile_matrix.js").Scheme} */
const SHIFTED_SQUARES = { matrix: "w", datum: "gcj02" };

test("the shift of GCJ-02 is the server's, there and back", () => {
  for (const [place, drawn, stands] of SHIFTED) {
    for (const axis of [0, 1]) {
      assert.ok(Math.abs((toGcj02(place)[axis] ?? NaN) - (drawn[axis] ?? NaN)) < 2e-9, String(place));
      assert.ok(Math.abs((fromGcj02(place)[axis] ?? NaN) - (stands[axis] ?? NaN)) < 2e-9, String(place));
    }
  }
});

test("a place of the world square is the place it came from", () => {
  for (const [place] of SHIFTED) {
    const [lon, lat] = degreesOf(...worldOf(...place));
    assert.ok(Math.abs(lon - place[0]) < 1e-9 && Math.abs(lat - place[1]) < 1e-9);
  }
  assert.deepEqual(worldOf(-180, 90), [0, worldOf(-180, 85.06)[1]]);
});

test("tiles of a view are those that it touches, the middle first", () => {
  const [west, north] = worldOf(127.0, 47.22);
  const [east, south] = worldOf(127.22, 47.0);
  const tiles = covering(OWN, [west, north, east, south], 12);
  const n = 2 ** 12;
  assert.equal(tiles.length, (Math.floor(east * n) - Math.floor(west * n) + 1) * (Math.floor(south * n) - Math.floor(north * n) + 1));
  const { x, y } = tiles[0] ?? { x: -1, y: -1 };
  assert.ok(Math.abs(x + 0.5 - ((west + east) / 2) * n) <= 1 && Math.abs(y + 0.5 - ((north + south) / 2) * n) <= 1);
  // a view that ends on a tile's edge does not need the tile beyond
  assert.deepEqual(covering(OWN, [1 / 4, 1 / 4, 2 / 4, 2 / 4], 2), [{ z: 2, x: 1, y: 1 }]);
  assert.deepEqual(covering(OWN, [-1, -1, 2, 2], 0), [{ z: 0, x: 0, y: 0 }]);
});

test("a tile is not asked for where its layer has nothing, also beyond the tile's edges", () => {
  const place = { z: 12, x: 3493, y: 1440 };
  const at = (/** @type {number} */ x, /** @type {number} */ y) => degreesOf((place.x + x) / 4096, (place.y + y) / 4096);
  /** @type {(west: number, north: number, east: number, south: number) => import("../core/types.js").Bounds} */
  const box = (west, north, east, south) => [at(west, north)[0], at(east, south)[1], at(east, south)[0], at(west, north)[1]];
  const [near, far] = [0.06, 0.07]; // a sixteenth of its side is held beyond an edge
  for (const one of [box(0.4, 0.4, 0.6, 0.6), box(-3, -3, 4, 4), box(-3, -3, -near, -near), box(1 + near, 1 + near, 3, 3), box(-3, 0.5, 3, 0.5)]) {
    assert.ok(mayShow(place, one), one.join());
  }
  for (const one of [box(-3, 0, -far, 1), box(1 + far, 0, 3, 1), box(0, -3, 1, -far), box(0, 1 + far, 1, 3)]) {
    assert.ok(!mayShow(place, one), one.join());
  }
});

test("tiles of degrees lie where their degrees are, and are cut into strips where Mercator bends", () => {
  const ground = groundOf(DEGREES, { z: 10, x: 873, y: 122 });
  const columns = 360 / 2 ** 10;
  const [lon, lat] = degreesOf(ground[0], ground[1]);
  assert.ok(Math.abs(lon - (873 * columns - 180)) < 1e-9 && Math.abs(lat - (90 - 122 * columns)) < 1e-9);
  const box = /** @type {import("../core/tile_matrix.js").World} */ ([...worldOf(127.0, 47.05), ...worldOf(127.05, 47.0)]);
  assert.deepEqual(covering(DEGREES, box, 10), [{ z: 10, x: 873, y: 122 }]);
  assert.deepEqual([4, 10, 14].map((z) => stripsOf(DEGREES, z)), [45, 1, 1]);
  assert.equal(stripsOf(OWN, 3), 1);
  const [, upper] = [groundOf(DEGREES, { z: 4, x: 13, y: 1 }, [0, 0.5]), groundOf(DEGREES, { z: 4, x: 13, y: 1 }, [0.5, 1])];
  assert.equal(groundOf(DEGREES, { z: 4, x: 13, y: 1 }, [0, 0.5])[3], upper[1]);
});

test("a GCJ-02 map is moved to where its streets are, and its tiles meet", () => {
  const place = { z: 16, x: 55888, y: 23011 };
  const drawn = groundOf(OWN, place);
  const ground = groundOf(SHIFTED_SQUARES, place);
  const middle = (/** @type {number[]} */ [w = 0, n = 0, e = 0, s = 0]) => degreesOf((w + e) / 2, (n + s) / 2);
  const [lon, lat] = toGcj02(middle(ground));
  const [wantedLon, wantedLat] = middle(drawn);
  // to a twentieth of a pixel
  assert.ok(Math.abs(lon - wantedLon) < 2e-6 && Math.abs(lat - wantedLat) < 2e-6);
  assert.equal(ground[2], groundOf(SHIFTED_SQUARES, { ...place, x: place.x + 1 })[0]);
  assert.equal(ground[3], groundOf(SHIFTED_SQUARES, { ...place, y: place.y + 1 })[1]);
  const [x, y] = worldOf(...middle(ground));
  assert.deepEqual(covering(SHIFTED_SQUARES, [x - 1e-9, y - 1e-9, x + 1e-9, y + 1e-9], 16), [place]);
});

test("a screen needs a dozen tiles, at every zoom and density", () => {
  const own = { size: 512, least: 0, most: 16, up: true };
  for (const [zoom, ratio, level] of [[12.3, 1, 11], [12, 1, 11], [11.99, 1, 10], [12.3, 2, 12], [19, 1, 16], [0, 1, 0]]) {
    assert.equal(levelAt(zoom ?? 0, ratio ?? 1, own), level);
  }
  assert.equal(levelAt(4, 1, { size: 256, least: 10, most: 18 }), null);
  assert.equal(levelAt(9, 1, { size: 256, least: 10, most: 18 }), 10);
  assert.equal(tileUrl("/tiles/grid/{z}/{x}/{y}.mvt?generation=3", { z: 1, x: 2, y: 3 }), "/tiles/grid/1/2/3.mvt?generation=3");
});

/** Two squares side by side whose border has a dent of one unit, and an island; both tellings of the border are opposite. */
const RINGS = [
  [0, 0, 100, 0, 101, 50, 100, 100, 0, 100],
  [100, 0, 200, 0, 200, 100, 100, 100, 101, 50],
  [300, 0, 340, 0, 340, 40, 300, 40],
];

/** @param {number[][]} rings */
function lines(rings) {
  const starts = [0];
  for (const ring of rings) starts.push((starts.at(-1) ?? 0) + ring.length / 2);
  return { xy: Int16Array.from(rings.flat()), starts: Uint32Array.from(starts) };
}

test("a border that two share is one arc, run either way", () => {
  const { arcs, rings, starts } = arcsOf(lines(RINGS));
  assert.equal(arcs.starts.length - 1, 4);
  const of = (/** @type {number} */ ring) => [...rings.slice(starts[ring], starts[ring + 1])];
  const [shared = 0, ...more] = of(0).filter((arc) => of(1).includes(~arc));
  assert.equal(more.length, 0);
  assert.equal(of(2).length, 1);
  const arc = shared < 0 ? ~shared : shared;
  assert.deepEqual([...arcs.xy.slice(2 * (arcs.starts[arc] ?? 0), 2 * (arcs.starts[arc + 1] ?? 0))], [100, 0, 101, 50, 100, 100]);
});

test("where one border turns back and another goes on, both are drawn", () => {
  // the first runs to 20 and back on its way, the second on to 30
  const { arcs } = arcsOf(lines([[0, 0, 10, 0, 20, 0, 10, 0, 0, 10], [0, 0, 10, 0, 20, 0, 30, 0, 30, -10]]));
  const steps = new Set();
  for (let arc = 0; arc + 1 < arcs.starts.length; arc += 1) {
    for (let i = arcs.starts[arc] ?? 0; i + 1 < (arcs.starts[arc + 1] ?? 0); i += 1) {
      const ends = [arcs.xy.slice(2 * i, 2 * i + 2).join(), arcs.xy.slice(2 * i + 2, 2 * i + 4).join()];
      steps.add(ends.sort().join(" "));
    }
  }
  for (const step of ["0,0 10,0", "10,0 20,0", "20,0 30,0", "30,-10 30,0", "0,0 30,-10", "0,10 10,0", "0,0 0,10"]) assert.ok(steps.has(step), step);
});

/** @param {number} n */
function varint(n) {
  const bytes = [];
  for (let rest = n >>> 0; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest & 127) | 128);
  }
}
/** @param {number} field @param {number[]} body */
const message = (field, body) => [...varint((field << 3) | 2), ...varint(body.length), ...body];
/** @param {number} field @param {string} text */
const words = (field, text) => message(field, [...new TextEncoder().encode(text)]);
/** @param {number} n */
const zigzag = (n) => varint((n << 1) ^ (n >> 31));

/** A tile with these polygons, by the words of the vector tile specification. @param {string} name @param {number[][]} rings */
function tile(name, rings) {
  const features = rings.map((ring, index) => {
    let [x, y] = [0, 0];
    const steps = [];
    for (let i = 0; i < ring.length; i += 2) {
      const command = i === 0 ? varint((1 << 3) | 1) : i === 2 ? varint(((ring.length / 2 - 1) << 3) | 2) : [];
      steps.push(...command, ...zigzag((ring[i] ?? 0) - x), ...zigzag((ring[i + 1] ?? 0) - y));
      [x, y] = [ring[i] ?? 0, ring[i + 1] ?? 0];
    }
    return message(2, [...message(2, [0, index]), 3 << 3, 3, ...message(4, [...steps, 15])]);
  });
  const values = rings.map((_ring, index) => message(4, words(1, "G" + index)));
  const layer = [15 << 3, 2, ...words(1, name), ...features.flat(), ...words(3, "grid_code"), ...values.flat(), 5 << 3, ...varint(4096)];
  return new Uint8Array(message(3, layer)).buffer;
}

test("a tile is taken apart: who is where, and each border once", () => {
  const taking = { name: "grid", classify: "grid_code", widths: { G1: 3 }, width: 1, hasNames: false };
  const decoded = decodeTile(tile("grid", RINGS), [taking, { ...taking, name: "nothing" }]);
  const { grid } = decoded;
  assert.deepEqual(Object.keys(decoded), ["grid"]);
  assert.ok(grid);
  assert.equal(grid.kind, "polygons");
  assert.deepEqual(grid.properties, [{ grid_code: "G0" }, { grid_code: "G1" }, { grid_code: "G2" }]);
  const at = (/** @type {number} */ x, /** @type {number} */ y) => grid.properties[polygonAt(grid, x, y)]?.grid_code ?? null;
  assert.deepEqual([at(50, 50), at(150, 50), at(320, 20), at(250, 50), at(100.5, 50)], ["G0", "G1", "G2", null, "G0"]);
  // the shared border is the wider one's
  assert.deepEqual(grid.borders.map(({ width, starts }) => [width, starts.length - 1]), [[1, 2], [3, 2]]);
  assert.equal(new Set(buffersOf(decoded)).size, 2 + 2 * 3 + 1 - 1);
});

test("a page whose tiles go on failing is loaded anew", () => {
  const failing = Array.from({ length: 6 }, () => ({ heap: 1, frame: 16, failedTiles: 2 }));
  assert.equal(trouble(failing, { age: 0, silence: 0 }), "tiles");
  assert.equal(trouble([...failing.slice(1), { heap: 1, frame: 16, failedTiles: 0 }], { age: 0, silence: 0 }), null);
});
