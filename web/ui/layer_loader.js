/** Brings the catalogue's layers onto a map: small ones whole, large ones in tiles or by the part in view. */

import { getJson } from "../core/http.js";

/** @typedef {import("../core/types.js").Layer} Layer */
/** @typedef {import("../core/types.js").OneFeature} OneFeature */

const WAIT_MS = 250;
/** Up to so many rows a layer is fetched whole, as the server says of those in force. */
const WHOLE_ROWS = 1_500;
/** The deepest tiles of a generation that is not in force. */
const DEEPEST = 16;
/** Half the side of what is asked for to learn of one thing, degrees. */
const REACH = 1e-6;

export class LayerLoader {
  /**
   * @param {import("../map/city_map.js").CityMap} map
   * @param {Layer[]} layers
   * @param {(error: unknown) => void} [trouble] told of what a move of the map could not fetch; it is tried again
   * @param {(url: string) => Promise<any>} [get] what fetches, where it is not the network alone
   * @param {Record<string, string[]>} [facts] layers of which the page wants every feature, also of those in tiles: fields beside
   *   key and name
   */
  constructor(map, layers, trouble = () => {}, get = getJson, facts = {}) {
    this.get = get;
    this.map = map;
    this.layers = layers;
    this.trouble = trouble;
    this.facts = facts;
    /** @type {Map<string, string>} address last drawn of each layer */
    this.drawn = new Map();
    /** @type {Set<string>} layers whose last change could not be fetched: what is drawn of them is old */
    this.stale = new Set();
    /** @type {Map<string, number>} generations shown that are not in force */
    this.generations = new Map();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined;
    if (layers.some(({ tiles }) => tiles)) map.expectTiles();
    map.onMove(() => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => this.#loadInRange().catch(trouble), WAIT_MS);
    });
  }

  /** Draw every layer that the present zoom shows. */
  async load() {
    await this.#loadInRange();
  }

  /**
   * Draw a layer again because its data changed. What is drawn of it stays until the new is there.
   * @param {string} name
   */
  async reload(name) {
    await this.#take(this.layers.filter((layer) => layer.name === name));
  }

  /** Draw every layer again: of what changed nobody may have told. */
  async renew() {
    await this.#take(this.layers);
  }

  /** @param {Layer[]} some */
  async #take(some) {
    if (some.length === 0) return;
    for (const { name } of some) {
      this.drawn.delete(name);
      this.generations.delete(name);
    }
    try {
      const { layers } = await this.get("/api/catalogue");
      // it may have grown beyond what is fetched whole, and its tiles have another address
      for (const layer of some) Object.assign(layer, layers.find((/** @type {Layer} */ { name }) => name === layer.name));
    } catch (error) {
      for (const { name } of some) this.stale.add(name);
      throw error;
    }
    await this.#loadInRange();
  }

  /**
   * Draw a generation that is not in force instead of the one that is, until `reload`.
   * @param {string} name
   * @param {{id: number, feature_count: number}} generation
   */
  async showGeneration(name, { id, feature_count }) {
    const layer = this.layers.find((one) => one.name === name);
    if (!layer) return;
    this.generations.set(name, id);
    if (feature_count > WHOLE_ROWS) {
      const tiles = { url: "/tiles/" + name + "/{z}/{x}/{y}.mvt?generation=" + id, max_zoom: layer.tiles?.max_zoom ?? DEEPEST };
      this.drawn.set(name, this.#url(layer));
      await this.map.setTiles({ ...layer, count: feature_count, tiles }, (error) => this.#hear(name, error));
      return;
    }
    const features = await this.get(layer.url + "?generation=" + id);
    this.drawn.set(name, this.#url(layer));
    this.map.setFeatures(layer, features);
  }

  /**
   * All that the reader may know of a thing on the map.
   * @param {NonNullable<import("../map/city_map.js").Pick["found"]>} found
   * @returns {Promise<OneFeature>}
   */
  async whole({ layer, feature, isWhole }) {
    if (isWhole || feature.geometry.type !== "Point") return feature;
    const [lon = 0, lat = 0] = feature.geometry.coordinates;
    const box = [lon - REACH, lat - REACH, lon + REACH, lat + REACH].map((degrees) => degrees.toFixed(7));
    const generation = this.generations.get(layer.name);
    const { features } = await this.get(layer.url + "?bbox=" + box.join(",") + (generation === undefined ? "" : "&generation=" + generation));
    const key = feature.properties[layer.key];
    return features.find((/** @type {OneFeature} */ one) => one.properties[layer.key] === key) ?? feature;
  }

  async #loadInRange() {
    await Promise.all(this.layers.filter((layer) => this.map.isInRange(layer)).map((layer) => this.#load(layer)));
  }

  /** @param {Layer} layer */
  async #load(layer) {
    const url = this.#url(layer);
    if (this.drawn.get(layer.name) === url) return;
    this.drawn.set(layer.name, url);
    try {
      if (layer.tiles) {
        this.stale.delete(layer.name);
        await this.map.setTiles(layer, (error) => this.#hear(layer.name, error));
        void this.#loadExtents(layer, url);
        return;
      }
      const features = layer.count === 0 ? { type: "FeatureCollection", features: [] } : await this.get(url);
      // a later move may have asked for another part meanwhile
      if (this.drawn.get(layer.name) === url) this.map.setFeatures(layer, features);
      this.stale.delete(layer.name);
    } catch (error) {
      this.drawn.delete(layer.name);
      this.stale.add(layer.name);
      throw error;
    }
  }

  /**
   * Where everything of a tiled layer is, for what must know more than the view; the map does not wait for it.
   * @param {Layer} layer
   * @param {string} url of its tiles
   */
  async #loadExtents(layer, url) {
    const wanted = this.facts[layer.name];
    if (!layer.extents_url || !wanted) return;
    const shown = new Set(layer.fields.map(({ name }) => name));
    const fields = [layer.label ?? "", ...wanted].filter((name) => shown.has(name));
    const sign = layer.extents_url.includes("?") ? "&" : "?";
    try {
      const extents = await this.get(layer.extents_url + (fields.length > 0 ? sign + "fields=" + fields.join(",") : ""));
      if (this.drawn.get(layer.name) === url) this.map.setExtents(layer.name, extents);
    } catch (error) {
      // asked for again with the next move, event or minute
      if (this.drawn.get(layer.name) === url) this.drawn.delete(layer.name);
      this.trouble(error);
    }
  }

  /**
   * A tile could not be fetched, or (null) all are there: what stands in its place is old.
   * @param {string} name
   * @param {unknown} error
   */
  #hear(name, error) {
    if (error === null) {
      this.stale.delete(name);
      return;
    }
    this.stale.add(name);
    this.trouble(error);
  }

  /** @param {Layer} layer */
  #url(layer) {
    if (layer.tiles) return layer.tiles.url;
    if (layer.style.min_zoom === 0) return layer.url;
    const box = this.map.view().map((value) => value.toFixed(5));
    return layer.url + "?bbox=" + box.join(",");
  }
}
