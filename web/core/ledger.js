/**
 * What the live stream told a screen lately, by position. An answer of the server is of a moment, too, and may be older
 * than the last event: what came after it is applied to it again, and what it holds already is not applied twice.
 */

/** More than come in while a question is answered, in the busiest hour. */
const MOST = 5_000;

/**
 * @typedef {object} Entry
 * @property {number} position
 * @property {string} kind
 * @property {any} data
 * @property {import("./wall_state.js").Step | null} step what it changed in the figures
 */

export class Ledger {
  /** @param {number} position up to which all that was told is known from elsewhere */
  constructor(position) {
    /** All that was told after this position is known here. */
    this.since = position;
    /** @type {Entry[]} */
    this.entries = [];
  }

  /** Begin anew. @param {number} position */
  begin(position) {
    this.since = position;
    this.entries = [];
  }

  /** @param {Entry} entry later than those before */
  add(entry) {
    this.entries.push(entry);
    if (this.entries.length > MOST) this.since = this.entries.splice(0, MOST / 10).at(-1)?.position ?? this.since;
  }

  /** What was told after a position. @param {number} position */
  after(position) {
    return this.entries.filter((entry) => entry.position > position);
  }
}
