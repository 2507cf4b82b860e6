/** The legend of the desk's map, opened where it is wanted: what the marks and the layers in view mean. */

import { _ } from "../core/i18n.js";
import { el } from "./dom.js";
import { legend } from "./legend.js";

/**
 * @param {import("../map/city_map.js").CityMap} map
 * @param {HTMLElement} place where it goes
 */
export function deskLegend(map, place) {
  const box = el("details", { class: "map-legend desk-legend" }, el("summary", {}, _("图例")));
  let told = "";
  const show = () => {
    if (!box.open) return;
    const list = legend(map.drawn());
    // a legend that says the same is not put there anew under somebody's pointer
    if (list.innerHTML === told) return;
    told = list.innerHTML;
    box.replaceChildren(/** @type {Element} */ (box.firstElementChild), list);
  };
  box.addEventListener("toggle", show);
  map.onDrawn(show);
  place.append(box);
}
