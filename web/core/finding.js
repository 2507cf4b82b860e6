/** The words of findings, their order and what is shown of them. Kinds are those of the check. */

import { area, count, distance } from "./formats.js";
import { _, currentLanguage } from "./i18n.js";

/** @typedef {import("./types.js").Finding} Finding */

/**
 * @param {string} kind
 */
export function kindWords(kind) {
  /** @type {Record<string, string>} */
  const words = {
    gap: _("空隙"),
    bay: _("缺口"),
    missing_cell: _("缺少网格"),
    overlap: _("重叠"),
    contained: _("包含"),
    duplicate_geometry: _("重复图形"),
    outside: _("越界"),
    other_parent_overlap: _("压占其他辖区"),
    wrong_parent: _("所属不符"),
    near_miss: _("边界未对齐"),
    invalid_geometry: _("图形无效"),
    empty_geometry: _("图形为空"),
    multipart: _("多部分图形"),
    duplicate_code: _("编码重复"),
    bad_code: _("编码不规范"),
    code_gap: _("编码不连续"),
    code_prefix: _("编码与所属不符"),
    size: _("网格规模"),
    sub_grid_size: _("子网格规模"),
    sub_grid_outside: _("子网格越界"),
    exclusive_host: _("专属网格单位"),
    address_unassigned: _("地址未落格"),
    roster: _("人员配备"),
    department_layer: _("部门图层"),
  };
  return words[kind] ?? kind;
}

/**
 * The finding's sentence in the reader's language.
 * @param {Finding} finding
 */
export function sentence({ message }) {
  if (typeof message === "string") return message;
  return currentLanguage() === "en" ? message.en : message.zh;
}

/**
 * How large it is, in one figure; "" if it has no size.
 * @param {Finding} finding
 */
export function size({ area_m2, width_m }) {
  if (area_m2) return area(area_m2);
  return width_m ? distance(width_m) : "";
}

/** What stands in no document is the product's own rule, and says so. */
const OWN_RULE = "product brief";

/**
 * The clause that a finding breaks, as people read it.
 * @param {Pick<Finding, "clause">} finding
 */
export function clauseWords({ clause }) {
  return clause === OWN_RULE ? _("产品约定，文件未规定") : clause;
}

/**
 * The force of a finding in a word.
 * @param {Pick<Finding, "severity">} finding
 */
export function severityWords({ severity }) {
  if (severity === "error") return _("错误");
  return severity === "warning" ? _("警告") : _("提示");
}

/**
 * Whether somebody still has to do something: an error or warning is open until it is mended or accepted.
 * @param {Finding} finding
 * @returns {"open" | "accepted" | "none"}
 */
export function stateOf({ severity, acceptance }) {
  if (severity === "option") return "none";
  return acceptance ? "accepted" : "open";
}

/**
 * Whether a warning waits for a reason.
 * @param {Finding} finding
 */
export function isAcceptable(finding) {
  return finding.severity === "warning" && stateOf(finding) === "open";
}

/**
 * How many are concerned: people, addresses and open incidents inside it.
 * @param {Finding} finding
 */
function weightOf({ weight }) {
  return weight ? weight.people + weight.addresses + weight.open_incidents : 0;
}

/**
 * Who is concerned, in words; "" where nothing is known of it.
 * @param {Finding} finding
 */
export function weightWords({ weight }) {
  if (!weight) return "";
  return _("涉及 {addresses} 个地址、{people} 人、{incidents} 件未办结事件", {
    addresses: count(weight.addresses),
    people: count(weight.people),
    incidents: count(weight.open_incidents),
  });
}

const FORCES = ["error", "warning", "option"];

/**
 * Errors first, then what concerns more people, then what is larger.
 * @param {Finding[]} findings
 */
export function bySeverity(findings) {
  return [...findings].sort(
    (a, b) =>
      FORCES.indexOf(a.severity) - FORCES.indexOf(b.severity) ||
      weightOf(b) - weightOf(a) ||
      (b.area_m2 ?? 0) - (a.area_m2 ?? 0) ||
      a.id - b.id,
  );
}

/**
 * @typedef {object} Filter
 * @property {string} kind "" for all
 * @property {string} severity "" for all
 * @property {string} state "" for all
 */

/**
 * The findings that pass a filter, in the same order.
 * @param {Finding[]} findings
 * @param {Filter} filter
 */
export function filtered(findings, { kind, severity, state }) {
  return findings.filter(
    (finding) =>
      (!kind || finding.kind === kind) &&
      (!severity || finding.severity === severity) &&
      (!state || stateOf(finding) === state),
  );
}

/**
 * How many findings have each value of something, in the order of their first occurrence.
 * @template {string} T
 * @param {Finding[]} findings
 * @param {(finding: Finding) => T} of
 * @returns {Map<T, number>}
 */
export function counted(findings, of) {
  /** @type {Map<T, number>} */
  const counts = new Map();
  for (const finding of findings) counts.set(of(finding), (counts.get(of(finding)) ?? 0) + 1);
  return counts;
}

/**
 * The totals of a check in one line; "" where nothing was measured.
 * @param {import("./types.js").Summary} summary
 */
export function totals({ coverage_pct, gap_area_m2, overlap_area_m2, outside_area_m2 }) {
  if (coverage_pct === undefined) return "";
  return [
    _("覆盖率 {pct}%", { pct: share(coverage_pct) }),
    _("空隙 {area}", { area: area(gap_area_m2 ?? 0) }),
    _("重叠 {area}", { area: area(overlap_area_m2 ?? 0) }),
    _("越界 {area}", { area: area(outside_area_m2 ?? 0) }),
  ].join(" · ");
}

/**
 * A percentage that says 100 only where it is 100.
 * @param {number} pct
 */
function share(pct) {
  const rounded = Math.floor(pct * 10_000) / 10_000;
  return String(rounded);
}
