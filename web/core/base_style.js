/**
 * How a base map of vector tiles is drawn, whatever its maker calls his layers: quietly, under what the city says itself. What
 * is not known is drawn too, so that nobody takes a map for empty because of a name.
 */

/** @typedef {import("./tile_types.js").DecodedLayer["kind"]} Kind */
/** @typedef {import("./tile_types.js").Properties} Properties */
/** @typedef {{kind: string, detail: string, name: string}} BaseProperties what is read of a feature */
/** @typedef {"ground" | "green" | "water" | "building" | "border" | "rail" | "road" | "place" | "other" | "none"} Role of a layer */
/**
 * How a feature is drawn: `share` of the token's colour over the map's ground (0 is none of it), the token of an outline, sizes in px.
 * @typedef {{token: string, share: number, width: number, radius: number, outline: string}} BaseDrawing
 */

/**
 * What layers are, by their names in the schemes of OpenMapTiles, Protomaps, Shortbread, Mapbox and the national base data, and
 * as people call files: the first that fits. @type {[Role, RegExp][]}
 */
const ROLES = [
  ["none", /^(earth|background|housenumbers?|address(es)?|pois?|poi_labels?|aerodrome_label|public_transport|globallandcover|contours?|hillshade)$/],
  ["water", /water|ocean|lake|river|stream|^hyd|^physical_line|水|河|湖/],
  ["rail", /rail|transit|transport_lines|^lrrl|铁路|轨道/],
  ["road", /^transportation|road|street|highway|^lrdl|道路|公路|路网/],
  ["building", /building|^resa|建筑|房屋|楼/],
  ["border", /boundar|^admin|^bou|界|行政/],
  ["green", /landcover|park|green|vegetation|natural|forest|^vega|绿|植被|林地/],
  ["ground", /^land|^sites?$|aeroway|用地/],
  ["place", /place|^agnp|^aanp|地名/],
];
/** Layers that only carry names; what they name is in another. */
const LETTERING = /(^|_)(name|label)s?(_points?)?$/;

const KIND_KEY = /^(class|kind|highway|railway|waterway|natural|landuse|fclass|type|pmap:kind|等级|类型|道路等级)$|_class$/i;
const DETAIL_KEYS = ["kind_detail", "subclass"];
const NAME_KEYS = {
  zh: ["name:zh-Hans", "name:zh", "name_zh", "name:zh-CN", "name"],
  en: ["name:en", "name_en", "name:latin", "name_int", "name"],
};
const OTHER_NAME_KEY = /^(name|title|label|mc)$|(_name|名|名称)$|^[a-z]{2,4}mc$/i;
const LONGEST_NAME = 40;

const GREEN = /park|wood|forest|grass|meadow|garden|recreation|golf|cemetery|reserve|scrub|heath|wetland|farm|orchard|vineyard|pitch|allotment|green|crop|绿|林|草|耕|园/;
const WIDE = /^(motorway|trunk|highway|高速.*|国道|快速路)(_link)?$/;
const MIDDLE = /^(primary|secondary|major_road|arterial|省道|县道|主?干道|主干路|次干[道路])(_link)?$/;
const NARROW = /^(path|track|footway|service|other|cycleway|pedestrian|steps|bridleway|corridor)$/;
const RAIL = /^(rail|railway|transit|subway|light_rail|tram|narrow_gauge|铁路)$/;
/** Lines on the water that are no water. */
const FERRY = /ferry|aerialway|cable_car|gondola/;

/** @param {string} name of a layer @returns {Role} */
export function roleOf(name) {
  const lower = name.toLowerCase();
  return ROLES.find(([, pattern]) => pattern.test(lower))?.[0] ?? "other";
}

/**
 * Whether anything of a layer is drawn or lettered.
 * @param {string} name
 * @param {Kind} kind
 */
export function isWanted(name, kind) {
  const role = roleOf(name);
  return role !== "none" && !(role === "border" && kind === "points");
}

/**
 * What of a feature is needed: a map of the world carries each name in sixty languages.
 * @param {Properties} properties
 * @param {"zh" | "en"} language of the reader
 * @returns {BaseProperties}
 */
export function read(properties, language) {
  const keys = Object.keys(properties);
  const text = (/** @type {string | undefined} */ key) => (key === undefined ? "" : String(properties[key] ?? "").trim());
  const nameKey = NAME_KEYS[language].find((key) => text(key)) ?? keys.find((key) => OTHER_NAME_KEY.test(key) && text(key));
  const name = text(nameKey);
  return {
    kind: text(keys.find((key) => KIND_KEY.test(key))).toLowerCase(),
    detail: text(DETAIL_KEYS.find((key) => key in properties)).toLowerCase(),
    name: name.length > LONGEST_NAME ? "" : name,
  };
}

/** From the ground up. @type {Role[]} */
const HEIGHTS = ["ground", "other", "green", "water", "building", "road", "rail", "border", "place"];

/**
 * How high a layer lies over the ground; areas lie under all lines.
 * @param {string} name
 * @param {Kind} kind
 */
export function heightOf(name, kind) {
  return { polygons: 0, lines: HEIGHTS.length, points: 2 * HEIGHTS.length }[kind] + HEIGHTS.indexOf(roleOf(name));
}

/** @param {string} token @param {number} share @param {Partial<BaseDrawing>} [more] @returns {BaseDrawing} */
const drawn = (token, share, more = {}) => ({ token, share, width: 0, radius: 0, outline: "", ...more });

const POLYGONS = /** @type {Partial<Record<Role, BaseDrawing>>} */ ({
  ground: drawn("--line", 0.25),
  green: drawn("--green", 0.7),
  water: drawn("--water", 0.6),
  building: drawn("--line", 0.6),
  road: drawn("--road", 0.3),
  rail: drawn("--line", 0.25),
  border: drawn("--grid-line", 0, { width: 1, outline: "--grid-line" }),
  other: drawn("--line", 0.25, { width: 1, outline: "--line" }),
});

/**
 * How a feature of a layer is drawn; null where it is not.
 * @param {string} name
 * @param {Kind} kind
 * @param {BaseProperties} properties
 * @returns {BaseDrawing | null}
 */
export function drawingOf(name, kind, properties) {
  if (LETTERING.test(name.toLowerCase())) return null;
  const role = roleOf(name);
  if (kind === "points") return role === "other" ? drawn("--ink-2", 0.6, { radius: 2 }) : null;
  if (kind === "lines") return lineOf(role, properties);
  const isGreen = GREEN.test(properties.kind);
  if (role === "ground" && isGreen) return POLYGONS.green ?? null;
  if (role === "green" && properties.kind && !isGreen) return POLYGONS.ground ?? null;
  return POLYGONS[role] ?? null;
}

/**
 * @param {Role} role
 * @param {BaseProperties} properties
 * @returns {BaseDrawing | null}
 */
function lineOf(role, { kind, detail }) {
  if (FERRY.test(kind)) return null;
  if (role === "road") {
    if (RAIL.test(kind)) return drawn("--road", 1, { width: 1 });
    const width = WIDE.test(kind) || WIDE.test(detail) ? 3 : MIDDLE.test(kind) || MIDDLE.test(detail) ? 2 : NARROW.test(kind) ? 0.5 : 1;
    return drawn("--road", 1, { width });
  }
  if (role === "water") return drawn("--water", 1, { width: kind === "river" ? 2 : 1 });
  if (role === "rail") return drawn("--road", 1, { width: 1 });
  if (role === "border") return drawn("--grid-line", 0.6, { width: 1 });
  // the edges of green or of buildings, told beside their areas
  return role === "other" ? drawn("--ink-2", 0.4, { width: 1 }) : null;
}

/**
 * How the name of a feature is lettered: its rank behind the city's own names (smaller goes first), its size in rem, and the
 * zoom from which there is room for it.
 * @param {string} layer
 * @param {Kind} kind
 * @param {BaseProperties} properties
 * @returns {{rank: number, size: number, from: number} | null}
 */
export function letteringOf(layer, kind, { kind: own, detail, name }) {
  if (!name) return null;
  const role = roleOf(layer);
  if (role === "place") return placeLettering(detail || own);
  if (role === "water") return { rank: 12, size: 0.875, from: kind === "lines" ? (own === "stream" ? 15 : 12) : 13.5 };
  if (role === "road" || role === "rail") {
    const isMain = WIDE.test(own) || MIDDLE.test(own) || WIDE.test(detail) || MIDDLE.test(detail);
    return { rank: isMain ? 13 : 15, size: 0.875, from: isMain ? 13 : NARROW.test(own) ? 17 : 15 };
  }
  if (role === "green" || role === "ground" || role === "other") return { rank: 14, size: 0.875, from: 15 };
  return null;
}

/** @param {string} kind */
function placeLettering(kind) {
  if (/^(country|continent|state|province|region)$/.test(kind)) return null;
  if (/^(city|locality)$/.test(kind)) return { rank: 10, size: 1, from: 6 };
  if (kind === "town" || kind === "county") return { rank: 10.5, size: 1, from: 9 };
  if (/^(village|suburb|borough|district|township)$/.test(kind)) return { rank: 11, size: 0.875, from: 12 };
  return { rank: 11.5, size: 0.875, from: 14 };
}
