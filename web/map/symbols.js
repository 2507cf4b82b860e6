/** What a canvas draws beyond lines and fills: points with a shape of their own. */

import { drawSymbol } from "../core/symbol.js";
import { CircleMarker } from "../vendor/leaflet.js";

/**
 * A symbol drawn once, to be copied wherever it stands; its middle is the picture's.
 * @param {{shape: string, radius: number, fill: string, casing: string, width: number}} symbol sizes in device px
 */
export function stamp(symbol) {
  const half = Math.ceil(symbol.radius * 1.2 + symbol.width) + 1;
  const picture = document.createElement("canvas");
  picture.width = picture.height = 2 * half;
  const ctx = /** @type {CanvasRenderingContext2D} */ (picture.getContext("2d"));
  drawSymbol(ctx, { ...symbol, fillOpacity: 1, x: half, y: half });
  return { picture, half };
}

/** A point drawn on the canvas with a shape of its own. */
export class ShapeMarker extends CircleMarker {
  /** Called by the renderer whenever this point must be drawn. */
  _updatePath() {
    const self = /** @type {any} */ (this);
    const renderer = self._renderer;
    if (!renderer._drawing || self._empty()) return;
    const { shape, fillColor, fillOpacity, color, weight, mark, edge } = self.options;
    drawSymbol(renderer._ctx, {
      shape,
      x: self._point.x,
      y: self._point.y,
      radius: self._radius,
      fill: fillColor,
      fillOpacity,
      casing: color,
      width: weight,
      mark,
      edge,
    });
  }
}

/** Shapes of incidents by mark: state is never colour alone. */
export const MARK_SHAPES = /** @type {const} */ ({
  open: "circle",
  urgent: "triangle",
  overdue: "diamond",
  done: "check",
});
