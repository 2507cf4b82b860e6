import assert from "node:assert/strict";
import { test } from "node:test";

import { LayerLoader } from "../ui/layer_loader.js";

/** Two layers, one whole and one in tiles, a map that notes what it is given, and a server. */
function ground() {
  const layer = (/** @type {string} */ name, /** @type {object} */ more) => ({ name, url: `/api/layers/${name}/features`, style: { min_zoom: 0 }, fields: [], tiles: null, ...more });
  const grid = (/** @type {number} */ generation) => layer("grid", { tiles: { url: `/tiles/grid/{z}/{x}/{y}.mvt?generation=${generation}`, max_zoom: 16 } });
  /** @type {any} */
  const state = { generation: 1, isAway: false, asked: [], shown: [] };
  const get = async (/** @type {string} */ url) => {
    state.asked.push(url);
    if (state.isAway) throw new Error("away");
    return url === "/api/catalogue" ? { layers: [layer("area", {}), grid(state.generation)] } : { features: [] };
  };
  /** @type {any} */
  const map = {
    expectTiles: () => {},
    onMove: () => {},
    isInRange: () => true,
    setFeatures: (/** @type {any} */ { name }) => state.shown.push(name),
    setTiles: async (/** @type {any} */ { tiles }) => state.shown.push(tiles.url.split("=")[1]),
  };
  /** @type {any} */
  const layers = [layer("area", {}), grid(1)];
  return { state, loader: new LayerLoader(map, layers, undefined, get) };
}

test("what is drawn is not asked for again, unless of what changed nobody may have told", async () => {
  const { state, loader } = ground();
  await loader.load();
  await loader.load();
  assert.deepEqual([state.asked, state.shown.sort()], [["/api/layers/area/features"], ["1", "area"]]);
  state.generation = 2;
  state.shown = [];
  await loader.renew();
  assert.deepEqual(state.shown.sort(), ["2", "area"]);
});

test("layers of which nobody can tell whether they changed are called old until somebody can", async () => {
  const { state, loader } = ground();
  await loader.load();
  state.isAway = true;
  await assert.rejects(loader.renew());
  assert.deepEqual([...loader.stale].sort(), ["area", "grid"]);
  state.isAway = false;
  await loader.renew();
  assert.equal(loader.stale.size, 0);
});
