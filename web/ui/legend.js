/** A legend from the catalogue's styles and the marks of incidents. */

import { marks } from "../core/incident.js";
import { legendOf } from "../core/style.js";
import { el, markElement } from "./dom.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {{layer: import("../core/types.js").Layer, values: Set<string>}[]} drawn what is on the map
 * @param {{incidents?: boolean}} [options]
 * @returns {HTMLElement}
 */
export function legend(drawn, { incidents = true } = {}) {
  const list = el("ul", { class: "legend" });
  if (incidents) {
    for (const { mark, words } of marks()) list.append(el("li", {}, markElement(mark), words));
  }
  for (const { layer, values } of drawn.filter((one) => one.layer.legend)) {
    for (const { title, drawing, geometry } of legendOf(layer, values)) {
      list.append(el("li", {}, swatch(drawing, geometry), title));
    }
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
  const shape = document.createElementNS(SVG, "path");
  shape.setAttribute("d", outline(drawing.shape, geometry));
  // presentation attributes cannot hold custom properties, so the colours are set as style
  shape.style.stroke = asColour(drawing.stroke);
  shape.style.strokeWidth = String(Math.min(4, Math.max(1, drawing.width)));
  shape.style.fill = geometry === "MultiLineString" ? "none" : asColour(drawing.fill);
  shape.style.fillOpacity = String(drawing.fillOpacity);
  svg.append(shape);
  return svg;
}

/**
 * @param {string} shape
 * @param {string} geometry
 */
function outline(shape, geometry) {
  if (geometry === "MultiLineString") return "M1 7H19";
  if (geometry === "MultiPolygon") return "M2 2H18V12H2Z";
  if (shape === "square") return "M6 3H14V11H6Z";
  if (shape === "triangle") return "M10 2 15 12H5Z";
  if (shape === "diamond") return "M10 2 15 7 10 12 5 7Z";
  if (shape === "cross") return "M10 2V12M5 7H15";
  return "M5.5 7a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z";
}

/** @param {string} token */
function asColour(token) {
  if (!token) return "none";
  return token.startsWith("--") ? "var(" + token + ")" : token;
}
