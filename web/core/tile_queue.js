/**
 * Asks for the tiles of a service that may be away: a few at once, so that other questions find a connection; and while it is
 * away one at a time, ever more seldom, however many tiles a screen wants.
 */

/**
 * @typedef {object} Asked
 * @property {() => Promise<any>} get
 * @property {AbortSignal} signal
 * @property {(answer: any) => void} resolve
 * @property {(reason: unknown) => void} reject
 * @property {() => void} giveUp
 * @property {number} attempts that failed
 * @property {number} dueAt not before, ms
 * @property {number} round in which it failed last
 */

/** The page's other questions need the rest of a browser's six connections to a server. */
const AT_ONCE = 4;
const FIRST_PAUSE_MS = 1_000;
/** A service that is back is found so soon. */
const LONGEST_PAUSE_MS = 10_000;
/** A single tile that fails while others come is asked for so seldom. */
const LONGEST_WAIT_MS = 30_000;
/** So many tiles that failed with none between that came: not they are at fault. */
const AWAY = 2;

export class TileQueue {
  /**
   * @param {(isMissing: boolean) => void} told whether tiles are missing that were asked for, whenever that changes
   * @param {() => number} now ms
   */
  constructor(told = () => {}, now = () => performance.now()) {
    this.told = told;
    this.now = now;
    /** What the last tile failed for. @type {unknown} */
    this.problem = null;
    /** @type {Asked[]} first come, first served */
    this.waiting = [];
    /** @type {Set<Asked>} */
    this.running = new Set();
    /** Counts the times that tiles came again. */
    this.round = 1;
    /** Tiles that failed in this round. */
    this.failing = 0;
    this.pauses = 0;
    this.restsUntil = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    this.isMissing = false;
  }

  /** Whether the service, not one tile, is away. */
  get isAway() {
    return this.failing >= AWAY;
  }

  /** How many tiles are wanted and cannot be had just now. */
  get missing() {
    return [...this.waiting, ...this.running].filter(({ attempts }) => this.isAway || attempts > 0).length;
  }

  /**
   * The answer of `get`, when it comes; failures are met by asking again, until the tile is given up.
   * @template T
   * @param {() => Promise<T>} get
   * @param {AbortSignal} signal of a tile that nobody wants any more
   * @returns {Promise<T>}
   */
  ask(get, signal) {
    return new Promise((resolve, reject) => {
      /** @type {Asked} */
      const one = {
        get,
        signal,
        resolve,
        reject,
        giveUp: () => {
          this.waiting = this.waiting.filter((other) => other !== one);
          reject(signal.reason);
          this.#go();
        },
        attempts: 0,
        dueAt: 0,
        round: 0,
      };
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      signal.addEventListener("abort", one.giveUp, { once: true });
      this.waiting.push(one);
      this.#go();
    });
  }

  /** Ask for as many as may be asked for now, and come back when the next may be. */
  #go() {
    clearTimeout(this.timer);
    const now = this.now();
    const most = this.isAway ? 1 : AT_ONCE;
    while (now >= this.restsUntil && this.running.size < most) {
      const next = this.waiting.findIndex(({ dueAt }) => dueAt <= now || this.isAway);
      if (next < 0) break;
      void this.#run(/** @type {Asked} */ (this.waiting.splice(next, 1)[0]));
    }
    if (this.waiting.length > 0 && this.running.size < most) {
      const due = this.isAway ? 0 : Math.min(...this.waiting.map(({ dueAt }) => dueAt));
      this.timer = setTimeout(() => this.#go(), Math.max(this.restsUntil, due) - now);
    }
    const isMissing = this.missing > 0;
    if (isMissing === this.isMissing) return;
    this.isMissing = isMissing;
    this.told(isMissing);
  }

  /** @param {Asked} one */
  async #run(one) {
    const { round } = this;
    this.running.add(one);
    try {
      one.resolve(await one.get());
      this.#leave(one);
      this.#well(one.attempts > 0);
    } catch (error) {
      if (one.signal.aborted) this.#leave(one);
      else this.#fail(one, error, round);
    }
    this.running.delete(one);
    this.#go();
  }

  /** @param {Asked} one */
  #leave(one) {
    one.signal.removeEventListener("abort", one.giveUp);
  }

  /** @param {boolean} isBack whether what came had failed before: others are not made to wait any longer */
  #well(isBack) {
    if (isBack) for (const one of this.waiting) one.dueAt = 0;
    if (this.failing > 0) this.round += 1;
    this.failing = 0;
    this.pauses = 0;
    this.restsUntil = 0;
  }

  /**
   * @param {Asked} one
   * @param {unknown} error
   * @param {number} round in which it was asked for
   */
  #fail(one, error, round) {
    const now = this.now();
    this.problem = error;
    one.attempts += 1;
    one.dueAt = now + pause(one.attempts, LONGEST_WAIT_MS);
    // the next to be asked is another: this one may be what is wrong
    this.waiting.push(one);
    if (round !== this.round) return;
    if (one.round !== this.round) this.failing += 1;
    one.round = this.round;
    if (!this.isAway || now < this.restsUntil) return;
    this.pauses += 1;
    this.restsUntil = now + pause(this.pauses, LONGEST_PAUSE_MS);
  }
}

/**
 * How long to wait after so many failures; screens that failed together do not come back together.
 * @param {number} failures
 * @param {number} longest ms
 */
function pause(failures, longest) {
  return Math.min(longest, FIRST_PAUSE_MS * 2 ** (failures - 1)) * (0.5 + Math.random());
}
