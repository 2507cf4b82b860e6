/** How long there is for an incident: the limit, its ground, and each day that was counted, skipped or made up. */

import { dayAndTime, span } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { el } from "./dom.js";

/** @typedef {import("../core/incident_types.js").Clock} Clock */
/** @typedef {import("../core/incident_types.js").Opened} Opened */

/**
 * When it is due, and how long that is from now.
 * @param {Pick<Opened, "clock" | "due_at" | "standing">} opened
 */
export function dueWords({ clock, due_at, standing }) {
  if (clock?.at_once) return _("立即，已过 {time}", { time: span(Date.now() - Date.parse(clock.starts_at)) });
  if (!due_at) return "";
  const left = Date.parse(due_at) - Date.now();
  if (!standing) return when(due_at);
  return [when(due_at), left < 0 ? _("超期 {time}", { time: span(-left) }) : _("剩 {time}", { time: span(left) })].join(" · ");
}

/**
 * The limit with its ground and its days.
 * @param {Clock} running
 * @param {Opened["warning"]} warning
 */
export function timeLimit(running, warning) {
  const made = el(
    "details",
    { class: "time-limit", "data-key": "clock" },
    el("summary", {}, _("时限依据")),
    el("p", {}, limitWords(running)),
    el("p", {}, _("自 {start} 起，至 {end} 止", { start: when(running.starts_at), end: when(running.due_at) })),
    warning && el("p", { class: "aside" }, _("{time} 提醒：时限还剩 {n}% 时。文件未规定，由本地设定。", { time: when(warning.at), n: warning.share_pct })),
    running.provisional && el("p", { class: "notice notice-warning" }, el("span", {}, _("其中有的年份尚无放假安排，时限为暂定；安排公布后会重算并留记录。"))),
    days(running),
  );
  return made;
}

/** @param {Clock} running */
export function limitWords(running) {
  const kinds = { hours: _("{n} 小时"), working_days: _("{n} 个工作日"), calendar_days: _("{n} 日") };
  const most = running.at_once ? _("立即") : kinds[running.clock].replace("{n}", String(running.most));
  const least = running.least !== null && running.least !== running.most ? running.least + "–" : "";
  const ground = running.clause ?? _("文件未载，按通则");
  return [least + most, ground, running.inferred ? _("含推定") : "", running.provisional ? _("暂定") : ""].filter(Boolean).join(" · ");
}

/** @param {Clock} running */
export function days(running) {
  return running.days.length > 0 && el("ol", { class: "days" }, ...running.days.map(day));
}

/** @param {Clock["days"][number]} one */
function day({ date, kind, holiday, number }) {
  const kinds = { working: "", weekend: _("周末"), holiday: _("放假"), made_up: _("调休上班") };
  const counted = number === null ? _("不计") : _("第 {n} 日", { n: number });
  return el(
    "li",
    { class: number === null ? "skipped" : kind === "made_up" ? "made-up" : "" },
    el("time", { datetime: date }, date),
    el("span", {}, [counted, kinds[kind], holiday].filter(Boolean).join(" · ")),
  );
}

/** @param {string} moment */
export function when(moment) {
  return dayAndTime(new Date(moment), new Date());
}
