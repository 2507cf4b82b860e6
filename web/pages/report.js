/** The report form of a phone: where, what, photos, how it was found. It opens and takes reports without a network. */

import { Courier } from "../core/courier.js";
import { dayAndTime } from "../core/formats.js";
import { GridBundle } from "../core/grid_bundle.js";
import { getJson, getSession, Problem } from "../core/http.js";
import { _, currentLanguage } from "../core/i18n.js";
import { sources } from "../core/incident.js";
import { keptJson } from "../core/kept.js";
import { newReport } from "../core/outbox.js";
import { CHANGED, keepNote, keepReport, NoRoom, noted, photosFor, removeReport, reportsOf } from "../core/outbox_store.js";
import { certainty, placeOf } from "../core/place.js";
import { CityMap } from "../map/city_map.js";
import { AddressSearch } from "../ui/address_search.js";
import { byId, el, icon, notice, released, setText } from "../ui/dom.js";
import { Draft, randomKey } from "../ui/draft.js";
import { LayerLoader } from "../ui/layer_loader.js";
import { NearbyNotice } from "../ui/nearby_notice.js";
import { outboxRows, outboxSummary } from "../ui/outbox_list.js";
import { ReportPhotos } from "../ui/report_photos.js";
import { sentenceOf, start } from "../ui/start.js";

/** @typedef {import("../core/outbox.js").Report} Report */
/** @typedef {{lon: number, lat: number, datum: string, accuracy: number | null, at: number}} Spot `at`: when it was taken, ms */

const CLOSE_ZOOM = 16;
/** Layers a person finds their way by; cameras and the like would only be in the way of the finger. */
const GROUND = ["water", "road", "area", "grid"];
/** A clock that is off by less is right. */
const CLOCK_TOLERANCE_MS = 30_000;

const form = byId("report", HTMLFormElement);
const description = byId("description", HTMLTextAreaElement);
const item = byId("item", HTMLInputElement);
const submit = byId("submit", HTMLButtonElement);
const problem = byId("problem");
const outbox = byId("outbox", HTMLDetailsElement);

/** Whose phone this is: the server says it by a cookie, which outlives the session and ends by signing out. */
const account = /(?:^|; )gis_account=(\w+)/.exec(document.cookie)?.[1] ?? "";

/** @type {Spot | null} */
let spot = null;
/** @type {GridBundle | null} */
let bundle = null;
/** The refused report that is being corrected. @type {string | null} */
let replaced = null;
let asked = 0;
let isLost = false;
/** The report whose answer is shown instead of the form. @type {{id: string, standing: string} | null} */
let answered = null;

await start();
const draft = new Draft("report-" + account);
const map = new CityMap(byId("map"));
const nearby = new NearbyNotice(byId("nearby"));
const photos = new ReportPhotos(byId("photos"), byId("photo", HTMLInputElement), "form-" + account, (sentence) =>
  notice(byId("photo-problem"), sentence),
);
const courier = new Courier(account, ({ end, account: who }) => {
  const isBack = isLost && end !== "offline";
  isLost = end === "offline";
  showNetwork();
  if (isBack && spot) void choose(spot);
  if (end === "sign-in") askToSignIn(who);
  else byId("signed-out").hidden = true;
});

/** Mark the spot and say whose it is. @param {Spot} chosen */
async function choose(chosen) {
  spot = chosen;
  draft.keep({ spot });
  notice(problem, "");
  map.showPlace(chosen.lon, chosen.lat, chosen.accuracy);
  void nearby.ask(spot, item.value.trim());
  const question = ++asked;
  showPlace(_("正在查询所属网格"));
  const query = new URLSearchParams({ lon: String(chosen.lon), lat: String(chosen.lat), datum: chosen.datum });
  if (chosen.accuracy !== null) query.set("accuracy_m", String(chosen.accuracy));
  try {
    const routed = await getJson("/api/route?" + query);
    // a later tap has asked another question meanwhile
    if (question !== asked) return;
    const { grid, areas } = placeOf(routed);
    showPlace([...areas, grid].filter(Boolean).join(" · "), certainty(routed));
  } catch (error) {
    if (question !== asked) return;
    // without a network, or without a session: the report waits on the phone in either case
    if (error instanceof Problem && [0, 401].includes(error.status)) showPlaceOffline(chosen);
    else showPlace("", sentenceOf(error));
  }
}

/** The grid by the borders taken along. @param {Spot} chosen */
function showPlaceOffline({ lon, lat }) {
  const grid = bundle?.find(lon, lat);
  if (grid) showPlace(grid.grid_name, _("离线判断，登记时以发现时的边界为准。"));
  else showPlace(_("位置已记下"), bundle ? _("不在本机所带的网格内，登记时再定位。") : _("登记时再定位到网格。"));
}

/**
 * @param {string} words
 * @param {string} [note]
 */
function showPlace(words, note = "") {
  byId("place").replaceChildren(
    ...(words ? [el("span", { class: "place-words" }, icon("map-pin"), words)] : []),
    ...(note ? [el("span", { class: "place-note" }, icon("exclamation-triangle"), note)] : []),
  );
}

function locate() {
  if (!("geolocation" in navigator) || !isSecureContext) {
    notice(problem, _("此浏览器不能定位（定位需要 https 连接），请在地图上点选位置。"));
    return;
  }
  const button = byId("locate", HTMLButtonElement);
  button.disabled = true;
  navigator.geolocation.getCurrentPosition(
    ({ coords, timestamp }) => {
      button.disabled = false;
      map.goTo(coords.longitude, coords.latitude, CLOSE_ZOOM);
      const { longitude: lon, latitude: lat, accuracy } = coords;
      void choose({ lon, lat, datum: "wgs84", accuracy, at: timestamp });
    },
    () => {
      button.disabled = false;
      notice(problem, _("没有得到定位，请检查定位权限，或在地图上点选位置。"));
    },
    { enableHighAccuracy: true, timeout: 15_000 },
  );
}

/** What is still missing, as a sentence, and where to go; null when all is there. */
function missing() {
  if (!account) return { sentence: _("请先登录，再上报。"), place: byId("signed-out") };
  if (!spot) return { sentence: _("请先选择事件位置。"), place: byId("map") };
  if (!description.value.trim()) return { sentence: _("请填写情况说明。"), place: description };
  return null;
}

/** @param {SubmitEvent} event */
async function send(event) {
  event.preventDefault();
  const gap = missing();
  if (gap || !spot) {
    notice(problem, gap?.sentence ?? "");
    gap?.place.scrollIntoView({ block: "center" });
    gap?.place.focus({ preventScroll: true });
    return;
  }
  submit.disabled = true;
  setText(submit, _("正在提交"));
  notice(problem, "");
  try {
    const made = await keep(spot);
    await clear();
    const round = await courier.go(true);
    // another tab or the worker may be at it: its answer comes by itself
    const now = (await reportsOf(account, Date.now())).find(({ id }) => id === made.id) ?? made;
    showAnswer(now, round.end);
    if (now.standing !== "sent") await sendInBackground();
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error;
    notice(problem, _("手机存储空间不足，这份上报没有存下，也没有发出。请去掉照片或清理空间后再提交。"));
  } finally {
    submit.disabled = false;
    setText(submit, _("提交"));
  }
}

/**
 * Put the report on the phone before anything else: from here on it is not lost.
 * @param {Spot} place
 */
async function keep(place) {
  const chosen = new FormData(form);
  const offset = Number((await noted("clock-offset").catch(() => 0)) ?? 0);
  const body = {
    lon: place.lon,
    lat: place.lat,
    datum: place.datum,
    ...(place.accuracy === null ? {} : { accuracy_m: place.accuracy }),
    ...(item.value.trim() ? { item: item.value.trim() } : {}),
    description: description.value.trim(),
    source: chosen.get("source"),
    urgent: chosen.get("urgent") === "1",
    // the moment at which the place was taken: by its boundaries the report is routed, however late it arrives
    discovered_at: new Date(place.at + offset).toISOString(),
  };
  const made = newReport({
    id: randomKey(),
    account,
    body,
    photos: photos.photos.length,
    keepPlace: chosen.get("keep_place") === "yes",
    now: Date.now(),
  });
  await keepReport(made, photos.photos, replaced);
  // so that the browser does not clear it away
  await navigator.storage?.persist?.().catch(() => false);
  return made;
}

/** Let the browser send it although the page is closed, where it can: not before, or page and worker get in each other's way. */
async function sendInBackground() {
  const worker = await navigator.serviceWorker?.getRegistration("/report").catch(() => undefined);
  await /** @type {any} */ (worker)?.sync?.register("reports").catch(() => {});
}

/** An empty form. */
async function clear() {
  replaced = null;
  spot = null;
  asked++;
  draft.drop();
  form.reset();
  map.hidePlace();
  showPlace(_("请点地图选择位置，或定位到当前位置。"));
  void nearby.ask(null, "");
  await photos.set([]);
}

/**
 * @param {Report} report
 * @param {string} end how the round of sending ended
 */
function showAnswer(report, end) {
  answered = { id: report.id, standing: report.standing };
  const { title, mark, content } = report.incident ? recordedAnswer(report) : keptAnswer(report, end);
  const isRefused = report.standing === "refused";
  byId("answer").replaceChildren(
    el("h2", { id: "answer-title", class: report.incident ? "answer-title" : "answer-title answer-kept" }, mark, title),
    ...content,
    isRefused ? el("button", { type: "button", class: "primary submit", click: () => void edit(report) }, _("修改后重发")) : "",
    el("button", { type: "button", class: isRefused ? "submit" : "primary submit", click: again }, _("再报一件")),
  );
  form.hidden = true;
  byId("answer").hidden = false;
  byId("answer").focus();
  scrollTo({ top: 0 });
}

/** @param {Report} report */
function recordedAnswer({ incident, photoProblems, standing }) {
  const answer = /** @type {any} */ (incident);
  const place = placeOf(answer);
  const facts = [
    [_("事件编号"), answer.number],
    [_("网格"), place.grid],
    [_("子网格"), place.subGrid],
    [_("责任单位"), place.areas.join(" · ")],
    [_("办理时限"), answer.due_at ? dayAndTime(new Date(answer.due_at), new Date()) : ""],
  ].filter(([, value]) => value);
  const notes = [certainty(answer), ...photoProblems, standing === "sent" ? "" : _("照片存在本机，恢复网络后自动发送。")].filter(Boolean);
  return {
    title: _("已登记"),
    mark: icon("check-circle"),
    content: [
      el("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
      ...notes.map((note) => el("p", { class: "notice notice-warning" }, icon("exclamation-triangle"), el("span", {}, note))),
    ],
  };
}

/**
 * @param {Report} report
 * @param {string} end
 */
function keptAnswer({ standing, problem: refusal }, end) {
  if (standing === "refused") {
    return { title: _("未被接受"), mark: icon("exclamation-triangle"), content: [el("p", {}, refusal?.sentence ?? "")] };
  }
  const sentence = end === "sign-in" ? _("请重新登录，登录后自动发送。") : _("恢复网络后自动发送，关闭此页也不会丢失。");
  return { title: _("已存入本机，待发送"), mark: icon("clock"), content: [el("p", {}, sentence)] };
}

function again() {
  answered = null;
  byId("answer").hidden = true;
  form.hidden = false;
  scrollTo({ top: 0 });
}

/** Take a refused report back into the form. @param {Report} report */
async function edit(report) {
  const { body } = report;
  again();
  replaced = report.id;
  description.value = body.description;
  item.value = body.item ?? "";
  check("source", body.source);
  check("urgent", body.urgent ? "1" : "");
  byId("keep-place", HTMLInputElement).checked = report.keepPlace;
  await photos.set(await photosFor(report.id));
  // what was wrong with the time cannot be mended by hand: it is taken anew
  const at = report.problem?.field === "discovered_at" ? Date.now() : Date.parse(body.discovered_at);
  const place = { lon: body.lon, lat: body.lat, datum: body.datum, accuracy: body.accuracy_m ?? null, at };
  map.goTo(place.lon, place.lat, CLOSE_ZOOM);
  notice(problem, report.problem?.sentence ?? "");
  const sentence = problem.textContent;
  await choose(place);
  if (sentence) notice(problem, sentence);
  draft.keep({ description: description.value, item: item.value, replaced });
}

/**
 * @param {string} name
 * @param {string} value
 */
function check(name, value) {
  for (const one of form.querySelectorAll("input[name=" + name + "]")) {
    /** @type {HTMLInputElement} */ (one).checked = /** @type {HTMLInputElement} */ (one).value === value;
  }
}

/** @param {Report} report */
async function drop(report) {
  if (confirm(_("删除这份未被接受的上报？删除后不能恢复。"))) await removeReport(report.id);
}

async function showOutbox() {
  await released(byId("outbox-list"));
  const reports = account ? await reportsOf(account, Date.now()).catch(() => []) : [];
  const wantsAttention = reports.some(({ standing }) => standing !== "sent");
  if (outbox.hidden && wantsAttention) outbox.open = true;
  outbox.hidden = reports.length === 0;
  setText(byId("outbox-summary"), outboxSummary(reports));
  const shown = reports.find(({ id }) => id === answered?.id);
  if (shown && shown.standing !== answered?.standing && shown.standing !== "sending") showAnswer(shown, "done");
  byId("outbox-list").replaceChildren(...outboxRows(reports, { edit: (report) => void edit(report), drop: (report) => void drop(report) }));
}

/** @param {string | null} who is signed in at the server; null is nobody */
function askToSignIn(who) {
  const sentence = who === null ? _("登录已过期，请重新登录；待发的上报仍在本机，登录后自动发送。") : _("现在登录的是另一个账号；请用原账号登录后发送。");
  setText(byId("signed-out-words"), sentence);
  byId("signed-out").hidden = false;
}

function restore() {
  const kept = draft.content;
  if (kept.description) description.value = kept.description;
  if (kept.item) item.value = kept.item;
  if (kept.replaced) replaced = kept.replaced;
  if (kept.spot) {
    map.goTo(kept.spot.lon, kept.spot.lat, CLOSE_ZOOM);
    void choose(kept.spot);
  }
}

/** The place that the address gives (`?lon=…&lat=…`), as the desk's map does; a draft's own place gives way to it. */
function takePlace() {
  const given = new URLSearchParams(location.search);
  const [lon, lat] = [Number(given.get("lon") || NaN), Number(given.get("lat") || NaN)];
  if (!Number.isFinite(lon) || !Number.isFinite(lat) || Math.abs(lon) > 180 || Math.abs(lat) > 90) return;
  // a reload is another report's beginning
  history.replaceState(null, "", location.pathname);
  map.goTo(lon, lat, CLOSE_ZOOM);
  void choose({ lon, lat, datum: "cgcs2000", accuracy: null, at: Date.now() });
}

function showNetwork() {
  byId("offline").hidden = navigator.onLine && !isLost;
}

/** Draw the ground, from the server or as it was kept, and take the borders along. */
async function loadGround() {
  const get = (/** @type {string} */ url) => keptJson(account, url);
  try {
    const { layers, base_map, bounds: whole } = await get("/api/catalogue");
    map.setBase(base_map);
    if (whole && !draft.content.spot) map.fit(whole);
    const ground = layers.filter((/** @type {{name: string}} */ { name }) => GROUND.includes(name));
    await new LayerLoader(map, ground, () => {}, get).load();
    const bounds = whole ? null : map.boundsOf("area");
    if (bounds && !draft.content.spot) map.fit(bounds);
  } catch (error) {
    if (navigator.onLine) notice(problem, sentenceOf(error));
    else sentenceOf(error); // without a network and without a kept map the form does its work all the same
  }
  try {
    bundle = new GridBundle(await get("/api/field/bundle"));
  } catch (error) {
    sentenceOf(error); // the grid is told when the report arrives
  }
}

/** How far the phone's clock is from the server's, for the times of reports made without a network. */
async function compareClocks() {
  try {
    const { now } = await getSession();
    const offset = Date.parse(now) - Date.now();
    await keepNote("clock-offset", Math.abs(offset) > CLOCK_TOLERANCE_MS ? offset : 0);
  } catch {
    // no network or no room: the last comparison holds
  }
}

byId("sources").replaceChildren(
  ...sources().map(({ key, words }, index) =>
    el(
      "label",
      { class: "choice" },
      el("input", { type: "radio", name: "source", value: key, checked: index === 0 }),
      el("span", {}, words),
    ),
  ),
);
map.onPick(({ lon, lat }) => void choose({ lon, lat, datum: "cgcs2000", accuracy: null, at: Date.now() }));
byId("locate").addEventListener("click", locate);
new AddressSearch(byId("address"), ({ lon, lat }) => {
  map.goTo(lon, lat, CLOSE_ZOOM);
  void choose({ lon, lat, datum: "cgcs2000", accuracy: null, at: Date.now() });
});
form.addEventListener("submit", (event) => void send(event));
form.addEventListener("input", () => draft.keep({ description: description.value, item: item.value }));
item.addEventListener("change", () => void nearby.ask(spot, item.value.trim()));
addEventListener("online", showNetwork);
addEventListener("offline", showNetwork);
if ("BroadcastChannel" in globalThis) new BroadcastChannel(CHANGED).addEventListener("message", () => void showOutbox());
showNetwork();

if (account) {
  // a page without a name in it was opened without a network: what language it had is known already
  if (!document.querySelector("[data-shell]")) void keepNote("language", currentLanguage()).catch(() => {});
  void navigator.serviceWorker
    ?.register("/report/worker.js", { scope: "/report", type: "module", updateViaCache: "none" })
    .catch(() => {}); // the page then opens with a network only
  void compareClocks();
  void courier.go();
} else {
  setText(byId("signed-out-words"), _("此手机上没有登录的账号，请连上网络后登录。"));
  byId("signed-out").hidden = false;
  submit.disabled = true;
}
await showOutbox();
await photos.restore();
await loadGround();
restore();
takePlace();
