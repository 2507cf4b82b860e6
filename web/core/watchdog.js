/**
 * Whether a page that runs for months should load itself anew before it gets into trouble. Judged from a few samples,
 * never from one.
 */

/** @typedef {{heap: number | null, frame: number}} Sample heap in bytes where the browser tells, frame in ms */

export const SAMPLES = 6;
/** A page of this kind needs a tenth of it. */
const HEAP_LIMIT = 700 * 2 ** 20;
const SLOW_FRAME_MS = 400;
const OLDEST_MS = 7 * 86_400_000;

/**
 * @param {Sample[]} samples latest last
 * @param {number} age of the page, ms
 * @returns {"memory" | "frames" | "age" | null} why to load anew
 */
export function trouble(samples, age) {
  const latest = samples.slice(-SAMPLES);
  if (latest.length === SAMPLES) {
    if (latest.every(({ heap }) => heap !== null && heap > HEAP_LIMIT)) return "memory";
    if (latest.every(({ frame }) => frame > SLOW_FRAME_MS)) return "frames";
  }
  return age > OLDEST_MS ? "age" : null;
}
