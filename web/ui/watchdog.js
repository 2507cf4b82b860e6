/** Watches a page that nobody watches, and loads it anew when it must be and when the server is there to load it from. */

import { getJson, Problem } from "../core/http.js";
import { frameTime, SAMPLES, trouble } from "../core/watchdog.js";

const EVERY_MS = 60_000;
const FRAMES = 20;
/** A page whose frames do not come any more waits for them no longer. */
const PATIENCE_MS = 20_000;

export class Watchdog {
  /**
   * @param {{silence: () => number, mayReload: () => boolean, failedTiles?: () => number, reload?: () => void}} page `silence` of the
   *   stream in ms, `failedTiles` of the map now
   */
  constructor(page) {
    this.page = page;
    this.begun = performance.now();
    /** @type {import("../core/watchdog.js").Sample[]} */
    this.samples = [];
    this.timer = setInterval(() => this.look(), EVERY_MS);
  }

  stop() {
    clearInterval(this.timer);
  }

  /** Take a sample and act on it; called once a minute. */
  async look() {
    this.samples.push({ heap: heapInUse(), frame: await frames(), failedTiles: this.page.failedTiles?.() ?? 0 });
    if (this.samples.length > SAMPLES) this.samples.shift();
    const why = trouble(this.samples, { age: performance.now() - this.begun, silence: this.page.silence() });
    if (!why || !this.page.mayReload() || !(await isServerThere())) return;
    console.info(`the page loads itself anew: ${why}`);
    (this.page.reload ?? (() => location.reload()))();
  }
}

/** Bytes in use, where the browser tells (Chromium does). */
function heapInUse() {
  const { memory } = /** @type {{memory?: {usedJSHeapSize: number}}} */ (performance);
  return memory ? memory.usedJSHeapSize : null;
}

/** The usual time between two frames, ms; 0 on a page that is not visible and draws none. */
async function frames() {
  const isVisible = () => document.visibilityState === "visible";
  if (!isVisible()) return 0;
  const enough = new Promise((done) => setTimeout(done, PATIENCE_MS));
  const time = await frameTime(FRAMES, () => new Promise((done) => requestAnimationFrame(done)), enough, () => performance.now());
  return isVisible() ? time : 0;
}

/** A page that loads itself from a server that is away shows an error page for ever. */
async function isServerThere() {
  try {
    await getJson("/healthz");
    return true;
  } catch (error) {
    if (error instanceof Problem) return false;
    throw error;
  }
}
