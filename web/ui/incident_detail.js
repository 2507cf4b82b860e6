/** One incident, whole: what it is, why it is where it is, how long there is, what may be done, what was done. */

import { clock as clockTime, dayAndTime, distance, span } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { levelWords, markOf, partyWords, sourceWords, stateWords } from "../core/incident.js";
import { certainty, placeOf } from "../core/place.js";
import { el, icon, markElement } from "./dom.js";
import { stepButtons, words } from "./step_form.js";

/** @typedef {import("../core/incident_types.js").Opened} Opened */
/** @typedef {import("../core/incident_types.js").Clock} Clock */
/** @typedef {import("../core/incident_types.js").HistoryRow} HistoryRow */

/**
 * @param {Opened} opened
 * @param {{take: (step: string, fields: Record<string, unknown>) => void, close: () => void}} acts
 * @returns {HTMLElement[]}
 */
export function detail(opened, { take, close }) {
  const note = certainty(opened);
  const parts = [
    el(
      "div",
      { class: "detail-head" },
      markElement(markOf(opened)),
      el("h2", {}, opened.item || _("事件")),
      el("button", { type: "button", class: "quiet", click: close, title: _("关闭") }, icon("x-mark"), _("关闭")),
    ),
    el("p", { class: "detail-text" }, opened.description ?? _("内容受保护，您的权限不能查看。")),
    opened.next_steps.length > 0 && stepButtons(opened.next_steps, take),
    note && el("p", { class: "notice notice-warning" }, icon("exclamation-triangle"), el("span", {}, note)),
    facts(opened),
    opened.clock && timeLimit(opened.clock),
    el("h3", {}, _("经过")),
    el("ol", { class: "steps" }, ...opened.history.map(row)),
  ];
  return parts.filter((part) => part instanceof HTMLElement);
}

/** @param {Opened} opened */
function facts(opened) {
  const place = placeOf(opened);
  const listed = [
    [_("事件编号"), opened.number],
    [_("状态"), (opened.is_urgent ? _("紧急") + " · " : "") + stateWords(opened.state)],
    [_("办理层级"), opened.current_level && levelWords(opened.current_level)],
    [_("牵头单位"), opened.lead_unit],
    [_("责任单位"), opened.responsible_unit],
    [_("经办人"), opened.person_in_charge],
    [_("首问责任人"), opened.first_contact],
    [_("网格"), opened.grid_name ?? place.grid],
    [_("子网格"), place.subGrid],
    [_("定位依据"), why(opened)],
    [_("所属区域"), place.areas.join(" · ")],
    [_("来源"), sourceWords(opened.source)],
    [_("发现时间"), when(opened.discovered_at)],
    [_("办理时限"), due(opened)],
  ].filter(([, value]) => value);
  return el("dl", { class: "facts" }, ...listed.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/** @param {Opened} opened */
function why(opened) {
  /** @type {Record<string, string>} */
  const how = { inside: _("点在网格内"), border: _("点近边界"), near: _("就近归入"), outside: _("网格之外") };
  const metres = opened.distance_m === null ? "" : _("距边界 {distance}", { distance: distance(opened.distance_m) });
  const shares = (opened.candidates ?? []).map(({ grid_code, share }) => grid_code + " " + Math.round(share * 100) + "%");
  return [how[opened.match], metres, ...shares].filter(Boolean).join(" · ");
}

/** @param {Opened} opened */
function due({ clock, due_at, is_overdue }) {
  if (clock?.at_once) return _("立即，已过 {time}", { time: span(Date.now() - Date.parse(clock.starts_at)) });
  if (!due_at) return "";
  const late = is_overdue ? _("超期 {time}", { time: span(Date.now() - Date.parse(due_at)) }) : "";
  return [when(due_at), late].filter(Boolean).join(" · ");
}

/** @param {Clock} running */
function timeLimit(running) {
  const kinds = { hours: _("{n} 小时"), working_days: _("{n} 个工作日"), calendar_days: _("{n} 日") };
  const most = running.at_once ? _("立即") : kinds[running.clock].replace("{n}", String(running.most));
  const least = running.least !== null && running.least !== running.most ? running.least + "–" : "";
  const ground = running.clause ?? _("文件未载，按通则");
  return el(
    "details",
    { class: "time-limit" },
    el("summary", {}, _("时限依据")),
    el("p", {}, [least + most, ground, running.inferred ? _("含推定") : "", running.provisional ? _("暂定") : ""].filter(Boolean).join(" · ")),
    el("p", {}, _("自 {start} 起，至 {end} 止", { start: when(running.starts_at), end: when(running.due_at) })),
    el("ol", { class: "days" }, ...running.days.map(day)),
  );
}

/** @param {Clock["days"][number]} one */
function day({ date, kind, holiday, number }) {
  const kinds = { working: "", weekend: _("周末"), holiday: _("放假"), made_up: _("调休上班") };
  const counted = number === null ? _("不计") : _("第 {n} 日", { n: number });
  return el(
    "li",
    { class: number === null ? "skipped" : "" },
    el("time", { datetime: date }, date),
    el("span", {}, [counted, kinds[kind], holiday].filter(Boolean).join(" · ")),
  );
}

/** @param {HistoryRow} one */
function row({ at, actor, to_state, note, title, level, entered_for, clause, trace }) {
  const ended = trace?.ended;
  const late = ended && ended.standing === "late" && _("超期 {time}", { time: span(ended.delay_s * 1000) });
  const atOnce = ended?.at_once && _("立即，已过 {time}", { time: span(ended.delay_s * 1000) });
  const who = [level && levelWords(level), actor, entered_for && _("代{party}录入", { party: partyWords(entered_for) })];
  return el(
    "li",
    {},
    el("b", {}, title ? words(title) : stateWords(to_state)),
    el("time", { datetime: at, title: clockTime(new Date(at), { seconds: true }) }, when(at)),
    el("span", {}, [...who, note].filter(Boolean).join(" · ")),
    el("span", { class: late ? "late" : "" }, late || atOnce || clause || ""),
  );
}

/** @param {string} moment */
export function when(moment) {
  return dayAndTime(new Date(moment), new Date());
}
