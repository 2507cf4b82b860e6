/** Symbols of points, drawn on whatever canvas there is: the map's or a worker's. */

/** @typedef {CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D} Ctx */

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

/**
 * Draw one symbol: filled, with a casing that keeps it apart from what lies under it.
 * @param {Ctx} ctx
 * @param {{shape: string, x: number, y: number, radius: number, fill: string, fillOpacity: number, casing: string, width: number}} symbol
 */
export function drawSymbol(ctx, { shape, x, y, radius, fill, fillOpacity, casing, width }) {
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
  } else {
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
