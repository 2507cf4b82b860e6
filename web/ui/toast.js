/** A short sentence that something was done; it goes away by itself and takes no focus. */

import { el } from "./dom.js";

const STAY_MS = 5_000;

/** @type {HTMLElement | null} */
let shelf = null;

/** @param {string} sentence */
export function toast(sentence) {
  if (!shelf) {
    shelf = el("div", { class: "toasts", role: "status" });
    document.body.append(shelf);
  }
  const note = el("p", { class: "toast" }, sentence);
  shelf.append(note);
  setTimeout(() => note.remove(), STAY_MS);
}
