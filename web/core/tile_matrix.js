/**
 * Where tiles lie. The world is the square of Web Mercator, 0 to 1 from the west and from the north; its places are true
 * (CGCS2000), whatever datum a base map is drawn in.
 */

import { fromGcj02, toGcj02 } from "./datum.js";

/** @typedef {[west: number, north: number, east: number, south: number]} World a box in the world square */
/** @typedef {{z: number, x: number, y: number}} TilePlace */
/**
 * @typedef {object} Scheme
 * @property {"w" | "c"} matrix squares of Web Mercator, or of degrees (EPSG:4326; level z has 2^z columns and half as many rows)
 * @property {"cgcs2000" | "gcj02"} datum
 */

/** Where the square ends. */
const NORTHMOST = (Math.atan(Math.sinh(Math.PI)) * 180) / Math.PI;
/** The square is a world; a thousandth of a pixel at the deepest zoom must not count as another tile. */
const EPSILON = 1e-12;
/** What one of the layers' own tiles holds beyond its edges, in shares of its side. */
const BUFFER = 1 / 16;

/** Levels by which tiles may be drawn smaller than they came. */
const FARTHEST_OUT = 2;

/** Tiles of the server's own layers. @type {Scheme} */
export const OWN = { matrix: "w", datum: "cgcs2000" };

/**
 * @param {number} lon
 * @param {number} lat
 * @returns {[x: number, y: number]}
 */
export function worldOf(lon, lat) {
  const inside = Math.min(NORTHMOST, Math.max(-NORTHMOST, lat));
  return [(lon + 180) / 360, 0.5 - Math.asinh(Math.tan((inside * Math.PI) / 180)) / (2 * Math.PI)];
}

/**
 * @param {number} x
 * @param {number} y
 * @returns {[lon: number, lat: number]}
 */
export function degreesOf(x, y) {
  return [x * 360 - 180, (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI];
}

/**
 * Columns and rows of a level.
 * @param {Scheme} scheme
 * @param {number} z
 */
function sizeOf({ matrix }, z) {
  return { columns: 2 ** z, rows: matrix === "w" ? 2 ** z : 2 ** Math.max(0, z - 1) };
}

/**
 * The ground that a part of a tile shows; without `part` the whole tile.
 * @param {Scheme} scheme
 * @param {TilePlace} tile
 * @param {[from: number, to: number]} [part] shares of its height, from the north
 * @returns {World}
 */
export function groundOf(scheme, { z, x, y }, [from, to] = [0, 1]) {
  // each side at its middle, which is also its neighbour's: so nothing shows between tiles that a datum bends
  const middle = y + (from + to) / 2;
  const [west] = trueWorld(scheme, z, x, middle);
  const [east] = trueWorld(scheme, z, x + 1, middle);
  const [, north] = trueWorld(scheme, z, x + 0.5, y + from);
  const [, south] = trueWorld(scheme, z, x + 0.5, y + to);
  return [/** @type {number} */ (west), /** @type {number} */ (north), /** @type {number} */ (east), /** @type {number} */ (south)];
}

/**
 * @param {Scheme} scheme
 * @param {number} z
 * @param {number} column with the share of the tile
 * @param {number} row with the share of the tile
 */
function trueWorld(scheme, z, column, row) {
  const { columns, rows } = sizeOf(scheme, z);
  if (scheme.matrix === "w" && scheme.datum === "cgcs2000") return [column / columns, row / rows];
  const drawn = scheme.matrix === "w" ? degreesOf(column / columns, row / rows) : /** @type {[number, number]} */ ([(column / columns) * 360 - 180, 90 - (row / rows) * 180]);
  return worldOf(...(scheme.datum === "gcj02" ? fromGcj02(drawn) : drawn));
}

/**
 * The column and row, with shares, where a place of the world lies.
 * @param {Scheme} scheme
 * @param {number} z
 * @param {number} x
 * @param {number} y
 */
function drawnAt(scheme, z, x, y) {
  const { columns, rows } = sizeOf(scheme, z);
  if (scheme.matrix === "w" && scheme.datum === "cgcs2000") return [x * columns, y * rows];
  const place = degreesOf(x, y);
  const [lon, lat] = scheme.datum === "gcj02" ? toGcj02(place) : place;
  if (scheme.matrix === "c") return [((lon + 180) / 360) * columns, ((90 - lat) / 180) * rows];
  const [u, v] = worldOf(lon, lat);
  return [u * columns, v * rows];
}

/**
 * The tiles of a level that show some of a box, those nearest to its middle first.
 * @param {Scheme} scheme
 * @param {World} box
 * @param {number} z
 * @returns {TilePlace[]}
 */
export function covering(scheme, [west, north, east, south], z) {
  const { columns, rows } = sizeOf(scheme, z);
  const corners = [[west, north], [east, north], [west, south], [east, south]].map(([x = 0, y = 0]) => drawnAt(scheme, z, x, y));
  const us = corners.map(([u = 0]) => u);
  const vs = corners.map(([, v = 0]) => v);
  const [left, right] = [Math.min(...us), Math.max(...us)];
  const [top, bottom] = [Math.min(...vs), Math.max(...vs)];
  /** @type {TilePlace[]} */
  const tiles = [];
  const lastColumn = Math.min(columns - 1, Math.ceil(right - EPSILON * columns) - 1);
  const lastRow = Math.min(rows - 1, Math.ceil(bottom - EPSILON * rows) - 1);
  for (let y = Math.max(0, Math.floor(top + EPSILON * rows)); y <= lastRow; y += 1) {
    for (let x = Math.max(0, Math.floor(left + EPSILON * columns)); x <= lastColumn; x += 1) tiles.push({ z, x, y });
  }
  const [midX, midY] = [(left + right) / 2 - 0.5, (top + bottom) / 2 - 0.5];
  const away = (/** @type {TilePlace} */ { x, y }) => Math.hypot(x - midX, y - midY);
  return tiles.sort((a, b) => away(a) - away(b));
}

/**
 * Whether a tile of the layers' own, with what it holds beyond its edges, can show anything that lies within a box.
 * @param {TilePlace} tile
 * @param {import("./types.js").Bounds} bounds degrees
 */
export function mayShow({ z, x, y }, [west, south, east, north]) {
  const [left, top] = worldOf(west, north);
  const [right, bottom] = worldOf(east, south);
  const columns = 2 ** z;
  const isBeside = (x + 1 + BUFFER) / columns < left || (x - BUFFER) / columns > right;
  return !isBeside && (y + 1 + BUFFER) / columns >= top && (y - BUFFER) / columns <= bottom;
}

/**
 * The level whose tiles are drawn at a zoom of the map (world = 256 · 2^zoom px); null where even the least would be drawn
 * so small that a screen needs hundreds.
 * @param {number} zoom
 * @param {number} density device pixels a px
 * @param {{size: number, least: number, most: number, up?: boolean}} tiles `size` px of a tile where it is drawn as it came; `up` never smaller
 */
export function levelAt(zoom, density, { size, least, most, up = false }) {
  const exact = zoom + Math.log2(density) - Math.log2(size / 256);
  if (exact < least - FARTHEST_OUT) return null;
  const level = up ? Math.floor(exact + 1e-9) : Math.round(exact);
  return Math.min(most, Math.max(least, level));
}

/**
 * How many strips a tile of degrees must be cut into so that each may be stretched evenly onto the Mercator map.
 * @param {Scheme} scheme
 * @param {number} z
 */
export function stripsOf({ matrix }, z) {
  // a strip of half a degree is wrong by less than a fifth of a pixel up to 60° north
  return matrix === "w" ? 1 : Math.min(64, Math.max(1, Math.ceil(360 / 2 ** z / 0.5)));
}

/** The address of a tile. @param {string} template @param {TilePlace} tile */
export function tileUrl(template, { z, x, y }) {
  return template.replace("{z}", String(z)).replace("{x}", String(x)).replace("{y}", String(y));
}
