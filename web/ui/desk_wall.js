/** The wall, seen from the desk: what stands on it now, and a small form that sends a scene to it for a while. */

import { getJson, sendJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { ServerClock } from "../core/server_clock.js";
import { standing } from "../core/tour.js";
import { el, icon, notice, setText } from "./dom.js";
import { sentenceOf } from "./start.js";
import { toast } from "./toast.js";

/** @typedef {import("../core/place_types.js").DeskWall} State */

const KEPT = "desk-wall";
const SECONDS = 60;
const GATHER_MS = 300;
const WALL_TOLD = new Set(["scene", "tour", "acknowledged"]);

export class DeskWall {
  /** @param {HTMLDetailsElement} host */
  constructor(host) {
    this.host = host;
    this.clock = new ServerClock();
    /** @type {State | null} */
    this.state = null;
    /** @type {{code: string, name: string} | null} the grid that the map of the wall is to go to */
    this.focus = null;
    this.asked = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined;
    this.now = el("span", { class: "desk-wall-now" });
    this.problem = el("p", { class: "notice notice-error", role: "alert", hidden: true });
    this.wall = el("select", { id: "wall-of", change: () => void this.choose(this.wall.value) });
    this.scene = el("select", { id: "wall-scene", change: () => this.#towns() });
    this.town = el("select", { id: "wall-town" });
    this.townField = field(_("镇街"), this.town);
    this.seconds = el("input", { id: "wall-seconds", type: "number", min: 5, max: 3600, step: 5, value: SECONDS, required: true });
    this.focused = el("p", { class: "desk-wall-focus", hidden: true });
    this.open = el("a", { target: "_blank", rel: "noopener" }, _("打开大屏"));
    this.edit = el("a", {}, _("编辑场景"));
    const form = el(
      "form",
      { class: "desk-wall-form", "aria-label": _("发送场景到大屏") },
      el("div", { class: "desk-wall-of" }, field(_("大屏"), this.wall)),
      field(_("场景"), this.scene),
      this.townField,
      field(_("停留（秒）"), this.seconds),
      this.focused,
      this.problem,
      el("div", { class: "desk-wall-end" }, el("button", { type: "submit", class: "primary" }, icon("paper-airplane"), _("发送")), this.open, this.edit),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    host.replaceChildren(el("summary", {}, icon("tv"), el("span", { class: "desk-wall-name" }, _("大屏")), this.now), form);
    host.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !host.open) return;
      event.stopPropagation();
      host.open = false;
      host.querySelector("summary")?.focus();
    });
  }

  /** Take the walls that this reader may steer, and one of them. */
  async begin() {
    try {
      const { walls } = await getJson("/api/walls");
      this.host.hidden = walls.length === 0;
      if (walls.length === 0) return;
      this.wall.replaceChildren(
        ...walls.map((/** @type {{id: string, title: string, has_screen: boolean}} */ { id, title, has_screen }) =>
          el("option", { value: id }, has_screen ? _("{wall}（有屏）", { wall: title }) : title),
        ),
      );
      const kept = localStorage.getItem(KEPT);
      const known = walls.some((/** @type {{id: string}} */ { id }) => id === kept);
      await this.choose(known && kept ? kept : walls[0].id);
    } catch (error) {
      notice(this.problem, sentenceOf(error));
    }
  }

  /** @param {string} id */
  async choose(id) {
    this.wall.value = id;
    localStorage.setItem(KEPT, id);
    await this.refresh();
  }

  /**
   * Something happened: if it may change what stands on the wall, ask again soon.
   * @param {string} kind
   * @param {{wall_id?: string, is_urgent?: boolean}} data
   */
  happened(kind, data) {
    const concerns = WALL_TOLD.has(kind) ? !data.wall_id || data.wall_id === this.wall.value : kind === "incident" && data.is_urgent;
    if (!concerns) return;
    this.waiting ??= setTimeout(() => {
      this.waiting = undefined;
      void this.refresh();
    }, GATHER_MS);
  }

  /** @param {Date} serverTime */
  hear(serverTime) {
    this.clock.hear(serverTime);
  }

  async refresh() {
    const mine = ++this.asked;
    const id = this.wall.value;
    try {
      const state = await getJson("/api/wall/" + encodeURIComponent(id) + "/desk");
      if (mine !== this.asked) return;
      this.state = state;
      this.clock.hear(new Date(state.generated_at));
      notice(this.problem, "");
      this.#show();
    } catch (error) {
      if (mine === this.asked) notice(this.problem, sentenceOf(error));
    }
  }

  /** What stands on the wall now, by the server's clock; the tour turns without a word from anybody. */
  tick() {
    const { state } = this;
    if (!state) return;
    const now = this.clock.now().getTime();
    const towns = state.towns.map(({ code }) => code);
    const { scene, town, call, by } = standing(state.tour, towns, state.alarms, state.sent_scene, now);
    const name = state.towns.find(({ code }) => code === town)?.name;
    const focus = by === "sent" ? state.sent_scene?.focus?.grid_name : null;
    const words = [titleOf(scene), focus ?? (scene.extent === "each_town" ? name : null)].filter(Boolean).join("：");
    setText(this.now, call ? _("告警：{place}", { place: call.grid_name ?? _("网格之外") }) : by === "sent" ? _("{scene}（已发送）", { scene: words }) : words);
    this.host.dataset.by = by;
  }

  /**
   * Open the form with a grid that the wall's map is to go to.
   * @param {string} code
   * @param {string} name
   */
  offer(code, name) {
    this.focus = { code, name };
    this.#focus();
    this.host.open = true;
    this.scene.focus();
  }

  #show() {
    const { state } = this;
    if (!state) return;
    offer(this.scene, state.tour.scenes.map((scene) => [scene.key, titleOf(scene)]));
    offer(this.town, state.towns.map(({ code, name }) => [code, name]));
    this.open.href = "/wall/" + encodeURIComponent(state.wall.id);
    this.edit.href = "/walls/" + encodeURIComponent(state.wall.id) + "/scenes";
    this.#towns();
    this.tick();
  }

  /** A township is asked for where the scene shows one at a time, and no grid was chosen. */
  #towns() {
    const scene = this.state?.tour.scenes.find(({ key }) => key === this.scene.value);
    this.townField.hidden = scene?.extent !== "each_town" || this.focus !== null || this.town.options.length === 0;
  }

  #focus() {
    const { focus } = this;
    this.focused.hidden = !focus;
    this.focused.replaceChildren(
      ...(focus
        ? [
            icon("map-pin"),
            el("span", {}, _("地图移到 {grid}", { grid: focus.name })),
            el(
              "button",
              {
                type: "button",
                class: "quiet small",
                click: () => {
                  this.focus = null;
                  this.#focus();
                  this.#towns();
                },
              },
              icon("x-mark"),
              el("span", { class: "only-read" }, _("不移动地图")),
            ),
          ]
        : []),
    );
    this.#towns();
  }

  async #send() {
    const { focus } = this;
    const body = {
      scene: this.scene.value,
      seconds: this.seconds.valueAsNumber,
      ...(this.townField.hidden ? {} : { town: this.town.value }),
      ...(focus ? { grid: focus.code } : {}),
    };
    try {
      await sendJson("/api/wall/" + encodeURIComponent(this.wall.value) + "/scene", "POST", body);
      notice(this.problem, "");
      const wall = this.state?.wall.title ?? this.wall.value;
      const isCalling = this.host.dataset.by === "call";
      toast(isCalling ? _("已发送到大屏“{wall}”；告警签收后才显示。", { wall }) : _("已发送到大屏“{wall}”。", { wall }));
      await this.refresh();
    } catch (error) {
      notice(this.problem, sentenceOf(error));
    }
  }
}

/**
 * Offer these, and keep what was chosen. The wall is asked again whenever somebody calls: a list that offers the same is left alone,
 * for somebody may have it open.
 * @param {HTMLSelectElement} select
 * @param {string[][]} choices value, words
 */
function offer(select, choices) {
  const offered = [...select.options].map(({ value, text }) => [value, text]);
  if (JSON.stringify(offered) === JSON.stringify(choices)) return;
  const chosen = select.value;
  select.replaceChildren(...choices.map(([value = "", words = ""]) => el("option", { value }, words)));
  if (choices.some(([value]) => value === chosen)) select.value = chosen;
}

/** @param {import("../core/types.js").Scene} scene */
function titleOf(scene) {
  return (document.documentElement.lang.startsWith("en") ? scene.title.en : scene.title.zh) || scene.key;
}

/**
 * @param {string} label
 * @param {HTMLElement} input
 */
function field(label, input) {
  return el("label", { class: "field" }, el("span", {}, label), input);
}
