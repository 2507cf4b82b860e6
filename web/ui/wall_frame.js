/** What the panels of a wall are made of: a frame with a title, figures, comparisons and the looks of charts. */

import { count } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { el, markElement } from "./dom.js";

/**
 * All that a panel may show from.
 * @typedef {object} View
 * @property {import("../core/wall_state.js").WallState} state
 * @property {import("../core/types.js").Statistics | null} statistics
 * @property {import("../core/types.js").Replay | null} replay
 * @property {Map<string, import("../core/types.js").Ranking | null>} rankings by period
 * @property {Date} now the server's present
 * @property {string | null} town code of the township that the scene shows
 * @property {number} progress of the scene, 0…1
 * @property {(progress: number) => void} scrub hold the replay there for a while
 * @property {(code: string) => string} gridName
 * @property {(field: string, value: string) => string} cameraWords title of a camera's class or status
 */

/** @typedef {{element: HTMLElement, show: (view: View) => void, tick?: (view: View) => void}} Panel */

let serial = 0;

/**
 * @param {string} title
 * @param {"open" | "urgent" | "overdue" | "done" | null} mark
 * @param {...HTMLElement} content
 */
export function frame(title, mark, ...content) {
  const id = `panel-${(serial += 1)}`;
  return el(
    "section",
    { class: "panel", "aria-labelledby": id },
    el("h2", { id }, mark && markElement(mark), title),
    ...content,
  );
}

/** @param {string} unit @param {string} [kind] */
export function figure(unit, kind = "") {
  const number = el("span", {}, "–");
  return { number, element: el("p", { class: "figure " + kind }, number, el("small", {}, unit)) };
}

export function note() {
  return el("p", { class: "panel-note" });
}

/**
 * How a number stands to that of the time before: sign and difference.
 * @param {number} difference
 * @param {number} [digits]
 */
export function difference(difference, digits = 0) {
  const size = digits ? Math.abs(difference).toFixed(digits) : count(Math.abs(difference));
  return `${difference > 0 ? "▲" : "▼"} ${size}`;
}

/**
 * How a number stands to that of the week before.
 * @param {number} change
 */
export function weekWords(change) {
  return change === 0 ? _("与上周持平") : _("较上周 {change}", { change: difference(change) });
}

/**
 * A box that the chart library draws into. Charts repeat what their title and note say, so readers of text skip them.
 * @param {string} [className]
 */
export function chartBox(className = "") {
  return el("div", { class: "chart " + className, "aria-hidden": "true" });
}

/**
 * Make a chart of lying bars as tall as its rows need.
 * @param {HTMLElement} box
 * @param {number} rows
 */
export function tallEnough(box, rows) {
  box.style.height = `calc(${Math.max(1, rows)} * var(--row) + 0.25rem)`;
}

/**
 * @param {import("./chart.js").ChartLook} look
 * @param {(number | null | object)[]} data
 * @param {string} token
 */
export function bars(look, data, token) {
  const formatter = (/** @type {{value: unknown}} */ { value }) => count(Number(value));
  return {
    type: "bar",
    data,
    barMaxWidth: look.rem * 1.1,
    itemStyle: { color: look.colour(token) },
    label: { show: true, position: "right", formatter, ...look.text, color: look.colour("--ink"), fontWeight: 600 },
  };
}

/**
 * @param {import("./chart.js").ChartLook} look
 * @param {(number | null)[]} data
 * @param {string} token
 */
export function line(look, data, token) {
  return {
    type: "line",
    data,
    showSymbol: false,
    lineStyle: { color: look.colour(token), width: look.rem / 6 },
    itemStyle: { color: look.colour(token) },
  };
}
