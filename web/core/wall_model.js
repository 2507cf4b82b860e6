/** All that a wall knows, and what it makes of it at a moment; nothing of the page. */

import { ServerClock } from "./server_clock.js";
import { held, nextChange, standing, takeAcknowledgement, takeIncident, turns } from "./tour.js";
import { countsByGrid, inTown, isOverdue, replayedAt, replayMoment } from "./wall_counts.js";
import { Ledger } from "./ledger.js";
import { addStep, applyIncident, fromAnswer } from "./wall_state.js";

/** @typedef {import("./types.js").HallIncident & {at: string}} Told */

/** The wall of the whole deployment. */
const WHOLE = "city";

export class WallModel {
  /**
   * @param {string} id
   * @param {import("./types.js").WallAnswer} answer
   * @param {string | null} hold key of the one scene that this screen shows
   * @param {ServerClock} [clock]
   */
  constructor(id, answer, hold, clock = new ServerClock()) {
    this.id = id;
    this.hold = hold;
    this.clock = clock;
    /** @type {import("./types.js").Statistics | null} */
    this.statistics = null;
    /** @type {import("./types.js").Replay | null} */
    this.replay = null;
    /** By period; null where the profile wants no ranking. @type {Map<string, import("./types.js").Ranking | null>} */
    this.rankings = new Map();
    this.state = fromAnswer(answer);
    this.bounds = answer.bounds;
    this.tour = answer.tour;
    this.alarms = answer.alarms;
    this.sent = answer.sent_scene;
    this.asOf = new Date(answer.generated_at);
    /** When the server made the state, ms. */
    this.madeAt = 0;
    /** Up to here the state holds what the live stream tells. */
    this.position = answer.position;
    this.told = new Ledger(answer.position);
    this.take(answer);
  }

  /** The server's present, whatever the clock of this screen says. */
  now() {
    return this.clock.now();
  }

  /**
   * What the server says is the truth, unless a later answer has overtaken it.
   * @param {import("./types.js").WallAnswer} answer
   */
  take(answer) {
    const madeAt = Date.parse(answer.generated_at);
    if (madeAt < this.madeAt && answer.position < this.position) return;
    this.madeAt = madeAt;
    this.state = fromAnswer(answer);
    this.bounds = answer.bounds;
    this.tour = held(answer.tour, this.hold);
    this.alarms = answer.alarms;
    this.sent = answer.sent_scene;
    this.asOf = new Date(answer.generated_at);
    this.clock.hear(this.asOf);
    this.position = answer.position;
    // the answer may be older than the last event: what came after it happened all the same
    const later = this.told.after(answer.position);
    this.told.begin(answer.position);
    for (const { kind, data, position } of later) this.receive(kind, data, position);
  }

  /**
   * The counts that the server told all screens of the wall. With a position they hold just what was told up to there;
   * without one an event is under way, and only what no event tells is taken.
   * @param {{position: number | null, figures: import("./types.js").Figures, statistics: import("./types.js").Statistics}} counts
   */
  takeCounts({ position, figures, statistics }) {
    this.statistics = statistics;
    if (position === null || position < this.told.since) {
      Object.assign(this.state.figures, { overdue: figures.overdue, done_today: figures.done_today });
      return;
    }
    this.state.figures = { ...figures };
    for (const { step } of this.told.after(position)) if (step) addStep(this.state.figures, step);
  }

  /** The stream begins anew, with other positions. */
  startAfresh() {
    this.position = 0;
    this.told.begin(0);
  }

  /**
   * @param {Date} serverTime of a heartbeat
   * @param {Date} asOf when the server last knew that nothing newer had happened
   */
  hear(serverTime, asOf) {
    this.clock.hear(serverTime);
    this.asOf = asOf;
  }

  /**
   * Take in an event of the live stream.
   * @param {string} kind
   * @param {any} data
   * @param {number} position
   * @returns {{incident: Told | null, isNew: boolean, wantsState: boolean, layer: string | null}} what came of it
   */
  receive(kind, data, position) {
    this.asOf = this.now();
    const nothing = { incident: null, isNew: false, wantsState: false, layer: null };
    if (kind === "tour" && data.wall_id === this.id) return { ...nothing, wantsState: true };
    if (kind === "generation") return { ...nothing, layer: data.layer };
    if (position <= this.position) return nothing; // the state that was taken meanwhile holds it
    const entry = { position, kind, data, step: /** @type {import("./wall_state.js").Step | null} */ (null) };
    this.told.add(entry);
    if (kind === "acknowledged") takeAcknowledgement(this.alarms, data.number, data.at);
    else if (kind === "scene" && data.wall_id === this.id) this.sent = data;
    // an account may see more than the wall it looks at
    else if (kind === "incident" && (this.id === WHOLE || data.township_code === this.id)) {
      const { isNew, step } = applyIncident(this.state, data, this.now());
      entry.step = step;
      takeIncident(this.alarms, data, isNew);
      return { ...nothing, incident: data, isNew };
    }
    return nothing;
  }

  towns() {
    return (this.statistics?.towns ?? []).map(({ code }) => code);
  }

  /** @param {string | null} code */
  town(code) {
    return this.statistics?.towns.find((town) => town.code === code) ?? null;
  }

  /** What stands on the wall now. */
  standing() {
    return standing(this.tour, this.towns(), this.alarms, this.hold ? null : this.sent, this.now().getTime());
  }

  /** In how many ms something else may stand on the wall, if nothing is heard until then. */
  untilChange() {
    const now = this.now().getTime();
    return nextChange(this.tour, this.towns(), this.alarms, this.hold ? null : this.sent, now) - now;
  }

  /** Keys of the scenes of the tour, in their order. */
  scenes() {
    return [...new Set(turns(this.tour, this.towns()).map(({ scene }) => scene.key))];
  }

  /** How many calls nobody has answered. */
  waiting() {
    return this.alarms.filter(({ ended_at }) => !ended_at).length;
  }

  /**
   * The incidents that the wall draws.
   * @param {import("./tour.js").Standing} standing
   */
  points({ scene, town, call, progress }) {
    const now = this.now();
    if (scene.points === "replay" && this.replay && !call) {
      return replayedAt(this.replay, replayMoment(this.replay.until, progress));
    }
    if (scene.points === "none" && !call) return [];
    // of a township the map shows what its figures count
    const all = inTown(this.state.incidents.values(), call ? null : town).map((one) =>
      isOverdue(one, now) && !one.is_overdue ? { ...one, is_overdue: true } : one,
    );
    return scene.points === "overdue" && !call ? all.filter((one) => isOverdue(one, now)) : all;
  }

  /** @param {import("./types.js").Scene} scene */
  countsByGrid(scene) {
    return countsByGrid(scene.colour, this.state.openByGrid, this.statistics, this.rankings.get("month"));
  }

  /** Whether the counts of the panels are older than `most` ms. @param {number} most */
  isOld(most) {
    return this.statistics !== null && this.now().getTime() - Date.parse(this.statistics.generated_at) > most;
  }
}
