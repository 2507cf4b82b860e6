/** Findings of a check on the map: hatches and outlines by kind, the selected one heavier. */

import { CircleMarker, GeoJSON, LayerGroup, Polygon, Polyline } from "../vendor/leaflet.js";
import { positionsOf } from "../core/geometry.js";
import { findingLook } from "../core/style.js";
import { hatch } from "./hatch.js";

/** @typedef {import("../core/types.js").Finding} Finding */
/** @typedef {import("./feature_layer.js").Look} Look */

export class FindingLayer {
  /**
   * @param {import("../vendor/leaflet.js").Canvas} renderer
   * @param {Look} look
   */
  constructor(renderer, look) {
    this.renderer = renderer;
    this.look = look;
    this.group = new LayerGroup();
  }

  /**
   * @param {Finding[]} findings
   * @param {number} [selected] index of the one to stress
   */
  show(findings, selected = -1) {
    this.group.clearLayers();
    // the worst come first and lie on top, the selected one over all
    for (let index = findings.length - 1; index >= 0; index--) {
      const finding = findings[index];
      if (finding && index !== selected) this.#add(finding, false);
    }
    const chosen = findings[selected];
    if (chosen) this.#add(chosen, true);
  }

  /**
   * @param {Finding} finding
   * @param {boolean} isSelected
   */
  #add({ kind, geometry, acceptance }, isSelected) {
    if (!geometry) return;
    const { token, pattern } = findingLook(kind);
    const color = this.look.colour(token);
    // what concerns a whole cell is its outline, and must not bury what concerns a piece of ground
    const isQuiet = pattern === "line" || Boolean(acceptance);
    const outline = {
      renderer: this.renderer,
      interactive: false,
      color,
      weight: isSelected ? 4 : isQuiet ? 1 : 2,
      ...(pattern === "dots" ? { dashArray: "0.5 5", lineCap: /** @type {const} */ ("round"), weight: isSelected ? 6 : 4 } : {}),
    };
    // the canvas takes a pattern where the library's types know only a colour
    const tile = /** @type {any} */ (hatch(pattern, color));
    const filled = { ...outline, fill: tile !== null, fillColor: tile, fillOpacity: 1 };
    const parts = geometry.type === "GeometryCollection" ? geometry.geometries : [geometry];
    for (const part of parts) {
      if (part.type === "Polygon" || part.type === "MultiPolygon") {
        const depth = part.type === "Polygon" ? 1 : 2;
        this.group.addLayer(new Polygon(GeoJSON.coordsToLatLngs(part.coordinates, depth), filled));
      } else if (part.type === "LineString" || part.type === "MultiLineString") {
        const depth = part.type === "LineString" ? 0 : 1;
        this.group.addLayer(new Polyline(GeoJSON.coordsToLatLngs(part.coordinates, depth), outline));
      }
    }
    if (isQuiet && !isSelected && geometry.type !== "Point") return;
    // slivers vanish at the city's zoom, so every finding of ground has a ring that keeps its size
    const positions = positionsOf(geometry);
    if (positions.length === 0) return;
    const middle = [0, 1].map((axis) => positions.reduce((sum, p) => sum + (p[axis] ?? 0), 0) / positions.length);
    const ring = { ...outline, fill: false, radius: isSelected ? 16 : 9, dashArray: "" };
    this.group.addLayer(new CircleMarker([middle[1] ?? 0, middle[0] ?? 0], ring));
  }
}
