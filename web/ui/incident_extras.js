/** What belongs to an incident and is fetched by itself: why it lies where it lies, its photos, what may be the same, the party's link. */

import { distance } from "../core/formats.js";
import { getJson, Problem, sendJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { stateWords } from "../core/incident.js";
import { el, icon } from "./dom.js";
import { when } from "./incident_clock.js";
import { sentenceOf } from "./start.js";
import { toast } from "./toast.js";

/** @typedef {import("../core/incident_types.js").Opened} Opened */

/**
 * Fill the places of the card as the answers come. What this reader may not have, or what there is none of, leaves its place empty.
 * @param {Opened} opened
 * @param {HTMLElement} card
 * @param {(incident: {id: number}) => void} open
 */
export async function fillExtras(opened, card, open) {
  const url = "/api/incidents/" + opened.id;
  await Promise.all([
    fill(card, "explanation", url + "/explanation", explanation),
    fill(card, "photos", url + "/photos", photos),
    fill(card, "duplicates", url + "/duplicates", (answer) => duplicates(answer, opened, open, () => void fillExtras(opened, card, open))),
  ]);
}

/**
 * @param {HTMLElement} card
 * @param {string} name
 * @param {string} url
 * @param {(answer: any) => Array<Node | false>} made
 */
async function fill(card, name, url, made) {
  const place = card.querySelector(`[data-extra="${name}"]`);
  if (!place) return;
  try {
    const parts = made(await getJson(url)).filter((part) => part instanceof Node);
    if (place.isConnected) place.replaceChildren(...parts);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
  }
}

/** @param {{sentences: string[], is_same_grid_now: boolean}} answer */
function explanation({ sentences }) {
  return [sentences.length > 0 && el("ul", { class: "because" }, ...sentences.map((sentence) => el("li", {}, sentence)))];
}

/** @param {{photos: {url: string, thumbnail: string, taken_at: string | null, at: string, width: number, height: number}[]}} answer */
function photos({ photos: taken }) {
  return [
    taken.length > 0 && el("h3", {}, _("照片")),
    taken.length > 0 &&
      el(
        "ul",
        { class: "photos" },
        ...taken.map(({ url, thumbnail, taken_at, at }) => {
          const moment = when(taken_at ?? at);
          return el(
            "li",
            {},
            el("a", { href: url, target: "_blank", rel: "noopener" }, el("img", { src: thumbnail, alt: _("现场照片，{time}", { time: moment }), loading: "lazy" })),
            el("small", {}, moment),
          );
        }),
      ),
  ];
}

/**
 * @typedef {{id: number, number: string, distance_m: number, state: string, item: string | null, discovered_at: string}} Likely
 * @param {{incidents: Likely[], decided: {id: number, number: string, is_duplicate: boolean, at: string, actor: string, note: string | null}[]}} answer
 * @param {Opened} opened
 * @param {(incident: {id: number}) => void} open
 * @param {() => void} again
 */
function duplicates({ incidents, decided }, opened, open, again) {
  const said = new Set(decided.map(({ id }) => id));
  const waiting = incidents.filter(({ id }) => !said.has(id));
  if (waiting.length + decided.length === 0) return [];
  /** @param {number} other @param {boolean} is_duplicate */
  const decide = async (other, is_duplicate) => {
    try {
      await sendJson("/api/incidents/" + opened.id + "/duplicates", "POST", { other, is_duplicate });
      again();
    } catch (error) {
      toast(sentenceOf(error));
    }
  };
  const link = (/** @type {number} */ id, /** @type {string} */ number) =>
    el("button", { type: "button", class: "link number", click: () => open({ id }) }, number);
  return [
    el("h3", {}, _("附近可能是同一件")),
    el(
      "ul",
      { class: "likely" },
      ...waiting.map(({ id, number, distance_m, state, item, discovered_at }) =>
        el(
          "li",
          {},
          el("span", {}, link(id, number), " ", [item, stateWords(state), distance(distance_m), when(discovered_at)].filter(Boolean).join(" · ")),
          opened.next_steps.length > 0 &&
            el(
              "span",
              { class: "likely-acts" },
              el("button", { type: "button", class: "small", click: () => decide(id, true) }, _("是同一件")),
              el("button", { type: "button", class: "small quiet", click: () => decide(id, false) }, _("不是")),
            ),
        ),
      ),
      ...decided.map(({ id, number, is_duplicate, actor, at, note }) =>
        el("li", { class: "decided" }, link(id, number), " ", [is_duplicate ? _("是同一件") : _("不是同一件"), actor, when(at), note].filter(Boolean).join(" · ")),
      ),
    ),
  ];
}

/**
 * The party's rating, and the link to ask for it.
 * @param {Opened} opened
 */
export function rating(opened) {
  // shown this once: kept where the card is made anew
  const shown = el("div", { class: "rating-link", "data-extra": "rating-link" });
  const make = async () => {
    try {
      const { url, expires_at } = await sendJson("/api/incidents/" + opened.id + "/rating-link", "POST");
      const field = el("input", { readonly: true, value: url, "aria-label": _("评价链接") });
      shown.replaceChildren(
        field,
        el("button", { type: "button", click: () => copy(field) }, icon("link"), _("复制")),
        el("small", {}, _("只显示这一次，{time} 到期；再制作一条，这一条即失效。", { time: when(expires_at) })),
      );
      field.select();
    } catch (error) {
      toast(sentenceOf(error));
    }
  };
  const canAsk = opened.next_steps.length > 0;
  if (!canAsk && opened.rating === null) return null;
  return el(
    "section",
    { class: "rating" },
    el("h3", {}, _("满意度评价")),
    el(
      "p",
      { class: "rating-line" },
      opened.rating === null ? _("当事人尚未评价。") : stars(opened.rating),
      canAsk && el("button", { type: "button", class: "small", click: make }, icon("link"), _("制作评价链接")),
    ),
    shown,
  );
}

/** @param {number} rating */
function stars(rating) {
  return el("span", { class: "stars" }, el("b", { class: "number" }, _("{n} 分", { n: rating })), el("span", { "aria-hidden": "true" }, " " + "★".repeat(rating) + "☆".repeat(5 - rating)));
}

/** @param {HTMLInputElement} field */
async function copy(field) {
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    toast(_("已复制链接。"));
  } catch {
    toast(_("浏览器不让复制，链接已选中，请用键盘复制。"));
  }
}
