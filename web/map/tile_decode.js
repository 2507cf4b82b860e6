/** From the bytes of a vector tile to what is drawn of it: flat arrays that a worker hands over without a copy. */

import { PbfReader, VectorTile } from "../vendor/tiles.js";
import { arcsOf, LineList } from "../core/arcs.js";

/** @typedef {import("../core/tile_types.js").Lines} Lines */
/** @typedef {import("../core/tile_types.js").Properties} Properties */
/** @typedef {import("../core/tile_types.js").DecodedLayer} DecodedLayer */
/** @typedef {import("../core/tile_types.js").Taking} Taking */

/**
 * @param {ArrayBuffer} bytes
 * @param {Taking[]} takings
 * @returns {Record<string, DecodedLayer>} those that are in the tile, by name
 */
export function decodeTile(bytes, takings) {
  const tile = new VectorTile(new PbfReader(new Uint8Array(bytes)));
  /** @type {Record<string, DecodedLayer>} */
  const decoded = {};
  for (const taking of takings) {
    const layer = tile.layers[taking.name];
    if (layer) decoded[taking.name] = decodeFeatures(featuresOf(layer), layer.extent, taking, labelsOf(taking.hasNames ? tile.layers[taking.name + "_label"] : undefined));
  }
  return decoded;
}

const KINDS = /** @type {const} */ ([undefined, "points", "lines", "polygons"]);

/**
 * Every layer of a tile that is wanted, whatever it is called; one that mixes kinds is taken apart by kind.
 * @param {ArrayBuffer} bytes
 * @param {(name: string, kind: DecodedLayer["kind"]) => boolean} isWanted
 * @param {(properties: Properties) => Properties} read what is kept of a feature's values
 * @returns {Record<string, DecodedLayer>} by name, a slash and kind
 */
export function decodeAll(bytes, isWanted, read) {
  const tile = new VectorTile(new PbfReader(new Uint8Array(bytes)));
  /** @type {Record<string, DecodedLayer>} */
  const decoded = {};
  for (const [name, layer] of Object.entries(tile.layers)) {
    const features = featuresOf(layer);
    for (const only of KINDS) {
      const own = features.filter(({ type }) => KINDS[type] === only);
      if (!only || own.length === 0 || !isWanted(name, only)) continue;
      const taken = decodeFeatures(own, layer.extent, { name, classify: null, widths: {}, width: 1, hasNames: false }, []);
      decoded[name + "/" + only] = { ...taken, properties: taken.properties.map(read) };
    }
  }
  return decoded;
}

/** Every buffer that a worker may hand over. @param {Record<string, DecodedLayer>} tile */
export function buffersOf(tile) {
  return Object.values(tile).flatMap(({ parts, lines, boxes, borders }) =>
    [parts, boxes, ...[lines, ...borders].flatMap(({ xy, starts }) => [xy, starts])].map(({ buffer }) => /** @type {ArrayBuffer} */ (buffer)),
  );
}

/** @typedef {import("../vendor/tiles.js").VectorTile["layers"][string]} RawLayer */
/** @typedef {ReturnType<RawLayer["feature"]>} RawFeature */

/** @param {RawLayer} layer */
function featuresOf(layer) {
  return Array.from({ length: layer.length }, (_one, index) => layer.feature(index));
}

/**
 * @param {RawFeature[]} features
 * @param {number} extent
 * @param {Taking} taking
 * @param {DecodedLayer["labels"]} labels
 * @returns {DecodedLayer}
 */
function decodeFeatures(features, extent, taking, labels) {
  /** @type {Properties[]} */
  const properties = [];
  const raw = new LineList(features.length * 32);
  const found = [0];
  /** @type {DecodedLayer["kind"]} */
  let kind = "points";
  for (const feature of features) {
    const own = feature.type === 3 ? "polygons" : feature.type === 2 ? "lines" : "points";
    kind = own;
    properties.push({ ...feature.properties });
    for (const points of feature.loadGeometry()) addLine(raw, points, own === "polygons");
    found.push(raw.starts.length - 1);
  }
  const parts = Uint32Array.from(found);
  const lines = raw.done();
  const borders = kind === "polygons" ? bordersOf(lines, parts, properties, taking) : [];
  return { kind, extent, properties, parts, lines, boxes: boxesOf(lines, parts), borders, labels };
}

/**
 * @param {LineList} list
 * @param {{x: number, y: number}[]} points
 * @param {boolean} isRing whose last position repeats the first
 */
function addLine(list, points, isRing) {
  const count = isRing ? points.length - 1 : points.length;
  let [lastX, lastY] = [NaN, NaN];
  for (let i = 0; i < count; i += 1) {
    const { x, y } = /** @type {{x: number, y: number}} */ (points[i]);
    if (x === lastX && y === lastY) continue;
    list.add(x, y);
    [lastX, lastY] = [x, y];
  }
  list.close();
}

/**
 * What runs between polygons and around them, each stretch once and as wide as the widest that it borders wants it.
 * @param {Lines} lines
 * @param {Uint32Array} parts
 * @param {Properties[]} properties
 * @param {Taking} taking
 * @returns {DecodedLayer["borders"]}
 */
function bordersOf(lines, parts, properties, { classify, widths, width }) {
  const { arcs, rings, starts } = arcsOf(lines);
  const widest = new Float32Array(arcs.starts.length - 1);
  properties.forEach((one, feature) => {
    const own = (classify !== null && widths[String(one[classify] ?? "")]) || width;
    const [from, to] = [starts[parts[feature] ?? 0] ?? 0, starts[parts[feature + 1] ?? 0] ?? 0];
    for (let i = from; i < to; i += 1) {
      const ring = /** @type {number} */ (rings[i]);
      const arc = ring < 0 ? ~ring : ring;
      if (own > /** @type {number} */ (widest[arc])) widest[arc] = own;
    }
  });
  const all = [...new Set(widest)].sort((a, b) => a - b);
  return all.map((one) => ({ width: one, ...(all.length === 1 ? arcs : chosen(arcs, (arc) => widest[arc] === one)) }));
}

/**
 * @param {Lines} arcs
 * @param {(arc: number) => boolean} isWanted
 */
function chosen({ xy, starts }, isWanted) {
  const list = new LineList(xy.length / 2);
  for (let arc = 0; arc + 1 < starts.length; arc += 1) {
    if (!isWanted(arc)) continue;
    for (let i = /** @type {number} */ (starts[arc]); i < /** @type {number} */ (starts[arc + 1]); i += 1) {
      list.add(/** @type {number} */ (xy[2 * i]), /** @type {number} */ (xy[2 * i + 1]));
    }
    list.close();
  }
  return list.done();
}

/**
 * @param {Lines} lines
 * @param {Uint32Array} parts
 */
function boxesOf({ xy, starts }, parts) {
  const boxes = new Int16Array((parts.length - 1) * 4);
  for (let feature = 0; feature + 1 < parts.length; feature += 1) {
    let [west, north, east, south] = [32767, 32767, -32768, -32768];
    for (let i = starts[parts[feature] ?? 0] ?? 0; i < (starts[parts[feature + 1] ?? 0] ?? 0); i += 1) {
      const [x, y] = [/** @type {number} */ (xy[2 * i]), /** @type {number} */ (xy[2 * i + 1])];
      if (x < west) west = x;
      if (x > east) east = x;
      if (y < north) north = y;
      if (y > south) south = y;
    }
    boxes[feature * 4] = west;
    boxes[feature * 4 + 1] = north;
    boxes[feature * 4 + 2] = east;
    boxes[feature * 4 + 3] = south;
  }
  return boxes;
}

/**
 * @param {RawLayer | undefined} layer
 * @returns {DecodedLayer["labels"]}
 */
function labelsOf(layer) {
  return Array.from({ length: layer?.length ?? 0 }, (_one, index) => {
    const feature = /** @type {RawLayer} */ (layer).feature(index);
    const [[point] = []] = feature.loadGeometry();
    return { x: point?.x ?? 0, y: point?.y ?? 0, properties: { ...feature.properties } };
  });
}

/**
 * The topmost polygon at a place of a tile, or -1.
 * @param {DecodedLayer} layer
 * @param {number} x units
 * @param {number} y units
 */
export function polygonAt({ kind, parts, lines: { xy, starts }, boxes }, x, y) {
  if (kind !== "polygons") return -1;
  for (let feature = parts.length - 2; feature >= 0; feature -= 1) {
    const box = feature * 4;
    const isAcross = x >= /** @type {number} */ (boxes[box]) && x <= /** @type {number} */ (boxes[box + 2]);
    if (!isAcross || y < /** @type {number} */ (boxes[box + 1]) || y > /** @type {number} */ (boxes[box + 3])) continue;
    let isInside = false;
    for (let ring = parts[feature] ?? 0; ring < (parts[feature + 1] ?? 0); ring += 1) {
      if (isOdd(xy, starts[ring] ?? 0, starts[ring + 1] ?? 0, x, y)) isInside = !isInside;
    }
    if (isInside) return feature;
  }
  return -1;
}

/**
 * Whether a ring is crossed an odd number of times on the way from a place to the east.
 * @param {Int16Array} xy
 * @param {number} from
 * @param {number} to
 * @param {number} x
 * @param {number} y
 */
function isOdd(xy, from, to, x, y) {
  let odd = false;
  for (let i = from, j = to - 1; i < to; j = i, i += 1) {
    const [x1, y1] = [/** @type {number} */ (xy[2 * j]), /** @type {number} */ (xy[2 * j + 1])];
    const [x2, y2] = [/** @type {number} */ (xy[2 * i]), /** @type {number} */ (xy[2 * i + 1])];
    if (y1 > y !== y2 > y && x1 + ((y - y1) / (y2 - y1)) * (x2 - x1) > x) odd = !odd;
  }
  return odd;
}
