/** People of the roster as rows: post, name, phone of duty; and who answers where a post is vacant. */

import { _ } from "../core/i18n.js";
import { el, icon } from "./dom.js";

/** @typedef {import("../core/place_types.js").Holder} Holder */
/** @typedef {import("../core/place_types.js").Answers} Answers */

/** @param {Holder[]} holders */
export function holderRows(holders) {
  return el("ul", { class: "place-rows" }, ...holders.map((holder) => el("li", {}, ...holderLine(holder))));
}

/**
 * @param {Holder} holder
 * @param {string} [end] what stands at the end of the line in place of the phone's own place
 */
export function holderLine({ title, name, phone, unit, stands_in_for }, end = "") {
  const post = title.charAt(0).toUpperCase() + title.slice(1);
  const note = [post, unit, stands_in_for && _("代 {name}", { name: stands_in_for })].filter(Boolean).join(" · ");
  return [
    icon("user"),
    el("span", { class: "place-row-title" }, name ?? post),
    el("span", { class: "place-row-end number" }, end),
    el("span", { class: "place-row-note" }, note, phone && " · ", phone && el("a", { href: "tel:" + phone, class: "number" }, phone)),
  ];
}

/**
 * Who answers now, and which nearer posts nobody holds.
 * @param {Answers} answers
 */
export function answerRows(answers) {
  const { person, vacant, unit, managers } = answers;
  return el(
    "ul",
    { class: "place-rows" },
    person
      ? el("li", { class: "is-first" }, ...holderLine(person, _("现由其负责")))
      : el(
          "li",
          { class: "is-first" },
          icon("building-office"),
          el("span", { class: "place-row-title" }, unit?.name ?? _("县(市、区)")),
          el("span", { class: "place-row-end" }, _("现由其负责")),
        ),
    ...managers.map(({ mode, unit: of, person: who }) =>
      el(
        "li",
        {},
        icon("building-office"),
        el("span", { class: "place-row-title" }, [of, who?.name].filter(Boolean).join(" · ")),
        el("span", { class: "place-row-end" }, mode === "department" ? _("主管部门") : _("属地")),
        who?.phone && el("span", { class: "place-row-note" }, el("a", { href: "tel:" + who.phone, class: "number" }, who.phone)),
      ),
    ),
    vacant.length > 0 && el("li", {}, icon("exclamation-triangle"), el("span", { class: "place-row-title short" }, _("空缺：{posts}", { posts: vacant.join("、") }))),
  );
}
