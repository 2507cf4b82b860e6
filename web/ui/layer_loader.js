/** Brings the catalogue's layers onto a map: whole ones once, large ones by the part in view. */

import { getJson } from "../core/http.js";

/** @typedef {import("../core/types.js").Layer} Layer */

const WAIT_MS = 250;

export class LayerLoader {
  /**
   * @param {import("../map/city_map.js").CityMap} map
   * @param {Layer[]} layers
   * @param {(error: unknown) => void} [trouble] told of what a move of the map could not fetch; the next move tries again
   * @param {(url: string) => Promise<any>} [get] what fetches, where it is not the network alone
   */
  constructor(map, layers, trouble = () => {}, get = getJson) {
    this.get = get;
    this.map = map;
    this.layers = layers;
    /** @type {Map<string, string>} address last drawn of each layer */
    this.drawn = new Map();
    /** @type {Set<string>} layers whose last change could not be fetched: what is drawn of them is old */
    this.stale = new Set();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.waiting = undefined;
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
   * Draw a layer again because its data changed.
   * @param {string} name
   */
  async reload(name) {
    this.drawn.delete(name);
    await this.#loadInRange();
  }

  /**
   * Draw a generation that is not in force instead of the one that is, until `reload`.
   * @param {string} name
   * @param {number} generation
   */
  async showGeneration(name, generation) {
    const layer = this.layers.find((one) => one.name === name);
    if (!layer) return;
    const features = await this.get(layer.url + "?generation=" + generation);
    this.drawn.set(name, this.#url(layer));
    this.map.setFeatures(layer, features);
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
      const features = await this.get(url);
      // a later move may have asked for another part meanwhile
      if (this.drawn.get(layer.name) === url) this.map.setFeatures(layer, features);
      this.stale.delete(layer.name);
    } catch (error) {
      this.drawn.delete(layer.name);
      this.stale.add(layer.name);
      throw error;
    }
  }

  /** @param {Layer} layer */
  #url(layer) {
    if (layer.style.min_zoom === 0) return layer.url;
    const box = this.map.view().map((value) => value.toFixed(5));
    return layer.url + "?bbox=" + box.join(",");
  }
}
