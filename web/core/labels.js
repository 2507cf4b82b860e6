/** Which of the names on a map can stand: those of higher rank first, none over another and none half under a panel. */

/**
 * @typedef {object} Label
 * @property {string} text
 * @property {number} x px, middle of the text
 * @property {number} y px, middle of the text
 * @property {number} width px
 * @property {number} height px
 * @property {number} rank smaller is placed first
 * @property {number} [apart] px from the next place where the same name is read
 */

/** @typedef {{left: number, top: number, right: number, bottom: number}} Cover px, in the same frame as the labels */

/**
 * @template {Label} T
 * @param {T[]} wanted
 * @param {Cover[]} [covers] what lies over the map: a name that is cut by one of them cannot be read
 * @param {number} [margin] px kept free around each
 * @returns {T[]} those that fit, highest rank first
 */
export function placeLabels(wanted, covers = [], margin = 4) {
  /** @type {T[]} */
  const placed = [];
  for (const label of [...wanted].sort((a, b) => a.rank - b.rank)) {
    const collides = placed.some(
      (other) =>
        Math.abs(other.x - label.x) < (other.width + label.width) / 2 + margin &&
        Math.abs(other.y - label.y) < (other.height + label.height) / 2 + margin / 2,
    );
    const isCovered = covers.some(
      ({ left, top, right, bottom }) =>
        label.x + label.width / 2 + margin > left &&
        label.x - label.width / 2 - margin < right &&
        label.y + label.height / 2 + margin / 2 > top &&
        label.y - label.height / 2 - margin / 2 < bottom,
    );
    const { text, x, y, apart = 0 } = label;
    const isRead = apart > 0 && placed.some((other) => other.text === text && Math.hypot(other.x - x, other.y - y) < apart);
    if (!collides && !isCovered && !isRead) placed.push(label);
  }
  return placed;
}
