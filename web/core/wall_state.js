/**
 * What a wall shows, as plain data. The server's answer is the truth; events of the live stream are applied to it at
 * once so that the wall moves within the second, and the next answer sets the counts straight.
 */

import { sameDay } from "./formats.js";
import { isOpen } from "./incident.js";

/** @typedef {import("./types.js").HallIncident} HallIncident */
/** @typedef {import("./types.js").Figures} Figures */

/**
 * @typedef {object} WallState
 * @property {Figures} figures
 * @property {Map<string, HallIncident>} incidents by number
 * @property {Map<string, number>} openByGrid by grid code
 * @property {number} since of the incidents discovered since then all are known, ms
 * @property {number} most incidents that are kept
 */

/** How an event changed the figures. @typedef {{open: number, urgent: number, today: number}} Step */

/** When there are so many, only the newest are kept; the figures count all of them. */
const TOO_MANY = 4_500;
const KEPT = 3_000;

/**
 * @param {import("./types.js").WallAnswer} answer
 * @returns {WallState}
 */
export function fromAnswer(answer) {
  const incidents = new Map();
  for (const { geometry, properties } of answer.incidents.features) {
    const [lon, lat] = geometry.type === "Point" ? geometry.coordinates : [];
    const incident = /** @type {HallIncident} */ (/** @type {unknown} */ ({ lon, lat, ...properties }));
    incidents.set(incident.number, incident);
  }
  return {
    figures: { ...answer.figures },
    incidents,
    openByGrid: new Map(answer.grids.map(({ grid_code, open }) => [grid_code, open])),
    since: answer.complete_since ? Date.parse(answer.complete_since) : -Infinity,
    most: TOO_MANY + Math.max(0, incidents.size - KEPT),
  };
}

/**
 * Take in one incident of the live stream. The state is changed in place; `isNew` says whether it was reported now and not only
 * too old to be known, `step` how it changed the figures.
 * @param {WallState} state
 * @param {HallIncident} incident
 * @param {Date} now
 * @returns {{isNew: boolean, step: Step}}
 */
export function applyIncident(state, incident, now) {
  const before = state.incidents.get(incident.number);
  const isNew = !before && isOpen(incident) && momentOf(incident) >= state.since;
  const wasOpen = before ? isOpen(before) : false;
  /** @type {Step} */
  const step = { open: 0, urgent: 0, today: 0 };
  if (before || isNew) {
    step.open = Number(isOpen(incident)) - Number(wasOpen);
    step.urgent = Number(isOpen(incident) && incident.is_urgent) - Number(wasOpen && before?.is_urgent);
    if (incident.grid_code) {
      state.openByGrid.set(incident.grid_code, (state.openByGrid.get(incident.grid_code) ?? 0) + step.open);
    }
  }
  if (isNew && sameDay(new Date(incident.discovered_at), now)) step.today = 1;
  addStep(state.figures, step);
  state.incidents.set(incident.number, incident);
  if (state.incidents.size > state.most) forget(state);
  return { isNew, step };
}

/** Keep the newest, and what was known of those before. @param {WallState} state */
function forget(state) {
  const kept = newest(state, KEPT);
  const before = [...state.incidents.values()].filter((one) => momentOf(one) < state.since);
  state.since = Math.max(state.since, ...kept.slice(-1).map(momentOf));
  state.incidents = new Map([...kept, ...before].map((one) => [one.number, one]));
}

/**
 * @param {Figures} figures changed in place
 * @param {Step} step
 */
export function addStep(figures, step) {
  figures.open += step.open;
  figures.urgent += step.urgent;
  figures.today += step.today;
}

/** Asked of every incident at every change. @type {WeakMap<HallIncident, number>} */
const MOMENTS = new WeakMap();

/** When an incident was discovered, ms. @param {HallIncident} incident */
function momentOf(incident) {
  let moment = MOMENTS.get(incident);
  if (moment === undefined) {
    moment = Date.parse(incident.discovered_at);
    MOMENTS.set(incident, moment);
  }
  return moment;
}

/**
 * The newest incidents, newest first.
 * @param {WallState} state
 * @param {number} most
 */
export function newest(state, most) {
  return [...state.incidents.values()]
    .sort((a, b) => momentOf(b) - momentOf(a) || (a.number < b.number ? 1 : -1))
    .slice(0, most);
}

/**
 * The grids with the most open incidents, most first; ties by code so that rows do not jump.
 * @param {WallState} state
 * @param {number} most
 */
export function busiest(state, most) {
  return [...state.openByGrid.entries()]
    .filter(([, open]) => open > 0)
    .sort(([codeA, a], [codeB, b]) => b - a || (codeA < codeB ? -1 : 1))
    .slice(0, most)
    .map(([code, open]) => ({ code, open }));
}
