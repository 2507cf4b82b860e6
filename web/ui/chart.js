/** One chart of the chart library, made once and updated in place, in the page's own colours and sizes. */

import { count } from "../core/formats.js";

/** The chart library, which takes a fifth of a second to begin: not before the first chart is drawn. @type {typeof import("../vendor/charts.js").init | null} */
let init = null;

async function begin() {
  const { BarChart, CanvasRenderer, GridComponent, LineChart, init: make, use } = await import("../vendor/charts.js");
  use([BarChart, LineChart, GridComponent, CanvasRenderer]);
  init = make;
}

/** What all charts wait for before they are drawn, if anything. @type {Promise<unknown> | null} */
let before = null;

/**
 * Draw no chart before something more urgent is done; what is shown meanwhile is drawn then.
 * @param {Promise<unknown>} urgent which must not fail
 */
export function drawAfter(urgent) {
  before = urgent;
  void urgent.then(() => {
    if (before === urgent) before = null;
  });
}

/**
 * @typedef {object} ChartLook
 * @property {number} rem px
 * @property {(token: string) => string} colour
 * @property {{color: string, fontSize: number, fontFamily: string}} text of axes
 */

export class Chart {
  /**
   * @param {HTMLElement} element
   * @param {(look: ChartLook) => Record<string, unknown>} frame axes and sizes; asked again whenever the size changes
   */
  constructor(element, frame) {
    this.element = element;
    this.frame = frame;
    /** @type {ReturnType<typeof import("../vendor/charts.js").init> | null} */
    this.chart = null;
    /** Asking the page for colours and sizes makes it compute its styles. @type {ChartLook | null} */
    this.look = null;
    /** Of the element and the page's letters, as they were when it was drawn. */
    this.size = "";
    this.isResized = false;
    /** What stands, as text; a chart that would look the same is not drawn again. */
    this.drawn = "";
    /** @type {(look: ChartLook) => Record<string, unknown>} */
    this.content = () => ({});
    new ResizeObserver(() => this.#resize()).observe(element);
  }

  /** @param {(look: ChartLook) => Record<string, unknown>} content series and categories */
  show(content) {
    this.content = content;
    this.#draw();
  }

  #resize() {
    // a panel that is not on the wall has no size, and needs no drawing
    if (this.element.clientWidth === 0 || this.element.clientHeight === 0) return;
    const size = [this.element.clientWidth, this.element.clientHeight, getComputedStyle(document.documentElement).fontSize].join();
    // a panel that comes back is as large as it was, and was drawn as it came
    if (size === this.size) return;
    this.size = size;
    this.look = null;
    this.isResized = true;
    this.#draw();
  }

  #draw() {
    if (!this.size || !this.element.isConnected) return;
    if (before) {
      void before.then(() => setTimeout(() => this.#draw()));
      return;
    }
    if (!init) {
      // one that could not be fetched is asked for again by whatever is shown next
      void begin().then(() => this.#draw(), () => {});
      return;
    }
    if (!this.chart) this.chart = init(this.element, null, { renderer: "canvas" });
    else if (this.isResized) this.chart.resize();
    this.isResized = false;
    this.look ??= this.#lookNow();
    // one flat option each time: what is not said is merged with what stands, and nothing piles up
    const option = { animation: false, ...merged(this.frame(this.look), this.content(this.look)) };
    const drawn = JSON.stringify(option);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    this.chart.setOption(option);
  }

  /** @returns {ChartLook} */
  #lookNow() {
    const style = getComputedStyle(this.element);
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    /** @type {Map<string, string>} */
    const colours = new Map();
    return {
      rem,
      colour: (token) => {
        const colour = colours.get(token) ?? style.getPropertyValue(token).trim();
        colours.set(token, colour);
        return colour;
      },
      text: { color: style.getPropertyValue("--ink-2").trim(), fontSize: rem * 0.875, fontFamily: style.fontFamily },
    };
  }
}

/**
 * @param {Record<string, any>} frame
 * @param {Record<string, any>} content
 */
function merged(frame, content) {
  const both = { ...frame, ...content };
  for (const axis of ["xAxis", "yAxis"]) {
    if (frame[axis] && content[axis]) both[axis] = { ...frame[axis], ...content[axis] };
  }
  return both;
}

/**
 * A frame with categories along the bottom and hairlines across.
 * @param {ChartLook} look
 */
export function upright(look) {
  const line = { lineStyle: { color: look.colour("--line"), width: 1 } };
  return {
    grid: { left: look.rem * 2.25, right: look.rem * 0.5, top: look.rem * 0.75, bottom: look.rem * 1.5 },
    xAxis: { type: "category", axisLine: line, axisTick: { show: false }, axisLabel: { ...look.text, hideOverlap: true } },
    yAxis: { type: "value", minInterval: 1, splitNumber: 3, axisLabel: { ...look.text, formatter: count, hideOverlap: true }, splitLine: line },
  };
}

/**
 * A frame with bars that lie, the first on top.
 * @param {ChartLook} look
 * @param {number} names room for the names, rem
 */
export function lying(look, names) {
  return {
    grid: { left: look.rem * names, right: look.rem * 3.75, top: 0, bottom: 0 },
    xAxis: { type: "value", show: false },
    yAxis: {
      type: "category",
      inverse: true,
      axisLine: { show: false },
      axisTick: { show: false },
      // every row has its name, however tight
      axisLabel: { ...look.text, interval: 0, color: look.colour("--ink"), width: look.rem * (names - 0.5), overflow: "truncate" },
    },
  };
}
