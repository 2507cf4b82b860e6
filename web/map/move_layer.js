/** Ground that would change hands, or did: filled in the accent, with a ring that is seen from afar. */

import { CircleMarker, GeoJSON, LayerGroup, Polygon } from "../vendor/leaflet.js";
import { positionsOf } from "../core/geometry.js";

/** @typedef {import("../core/types.js").Move} Move */
/** @typedef {import("./feature_layer.js").Look} Look */

export class MoveLayer {
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
   * @param {Move[]} moves
   * @param {Move | null} [stressed] one of them
   */
  show(moves, stressed = null) {
    this.group.clearLayers();
    for (const move of moves) this.#add(move, move === stressed);
  }

  /**
   * @param {Move} move
   * @param {boolean} isStressed
   */
  #add({ geometry }, isStressed) {
    if (!geometry || (geometry.type !== "Polygon" && geometry.type !== "MultiPolygon")) return;
    const color = this.look.colour("--accent");
    const outline = { renderer: this.renderer, interactive: false, color, weight: isStressed ? 4 : 2 };
    const depth = geometry.type === "Polygon" ? 1 : 2;
    const ground = { ...outline, fill: true, fillColor: color, fillOpacity: isStressed ? 0.7 : 0.45 };
    this.group.addLayer(new Polygon(GeoJSON.coordsToLatLngs(geometry.coordinates, depth), ground));
    if (!isStressed) return;
    const positions = positionsOf(geometry);
    const middle = [0, 1].map((axis) => positions.reduce((sum, p) => sum + (p[axis] ?? 0), 0) / positions.length);
    this.group.addLayer(new CircleMarker([middle[1] ?? 0, middle[0] ?? 0], { ...outline, fill: false, radius: 22, dashArray: "3 4" }));
  }
}
