/** The desk: the filtered list beside the map, in step; one incident slides over the list with its history. */

import { fromAddress, toAddress, toRequest } from "../core/desk_query.js";
import { getJson, Problem, sendJson, unreachable } from "../core/http.js";
import { LiveStream } from "../core/live.js";
import { CityMap } from "../map/city_map.js";
import { OutlineLayer } from "../map/outline_layer.js";
import { AddressSearch } from "../ui/address_search.js";
import { CallingList } from "../ui/calling_list.js";
import { deskLegend } from "../ui/desk_legend.js";
import { DeskWall } from "../ui/desk_wall.js";
import { byId, el, notice, released } from "../ui/dom.js";
import { GridSearch } from "../ui/grid_search.js";
import { detail, renew } from "../ui/incident_detail.js";
import { fillExtras } from "../ui/incident_extras.js";
import { IncidentFilters } from "../ui/incident_filters.js";
import { IncidentRows } from "../ui/incident_rows.js";
import { LayerLoader } from "../ui/layer_loader.js";
import { PlaceCard } from "../ui/place_card.js";
import { returnedBorders } from "../ui/returned_borders.js";
import { sentenceOf, start } from "../ui/start.js";

/** @typedef {import("../core/types.js").Incident} Incident */
/** @typedef {import("../core/incident_types.js").Opened} Opened */
/** @typedef {import("../core/desk_query.js").DeskQuery} DeskQuery */

const PAGE = 60;
const CLOSE_ZOOM = 16;
/** Events that come together are answered together. */
const GATHER_MS = 250;
const MOST_AT_ONCE = 100;
const COUNTS_MS = 1_500;
const TICK_MS = 30_000;

await start();
const more = byId("more", HTMLButtonElement);
const card = byId("detail");
const list = /** @type {HTMLElement} */ (card.parentElement);
const follow = byId("follow", HTMLInputElement);
const refusal = el("p", { class: "notice notice-error", role: "alert", hidden: true });
const problem = byId("problem");
const map = new CityMap(byId("map"));
const mapSide = /** @type {HTMLElement} */ (byId("map").parentElement);
returnedBorders(map, mapSide);
deskLegend(map, mapSide);
const rows = new IncidentRows(byId("rows"), (incident) => void open(incident));
let query = fromAddress(new URLSearchParams(location.search));
const filters = new IncidentFilters(query, ask);
follow.checked = query.bbox !== "";
/** @type {string | number | null} */
let next = null;
/** @type {Opened | null} */
let opened = null;
/** Where the list stood when an incident slid over it. */
let listAt = 0;
/** Answers to an older question are not shown. */
let asked = 0;
/** The layers of the catalogue, for their words. @type {import("../core/types.js").Layer[]} */
let layers = [];

const outline = new OutlineLayer(map);
const host = byId("place-card");
const mayAskNear = host.dataset.mayAsk === "True";
const steering = document.getElementById("desk-wall");
const wall = steering instanceof HTMLDetailsElement ? new DeskWall(steering) : null;
const calling = wall ? new CallingList((incident) => void open(incident)) : null;
const places = new PlaceCard(host, {
  filter: (grid) => {
    filters.show({ ...query, grid });
    ask({ ...query, grid });
  },
  showOnWall: wall && ((code, name) => wall.offer(code, name)),
  show: showPlace,
  // the fields over the map and the card leave this much of it
  fit: (bounds) => map.fit(bounds, { top: 120, right: host.offsetWidth + 24, bottom: 72, left: 24 }),
  stress: (card) => outline.show(card?.geometry ?? null),
  words: (layer, field, value) =>
    layers.find(({ name }) => name === layer)?.fields.find(({ name }) => name === field)?.choices?.[value] ?? value,
  closed: () => {
    // the place of the open incident stays marked
    if (opened) map.showPlace(opened.lon, opened.lat, opened.accuracy_m ?? null);
    else map.hidePlace();
  },
  mayReport: host.dataset.mayReport === "True",
  prints: /** @type {"all" | "map" | ""} */ (host.dataset.prints ?? ""),
  mayAskNear,
});

// ---- the list ---------------------------------------------------------------------------------------------------

/**
 * Another question: the address says it, the list and the map answer it.
 * @param {DeskQuery} given
 */
function ask(given) {
  query = given;
  follow.checked = query.bbox !== "";
  writeAddress("replace");
  list.scrollTop = 0;
  void attempt(refresh);
}

/** Begin the list again with the present question. */
async function refresh() {
  const mine = ++asked;
  const [answer, places] = await Promise.all([getJson(listUrl(null)), getJson("/api/incidents/places?" + toRequest(query)), count(mine)]);
  await released(byId("rows"));
  if (mine !== asked) return;
  rows.show(answer.incidents, query.order);
  map.incidents.show(places.incidents);
  endPage(answer.next);
}

/** @param {string | number | null} following */
function endPage(following) {
  next = following;
  more.hidden = next === null;
  byId("empty").hidden = rows.size > 0;
  rows.choose(opened?.number ?? "");
}

async function nextPage() {
  if (next === null) return;
  const mine = asked;
  const answer = await getJson(listUrl(next));
  if (mine !== asked) return;
  rows.append(answer.incidents);
  endPage(answer.next);
}

/** @param {string | number | null} before */
function listUrl(before) {
  const request = toRequest(query);
  request.set("limit", String(PAGE));
  if (before !== null) request.set("before", String(before));
  return "/api/incidents?" + request;
}

/** @param {number} mine */
async function count(mine) {
  const counts = await getJson("/api/incidents/counts?" + toRequest(query));
  if (mine === asked) filters.showCounts(counts);
}

// ---- what happens meanwhile -------------------------------------------------------------------------------------

/** Numbers of incidents that something happened to. @type {Set<string>} */
const pending = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let gathering;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let counting;
let working = Promise.resolve();

/** @param {string} number */
function happened(number) {
  pending.add(number);
  gathering ??= setTimeout(() => {
    gathering = undefined;
    // one after the other, so that an older answer never lands on a newer one
    working = working.then(() => attempt(takeIn));
  }, GATHER_MS);
  counting ??= setTimeout(() => {
    counting = undefined;
    void attempt(() => count(asked));
  }, COUNTS_MS);
}

/** Ask how those stand that something happened to, and change their rows and symbols in place. */
async function takeIn() {
  const numbers = [...pending];
  pending.clear();
  if (numbers.length > MOST_AT_ONCE) {
    await refresh();
    return;
  }
  const mine = asked;
  const request = toRequest(query);
  request.set("number", numbers.join(","));
  request.set("limit", String(MOST_AT_ONCE));
  const { incidents } = await getJson("/api/incidents?" + request);
  await released(byId("rows"));
  if (mine !== asked) return;
  const found = new Map(incidents.map((/** @type {Incident} */ incident) => [incident.number, incident]));
  for (const number of numbers) {
    const incident = found.get(number);
    if (!incident) {
      rows.remove(number);
      map.incidents.remove(number);
      continue;
    }
    const isNew = rows.merge(incident, next === null);
    map.incidents.put(incident);
    if (isNew) map.incidents.pulse(number);
  }
  byId("empty").hidden = rows.size > 0;
}

// ---- one incident -----------------------------------------------------------------------------------------------

/**
 * @param {{id: number}} incident
 * @param {{isBack?: boolean}} [how] `isBack` when the address already says it
 */
async function open({ id }, { isBack = false } = {}) {
  try {
    const answer = await getJson("/api/incidents/" + id);
    const isOther = opened?.id !== id;
    show(answer);
    if (isOther && !isBack) writeAddress("push");
  } catch (error) {
    notice(problem, sentenceOf(error));
  }
}

/** @param {Opened} incident */
function show(incident) {
  const isOther = opened?.id !== incident.id;
  if (isOther) {
    map.goTo(incident.lon, incident.lat, CLOSE_ZOOM);
    map.showPlace(incident.lon, incident.lat, incident.accuracy_m ?? null);
  }
  opened = incident;
  const parts = detail(incident, {
    take: (step, fields) => void takeStep(incident, step, fields),
    acknowledge: () => void acknowledge(incident),
    close,
    turn,
    showPlace,
    near: mayAskNear ? () => void places.openPoint(incident, { part: "near" }) : null,
    // by the place: its code may have been another grid's at that time
    showOnWall: wall && ((code, name) => wall.offer(code, name)),
    showGrid: (code) => void places.openPoint(incident, { code: mayAskNear ? null : code }),
  });
  renew(card, [refusal, ...parts], { isSame: !isOther });
  notice(refusal, "");
  rows.choose(incident.number);
  if (card.hidden) listAt = list.scrollTop;
  list.scrollTop = 0;
  list.classList.add("is-covered");
  card.hidden = false;
  if (isOther) {
    card.scrollTop = 0;
    card.focus({ preventScroll: true });
  }
  void fillExtras(incident, card, open);
}

/**
 * @param {number} lon
 * @param {number} lat
 */
function showPlace(lon, lat) {
  map.goTo(lon, lat, CLOSE_ZOOM);
  map.showPlace(lon, lat, null);
}

/** Show the open incident as it stands now, if that is news. */
async function lookAgain() {
  const before = opened;
  if (!before) return;
  const now = await getJson("/api/incidents/" + before.id);
  await released(card);
  const isNews = now.history.length + now.alerts.length !== before.history.length + before.alerts.length || now.due_at !== before.due_at;
  // a form that somebody is filling in stays; its answer will tell him if the state is another
  if (opened === before && isNews && !card.querySelector("form")) show(now);
}

/**
 * @param {Opened} incident
 * @param {string} step
 * @param {Record<string, unknown>} fields
 */
async function takeStep(incident, step, fields) {
  const wanted = { step, expected_state: incident.state, expected_level: incident.current_level, ...fields };
  try {
    show(await sendJson("/api/incidents/" + incident.id + "/steps", "POST", wanted));
    happened(incident.number);
  } catch (error) {
    const sentence = sentenceOf(error);
    // somebody else was first: what stands now is shown, with the reason why
    if (error instanceof Problem && error.status === 409) await open(incident);
    notice(refusal, sentence);
  }
}

/** @param {Opened} incident */
async function acknowledge(incident) {
  try {
    await sendJson("/api/incidents/" + incident.id + "/acknowledgement", "POST");
    await Promise.all([open(incident), calling?.refresh()]);
  } catch (error) {
    notice(refusal, sentenceOf(error));
  }
}

/** @param {{isBack?: boolean}} [how] */
function close({ isBack = false } = {}) {
  const { number = "" } = opened ?? {};
  opened = null;
  card.hidden = true;
  list.classList.remove("is-covered");
  list.scrollTop = listAt;
  map.hidePlace();
  rows.choose("");
  if (card.contains(document.activeElement) || document.activeElement === document.body) rows.focus(number);
  list.scrollTop = listAt;
  if (!isBack) writeAddress("push");
}

/** @param {1 | -1} step */
function turn(step) {
  const other = opened && rows.beside(opened.number, step);
  if (other) void open(other);
}

/** @param {"push" | "replace"} how */
function writeAddress(how) {
  const filter = toAddress(query).toString();
  const address = "/incidents" + (opened ? "/" + opened.id : "") + (filter && "?" + filter);
  if (address === location.pathname + location.search) return;
  if (how === "push") history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

// ---- the page ---------------------------------------------------------------------------------------------------

/** @param {() => Promise<void>} act */
async function attempt(act) {
  notice(problem, "");
  try {
    await act();
  } catch (error) {
    notice(problem, sentenceOf(error));
  }
}

function idOfAddress() {
  const [, id] = /^\/incidents\/(\d+)$/.exec(location.pathname) ?? [];
  return id ? Number(id) : null;
}

addEventListener("popstate", () => {
  const id = idOfAddress();
  query = fromAddress(new URLSearchParams(location.search));
  filters.show(query);
  if (id !== null) void open({ id }, { isBack: true });
  else if (!card.hidden) close({ isBack: true });
  void attempt(refresh);
});

more.addEventListener("click", () => void attempt(nextPage));
new IntersectionObserver(([end]) => end?.isIntersecting && void attempt(nextPage), { root: list, rootMargin: "600px" }).observe(more);

follow.addEventListener("change", () => followMap());
map.onMove(() => follow.checked && !opened && followMap());

function followMap() {
  const bbox = follow.checked ? map.view().map((degrees) => degrees.toFixed(5)).join(",") : "";
  if (bbox === query.bbox) return;
  filters.show({ ...query, bbox });
  ask({ ...query, bbox });
}

addEventListener("keydown", (event) => {
  const { key, target } = event;
  const isTyping = target instanceof HTMLElement && target.closest("input, textarea, select") !== null;
  if (key === "Escape" && target === document.body && places.isOpen) places.close();
  else if (key === "Escape" && !card.hidden) close();
  else if (key === "Escape" && target === filters.search) filters.search.blur();
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "/" && card.hidden) {
    event.preventDefault();
    filters.search.focus();
  } else if (key === "g") {
    event.preventDefault();
    finder.input.focus();
  } else if ((key === "n" || key === "p") && !card.hidden) turn(key === "n" ? 1 : -1);
  else if ((key === "ArrowDown" || key === "j") && target === document.body && card.hidden) {
    event.preventDefault();
    /** @type {HTMLElement | null} */ (byId("rows").querySelector("button"))?.focus();
  }
});

const address = document.getElementById("address");
if (address) {
  new AddressSearch(address, ({ lon, lat, grid_code }) => {
    showPlace(lon, lat);
    void places.openPoint({ lon, lat }, { code: grid_code });
  }, { tellsGrid: true });
}
const finder = new GridSearch(byId("grid-search"), (code) => {
  map.hidePlace();
  void places.openGrid(code);
});
map.onPick(({ incident, found, lon, lat }) => {
  const known = incident && (rows.get(incident.number) ?? incident);
  if (known && "id" in known) {
    void open(/** @type {{id: number}} */ (known));
    return;
  }
  const isGrid = found !== null && ["grid", "sub_grid"].includes(found.layer.name);
  const code = String((isGrid && found.feature.properties.grid_code) || "");
  if (!code && !mayAskNear) return;
  map.showPlace(lon, lat, null);
  void places.openPoint({ lon, lat }, { code, isTouched: true });
});

await attempt(async () => {
  const id = idOfAddress();
  const opening = id === null ? null : open({ id }, { isBack: true });
  // neither waits for the other: thousands of places take longer than the tiles below them
  const listed = refresh();
  listed.catch(() => {});
  const catalogue = await getJson("/api/catalogue");
  ({ layers } = catalogue);
  map.setBase(catalogue.base_map);
  if (catalogue.bounds && id === null) map.fit(catalogue.bounds);
  await new LayerLoader(
    map,
    layers.filter(({ kind }) => kind !== "record"),
  ).load();
  await listed;
  const [west, south, east, north] = query.bbox.split(",").map(Number);
  const bounds = catalogue.bounds ? null : map.boundsOf("area");
  if (query.bbox && west !== undefined && south !== undefined && east !== undefined && north !== undefined) map.fit([west, south, east, north], {});
  else if (bounds && id === null) map.fit(bounds);
  await opening;
});

await Promise.all([calling?.refresh(), wall?.begin()]);
setInterval(() => {
  rows.tick();
  calling?.tick();
}, TICK_MS);
if (wall) setInterval(() => wall.tick(), 1_000);
new LiveStream("/api/events", null, {
  event: (kind, data) => {
    wall?.happened(kind, data);
    if (kind === "acknowledged" || (kind === "incident" && data.is_urgent)) calling?.soon();
    if (kind !== "incident") return;
    if (opened && opened.number === data.number) void attempt(lookAgain);
    happened(data.number);
  },
  // the stream begins with the present: what happened while the page was loading is read once more
  phase: (phase) => {
    if (phase === "live") lookAround();
    // nobody would know that somebody calls
    else if (phase === "waiting") notice(document.getElementById("calling-problem") ?? problem, unreachable().message);
  },
  heartbeat: (serverTime) => wall?.hear(serverTime),
  back: lookAround,
});

/** Events may have been missed: ask for all that stands. */
function lookAround() {
  working = working.then(() => attempt(refresh));
  calling?.soon();
  void wall?.refresh();
}
