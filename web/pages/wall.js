/** The big screen: the map of the city, its figures and what comes in, kept live without a reload. */

import { age, clock, count, dayAndTime } from "../core/formats.js";
import { getJson, Problem } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { LiveStream } from "../core/live.js";
import { HEARTBEAT_MS } from "../core/stream.js";
import { applyIncident, busiest, fromAnswer, newest } from "../core/wall_state.js";
import { CityMap } from "../map/city_map.js";
import { byId, el, setText } from "../ui/dom.js";
import { LayerLoader } from "../ui/layer_loader.js";
import { legend } from "../ui/legend.js";
import { start } from "../ui/start.js";
import { Extents } from "../ui/wall_extents.js";
import { LiveList, Ranking } from "../ui/wall_lists.js";

/** @typedef {import("../core/types.js").Layer} Layer */

/** The wall of the whole deployment. */
const WHOLE = "city";
const RETRY_MS = 5_000;
/** After this quiet time the counts are set straight by the server's own. */
const SETTLE_MS = 2_000;
const RECOUNT_MS = 60_000;
const LIST_ROWS = 9;
const RANKING_ROWS = 5;

class WallPage {
  /**
   * @param {string} id
   * @param {import("../core/types.js").WallAnswer} answer
   * @param {Layer[]} catalogue
   */
  constructor(id, answer, catalogue) {
    this.id = id;
    this.state = fromAnswer(answer);
    this.extents = new Extents(byId("extents"), () => this.fit());
    this.extents.setWhole(answer.bounds);
    this.serverAhead = Date.parse(answer.generated_at) - Date.now();
    this.asOf = new Date(answer.generated_at);
    this.layers = catalogue.filter((layer) => answer.layers.some((url) => new URL(url, location.href).pathname === layer.url));
    this.map = new CityMap(byId("map"), { scale: () => rem() / 16, buttons: false });
    this.map.zoomFreely();
    this.loader = new LayerLoader(this.map, this.layers, (error) => this.meet(error));
    this.live = new LiveList(byId("live"), LIST_ROWS);
    this.ranking = new Ranking(byId("ranking"));
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.settling = undefined;
    this.map.onDrawn(() => this.showDrawn());
    addEventListener("resize", () => this.fit());
    this.stream = new LiveStream("/api/events", answer.position, {
      event: (kind, data) => this.receive(kind, data),
      phase: (phase) => this.changePhase(phase),
      heartbeat: (serverTime) => this.hear(serverTime),
      back: () => this.recount(),
    });
    this.timers = [setInterval(() => this.tick(), 1_000), setInterval(() => this.recount(), RECOUNT_MS)];
    this.ended = false;
  }

  /** The server's present, whatever the clock of this screen says. */
  now() {
    return new Date(Date.now() + this.serverAhead);
  }

  /** Show the whole extent in the part of the map that the panels leave free. */
  fit() {
    const bounds = this.extents.current();
    if (!bounds) return;
    const map = byId("map").getBoundingClientRect();
    const left = document.querySelector(".wall-left")?.getBoundingClientRect();
    const right = document.querySelector(".wall-right")?.getBoundingClientRect();
    const gap = rem() * 1.25;
    const beside = left && right && left.right < right.left && right.top < map.bottom - map.height / 3;
    this.map.fit(bounds, {
      top: gap,
      bottom: gap,
      left: beside ? left.right - map.left + gap : gap,
      right: beside ? map.right - right.left + gap : gap,
    });
  }

  async begin() {
    this.fit();
    this.map.incidents.show(this.state.incidents.values());
    this.show();
    await this.loader.load().catch((error) => this.meet(error));
  }

  showDrawn() {
    byId("legend").replaceChildren(legend(this.map.drawn()));
    const before = this.extents.current();
    this.extents.setGrids(this.map.featuresOf("grid"));
    if (String(before) !== String(this.extents.current())) this.fit();
  }

  /**
   * @param {string} kind
   * @param {any} data
   */
  receive(kind, data) {
    this.asOf = this.now();
    if (kind === "incident" && !this.isHere(data)) {
      this.recount();
      return;
    }
    if (kind === "incident") {
      const { isNew } = applyIncident(this.state, data, this.now());
      this.map.incidents.put(data);
      if (isNew) this.map.incidents.pulse(data.number);
      this.show();
    } else if (kind === "generation") {
      this.loader.reload(data.layer).catch((error) => this.meet(error));
    }
    clearTimeout(this.settling);
    this.settling = setTimeout(() => this.recount(), SETTLE_MS);
  }

  /**
   * Whether an incident surely belongs on this wall; an account may see more than the wall it looks at.
   * @param {{township_code: string | null}} incident
   */
  isHere({ township_code }) {
    return this.id === WHOLE || township_code === this.id;
  }

  /** @param {"connecting" | "live" | "waiting"} phase */
  changePhase(phase) {
    if (this.ended) return;
    this.showConnection();
    // a lost stream does not say why; the state does, if this screen may no longer show anything
    if (phase === "waiting") this.recount();
  }

  /** @param {Date} serverTime */
  hear(serverTime) {
    this.serverAhead = serverTime.getTime() - Date.now();
    this.asOf = serverTime;
    this.tick();
  }

  /** Take the whole state from the server again: after a loss, after events, and once a minute. */
  async recount() {
    if (this.ended) return;
    try {
      const answer = await getJson(wallUrl(this.id));
      if (this.ended) return;
      this.state = fromAnswer(answer);
      this.asOf = new Date(answer.generated_at);
      if (String(this.extents.bounds.whole) !== String(answer.bounds)) {
        this.extents.setWhole(answer.bounds);
        this.fit();
      }
      this.map.incidents.show(this.state.incidents.values());
      this.show();
      // a layer that could not be fetched before; what is drawn is not asked for again
      await this.loader.load();
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
    this.stream.close();
    showEnd(sentence);
  }

  show() {
    const { figures } = this.state;
    setText(byId("open"), count(figures.open));
    setText(byId("urgent"), count(figures.urgent));
    setText(byId("overdue"), count(figures.overdue));
    setText(byId("today"), count(figures.today));
    setText(byId("done-today"), count(figures.done_today));
    const busy = [...this.state.openByGrid.values()].filter((open) => open > 0).length;
    setText(byId("open-note"), _("分布在 {n} 个网格", { n: count(busy) }));
    this.live.show(newest(this.state, LIST_ROWS), this.now());
    this.ranking.show(busiest(this.state, RANKING_ROWS), (code) => this.gridName(code));
  }

  /** @param {string} code */
  gridName(code) {
    for (const incident of this.state.incidents.values()) {
      if (incident.grid_code === code && incident.grid_name) return incident.grid_name;
    }
    return code;
  }

  tick() {
    const now = this.now();
    setText(byId("clock"), clock(this.asOf, { seconds: true }));
    const first = newest(this.state, 1)[0];
    setText(
      byId("today-note"),
      first ? _("最近一件：{age}", { age: age(new Date(first.discovered_at), now) }) : "",
    );
    this.live.tick(now);
    this.showConnection();
  }

  showConnection() {
    const silence = this.now().getTime() - this.asOf.getTime();
    const isStale = this.stream.state.phase !== "live" && silence > 2 * HEARTBEAT_MS;
    const words =
      this.stream.state.phase === "live"
        ? _("实时")
        : isStale
          ? _("已中断，数据截至 {time}", { time: dayAndTime(this.asOf, this.now()) })
          : _("正在重新连接");
    byId("connection").dataset.state = isStale ? "stale" : this.stream.state.phase;
    document.body.classList.toggle("is-stale", isStale);
    setText(byId("connection-words"), words);
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

await start();
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
