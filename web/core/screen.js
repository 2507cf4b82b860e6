/** A wall made of several screens: each shows its part of one picture (`?screen=2of3`, counted from the left). */

/**
 * @param {string} search of the page's address
 * @returns {{index: number, of: number}} index from 1
 */
export function screenOf(search) {
  const found = /^([1-9]\d?)of([1-9]\d?)$/.exec(new URLSearchParams(search).get("screen") ?? "");
  const [index, of] = found ? [Number(found[1]), Number(found[2])] : [1, 1];
  return index <= of ? { index, of } : { index: 1, of: 1 };
}

/**
 * The part of the picture's width that a screen shows, in shares of it.
 * @param {string} search of the page's address
 * @returns {[number, number]}
 */
export function partOf(search) {
  const { index, of } = screenOf(search);
  return [(index - 1) / of, index / of];
}
