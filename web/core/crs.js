/** The coordinate systems a person may have to name, and the datums of points. */

import { _ } from "./i18n.js";

/** Central meridians of the 3° zones of China, and the EPSG code of the first (75°). */
const MERIDIANS = Array.from({ length: 21 }, (_one, index) => 75 + 3 * index);
const FIRST_CODE = 4534;

/** Choices for a file that does not state its coordinate system. */
export function coordinateSystems() {
  return [
    { value: "", words: _("以文件说明为准") },
    { value: "EPSG:4490", words: _("CGCS2000 经纬度") },
    { value: "EPSG:4326", words: _("WGS 84 经纬度") },
    { value: "EPSG:3857", words: _("Web 墨卡托") },
    ...MERIDIANS.map((meridian, index) => ({
      value: "EPSG:" + (FIRST_CODE + index),
      words: _("CGCS2000 3 度带，中央经线 {meridian}°", { meridian }),
    })),
    { value: "other", words: _("其他（填写 EPSG 代码）") },
  ];
}

/** Choices of the datum of points; there is no default, because a wrong one is hundreds of metres off. */
export function datums() {
  return [
    { value: "", words: _("未说明，请选择") },
    { value: "cgcs2000", words: _("CGCS2000（国家大地坐标）") },
    { value: "wgs84", words: _("WGS 84（卫星定位、国标摄像机）") },
    { value: "gcj02", words: _("GCJ-02（高德、腾讯地图）") },
    { value: "bd09", words: _("BD-09（百度地图）") },
  ];
}
