/**
 * Which scene of a wall stands at a moment: a function of the server's time and of nothing else, so that all screens of
 * one wall, and one that was only just switched on, show the same.
 *
 * A call (an urgent incident that nobody has answered) takes the wall over and stops the tour, which goes on afterwards
 * where it stopped. A scene sent by the desk covers the tour, which runs on beneath it.
 */

/** @typedef {import("./types.js").Tour} Tour */
/** @typedef {import("./types.js").Scene} Scene */
/** @typedef {import("./types.js").Alarm} Alarm */
/** @typedef {import("./types.js").SentScene} SentScene */

const DAY_MS = 86_400_000;

/**
 * @typedef {object} Standing
 * @property {Scene} scene
 * @property {string | null} town code of the township a scene of each township shows now
 * @property {Alarm | null} call the call that has taken the wall over
 * @property {SentScene["focus"]} [focus] the grid that the desk sent the map to
 * @property {"tour" | "sent" | "call"} by
 * @property {number} progress of the scene's time, 0…1
 */

/**
 * When calls stopped the tour: one span for each stretch of time in which at least one stood, oldest first, ms.
 * @param {Alarm[]} alarms oldest first
 * @param {number} longest for how long one call may hold the wall, ms
 * @returns {[from: number, to: number][]}
 */
export function stretches(alarms, longest) {
  /** @type {[number, number][]} */
  const found = [];
  if (longest <= 0) return found;
  const spans = alarms.map((alarm) => spanOf(alarm, longest)).sort((a, b) => a[0] - b[0]);
  for (const [from, to] of spans) {
    const last = found.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else if (to > from) found.push([from, to]);
  }
  return found;
}

/**
 * @param {Alarm} alarm
 * @param {number} longest ms
 * @returns {[from: number, to: number]}
 */
function spanOf(alarm, longest) {
  const from = Date.parse(alarm.raised_at);
  const end = alarm.ended_at ? Date.parse(alarm.ended_at) : Infinity;
  return [from, Math.max(from, Math.min(end, from + longest))];
}

/**
 * The scenes one after the other, a scene of each township once for every one.
 * @param {Tour} tour
 * @param {string[]} towns codes
 * @returns {{scene: Scene, town: string | null, ms: number}[]}
 */
export function turns(tour, towns) {
  return tour.scenes.flatMap((scene) => {
    const ms = scene.seconds * 1000;
    /** @type {(string | null)[]} */
    const each = scene.extent === "each_town" && towns.length > 0 ? towns : [null];
    return each.map((town) => ({ scene, town, ms }));
  });
}

/**
 * A tour of one scene, for a screen that holds it (`?scene=…`); the whole tour if there is no such scene.
 * @param {Tour} tour
 * @param {string | null} key
 * @returns {Tour}
 */
export function held(tour, key) {
  const scenes = tour.scenes.filter((scene) => scene.key === key);
  return scenes.length > 0 ? { ...tour, scenes } : tour;
}

/**
 * When the tour of the day began. It begins anew every midnight, so that no screen has to know the calls of longer ago; one that
 * was told of the tour yesterday begins with the others, and not when it asks again.
 * @param {Tour} tour
 * @param {number} now ms
 */
function beginning(tour, now) {
  const told = Date.parse(tour.start);
  return told + Math.max(0, Math.floor((now - told) / DAY_MS)) * DAY_MS;
}

/**
 * What stands on the wall at `now`.
 * @param {Tour} tour
 * @param {string[]} towns codes of the wall's townships
 * @param {Alarm[]} alarms of the day and of the hour before it, oldest first
 * @param {SentScene | null} sent
 * @param {number} now the server's time, ms
 * @returns {Standing}
 */
export function standing(tour, towns, alarms, sent, now) {
  const longest = tour.takeover_seconds * 1000;
  const begun = beginning(tour, now);
  let stopped = 0;
  for (const [from, to] of stretches(alarms, longest)) {
    if (to > begun && from < now) stopped += Math.min(to, now) - Math.max(from, begun);
  }
  const { turn, progress } = turnAt(turns(tour, towns), now - begun - stopped);
  const { scene, town } = turn;
  const calling = alarms.filter((alarm) => {
    const [from, to] = spanOf(alarm, longest);
    return longest > 0 && from <= now && now < to;
  });
  const call = calling.at(-1);
  if (call) return { scene, town, call, by: "call", progress };
  const sentScene = sent && tour.scenes.find(({ key }) => key === sent.scene);
  if (sent && sentScene && now < Date.parse(sent.at) + sent.seconds * 1000) {
    const first = sentScene.extent === "each_town" ? (towns[0] ?? null) : null;
    const shown = (now - Date.parse(sent.at)) / (sent.seconds * 1000);
    const town = sent.focus ? sent.town : (sent.town ?? first);
    return { scene: sentScene, town, call: null, focus: sent.focus ?? null, by: "sent", progress: Math.max(0, shown) };
  }
  return { scene, town, call: null, by: "tour", progress };
}

/**
 * When something else may stand on the wall, if nothing new is heard until then: never later than the change itself, ms.
 * @param {Tour} tour
 * @param {string[]} towns
 * @param {Alarm[]} alarms
 * @param {SentScene | null} sent
 * @param {number} now ms
 */
export function nextChange(tour, towns, alarms, sent, now) {
  const longest = tour.takeover_seconds * 1000;
  const ends = alarms.flatMap((alarm) => spanOf(alarm, longest));
  if (sent) ends.push(Date.parse(sent.at) + sent.seconds * 1000);
  const { scene, by, progress } = standing(tour, towns, alarms, null, now);
  // while a call holds the wall the tour stands still
  if (by === "tour") ends.push(now + Math.round((1 - progress) * scene.seconds * 1000), beginning(tour, now) + DAY_MS);
  return Math.min(...ends.filter((end) => end > now));
}

/**
 * @template {{ms: number}} T
 * @param {T[]} all
 * @param {number} elapsed ms since the first of them began; the list starts over again and again
 * @returns {{turn: T, progress: number}}
 */
function turnAt(all, elapsed) {
  const round = all.reduce((sum, { ms }) => sum + ms, 0);
  let left = ((elapsed % round) + round) % round;
  for (const turn of all) {
    if (left < turn.ms) return { turn, progress: left / turn.ms };
    left -= turn.ms;
  }
  return { turn: /** @type {T} */ (all[0]), progress: 0 };
}

/**
 * Take in what the live stream says of calls; the list is changed in place. A state that is beyond recorded and
 * reported ends the call, as does somebody's acknowledgement.
 * @param {Alarm[]} alarms
 * @param {import("./types.js").HallIncident & {at: string}} incident
 * @param {boolean} isNew
 */
export function takeIncident(alarms, incident, isNew) {
  const known = alarms.find(({ number }) => number === incident.number);
  const calls = incident.is_urgent && UNANSWERED.has(incident.state);
  if (known && !calls) known.ended_at ??= incident.at;
  if (!known && calls && isNew) {
    alarms.push({
      number: incident.number,
      lon: incident.lon,
      lat: incident.lat,
      grid_code: incident.grid_code,
      grid_name: incident.grid_name,
      township_code: incident.township_code ?? null,
      raised_at: incident.at,
      ended_at: null,
    });
  }
}

/** Until somebody has taken receipt of it, an urgent incident calls. */
export const UNANSWERED = new Set(["discovered", "recorded", "reported"]);

/**
 * @param {Alarm[]} alarms
 * @param {string} number
 * @param {string} at
 */
export function takeAcknowledgement(alarms, number, at) {
  const known = alarms.find((alarm) => alarm.number === number);
  if (known) known.ended_at ??= at;
}
