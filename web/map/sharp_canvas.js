/**
 * The library's canvas in real pixels: as many as the screen has, and none between two of them. It reaches beyond the view
 * and moves with the map; only when the view leaves it, or the map has come to rest, is it laid anew, and then what it shows
 * already is moved and not drawn again.
 */

import { Bounds, Canvas, DomUtil, Point } from "../vendor/leaflet.js";

/** Steps are looked for up to this, px. */
const WIDEST_STEP = 20;
/** The map counts as at rest after this. */
const REST_MS = 250;

/** Device pixels a px. */
export function density() {
  return window.devicePixelRatio || 1;
}

/** The least number of px that are a whole number of device pixels. @param {number} ratio */
function wholeStep(ratio) {
  for (let step = 1; step <= WIDEST_STEP; step += 1) {
    if (Math.abs(step * ratio - Math.round(step * ratio)) < 1e-3) return step;
  }
  return 1;
}

export class SharpCanvas extends Canvas {
  /** @param {{pane: string, padding?: number, part?: [number, number]}} options `part` of the map's width that is seen, in shares of it */
  constructor({ part = [0, 1], ...options }) {
    super(/** @type {any} */ ({ ...options, part }));
  }

  /**
   * Events of the map that this answers.
   * @override
   */
  getEvents() {
    const self = /** @type {any} */ (this);
    const events = /** @type {any} */ (Canvas.prototype).getEvents.call(this);
    return {
      ...events,
      // what zooms is laid anew when it has zoomed: only then are the paths projected anew
      move: () => !self._map._animatingZoom && self._zoom === self._map.getZoom() && this.#isLeft() && this._update(),
      moveend: () => {
        clearTimeout(self._resting);
        // in motion every frame counts, and the margin still covers the view
        if (this.#isLeft()) this._update();
        else self._resting = setTimeout(() => self._map && this._update(), REST_MS);
      },
    };
  }

  /** Whether the view shows ground beyond the canvas, or another zoom. */
  #isLeft() {
    const self = /** @type {any} */ (this);
    const map = self._map;
    if (!self._bounds || self._zoom !== map.getZoom()) return true;
    return !self._bounds.contains(this.view);
  }

  /** What is seen of the map, in layer px. */
  get view() {
    const { _map: map } = /** @type {any} */ (this);
    const { left, size } = this.#part();
    const corner = map.containerPointToLayerPoint([left, 0]);
    return new Bounds(corner, corner.add(size));
  }

  /** The part of the map that this screen shows: where it begins and its size, px of the map's element. */
  #part() {
    const { _map: map, options } = /** @type {any} */ (this);
    const { x, y } = map.getSize();
    /** @type {[number, number]} */
    const [from, to] = options.part;
    return { left: from * x, size: new Point((to - from) * x, y) };
  }

  /** Whether the map is being dragged or slides. */
  get isMoving() {
    const { _map: map } = /** @type {any} */ (this);
    return Boolean(map.dragging?.moving() || map._panAnim?._inProgress);
  }

  /** Called when the canvas must be laid over the view, and a margin, anew. */
  _update() {
    const self = /** @type {any} */ (this);
    const map = self._map;
    if (map._animatingZoom && self._bounds) return;
    clearTimeout(self._resting);
    const ratio = density();
    const step = wholeStep(ratio);
    const { left, size } = this.#part();
    const outward = (/** @type {number} */ px) => Math.ceil((px * (self.options.padding ?? 0)) / step) * step;
    const margin = new Point(outward(size.x), outward(size.y));
    const whole = (/** @type {number} */ px) => Math.ceil(px / step) * step;
    const extent = new Point(whole(size.x + 2 * margin.x), whole(size.y + 2 * margin.y));
    const min = map.containerPointToLayerPoint(new Point(left, 0).subtract(margin)).round();
    const before = { bounds: self._bounds, zoom: self._zoom, corner: self._corner };
    self._bounds = new Bounds(min, min.add(extent));
    self._center = map.getCenter();
    self._zoom = map.getZoom();
    /** The canvas' corner on the whole world in px of this zoom. */
    self._corner = map.getPixelOrigin().add(min);
    const canvas = self._container;
    DomUtil.setPosition(canvas, min);
    const [width, height] = [Math.round(extent.x * ratio), Math.round(extent.y * ratio)];
    const isSame = before.zoom === self._zoom && canvas.width === width && canvas.height === height && self._ratio === ratio;
    self._ratio = ratio;
    self._exposed = isSame && self._isDrawn ? this.#move(before.corner) : null;
    if (!isSame) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.width = `${extent.x}px`;
      canvas.style.height = `${extent.y}px`;
    }
    self._ctx.setTransform(ratio, 0, 0, ratio, -min.x * ratio, -min.y * ratio);
    self.fire("update");
  }

  /**
   * Move what the canvas shows to where it belongs now.
   * @param {Point} corner of the canvas on the world as it was
   * @returns {Bounds[] | null} what came into view, in layer px; null where all must be drawn
   */
  #move(corner) {
    const self = /** @type {any} */ (this);
    const ratio = self._ratio;
    const shift = corner.subtract(self._corner);
    const [x, y] = [shift.x * ratio, shift.y * ratio];
    const { min, max } = self._bounds;
    const { width, height } = self._container;
    const isWhole = Math.abs(x - Math.round(x)) < 1e-6 && Math.abs(y - Math.round(y)) < 1e-6;
    if (self._redrawRequest || !isWhole || Math.abs(x) >= width / 2 || Math.abs(y) >= height / 2) return null;
    if (x === 0 && y === 0) return [];
    const ctx = /** @type {CanvasRenderingContext2D} */ (self._ctx);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.globalCompositeOperation = "copy";
    ctx.drawImage(self._container, Math.round(x), Math.round(y));
    ctx.globalCompositeOperation = "source-over";
    const strips = [];
    if (shift.x > 0) strips.push(new Bounds(min, new Point(min.x + shift.x, max.y)));
    if (shift.x < 0) strips.push(new Bounds(new Point(max.x + shift.x, min.y), max));
    if (shift.y > 0) strips.push(new Bounds(min, new Point(max.x, min.y + shift.y)));
    if (shift.y < 0) strips.push(new Bounds(new Point(min.x, max.y + shift.y), max));
    return strips;
  }

  /** Called to draw what has changed: whole device pixels of it, or a line would show where it was cut out. */
  _redraw() {
    const self = /** @type {any} */ (this);
    const changed = self._redrawBounds;
    if (changed && self._bounds) {
      const step = wholeStep(self._ratio);
      const { min } = self._bounds;
      const whole = (/** @type {Point} */ { x, y }, /** @type {(value: number) => number} */ round) =>
        new Point(min.x + round((x - min.x) / step) * step, min.y + round((y - min.y) / step) * step);
      self._redrawBounds = new Bounds(whole(changed.min, Math.floor), whole(changed.max, Math.ceil));
    }
    /** @type {any} */ (Canvas.prototype)._redraw.call(this);
  }

  /** Called after that: draw what came into view, or everything. */
  _updatePaths() {
    const self = /** @type {any} */ (this);
    /** @type {Bounds[] | null} */
    const exposed = self._exposed;
    self._exposed = null;
    self._isDrawn = !self._postponeUpdatePaths;
    if (!self._isDrawn) return;
    if (!exposed) {
      /** @type {any} */ (Canvas.prototype)._updatePaths.call(this);
      return;
    }
    for (const layer of Object.values(self._layers)) /** @type {any} */ (layer)._update();
    for (const strip of exposed) {
      self._redrawBounds = strip;
      self._clear();
      self._draw();
    }
    self._redrawBounds = null;
  }

  /**
   * Called while the map zooms, and when it has zoomed.
   * @param {import("../vendor/leaflet.js").LatLng} center
   * @param {number} zoom
   */
  _updateTransform(center, zoom) {
    const self = /** @type {any} */ (this);
    const scale = self._map.getZoomScale(zoom, self._zoom);
    const corner = self._corner.multiplyBy(scale).subtract(self._map._getNewPixelOrigin(center, zoom));
    DomUtil.setTransform(self._container, scale === 1 ? corner.round() : corner, scale);
  }
}
