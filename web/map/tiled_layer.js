/** A layer of the catalogue that is too large to be drawn whole: its vector tiles, painted as the whole layer would be. */

import { LayerGroup } from "../vendor/leaflet.js";
import { getBytes, Problem } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { drawingOf, isLettered, largestRadius, letteringOf, NUMBERED_OPACITY, radiusAt, valuesOf, widthAt } from "../core/style.js";
import { degreesOf, levelAt, mayShow, OWN, tileUrl, worldOf } from "../core/tile_matrix.js";
import { density } from "./sharp_canvas.js";
import { polygonAt } from "./tile_decode.js";
import { TilePictures } from "./tile_pictures.js";
import { decode, paint } from "./tile_workers.js";

/** @typedef {import("../core/types.js").Layer} Layer */
/** @typedef {import("../core/types.js").OneFeature} OneFeature */
/** @typedef {import("../core/tile_types.js").DecodedLayer} DecodedLayer */
/** @typedef {import("../core/tile_matrix.js").TilePlace} TilePlace */
/** @typedef {import("./feature_layer.js").Look} Look */
/** @typedef {DecodedLayer & {anchors?: [number, number][], seen?: {values: Set<string>, states: Set<string>}}} Content */

/** A tile is drawn 512 to 1,024 device pixels wide: a screen needs a dozen and not a hundred. */
const TILE_PX = 512;
/** The map's zoom is never farther than this beyond that of a tile on it, but for the deepest. */
const ZOOMS_BEYOND = 3;

export class TiledLayer {
  /**
   * @param {Layer} layer
   * @param {import("./sharp_canvas.js").SharpCanvas} renderer
   * @param {Look} look
   */
  constructor(layer, renderer, look) {
    this.layer = layer;
    this.look = look;
    /** @type {Map<string, string> | null} tokens by key that replace the layer's own colours */
    this.tokens = null;
    /** @type {OneFeature[]} the box of every feature, with what is known of it */
    this.features = [];
    this.url = layer.tiles?.url ?? "";
    /** @type {{complete: () => void, trouble: (error: unknown) => void}} */
    this.told = { complete: () => {}, trouble: () => {} };
    this.pictures = new TilePictures(renderer, this.#source(), {
      complete: () => this.told.complete(),
      trouble: (error) => this.told.trouble(error),
    });
    this.group = new LayerGroup([/** @type {any} */ (this.pictures)]);
  }

  /** Whether all in view is painted. */
  get isComplete() {
    return this.pictures.isComplete;
  }

  get isEmpty() {
    return this.layer.count === 0;
  }

  /**
   * Take the tiles of another generation, without a moment in which there are none.
   * @param {Layer} layer
   */
  renew(layer) {
    this.layer = layer;
    const url = layer.tiles?.url ?? "";
    if (url === this.url) return;
    this.url = url;
    this.pictures.renew(this.#source());
  }

  /** @param {import("../core/types.js").Extents} extents */
  setExtents({ keys, boxes, values = {} }) {
    const fields = Object.entries(values);
    this.features = keys.map((key, index) => {
      const [west, south, east, north] = /** @type {import("../core/types.js").Bounds} */ (boxes[index]);
      const properties = Object.fromEntries([[this.layer.key, key], ...fields.map(([name, column]) => [name, column[index]])]);
      const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
      return { type: "Feature", geometry: { type: "Polygon", coordinates: [ring] }, properties };
    });
  }

  /** @param {Map<string, string> | null} tokens colour token by key of the layer */
  colourBy(tokens) {
    this.tokens = tokens;
    this.pictures.repaint();
  }

  /** @param {Look} look */
  restyle(look) {
    this.look = look;
    this.pictures.repaint();
  }

  /** Values that occur of the field that classifies, and of the one that symbols tell by their form. */
  values() {
    const { classify, state } = this.layer.style;
    const seen = this.#contents().map(({ content }) => {
      content.seen ??= { values: valuesOf(classify, content.properties), states: valuesOf(state, content.properties) };
      return content.seen;
    });
    return { values: new Set(seen.flatMap(({ values }) => [...values])), states: new Set(seen.flatMap(({ states }) => [...states])) };
  }

  /** @param {number} zoom */
  names(zoom) {
    const field = this.layer.label ?? "";
    if (this.layer.kind !== "boundary" || !field) return [];
    return this.#contents().flatMap(({ place, content }) => {
      content.anchors ??= content.labels.map(({ x, y }) => placeOf(place, x / content.extent, y / content.extent));
      return content.labels.flatMap(({ properties }, index) => {
        const lettering = letteringOf(this.layer, properties, zoom);
        const text = properties[field];
        const anchor = content.anchors?.[index];
        return lettering && anchor && typeof text === "string" ? [{ ...lettering, text, anchor }] : [];
      });
    });
  }

  /**
   * The feature at a place as far as its tile knows it, or null.
   * @param {number} lon
   * @param {number} lat
   * @param {(lon: number, lat: number) => number} pixelsFrom
   * @returns {OneFeature | null}
   */
  at(lon, lat, pixelsFrom) {
    if (this.layer.geometry === "Point") return this.#pointAt(pixelsFrom);
    const [u, v] = worldOf(lon, lat);
    for (const { place, content } of this.#contents()) {
      const [x, y] = [u * 2 ** place.z - place.x, v * 2 ** place.z - place.y];
      if (x < 0 || x >= 1 || y < 0 || y >= 1) continue;
      const properties = content.properties[polygonAt(content, x * content.extent, y * content.extent)];
      return properties ? { type: "Feature", geometry: { type: "Point", coordinates: [lon, lat] }, properties } : null;
    }
    return null;
  }

  /** @param {(lon: number, lat: number) => number} pixelsFrom */
  #pointAt(pixelsFrom) {
    /** @type {OneFeature | null} */
    let nearest = null;
    let least = this.#radius(largestRadius(this.layer.style)) + 5;
    for (const { place, content } of this.#contents()) {
      const { xy, starts } = content.lines;
      content.properties.forEach((properties, feature) => {
        for (let at = starts[content.parts[feature] ?? 0] ?? 0; at < (starts[content.parts[feature + 1] ?? 0] ?? 0); at += 1) {
          const coordinates = placeOf(place, (xy[2 * at] ?? 0) / content.extent, (xy[2 * at + 1] ?? 0) / content.extent);
          const pixels = pixelsFrom(...coordinates);
          if (pixels > least) continue;
          least = pixels;
          nearest = { type: "Feature", geometry: { type: "Point", coordinates }, properties };
        }
      });
    }
    return nearest;
  }

  #contents() {
    return this.pictures.shown();
  }

  /** @param {number} radius of the style, px */
  #radius(radius) {
    return radiusAt(radius, this.look.zoom) * this.look.scale;
  }

  /** @returns {import("./tile_pictures.js").Source<Content>} */
  #source() {
    const { url, layer } = this;
    const most = layer.tiles?.max_zoom ?? 0;
    const { classify, widths = {}, width } = layer.style;
    const { bounds } = layer.tiles ?? {};
    const load = async (/** @type {TilePlace} */ place, /** @type {AbortSignal} */ signal) => {
      if (bounds && !mayShow(place, bounds)) return null;
      const bytes = await getBytes(tileUrl(url, place), signal);
      if (!bytes) return null;
      const hasNames = place.z === most || isLettered(layer, place.z + ZOOMS_BEYOND);
      const taking = { name: layer.name, classify, widths, width, hasNames };
      const tile = await decode(bytes, [taking]).catch(() => {
        throw new Problem(0, _("“{layer}”的瓦片无法读取，稍后重试。", { layer: layer.title }));
      });
      return tile[layer.name] ?? null;
    };
    return {
      scheme: OWN,
      level: (zoom, ratio) => levelAt(zoom, ratio, { size: TILE_PX, least: 0, most, up: true }),
      load,
      paint: (content, place, frame) => paint([{ shapes: content, plan: this.#plan(content, place, frame) }], frame.width, frame.height),
    };
  }

  /**
   * @param {Content} content
   * @param {TilePlace} place
   * @param {import("./tile_pictures.js").Frame} frame
   * @returns {import("../core/tile_paint.js").Plan}
   */
  #plan({ extent, properties, borders }, place, { world, left, top }) {
    const { zoom, scale, colour } = this.look;
    const side = world / 2 ** place.z;
    const px = (/** @type {number} */ width) => widthAt(width, zoom) * scale * density();
    const { inks, inkOf } = this.#inks(properties, px);
    return {
      unit: side / extent,
      dx: place.x * side - left,
      dy: place.y * side - top,
      inks,
      inkOf,
      border: colour(this.layer.style.stroke),
      borderWidths: borders.map((group) => px(group.width)),
    };
  }

  /**
   * How each feature is drawn: worked out once for all that are drawn alike.
   * @param {Record<string, unknown>[]} properties
   * @param {(width: number) => number} px device px of a line
   */
  #inks(properties, px) {
    const { layer, tokens, look } = this;
    const { classify, state, fill, fill_opacity } = layer.style;
    /** @type {import("../core/tile_paint.js").Ink[]} */
    const inks = [];
    /** @type {Map<string, number>} */
    const known = new Map();
    const inkOf = Uint16Array.from(properties, (one) => {
      const token = tokens ? (tokens.get(String(one[layer.key] ?? "")) ?? "") : null;
      const alike = token + "/" + (classify ? String(one[classify] ?? "") : "") + "/" + (state ? String(one[state] ?? "") : "");
      let ink = known.get(alike);
      if (ink === undefined) {
        const drawing = drawingOf(layer, one);
        if (token !== null) Object.assign(drawing, token ? { fill: token, fillOpacity: NUMBERED_OPACITY } : { fill, fillOpacity: fill_opacity });
        const { fillOpacity, shape, mark } = drawing;
        const [fillColour, stroke, edge] = [drawing.fill, drawing.stroke, drawing.edge].map(look.colour);
        const sizes = { width: px(drawing.width), radius: this.#radius(drawing.radius) * density() };
        ink = inks.push({ fill: fillColour ?? "", fillOpacity, stroke: stroke ?? "", ...sizes, shape, mark, edge: edge ?? "" }) - 1;
        known.set(alike, ink);
      }
      return ink;
    });
    return { inks, inkOf };
  }
}

/**
 * @param {TilePlace} tile
 * @param {number} x share of the tile
 * @param {number} y share of the tile
 */
function placeOf(tile, x, y) {
  const columns = 2 ** tile.z;
  return degreesOf((tile.x + x) / columns, (tile.y + y) / columns);
}
