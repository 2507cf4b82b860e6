/** What mending would do to a finding, and the buttons that do it. */

import { kindWords } from "../core/finding.js";
import { count } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { el } from "./dom.js";

/** @typedef {import("../core/types.js").Finding} Finding */
/** @typedef {import("../core/types.js").Move} Move */

/**
 * @param {Finding} finding
 * @param {Map<number, Move[]>} proposed the moves that would mend a finding, by its id
 * @param {(everyOfKind: boolean) => Promise<void>} mend
 * @returns {HTMLElement | null} null where a person has to decide
 */
export function mendForm(finding, proposed, mend) {
  const moves = proposed.get(finding.id);
  if (!moves) return null;
  const alike = [...proposed.values()].filter((others) => others[0]?.kind === finding.kind).length;
  const buttons = [el("button", { type: "button", class: "mend", click: () => press(false) }, _("修补此项"))];
  if (alike > 1) {
    const words = _("修补同类 {n} 处（{kind}）", { n: count(alike), kind: kindWords(finding.kind) });
    buttons.push(el("button", { type: "button", class: "mend-kind", click: () => press(true) }, words));
  }
  /** @param {boolean} everyOfKind */
  async function press(everyOfKind) {
    for (const button of buttons) button.disabled = true;
    await mend(everyOfKind);
    for (const button of buttons) button.disabled = false;
  }
  return el(
    "div",
    { class: "mending" },
    el("p", { class: "mending-title" }, _("可以自动修补（把握 {pct}%）：", { pct: Math.round(Math.min(...moves.map(({ confidence }) => confidence)) * 100) })),
    el("ul", {}, ...moves.map(({ message }) => el("li", {}, message))),
    el("div", { class: "actions" }, ...buttons),
  );
}
