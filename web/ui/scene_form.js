/** The form of one scene: what it shows, for how long, and which panels stand beside the map. */

import { _ } from "../core/i18n.js";
import { MOST_PANELS, moved, offered } from "../core/tour_draft.js";
import { el, icon } from "./dom.js";

/** @typedef {import("../core/types.js").Scene} Scene */
/** @typedef {Record<"panel" | "colour" | "points" | "extent", {value: string, title: string}[]>} Choices */

/**
 * @param {Scene} scene
 * @param {Choices} choices
 * @param {object} acts
 * @param {(change: Partial<Scene>, isTyping: boolean) => void} acts.change `isTyping`: the form itself need not be made anew
 * @param {(words: Partial<Scene["title"]>) => void} acts.name in the language that is typed
 */
export function sceneForm(scene, choices, { change, name }) {
  return [
    el(
      "div",
      { class: "scenes-fields" },
      text("zh", _("中文名称"), scene.title.zh, (zh) => name({ zh })),
      text("en", _("英文名称"), scene.title.en, (en) => name({ en })),
      field(
        scene.extent === "each_town" ? _("每个镇街停留（秒）") : _("停留（秒）"),
        el("input", {
          type: "number",
          "data-focus": "seconds",
          min: 5,
          max: 3600,
          step: 5,
          value: scene.seconds,
          input: (/** @type {InputEvent & {target: HTMLInputElement}} */ { target }) => change({ seconds: target.valueAsNumber }, true),
        }),
      ),
      choice("extent", _("显示范围"), scene.extent, choices.extent, (extent) => change({ extent: /** @type {Scene["extent"]} */ (extent) }, false)),
      choice("colour", _("网格颜色"), scene.colour, choices.colour, (colour) => change({ colour: /** @type {Scene["colour"]} */ (colour) }, false)),
      choice("points", _("地图上的事件"), scene.points, choices.points, (points) => change({ points: /** @type {Scene["points"]} */ (points) }, false)),
      el(
        "label",
        { class: "field field-inline" },
        el("input", {
          type: "checkbox",
          "data-focus": "cameras",
          checked: scene.cameras,
          change: (/** @type {Event & {target: HTMLInputElement}} */ { target }) => change({ cameras: target.checked }, false),
        }),
        el("span", {}, _("显示视频监控")),
      ),
    ),
    el("div", { class: "scenes-panels" }, side(scene, "left", _("左栏"), choices, change), side(scene, "right", _("右栏"), choices, change)),
  ];
}

/**
 * @param {Scene} scene
 * @param {"left" | "right"} which
 * @param {string} title
 * @param {Choices} choices
 * @param {(change: Partial<Scene>, isTyping: boolean) => void} change
 */
function side(scene, which, title, choices, change) {
  const titles = new Map(choices.panel.map(({ value, title: words }) => [value, words]));
  const set = (/** @type {string[]} */ panels) => change({ [which]: panels }, false);
  const rows = scene[which].map((panel, index) => {
    const name = titles.get(panel) ?? panel;
    return el(
      "li",
      {},
      name,
      button(icon("chevron-up"), _("上移：{name}", { name }), () => set(moved(scene[which], index, -1)), index === 0, `${panel}:up`),
      button(
        icon("chevron-down"),
        _("下移：{name}", { name }),
        () => set(moved(scene[which], index, 1)),
        index === scene[which].length - 1,
        `${panel}:down`,
      ),
      button(icon("x-mark"), _("移除：{name}", { name }), () => set(scene[which].filter((one) => one !== panel)), false, `${which}:add`),
    );
  });
  const more = offered(scene, which, choices.panel.map(({ value }) => value));
  // chosen first and added then: on a closed list the arrow keys choose at every stroke
  const select = el(
    "select",
    { "aria-label": _("添加面板到{side}", { side: title }), "data-focus": `${which}:add` },
    ...more.map((value) => el("option", { value }, titles.get(value) ?? value)),
  );
  const add = el("button", { type: "button", click: () => set([...scene[which], select.value]) }, _("添加"));
  return el(
    "div",
    {},
    el("h3", {}, title),
    el("ol", {}, ...rows),
    more.length > 0 ? el("div", { class: "scenes-more" }, select, add) : el("p", { class: "hint" }, _("已满：一栏至多 {n} 个面板", { n: MOST_PANELS })),
  );
}

/**
 * @param {string} label
 * @param {HTMLElement} input
 */
function field(label, input) {
  return el("label", { class: "field" }, el("span", {}, label), input);
}

/**
 * @param {string} key
 * @param {string} label
 * @param {string} value
 * @param {(value: string) => void} change
 */
function text(key, label, value, change) {
  const input = el("input", {
    "data-focus": key,
    maxlength: 40,
    required: true,
    value,
    input: (/** @type {InputEvent & {target: HTMLInputElement}} */ { target }) => change(target.value),
  });
  return field(label, input);
}

/**
 * @param {string} key
 * @param {string} label
 * @param {string} value
 * @param {{value: string, title: string}[]} options
 * @param {(value: string) => void} change
 */
function choice(key, label, value, options, change) {
  const select = el(
    "select",
    { "data-focus": key, change: (/** @type {Event & {target: HTMLSelectElement}} */ { target }) => change(target.value) },
    ...options.map((one) => el("option", { value: one.value, selected: one.value === value }, one.title)),
  );
  return field(label, select);
}

/**
 * A small button with a line icon and a name for those who do not see it.
 * @param {SVGElement} picture
 * @param {string} label
 * @param {() => void} act
 * @param {boolean} disabled
 * @param {string} focus by which the keyboard finds it again when it has been made anew
 */
export function button(picture, label, act, disabled, focus) {
  const attributes = { type: "button", class: "quiet scenes-icon", "aria-label": label, title: label, "data-focus": focus };
  return el("button", { ...attributes, disabled, click: act }, picture);
}
