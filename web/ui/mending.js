/** Mending beside the findings: what could be mended, what was, and how either is done and undone. */

import { count, dayAndTime } from "../core/formats.js";
import { getJson, sendJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { byId, el, setText } from "./dom.js";
import { mendForm, moveItem } from "./mend_form.js";
import { MendWishes } from "./mend_wishes.js";

/** @typedef {import("../core/types.js").Finding} Finding */
/** @typedef {import("../core/types.js").Generation} Generation */
/** @typedef {import("../core/types.js").Move} Move */
/** @typedef {import("../core/types.js").MendingStep} MendingStep */
/** @typedef {import("./mend_form.js").Choice} Choice */

/** Moves of one step that are told; of more, their number. */
const TOLD = 5;

export class Mending {
  /**
   * The elements are those of the page: `mending-box`, `mending-tools`, `mended-box`, `h-mended`, `mended-steps`.
   * @param {import("../map/city_map.js").CityMap} map
   * @param {object} acts
   * @param {(act: () => Promise<void>) => Promise<void>} acts.attempt do something and tell what goes wrong
   * @param {() => void} acts.proposed called when it is known what could be mended
   * @param {(generation: Generation, moves: Move[], wasUndone: boolean) => Promise<void>} acts.done called with the generation that was made
   */
  constructor(map, acts) {
    this.map = map;
    this.acts = acts;
    /** @type {Generation | null} */
    this.generation = null;
    /** @type {Map<number, Move[]>} what could be mended, by the finding's id */
    this.byFinding = new Map();
    this.wishes = new MendWishes(() => this.acts.attempt(() => this.#propose()));
    this.all = el("button", { type: "button", id: "mend-all", click: () => this.#mendAll() }, "");
    byId("mending-tools").replaceChildren(this.wishes.element, el("div", { class: "actions" }, this.all));
  }

  /**
   * Show what was mended of a generation, and find out what could be; that may take a while, and nothing waits for it.
   * @param {Generation} generation
   * @param {{isBoundary: boolean, hasFindings: boolean, isGrid: boolean}} what
   */
  async show(generation, { isBoundary, hasFindings, isGrid }) {
    this.generation = generation;
    this.byFinding = new Map();
    this.map.moves.show([]);
    this.wishes.exclusiveField.hidden = !isGrid;
    const canMend = isBoundary && generation.state === "staged" && hasFindings;
    byId("mending-box").hidden = !canMend;
    this.all.hidden = true;
    byId("mended-box").hidden = true;
    if (isBoundary) await this.#showSteps(generation);
    if (canMend) await this.#propose();
  }

  /**
   * What mending would do to a finding; its ground is shown on the map.
   * @param {Finding} finding
   */
  formFor(finding) {
    const moves = this.byFinding.get(finding.id) ?? [];
    this.map.moves.show(moves);
    if (moves.length === 0) return this.#tooWide(finding);
    return mendForm(finding, this.byFinding, {
      point: (move) => this.map.moves.show(moves, move),
      mend: (choice) => this.#mend(finding, choice),
    });
  }

  /**
   * Why nothing is proposed, where it is only the limits.
   * @param {Finding} finding
   */
  #tooWide({ kind, width_m }) {
    const limit = this.wishes.limitFor(kind);
    if (limit === null || width_m === null || width_m <= limit || byId("mending-box").hidden) return null;
    const words = _("比修补的界限（{limit} 米）宽，由人决定；放宽界限后也可以自动修补。", { limit: count(limit) });
    return el("p", { class: "mending" }, words);
  }

  async #propose() {
    const { generation } = this;
    if (!generation) return;
    setText(this.all, _("正在推算可以修补的…"));
    this.all.hidden = false;
    this.all.disabled = true;
    const { query } = this.wishes;
    const { moves, preferable } = await getJson(this.#url("/mending?" + query));
    // answers may overtake each other: only the one to the present wishes counts
    if (this.generation !== generation || this.wishes.query !== query) return;
    this.byFinding = new Map();
    for (const move of moves) {
      if (move.finding !== null) this.byFinding.set(move.finding, [...(this.byFinding.get(move.finding) ?? []), move]);
    }
    this.wishes.offer(preferable);
    this.all.disabled = moves.length === 0;
    setText(this.all, moves.length === 0 ? _("没有可以自动修补的") : _("全部修补（{n} 处）", { n: count(moves.length) }));
    this.acts.proposed();
  }

  /**
   * @param {Finding} finding
   * @param {Choice} choice
   */
  #mend(finding, { kind, move }) {
    const path = kind ? "/findings/mend" : "/findings/" + finding.id + "/mend";
    return this.#send(path, { ...this.wishes.body, ...(kind && { kind }), ...(move && { move }) });
  }

  async #mendAll() {
    this.all.disabled = true;
    await this.#send("/findings/mend", this.wishes.body);
    this.all.disabled = false;
  }

  /**
   * @param {string} path
   * @param {object | undefined} body
   */
  #send(path, body) {
    return this.acts.attempt(async () => {
      const { generation, moves } = await sendJson(this.#url(path), "POST", body);
      await this.acts.done(generation, moves, path.endsWith("/undo"));
    });
  }

  /** @param {string} path */
  #url(path) {
    return "/api/generations/" + this.generation?.id + path;
  }

  /** @param {Generation} generation */
  async #showSteps(generation) {
    /** @type {{steps: MendingStep[]}} */
    const { steps } = await getJson(this.#url("/mending/steps"));
    if (this.generation !== generation) return;
    byId("mended-box").hidden = steps.length === 0;
    const standing = steps.filter(({ undone }) => !undone).length;
    setText(byId("h-mended"), _("已作的修补（{n}）", { n: count(standing) }));
    // the last one first: it is the one that can always be undone
    byId("mended-steps").replaceChildren(...steps.reverse().map((step) => this.#stepItem(step, generation)));
  }

  /**
   * @param {MendingStep} step
   * @param {Generation} generation
   */
  #stepItem(step, { state }) {
    const { id, who, at, moves, undone } = step;
    const told = moves.slice(0, TOLD);
    const point = (/** @type {Move | null} */ move) => this.map.moves.show(move ? [move] : [], move);
    /** @type {HTMLButtonElement} */
    const button = el(
      "button",
      {
        type: "button",
        class: "undo",
        click: async () => {
          button.disabled = true;
          await this.#send("/mending/" + id + "/undo", undefined);
          button.disabled = false;
        },
      },
      _("撤销"),
    );
    const now = new Date();
    return el(
      "li",
      { class: undone ? "mended-step is-undone" : "mended-step" },
      el("ul", { class: "moves" }, ...told.map((move) => moveItem(move, { point }))),
      moves.length > told.length ? el("p", {}, _("另有 {n} 处，与此一并", { n: count(moves.length - told.length) })) : null,
      el(
        "div",
        { class: "mended-foot" },
        el("span", {}, _("{who}，{time}", { who, time: dayAndTime(new Date(at), now) })),
        undone
          ? el("span", { class: "undone" }, _("已由 {who} 于 {time} 撤销", { who: undone.who, time: dayAndTime(new Date(undone.at), now) }))
          : state === "staged"
            ? button
            : null,
      ),
    );
  }
}
