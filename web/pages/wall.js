/** The big screen: it tours its scenes, shows what comes in within the second, and needs no hand. */

import { clock, dayAndTime } from "../core/formats.js";
import { getJson, isRefusal, Problem } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { LiveStream } from "../core/live.js";
import { screenOf } from "../core/screen.js";
import { freshness, POLL_MS } from "../core/stream.js";
import { WallModel } from "../core/wall_model.js";
import { mayStep, paintIn, REPLAY_STEP_MS } from "../core/wall_pace.js";
import { prepare as expectTiles } from "../map/tile_workers.js";
import { byId, el, setText } from "../ui/dom.js";
import { hideAtRest } from "../ui/pointer.js";
import { start } from "../ui/start.js";
import { WallGround } from "../ui/wall_ground.js";
import { RANKING_ROWS } from "../ui/wall_list_panels.js";
import { WallStage } from "../ui/wall_stage.js";
import { Watchdog } from "../ui/watchdog.js";

const RETRY_MS = 5_000;
/** The server tells the counts of the panels at least so often. */
const COUNTS_MS = 60_000;
/** The whole state is taken again so often: whatever went wrong unseen is set straight. */
const WHOLE_MS = 300_000;
/** Beside what an event wants. */
const MOST_ASKING = 2;
/** 200 screens that were switched on in the same moment do not ask in the same moment for ever. */
const SPREAD_MS = 60_000;
/** The longest wait for a change of scene: what was heard of the server's clock meanwhile may bring it nearer. */
const LONGEST_WAIT_MS = 1_000;
/** While events keep coming they are shown together this often; on a slow machine half of the time goes into it at most. */
const PAINT_MS = 250;
/** Whatever it takes, the next are not held back longer: an event is to be seen within the second. */
const LONGEST_PAUSE_MS = 400;
/** Rings around what is new at once: more make the map slow. */
const MOST_RINGS = 3;
/** The panels that rank grids, and by which period. */
const RANKINGS = { ranking_week: "week", completed: "month", ranking_year: "year" };

class WallPage {
  /**
   * @param {string} id
   * @param {import("../core/types.js").WallAnswer} answer
   * @param {WallGround} ground
   */
  constructor(id, answer, ground) {
    this.url = wallUrl(id);
    this.model = new WallModel(id, answer, new URLSearchParams(location.search).get("scene"));
    const { map, layers, loader } = ground;
    ground.trouble = (error) => this.meet(error);
    this.ground = ground;
    this.map = map;
    this.loader = loader;
    this.stage = new WallStage(this.model, map, layers, () => [
      ...layers.filter(({ name }) => this.loader.stale.has(name)).map(({ title }) => title),
      ...(map.isBaseMissing ? [_("底图")] : []),
    ]);
    this.key = "";
    this.askedAt = performance.now();
    /** Whether the last question since the stream was lost was answered. */
    this.isAnswered = false;
    /** What was to be taken anew could not be. */
    this.isOwed = false;
    /** Questions for the whole state that are not answered yet. */
    this.asking = 0;
    this.replayedAt = 0;
    this.ended = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.stepping = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.painting = undefined;
    this.mayPaintAt = 0;
    /** Numbers that came in since the last painting. @type {string[]} */
    this.news = [];
    this.stream = new LiveStream("/api/events?wall=" + encodeURIComponent(id), answer.position, {
      event: (kind, data, position) => this.receive(kind, data, position),
      counts: (data) => this.takeCounts(data),
      phase: () => this.changePhase(),
      heartbeat: (serverTime, asOf) => this.hear(serverTime, asOf),
      back: (isAfresh) => this.comeBack(isAfresh),
    });
    this.watchdog = new Watchdog({
      silence: () => (this.stream.state.phase === "live" ? 0 : this.silence()),
      mayReload: () => this.stage.standing.by !== "call",
      failedTiles: () => map.failedTiles,
    });
    this.timers = [
      setInterval(() => this.tick(), 1_000),
      setInterval(() => this.setStraight(), WHOLE_MS + Math.random() * SPREAD_MS),
    ];
  }

  /** How old what is shown is, ms. */
  silence() {
    return this.model.now().getTime() - this.model.asOf.getTime();
  }

  async begin() {
    this.step();
    const counted = this.ground.drawn.then(() => this.countAgain());
    await Promise.all([this.loader.load(), counted]).catch((error) => this.meet(error));
  }

  /** Show another scene when its time has come, and let the replay run; then wait for the next time. */
  step() {
    if (this.ended) return;
    this.#stand();
    const isReplay = this.stage.standing.scene.points === "replay";
    const longest = isReplay ? REPLAY_STEP_MS : LONGEST_WAIT_MS;
    clearTimeout(this.stepping);
    this.stepping = setTimeout(() => this.step(), Math.min(Math.max(this.model.untilChange(), 1), longest));
  }

  #stand() {
    const standing = this.model.standing();
    const { scene, town, call, focus, by } = standing;
    const key = [this.model.tour.scenes.indexOf(scene), JSON.stringify(scene), town, focus?.grid_code, call?.number, by, this.model.towns().length].join();
    if (key !== this.key) {
      this.key = key;
      // by the clock of this screen, before the work of it: screens of one wall must agree in this
      byId("wall").dataset.since = String(Date.now());
      this.stage.set(standing);
      this.loader.load().catch((error) => this.meet(error));
      if (scene.points === "replay") this.fetchReplay();
      this.fetchRankings(scene);
    } else if (scene.points === "replay" && mayStep(performance.now() - this.replayedAt, this.model.untilChange())) {
      this.replayedAt = performance.now();
      this.stage.step(standing);
    }
  }

  /**
   * @param {string} kind
   * @param {any} data
   * @param {number} position
   */
  receive(kind, data, position) {
    const { incident, isNew, wantsState, layer } = this.model.receive(kind, data, position);
    if (layer) this.loader.reload(layer).catch((error) => this.meet(error));
    if (incident && isNew) this.news.push(incident.number);
    if (wantsState) this.recount();
    else this.paintSoon();
  }

  /** Show what came in: at once after a pause, a few times a second while it keeps coming. */
  paintSoon() {
    const pause = Math.max(0, this.mayPaintAt - performance.now());
    this.painting ??= setTimeout(() => this.paint(), paintIn(pause, this.model.untilChange()));
  }

  paint() {
    clearTimeout(this.painting);
    this.painting = undefined;
    if (this.ended) return;
    const begun = performance.now();
    this.step();
    this.stage.show();
    for (const number of this.news.splice(0).slice(-MOST_RINGS)) this.map.incidents.pulse(number);
    // what is on the wall now, for whoever watches over it
    byId("wall").dataset.position = String(this.stream.state.lastId);
    const ended = performance.now();
    const spent = ended - begun;
    this.mayPaintAt = ended + Math.min(Math.max(PAINT_MS - spent, spent), LONGEST_PAUSE_MS);
  }

  /** @param {any} counts of the panels */
  takeCounts(counts) {
    this.model.takeCounts(counts);
    this.paintSoon();
  }

  /** Events may have been missed. @param {boolean} isAfresh the stream begins anew */
  comeBack(isAfresh) {
    if (isAfresh) this.model.startAfresh();
    this.recount();
    // what was published is told by no event that this screen will hear
    if (isAfresh) this.renewLayers();
  }

  changePhase() {
    if (this.ended) return;
    const { phase } = this.stream.state;
    if (phase === "live") this.isAnswered = false;
    this.showConnection();
    // a lost stream does not say why; the state does, if this screen may no longer show anything
    if (phase === "waiting") this.recount();
  }

  /** Now and then, whatever events were heard. */
  setStraight() {
    this.recount();
    this.fetchRankings(this.stage.standing.scene);
    if (this.stream.state.phase !== "live") this.renewLayers();
  }

  renewLayers() {
    this.loader.renew().catch((error) => this.meet(error));
  }

  /**
   * @param {Date} serverTime
   * @param {Date} asOf
   */
  hear(serverTime, asOf) {
    this.model.hear(serverTime, asOf);
    this.tick();
  }

  /** Ask how everything stands; where this screen's right is gone, the wall ends. */
  async ask() {
    try {
      return await getJson(this.url);
    } catch (error) {
      if (error instanceof Problem && isRefusal(error)) this.end(error.message);
      throw error;
    }
  }

  /** Take the whole state from the server again: after a loss, when the tour is another, and now and then. */
  async recount() {
    if (this.ended) return;
    this.askedAt = performance.now();
    this.isOwed = false;
    this.asking += 1;
    try {
      const answer = await this.ask();
      if (this.ended) return;
      this.isAnswered = this.stream.state.phase !== "live";
      const before = String(this.model.bounds);
      this.model.take(answer);
      await this.countAgain();
      if (before !== String(this.model.bounds)) this.stage.fit();
      if (this.stage.standing.scene.points === "replay") await this.fetchReplay();
      // a layer that could not be fetched before; what is drawn is not asked for again
      await this.loader.load();
    } catch (error) {
      this.isAnswered = false;
      this.isOwed = true;
      this.meet(error);
    } finally {
      this.asking -= 1;
    }
  }

  /** Take the counts of the panels. */
  async countAgain() {
    this.model.statistics = await getJson(this.url + "/statistics");
    if (paintIn(0, this.model.untilChange()) > 0) this.paintSoon();
    else this.paint();
  }

  async fetchReplay() {
    try {
      this.model.replay = await getJson(this.url + "/replay");
    } catch (error) {
      this.meet(error);
    }
  }

  /**
   * Take the rankings that a scene shows; the whole of the one by which it colours the grids.
   * @param {import("../core/types.js").Scene} scene
   */
  async fetchRankings(scene) {
    const panels = new Set([...scene.left, ...scene.right]);
    const wanted = Object.entries(RANKINGS).filter(([panel]) => panels.has(panel) || (panel === "completed" && scene.colour === panel));
    try {
      for (const [panel, period] of wanted) {
        const most = scene.colour === panel ? "" : `&most=${RANKING_ROWS}`;
        const { ranking } = await getJson(`${this.url}/ranking?period=${period}${most}`);
        if (this.ended) return;
        this.model.rankings.set(period, ranking);
      }
      if (wanted.length > 0) this.stage.show();
    } catch (error) {
      this.meet(error);
    }
  }

  /**
   * What could not be fetched is fetched again by the next event or minute.
   * @param {unknown} error
   */
  meet(error) {
    if (!(error instanceof Problem)) throw error;
  }

  /**
   * The screen may show nothing any more: its link was revoked or has run out.
   * @param {string} sentence
   */
  end(sentence) {
    this.ended = true;
    this.timers.forEach(clearInterval);
    clearTimeout(this.stepping);
    clearTimeout(this.painting);
    this.watchdog.stop();
    this.stage.sound.call(false);
    this.stream.close();
    showEnd(sentence);
  }

  tick() {
    if (this.ended) return;
    setText(byId("clock"), clock(this.model.asOf, { seconds: true }));
    this.stage.tick(this.model.standing());
    this.stage.call();
    this.showConnection();
    const wants = this.isOwed || this.stream.state.phase !== "live";
    // on a link that is cut questions hang, and a browser has six connections for all of them and the stream
    if (wants && this.asking < MOST_ASKING && performance.now() - this.askedAt > POLL_MS) this.recount();
  }

  showConnection() {
    const state = freshness(this.stream.state, this.silence(), this.isAnswered);
    const now = this.model.now();
    const words =
      state === "stale"
        ? _("已中断，数据截至 {time}", { time: dayAndTime(this.model.asOf, now) })
        : state === "live"
          ? _("实时")
          : state === "polling"
            ? _("轮询更新")
            : _("正在重新连接");
    byId("connection").dataset.state = state;
    document.body.classList.toggle("is-stale", state === "stale");
    setText(byId("connection-words"), words);
    const counted = this.model.isOld(2 * COUNTS_MS) ? this.model.statistics?.generated_at : undefined;
    byId("counted").hidden = !counted;
    if (counted) setText(byId("counted"), _("统计截至 {time}", { time: dayAndTime(new Date(counted), now) }));
  }
}

/** @param {string} id */
function wallUrl(id) {
  return "/api/wall/" + encodeURIComponent(id);
}

/** @param {string} sentence */
function showEnd(sentence) {
  document.querySelector("main")?.replaceChildren(
    el("div", { class: "wall-end", role: "alert" }, el("p", {}, sentence), el("p", {}, _("请向管理员索取新的大屏链接，或重新登录。"))),
  );
  byId("connection").dataset.state = "stale";
  setText(byId("connection-words"), _("已停止"));
}

/** Lay the picture out over all screens of the wall and show this one's part of it. */
function spread() {
  const { index, of } = screenOf(location.search);
  document.documentElement.style.setProperty("--screens", String(of));
  document.documentElement.style.setProperty("--screen", String(index - 1));
  document.documentElement.classList.toggle("is-upright", of * innerWidth < innerHeight);
}

const id = byId("wall").dataset.wall ?? "";
const { layers: shown, bounds, in_tiles: isTiled } = JSON.parse(byId("wall").dataset.ground ?? "{}");
// they take as long to begin as the rest of the page
if (isTiled) expectTiles();
await start();
spread();
addEventListener("resize", spread);
hideAtRest(window, document.body);
/** @type {WallGround | undefined} */
let ground;

async function open() {
  try {
    const answer = getJson(wallUrl(id));
    answer.catch(() => {}); // met below: the map may fail first
    if (!ground) {
      ground = new WallGround(await getJson("/api/catalogue"), shown);
      if (bounds) ground.begin(bounds);
    }
    await new WallPage(id, await answer, ground).begin();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (isRefusal(error)) {
      showEnd(error.message);
      return;
    }
    // a hall switches everything on at once, so the server may only be starting
    byId("connection").dataset.state = "waiting";
    setText(byId("connection-words"), error.message);
    setTimeout(open, RETRY_MS);
  }
}

await open();
