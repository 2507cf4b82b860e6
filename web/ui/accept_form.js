/** The form in which somebody takes a warning upon himself: a written reason, for one or for all of its kind. */

import { isAcceptable, kindWords } from "../core/finding.js";
import { count } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { el } from "./dom.js";

/** @typedef {import("../core/types.js").Finding} Finding */

const LEAST_REASON = 4;
const MOST_REASON = 500;

/**
 * @param {Finding} finding a warning that is open
 * @param {Finding[]} all the findings of its generation
 * @param {(reason: string, everyOfKind: boolean) => Promise<void>} accept
 */
export function acceptForm(finding, all, accept) {
  const reason = el("textarea", { rows: 2, required: true, minlength: LEAST_REASON, maxlength: MOST_REASON, name: "reason" });
  const alike = all.filter((one) => one.kind === finding.kind && isAcceptable(one)).length;
  const buttons = [el("button", { type: "submit", class: "primary", value: "one" }, _("接受并写明理由"))];
  if (alike > 1) {
    const words = _("接受同类 {n} 处（{kind}）", { n: count(alike), kind: kindWords(finding.kind) });
    buttons.push(el("button", { type: "submit", value: "kind" }, words));
  }
  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    const chosen = /** @type {HTMLButtonElement | null} */ (event.submitter);
    // blanks are no reason; the browser counts them
    reason.setCustomValidity(reason.value.trim().length < LEAST_REASON ? _("请写明理由，至少 {n} 个字。", { n: LEAST_REASON }) : "");
    if (!reason.reportValidity()) return;
    for (const button of buttons) button.disabled = true;
    await accept(reason.value.trim(), chosen?.value === "kind");
    for (const button of buttons) button.disabled = false;
  }
  reason.addEventListener("input", () => reason.setCustomValidity(""));
  return el(
    "form",
    { class: "accept", novalidate: true, submit },
    el("label", { class: "field" }, el("span", {}, _("接受的理由")), reason),
    el("div", { class: "actions" }, ...buttons),
  );
}
