/** One polygon stressed on the map, whatever its layer is drawn from: the outline, so that what lies in it stays as it is. */

import { GeoJSON, LayerGroup, Polygon } from "../vendor/leaflet.js";

const WEIGHT = 4;

export class OutlineLayer {
  /** @param {import("./city_map.js").CityMap} map */
  constructor(map) {
    this.map = map;
    this.group = new LayerGroup().addTo(map.map);
  }

  /**
   * Stress this one and no other; null for none.
   * @param {import("geojson").Polygon | import("geojson").MultiPolygon | null} geometry
   */
  show(geometry) {
    this.group.clearLayers();
    if (!geometry) return;
    const rings =
      geometry.type === "Polygon" ? GeoJSON.coordsToLatLngs(geometry.coordinates, 1) : GeoJSON.coordsToLatLngs(geometry.coordinates, 2);
    const color = getComputedStyle(this.map.element).getPropertyValue("--accent").trim();
    const look = { renderer: this.map.findings.renderer, interactive: false, color, weight: WEIGHT, fill: false, lineJoin: /** @type {const} */ ("round") };
    this.group.addLayer(new Polygon(rings, look));
  }
}
