/** Panels of the replay: its moment with a slider, and how reports and completions ran up to it. */

import { clock, count } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { replayCourse, replayMoment } from "../core/wall_counts.js";
import { Chart, upright } from "./chart.js";
import { el, markElement, setText } from "./dom.js";
import { chartBox, figure, frame, line, note } from "./wall_frame.js";

/** @typedef {import("./wall_frame.js").Panel} Panel */
/** @typedef {import("./wall_frame.js").View} View */

const SLIDER_STEPS = 288;
/** Points of the course: every half hour. */
const STEPS = 48;

/** @returns {Panel} */
export function replayPanel() {
  const time = el("p", { class: "figure figure-time" }, "–");
  const slider = el("input", { type: "range", min: 0, max: SLIDER_STEPS, value: 0, "aria-label": _("近 24 小时回放") });
  const open = figure(_("件未结"));
  const settled = figure(_("件办结"), "figure-done");
  const sofar = note();
  /** @type {View["scrub"]} */
  let scrub = () => {};
  slider.addEventListener("input", () => scrub(Number(slider.value) / SLIDER_STEPS));
  const tick = (/** @type {View} */ view) => {
    const { replay, progress } = view;
    scrub = view.scrub;
    if (!replay) return;
    const moment = replayMoment(replay.until, progress);
    const begun = replay.incidents.filter((one) => Date.parse(one.begun_at) <= moment);
    const ended = begun.filter((one) => one.ended_at && Date.parse(one.ended_at) <= moment).length;
    setText(time, clock(new Date(moment)));
    slider.value = String(Math.round(progress * SLIDER_STEPS));
    setText(open.number, count(begun.length - ended));
    setText(settled.number, count(ended));
    setText(sofar, _("到此时上报 {n} 件，全天 {m} 件", { n: count(begun.length), m: count(replay.incidents.length) }));
  };
  const pair = el("div", { class: "pair" }, open.element, settled.element);
  return { element: frame(_("近 24 小时回放"), null, time, slider, pair, sofar), show: tick, tick };
}

/** @returns {Panel} */
export function replayCoursePanel() {
  const box = chartBox("chart-middle");
  const below = note();
  const chart = new Chart(box, upright);
  let drawn = "";
  const tick = (/** @type {View} */ { replay, progress }) => {
    if (!replay) return;
    const upTo = Math.round(progress * STEPS);
    if (drawn === replay.until + upTo) return;
    drawn = replay.until + upTo;
    const { times, reported, settled } = replayCourse(replay, STEPS);
    const sofar = (/** @type {number[]} */ numbers) => numbers.map((number, step) => (step <= upTo ? number : null));
    chart.show((look) => ({
      xAxis: { data: times.map((moment) => clock(new Date(moment))), boundaryGap: false },
      yAxis: { max: Math.max(4, reported.at(-1) ?? 0) },
      series: [line(look, sofar(reported), "--open"), line(look, sofar(settled), "--done")],
    }));
    below.replaceChildren(
      markElement("open"),
      _("上报 {n}", { n: count(reported[upTo] ?? 0) }),
      " · ",
      markElement("done"),
      _("办结 {n}", { n: count(settled[upTo] ?? 0) }),
    );
  };
  return { element: frame(_("24 小时累计上报与办结"), null, box, below), show: tick, tick };
}
