/**
 * Whether a page that runs for months should load itself anew before it gets into trouble. Judged from a few samples,
 * never from one.
 */

/**
 * @typedef {object} Sample
 * @property {number | null} heap bytes, where the browser tells
 * @property {number} frame ms between two frames
 * @property {number} [failedTiles] in view that could not be fetched
 */

export const SAMPLES = 6;
/** A page of this kind needs a tenth of it. */
const HEAP_LIMIT = 700 * 2 ** 20;
const SLOW_FRAME_MS = 400;
const LONGEST_SILENCE_MS = 10 * 60_000;
const OLDEST_MS = 7 * 86_400_000;

/**
 * The usual time between two frames, ms. Where none comes at all the wait for them is over with `enough`, and was long.
 * @param {number} most frames to wait for
 * @param {() => Promise<unknown>} next frame
 * @param {Promise<unknown>} enough
 * @param {() => number} now ms
 */
export async function frameTime(most, next, enough, now) {
  const begun = now();
  let [seen, isOver] = [0, false];
  const over = enough.then(() => (isOver = true));
  while (seen < most && !isOver) {
    await Promise.race([next().then(() => (seen += 1)), over]);
  }
  return (now() - begun) / Math.max(1, seen);
}

/**
 * @param {Sample[]} samples latest last
 * @param {{age: number, silence: number}} times of the page and of the stream, ms
 * @returns {"memory" | "frames" | "tiles" | "silence" | "age" | null} why to load anew
 */
export function trouble(samples, { age, silence }) {
  const latest = samples.slice(-SAMPLES);
  if (latest.length === SAMPLES) {
    if (latest.every(({ heap }) => heap !== null && heap > HEAP_LIMIT)) return "memory";
    if (latest.every(({ frame }) => frame > SLOW_FRAME_MS)) return "frames";
    if (latest.every(({ failedTiles = 0 }) => failedTiles > 0)) return "tiles";
  }
  if (silence > LONGEST_SILENCE_MS) return "silence";
  return age > OLDEST_MS ? "age" : null;
}
