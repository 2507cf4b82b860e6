/**
 * Find a place by its address: a combobox (WAI-ARIA, list autocomplete with manual selection) over /api/addresses.
 * The server says whether one address is certain; nothing is chosen for the reader.
 */

import { getJson, Problem } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { el, icon } from "./dom.js";

/**
 * @typedef {object} FoundAddress
 * @property {string} address_code
 * @property {string} standard_address
 * @property {number} lon CGCS2000 degrees
 * @property {number} lat
 * @property {number} score 0…1
 * @property {boolean} is_exact nothing that was asked for differs
 * @property {string[]} why
 * @property {string | null} grid_code
 * @property {string | null} grid_name
 * @property {string | null} sub_grid_code
 * @property {string[]} area_names
 */

/** After the last key; people type a character of Chinese in about this time. */
const PAUSE_MS = 220;
const LEAST = 2;
let serial = 0;

export class AddressSearch {
  /**
   * @param {HTMLElement} host an empty element
   * @param {(address: FoundAddress) => void} choose
   * @param {{tellsGrid?: boolean}} [options] `tellsGrid`: say the grid of what was chosen, where the page does not
   */
  constructor(host, choose, { tellsGrid = false } = {}) {
    this.choose = choose;
    this.tellsGrid = tellsGrid;
    /** @type {FoundAddress[]} */
    this.found = [];
    this.active = -1;
    this.timer = 0;
    this.asked = "";
    /** @type {AbortController | null} */
    this.request = null;
    const id = "address-" + ++serial;
    this.input = el("input", {
      id,
      type: "text",
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-expanded": "false",
      "aria-controls": id + "-list",
      "aria-describedby": id + "-said",
      autocomplete: "off",
      enterkeyhint: "search",
      maxlength: 200,
      placeholder: _("例如：锦泰路31号，或小区、村屯名"),
      input: (/** @type {InputEvent} */ event) => event.isComposing || this.later(),
      compositionend: () => this.later(),
      keydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
      blur: () => this.close(),
      focus: () => this.input.value.trim() === this.asked && this.found.length > 0 && this.open(),
    });
    this.list = el("ul", { id: id + "-list", role: "listbox", class: "address-list", "aria-label": _("找到的地址"), hidden: true });
    this.said = el("p", { id: id + "-said", class: "address-said", role: "status" });
    this.panel = el("div", { class: "address-panel" }, this.said, this.list);
    // a press on an option must not take the focus away before it is chosen
    this.panel.addEventListener("pointerdown", (event) => event.preventDefault());
    host.classList.add("address-search");
    host.replaceChildren(
      el("label", { for: id, class: "address-label" }, _("按地址查找")),
      el("div", { class: "address-box" }, icon("magnifying-glass"), this.input),
      this.panel,
    );
  }

  later() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.ask(), PAUSE_MS);
  }

  async ask() {
    clearTimeout(this.timer);
    const query = this.input.value.trim();
    if (query === this.asked) return;
    this.request?.abort();
    this.asked = query;
    if ([...query].length < LEAST) {
      this.take([], "");
      return;
    }
    const request = (this.request = new AbortController());
    try {
      const answer = await getJson("/api/addresses?" + new URLSearchParams({ q: query }), request.signal);
      if (!request.signal.aborted) this.take(answer.addresses, answer.verdict === "exact" ? "" : answer.message);
    } catch (error) {
      if (request.signal.aborted) return;
      if (!(error instanceof Problem)) throw error;
      this.take([], "");
      this.asked = "";
      this.say(error.status === 0 ? _("没有网络，不能按地址查找，请在地图上点选位置。") : error.message);
    }
  }

  /**
   * @param {FoundAddress[]} addresses
   * @param {string} sentence
   */
  take(addresses, sentence) {
    this.found = addresses;
    this.active = -1;
    this.input.removeAttribute("aria-activedescendant");
    this.list.replaceChildren(...addresses.map((address, at) => this.option(address, at)));
    this.say(sentence);
    if (addresses.length > 0 && document.activeElement === this.input) this.open();
    else this.close();
  }

  /**
   * @param {FoundAddress} address
   * @param {number} at
   */
  option(address, at) {
    return el(
      "li",
      {
        id: this.list.id + "-" + at,
        role: "option",
        "aria-selected": "false",
        class: address.is_exact ? "address" : "address address-differs",
        click: () => this.pick(at),
      },
      icon(address.is_exact ? "map-pin" : "exclamation-triangle"),
      el("span", { class: "address-text" }, address.standard_address),
      el("span", { class: "address-note" }, gridOf(address)),
      !address.is_exact && el("span", { class: "address-why" }, address.why.join(_("；"))),
    );
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing) return;
    const { key } = event;
    if ((key === "ArrowDown" || key === "ArrowUp") && this.found.length > 0) {
      event.preventDefault();
      const wasOpen = !this.list.hidden;
      this.open();
      const step = key === "ArrowDown" ? 1 : -1;
      const from = wasOpen && this.active >= 0 ? this.active : step > 0 ? -1 : 0;
      this.mark((from + step + this.found.length) % this.found.length);
    } else if (key === "Enter") {
      // never the form's own: the reader is still looking for the place
      event.preventDefault();
      if (!this.list.hidden && this.active >= 0) this.pick(this.active);
      else void this.ask();
    } else if (key === "Escape") {
      if (this.list.hidden && !this.input.value) return;
      event.stopPropagation();
      if (this.list.hidden) this.clear();
      else this.close();
    }
  }

  /** @param {number} at */
  mark(at) {
    this.active = at;
    for (const [place, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", String(place === at));
      if (place === at) option.scrollIntoView({ block: "nearest" });
    }
    this.input.setAttribute("aria-activedescendant", this.list.id + "-" + at);
  }

  /** @param {number} at */
  pick(at) {
    const address = this.found[at];
    if (!address) return;
    this.input.value = this.asked = address.standard_address;
    this.found = [address];
    this.list.replaceChildren(this.option(address, 0));
    this.say(this.tellsGrid ? [...address.area_names.slice(1), gridOf(address)].join(" · ") : "");
    this.close();
    this.choose(address);
  }

  clear() {
    this.request?.abort();
    this.input.value = this.asked = "";
    this.take([], "");
  }

  open() {
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
  }

  close() {
    this.list.hidden = true;
    this.active = -1;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    for (const option of this.list.children) option.setAttribute("aria-selected", "false");
  }

  /** @param {string} sentence */
  say(sentence) {
    this.said.replaceChildren(...(sentence ? [icon("information-circle"), el("span", {}, sentence)] : []));
  }
}

/** @param {FoundAddress} address */
function gridOf(address) {
  return [address.grid_name ?? address.grid_code ?? _("网格之外"), address.sub_grid_code].filter(Boolean).join(" · ");
}
