/** Incidents on the map: one symbol each, moved and recoloured in place; what is new pulses once. */

import { DivIcon, LatLng, LayerGroup, Marker } from "../vendor/leaflet.js";
import { markOf } from "../core/incident.js";
import { MARK_SHAPES, ShapeMarker } from "./symbols.js";

/** @typedef {{number: string, lon: number, lat: number, state: string, is_urgent: boolean, is_overdue?: boolean}} Incident */
/** @typedef {import("./feature_layer.js").Look} Look */

const RADIUS = 7;
const PULSE_MS = 2_000;
const PRESSING = new Set(["urgent", "overdue"]);
/** Rings that call at once: the newest. */
const MOST_CALLS = 24;
/** Until somebody has taken receipt of it, an urgent incident goes on asking for attention. */
const UNANSWERED = new Set(["discovered", "recorded", "reported"]);

export class IncidentLayer {
  /**
   * @param {import("../vendor/leaflet.js").Canvas} renderer
   * @param {Look} look
   */
  constructor(renderer, look) {
    this.renderer = renderer;
    this.look = look;
    /** Asking the page for a colour makes it compute its styles. @type {Map<string, string>} */
    this.colours = new Map();
    this.group = new LayerGroup();
    /** @type {Map<string, {incident: Incident, marker: ShapeMarker}>} */
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
    const place = new LatLng(incident.lat, incident.lon);
    const known = this.shown.get(incident.number);
    if (known) {
      if (!looksTheSame(known.incident, incident)) known.marker.setLatLng(place).setStyle(this.#options(incident));
      known.incident = incident;
    } else {
      const marker = new ShapeMarker(place, this.#options(incident));
      this.group.addLayer(marker);
      this.shown.set(incident.number, { incident, marker });
    }
    // what presses is never hidden under what does not
    if (PRESSING.has(markOf(incident))) this.shown.get(incident.number)?.marker.bringToFront();
    this.#call(incident, place);
  }

  /** @param {string} number */
  remove(number) {
    const known = this.shown.get(number);
    if (known) this.group.removeLayer(known.marker);
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
    const ring = ringAt(known.marker.getLatLng(), `pulse pulse-${markOf(known.incident)}`);
    this.group.addLayer(ring);
    setTimeout(() => this.group.removeLayer(ring), PULSE_MS);
  }

  /** @param {Look} look */
  restyle(look) {
    this.look = look;
    this.colours.clear();
    for (const { incident, marker } of this.shown.values()) {
      marker.setStyle(this.#options(incident));
      marker.setRadius(RADIUS * look.scale);
    }
  }

  /**
   * The nearest incident within a finger's reach, or null.
   * @param {(lon: number, lat: number) => number} pixelsFrom
   */
  at(pixelsFrom) {
    let nearest = null;
    let least = (RADIUS + 7) * this.look.scale;
    for (const { incident } of this.shown.values()) {
      const pixels = pixelsFrom(incident.lon, incident.lat);
      if (pixels <= least) [nearest, least] = [incident, pixels];
    }
    return nearest;
  }

  /** @param {string} token */
  #colour(token) {
    const colour = this.colours.get(token) ?? this.look.colour(token);
    this.colours.set(token, colour);
    return colour;
  }

  /** @param {Incident} incident */
  #options(incident) {
    const mark = markOf(incident);
    return {
      renderer: this.renderer,
      interactive: false,
      radius: RADIUS * this.look.scale,
      shape: MARK_SHAPES[mark],
      fillColor: this.#colour("--" + mark),
      fillOpacity: 1,
      color: this.#colour("--map-ground"),
      weight: 1.5 * this.look.scale,
    };
  }

  /**
   * @param {Incident} incident
   * @param {LatLng} place
   */
  #call(incident, place) {
    const calls = markOf(incident) === "urgent" && UNANSWERED.has(incident.state);
    const ring = this.calls.get(incident.number);
    if (!calls) this.#silence(incident.number);
    else if (ring) ring.setLatLng(place);
    else if (this.#mayCall(incident.number)) {
      const made = ringAt(place, "pulse pulse-call");
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
 * @param {Incident} one
 * @param {Incident} other
 */
function looksTheSame(one, other) {
  return one.lon === other.lon && one.lat === other.lat && markOf(one) === markOf(other);
}

/**
 * @param {LatLng} place
 * @param {string} className
 */
function ringAt(place, className) {
  const icon = new DivIcon({ className, iconSize: [0, 0] });
  return new Marker(place, { icon, interactive: false, keyboard: false, pane: "pulses" });
}
