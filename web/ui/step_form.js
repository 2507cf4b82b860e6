/** The next legal steps of an incident: one button each, only the first filled; what a step asks for opens as a form. */

import { currentLanguage, _ } from "../core/i18n.js";
import { aspectWords } from "../core/incident.js";
import { el, icon } from "./dom.js";
import { toast } from "./toast.js";

/** @typedef {import("../core/incident_types.js").NextStep} NextStep */
/** @typedef {import("../core/incident_types.js").StepField} StepField */

const LONG = new Set(["note", "reason", "result"]);
/** Fields that a program may give and a person at the desk has no use for. */
const UNASKED = new Set(["unit_level"]);

/**
 * @param {NextStep[]} steps
 * @param {(step: string, fields: Record<string, unknown>) => void} take
 * @returns {HTMLElement}
 */
export function stepButtons(steps, take) {
  const shelf = el("div", { class: "next-steps" });
  const first = steps.find(({ moves }) => moves);
  const buttons = () =>
    shelf.replaceChildren(
      ...[true, false].map((moves) =>
        el(
          "div",
          { class: moves ? "step-row" : "step-row step-words" },
          ...steps
            .filter((next) => next.moves === moves)
            .map((next) =>
              el(
                "button",
                {
                  type: "button",
                  class: next === first ? "primary" : moves ? "" : "small",
                  "data-step": next.step,
                  title: next.clause,
                  click: () => choose(next),
                },
                words(next.title),
              ),
            ),
        ),
      ),
    );
  /** @param {NextStep} next */
  const choose = (next) => {
    if (!next.fields.some(({ required, value }) => required && typeof value !== "string")) take(next.step, {});
    else shelf.replaceChildren(form(next, (fields) => take(next.step, fields), buttons));
  };
  buttons();
  return shelf;
}

/** @param {{zh: string, en: string}} title */
export function words(title) {
  return currentLanguage() === "en" ? title.en.charAt(0).toUpperCase() + title.en.slice(1) : title.zh;
}

/**
 * @param {NextStep} next
 * @param {(fields: Record<string, unknown>) => void} done
 * @param {() => void} cancel
 */
function form(next, done, cancel) {
  const fields = next.fields.filter(({ name }) => !UNASKED.has(name));
  const made = el(
    "form",
    {
      class: "step-form",
      submit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        done(valuesOf(new FormData(made), fields));
      },
    },
    el("h3", {}, words(next.title)),
    ...fields.flatMap(inputs),
    el(
      "div",
      { class: "step-form-end" },
      el("button", { type: "submit", class: "primary" }, _("确定")),
      el("button", { type: "button", class: "quiet", click: cancel }, _("取消")),
    ),
  );
  queueMicrotask(() => /** @type {HTMLElement | null} */ (made.querySelector("input, textarea"))?.focus());
  return made;
}

/**
 * @param {StepField} field
 * @returns {HTMLElement[]}
 */
function inputs({ name, title, required, value }) {
  if (name === "scores") {
    return Object.keys(value ?? {}).map((aspect) =>
      labelled(aspectWords(aspect), el("input", { name: "scores." + aspect, type: "number", min: 0, max: 100, required })),
    );
  }
  if (LONG.has(name)) return [labelled(words(title), el("textarea", { name, rows: 2, required, maxlength: 4000 }))];
  const kind =
    name === "rating"
      ? { type: "number", min: 1, max: 5 }
      : name === "place"
        ? { placeholder: _("经度, 纬度"), pattern: "\\s*-?[0-9.]+\\s*[,，]\\s*-?[0-9.]+\\s*" }
        : { maxlength: 200 };
  const input = el("input", { name, required, value: typeof value === "string" ? value : null, ...kind });
  return [labelled(words(title), input), ...(name === "place" ? [hereButton(input)] : [])];
}

/**
 * Takes the position from the device, for whoever stands at the place.
 * @param {HTMLInputElement} input
 */
function hereButton(input) {
  const button = el("button", { type: "button", class: "small", click: () => take() }, icon("map-pin"), _("取当前位置"));
  const take = () => {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        input.value = coords.longitude.toFixed(6) + ", " + coords.latitude.toFixed(6);
        button.disabled = false;
      },
      () => {
        button.disabled = false;
        toast(_("没有取到位置，请允许定位，或直接填写经纬度。"));
      },
      { enableHighAccuracy: true, timeout: 15_000, maximumAge: 30_000 },
    );
  };
  return button;
}

/**
 * @param {string} title
 * @param {HTMLElement} input
 */
function labelled(title, input) {
  return el("label", { class: "field" }, el("span", {}, title), input);
}

/**
 * @param {FormData} given
 * @param {StepField[]} fields
 */
function valuesOf(given, fields) {
  /** @type {Record<string, unknown>} */
  const values = {};
  for (const { name, value } of fields) {
    const text = String(given.get(name) ?? "").trim();
    if (name === "scores") {
      const aspects = Object.keys(value ?? {});
      values[name] = Object.fromEntries(aspects.map((aspect) => [aspect, Number(given.get("scores." + aspect))]));
    } else if (text && name === "rating") values[name] = Number(text);
    else if (text && name === "place") values[name] = text.split(/[,，]/).map(Number);
    else if (text) values[name] = text;
  }
  return values;
}
