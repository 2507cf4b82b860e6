/**
 * The server's present on a screen whose own clock may be wrong. Every message tells the server's time of sending; the
 * one that travelled fastest is nearest to the truth, so the largest difference of the last few counts.
 */

const KEPT = 24;

export class ServerClock {
  /** @param {() => number} [own] the screen's own clock, ms */
  constructor(own = () => Date.now()) {
    this.own = own;
    /** @type {number[]} */
    this.heard = [];
  }

  /** @param {Date} serverTime as it was when the message was sent */
  hear(serverTime) {
    const ahead = serverTime.getTime() - this.own();
    // a clock that jumped makes everything heard before worthless
    if (this.heard.length > 0 && Math.abs(ahead - this.ahead()) > 2_000) this.heard = [];
    this.heard.push(ahead);
    if (this.heard.length > KEPT) this.heard.shift();
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
