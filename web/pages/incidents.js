/** The list of incidents beside the map; one of them slides over the list with its history. */

import { getJson, Problem, sendJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { markOf, stateWords } from "../core/incident.js";
import { LiveStream } from "../core/live.js";
import { placeOf } from "../core/place.js";
import { CityMap } from "../map/city_map.js";
import { byId, el, markElement, notice } from "../ui/dom.js";
import { detail, when } from "../ui/incident_detail.js";
import { LayerLoader } from "../ui/layer_loader.js";
import { sentenceOf, start } from "../ui/start.js";

/** @typedef {import("../core/types.js").Incident} Incident */
/** @typedef {import("../core/incident_types.js").Opened} Opened */

const STATES = ["recorded", "reported", "accepted", "dispatched", "taken_up", "coordinating", "returned"];
const LATER_STATES = ["completed", "verifying", "fed_back", "resolved_on_site", "archived", "refused"];
const PAGE = 60;
const CLOSE_ZOOM = 16;

await start();
const rows = byId("rows");
const more = byId("more", HTMLButtonElement);
const state = byId("state", HTMLSelectElement);
const overdue = byId("overdue", HTMLInputElement);
const card = byId("detail");
const list = /** @type {HTMLElement} */ (card.parentElement);
const refusal = el("p", { class: "notice notice-error", role: "alert", hidden: true });
const problem = byId("problem");
const map = new CityMap(byId("map"));
/** @type {Map<string, Incident>} by number, newest first */
const shown = new Map();
/** @type {string | number | null} */
let next = null;
/** @type {Opened | null} */
let opened = null;
/** Where the list stood when an incident slid over it. */
let listAt = 0;

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
  if (overdue.checked) query.set("overdue", "yes");
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
      el("span", { class: "row-title" }, incident.item || incident.description || _("事件")),
      el("time", { class: "row-end", datetime: incident.discovered_at }, when(incident.discovered_at)),
      el(
        "span",
        { class: "row-note" },
        [incident.grid_name ?? grid ?? _("网格之外"), stateWords(incident.state), incident.number].join(" · "),
      ),
    ),
  );
}

/** @param {{id: number}} incident */
async function open({ id }) {
  try {
    show(await getJson("/api/incidents/" + id));
  } catch (error) {
    notice(problem, sentenceOf(error));
  }
}

/** @param {Opened} incident */
function show(incident) {
  if (opened?.id !== incident.id) {
    map.goTo(incident.lon, incident.lat, CLOSE_ZOOM);
    map.showPlace(incident.lon, incident.lat, incident.accuracy_m ?? null);
  }
  opened = incident;
  const take = (/** @type {string} */ step, /** @type {Record<string, unknown>} */ fields) => takeStep(incident, step, fields);
  card.replaceChildren(refusal, ...detail(incident, { take, close }));
  notice(refusal, "");
  if (card.hidden) listAt = list.scrollTop;
  list.scrollTop = 0;
  list.classList.add("is-covered");
  card.hidden = false;
  card.scrollTop = 0;
  card.focus({ preventScroll: true });
}

/**
 * @param {Opened} incident
 * @param {string} step
 * @param {Record<string, unknown>} fields
 */
async function takeStep(incident, step, fields) {
  const asked = { step, expected_state: incident.state, expected_level: incident.current_level, ...fields };
  try {
    show(await sendJson("/api/incidents/" + incident.id + "/steps", "POST", asked));
    await refresh();
  } catch (error) {
    const sentence = sentenceOf(error);
    // somebody else was first: what stands now is shown, with the reason why
    if (error instanceof Problem && error.status === 409) await open(incident);
    notice(refusal, sentence);
  }
}

function close() {
  opened = null;
  card.hidden = true;
  list.classList.remove("is-covered");
  list.scrollTop = listAt;
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
for (const filter of [state, overdue]) filter.addEventListener("change", () => attempt(refresh));
more.addEventListener("click", () => attempt(async () => take(await getJson(listUrl(next)))));
addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && !card.hidden) close();
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
    // a form that somebody is filling in stays; its answer will tell him if the state is another
    if (opened && opened.number === data.number && opened.state !== data.state && !card.querySelector("form")) void open(opened);
    // one after the other, so that an older answer never lands on a newer one
    refreshing = refreshing.then(() => attempt(refresh)).then(() => void (isNew && map.incidents.pulse(data.number)));
  },
  // the stream begins with the present: what happened while the page was loading is read once more
  phase: (phase) => {
    if (phase === "live") refreshing = refreshing.then(() => attempt(refresh));
  },
  heartbeat: () => {},
  back: () => void attempt(refresh),
});
