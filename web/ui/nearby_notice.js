/** Says, before a report is sent, which open incidents nearby it may repeat. */

import { dayAndTime, distance } from "../core/formats.js";
import { getJson, Problem } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { stateWords } from "../core/incident.js";
import { el, icon } from "./dom.js";

/**
 * @typedef {object} Around
 * @property {number} within_m
 * @property {number} hours
 * @property {number} count
 * @property {{number: string, distance_m: number, state: string, item: string | null, discovered_at: string}[]} incidents
 */

export class NearbyNotice {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.asked = 0;
  }

  /**
   * Ask about a place; without an answer nothing is said, for this is a hint.
   * @param {{lon: number, lat: number, datum: string} | null} spot
   * @param {string} item
   */
  async ask(spot, item) {
    const question = ++this.asked;
    this.element.replaceChildren();
    if (!spot) return;
    const query = new URLSearchParams({ lon: String(spot.lon), lat: String(spot.lat), datum: spot.datum });
    if (item) query.set("item", item);
    try {
      const around = await getJson("/api/incidents/nearby?" + query);
      // a later question was asked meanwhile
      if (question === this.asked) this.element.replaceChildren(...content(around));
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
    }
  }
}

/**
 * @param {Around} around
 * @returns {HTMLElement[]}
 */
function content({ within_m: metres, count, incidents }) {
  if (count === 0) return [];
  const sentence = _("{metres} 米以内已有 {n} 起未结事件。如果是同一件事，不必重复上报。", { metres, n: count });
  return [
    el(
      "div",
      { class: "notice notice-warning nearby" },
      icon("document-duplicate"),
      el(
        "div",
        {},
        el("p", {}, sentence),
        el(
          "ul",
          {},
          ...incidents.map((one) =>
            el(
              "li",
              {},
              el("b", { class: "number" }, one.number),
              el("span", {}, [one.item, distance(one.distance_m), stateWords(one.state), dayAndTime(new Date(one.discovered_at), new Date())].filter(Boolean).join(" · ")),
            ),
          ),
        ),
      ),
    ),
  ];
}
