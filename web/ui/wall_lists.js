/** The lists of the wall: rows are made once and changed in place. */

import { age, clock, count, dayAndTime, sameDay } from "../core/formats.js";
import { markOf, stateWords } from "../core/incident.js";
import { _ } from "../core/i18n.js";
import { el, setText } from "./dom.js";

/** @typedef {import("../core/types.js").HallIncident} HallIncident */

/** The newest incidents, newest first. */
export class LiveList {
  /**
   * @param {HTMLElement} list
   * @param {number} rows
   */
  constructor(list, rows) {
    this.rows = Array.from({ length: rows }, () => {
      const mark = el("i", { class: "mark", "aria-hidden": "true" });
      const place = el("span", { class: "live-place" });
      const state = el("span", { class: "live-state" });
      const time = el("time", { class: "live-time" });
      const row = el("li", { hidden: true }, mark, place, time, state);
      list.append(row);
      return { row, mark, place, state, time, number: "", moment: new Date(0) };
    });
    this.isFirst = true;
  }

  /**
   * @param {HallIncident[]} incidents newest first
   * @param {Date} now
   */
  show(incidents, now) {
    const known = new Set(this.rows.map(({ number }) => number));
    this.rows.forEach((row, index) => {
      const incident = incidents[index];
      row.row.hidden = !incident;
      if (!incident) return;
      const mark = markOf(incident);
      row.mark.className = "mark mark-" + mark;
      row.row.dataset.number = incident.number;
      setText(row.place, incident.grid_name ?? _("网格之外"));
      setText(row.state, (incident.is_urgent ? _("紧急") + " · " : "") + stateWords(incident.state));
      row.moment = new Date(incident.discovered_at);
      if (row.number !== incident.number) {
        row.number = incident.number;
        // only what has just come in is stressed, not the rows it pushed down
        row.row.classList.toggle("is-new", !this.isFirst && !known.has(incident.number));
      }
    });
    this.isFirst = false;
    this.tick(now);
  }

  /** @param {Date} now */
  tick(now) {
    for (const { row, time, moment } of this.rows) {
      if (row.hidden) continue;
      setText(time, when(moment, now));
    }
  }
}

/**
 * Short enough for a row: an age within the hour, a time within the day, else the day too.
 * @param {Date} moment
 * @param {Date} now
 */
function when(moment, now) {
  if (now.getTime() - moment.getTime() < 3_600_000) return age(moment, now);
  return sameDay(moment, now) ? clock(moment) : dayAndTime(moment, now);
}

/** Names with a number each, as bars on one scale; with places where there is a ranking. */
export class Ranking {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.list = list;
    /** What stands, as text. */
    this.drawn = "";
  }

  /** @param {{name: string, number: number, place?: number}[]} rows most first */
  show(rows) {
    const drawn = JSON.stringify(rows);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    const most = Math.max(1, ...rows.map(({ number }) => number));
    this.list.replaceChildren(
      ...rows.map(({ name, number, place }) => {
        const bar = el("span", { class: "ranking-bar", "aria-hidden": "true" });
        bar.style.width = (100 * number) / most + "%";
        const head = el("span", { class: "ranking-name" }, place !== undefined && el("i", { class: "ranking-place" }, String(place)), name);
        return el("li", {}, head, el("b", {}, count(number)), bar);
      }),
    );
  }
}
