/** Sees to it that what waits is sent: at once, when the network comes back, and after each rest. */

import { sendWaiting } from "./outbox_send.js";
import { NoRoom } from "./outbox_store.js";

/** @typedef {import("./outbox_send.js").Round} Round */

const SOONEST_MS = 500;
const BUSY_MS = 2_000;
const NO_ROOM_MS = 30_000;
const SIGN_IN_MS = 60_000;

export class Courier {
  /**
   * @param {string} account
   * @param {(round: Round) => void} told how each round ended
   */
  constructor(account, told) {
    this.account = account;
    this.told = told;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
    addEventListener("online", () => void this.go(true));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") void this.go(true);
    });
  }

  /**
   * One round now.
   * @param {boolean} [isBack] whether what rests goes at once
   * @returns {Promise<Round>}
   */
  async go(isBack = false) {
    clearTimeout(this.timer);
    const round = await sendWaiting(this.account, { isBack }).catch((error) => this.#withoutRoom(error));
    const rest = restAfter(round, Date.now());
    if (rest !== null) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => void this.go(), rest);
    }
    this.told(round);
    return round;
  }

  /**
   * What has arrived cannot be written down on a full phone: it is asked for again later, and recorded once all the same.
   * @param {unknown} error
   * @returns {Round}
   */
  #withoutRoom(error) {
    if (!(error instanceof NoRoom)) throw error;
    return { end: "offline", account: this.account, nextAt: Date.now() + NO_ROOM_MS };
  }
}

/**
 * How long to wait (ms) before the next round; null if nothing is left to send.
 * @param {Round} round
 * @param {number} now
 */
export function restAfter({ end, nextAt }, now) {
  if (end === "busy") return BUSY_MS;
  if (nextAt === null) return null;
  return end === "sign-in" ? SIGN_IN_MS : Math.max(SOONEST_MS, nextAt - now);
}
