/** Names on the map, lettered on a canvas of their own with a halo, none over another. */

import { DomUtil, Layer } from "../vendor/leaflet.js";
import { placeLabels } from "../core/labels.js";
import { boxOf, letter } from "./lettering.js";
import { density } from "./sharp_canvas.js";

/**
 * A name; `angle` (radians clockwise) where it is written along a line, `apart` px from the next place where it may be read again.
 * @typedef {{text: string, anchor: [number, number], rank: number, size: number, weight: number, token: string, angle?: number, apart?: number}} Name
 */
/** @typedef {import("./feature_layer.js").Look} Look */

export class LabelLayer extends Layer {
  /**
   * @param {() => Name[]} names asked whenever the map has come to rest
   * @param {Look} look
   */
  constructor(names, look) {
    super();
    this.names = names;
    this.look = look;
    /** Boxes of what lies over the map, px of the page. @type {() => DOMRect[]} */
    this.covers = () => [];
    this.canvas = document.createElement("canvas");
    this.canvas.className = "map-labels";
  }

  /**
   * @override
   * @param {import("../vendor/leaflet.js").Map} map
   */
  onAdd(map) {
    map.getPane("labels")?.append(this.canvas);
    map.on("moveend viewreset resize", this.draw, this);
    this.draw();
    return this;
  }

  /**
   * @override
   * @param {import("../vendor/leaflet.js").Map} map
   */
  onRemove(map) {
    map.off("moveend viewreset resize", this.draw, this);
    this.canvas.remove();
    return this;
  }

  /** @param {Look} look */
  restyle(look) {
    this.look = look;
    this.draw();
  }

  /** Letter the names anew. */
  draw() {
    const map = /** @type {import("../vendor/leaflet.js").Map | null} */ (/** @type {any} */ (this)._map);
    if (!map) return;
    const size = map.getSize();
    const ratio = density();
    Object.assign(this.canvas, { width: Math.round(size.x * ratio), height: Math.round(size.y * ratio) });
    Object.assign(this.canvas.style, { width: `${size.x}px`, height: `${size.y}px` });
    DomUtil.setPosition(this.canvas, map.containerPointToLayerPoint([0, 0]));
    const ctx = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    ctx.scale(ratio, ratio);
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.lineJoin = "round";
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const family = getComputedStyle(document.body).fontFamily;
    const wanted = this.names().flatMap((name) => {
      const { x, y } = map.latLngToContainerPoint([name.anchor[1], name.anchor[0]]);
      if (x <= 0 || y <= 0 || x >= size.x || y >= size.y) return [];
      const em = name.size * rem;
      const font = `${name.weight} ${em}px ${family}`;
      ctx.font = font;
      const { width, height } = boxOf(ctx.measureText(name.text).width, em, name.angle ?? 0);
      const isWhole = x >= width / 2 && x <= size.x - width / 2 && y >= height / 2 && y <= size.y - height / 2;
      return isWhole ? [{ ...name, x, y, font, em, height, width }] : [];
    });
    const { left, top } = map.getContainer().getBoundingClientRect();
    const covers = this.covers().map((box) => ({ left: box.left - left, top: box.top - top, right: box.right - left, bottom: box.bottom - top }));
    for (const label of placeLabels(wanted, covers)) {
      ctx.font = label.font;
      ctx.strokeStyle = this.look.colour("--label-halo");
      ctx.lineWidth = label.em / 4.5;
      ctx.fillStyle = this.look.colour(label.token);
      letter(ctx, { ...label, height: label.em });
    }
  }
}
