/**
 * The server's present on a screen whose own clock may be wrong. Every message tells the server's time of sending; the
 * one that travelled fastest is nearest to the truth, so the largest difference of the last few counts.
 */

const KEPT = 24;
/** More than messages of one stream differ by. */
const JUMP_MS = 2_000;

export class ServerClock {
  /** @param {() => number} [own] the screen's own clock, ms; one that nobody can set */
  constructor(own = () => performance.timeOrigin + performance.now()) {
    this.own = own;
    /** @type {number[]} */
    this.heard = [];
    /** How far the server was ahead by a message that seemed to be late. @type {number | null} */
    this.doubted = null;
  }

  /** @param {Date} serverTime as it was when the message was sent */
  hear(serverTime) {
    const ahead = serverTime.getTime() - this.own();
    const step = this.heard.length > 0 ? ahead - this.ahead() : 0;
    if (step < -JUMP_MS && !this.#isAgain(ahead)) {
      // held up on its way, as it seems; if the server's clock was set back, the next will say the same
      this.doubted = ahead;
      return;
    }
    this.doubted = null;
    // a clock that jumped makes everything heard before worthless
    if (Math.abs(step) > JUMP_MS) this.heard = [];
    this.heard.push(ahead);
    if (this.heard.length > KEPT) this.heard.shift();
  }

  /** @param {number} ahead */
  #isAgain(ahead) {
    return this.doubted !== null && Math.abs(ahead - this.doubted) <= JUMP_MS;
  }

  /** How far the server is ahead of this screen, ms. */
  ahead() {
    return this.heard.length > 0 ? Math.max(...this.heard) : 0;
  }

  /** The server's present. */
  now() {
    return new Date(this.own() + this.ahead());
  }
}
