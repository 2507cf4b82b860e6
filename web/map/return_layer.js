/** Returned cases on the map: stretches of border, the wider the more cases came back over them. */

import { GeoJSON, LayerGroup, Polyline } from "../vendor/leaflet.js";

/** @typedef {{geometry: {type: string, coordinates: any}, properties: {count: number, grids: {grid_code: string, grid_name: string | null}[], numbers: string[]}}} ReturnSegment */

const NARROWEST = 4;
const WIDEST = 14;

export class ReturnLayer {
  /** @param {import("./city_map.js").CityMap} city */
  constructor(city) {
    this.city = city;
    this.group = new LayerGroup();
  }

  /**
   * Draw these and nothing else; none takes the layer away.
   * @param {ReturnSegment[]} segments most cases first
   * @param {(segment: ReturnSegment) => HTMLElement} describe
   */
  show(segments, describe) {
    this.group.clearLayers();
    if (segments.length === 0) this.group.remove();
    else this.group.addTo(this.city.map);
    const most = Math.max(1, ...segments.map(({ properties }) => properties.count));
    const color = getComputedStyle(this.city.element).getPropertyValue("--overdue").trim();
    // the heaviest are drawn last and lie on top
    for (const segment of [...segments].reverse()) {
      const { type, coordinates } = segment.geometry;
      const line = new Polyline(GeoJSON.coordsToLatLngs(coordinates, type === "LineString" ? 0 : 1), {
        pane: "findings",
        color,
        opacity: 0.85,
        weight: NARROWEST + (WIDEST - NARROWEST) * (segment.properties.count / most),
      });
      line.bindTooltip(() => describe(segment), { sticky: true });
      this.group.addLayer(line);
    }
  }
}
