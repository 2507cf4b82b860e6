/** The pop-up of a feature: the fields that its layer names, in the reader's words. */

import { dayAndTime } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { el } from "./dom.js";

/**
 * @param {import("../core/types.js").Layer} layer
 * @param {Record<string, unknown>} properties
 */
export function popup(layer, properties) {
  const fields = layer.popup
    .map((name) => layer.fields.find((field) => field.name === name))
    .filter((field) => field !== undefined && properties[field.name] != null && properties[field.name] !== "");
  return el(
    "dl",
    { class: "facts popup" },
    ...fields.flatMap((field) =>
      field ? [el("dt", {}, field.title), el("dd", {}, shown(field, properties[field.name]))] : [],
    ),
  );
}

/**
 * @param {import("../core/types.js").LayerField} field
 * @param {unknown} value
 */
function shown(field, value) {
  if (typeof value === "boolean") return value ? _("是") : _("否");
  if (field.type === "timestamp") return dayAndTime(new Date(String(value)), new Date());
  return field.choices?.[String(value)] ?? String(value);
}
