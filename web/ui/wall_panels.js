/** The panels of a wall: each is made once, answers one question, and is changed in place. */

import { clock, count, span } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { figuresOf, inTown, longestOverdue, onTime, replayMoment, weeks } from "../core/wall_counts.js";
import { newest } from "../core/wall_state.js";
import { stateWords } from "../core/incident.js";
import { Chart, lying, upright } from "./chart.js";
import { el, markElement, setText } from "./dom.js";
import { LiveList, Ranking } from "./wall_lists.js";

/**
 * All that a panel may show from.
 * @typedef {object} View
 * @property {import("../core/wall_state.js").WallState} state
 * @property {import("../core/types.js").Statistics | null} statistics
 * @property {import("../core/types.js").Replay | null} replay
 * @property {Date} now the server's present
 * @property {string | null} town code of the township that the scene shows
 * @property {number} progress of the scene, 0…1
 * @property {(code: string) => string} gridName
 * @property {(field: string, value: string) => string} cameraWords title of a camera's class or status
 */

/** @typedef {{element: HTMLElement, show: (view: View) => void, tick?: (view: View) => void}} Panel */

const LIST_ROWS = 9;
const RANKING_ROWS = 8;
const OVERDUE_ROWS = 10;

/** @type {Record<string, () => Panel>} */
const MAKERS = {
  open: openPanel,
  urgent: urgentPanel,
  today: todayPanel,
  states: statesPanel,
  hours: hoursPanel,
  week: weekPanel,
  towns: townsPanel,
  latest: latestPanel,
  busiest: () => rankingPanel(_("未结最多的网格"), "open"),
  completed: () => rankingPanel(_("本月办结最多的网格"), "completed"),
  overdue: overduePanel,
  overdue_list: overdueListPanel,
  on_time: onTimePanel,
  cameras: () => camerasPanel(_("视频监控"), "status"),
  camera_sites: () => camerasPanel(_("视频监控部位"), "site_class"),
  replay: replayPanel,
};

export class Panels {
  constructor() {
    /** @type {Map<string, Panel>} */
    this.made = new Map();
  }

  /**
   * The panel of a name; one that this version does not know is left out.
   * @param {string} name
   * @returns {Panel | null}
   */
  get(name) {
    const make = MAKERS[name];
    if (!make) return null;
    let panel = this.made.get(name);
    if (!panel) {
      panel = make();
      this.made.set(name, panel);
    }
    return panel;
  }
}

let serial = 0;

/**
 * @param {string} title
 * @param {"open" | "urgent" | "overdue" | "done" | null} mark
 * @param {...HTMLElement} content
 */
function frame(title, mark, ...content) {
  const id = `panel-${(serial += 1)}`;
  return el(
    "section",
    { class: "panel", "aria-labelledby": id },
    el("h2", { id }, mark && markElement(mark), title),
    ...content,
  );
}

/** @param {string} unit @param {string} [kind] */
function figure(unit, kind = "") {
  const number = el("span", {}, "–");
  return { number, element: el("p", { class: "figure " + kind }, number, el("small", {}, unit)) };
}

/** @returns {Panel} */
function openPanel() {
  const { number, element } = figure(_("件"));
  number.id = "open";
  const note = el("p", { class: "panel-note" });
  return {
    element: frame(_("未结事件"), "open", element, note),
    show({ state, statistics, town }) {
      setText(number, count(figuresOf(state.figures, statistics, town).open));
      const busy = [...state.openByGrid.values()].filter((open) => open > 0).length;
      setText(note, town ? "" : _("分布在 {n} 个网格", { n: count(busy) }));
    },
  };
}

/** @returns {Panel} */
function urgentPanel() {
  const { number, element } = figure(_("件"), "figure-urgent");
  number.id = "urgent";
  const overdue = el("b", { id: "overdue" }, "–");
  const note = el("p", { class: "panel-note" }, markElement("overdue"), _("超期") + " ", overdue, " " + _("件"));
  return {
    element: frame(_("紧急事件"), "urgent", element, note),
    show({ state, statistics, town }) {
      const figures = figuresOf(state.figures, statistics, town);
      setText(number, count(figures.urgent));
      setText(overdue, count(figures.overdue));
    },
  };
}

/** @returns {Panel} */
function todayPanel() {
  const reported = figure(_("件上报"));
  const done = figure(_("件办结"), "figure-done");
  reported.number.id = "today";
  done.number.id = "done-today";
  const note = el("p", { class: "panel-note" });
  return {
    element: frame(_("今日"), "done", el("div", { class: "pair" }, reported.element, done.element), note),
    show({ state, statistics, town }) {
      const figures = figuresOf(state.figures, statistics, town);
      setText(reported.number, count(figures.today));
      setText(done.number, count(figures.done_today));
      if (statistics && !town) {
        const week = weeks(statistics);
        setText(note, _("近 7 天 {n} 件，{change}", { n: count(week.now), change: changeWords(week.now - week.before) }));
      } else setText(note, "");
    },
  };
}

/**
 * How a number stands to that of the week before.
 * @param {number} difference
 */
function changeWords(difference) {
  if (difference === 0) return _("与上周持平");
  const sign = difference > 0 ? "▲" : "▼";
  return _("较上周 {sign} {n}", { sign, n: count(Math.abs(difference)) });
}

/**
 * How a share stands to that of the week before.
 * @param {number} difference percentage points
 */
function pointsWords(difference) {
  if (Math.abs(difference) < 0.05) return _("与上周持平");
  const sign = difference > 0 ? "▲" : "▼";
  return _("较上周 {sign} {n} 个百分点", { sign, n: Math.abs(difference).toFixed(1) });
}

/** @param {string} className */
function chartBox(className = "") {
  return el("div", { class: "chart " + className, "aria-hidden": "true" });
}

/** @returns {Panel} */
function statesPanel() {
  const box = chartBox("chart-states");
  const chart = new Chart(box, (look) => lying(look, 6));
  return {
    element: frame(_("未结事件所处环节"), "open", box),
    show({ statistics }) {
      const states = Object.entries(statistics?.states ?? {});
      chart.show((look) => ({
        yAxis: { data: states.map(([state]) => stateWords(state)) },
        series: [bars(look, states.map(([, number]) => number), "--open")],
      }));
    },
  };
}

/**
 * @param {import("./chart.js").ChartLook} look
 * @param {(number | null)[]} data
 * @param {string} token
 */
function bars(look, data, token) {
  return {
    type: "bar",
    data,
    barMaxWidth: look.rem * 1.1,
    itemStyle: { color: look.colour(token) },
    label: { show: true, position: "right", ...look.text, color: look.colour("--ink"), fontWeight: 600 },
  };
}

/** @returns {Panel} */
function hoursPanel() {
  const box = chartBox("chart-middle");
  const note = el("p", { class: "panel-note" });
  const chart = new Chart(box, upright);
  return {
    element: frame(_("近 24 小时上报"), null, box, note),
    show({ statistics, now }) {
      const hours = statistics?.hours ?? [];
      const latest = hours.slice(0, 24).reverse();
      const before = hours.slice(24, 48).reverse();
      const names = latest.map((_number, index) => clock(new Date(now.getTime() - (23 - index) * 3_600_000)).slice(0, 2));
      chart.show((look) => ({
        xAxis: { data: names, boundaryGap: false },
        series: [
          { ...line(look, before, "--ink-2"), lineStyle: { color: look.colour("--ink-2"), width: look.rem / 10, type: "dashed" } },
          { ...line(look, latest, "--open"), areaStyle: { color: look.colour("--open"), opacity: 0.25 } },
        ],
      }));
      const sum = (/** @type {number[]} */ some) => some.reduce((total, one) => total + one, 0);
      setText(note, _("共 {n} 件；虚线为前一日，{m} 件", { n: count(sum(latest)), m: count(sum(before)) }));
    },
  };
}

/**
 * @param {import("./chart.js").ChartLook} look
 * @param {(number | null)[]} data
 * @param {string} token
 */
function line(look, data, token) {
  return {
    type: "line",
    data,
    showSymbol: false,
    lineStyle: { color: look.colour(token), width: look.rem / 6 },
    itemStyle: { color: look.colour(token) },
  };
}

/** @returns {Panel} */
function weekPanel() {
  const box = chartBox("chart-middle");
  const note = el("p", { class: "panel-note" });
  const chart = new Chart(box, upright);
  return {
    element: frame(_("近 7 天上报与办结"), null, box, note),
    show({ statistics }) {
      if (!statistics) return;
      const days = statistics.days.slice(-7);
      chart.show((look) => {
        const width = { barMaxWidth: look.rem, barGap: "15%" };
        return {
          xAxis: { data: days.map(({ day }) => day.slice(5).replace("-", "/")) },
          series: [
            { ...bars(look, days.map(({ reported }) => reported), "--open"), ...width, label: { show: false } },
            { ...bars(look, days.map(({ done }) => done), "--done"), ...width, label: { show: false } },
          ],
        };
      });
      const week = weeks(statistics);
      note.replaceChildren(
        markElement("open"),
        _("上报 {n}", { n: count(week.now) }),
        " · ",
        markElement("done"),
        _("办结 {n}", { n: count(days.reduce((sum, { done }) => sum + done, 0)) }),
        " · " + changeWords(week.now - week.before),
      );
    },
  };
}

/** @returns {Panel} */
function townsPanel() {
  const box = chartBox("chart-towns");
  const chart = new Chart(box, (look) => lying(look, 6));
  return {
    element: frame(_("各镇街未结事件"), "open", box),
    show({ statistics, town }) {
      const towns = [...(statistics?.towns ?? [])].sort((a, b) => b.open - a.open || (a.code < b.code ? -1 : 1)).slice(0, 12);
      chart.show((look) => ({
        yAxis: {
          data: towns.map(({ code, name }) => ({
            value: name,
            textStyle: { fontWeight: code === town ? 600 : 400, color: look.colour(code === town ? "--accent" : "--ink") },
          })),
        },
        series: [
          { ...bars(look, towns.map(({ overdue }) => overdue), "--overdue"), stack: "open", label: { show: false } },
          {
            ...bars(look, towns.map(({ open, overdue }) => open - overdue), "--open"),
            stack: "open",
            label: {
              show: true,
              position: "right",
              ...look.text,
              color: look.colour("--ink"),
              fontWeight: 600,
              formatter: (/** @type {{dataIndex: number}} */ { dataIndex }) => String(towns[dataIndex]?.open ?? ""),
            },
          },
        ],
      }));
    },
  };
}

/** @returns {Panel} */
function latestPanel() {
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

/**
 * @param {string} title
 * @param {"open" | "completed"} by
 * @returns {Panel}
 */
function rankingPanel(title, by) {
  const list = el("ol", { class: "ranking" + (by === "completed" ? " ranking-done" : "") });
  const ranking = new Ranking(list);
  return {
    element: frame(title, by === "open" ? "open" : "done", list),
    show({ state, statistics, gridName }) {
      const numbers =
        by === "open"
          ? [...state.openByGrid]
          : (statistics?.grids ?? []).map(({ grid_code, completed }) => /** @type {[string, number]} */ ([grid_code, completed]));
      const first = numbers
        .filter(([, number]) => number > 0)
        .sort(([codeA, a], [codeB, b]) => b - a || (codeA < codeB ? -1 : 1))
        .slice(0, RANKING_ROWS)
        .map(([code, number]) => ({ code, open: number }));
      ranking.show(first, gridName);
    },
  };
}

/** @returns {Panel} */
function overduePanel() {
  const { number, element } = figure(_("件"), "figure-overdue");
  const note = el("p", { class: "panel-note" });
  return {
    element: frame(_("超期事件"), "overdue", element, note),
    show({ state: { figures } }) {
      setText(number, count(figures.overdue));
      const share = figures.open > 0 ? Math.round((100 * figures.overdue) / figures.open) : 0;
      setText(note, _("占未结事件的 {n}%", { n: share }));
    },
  };
}

/** @returns {Panel} */
function overdueListPanel() {
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

/** @returns {Panel} */
function onTimePanel() {
  const { number, element } = figure("%", "figure-done");
  const note = el("p", { class: "panel-note" });
  const box = chartBox("chart-middle");
  const chart = new Chart(box, (look) => {
    const frame = upright(look);
    return { ...frame, yAxis: { ...frame.yAxis, min: 0, max: 100, interval: 25 } };
  });
  return {
    element: frame(_("按期办结率"), "done", element, note, box),
    show({ statistics }) {
      const shares = (statistics?.weeks ?? []).map(onTime);
      const [now, before] = shares;
      setText(number, now === null || now === undefined ? "–" : now.toFixed(1));
      if (typeof now === "number" && typeof before === "number") {
        setText(note, _("近 7 天，{change}", { change: pointsWords(now - before) }));
      } else setText(note, _("近 7 天"));
      const weeksAgo = shares.map((_share, index) => (index === 0 ? _("本周") : `−${index}`)).reverse();
      chart.show((look) => ({
        xAxis: { data: weeksAgo },
        series: [{ ...line(look, [...shares].reverse(), "--done"), showSymbol: true, symbolSize: look.rem / 2 }],
      }));
    },
  };
}

/**
 * @param {string} title
 * @param {"status" | "site_class"} by
 * @returns {Panel}
 */
function camerasPanel(title, by) {
  const total = figure(_("台"));
  const list = el("ol", { class: "ranking" });
  const ranking = new Ranking(list);
  return {
    element: frame(title, null, total.element, list),
    show({ statistics, cameraWords }) {
      /** @type {Map<string, number>} */
      const counts = new Map();
      for (const camera of statistics?.cameras ?? []) {
        const value = camera[by] ?? "";
        counts.set(value, (counts.get(value) ?? 0) + camera.count);
      }
      setText(total.number, count([...counts.values()].reduce((sum, number) => sum + number, 0)));
      const field = by === "status" ? "status" : "camera_site_class";
      const rows = [...counts].sort(([, a], [, b]) => b - a).map(([code, open]) => ({ code, open }));
      ranking.show(rows, (value) => (value ? cameraWords(field, value) : _("状态不明")));
    },
  };
}

/** @returns {Panel} */
function replayPanel() {
  const time = el("p", { class: "figure figure-time" }, "–");
  const track = el("progress", { max: 1, value: 0, "aria-label": _("近 24 小时回放") });
  const note = el("p", { class: "panel-note" });
  const tick = (/** @type {View} */ { replay, progress }) => {
    if (!replay) return;
    const moment = replayMoment(replay.until, progress);
    setText(time, clock(new Date(moment)));
    track.value = progress;
    const begun = replay.incidents.filter((one) => Date.parse(one.begun_at) <= moment).length;
    setText(note, _("到此时上报 {n} 件，全天 {m} 件", { n: count(begun), m: count(replay.incidents.length) }));
  };
  return { element: frame(_("近 24 小时回放"), null, time, track, note), show: tick, tick };
}
