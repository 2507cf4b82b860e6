/** Panels of a wall that are lists: the newest, the longest overdue, and grids and cameras in order of a number. */

import { count, monthAndDay, span } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { stateWords } from "../core/incident.js";
import { countedBy, inTown, longestOverdue, mostOf } from "../core/wall_counts.js";
import { newest } from "../core/wall_state.js";
import { el, markElement, setText } from "./dom.js";
import { figure, frame, note } from "./wall_frame.js";
import { LiveList, Ranking } from "./wall_lists.js";

/** @typedef {import("./wall_frame.js").Panel} Panel */
/** @typedef {import("./wall_frame.js").View} View */

const LIST_ROWS = 9;
const OVERDUE_ROWS = 10;
export const RANKING_ROWS = 8;

/** @returns {Panel} */
export function latestPanel() {
  const list = el("ol", { id: "live", class: "live", "aria-live": "polite" });
  const live = new LiveList(list, LIST_ROWS);
  const element = frame(_("最新事件"), null, list);
  element.classList.add("panel-live");
  return {
    element,
    show({ state, now, town }) {
      const here = town ? { ...state, incidents: new Map(inTown(state.incidents.values(), town).map((one) => [one.number, one])) } : state;
      live.show(newest(here, LIST_ROWS), now);
    },
    tick: ({ now }) => live.tick(now),
  };
}

/** @returns {Panel} */
export function overdueListPanel() {
  const list = el("ol", { class: "live" });
  const rows = Array.from({ length: OVERDUE_ROWS }, () => {
    const place = el("span", { class: "live-place" });
    const state = el("span", { class: "live-state" });
    const time = el("span", { class: "live-time" });
    const row = el("li", { hidden: true }, markElement("overdue"), place, time, state);
    list.append(row);
    return { row, place, state, time };
  });
  const none = el("p", { class: "panel-note" }, _("没有超期事件"));
  const show = (/** @type {View} */ { state, now, town }) => {
    const overdue = longestOverdue(inTown(state.incidents.values(), town), now, OVERDUE_ROWS);
    none.hidden = overdue.length > 0;
    rows.forEach(({ row, place, state: words, time }, index) => {
      const incident = overdue[index];
      row.hidden = !incident;
      if (!incident) return;
      setText(place, incident.grid_name ?? _("网格之外"));
      setText(words, stateWords(incident.state));
      setText(time, incident.due_at ? _("已超 {time}", { time: span(now.getTime() - Date.parse(incident.due_at)) }) : "");
    });
  };
  return { element: frame(_("超期最久的事件"), "overdue", none, list), show, tick: show };
}

/** The grids with the most of something now. @param {"open" | "reported"} by @returns {Panel} */
export function mostPanel(by) {
  const list = el("ol", { class: "ranking" });
  const ranking = new Ranking(list);
  const none = el("p", { class: "panel-note" }, _("暂无数据"));
  return {
    element: frame(by === "open" ? _("未结最多的网格") : _("近 30 天上报最多的网格"), by === "open" ? "open" : null, none, list),
    show({ state, statistics, gridName }) {
      const numbers =
        by === "open"
          ? [...state.openByGrid]
          : (statistics?.grids ?? []).map(({ grid_code, reported }) => /** @type {[string, number]} */ ([grid_code, reported]));
      const rows = mostOf(numbers, RANKING_ROWS).map(([code, number]) => ({ name: gridName(code), number }));
      none.hidden = rows.length > 0;
      ranking.show(rows);
    },
  };
}

/** The places of the grids by what they completed. @param {"week" | "month" | "year"} period @returns {Panel} */
export function placesPanel(period) {
  const titles = { week: _("网格办结周排名"), month: _("网格办结月排名"), year: _("网格办结年排名") };
  const list = el("ol", { class: "ranking ranking-done" });
  const ranking = new Ranking(list);
  const time = note();
  return {
    element: frame(titles[period], "done", time, list),
    show({ rankings, gridName }) {
      const found = rankings.get(period);
      setText(time, found ? stretchWords(found) : _("暂无数据"));
      const rows = (found?.places ?? []).slice(0, RANKING_ROWS);
      ranking.show(rows.map(({ place, code, completed }) => ({ name: gridName(code), number: completed, place })));
    },
  };
}

/** The days that a ranking counts. @param {Omit<import("../core/types.js").Ranking, "places">} ranking */
export function stretchWords({ period, since, until, is_closed }) {
  const [year = "", month = ""] = since.split("-");
  if (!is_closed) return _("{day} 至今", { day: monthAndDay(since) });
  if (period === "year") return _("{year} 年", { year });
  if (period === "month") return _("{year} 年 {month} 月", { year, month: Number(month) });
  const last = new Date(Date.parse(until) - 86_400_000).toISOString().slice(0, 10);
  return `${monthAndDay(since)} – ${monthAndDay(last)}`;
}

/** @param {"status" | "site_class"} by @returns {Panel} */
export function camerasPanel(by) {
  const total = figure(_("台"));
  const list = el("ol", { class: "ranking" });
  const ranking = new Ranking(list);
  const content = by === "status" ? [total.element, list] : [list];
  return {
    element: frame(by === "status" ? _("视频监控状态") : _("视频监控部位"), null, ...content),
    show({ statistics, cameraWords }) {
      const counts = countedBy(statistics?.cameras ?? [], by);
      setText(total.number, count(counts.reduce((sum, [, number]) => sum + number, 0)));
      const field = by === "status" ? "status" : "camera_site_class";
      ranking.show(counts.map(([value, number]) => ({ name: value ? cameraWords(field, value) : _("状态不明"), number })));
    },
  };
}
