/** How a name is written on a canvas: level, or along the line that it names. */

import { isWide } from "../core/base_names.js";

/** @typedef {{text: string, x: number, y: number, height: number, angle?: number}} Written `x`, `y` the middle, px; `angle` radians clockwise, within a quarter turn */

/** Steeper than this, Chinese characters stand one under the other. */
const STEEP = Math.PI / 4;

/**
 * @param {CanvasRenderingContext2D} ctx with font and colours; its text is centred
 * @param {Written} label
 */
export function letter(ctx, label) {
  for (const { text, x, y, angle } of glyphs(label)) {
    if (angle === 0) {
      ctx.strokeText(text, x, y);
      continue;
    }
    turned(ctx, x, y, angle, () => ctx.strokeText(text, 0, 0));
  }
  // over the halos of its neighbours
  for (const { text, x, y, angle } of glyphs(label)) {
    if (angle === 0) ctx.fillText(text, x, y);
    else turned(ctx, x, y, angle, () => ctx.fillText(text, 0, 0));
  }
}

/**
 * What is written in one piece: a level name, a name in letters, or one Chinese character.
 * @param {Written} label
 */
function glyphs({ text, x, y, height, angle = 0 }) {
  const characters = [...text];
  const isUpright = Math.abs(angle) > STEEP && characters.every(isWide);
  if (!isUpright) return [{ text, x, y, angle }];
  // from the top down
  const down = angle > 0 ? angle : angle + Math.PI;
  return characters.map((character, index) => {
    const along = (index - (characters.length - 1) / 2) * height;
    return { text: character, x: x + Math.cos(down) * along, y: y + Math.sin(down) * along, angle: down - Math.PI / 2 };
  });
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {number} x
 * @param {number} y
 * @param {number} angle
 * @param {() => void} draw
 */
function turned(ctx, x, y, angle, draw) {
  ctx.save();
  ctx.translate(x, y);
  ctx.rotate(angle);
  draw();
  ctx.restore();
}

/**
 * The box around a name that is turned.
 * @param {number} width
 * @param {number} height
 * @param {number} angle
 */
export function boxOf(width, height, angle) {
  const [cos, sin] = [Math.abs(Math.cos(angle)), Math.abs(Math.sin(angle))];
  return { width: width * cos + height * sin, height: width * sin + height * cos };
}
