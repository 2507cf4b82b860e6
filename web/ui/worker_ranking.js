/** The workers by what they completed in a week, a month or a year: published inside only, and asked for when it is opened. */

import { count } from "../core/formats.js";
import { getJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { byId, el, notice, setText } from "./dom.js";
import { sentenceOf } from "./start.js";
import { stretchWords } from "./wall_list_panels.js";

/** @typedef {{place: number, name: string, completed: number}} WorkerPlace */

/** Places that are shown before somebody asks for all. */
const FIRST = 20;

/** @param {HTMLDetailsElement} box whose page says by which periods workers are ranked */
export function workerRanking(box) {
  const period = byId("ranking-period", HTMLSelectElement);
  const list = byId("ranking-places");
  const all = byId("ranking-all", HTMLButtonElement);
  let asked = 0;

  async function show() {
    if (!box.open) return;
    const mine = ++asked;
    notice(byId("ranking-failed"), "");
    try {
      const ranking = await getJson("/api/worker-ranking?" + new URLSearchParams({ period: period.value }));
      if (mine === asked) draw(ranking);
    } catch (error) {
      if (mine === asked) notice(byId("ranking-failed"), sentenceOf(error));
    }
  }

  /** @param {Omit<import("../core/types.js").Ranking, "places"> & {places: WorkerPlace[]}} ranking */
  function draw(ranking) {
    const { places } = ranking;
    const rows = places.map((one) => placeRow(one, places[0]?.completed ?? 1));
    const put = (/** @type {number} */ most) => {
      list.replaceChildren(...rows.slice(0, most));
      all.hidden = most >= rows.length;
    };
    setText(byId("ranking-stretch"), places.length > 0 ? stretchWords(ranking) : _("暂无数据"));
    setText(all, _("全部 {n} 人", { n: count(places.length) }));
    all.onclick = () => put(Infinity);
    put(FIRST);
  }

  box.addEventListener("toggle", () => void show());
  period.addEventListener("change", () => void show());
}

/**
 * @param {WorkerPlace} one
 * @param {number} most that anybody completed
 */
function placeRow({ place, name, completed }, most) {
  const bar = el("span", { class: "ranking-bar", "aria-hidden": "true" });
  bar.style.width = (100 * completed) / most + "%";
  return el(
    "li",
    {},
    el("span", { class: "ranking-place number" }, String(place)),
    el("span", { class: "ranking-name" }, name || "—"),
    el("b", { class: "number" }, count(completed)),
    bar,
  );
}
