/** The findings of a check as a list beside the map: filtered, gone through one by one, shown where they are. */

import {
  bySeverity,
  clauseWords,
  counted,
  filtered,
  isAcceptable,
  kindWords,
  sentence,
  severityWords,
  size,
  stateOf,
  weightWords,
} from "../core/finding.js";
import { area, count, dayAndTime, distance } from "../core/formats.js";
import { boundsOf, reach } from "../core/geometry.js";
import { _ } from "../core/i18n.js";
import { findingLook } from "../core/style.js";
import { swatch } from "../map/hatch.js";
import { byId, el, icon, setText } from "./dom.js";

/** @typedef {import("../core/types.js").Finding} Finding */

/** Rows made at a time; more are made when somebody comes to the end of them. */
const ROWS = 300;
const CLOSE_ZOOM = 18;
/** Room around a finding when it is shown, as a share of its size. */
const MARGIN = 1.5;
const LEAST_DEGREES = 0.0008;

export class FindingList {
  /**
   * The elements are those of the page: `findings`, `by-kind`, `by-severity`, `by-state`, `previous`, `next`, `position`.
   * @param {import("../map/city_map.js").CityMap} map
   * @param {object} ways what can be done about a finding, under its words
   * @param {(finding: Finding) => Node | null} ways.mending what mending would do; it may become known later
   * @param {(finding: Finding, all: Finding[]) => Node | null} ways.accepting
   */
  constructor(map, ways) {
    this.map = map;
    this.ways = ways;
    this.list = byId("findings");
    this.kind = byId("by-kind", HTMLSelectElement);
    this.severity = byId("by-severity", HTMLSelectElement);
    this.state = byId("by-state", HTMLSelectElement);
    /** @type {Finding[]} all of them, worst first */
    this.findings = [];
    /** @type {Finding[]} those that pass the filter */
    this.passing = [];
    this.selected = -1;
    this.made = 0;
    for (const choice of [this.kind, this.severity, this.state]) {
      choice.addEventListener("change", () => this.#filter());
    }
    byId("next").addEventListener("click", () => this.step(1));
    byId("previous").addEventListener("click", () => this.step(-1));
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * Show the findings of a generation, none selected and none filtered out.
   * @param {Finding[]} findings
   */
  show(findings) {
    this.findings = bySeverity(findings);
    this.kind.value = this.severity.value = this.state.value = "";
    this.#offer();
    this.#filter();
  }

  /**
   * The same findings with what has become of them: filter and place in the list stay, and what was being written. If the selected
   * one is dealt with and gone, the next one is shown.
   * @param {Finding[]} findings
   */
  update(findings) {
    const before = this.passing[this.selected];
    const written = this.list.querySelector("textarea")?.value ?? "";
    this.findings = bySeverity(findings);
    this.#offer();
    this.passing = filtered(this.findings, this.#chosen());
    this.#make();
    const at = Math.min(this.selected, this.passing.length - 1);
    const after = this.passing[at];
    const isSame = before !== undefined && after !== undefined && sameDefect(before, after);
    this.#select(at, { move: !isSame });
    const reason = this.list.querySelector("textarea");
    if (isSame && reason) reason.value = written;
  }

  /** What mending would do is known now, or has changed: told where it stands, while the rest is left as somebody works with it. */
  showMending() {
    const finding = this.passing[this.selected];
    if (finding) this.list.querySelector(".ways-to-mend")?.replaceWith(this.#waysToMend(finding));
  }

  /** Show only what still has to be dealt with. */
  showOpen() {
    this.kind.value = this.severity.value = "";
    this.state.value = "open";
    this.#filter();
  }

  /**
   * Go on to the next finding (1) or back to the one before (-1), around the end.
   * @param {1 | -1} by
   */
  step(by) {
    const total = this.passing.length;
    if (total === 0) return;
    const from = this.selected < 0 && by < 0 ? 0 : this.selected;
    this.#select((from + by + total) % total);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select")) return;
    if (this.list.closest("[hidden]")) return;
    if (event.key === "n") this.step(1);
    else if (event.key === "p") this.step(-1);
  }

  #chosen() {
    return { kind: this.kind.value, severity: this.severity.value, state: this.state.value };
  }

  /** Offer what there is to filter by, with its number. */
  #offer() {
    const kinds = [...counted(this.findings, ({ kind }) => kind)].map(([kind, n]) => [kind, kindWords(kind), n]);
    const examples = new Map(this.findings.map((finding) => [finding.severity, severityWords(finding)]));
    const severities = [...counted(this.findings, ({ severity }) => severity)].map(([value, n]) => [value, examples.get(value), n]);
    const states = counted(this.findings, stateOf);
    fill(this.kind, _("所有类别"), kinds);
    fill(this.severity, _("错误与警告"), severities);
    fill(this.state, _("所有状态"), [
      ["open", _("待处理"), states.get("open") ?? 0],
      ["accepted", _("已接受"), states.get("accepted") ?? 0],
    ]);
  }

  #filter() {
    this.passing = filtered(this.findings, this.#chosen());
    this.selected = -1;
    this.#make();
    this.map.findings.show(this.passing);
    this.map.moves.show([]);
    this.#tellPosition();
    const bounds = boundsOf(this.passing.map(({ geometry }) => geometry));
    if (bounds) this.map.fit(widened(bounds, 0.1), {}, { closest: CLOSE_ZOOM });
  }

  #make() {
    this.made = 0;
    this.list.replaceChildren();
    this.#makeMore();
    if (this.passing.length === 0) this.list.append(el("li", { class: "empty" }, _("没有符合条件的问题。")));
  }

  #makeMore() {
    this.list.querySelector(".more-rows")?.remove();
    const until = Math.min(this.passing.length, this.made + ROWS);
    for (; this.made < until; this.made++) {
      const finding = this.passing[this.made];
      if (finding) this.list.append(el("li", {}, this.#row(finding, this.made)));
    }
    const left = this.passing.length - this.made;
    if (left > 0) {
      const more = el("button", { type: "button", click: () => this.#makeMore() }, _("再列出一些（还有 {n} 处）", { n: count(left) }));
      this.list.append(el("li", { class: "more-rows" }, more));
    }
  }

  /**
   * @param {Finding} finding
   * @param {number} index
   */
  #row(finding, index) {
    const look = swatch(findingLook(finding.kind), this.list);
    look.className = "finding-swatch";
    const state = finding.acceptance ? el("span", { class: "accepted" }, icon("check"), _("已接受")) : null;
    return el(
      "button",
      { type: "button", class: "row", "aria-pressed": "false", click: () => this.#select(index) },
      look,
      el("span", { class: "row-title" }, kindWords(finding.kind)),
      el(
        "span",
        { class: "row-end" },
        state ?? el("span", { class: "severity-" + finding.severity }, severityWords(finding)),
        " ",
        size(finding),
      ),
      el("span", { class: "row-note" }, sentence(finding)),
    );
  }

  /**
   * @param {number} index
   * @param {{move?: boolean}} [options] whether the map and the list go there
   */
  #select(index, { move = true } = {}) {
    while (index >= this.made && this.made < this.passing.length) this.#makeMore();
    this.list.querySelector(".finding-detail")?.remove();
    this.selected = index;
    this.list.querySelectorAll(".row").forEach((row, at) => row.setAttribute("aria-pressed", String(at === index)));
    this.map.findings.show(this.passing, index);
    this.#tellPosition();
    const finding = this.passing[index];
    const item = this.list.children[index];
    if (!finding || !item) return;
    item.append(this.#detail(finding));
    if (!move) return;
    item.scrollIntoView({ block: "nearest" });
    const bounds = boundsOf([finding.geometry]);
    if (bounds) this.map.fit(widened(bounds, MARGIN), {}, { closest: CLOSE_ZOOM });
  }

  #tellPosition() {
    const total = count(this.passing.length);
    const words = this.selected < 0 ? _("共 {n} 处", { n: total }) : _("第 {i} 处，共 {n} 处", { i: count(this.selected + 1), n: total });
    setText(byId("position"), words);
  }

  /** @param {Finding} finding */
  #detail(finding) {
    const facts = [
      [_("规则"), _("{rule}，依据 {clause}", { rule: finding.rule, clause: clauseWords(finding) })],
      [_("大小"), measures(finding)],
      [_("影响"), weightWords(finding)],
      [_("网格"), finding.codes.slice(0, 6).join("、")],
      [_("下一步"), nextStep(finding)],
      [_("接受"), acceptedWords(finding)],
    ];
    const shown = facts.filter(([, words]) => words);
    return el(
      "div",
      { class: "finding-detail" },
      el("dl", { class: "facts" }, ...shown.flatMap(([name, words]) => [el("dt", {}, name), el("dd", {}, words)])),
      this.#waysToMend(finding),
      this.ways.accepting(finding, this.findings),
    );
  }

  /** @param {Finding} finding */
  #waysToMend(finding) {
    return el("div", { class: "ways-to-mend" }, this.ways.mending(finding));
  }
}

/**
 * Whether two findings are one defect; ids change when a generation is mended.
 * @param {Finding} one
 * @param {Finding} other
 */
function sameDefect(one, other) {
  return one.kind === other.kind && one.codes.join() === other.codes.join() && sentence(one) === sentence(other);
}

/** @param {Finding} finding */
function measures({ area_m2, width_m }) {
  const parts = [];
  if (area_m2) parts.push(area(area_m2));
  if (width_m) parts.push(_("平均宽 {width}", { width: width_m < 10 ? _("{n} 米", { n: Number(width_m.toPrecision(2)) }) : distance(width_m) }));
  return parts.join(" · ");
}

/** @param {Finding} finding */
function nextStep(finding) {
  if (finding.severity === "error") return _("改正后重新导入");
  return isAcceptable(finding) ? _("改正后重新导入，或写明理由予以接受") : "";
}

/** @param {Finding} finding */
function acceptedWords({ acceptance }) {
  if (!acceptance) return "";
  const { who, at, reason } = acceptance;
  return _("{who}，{time}：{reason}", { who, time: dayAndTime(new Date(at), new Date()), reason });
}

/**
 * @param {HTMLSelectElement} select
 * @param {string} everything
 * @param {any[][]} choices value, words, number
 */
function fill(select, everything, choices) {
  const chosen = select.value;
  select.replaceChildren(
    el("option", { value: "" }, everything),
    ...choices.map(([value, words, n]) => el("option", { value }, _("{words}（{n}）", { words, n: count(n) }))),
  );
  select.value = choices.some(([value]) => value === chosen) ? chosen : "";
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
