/** A legend from the catalogue's styles and the marks of incidents. */

import { marks } from "../core/incident.js";
import { legendOf } from "../core/style.js";
import { el, markElement } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";
/** Half the height of the largest symbol that a line of a legend has room for. */
const MOST_RADIUS = 5.5;

/**
 * @param {{layer: import("../core/types.js").Layer, values: Set<string>, states: Set<string>}[]} drawn what is on the map
 * @param {{incidents?: readonly string[]}} [options] marks of the incidents that are drawn; all of them by default
 * @returns {HTMLElement}
 */
export function legend(drawn, { incidents = marks().map(({ mark }) => mark) } = {}) {
  const list = el("ul", { class: "legend" });
  for (const { mark, words } of marks()) {
    if (incidents.includes(mark)) list.append(el("li", {}, markElement(mark), words));
  }
  for (const { layer, values, states } of drawn.filter((one) => one.layer.legend)) {
    const rows = legendOf(layer, values, states);
    // classes of points do not say what they are classes of
    if (layer.geometry === "Point" && rows.every(({ title }) => title !== layer.title)) list.append(el("li", { class: "legend-head" }, layer.title));
    for (const { title, drawing, geometry } of rows) list.append(el("li", {}, swatch(drawing, geometry), title));
  }
  return list;
}

/**
 * A sample of how a thing is drawn.
 * @param {import("../core/style.js").Drawing} drawing
 * @param {string} geometry
 */
function swatch(drawing, geometry) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "swatch");
  svg.setAttribute("viewBox", "0 0 20 14");
  svg.setAttribute("aria-hidden", "true");
  const { mark } = drawing;
  const radius = Math.min(MOST_RADIUS, drawing.radius * 0.9);
  const isSymbol = geometry === "Point";
  const isEdged = isSymbol && (mark === "hollow" || mark === "crossed");
  svg.append(
    path(outline(drawing.shape, geometry, radius), {
      stroke: isEdged ? drawing.edge : drawing.stroke,
      width: isEdged ? 1.5 : Math.min(4, Math.max(1, drawing.width)),
      fill: geometry === "MultiLineString" || isEdged ? "" : drawing.fill,
      opacity: mark === "faint" ? drawing.fillOpacity * 0.4 : drawing.fillOpacity,
    }),
  );
  if (isEdged && mark === "hollow") svg.append(path(outline(drawing.shape, geometry, radius * 0.4), { stroke: "", width: 0, fill: drawing.fill, opacity: 1 }));
  if (isEdged && mark === "crossed") {
    const [near, far] = [radius * 0.5, radius];
    svg.append(path("M" + (10 - near) + " " + (7 - near) + "l" + far + " " + far + "m0 " + -far + "l" + -far + " " + far, { stroke: drawing.edge, width: 1.5, fill: "", opacity: 1 }));
  }
  return svg;
}

/**
 * Presentation attributes cannot hold custom properties, so the colours are set as style.
 * @param {string} d
 * @param {{stroke: string, width: number, fill: string, opacity: number}} look
 */
function path(d, { stroke, width, fill, opacity }) {
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", d);
  shape.style.stroke = asColour(stroke);
  shape.style.strokeWidth = String(width);
  shape.style.fill = asColour(fill);
  shape.style.fillOpacity = String(opacity);
  return shape;
}

/**
 * @param {string} shape
 * @param {string} geometry
 * @param {number} r half a symbol's height
 */
function outline(shape, geometry, r) {
  if (geometry === "MultiLineString") return "M1 7H19";
  if (geometry === "MultiPolygon") return "M2 2H18V12H2Z";
  if (shape === "square") return polygon([-1, -1], [1, -1], [1, 1], [-1, 1]);
  if (shape === "triangle") return polygon([0, -1.1], [1.1, 0.9], [-1.1, 0.9]);
  if (shape === "diamond") return polygon([0, -1.1], [1.1, 0], [0, 1.1], [-1.1, 0]);
  if (shape === "cross") return "M10 " + (7 - r) + "v" + 2 * r + "M" + (10 - r) + " 7h" + 2 * r;
  return "M" + (10 - r) + " 7a" + [r, r] + " 0 1 0 " + 2 * r + " 0a" + [r, r] + " 0 1 0 " + -2 * r + " 0Z";

  function polygon(/** @type {[number, number][]} */ ...corners) {
    return "M" + corners.map(([x, y]) => 10 + x * r + " " + (7 + y * r)).join(" ") + "Z";
  }
}

/** @param {string} token */
function asColour(token) {
  if (!token) return "none";
  return token.startsWith("--") ? "var(" + token + ")" : token;
}
