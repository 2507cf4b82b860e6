/** How a base map is brought into the colours of the page. */

/** How much of the page's ground lies over a base map, by its tone, on a light and on a dark page. */
const VEIL = { light: { light: 0.35, dark: 0.4 }, imagery: { light: 0.25, dark: 0.5 } };
/** Of the colours of a base map so much is taken away. */
const PALER = 0.6;

/**
 * Make a picture fit the page: paler, under a veil of its ground, and a light street map dark on a dark page.
 * @param {CanvasRenderingContext2D} ctx
 * @param {{width: number, height: number}} size device px
 * @param {string} ground #rrggbb
 * @param {"light" | "imagery"} tone
 */
export function toned(ctx, { width, height }, ground, tone) {
  const page = isDark(ground) ? "dark" : "light";
  const fill = (/** @type {GlobalCompositeOperation} */ operation, /** @type {string} */ colour, /** @type {number} */ alpha) => {
    ctx.globalCompositeOperation = operation;
    ctx.globalAlpha = alpha;
    ctx.fillStyle = colour;
    ctx.fillRect(0, 0, width, height);
  };
  if (page === "dark" && tone === "light") {
    // light becomes dark and water stays blue
    const negative = document.createElement("canvas");
    Object.assign(negative, { width, height });
    const other = /** @type {CanvasRenderingContext2D} */ (negative.getContext("2d"));
    other.fillStyle = "#ffffff";
    other.fillRect(0, 0, width, height);
    other.globalCompositeOperation = "difference";
    other.drawImage(ctx.canvas, 0, 0);
    ctx.globalCompositeOperation = "luminosity";
    ctx.drawImage(negative, 0, 0);
  }
  fill("saturation", "#808080", PALER);
  fill("source-over", ground, VEIL[tone][page]);
}

/**
 * A colour that looks like `share` of one over another.
 * @param {string} colour #rrggbb
 * @param {string} ground #rrggbb
 * @param {number} share
 */
export function mixed(colour, ground, share) {
  const [over, under] = [channels(colour), channels(ground)];
  return "#" + over.map((one, at) => Math.round(one * share + (under[at] ?? 0) * (1 - share)).toString(16).padStart(2, "0")).join("");
}

/** @param {string} colour #rrggbb */
function isDark(colour) {
  const [red = 255, green = 255, blue = 255] = channels(colour);
  return 0.3 * red + 0.59 * green + 0.11 * blue < 128;
}

/** @param {string} colour #rrggbb; what is none is white */
function channels(colour) {
  const [, ...found] = /^#(..)(..)(..)$/.exec(colour) ?? [];
  return found.length === 3 ? found.map((one) => parseInt(one, 16)) : [255, 255, 255];
}
