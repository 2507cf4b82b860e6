/** Find a grid by its name or code; the browser's own list of suggestions, so that keys work as everywhere. */

import { getJson, Problem } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { el, icon } from "./dom.js";

const PAUSE_MS = 180;

/** @typedef {{grid_code: string, grid_name: string, areas: string[]}} Found */

export class GridSearch {
  /**
   * @param {HTMLElement} host
   * @param {(code: string) => void} open
   */
  constructor(host, open) {
    this.open = open;
    /** @type {Found[]} */
    this.found = [];
    this.asked = "";
    /** The answer that is on its way, or was last. */
    this.looking = Promise.resolve();
    this.timer = 0;
    this.list = el("datalist", { id: "grids-found" });
    this.said = el("p", { class: "only-read", role: "status" });
    this.input = el("input", {
      type: "search",
      id: "grid-q",
      list: "grids-found",
      autocomplete: "off",
      maxlength: 60,
      placeholder: _("网格名称或编码"),
      input: () => this.#typed(),
    });
    const form = el(
      "form",
      { class: "grid-search", role: "search", "aria-label": _("查找网格") },
      el("label", { class: "only-read", for: "grid-q" }, _("查找网格")),
      icon("squares-2x2"),
      this.input,
      this.list,
      this.said,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#take();
    });
    host.replaceChildren(form);
  }

  #typed() {
    const chosen = this.found.find((one) => label(one) === this.input.value);
    if (chosen) {
      this.open(chosen.grid_code);
      return;
    }
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.#look(), PAUSE_MS);
  }

  /** Open what Enter means: the only one, or the first of those found. */
  async #take() {
    clearTimeout(this.timer);
    await this.#look();
    const [first] = this.found;
    if (first) this.open(first.grid_code);
  }

  /** Ask for what is written, once; resolves when it is answered. */
  #look() {
    const query = this.input.value.trim();
    if (query !== this.asked) {
      this.asked = query;
      this.looking = this.#ask(query);
    }
    return this.looking;
  }

  /** @param {string} query */
  async #ask(query) {
    if (!query) {
      this.found = [];
      this.list.replaceChildren();
      return;
    }
    try {
      const { grids } = await getJson("/api/grids?" + new URLSearchParams({ q: query }));
      if (query !== this.asked) return;
      this.found = grids;
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      if (query !== this.asked) return;
      this.found = [];
      this.asked = "";
    }
    this.list.replaceChildren(...this.found.map((one) => el("option", { value: label(one) }, one.areas.slice(1).join(" · "))));
    this.said.textContent = this.found.length > 0 ? _("找到 {n} 个网格", { n: this.found.length }) : _("没有这样的网格");
  }
}

/** @param {Found} found */
function label({ grid_name, grid_code }) {
  return grid_name + " " + grid_code;
}
