/** Which open incidents a staged set of grids would send to another grid, before anybody publishes it. */

import { count } from "../core/formats.js";
import { getJson, Problem } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { el } from "./dom.js";

/** @typedef {import("../core/types.js").Generation} Generation */
/** @typedef {{grid_code: string, grid_name: string | null} | null} Grid */
/** @typedef {{from: Grid, to: Grid, count: number}} Pair */
/** @typedef {{type: string, features: {geometry: {coordinates: [number, number]}, properties: any}[], open: number, moved: number, pairs: Pair[]}} Moves */

/** Pairs of grids that are listed; the rest is counted. */
const MOST_PAIRS = 10;
/** What a question about a discarded generation is answered with. */
const CONFLICT = 409;

/**
 * A section that fills itself; it stays hidden for layers and generations that move nothing.
 * @param {Generation} generation
 * @param {import("../map/city_map.js").CityMap} map
 */
export function movedIncidents(generation, map) {
  const section = el("section", { class: "moved", id: "moved", hidden: true });
  map.incidents.show([]);
  if (generation.layer === "grid" && generation.state === "staged") void fill(section, generation, map);
  return section;
}

/**
 * @param {HTMLElement} section
 * @param {Generation} generation
 * @param {import("../map/city_map.js").CityMap} map
 */
async function fill(section, generation, map) {
  /** @type {Moves | null} */
  const moves = await getJson("/api/generations/" + generation.id + "/moves").catch((error) => {
    // another generation took its place meanwhile, by mending
    if (error instanceof Problem && error.status === CONFLICT) return null;
    throw error;
  });
  if (!moves || moves.open === 0) return;
  section.hidden = false;
  section.append(
    el("h3", {}, _("发布后会改变网格的未结事件（{n}）", { n: count(moves.moved) })),
    el("p", { class: "totals" }, moves.moved === 0 ? _("{open} 起未结事件都留在原来的网格。", { open: count(moves.open) }) : _("共 {open} 起未结事件，其余不变。", { open: count(moves.open) })),
  );
  if (moves.moved === 0 || !section.isConnected) return;
  section.append(table(moves.pairs));
  map.incidents.show(moves.features.map(({ geometry, properties }) => ({ ...properties, lon: geometry.coordinates[0], lat: geometry.coordinates[1] })));
}

/** @param {Pair[]} pairs */
function table(pairs) {
  const head = [_("原网格"), _("新网格"), _("事件数")].map((words) => el("th", { scope: "col" }, words));
  const rows = pairs.slice(0, MOST_PAIRS).map(({ from, to, count: n }) => el("tr", {}, el("td", {}, name(from)), el("td", {}, name(to)), el("td", { class: "number" }, count(n))));
  const rest = pairs.slice(MOST_PAIRS).reduce((sum, pair) => sum + pair.count, 0);
  if (rest > 0) rows.push(el("tr", {}, el("td", { colspan: "2" }, _("其他")), el("td", { class: "number" }, count(rest))));
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows)));
}

/** @param {Grid} grid */
function name(grid) {
  return grid === null ? _("无网格") : [grid.grid_name, grid.grid_code].filter(Boolean).join(" ");
}
