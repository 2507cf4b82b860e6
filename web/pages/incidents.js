/** The list of incidents beside the map; one of them slides over the list with its history. */

import { clock, dayAndTime } from "../core/formats.js";
import { getJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { markOf, sourceWords, stateWords } from "../core/incident.js";
import { LiveStream } from "../core/live.js";
import { certainty, placeOf } from "../core/place.js";
import { CityMap } from "../map/city_map.js";
import { byId, el, icon, markElement, notice } from "../ui/dom.js";
import { LayerLoader } from "../ui/layer_loader.js";
import { sentenceOf, start } from "../ui/start.js";

/** @typedef {import("../core/types.js").Incident} Incident */

const STATES = ["recorded", "reported", "accepted", "dispatched", "taken_up", "coordinating", "returned"];
const LATER_STATES = ["completed", "verifying", "fed_back", "resolved_on_site", "archived", "refused"];
const PAGE = 60;
const CLOSE_ZOOM = 16;

await start();
const rows = byId("rows");
const more = byId("more", HTMLButtonElement);
const state = byId("state", HTMLSelectElement);
const detail = byId("detail");
const problem = byId("problem");
const map = new CityMap(byId("map"));
/** @type {Map<string, Incident>} by number, newest first */
const shown = new Map();
/** @type {string | number | null} */
let next = null;

/** Begin the list again with the present filter. */
async function refresh() {
  const answer = await getJson(listUrl(null));
  shown.clear();
  take(answer);
}

/** @param {{incidents: Incident[], next: string | number | null}} answer */
function take(answer) {
  for (const incident of answer.incidents) shown.set(incident.number, incident);
  next = answer.next;
  rows.replaceChildren(...[...shown.values()].map(row));
  more.hidden = next === null;
  byId("empty").hidden = shown.size > 0;
  map.incidents.show(shown.values());
}

/** @param {string | number | null} before */
function listUrl(before) {
  const query = new URLSearchParams({ limit: String(PAGE) });
  if (state.value) query.set("state", state.value);
  if (before !== null) query.set("before", String(before));
  return "/api/incidents?" + query;
}

/** @param {Incident} incident */
function row(incident) {
  const { grid } = placeOf(incident);
  return el(
    "li",
    {},
    el(
      "button",
      { type: "button", class: "row", "data-number": incident.number, click: () => open(incident) },
      markElement(markOf(incident)),
      el("span", { class: "row-title" }, incident.item || incident.description),
      el("time", { class: "row-end", datetime: incident.discovered_at }, when(incident.discovered_at)),
      el(
        "span",
        { class: "row-note" },
        [incident.grid_name ?? grid ?? _("网格之外"), stateWords(incident.state), incident.number].join(" · "),
      ),
    ),
  );
}

/** @param {string} moment */
function when(moment) {
  return dayAndTime(new Date(moment), new Date());
}

/** @param {{id: number}} incident */
async function open({ id }) {
  try {
    const answer = await getJson("/api/incidents/" + id);
    const incident = answer.incident ?? answer;
    map.goTo(incident.lon, incident.lat, CLOSE_ZOOM);
    map.showPlace(incident.lon, incident.lat, incident.accuracy_m ?? null);
    detail.replaceChildren(...card(incident, incident.history ?? answer.history ?? []));
    detail.hidden = false;
    detail.focus();
  } catch (error) {
    notice(problem, sentenceOf(error));
  }
}

/**
 * @param {Incident} incident
 * @param {{at: string, actor: string, to_state: string, note: string | null}[]} history
 */
function card(incident, history) {
  const place = placeOf(incident);
  const note = certainty(incident);
  const facts = [
    [_("事件编号"), incident.number],
    [_("状态"), (incident.is_urgent ? _("紧急") + " · " : "") + stateWords(incident.state)],
    [_("网格"), incident.grid_name ?? place.grid],
    [_("子网格"), place.subGrid],
    [_("责任单位"), place.areas.join(" · ")],
    [_("来源"), sourceWords(incident.source)],
    [_("发现时间"), when(incident.discovered_at)],
    [_("办理时限"), incident.due_at ? when(incident.due_at) : ""],
  ].filter(([, value]) => value);
  return [
    el(
      "div",
      { class: "detail-head" },
      markElement(markOf(incident)),
      el("h2", {}, incident.item || _("事件")),
      el("button", { type: "button", class: "quiet", click: close, title: _("关闭") }, icon("x-mark"), _("关闭")),
    ),
    el("p", { class: "detail-text" }, incident.description),
    note ? el("p", { class: "notice notice-warning" }, icon("exclamation-triangle"), el("span", {}, note)) : "",
    el("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    history.length > 0 ? el("h3", {}, _("经过")) : "",
    el("ol", { class: "steps" }, ...history.map(step)),
  ];
}

/** @param {{at: string, actor: string, to_state: string, note: string | null}} one */
function step({ at, actor, to_state, note }) {
  const moment = new Date(at);
  return el(
    "li",
    {},
    el("b", {}, stateWords(to_state)),
    el("time", { datetime: at, title: clock(moment, { seconds: true }) }, when(at)),
    el("span", {}, [actor, note].filter(Boolean).join(" · ")),
  );
}

function close() {
  detail.hidden = true;
  map.hidePlace();
}

function listStates() {
  state.replaceChildren(
    el("option", { value: "" }, _("全部")),
    ...[...STATES, ...LATER_STATES].map((key) => el("option", { value: key }, stateWords(key))),
  );
}

/** @param {() => Promise<void>} act */
async function attempt(act) {
  notice(problem, "");
  try {
    await act();
  } catch (error) {
    notice(problem, sentenceOf(error));
  }
}

listStates();
state.addEventListener("change", () => attempt(refresh));
more.addEventListener("click", () => attempt(async () => take(await getJson(listUrl(next)))));
addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && !detail.hidden) close();
});
map.onPick(({ incident }) => {
  const known = incident && shown.get(incident.number);
  if (known) open(known);
});

await attempt(async () => {
  await refresh();
  const { layers } = await getJson("/api/catalogue");
  await new LayerLoader(
    map,
    layers.filter((/** @type {{kind: string}} */ { kind }) => kind !== "record"),
  ).load();
  const bounds = map.boundsOf("area");
  if (bounds) map.fit(bounds);
});

let refreshing = Promise.resolve();
new LiveStream("/api/events", null, {
  event: (kind, data) => {
    if (kind !== "incident") return;
    const isNew = !shown.has(data.number);
    // one after the other, so that an older answer never lands on a newer one
    refreshing = refreshing.then(() => attempt(refresh)).then(() => void (isNew && map.incidents.pulse(data.number)));
  },
  phase: () => {},
  heartbeat: () => {},
  back: () => void attempt(refresh),
});
