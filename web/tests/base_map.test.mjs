import assert from "node:assert/strict";
import { test } from "node:test";

import { anchorsOf, widthOf } from "../core/base_names.js";
import { drawingOf, heightOf, isWanted, letteringOf, read, roleOf } from "../core/base_style.js";
import { placeLabels } from "../core/labels.js";
import { TileQueue } from "../core/tile_queue.js";

/** What a service was asked for and when, by a clock that is set by hand. */
class Service {
  /** @param {import("node:test").TestContext} t */
  constructor(t) {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    this.timers = t.mock.timers;
    this.time = 0;
    this.isAway = false;
    /** @type {Set<string>} */
    this.bad = new Set();
    /** @type {string[]} */
    this.asked = [];
    this.underWay = 0;
    this.most = 0;
    /** @type {boolean[]} */
    this.told = [];
    this.queue = new TileQueue((isMissing) => this.told.push(isMissing), () => this.time);
  }

  /** @param {string} tile @param {AbortSignal} [signal] */
  ask(tile, signal = new AbortController().signal) {
    return this.queue.ask(async () => {
      this.asked.push(tile);
      this.underWay += 1;
      this.most = Math.max(this.most, this.underWay);
      await new Promise((done) => setTimeout(done, 20));
      this.underWay -= 1;
      if (this.isAway || this.bad.has(tile)) throw new Error("away");
      return tile;
    }, signal);
  }

  /** @param {number} ms */
  async pass(ms) {
    for (let step = 0; step < ms; step += 10) {
      this.time += 10;
      this.timers.tick(10);
      for (let n = 0; n < 6; n += 1) await Promise.resolve();
    }
  }
}

const TILES = Array.from({ length: 360 }, (_one, n) => "t" + n);

test("a screen asks for a few tiles at once, so that other questions find a connection", async (t) => {
  const service = new Service(t);
  const all = Promise.all(TILES.map((one) => service.ask(one)));
  await service.pass(3_000);
  assert.deepEqual(await all, TILES);
  assert.equal(service.most, 4);
  assert.equal(service.asked.length, TILES.length);
  assert.deepEqual(service.told, []);
});

test("a service that is away is asked a dozen times in nine seconds, not once for each tile, and found again within fifteen", async (t) => {
  const service = new Service(t);
  service.isAway = true;
  const all = Promise.all(TILES.map((one) => service.ask(one)));
  await service.pass(9_000);
  assert.ok(service.asked.length <= 12, `${service.asked.length} requests`);
  assert.ok(service.queue.isAway);
  assert.equal(service.queue.missing, TILES.length);
  assert.deepEqual(service.told, [true]);
  await service.pass(600_000);
  const before = service.asked.length;
  assert.ok(before <= 12 + 600 / 5, `${before} requests in ten minutes`);
  service.isAway = false;
  await service.pass(15_000 + TILES.length * 10);
  assert.deepEqual(await all, TILES);
  assert.deepEqual(service.told, [true, false]);
  assert.equal(service.queue.missing, 0);
});

test("one bad tile keeps no other back and is asked for ever more seldom", async (t) => {
  const service = new Service(t);
  service.bad.add("t1");
  const bad = service.ask("t1");
  const others = Promise.all(TILES.slice(2).map((one) => service.ask(one)));
  await service.pass(3_000);
  assert.equal((await others).length, TILES.length - 2);
  assert.equal(service.queue.missing, 1);
  await service.pass(60_000);
  const times = service.asked.filter((one) => one === "t1").length;
  assert.ok(times >= 4 && times <= 8, `${times} times in a minute`);
  // whoever comes now is answered at once
  const late = service.ask("late");
  await service.pass(40);
  assert.equal(await late, "late");
  service.bad.clear();
  await service.pass(45_000);
  assert.equal(await bad, "t1");
});

test("tiles that nobody wants any more are not asked for", async (t) => {
  const service = new Service(t);
  const view = new AbortController();
  const gone = TILES.map((one) => service.ask(one, view.signal).catch(() => "gone"));
  await service.pass(10);
  view.abort();
  const next = service.ask("next");
  await service.pass(100);
  assert.deepEqual(new Set(await Promise.all(gone)), new Set(["gone"]));
  assert.equal(await next, "next");
  assert.deepEqual(service.asked, ["t0", "t1", "t2", "t3", "next"]);
  await assert.rejects(service.ask("never", view.signal));
  assert.equal(service.queue.missing, 0);
});

test("the layers of the usual schemes are known, and of the others nothing is left out", () => {
  const known = {
    water: ["water", "ocean", "waterway", "water_name", "water_polygons", "HYDA", "水系"],
    road: ["transportation", "transportation_name", "roads", "streets", "street_labels", "LRDL", "道路"],
    rail: ["railway", "LRRL", "铁路"],
    building: ["building", "buildings", "RESA", "建筑物"],
    green: ["landcover", "park", "绿地"],
    ground: ["landuse", "land", "aeroway"],
    border: ["boundary", "boundaries", "admin", "BOUL"],
    place: ["place", "places", "place_labels", "AGNP", "地名"],
    other: ["供热管线", "pipes", "zones_2026"],
    none: ["poi", "pois", "housenumber", "addresses", "earth"],
  };
  for (const [role, names] of Object.entries(known)) for (const name of names) assert.equal(roleOf(name), role, name);
  const nothing = { kind: "", detail: "", name: "" };
  for (const kind of /** @type {const} */ (["points", "lines", "polygons"])) {
    assert.ok(isWanted("供热管线", kind));
    assert.ok(drawingOf("供热管线", kind, nothing));
    assert.equal(isWanted("pois", kind), false);
  }
  // what only carries names is not drawn twice
  assert.equal(drawingOf("transportation_name", "lines", nothing), null);
  assert.ok(heightOf("landuse", "polygons") < heightOf("water", "polygons"));
  assert.ok(heightOf("building", "polygons") < heightOf("transportation", "lines"));
  assert.ok(heightOf("pipes", "polygons") < heightOf("building", "polygons"));
});

test("a feature is drawn by its kind, whatever the key is called", () => {
  const width = (/** @type {Record<string, unknown>} */ properties, name = "roads") => drawingOf(name, "lines", read(properties, "zh"))?.width;
  assert.deepEqual([{ class: "motorway" }, { kind: "highway" }, { highway: "primary_link" }, { class: "minor" }, { class: "path" }].map((one) => width(one)), [3, 3, 2, 1, 0.5]);
  assert.equal(width({ 道路等级: "主干道" }, "道路"), 2);
  assert.equal(width({ class: "ferry" }, "transportation"), undefined);
  const token = (/** @type {string} */ name, /** @type {string} */ kind) => drawingOf(name, "polygons", { kind, detail: "", name: "" })?.token;
  assert.deepEqual([token("landuse", "residential"), token("landuse", "cemetery"), token("landcover", "wood"), token("landcover", "ice")], ["--line", "--green", "--green", "--line"]);
});

test("a name is read in the reader's language, and by the keys of planners' files", () => {
  const place = { class: "town", name: "Heihe", "name:zh": "黑河市", "name:en": "Heihe City", "name:ru": "Хэйхэ" };
  assert.deepEqual(read(place, "zh"), { kind: "town", detail: "", name: "黑河市" });
  assert.equal(read(place, "en").name, "Heihe City");
  assert.equal(read({ name: "中央大街" }, "en").name, "中央大街");
  assert.equal(read({ DLMC: "中央大街" }, "zh").name, "中央大街");
  assert.equal(read({ road_name: "中央大街", road_class: "arterial" }, "zh").kind, "arterial");
  assert.equal(read({ 名称: "", id: 7 }, "zh").name, "");
  assert.equal(read({ name: "x".repeat(60) }, "zh").name, "");
});

test("names stand behind the city's own, and wait for room", () => {
  const named = { kind: "", detail: "", name: "中央大街" };
  const from = (/** @type {string} */ kind) => letteringOf("transportation_name", "lines", { ...named, kind })?.from ?? NaN;
  assert.ok(from("primary") < from("minor") && from("minor") < from("path"));
  assert.ok((letteringOf("place", "points", { ...named, kind: "city" })?.rank ?? 0) > 3);
  assert.equal(letteringOf("place", "points", { ...named, kind: "country" }), null);
  assert.equal(letteringOf("building", "polygons", named), null);
  assert.equal(letteringOf("transportation_name", "lines", { ...named, name: "" }), null);
});

/** @param {"points" | "lines" | "polygons"} kind @param {number[]} xy @returns {import("../core/tile_types.js").DecodedLayer} */
function layer(kind, xy) {
  const xs = xy.filter((_one, n) => n % 2 === 0);
  const ys = xy.filter((_one, n) => n % 2 === 1);
  return {
    kind,
    extent: 4096,
    properties: [{}],
    parts: Uint32Array.of(0, 1),
    lines: { xy: Int16Array.from(xy), starts: Uint32Array.of(0, xy.length / 2) },
    boxes: Int16Array.of(Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)),
    borders: [],
    labels: [],
  };
}

test("a name runs along the straight part of its line, the right way up, in one tile only", () => {
  const [level] = anchorsOf(layer("lines", [1000, 1000, 3000, 1000]), 0, 60, 0.125);
  assert.deepEqual(level, { x: 2000, y: 1000, angle: 0 });
  const [falling] = anchorsOf(layer("lines", [3000, 3000, 1000, 1000]), 0, 60, 0.125);
  assert.ok(Math.abs((falling?.angle ?? 0) - Math.PI / 4) < 1e-9);
  const [upright] = anchorsOf(layer("lines", [1000, 3000, 1000, 1000]), 0, 60, 0.125);
  assert.equal(Math.abs(upright?.angle ?? 0), Math.PI / 2);
  // too short, too bent, or its neighbour's
  assert.deepEqual(anchorsOf(layer("lines", [1000, 1000, 1200, 1000]), 0, 60, 0.125), []);
  assert.deepEqual(anchorsOf(layer("lines", [0, 0, 200, 0, 200, 200, 0, 200, 0, 400, 200, 400]), 0, 60, 0.125), []);
  assert.deepEqual(anchorsOf(layer("lines", [4100, 1000, 4300, 1000]), 0, 10, 0.125), []);
  assert.equal(anchorsOf(layer("lines", [0, 1000, 4095, 1000]), 0, 60, 1).length, 5);
  assert.deepEqual(anchorsOf(layer("points", [-5, 1000]), 0, 60, 1), []);
  assert.equal(anchorsOf(layer("polygons", [0, 0, 40, 0, 40, 40]), 0, 60, 1).length, 0);
  assert.ok(widthOf("中央大街") === 4 && widthOf("Main") < 3);
});

test("the same name is not read twice side by side, nor beside the city's own", () => {
  const at = (/** @type {number} */ x, rank = 13) => ({ text: "中央大街", x, y: 0, width: 60, height: 14, rank, ...(rank > 5 && { apart: 450 }) });
  assert.deepEqual(placeLabels([at(0), at(200), at(600)]).map(({ x }) => x), [0, 600]);
  assert.deepEqual(placeLabels([at(200), at(0, 1)]).map(({ x }) => x), [0]);
});
