/** Symbols of points, drawn on whatever canvas there is: the map's or a worker's. */

/** @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Ctx */
/** @typedef {"solid" | "hollow" | "crossed" | "faint"} Mark how a symbol tells a state: hollow for what is away, crossed for what is broken, faint for what is not known */

/**
 * Trace the outline of a shape around a point.
 * @param {Ctx} ctx
 * @param {string} shape
 * @param {number} x
 * @param {number} y
 * @param {number} r half its height, px
 */
function trace(ctx, shape, x, y, r) {
  ctx.beginPath();
  switch (shape) {
    case "triangle":
      ctx.moveTo(x, y - r * 1.1);
      ctx.lineTo(x + r * 1.1, y + r * 0.85);
      ctx.lineTo(x - r * 1.1, y + r * 0.85);
      ctx.closePath();
      break;
    case "diamond":
      ctx.moveTo(x, y - r * 1.15);
      ctx.lineTo(x + r * 1.15, y);
      ctx.lineTo(x, y + r * 1.15);
      ctx.lineTo(x - r * 1.15, y);
      ctx.closePath();
      break;
    case "square":
      ctx.rect(x - r * 0.85, y - r * 0.85, r * 1.7, r * 1.7);
      break;
    case "cross":
      ctx.moveTo(x - r, y);
      ctx.lineTo(x + r, y);
      ctx.moveTo(x, y - r);
      ctx.lineTo(x, y + r);
      break;
    default:
      ctx.arc(x, y, r, 0, Math.PI * 2);
  }
}

/** Share of a faint symbol's colour that is left. */
const FAINT = 0.4;

/**
 * Draw one symbol: filled, with a casing that keeps it apart from what lies under it.
 * @param {Ctx} ctx
 * @param {{shape: string, x: number, y: number, radius: number, fill: string, fillOpacity: number, casing: string, width: number, mark?: Mark | undefined,
 *   edge?: string | undefined}} symbol `edge` is the colour of a hollow or crossed one
 */
export function drawSymbol(ctx, { shape, x, y, radius, fill, fillOpacity, casing, width, mark = "solid", edge = fill }) {
  ctx.save();
  ctx.lineJoin = "round";
  ctx.lineCap = "round";
  ctx.setLineDash([]);
  if (shape === "check") {
    // a tick on a disc: the tick is what says "done"
    trace(ctx, "circle", x, y, radius);
    ctx.fillStyle = casing;
    ctx.fill();
    ctx.strokeStyle = fill;
    ctx.lineWidth = Math.max(1.5, radius * 0.28);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x - radius * 0.45, y + radius * 0.02);
    ctx.lineTo(x - radius * 0.1, y + radius * 0.38);
    ctx.lineTo(x + radius * 0.48, y - radius * 0.36);
    ctx.stroke();
  } else if (mark === "hollow" || mark === "crossed") {
    drawHollow(ctx, { shape, x, y, radius, fill, casing, isCrossed: mark === "crossed", edge });
  } else {
    if (mark === "faint") fillOpacity *= FAINT;
    trace(ctx, shape, x, y, radius);
    if (fill && shape !== "cross") {
      ctx.globalAlpha = fillOpacity;
      ctx.fillStyle = fill;
      ctx.fill();
      ctx.globalAlpha = 1;
    }
    const stroke = shape === "cross" ? fill : casing;
    if (stroke && width > 0) {
      ctx.strokeStyle = stroke;
      ctx.lineWidth = width;
      ctx.stroke();
    }
  }
  ctx.restore();
}

/**
 * A symbol of which only the edge is left, with a core in its own colour, or a cross instead.
 * @param {Ctx} ctx
 * @param {{shape: string, x: number, y: number, radius: number, fill: string, casing: string, edge: string, isCrossed: boolean}} symbol
 */
function drawHollow(ctx, { shape, x, y, radius, fill, casing, edge, isCrossed }) {
  const line = Math.max(1.25, radius * 0.3);
  trace(ctx, shape, x, y, radius + line / 2);
  ctx.fillStyle = casing;
  ctx.fill();
  ctx.strokeStyle = casing;
  ctx.lineWidth = line * 1.8;
  ctx.stroke();
  ctx.strokeStyle = edge;
  ctx.lineWidth = line;
  ctx.stroke();
  if (isCrossed) {
    const arm = radius * 0.6;
    ctx.beginPath();
    ctx.moveTo(x - arm, y - arm);
    ctx.lineTo(x + arm, y + arm);
    ctx.moveTo(x + arm, y - arm);
    ctx.lineTo(x - arm, y + arm);
    ctx.stroke();
  } else {
    trace(ctx, shape, x, y, radius * 0.4);
    ctx.fillStyle = fill;
    ctx.fill();
  }
}
