/** The map below all layers: pictures of a map service or vector tiles, toned down so that the city stands out. */

import { getBytes, Problem } from "../core/http.js";
import { groundOf, levelAt, stripsOf, tileUrl } from "../core/tile_matrix.js";
import { TileQueue } from "../core/tile_queue.js";
import { Control } from "../vendor/leaflet.js";
import { toned } from "./base_tone.js";
import { namesOf, painted, taken } from "./base_vector.js";
import { TilePictures } from "./tile_pictures.js";

/** @typedef {import("../core/types.js").BaseMap} Described */
/** @typedef {import("../core/tile_matrix.js").TilePlace} TilePlace */
/** @typedef {import("./tile_pictures.js").Frame} Frame */
/** @typedef {import("./feature_layer.js").Look} Look */
/** @typedef {import("./base_vector.js").Content} Vector */
/** @typedef {{ground: ImageBitmap | null, names: ImageBitmap | null}} Raster the picture, and what lies over it */

/** What the server answers when it knows that the service behind it is away. */
const UNAVAILABLE = 503;
/** Names that come after their picture are painted together. */
const GATHER_MS = 500;

export class BaseMap {
  /**
   * @param {Described} described
   * @param {import("./sharp_canvas.js").SharpCanvas} renderer
   * @param {Look} look
   * @param {{complete?: () => void, trouble?: () => void}} [told] `complete` when all tiles in view are painted, `trouble` when tiles are
   *   missing or are no longer
   */
  constructor(described, renderer, look, told = {}) {
    this.described = described;
    this.look = look;
    const { matrix, datum, tile_size: size, min_zoom: least, max_zoom: most } = described;
    this.scheme = { matrix, datum };
    this.level = (/** @type {number} */ zoom, /** @type {number} */ ratio) => levelAt(zoom, ratio, { size, least, most });
    const trouble = () => told.trouble?.();
    const complete = () => told.complete?.();
    this.tiles = new TileQueue(trouble);
    this.names = new TileQueue(() => {
      for (const done of this.lacking) done(undefined);
      this.lacking.clear();
      trouble();
    });
    /** Pictures that wait for their names. @type {Set<(nothing: undefined) => void>} */
    this.lacking = new Set();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.naming = undefined;
    /** @type {TilePictures<Vector> | null} */
    this.vector = described.kind === "vector" ? new TilePictures(renderer, this.#vector(), { complete, trouble }) : null;
    /** @type {TilePictures<any>} */
    this.pictures = this.vector ?? new TilePictures(renderer, this.#raster(), { complete, trouble });
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
    clearTimeout(this.naming);
    this.pictures.remove();
    this.note.remove();
  }

  /** @param {Look} look */
  restyle(look) {
    this.look = look;
    this.pictures.repaint();
  }

  /** Whether tiles in view are missing, whosever fault it is. */
  get isMissing() {
    return this.tiles.isMissing || this.names.isMissing || this.pictures.failed > 0;
  }

  /** How many tiles in view are missing for another reason than that the service behind the server is away. */
  get failed() {
    const own = [this.tiles, this.names].filter(({ problem }) => !(problem instanceof Problem && problem.status === UNAVAILABLE));
    return own.reduce((sum, { missing }) => sum + missing, this.pictures.failed);
  }

  /**
   * The names in view that the tiles of a vector map carry.
   * @param {number} zoom
   * @returns {import("./label_layer.js").Name[]}
   */
  lettering(zoom) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    return (this.vector?.shown() ?? []).flatMap(({ content, place }) => namesOf(content, this.scheme, place, zoom, rem));
  }

  // ---- pictures ----------------------------------------------------------------------------------------------------

  /** @returns {import("./tile_pictures.js").Source<Raster>} */
  #raster() {
    const { scheme } = this;
    const { url, labels_url } = this.described;
    return {
      scheme,
      level: this.level,
      load: async (place, signal) => {
        /** @type {Raster} */
        const content = { ground: null, names: null };
        const names = labels_url ? this.#picture(this.names, tileUrl(labels_url, place), signal) : Promise.resolve(null);
        let isLate = false;
        const lettered = names.then((picture) => {
          content.names = picture;
          if (picture && isLate) this.#name();
        });
        const given = lettered.catch(() => {}); // given up, as the tile is
        content.ground = await this.#picture(this.tiles, tileUrl(url, place), signal);
        // a map without its names is better than none
        await this.#unlessMissing(given);
        isLate = true;
        return content.ground || content.names || this.names.isMissing ? content : null;
      },
      paint: async ({ ground, names }, place, frame) => {
        const canvas = document.createElement("canvas");
        canvas.width = frame.width;
        canvas.height = frame.height;
        const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
        ctx.imageSmoothingQuality = "high";
        if (ground) drawStretched(ctx, ground, scheme, place, frame, true);
        if (names) drawStretched(ctx, names, scheme, place, frame, false);
        if (ground || names) toned(ctx, frame, this.look.colour("--map-ground"), this.described.tone ?? "light");
        return canvas;
      },
    };
  }

  /**
   * @param {TileQueue} queue
   * @param {string} url
   * @param {AbortSignal} signal
   * @returns {Promise<ImageBitmap | null>} null where the map has none
   */
  async #picture(queue, url, signal) {
    const bytes = await queue.ask(() => getBytes(url, signal), signal);
    return bytes && createImageBitmap(new Blob([bytes]));
  }

  /**
   * Wait for names, but for none of a service that is away.
   * @param {Promise<void>} given
   */
  async #unlessMissing(given) {
    if (this.names.isMissing) return;
    await new Promise((done) => {
      this.lacking.add(done);
      void given.then(() => {
        this.lacking.delete(done);
        done(undefined);
      });
    });
  }

  /** Paint names that came late. */
  #name() {
    this.naming ??= setTimeout(() => {
      this.naming = undefined;
      this.pictures.repaint();
    }, GATHER_MS);
  }

  // ---- vector tiles ------------------------------------------------------------------------------------------------

  /** @returns {import("./tile_pictures.js").Source<Vector>} */
  #vector() {
    const { scheme } = this;
    const { url } = this.described;
    return {
      scheme,
      level: this.level,
      load: async (place, signal) => {
        const bytes = await this.tiles.ask(() => getBytes(tileUrl(url, place), signal), signal);
        return bytes && taken(bytes);
      },
      paint: (content, place, frame) => painted(content, scheme, place, frame, this.look),
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
 * @param {boolean} isOpaque
 */
function drawStretched(ctx, picture, scheme, place, { world, left, top, width }, isOpaque) {
  const strips = stripsOf(scheme, place.z);
  for (let strip = 0; strip < strips; strip += 1) {
    const [from, to] = [strip / strips, (strip + 1) / strips];
    const [west, north, east, south] = groundOf(scheme, place, [from, to]);
    const [above, below] = [Math.floor(north * world) - top, Math.floor(south * world) - top];
    const [y, height] = [from * picture.height, (to - from) * picture.height];
    // to whole pixels, so that no seam shows; over it to the fraction, so that everything lies where it is
    if (isOpaque) ctx.drawImage(picture, 0, y, picture.width, height, 0, above, width, below - above);
    ctx.drawImage(picture, 0, y, picture.width, height, west * world - left, north * world - top, (east - west) * world, (south - north) * world);
  }
}
