/** The big screen: it tours its scenes, shows what comes in within the second, and needs no hand. */

import { clock, dayAndTime } from "../core/formats.js";
import { getJson, Problem } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { LiveStream } from "../core/live.js";
import { screenOf } from "../core/screen.js";
import { HEARTBEAT_MS, SILENCE_MS } from "../core/stream.js";
import { WallModel } from "../core/wall_model.js";
import { CityMap } from "../map/city_map.js";
import { byId, el, setText } from "../ui/dom.js";
import { LayerLoader } from "../ui/layer_loader.js";
import { start } from "../ui/start.js";
import { WallStage } from "../ui/wall_stage.js";
import { Watchdog } from "../ui/watchdog.js";

/** @typedef {import("../core/types.js").Layer} Layer */

const RETRY_MS = 5_000;
/** After this quiet time the counts are set straight by the server's own, and at the latest after the longest gap. */
const SETTLE_MS = 2_000;
const LONGEST_GAP_MS = 10_000;
const RECOUNT_MS = 60_000;
/** While the stream is away the whole state is asked for so often; a proxy may break streams and let questions through. */
const POLL_MS = 10_000;
/** Up to this is added to every wait, so that 200 screens do not ask in the same moment. */
const SPREAD_MS = 4_000;
/** Scenes change within this of each other on all screens of a wall. */
const STEP_MS = 50;
const REPLAY_STEP_MS = 250;

class WallPage {
  /**
   * @param {string} id
   * @param {import("../core/types.js").WallAnswer} answer
   * @param {Layer[]} catalogue
   */
  constructor(id, answer, catalogue) {
    this.url = wallUrl(id);
    this.model = new WallModel(id, answer, new URLSearchParams(location.search).get("scene"));
    const layers = catalogue.filter((layer) => answer.layers.some((url) => new URL(url, location.href).pathname === layer.url));
    const map = new CityMap(byId("map"), { scale: () => rem() / 16, buttons: false });
    map.zoomFreely();
    this.map = map;
    this.loader = new LayerLoader(map, layers, (error) => this.meet(error));
    this.stage = new WallStage(this.model, map, layers, () =>
      layers.filter(({ name }) => this.loader.stale.has(name)).map(({ title }) => title),
    );
    this.key = "";
    this.countedAt = performance.now();
    this.replayedAt = 0;
    this.ended = false;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.settling = undefined;
    this.stream = new LiveStream("/api/events", answer.position, {
      event: (kind, data) => this.receive(kind, data),
      phase: () => this.changePhase(),
      heartbeat: (serverTime, asOf) => this.hear(serverTime, asOf),
      back: () => this.recount(),
    });
    this.watchdog = new Watchdog({
      silence: () => (this.stream.state.phase === "live" ? 0 : this.silence()),
      mayReload: () => this.stage.standing.by !== "call",
    });
    this.timers = [
      setInterval(() => this.step(), STEP_MS),
      setInterval(() => this.tick(), 1_000),
      setInterval(() => this.recount(), RECOUNT_MS + Math.random() * SPREAD_MS),
    ];
  }

  /** How old what is shown is, ms. */
  silence() {
    return this.model.now().getTime() - this.model.asOf.getTime();
  }

  async begin() {
    this.step();
    await Promise.all([this.loader.load(), this.countAgain()]).catch((error) => this.meet(error));
  }

  /** Show another scene when its time has come, and let the replay run. */
  step() {
    if (this.ended) return;
    const standing = this.model.standing();
    const { scene, town, call, by } = standing;
    const key = [this.model.tour.scenes.indexOf(scene), scene.key, town, call?.number, by, this.model.towns().length].join();
    if (key !== this.key) {
      this.key = key;
      this.stage.set(standing);
      this.loader.load().catch((error) => this.meet(error));
      if (scene.points === "replay") this.fetchReplay();
    } else if (scene.points === "replay" && performance.now() - this.replayedAt > REPLAY_STEP_MS) {
      this.replayedAt = performance.now();
      this.stage.tick(standing);
    }
  }

  /**
   * @param {string} kind
   * @param {any} data
   */
  receive(kind, data) {
    const { incident, isNew, wantsState, layer } = this.model.receive(kind, data);
    if (layer) this.loader.reload(layer).catch((error) => this.meet(error));
    if (incident) {
      this.stage.show();
      if (isNew) this.map.incidents.pulse(incident.number);
    }
    this.step();
    if (wantsState) this.recount();
    else this.settle();
  }

  /** Have the counts set straight once events pause, and now and then while they do not. */
  settle() {
    clearTimeout(this.settling);
    const quiet = SETTLE_MS + Math.random() * SPREAD_MS;
    const left = LONGEST_GAP_MS - (performance.now() - this.countedAt);
    this.settling = setTimeout(() => this.recount(), Math.max(0, Math.min(quiet, left)));
  }

  changePhase() {
    if (this.ended) return;
    this.showConnection();
    // a lost stream does not say why; the state does, if this screen may no longer show anything
    if (this.stream.state.phase === "waiting") this.recount();
  }

  /**
   * @param {Date} serverTime
   * @param {Date} asOf
   */
  hear(serverTime, asOf) {
    this.model.hear(serverTime, asOf);
    this.tick();
  }

  /** Take the whole state from the server again: after a loss, after events, and once a minute. */
  async recount() {
    if (this.ended) return;
    clearTimeout(this.settling);
    this.countedAt = performance.now();
    try {
      const answer = await getJson(this.url);
      if (this.ended) return;
      const before = String(this.model.bounds);
      this.model.take(answer);
      await this.countAgain();
      if (before !== String(this.model.bounds)) this.stage.fit();
      if (this.stage.standing.scene.points === "replay") await this.fetchReplay();
      // a layer that could not be fetched before; what is drawn is not asked for again
      await this.loader.load();
    } catch (error) {
      this.meet(error);
    }
  }

  /** Take the counts of the panels. */
  async countAgain() {
    this.model.statistics = await getJson(this.url + "/statistics");
    if (this.ended) return;
    this.step();
    this.stage.show();
  }

  async fetchReplay() {
    try {
      this.model.replay = await getJson(this.url + "/replay");
    } catch (error) {
      this.meet(error);
    }
  }

  /**
   * What could not be fetched is fetched again by the next event or minute, unless this screen's right is gone.
   * @param {unknown} error
   */
  meet(error) {
    if (!(error instanceof Problem)) throw error;
    if (isRevoked(error)) this.end(error.message);
  }

  /**
   * The screen may show nothing any more: its link was revoked or has run out.
   * @param {string} sentence
   */
  end(sentence) {
    this.ended = true;
    this.timers.forEach(clearInterval);
    clearTimeout(this.settling);
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
    const isAway = this.stream.state.phase !== "live";
    if (isAway && performance.now() - this.countedAt > POLL_MS) this.recount();
  }

  showConnection() {
    const { phase } = this.stream.state;
    // also while the stream lives: the server may be cut off from its database; a beat may be late by a busy moment
    const isStale = this.silence() > (phase === "live" ? SILENCE_MS : 2 * HEARTBEAT_MS);
    const isPolling = phase === "waiting" && !isStale && this.stream.state.failures > 2;
    const now = this.model.now();
    const words =
      isStale
        ? _("已中断，数据截至 {time}", { time: dayAndTime(this.model.asOf, now) })
        : phase === "live"
          ? _("实时")
          : isPolling
            ? _("轮询更新")
            : _("正在重新连接");
    byId("connection").dataset.state = isStale ? "stale" : isPolling ? "polling" : phase;
    document.body.classList.toggle("is-stale", isStale);
    setText(byId("connection-words"), words);
    const counted = this.model.isOld(2 * RECOUNT_MS + SPREAD_MS) ? this.model.statistics?.generated_at : undefined;
    byId("counted").hidden = !counted;
    if (counted) setText(byId("counted"), _("统计截至 {time}", { time: dayAndTime(new Date(counted), now) }));
  }
}

/** @param {string} id */
function wallUrl(id) {
  return "/api/wall/" + encodeURIComponent(id);
}

/** Root font size, px: the wall's unit of size. */
function rem() {
  return parseFloat(getComputedStyle(document.documentElement).fontSize);
}

/** @param {Problem} problem */
function isRevoked({ status }) {
  return status === 401 || status === 403 || status === 404;
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

await start();
spread();
addEventListener("resize", spread);
const id = byId("wall").dataset.wall ?? "";

async function open() {
  try {
    const [answer, catalogue] = await Promise.all([getJson(wallUrl(id)), getJson("/api/catalogue")]);
    await new WallPage(id, answer, catalogue.layers).begin();
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (isRevoked(error)) {
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
