/** One incident, whole: what it is, why it is where it is, how long there is, what may be done, what was done. */

import { distance } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { aspectWords, levelWords, markOf, sourceWords, stateWords } from "../core/incident.js";
import { certainty, placeOf } from "../core/place.js";
import { el, icon, markElement } from "./dom.js";
import { dueWords, timeLimit, when } from "./incident_clock.js";
import { rating } from "./incident_extras.js";
import { history } from "./incident_history.js";
import { stepButtons, words } from "./step_form.js";

/** @typedef {import("../core/incident_types.js").Opened} Opened */

/**
 * @typedef {object} Acts
 * @property {(step: string, fields: Record<string, unknown>) => void} take
 * @property {() => void} acknowledge the call of an urgent incident
 * @property {() => void} close
 * @property {(step: 1 | -1) => void} turn to the next or the one before in the list
 * @property {(lon: number, lat: number) => void} showPlace
 * @property {(() => void) | null} near show the cameras and people nearest to it; null for those who may not ask
 * @property {(code: string) => void} showGrid the card of its grid
 * @property {((code: string, name: string) => void) | null} showOnWall send the wall's map to its grid; null for those who may not
 */

/**
 * @param {Opened} opened
 * @param {Acts} acts
 * @returns {HTMLElement[]}
 */
export function detail(opened, acts) {
  const note = certainty(opened);
  const parts = [
    head(opened, acts),
    el("p", { class: "detail-text" }, opened.description ?? _("内容受保护，您的权限不能查看。")),
    opened.is_calling && calling(acts),
    el("div", { "data-extra": "photos" }),
    opened.next_steps.length > 0 && stepButtons(opened.next_steps, acts.take),
    refused(opened),
    note && el("p", { class: "notice notice-warning" }, icon("exclamation-triangle"), el("span", {}, note)),
    el("div", { "data-extra": "duplicates" }),
    facts(opened, acts),
    opened.clock && timeLimit(opened.clock, opened.warning),
    el("details", { class: "why", "data-key": "why" }, el("summary", {}, _("为何归入这个网格")), el("p", {}, why(opened)), el("div", { "data-extra": "explanation" })),
    rating(opened),
    el("h3", {}, _("经过")),
    history(opened, acts.showPlace),
  ];
  return parts.filter((part) => part instanceof HTMLElement);
}

/**
 * @param {Opened} opened
 * @param {Acts} acts
 */
function head(opened, { close, turn }) {
  return el(
    "div",
    { class: "detail-head" },
    markElement(markOf(opened)),
    el("h2", { id: "h-detail" }, opened.item || _("事件")),
    el("button", { type: "button", class: "quiet", click: () => turn(-1), title: _("前一件") }, icon("chevron-up"), el("span", { class: "only-read" }, _("前一件"))),
    el("button", { type: "button", class: "quiet", click: () => turn(1), title: _("后一件") }, icon("chevron-down"), el("span", { class: "only-read" }, _("后一件"))),
    el("button", { type: "button", class: "quiet", click: close, title: _("关闭") }, icon("x-mark"), _("关闭")),
  );
}

/**
 * The walls call for it until somebody takes notice.
 * @param {Acts} acts
 */
function calling({ acknowledge }) {
  return el(
    "p",
    { class: "notice notice-error" },
    icon("bell-alert"),
    el("span", {}, _("大屏正在为这起紧急事件告警。")),
    el("button", { type: "button", class: "primary", click: acknowledge }, _("签收")),
  );
}

/**
 * Steps that the table has from here and that this reader cannot take, each with the reason and its clause.
 * @param {Opened} opened
 */
function refused({ refused_steps }) {
  if (refused_steps.length === 0) return null;
  return el(
    "details",
    { class: "refused", "data-key": "refused" },
    el("summary", {}, _("不能进行的步骤（{n}）", { n: refused_steps.length })),
    el("dl", { class: "reasons" }, ...refused_steps.flatMap(({ title, reason }) => [el("dt", {}, words(title)), el("dd", {}, reason)])),
  );
}

/**
 * @param {Opened} opened
 * @param {Acts} acts
 */
function facts(opened, { near, showGrid, showOnWall }) {
  const place = placeOf(opened);
  const grid = opened.grid_name ?? place.grid;
  const code = opened.grid_code;
  const scores = Object.entries(opened.scores ?? {}).map(([aspect, score]) => aspectWords(aspect) + " " + score);
  const listed = [
    [_("事件编号"), el("a", { href: "/incidents/" + opened.id, class: "number" }, opened.number)],
    [_("状态"), [opened.is_urgent && _("紧急"), stateWords(opened.state), opened.supervised_at && _("在督查清单上")].filter(Boolean).join(" · ")],
    [_("办理时限"), dueWords(opened)],
    [_("办理层级"), opened.current_level && levelWords(opened.current_level)],
    [_("牵头单位"), opened.lead_unit],
    [_("责任单位"), opened.responsible_unit],
    [_("经办人"), opened.person_in_charge],
    [_("首问责任人"), opened.first_contact],
    [_("网格"), code ? el("span", {}, grid, " ", el("button", { type: "button", class: "link", "data-act": "grid", click: () => showGrid(code) }, _("网格详情"))) : grid],
    [_("子网格"), place.subGrid],
    [_("负责人"), answering(opened)],
    [_("所属区域"), place.areas.join(" · ")],
    [_("地点依据"), foundBy(opened)],
    [_("附近"), near && el("button", { type: "button", class: "link", "data-act": "near", click: near }, _("最近的监控与人员"))],
    [
      _("大屏"),
      showOnWall &&
        code &&
        el("button", { type: "button", class: "link", "data-act": "wall", click: () => showOnWall(code, grid ?? code) }, _("在大屏上显示所在网格")),
    ],
    [_("来源"), sourceWords(opened.source)],
    [_("发现时间"), when(opened.discovered_at)],
    [_("部门打分"), scores.join(" · ")],
  ].filter(([, value]) => value);
  return el(
    "dl",
    { class: "facts" },
    ...listed.flatMap(([name, value]) => [
      el("dt", {}, name),
      el("dd", name === _("办理时限") && opened.standing ? { "data-standing": opened.standing } : {}, value),
    ]),
  );
}

/**
 * Who answers for the place: post, name and the phone of duty, as far as this reader may know them.
 * @param {Opened} opened
 */
function answering({ responsible }) {
  const people = (responsible?.people ?? []).filter((one) => one.as === "answers");
  if (people.length === 0) return null;
  return el(
    "span",
    {},
    ...people.flatMap(({ title, name, phone }, place) => [
      place > 0 && " · ",
      [words(title), name].filter(Boolean).join(" "),
      phone && " ",
      phone && el("a", { href: "tel:" + phone, class: "number" }, phone),
    ]),
  );
}

/**
 * The address or the camera that the place was taken from.
 * @param {Opened} opened
 */
function foundBy({ found }) {
  if (!found) return null;
  return el("span", {}, found.kind === "address" ? _("地址") : _("摄像机"), " ", found.text, found.text && " ", el("span", { class: "number" }, found.code));
}

/** @param {Opened} opened */
function why(opened) {
  /** @type {Record<string, string>} */
  const how = { inside: _("点在网格内"), border: _("点近边界"), near: _("就近归入"), outside: _("网格之外") };
  const metres = opened.distance_m === null ? "" : _("距边界 {distance}", { distance: distance(opened.distance_m) });
  const shares = (opened.candidates ?? []).map(({ grid_code, share }) => grid_code + " " + Math.round(share * 100) + "%");
  return [how[opened.match], metres, ...shares].filter(Boolean).join(" · ");
}

/**
 * The card shown anew keeps open what its reader had opened; of the same incident also what was fetched, until it is fetched again.
 * @param {HTMLElement} card
 * @param {HTMLElement[]} parts
 * @param {{isSame: boolean}} whether
 */
export function renew(card, parts, { isSame }) {
  const open = new Set([...card.querySelectorAll("details[open]")].map((one) => one.getAttribute("data-key")));
  const fetched = isSame ? [...card.querySelectorAll("[data-extra]")] : [];
  card.replaceChildren(...parts);
  for (const old of fetched) {
    card.querySelector(`[data-extra="${old.getAttribute("data-extra")}"]`)?.replaceChildren(...old.childNodes);
  }
  for (const one of card.querySelectorAll("details[data-key]")) {
    if (open.has(one.getAttribute("data-key"))) one.setAttribute("open", "");
  }
}
