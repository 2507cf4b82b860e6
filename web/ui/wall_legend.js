/** The legend of a scene: what the marks, the colours by number and the layers on the map mean, and which are old. */

import { classToken, classWords } from "../core/classes.js";
import { _ } from "../core/i18n.js";
import { el } from "./dom.js";
import { legend } from "./legend.js";

/** What a scene colours its grids by. @param {import("../core/types.js").Scene["colour"]} colour */
export function colourWords(colour) {
  /** @type {Record<string, string>} */
  const words = {
    open: _("各网格未结事件数"),
    overdue: _("各网格超期事件数"),
    reported: _("各网格近 30 天上报数"),
    completed: _("各网格本月办结数"),
  };
  return words[colour] ?? "";
}

/**
 * @param {HTMLElement} box
 * @param {import("../core/types.js").Scene} scene
 * @param {number[]} bounds lower bounds of the classes of numbers
 * @param {ReturnType<import("../map/city_map.js").CityMap["drawn"]>} drawn
 * @param {string[]} stale titles of the layers that could not be brought up to date
 */
export function showLegend(box, scene, bounds, drawn, stale) {
  const classes = bounds.map((_bound, index) => {
    const swatch = el("i", { class: "swatch swatch-number" });
    swatch.style.background = `var(${classToken(index, bounds.length)})`;
    return el("li", {}, swatch, classWords(bounds, index));
  });
  const coloured = scene.colour !== "plain" && classes.length > 0;
  box.replaceChildren(
    ...(coloured ? [el("p", {}, colourWords(scene.colour)), el("ul", { class: "legend legend-numbers" }, ...classes)] : []),
    legend(drawn, { incidents: scene.points !== "none" }),
    ...(stale.length > 0
      ? [el("p", { class: "legend-stale" }, _("未能更新：{layers}", { layers: stale.join(_("、")) }))]
      : []),
  );
}
