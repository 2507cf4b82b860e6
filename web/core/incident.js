/** The words and marks of incidents. State names are those of the server. */

import { _ } from "./i18n.js";

/** States in which the matter itself is settled; what follows is verification and filing. */
const SETTLED = new Set(["resolved_on_site", "completed", "verifying", "fed_back", "archived", "refused"]);

/** States in which an incident has left the open list. */
const CLOSED = new Set(["archived", "refused"]);

/**
 * Whether it still is on the open list.
 * @param {{state: string}} incident
 */
export function isOpen(incident) {
  return !CLOSED.has(incident.state);
}

/**
 * The mark that stands for it everywhere: shape and colour together.
 * @param {{state: string, is_urgent: boolean, is_overdue?: boolean}} incident
 * @returns {"open" | "urgent" | "overdue" | "done"}
 */
export function markOf(incident) {
  if (SETTLED.has(incident.state)) return "done";
  if (incident.is_urgent) return "urgent";
  return incident.is_overdue ? "overdue" : "open";
}

/**
 * The official word of a state; an unknown one is shown as it is.
 * @param {string} state
 */
export function stateWords(state) {
  /** @type {Record<string, string>} */
  const words = {
    discovered: _("发现"),
    recorded: _("已登记"),
    refused: _("已拒绝"),
    resolved_on_site: _("就地解决"),
    reported: _("已上报"),
    accepted: _("已受理"),
    dispatched: _("已交办"),
    taken_up: _("已承接"),
    returned: _("已退回"),
    coordinating: _("协调办理"),
    completed: _("已办结"),
    verifying: _("现场核实"),
    fed_back: _("已反馈"),
    archived: _("归档销号"),
  };
  return words[state] ?? state;
}

/** How an incident may have come to notice, in the order the form offers it. */
export function sources() {
  return [
    { key: "patrol", words: _("巡查走访") },
    { key: "public", words: _("群众反映") },
    { key: "home_visit", words: _("入户走访") },
    { key: "regular_check", words: _("日常检查") },
    { key: "handed_down", words: _("上级交办") },
    { key: "assigned", words: _("部门派单") },
  ];
}

/**
 * The words of a source; an unknown one is shown as it is.
 * @param {string} source
 */
export function sourceWords(source) {
  return sources().find((known) => known.key === source)?.words ?? source;
}

/** The marks and their words, most pressing first. */
export function marks() {
  return /** @type {const} */ ([
    { mark: "urgent", words: _("紧急") },
    { mark: "overdue", words: _("超期") },
    { mark: "open", words: _("办理中") },
    { mark: "done", words: _("已办结") },
  ]);
}

/**
 * The official word of a level of administration; an unknown one is shown as it is.
 * @param {string} level
 */
export function levelWords(level) {
  /** @type {Record<string, string>} */
  const words = {
    prefecture: _("市(州)"),
    county: _("县(市、区)"),
    township: _("乡镇(街道)"),
    community: _("社区(村)"),
  };
  return words[level] ?? level;
}

/**
 * Who takes part in an incident's course.
 * @param {string} party
 */
export function partyWords(party) {
  /** @type {Record<string, string>} */
  const words = {
    grid_worker: _("网格员"),
    institution: _("网格化机构"),
    handling_unit: _("承办部门"),
    incident_party: _("当事人"),
  };
  return words[party] ?? party;
}

/**
 * What a unit is scored on.
 * @param {string} aspect
 */
export function aspectWords(aspect) {
  /** @type {Record<string, string>} */
  const words = { acceptance: _("受理情况"), handling: _("处置情况"), result: _("办理结果") };
  return words[aspect] ?? aspect;
}
