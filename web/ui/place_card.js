/**
 * The card of a place: slides in over the map's edge, never over the list. One part tells of the grid, the other of what is near
 * the point; both are asked for at once, and an answer that comes late for another place is not shown.
 */

import { getJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { el, icon, notice } from "./dom.js";
import { gridFacts } from "./grid_facts.js";
import { nearList } from "./near_list.js";
import { sentenceOf } from "./start.js";

/** @typedef {{lon: number, lat: number}} Point */
/** @typedef {"grid" | "near"} Part */

/**
 * @typedef {object} PlaceActs
 * @property {(code: string) => void} filter the list to a grid
 * @property {((code: string, name: string) => void) | null} showOnWall
 * @property {(lon: number, lat: number) => void} show a place, near enough to see it
 * @property {(bounds: import("../core/types.js").Bounds) => void} fit the map to a grid
 * @property {(card: import("../core/place_types.js").GridCard | null) => void} stress a grid on the map, or none
 * @property {(layer: string, field: string, value: string) => string} words
 * @property {() => void} closed
 * @property {boolean} mayReport
 * @property {"all" | "map" | ""} prints which sheets of a grid this reader may print: with its people, the map alone, none
 * @property {boolean} mayAskNear
 */

export class PlaceCard {
  /**
   * @param {HTMLElement} host
   * @param {PlaceActs} acts
   */
  constructor(host, acts) {
    this.host = host;
    this.acts = acts;
    this.asked = 0;
    /** @type {Part} */
    this.part = "grid";
    /** @type {HTMLElement | null} where the focus was before the card came */
    this.before = null;
    this.title = el("h2", { id: "h-place" });
    this.problem = el("p", { class: "notice notice-error", role: "alert", hidden: true });
    /** @type {Record<Part, HTMLButtonElement>} */
    this.tabs = { grid: this.#tab("grid", _("网格")), near: this.#tab("near", _("附近")) };
    /** @type {Record<Part, HTMLElement>} */
    this.panels = { grid: panel("grid"), near: panel("near") };
    host.replaceChildren(
      el(
        "div",
        { class: "place-head" },
        this.title,
        el("button", { type: "button", class: "quiet", click: () => this.close() }, icon("x-mark"), _("关闭")),
      ),
      el("div", { class: "place-tabs", role: "tablist", "aria-labelledby": "h-place", keydown: (/** @type {KeyboardEvent} */ event) => this.#turn(event) }, ...Object.values(this.tabs)),
      this.problem,
      ...Object.values(this.panels),
    );
    host.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
  }

  get isOpen() {
    return !this.host.hidden;
  }

  /**
   * A grid by its code, in view.
   * @param {string} code
   */
  async openGrid(code) {
    const card = await this.#ask("grid", () => getJson("/api/grids/" + encodeURIComponent(code) + "/card"));
    this.#takeFocus();
    if (!card) return;
    this.acts.fit(card.bounds);
    this.#showGrid(card, card);
    await this.#near(card);
  }

  /**
   * A point somebody touched or looked up: its grid and what is near it; `code` is the grid's, where it is known.
   * @param {Point} point CGCS2000
   * @param {{code?: string | null, part?: Part, isTouched?: boolean}} [options] `isTouched`: on the map, where the focus then stays
   */
  async openPoint(point, { code = null, part = "grid", isTouched = false } = {}) {
    if (code) {
      const card = await this.#ask(part, () => getJson("/api/grids/" + encodeURIComponent(code) + "/card"));
      if (!isTouched) this.#takeFocus();
      if (!card) return;
      this.#showGrid(card, point);
      await this.#near(point);
      return;
    }
    const mine = this.asked + 1;
    const near = await this.#ask(part, () => getJson(nearUrl(point)));
    if (!isTouched) this.#takeFocus();
    if (!near) return;
    this.#showNear(near);
    if (near.grid_code) {
      try {
        const card = await getJson("/api/grids/" + encodeURIComponent(near.grid_code) + "/card");
        if (mine === this.asked) this.#showGrid(card, point);
      } catch (error) {
        if (mine === this.asked) notice(this.problem, sentenceOf(error));
      }
    } else {
      this.title.textContent = _("网格之外");
      this.acts.stress(null);
      this.panels.grid.replaceChildren(el("p", { class: "place-none" }, _("这里不在任何网格内。")));
      this.#choose("near");
    }
  }

  /** Who came by the keyboard goes on from here; closing brings him back. */
  #takeFocus() {
    if (!this.host.hidden) this.host.focus({ preventScroll: true });
  }

  close() {
    if (this.host.hidden) return;
    this.asked++;
    const hadFocus = this.host.contains(document.activeElement);
    this.host.hidden = true;
    this.acts.stress(null);
    this.acts.closed();
    if (hadFocus) this.before?.focus();
  }

  /**
   * Ask, and say what could not be answered; null when that is so, or another place was asked for meanwhile.
   * @param {Part} part
   * @param {() => Promise<any>} get
   */
  async #ask(part, get) {
    const mine = ++this.asked;
    try {
      const answer = await get();
      if (mine !== this.asked) return null;
      this.#appear(part);
      notice(this.problem, "");
      return answer;
    } catch (error) {
      if (mine !== this.asked) return null;
      this.title.textContent = _("地点");
      for (const place of Object.values(this.panels)) place.replaceChildren();
      this.#appear(part);
      notice(this.problem, sentenceOf(error));
      return null;
    }
  }

  /** @param {Part} part */
  #appear(part) {
    if (this.host.hidden) {
      const { activeElement } = document;
      this.before = activeElement instanceof HTMLElement ? activeElement : null;
      this.host.hidden = false;
    }
    this.host.scrollTop = 0;
    this.#choose(part);
  }

  /**
   * @param {import("../core/place_types.js").GridCard} card
   * @param {Point} place
   */
  #showGrid(card, place) {
    this.title.textContent = card.grid.grid_name;
    this.panels.grid.replaceChildren(...gridFacts(card, place, this.acts).filter((part) => part instanceof Node));
    this.host.dataset.grid = card.grid.grid_code;
    this.acts.stress(card);
  }

  /** @param {Point} point */
  async #near(point) {
    this.panels.near.replaceChildren();
    this.tabs.near.hidden = !this.acts.mayAskNear;
    if (!this.acts.mayAskNear) return;
    const mine = this.asked;
    try {
      const near = await getJson(nearUrl(point));
      if (mine === this.asked) this.#showNear(near);
    } catch (error) {
      if (mine === this.asked) this.panels.near.replaceChildren(el("p", { class: "place-none" }, sentenceOf(error)));
    }
  }

  /** @param {import("../core/place_types.js").Nearby} near */
  #showNear(near) {
    const { show, words } = this.acts;
    const list = nearList(near, { show, words, open: (code) => void this.openGrid(code) });
    this.panels.near.replaceChildren(...list.filter((part) => part instanceof Node));
  }

  /**
   * @param {Part} part
   * @param {string} words
   */
  #tab(part, words) {
    return el("button", { type: "button", role: "tab", id: "tab-" + part, "aria-controls": "place-" + part, click: () => this.#choose(part) }, words);
  }

  /** @param {Part} part */
  #choose(part) {
    this.part = part;
    for (const name of /** @type {Part[]} */ (["grid", "near"])) {
      this.tabs[name].setAttribute("aria-selected", String(name === part));
      this.tabs[name].tabIndex = name === part ? 0 : -1;
      this.panels[name].hidden = name !== part;
    }
  }

  /** @param {KeyboardEvent} event */
  #turn({ key }) {
    if (key !== "ArrowLeft" && key !== "ArrowRight") return;
    this.#choose(this.part === "grid" ? "near" : "grid");
    this.tabs[this.part].focus();
  }
}

/** @param {Part} part */
function panel(part) {
  return el("div", { role: "tabpanel", id: "place-" + part, class: "place-part", "aria-labelledby": "tab-" + part, tabindex: "0" });
}

/** @param {Point} point */
function nearUrl({ lon, lat }) {
  return "/api/nearby?" + new URLSearchParams({ lon: lon.toFixed(7), lat: lat.toFixed(7), datum: "cgcs2000" });
}
