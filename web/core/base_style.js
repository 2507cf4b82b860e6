/** How a base map of vector tiles is drawn, whatever its maker calls his layers: quietly, under what the city says itself. */

/** @typedef {{names: string[], only: "lines" | "polygons", token: string, opacity: number, width: number, isRoad?: boolean}} BaseLayer width in px; 0 for no border */

/** From the ground up. The names are those of OpenMapTiles, Protomaps and Tianditu. @type {BaseLayer[]} */
export const BASE_LAYERS = [
  { names: ["landcover", "landuse", "park", "natural", "green"], only: "polygons", token: "--grid-fill", opacity: 0.12, width: 0 },
  { names: ["water", "ocean"], only: "polygons", token: "--water", opacity: 0.6, width: 0 },
  { names: ["waterway", "water", "physical_line", "river"], only: "lines", token: "--water", opacity: 1, width: 1 },
  { names: ["building", "buildings"], only: "polygons", token: "--line", opacity: 0.5, width: 0 },
  { names: ["boundary", "boundaries"], only: "lines", token: "--line", opacity: 1, width: 1 },
  { names: ["transit", "railway"], only: "lines", token: "--road", opacity: 1, width: 1 },
  { names: ["transportation", "roads", "road", "streets"], only: "lines", token: "--road", opacity: 1, width: 1, isRoad: true },
];

const WIDE = new Set(["motorway", "trunk", "highway"]);
const MIDDLE = new Set(["primary", "secondary", "major_road", "arterial"]);
const NARROW = new Set(["path", "track", "footway", "service", "other"]);

/**
 * The width of a line, px.
 * @param {BaseLayer} layer
 * @param {Record<string, unknown>} properties
 */
export function baseWidth({ isRoad, width }, properties) {
  if (!isRoad) return width;
  const kind = String(properties.class ?? properties.kind ?? properties.highway ?? properties.type ?? "");
  return WIDE.has(kind) ? 3 : MIDDLE.has(kind) ? 2 : NARROW.has(kind) ? 0.5 : 1;
}
