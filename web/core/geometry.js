/** Geometry of the screen: boxes, points in polygons, places for labels. Coordinates are longitude, latitude. */

/** @typedef {import("geojson").Geometry} Geometry */
/** @typedef {import("geojson").Position} Position */
/** @typedef {import("./types.js").Bounds} Bounds */

/**
 * All polygons of a geometry as lists of rings; none for points and lines.
 * @param {Geometry | null} geometry
 * @returns {Position[][][]}
 */
function polygonsOf(geometry) {
  if (!geometry) return [];
  if (geometry.type === "Polygon") return [geometry.coordinates];
  if (geometry.type === "MultiPolygon") return geometry.coordinates;
  if (geometry.type === "GeometryCollection") return geometry.geometries.flatMap(polygonsOf);
  return [];
}

/**
 * All positions of a geometry, in order.
 * @param {Geometry | null} geometry
 * @returns {Position[]}
 */
export function positionsOf(geometry) {
  if (!geometry) return [];
  switch (geometry.type) {
    case "Point":
      return [geometry.coordinates];
    case "MultiPoint":
    case "LineString":
      return geometry.coordinates;
    case "MultiLineString":
    case "Polygon":
      return geometry.coordinates.flat();
    case "MultiPolygon":
      return geometry.coordinates.flat(2);
    default:
      return geometry.geometries.flatMap(positionsOf);
  }
}

/**
 * The smallest box around geometries, or null if they hold no position.
 * @param {Iterable<Geometry | null>} geometries
 * @returns {Bounds | null}
 */
export function boundsOf(geometries) {
  /** @type {Bounds} */
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const geometry of geometries) {
    for (const [x = NaN, y = NaN] of positionsOf(geometry)) {
      box[0] = Math.min(box[0], x);
      box[1] = Math.min(box[1], y);
      box[2] = Math.max(box[2], x);
      box[3] = Math.max(box[3], y);
    }
  }
  return box[0] <= box[2] ? box : null;
}

/**
 * Whether a position lies inside (even-odd, so holes are outside).
 * @param {Geometry | null} geometry
 * @param {number} lon
 * @param {number} lat
 */
export function contains(geometry, lon, lat) {
  return polygonsOf(geometry).some((rings) => crossings(rings, lat).filter((x) => x > lon).length % 2 === 1);
}

/**
 * Longitudes where the rings cross a latitude, ascending.
 * @param {Position[][]} rings
 * @param {number} lat
 */
function crossings(rings, lat) {
  const found = [];
  for (const ring of rings) {
    for (let i = 1; i < ring.length; i++) {
      const [x1 = 0, y1 = 0] = ring[i - 1] ?? [];
      const [x2 = 0, y2 = 0] = ring[i] ?? [];
      if (y1 > lat !== y2 > lat) found.push(x1 + ((lat - y1) / (y2 - y1)) * (x2 - x1));
    }
  }
  return found.sort((a, b) => a - b);
}

/**
 * Twice the signed area of a ring in square degrees; only for comparing sizes.
 * @param {Position[]} ring
 */
function doubleArea(ring) {
  let sum = 0;
  for (let i = 1; i < ring.length; i++) {
    const [x1 = 0, y1 = 0] = ring[i - 1] ?? [];
    const [x2 = 0, y2 = 0] = ring[i] ?? [];
    sum += x1 * y2 - x2 * y1;
  }
  return sum;
}

/**
 * A point well inside the largest part: the middle of the longest inner stretch near its centre of height.
 * @param {Geometry | null} geometry
 * @returns {[lon: number, lat: number] | null}
 */
export function labelPoint(geometry) {
  let largest = null;
  let most = -1;
  for (const rings of polygonsOf(geometry)) {
    const size = Math.abs(doubleArea(rings[0] ?? []));
    if (size > most) [largest, most] = [rings, size];
  }
  if (!largest) return null;
  const box = boundsOf([{ type: "Polygon", coordinates: largest }]);
  if (!box) return null;
  /** @type {[number, number] | null} */
  let best = null;
  let longest = -1;
  for (const share of [0.5, 0.42, 0.58]) {
    const lat = box[1] + (box[3] - box[1]) * share;
    const cuts = crossings(largest, lat);
    for (let i = 0; i + 1 < cuts.length; i += 2) {
      const [from = 0, to = 0] = cuts.slice(i, i + 2);
      // the middle height reads best, so another must win by a clear margin
      const length = (to - from) * (share === 0.5 ? 1.25 : 1);
      if (length > longest) [longest, best] = [length, [(from + to) / 2, lat]];
    }
  }
  return best;
}

/**
 * Half the length of the diagonal, in metres; close enough for choosing a zoom or a hint.
 * @param {Bounds} box
 */
export function reach([west, south, east, north]) {
  const metresPerDegree = 111_320;
  const x = (east - west) * metresPerDegree * Math.cos((((south + north) / 2) * Math.PI) / 180);
  const y = (north - south) * metresPerDegree;
  return Math.hypot(x, y) / 2;
}
