/** The built-up part of a wall's area, where grids are small and most things happen. */

import { boundsOf } from "../core/geometry.js";

/** Settlement classes that are town. */
const URBAN = new Set(["urban_community", "urban_village"]);

/**
 * The box around the urban grids; null where there are none, or no others.
 * @param {import("../core/types.js").OneFeature[]} grids
 */
export function urbanBounds(grids) {
  const urban = grids.filter(({ properties }) => URBAN.has(String(properties.settlement_class)));
  return urban.length === grids.length ? null : boundsOf(urban.map(({ geometry }) => geometry));
}
