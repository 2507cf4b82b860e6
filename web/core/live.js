/** A live connection that keeps itself up: reconnects after a loss or silence, and asks for what it missed. */

import { again, connecting, heard, isDue, isNews, isSilent, lost, reset } from "./stream.js";

const KINDS = ["incident", "generation", "acknowledged", "scene", "tour"];
const TICK_MS = 500;

/**
 * @typedef {object} Listener
 * @property {(kind: string, data: any, position: number) => void} event one event, each exactly once and in order
 * @property {(data: any) => void} [counts] what is told to those who are there, and not again
 * @property {(phase: "connecting" | "live" | "waiting") => void} phase
 * @property {(serverTime: Date, asOf: Date) => void} heartbeat `asOf` lags behind while the server cannot reach its database
 * @property {(isAfresh: boolean) => void} back events may have been missed: after a loss, or when the server cannot replay them
 *   (`isAfresh`), which makes all positions heard before worthless
 */

/**
 * @typedef {object} Surroundings what the browser provides; given in tests
 * @property {(url: string) => EventSource} open
 * @property {() => number} now ms
 * @property {() => number} random
 */

/** By a clock that nobody can set: a loss would else last as long as the jump. @type {Surroundings} */
const BROWSER = { open: (url) => new EventSource(url), now: () => performance.now(), random: () => Math.random() };

export class LiveStream {
  /**
   * @param {string} url
   * @param {number | null} lastId position after which to begin; null begins with the present
   * @param {Listener} listener
   * @param {Surroundings} [surroundings]
   */
  constructor(url, lastId, listener, surroundings = BROWSER) {
    this.url = url;
    this.listener = listener;
    this.surroundings = surroundings;
    this.state = connecting(lastId ?? 0, surroundings.now());
    // position 0 is a place to begin as well: a server that has not told anything yet
    this.startsAtZero = lastId === 0;
    this.wasLost = false;
    /** @type {EventSource | null} */
    this.source = null;
    this.#open();
    this.timer = setInterval(() => this.tick(), TICK_MS);
  }

  /** Let go of the connection for good. */
  close() {
    clearInterval(this.timer);
    this.source?.close();
    this.source = null;
  }

  /** Notice silence, and try again when it is time; called twice a second. */
  tick() {
    const now = this.surroundings.now();
    if (isSilent(this.state, now)) this.#lose();
    else if (isDue(this.state, now)) {
      this.#change(again(this.state, now));
      this.#open();
    }
  }

  #open() {
    const sign = this.url.includes("?") ? "&" : "?";
    const after = this.state.lastId > 0 || this.startsAtZero ? `${sign}after=${this.state.lastId}` : "";
    const source = this.surroundings.open(this.url + after);
    this.source = source;
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => this.#receive(kind, /** @type {MessageEvent} */ (event)));
    }
    source.addEventListener("counts", (event) => {
      this.#hear(null);
      this.listener.counts?.(JSON.parse(/** @type {MessageEvent} */ (event).data));
    });
    source.addEventListener("heartbeat", (event) => {
      this.#hear(null);
      const { now, as_of } = JSON.parse(/** @type {MessageEvent} */ (event).data);
      if (now) this.listener.heartbeat(new Date(now), new Date(as_of ?? now));
    });
    source.addEventListener("reset", (event) => {
      const id = Number(/** @type {MessageEvent} */ (event).lastEventId);
      this.#change(reset(this.state, this.surroundings.now(), id));
      this.wasLost = false;
      this.listener.back(true);
    });
    // that it was opened says nothing: a proxy may open it and keep back what comes; the server begins with a heartbeat
    source.addEventListener("error", () => {
      if (this.source === source) this.#lose();
    });
  }

  /**
   * @param {string} kind
   * @param {MessageEvent} event
   */
  #receive(kind, event) {
    const id = Number(event.lastEventId);
    if (!isNews(this.state, id)) return;
    this.#hear(id);
    this.listener.event(kind, JSON.parse(event.data), id);
  }

  /** @param {number | null} id */
  #hear(id) {
    this.#change(heard(this.state, this.surroundings.now(), id));
    if (this.wasLost) {
      this.wasLost = false;
      this.listener.back(false);
    }
  }

  #lose() {
    this.source?.close();
    this.source = null;
    this.wasLost = true;
    this.#change(lost(this.state, this.surroundings.now(), this.surroundings.random()));
  }

  /** @param {import("./stream.js").StreamState} state */
  #change(state) {
    const before = this.state.phase;
    this.state = state;
    if (before !== state.phase) this.listener.phase(state.phase);
  }
}
