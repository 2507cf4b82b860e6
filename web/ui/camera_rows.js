/** Cameras as rows: where, in what order, and whether they keep their pictures long enough. */

import { count, distance } from "../core/formats.js";
import { _ } from "../core/i18n.js";
import { el, icon } from "./dom.js";

/** @typedef {import("../core/place_types.js").Camera} Camera */
/** @typedef {import("../core/place_types.js").NearCamera} NearCamera */
/** @typedef {(field: string, value: string) => string} Words of the layer's own choices */

/**
 * @param {(Camera | NearCamera)[]} cameras
 * @param {Words} words
 * @param {(lon: number, lat: number) => void} show
 */
export function cameraRows(cameras, words, show) {
  return el(
    "ul",
    { class: "place-rows" },
    ...cameras.map((camera) => {
      const name = camera.camera_name ?? words("camera_site_class", camera.camera_site_class);
      return el(
        "li",
        { "data-camera": camera.camera_code ?? "" },
        el(
          "button",
          { type: "button", class: "quiet place-locate", click: () => show(camera.lon, camera.lat), title: _("在地图上显示") },
          icon("video-camera"),
          el("span", { class: "only-read" }, _("在地图上显示：{name}", { name })),
        ),
        el("span", { class: "place-row-title" }, name),
        el("span", { class: "place-row-end number" }, "distance_m" in camera ? distance(camera.distance_m) : ""),
        el("span", { class: "place-row-note" }, ...noteOf(camera, words)),
      );
    }),
  );
}

/**
 * @param {Camera | NearCamera} camera
 * @param {Words} words
 */
function noteOf(camera, words) {
  const { status, direction, retention } = camera;
  const parts = [
    "sees" in camera && looks(camera),
    camera.camera_name && words("camera_site_class", camera.camera_site_class),
    status && el("span", status === "online" ? {} : { class: "short" }, words("status", status)),
    direction && _("朝{direction}", { direction: words("direction", direction) }),
    retention && kept(retention),
    camera.camera_code && el("span", { class: "number" }, camera.camera_code),
  ].filter(Boolean);
  return parts.flatMap((part, place) => (place > 0 ? [" · ", part] : [part]));
}

/** @param {NearCamera} camera */
function looks({ sees, is_by_direction_only }) {
  if (sees === null) return "";
  if (!sees) return _("不朝向此处");
  return el("b", {}, is_by_direction_only ? _("朝向此处（仅按方位）") : _("拍得到此处"));
}

/** @param {NonNullable<Camera["retention"]>} retention */
function kept({ is_compliant, missing }) {
  if (is_compliant) return _("保存期达标");
  const lacks = missing.map(({ what, kept: months, least }) => {
    const values = { kept: months ?? "?", least };
    return what === "image_months" ? _("图像 {kept}/{least} 月", values) : _("录像 {kept}/{least} 月", values);
  });
  const clause = missing[0]?.clause ?? "";
  const sentence = is_compliant === null ? _("保存期未填：{lacks}", { lacks: lacks.join("、") }) : _("保存期不足：{lacks}", { lacks: lacks.join("、") });
  return el("span", { class: "short", title: clause }, sentence);
}

/**
 * How many there are, and how many are not in order.
 * @param {Camera[]} cameras
 */
export function cameraSummary(cameras) {
  const online = cameras.filter(({ status }) => status === "online").length;
  const known = cameras.some(({ status }) => status !== null);
  const short = cameras.filter(({ retention }) => retention && retention.is_compliant !== true).length;
  return [
    _("{n} 台", { n: count(cameras.length) }),
    known && cameras.length > 0 && _("在线 {n}", { n: count(online) }),
    short > 0 && _("保存期不达标 {n}", { n: count(short) }),
  ]
    .filter(Boolean)
    .join(" · ");
}
