/**
 * On which side of a line a point lies, exactly. Rounded arithmetic answers first where its error bound allows
 * (Shewchuk 1997); what is nearer to the line than that is decided with whole numbers of any length.
 */

const ROUNDING = 2 ** -53;
const BOUND = (3 + 16 * ROUNDING) * ROUNDING;
/** Below this, products may have lost digits to underflow, which the bound does not know of. */
const TINY = 1e-280;

const view = new DataView(new ArrayBuffer(8));

/**
 * The sign of the turn from a over b to p: 1 to the left, -1 to the right, 0 on the line. Coordinates are finite.
 * @param {number} ax
 * @param {number} ay
 * @param {number} bx
 * @param {number} by
 * @param {number} px
 * @param {number} py
 * @returns {-1 | 0 | 1}
 */
export function orientation(ax, ay, bx, by, px, py) {
  const left = (ax - px) * (by - py);
  const right = (ay - py) * (bx - px);
  const turn = left - right;
  const size = Math.abs(left) + Math.abs(right);
  // infinity and NaN of an overflow fail this too
  if (size > TINY && Math.abs(turn) > BOUND * size && size < Infinity) return turn > 0 ? 1 : -1;
  return exactly(ax, ay, bx, by, px, py);
}

/**
 * @param {...number} coordinates ax, ay, bx, by, px, py
 * @returns {-1 | 0 | 1}
 */
function exactly(...coordinates) {
  const parts = coordinates.map(split);
  const least = Math.min(...parts.map(({ exponent }) => exponent));
  const [ax, ay, bx, by, px, py] = parts.map(({ digits, exponent }) => digits << BigInt(exponent - least));
  const turn = (ax - px) * (by - py) - (ay - py) * (bx - px);
  if (turn === 0n) return 0;
  return turn > 0n ? 1 : -1;
}

/**
 * A double as what it is: whole digits times a power of two.
 * @param {number} value
 */
function split(value) {
  view.setFloat64(0, value);
  const high = view.getUint32(0);
  const stored = (high >>> 20) & 0x7ff;
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(view.getUint32(4));
  const digits = stored === 0 ? fraction : fraction | (1n << 52n);
  return { digits: high >>> 31 ? -digits : digits, exponent: (stored || 1) - 1075 };
}
