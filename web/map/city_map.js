/** The map as the pages know it; the rest of the interface never touches the map library. */

import { Circle, LatLngBounds, LayerGroup, Map as LeafletMap, Popup, PosAnimation, control } from "../vendor/leaflet.js";
import { boundsOf } from "../core/geometry.js";
import { BaseMap } from "./base_map.js";
import { FeatureLayer } from "./feature_layer.js";
import { FindingLayer } from "./finding_layer.js";
import { IncidentLayer } from "./incident_layer.js";
import { LabelLayer } from "./label_layer.js";
import { MoveLayer } from "./move_layer.js";
import { SharpCanvas } from "./sharp_canvas.js";
import { ShapeMarker } from "./symbols.js";
import { TiledLayer } from "./tiled_layer.js";
import { prepare } from "./tile_workers.js";

/** @typedef {import("../core/types.js").Layer} Layer */
/** @typedef {import("../core/types.js").Bounds} Bounds */
/** @typedef {{top?: number, right?: number, bottom?: number, left?: number}} Padding */

/**
 * What lies where somebody touched the map.
 * @typedef {object} Pick
 * @property {number} lon
 * @property {number} lat
 * @property {{number: string} | null} incident
 * @property {{layer: Layer, feature: import("../core/types.js").OneFeature, isWhole: boolean} | null} found topmost feature;
 *   of one that is not whole only the key, the name and the class are known
 */

/** Panes from the bottom up, between the library's own tile pane (200) and pop-up pane (700). */
const PANES = { features: 410, findings: 420, labels: 430, incidents: 440, pulses: 450 };
const FARTHEST_IN = 19;
/** Lifts the borders of areas over grids and sub-grids, and no farther: points stay on top. */
const OVER_CELLS = 25;
/** @type {import("../core/types.js").OneFeature[]} */
const NOTHING = [];

// a map that slides stands on whole px in every frame: between two all of it would be blurred, and composed more slowly
const { _runFrame: runFrame } = /** @type {any} */ (PosAnimation.prototype);
/** @type {any} */ (PosAnimation).include({
  _runFrame(/** @type {number} */ progress) {
    runFrame.call(this, progress, true);
  },
});

export class CityMap {
  /**
   * @param {HTMLElement} element
   * @param {{scale?: () => number, buttons?: boolean, part?: [number, number], margin?: number}} [options] `scale` of line widths and
   *   symbols, asked again on every resize; `part` of the map's width that this screen shows, in shares of it; `margin` drawn around the
   *   view, so that a map that is dragged shows no edge, in shares of the view
   */
  constructor(element, { scale = () => 1, buttons = true, part = [0, 1], margin = 0.2 } = {}) {
    this.element = element;
    this.scale = scale;
    this.map = new LeafletMap(element, {
      attributionControl: false,
      zoomControl: false,
      zoomSnap: 0.25,
      maxZoom: FARTHEST_IN,
      center: [35, 105],
      zoom: 4,
    });
    if (buttons) control.zoom({ position: "topright" }).addTo(this.map);
    control.scale({ imperial: false, position: "bottomright" }).addTo(this.map);
    for (const [name, zIndex] of Object.entries(PANES)) {
      this.map.createPane(name).style.zIndex = String(zIndex);
    }
    const look = this.#look();
    /** @type {Map<string, FeatureLayer | TiledLayer>} */
    this.layers = new Map();
    /** Before the map is brought to a place it shows half the world, of which nobody wants tiles. */
    this.isPlaced = false;
    /** What was asked to be in view last, and what is in view since. */
    this.fitted = { wanted: "", seen: "" };
    /** @type {BaseMap | null} */
    this.base = null;
    /** @type {Map<string, boolean>} layers that a scene shows always or never */
    this.shown = new Map();
    /** @type {Map<string, Map<string, string>>} colours by number, by layer; also of layers that are still to come */
    this.tokens = new Map();
    const canvas = (/** @type {string} */ pane) => new SharpCanvas({ pane, padding: margin, part });
    this.features = canvas("features");
    this.findings = new FindingLayer(canvas("findings"), look);
    this.moves = new MoveLayer(canvas("findings"), look);
    this.incidents = new IncidentLayer(canvas("incidents"), look);
    this.labels = new LabelLayer(() => this.#names(), look);
    this.place = new LayerGroup();
    for (const layer of [this.findings.group, this.moves.group, this.incidents.group, this.place]) layer.addTo(this.map);
    this.labels.addTo(this.map);
    this.map.on("zoomend", () => {
      const zoomed = this.#look();
      this.base?.restyle(zoomed);
      for (const layer of this.layers.values()) layer.restyle(zoomed);
      this.#showByZoom();
    });
    this.map.on("resize", () => this.restyle());
    new ResizeObserver(() => this.map.invalidateSize({ animate: false })).observe(element);
  }

  /**
   * Lay a base map under all layers, or take it away.
   * @param {import("../core/types.js").BaseMap | null | undefined} described
   */
  setBase(described) {
    this.base?.remove();
    const told = { complete: () => this.labels.draw(), trouble: () => this.map.fire("drawn") };
    this.base = described ? new BaseMap(described, this.features, this.#look(), told) : null;
    if (this.isPlaced) this.base?.addTo(this.map);
  }

  /**
   * Draw a layer's features, or draw them anew.
   * @param {Layer} layer
   * @param {import("../core/types.js").Features} features
   */
  setFeatures(layer, features) {
    let shown = this.layers.get(layer.name);
    if (!(shown instanceof FeatureLayer)) {
      shown = new FeatureLayer(layer, this.features, this.#look());
      this.#replace(shown);
    }
    shown.setFeatures(features);
    this.#showByZoom();
    this.labels.draw();
  }

  /**
   * Draw a layer from its tiles, or take those of another generation.
   * @param {Layer} layer
   * @param {(error: unknown) => void} trouble told what a tile could not be fetched for, and null when all are there
   * @returns {Promise<void>} when all that is in view is painted, or something could not be fetched
   */
  setTiles(layer, trouble) {
    return new Promise((resolve) => {
      let shown = this.layers.get(layer.name);
      if (!(shown instanceof TiledLayer)) {
        shown = new TiledLayer(layer, this.features, this.#look());
        this.#replace(shown);
      }
      shown.told = {
        complete: () => {
          this.labels.draw();
          this.map.fire("drawn");
          resolve();
        },
        trouble: (error) => {
          trouble(error);
          this.map.fire("drawn");
          resolve();
        },
      };
      shown.renew(layer);
      this.#showByZoom();
      if (shown.isComplete) resolve();
    });
  }

  /** Have ready what takes tiles apart, before they come. */
  expectTiles() {
    prepare();
  }

  /**
   * Tell where the rows of a tiled layer are, also of those that are not in view.
   * @param {string} name
   * @param {import("../core/types.js").Extents} extents
   */
  setExtents(name, extents) {
    const layer = this.layers.get(name);
    if (!(layer instanceof TiledLayer)) return;
    layer.setExtents(extents);
    this.map.fire("drawn");
  }

  /** How many tiles in view could not be fetched. */
  get failedTiles() {
    return [...this.layers.values()].reduce((sum, one) => sum + (one instanceof TiledLayer ? one.pictures.failed : 0), this.base?.failed ?? 0);
  }

  /** Whether tiles of the base map are missing in view. */
  get isBaseMissing() {
    return this.base?.isMissing ?? false;
  }

  /** @param {FeatureLayer | TiledLayer} layer */
  #replace(layer) {
    const { name } = layer.layer;
    this.layers.get(name)?.group.remove();
    layer.tokens = this.tokens.get(name) ?? null;
    this.layers.set(name, layer);
  }

  /** @param {string} name */
  removeLayer(name) {
    this.layers.get(name)?.group.remove();
    this.layers.delete(name);
    this.labels.draw();
  }

  /**
   * Draw a layer at every zoom, at none, or by its own style again.
   * @param {string} name
   * @param {"always" | "never" | "by_zoom"} when
   */
  setShown(name, when) {
    if (when === "by_zoom") this.shown.delete(name);
    else this.shown.set(name, when === "always");
    this.#showByZoom();
  }

  /**
   * Colour a layer's features by number (tokens by key), or by its own style again.
   * @param {string} name
   * @param {Map<string, string> | null} tokens
   */
  colourBy(name, tokens) {
    if (tokens) this.tokens.set(name, tokens);
    else this.tokens.delete(name);
    this.layers.get(name)?.colourBy(tokens);
  }

  /** Whether a layer is drawn at the present zoom. @param {Layer} layer */
  isInRange(layer) {
    const always = this.shown.get(layer.name);
    if (layer.tiles && !this.isPlaced) return false;
    if (always !== undefined) return always;
    return Math.round(this.map.getZoom()) >= layer.style.min_zoom;
  }

  /**
   * The features of a layer as they came, the same list as long as they are the same; of a tiled layer their boxes.
   * @param {string} name
   */
  featuresOf(name) {
    return this.layers.get(name)?.features ?? NOTHING;
  }

  /** The box around a layer's features, or null. @param {string} name */
  boundsOf(name) {
    return boundsOf(this.featuresOf(name).map(({ geometry }) => geometry));
  }

  /** The layers that are on the map now, from the bottom up, with the classes and states that occur. */
  drawn() {
    return [...this.layers.values()]
      .filter((one) => !one.isEmpty && this.isInRange(one.layer))
      .sort((a, b) => a.layer.order - b.layer.order)
      .map((one) => ({ layer: one.layer, ...one.values() }));
  }

  /** Keep names away from what lies over the map. @param {() => DOMRect[]} covers its boxes, px of the page */
  avoid(covers) {
    this.labels.covers = covers;
  }

  /** Place the names anew, because what lies over the map has changed. */
  letter() {
    this.labels.draw();
  }

  /** @param {() => void} handler called when other layers are on the map than before */
  onDrawn(handler) {
    this.map.on("drawn", handler);
  }

  /** @returns {Bounds} */
  view() {
    const box = this.map.getBounds();
    return [
      Math.max(-180, box.getWest()),
      Math.max(-90, box.getSouth()),
      Math.min(180, box.getEast()),
      Math.min(90, box.getNorth()),
    ];
  }

  /**
   * Bring a box into view, in the part that `padding` (px) leaves free.
   * @param {Bounds} bounds
   * @param {Padding} [padding]
   * @param {{closest?: number}} [options] `closest` zoom to go to
   */
  fit([west, south, east, north], { top = 16, right = 16, bottom = 16, left = 16 } = {}, { closest = FARTHEST_IN } = {}) {
    this.#place();
    const { x: width, y: height } = this.map.getSize();
    const wanted = [west, south, east, north, top, right, bottom, left, closest, width, height].join();
    // scene after scene shows the same extent: the whole map would be worked out anew for nothing
    if (this.fitted.wanted === wanted && this.fitted.seen === this.map.getBounds().toBBoxString()) return;
    this.map.fitBounds(new LatLngBounds([south, west], [north, east]), {
      paddingTopLeft: [left, top],
      paddingBottomRight: [right, bottom],
      maxZoom: closest,
      animate: false,
    });
    this.fitted = { wanted, seen: this.map.getBounds().toBBoxString() };
  }

  /** Let the zoom take any value, for a screen that shows one extent as large as it can. */
  zoomFreely() {
    this.map.options.zoomSnap = 0;
  }

  /**
   * Mark the place that is being reported, with the circle of its uncertainty.
   * @param {number} lon
   * @param {number} lat
   * @param {number | null} accuracy metres
   */
  showPlace(lon, lat, accuracy = null) {
    this.place.clearLayers();
    const accent = this.#colour("--accent");
    if (accuracy) {
      const ring = { radius: accuracy, renderer: this.incidents.renderer, interactive: false, color: accent, weight: 1, fillOpacity: 0.12 };
      this.place.addLayer(new Circle([lat, lon], ring));
    }
    const dot = { renderer: this.incidents.renderer, interactive: false, radius: 9, fillColor: accent, fillOpacity: 1, color: "#ffffff", weight: 3 };
    this.place.addLayer(new ShapeMarker([lat, lon], dot));
  }

  /** Take the mark of the place away. */
  hidePlace() {
    this.place.clearLayers();
  }

  /**
   * Move to a place, at least so close.
   * @param {number} lon
   * @param {number} lat
   * @param {number} zoom
   */
  goTo(lon, lat, zoom) {
    this.#place();
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.map.setView([lat, lon], Math.max(zoom, this.map.getZoom()), { animate: !still });
  }

  /** @param {(pick: Pick) => void} handler */
  onPick(handler) {
    this.map.on("click", ({ latlng, containerPoint }) => {
      const { lng: lon, lat } = latlng.wrap();
      /** @type {(lon: number, lat: number) => number} */
      const pixelsFrom = (x, y) => this.map.latLngToContainerPoint([y, x]).distanceTo(containerPoint);
      handler({ lon, lat, incident: this.incidents.at(pixelsFrom), found: this.#featureAt(lon, lat, pixelsFrom) });
    });
  }

  /** @param {() => void} handler called when the map has come to rest */
  onMove(handler) {
    this.map.on("moveend", handler);
  }

  /**
   * @param {number} lon
   * @param {number} lat
   * @param {HTMLElement} content
   */
  openPopup(lon, lat, content) {
    new Popup({ maxWidth: 320 }).setLatLng([lat, lon]).setContent(content).openOn(this.map);
  }

  #place() {
    if (this.isPlaced) return;
    this.isPlaced = true;
    // laid under the view that is about to come, and not under the half of the world that is seen before
    queueMicrotask(() => this.base?.addTo(this.map));
  }

  /** Take colours and sizes from the page again. */
  restyle() {
    const look = this.#look();
    this.base?.restyle(look);
    for (const layer of this.layers.values()) layer.restyle(look);
    this.findings.look = look;
    this.moves.look = look;
    this.incidents.restyle(look);
    this.labels.restyle(look);
  }

  #look() {
    // asking the page for a colour makes it compute its styles
    /** @type {Map<string, string>} */
    const known = new Map();
    const colour = (/** @type {string} */ token) => {
      const found = known.get(token) ?? this.#colour(token);
      known.set(token, found);
      return found;
    };
    return { colour, scale: this.scale(), zoom: this.map.getZoom() };
  }

  /** @param {string} token */
  #colour(token) {
    return token.startsWith("--") ? getComputedStyle(this.element).getPropertyValue(token).trim() : token;
  }

  #names() {
    const zoom = this.map.getZoom();
    const own = [...this.layers.values()].filter(({ layer }) => this.isInRange(layer)).flatMap((one) => one.names(zoom));
    return own.concat(this.base?.lettering(zoom) ?? []);
  }

  #showByZoom() {
    for (const { layer, group } of this.layers.values()) {
      const shown = this.map.hasLayer(group);
      if (this.isInRange(layer) !== shown) {
        if (shown) group.remove();
        else group.addTo(this.map);
      }
    }
    this.#stack();
    this.map.fire("drawn");
  }

  /** Layers arrive in any order and are drawn in the catalogue's; borders of levels lie over those of the cells within. */
  #stack() {
    const height = (/** @type {{layer: Layer}} */ { layer }) =>
      layer.order + (layer.kind === "boundary" && Object.keys(layer.style.widths ?? {}).length > 0 ? OVER_CELLS : 0);
    const ordered = [...this.layers.values()].sort((a, b) => height(a) - height(b));
    for (const { group } of ordered) {
      if (this.map.hasLayer(group)) group.eachLayer((path) => /** @type {any} */ (path).bringToFront());
    }
  }

  /**
   * @param {number} lon
   * @param {number} lat
   * @param {(lon: number, lat: number) => number} pixelsFrom
   */
  #featureAt(lon, lat, pixelsFrom) {
    const shown = [...this.layers.values()].filter(({ layer }) => this.isInRange(layer));
    for (const one of shown.sort((a, b) => b.layer.order - a.layer.order)) {
      const feature = one.at(lon, lat, pixelsFrom);
      if (feature) return { layer: one.layer, feature, isWhole: one instanceof FeatureLayer };
    }
    return null;
  }
}
