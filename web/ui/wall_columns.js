/**
 * The two columns of panels. Whatever scenes somebody makes, nothing is cut off or lies over the legend: panels that do
 * not fit become smaller, and if that is not enough the last of a column waits outside.
 */

/** @typedef {import("./wall_frame.js").Panel} Panel */

export class WallColumns {
  /**
   * @param {HTMLElement} left
   * @param {HTMLElement} right
   * @param {HTMLElement} legend below the left column, if the screen is wide
   * @param {() => void} settled told when panels or legend have another size
   */
  constructor(left, right, legend, settled) {
    this.left = left;
    this.right = right;
    this.legend = legend;
    this.observer = new ResizeObserver(() => {
      this.settle();
      settled();
    });
    this.observer.observe(legend);
  }

  /**
   * @param {Panel[]} left
   * @param {Panel[]} right
   */
  set(left, right) {
    this.#put(this.left, left);
    this.#put(this.right, right);
    this.settle();
  }

  /** The boxes that lie over the map, px of the page. */
  covers() {
    return [this.legend, ...this.left.children, ...this.right.children].map((box) => box.getBoundingClientRect()).filter(({ width }) => width > 0);
  }

  /** Let every panel have its room. */
  settle() {
    const gap = parseFloat(getComputedStyle(document.documentElement).fontSize) * 0.75;
    for (const column of [this.left, this.right]) {
      const panels = /** @type {HTMLElement[]} */ ([...column.children]);
      column.classList.remove("is-tight");
      for (const panel of panels) panel.hidden = false;
      const most = this.#bottom(column) - gap + 0.5;
      const fits = () => panels.every((panel) => panel.hidden || panel.getBoundingClientRect().bottom <= most);
      if (fits()) continue;
      column.classList.add("is-tight");
      for (const panel of [...panels].reverse()) {
        if (fits()) break;
        panel.hidden = true;
      }
    }
  }

  /** Where the room of a column ends. @param {HTMLElement} column */
  #bottom(column) {
    const wall = column.parentElement ?? column;
    const end = wall.getBoundingClientRect().bottom;
    const { left, right, top } = column.getBoundingClientRect();
    const legend = this.legend.getBoundingClientRect();
    const isBelow = legend.left < right && legend.right > left && legend.top > top;
    return isBelow ? legend.top : end;
  }

  /**
   * @param {HTMLElement} column
   * @param {Panel[]} panels
   */
  #put(column, panels) {
    const wanted = panels.map(({ element }) => element);
    const isSame = wanted.length === column.children.length && wanted.every((panel, index) => column.children[index] === panel);
    if (isSame) return;
    column.replaceChildren(...wanted);
    for (const panel of wanted) this.observer.observe(panel);
  }
}
