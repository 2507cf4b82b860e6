/**
 * The legend of a scene: what the marks, the colours by number and the layers on the map mean, and which are old. Roads
 * and water need no words at ten metres, and every line of a legend takes its room from the map.
 */

import { classToken, classWords } from "../core/classes.js";
import { _ } from "../core/i18n.js";
import { el } from "./dom.js";
import { legend } from "./legend.js";
import { stretchWords } from "./wall_list_panels.js";

/** The marks of the incidents that a scene draws. */
const MARKS = {
  open: ["urgent", "overdue", "open", "done"],
  overdue: ["urgent", "overdue"],
  replay: ["urgent", "overdue", "open", "done"],
  none: [],
};

/**
 * What a scene colours its grids by.
 * @param {import("../core/types.js").Scene["colour"]} colour
 * @param {import("../core/types.js").Ranking | null | undefined} ranking of the month
 */
function colourWords(colour, ranking) {
  /** @type {Record<string, string>} */
  const words = {
    open: _("各网格未结事件数"),
    overdue: _("各网格超期事件数"),
    reported: _("各网格近 30 天上报数"),
    completed: ranking ? _("各网格办结数，{time}", { time: stretchWords(ranking) }) : "",
  };
  return words[colour] ?? "";
}

/**
 * @param {HTMLElement} box
 * @param {import("../core/types.js").Scene} scene
 * @param {number[]} bounds lower bounds of the classes of numbers
 * @param {ReturnType<import("../map/city_map.js").CityMap["drawn"]>} drawn
 * @param {string[]} stale titles of the layers that could not be brought up to date
 * @param {import("../core/types.js").Ranking | null | undefined} ranking of the month
 */
export function showLegend(box, scene, bounds, drawn, stale, ranking) {
  const classes = bounds.map((_bound, index) => {
    const swatch = el("i", { class: "swatch swatch-number" });
    swatch.style.background = `var(${classToken(index, bounds.length)})`;
    return el("li", {}, swatch, classWords(bounds, index));
  });
  const coloured = scene.colour !== "plain" && classes.length > 0;
  box.replaceChildren(
    ...(coloured ? [el("p", {}, colourWords(scene.colour, ranking)), el("ul", { class: "legend legend-numbers" }, ...classes)] : []),
    legend(drawn.filter(({ layer }) => layer.kind === "boundary" || layer.geometry === "Point"), { incidents: MARKS[scene.points] }),
    ...(stale.length > 0
      ? [el("p", { class: "legend-stale" }, _("未能更新：{layers}", { layers: stale.join(_("、")) }))]
      : []),
  );
}
