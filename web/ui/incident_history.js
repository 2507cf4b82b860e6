/** What happened to an incident: every step with who, at which level, where and when, and what the watch over its clock told. */

import { clock as clockTime, span } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { aspectWords, levelWords, partyWords, stateWords } from "../core/incident.js";
import { el } from "./dom.js";
import { days, limitWords, when } from "./incident_clock.js";
import { words } from "./step_form.js";

/** @typedef {import("../core/incident_types.js").Opened} Opened */
/** @typedef {import("../core/incident_types.js").HistoryRow} HistoryRow */
/** @typedef {import("../core/incident_types.js").Alert} Alert */

/**
 * Oldest first, as it happened.
 * @param {Pick<Opened, "history" | "alerts">} opened
 * @param {(lon: number, lat: number) => void} showPlace
 */
export function history({ history: steps, alerts }, showPlace) {
  const rows = [
    ...steps.map((row) => ({ at: row.at, item: () => step(row, showPlace) })),
    ...alerts.map((row) => ({ at: row.at, item: () => alert(row) })),
  ];
  // a stable sort: what was written at one moment stays in its order
  rows.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
  return el("ol", { class: "steps" }, ...rows.map(({ item }) => item()));
}

/**
 * @param {HistoryRow} one
 * @param {(lon: number, lat: number) => void} showPlace
 */
function step({ at, actor, from_state, to_state, note, title, level, entered_for, clause, trace, place, filled }, showPlace) {
  const ended = trace?.ended;
  const late = ended && ended.standing === "late" && _("超期 {time}", { time: span(ended.delay_s * 1000) });
  const atOnce = ended?.at_once && _("立即，已过 {time}", { time: span(ended.delay_s * 1000) });
  const who = [level && levelWords(level), actor, entered_for && _("代{party}录入", { party: partyWords(entered_for) })];
  const moved = from_state !== to_state && stateWords(to_state);
  return el(
    "li",
    {},
    el("b", {}, title ? words(title) : stateWords(to_state)),
    time(at),
    el("span", {}, [...who, moved, ...given(filled), atOnce, clause].filter(Boolean).join(" · ")),
    late && el("b", { class: "late" }, late),
    note && el("span", { class: "said" }, note),
    place && whereButton(place, showPlace),
  );
}

/** @param {Alert} one */
function alert({ kind, title, at, told, clause, due_at, old_due_at, trace }) {
  const recount = kind === "recomputed" && old_due_at;
  const toWhom = told && _("已告知 {whom}", { whom: [told.level && levelWords(told.level), told.name ?? partyWords(told.party)].filter(Boolean).join(" · ") });
  const ground = recount ? clause : (clause ?? _("文件未载，由本地设定"));
  const change = recount && (old_due_at === due_at ? _("时限已确定：{end}", { end: when(due_at) }) : _("时限由 {old} 改为 {end}", { old: when(old_due_at), end: when(due_at) }));
  return el(
    "li",
    { class: "alert alert-" + kind },
    el("b", {}, words(title)),
    time(at),
    el("span", {}, [change || toWhom, recount ? "" : _("时限 {end}", { end: when(due_at) }), ground].filter(Boolean).join(" · ")),
    recount && trace?.clock && el("details", {}, el("summary", {}, limitWords(trace.clock)), days(trace.clock)),
  );
}

/** @param {string} at */
function time(at) {
  return el("time", { datetime: at, title: clockTime(new Date(at), { seconds: true }) }, when(at));
}

/**
 * What was filled in beside the words: units, persons, ratings, scores.
 * @param {HistoryRow["filled"]} filled
 */
function given(filled) {
  if (!filled) return [];
  const { lead_unit, responsible_unit, person_in_charge, rating, scores } = filled;
  const marks = Object.entries(scores ?? {}).map(([aspect, score]) => aspectWords(aspect) + " " + score);
  return [lead_unit, responsible_unit, person_in_charge, rating && _("满意度 {n} 分", { n: rating }), ...marks];
}

/**
 * @param {{lon: number, lat: number}} place
 * @param {(lon: number, lat: number) => void} showPlace
 */
function whereButton({ lon, lat }, showPlace) {
  return el(
    "button",
    { type: "button", class: "link", click: () => showPlace(lon, lat) },
    _("办理地点 {place}", { place: lon.toFixed(5) + ", " + lat.toFixed(5) }),
  );
}
