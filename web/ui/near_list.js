/** What is near a point: cameras by distance, and who answers for this grid and those around it. */

import { distance } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { cameraRows } from "./camera_rows.js";
import { el } from "./dom.js";
import { holderLine } from "./holder_rows.js";

/** @typedef {import("../core/place_types.js").Nearby} Nearby */

/** Grids whose people are shown at once. */
const FIRST = 4;

/**
 * @param {Nearby} near
 * @param {{show: (lon: number, lat: number) => void, words: (layer: string, field: string, value: string) => string, open: (code: string) => void}} acts
 */
export function nearList(near, acts) {
  const { cameras, staff, reach_m, areas, grid_name } = near;
  const where = [grid_name ?? _("网格之外"), ...areas.slice(1).reverse().map(({ name }) => name)].join(" · ");
  return [
    el("p", { class: "place-where" }, where),
    el("h3", {}, _("最近的人员")),
    staff.length > 0
      ? el("ul", { class: "place-rows" }, ...staff.slice(0, FIRST).map((one) => staffRow(one, acts.open)))
      : el("p", { class: "place-none" }, _("附近没有本辖区的网格。")),
    staff.length > FIRST &&
      el(
        "details",
        { class: "place-more" },
        el("summary", {}, _("再看 {n} 个网格的人员", { n: staff.length - FIRST })),
        el("ul", { class: "place-rows" }, ...staff.slice(FIRST).map((one) => staffRow(one, acts.open))),
      ),
    cameras && el("h3", {}, _("最近的监控"), " ", el("small", {}, _("{reach}以内", { reach: distance(reach_m) }))),
    cameras &&
      (cameras.length > 0
        ? cameraRows(cameras, (field, value) => acts.words("camera", field, value), acts.show)
        : el("p", { class: "place-none" }, _("{reach}以内没有可以查看的监控。", { reach: distance(reach_m) }))),
  ];
}

/**
 * @param {Nearby["staff"][number]} one
 * @param {(code: string) => void} open
 */
function staffRow({ grid_code, grid_name, distance_m, is_own, answers }, open) {
  const end = is_own ? _("本网格") : distance(distance_m);
  const { person, unit } = answers;
  const holder = person ?? { title: unit?.name ?? _("县(市、区)"), name: null, phone: null, unit: _("网格无人在岗"), stands_in_for: null };
  return el(
    "li",
    { class: is_own ? "is-first" : "", "data-grid": grid_code },
    ...holderLine(/** @type {import("../core/place_types.js").Holder} */ (holder), end),
    el("button", { type: "button", class: "link place-row-more", click: () => open(grid_code) }, grid_name),
  );
}
