/** Classes of counts for a map coloured by number: few, whole and each with something in it. */

const MOST_CLASSES = 5;

/**
 * Lower bounds of the classes, ascending; zero has no class. Quantiles of the values that occur, so that one busy grid
 * does not leave all others in the lowest class.
 * @param {Iterable<number>} values
 * @returns {number[]}
 */
export function classBounds(values) {
  const counts = [...values].filter((value) => value > 0).sort((a, b) => a - b);
  const different = [...new Set(counts)];
  if (different.length <= MOST_CLASSES) return different;
  const bounds = Array.from({ length: MOST_CLASSES }, (_, k) => counts[Math.floor((k * counts.length) / MOST_CLASSES)] ?? 0);
  return [...new Set(bounds)];
}

/**
 * The class of a value: 0 for the lowest, -1 for nothing.
 * @param {number[]} bounds
 * @param {number} value
 */
export function classOf(bounds, value) {
  return bounds.filter((bound) => value >= bound).length - 1;
}

/**
 * The token of a class: the classes spread over the seven steps of the scale, its darkest on the wall left out because
 * it would not stand off the ground.
 * @param {number} index
 * @param {number} classes
 */
export function classToken(index, classes) {
  const step = classes <= 1 ? 5 : 3 + Math.round((index * 4) / (classes - 1));
  return `--sequential-${step}`;
}

/**
 * What a class holds, in numbers.
 * @param {number[]} bounds
 * @param {number} index
 */
export function classWords(bounds, index) {
  const from = bounds[index] ?? 0;
  const next = bounds[index + 1];
  if (next === undefined) return bounds.length > 1 || from === 1 ? `≥ ${from}` : String(from);
  return next - 1 > from ? `${from}–${next - 1}` : String(from);
}
