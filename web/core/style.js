/** From a layer's style in the catalogue to what is drawn: token names and sizes, never colours. */

import { _ } from "./i18n.js";

/** @typedef {import("./types.js").Layer} Layer */

/**
 * @typedef {object} Drawing
 * @property {string} stroke token name or #rrggbb; "" for none
 * @property {number} width px at the desk; the wall multiplies it
 * @property {string} fill token name or #rrggbb; "" for none
 * @property {number} fillOpacity
 * @property {number} radius px
 * @property {string} shape
 * @property {import("./symbol.js").Mark} mark form of a symbol, by the state
 * @property {string} edge token name or #rrggbb of a mark that is not solid
 */

/** Names and borders must be read through a colour that stands for a number. */
export const NUMBERED_OPACITY = 0.62;

/**
 * How one feature of a layer is drawn.
 * @param {Layer} layer
 * @param {Record<string, unknown> | null} properties
 * @returns {Drawing}
 */
export function drawingOf({ geometry, style }, properties) {
  const value = style.classify ? String(properties?.[style.classify] ?? "") : "";
  const colour = style.classes[value];
  const isLine = geometry === "MultiLineString";
  return {
    stroke: isLine && colour ? colour : style.stroke,
    width: style.widths?.[value] ?? style.width,
    fill: isLine ? "" : (colour ?? style.fill),
    fillOpacity: colour && !style.fill_opacity ? 1 : style.fill_opacity,
    radius: style.radii?.[value] ?? style.radius,
    shape: style.shape,
    mark: markOf(style, properties),
    edge: style.state_colour ?? "",
  };
}

/**
 * The form of a symbol; of a state that is not known, or that nobody told how to draw, it is none of the known ones.
 * @param {Layer["style"]} style
 * @param {Record<string, unknown> | null} properties
 * @returns {import("./symbol.js").Mark}
 */
function markOf({ state, marks = {} }, properties) {
  if (!state || properties === null) return "solid";
  return marks[String(properties[state] ?? "")] ?? "faint";
}

/** The radius of a layer's largest symbol, px. @param {Layer["style"]} style */
export function largestRadius({ radius, radii = {} }) {
  return Math.max(radius, ...Object.values(radii));
}

/**
 * The values of a field that occur, for the legend.
 * @param {string | null | undefined} field
 * @param {Iterable<Record<string, unknown>>} rows
 * @returns {Set<string>}
 */
export function valuesOf(field, rows) {
  return field ? new Set([...rows].map((one) => String(one[field] ?? ""))) : new Set();
}

/**
 * One line of a legend for each way a layer is drawn: the layer itself, then its classes by their titles, then its states.
 * @param {Layer} layer
 * @param {Set<string>} occurring values of the classifying field that are on the map; others need no explanation
 * @param {Set<string>} [states] values of the field that the form of symbols tells
 * @returns {{title: string, drawing: Drawing, geometry: string}[]}
 */
export function legendOf(layer, occurring, states = new Set()) {
  const rows = classesOf(layer, occurring);
  const { style: { state, marks = {} }, fields, geometry } = layer;
  if (!state) return rows;
  const field = fields.find(({ name }) => name === state);
  // solid symbols are those of the classes
  const known = Object.keys(marks).filter((value) => states.has(value) && marks[value] !== "solid");
  const others = [...states].filter((value) => !marks[value]);
  return [
    ...rows,
    ...[...known, ...others].map((value) => ({
      title: field?.choices?.[value] ?? (value || _("状态不明")),
      drawing: drawingOf(layer, { [state]: value }),
      geometry,
    })),
  ];
}

/**
 * @param {Layer} layer
 * @param {Set<string>} occurring
 */
function classesOf(layer, occurring) {
  const { style, geometry } = layer;
  const field = layer.fields.find((one) => one.name === style.classify);
  const styled = new Set([...Object.keys(style.widths ?? {}), ...Object.keys(style.classes)]);
  const classes = [...styled].filter((value) => occurring.has(value)).map((value) => ({
    title: field?.choices?.[value] ?? value,
    drawing: { ...drawingOf(layer, style.classify ? { [style.classify]: value } : null), mark: /** @type {const} */ ("solid") },
    geometry,
  }));
  if (classes.length > 0 && [...occurring].every((value) => styled.has(value))) return classes;
  return [{ title: layer.title, drawing: drawingOf(layer, null), geometry }, ...classes];
}

/**
 * How much thinner hairlines (1 px and less) become when the map is far out, so that small cells do not run together
 * and the borders above them stand out; never less than half.
 * @param {number} width px
 * @param {number} zoom
 */
export function widthAt(width, zoom) {
  return width > 1 ? width : width * Math.min(1, Math.max(0.5, 2 ** ((zoom - 14) / 2)));
}

/**
 * The radius of a symbol, which shrinks like the hairlines when the map is far out: many points must not bury the map.
 * @param {number} radius px
 * @param {number} zoom
 */
export function radiusAt(radius, zoom) {
  return Math.max(1.5, widthAt(1, zoom) * radius);
}

/** Levels of an area, the one that is named first on a map first. The county is the map itself and needs no name. */
const LEVELS = ["township", "community"];

/**
 * How a feature's name is lettered at a zoom, or null if it is not: rank (smaller goes first), size in rem, weight.
 * @param {Layer} layer
 * @param {Record<string, unknown>} properties
 * @param {number} zoom
 */
export function letteringOf(layer, properties, zoom) {
  if (layer.kind !== "boundary" || !layer.label || zoom < layer.style.min_zoom) return null;
  if ("admin_level" in properties) {
    const rank = LEVELS.indexOf(String(properties.admin_level));
    if (rank < 0) return null;
    return rank === 0
      ? { rank, size: 1.25, weight: 600, token: "--label" }
      : { rank, size: 0.9375, weight: 400, token: "--label-2" };
  }
  // names of parts of parts would bury those of the parts, so they wait until there is room
  const nearEnough = zoom >= Math.max(15.5, layer.style.min_zoom + 2);
  return nearEnough ? { rank: 2 + layer.order / 1000, size: 0.875, weight: 400, token: "--label-2" } : null;
}

/**
 * Whether any name of a layer is lettered at zooms up to this.
 * @param {Layer} layer
 * @param {number} zoom
 */
export function isLettered(layer, zoom) {
  const highest = layer.fields.some(({ name }) => name === "admin_level") ? { admin_level: LEVELS[0] } : {};
  return letteringOf(layer, highest, zoom) !== null;
}

/** Looks of the kinds of findings; the same in reports and other tools. */
const FINDING_LOOKS = /** @type {Record<string, FindingLook>} */ ({
  gap: { token: "--gap", pattern: "hatch" },
  bay: { token: "--gap", pattern: "hatch" },
  missing_cell: { token: "--gap", pattern: "hatch" },
  overlap: { token: "--overlap", pattern: "cross" },
  contained: { token: "--overlap", pattern: "cross" },
  duplicate_geometry: { token: "--overlap", pattern: "cross" },
  outside: { token: "--outside", pattern: "arrow" },
  other_parent_overlap: { token: "--outside", pattern: "arrow" },
  wrong_parent: { token: "--outside", pattern: "arrow" },
  sub_grid_outside: { token: "--outside", pattern: "arrow" },
  near_miss: { token: "--near-miss", pattern: "dots" },
});

/**
 * @typedef {object} FindingLook
 * @property {string} token colour
 * @property {"hatch" | "cross" | "arrow" | "dots" | "line"} pattern
 */

/**
 * @param {string} kind
 * @returns {FindingLook}
 */
export function findingLook(kind) {
  return FINDING_LOOKS[kind] ?? { token: "--other-finding", pattern: "line" };
}
