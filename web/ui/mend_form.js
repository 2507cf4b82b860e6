/** What mending would do to a finding, move by move, and the buttons that do it. */

import { kindWords } from "../core/finding.js";
import { count } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { changeWords, concernWords, sureWords } from "../core/mending.js";
import { el } from "./dom.js";

/** @typedef {import("../core/types.js").Finding} Finding */
/** @typedef {import("../core/types.js").Move} Move */
/** @typedef {{move?: string, kind?: string}} Choice what to mend: one move by its key, all of a kind, or the finding */

/**
 * @param {Finding} finding
 * @param {Map<number, Move[]>} proposed the moves that would mend a finding, by its id
 * @param {{mend: (choice: Choice) => Promise<void>, point: (move: Move | null) => void}} acts `point` stresses a move on the map
 * @returns {HTMLElement | null} null where a person has to decide
 */
export function mendForm(finding, proposed, { mend, point }) {
  const moves = proposed.get(finding.id);
  if (!moves) return null;
  const alike = [...proposed.values()].filter((others) => others[0]?.kind === finding.kind).length;
  /** @type {HTMLButtonElement[]} */
  const buttons = [];
  /**
   * @param {string} name
   * @param {string} words
   * @param {Choice} choice
   */
  function button(name, words, choice) {
    const made = el("button", { type: "button", class: name, click: () => press(choice) }, words);
    buttons.push(made);
    return made;
  }
  /** @param {Choice} choice */
  async function press(choice) {
    for (const one of buttons) one.disabled = true;
    await mend(choice);
    for (const one of buttons) one.disabled = false;
  }
  const list = el(
    "ul",
    { class: "moves" },
    ...moves.map((move) => moveItem(move, { point, more: moves.length > 1 ? button("mend-move", _("只作这一处"), { move: move.key }) : null })),
  );
  const whole = [button("mend", _("修补此项"), {})];
  if (alike > 1) {
    const words = _("修补同类 {n} 处（{kind}）", { n: count(alike), kind: kindWords(finding.kind) });
    whole.push(button("mend-kind", words, { kind: finding.kind }));
  }
  return el(
    "div",
    { class: "mending" },
    el("p", { class: "mending-title" }, _("可以自动修补，改动如下：")),
    list,
    el("div", { class: "actions" }, ...whole),
  );
}

/**
 * One move: its sentence, from whom to whom, whom it concerns.
 * @param {Move} move
 * @param {{point: (move: Move | null) => void, more?: Node | null}} options
 */
export function moveItem(move, { point, more = null }) {
  const facts = [...changeWords(move), concernWords(move), sureWords(move)].filter(Boolean);
  return el(
    "li",
    { class: "move", mouseenter: () => point(move), mouseleave: () => point(null), focusin: () => point(move), focusout: () => point(null) },
    el("span", {}, move.message),
    el("ul", { class: "move-facts" }, ...facts.map((words) => el("li", {}, words))),
    more,
  );
}
