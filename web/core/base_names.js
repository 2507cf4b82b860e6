/** Where the names of a base map stand: at their points, within their areas, and along their lines where these run straight. */

/** @typedef {import("./tile_types.js").DecodedLayer} DecodedLayer */
/** @typedef {{x: number, y: number, angle: number}} Anchor in units of the tile; the angle of the writing, radians clockwise, never upside down */

/** A name along a line is repeated after so many px. */
const EVERY_PX = 700;
/** How much of its way a line may lose by bending below a name. */
const STRAIGHT = 0.97;

/**
 * The room that a name needs, in shares of the height of its letters: Chinese characters are as wide as high.
 * @param {string} text
 */
export function widthOf(text) {
  let width = 0;
  for (const character of text) width += isWide(character) ? 1 : 0.55;
  return width;
}

/** Whether a character stands upright whichever way a line runs. @param {string} character */
export function isWide(character) {
  return /[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uff60\u{20000}-\u{3ffff}]/u.test(character);
}

/**
 * Where the name of a feature stands in its tile; a place in the tile's margin is its neighbour's.
 * @param {DecodedLayer} layer
 * @param {number} feature
 * @param {number} need px that the name is wide
 * @param {number} unit px of a unit of the tile
 * @returns {Anchor[]}
 */
export function anchorsOf(layer, feature, need, unit) {
  const { kind, extent, parts, lines, boxes } = layer;
  const [from, to] = [parts[feature] ?? 0, parts[feature + 1] ?? 0];
  const isHere = (/** @type {Anchor} */ { x, y }) => x >= 0 && y >= 0 && x < extent && y < extent;
  if (kind === "points") {
    const at = lines.starts[from] ?? 0;
    return [{ x: lines.xy[2 * at] ?? 0, y: lines.xy[2 * at + 1] ?? 0, angle: 0 }].filter(isHere);
  }
  if (kind === "polygons") {
    const [west = 0, north = 0, east = 0, south = 0] = boxes.subarray(4 * feature, 4 * feature + 4);
    return (east - west) * unit < need ? [] : [{ x: (west + east) / 2, y: (north + south) / 2, angle: 0 }].filter(isHere);
  }
  const found = [];
  for (let line = from; line < to; line += 1) {
    found.push(...along(lines.xy.subarray(2 * (lines.starts[line] ?? 0), 2 * (lines.starts[line + 1] ?? 0)), need / unit, EVERY_PX / unit));
  }
  return found.filter(isHere);
}

/**
 * Straight stretches of a line, evenly spread.
 * @param {Int16Array} xy
 * @param {number} need length of a stretch, units
 * @param {number} every units between two
 * @returns {Anchor[]}
 */
function along(xy, need, every) {
  const ways = [0];
  for (let i = 2; i < xy.length; i += 2) {
    ways.push((ways.at(-1) ?? 0) + Math.hypot((xy[i] ?? 0) - (xy[i - 2] ?? 0), (xy[i + 1] ?? 0) - (xy[i - 1] ?? 0)));
  }
  const whole = ways.at(-1) ?? 0;
  if (whole < need) return [];
  const count = Math.max(1, Math.floor(whole / every));
  const found = [];
  for (let n = 0; n < count; n += 1) {
    const middle = ((n + 0.5) * whole) / count;
    for (const at of [middle, middle - need / 2, middle + need / 2]) {
      const anchor = at - need / 2 < 0 || at + need / 2 > whole ? null : stretch(xy, ways, at - need / 2, at + need / 2);
      if (!anchor) continue;
      found.push(anchor);
      break;
    }
  }
  return found;
}

/**
 * The middle of a stretch, if it is straight enough to write along.
 * @param {Int16Array} xy
 * @param {number[]} ways from the line's begin to each of its places
 * @param {number} from
 * @param {number} to
 * @returns {Anchor | null}
 */
function stretch(xy, ways, from, to) {
  const [a, b] = [placeAt(xy, ways, from), placeAt(xy, ways, to)];
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  if (Math.hypot(dx, dy) < STRAIGHT * (to - from)) return null;
  const angle = Math.atan(dy / dx);
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, angle: Number.isNaN(angle) ? 0 : angle };
}

/**
 * @param {Int16Array} xy
 * @param {number[]} ways
 * @param {number} way
 */
function placeAt(xy, ways, way) {
  let next = 1;
  while (next < ways.length - 1 && (ways[next] ?? 0) < way) next += 1;
  const [before = 0, after = 0] = [ways[next - 1], ways[next]];
  const share = after > before ? (way - before) / (after - before) : 0;
  const at = (/** @type {number} */ axis) => {
    const [one, other] = [xy[2 * next - 2 + axis] ?? 0, xy[2 * next + axis] ?? 0];
    return one + (other - one) * share;
  };
  return { x: at(0), y: at(1) };
}
