/** How far mending may go without asking, and whose border stands: a form that is asked before every plan. */

import { _ } from "../core/i18n.js";
import { el } from "./dom.js";

/** @typedef {{name: string, title: string}} Preferable */

/** @returns {[string, string, number][]} name, words, metres at the start */
function widths() {
  return [
    ["max_gap_width_m", _("缝隙不宽于"), 1],
    ["max_overlap_width_m", _("重叠不宽于"), 1],
    ["divide_from_m", _("狭长缝隙自此宽度起分给两侧"), 0.1],
  ];
}

export class MendWishes {
  /** @param {() => void} changed called when somebody has stated other wishes */
  constructor(changed) {
    this.inputs = widths().map(([name, words, value]) => {
      const input = el("input", { type: "number", name, min: 0, max: 1000, step: "any", value, required: true, inputmode: "decimal" });
      return { input, field: el("label", { class: "field" }, el("span", {}, words), el("span", { class: "with-unit" }, input, _("米"))) };
    });
    this.priority = el("select", { name: "priority" });
    this.filed = el("select", { name: "prefer_filed" });
    this.exclusive = el("input", { type: "checkbox", name: "exclusive", checked: true });
    this.priorityField = el("label", { class: "field" }, el("span", {}, _("数值大的保留边界")), this.priority);
    this.exclusiveField = el("label", { class: "check" }, this.exclusive, el("span", {}, _("专属网格优先保留边界")));
    this.element = el(
      "form",
      { class: "wishes", novalidate: true, submit: (event) => event.preventDefault() },
      ...this.inputs.map(({ field }) => field),
      this.priorityField,
      el("label", { class: "field" }, el("span", {}, _("备案早的保留边界")), this.filed),
      this.exclusiveField,
    );
    this.element.addEventListener("change", () => {
      if (this.element.reportValidity()) changed();
    });
    this.offer({ priority: [], prefer_filed: [] });
  }

  /**
   * Offer the fields that a preference can go by; what was chosen stays chosen where it is still there.
   * @param {{priority: Preferable[], prefer_filed: Preferable[]}} preferable
   */
  offer({ priority, prefer_filed }) {
    for (const [select, choices] of /** @type {const} */ ([[this.priority, priority], [this.filed, prefer_filed]])) {
      const chosen = select.value;
      const none = el("option", { value: "" }, _("不考虑"));
      select.replaceChildren(none, ...choices.map(({ name, title }) => el("option", { value: name }, title)));
      select.value = choices.some(({ name }) => name === chosen) ? chosen : "";
    }
    this.priorityField.hidden = priority.length === 0;
  }

  /**
   * The width up to which findings of a kind are mended, metres; null where none holds.
   * @param {string} kind
   */
  limitFor(kind) {
    const name = { gap: "max_gap_width_m", bay: "max_gap_width_m", overlap: "max_overlap_width_m" }[kind];
    return this.inputs.find(({ input }) => input.name === name)?.input.valueAsNumber ?? null;
  }

  /**
   * The wishes as members of a request's body.
   * @returns {Record<string, string | number | boolean>}
   */
  get body() {
    /** @type {Record<string, string | number | boolean>} */
    const body = { exclusive: this.exclusive.checked };
    for (const { input } of this.inputs) body[input.name] = input.valueAsNumber;
    if (this.priority.value) body["priority"] = this.priority.value;
    if (this.filed.value) body["prefer_filed"] = this.filed.value;
    return body;
  }

  /** The wishes as a query. */
  get query() {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(this.body)) {
      query.set(name, typeof value === "boolean" ? (value ? "yes" : "no") : String(value));
    }
    return query.toString();
  }
}
