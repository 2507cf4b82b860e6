/** The workers that take vector tiles apart and paint them: made for a page when tiles are expected. */

import { paintTile } from "../core/tile_paint.js";

/** More would only be in each other's way, and in the page's. */
const MOST = 2;

/** @typedef {{resolve: (answer: any) => void, reject: (error: Error) => void}} Asker */

class Helper {
  constructor() {
    /** @type {Map<number, Asker>} */
    this.askers = new Map();
    this.worker = new Worker(new URL("../worker/tiles.js", import.meta.url), { type: "module" });
    this.worker.addEventListener("message", ({ data: { id, answer, problem } }) => {
      const asker = this.askers.get(id);
      this.askers.delete(id);
      if (problem) asker?.reject(new Error(problem));
      else asker?.resolve(answer);
    });
    // one that could not be loaded is made again for the next tile
    this.worker.addEventListener("error", () => {
      helpers.splice(helpers.indexOf(this), 1);
      for (const { reject } of this.askers.values()) reject(new Error("a worker for tiles does not run"));
      this.askers.clear();
    });
  }
}

/** @type {Helper[]} */
const helpers = [];
let asked = 0;

/** Have the workers ready before the first tile has come. */
export function prepare() {
  // each has its own compiled script to warm up, so a small machine is sooner done with one beside the page
  const wanted = Math.min(MOST, Math.max(1, (navigator.hardwareConcurrency || 1) - 1));
  while (helpers.length < wanted) helpers.push(new Helper());
}

/**
 * @param {string} work
 * @param {object} given
 * @param {Transferable[]} [transfer]
 * @returns {Promise<any>}
 */
function ask(work, given, transfer = []) {
  prepare();
  const [idlest] = [...helpers].sort((a, b) => a.askers.size - b.askers.size);
  const id = ++asked;
  return new Promise((resolve, reject) => {
    idlest?.askers.set(id, { resolve, reject });
    idlest?.worker.postMessage({ id, work, given }, transfer);
  });
}

/**
 * @param {ArrayBuffer} bytes which are handed over
 * @param {import("../core/tile_types.js").Taking[]} takings
 * @returns {Promise<Record<string, import("../core/tile_types.js").DecodedLayer>>}
 */
export function decode(bytes, takings) {
  return ask("decode", { bytes, takings }, [bytes]);
}

/**
 * All of a base map's tile that is drawn or lettered.
 * @param {ArrayBuffer} bytes which are handed over
 * @param {string} language of the names
 * @returns {Promise<Record<string, import("../core/tile_types.js").DecodedLayer>>} by name, a slash and kind
 */
export function decodeBase(bytes, language) {
  return ask("decodeBase", { bytes, language }, [bytes]);
}

/**
 * One picture of what lies over each other.
 * @param {{shapes: import("../core/tile_paint.js").Shapes, plan: import("../core/tile_paint.js").Plan}[]} layers the lowest first
 * @param {number} width device px
 * @param {number} height
 * @returns {Promise<ImageBitmap | HTMLCanvasElement>}
 */
export async function paint(layers, width, height) {
  // what is not painted does not go to the worker
  const coats = layers.map(({ shapes: { kind, parts, lines, borders }, plan }) => ({ shapes: { kind, parts, lines, borders }, plan }));
  if ("OffscreenCanvas" in globalThis) return ask("paint", { coats, width, height });
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width, height });
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  for (const { shapes, plan } of coats) paintTile(ctx, shapes, plan);
  return canvas;
}
