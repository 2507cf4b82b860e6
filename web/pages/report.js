/** The report form of a phone: where, what, how urgent, how it was found; then which grid answers for it. */

import { getJson, Problem, sendJson } from "../core/http.js";
import { _ } from "../core/i18n.js";
import { sources } from "../core/incident.js";
import { certainty, placeOf } from "../core/place.js";
import { dayAndTime } from "../core/formats.js";
import { CityMap } from "../map/city_map.js";
import { byId, el, icon, notice, setText } from "../ui/dom.js";
import { LayerLoader } from "../ui/layer_loader.js";
import { sentenceOf, start } from "../ui/start.js";
import { Draft } from "../ui/draft.js";

/** @typedef {{lon: number, lat: number, datum: "wgs84" | "cgcs2000", accuracy: number | null}} Spot */

const CLOSE_ZOOM = 16;
/** Layers a person finds their way by; cameras and the like would only be in the way of the finger. */
const GROUND = ["water", "road", "area", "grid"];

const form = byId("report", HTMLFormElement);
const description = byId("description", HTMLTextAreaElement);
const item = byId("item", HTMLInputElement);
const submit = byId("submit", HTMLButtonElement);
const problem = byId("problem");

/** @type {Spot | null} */
let spot = null;
let asked = 0;

await start();
const draft = new Draft("report");
const map = new CityMap(byId("map"));

/** Mark the spot and say whose it is. @param {Spot} chosen */
async function choose(chosen) {
  spot = chosen;
  draft.keep({ spot });
  notice(problem, "");
  map.showPlace(chosen.lon, chosen.lat, chosen.accuracy);
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
    if (question === asked) showPlace("", sentenceOf(error));
  }
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
    ({ coords }) => {
      button.disabled = false;
      map.goTo(coords.longitude, coords.latitude, CLOSE_ZOOM);
      choose({ lon: coords.longitude, lat: coords.latitude, datum: "wgs84", accuracy: coords.accuracy });
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
  const chosen = new FormData(form);
  submit.disabled = true;
  setText(submit, _("正在提交"));
  notice(problem, "");
  try {
    const body = {
      lon: spot.lon,
      lat: spot.lat,
      datum: spot.datum,
      ...(spot.accuracy === null ? {} : { accuracy_m: spot.accuracy }),
      ...(item.value.trim() ? { item: item.value.trim() } : {}),
      description: description.value.trim(),
      source: chosen.get("source"),
      urgent: chosen.get("urgent") === "1",
    };
    // the same key on a second try: a report whose answer was lost is not recorded twice
    const answer = await sendJson("/api/incidents", "POST", body, { "Idempotency-Key": draft.keyFor(body) });
    draft.drop();
    showAnswer(answer);
  } catch (error) {
    notice(problem, sentenceOf(error));
    if (error instanceof Problem && error.status === 0) byId("offline").hidden = false;
  } finally {
    submit.disabled = false;
    setText(submit, _("提交"));
  }
}

/** @param {any} answer the recorded incident */
function showAnswer(answer) {
  const place = placeOf(answer);
  const facts = [
    [_("事件编号"), answer.number],
    [_("网格"), place.grid],
    [_("子网格"), place.subGrid],
    [_("责任单位"), place.areas.join(" · ")],
    [_("办理时限"), answer.due_at ? dayAndTime(new Date(answer.due_at), new Date()) : ""],
  ].filter(([, value]) => value);
  const note = certainty(answer);
  byId("answer").replaceChildren(
    el("h2", { id: "answer-title", class: "answer-title" }, icon("check-circle"), _("已登记")),
    el("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)])),
    note && el("p", { class: "notice notice-warning" }, icon("exclamation-triangle"), el("span", {}, note)),
    el("button", { type: "button", class: "primary submit", click: () => location.reload() }, _("再报一件")),
  );
  form.hidden = true;
  byId("answer").hidden = false;
  byId("answer").focus();
  scrollTo({ top: 0 });
}

function restore() {
  const kept = draft.content;
  if (kept.description) description.value = kept.description;
  if (kept.item) item.value = kept.item;
  if (kept.spot) {
    map.goTo(kept.spot.lon, kept.spot.lat, CLOSE_ZOOM);
    choose(kept.spot);
  }
}

function showNetwork() {
  byId("offline").hidden = navigator.onLine;
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
map.onPick(({ lon, lat }) => choose({ lon, lat, datum: "cgcs2000", accuracy: null }));
byId("locate").addEventListener("click", locate);
form.addEventListener("submit", send);
form.addEventListener("input", () => draft.keep({ description: description.value, item: item.value }));
addEventListener("online", showNetwork);
addEventListener("offline", showNetwork);
showNetwork();

try {
  const { layers } = await getJson("/api/catalogue");
  const ground = layers.filter((/** @type {{name: string}} */ { name }) => GROUND.includes(name));
  const loader = new LayerLoader(map, ground);
  await loader.load();
  const bounds = map.boundsOf("area");
  if (bounds && !draft.content.spot) map.fit(bounds);
} catch (error) {
  notice(problem, sentenceOf(error));
}
restore();
