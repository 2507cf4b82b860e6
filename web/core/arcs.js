/**
 * The borders of a tiling once each: neighbours run along the same vertices, so that a border can be drawn once instead
 * of twice. Coordinates are whole units of a tile; everything lies in flat arrays, because a screen full of grids has a
 * hundred thousand positions.
 */

/** @typedef {import("./tile_types.js").Lines} Lines */
/**
 * @typedef {object} Arcs
 * @property {Lines} arcs stretches between places where three or more borders meet; a ring that meets none is one arc
 * @property {Int32Array} rings arcs of all rings in order; `~arc` is the arc run backwards
 * @property {Uint32Array} starts where each ring begins in `rings`; one more for the end
 */

/** Numbers the places that rings run through, and knows the first two neighbours of each. */
class Places {
  /** @param {number} most positions there are */
  constructor(most) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(16, most * 2)));
    this.mask = size - 1;
    this.table = new Int32Array(size).fill(-1);
    this.x = new Int16Array(most);
    this.y = new Int16Array(most);
    this.one = new Int32Array(most).fill(-1);
    this.other = new Int32Array(most).fill(-1);
    this.isNode = new Uint8Array(most);
    this.size = 0;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  number(x, y) {
    let slot = ((Math.imul(x, 0x9e3779b1) ^ Math.imul(y, 0x85ebca6b)) >>> 7) & this.mask;
    for (; ; slot = (slot + 1) & this.mask) {
      const found = /** @type {number} */ (this.table[slot]);
      if (found < 0) break;
      if (this.x[found] === x && this.y[found] === y) return found;
    }
    const made = this.size++;
    this.table[slot] = made;
    this.x[made] = x;
    this.y[made] = y;
    return made;
  }

  /**
   * @param {number} place
   * @param {number} neighbour
   */
  meet(place, neighbour) {
    if (this.one[place] === neighbour || this.other[place] === neighbour) return;
    if (this.one[place] === -1) this.one[place] = neighbour;
    else if (this.other[place] === -1) this.other[place] = neighbour;
    else this.isNode[place] = 1;
  }
}

/** Lines one after the other, grown as they come. */
export class LineList {
  /** @param {number} positions that may come */
  constructor(positions) {
    this.xy = new Int16Array(Math.max(16, positions * 2));
    /** @type {number[]} */
    this.starts = [0];
    this.end = 0;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  add(x, y) {
    if (this.end === this.xy.length) {
      const more = new Int16Array(this.end * 2);
      more.set(this.xy);
      this.xy = more;
    }
    this.xy[this.end++] = x;
    this.xy[this.end++] = y;
  }

  /** End the line. */
  close() {
    this.starts.push(this.end / 2);
  }

  /** @returns {Lines} */
  done() {
    return { xy: this.xy.slice(0, this.end), starts: Uint32Array.from(this.starts) };
  }
}

/**
 * @param {Lines} rings without their first position repeated at the end
 * @returns {Arcs}
 */
export function arcsOf({ xy, starts }) {
  const count = xy.length / 2;
  const places = new Places(count);
  const numbers = new Int32Array(count);
  for (let i = 0; i < count; i += 1) numbers[i] = places.number(/** @type {number} */ (xy[2 * i]), /** @type {number} */ (xy[2 * i + 1]));
  meetAll(places, numbers, starts);
  const arcs = new LineList(count);
  /** @type {number[]} */
  const rings = [];
  const ringStarts = new Uint32Array(starts.length);
  /** Arcs by the first step from either end: from a node only one arc sets out in each direction. @type {Map<number, number>} */
  const known = new Map();
  let made = 0;
  for (let ring = 0; ring + 1 < starts.length; ring += 1) {
    const [from, to] = [/** @type {number} */ (starts[ring]), /** @type {number} */ (starts[ring + 1])];
    const length = to - from;
    const at = (/** @type {number} */ i) => /** @type {number} */ (numbers[from + (i % length)]);
    const { first, isClosed } = beginning(places, numbers, from, to);
    for (let begin = 0; length > 1 && begin < length; ) {
      let end = begin + 1;
      while (end < length && (isClosed || places.isNode[at(first + end)] === 0)) end += 1;
      const [start, second] = [at(first + begin), at(first + begin + 1)];
      let arc = known.get(start * places.size + second);
      if (arc === undefined) {
        arc = made++;
        for (let i = begin; i <= end; i += 1) {
          const place = at(first + i);
          arcs.add(/** @type {number} */ (places.x[place]), /** @type {number} */ (places.y[place]));
        }
        arcs.close();
        known.set(start * places.size + second, arc);
        known.set(at(first + end) * places.size + at(first + end - 1), ~arc);
      }
      rings.push(arc);
      begin = end;
    }
    ringStarts[ring + 1] = rings.length;
  }
  return { arcs: arcs.done(), rings: Int32Array.from(rings), starts: ringStarts };
}

/**
 * @param {Places} places
 * @param {Int32Array} numbers
 * @param {Uint32Array} starts
 */
function meetAll(places, numbers, starts) {
  for (let ring = 0; ring + 1 < starts.length; ring += 1) {
    const [from, to] = [/** @type {number} */ (starts[ring]), /** @type {number} */ (starts[ring + 1])];
    for (let i = from; i < to; i += 1) {
      const here = /** @type {number} */ (numbers[i]);
      const next = /** @type {number} */ (numbers[i + 1 === to ? from : i + 1]);
      // where one turns back another may go on: an arc must be known by its first step
      if (next === numbers[i === from ? to - 1 : i - 1]) places.isNode[here] = 1;
      places.meet(here, next);
      places.meet(next, here);
    }
  }
}

/**
 * Where a ring is taken up: at its first node; one without any at the same place from whichever side it is met.
 * @param {Places} places
 * @param {Int32Array} numbers
 * @param {number} from
 * @param {number} to
 */
function beginning(places, numbers, from, to) {
  let least = from;
  for (let i = from; i < to; i += 1) {
    if (places.isNode[/** @type {number} */ (numbers[i])] === 1) return { first: i - from, isClosed: false };
    if (/** @type {number} */ (numbers[i]) < /** @type {number} */ (numbers[least])) least = i;
  }
  return { first: least - from, isClosed: true };
}
