/** Incidents on the map: one symbol each, moved and recoloured in place; what is new pulses once. */

import { DivIcon, LatLng, LayerGroup, Marker } from "../vendor/leaflet.js";
import { markOf } from "../core/incident.js";
import { SymbolField } from "./symbol_field.js";
import { MARK_SHAPES } from "./symbols.js";

/** @typedef {{number: string, lon: number, lat: number, state: string, is_urgent: boolean, is_overdue?: boolean}} Incident */
/** @typedef {import("./feature_layer.js").Look} Look */
/** @typedef {keyof typeof MARK_SHAPES} Mark */

const RADIUS = 7;
const PULSE_MS = 2_000;
const PRESSING = new Set(["urgent", "overdue"]);
/** Rings that call at once: the newest. */
const MOST_CALLS = 24;
/** Until somebody has taken receipt of it, an urgent incident goes on asking for attention. */
const UNANSWERED = new Set(["discovered", "recorded", "reported"]);

export class IncidentLayer {
  /**
   * @param {import("./sharp_canvas.js").SharpCanvas} renderer
   * @param {Look} look
   */
  constructor(renderer, look) {
    this.renderer = renderer;
    this.look = look;
    this.field = new SymbolField(renderer, (mark) => this.#design(/** @type {Mark} */ (mark)));
    this.group = new LayerGroup([/** @type {any} */ (this.field)]);
    /** @type {Map<string, Incident>} */
    this.shown = new Map();
    /** @type {Map<string, Marker>} */
    this.calls = new Map();
  }

  /**
   * Show exactly these.
   * @param {Iterable<Incident>} incidents
   */
  show(incidents) {
    const wanted = new Map([...incidents].map((incident) => [incident.number, incident]));
    for (const number of this.shown.keys()) {
      if (!wanted.has(number)) this.remove(number);
    }
    for (const incident of wanted.values()) this.put(incident);
  }

  /**
   * Add one, or change it where it stands.
   * @param {Incident} incident
   */
  put(incident) {
    const { number, lon, lat } = incident;
    const mark = markOf(incident);
    this.shown.set(number, incident);
    // what presses is never hidden under what does not
    this.field.put(number, lon, lat, mark, PRESSING.has(mark));
    this.#call(incident);
  }

  /** @param {string} number */
  remove(number) {
    this.field.takeAway(number);
    this.shown.delete(number);
    this.#silence(number);
  }

  /**
   * One ring of two seconds around a new incident.
   * @param {string} number
   */
  pulse(number) {
    const known = this.shown.get(number);
    if (!known) return;
    const ring = ringAt(known, `pulse pulse-${markOf(known)}`);
    this.group.addLayer(ring);
    setTimeout(() => this.group.removeLayer(ring), PULSE_MS);
  }

  /** @param {Look} look */
  restyle(look) {
    this.look = look;
    this.field.restyle();
  }

  /**
   * The nearest incident within a finger's reach, or null.
   * @param {(lon: number, lat: number) => number} pixelsFrom
   */
  at(pixelsFrom) {
    let nearest = null;
    let least = (RADIUS + 7) * this.look.scale;
    for (const incident of this.shown.values()) {
      const pixels = pixelsFrom(incident.lon, incident.lat);
      if (pixels <= least) [nearest, least] = [incident, pixels];
    }
    return nearest;
  }

  /** @param {Mark} mark */
  #design(mark) {
    const { colour, scale } = this.look;
    return { shape: MARK_SHAPES[mark], radius: RADIUS * scale, fill: colour("--" + mark), casing: colour("--map-ground"), width: 1.5 * scale };
  }

  /** @param {Incident} incident */
  #call(incident) {
    const calls = markOf(incident) === "urgent" && UNANSWERED.has(incident.state);
    const ring = this.calls.get(incident.number);
    if (!calls) this.#silence(incident.number);
    else if (ring) ring.setLatLng([incident.lat, incident.lon]);
    else if (this.#mayCall(incident.number)) {
      const made = ringAt(incident, "pulse pulse-call");
      this.group.addLayer(made);
      this.calls.set(incident.number, made);
    }
  }

  /**
   * Whether there is room for another ring; the oldest gives way. A hundred of them made the map five times as slow to move.
   * @param {string} number
   */
  #mayCall(number) {
    if (this.calls.size < MOST_CALLS) return true;
    const [oldest] = [...this.calls.keys()].sort();
    if (oldest === undefined || oldest > number) return false;
    this.#silence(oldest);
    return true;
  }

  /** @param {string} number */
  #silence(number) {
    const ring = this.calls.get(number);
    if (ring) this.group.removeLayer(ring);
    this.calls.delete(number);
  }
}

/**
 * @param {{lon: number, lat: number}} place
 * @param {string} className
 */
function ringAt({ lon, lat }, className) {
  const icon = new DivIcon({ className, iconSize: [0, 0] });
  return new Marker(new LatLng(lat, lon), { icon, interactive: false, keyboard: false, pane: "pulses" });
}
