/**
 * The grids around a worker, taken along: which of them has a position, by the rule that the server goes by. A grid
 * covers its inside and its border; of several that cover a position the lowest code has it.
 */

import { orientation } from "./orientation.js";

/** @typedef {[lon: number, lat: number][]} Ring closed, the first position repeated at the end */
/** @typedef {{grid_code: string, grid_name: string, is_own: boolean, polygons: Ring[][]}} BundledGrid */
/** @typedef {{generation: number, grids: BundledGrid[]}} Bundle as the server gives it */

export class GridBundle {
  /** @param {Bundle} bundle */
  constructor(bundle) {
    this.grids = [...bundle.grids]
      .sort((a, b) => byCodePoints(a.grid_code, b.grid_code))
      .map((grid) => ({ grid, box: boxOf(grid.polygons) }));
  }

  /**
   * The grid that has a position; null where none of those taken along covers it.
   * @param {number} lon
   * @param {number} lat
   * @returns {BundledGrid | null}
   */
  find(lon, lat) {
    const found = this.grids.find(
      ({ grid, box: [west, south, east, north] }) =>
        lon >= west && lon <= east && lat >= south && lat <= north && grid.polygons.some((rings) => covers(rings, lon, lat)),
    );
    return found?.grid ?? null;
  }
}

/**
 * Whether a polygon (its outer ring first, then its holes) covers a position, its border included.
 * @param {Ring[]} rings
 * @param {number} x
 * @param {number} y
 */
export function covers(rings, x, y) {
  const [outer, ...holes] = rings.map((ring) => within(ring, x, y));
  return outer >= 0 && holes.every((hole) => hole <= 0);
}

/**
 * Where a position lies by a ring: 1 inside, 0 on it, -1 outside. A ray to the east counts the edges that it crosses; an
 * edge has its lower end, not its upper, so that a ray through a corner crosses once.
 * @param {Ring} ring
 * @param {number} x
 * @param {number} y
 */
function within(ring, x, y) {
  let inside = false;
  for (let i = 1; i < ring.length; i++) {
    const [ax, ay] = ring[i - 1];
    const [bx, by] = ring[i];
    if (ax < x && bx < x) continue;
    if (bx === x && by === y) return 0;
    if (ay === y && by === y) {
      if (Math.min(ax, bx) <= x && x <= Math.max(ax, bx)) return 0;
      continue;
    }
    if (ay > y !== by > y) {
      const side = orientation(ax, ay, bx, by, x, y);
      if (side === 0) return 0;
      // to the left of an edge that rises the ray goes through it
      if (side > 0 === by > ay) inside = !inside;
    }
  }
  return inside ? 1 : -1;
}

/** @param {Ring[][]} polygons */
function boxOf(polygons) {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of polygons.flat(2)) {
    west = Math.min(west, lon);
    south = Math.min(south, lat);
    east = Math.max(east, lon);
    north = Math.max(north, lat);
  }
  return [west, south, east, north];
}

/**
 * As Python and PostgreSQL's "C" sort: by code points, which UTF-16 units are not beyond the first plane.
 * @param {string} a
 * @param {string} b
 */
function byCodePoints(a, b) {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = /** @type {number} */ (left[i].codePointAt(0)) - /** @type {number} */ (right[i].codePointAt(0));
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}
