/** The filters above the list: what is pressing at a click, the rest beside it, each with what it would leave. */

import { FLAGS, isNarrowed, toRequest } from "../core/desk_query.js";
import { count } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { stateWords } from "../core/incident.js";
import { byId, el, setText } from "./dom.js";

/** @typedef {import("../core/desk_query.js").DeskQuery} DeskQuery */
/** @typedef {import("../core/incident_types.js").Counts} Counts */

const OPEN_STATES = ["discovered", "recorded", "reported", "accepted", "dispatched", "taken_up", "returned", "coordinating"];
const LATER_STATES = ["completed", "verifying", "fed_back", "resolved_on_site", "archived", "refused"];
const TYPING_MS = 300;

export class IncidentFilters {
  /**
   * @param {DeskQuery} query
   * @param {(query: DeskQuery) => void} changed
   */
  constructor(query, changed) {
    this.query = query;
    this.changed = changed;
    this.search = byId("q", HTMLInputElement);
    this.selects = {
      state: byId("state", HTMLSelectElement),
      unit: byId("unit", HTMLSelectElement),
      grid: byId("grid", HTMLSelectElement),
      order: byId("order", HTMLSelectElement),
    };
    this.days = { from: byId("from", HTMLInputElement), until: byId("until", HTMLInputElement) };
    this.more = byId("more-filters");
    this.toggle = byId("more-toggle", HTMLButtonElement);
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.typing = undefined;
    this.#listen();
    this.#list(null);
    this.show(query);
  }

  #listen() {
    for (const name of FLAGS) byId(name).addEventListener("change", () => this.#take());
    for (const select of Object.values(this.selects)) select.addEventListener("change", () => this.#take());
    for (const day of Object.values(this.days)) day.addEventListener("change", () => this.#take());
    this.search.addEventListener("input", () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.#take(), TYPING_MS);
    });
    byId("search-form").addEventListener("submit", (event) => {
      event.preventDefault();
      clearTimeout(this.typing);
      this.#take();
    });
    this.toggle.addEventListener("click", () => this.#openMore(this.more.hidden === true));
    byId("clear").addEventListener("click", () => {
      this.show({ ...this.query, state: "", unit: "", grid: "", q: "", from: "", until: "", bbox: "", urgent: false, overdue: false, due_soon: false, supervised: false });
      this.changed(this.query);
    });
  }

  #take() {
    const { state, unit, grid, order } = this.selects;
    /** @type {DeskQuery} */
    const query = {
      ...this.query,
      state: state.value,
      unit: unit.value,
      grid: grid.value,
      order: order.value === "due" ? "due" : "newest",
      q: this.search.value.trim(),
      from: this.days.from.value,
      until: this.days.until.value,
    };
    for (const name of FLAGS) query[name] = byId(name, HTMLInputElement).checked;
    this.show(query);
    this.changed(query);
  }

  /**
   * Put the filters as a question has them.
   * @param {DeskQuery} query
   */
  show(query) {
    this.query = query;
    for (const name of FLAGS) byId(name, HTMLInputElement).checked = query[name];
    if (this.search.value.trim() !== query.q) this.search.value = query.q;
    for (const [name, select] of Object.entries(this.selects)) choose(select, String(query[/** @type {"state"} */ (name)]));
    this.days.from.value = query.from;
    this.days.until.value = query.until;
    if (query.from || query.until || query.grid || query.unit || query.bbox) this.#openMore(true);
    byId("clear").hidden = !isNarrowed(query);
    for (const form of ["csv", "xlsx"]) {
      byId("export-" + form, HTMLAnchorElement).href = "/api/incidents." + form + "?" + toRequest(query);
    }
  }

  /** @param {boolean} isOpen */
  #openMore(isOpen) {
    this.more.hidden = !isOpen;
    this.toggle.setAttribute("aria-expanded", String(isOpen));
  }

  /**
   * Say what each filter would leave.
   * @param {Counts} counts
   */
  showCounts(counts) {
    setText(byId("total"), count(counts.total));
    const mean = counts.rating === null ? "" : _("满意度 {mean}（{n} 件）", { mean: counts.rating.toFixed(1), n: count(counts.rated) });
    setText(byId("satisfaction"), mean);
    for (const name of FLAGS) setText(byId(name + "-count"), count(counts.flags[name] ?? 0));
    this.#list(counts);
  }

  /** @param {Counts | null} counts */
  #list(counts) {
    const words = (/** @type {string} */ title, /** @type {number | undefined} */ n) =>
      n === undefined ? title : _("{words}（{n}）", { words: title, n: count(n) });
    const sum = (/** @type {string[]} */ states) => states.reduce((all, state) => all + (counts?.states[state] ?? 0), 0);
    const states = [...OPEN_STATES, ...LATER_STATES];
    const closed = ["archived", "refused"];
    offer(this.selects.state, [
      ["", words(_("未结"), counts ? sum(states.filter((state) => !closed.includes(state))) : undefined)],
      ["all", words(_("全部"), counts ? sum(states) : undefined)],
      ["closed", words(_("已结"), counts ? sum(closed) : undefined)],
      ...states.filter((state) => !counts || counts.states[state]).map((state) => [state, words(stateWords(state), counts?.states[state])]),
    ]);
    offer(this.selects.unit, [
      ["", _("全部单位")],
      ...(counts?.units ?? []).map(({ unit, count: n }) => [unit, words(unit, n)]),
    ]);
    offer(this.selects.grid, [
      ["", _("全部网格")],
      ...(counts?.grids ?? []).map(({ grid_code, grid_name, count: n }) => [grid_code, words(grid_code === "none" ? _("无网格") : (grid_name ?? grid_code), n)]),
    ]);
  }
}

/**
 * Offer these choices in place; the chosen one stays, even if nothing is left of it. Options are changed, not made anew, so that a list
 * that somebody has opened does not close.
 * @param {HTMLSelectElement} select
 * @param {string[][]} choices value, words
 */
function offer(select, choices) {
  const chosen = select.value;
  const wanted = choices.some(([value]) => value === chosen) || !chosen ? choices : [...choices, [chosen, select.selectedOptions[0]?.text ?? chosen]];
  wanted.forEach(([value = "", words = ""], place) => {
    const option = select.options[place] ?? select.appendChild(el("option"));
    if (option.value !== value || !option.hasAttribute("value")) option.value = value;
    setText(option, words);
  });
  while (select.options.length > wanted.length) select.remove(select.options.length - 1);
  if (select.value !== chosen) select.value = chosen;
}

/**
 * @param {HTMLSelectElement} select
 * @param {string} value
 */
function choose(select, value) {
  if (![...select.options].some((option) => option.value === value)) select.append(el("option", { value }, value));
  select.value = value;
}
