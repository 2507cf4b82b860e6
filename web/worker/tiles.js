/** Takes vector tiles apart and paints them beside the page, so that a map in motion does not wait for it. */

import { isWanted, read } from "../core/base_style.js";
import { paintTile } from "../core/tile_paint.js";
import { buffersOf, decodeAll, decodeTile } from "../map/tile_decode.js";

/** @type {Record<string, (given: any) => {answer: unknown, transfer: Transferable[]}>} */
const WORKS = {
  decode({ bytes, takings }) {
    const answer = decodeTile(bytes, takings);
    return { answer, transfer: buffersOf(answer) };
  },
  decodeBase({ bytes, language }) {
    const answer = decodeAll(bytes, isWanted, (properties) => read(properties, language));
    return { answer, transfer: buffersOf(answer) };
  },
  paint({ coats, width, height }) {
    const canvas = new OffscreenCanvas(width, height);
    const ctx = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
    for (const { shapes, plan } of coats) paintTile(ctx, shapes, plan);
    const answer = canvas.transferToImageBitmap();
    return { answer, transfer: [answer] };
  },
};

addEventListener("message", ({ data: { id, work, given } }) => {
  try {
    const { answer, transfer } = /** @type {(typeof WORKS)[string]} */ (WORKS[work])(given);
    postMessage({ id, answer }, { transfer });
  } catch (error) {
    postMessage({ id, problem: String(error) });
  }
});
