/** One grid, whole: its facts, its last 30 days, who works in it, which cameras stand in it. */

import { count } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { cameraRows, cameraSummary } from "./camera_rows.js";
import { el, icon } from "./dom.js";
import { answerRows, holderRows } from "./holder_rows.js";
import { spark } from "./spark.js";
import { words as said } from "./step_form.js";

/** @typedef {import("../core/place_types.js").GridCard} GridCard */

/**
 * @typedef {object} GridActs
 * @property {(code: string) => void} filter the list to this grid
 * @property {((code: string, name: string) => void) | null} showOnWall null for those who do not steer a wall
 * @property {(lon: number, lat: number) => void} show a place on the map
 * @property {(layer: string, field: string, value: string) => string} words of the layers' choices
 * @property {boolean} mayReport
 * @property {"all" | "map" | ""} prints which sheets of a grid this reader may print: with its people, the map alone, none
 */

/**
 * @param {GridCard} card
 * @param {{lon: number, lat: number}} place where a report would be made
 * @param {GridActs} acts
 */
export function gridFacts(card, place, acts) {
  return [facts(card, acts), deeds(card, place, acts), ...month(card), ...people(card), ...cameras(card, acts)];
}

/**
 * @param {GridCard} card
 * @param {GridActs} acts
 */
function facts({ grid, areas }, acts) {
  const listed = [
    [_("编码"), el("span", { class: "number" }, grid.grid_code)],
    [_("类型"), acts.words("grid", "grid_kind", grid.grid_kind)],
    [_("所属"), areas.slice(1).reverse().map(({ name }) => name).join(" · ")],
    [_("常住户数"), grid.resident_households != null && count(grid.resident_households)],
    [_("实有人口"), grid.actual_population != null && count(grid.actual_population)],
    [_("所在单位"), grid.host_units],
    [_("主管部门"), grid.managing_department],
  ].filter(([, value]) => value);
  return el("dl", { class: "facts" }, ...listed.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

/**
 * @param {GridCard} card
 * @param {{lon: number, lat: number}} place
 * @param {GridActs} acts
 */
function deeds({ grid }, place, { filter, showOnWall, mayReport, prints }) {
  const here = new URLSearchParams({ lon: place.lon.toFixed(6), lat: place.lat.toFixed(6) });
  const sheet = new URLSearchParams({ grid: grid.grid_code, ...(prints === "map" ? { panel: "map" } : {}) });
  return el(
    "div",
    { class: "place-deeds" },
    el("button", { type: "button", class: "small", click: () => filter(grid.grid_code) }, icon("funnel"), _("只列它的事件")),
    mayReport && el("a", { class: "button small", href: "/report?" + here }, icon("plus"), _("在此上报")),
    prints && el("a", { class: "button small", href: "/api/wall-files?" + sheet, download: true }, icon("printer"), _("打印")),
    showOnWall &&
      el("button", { type: "button", class: "small", click: () => showOnWall(grid.grid_code, grid.grid_name) }, icon("presentation-chart-bar"), _("上大屏")),
  );
}

/** @param {GridCard} card */
function month({ month: { days, length, opened, closed, on_time_pct, open_now, overdue_now, items } }) {
  const most = Math.max(1, ...items.map(({ count: n }) => n));
  const figures = [
    [_("新增"), count(opened), ""],
    [_("办结"), count(closed), ""],
    [_("按期办结"), on_time_pct === null ? "–" : on_time_pct + "%", ""],
    [_("现未结"), count(open_now), ""],
    [_("现超期"), count(overdue_now), overdue_now > 0 ? "short" : ""],
  ];
  return [
    el("h3", {}, _("近 {n} 天", { n: length })),
    el("dl", { class: "place-figures" }, ...figures.map(([name = "", value = "", look = ""]) => el("div", {}, el("dt", {}, name), el("dd", { class: "number " + look }, value)))),
    el(
      "figure",
      { class: "place-spark" },
      spark(days, _("近 {n} 天每天的新增与办结：共新增 {opened} 件，办结 {closed} 件。", { n: length, opened, closed })),
      el("figcaption", {}, el("i", { class: "key-opened", "aria-hidden": "true" }), _("每天新增"), el("i", { class: "key-closed", "aria-hidden": "true" }), _("办结")),
    ),
    items.length > 0 &&
      el(
        "ul",
        { class: "place-items" },
        ...items.map(({ item, count: n }) =>
          el("li", {}, el("span", {}, item ?? _("未定事项")), el("meter", { min: 0, max: most, value: n, "aria-hidden": "true" }), el("b", { class: "number" }, count(n))),
        ),
      ),
  ];
}

/** @param {GridCard} card */
function people({ answers, roster }) {
  if (!answers) return [];
  const others = (roster?.people ?? []).filter(({ name, post }) => !(name === answers.person?.name && post === answers.person?.post));
  return [
    el("h3", {}, _("人员")),
    answerRows(answers),
    others.length > 0 && holderRows(others),
    roster &&
      roster.findings.length > 0 &&
      el(
        "ul",
        { class: "place-findings" },
        ...roster.findings.map(({ severity, clause, message }) =>
          el("li", { class: "is-" + severity }, said(message), clause && el("small", {}, " " + clause)),
        ),
      ),
  ];
}

/**
 * @param {GridCard} card
 * @param {GridActs} acts
 */
function cameras({ cameras: found }, acts) {
  if (!found) return [];
  return [
    el("h3", {}, _("视频监控"), " ", el("small", {}, cameraSummary(found))),
    found.length > 0
      ? cameraRows(found, (field, value) => acts.words("camera", field, value), acts.show)
      : el("p", { class: "place-none" }, _("没有可以查看的监控。")),
  ];
}
