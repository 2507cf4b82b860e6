/** A base map of vector tiles: painted as `core/base_style` says, with the names that its tiles carry. */

import { anchorsOf, widthOf } from "../core/base_names.js";
import { drawingOf, heightOf, letteringOf } from "../core/base_style.js";
import { currentLanguage } from "../core/i18n.js";
import { widthAt } from "../core/style.js";
import { degreesOf, groundOf } from "../core/tile_matrix.js";
import { mixed } from "./base_tone.js";
import { density } from "./sharp_canvas.js";
import { decodeBase, paint } from "./tile_workers.js";

/** @typedef {import("../core/tile_types.js").DecodedLayer} DecodedLayer */
/** @typedef {import("../core/base_style.js").BaseProperties} BaseProperties */
/** @typedef {import("../core/base_style.js").Kind} Kind */
/** @typedef {import("../core/tile_matrix.js").TilePlace} TilePlace */
/** @typedef {import("./tile_pictures.js").Frame} Frame */
/** @typedef {import("./feature_layer.js").Look} Look */
/** @typedef {{name: string, kind: Kind, shapes: DecodedLayer, properties: BaseProperties[]}} Part a layer of a tile, as far as it is of one kind */
/** @typedef {{parts: Part[], names?: import("./label_layer.js").Name[], namedAt?: number}} Content from the ground up */

/** The same name is not read twice within so many px. */
const APART_PX = 450;
/** Air around a name along a line, in its own height. */
const AIR = 1;

/**
 * A tile taken apart.
 * @param {ArrayBuffer} bytes
 * @returns {Promise<Content>}
 */
export async function taken(bytes) {
  const decoded = await decodeBase(bytes, currentLanguage());
  const parts = Object.entries(decoded).map(([key, shapes]) => {
    const at = key.lastIndexOf("/");
    const [name, kind] = [key.slice(0, at), /** @type {Kind} */ (key.slice(at + 1))];
    return { name, kind, shapes, properties: /** @type {any} */ (shapes.properties) };
  });
  return { parts: parts.sort((a, b) => heightOf(a.name, a.kind) - heightOf(b.name, b.kind)) };
}

/**
 * @param {Content} content
 * @param {import("../core/tile_matrix.js").Scheme} scheme
 * @param {TilePlace} place
 * @param {Frame} frame
 * @param {Look} look
 */
export function painted({ parts }, scheme, place, frame, look) {
  const layers = parts.map((part) => ({ shapes: part.shapes, plan: planOf(part, scheme, place, frame, look) }));
  return paint(layers, frame.width, frame.height);
}

/**
 * @param {Part} part
 * @param {import("../core/tile_matrix.js").Scheme} scheme
 * @param {TilePlace} place
 * @param {Frame} frame
 * @param {Look} look
 * @returns {import("../core/tile_paint.js").Plan}
 */
function planOf({ name, kind, shapes, properties }, scheme, place, { world, left, top }, look) {
  const { colour, scale, zoom } = look;
  const [west, north, east] = groundOf(scheme, place);
  const px = (/** @type {number} */ width) => widthAt(width, zoom) * scale * density();
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @type {import("../core/tile_paint.js").Ink[]} */
  const inks = [];
  let [border, borderWidth] = ["", 0];
  const inkOf = Uint16Array.from(properties, (one) => {
    const drawing = drawingOf(name, kind, one);
    const key = JSON.stringify(drawing);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    // opaque: where the areas or lines of a layer lie over each other, nothing shows
    const ink = drawing && drawing.share > 0 ? mixed(colour(drawing.token), colour("--map-ground"), drawing.share) : "";
    if (drawing?.outline) [border, borderWidth] = [colour(drawing.outline), px(drawing.width)];
    numbers.set(key, inks.length);
    inks.push({
      fill: kind === "lines" ? "" : ink,
      fillOpacity: 1,
      stroke: kind === "lines" ? ink : "",
      width: kind === "lines" && drawing ? px(drawing.width) : 0,
      radius: (drawing?.radius ?? 0) * scale * density(),
      shape: "circle",
    });
    return inks.length - 1;
  });
  const unit = ((east - west) * world) / shapes.extent;
  return { unit, dx: west * world - left, dy: north * world - top, inks, inkOf, border, borderWidths: [borderWidth] };
}

/**
 * The names of a tile, for a zoom of the map.
 * @param {Content} content
 * @param {import("../core/tile_matrix.js").Scheme} scheme
 * @param {TilePlace} place
 * @param {number} zoom
 * @param {number} rem px
 * @returns {import("./label_layer.js").Name[]}
 */
export function namesOf(content, scheme, place, zoom, rem) {
  if (content.names && content.namedAt === zoom) return content.names;
  const [west, north, east, south] = groundOf(scheme, place);
  const world = 256 * 2 ** zoom;
  content.namedAt = zoom;
  content.names = content.parts.flatMap(({ name: layer, kind, shapes, properties }) =>
    properties.flatMap((own, feature) => {
      const lettering = letteringOf(layer, kind, own);
      if (!lettering || zoom < lettering.from) return [];
      const { rank, size } = lettering;
      const need = (widthOf(own.name) + AIR) * size * rem;
      return anchorsOf(shapes, feature, need, ((east - west) * world) / shapes.extent).map(({ x, y, angle }) => ({
        text: own.name,
        anchor: degreesOf(west + (x / shapes.extent) * (east - west), north + (y / shapes.extent) * (south - north)),
        rank,
        size,
        weight: 400,
        token: "--ink-2",
        angle,
        apart: APART_PX,
      }));
    }),
  );
  return content.names;
}
