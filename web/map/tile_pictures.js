/**
 * Tiles on the map's canvas. Each is painted once for a zoom, in real pixels and to the pixel's edge, and copied from then
 * on; what stood there before stays until its successor is painted, so that nothing flashes.
 */

import { Bounds, Path, Point, Util } from "../vendor/leaflet.js";
import { covering, groundOf } from "../core/tile_matrix.js";
import { density } from "./sharp_canvas.js";

/** @typedef {import("../core/tile_matrix.js").TilePlace} TilePlace */
/** @typedef {import("../core/tile_matrix.js").World} World */
/**
 * Where a tile is painted: device pixels of the whole world at this zoom, and the picture's corner in them.
 * @typedef {object} Frame
 * @property {number} world width of the world, device px
 * @property {number} left
 * @property {number} top
 * @property {number} width
 * @property {number} height
 */
/** @typedef {ImageBitmap | HTMLCanvasElement} Picture */
/**
 * @template T
 * @typedef {object} Source
 * @property {import("../core/tile_matrix.js").Scheme} scheme
 * @property {(zoom: number, ratio: number) => number | null} level null where no tiles are drawn
 * @property {(place: TilePlace, signal: AbortSignal) => Promise<T | null>} load null where nothing is
 * @property {(content: T, place: TilePlace, frame: Frame) => Promise<Picture>} paint
 */
/**
 * @template T
 * @typedef {object} Tile
 * @property {string} key
 * @property {TilePlace} place
 * @property {World} ground
 * @property {"loading" | "ready" | "failed"} state
 * @property {T | null} content
 * @property {Picture | null} picture
 * @property {string} frame for which the picture is painted
 * @property {number} coat of colours that the picture has
 * @property {boolean} isPainting
 * @property {number} attempts
 * @property {AbortController} abort
 */

/** Contents that are kept beyond those in view. */
const KEPT = 64;
/** Tiles that come within this are drawn together. */
const GATHER_MS = 150;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;

/** @template T */
export class TilePictures extends Path {
  /**
   * @param {import("./sharp_canvas.js").SharpCanvas} renderer
   * @param {Source<T>} source
   * @param {{complete?: () => void, trouble?: (error: unknown) => void}} told `complete` when all tiles in view are painted;
   *   `trouble` with what a tile could not be fetched for, and with null when all are there
   */
  constructor(renderer, source, told = {}) {
    super();
    Util.setOptions(/** @type {any} */ (this), { renderer, interactive: false, weight: 0 });
    this.canvas = renderer;
    this.source = source;
    this.told = told;
    /** @type {Map<string, Tile<T>>} those in view, nearest to its middle first */
    this.tiles = new Map();
    /** @type {Map<string, T | null>} contents seen lately, oldest first */
    this.kept = new Map();
    /** @type {{ground: World, picture: Picture}[]} what stood there before, until all is painted */
    this.former = [];
    /** @type {Tile<T>[]} the tiles of the last complete view */
    this.complete = [];
    this.isComplete = false;
    this.isTroubled = false;
    this.frame = "";
    this.world = 0;
    this.coat = 0;
    /** What was painted and is not drawn yet. @type {Bounds | null} */
    this.undrawn = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.drawing = undefined;
    /** @type {Set<ReturnType<typeof setTimeout>>} */
    this.retries = new Set();
  }

  /** Contents of what is shown: the present view, or the last one as long as the present is not complete. */
  shown() {
    const ready = [...this.tiles.values()].filter(({ state }) => state === "ready");
    const tiles = this.isComplete || this.complete.length === 0 ? ready : this.complete;
    return /** @type {(Tile<T> & {content: T})[]} */ (tiles.filter(({ content }) => content !== null));
  }

  /** How many tiles in view could not be fetched. */
  get failed() {
    return [...this.tiles.values()].filter(({ state }) => state === "failed").length;
  }

  /** Whether it is drawn on a map. */
  get isDrawn() {
    return Boolean(/** @type {any} */ (this)._map) && Boolean(/** @type {any} */ (this.canvas)._bounds);
  }

  /**
   * Take other tiles in place of these; these stay until the others are painted.
   * @param {Source<T>} source
   */
  renew(source) {
    this.source = source;
    this.kept.clear();
    this.#putBy();
    for (const tile of this.tiles.values()) this.#drop(tile);
    this.tiles.clear();
    this.isComplete = false;
    if (this.isDrawn) this.#settle();
  }

  /** Paint all in view again, in other colours or sizes. */
  repaint() {
    this.coat += 1;
    if (!this.isDrawn) return;
    for (const tile of this.tiles.values()) void this.#paint(tile);
  }

  /**
   * Let go of everything when the layer leaves the map.
   * @override
   * @returns {any}
   */
  onRemove() {
    super.onRemove(/** @type {any} */ (this)._map);
    clearTimeout(this.drawing);
    this.drawing = undefined;
    for (const timer of this.retries) clearTimeout(timer);
    this.retries.clear();
    for (const tile of this.tiles.values()) this.#drop(tile);
    for (const { picture } of this.former) free(picture);
    this.tiles.clear();
    this.former = [];
    this.complete = [];
    this.isComplete = false;
    this.frame = "";
    this.#tell();
  }

  // ---- what the canvas asks of a path ------------------------------------------------------------------------------

  _project() {}

  _update() {
    if (this.isDrawn) this.#settle();
  }

  _updateBounds() {}

  _updatePath() {
    const canvas = /** @type {any} */ (this.canvas);
    if (!canvas._drawing) return;
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas._ctx);
    const ratio = density();
    const [left, top] = [Math.round(canvas._corner.x * ratio), Math.round(canvas._corner.y * ratio)];
    ctx.save();
    ctx.setTransform(1, 0, 0, 1, -left, -top);
    for (const tile of this.tiles.values()) {
      const frame = this.#frameOf(tile);
      if (tile.picture && tile.frame === this.frame) ctx.drawImage(tile.picture, frame.left, frame.top);
      else if (tile.frame !== this.frame && this.former.length > 0) this.#drawFormer(ctx, frame);
    }
    ctx.restore();
  }

  /**
   * @param {CanvasRenderingContext2D} ctx
   * @param {Frame} frame of the tile that is not painted yet
   */
  #drawFormer(ctx, { left, top, width, height, world }) {
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, width, height);
    ctx.clip();
    for (const { ground: [west, north, east, south], picture } of this.former) {
      const [x, y] = [Math.floor(west * world), Math.floor(north * world)];
      const [right, bottom] = [Math.floor(east * world), Math.floor(south * world)];
      if (x < left + width && right > left && y < top + height && bottom > top) ctx.drawImage(picture, x, y, right - x, bottom - y);
    }
    ctx.restore();
  }

  // ---- tiles in view -----------------------------------------------------------------------------------------------

  /** Find which tiles the view needs, fetch those that are new and paint those that are not. */
  #settle() {
    const canvas = /** @type {any} */ (this.canvas);
    const map = /** @type {any} */ (this)._map;
    const ratio = density();
    const zoom = map.getZoom();
    const size = 256 * 2 ** zoom;
    const frame = `${zoom}/${ratio}`;
    if (frame !== this.frame) {
      this.#putBy();
      this.frame = frame;
    }
    this.world = size * ratio;
    const extent = canvas._bounds.getSize();
    const { x, y } = canvas._corner;
    /** @type {World} */
    const box = [x / size, y / size, (x + extent.x) / size, (y + extent.y) / size];
    /** @type {any} */ (this)._pxBounds = canvas._bounds;
    const { scheme } = this.source;
    const before = this.tiles;
    this.tiles = new Map();
    const level = this.source.level(zoom, ratio);
    for (const place of level === null ? [] : covering(scheme, box, level)) {
      const key = `${place.z}/${place.x}/${place.y}`;
      this.tiles.set(key, before.get(key) ?? this.#tile(key, place));
    }
    for (const [key, tile] of before) {
      if (!this.tiles.has(key)) this.#drop(tile);
    }
    this.isComplete = false;
    for (const tile of this.tiles.values()) {
      void this.#paint(tile);
    }
    this.#check();
  }

  /**
   * @param {string} key
   * @param {TilePlace} place
   * @returns {Tile<T>}
   */
  #tile(key, place) {
    const known = this.kept.get(key);
    /** @type {Tile<T>} */
    const tile = {
      key,
      place,
      ground: groundOf(this.source.scheme, place),
      state: known === undefined ? "loading" : "ready",
      content: known ?? null,
      picture: null,
      frame: "",
      coat: -1,
      isPainting: false,
      attempts: 0,
      abort: new AbortController(),
    };
    if (known === undefined) void this.#load(tile);
    return tile;
  }

  /** @param {Tile<T>} tile */
  async #load(tile) {
    const { source } = this;
    try {
      const content = await source.load(tile.place, tile.abort.signal);
      if (this.tiles.get(tile.key) !== tile) return;
      tile.content = content;
      tile.state = "ready";
      this.#keep(tile.key, content);
      void this.#paint(tile);
      this.#tell();
    } catch (error) {
      if (this.tiles.get(tile.key) === tile) this.#fail(tile, error);
    }
  }

  /**
   * Try again after a while, and the longer the oftener it failed; until the answer is there it counts as failed.
   * @param {Tile<T>} tile
   * @param {unknown} error
   */
  #fail(tile, error) {
    tile.state = "failed";
    tile.attempts += 1;
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (tile.attempts - 1)) * (0.5 + Math.random());
    const timer = setTimeout(() => {
      this.retries.delete(timer);
      if (this.tiles.get(tile.key) === tile) void this.#load(tile);
    }, wait);
    this.retries.add(timer);
    this.#tell(error);
  }

  /**
   * @param {string} key
   * @param {T | null} content
   */
  #keep(key, content) {
    this.kept.delete(key);
    this.kept.set(key, content);
    for (const oldest of this.kept.keys()) {
      if (this.kept.size <= KEPT) break;
      this.kept.delete(oldest);
    }
  }

  /** Keep what is painted until its successors are. */
  #putBy() {
    const painted = [...this.tiles.values()].flatMap((tile) => {
      const { ground, picture } = tile;
      if (!picture || tile.frame !== this.frame) return [];
      tile.picture = null;
      return [{ ground, picture }];
    });
    // of a view that was left half painted, what stood before it shows more
    const [stays, goes] = this.isComplete || this.former.length === 0 ? [painted, this.former] : [this.former, painted];
    for (const { picture } of goes) free(picture);
    this.former = stays;
  }

  /** @param {Tile<T>} tile */
  #drop(tile) {
    tile.abort.abort();
    if (tile.picture) free(tile.picture);
    tile.picture = null;
  }

  // ---- painting ----------------------------------------------------------------------------------------------------

  /**
   * Paint a tile if it is not, and again if meanwhile it should look otherwise.
   * @param {Tile<T>} tile
   */
  async #paint(tile) {
    while (tile.state === "ready" && !tile.isPainting && (tile.frame !== this.frame || tile.coat !== this.coat)) {
      const { frame, coat } = this;
      const place = this.#frameOf(tile);
      const isSeen = tile.content !== null && place.width > 0 && place.height > 0;
      tile.isPainting = true;
      /** @type {Picture | null} */
      let picture = null;
      try {
        if (isSeen) picture = await this.source.paint(/** @type {T} */ (tile.content), tile.place, place);
      } catch (error) {
        tile.isPainting = false;
        if (this.tiles.get(tile.key) === tile) this.#fail(tile, error);
        return;
      }
      tile.isPainting = false;
      if (this.tiles.get(tile.key) !== tile || frame !== this.frame) {
        if (picture) free(picture);
        if (this.tiles.get(tile.key) !== tile) return;
        continue;
      }
      if (tile.picture) free(tile.picture);
      Object.assign(tile, { picture, frame, coat });
      this.#redraw(place);
    }
    this.#check();
  }

  /**
   * @param {Tile<T>} tile
   * @returns {Frame}
   */
  #frameOf({ ground: [west, north, east, south] }) {
    const { world } = this;
    const [left, top] = [Math.floor(west * world), Math.floor(north * world)];
    return { world, left, top, width: Math.floor(east * world) - left, height: Math.floor(south * world) - top };
  }

  /**
   * Have the canvas draw a tile's place again: with the last tile, or with those that came within a while, because every
   * change of a large canvas costs as much as a change of all of it.
   * @param {Frame} frame
   */
  #redraw({ left, top, width, height }) {
    const canvas = /** @type {any} */ (this.canvas);
    const ratio = density();
    const min = new Point(left / ratio, top / ratio).subtract(canvas._corner).add(canvas._bounds.min);
    this.undrawn ??= new Bounds(min, min);
    this.undrawn.extend(min).extend(min.add(new Point(width / ratio, height / ratio)));
    const isLast = [...this.tiles.values()].every((tile) => tile.state !== "ready" || (tile.frame === this.frame && tile.coat === this.coat));
    if (isLast) this.#draw();
    else this.drawing ??= setTimeout(() => this.#draw(), GATHER_MS);
  }

  #draw() {
    clearTimeout(this.drawing);
    this.drawing = undefined;
    const canvas = /** @type {any} */ (this.canvas);
    if (this.undrawn && this.isDrawn) {
      // what is still out of view can wait until the map rests
      if (canvas.isMoving && !this.undrawn.intersects(canvas.view)) {
        this.drawing = setTimeout(() => this.#draw(), GATHER_MS);
        return;
      }
      canvas._requestRedraw({ _pxBounds: this.undrawn, options: { weight: 0 } });
    }
    this.undrawn = null;
  }

  #check() {
    if (this.isComplete) return;
    for (const tile of this.tiles.values()) {
      if (tile.state !== "ready" || tile.frame !== this.frame) return;
    }
    this.isComplete = true;
    for (const { picture } of this.former) free(picture);
    this.former = [];
    this.complete = [...this.tiles.values()];
    this.told.complete?.();
  }

  /** @param {unknown} [error] */
  #tell(error) {
    if (error) {
      this.isTroubled = true;
      this.told.trouble?.(error);
    } else if (this.isTroubled && this.failed === 0) {
      this.isTroubled = false;
      this.told.trouble?.(null);
    }
  }
}

/** Give a picture's memory back at once instead of when the garbage is collected. @param {Picture} picture */
function free(picture) {
  if (picture instanceof HTMLCanvasElement) picture.width = picture.height = 0;
  else picture.close();
}
