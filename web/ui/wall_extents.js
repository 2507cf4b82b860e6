/** Which part of its area a wall shows: all of it, or the built-up part, where grids are small and most things happen. */

import { boundsOf } from "../core/geometry.js";

/** @typedef {import("../core/types.js").Bounds} Bounds */

/** Settlement classes that are town. */
const URBAN = new Set(["urban_community", "urban_village"]);

export class Extents {
  /**
   * @param {HTMLElement} group its buttons
   * @param {() => void} changed called when another extent is to be shown
   */
  constructor(group, changed) {
    this.group = group;
    /** @type {{whole: Bounds | null, urban: Bounds | null}} */
    this.bounds = { whole: null, urban: null };
    // in the address, so that a screen that is switched on again shows what it showed
    this.chosen = location.hash === "#urban" ? "urban" : "whole";
    group.addEventListener("click", ({ target }) => {
      const extent = target instanceof HTMLElement ? target.dataset.extent : undefined;
      if (!extent) return;
      this.chosen = extent === "urban" ? "urban" : "whole";
      history.replaceState(null, "", extent === "urban" ? "#urban" : location.pathname + location.search);
      this.#mark();
      changed();
    });
    this.#mark();
  }

  /** @param {Bounds | null} bounds of the wall's whole area */
  setWhole(bounds) {
    this.bounds.whole = bounds;
  }

  /** @param {import("../core/types.js").OneFeature[]} grids */
  setGrids(grids) {
    const urban = grids.filter(({ properties }) => URBAN.has(String(properties.settlement_class)));
    this.bounds.urban = boundsOf(urban.map(({ geometry }) => geometry));
    this.group.hidden = urban.length === 0 || urban.length === grids.length;
  }

  /** What to show now. */
  current() {
    return (this.chosen === "urban" ? this.bounds.urban : null) ?? this.bounds.whole;
  }

  #mark() {
    for (const button of this.group.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.extent === this.chosen));
    }
  }
}
