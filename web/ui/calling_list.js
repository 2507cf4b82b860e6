/** Those who call: urgent incidents that nobody has answered, each to open or to acknowledge, and whether the desk sounds. */

import { age } from "../core/formats.js";
import { getJson, sendJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { byId, el, icon, markElement, notice, released, setText } from "./dom.js";
import { sentenceOf } from "./start.js";
import { WallSound } from "./wall_sound.js";

/** @typedef {import("../core/place_types.js").Calling} Calling */

const KEPT = "desk-sound";
const GATHER_MS = 300;

export class CallingList {
  /** @param {(incident: {id: number}) => void} open */
  constructor(open) {
    this.open = open;
    this.sound = new WallSound();
    this.switch = byId("calling-sound", HTMLInputElement);
    this.switch.checked = localStorage.getItem(KEPT) === "on";
    this.switch.addEventListener("change", () => {
      localStorage.setItem(KEPT, this.switch.checked ? "on" : "off");
      this.#sound();
    });
    /** @type {Calling[]} */
    this.alarms = [];
    this.list = byId("calling-list");
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined;
  }

  /** Ask again soon; events that come together are answered together. */
  soon() {
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      void this.refresh();
    }, GATHER_MS);
  }

  async refresh() {
    try {
      const { alarms } = await getJson("/api/alarms");
      this.alarms = alarms;
      notice(byId("calling-problem"), "");
    } catch (error) {
      notice(byId("calling-problem"), sentenceOf(error));
    }
    await this.#show();
  }

  /** Let ages grow. */
  tick() {
    void this.#show();
  }

  async #show() {
    this.#sound();
    await released(this.list);
    const n = this.alarms.length;
    setText(byId("calling-count"), n > 0 ? _("{n} 起等待签收", { n }) : _("没有告警"));
    byId("calling").classList.toggle("is-calling", n > 0);
    const { list } = this;
    const focused = document.activeElement?.closest("[data-calling]")?.getAttribute("data-calling");
    const act = document.activeElement?.getAttribute("data-act");
    list.replaceChildren(...this.alarms.map((alarm) => this.#row(alarm)));
    list.hidden = n === 0;
    if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`[data-calling="${focused}"] [data-act="${act}"]`))?.focus();
  }

  /** @param {Calling} alarm */
  #row(alarm) {
    const { id, number, item, grid_name, raised_at } = alarm;
    return el(
      "li",
      { "data-calling": number },
      markElement("urgent"),
      el("button", { type: "button", class: "link", "data-act": "open", click: () => this.open({ id }) }, [item || _("紧急"), grid_name ?? _("网格之外")].join(" · ")),
      el("time", { datetime: raised_at }, age(new Date(raised_at), new Date())),
      el(
        "button",
        { type: "button", class: "small", "data-act": "acknowledge", click: () => void this.#acknowledge(alarm) },
        icon("check"),
        el("span", {}, _("签收")),
        el("span", { class: "only-read" }, number),
      ),
    );
  }

  /** @param {Calling} alarm */
  async #acknowledge({ id }) {
    try {
      await sendJson("/api/incidents/" + id + "/acknowledgement", "POST");
      await this.refresh();
    } catch (error) {
      notice(byId("calling-problem"), sentenceOf(error));
    }
  }

  #sound() {
    this.sound.call(this.switch.checked && this.alarms.length > 0);
  }
}
