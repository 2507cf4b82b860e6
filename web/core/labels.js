/** Which of the names on a map can stand: those of higher rank first, none over another. */

/**
 * @typedef {object} Label
 * @property {string} text
 * @property {number} x px, middle of the text
 * @property {number} y px, middle of the text
 * @property {number} width px
 * @property {number} height px
 * @property {number} rank smaller is placed first
 */

/**
 * @template {Label} T
 * @param {T[]} wanted
 * @param {number} [margin] px kept free around each
 * @returns {T[]} those that fit, highest rank first
 */
export function placeLabels(wanted, margin = 4) {
  /** @type {T[]} */
  const placed = [];
  for (const label of [...wanted].sort((a, b) => a.rank - b.rank)) {
    const collides = placed.some(
      (other) =>
        Math.abs(other.x - label.x) < (other.width + label.width) / 2 + margin &&
        Math.abs(other.y - label.y) < (other.height + label.height) / 2 + margin / 2,
    );
    if (!collides) placed.push(label);
  }
  return placed;
}
