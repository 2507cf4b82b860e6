/** Takes vector tiles apart and paints them beside the page, so that a map in motion does not wait for it. */

import { paintTile } from "../core/tile_paint.js";
import { buffersOf, decodeTile } from "../map/tile_decode.js";

/** @type {Record<string, (given: any) => {answer: unknown, transfer: Transferable[]}>} */
const WORKS = {
  decode({ bytes, takings }) {
    const answer = decodeTile(bytes, takings);
    return { answer, transfer: buffersOf(answer) };
  },
  paint({ shapes, plan }) {
    const canvas = new OffscreenCanvas(plan.width, plan.height);
    paintTile(/** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d")), shapes, plan);
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
