/** Where a routed point belongs, in words for the reader. */

import { distance } from "./formats.js";
import { _ } from "./i18n.js";

/**
 * Who answers for a place; name and phone only for those who may know them.
 * @typedef {{as: string, title: {zh: string, en: string}, name?: string | null, phone?: string | null}} Answering
 */

/**
 * @typedef {object} Routed as the server answers; `grid` and `sub_grid` are a code or an object that holds it
 * @property {"inside" | "border" | "near" | "outside"} match
 * @property {number | null} [distance_m]
 * @property {string | {grid_code?: string, code?: string, grid_name?: string, name?: string} | null} [grid]
 * @property {string | {sub_grid_code?: string, code?: string, sub_grid_name?: string, name?: string} | null} [sub_grid]
 * @property {{grid_code: string, grid_name?: string, share: number}[]} [candidates]
 * @property {{grid_name?: string | null, areas?: {code: string, name: string}[], people?: Answering[]} | null} [responsible]
 */

/**
 * @param {Routed} routed
 */
export function placeOf(routed) {
  const { grid, sub_grid: sub, responsible } = routed;
  const gridCode = typeof grid === "string" ? grid : (grid?.grid_code ?? grid?.code ?? null);
  const gridName = responsible?.grid_name ?? (typeof grid === "object" ? (grid?.grid_name ?? grid?.name) : null);
  const subCode = typeof sub === "string" ? sub : (sub?.sub_grid_code ?? sub?.code ?? null);
  const subName = typeof sub === "object" ? (sub?.sub_grid_name ?? sub?.name) : null;
  // the county is where everybody is; what tells places apart begins below it
  const areas = (responsible?.areas ?? []).slice(1).map(({ name }) => name);
  return { grid: gridName ?? gridCode, gridCode, subGrid: subName ?? subCode, areas };
}

/**
 * How sure the place is, as a sentence; "" when there is nothing to say.
 * @param {Routed} routed
 */
export function certainty(routed) {
  const metres = routed.distance_m ? distance(routed.distance_m) : "";
  switch (routed.match) {
    case "border":
      return _("位置靠近网格边界，可能属于相邻网格，请核对。");
    case "near":
      return _("位置在网格之外，距最近的网格 {distance}，已按最近的网格处理。", { distance: metres });
    case "outside":
      return metres
        ? _("位置不在任何网格内，距最近的网格 {distance}，由指挥中心分派。", { distance: metres })
        : _("位置不在任何网格内，由指挥中心分派。");
    default:
      return "";
  }
}
