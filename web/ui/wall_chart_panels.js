/** Panels of a wall that are charts; each answers one question with a title, a chart and a line of words. */

import { clock, count, monthAndDay } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { stateWords } from "../core/incident.js";
import { busiestHour, camerasByTown, onTime, weeks } from "../core/wall_counts.js";
import { Chart, lying, upright } from "./chart.js";
import { el, markElement, setText } from "./dom.js";
import { bars, chartBox, difference, figure, frame, line, note, tallEnough, weekWords } from "./wall_frame.js";

/** @typedef {import("./wall_frame.js").Panel} Panel */
/** @typedef {import("../core/types.js").Statistics} Statistics */
/** @typedef {import("../core/types.js").Town} Town */
/** @typedef {import("./chart.js").ChartLook} ChartLook */

/** Townships that a chart has room for, and one with two bars each on an upright screen. */
const MOST_TOWNS = 10;
const UPRIGHT_TOWNS = 5;
/** Room for names beside lying bars, rem. */
const NAMES = 6.5;

/** @returns {Panel} */
export function statesPanel() {
  const box = chartBox();
  const chart = new Chart(box, (look) => lying(look, NAMES));
  return {
    element: frame(_("未结事件所处环节"), "open", box),
    show({ statistics }) {
      const states = Object.entries(statistics?.states ?? {});
      tallEnough(box, states.length);
      chart.show((look) => ({
        yAxis: { data: states.map(([state]) => stateWords(state)) },
        series: [bars(look, states.map(([, number]) => number), "--open")],
      }));
    },
  };
}

/**
 * Bars of a few classes, the first of which may be stressed.
 * @param {string} title
 * @param {string[]} names
 * @param {(statistics: Statistics) => number[]} numbers
 * @param {{mark?: "open" | "overdue", stressed?: string, below?: (statistics: Statistics) => string}} [options] `below`: a line of words
 * @returns {Panel}
 */
function classesPanel(title, names, numbers, { mark = "open", stressed, below } = {}) {
  const box = chartBox();
  const words = note();
  tallEnough(box, names.length);
  const chart = new Chart(box, (look) => lying(look, NAMES));
  return {
    element: frame(title, mark, box, words),
    show({ statistics }) {
      const values = statistics ? numbers(statistics) : [];
      setText(words, statistics && below ? below(statistics) : "");
      chart.show((look) => ({
        yAxis: { data: names },
        series: [
          bars(
            look,
            values.map((value, index) => (stressed && index === 0 ? { value, itemStyle: { color: look.colour(stressed) } } : value)),
            "--open",
          ),
        ],
      }));
    },
  };
}

/** @returns {Panel} */
export function duePanel() {
  const names = [_("已超期"), _("24 小时内"), _("3 天内"), _("3 天以上")];
  const below = (/** @type {Statistics} */ { states, due }) => {
    const untimed = sum(Object.values(states)) - sum(due);
    return untimed > 0 ? _("另有 {n} 件没有时限", { n: count(untimed) }) : "";
  };
  return classesPanel(_("未结事件剩余时限"), names, ({ due }) => due, { mark: "overdue", stressed: "--overdue", below });
}

/** @returns {Panel} */
export function agesPanel() {
  const names = [_("不足 1 天"), _("1–3 天"), _("3–7 天"), _("7 天以上")];
  return classesPanel(_("未结事件已历时间"), names, ({ ages }) => ages);
}

/** @returns {Panel} */
export function hoursPanel() {
  const box = chartBox("chart-middle");
  const below = note();
  const chart = new Chart(box, upright);
  return {
    element: frame(_("近 24 小时上报"), null, box, below),
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
      setText(below, _("共 {n} 件；虚线为前一日，{m} 件", { n: count(sum(latest)), m: count(sum(before)) }));
    },
  };
}

/** @returns {Panel} */
export function weekPanel() {
  const box = chartBox("chart-middle");
  const below = note();
  const words = { reported: el("span"), done: el("span"), change: el("span") };
  below.append(markElement("open"), words.reported, " · ", markElement("done"), words.done, " · ", words.change);
  const chart = new Chart(box, upright);
  return {
    element: frame(_("近 7 天上报与办结"), null, box, below),
    show({ statistics }) {
      below.hidden = !statistics;
      if (!statistics) return;
      const days = statistics.days.slice(-7);
      chart.show((look) => ({
        xAxis: { data: days.map(({ day }) => monthAndDay(day)) },
        series: [
          pairBars(look, days.map(({ reported }) => reported), "--open"),
          pairBars(look, days.map(({ done }) => done), "--done"),
        ],
      }));
      const week = weeks(statistics);
      setText(words.reported, _("上报 {n}", { n: count(week.now) }));
      setText(words.done, _("办结 {n}", { n: count(sum(days.map(({ done }) => done))) }));
      setText(words.change, weekWords(week.now - week.before));
    },
  };
}

/** @returns {Panel} */
export function byHourPanel() {
  const box = chartBox("chart-middle");
  const below = note();
  const chart = new Chart(box, upright);
  return {
    element: frame(_("各时段上报"), null, box, below),
    show({ statistics }) {
      if (!statistics) return;
      const { by_hour } = statistics;
      const { hour, night } = busiestHour(by_hour);
      chart.show((look) => ({
        xAxis: { data: by_hour.map((_number, index) => String(index).padStart(2, "0")) },
        series: [{ ...pairBars(look, by_hour, "--open"), barMaxWidth: look.rem * 0.75 }],
      }));
      setText(
        below,
        sum(by_hour) === 0 ? _("暂无数据") : _("{from}–{to} 时最多；夜间（22–6 时）占 {n}%", { from: hour, to: hour + 1, n: Math.round(night) }),
      );
    },
  };
}

/** @returns {Panel} */
export function onTimePanel() {
  const { number, element } = figure("%", "figure-done");
  const below = note();
  const box = chartBox("chart-middle");
  const chart = new Chart(box, (look) => {
    const frame = upright(look);
    return { ...frame, yAxis: { ...frame.yAxis, min: 0, max: 100, interval: 50 } };
  });
  return {
    element: frame(_("按期办结率"), "done", element, below, box),
    show({ statistics }) {
      const shares = (statistics?.weeks ?? []).map(onTime);
      const [now, before] = shares;
      setText(number, now === null || now === undefined ? "–" : now.toFixed(1));
      setText(below, onTimeWords(now, before));
      // an empty frame would look like a fault
      box.hidden = shares.every((share) => share === null);
      const weeksAgo = shares.map((_share, index) => (index === 0 ? _("本周") : _("{n} 周前", { n: index }))).reverse();
      chart.show((look) => ({
        xAxis: { data: weeksAgo },
        series: [{ ...line(look, [...shares].reverse(), "--done"), showSymbol: true, symbolSize: look.rem / 2 }],
      }));
    },
  };
}

/**
 * How the share of the last seven days stands to that of the week before.
 * @param {number | null | undefined} now percent; null where nothing that was completed had a deadline
 * @param {number | null | undefined} before
 */
function onTimeWords(now, before) {
  if (typeof now !== "number") return _("近 7 天没有带时限的办结");
  if (typeof before !== "number") return _("近 7 天");
  const change = now - before;
  if (Math.abs(change) < 0.05) return _("近 7 天，与上周持平");
  return _("近 7 天，较上周 {change} 个百分点", { change: difference(change, 1) });
}

/** Open incidents by township, what is overdue stressed. @returns {Panel} */
export function townsPanel() {
  const legend = note();
  legend.append(markElement("overdue"), _("超期"), " · ", markElement("open"), _("未超期"));
  return townBars(_("各镇街未结事件"), "open", ({ open }) => open, {
    below: legend,
    parts: [
      { token: "--overdue", of: ({ overdue }) => overdue },
      { token: "--open", of: ({ open, overdue }) => open - overdue },
    ],
    total: ({ open }) => open,
  });
}

/** @returns {Panel} */
export function townsReportedPanel() {
  return townBars(_("各镇街近 30 天上报"), null, ({ reported }) => reported, {
    parts: [{ token: "--open", of: ({ reported }) => reported }],
    total: ({ reported }) => reported,
  });
}

/** @returns {Panel} */
export function townsTodayPanel() {
  const legend = note();
  legend.append(markElement("open"), _("上报数"), " · ", markElement("done"), _("办结数"));
  const box = chartBox();
  const chart = new Chart(box, (look) => lying(look, NAMES));
  return {
    element: frame(_("各镇街今日上报与办结"), null, box, legend),
    show({ statistics, town }) {
      const isUpright = document.documentElement.classList.contains("is-upright");
      const busiest = mostFirst(statistics?.towns ?? [], ({ today, done_today }) => today + done_today);
      const towns = busiest.slice(0, isUpright ? UPRIGHT_TOWNS : MOST_TOWNS);
      tallEnough(box, towns.length * 1.4);
      chart.show((look) => ({
        yAxis: { data: names(look, towns, town) },
        series: [
          // in a tight row two numbers are as high as it is
          { ...bars(look, towns.map(({ today }) => today), "--open"), barGap: "0%", barCategoryGap: "4%", barMaxWidth: look.rem * 0.875 },
          { ...bars(look, towns.map(({ done_today }) => done_today), "--done"), barMaxWidth: look.rem * 0.875 },
        ],
      }));
    },
  };
}

/** Cameras by township, those that are away stressed. @returns {Panel} */
export function cameraTownsPanel() {
  const legend = note();
  legend.append(markElement("overdue"), _("不在线"), " · ", markElement("open"), _("在线"));
  const box = chartBox();
  const chart = new Chart(box, (look) => lying(look, NAMES));
  return {
    element: frame(_("各镇街视频监控"), null, box, legend),
    show({ statistics, town }) {
      const counted = camerasByTown(statistics);
      const towns = mostFirst(counted, ({ of }) => of);
      tallEnough(box, towns.length);
      chart.show((look) => ({
        yAxis: { data: names(look, towns, town) },
        series: stacked(look, [
          { token: "--overdue", numbers: towns.map(({ away }) => away) },
          { token: "--open", numbers: towns.map(({ of, away }) => of - away) },
        ], towns.map(({ of }) => of)),
      }));
    },
  };
}

/**
 * @typedef {object} TownBars
 * @property {{token: string, of: (town: Town) => number}[]} parts of a bar, one after the other
 * @property {(town: Town) => number} total said beside it
 * @property {HTMLElement} [below]
 */

/**
 * @param {string} title
 * @param {"open" | null} mark
 * @param {(town: Town) => number} by
 * @param {TownBars} bar
 * @returns {Panel}
 */
function townBars(title, mark, by, { parts, total, below }) {
  const box = chartBox();
  const chart = new Chart(box, (look) => lying(look, NAMES));
  return {
    element: frame(title, mark, box, ...(below ? [below] : [])),
    show({ statistics, town }) {
      const towns = mostFirst(statistics?.towns ?? [], by);
      tallEnough(box, towns.length);
      chart.show((look) => ({
        yAxis: { data: names(look, towns, town) },
        series: stacked(look, parts.map(({ token, of }) => ({ token, numbers: towns.map(of) })), towns.map(total)),
      }));
    },
  };
}

/**
 * @template {{code: string}} T
 * @param {T[]} towns
 * @param {(town: T) => number} by
 */
function mostFirst(towns, by) {
  return [...towns].sort((a, b) => by(b) - by(a) || (a.code < b.code ? -1 : 1)).slice(0, MOST_TOWNS);
}

/**
 * The names of townships beside their bars, the one that the scene shows stressed.
 * @param {ChartLook} look
 * @param {{code: string, name: string}[]} towns
 * @param {string | null} shown
 */
function names(look, towns, shown) {
  return towns.map(({ code, name }) => ({
    value: name,
    textStyle: { fontWeight: code === shown ? 600 : 400, color: look.colour(code === shown ? "--accent" : "--ink") },
  }));
}

/**
 * Bars of parts, the total beside the last.
 * @param {ChartLook} look
 * @param {{token: string, numbers: number[]}[]} parts
 * @param {number[]} totals
 */
function stacked(look, parts, totals) {
  return parts.map(({ token, numbers }, index) => {
    const one = { ...bars(look, numbers, token), stack: "all" };
    const formatter = (/** @type {{dataIndex: number}} */ { dataIndex }) => count(totals[dataIndex] ?? 0);
    return { ...one, label: index === parts.length - 1 ? { ...one.label, formatter } : { show: false } };
  });
}

/**
 * @param {ChartLook} look
 * @param {number[]} data
 * @param {string} token
 */
function pairBars(look, data, token) {
  return { ...bars(look, data, token), barMaxWidth: look.rem, barGap: "15%", label: { show: false } };
}

/** @param {number[]} numbers */
function sum(numbers) {
  return numbers.reduce((total, one) => total + one, 0);
}
