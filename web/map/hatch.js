/** Hatches of findings: the same on the map and in the list beside it. */

/**
 * A repeating fill for findings.
 * @param {"hatch" | "cross" | "arrow" | "dots" | "line"} pattern
 * @param {string} colour
 * @param {number} [scale]
 * @returns {CanvasPattern | null} null where the outline alone speaks
 */
export function hatch(pattern, colour, scale = 1) {
  if (pattern === "dots" || pattern === "line") return null;
  const size = Math.round((pattern === "arrow" ? 18 : 8) * scale);
  const tile = document.createElement("canvas");
  tile.width = tile.height = size;
  const ctx = /** @type {CanvasRenderingContext2D} */ (tile.getContext("2d"));
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.6 * scale;
  ctx.beginPath();
  if (pattern === "arrow") {
    const [a, b] = [size * 0.25, size * 0.75];
    ctx.moveTo(a, b);
    ctx.lineTo(b, a);
    ctx.moveTo(b, a + size * 0.28);
    ctx.lineTo(b, a);
    ctx.lineTo(b - size * 0.28, a);
  } else {
    // drawn beyond the tile's corners so that the lines join
    ctx.moveTo(-1, size + 1);
    ctx.lineTo(size + 1, -1);
    ctx.moveTo(-1, 1);
    ctx.lineTo(1, -1);
    ctx.moveTo(size - 1, size + 1);
    ctx.lineTo(size + 1, size - 1);
    if (pattern === "cross") {
      ctx.moveTo(-1, -1);
      ctx.lineTo(size + 1, size + 1);
    }
  }
  ctx.stroke();
  return ctx.createPattern(tile, "repeat");
}

/**
 * A sample of a finding's look, for lists and legends.
 * @param {import("../core/style.js").FindingLook} look
 * @param {Element} within where the page's colours are read
 */
export function swatch({ token, pattern }, within) {
  const density = window.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(18 * density);
  canvas.setAttribute("aria-hidden", "true");
  const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  ctx.scale(density, density);
  const colour = getComputedStyle(within).getPropertyValue(token).trim();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  if (pattern === "dots") {
    ctx.lineCap = "round";
    ctx.lineWidth = 3;
    ctx.setLineDash([0.5, 5]);
  }
  ctx.beginPath();
  ctx.rect(2, 2, 14, 14);
  const fill = hatch(pattern, colour);
  if (fill) {
    ctx.fillStyle = fill;
    ctx.fill();
  }
  ctx.stroke();
  return canvas;
}
