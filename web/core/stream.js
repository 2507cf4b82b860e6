/**
 * The state of a live connection, as plain data: what was heard last, whether it has gone silent, when to try again.
 * A half-open socket gives no error, so silence longer than the server's heartbeat allows counts as a loss.
 */

export const HEARTBEAT_MS = 4_000;
/** Two heartbeats missed and a margin for a busy network. */
export const SILENCE_MS = 10_000;
/** While the stream is away questions are asked so often; a proxy may break streams and let questions through. */
export const POLL_MS = 6_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/**
 * @typedef {object} StreamState
 * @property {"connecting" | "live" | "waiting"} phase
 * @property {number} lastId position of the last event received; what comes next is asked for after it
 * @property {number} heardAt when the server was last heard, ms
 * @property {number} failures losses since it was last heard
 * @property {number} retryAt when to connect again, ms (in phase "waiting")
 */

/**
 * @param {number} lastId
 * @param {number} now ms
 * @returns {StreamState}
 */
export function connecting(lastId, now) {
  return { phase: "connecting", lastId, heardAt: now, failures: 0, retryAt: 0 };
}

/**
 * Something arrived; `id` is its position, or null for a heartbeat.
 * @param {StreamState} state
 * @param {number} now
 * @param {number | null} id
 * @returns {StreamState}
 */
export function heard(state, now, id) {
  return {
    phase: "live",
    lastId: id === null ? state.lastId : Math.max(state.lastId, id),
    heardAt: now,
    failures: 0,
    retryAt: 0,
  };
}

/**
 * The server cannot replay from where we were: everything is to be fetched anew, and what follows counts from `id`.
 * @param {StreamState} state
 * @param {number} now
 * @param {number} id
 * @returns {StreamState}
 */
export function reset(state, now, id) {
  return { ...heard(state, now, null), lastId: id };
}

/**
 * Whether an event of this position has not been seen yet.
 * @param {StreamState} state
 * @param {number} id
 */
export function isNews(state, id) {
  return id > state.lastId;
}

/**
 * Whether the connection must be taken for lost though nobody said so.
 * @param {StreamState} state
 * @param {number} now
 */
export function isSilent(state, now) {
  return state.phase !== "waiting" && now - state.heardAt > SILENCE_MS;
}

/**
 * The wait before try number `failures`: doubling, with the upper half of it random, so that a hundred screens do not
 * come back in the same moment.
 * @param {number} failures 1 for the first
 * @param {number} random 0…1
 */
export function waitBefore(failures, random) {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1));
  return longest / 2 + (longest / 2) * random;
}

/**
 * @param {StreamState} state
 * @param {number} now
 * @param {number} random 0…1
 * @returns {StreamState}
 */
export function lost(state, now, random) {
  const failures = state.failures + 1;
  return { ...state, phase: "waiting", failures, retryAt: now + waitBefore(failures, random) };
}

/**
 * @param {StreamState} state
 * @param {number} now
 */
export function isDue(state, now) {
  return state.phase === "waiting" && now >= state.retryAt;
}

/**
 * @param {StreamState} state
 * @param {number} now
 * @returns {StreamState}
 */
export function again(state, now) {
  return { ...state, phase: "connecting", heardAt: now };
}

/** After so many losses without a word the stream is not just torn: what comes, comes by asking. */
const TORN = 2;

/**
 * How what is shown is kept up to date, or that it is old: older than twice the interval at which it is told or asked for.
 * @param {StreamState} state
 * @param {number} age of what is shown, ms
 * @param {boolean} isAnswered whether the last question since the stream was lost was answered
 * @returns {StreamState["phase"] | "polling" | "stale"}
 */
export function freshness({ phase, failures }, age, isAnswered) {
  // also while the stream lives: the server may be cut off from its database; a beat may be late by a busy moment
  const most = phase === "live" ? SILENCE_MS : 2 * (isAnswered ? POLL_MS : HEARTBEAT_MS);
  if (age > most) return "stale";
  return phase !== "live" && failures > TORN ? "polling" : phase;
}
