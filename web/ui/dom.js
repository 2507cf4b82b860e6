/** Small tools for building elements. Text is always set as text, never as markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {string | number | Node | null | undefined | false} Child
 */

/**
 * An element with attributes and children; `class`, `data-…`, `aria-…` and the like as they are written in HTML.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, string | number | boolean | null | ((event: any) => void)>} [attributes] functions are listeners ("click")
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== null && value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children.filter(isContent).map((child) => (typeof child === "number" ? String(child) : child)));
  return element;
}

/**
 * @param {Child} child
 * @returns {child is string | number | Node}
 */
function isContent(child) {
  return child !== null && child !== undefined && child !== false && child !== "";
}

/**
 * A line icon of the sprite.
 * @param {string} name
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", new URL("../vendor/icons.svg#" + name, import.meta.url).href);
  svg.append(use);
  return svg;
}

/**
 * The mark of a state: shape and colour together.
 * @param {"open" | "urgent" | "overdue" | "done"} mark
 */
export function markElement(mark) {
  return el("i", { class: "mark mark-" + mark, "aria-hidden": "true" });
}

/**
 * The element of a page that must be there.
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} [kind]
 * @returns {T}
 */
export function byId(id, kind = /** @type {new () => T} */ (HTMLElement)) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error("no element #" + id);
  return element;
}

/**
 * Set text only where it changed, so that nothing is laid out again for nothing.
 * @param {HTMLElement} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const PRESSED_MS = 40;

/**
 * Wait until nothing in an element is pressed. What is made anew or moved between press and release gets no click, so whatever
 * changes by itself and can be worked with changes afterwards.
 * @param {Element} element
 */
export async function released(element) {
  while (element.matches(":active")) await new Promise((done) => setTimeout(done, PRESSED_MS));
}

/**
 * Show a sentence in a notice, or hide the notice with "".
 * @param {HTMLElement} notice
 * @param {string} sentence
 */
export function notice(notice, sentence) {
  notice.replaceChildren(...(sentence ? [icon("exclamation-triangle"), el("span", {}, sentence)] : []));
  notice.hidden = !sentence;
}
