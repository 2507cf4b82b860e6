/** The findings of a check as a list beside the map; choosing one shows it there. */

import { kindWords, sentence, size } from "../core/finding.js";
import { boundsOf, reach } from "../core/geometry.js";
import { _ } from "../core/i18n.js";
import { findingLook } from "../core/style.js";
import { swatch } from "../map/hatch.js";
import { el } from "./dom.js";

/** @typedef {import("../core/types.js").Finding} Finding */

const MOST_ROWS = 300;
const CLOSE_ZOOM = 18;
/** Room around a finding when it is shown, as a share of its size. */
const MARGIN = 1.5;
const LEAST_DEGREES = 0.0008;

export class FindingList {
  /**
   * @param {HTMLElement} list
   * @param {import("../map/city_map.js").CityMap} map
   */
  constructor(list, map) {
    this.list = list;
    this.map = map;
    /** @type {Finding[]} */
    this.findings = [];
  }

  /** @param {Finding[]} findings */
  show(findings) {
    this.findings = findings;
    this.list.replaceChildren(
      ...findings.slice(0, MOST_ROWS).map((finding, index) => el("li", {}, this.#row(finding, index))),
    );
    if (findings.length > MOST_ROWS) {
      this.list.append(el("li", { class: "empty" }, _("另有 {n} 个问题只在地图上显示。", { n: findings.length - MOST_ROWS })));
    }
    this.map.findings.show(findings);
    const bounds = boundsOf(findings.map(({ geometry }) => geometry));
    if (bounds) this.map.fit(widened(bounds, 0.1), {}, { closest: CLOSE_ZOOM });
  }

  /**
   * @param {Finding} finding
   * @param {number} index
   */
  #row(finding, index) {
    const look = swatch(findingLook(finding.kind), this.list);
    look.className = "finding-swatch";
    const severity = finding.severity === "error" ? _("错误") : _("提醒");
    return el(
      "button",
      { type: "button", class: "row", "aria-pressed": "false", click: () => this.#choose(index) },
      look,
      el("span", { class: "row-title" }, kindWords(finding.kind)),
      el("span", { class: "row-end" }, el("span", { class: "severity-" + finding.severity }, severity), " ", size(finding)),
      el("span", { class: "row-note" }, sentence(finding)),
    );
  }

  /** @param {number} index */
  #choose(index) {
    this.list.querySelectorAll(".row").forEach((row, at) => row.setAttribute("aria-pressed", String(at === index)));
    this.map.findings.show(this.findings, index);
    const bounds = boundsOf([this.findings[index]?.geometry ?? null]);
    if (bounds) this.map.fit(widened(bounds, MARGIN), {}, { closest: CLOSE_ZOOM });
  }
}

/**
 * The box with room around it, and never so small that nothing else is seen.
 * @param {import("../core/types.js").Bounds} box
 * @param {number} share
 * @returns {import("../core/types.js").Bounds}
 */
function widened([west, south, east, north], share) {
  const isPoint = reach([west, south, east, north]) < 1;
  const x = Math.max((east - west) * share, isPoint ? LEAST_DEGREES : 0);
  const y = Math.max((north - south) * share, isPoint ? LEAST_DEGREES : 0);
  return [west - x, south - y, east + x, north + y];
}
