/**
 * When a wall begins work that takes its time. Screens of one wall change together, so nothing is begun that would not be done
 * by then; what would change is shown with the change.
 */

/** A replay goes on so often, ms. */
export const REPLAY_STEP_MS = 250;
/** A timer may be early by this. */
const EARLY_MS = 50;
/** A step of a replay of thousands of points takes no longer on a slow machine, */
const LONGEST_STEP_MS = 500;
/** nor does a painting of news. */
const LONGEST_PAINT_MS = 150;

/**
 * Whether a replay goes on now.
 * @param {number} since the last step, ms
 * @param {number} change in how many ms another scene may stand
 */
export function mayStep(since, change) {
  return since >= REPLAY_STEP_MS - EARLY_MS && change > LONGEST_STEP_MS;
}

/**
 * In how many ms news are painted: after a pause, but not right before a change.
 * @param {number} pause ms that the painting before asks for; 0 is at once
 * @param {number} change in how many ms another scene may stand
 */
export function paintIn(pause, change) {
  return change > pause && change - pause < LONGEST_PAINT_MS ? change : pause;
}
