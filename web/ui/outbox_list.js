/** The reports of this phone: what waits, what is on its way, what has arrived, what was not accepted and why. */

import { dayAndTime } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { el, icon, markElement } from "./dom.js";

/** @typedef {import("../core/outbox.js").Report} Report */

const SENT_SHOWN = 5;

/**
 * @param {Report[]} reports the newest first
 * @param {{edit: (report: Report) => void, drop: (report: Report) => void}} acts
 * @returns {HTMLElement[]}
 */
export function outboxRows(reports, acts) {
  const sent = reports.filter(({ standing }) => standing === "sent").slice(0, SENT_SHOWN);
  const open = reports.filter(({ standing }) => standing !== "sent");
  return [...open, ...sent].map((report) => row(report, acts));
}

/**
 * @param {Report[]} reports
 * @returns {string} how many stand how, in one line
 */
export function outboxSummary(reports) {
  const count = (/** @type {string[]} */ ...standings) => reports.filter(({ standing }) => standings.includes(standing)).length;
  const waiting = count("waiting", "sending");
  const refused = count("refused");
  const parts = [
    waiting ? _("待发送 {n} 件", { n: waiting }) : "",
    refused ? _("要改正 {n} 件", { n: refused }) : "",
    waiting || refused ? "" : _("都已送达"),
  ];
  return parts.filter(Boolean).join(" · ");
}

/**
 * @param {Report} report
 * @param {{edit: (report: Report) => void, drop: (report: Report) => void}} acts
 */
function row(report, { edit, drop }) {
  const isRefused = report.standing === "refused";
  return el(
    "li",
    { class: "outbox-row", "data-standing": report.standing, "data-id": report.id },
    markElement(markOf(report)),
    el("span", { class: "outbox-text" }, report.body.description),
    el("b", { class: "outbox-standing" }, words(report)),
    el("span", { class: "outbox-note" }, note(report)),
    isRefused && el("p", { class: "outbox-problem" }, icon("exclamation-triangle"), el("span", {}, report.problem?.sentence ?? "")),
    report.photoProblems.length > 0 && el("p", { class: "outbox-problem" }, icon("photo"), el("span", {}, photoProblem(report))),
    isRefused &&
      el(
        "div",
        { class: "outbox-acts" },
        el("button", { type: "button", click: () => edit(report) }, _("修改后重发")),
        el("button", { type: "button", class: "quiet", click: () => drop(report) }, _("删除")),
      ),
  );
}

/** @param {Report} report */
function markOf({ standing }) {
  if (standing === "sent") return "done";
  return standing === "refused" ? "urgent" : "open";
}

/** @param {Report} report */
function words({ standing, incident }) {
  switch (standing) {
    case "sent":
      return _("已登记 {number}", { number: incident?.number ?? "" });
    case "sending":
      return _("正在发送");
    case "refused":
      return _("未被接受");
    default:
      return incident ? _("已登记 {number}，照片待发送", { number: incident.number }) : _("待发送");
  }
}

/** @param {Report} report */
function note({ madeAt, photos }) {
  const when = dayAndTime(new Date(madeAt), new Date());
  return [when, photos ? _("{n} 张照片", { n: photos }) : ""].filter(Boolean).join(" · ");
}

/** @param {Report} report */
function photoProblem({ photoProblems }) {
  return _("{n} 张照片未被接受：{reason}", { n: photoProblems.length, reason: photoProblems[0] });
}
