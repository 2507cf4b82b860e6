/** Panels of a wall that are one large figure or a few, with what they are compared with. */

import { count } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { figuresOf, onlineShare, onTime, weekOf } from "../core/wall_counts.js";
import { el, markElement, setText } from "./dom.js";
import { difference, figure, frame, note, weekWords } from "./wall_frame.js";

/** @typedef {import("./wall_frame.js").Panel} Panel */

/** @returns {Panel} */
export function openPanel() {
  const { number, element } = figure(_("件"));
  number.id = "open";
  const where = note();
  return {
    element: frame(_("未结事件"), "open", element, where),
    show({ state, statistics, town }) {
      setText(number, count(figuresOf(state.figures, statistics, town).open));
      const busy = [...state.openByGrid.values()].filter((open) => open > 0).length;
      setText(where, town ? "" : _("分布在 {n} 个网格", { n: count(busy) }));
    },
  };
}

/** @returns {Panel} */
export function urgentPanel() {
  const { number, element } = figure(_("件"), "figure-urgent");
  number.id = "urgent";
  const overdue = el("b", { id: "overdue" }, "–");
  const below = el("p", { class: "panel-note" }, markElement("overdue"), _("超期") + " ", overdue, " " + _("件"));
  return {
    element: frame(_("紧急事件"), "urgent", element, below),
    show({ state, statistics, town }) {
      const figures = figuresOf(state.figures, statistics, town);
      setText(number, count(figures.urgent));
      setText(overdue, count(figures.overdue));
    },
  };
}

/** @returns {Panel} */
export function todayPanel() {
  const reported = figure(_("件上报"));
  const done = figure(_("件办结"), "figure-done");
  reported.number.id = "today";
  done.number.id = "done-today";
  const compared = note();
  return {
    element: frame(_("今日"), "done", el("div", { class: "pair" }, reported.element, done.element), compared),
    show({ state, statistics, town }) {
      const figures = figuresOf(state.figures, statistics, town);
      setText(reported.number, count(figures.today));
      setText(done.number, count(figures.done_today));
      const week = statistics && weekOf(statistics, town);
      if (week) setText(compared, _("近 7 天 {n} 件，{change}", { n: count(week.now), change: weekWords(week.now - week.before) }));
    },
  };
}

/** @returns {Panel} */
export function overduePanel() {
  const { number, element } = figure(_("件"), "figure-overdue");
  const share = note();
  return {
    element: frame(_("超期事件"), "overdue", element, share),
    show({ state, statistics, town }) {
      const figures = figuresOf(state.figures, statistics, town);
      setText(number, count(figures.overdue));
      const part = figures.open > 0 ? Math.round((100 * figures.overdue) / figures.open) : 0;
      setText(share, _("占未结事件的 {n}%", { n: part }));
    },
  };
}

/** @returns {Panel} */
export function monthPanel() {
  const { number, element } = figure(_("件"));
  const compared = note();
  return {
    element: frame(_("近 30 天上报"), null, element, compared),
    show({ statistics }) {
      if (!statistics) return;
      const change = statistics.month - statistics.month_before;
      setText(number, count(statistics.month));
      setText(compared, change === 0 ? _("与前 30 天持平") : _("较前 30 天 {change}", { change: difference(change) }));
    },
  };
}

/** @returns {Panel} */
export function cameraOnlinePanel() {
  const { number, element } = figure("%", "figure-done");
  const away = note();
  return {
    element: frame(_("视频监控在线率"), null, element, away),
    show({ statistics }) {
      if (!statistics) return;
      const { known, online, of } = onlineShare(statistics.cameras);
      setText(number, known > 0 ? ((100 * online) / known).toFixed(1) : "–");
      setText(away, _("共 {n} 台，{m} 台不在线", { n: count(of), m: count(known - online) }));
    },
  };
}

/**
 * One row of the comparison: what is counted, how it is said, and which direction is better.
 * @typedef {object} Compared
 * @property {string} title
 * @property {(week: 0 | 1, statistics: import("../core/types.js").Statistics) => number | null} of the last week and the one before
 * @property {(value: number) => string} say
 * @property {number} digits of the difference
 */

/** @returns {Compared[]} */
function comparedRows() {
  /** @type {(week: 0 | 1, statistics: import("../core/types.js").Statistics, of: "reported" | "done") => number} */
  const days = (week, { days }, of) => days.slice(week === 0 ? -7 : -14, week === 0 ? undefined : -7).reduce((sum, day) => sum + day[of], 0);
  return [
    { title: _("上报（件）"), of: (week, all) => days(week, all, "reported"), say: count, digits: 0 },
    { title: _("办结（件）"), of: (week, all) => days(week, all, "done"), say: count, digits: 0 },
    { title: _("按期办结率（%）"), of: (week, all) => onTime(all.weeks[week]), say: (value) => value.toFixed(1), digits: 1 },
    {
      title: _("办结用时中位数（小时）"),
      of: (week, all) => all.weeks[week]?.median_hours ?? null,
      say: (value) => value.toFixed(1),
      digits: 1,
    },
  ];
}

/** @returns {Panel} */
export function weeksPanel() {
  const rows = comparedRows().map((compared) => {
    const cells = { now: el("td", {}, "–"), before: el("td", {}, "–"), change: el("td", {}, "") };
    return { ...compared, ...cells, row: el("tr", {}, el("th", { scope: "row" }, compared.title), cells.now, cells.before, cells.change) };
  });
  const heads = ["", _("近 7 天"), _("前 7 天"), _("变化")].map((words) => el("th", { scope: "col" }, words));
  const table = el("table", { class: "compare" }, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows.map(({ row }) => row)));
  return {
    element: frame(_("近 7 天与前 7 天"), null, table),
    show({ statistics }) {
      if (!statistics) return;
      for (const { of, say, digits, now, before, change } of rows) {
        const [latest, earlier] = [of(0, statistics), of(1, statistics)];
        setText(now, latest === null ? "–" : say(latest));
        setText(before, earlier === null ? "–" : say(earlier));
        const step = latest === null || earlier === null ? 0 : latest - earlier;
        const isSame = Math.abs(step) < (digits ? 0.05 : 0.5);
        setText(change, latest === null || earlier === null ? "" : isSame ? "＝" : difference(step, digits));
      }
    },
  };
}
