/**
 * Polygons, lines and points of a tile on a canvas, beside the page or on it. Without a graphics processor many small paths
 * are painted ten times as fast as a few large ones.
 */

import { drawSymbol } from "./symbol.js";

/** @typedef {import("./symbol.js").Ctx} Ctx */
/** @typedef {import("./tile_types.js").DecodedLayer} DecodedLayer */
/** @typedef {Pick<DecodedLayer, "kind" | "parts" | "lines"> & {borders: import("./tile_types.js").Lines[]}} Shapes what is painted of a layer */
/**
 * A way of drawing: colours as the canvas takes them ("" for none), sizes in device px.
 * @typedef {{fill: string, fillOpacity: number, stroke: string, width: number, radius: number, shape: string, mark?: import("./symbol.js").Mark,
 *   edge?: string}} Ink
 */
/**
 * How a tile is painted.
 * @typedef {object} Plan
 * @property {number} unit device px of a unit of the tile
 * @property {number} dx device px from the picture's corner to the tile's
 * @property {number} dy
 * @property {Ink[]} inks
 * @property {Uint16Array} inkOf which of them each feature has
 * @property {string} border colour of the borders of polygons; "" for none
 * @property {number[]} borderWidths of each group of borders, device px
 */

const LINES_A_STROKE = 16;

/**
 * @param {Ctx} ctx
 * @param {Shapes} shapes
 * @param {Plan} plan
 */
export function paintTile(ctx, shapes, plan) {
  if (shapes.kind === "points") {
    paintPoints(ctx, shapes, plan);
    return;
  }
  const { unit, dx, dy } = plan;
  ctx.setTransform(unit, 0, 0, unit, dx, dy);
  ctx.lineJoin = "round";
  if (shapes.kind === "lines") paintLines(ctx, shapes, plan);
  else paintPolygons(ctx, shapes, plan);
}

/**
 * @param {Ctx} ctx
 * @param {Shapes} shapes
 * @param {Plan} plan
 */
function paintPolygons(ctx, { parts, lines, borders }, { inks, inkOf, unit, border, borderWidths }) {
  let last = -1;
  for (let feature = 0; feature < inkOf.length; feature += 1) {
    const number = /** @type {number} */ (inkOf[feature]);
    const ink = /** @type {Ink} */ (inks[number]);
    if (!ink.fill) continue;
    if (number !== last) {
      ctx.fillStyle = ink.fill;
      ctx.globalAlpha = ink.fillOpacity;
      last = number;
    }
    ctx.beginPath();
    trace(ctx, lines, /** @type {number} */ (parts[feature]), /** @type {number} */ (parts[feature + 1]), true);
    ctx.fill("evenodd");
  }
  ctx.globalAlpha = 1;
  if (!border) return;
  ctx.strokeStyle = border;
  borders.forEach((group, index) => {
    const width = borderWidths[index] ?? 0;
    if (width <= 0) return;
    ctx.lineWidth = width / unit;
    // a cap on a hairline is not seen, and takes the canvas off its fast way
    ctx.lineCap = width > 1 ? "round" : "butt";
    const count = group.starts.length - 1;
    for (let at = 0; at < count; at += LINES_A_STROKE) {
      ctx.beginPath();
      trace(ctx, group, at, Math.min(count, at + LINES_A_STROKE), false);
      ctx.stroke();
    }
  });
}

/**
 * @param {Ctx} ctx
 * @param {Shapes} shapes
 * @param {Plan} plan
 */
function paintLines(ctx, { parts, lines }, { inks, inkOf, unit }) {
  const widthOf = (/** @type {number} */ feature) => inks[inkOf[feature] ?? 0]?.width ?? 0;
  ctx.lineCap = "round";
  // the widest last, as in a layer that is drawn whole
  for (const feature of [...inkOf.keys()].sort((a, b) => widthOf(a) - widthOf(b))) {
    const ink = /** @type {Ink} */ (inks[inkOf[feature] ?? 0]);
    if (!ink.stroke || ink.width <= 0) continue;
    ctx.strokeStyle = ink.stroke;
    ctx.lineWidth = ink.width / unit;
    ctx.beginPath();
    trace(ctx, lines, /** @type {number} */ (parts[feature]), /** @type {number} */ (parts[feature + 1]), false);
    ctx.stroke();
  }
}

/**
 * @param {Ctx} ctx
 * @param {Shapes} shapes
 * @param {Plan} plan
 */
function paintPoints(ctx, { parts, lines: { xy, starts } }, { inks, inkOf, unit, dx, dy }) {
  const isPlain = (/** @type {number} */ feature) => (inks[inkOf[feature] ?? 0]?.mark ?? "solid") === "solid";
  // what is out of order over what is not, as in a layer that is drawn whole
  for (const feature of [...inkOf.keys()].sort((a, b) => Number(isPlain(b)) - Number(isPlain(a)))) {
    const { shape, radius, fill, fillOpacity, stroke, width, mark, edge } = /** @type {Ink} */ (inks[inkOf[feature] ?? 0]);
    const [from, to] = [starts[parts[feature] ?? 0] ?? 0, starts[parts[feature + 1] ?? 0] ?? 0];
    for (let at = from; at < to; at += 1) {
      const [x, y] = [(xy[2 * at] ?? 0) * unit + dx, (xy[2 * at + 1] ?? 0) * unit + dy];
      drawSymbol(ctx, { shape, x, y, radius, fill, fillOpacity, casing: stroke, width, mark, edge });
    }
  }
}

/**
 * @param {Ctx} ctx
 * @param {import("./tile_types.js").Lines} lines
 * @param {number} from
 * @param {number} to
 * @param {boolean} isClosed
 */
function trace(ctx, { xy, starts }, from, to, isClosed) {
  for (let line = from; line < to; line += 1) {
    const [begin, end] = [/** @type {number} */ (starts[line]), /** @type {number} */ (starts[line + 1])];
    if (begin === end) continue;
    ctx.moveTo(/** @type {number} */ (xy[2 * begin]), /** @type {number} */ (xy[2 * begin + 1]));
    for (let at = begin + 1; at < end; at += 1) ctx.lineTo(/** @type {number} */ (xy[2 * at]), /** @type {number} */ (xy[2 * at + 1]));
    if (isClosed) ctx.closePath();
  }
}
