/** The map below all layers: pictures of a map service or vector tiles, toned down so that the city stands out. */

import { BASE_LAYERS, baseWidth } from "../core/base_style.js";
import { getBytes } from "../core/http.js";
import { widthAt } from "../core/style.js";
import { groundOf, levelAt, stripsOf, tileUrl } from "../core/tile_matrix.js";
import { Control } from "../vendor/leaflet.js";
import { density } from "./sharp_canvas.js";
import { TilePictures } from "./tile_pictures.js";
import { decode, paint } from "./tile_workers.js";

/** @typedef {import("../core/types.js").BaseMap} Described */
/** @typedef {import("../core/tile_matrix.js").TilePlace} TilePlace */
/** @typedef {import("./tile_pictures.js").Frame} Frame */
/** @typedef {import("./feature_layer.js").Look} Look */

/** How much of the page's ground lies over a base map, by its tone, on a light and on a dark page. */
const VEIL = { light: { light: 0.35, dark: 0.4 }, imagery: { light: 0.25, dark: 0.5 } };
/** Of the colours of a base map so much is taken away. */
const PALER = 0.6;

export class BaseMap {
  /**
   * @param {Described} described
   * @param {import("./sharp_canvas.js").SharpCanvas} renderer
   * @param {Look} look
   */
  constructor(described, renderer, look) {
    this.described = described;
    this.look = look;
    this.pictures = described.kind === "raster" ? new TilePictures(renderer, this.#raster()) : new TilePictures(renderer, this.#vector());
    this.note = new Control({ position: "bottomright" });
    this.note.onAdd = () => {
      const line = document.createElement("div");
      line.className = "map-attribution";
      line.textContent = described.attribution;
      return line;
    };
  }

  /** @param {import("../vendor/leaflet.js").Map} map */
  addTo(map) {
    /** @type {any} */ (this.pictures).addTo(map).bringToBack();
    if (this.described.attribution) this.note.addTo(map);
  }

  remove() {
    this.pictures.remove();
    this.note.remove();
  }

  /** @param {Look} look */
  restyle(look) {
    this.look = look;
    this.pictures.repaint();
  }

  #levels() {
    const { tile_size: size, min_zoom: least, max_zoom: most } = this.described;
    return (/** @type {number} */ zoom, /** @type {number} */ ratio) => levelAt(zoom, ratio, { size, least, most });
  }

  // ---- pictures ----------------------------------------------------------------------------------------------------

  /** @returns {import("./tile_pictures.js").Source<ImageBitmap[]>} */
  #raster() {
    const { matrix, datum, url, labels_url } = this.described;
    const scheme = { matrix, datum };
    return {
      scheme,
      level: this.#levels(),
      load: async (place, signal) => {
        const urls = labels_url ? [url, labels_url] : [url];
        const bytes = await Promise.all(urls.map((one) => getBytes(tileUrl(one, place), signal)));
        const pictures = bytes.flatMap((one) => (one ? [createImageBitmap(new Blob([one]))] : []));
        return pictures.length > 0 ? Promise.all(pictures) : null;
      },
      paint: async (pictures, place, frame) => {
        const canvas = document.createElement("canvas");
        canvas.width = frame.width;
        canvas.height = frame.height;
        const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        ctx.imageSmoothingQuality = "high";
        for (const picture of pictures) drawStretched(ctx, picture, scheme, place, frame);
        this.#tone(ctx, frame);
        return canvas;
      },
    };
  }

  /**
   * Make a picture fit the page: paler, under a veil of its ground, and a light street map dark on a dark page.
   * @param {CanvasRenderingContext2D} ctx
   * @param {Frame} frame
   */
  #tone(ctx, { width, height }) {
    const ground = this.look.colour("--map-ground");
    const page = isDark(ground) ? "dark" : "light";
    const tone = this.described.tone ?? "light";
    const fill = (/** @type {GlobalCompositeOperation} */ operation, /** @type {string} */ colour, /** @type {number} */ alpha) => {
      ctx.globalCompositeOperation = operation;
      ctx.globalAlpha = alpha;
      ctx.fillStyle = colour;
      ctx.fillRect(0, 0, width, height);
    };
    if (page === "dark" && tone === "light") {
      // light becomes dark and water stays blue
      const negative = document.createElement("canvas");
      Object.assign(negative, { width, height });
      const other = /** @type {CanvasRenderingContext2D} */ (negative.getContext("2d"));
      other.fillStyle = "#ffffff";
      other.fillRect(0, 0, width, height);
      other.globalCompositeOperation = "difference";
      other.drawImage(ctx.canvas, 0, 0);
      ctx.globalCompositeOperation = "luminosity";
      ctx.drawImage(negative, 0, 0);
    }
    fill("saturation", "#808080", PALER);
    fill("source-over", ground, VEIL[tone][page]);
  }

  // ---- vector tiles ------------------------------------------------------------------------------------------------

  /** @returns {import("./tile_pictures.js").Source<Record<string, import("../core/tile_types.js").DecodedLayer>>} */
  #vector() {
    const { matrix, datum, url } = this.described;
    const takings = BASE_LAYERS.flatMap(({ names, only, width }) =>
      names.map((name) => ({ name, as: name + "/" + only, only, classify: null, widths: {}, width, tolerance: 0 })),
    );
    return {
      scheme: { matrix, datum },
      level: this.#levels(),
      load: async (place, signal) => {
        const bytes = await getBytes(tileUrl(url, place), signal);
        return bytes && decode(bytes, takings);
      },
      paint: (content, place, frame) => {
        const layers = BASE_LAYERS.flatMap((base) =>
          base.names.flatMap((name) => {
            const shapes = content[name + "/" + base.only];
            return shapes ? [{ shapes, plan: this.#plan(base, shapes, place, frame) }] : [];
          }),
        );
        return paint(layers, frame.width, frame.height);
      },
    };
  }

  /**
   * @param {import("../core/base_style.js").BaseLayer} base
   * @param {import("../core/tile_types.js").DecodedLayer} shapes
   * @param {TilePlace} place
   * @param {Frame} frame
   * @returns {import("../core/tile_paint.js").Plan}
   */
  #plan(base, { extent, properties }, place, { world, left, top }) {
    const { colour, scale, zoom } = this.look;
    const { matrix, datum } = this.described;
    const [west, north, east] = groundOf({ matrix, datum }, place);
    const widths = [...new Set(properties.map((one) => baseWidth(base, one)))];
    const inks = widths.map((width) => ({
      fill: base.only === "polygons" ? colour(base.token) : "",
      fillOpacity: base.opacity,
      stroke: base.only === "lines" ? colour(base.token) : "",
      width: widthAt(width, zoom) * scale * density(),
      radius: 0,
      shape: "circle",
    }));
    return {
      unit: ((east - west) * world) / extent,
      dx: west * world - left,
      dy: north * world - top,
      inks,
      inkOf: Uint16Array.from(properties, (one) => widths.indexOf(baseWidth(base, one))),
      border: "",
      borderWidths: [],
    };
  }
}

/**
 * Draw a picture over its ground; one of degrees in strips, because the Mercator map stretches them unevenly.
 * @param {CanvasRenderingContext2D} ctx
 * @param {ImageBitmap} picture
 * @param {import("../core/tile_matrix.js").Scheme} scheme
 * @param {TilePlace} place
 * @param {Frame} frame
 */
function drawStretched(ctx, picture, scheme, place, { world, top, width }) {
  const strips = stripsOf(scheme, place.z);
  for (let strip = 0; strip < strips; strip += 1) {
    const [from, to] = [strip / strips, (strip + 1) / strips];
    const [, north, , south] = groundOf(scheme, place, [from, to]);
    const [above, below] = [Math.floor(north * world) - top, Math.floor(south * world) - top];
    ctx.drawImage(picture, 0, from * picture.height, picture.width, (to - from) * picture.height, 0, above, width, below - above);
  }
}

/** @param {string} colour #rrggbb */
function isDark(colour) {
  const [, red = "ff", green = "ff", blue = "ff"] = /^#(..)(..)(..)$/.exec(colour) ?? [];
  return 0.3 * parseInt(red, 16) + 0.59 * parseInt(green, 16) + 0.11 * parseInt(blue, 16) < 128;
}
