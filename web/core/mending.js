/** The words of moves: from whom to whom, how much, whom it concerns. */

import { area, count } from "./formats.js";
import { _ } from "./i18n.js";

/** @typedef {import("./types.js").Move} Move */

/**
 * From whom to whom ground goes, one line a change.
 * @param {Move} move
 * @returns {string[]}
 */
export function changeWords({ changes }) {
  return changes.map(({ from, to, area_m2 }) =>
    _("{from} → {to}：{area}", { from: from ?? _("无主的地"), to: to ?? _("上级边界以外"), area: area(area_m2) }),
  );
}

/**
 * Whom a move concerns; "" where nothing is known of it.
 * @param {Move} move
 */
export function concernWords({ addresses, households, changes }) {
  if (addresses === null || changes.length === 0) return "";
  if (households === null) return _("{addresses} 个地址", { addresses: count(addresses) });
  return _("{addresses} 个地址、{households} 户", { addresses: count(addresses), households: count(households) });
}

/**
 * How sure a move is, in per cent.
 * @param {Move} move
 */
export function sureWords({ confidence }) {
  return _("把握 {pct}%", { pct: Math.round(confidence * 100) });
}
