/** What the panels of a wall say, from its state and the server's counts; for the whole wall or one township of it. */

import { isOpen } from "./incident.js";

/** @typedef {import("./types.js").HallIncident} HallIncident */
/** @typedef {import("./types.js").Statistics} Statistics */
/** @typedef {import("./types.js").Figures} Figures */

/**
 * An incident is overdue when the server said so or its time has run out since.
 * @param {HallIncident} incident
 * @param {Date} now
 */
export function isOverdue(incident, now) {
  if (!isOpen(incident)) return false;
  return incident.is_overdue === true || (Boolean(incident.due_at) && Date.parse(incident.due_at ?? "") < now.getTime());
}

/**
 * The incidents of one township; all where none is given.
 * @param {Iterable<HallIncident>} incidents
 * @param {string | null} town
 */
export function inTown(incidents, town) {
  const all = [...incidents];
  return town ? all.filter(({ township_code }) => township_code === town) : all;
}

/**
 * The figures of the wall, or of one township of it.
 * @param {Figures} whole
 * @param {Statistics | null} statistics
 * @param {string | null} town
 * @returns {Figures}
 */
export function figuresOf(whole, statistics, town) {
  const found = town && statistics?.towns.find(({ code }) => code === town);
  return found || whole;
}

/**
 * Longest overdue first.
 * @param {HallIncident[]} incidents
 * @param {Date} now
 * @param {number} most
 */
export function longestOverdue(incidents, now, most) {
  const due = (/** @type {HallIncident} */ one) => Date.parse(one.due_at ?? one.discovered_at);
  return incidents
    .filter((one) => isOverdue(one, now))
    .sort((a, b) => due(a) - due(b) || (a.number < b.number ? -1 : 1))
    .slice(0, most);
}

/**
 * How many were reported this week and the week before.
 * @param {Statistics} statistics
 */
export function weeks({ days }) {
  const sum = (/** @type {typeof days} */ some) => some.reduce((total, { reported }) => total + reported, 0);
  return { now: sum(days.slice(-7)), before: sum(days.slice(-14, -7)) };
}

/**
 * How many were reported in seven days and in those before, in the whole wall or one township of it.
 * @param {Statistics} statistics
 * @param {string | null} town
 */
export function weekOf(statistics, town) {
  if (!town) return weeks(statistics);
  const found = statistics.towns.find(({ code }) => code === town);
  return found ? { now: found.week, before: found.week_before } : null;
}

/**
 * The largest numbers, most first, ties by code so that rows do not jump; what has nothing is left out.
 * @param {[code: string, number: number][]} numbers
 * @param {number} most
 */
export function mostOf(numbers, most) {
  return numbers
    .filter(([, number]) => number > 0)
    .sort(([codeA, a], [codeB, b]) => b - a || (codeA < codeB ? -1 : 1))
    .slice(0, most);
}

/**
 * Cameras by status or site class, most first.
 * @param {Statistics["cameras"]} cameras
 * @param {"status" | "site_class"} by
 * @returns {[value: string, count: number][]}
 */
export function countedBy(cameras, by) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const camera of cameras) counts.set(camera[by] ?? "", (counts.get(camera[by] ?? "") ?? 0) + camera.count);
  return [...counts].sort(([, a], [, b]) => b - a);
}

/**
 * How many cameras there are, of how many the status is known, and how many of those are online.
 * @param {Statistics["cameras"]} cameras
 */
export function onlineShare(cameras) {
  const sum = (/** @type {typeof cameras} */ some) => some.reduce((total, { count }) => total + count, 0);
  const known = cameras.filter(({ status }) => status !== null);
  return { of: sum(cameras), known: sum(known), online: sum(known.filter(({ status }) => status === "online")) };
}

/**
 * Cameras of each township, and how many of them are known to be away.
 * @param {Statistics | null} statistics
 */
export function camerasByTown(statistics) {
  const cameras = statistics?.cameras ?? [];
  return (statistics?.towns ?? []).map(({ code, name }) => {
    const { of, known, online } = onlineShare(cameras.filter(({ town }) => town === code));
    return { code, name, of, away: known - online };
  });
}

/**
 * The hour of the day in which most is reported, and the share of the night (22–6), in percent.
 * @param {number[]} byHour
 */
export function busiestHour(byHour) {
  const all = byHour.reduce((sum, number) => sum + number, 0);
  const night = byHour.filter((_number, hour) => hour >= 22 || hour < 6).reduce((sum, number) => sum + number, 0);
  return { hour: byHour.indexOf(Math.max(...byHour)), night: all > 0 ? (100 * night) / all : 0 };
}

/**
 * The share of what was completed in a week without its clock running out, in percent; null where nothing had a clock.
 * @param {{timed: number, late: number} | undefined} week
 */
export function onTime(week) {
  return week && week.timed > 0 ? (100 * (week.timed - week.late)) / week.timed : null;
}

/**
 * What the replay shows at a moment: what was open then, and for a short while what had just been settled.
 * @param {import("./types.js").Replay} replay
 * @param {number} moment ms
 * @returns {HallIncident[]}
 */
export function replayedAt(replay, moment) {
  const lingering = 30 * 60_000;
  return replay.incidents.flatMap((one, index) => {
    const begun = Date.parse(one.begun_at);
    const ended = one.ended_at ? Date.parse(one.ended_at) : Infinity;
    if (begun > moment || ended + lingering < moment) return [];
    return [
      {
        number: `replay-${index}`,
        lon: one.lon,
        lat: one.lat,
        is_urgent: one.is_urgent,
        // taken up, so that no ring calls for what is long past
        state: ended <= moment ? "completed" : "taken_up",
        grid_code: null,
        grid_name: null,
        discovered_at: one.begun_at,
      },
    ];
  });
}

/**
 * How many had been reported, and of those settled, at each of `steps` equal steps of the replay's day.
 * @param {import("./types.js").Replay} replay
 * @param {number} steps
 */
export function replayCourse(replay, steps) {
  const times = Array.from({ length: steps + 1 }, (_step, index) => replayMoment(replay.until, index / steps));
  const upTo = (/** @type {(string | null)[]} */ moments) =>
    times.map((time) => moments.filter((moment) => moment !== null && Date.parse(moment) <= time).length);
  return {
    times,
    reported: upTo(replay.incidents.map(({ begun_at }) => begun_at)),
    settled: upTo(replay.incidents.map(({ ended_at }) => ended_at)),
  };
}

/** The moment that the replay shows at a part (0…1) of its time. @param {string} until @param {number} progress */
export function replayMoment(until, progress) {
  return Date.parse(until) - (1 - Math.min(1, Math.max(0, progress))) * 86_400_000;
}

/**
 * The numbers by which the grids of a scene are coloured, by code.
 * @param {import("./types.js").Scene["colour"]} colour
 * @param {Map<string, number>} openByGrid
 * @param {Statistics | null} statistics
 * @param {import("./types.js").Ranking | null | undefined} ranking of the month
 * @returns {Map<string, number> | null} null where the scene colours nothing
 */
export function countsByGrid(colour, openByGrid, statistics, ranking) {
  if (colour === "plain") return null;
  if (colour === "open") return openByGrid;
  if (colour === "completed") return new Map((ranking?.places ?? []).map(({ code, completed }) => [code, completed]));
  return new Map((statistics?.grids ?? []).map((grid) => [grid.grid_code, grid[colour]]));
}

