/** Many symbols as one path of the canvas: each kind is drawn once and copied, thousands of times in a frame. */

import { Bounds, Path, Point, Util } from "../vendor/leaflet.js";
import { worldOf } from "../core/tile_matrix.js";
import { density } from "./sharp_canvas.js";
import { stamp } from "./symbols.js";

/** @typedef {{lon: number, lat: number, x: number, y: number, kind: string, isTop: boolean}} Spot `x` and `y` in the world square */
/** @typedef {(kind: string) => {shape: string, radius: number, fill: string, casing: string, width: number}} Design sizes in px */

export class SymbolField extends Path {
  /**
   * @param {import("./sharp_canvas.js").SharpCanvas} renderer
   * @param {Design} design how a kind of symbol is drawn
   */
  constructor(renderer, design) {
    super();
    Util.setOptions(/** @type {any} */ (this), { renderer, interactive: false, weight: 0 });
    this.canvas = renderer;
    this.design = design;
    /** @type {Map<string, Spot>} */
    this.spots = new Map();
    /** @type {Map<string, ReturnType<typeof stamp>>} */
    this.stamps = new Map();
    this.ratio = 0;
  }

  /**
   * Put a symbol somewhere, or change it where it stands.
   * @param {string} key
   * @param {number} lon
   * @param {number} lat
   * @param {string} kind
   * @param {boolean} isTop whether it lies over those that are not
   */
  put(key, lon, lat, kind, isTop) {
    const known = this.spots.get(key);
    if (known && known.lon === lon && known.lat === lat && known.kind === kind && known.isTop === isTop) return;
    if (known) this.#redraw(known);
    const [x, y] = worldOf(lon, lat);
    const spot = { lon, lat, x, y, kind, isTop };
    this.spots.set(key, spot);
    this.#redraw(spot);
  }

  /** @param {string} key */
  takeAway(key) {
    const known = this.spots.get(key);
    if (!known) return;
    this.spots.delete(key);
    this.#redraw(known);
  }

  /** Draw all of them anew, in other colours or sizes. */
  restyle() {
    this.stamps.clear();
    const canvas = /** @type {any} */ (this.canvas);
    if (canvas._bounds) canvas._requestRedraw({ _pxBounds: canvas._bounds, options: { weight: 0 } });
  }

  // ---- what the canvas asks of a path ------------------------------------------------------------------------------

  _project() {}

  _update() {
    /** @type {any} */ (this)._pxBounds = /** @type {any} */ (this.canvas)._bounds;
    if (this.ratio !== density()) this.stamps.clear();
    this.ratio = density();
  }

  _updateBounds() {}

  _updatePath() {
    const canvas = /** @type {any} */ (this.canvas);
    if (!canvas._drawing) return;
    const { ratio } = this;
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas._ctx);
    const world = this.#world();
    const [left, top] = [canvas._corner.x * ratio, canvas._corner.y * ratio];
    const { min, max } = canvas._redrawBounds ?? canvas._bounds;
    const shift = canvas._bounds.min;
    const reach = 2 * this.#reach();
    const box = [(min.x - shift.x) * ratio - reach, (min.y - shift.y) * ratio - reach, (max.x - shift.x) * ratio + reach, (max.y - shift.y) * ratio + reach];
    ctx.save();
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    for (const isTop of [false, true]) {
      for (const spot of this.spots.values()) {
        if (spot.isTop !== isTop) continue;
        const [x, y] = [spot.x * world - left, spot.y * world - top];
        if (x < /** @type {number} */ (box[0]) || y < /** @type {number} */ (box[1]) || x > /** @type {number} */ (box[2]) || y > /** @type {number} */ (box[3])) continue;
        const { picture, half } = this.#stamp(spot.kind);
        // between two pixels a copy would be blurred
        ctx.drawImage(picture, Math.round(x) - half, Math.round(y) - half);
      }
    }
    ctx.restore();
  }

  // ------------------------------------------------------------------------------------------------------------------

  /** Width of the world, device px. */
  #world() {
    return 256 * 2 ** /** @type {any} */ (this.canvas)._zoom * this.ratio;
  }

  /** @param {string} kind */
  #stamp(kind) {
    let made = this.stamps.get(kind);
    if (!made) {
      const { ratio } = this;
      const { shape, radius, fill, casing, width } = this.design(kind);
      made = stamp({ shape, fill, casing, radius: radius * ratio, width: width * ratio });
      this.stamps.set(kind, made);
    }
    return made;
  }

  /** Half the side of the largest symbol, device px. */
  #reach() {
    return Math.max(0, ...[...this.stamps.values()].map(({ half }) => half));
  }

  /** Have the canvas draw one symbol's place again. @param {Spot} spot */
  #redraw({ x, y, kind }) {
    const canvas = /** @type {any} */ (this.canvas);
    if (!canvas._bounds || !(/** @type {any} */ (this)._map)) return;
    const size = this.#world() / this.ratio;
    const half = this.#stamp(kind).half / this.ratio + 1;
    const at = new Point(x * size, y * size).subtract(canvas._corner).add(canvas._bounds.min);
    const bounds = new Bounds(at.subtract([half, half]), at.add([half, half]));
    if (bounds.intersects(canvas._bounds)) canvas._requestRedraw({ _pxBounds: bounds, options: { weight: 0 } });
  }
}
