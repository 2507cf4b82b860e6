/** The switch over the desk's map that draws where cases come back over the borders of grids. */

import { count } from "../core/formats.js";
import { getJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { ReturnLayer } from "../map/return_layer.js";
import { el } from "./dom.js";
import { sentenceOf } from "./start.js";

/**
 * @param {import("../map/city_map.js").CityMap} map
 * @param {HTMLElement} place where the switch goes
 */
export function returnedBorders(map, place) {
  const layer = new ReturnLayer(map);
  const box = el("input", { type: "checkbox", id: "returned-borders" });
  const words = el("span", {}, _("退单边界"));
  const note = el("small", { role: "status" });
  box.addEventListener("change", () => void draw(layer, box.checked, note));
  place.append(el("div", { class: "map-legend map-switch" }, el("label", { class: "check" }, box, words), " ", note));
}

/**
 * @param {ReturnLayer} layer
 * @param {boolean} isShown
 * @param {HTMLElement} note
 */
async function draw(layer, isShown, note) {
  note.textContent = "";
  layer.show([], describe);
  if (!isShown) return;
  try {
    const { features, total, elsewhere } = await getJson("/api/returns");
    layer.show(features, describe);
    note.textContent = total === 0 ? _("近 90 天没有退单。") : _("近 90 天退单 {total} 起，其中 {near} 起在边界附近。", { total: count(total), near: count(total - elsewhere) });
  } catch (error) {
    note.textContent = sentenceOf(error);
  }
}

/** @param {import("../map/return_layer.js").ReturnSegment} segment */
function describe({ properties: { count: n, grids } }) {
  const [one, other] = grids.map(({ grid_code, grid_name }) => grid_name ?? grid_code);
  return el("span", {}, _("{one} 与 {other} 之间：退单 {n} 起", { one: one ?? "", other: other ?? "", n: count(n) }));
}
