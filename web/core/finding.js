/** The words of findings. Kinds are those of the check. */

import { area, distance } from "./formats.js";
import { _, currentLanguage } from "./i18n.js";

/**
 * @param {string} kind
 */
export function kindWords(kind) {
  /** @type {Record<string, string>} */
  const words = {
    gap: _("空隙"),
    bay: _("缺口"),
    missing_cell: _("缺少网格"),
    overlap: _("重叠"),
    contained: _("包含"),
    duplicate_geometry: _("重复图形"),
    outside: _("越界"),
    other_parent_overlap: _("压占其他辖区"),
    wrong_parent: _("所属不符"),
    near_miss: _("边界未对齐"),
    invalid_geometry: _("图形无效"),
    empty_geometry: _("图形为空"),
    multipart: _("多部分图形"),
    duplicate_code: _("编码重复"),
    bad_code: _("编码不规范"),
    code_gap: _("编码不连续"),
    code_prefix: _("编码与所属不符"),
    size: _("网格规模"),
    sub_grid_size: _("子网格规模"),
    sub_grid_outside: _("子网格越界"),
    exclusive_host: _("专属网格单位"),
    address_unassigned: _("地址未落格"),
    roster: _("人员配备"),
    department_layer: _("部门图层"),
  };
  return words[kind] ?? kind;
}

/**
 * The finding's sentence in the reader's language.
 * @param {import("./types.js").Finding} finding
 */
export function sentence({ message }) {
  if (typeof message === "string") return message;
  return currentLanguage() === "en" ? message.en : message.zh;
}

/**
 * How large it is, in one figure; "" if it has no size.
 * @param {import("./types.js").Finding} finding
 */
export function size({ area_m2, width_m }) {
  if (area_m2) return area(area_m2);
  return width_m ? distance(width_m) : "";
}

/**
 * Errors first, larger ones first.
 * @param {import("./types.js").Finding[]} findings
 */
export function bySeverity(findings) {
  return [...findings].sort(
    (a, b) =>
      Number(b.severity === "error") - Number(a.severity === "error") || (b.area_m2 ?? 0) - (a.area_m2 ?? 0),
  );
}
