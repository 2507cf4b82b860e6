/** A tour while somebody edits it: plain steps on plain data; each returns a new tour and leaves the old one alone. */

/** @typedef {import("./types.js").Scene} Scene */
/** @typedef {{takeover_seconds: number, sound: boolean, scenes: Scene[]}} Draft */

export const MOST_SCENES = 20;
export const MOST_PANELS = 4;

/**
 * Move an entry one place towards the beginning or the end.
 * @template T
 * @param {T[]} list
 * @param {number} index
 * @param {-1 | 1} step
 * @returns {T[]}
 */
export function moved(list, index, step) {
  const other = index + step;
  if (other < 0 || other >= list.length) return list;
  const copy = [...list];
  [copy[index], copy[other]] = [/** @type {T} */ (copy[other]), /** @type {T} */ (copy[index])];
  return copy;
}

/**
 * Change one scene.
 * @param {Draft} draft
 * @param {number} index
 * @param {Partial<Scene>} change
 * @returns {Draft}
 */
export function changed(draft, index, change) {
  return { ...draft, scenes: draft.scenes.map((scene, k) => (k === index ? { ...scene, ...change } : scene)) };
}

/**
 * Name one scene in one language; its other name stays.
 * @param {Draft} draft
 * @param {number} index
 * @param {Partial<Scene["title"]>} words
 * @returns {Draft}
 */
export function named(draft, index, words) {
  return { ...draft, scenes: draft.scenes.map((scene, k) => (k === index ? { ...scene, title: { ...scene.title, ...words } } : scene)) };
}

/**
 * A new scene at the end, with a key of its own.
 * @param {Draft} draft
 * @param {{zh: string, en: string}} title
 * @returns {Draft}
 */
export function added(draft, title) {
  /** @type {Scene} */
  const scene = {
    key: newKey(draft),
    title,
    seconds: 30,
    extent: "whole",
    colour: "plain",
    points: "open",
    cameras: false,
    left: ["open"],
    right: ["latest"],
  };
  return { ...draft, scenes: [...draft.scenes, scene] };
}

/**
 * The same scene once more, behind the first one.
 * @param {Draft} draft
 * @param {number} index
 * @returns {Draft}
 */
export function copied(draft, index) {
  const copy = draft.scenes.slice(index, index + 1).map((scene) => ({ ...scene, key: newKey(draft) }));
  return { ...draft, scenes: [...draft.scenes.slice(0, index + 1), ...copy, ...draft.scenes.slice(index + 1)] };
}

/** A key that no scene has. @param {Draft} draft */
function newKey(draft) {
  const keys = new Set(draft.scenes.map(({ key }) => key));
  let number = draft.scenes.length + 1;
  while (keys.has(`scene_${number}`)) number += 1;
  return `scene_${number}`;
}

/**
 * @param {Draft} draft
 * @param {number} index
 * @returns {Draft}
 */
export function removed(draft, index) {
  return { ...draft, scenes: draft.scenes.filter((_scene, k) => k !== index) };
}

/**
 * The panels that a column may still take: those on neither side, while it has room.
 * @param {Scene} scene
 * @param {"left" | "right"} side
 * @param {string[]} known
 */
export function offered(scene, side, known) {
  if (scene[side].length >= MOST_PANELS) return [];
  return known.filter((panel) => !scene.left.includes(panel) && !scene.right.includes(panel));
}

/**
 * How long the tour takes, seconds.
 * @param {Draft} draft
 * @param {number} towns
 */
export function roundSeconds(draft, towns) {
  return draft.scenes.reduce((sum, { seconds, extent }) => sum + seconds * (extent === "each_town" ? Math.max(1, towns) : 1), 0);
}
