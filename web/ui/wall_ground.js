/** What a wall draws before it is told how things stand: its layers over the whole of its area. */

import { partOf } from "../core/screen.js";
import { CityMap } from "../map/city_map.js";
import { drawAfter } from "./chart.js";
import { byId } from "./dom.js";
import { LayerLoader } from "./layer_loader.js";

/** @typedef {import("../core/types.js").Bounds} Bounds */

/** The map comes first; charts and counts do not wait for it longer. */
const LONGEST_MS = 2_000;

export class WallGround {
  /**
   * @param {{layers: import("../core/types.js").Layer[], base_map?: import("../core/types.js").BaseMap | null}} catalogue
   * @param {string[]} addresses of the layers that the wall shows
   */
  constructor(catalogue, addresses) {
    this.layers = catalogue.layers.filter(({ url }) => addresses.includes(url));
    // a wall goes from extent to extent and is not dragged: what lies beyond the view would be drawn for nothing
    this.map = new CityMap(byId("map"), { scale: () => rem() / 16, buttons: false, part: partOf(location.search), margin: 0 });
    this.map.zoomFreely();
    this.map.setBase(catalogue.base_map);
    /** Told of what could not be fetched when the map moved. @type {(error: unknown) => void} */
    this.trouble = () => {};
    /** When what was begun is drawn, could not be, or has taken too long. @type {Promise<unknown>} */
    this.drawn = Promise.resolve();
    const told = (/** @type {unknown} */ error) => this.trouble(error);
    this.loader = new LayerLoader(this.map, this.layers, told, undefined, { grid: ["settlement_class"] });
  }

  /**
   * Begin to draw a box. What could not be fetched is tried again by whatever the wall does next.
   * @param {Bounds} bounds
   */
  begin(bounds) {
    fitBeside(this.map, bounds);
    const drawn = this.loader.load().catch(this.trouble);
    this.drawn = Promise.race([drawn, new Promise((done) => setTimeout(done, LONGEST_MS))]);
    drawAfter(this.drawn);
  }
}

/**
 * Show a box in the part of the map that the panels leave free.
 * @param {CityMap} map
 * @param {Bounds} bounds
 */
export function fitBeside(map, bounds) {
  const whole = byId("map").getBoundingClientRect();
  const left = byId("left").getBoundingClientRect();
  const right = byId("right").getBoundingClientRect();
  const gap = rem() * 1.25;
  const beside = left.right < right.left && right.top < whole.bottom - whole.height / 3;
  map.fit(bounds, {
    top: gap,
    bottom: gap,
    left: beside ? left.right - whole.left + gap : gap,
    right: beside ? whole.right - right.left + gap : gap,
  });
}

/** Root font size, px: the wall's unit of size. */
function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}
