/** The rows of the list: made once each and changed in place, so that nothing jumps or flickers when something happens. */

import { before } from "../core/desk_query.js";
import { dayAndTime, span } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { markOf, stateWords } from "../core/incident.js";
import { placeOf } from "../core/place.js";
import { el, setText } from "./dom.js";

/** @typedef {import("../core/types.js").Incident} Incident */

/**
 * @typedef {object} Row
 * @property {HTMLLIElement} item
 * @property {HTMLButtonElement} button
 * @property {HTMLElement} mark
 * @property {HTMLElement} title
 * @property {HTMLElement} due
 * @property {HTMLElement} note
 * @property {HTMLTimeElement} time
 * @property {Incident} incident
 */

export class IncidentRows {
  /**
   * @param {HTMLElement} list
   * @param {(incident: Incident) => void} open
   */
  constructor(list, open) {
    this.list = list;
    this.open = open;
    /** @type {Map<string, Row>} by number */
    this.rows = new Map();
    /** @type {"newest" | "due"} */
    this.order = "newest";
    list.addEventListener("keydown", (event) => this.#move(event));
  }

  get size() {
    return this.rows.size;
  }

  /** @param {string} number */
  get(number) {
    return this.rows.get(number)?.incident;
  }

  /**
   * Show exactly these, in this order.
   * @param {Incident[]} incidents
   * @param {"newest" | "due"} order
   */
  show(incidents, order) {
    this.order = order;
    const wanted = new Set(incidents.map(({ number }) => number));
    for (const number of [...this.rows.keys()]) if (!wanted.has(number)) this.remove(number);
    incidents.forEach((incident, place) => {
      const { item } = this.#put(incident);
      const there = this.list.children[place];
      if (there !== item) this.list.insertBefore(item, there ?? null);
    });
  }

  /**
   * Add a page behind those that are there.
   * @param {Incident[]} incidents
   */
  append(incidents) {
    for (const incident of incidents) {
      const { item } = this.#put(incident);
      if (item.parentElement !== this.list) this.list.append(item);
    }
  }

  /**
   * Take in one that came or changed; `isWhole` says that no page is left behind the last row. Returns whether it is new here.
   * @param {Incident} incident
   * @param {boolean} isWhole
   */
  merge(incident, isWhole) {
    const known = this.rows.get(incident.number);
    const stays = known && before(known.incident, incident, this.order) === 0;
    if (stays || (known && this.order === "newest")) {
      this.#put(incident);
      return false;
    }
    const following = [...this.list.children].find((item) => {
      const other = this.rows.get(/** @type {HTMLElement} */ (item).dataset.number ?? "");
      return other && other !== known && before(incident, other.incident, this.order) < 0;
    });
    if (!following && !isWhole) {
      this.remove(incident.number);
      return false;
    }
    const { item } = this.#put(incident);
    this.list.insertBefore(item, following ?? null);
    return !known;
  }

  /** @param {string} number */
  remove(number) {
    this.rows.get(number)?.item.remove();
    this.rows.delete(number);
  }

  /** The last row's incident, from which the next page goes on. */
  last() {
    const item = /** @type {HTMLElement | null} */ (this.list.lastElementChild);
    return this.rows.get(item?.dataset.number ?? "")?.incident;
  }

  /**
   * The neighbour of a row, for going on from one incident to the next.
   * @param {string} number
   * @param {1 | -1} step
   */
  beside(number, step) {
    const item = this.rows.get(number)?.item;
    const other = /** @type {HTMLElement | null | undefined} */ (step > 0 ? item?.nextElementSibling : item?.previousElementSibling);
    return this.rows.get(other?.dataset.number ?? "")?.incident;
  }

  /**
   * Show which one is open; "" for none.
   * @param {string} number
   */
  choose(number) {
    for (const { button, incident } of this.rows.values()) {
      const isOpen = String(incident.number === number);
      if (button.getAttribute("aria-expanded") !== isOpen) button.setAttribute("aria-expanded", isOpen);
    }
  }

  /** @param {string} number */
  focus(number) {
    this.rows.get(number)?.button.focus();
  }

  /** Times that are told from now go on. */
  tick() {
    for (const row of this.rows.values()) setText(row.due, dueWords(row.incident));
  }

  /**
   * @param {Incident} incident
   * @returns {Row}
   */
  #put(incident) {
    const row = this.rows.get(incident.number) ?? this.#make(incident);
    row.incident = incident;
    const { grid } = placeOf(incident);
    const mark = "mark mark-" + markOf(incident);
    if (row.mark.className !== mark) row.mark.className = mark;
    setText(row.title, incident.item || incident.description || _("事件"));
    setText(row.due, dueWords(incident));
    row.due.dataset.standing = incident.standing ?? "";
    setText(row.note, noteOf(incident, grid));
    setText(row.time, dayAndTime(new Date(incident.discovered_at), new Date()));
    row.time.dateTime = incident.discovered_at;
    return row;
  }

  /**
   * @param {Incident} incident
   * @returns {Row}
   */
  #make(incident) {
    const mark = el("i", { class: "mark", "aria-hidden": "true" });
    const [title, due, note] = [el("span", { class: "row-title" }), el("span", { class: "row-due" }), el("span", { class: "row-note" })];
    const time = el("time", { class: "row-end" });
    const { number } = incident;
    const button = el(
      "button",
      { type: "button", class: "row", "data-number": number, "aria-expanded": "false", click: () => this.#open(number) },
      mark,
      title,
      due,
      note,
      time,
    );
    const item = el("li", { "data-number": number }, button);
    const row = { item, button, mark, title, due, note, time, incident };
    this.rows.set(number, row);
    return row;
  }

  /** @param {string} number */
  #open(number) {
    const incident = this.get(number);
    if (incident) this.open(incident);
  }

  /** @param {KeyboardEvent} event */
  #move(event) {
    const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
    const item = document.activeElement?.closest("li");
    if (!step || !item || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = step > 0 ? item.nextElementSibling : item.previousElementSibling;
    event.preventDefault();
    /** @type {HTMLElement | null | undefined} */ (next?.querySelector("button"))?.focus();
  }
}

/**
 * @param {Incident} incident
 * @param {string | null} grid
 */
function noteOf(incident, grid) {
  const pressing = incident.is_urgent ? _("紧急") : "";
  return [pressing, stateWords(incident.state), incident.lead_unit, incident.grid_name ?? grid ?? _("网格之外"), incident.number].filter(Boolean).join(" · ");
}

/** @param {Incident} incident */
function dueWords({ due_at, standing }) {
  if (!due_at || !standing) return "";
  const left = Date.parse(due_at) - Date.now();
  return left < 0 ? _("超期 {time}", { time: span(-left) }) : _("剩 {time}", { time: span(left) });
}
