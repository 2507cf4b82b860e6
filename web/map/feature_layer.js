/** One layer of the catalogue on the map: its features as canvas paths, restyled in place. */

import { GeoJSON, LayerGroup, Polyline, Polygon } from "../vendor/leaflet.js";
import { contains, labelPoint } from "../core/geometry.js";
import { drawingOf, largestRadius, letteringOf, NUMBERED_OPACITY, radiusAt, valuesOf, widthAt } from "../core/style.js";
import { ShapeMarker } from "./symbols.js";

/** @typedef {import("../core/types.js").Layer} Layer */
/** @typedef {import("../core/types.js").Features} Features */
/** @typedef {import("../core/types.js").OneFeature} OneFeature */

/**
 * @typedef {object} Look
 * @property {(token: string) => string} colour resolves a token name
 * @property {number} scale of sizes; 1 at the desk
 * @property {number} zoom
 */

export class FeatureLayer {
  /**
   * @param {Layer} layer
   * @param {import("../vendor/leaflet.js").Canvas} renderer
   * @param {Look} look
   */
  constructor(layer, renderer, look) {
    this.layer = layer;
    this.renderer = renderer;
    this.look = look;
    this.group = new LayerGroup();
    /** @type {{feature: OneFeature, path: import("../vendor/leaflet.js").Path, anchor: [number, number] | null}[]} */
    this.items = [];
    /** @type {OneFeature[]} as they came */
    this.features = [];
    /** @type {Map<string, string> | null} tokens by key that replace the layer's own colours; what has none is filled like any of the layer */
    this.tokens = null;
  }

  get isEmpty() {
    return this.items.length === 0;
  }

  /**
   * Colour the features by a number instead of by their class, or by their class again.
   * @param {Map<string, string> | null} tokens colour token by key of the layer
   */
  colourBy(tokens) {
    this.tokens = tokens;
    this.restyle(this.look);
  }

  /** @param {Features} features */
  setFeatures(features) {
    this.group.clearLayers();
    this.features = features.features;
    this.items = [];
    for (const feature of features.features) {
      const path = this.#path(feature);
      if (path) {
        const anchor = this.layer.kind === "boundary" ? labelPoint(feature.geometry) : null;
        this.items.push({ feature, path, anchor });
      }
    }
    // the widest borders last: a town's border lies over those of its communities; what is out of order over what is not
    const height = (/** @type {OneFeature} */ f) => {
      const { width, mark } = drawingOf(this.layer, f.properties);
      return mark === "solid" ? width : width + 1;
    };
    for (const { path } of [...this.items].sort((a, b) => height(a.feature) - height(b.feature))) {
      this.group.addLayer(path);
    }
  }

  /**
   * Draw again in new colours or sizes.
   * @param {Look} look
   */
  restyle(look) {
    this.look = look;
    for (const { feature, path } of this.items) {
      const options = this.#options(feature);
      const known = /** @type {Record<string, unknown>} */ (path.options);
      // the canvas draws again only where something looks different
      if (Object.entries(options).some(([name, value]) => known[name] !== value)) path.setStyle(options);
      if (path instanceof ShapeMarker) path.setRadius(this.#radius(drawingOf(this.layer, feature.properties).radius));
    }
  }

  /** Values that occur of the field that classifies, and of the one that symbols tell by their form. */
  values() {
    const { classify, state } = this.layer.style;
    const rows = this.items.map(({ feature }) => feature.properties);
    return { values: valuesOf(classify, rows), states: valuesOf(state, rows) };
  }

  /**
   * Names to letter at this zoom, where they stand and how.
   * @param {number} zoom
   */
  names(zoom) {
    const field = this.layer.label ?? "";
    return this.items.flatMap(({ feature, anchor }) => {
      const lettering = anchor && letteringOf(this.layer, feature.properties, zoom);
      const text = feature.properties[field];
      return lettering && typeof text === "string" ? [{ ...lettering, text, anchor }] : [];
    });
  }

  /**
   * The feature at a place, or null.
   * @param {number} lon
   * @param {number} lat
   * @param {(lon: number, lat: number) => number} pixelsFrom distance on the screen from the place
   */
  at(lon, lat, pixelsFrom) {
    if (this.layer.geometry === "MultiPolygon") {
      // of polygons that lie over each other the last one drawn is on top
      const hits = this.items.filter(({ feature }) => contains(feature.geometry, lon, lat));
      return hits.pop()?.feature ?? null;
    }
    if (this.layer.geometry !== "Point") return null;
    const within = this.#radius(largestRadius(this.layer.style)) + 5;
    let nearest = null;
    let least = within;
    for (const { feature } of this.items) {
      const [x = NaN, y = NaN] = feature.geometry.type === "Point" ? feature.geometry.coordinates : [];
      const pixels = pixelsFrom(x, y);
      if (pixels <= least) [nearest, least] = [feature, pixels];
    }
    return nearest;
  }

  /** @param {number} radius of the style, px */
  #radius(radius) {
    return radiusAt(radius, this.look.zoom) * this.look.scale;
  }

  /** @param {OneFeature} feature */
  #options(feature) {
    const drawing = drawingOf(this.layer, feature.properties);
    const { colour, scale, zoom } = this.look;
    if (this.tokens) {
      const token = this.tokens.get(String(feature.properties[this.layer.key] ?? ""));
      const { fill, fill_opacity } = this.layer.style;
      Object.assign(drawing, token ? { fill: token, fillOpacity: NUMBERED_OPACITY } : { fill, fillOpacity: fill_opacity });
    }
    return {
      renderer: this.renderer,
      interactive: false,
      smoothFactor: 0.5,
      stroke: drawing.stroke !== "" && drawing.width > 0,
      color: colour(drawing.stroke),
      weight: widthAt(drawing.width, zoom) * scale,
      opacity: 1,
      fill: drawing.fill !== "",
      fillColor: colour(drawing.fill),
      fillOpacity: drawing.fillOpacity,
      lineJoin: /** @type {const} */ ("round"),
      shape: drawing.shape,
      mark: drawing.mark,
      edge: colour(drawing.edge),
    };
  }

  /** @param {OneFeature} feature */
  #path(feature) {
    const { geometry } = feature;
    const options = this.#options(feature);
    switch (geometry?.type) {
      case "Polygon":
        return new Polygon(GeoJSON.coordsToLatLngs(geometry.coordinates, 1), options);
      case "MultiPolygon":
        return new Polygon(GeoJSON.coordsToLatLngs(geometry.coordinates, 2), options);
      case "LineString":
        return new Polyline(GeoJSON.coordsToLatLngs(geometry.coordinates, 0), { ...options, fill: false });
      case "MultiLineString":
        return new Polyline(GeoJSON.coordsToLatLngs(geometry.coordinates, 1), { ...options, fill: false });
      case "Point":
        return new ShapeMarker(GeoJSON.coordsToLatLng([geometry.coordinates[0] ?? 0, geometry.coordinates[1] ?? 0]), {
          ...options,
          radius: this.#radius(drawingOf(this.layer, feature.properties).radius),
        });
      default:
        return null;
    }
  }
}
