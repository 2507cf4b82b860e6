/** Puts a scene on the page: columns of panels, the map's colours and extent, the legend, and a call over all of it. */

import { classBounds, classOf, classToken } from "../core/classes.js";
import { clock, count, span } from "../core/formats.js";
import { boundsOf } from "../core/geometry.js";
import { _ } from "../core/i18n.js";
import { OutlineLayer } from "../map/outline_layer.js";
import { byId, el, setText } from "./dom.js";
import { WallColumns } from "./wall_columns.js";
import { urbanBounds } from "./wall_extents.js";
import { fitBeside } from "./wall_ground.js";
import { showLegend } from "./wall_legend.js";
import { Panels } from "./wall_panels.js";
import { WallSound } from "./wall_sound.js";

/** @typedef {import("../core/tour.js").Standing} Standing */

/** Half the side of what is shown around a call at least, degrees. */
const CALL_REACH = 0.002;
/** A replay that somebody moved by hand stays there for so long. */
const HELD_MS = 15_000;

export class WallStage {
  /**
   * @param {import("../core/wall_model.js").WallModel} model
   * @param {import("../map/city_map.js").CityMap} map
   * @param {import("../core/types.js").Layer[]} layers
   * @param {() => string[]} stale titles of the layers that could not be brought up to date
   */
  constructor(model, map, layers, stale) {
    this.model = model;
    this.map = map;
    this.layers = layers;
    this.stale = stale;
    this.panels = new Panels();
    this.columns = new WallColumns(byId("left"), byId("right"), byId("legend"), () => map.letter());
    this.outline = new OutlineLayer(map);
    /** The township that is outlined. @type {import("../core/types.js").OneFeature | null} */
    this.outlined = null;
    const call = byId("call");
    map.avoid(() => [...this.columns.covers(), call.getBoundingClientRect()]);
    /** Where the replay was put by hand, and until when it stays there. */
    this.held = { progress: 0, until: 0 };
    this.sound = new WallSound();
    this.standing = model.standing();
    /** @type {import("../core/types.js").Bounds | null} */
    this.urban = null;
    /** @type {number[]} lower bounds of the classes by which the grids are coloured */
    this.classes = [];
    this.coloured = "";
    /** What the legend says of layers that are old. */
    this.told = "";
    /** @type {Map<string, string>} */
    this.names = new Map();
    /** The list of grids that names and extent were taken from. @type {import("../core/types.js").OneFeature[]} */
    this.grids = [];
    map.onDrawn(() => this.#drawn());
    // made after the map's own observer, and so told after the map knows its new size
    new ResizeObserver(() => this.fit()).observe(byId("map"));
  }

  /**
   * Set the stage for what stands now.
   * @param {Standing} standing
   */
  set(standing) {
    this.standing = standing;
    this.held.until = 0;
    const { scene, town, focus } = standing;
    const title = document.documentElement.lang.startsWith("en") ? scene.title.en : scene.title.zh;
    const name = focus?.grid_name ?? this.model.town(town)?.name;
    setText(byId("scene"), name ? _("{scene}：{town}", { scene: title, town: name }) : title);
    byId("wall").dataset.scene = scene.key;
    this.#ticks();
    this.columns.set(this.#made(scene.left), this.#made(scene.right));
    this.map.setShown("camera", scene.cameras ? "always" : "never");
    this.call();
    this.#learn();
    this.show();
    this.#legend();
    this.#stress();
    this.fit();
  }

  /** Bring panels, points and colours up to date. */
  show() {
    const view = this.#view();
    for (const panel of this.#shown()) panel.show(view);
    this.map.incidents.show(this.model.points(this.standing));
    this.#colour();
  }

  /** Let the replay run. @param {Standing} standing */
  step(standing) {
    this.tick(standing);
    if (standing.scene.points === "replay") this.map.incidents.show(this.model.points(this.standing));
  }

  /** Let ages grow. @param {Standing} standing */
  tick(standing) {
    this.standing = performance.now() < this.held.until ? { ...standing, progress: this.held.progress } : standing;
    const view = this.#view();
    for (const panel of this.#shown()) panel.tick?.(view);
    // a layer that could not be fetched draws nothing anew, so that nothing else would tell
    if (this.stale().join() !== this.told) this.#legend();
  }

  /** Show the scene's extent in the part of the map that the panels leave free. */
  fit() {
    // a wall that has ended has no map any more, and still hears that the window changed
    if (!this.map.element.isConnected) return;
    const { scene, town, call, focus } = this.standing;
    const urban = scene.extent === "urban" ? this.urban : null;
    const bounds = call ? this.#around(call) : (focus?.bounds ?? this.model.town(town)?.bounds ?? urban ?? this.model.bounds);
    if (!bounds) return;
    fitBeside(this.map, bounds);
  }

  /** The call that has taken the wall over, and how many wait for an answer. */
  call() {
    const { call } = this.standing;
    byId("call").hidden = !call;
    if (call) {
      setText(byId("call-place"), call.grid_name ?? _("网格之外"));
      const raised = new Date(call.raised_at);
      const waited = this.model.now().getTime() - raised.getTime();
      const words =
        waited < 60_000
          ? _("{time} 上报，等待签收", { time: clock(raised) })
          : _("{time} 上报，已等待签收 {span}", { time: clock(raised), span: span(waited) });
      setText(byId("call-time"), words);
    }
    this.sound.call(Boolean(call) && this.model.tour.sound);
    const waiting = this.model.waiting();
    byId("waiting").hidden = waiting === 0;
    setText(byId("waiting-count"), count(waiting));
  }

  /**
   * What is shown of a call: its grid, so that the hall sees where in it, and at least some streets around.
   * @param {import("../core/types.js").Alarm} call
   */
  #around({ lon, lat, grid_code }) {
    const grid = this.map.featuresOf("grid").filter(({ properties }) => grid_code && properties.grid_code === grid_code);
    const near = { type: /** @type {const} */ ("LineString"), coordinates: [[lon - CALL_REACH, lat - CALL_REACH], [lon + CALL_REACH, lat + CALL_REACH]] };
    return boundsOf([near, ...grid.map(({ geometry }) => geometry)]);
  }

  #shown() {
    const { left, right } = this.standing.scene;
    return this.#made([...left, ...right]);
  }

  /** @param {string[]} names */
  #made(names) {
    return names.flatMap((name) => this.panels.get(name) ?? []);
  }

  /** Outline the township that the scene is about: its neighbours are in the picture, too. */
  #stress() {
    const { town, call } = this.standing;
    const area = (town && !call && this.map.featuresOf("area").find(({ properties }) => properties.area_code === town)) || null;
    if (area === this.outlined) return;
    this.outlined = area;
    this.outline.show(/** @type {import("geojson").Polygon | import("geojson").MultiPolygon | null} */ (area?.geometry ?? null));
  }

  #drawn() {
    this.#legend();
    this.#stress();
    const { urban } = this;
    if (!this.#learn()) return;
    this.show();
    if (String(urban) !== String(this.urban)) this.fit();
  }

  /** Take names and extent from the grids; whether they are others than before. */
  #learn() {
    const grids = this.map.featuresOf("grid");
    if (grids === this.grids) return false;
    this.grids = grids;
    this.names = new Map(grids.map(({ properties }) => [String(properties.grid_code), String(properties.grid_name ?? "")]));
    this.urban = urbanBounds(grids);
    return true;
  }

  #legend() {
    this.told = this.stale().join();
    showLegend(byId("legend"), this.standing.scene, this.classes, this.map.drawn(), this.stale(), this.model.rankings.get("month"));
  }

  #colour() {
    const counts = this.model.countsByGrid(this.standing.scene);
    const classes = counts ? classBounds(counts.values()) : [];
    const tokens =
      counts &&
      new Map(
        [...counts]
          .filter(([, number]) => number > 0)
          .map(([code, number]) => [code, classToken(classOf(classes, number), classes.length)]),
      );
    const coloured = tokens ? JSON.stringify([...tokens]) : "";
    if (coloured !== this.coloured) this.map.colourBy("grid", tokens);
    this.coloured = coloured;
    const isNew = String(classes) !== String(this.classes);
    this.classes = classes;
    if (isNew) this.#legend();
  }

  /** @returns {import("./wall_frame.js").View} */
  #view() {
    const { state, statistics, replay, rankings } = this.model;
    const camera = this.layers.find(({ name }) => name === "camera");
    return {
      state,
      statistics,
      replay,
      rankings,
      now: this.model.now(),
      town: this.standing.town,
      progress: this.standing.progress,
      scrub: (progress) => {
        this.held = { progress, until: performance.now() + HELD_MS };
        this.step(this.standing);
      },
      gridName: (code) => this.names.get(code) || code,
      cameraWords: (field, value) => camera?.fields.find(({ name }) => name === field)?.choices?.[value] ?? value,
    };
  }

  /** The scenes of the tour as marks, the one that stands stressed. */
  #ticks() {
    const box = byId("ticks");
    const keys = this.model.scenes();
    if (box.dataset.keys !== keys.join()) {
      box.dataset.keys = keys.join();
      box.replaceChildren(...keys.map((key) => el("li", { "data-scene": key })));
    }
    for (const mark of box.querySelectorAll("li")) {
      mark.classList.toggle("is-shown", mark.dataset.scene === this.standing.scene.key);
    }
    box.hidden = keys.length < 2;
  }
}
